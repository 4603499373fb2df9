"""/healthz, /readyz, /metrics and /hooks/git, over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client, TestResponse

from app import _once_complete
from articles.files.git import GitError
from ops.health import GRACE, RefreshCheck, health_of
from ops.hooks import MAX_BODY
from ops.routes import UntilReady
from tests.articles.gitserver import Origin
from tests.ops.conftest import write_article
from tests.waiting import WAIT_SECONDS
from wiring.site import Newswire

MakeApp = Callable[..., Flask]
SECRET = "what only the git host knows"


def parts(app: Flask) -> Newswire:
    newswire: Newswire = app.extensions["newswire"]
    return newswire


def samples(text: str) -> dict[tuple[str, str], float]:
    """Return the values by name and labels, read as Prometheus reads them."""
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_healthz_needs_nothing(make_app: MakeApp, content: Path) -> None:
    """The process is up, whatever the state of the articles."""
    client = make_app().test_client()
    shutil.rmtree(content)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "articles": 0, "bad_files": 0})
    assert answer.headers["Cache-Control"] == "no-store"


def test_healthz_counts_bad_files(make_app: MakeApp, content: Path) -> None:
    """The page that people open first has the number of files that are left out."""
    (content / "bad.md").write_text("---\n---\n", encoding="utf-8")
    app = make_app()
    parts(app).indexer.refresh()
    health = app.test_client().get("/healthz").json
    assert health and health["bad_files"] == 1 and health["articles"] > 0


def test_readyz_before_and_after_the_first_refresh(make_app: MakeApp) -> None:
    """The process is ready once every file has been read."""
    app = make_app()
    client = app.test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json and "articles-incomplete" in answer.json["reasons"]
    parts(app).keep_fresh()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready", "reasons": [], "warnings": []})


def test_readyz_without_the_folder(make_app: MakeApp, content: Path) -> None:
    """An unreadable folder makes the process not ready, because another machine may have its own."""
    app = make_app()
    parts(app).keep_fresh()
    shutil.rmtree(content)
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json and "article-folder-unreadable" in answer.json["reasons"]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer wrong", "Basic bGV0OmluLW1l"])
def test_details_of_readiness_need_the_token(
    make_app: MakeApp, content: Path, authorization: str | None
) -> None:
    """Without METRICS_TOKEN as a bearer token the answer names the failed check, but no path or message."""
    app = make_app(METRICS_TOKEN="let-me-in")
    parts(app).keep_fresh()
    shutil.rmtree(content)
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = app.test_client().get("/readyz", headers=headers)
    assert answer.status_code == 503
    assert answer.json == {
        "status": "not ready",
        "reasons": ["article-folder-unreadable"],
        "warnings": [],
    }
    readiness = app.test_client().get("/readyz", headers={"Authorization": "Bearer let-me-in"}).json
    assert readiness and str(content) in readiness["details"]["article-folder-unreadable"]


def test_no_token_means_no_details(make_app: MakeApp, content: Path) -> None:
    """Where METRICS_TOKEN is not set, no request sees the details."""
    app = make_app()
    shutil.rmtree(content)
    for authorization in ("Bearer ", "Bearer None", "Bearer"):
        answer = app.test_client().get("/readyz", headers={"Authorization": authorization})
        assert answer.json and "details" not in answer.json and str(content) not in answer.text


def test_nobody_keeps_the_catalog_fresh(make_app: MakeApp) -> None:
    """The lack of a watcher is a reason only after the time in which another takes over."""
    newswire = parts(make_app())
    newswire.indexer.refresh()
    clock = iter([0.0, 0.0, GRACE + 1, GRACE + 1])
    watched = RefreshCheck(newswire.catalog, now=lambda: next(clock))
    assert watched() is None
    assert watched() == "no process keeps the catalog fresh"
    newswire.watcher.start()
    limit = time.monotonic() + WAIT_SECONDS
    while watched():
        assert time.monotonic() < limit
        clock = iter([GRACE + 1] * 2)
        time.sleep(0.01)


def test_a_fault_in_refreshing_is_a_warning(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad commit affects every machine alike, so each stays ready, with a warning."""
    app = make_app(METRICS_TOKEN="let-me-in")
    newswire = parts(app)
    newswire.indexer.refresh()

    def fail(paths: object = None) -> None:
        raise RecursionError("words from a file")

    monkeypatch.setattr(newswire.indexer, "refresh", fail)
    newswire.keep_fresh()
    limit = time.monotonic() + WAIT_SECONDS
    headers = {"Authorization": "Bearer let-me-in"}
    while "articles-not-refreshed" not in app.test_client().get("/readyz").text:
        assert time.monotonic() < limit
        time.sleep(0.01)
    details = app.test_client().get("/readyz", headers=headers).json["details"]  # type: ignore[index]
    assert "RecursionError" in details["articles-not-refreshed"]
    assert "words" not in str(details)
    public = app.test_client().get("/readyz")
    assert public.status_code == 200
    assert "articles-not-refreshed" in public.json["warnings"]  # type: ignore[index]
    assert app.test_client().get("/feeds/all.rss").status_code == 200


