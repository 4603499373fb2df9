"""What Slack and Discord accept in a webhook payload, by their documentation: payload in, violations out.

The checks are pure. They know the formats that an article bot can need; other blocks (video, table, input)
count as unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.fakechat.schema import (
    Check,
    Violation,
    array,
    boolean,
    choice,
    integer,
    iso8601,
    record,
    string,
    utf16_length,
    web_url,
)

__all__ = ["discord_problems", "discord_violations", "slack_problems", "slack_violations", "utf16_length"]

# https://docs.slack.dev/reference/block-kit/blocks : up to 50 blocks in each message
SLACK_BLOCKS = 50
# https://docs.slack.dev/reference/block-kit/blocks/header-block
SLACK_HEADER = 150
# https://docs.slack.dev/reference/block-kit/blocks/section-block
SLACK_SECTION_TEXT = 3000
SLACK_SECTION_FIELDS = 10
SLACK_FIELD_TEXT = 2000
# https://docs.slack.dev/reference/block-kit/blocks/context-block
SLACK_CONTEXT_ELEMENTS = 10
# https://docs.slack.dev/reference/block-kit/blocks/actions-block
SLACK_ACTION_ELEMENTS = 25
# https://docs.slack.dev/reference/block-kit/blocks/image-block
SLACK_IMAGE_URL = 3000
SLACK_ALT_TEXT = 2000
SLACK_IMAGE_TITLE = 2000
# https://docs.slack.dev/reference/block-kit/block-elements/button-element
SLACK_BUTTON_TEXT = 75
SLACK_BUTTON_URL = 3000
SLACK_BUTTON_VALUE = 2000
# https://docs.slack.dev/reference/block-kit/composition-objects/text-object
SLACK_TEXT_OBJECT = 3000
# block_id and action_id, on each of the pages above
SLACK_ID = 255
# https://docs.slack.dev/reference/methods/chat.postMessage#truncating : longer text is cut off
SLACK_TEXT = 40_000
# https://docs.slack.dev/reference/methods/chat.postMessage#errors : too_many_attachments
SLACK_ATTACHMENTS = 100
# Not documented: about where `msg_blocks_too_long` begins, as users have seen it with rich text
SLACK_ALL_BLOCKS = 13_200

# https://docs.discord.com/developers/resources/webhook#execute-webhook
DISCORD_CONTENT = 2000
DISCORD_EMBEDS = 10
# https://docs.discord.com/developers/resources/webhook#create-webhook
DISCORD_USERNAME = 80
# https://docs.discord.com/developers/resources/channel#start-thread-in-forum-or-media-channel
DISCORD_THREAD_NAME = 100
DISCORD_TAGS = 5
DISCORD_FORBIDDEN_IN_USERNAME = ("clyde", "discord")
# https://docs.discord.com/developers/resources/message#embed-object-embed-limits
DISCORD_TITLE = 256
DISCORD_DESCRIPTION = 4096
DISCORD_FIELDS = 25
DISCORD_FIELD_NAME = 256
DISCORD_FIELD_VALUE = 1024
DISCORD_FOOTER = 2048
DISCORD_AUTHOR = 256
DISCORD_EMBEDS_TOTAL = 6000
# https://docs.discord.com/developers/resources/message#allowed-mentions-object
DISCORD_MENTION_TYPES = ("users", "roles", "everyone")
DISCORD_MENTION_IDS = 100
# Not documented; the API answers "Must be 2048 or fewer in length." for a longer URL.
DISCORD_URL = 2048
DISCORD_COLOR = 0xFFFFFF
# https://docs.discord.com/developers/reference#snowflakes : 64 bits, written in decimal
DISCORD_ID_DIGITS = 20


def slack_violations(payload: object) -> list[str]:
    """Return every limit of Slack that `payload` breaks, as `/pointer: what`; empty if it would be posted."""
    return [str(problem) for problem in slack_problems(payload)]


def discord_violations(payload: object) -> list[str]:
    """Return every limit of Discord that `payload` breaks, as `/pointer: what`.

    The list is empty if the payload would be posted.
    """
    return [str(problem) for problem in discord_problems(payload)]


def slack_problems(payload: object) -> list[Violation]:
    """Return what Slack would refuse in `payload`. An empty message breaks `no_text` at the root."""
    problems = list(_SLACK_MESSAGE(payload, ""))
    if isinstance(payload, dict):
        problems += _slack_content(payload)
        problems += _slack_blocks_size(payload.get("blocks"))
        problems += _repeated_ids(payload.get("blocks"))
    return problems


def discord_problems(payload: object) -> list[Violation]:
    """Return what Discord would refuse in `payload`. An empty message breaks `EMPTY` at the root."""
    problems = list(_DISCORD_MESSAGE(payload, ""))
    if not problems and isinstance(payload, dict):
        problems += _discord_totals(payload)
        problems += _username(payload.get("username"))
        problems += _exclusive_mentions(payload.get("allowed_mentions") or {})
        problems += _discord_content(payload)
    return problems


def _text_object(maximum: int, *kinds: str) -> Check:
    return record(
        {"type": choice(*kinds), "text": string(maximum, 1)},
        {"emoji": boolean, "verbatim": boolean},
        closed=True,
    )


def _by_type(kinds: Mapping[str, Check], what: str) -> Check:
    def check(value: object, at: str) -> Iterator[Violation]:
        kind = value.get("type") if isinstance(value, dict) else None
        rule = kinds.get(kind) if isinstance(kind, str) else None
        if rule is None:
            message = f"unknown {what} type {kind!r}"
            yield Violation(pointer=f"{at}/type", code="BASE_TYPE_CHOICES", message=message)
        else:
            yield from rule(value, at)

    return check


def _anything(value: object, at: str) -> Iterator[Violation]:
    yield from ()


_PLAIN = "plain_text"
_ANY_TEXT = ("plain_text", "mrkdwn")
_ID = string(SLACK_ID, 1)
_IMAGE_ELEMENT = record(
    {"type": _anything, "image_url": web_url(SLACK_IMAGE_URL), "alt_text": string(SLACK_ALT_TEXT, 1)},
    {},
    closed=True,
)
_BUTTON = record(
    {"type": _anything, "text": _text_object(SLACK_BUTTON_TEXT, _PLAIN)},
    {
        "action_id": _ID,
        "url": web_url(SLACK_BUTTON_URL),
        "value": string(SLACK_BUTTON_VALUE),
        "style": choice("primary", "danger"),
        "accessibility_label": string(SLACK_BUTTON_TEXT, 1),
    },
    closed=True,
)
_CONTEXT_TEXT = _text_object(SLACK_TEXT_OBJECT, *_ANY_TEXT)
_SECTION_SHAPE = record(
    {"type": _anything},
    {
        "text": _text_object(SLACK_SECTION_TEXT, *_ANY_TEXT),
        "fields": array(_text_object(SLACK_FIELD_TEXT, *_ANY_TEXT), maximum=SLACK_SECTION_FIELDS, minimum=1),
        "accessory": _by_type({"image": _IMAGE_ELEMENT, "button": _BUTTON}, "element"),
        "expand": boolean,
        "block_id": _ID,
    },
    closed=True,
)


_STYLE = record({}, {"bold": boolean, "italic": boolean, "strike": boolean, "code": boolean}, closed=True)


def _words(value: object, at: str) -> Iterator[Violation]:
    """Any text but an empty one. A blank counts as text."""
    if not isinstance(value, str) or not value:
        yield Violation(pointer=at, code="EMPTY", message="must be more than 0 characters")


_RICH_ELEMENT = _by_type(
    {
        "text": record({"type": _anything, "text": _words}, {"style": _STYLE}, closed=True),
        "link": record(
            {"type": _anything, "url": web_url(SLACK_IMAGE_URL)},
            {"text": _words, "style": _STYLE},
            closed=True,
        ),
        "user": record({"type": _anything, "user_id": _ID}, {}, closed=True),
        "usergroup": record({"type": _anything, "usergroup_id": _ID}, {}, closed=True),
        "broadcast": record(
            {"type": _anything, "range": choice("here", "channel", "everyone")}, {}, closed=True
        ),
    },
    "element",
)
_RICH_SECTION = record(
    {"type": choice("rich_text_section"), "elements": array(_RICH_ELEMENT, maximum=1000, minimum=1)},
    {},
    closed=True,
)
_RICH_PART = _by_type(
    {
        "rich_text_section": _RICH_SECTION,
        "rich_text_list": record(
            {
                "type": _anything,
                "style": choice("bullet", "ordered"),
                "elements": array(_RICH_SECTION, maximum=1000, minimum=1),
            },
            {"indent": integer(0, 8)},
            closed=True,
        ),
    },
    "element",
)
_RICH_TEXT = record(
    {"type": _anything, "elements": array(_RICH_PART, maximum=1000, minimum=1)},
    {"block_id": _ID},
    closed=True,
)


def _section(value: object, at: str) -> Iterator[Violation]:
    yield from _SECTION_SHAPE(value, at)
    if isinstance(value, dict) and not value.keys() & {"text", "fields"}:
        yield Violation(pointer=at, code="BASE_TYPE_REQUIRED", message="a section needs text or fields")


_BLOCK = _by_type(
    {
        "section": _section,
        "divider": record({"type": _anything}, {"block_id": _ID}, closed=True),
        "header": record(
            {"type": _anything, "text": _text_object(SLACK_HEADER, _PLAIN)}, {"block_id": _ID}, closed=True
        ),
        "context": record(
            {
                "type": _anything,
                "elements": array(
                    _by_type(
                        {"image": _IMAGE_ELEMENT, "plain_text": _CONTEXT_TEXT, "mrkdwn": _CONTEXT_TEXT},
                        "element",
                    ),
                    maximum=SLACK_CONTEXT_ELEMENTS,
                    minimum=1,
                ),
            },
            {"block_id": _ID},
            closed=True,
        ),
        "actions": record(
            {
                "type": _anything,
                "elements": array(
                    _by_type({"button": _BUTTON}, "element"), maximum=SLACK_ACTION_ELEMENTS, minimum=1
                ),
            },
            {"block_id": _ID},
            closed=True,
        ),
        "rich_text": _RICH_TEXT,
        "image": record(
            {
                "type": _anything,
                "image_url": web_url(SLACK_IMAGE_URL),
                "alt_text": string(SLACK_ALT_TEXT, 1),
            },
            {"title": _text_object(SLACK_IMAGE_TITLE, _PLAIN), "block_id": _ID},
            closed=True,
        ),
    },
    "block",
)
_BLOCKS = array(_BLOCK, maximum=SLACK_BLOCKS)
_SLACK_MESSAGE = record(
    {},
    {
        "text": string(SLACK_TEXT),
        "blocks": _BLOCKS,
        "attachments": array(record({}, {"blocks": _BLOCKS}, closed=False), maximum=SLACK_ATTACHMENTS),
        "unfurl_links": boolean,
        "unfurl_media": boolean,
        "mrkdwn": boolean,
        "username": string(80, 1),
        "icon_url": web_url(SLACK_IMAGE_URL),
    },
    closed=False,
)


def _slack_content(payload: Mapping[str, object]) -> Iterator[Violation]:
    text = payload.get("text")
    written = isinstance(text, str) and text.strip()
    if not (written or payload.get("blocks") or payload.get("attachments")):
        yield Violation(pointer="", code="no_text", message="no text, no blocks and no attachments")


def _slack_blocks_size(blocks: object) -> Iterator[Violation]:
    written = [block for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    total = sum(_text_sizes([block for block in written if block.get("type") == "rich_text"]))
    if total > SLACK_ALL_BLOCKS:
        yield Violation(
            pointer="/blocks", code="TOO_LONG", message=f"msg_blocks_too_long: {total} characters"
        )


def _text_sizes(value: object) -> Iterator[int]:
    """The lengths of the texts and addresses in blocks."""
    for key, inside in value.items() if isinstance(value, dict) else ():
        if key in ("text", "url") and isinstance(inside, str):
            yield utf16_length(inside)
        else:
            yield from _text_sizes(inside)
    for inside in value if isinstance(value, list) else ():
        yield from _text_sizes(inside)


def _repeated_ids(blocks: object) -> Iterator[Violation]:
    seen: set[str] = set()
    for index, block in enumerate(blocks if isinstance(blocks, list) else []):
        name = block.get("block_id") if isinstance(block, dict) else None
        if isinstance(name, str) and name in seen:
            yield Violation(
                pointer=f"/blocks/{index}/block_id", code="REPEATED", message="another block has this id"
            )
        elif isinstance(name, str):
            seen.add(name)


_LINK = web_url(DISCORD_URL, dotted=True)
_PICTURE = record({"url": _LINK}, {}, closed=False)
_EMBED = record(
    {},
    {
        "title": string(DISCORD_TITLE),
        "description": string(DISCORD_DESCRIPTION),
        "url": _LINK,
        "timestamp": iso8601,
        "color": integer(0, DISCORD_COLOR),
        "footer": record({"text": string(DISCORD_FOOTER, 1)}, {"icon_url": _LINK}, closed=False, null=True),
        "image": _PICTURE,
        "thumbnail": _PICTURE,
        "author": record(
            {"name": string(DISCORD_AUTHOR, 1)}, {"url": _LINK, "icon_url": _LINK}, closed=False, null=True
        ),
        "fields": array(
            record(
                {"name": string(DISCORD_FIELD_NAME, 1), "value": string(DISCORD_FIELD_VALUE, 1)},
                {"inline": boolean},
                closed=False,
                null=True,
            ),
            maximum=DISCORD_FIELDS,
        ),
    },
    closed=False,
    null=True,
)


def _snowflake(value: object, at: str) -> Iterator[Violation]:
    digits = str(value)
    if isinstance(value, bool) or not (digits.isdecimal() and len(digits) <= DISCORD_ID_DIGITS):
        message = f"Value {digits[:40]!r} is not snowflake."
        yield Violation(pointer=at, code="NUMBER_TYPE_COERCE", message=message)


_MENTION_IDS = array(_snowflake, maximum=DISCORD_MENTION_IDS)
_DISCORD_MESSAGE = record(
    {},
    {
        "content": string(DISCORD_CONTENT),
        "username": string(DISCORD_USERNAME, 1),
        "avatar_url": _LINK,
        "tts": boolean,
        "thread_name": string(DISCORD_THREAD_NAME, 1),
        "applied_tags": array(_snowflake, maximum=DISCORD_TAGS),
        "embeds": array(_EMBED, maximum=DISCORD_EMBEDS),
        "allowed_mentions": record(
            {},
            {
                "parse": array(choice(*DISCORD_MENTION_TYPES), maximum=len(DISCORD_MENTION_TYPES)),
                "users": _MENTION_IDS,
                "roles": _MENTION_IDS,
                "replied_user": boolean,
            },
            closed=False,
            null=True,
        ),
        "flags": integer(0, 2**53),
    },
    closed=False,
    null=True,
)


def embed_texts(embed: Mapping[str, object]) -> Iterator[str]:
    """The texts of one embed that count toward the sum over all embeds."""
    for part in (embed, _child(embed, "author"), _child(embed, "footer")):
        yield from _strings(part, "title", "description", "name", "text")
    fields = embed.get("fields")
    for field in fields if isinstance(fields, list) else []:
        yield from _strings(field, "name", "value")


def _child(embed: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = embed.get(key)
    return value if isinstance(value, dict) else {}


def _strings(part: Mapping[str, object], *keys: str) -> Iterator[str]:
    return (value for key in keys if isinstance(value := part.get(key), str))


def _discord_totals(payload: Mapping[str, object]) -> Iterator[Violation]:
    embeds = payload.get("embeds")
    total = sum(
        utf16_length(text)
        for embed in (embeds if isinstance(embeds, list) else [])
        for text in embed_texts(embed)
    )
    if total > DISCORD_EMBEDS_TOTAL:
        message = f"Embed size exceeds maximum size of {DISCORD_EMBEDS_TOTAL} ({total})"
        yield Violation(pointer="/embeds", code="MAX_EMBED_SIZE_EXCEEDED", message=message)


def _username(name: object) -> Iterator[Violation]:
    for word in DISCORD_FORBIDDEN_IN_USERNAME:
        if isinstance(name, str) and word in name.lower():
            message = f'Username cannot contain "{word}"'
            yield Violation(pointer="/username", code="USERNAME_INVALID_CONTAINS", message=message)


def _exclusive_mentions(allowed: object) -> Iterator[Violation]:
    """Refuse `parse: [users]` together with a list of users, and the same for roles."""
    mentions = allowed if isinstance(allowed, dict) else {}
    for kind in ("users", "roles"):
        if kind in (mentions.get("parse") or []) and mentions.get(kind):
            message = f"parse:[{kind!r}] and {kind} are mutually exclusive"
            yield Violation(
                pointer=f"/allowed_mentions/{kind}",
                code="MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                message=message,
            )


def _discord_content(payload: Mapping[str, object]) -> Iterator[Violation]:
    content, embeds = payload.get("content"), payload.get("embeds")
    written = isinstance(content, str) and content.strip()
    shown = any(_shows(embed) for embed in embeds) if isinstance(embeds, list) else False
    if not written and not shown:
        yield Violation(pointer="", code="EMPTY", message="Cannot send an empty message")


def _shows(embed: Mapping[str, object]) -> bool:
    return any(text.strip() for text in embed_texts(embed)) or bool(
        embed.get("image") or embed.get("thumbnail")
    )
