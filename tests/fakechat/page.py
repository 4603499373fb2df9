"""The page at `/`:

Slack's and Discord's messages as those services show them, others as JSON. It loads no image.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from tests.fakechat.exchange import Answer
from tests.fakechat.ledger import Message

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5">
<title>Fake chat ({{ messages | length }})</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
article { border: 1px solid #8886; border-left: 5px solid #4a154b; border-radius: 6px; margin: 1rem 0;
  padding: .6rem 1rem; overflow-wrap: anywhere; }
article.discord { border-left-color: #5865f2; }
article.reply { margin-left: 2.5rem; }
ul { margin: .3rem 0; padding-left: 1.3rem; white-space: pre-line; } li { margin: .25rem 0; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: .2rem 0; }
p { margin: .3rem 0; white-space: pre-line; }
header, .small { font-size: .85rem; opacity: .8; }
.image { display: inline-block; border: 1px dashed #888; border-radius: 4px; padding: .2rem .5rem; }
.button { display: inline-block; border: 1px solid #888; border-radius: 4px; padding: .2rem .7rem; }
.ping { background: #fc06; font-weight: bold; }
blockquote { border-left: 4px solid #8888; margin: .4rem 0; padding: .1rem .8rem; }
</style>
</head>
<body>
<h1>Fake chat</h1>
{%- set count = messages | length %}
<p class="small">{{ count }} message{{ "s" if count != 1 }}, newest first; reloaded every 5 seconds.</p>
{% for message in messages %}
{% set is_reply = message.payload.get("thread_ts") or message.id in replies %}
<article class="{{ message.service }}{{ " reply" if is_reply }}">
<header><strong>{{ message.service | replace("_", " ") | capitalize }}</strong> ·
{{ message.webhook.rsplit("/", 1)[1] }} ·
<time datetime="{{ message.at.isoformat() }}">{{ message.at.strftime("%Y-%m-%d %H:%M:%S UTC") }}</time>
{% if message.edited_at %}(edited){% endif %}
{% if message.pings %}<span class="ping">pings {{ message.pings | join(", ") }}</span>{% endif %}</header>
{% for part in parts(message) %}{{ part }}
{% endfor %}</article>
{% else %}<p>Nothing has been posted yet.</p>{% endfor %}
</body>
</html>
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_SLACK_TOKEN = re.compile(
    r"<(?P<target>[^<>|]*)(?:\|(?P<label>[^<>]*))?>|(?<!\w)(?:\*(?P<bold>[^*\n]+)\*|~(?P<strike>[^~\n]+)~"
    r"|_(?P<italic>[^_\n]+)_|`(?P<code>[^`\n]+)`)(?!\w)"
)
_ANY = r"(?:\\.|(?!{end})[^\\\n])+?"
"""Text up to `end`, which may itself occur in it after a backslash."""
_DISCORD_TOKEN = re.compile(
    r"\\(?P<plain>[^a-zA-Z0-9\s])"
    rf"|\[(?P<label>{_ANY.format(end=']')})\]\(<?(?P<target>https?://[^()\s<>]+)>?\)"
    r"|(?P<ping><@[!&]?\d+>|@(?:everyone|here)\b)"
    r"|<t:(?P<stamp>-?\d{1,11})(?::\w)?>|<(?P<quiet>https?://[^\s<>]+)>"
    rf"|\*\*(?P<bold>{_ANY.format(end='[*]')})\*\*|~~(?P<strike>{_ANY.format(end='~')})~~"
    rf"|\*(?P<italic>{_ANY.format(end='[*]')})\*|`(?P<code>[^`\n]+)`|(?P<bare>https?://[^\s<>\\]+)"
)
_EMPHASIS = {"bold": "strong", "strike": "s", "italic": "em"}

Json = Mapping[str, object]


def answer(messages: Sequence[Message]) -> Answer:
    """The page as an HTTP answer, with a policy that forbids the browser to load anything."""
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": _POLICY,
        "Cache-Control": "no-store",
    }
    return Answer(status=200, body=render(messages).encode("utf-8", "replace"), headers=headers)


def render(messages: Sequence[Message]) -> str:
    """The page as HTML, newest message first."""
    return _template().render(messages=messages[::-1], parts=_parts, replies=_replies(messages))


def _replies(messages: Sequence[Message]) -> set[str]:
    """Return the ids of the messages in a thread that an earlier one began with the same key."""
    begun: set[tuple[str, str]] = set()
    found: set[str] = set()
    for message in messages:
        if message.thread is None:
            continue
        if (message.webhook, message.thread) in begun:
            found.add(message.id)
        begun.add((message.webhook, message.thread))
    return found


@cache
def _template() -> Template:
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(_PAGE)


def _parts(message: Message) -> Iterator[Markup]:
    parts = {"slack": _slack, "slack_app": _slack, "discord": _discord}.get(message.service, _plain)
    return parts(message.payload)


def _plain(payload: Json) -> Iterator[Markup]:
    """Return the payload itself, for a service whose messages are not drawn."""
    yield Markup("<pre>{}</pre>").format(json.dumps(payload, indent=2, ensure_ascii=False))


def _slack(payload: Json) -> Iterator[Markup]:
    blocks = _objects(payload.get("blocks"))
    if not blocks:
        yield _paragraph(_slack_text(str(payload.get("text") or "")))
    for block in blocks:
        yield from _slack_block(block)
    for attachment in _objects(payload.get("attachments")):
        yield from _slack(attachment)


def _slack_block(block: Json) -> Iterator[Markup]:
    kind = block.get("type")
    if kind == "divider":
        yield Markup("<hr>")
    elif kind == "image":
        yield _image(block.get("image_url"), block.get("alt_text"))
    elif kind == "rich_text":
        yield from map(_slack_rich, _objects(block.get("elements")))
        return
    elif kind == "header":
        yield Markup("<h2>{}</h2>").format(_slack_object(block.get("text")))
    elif isinstance(block.get("text"), dict):
        yield _paragraph(_slack_object(block["text"]))
    small = kind == "context"
    for element in [*_objects(block.get("fields")), *_objects(block.get("elements"))]:
        yield _slack_element(element, small=small)
    if isinstance(block.get("accessory"), dict):
        yield from (_slack_element(element) for element in _objects([block["accessory"]]))


def _slack_rich(part: Json) -> Markup:
    """Return a part of rich text as HTML: a list, or a section of texts, links and mentions.

    Nothing in it is markup.
    """
    if part.get("type") == "rich_text_list":
        items = (Markup("<li>{}</li>").format(_slack_runs(item)) for item in _objects(part.get("elements")))
        return Markup("<ul>{}</ul>").format(Markup("").join(items))
    return _paragraph(_slack_runs(part))


def _slack_runs(section: Json) -> Markup:
    return Markup("").join(map(_slack_run, _objects(section.get("elements"))))


def _slack_run(run: Json) -> Markup:
    shown = escape(str(run.get("text") or run.get("url") or run.get("type")))
    style = _object(run.get("style"))
    for name, tag in (("strike", "s"), ("italic", "em"), ("bold", "strong")):
        shown = Markup(f"<{tag}>{{}}</{tag}>").format(shown) if style.get(name) else shown
    return _link(run.get("url"), shown) if run.get("type") == "link" else shown


def _slack_element(element: Json, *, small: bool = False) -> Markup:
    if element.get("type") == "image":
        return _image(element.get("image_url"), element.get("alt_text"))
    if element.get("type") == "button":
        label = Markup('<span class="button">{}</span>').format(_slack_object(element.get("text")))
        return _link(element.get("url"), label)
    return Markup('<p class="small">{}</p>' if small else "<p>{}</p>").format(_slack_object(element))


def _slack_object(value: object) -> Markup:
    """Return a text object as HTML. Slack undoes the entities in plain text too."""
    if not isinstance(value, dict):
        return Markup("")
    text = str(value.get("text") or "")
    return escape(_slack_entities(text)) if value.get("type") == "plain_text" else _slack_text(text)


def _slack_text(text: str) -> Markup:
    """Slack's markup as HTML: links, dates (their fallback), mentions, emphasis, code; entities undone."""
    return _rendered(text, _SLACK_TOKEN, _slack_token, _slack_entities)


