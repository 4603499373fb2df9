"""The workflows for GitHub are valid and least privileged, and their scripts work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.release_notes import NotesError, notes
from tests.commands import ROOT
from tests.ports import free_port
from tests.site import front_matter, put
from tests.waiting import WAIT_SECONDS

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n- later\n\n## [1.2.0] - 2026\n\n- now\n\n## [1.1.0]\n\n- old\n"
PROJECT = '[project]\nversion = "1.2.0"\n'
CANNOT = 77  # the exit status of a script on a machine without the tools that it needs


def test_workflows_follow_the_schema() -> None:
    """GitHub's schema, and actionlint where it is installed, find no fault."""
    check = Path(sys.executable).parent / "check-jsonschema"
    commands: list[list[str | Path]] = [[check, "--builtin-schema", "vendor.github-workflows", *WORKFLOWS]]
    if actionlint := shutil.which("actionlint"):
        commands.append([actionlint, *WORKFLOWS])
    for command in commands:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_workflows_may_do_no_more_than_they_need(file: Path) -> None:
    """Workflows only read by default; scripts get others' texts as variables, never in their lines."""
    workflow: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.get("uses", "a/a@v1"))


def test_a_pull_request_is_read_as_data() -> None:
    """The job that checks out a branch runs none of its code and cannot write; the other has no checkout."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/plan.yml").read_text(encoding="utf-8"))
    plan, comment = workflow["jobs"]["plan"], workflow["jobs"]["comment"]
    assert plan["permissions"] == {"contents": "read"}
    for step in plan["steps"]:
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
        assert "branch/" not in step.get("run", "").replace("../branch ", "")
        assert step.get("working-directory", "base") == "base"
    assert not [step for step in comment["steps"] if "checkout" in step.get("uses", "")]
    assert "secrets." not in yaml.safe_dump(workflow)


def test_the_notes_of_a_release() -> None:
    """The notes are the section of pyproject.toml's version, and a tag of another version is refused."""
    assert notes("1.2.0", CHANGELOG, PROJECT) == "- now\n"
    for version, project, reason in (
        ("1.3.0", PROJECT, "the tag says 1.3.0"),
        ("9.9.9", PROJECT.replace("1.2.0", "9.9.9"), "nothing under"),
    ):
        with pytest.raises(NotesError, match=reason):
            notes(version, CHANGELOG, project)


def test_the_comment_on_a_pull_request(tmp_path: Path) -> None:
    """The comment lists the posts and bad files as indented text, without markup and mentions."""
    config = tmp_path / "base.yaml"
    put(tmp_path / "content" / "old.md", front_matter())
    config.write_text(
        "articles: {path: content}\nbot:\n  channels:\n"
        "    - {name: team, kind: slack, webhook_env: HOOK, max_age: off}\n"
    )
    branch = tmp_path / "branch"
    put(branch / "content" / "new.md", front_matter(title="```\n@everyone ::error::"))
    put(branch / "content" / "bad.md", front_matter(title=None))
    output, outputs = tmp_path / "comment.md", tmp_path / "outputs"
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NEWSWIRE_CONFIG": str(config),
        "GITHUB_OUTPUT": str(outputs),
    }
    script = ROOT / "scripts" / "plan-comment.sh"
    subprocess.run([script, branch, output], cwd=ROOT, env=environ, check=True, timeout=WAIT_SECONDS)
    lines = output.read_text(encoding="utf-8").splitlines()
    assert outputs.read_text() == "status=1\n"
    assert "    bad.md:1: title: is missing" in lines
    assert [line for line in lines if "would post to team" in line]
    assert all(not line or line.startswith(("    ", "### ")) for line in lines)


@pytest.mark.soak
@pytest.mark.skipif(
    not (shutil.which("buildah") and shutil.which("mmdebstrap")), reason="needs buildah and mmdebstrap"
)
def test_the_image_is_built_and_runs() -> None:
    """The Dockerfile's image has a release, a web process, a health check, a user, and ends on SIGTERM."""
    done = subprocess.run(
        [ROOT / "scripts" / "container.sh"],
        env={**os.environ, "PORT": str(free_port())},
        check=False,
        capture_output=True,
        text=True,
        timeout=800,
    )
    if done.returncode == CANNOT:
        pytest.skip(done.stderr.splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("ok\n")
