"""How YAML is read: the plain reader agrees with PyYAML, and no text harms the process."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from types import ModuleType
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from articles.errors import ArticleError
from articles.reading import frontmatter
from tests.waiting import WAIT_SECONDS
from text.yaml import plain as plainyaml
from text.yaml import safe as safeyaml
from text.yaml.safe import YamlError

UNREAD = frozenset({"secured"})

# Small pieces of scalars, blocks and structure. Most texts built from them are invalid; the whole parse
# shows which are valid.
_SCALARS = [
    "plain",
    "two words",
    "a: b",
    "a:b",
    "x # y",
    "x#y",
    '"double"',
    '"open',
    'close"',
    '"',
    '"esc \\" ape"',
    '"tail\\',
    '"a" b',
    '"\\u00e9 \\x41"',
    "'single'",
    "'it''s'",
    "'open",
    "close'",
    "'",
    "|",
    ">-",
    "|2",
    "[a, b]",
    "[a,",
    "b]",
    "{a: b}",
    "{a: b,",
    "c: d}",
    "]",
    "}",
    "&x y",
    "&x",
    "*x",
    "!!str 5",
    "- dash",
    "-dash",
    "- - two",
    "? q",
    "2026-01-02T03:04:05Z",
    "2026-01-02",
    "12",
    "-1",
    "0x1f",
    "true",
    "null",
    "~",
    "yes",
    "1_000",
    ".5",
    "1:30",
    "foo bar: x",
    'foo bar: "x',
    'key:\t"x',
    "it\u2028title: bar",
    "it\x85related: z",
    "\u00a0x",
    "# comment",
    "日本語: 語",
    "@at",
    "%p",
    "`b",
    "",
]
_KEYS = [
    "title",
    "related",
    "secured",
    "x",
    "y",
    "-x",
    '"related"',
    "related ",
    "? k",
    "yes",
    "a.b",
    "<<",
    "_z",
]
_line = st.builds(
    lambda indent, dash, key, scalar, tail: f"{indent}{dash}{key}{scalar}{tail}",
    st.sampled_from(["", "", "", " ", "  ", "  ", "    ", "\t"]),
    st.sampled_from(["", "", "", "- ", "- - ", "-   "]),
    st.one_of(st.just(""), st.sampled_from(_KEYS).map(lambda key: f"{key}: ")),
    st.sampled_from(_SCALARS),
    st.sampled_from(["", "", "", " ", " # c", "\t", '"', "'"]),
)
_broken_texts = st.lists(_line, min_size=1, max_size=9).map(lambda lines: "\n".join(lines) + "\n")


@st.composite
def _sound_texts(draw: st.DrawFn) -> str:
    """Mostly valid front matters: top-level keys with a value of each style, and some oddities."""
    blocks = []
    for key in draw(st.lists(st.sampled_from(["title", "related", "secured", "x", "y", "z"]), unique=True)):
        value = draw(
            st.one_of(
                st.sampled_from(_SCALARS),
                st.lists(st.sampled_from(_SCALARS), min_size=1, max_size=3).map("\n  ".join),
                st.lists(st.sampled_from(_SCALARS), min_size=1, max_size=3).map("\n".join),
                st.sampled_from(_SCALARS).map(lambda s: f"|\n   {s}\n\n   related: no"),
                st.sampled_from(_SCALARS).map(lambda s: f'"{s.strip(chr(34))}\n  secured: "'),
                st.lists(st.sampled_from(_SCALARS), min_size=1, max_size=6).map(
                    lambda items: "\n" + "\n".join(f"  - title: {item}" for item in items)
                ),
                st.recursive(
                    st.text(max_size=8),
                    lambda inner: (
                        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
                    ),
                    max_leaves=5,
                ).map(
                    lambda value: (
                        yaml.safe_dump(value, allow_unicode=True)
                        .removesuffix("...\n")
                        .strip()
                        .replace("\n", "\n  ")
                    )
                ),
            )
        )
        blocks.append(f"{key}: {value}" if not value.startswith("\n") else f"{key}:{value}")
        blocks.append(draw(st.sampled_from(["", "", "", "\n", "\n# comment", "\n  # comment"])))
    return "\n".join(filter(None, blocks)) + "\n"


def _without_later_items(text: str, count: int) -> tuple[str, tuple[int, int]]:
    """Return a text without the items of `related` after the first `count`, and where those were."""
    begin, end = plainyaml.later_items(text, "related", count) or (0, 0)
    return text[:begin] + text[end:], (begin, end)


def _whole(text: str) -> dict[Any, Any] | None:
    """Return what PyYAML itself makes of a text, or None where it refuses the text."""
    try:
        values = yaml.load(text, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, AttributeError, LookupError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _check_skipping(text: str) -> None:
    """Check that skipping changes nothing that is read: PyYAML may fail only inside the skipped part."""
    text = "\n" + text.replace("\r\n", "\n").replace("\r", "\n")
    read, (begin, end) = _without_later_items(text, 2)
    found = plainyaml.load(read, unread=UNREAD)
    if found is None:
        return
    whole = _whole(text)
    if whole is None:
        with pytest.raises(yaml.MarkedYAMLError) as failure:
            yaml.load(text, yaml.CSafeLoader)
        mark = failure.value.problem_mark
        assert mark is not None
        assert text.count("\n", 0, begin) <= mark.line < text.count("\n", 0, end)
        whole = _whole(read)
    assert isinstance(whole, dict)
    expected = {key: None if key in UNREAD else value for key, value in whole.items()}
    if end:
        expected["related"] = whole["related"][:2]
    assert repr(found) == repr(expected)


_TRAPS = [
    'title: "foo\nrelated: bar\nx: y"\n',
    'related: a\n-x: "foo\ntitle: bar"\n',
    'related:\n  foo bar: "x\ntitle: y"\n',
    'related:\n  key:\t"foo\ntitle: y"\n',
    "related: foo\u2028title: bar\n",
    "related: foo\x85title: bar\n",
    '-x: "foo\ntitle: a"\n',
    "title: {a: b,\nrelated: c,\nx: d}\n",
    "title: 'a\nsecured: b\nx: c'\n",
    'related: &a "x"\ntitle: *a\n',
    "title: |\n  text\n\nrelated: x\n",
    "title: >-\n  folded\n  related: no\nrelated: yes\n",
    "related:\n- a\n- b\ntitle: x\n",
    '# comment\n\nrelated: "x"\ntitle: y\n',
    "related:\r\n  - a\r\ntitle: b\r\n",
    'related:\n  - title: "a\n      b"\n    x: y\ntitle: z\n',
    "--- foo\nrelated: a\ntitle: b\n",
    "related: a\n--- foo\n",
    "related: a\n...\ntitle: b\n",
    "title: yes\nrelated: a\nyes: b\n",
    "related:\n  k: 'x\ntitle: y'\n",
    "related:\n  k: 'it''s\ntitle: y'\n",
    'related:\n  k: "x \\"\ntitle: y"\n',
    'related:\n  k: "x.\\"\ntitle: y"\n',
    'related:\n  - "\ntitle: y"\n',
    'related: ["x\ntitle: y"]\n',
    "related: [a,\ntitle: b]\n",
    "related: {a: b,\ntitle: c}\nx: y\n",
    "related: [\ntitle: b]\n",
    "x: &a z\nrelated: *a\ntitle: t\n",
    "x: &a z\nrelated:\n  - *a\ntitle: t\n",
    *(
        f"related:\n  - a: 1\n  - a: 2\n  - a: {later}\ntitle: t\n"
        for later in (
            '"',
            '"\n    b"',
            '"x',
            '"x\\"',
            '"x\\\\"',
            '"x" "y"',
            "x: y",
            "'",
            "'x\n    y'",
            '|\n    "',
            "[b,\n c]",
            '"x\n---\ny"',
            "x\n---",
            "\u2028title: b",
            "x\n-y",
            "x\n- y",
            "*b",
            "&b x",
            "#\n",
            'x #"',
            "x\n   - z",
        )
    ),
    'x: "y\nrelated:\n  - a: 1\n  - a: 2\n  - a: 3\nz: y"\ntitle: t\n',
    "related:\n  - a: 1\n  - a: 2\ntopics:\n  - a: 3\n  - a: 4\n",
]


@pytest.mark.parametrize("text", _TRAPS)
def test_nothing_that_is_skipped_changes_the_rest(text: str) -> None:
    """A block with a scalar that reaches past its apparent end is not skipped."""
    _check_skipping(text)


@given(_broken_texts)
@example(_TRAPS[0])
@settings(max_examples=1000, deadline=None)
def test_skipping_is_right_or_not_done_in_any_text(text: str) -> None:
    """With blocks skipped, the rest of any text is read as PyYAML reads it."""
    _check_skipping(text)


@given(_sound_texts())
@settings(max_examples=200, deadline=None)
def test_skipping_is_right_in_front_matters_of_every_style(text: str) -> None:
    """With quoted, plain, block and flow values, comments and blank lines, the rest is read the same."""
    _check_skipping(text)
    _check_skipping(text.replace("\n", "\r\n"))


@given(st.one_of(_broken_texts, _sound_texts()))
@settings(max_examples=300, deadline=None)
def test_the_short_way_reads_what_pyyaml_reads(text: str) -> None:
    """`plainyaml` either refuses a text or returns PyYAML's values, including their types."""
    found = plainyaml.load(text)
    if found is not None:
        assert repr(found) == repr(yaml.load(text, yaml.CSafeLoader))
    assert repr(plainyaml.load(text, shared=set(re.findall(r"^[\w-]+", text, re.MULTILINE)))) == repr(found)


