"""The files that hosts read agree with each other and with the program, and the scripts are valid."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import granian.cli
import pytest
import yaml

import config as configuration
from app import create_app
from scripts.docker_context import command as docker_command
from scripts.docker_context import context, ignored
from serve import options

ROOT = Path(__file__).parent.parent
PROCFILE = dict(
    line.split(": ", 1) for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines() if line
)
SCRIPTS = sorted(ROOT.glob("scripts/*.sh"))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands() -> Iterator[tuple[str, str]]:
    """Yield every command that a host runs, and the file that contains it."""
    for name, command in PROCFILE.items():
        yield f"Procfile {name}", command
    for service in yaml.safe_load(read("render.yaml"))["services"]:
        for key in ("startCommand", "preDeployCommand"):
            if key in service:
                yield f"render.yaml {service['name']} {key}", service[key]
    fly = tomllib.loads(read("fly.toml"))
    yield "fly.toml release", fly["deploy"]["release_command"]
    for name, command in fly["processes"].items():
        yield f"fly.toml {name}", command
    for file in ("railway.json", "railway.bot.json"):
        deploy = json.loads(read(file))["deploy"]
        yield from ((f"{file} pre", command) for command in deploy.get("preDeployCommand", ()))
        if "startCommand" in deploy:
            yield file, deploy["startCommand"]
    for name, service in yaml.safe_load(read("compose.yaml"))["services"].items():
        if isinstance(service.get("command"), list):
            yield f"compose.yaml {name}", " ".join(service["command"])
    yield "Dockerfile", docker_command(ROOT / "Dockerfile")


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> click.Group:
    folder = tmp_path_factory.mktemp("site")
    (folder / "content").mkdir()
    (folder / "config.yaml").write_text("state: state\n", encoding="utf-8")
    return create_app(configuration.load(folder / "config.yaml", {}), environ={}).cli


@pytest.mark.parametrize(("place", "command"), list(commands()))
def test_every_command_is_one_that_there_is(place: str, command: str, cli: click.Group) -> None:
    """A host runs the Procfile's own web command, or an existing command of flask."""
    if command.startswith("python"):
        assert command == PROCFILE["web"], place
        return
    program, *words = command.split()
    assert program == "flask"
    group: click.Command | None = cli
    for word in words:
        assert isinstance(group, click.Group)
        group = group.get_command(click.Context(group), word)
    assert group is not None, f"{place}: there is no {command}"


def test_the_web_command_is_understood() -> None:
    """The command runs an existing program with granian's options, at the address that the host gives."""
    python, program = PROCFILE["web"].split()
    assert python == "python"
    assert (ROOT / program).is_file()
    words = options({"HOST": "127.0.0.1", "PORT": "5", "WEB_CONCURRENCY": "3"})
    given = granian.cli.cli.make_context("granian", [*words, "app:create_web"]).params
    assert (given["host"], given["port"], given["workers"]) == ("127.0.0.1", 5, 3)
    given = granian.cli.cli.make_context("granian", [*options({"PORT": ""}), "app:create_web"]).params
    assert (given["host"], given["port"], given["workers"]) == ("0.0.0.0", 8000, 2)
    assert given["workers_kill_timeout"] < 5  # platforms kill a process after five seconds or more
    assert (ROOT / given["log_config"]).is_file()


def environment_of_hosts() -> set[str]:
    """Return every variable that a file sets or asks for."""
    names = set(json.loads(read("app.json"))["env"])
    names |= set(tomllib.loads(read("fly.toml"))["env"])
    for service in yaml.safe_load(read("render.yaml"))["services"]:
        names |= {variable["key"] for variable in service["envVars"]}
    for service in yaml.safe_load(read("compose.yaml"))["services"].values():
        names |= set(service.get("environment", ()))
    return names


def test_every_variable_is_explained() -> None:
    """docs/deploy.md has a row for each variable that the program or a host's file names."""
    rows = set(re.findall(r"^\| `(\w+)`", read("docs/deploy.md"), re.MULTILINE))
    elsewhere = {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "PYTHON_VERSION"}
    assert environment_of_hosts() - elsewhere <= rows
    used = set[str]()
    rooms = ("wiring", "config", "ops")
    for file in (ROOT / "app.py", *(file for room in rooms for file in ROOT.glob(f"{room}/*.py"))):
        text = file.read_text(encoding="utf-8")
        used |= set(re.findall(r'(?:environ(?:\.get\(|\[)|\b(?:find_)?secret\()"(\w+)"', text))
        used |= set(re.findall(r'\bVariable\(name="(\w+)"', text))
    assert used - {"PATH_INFO", "REMOTE_ADDR"} <= rows


def test_each_host_asks_for_what_the_program_needs() -> None:
    """Address, webhook of the sample channel, and tokens are in each host's file, or in deploy.md."""
    needed = {"SITE_URL", "SLACK_WEBHOOK", "ADMIN_TOKEN", "METRICS_TOKEN"}
    assert "webhook_env: SLACK_WEBHOOK" in read("config.yaml")
    assert needed <= set(json.loads(read("app.json"))["env"])
    web, bot = yaml.safe_load(read("render.yaml"))["services"]
    assert needed <= {variable["key"] for variable in web["envVars"]}
    assert {"SITE_URL", "SLACK_WEBHOOK"} <= {variable["key"] for variable in bot["envVars"]}
    for file in ("compose.yaml", "fly.toml"):
        assert all(name in read(file) for name in needed), file
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## )", read("docs/deploy.md"), re.MULTILINE | re.DOTALL))
    for host in ("Heroku", "Fly.io", "Railway", "Dokku"):
        assert needed <= set(re.findall(r"\b[A-Z]+_[A-Z]+\b", sections[host])), host


