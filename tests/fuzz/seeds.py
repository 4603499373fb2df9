"""Texts that have caused trouble somewhere, and the strategies that combine them."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.hostile import HOSTILE, PIECES

MARKUP = (
    "<script>alert(1)</script>",
    "<ScRiPt\n>alert(1)</sCrIpT\t>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href=data:text/html,<script>alert(1)</script>>x</a>",
    "<iframe srcdoc='<script>1</script>'></iframe>",
    '<iframe src="https://x.example/&quot; onmouseover=&quot;alert(1)"></iframe>',
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<form action=javascript:alert(1)><button>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "]]>",
    "<?xml version='1.0'?>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>&a;",
    "<style>@import '//evil.example'</style>",
    "<plaintext>",
    "<xmp>",
    "<textarea>",
    "<title>",
    "</title>",
    "</script>",
    "<template>",
    "<div id=main name=x>",
    "<p",
    "<",
    "&",
    "&#0;",
    "&#x1f;",
    "&lt;script&gt;",
    "&amp;lt;b&amp;gt;",
    "&NotEqualTilde;",
    "<b><i></b></i>",
    "<a title='\u202e'>x</a>",
    "<img src='https://a.example/p.png' width=99999999999 style='position:fixed'>",
    "<img srcset='x 1x, y 2x'>",
    "<video src=//x autoplay>",
    "<object data=x>",
    "<embed src=x>",
    "<details open ontoggle=alert(1)>",
)
MARKDOWN = (
    "[x](javascript:alert(1))",
    "<javascript:alert(1)>",
    "![x](//evil.example/p.png)",
    "[a]: javascript:alert(1)\n[a]",
    "# h\n",
    "```\nx\n```\n",
    "    code\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "> > > > x\n",
    "* * *\n",
    "***x**",
    "[x](<y z> 'title \" onclick=1')",
    "[^1]\n\n[^1]: note\n",
    '<https://a.example/?q="><script>',
    "- - - - x\n",
    '{{< figure src="x" >}}',
    "{{% note %}}",
    "{{< x",
    "{% include x %}",
    "{% if a %}",
    "{{ page.title | raw }}",
    "<Component a={1 + `${x}`} />",
    "import X from './x'\n",
    ":::note\n",
    ":tada:",
    "{: .class onclick=x }",
    "!!! note\n    x\n",
    "[[[[[[",
    "]]]]]]",
    "******",
    "``````",
    "\\\\\\",
    "1. x\n",
    "![](/a.png)",
    "[x](#y)",
    "{{ 7*7 }}",
    "{% raw %}",
)
LETTERS = (
    "\u0301",
    "\u0e34",
    "\U000e0041",
    "\ufdfa",
    "\u1e9e",
    "İ",
    "ß",
    "日本語",
    "🇩🇪",
    "👩\u200d💻",
    "\u200b",
    "\ufeff",
    "\u2028",
    "\x00",
    "\x0b",
    "\ufffe",
    "\ud800",
    "a" * 300,
    "é" * 80,
    " ",
    "\t",
    "\n",
    "%",
    "%00",
    "%2e%2e%2f",
    "../",
    "//",
    "\\",
    "'",
    '"',
    "`",
    "|",
    "@everyone",
    "<!channel>",
    "<@U1>",
    "<@&1>",
    "https://",
    ":",
    "#",
    "+",
)
ADDRESSES = (
    "https://a.example/x",
    "http://a.example:99999/",
    "//evil.example",
    "javascript:alert(1)",
    "https://[::1",
    "https://[",
    "https://a b/",
    "https://a\n.example/",
    "https://user:pass@a.example/",
    "https://xn--/",
    "https://ａ.example/\u0301",
    'https://a.example/<>"|^`{}',
    "https://" + "a." * 60 + "example/",
    "/relative",
    "mailto:a@b.example",
    "https://a.example/%zz?x=%",
    "HTTPS://A.EXAMPLE:443/../..",
    "data:text/html,x",
    "https:",
)
SCALARS = (
    "true",
    "no",
    "null",
    "~",
    ".inf",
    "-.nan",
    "0x1f",
    "0o17",
    "1_000",
    "1e999",
    "12:30:45",
    "=",
    "<<",
    "!!binary x",
    "!!python/object:os.system x",
    "&a [*a]",
    "*a",
    "{a: 1, a: 2}",
    "[1, [2, [3]]]",
    "2026-13-45",
    "0001-01-01",
    "9999-12-31T23:59:59.999999+23:59",
    "2026-05-01",
    "2026-05-01T09:00:00Z",
    "-1",
    "9" * 400,
    "|\n  text",
    ">-\n  folded\n  text",
    "'it''s'",
    '"\\u0000\\ud800"',
    '"\\x07"',
    "- a\n- b",
    "{name: x, domain: y}",
    "@x",
    "`x`",
    "{url: https://a.example/p.png, width: -1, height: 1e9}",
    "[{title: x, webUrl: y}]",
    "%x",
    "? a\n: b",
    "---",
    "...",
)
KEYS = (
    "title",
    "publishedDateTime",
    "date",
    "webUrl",
    "originalUrl",
    "excerpt",
    "description",
    "summary",
    "topics",
    "tags",
    "categories",
    "quality",
    "published",
    "removed",
    "type",
    "category",
    "provider",
    "author",
    "authors",
    "images",
    "image",
    "related",
    "featuredContent",
    "updated",
    "updatedDateTime",
    "locale",
    "lang",
    "id",
    "secured",
    "heat",
    "draft",
    "__proto__",
    "title ",
    "Title",
    "<<",
    "",
)

pieces = st.one_of(
    st.sampled_from(MARKUP),
    st.sampled_from(MARKDOWN),
    st.sampled_from(LETTERS),
    st.sampled_from(PIECES),
    st.sampled_from(ADDRESSES),
    st.text(max_size=10),
)


def texts(max_pieces: int = 5) -> st.SearchStrategy[str]:
    """Return texts of any kind, most of them awkward."""
    return st.one_of(
        st.lists(pieces, max_size=max_pieces).map("".join), st.just(HOSTILE), st.text(max_size=60)
    )


def unicode_texts(max_pieces: int = 5) -> st.SearchStrategy[str]:
    """Return such texts without surrogates, as a UTF-8 file can hold them."""
    return texts(max_pieces).map(lambda text: text.encode("utf-8", "replace").decode())


addresses = st.one_of(
    st.sampled_from(ADDRESSES), unicode_texts(2), unicode_texts(1).map("https://a.example/{}".format)
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        unicode_texts(3),
        addresses,
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(),
        st.datetimes(),
        st.dates(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["name", "domain", "url", "width", "height", "title", "webUrl", "images", "provider"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=5,
)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(unicode_texts(2), st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def plausible_files(draw: st.DrawFn) -> str:
    """Return an article file that is mostly valid, so that its text gets far."""
    keys: dict[str, Any] = {
        "title": draw(unicode_texts()) or "x",
        "publishedDateTime": "2026-05-01T09:00:00Z",
        "topics": draw(
            st.lists(st.one_of(st.sampled_from(["AI", "C++", "日本語"]), unicode_texts(2)), max_size=3)
        ),
        "excerpt": draw(unicode_texts()),
        "quality": draw(st.integers(0, 100)),
    }
    optional: dict[str, st.SearchStrategy[Any]] = {
        "webUrl": addresses,
        "featuredContent": unicode_texts(3),
        "provider": st.fixed_dictionaries(
            {"name": unicode_texts(2), "domain": unicode_texts(1)},
            optional={"images": st.lists(st.fixed_dictionaries({"url": addresses}), max_size=2)},
        ),
        "images": st.lists(st.fixed_dictionaries({"url": addresses, "title": unicode_texts(1)}), max_size=2),
        "related": st.lists(
            st.fixed_dictionaries({"title": unicode_texts(2), "webUrl": addresses}), max_size=3
        ),
        "author": unicode_texts(2),
        "type": unicode_texts(1),
        "locale": st.one_of(st.just("ja"), unicode_texts(1)),
    }
    for name in draw(st.lists(st.sampled_from(sorted(optional)), unique=True, max_size=4)):
        keys[name] = draw(optional[name])
    if draw(st.booleans()):
        keys[draw(st.sampled_from(KEYS))] = draw(values)
    front = yaml.safe_dump(keys, allow_unicode=draw(st.booleans()), sort_keys=False)
    return f"---\n{front}---\n{draw(unicode_texts(8))}"


@st.composite
def raw_files(draw: st.DrawFn) -> str:
    """Return lines of front matter as any person or program may write them."""
    lines = draw(
        st.lists(st.tuples(st.sampled_from(KEYS), st.one_of(st.sampled_from(SCALARS), unicode_texts(2))))
    )
    front = "".join(f"{key}: {value}\n" for key, value in lines)
    head = draw(st.sampled_from(["title: T\ndate: 2026-05-01\n", "", "\ufeff", "title: T\n"]))
    fence = draw(
        st.sampled_from(["---\n", "---\n", "---\n", "---\n", "---\r\n", "--- \n", "---", "+++\n", "\n---\n"])
    )
    return f"{fence}{head}{front}{draw(st.sampled_from([fence, '...', '']))}{draw(unicode_texts(2))}"


@st.composite
def other_files(draw: st.DrawFn) -> str:
    """Return an article file in the form of other generators: TOML, JSON, or HTML with a front matter."""
    text = draw(unicode_texts(2))
    body = draw(unicode_texts(6))
    values = {
        "title": text,
        "date": "2026-05-01",
        "tags": [draw(unicode_texts(1))],
        "extra": draw(json_values),
    }
    if draw(st.booleans()):
        return f"{json.dumps(values, indent=draw(st.sampled_from([None, 2])))}\n\n{body}"
    quoted = json.dumps(text, ensure_ascii=False)
    date = draw(st.sampled_from(["2026-05-01", "2026-05-01T09:00:00Z", "09:00:00", "'x'", "inf", "0x1F"]))
    return f"+++\ntitle = {quoted}\ndate = {date}\n[taxonomies]\ntags = [{quoted}]\n+++\n{body}"


article_files = st.one_of(plausible_files(), plausible_files(), raw_files(), other_files())


@st.composite
def mutated(draw: st.DrawFn, originals: tuple[bytes, ...]) -> bytes:
    """Return one of `originals` with some bytes replaced, doubled, removed or inserted."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 8))
        how = draw(st.sampled_from(["cut", "insert", "double", "flip"]))
        if how == "cut":
            del data[at : at + length]
        elif how == "insert":
            data[at:at] = draw(st.binary(max_size=8))
        elif how == "double":
            data[at:at] = data[at : at + length * 4]
        elif at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)