def test_more_checks(make_app: MakeApp) -> None:
    """The bot's own checks are added as reasons or as warnings."""
    indexer = parts(make_app()).indexer
    health = health_of(
        indexer,
        checks={"database": lambda: "no database"},
        warnings={"fine": lambda: None, "lease": lambda: "old lease"},
    )
    assert health.reasons()["database"] == "no database"
    assert health.concerns() == {"lease": "old lease"}


def test_an_unreachable_repository_is_a_warning(
    make_app: MakeApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The site stays ready; /readyz and `flask articles check` say since when pulling has failed."""
    origin = Origin(tmp_path / "origin")
    origin.write("one.md", "One")
    origin.commit()
    app = make_app(f"{{git: 'file://{origin.folder}'}}", METRICS_TOKEN="let-me-in")
    token = {"Authorization": "Bearer let-me-in"}
    newswire = parts(app)
    assert newswire.checkout
    with newswire.checkout.pull_lock() as lock:
        assert lock
        newswire.checkout.pull(lock)
        newswire.indexer.refresh()
        origin.folder.rename(tmp_path / "away")
        with pytest.raises(GitError):
            newswire.checkout.pull(lock)
    newswire.watcher.start()
    answer = app.test_client().get("/readyz", headers=token)
    assert answer.status_code == 200
    assert "not been pulled since 2026-03-01T12:00:00Z" in str(answer.json)
    public = app.test_client().get("/readyz")
    assert public.json == {"status": "ready", "reasons": [], "warnings": ["git-pull-failing"]}
    assert app.test_client().get("/feeds/all.rss").status_code == 200
    checked = app.test_cli_runner().invoke(args=["articles", "check"])
    assert checked.exit_code == 0
    assert "not been pulled since 2026-03-01 12:00 UTC" in checked.output
    metrics = samples(app.test_client().get("/metrics", headers=token).text)
    assert metrics["newswire_git_failing", ""] == 1


def test_check_fails_for_a_commit_that_is_refused(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site serves the last good commit and is ready; the check of the newest fails with the reason."""
    origin = Origin(tmp_path / "origin")
    origin.write("one.md", "One")
    origin.commit()
    app = make_app(f"{{git: 'file://{origin.folder}'}}", METRICS_TOKEN="let-me-in")
    assert app.test_cli_runner().invoke(args=["articles", "check"]).exit_code == 0
    monkeypatch.setattr("articles.files.tree.MAX_TOTAL", 5_000)
    origin.write("large.md", "Large", extra=f"x: {'x' * 6000}\n")
    origin.commit()
    checked = app.test_cli_runner().invoke(args=["articles", "check"])
    assert checked.exit_code == 1
    assert "files of more than 5,000 bytes together, and is not checked out" in checked.output
    parts(app).watcher.start()
    answer = app.test_client().get("/readyz", headers={"Authorization": "Bearer let-me-in"})
    assert answer.status_code == 200
    assert "is not checked out" in answer.json["details"]["git-pull-failing"]  # type: ignore[index]
    assert "One" in app.test_client().get("/feeds/all.rss").text
    (origin.folder / "large.md").unlink()
    origin.commit()
    assert app.test_cli_runner().invoke(args=["articles", "check"]).exit_code == 0


def test_check_pulls_first(make_app: MakeApp, tmp_path: Path) -> None:
    """On an empty disk `flask articles check` checks what is in the repository now."""
    origin = Origin(tmp_path / "origin")
    origin.write("one.md", "One")
    origin.commit()
    checked = (
        make_app(f"{{git: 'file://{origin.folder}'}}").test_cli_runner().invoke(args=["articles", "check"])
    )
    assert "1 good article, 1 of them published" in checked.output


def test_metrics(make_app: MakeApp, content: Path) -> None:
    """/metrics has articles by state, requests, readers and refreshes, in Prometheus' format."""
    write_article(content, "later", published="2026-04-01")
    (content / "bad.md").write_text("---\n---\n")
    app = make_app()
    newswire = parts(app)
    newswire.keep_fresh()
    for status in (200, 304, 304):
        newswire.counts.observe("/feeds/ai.rss", status, "Feedly/1.0 (42 subscribers)")
    newswire.counts.observe("/", 200, "Mozilla/5.0")
    answer = app.test_client().get("/metrics")
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    found = samples(answer.text)
    assert found["newswire_articles", "published"] == 2
    assert found["newswire_articles", "scheduled"] == 1
    assert found["newswire_articles", "bad"] == 1
    assert found["newswire_requests_total", "ai.rss,304"] == 2
    assert found["newswire_not_modified_ratio", ""] == pytest.approx(2 / 3)
    assert found["newswire_reader_agents", "Feedly"] == 1
    assert 42 in {value for (name, _), value in found.items() if name == "newswire_subscribers"}
    assert found["newswire_refresh_seconds_count", ""] >= 1
    assert found["newswire_catalog_complete", ""] == 1


@pytest.mark.parametrize(
    ("header", "status"),
    [(None, 401), ("Bearer wrong", 401), ("Bearer Ünsinn", 401), ("Bearer let-me-in", 200)],
)
def test_metrics_may_be_closed(make_app: MakeApp, header: str | None, status: int) -> None:
    """With METRICS_TOKEN set, only requests with the token see the metrics."""
    client = make_app(METRICS_TOKEN="let-me-in").test_client()
    headers = {"Authorization": header} if header else {}
    assert client.get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize("name", ["METRICS_TOKEN", "GIT_HOOK_SECRET", "ADMIN_TOKEN"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"": ""}, "is blank"),
        ({"": " \t "}, "is blank"),
        ({"_FILE": "missing"}, "cannot be read: No such file"),
        ({"_FILE": "."}, "cannot be read: Is a directory"),
        ({"_FILE": "blank"}, "is blank"),
        ({"_FILE": "binary"}, "is not UTF-8"),
        ({"_FILE": ""}, "is set but blank"),
        ({"": "", "_FILE": "missing"}, "cannot be read"),
        ({"": "first line\nsecond line"}, "more than one line"),
        ({"_FILE": "large"}, "more than 16,384 bytes"),
    ],
)
def test_a_secret_that_cannot_be_used_opens_nothing(
    make_app: MakeApp,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: dict[str, str],
    reason: str,
) -> None:
    """The process ends with status 2, names the variable, and shows nothing of its content."""
    (tmp_path / "blank").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe hush")
    (tmp_path / "large").write_text("hush" * 5000)
    environ = {
        name + suffix: str(tmp_path / text) if suffix and text else text for suffix, text in value.items()
    }
    with pytest.raises(SystemExit) as ended:
        make_app(**environ)
    printed = capsys.readouterr().err
    assert ended.value.code == 2
    assert name in printed and reason in printed and "hush" not in printed and "second" not in printed