_item_lines = st.builds(
    lambda indent, dash, key, scalar: f"{indent}{dash}{key}:{scalar}",
    st.sampled_from(["  ", "    ", "    ", "    ", "      ", "        ", ""]),
    st.sampled_from(["", "", "", "- "]),
    st.sampled_from(["title", "url", "images", "x", "y", "title"]),
    st.sampled_from(["", "", " a", " 1", ' "b"', " |", ' "c', " [d]"]),
)


@given(st.lists(_item_lines, max_size=9))
@example(["    images:", "    - url: x", '    url: "b"'])
@example(["    images:", "      - url: x", "", "        y: z", '    title: "b"'])
@settings(max_examples=300, deadline=None)
def test_unread_parts_of_items_change_nothing_that_is_read(lines: list[str]) -> None:
    """The requested parts of a list's items are as PyYAML reads them."""
    text = "\n".join(["related:", "  - title: first", *lines, "x: y"]) + "\n"
    found = plainyaml.load(text, parts={"related": {"title", "url"}})
    whole = _whole(text)
    if found is None or whole is None:
        return
    for values in (found, whole):
        values["related"] = [
            {key: value for key, value in item.items() if key in ("title", "url")}
            if isinstance(item, dict)
            else item
            for item in values["related"]
        ]
    assert repr(found) == repr(whole)


