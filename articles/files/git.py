"""Runs git, so that neither a repository's content nor a remote can make it do more than it was asked.

Knows which remotes there may be and how a token gets to one; nothing of checkouts.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from articles.errors import SourceError

_ALLOWED = {"https": "https", "http": "http:https", "ssh": "ssh", "file": "file"}
_SCP_LIKE = re.compile(r"[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:(?!//)[^\s-]\S*")
# All else stays outside: GIT_DIR would redirect, GIT_TRACE_CURL print the token.
_PASSED_ON = (
    "PATH", "HOME", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",
    "GIT_EXEC_PATH", "LD_LIBRARY_PATH",  # where a host puts git outside the usual places
    "HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy",
)  # fmt: skip
_SETTINGS = {
    "advice.detachedHead": "false",
    "core.autocrlf": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.logAllRefUpdates": "false",  # what a force-push leaves behind is to be collected
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "gc.autoDetach": "false",  # git's work ends with the command
    "gc.pruneExpire": "now",
    "http.lowSpeedLimit": "1000",  # bytes a second
    "http.lowSpeedTime": "20",  # seconds below it, then git gives up
    "submodule.recurse": "false",
    "transfer.fsckObjects": "true",
}


class GitError(SourceError):
    """git could not do what it was asked; the text is one line that holds no secret."""


def checked_address(url: str) -> str:
    """Return the address of a repository. Raises GitError for an unsafe one, or one that leads nowhere."""
    parts = urlsplit(url)
    if _SCP_LIKE.fullmatch(url):
        return url
    if parts.scheme not in _ALLOWED or any(character <= " " for character in url):
        raise GitError("write an address such as https://git.example.org/team/news.git")
    if parts.password or (parts.username and parts.scheme != "ssh"):
        raise GitError("keep the password out of the address: `token_env` names the variable that holds it")
    if (parts.hostname or "").startswith("-") or (not parts.hostname and parts.scheme != "file"):
        raise GitError("the address names no host")
    return url


def may_carry_token(url: str) -> bool:
    """Whether a token may go to this address: nobody on the way could read it."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))


class Git:
    """git for one remote. `token` may be `user:token`; it goes into git's environment, and nowhere else."""

    def __init__(
        self, url: str, token: str | None, *, timeout: float, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.url = url
        self._timeout = timeout
        credentials = _credentials(token) if token else None
        self._secrets = (token, credentials) if token and credentials else ()
        self._environment = _environment(url, credentials, environ)

    def __call__(self, *arguments: str, folder: Path, hold: Iterable[int] = ()) -> str:
        """Return what git prints. Raises GitError when it fails or takes too long.

        git and its children hold on to the file descriptors in `hold`: a lock that goes with one is free only
        when the last of them has ended, even when this process is killed.
        """
        try:
            process = subprocess.Popen(  # noqa: S603 - the arguments are a list, and the address was checked
                ["git", *arguments],  # noqa: S607 - the operator's PATH says where git is
                cwd=folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=tuple(hold),
                process_group=0,
            )
        except OSError as error:
            raise GitError(f"git cannot be run: {error.strerror}") from None
        try:
            output, complaint = process.communicate(timeout=self._timeout)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise GitError(f"{self.url}: no end after {self._timeout:g} seconds") from None
            raise
        if process.returncode:
            raise GitError(f"{self.url}: {self._reason(complaint) or f'git ended with {process.returncode}'}")
        return output.decode("utf-8", "replace").strip()

    def _reason(self, complaint: bytes) -> str:
        text = complaint.decode("utf-8", "replace")
        for secret in self._secrets:
            text = text.replace(secret, "***")
        lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        said = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR:", "remote:"))]
        return "; ".join((said or lines)[:3])[:500]


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
    given = {f"GIT_CONFIG_KEY_{n}": key for n, key in enumerate(settings)}
    given |= {f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(settings.values())}
    return {
        **{name: environ[name] for name in _PASSED_ON if name in environ},
        **given,
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": _ALLOWED["ssh" if _SCP_LIKE.fullmatch(url) else parts.scheme],
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=20",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "LC_ALL": "C",
    }


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
