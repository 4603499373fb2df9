"""A machine of one's own: the systemd units, and Caddy or nginx in front, with the files in deploy/."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.commands import ROOT
from tests.ports import free_port
from tests.site import front_matter, put
from tests.soak.cluster import hosted, wait_for
from tests.waiting import WAIT_SECONDS

PATHS = "/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
DEPLOY = ROOT / "deploy"
NGINX_CONF = """\
daemon off;
pid {home}/pid;
error_log {home}/error.log warn;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
    include {home}/site.conf;
}}
"""


def test_the_units_run_what_the_procfile_runs() -> None:
    """systemd accepts the units, which run the Procfile's commands from the virtual environment.

    The bot's unit runs the release command first.
    """
    procfile = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    for name in ("web", "bot"):
        unit = (DEPLOY / f"newswire-{name}.service").read_text()
        assert f"ExecStart=/opt/newswire/.venv/bin/{procfile[name]}\n" in unit
        assert ("ExecStartPre=/opt/newswire/.venv/bin/" + procfile["release"] in unit) is (name == "bot")
    if analyze := shutil.which("systemd-analyze", path=PATHS):
        units = sorted(DEPLOY.glob("*.service"))
        done = subprocess.run([analyze, "verify", *units], check=False, capture_output=True, text=True)
        problems = [line for line in done.stderr.splitlines() if "is not executable" not in line]
        assert problems == []


@contextmanager
def proxy(kind: str, home: Path, port: int, upstream: int) -> Iterator[None]:
    """Run a proxy with its file in deploy/, changed to another port and another upstream port."""
    program = shutil.which(kind, path=PATHS)
    if program is None:
        pytest.skip(f"there is no {kind}")
    environ = {"PATH": PATHS, "HOME": str(home), "XDG_DATA_HOME": str(home)}
    if kind == "caddy":
        environ |= {"SITE_ADDRESS": f"http://127.0.0.1:{port}", "NEWSWIRE": f"127.0.0.1:{upstream}"}
        file = home / "Caddyfile"
        file.write_text("{\n\tadmin off\n}\n" + (DEPLOY / "Caddyfile").read_text())
        command = [program, "run", "--adapter", "caddyfile", "--config", str(file)]
    else:
        site = (DEPLOY / "nginx.conf").read_text().replace("listen 80;", f"listen 127.0.0.1:{port};")
        site = site.replace("server 127.0.0.1:8000;", f"server 127.0.0.1:{upstream};")
        (home / "site.conf").write_text(site)
        (home / "nginx.conf").write_text(NGINX_CONF.format(home=home))
        command = [program, "-p", str(home), "-c", str(home / "nginx.conf")]
    with (home / "proxy.log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["caddy", "nginx"])
def test_a_proxy_in_front(kind: str, tmp_path: Path) -> None:
    """Feeds, validators and compression pass through unchanged, and the operator can log in."""
    put(tmp_path / "content" / "a.md", front_matter(topics=["Go"]))
    (tmp_path / "config.yaml").write_text("articles: {path: content}\n", encoding="utf-8")
    (tmp_path / "proxy").mkdir()
    port, upstream = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    token = "t" * 32
    settings = {
        "NEWSWIRE_CONFIG": str(tmp_path / "config.yaml"), "SITE_URL": url, "TRUSTED_PROXIES": "1",
        "ADMIN_TOKEN": token, "WEB_CONCURRENCY": "1", "PORT": str(upstream),
    }  # fmt: skip

    def get(path: str, **headers: str) -> requests.Response:
        return requests.get(url + path, headers=headers, timeout=WAIT_SECONDS, allow_redirects=False)

    with hosted(tmp_path, **settings) as host, proxy(kind, tmp_path / "proxy", port, upstream):
        web = host.web("web", PORT=str(upstream))
        web.wait_until_ready()
        wait_for(lambda: _ok(url), f"{kind} is ready")
        first = get("/feeds/go.atom", **{"Accept-Encoding": "gzip"})
        directly = f"http://127.0.0.1:{upstream}/feeds/go.atom"
        direct = requests.get(directly, headers={"Accept-Encoding": "gzip"}, timeout=WAIT_SECONDS)
        assert (first.status_code, first.content) == (200, direct.content)
        assert first.headers["ETag"] == direct.headers["ETag"]
        assert first.headers["Content-Encoding"] == "gzip"
        assert f'href="{url}/feeds/go.atom"' in first.text
        assert get("/feeds/go.atom", **{"If-None-Match": first.headers["ETag"]}).status_code == 304
        assert get("/feeds/nope.atom").status_code == 404
        login, origin = f"{url}/admin/login", {"Origin": url}
        answer = requests.post(
            login, data={"token": token}, headers=origin, timeout=WAIT_SECONDS, allow_redirects=False
        )
        assert answer.status_code in (302, 303)
        assert answer.headers["Location"].startswith(("/admin", f"{url}/admin"))


def _ok(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=WAIT_SECONDS).ok
    except requests.ConnectionError:
        return False
