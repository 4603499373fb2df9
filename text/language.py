"""The language of the interface, by `site.language`: its texts, plurals, dates and numbers.

Templates and phrases are in English. Each other language is one file `languages/TAG.po` in the format of
gettext: https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from text import times
from text.language_names import english_name
from text.phrases import JoinedPhrases, Phrase, TimeText

FOLDER = Path(__file__).parent / "languages"


class Language:
    """English, and the base class of all languages: translations of English texts, dates and numbers."""

    tag = "en"

    def gettext(self, message: str) -> str:
        """Return the translation of a text; the text itself if there is none."""
        return message

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Return the translation of a text with a number, in the form that belongs to the number."""
        return singular if number == 1 else plural

    def number(self, number: int) -> str:
        """Return a number with its digits in groups: "1,200"."""
        return f"{number:,}"

    def decimal(self, number: float, digits: int | None = None) -> str:
        """Return a number with this many digits after the point, or as many as it needs: "2.5"."""
        return f"{number:g}" if digits is None else f"{number:.{digits}f}"

    def percent(self, share: float) -> str:
        """Return a share of 1 in percent, without fractions: "75 %"."""
        return f"{100 * share:.0f} %"

    def short_date(self, day: date) -> str:
        """Return a date such as "20 Nov 2026"."""
        return times.short_date(day)

    def day_date(self, day: date) -> str:
        """Return a date with its day of the week: "Fri, 20 Nov 2026"."""
        return times.day_date(day)

    def exact(self, time: datetime) -> str:
        """Return a time to the minute, in UTC."""
        return times.exact(time)

    def language_name(self, tag: str) -> str:
        """Return the name of the language with a tag (BCP 47): "Japanese"; an unknown tag unchanged."""
        return english_name(tag)

    def ago(self, time: datetime, now: datetime) -> str:
        """Return how long before `now` a time was, in its largest whole unit: "3 hours ago"."""
        return times.ago(time, now)

    def translate(self, text: object) -> str:
        """Return a phrase in this language, with all phrases in its values; other texts and values unchanged.

        The value of an enum's member is translated if there is a translation.
        """
        return str(text)

    def sentence(self, text: object) -> str:
        """Return what `translate` does with a capital letter at its start."""
        translation = self.translate(text)
        return f"{translation[:1].upper()}{translation[1:]}"

    def counted(self, number: int, singular: str, plural: str = "") -> str:
        """Return a number with its noun: "1 entry", "1,200 entries"; the plural ends in -s unless given."""
        return self._noun(number, singular, plural) % {"num": self.number(number)}

    def noun(self, number: int, singular: str, plural: str = "") -> str:
        """Return only the noun in the form for a number: "entry", "entries"."""
        return self._noun(number, singular, plural).replace("%(num)s", "").strip()

    def _noun(self, number: int, singular: str, plural: str) -> str:
        return self.ngettext(f"%(num)s {singular}", f"%(num)s {plural or f'{singular}s'}", number)


class _Translated(Language):
    """A language other than English, with its file of translations."""

    def __init__(self, tag: str, texts: NullTranslations) -> None:
        from babel import Locale

        self.tag = tag
        self._locale = Locale.parse(tag, sep="-")
        self._texts = texts

    def gettext(self, message: str) -> str:
        return self._texts.gettext(message) if message else ""

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return self._texts.ngettext(singular, plural, number)

    def ago(self, time: datetime, now: datetime) -> str:
        from babel.dates import format_timedelta

        elapsed = now - time
        if elapsed < timedelta(minutes=1):
            return self.gettext("just now" if elapsed >= timedelta(0) else "soon")
        length, unit = next((length, unit) for length, unit in times.UNITS if elapsed >= length)
        # Whole units, as in English, and not rounded: 59 minutes are not an hour.
        whole = elapsed // length * length
        return format_timedelta(
            -whole, granularity=unit, threshold=1e9, add_direction=True, locale=self._locale
        )

    def translate(self, text: object) -> str:
        if isinstance(text, JoinedPhrases):
            return self.gettext(text.separator).join(map(self.translate, text.parts))
        if isinstance(text, Phrase):
            return self._phrase(text)
        if isinstance(text, TimeText):
            return self.exact(text.time)
        if isinstance(text, Enum) and isinstance(text, str):
            return self.gettext(text.value)
        return self.number(text) if isinstance(text, int) else str(text)

    def _phrase(self, text: Phrase) -> str:
        values = {name: self.translate(value) for name, value in text.values.items()}
        if not text.plural:
            pattern = self.gettext(text.pattern)
            return pattern % values if values else pattern
        return self.ngettext(text.pattern, text.plural, text.number) % {
            "num": self.number(text.number),
            **values,
        }

    def number(self, number: int) -> str:
        from babel.numbers import format_decimal

        return format_decimal(number, locale=self._locale)

    def decimal(self, number: float, digits: int | None = None) -> str:
        from babel.numbers import format_decimal

        pattern = "0.######" if digits is None else f"0.{'0' * digits}"
        return format_decimal(number, format=pattern, locale=self._locale)

    def percent(self, share: float) -> str:
        from babel.numbers import format_percent

        return format_percent(share, locale=self._locale)

    def short_date(self, day: date) -> str:
        from babel.dates import format_date

        return format_date(day, "medium", locale=self._locale)

    def day_date(self, day: date) -> str:
        from babel.dates import format_skeleton

        return format_skeleton("yMMMEd", day, locale=self._locale)

    def language_name(self, tag: str) -> str:
        from babel import Locale, UnknownLocaleError

        try:
            return Locale.parse(tag, sep="-").get_display_name(self._locale) or tag
        except (UnknownLocaleError, ValueError):
            return tag

    def exact(self, time: datetime) -> str:
        from babel.dates import get_datetime_format

        time = time.astimezone(UTC)
        pattern = str(get_datetime_format("medium", locale=self._locale))
        return pattern.format(f"{time:%H:%M} UTC", self.short_date(time.date()))


def available() -> tuple[str, ...]:
    """Return the tags of the available languages, including English."""
    return tuple(sorted({Language.tag, *(file.stem for file in FOLDER.glob("*.po"))}))


@lru_cache(maxsize=16)
def language_of(tag: str) -> Language:
    """Return the language with a tag, or with the tag without its last parts, or else English.

    `de-AT` has the texts of `de.po` and its own dates, unless there is a `de-AT.po`.
    """
    parts = tag.split("-")
    for length in range(len(parts), 0, -1):
        file = FOLDER / f"{'-'.join(parts[:length]).lower()}.po"
        if file.is_file():
            return _translated(tag, file)
    return Language()


def _translated(tag: str, file: Path) -> Language:
    # Imported here, as most sites are in English, and Babel takes 30 ms.
    from babel import UnknownLocaleError
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with file.open("rb") as text:
        write_mo(compiled, read_po(text))
    compiled.seek(0)
    texts = GNUTranslations(compiled)
    try:
        return _Translated(tag, texts)
    except (UnknownLocaleError, ValueError):  # for example, the region does not exist
        return _Translated(file.stem, texts)
