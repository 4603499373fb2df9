"""`python -m tests.fakechat`: run the fake until SIGTERM or SIGINT, to try the bot without a workspace."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from tests.fakechat.registry import SERVICES
from tests.fakechat.server import FakeChat
from tests.fakechat.webhook import SECRET

_GREETING = """\
A fake of every chat service: {url}/ shows what is posted to it.

In another terminal, let the sample channel of config.yaml post here:

    SLACK_WEBHOOK={slack} make serve{port}

A new channel begins with its newest article. To post another, save a file and wait a few seconds:

    printf -- '---\\ntitle: Hello, chat\\ndate: %s\\nquality: 90\\ntopics: [AI]\\n---\\nIt works.\\n' \\
        "$(date -u +%Y-%m-%dT%H:%M:%SZ)" > content/hello.md

The addresses of the other services. Each is the value of the variable that a channel's `webhook_env` names,
with Telegram `token_env`; that of slack_app is the channel's `api` itself:

{others}

Any other word in place of the last part of an address is another channel. To see the bot cope with a fault:

    curl {url}/_fake/faults -d '{{"webhook": "{slack}", "faults": [{{"status": 503}}]}}'

Stop with Ctrl-C.
"""


DEFAULT_SITE_PORT = 8000
"""Where `make serve` listens unless another port is given."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal. Return 0, or 1 when the port is not available."""
    options = _parser().parse_args(arguments)
    try:
        chat = FakeChat(
            host=options.host, port=options.port, log=options.log, rate_limits=options.rate_limits
        )
    except OSError as problem:
        print(f"cannot listen on {options.host}:{options.port}: {problem.strerror}", file=sys.stderr)
        return 1
    finished = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: finished.set())
    with chat:
        width = max(map(len, SERVICES))
        kinds = [kind for kind in SERVICES if kind != "slack"]
        others = "\n".join(f"    {kind:{width}}  {_address(chat, kind)}" for kind in kinds)
        port = f" PORT={options.site_port}" if options.site_port != DEFAULT_SITE_PORT else ""
        slack = chat.slack_url("team")
        print(_GREETING.format(url=chat.url, slack=slack, port=port, others=others), flush=True)
        finished.wait()
    return 0


def _address(chat: FakeChat, kind: str) -> str:
    if kind == "discord":
        return chat.discord_url("news")
    address = chat.hook_url(kind, f"my-{kind}")
    if kind == "zulip":
        return address.replace("://", "://bot%40news.example:key@")
    return f"{address} (its secret: {SECRET})" if kind == "webhook" else address


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fakechat", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8900, help="port, 0 for a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--site-port",
        type=int,
        default=DEFAULT_SITE_PORT,
        help="the port that the greeting suggests for `make serve` (default: %(default)s)",
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="append every request as a line of JSON")
    parser.add_argument("--rate-limits", action="store_true", help="enforce the vendors' rate limits")
    return parser


if __name__ == "__main__":
    sys.exit(main())
