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
A fake of every chat service listens on {url}/ (open it to see what was posted).

    export SLACK_WEBHOOK={slack}
    export DISCORD_WEBHOOK={discord}

The others are at

{others}

Name these variables in a channel's `webhook_env` and run the bot. Any other token in place of the last
part of a URL is another channel. To see the bot cope with a fault, queue one:

    curl {url}/_fake/faults -d '{{"webhook": "{slack}", "faults": [{{"status": 503}}]}}'

Stop with Ctrl-C.
"""


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal; return 0, or 1 when the port cannot be had."""
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
        slack, discord = chat.slack_url("ai-team"), chat.discord_url("news")
        kinds = [kind for kind in SERVICES if kind not in ("slack", "discord")]
        others = "\n".join(f"    {kind}: {_address(chat, kind)}" for kind in kinds)
        print(_GREETING.format(url=chat.url, slack=slack, discord=discord, others=others), flush=True)
        finished.wait()
    return 0


def _address(chat: FakeChat, kind: str) -> str:
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
    parser.add_argument("--log", type=Path, metavar="FILE", help="append every request as a line of JSON")
    parser.add_argument("--rate-limits", action="store_true", help="enforce the vendors' rate limits")
    return parser


if __name__ == "__main__":
    sys.exit(main())
