"""The language of the readers' pages: their words, plurals, dates and numbers, as `site.language` says.

The templates are in English. Each other language is one file `languages/TAG.po` in the format of gettext:
https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from pages import when

FOLDER = Path(__file__).parent / "languages"


class Language:
    """English, and what every other language has: texts by their English ones, dates and numbers."""

    tag = "en"

    def gettext(self, message: str) -> str:
        """Return the translation of a text; the text itself where there is none."""
        return message

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Return the translation of a text with a number, in the form that belongs to the number."""
        return singular if number == 1 else plural

    def number(self, number: int) -> str:
        """Return a number with its digits in groups: "1,200"."""
        return f"{number:,}"

    def short_date(self, day: date) -> str:
        """Return a date such as "20 Nov 2026"."""
        return when.short_date(day)

    def long_date(self, day: date) -> str:
        """Return a date such as "Friday, 20 November 2026"."""
        return when.long_date(day)

    def exact(self, moment: datetime) -> str:
        """Return a time to the minute, in UTC."""
        return when.exact(moment)

    def counted(self, number: int, singular: str, plural: str = "") -> str:
        """Return a number with its noun: "1 entry", "1,200 entries"; the plural ends in -s unless given."""
        return self._noun(number, singular, plural) % {"num": self.number(number)}

    def noun(self, number: int, singular: str, plural: str = "") -> str:
        """Return only the noun that belongs to a number: "entry", "entries"."""
        return self._noun(number, singular, plural).replace("%(num)s", "").strip()

    def _noun(self, number: int, singular: str, plural: str) -> str:
        return self.ngettext(f"%(num)s {singular}", f"%(num)s {plural or f'{singular}s'}", number)


class _Translated(Language):
    """A language other than English, by its file of translations."""

    def __init__(self, tag: str, texts: NullTranslations) -> None:
        from babel import Locale

        self.tag = tag
        self._locale = Locale.parse(tag, sep="-")
        self._texts = texts

    def gettext(self, message: str) -> str:
        return self._texts.gettext(message) if message else ""

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return self._texts.ngettext(singular, plural, number)

    def number(self, number: int) -> str:
        from babel.numbers import format_decimal

        return format_decimal(number, locale=self._locale)

    def short_date(self, day: date) -> str:
        from babel.dates import format_date

        return format_date(day, "medium", locale=self._locale)

    def long_date(self, day: date) -> str:
        from babel.dates import format_date

        return format_date(day, "full", locale=self._locale)

    def exact(self, moment: datetime) -> str:
        from babel.dates import get_datetime_format

        moment = moment.astimezone(UTC)
        both = str(get_datetime_format("medium", locale=self._locale))
        return both.format(f"{moment:%H:%M} UTC", self.short_date(moment.date()))


def available() -> tuple[str, ...]:
    """Return the tags of the languages that there are, English included."""
    return tuple(sorted({Language.tag, *(file.stem for file in FOLDER.glob("*.po"))}))


def language_of(tag: str) -> Language:
    """Return the language of a site: that of its tag, or of the tag without its last parts, or else English.

    `de-AT` has the texts of `de.po` and its own dates, unless there is a `de-AT.po`.
    """
    parts = tag.split("-")
    for length in range(len(parts), 0, -1):
        file = FOLDER / f"{'-'.join(parts[:length]).lower()}.po"
        if file.is_file():
            return _translated(tag, file)
    return Language()


def _translated(tag: str, file: Path) -> Language:
    # Imported late: most sites are in English, and Babel takes 30 ms.
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
    except (UnknownLocaleError, ValueError):  # such as a region that does not exist
        return _Translated(file.stem, texts)
