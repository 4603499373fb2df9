"""`flask bot test` and `flask bot preview`: messages to check by eye."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from bot.operator.commands.shared import (
    LoadParts,
    article_named,
    channel_named,
    clear_errors,
    ready,
)
from bot.operator.testing import send_test
from bot.services import SERVICES
from bot.services.layout import message_for
from bot.services.message import compose, in_language
from text.printable import print_json, print_line
from text.terminal import CommandError, print_lines


def add_messages(group: AppGroup, load: LoadParts) -> None:
    """Add `test` and `preview`."""

    @group.command(short_help="Post a test message to a channel.")
    @click.argument("channel")
    @clear_errors
    def test(channel: str) -> None:
        """Post one message to CHANNEL that says it is a test."""
        parts = ready(load(sys.stderr))
        if channel_named(parts, channel).destination is None:
            raise CommandError(parts.faults[channel])
        result = send_test(parts, channel)
        print_line(f"{channel}: {result.outcome}{f': {result.reason}' if result.reason else ''}")
        sys.exit(0 if result.is_sent else 1)

    @group.command(short_help="Show exactly what would be posted for an article.")
    @click.argument("channel")
    @click.argument("article")
    @clear_errors
    def preview(channel: str, article: str) -> None:
        """Show exactly what would be posted to CHANNEL for ARTICLE (an id or a file)."""
        parts = load(sys.stderr)
        target = channel_named(parts, channel)
        message = compose(article_named(parts, article), site=parts.site.name, site_url=parts.site.url)
        message = in_language(message, target.language)
        service = SERVICES[target.kind]
        laid_out = message_for(message, target.layout, service)
        request = service.post(target.destination or service.example(), laid_out)
        if request.body is None:
            print_json(request.json, indent=2)
        else:
            print_lines(request.text().replace("\r\n", "\n").split("\n"))