def push(app: Flask, body: bytes = b'{"ref": "refs/heads/main"}', **headers: str) -> TestResponse:
    named: dict[str, Any] = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().post("/hooks/git", data=body, headers=named)


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture
def git_app(make_app: MakeApp) -> Flask:
    return make_app("{git: 'https://git.example.org/news.git'}", GIT_HOOK_SECRET=SECRET)


def test_the_hook_is_not_there_unless_asked_for(make_app: MakeApp) -> None:
    """Without a secret, or without a repository, the hook's address gives 404."""
    assert push(make_app("{git: 'https://git.example.org/x'}"), X_Gitlab_Token=SECRET).status_code == 404
    assert push(make_app(GIT_HOOK_SECRET=SECRET), X_Gitlab_Token=SECRET).status_code == 404


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_genuine_push_asks_for_a_pull(git_app: Flask, kind: str) -> None:
    """A push signed as by GitHub or with GitLab's token wakes the process that pulls."""
    checkout = parts(git_app).checkout
    assert checkout
    before = checkout.requested_at()
    body = b'{"after": "1"}'
    headers = {"X_Hub_Signature_256": signature(body)} if kind == "github" else {"X_Gitlab_Token": SECRET}
    assert push(git_app, body, **headers).status_code == 202
    assert checkout.requested_at() != before