def test_the_bot_has_a_health_check_of_its_own() -> None:
    """The image's check requests a web process, which the bot and the release command are not."""
    services = yaml.safe_load(read("compose.yaml"))["services"]
    assert services["bot"]["healthcheck"]["test"] == ["CMD", "flask", "bot", "health"]
    assert services["release"]["healthcheck"] == {"disable": True}
    assert not re.search("^VOLUME", read("Dockerfile"), re.MULTILINE)


def test_the_port_is_the_hosts() -> None:
    """Where a file names a port for the outside, the process inside uses the same port."""
    fly = tomllib.loads(read("fly.toml"))
    assert str(fly["http_service"]["internal_port"]) == fly["env"]["PORT"]
    assert set(fly["http_service"]["processes"]) <= set(fly["processes"])
    web = yaml.safe_load(read("compose.yaml"))["services"]["web"]
    assert web["ports"][0].rpartition(":")[2] == web["environment"]["PORT"]
    dockerfile = read("Dockerfile")
    exposed = re.search(r"^EXPOSE (\d+)$", dockerfile, re.MULTILINE)
    assert exposed
    assert f"PORT={exposed[1]}" in dockerfile


def test_health_checks_ask_for_what_there_is() -> None:
    """Each path that a host requests is a path of the program."""
    paths = {check["path"] for check in tomllib.loads(read("fly.toml"))["http_service"]["checks"]}
    paths |= {json.loads(read("railway.json"))["deploy"]["healthcheckPath"]}
    paths |= {
        s["healthCheckPath"]
        for s in yaml.safe_load(read("render.yaml"))["services"]
        if "healthCheckPath" in s
    }
    paths |= set(re.findall(r"/\w+z\b", read("Dockerfile")))
    assert paths <= {"/healthz", "/readyz"}


def test_one_python_everywhere() -> None:
    """.python-version, the Dockerfile and render.yaml name the same supported Python version."""
    version = read(".python-version").strip()
    assert set(re.findall(r"^FROM python:([\d.]+)", read("Dockerfile"), re.MULTILINE)) == {version}
    for service in yaml.safe_load(read("render.yaml"))["services"]:
        pinned = next(v["value"] for v in service["envVars"] if v["key"] == "PYTHON_VERSION")
        assert pinned.startswith(version + ".")
    assert tuple(map(int, version.split("."))) >= (3, 11)


def test_app_json() -> None:
    """app.json follows the used part of Heroku's schema.

    https://devcenter.heroku.com/articles/app-json-schema
    """
    app: dict[str, Any] = json.loads(read("app.json"))
    known = {"name", "description", "keywords", "stack", "buildpacks", "formation", "addons", "env"}
    assert set(app) <= known
    assert set(app["formation"]) <= set(PROCFILE) - {"release"}
    for name, variable in app["env"].items():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", name)
        assert set(variable) <= {"description", "value", "required", "generator"}
        assert variable["description"]


def test_render_refers_to_what_it_defines() -> None:
    """Every referenced database and service is defined in the file."""
    blueprint = yaml.safe_load(read("render.yaml"))
    databases = {database["name"] for database in blueprint["databases"]}
    services = {service["name"] for service in blueprint["services"]}
    for service in blueprint["services"]:
        assert service["type"] in ("web", "worker")
        for variable in service["envVars"]:
            assert variable.get("fromDatabase", {}).get("name", next(iter(databases))) in databases
            assert variable.get("fromService", {}).get("name", service["name"]) in services


def test_compose_follows_its_schema() -> None:
    """The Compose specification's own schema finds no error."""
    check = Path(sys.executable).parent / "check-jsonschema"
    done = subprocess.run(
        [check, "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_gives_nobody_more_than_needed() -> None:
    """Containers have a read-only file system, no capabilities, and no port beyond this machine."""
    services = yaml.safe_load(read("compose.yaml"))["services"]
    for name in ("release", "web", "bot"):
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in services["web"]["ports"])


def test_the_dockerfile_copies_what_is_there() -> None:
    """Every source of a COPY exists, nothing runs as root, and the packages are pinned."""
    text = read("Dockerfile")
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        assert all((ROOT / source).exists() for source in sources.split())
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert text.index("USER ") > text.rindex("RUN ")
    assert "--require-hashes" in text


def test_the_image_holds_the_program_and_nothing_else() -> None:
    """The build context has what the program needs to run, and no tests, secrets or state."""
    files = set(context(ROOT))
    assert {"app.py", "config.yaml", "ops/granian.json", "ops/routes.py", "articles/files/git.py"} <= files
    assert {"bot/outbox/migrations/env.py", "requirements.txt"} <= files
    assert not [file for file in files if file.startswith((".", "tests/", "var/", "benchmarks/"))]


@pytest.mark.parametrize(
    ("path", "is_ignored"),
    [
        (".env", True),
        (".git/config", True),
        ("var/outbox.sqlite", True),
        ("articles/__pycache__/git.pyc", True),
        ("tests/ops/test_logs.py", True),
        ("content/2026/var/a.md", False),
        ("ops/logs.py", False),
    ],
)
def test_what_dockerignore_leaves_out(path: str, is_ignored: bool) -> None:
    """By Docker's rules a pattern counts from the root unless it begins with **."""
    assert ignored(path, read(".dockerignore").split()) is is_ignored


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts(script: Path) -> None:
    """bash parses the scripts, and shellcheck, where it is installed, finds no error."""
    subprocess.run(["bash", "-n", script], check=True)
    if shutil.which("shellcheck"):
        done = subprocess.run(["shellcheck", script], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
