"""Article files to measure with: made from a seed, in the shape that one real site's files have.

The same name and number of files always give the same bytes.
"""

from __future__ import annotations

import json
import random
import shutil
import textwrap
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = (ROOT / "var" / "bench").resolve()
"""Everything that the benchmarks install, make and measure on; not part of the repository."""

TOPICS = (
    "AI", "Computer Vision", "Machine Learning", "Natural Language", "Robotics", "Security", "Privacy",
    "Power Apps", "Databases", "Cloud", "Networks", "Hardware", "Chips", "Mobile", "Browsers", "Open Source",
    "Games", "Audio", "Photography", "Space", "Energy", "Cars", "Health", "Education", "Policy",
)  # fmt: skip
_WORDS = """
privacy authority demands company delete facial recognition data gathered within borders watchdog order
stop collecting using images personal information obtained through service release wave new features
million records leaked multiple firms researchers model training open source library security update
patch browser keyboard network chip energy market report quarter growth developer conference keynote
customers platform cloud database engine memory storage battery camera launch review first look guide
court ruling regulator café naïve Zürich São coöperation décision “quoted” isn’t – and the of to with
""".split()  # noqa: SIM905 - eighty words read better as prose
_NAMES = (
    "read_all",
    "parse",
    "storage",
    "config.load",
    "response",
    "client",
    "close",
    "x_1",
    "Buffer",
    "emit",
)
_OUTLETS = tuple(
    (f"{name} {kind}", f"{name}{kind}.example".lower())
    for name in ("Tech", "Daily", "Data", "Cloud", "Signal", "Metro", "Silicon", "Open")
    for kind in ("Spot", "Wire", "Times", "Review", "Post")
)
_NEWEST = datetime(2026, 10, 1, tzinfo=UTC)
_OLDEST = datetime(2019, 1, 1, tzinfo=UTC)
_MADE = "made"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of corpus: `related` items, bytes of ciphertext and blocks of its files."""

    name: str
    related: tuple[int, int]
    secured: int
    blocks: tuple[int, int] = (0, 0)
    """Paragraphs, lists, tables and such of the body."""


LONG = Kind("long", (23, 33), 260)
"""About 28 KB a file, nearly all of it `related`."""

SMALL = Kind("small", (0, 0), 260)
"""About 1.4 KB a file."""

POSTS = Kind("posts", (0, 0), 0, (8, 22))
"""About 8 KB a file, nearly all of it Markdown as people write it."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A folder of `count` files; `size` is their bytes together."""

    kind: Kind
    count: int
    folder: Path
    size: int

    @property
    def description(self) -> str:
        """Describe the corpus in a few words."""
        return f"{self.count:,} files of {self.size / self.count / 1000:.1f} KB"


def corpus(kind: Kind, count: int) -> Corpus:
    """Return the corpus of this kind and size; it is written once and then used again."""
    home = VAR / "corpus" / f"{kind.name}-{count}"
    folder, marker = home / "articles", home / _MADE
    version = f"{_VERSION} {kind}"
    if not marker.exists() or json.loads(marker.read_text())["version"] != version:
        shutil.rmtree(home, ignore_errors=True)
        folder.mkdir(parents=True)
        size = sum(_write(folder, kind, number) for number in range(count))
        marker.write_text(json.dumps({"version": version, "size": size}))
    return Corpus(kind, count, folder, json.loads(marker.read_text())["size"])


_VERSION = 1


def article_text(kind: Kind, number: int, *, title: str | None = None) -> str:
    """Return the text of one article file; another `title` makes a visible change."""
    return _article(random.Random(f"{kind.name} {number}"), kind, title)


def article_path(kind: Kind, number: int) -> str:
    """Return the name of that file."""
    return f"{_moment(random.Random(f'{kind.name} {number}')):%Y-%m-%d}-story-{number:06}.md"


def newest(kind: Kind, count: int) -> int:
    """Return the number of the newest article: one that is on the first page of its topics' feeds."""
    return max(range(count), key=lambda number: _moment(random.Random(f"{kind.name} {number}")))


def _write(folder: Path, kind: Kind, number: int) -> int:
    data = article_text(kind, number).encode()
    (folder / article_path(kind, number)).write_bytes(data)
    return len(data)


def _moment(rng: random.Random) -> datetime:
    """Draw a time; always the first draw, so that the file's name can be known without its text."""
    return _OLDEST + timedelta(seconds=rng.randrange(int((_NEWEST - _OLDEST).total_seconds())))