def test_a_push_after_the_checkout_was_deleted(git_app: Flask) -> None:
    """The folder is created again, and the request is recorded."""
    checkout = parts(git_app).checkout
    assert checkout
    shutil.rmtree(checkout.folder)
    assert push(git_app, X_Gitlab_Token=SECRET).status_code == 202
    assert checkout.requested_at() != 0


def test_a_push_that_cannot_be_noted(git_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer asks the git host to try again."""
    checkout = parts(git_app).checkout
    assert checkout
    shutil.rmtree(checkout.folder)
    checkout.folder.write_text("a file in place of the folder")
    assert push(git_app, X_Gitlab_Token=SECRET).status_code == 503


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_Hub_Signature_256": signature(b"another body")},
        {"X_Hub_Signature_256": signature(b"{}", "another secret")},
        {"X_Hub_Signature_256": signature(b"{}").upper()},
        {"X_Hub_Signature_256": "", "X_Gitlab_Token": SECRET},
        {"X_Hub_Signature_256": "sha256=é"},
        {"X_Gitlab_Token": SECRET[:-1]},
        {"X_Gitlab_Token": ""},
    ],
)
def test_a_push_that_is_not_genuine(git_app: Flask, headers: dict[str, str]) -> None:
    """The push is refused, and nothing is pulled."""
    checkout = parts(git_app).checkout
    assert checkout
    assert push(git_app, b"{}", **headers).status_code == 403
    assert checkout.requested_at() == 0


def test_a_push_that_is_too_large(git_app: Flask) -> None:
    """The push is refused before it is read."""
    assert push(git_app, b"x" * (MAX_BODY + 1), X_Gitlab_Token=SECRET).status_code == 413


def test_the_secret_may_be_in_a_file(make_app: MakeApp, tmp_path: Path) -> None:
    """GIT_HOOK_SECRET_FILE names a file that the host mounts."""
    (tmp_path / "secret").write_text(SECRET + "\n")
    app = make_app("{git: 'https://git.example.org/x'}", GIT_HOOK_SECRET_FILE=str(tmp_path / "secret"))
    assert push(app, X_Gitlab_Token=SECRET).status_code == 202


def test_a_token_that_is_not_set(make_app: MakeApp, capsys: pytest.CaptureFixture[str]) -> None:
    """The process ends, and names the missing variable."""
    with pytest.raises(SystemExit):
        make_app("{git: 'https://git.example.org/x', token_env: NEWS_TOKEN}")
    assert "articles.token_env: NEWS_TOKEN is not set in the environment\n" in capsys.readouterr().err


def test_a_catalog_that_cannot_be_opened_ends_no_process(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On a full disk the process waits, logs why, and serves as soon as the catalog can be opened."""
    app = make_app(METRICS_TOKEN="let-me-in")
    newswire = parts(app)
    newswire.catalog.path.mkdir()  # SQLite cannot open a folder
    newswire.keep_fresh()
    monkeypatch.setattr("app._FIRST_ARTICLES_SECONDS", 0)
    client = Client(_once_complete(app.wsgi_app, newswire.catalog))
    assert client.get("/feeds/ai.rss").status_code == 503
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz", headers={"Authorization": "Bearer let-me-in"})
    assert ready.status_code == 503
    assert "unable to open database file" in ready.json["details"]["articles-incomplete"]  # type: ignore[index]
    assert "unable to open database file" in caplog.text
    newswire.catalog.path.rmdir()
    limit = time.monotonic() + WAIT_SECONDS
    while client.get("/feeds/ai.rss").status_code != 200:
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert newswire.watcher.failure is None


def test_too_early_is_not_unknown(make_app: MakeApp) -> None:
    """Before the first refresh every page but the probes answers 503 with Retry-After."""
    app = make_app()
    client = Client(UntilReady(app.wsgi_app, parts(app).catalog.is_complete))
    early = client.get("/feeds/ai.rss")
    assert (early.status_code, early.headers["Retry-After"]) == (503, "10")
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    parts(app).indexer.refresh()
    assert client.get("/feeds/ai.rss").status_code == 200
