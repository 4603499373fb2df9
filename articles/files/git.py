"""Runs git so that neither a repository's content nor a remote can make it do anything else.

This module knows which remotes are allowed and how a token is passed to one, but nothing of checkouts.
"""

from __future__ import annotations

import base64
import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from articles.errors import SourceError
from text.hosts import is_loopback

MAX_MEMORY = 512_000_000
"""Bytes of address space of a git process: the system refuses it more.

A checkout of 10,000 articles and 150 MB of pictures takes less than 300 MB.
"""

MAX_FILE = 1_000_000_000
"""Bytes of a file that git may write, also of a pack."""

MAX_ADDRESS = 2_000
"""Characters of a repository's address."""

_MAX_RECORD = 100_000  # bytes between two NULs
_PROTOCOLS = {"https": "https", "http": "http:https", "ssh": "ssh", "file": "file"}
# Neither git nor ssh may read a user, a host or a path as an option: none begins with a hyphen. `::` could
# name a program that git runs (https://git-scm.com/docs/gitremote-helpers).
_WORD = r"\w[\w.-]*"
_SCP_LIKE = re.compile(rf"{_WORD}@{_WORD}:(?!//)[^\s:-]\S*")
_AUTHORITY = re.compile(rf"(?:{_WORD}@)?(?:{_WORD}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?")
# `ulimit` counts memory in units of 1,024 bytes and files in units of 512 (POSIX). Limits come with the
# process: setting them from here would be too late for its children.
# Where the system's own limits are lower, these cannot be set, and need not be.
_SCRIPT = '{{ ulimit -c 0; ulimit -v {memory}; ulimit -f {blocks}; }} 2>/dev/null; exec "$0" "$@"'
# No other variable is passed on: GIT_DIR would redirect git, GIT_TRACE_CURL would print the token.
_INHERITED_VARIABLES = (
    "PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",
    "GIT_EXEC_PATH", "LD_LIBRARY_PATH",  # where a host puts git outside the usual places
    "HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy",
)  # fmt: skip
_SETTINGS = {
    "advice.detachedHead": "false",
    "core.autocrlf": "false",
    "core.bigFileThreshold": "16m",  # larger files are streamed, not held in memory
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.logAllRefUpdates": "false",  # commits that a force-push has replaced are deleted soon
    "core.packedGitLimit": "128m",
    "core.packedGitWindowSize": "16m",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "gc.autoDetach": "false",  # git's work ends with the command
    "gc.pruneExpire": "now",
    "index.threads": "1",  # each thread takes address space
    "http.lowSpeedLimit": "1000",  # bytes a second
    "http.lowSpeedTime": "20",  # seconds below it, then git gives up
    "pack.threads": "1",
    "submodule.recurse": "false",
    "transfer.fsckObjects": "true",
}


_ADVICE = "write an address such as https://git.example.org/team/news.git"


class GitError(SourceError):
    """A git command failed; the text is one line without secrets."""


def checked_address(url: str) -> str:
    """Return the address of a repository. Raises GitError for an unsafe one, or one that leads nowhere."""
    if len(url) > MAX_ADDRESS:
        raise GitError(f"an address can have at most {MAX_ADDRESS:,} characters")
    if _SCP_LIKE.fullmatch(url) and url.isprintable():
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        raise GitError(_ADVICE) from None
    if parts.scheme not in _PROTOCOLS or not url.isprintable() or " " in url:
        raise GitError(_ADVICE)
    if parts.password or (parts.username and parts.scheme != "ssh"):
        raise GitError("keep the password out of the address: `token_env` names the variable that holds it")
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return url
    # As it is written, since git decodes %2D to a hyphen after this check.
    if not _AUTHORITY.fullmatch(parts.netloc):
        raise GitError("the address has no host, or one with unusual characters")
    return url


