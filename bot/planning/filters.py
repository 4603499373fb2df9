"""A channel's filters by names, languages, words and patterns. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from text.patterns import is_pattern, pattern
from text.phrases import phrase
from text.words import any_of, fold


@dataclass(frozen=True, slots=True, kw_only=True)
class WordFilter:
    """Names to include and to exclude, compared without regard to case; an empty `include` admits all."""

    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "include", _folded(self.include))
        object.__setattr__(self, "exclude", _folded(self.exclude))

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)

    def admits(self, names: Iterable[str | None]) -> bool:
        """Return whether one of `names` is included and none is excluded."""
        folded = _folded(name for name in names if name)
        return folded.isdisjoint(self.exclude) and (not self.include or not folded.isdisjoint(self.include))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFilter:
    """Words and `/patterns/` to search for in a text; `text.patterns` describes patterns."""

    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "include", _folded_words(self.include))
        object.__setattr__(self, "exclude", _folded_words(self.exclude))

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)

    def refusal(self, text: str) -> str | None:
        """Return why an article with this text is left out, or None."""
        if self.exclude and (hit := _hit(self.exclude, text)) is not None:
            return phrase("contains %(words)s", words=repr(hit))
        if self.include and _hit(self.include, text) is None:
            return phrase("contains none of them")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageFilter:
    """Languages to admit, in lower case; an article without a language is in `own`, the site's language."""

    tags: frozenset[str] = frozenset()
    own: str = "en"

    def __bool__(self) -> bool:
        return bool(self.tags)

    def admits(self, language: str | None) -> bool:
        """Return whether the language is one of these or a variant, as `pt-BR` of `pt` (RFC 4647 §3.3.1)."""
        tag = (language or self.own).lower()
        return not self.tags or any(tag == each or tag.startswith(f"{each}-") for each in self.tags)


def _hit(looked_for: frozenset[str], text: str) -> str | None:
    """Return the first word that is in the text, or else the first pattern that matches, or None."""
    patterns = [compiled for word in looked_for if (compiled := pattern(word))]
    words = frozenset(word for word in looked_for if not is_pattern(word))
    if words and (word := any_of(words).search(fold(text))):
        return word.group()
    if not patterns:
        return None
    # RE2 reads UTF-8, which has no lone surrogates.
    readable = text.encode("utf-8", "replace").decode()
    hits = (compiled.search(readable) for compiled in patterns)
    return next((hit.group() for hit in hits if hit), None)


def _folded_words(looked_for: Iterable[str]) -> frozenset[str]:
    """Return the words case-folded, and the patterns as they are."""
    patterns = frozenset(filter(is_pattern, looked_for))
    return patterns | _folded(word for word in looked_for if word not in patterns)


def _folded(words: Iterable[str]) -> frozenset[str]:
    return frozenset(folded for word in words if (folded := fold(word).strip()))
