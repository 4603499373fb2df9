"""A real git repository to pull from, and a real HTTP server in front of it."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.waiting import WAIT_SECONDS

IDENTITY = {
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "2026-03-01T09:00:00Z",
    "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_COMMITTER_DATE": "2026-03-01T09:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip


class Origin:
    """A repository with a working tree in which tests commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    @property
    def url(self) -> str:
        """The repository's address on this machine."""
        return f"file://{self.folder}"

    def git(self, *arguments: str) -> str:
        """Run git in the repository, and return its output."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | IDENTITY,
        )
        return done.stdout.strip()

    def write(self, path: str, title: str, *, extra: str = "") -> None:
        """Write an article file."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        head = f"title: {title}\npublishedDateTime: 2026-02-01T10:00:00Z\ntopics: [AI]\n{extra}"
        file.write_text(f"---\n{head}---\nText of {title}\n", encoding="utf-8")

    def feed(self, text: str, *arguments: str) -> str:
        """Run git in the repository with `text` as its input, and return its output."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            check=True,
            input=text.encode(),
            capture_output=True,
            env=os.environ | IDENTITY,
        )
        return done.stdout.decode().strip()

    def tree(self, entries: Mapping[str, str], *, mode: str = "100644") -> str:
        """Write a tree of these names and objects, and return it. Subtrees have the mode 040000."""
        kinds = {"100644": "blob", "120000": "blob", "040000": "tree"}
        lines = (f"{mode} {kinds[mode]} {target}\t{name}\n" for name, target in entries.items())
        return self.feed("".join(lines), "mktree")

    def commit_tree(self, tree: str) -> str:
        """Make a commit of this tree the newest of the branch, whatever the working tree holds."""
        commit = self.git("commit-tree", tree, "-p", "HEAD", "-m", "A tree")
        self.git("update-ref", "HEAD", commit)
        return commit

    def commit(self, message: str = "Write", *, amend: bool = False) -> str:
        """Commit everything that changed, and return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message, *(("--amend",) if amend else ()))
        return self.git("rev-parse", "HEAD")


class HttpOrigin:
    """Serves repositories through git's own CGI program to clients with `credentials` (user:password)."""

    def __init__(self, folder: Path, *, credentials: str | None = None) -> None:
        self.folder = folder
        self.expected = f"Basic {base64.b64encode(credentials.encode()).decode()}" if credentials else None
        self.seen: list[str | None] = []
        self.is_down = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            do_POST = do_GET  # noqa: N815 - the name is the base class's

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def url(self, name: str) -> str:
        """The address of the repository with this folder name."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{name}"

    @contextmanager
    def running(self) -> Iterator[HttpOrigin]:
        """Answer requests inside a `with` block."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(WAIT_SECONDS)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request through the CGI program."""
        self.seen.append(request.headers.get("Authorization"))
        if self.is_down:
            request.send_error(503)
            return
        if self.expected and self.seen[-1] != self.expected:
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="git"')
            request.end_headers()
            return
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        done = subprocess.run(
            ["git", "http-backend"], input=body, capture_output=True, env=self._cgi(request), check=True
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((int(value[:3]) for name, value in headers if name == "Status"), 200)
        request.send_response(status)
        for name, value in headers:
            if name != "Status":
                request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)

    def _cgi(self, request: BaseHTTPRequestHandler) -> dict[str, str]:
        parts = urlsplit(request.path)
        return os.environ | {
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": request.command,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        }