def may_carry_token(url: str) -> bool:
    """Whether a token may be sent to this address: the connection is encrypted, or local."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


class Git:
    """git for one remote. `token` may be `user:token`; it goes into git's environment, and nowhere else.

    Raises GitError for an address that `checked_address` refuses.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        *,
        timeout: float,
        environ: Mapping[str, str] = os.environ,
        max_memory: int = MAX_MEMORY,
        max_file: int = MAX_FILE,
    ) -> None:
        self.url = checked_address(url)
        self._timeout = timeout
        self._max_memory = max_memory
        self._max_file = max_file
        self._script = _SCRIPT.format(memory=max_memory // 1024, blocks=max_file // 512)
        credentials = _credentials(token) if token else None
        self._secrets = (token, credentials) if token and credentials else ()
        self._environment = _environment(url, credentials, environ)

    def __call__(self, *arguments: str, folder: Path, hold: Iterable[int] = ()) -> str:
        """Return what git prints. Raises GitError when it fails or takes too long.

        git and its children keep the file descriptors in `hold` open: a lock on one is released only when the
        last of them has ended, even if this process is killed.
        """
        process = self._start(arguments, folder, hold, stderr=subprocess.PIPE)
        try:
            output, errors = process.communicate(timeout=self._timeout)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise self._too_long() from None
            raise
        self._check(process.returncode, errors)
        return output.decode("utf-8", "replace").strip()

    def records(self, *arguments: str, folder: Path, hold: Iterable[int] = ()) -> Generator[bytes]:
        """Yield the records that git prints, each ended by a NUL; closing the generator ends git.

        Raises GitError as a call does, and for a record that is too long.
        """
        end = time.monotonic() + self._timeout
        with tempfile.TemporaryFile() as errors:
            process = self._start(arguments, folder, hold, stderr=errors)
            assert process.stdout
            try:
                yield from self._split_records(process.stdout.fileno(), end)
                process.wait(max(1.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise self._too_long() from None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                process.stdout.close()
                process.wait()
            errors.seek(0)
            self._check(process.returncode, errors.read(_MAX_RECORD))

    def _split_records(self, descriptor: int, end: float) -> Iterator[bytes]:
        rest = b""
        # `select` itself refuses descriptors from 1024 on, and a server may have as many connections.
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while True:
                if not selector.select(max(0.0, end - time.monotonic())):
                    raise self._too_long()
                data = os.read(descriptor, 65536)
                if not data:
                    return
                *records, rest = (rest + data).split(b"\0")
                if len(rest) > _MAX_RECORD:
                    raise GitError(f"{self.url}: git printed a record of more than {_MAX_RECORD:,} bytes")
                yield from records

    def _start(
        self, arguments: tuple[str, ...], folder: Path, hold: Iterable[int], *, stderr: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        program = shutil.which("git", path=self._environment.get("PATH"))
        if program is None:
            raise GitError("git cannot be run: it is not installed, or not in PATH")
        try:
            return subprocess.Popen(  # noqa: S603 - the arguments are a list, and the address was checked
                ["/bin/sh", "-c", self._script, program, *arguments],
                cwd=folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                pass_fds=tuple(hold),
                process_group=0,
            )
        except OSError as error:
            raise GitError(f"git cannot be run: {error.strerror}") from None

    def _too_long(self) -> GitError:
        return GitError(f"{self.url}: not finished after {self._timeout:g} seconds")

    def _check(self, status: int, errors: bytes) -> None:
        if status == 0:
            return
        reason = self._reason(errors) or f"git ended with {status}"
        is_too_large = f"died of signal {signal.SIGXFSZ.value}" in reason or "File too large" in reason
        if is_too_large or status in (-signal.SIGXFSZ, 128 + signal.SIGXFSZ):
            reason = f"a file or pack of more than {self._max_file:,} bytes"
        elif "out of memory" in reason or "mmap failed" in reason:
            reason = f"git needs more than {self._max_memory:,} bytes of memory ({reason})"
        raise GitError(f"{self.url}: {reason}")

    def _reason(self, errors: bytes) -> str:
        text = errors.decode("utf-8", "replace")
        for secret in self._secrets:
            text = text.replace(secret, "***")
        lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        messages = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR:", "remote:"))]
        return "; ".join((messages or lines)[:3])[:500]


def _credentials(token: str) -> str:
    # GitHub and GitLab take any user name with a personal token; this is the one that works for apps too.
    pair = token if ":" in token else f"x-access-token:{token}"
    return base64.b64encode(pair.encode()).decode()


def _environment(url: str, credentials: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    parts = urlsplit(url)
    settings = dict(_SETTINGS)
    if credentials:
        settings[f"http.{parts.scheme}://{parts.netloc}/.extraHeader"] = f"Authorization: Basic {credentials}"
        settings["http.followRedirects"] = "false"
    variables = {f"GIT_CONFIG_KEY_{n}": key for n, key in enumerate(settings)}
    variables |= {f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(settings.values())}
    return {
        **{name: environ[name] for name in _INHERITED_VARIABLES if name in environ},
        **variables,
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS["ssh" if _SCP_LIKE.fullmatch(url) else parts.scheme],
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=20",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "LC_ALL": "C",
    }