def test_what_was_read_is_the_readers_own() -> None:
    """Changing a returned value does not affect the next reader of the same text."""
    text = "site:\n  title: News\n"
    found = safeyaml.load(text)
    found["site"]["title"] = "Other"
    assert safeyaml.load(text) == {"site": {"title": "News"}}


def test_what_passes_the_quick_check_is_what_pyyaml_takes() -> None:
    """`plainyaml` reads no character that PyYAML refuses or treats as a line end."""
    everything = map(chr, range(sys.maxunicode + 1))
    read = "".join(character for character in everything if plainyaml._is_usual(character))
    assert len(read) > 1_000_000
    assert not yaml.reader.Reader.NON_PRINTABLE.search(read)
    assert not set("\r\x85\u2028\u2029\ufeff").intersection(read)


def test_what_robots_write_is_skipped() -> None:
    """Long blocks of closed lines are not parsed, and only the first items of a list are read."""
    item = '  - title: "x \\"y\\""\n    url: https://a.example/b\n'
    text = f'title: "A: b"\nrelated:\n{item * 5000}secured: "abc="\nheat: -1\n'
    read, _ = _without_later_items(text, 2)
    assert len(read) < 200
    found = plainyaml.load(read, unread=UNREAD)
    related = [{"title": 'x "y"', "url": "https://a.example/b"}] * 2
    assert found == {"title": "A: b", "related": related, "secured": None, "heat": -1}


