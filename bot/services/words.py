"""The bot's own words in a message, in the message's language.

Their translations are those of `text.language`. Alerts and tests, which are for operators, and what programs
are sent, are in English.
"""

from __future__ import annotations

from datetime import UTC

from bot.services.message import Message
from bot.services.text import clean
from text.language import Language, language_of


def words_of(message: Message) -> Language:
    """Return the language of the bot's own words in a message."""
    return language_of(message.language)


def summary_of(message: Message) -> str:
    """Return the summary on one line, or, for a withdrawn article, that it is no longer published."""
    if message.retracted:
        return words_of(message).gettext("This article is no longer published.")
    return clean(message.summary)


def quality_of(message: Message) -> str:
    """Return a text such as "Quality 71"; "" if the message shows no quality."""
    if message.quality is None:
        return ""
    return words_of(message).gettext("Quality %(quality)s") % {"quality": message.quality}


def button_of(message: Message) -> str:
    """Return the text of the button that leads to the article."""
    return words_of(message).gettext("Read article")


def written_time(message: Message) -> str:
    """Return the time in UTC, for services whose clients cannot show it in the reader's time zone."""
    words, time = words_of(message), message.published_at.astimezone(UTC)
    return f"{time:%Y-%m-%d %H:%M} UTC" if words.tag == Language.tag else words.exact(time)