def _article(rng: random.Random, kind: Kind, title: str | None) -> str:
    moment = _moment(rng)
    name, domain = rng.choice(_OUTLETS)
    drawn_title = _sentence(rng, 7, 13)
    address = _address(rng, domain, drawn_title)
    topics = rng.sample(TOPICS, rng.randint(1, 2))
    related = "".join(_related(rng, moment) for _ in range(rng.randint(*kind.related)))
    head = f"""---
category: news
title: {_quoted(title or drawn_title)}
excerpt: {_quoted(_sentence(rng, 18, 32))}
publishedDateTime: {moment:%Y-%m-%dT%H:%M:%SZ}
originalUrl: "{address}"
webUrl: "{address}"
type: article
quality: {rng.randint(20, 99)}
heat: {rng.randint(-1, 60)}
published: {"true" if rng.random() < 0.98 else "false"}

provider:
  name: {name}
  domain: {domain}
  images:
    - url: "https://pictures.example/organizations/{domain}-50x50.jpg"
      width: 50
      height: 50

topics:
{"".join(f"  - {topic}{chr(10)}" for topic in topics)}
{_images(rng, domain, "")}
{"related:" + chr(10) + related + chr(10) if related else ""}secured: "{_ciphertext(rng, kind.secured)}"
---

"""
    return head + "\n\n".join(_block(rng) for _ in range(rng.randint(*kind.blocks)))


def _block(rng: random.Random) -> str:
    """Return a part of a body as people write it: mostly paragraphs, in lines of about 80 characters."""
    kind = rng.choices(
        ("text", "heading", "list", "steps", "code", "table", "quote"), (60, 12, 12, 4, 6, 3, 3)
    )[0]
    if kind == "heading":
        return f"{'#' * rng.randint(2, 3)} {_sentence(rng, 3, 7)}"
    if kind in ("list", "steps"):
        mark = "1." if kind == "steps" else "-"
        return "\n".join(f"{mark} {_prose(rng, 1)}" for _ in range(rng.randint(3, 8)))
    if kind == "code":
        lines = (
            f"    {rng.choice(_NAMES)}({', '.join(rng.choices(_NAMES, k=2))})"
            for _ in range(rng.randint(3, 15))
        )
        return "```python\ndef main():\n" + "\n".join(lines) + "\n```"
    if kind == "table":
        rows = (
            f"| {_sentence(rng, 1, 3)} | {rng.randrange(10**4)} | {_sentence(rng, 1, 4)} |"
            for _ in range(rng.randint(3, 8))
        )
        return "| Name | Count | Note |\n| --- | ---: | --- |\n" + "\n".join(rows)
    if kind == "quote":
        return "\n".join(f"> {line}" for line in textwrap.wrap(_prose(rng, 2), 80, break_long_words=False))
    return textwrap.fill(_prose(rng, rng.randint(2, 6)), 80, break_long_words=False, break_on_hyphens=False)


def _prose(rng: random.Random, count: int) -> str:
    """Return sentences, of which some have a link, code or emphasis."""
    return " ".join(_marked(rng, _sentence(rng, 8, 22)) + "." for _ in range(count))


def _marked(rng: random.Random, sentence: str) -> str:
    draw = rng.random()
    if draw > 0.5:
        return sentence
    words = sentence.split()
    place = rng.randrange(1, len(words))
    word = words[place].strip('"“”')
    if draw < 0.15:
        words[place] = f"[{word}]({_address(rng, rng.choice(_OUTLETS)[1], sentence)})"
    elif draw < 0.3:
        words[place] = f"`{rng.choice(_NAMES)}()`"
    else:
        words[place] = f"**{word}**" if draw < 0.4 else f"*{word}*"
    return " ".join(words)


def _related(rng: random.Random, moment: datetime) -> str:
    name, domain = rng.choice(_OUTLETS)
    title = _sentence(rng, 8, 14)
    address = _address(rng, domain, title)
    when = moment - timedelta(minutes=rng.randrange(6000))
    return f"""  - title: {_quoted(title)}
    excerpt: {_quoted(_sentence(rng, 22, 40))}
    publishedDateTime: {when:%Y-%m-%dT%H:%M:%SZ}
    webUrl: "{address}"
    ampWebUrl: "{address}amp/"
    type: article
    provider:
      name: {name}
      domain: {domain}
    quality: {rng.randint(20, 99)}
{_images(rng, domain, "    ")}"""


def _images(rng: random.Random, domain: str, indent: str) -> str:
    lines = (
        "images:",
        f'  - url: "https://cdn.{domain}/wp-content/uploads/2021/12/picture-{rng.randrange(10**6)}-457x274.jpg"',
        "    width: 457",
        "    height: 274",
        "    isCached: true",
    )
    return "".join(f"{indent}{line}\n" for line in lines)


def _sentence(rng: random.Random, least: int, most: int) -> str:
    words = rng.choices(_WORDS, k=rng.randint(least, most))
    if rng.random() < 0.03:
        words[0] = f'"{words[0]}"'
    text = " ".join(words)
    return text[0].upper() + text[1:]


def _address(rng: random.Random, domain: str, title: str) -> str:
    slug = "-".join("".join(filter(str.isascii, word)).strip('"').lower() or "x" for word in title.split())
    return f"https://www.{domain}/news/{rng.randint(2019, 2026)}/{slug}/"


def _ciphertext(rng: random.Random, length: int) -> str:
    return b64encode(rng.randbytes(length)).decode() + ";" + b64encode(rng.randbytes(16)).decode()


_quoted: Callable[[str], str] = json.JSONEncoder(ensure_ascii=False).encode