@pytest.mark.corpus
def test_every_recorded_front_matter_takes_the_short_way(corpus: ModuleType) -> None:
    """No recorded front matter needs PyYAML, and the values equal those of the whole parse."""
    fronts = {
        text[4 : text.index("\n---", 4) + 1]
        for commit in corpus.commits()
        for _, text in commit.writes
        if text
    }
    assert len(fronts) > 5_000
    sample = set(sorted(fronts, key=hash)[:700])  # the whole parse of all of them takes a quarter of a minute
    for front in fronts:
        read, _ = _without_later_items(f"\n{front}", 3)
        found = plainyaml.load(read, unread=UNREAD)
        assert found is not None
        if front in sample:
            whole = yaml.load(front, yaml.CSafeLoader)
            assert found == {key: None if key in UNREAD else value for key, value in whole.items()}


def _bomb(name: str) -> str:
    size = 900_000
    aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    return {
        "brackets": "x: " + "[" * size + "\n",
        "brackets at column 0": "[" * size + "\n",
        "braces": "x: " + "{a: " * (size // 4) + "\n",
        "dashes": "x:\n " + "- " * (size // 2) + "\n",
        "questions": "x:\n " + "? " * (size // 2) + "\n",
        "mixed": "x:\n " + "- ? " * (size // 4) + "\n",
        "colons": "x:\n " + "? - : " * (size // 6) + "\n",
        "staircase": "".join(f"{' ' * n}a:\n" for n in range(1300)),
        "staircase of dashes": "x:\n" + "".join(f"{' ' * n}- a\n{' ' * n}- b:\n" for n in range(900)),
        "deep in one line": " " * 500_000 + "a: " + "[" * 400_000 + "\n",
        "closed brackets": "x: " + "[" * (size // 2) + "]" * (size // 2) + "\n",
        "aliases": aliases,
        "aliases merged": "a0: &a0 {k: v}\n"
        + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 9)),
        "alias to itself": "a: &a [*a]\n",
        "aliases to a long text": f'a: &a "{"x" * 400_000}"\nb: [{", ".join(["*a"] * 100_000)}]\n',
        "a long number": f"quality: {'9' * size}\n",
        "a number in base 60": f"quality: 1{':59' * (size // 3)}\n",
        "an open quote": 'title: "' + "x\n" * (size // 2),
        "quotes": 'related: "' + '""' * (size // 2) + "\n",
        "backslashes": 'related: "' + "\\" * size + "\n",
        "spaces": "related: x" + " " * size + "y: z\n",
        "lines": "related:\n" + "\n" * size + "  - @\n",
    }[name]


_BOMBS = [
    "brackets", "brackets at column 0", "braces", "dashes", "questions", "mixed", "colons",
    "staircase of dashes", "deep in one line", "closed brackets", "aliases", "aliases merged",
    "alias to itself", "aliases to a long text", "a long number", "a number in base 60", "an open quote",
    "quotes", "backslashes", "lines",
]  # fmt: skip


@pytest.mark.parametrize("name", _BOMBS)
def test_a_bomb_is_an_error_of_its_file(name: str) -> None:
    """Nesting, aliases and sizes that would exhaust memory, time or stack fail fast, with line and reason."""
    text = f"---\ntitle: x\ndate: 2026-01-01\n{_bomb(name)}---\n"
    started = time.process_time()
    with pytest.raises(ArticleError) as caught:
        frontmatter.parse(text, "bomb.md", strict=True)
    assert time.process_time() - started < 20
    assert 1 <= caught.value.line <= text.count("\n") + 1
    assert len(caught.value.reason) < 200


def test_a_bomb_does_not_end_the_process() -> None:
    """A text that would overflow the C stack is refused.

    The test runs in a process of its own, because no exception could report the overflow.
    """
    program = """if True:
        import sys
        from articles.reading import frontmatter
        from articles.errors import ArticleError
        from tests.articles.test_yaml import _BOMBS, _bomb
        for name in [*_BOMBS, "staircase", "spaces"]:
            text = f"---\\ntitle: x\\ndate: 2026-01-01\\n{_bomb(name)}---\\n"
            for strict in (False, True):
                try:
                    frontmatter.parse(text, "x.md", strict=strict)
                except ArticleError:
                    pass
        print("alive")
    """
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    assert (done.stdout, done.returncode) == ("alive\n", 0), done.stderr


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: 1\nb: [x\n", 2, 0),
        ('a: 1\nb: "x\n', 1, 3),
        ("a: 1\nb: @x\n", 1, 3),
        ("a: b: c\n", 0, 4),
        ("a: 1\n\tb: 2\n", 1, 0),
        ("a: 1\nb: \x07\n", 1, 0),
        ("a: 1\nb: !!timestamp soon\n", 1, 3),
        ("a: 1\nb: !!bool soon\n", 1, 3),
        ('a: 1\nb: !!int ""\n', 1, 3),
        ("a: 1\nb: !!python/name:os.system\n", 1, 3),
        ("a: 1\nb: *nobody\n", 1, 3),
    ],
)
def test_an_error_says_where_it_is(text: str, line: int, column: int) -> None:
    """Every kind of error has a line, and a column where libyaml knows it; both count from 0."""
    with pytest.raises(YamlError) as caught:
        safeyaml.load(text)
    assert (caught.value.line, caught.value.column) == (line, column)


SAME_QUOTE = "the same quote is inside the value and around it"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title: Rust: a colon\n", "put the title in quotes, because a colon and a space are in it"),
        ("title: word\n  a b: c\n", "put the value in quotes, because a colon and a space are in it"),
        ("tags:\n\t- a\n", "use spaces instead of the tab"),
        (
            "a: é\ntitle: @home\n",
            "put the value in quotes, because of its first character",
        ),
        ("title:A\ndate: 2026-01-01\n", "put a space after `title:`"),
        ("id: x\ntitle:A\u2028date:B\n", "put a space after `title:`"),
        ("author\n  name: A\n", "put a colon after `author`"),
        (
            "excerpt: One line\nand another\ndate: x\n",
            "put a colon and a space after the key, or indent the line if it continues the value above",
        ),
        ("title: *star\n", "put the value in quotes, because of its first character"),
        ("title: |pipe\n", "put the value in quotes, because of its first character"),
        ('title: "A "b" c"\n', f"{SAME_QUOTE}: put single quotes around the value"),
        ("title: 'It's'\ndate: x\n", f"{SAME_QUOTE}: put double quotes around the value"),
        ('title: "Go" is fast\n', "put the whole value in quotes, or none of it"),
        ("title: [New] A\n", "put the value in quotes, because of its first character"),
        ("title: {{ page.title }}\n", "put the value in quotes, because of its first character"),
        ('title: "C:\\Users"\n', "write the backslash twice, or put the value in single quotes"),
        ('title: "\\d"\n', "write the backslash twice, or put the value in single quotes"),
        (" title: A\ndate: x\n", "indent this line as those above it, or them as this one"),
        ("a: 1\n---\nb: 2\n", "remove this line: another document begins here, and only one is read"),
        ('title: "open\ndate: x\n', "a quote is opened here and never closed"),
        ("tags: [a\ndate: x\n", "did not find expected ',' or ']': is a bracket left open?"),
    ],
)
def test_common_mistakes_are_named_in_plain_words(text: str, reason: str) -> None:
    """The message says what to change in the file, not how libyaml's scanner failed."""
    with pytest.raises(YamlError) as caught:
        safeyaml.load(text)
    assert caught.value.reason == reason


@given(st.sampled_from(["!!float", "!!int", "!!bool", "!!timestamp", "!!binary", "!x", "", "*", "&", "@"]))
def test_no_error_quotes_the_file(tag: str) -> None:
    """The reason of an error contains no value of the file, as it may be secret."""
    text = f"a: 1\nsecured: {tag}CIPHERTEXT: [\n"
    texts = [text, f"a: 1\nsecured: {tag} CIPHERTEXT\n", f'a: 1\nsecured: {tag} "CIPHERTEXT\n']
    for broken in texts:
        text = ""
        try:
            safeyaml.load(broken)
        except YamlError as error:
            text = str(error)
        assert "CIPHER" not in text