def _slack_token(found: re.Match[str]) -> Markup:
    parts = found.groupdict()
    if emphasised := _emphasis(parts, _slack_text):
        return emphasised
    if parts["code"]:
        return _code(_slack_entities(parts["code"]))
    target, label = parts["target"] or "", parts["label"]
    if target.startswith("!date^"):
        return escape(_slack_entities(label or target))
    if target.startswith(("!", "@", "#")):
        return Markup('<span class="ping">{}</span>').format(label or target)
    address = _slack_entities(target)
    return _link(address, escape(_slack_entities(label or target)))


def _slack_entities(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _discord(payload: Json) -> Iterator[Markup]:
    if payload.get("content"):
        yield _paragraph(_discord_text(str(payload["content"])))
    for embed in _objects(payload.get("embeds")):
        yield Markup("<blockquote>{}</blockquote>").format(Markup("").join(_discord_embed(embed)))


def _discord_embed(embed: Json) -> Iterator[Markup]:
    author, footer = _object(embed.get("author")), _object(embed.get("footer"))
    if author.get("name"):
        yield Markup('<p class="small">{}</p>').format(_link(author.get("url"), escape(str(author["name"]))))
    if embed.get("title"):
        yield Markup("<h2>{}</h2>").format(_link(embed.get("url"), _discord_text(str(embed["title"]))))
    if embed.get("description"):
        yield _paragraph(_discord_text(str(embed["description"])))
    for field in _objects(embed.get("fields")):
        name, value = _discord_text(str(field.get("name"))), _discord_text(str(field.get("value")))
        yield Markup("<p><strong>{}</strong> {}</p>").format(name, value)
    for key in ("thumbnail", "image"):
        if _object(embed.get(key)).get("url"):
            yield _image(_object(embed.get(key))["url"], key)
    small = " · ".join(str(text) for text in (footer.get("text"), embed.get("timestamp")) if text)
    if small:
        yield Markup('<p class="small">{}</p>').format(small)


def _discord_text(text: str) -> Markup:
    """Discord's markup as HTML: links, times, emphasis, code; backslashes undone."""
    return _rendered(text, _DISCORD_TOKEN, _discord_token, str)


def _discord_token(found: re.Match[str]) -> Markup:
    parts = found.groupdict()
    if parts["plain"]:
        return escape(parts["plain"])
    if parts["ping"]:
        return Markup('<span class="ping">{}</span>').format(parts["ping"])
    if emphasised := _emphasis(parts, _discord_text):
        return emphasised
    if parts["code"]:
        return _code(parts["code"])
    if parts["stamp"]:
        moment = datetime.fromtimestamp(int(parts["stamp"]), UTC)
        return Markup('<time datetime="{}">{}</time>').format(
            moment.isoformat(), f"{moment:%Y-%m-%d %H:%M UTC}"
        )
    if address := parts["quiet"] or parts["bare"]:
        return _link(address, escape(address))
    return _link(parts["target"], _discord_text(parts["label"]))


def _rendered(
    text: str,
    token: re.Pattern[str],
    render_token: Callable[[re.Match[str]], Markup],
    plain: Callable[[str], str],
) -> Markup:
    pieces, end = [], 0
    for found in token.finditer(text):
        pieces += [escape(plain(text[end : found.start()])), render_token(found)]
        end = found.end()
    return Markup("").join([*pieces, escape(plain(text[end:]))])


def _emphasis(parts: Mapping[str, str | None], inner: Callable[[str], Markup]) -> Markup | None:
    for kind, tag in _EMPHASIS.items():
        if text := parts[kind]:
            return Markup(f"<{tag}>{{}}</{tag}>").format(inner(text))
    return None


def _code(text: str) -> Markup:
    return Markup("<code>{}</code>").format(text)


def _paragraph(content: Markup) -> Markup:
    return Markup("<p>{}</p>").format(content)


def _link(address: object, label: Markup) -> Markup:
    if not str(address).startswith(("http://", "https://")):
        return label
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(address, label)


def _image(address: object, description: object) -> Markup:
    label = Markup('<span class="image">image: {}</span>').format(description or "image")
    return Markup("<p>{}</p>").format(_link(address, label))


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _objects(values: object) -> list[Json]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
