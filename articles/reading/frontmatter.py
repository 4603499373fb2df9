"""The text of one article file → an Article, or an ArticleError that names the line and the reason.

Only a missing or impossible title or date refuses a file: any other value that cannot be used is left out,
with a warning. Knows nothing of other articles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import lru_cache, partial
from typing import Any

from articles.article import Article, RelatedArticle, markup_of
from articles.conventions import TOPIC_KEYS
from articles.errors import ArticleError, HeadError
from articles.identity import identity
from articles.reading import bundles, drafts, keys, limits, not_articles, parts, values
from articles.reading.address_parts import INDEX
from articles.reading.context import PLAIN_CONTEXT, ReadingContext
from articles.reading.dates import date_in_path, disambiguated, without_date
from articles.reading.head import Head
from articles.reading.languages import language_in_path
from articles.reading.linking import AddressReader
from articles.reading.split_file import NO_KEYS, split
from articles.reading.values import BadValueError, Values

# The date of an unpublished article without a date: nobody sees it, but it must have one.
_UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
# Keys whose misspellings are reported if the date is missing, and their usual spelling.
_DATE_KEYS = {"date": "date", "publisheddatetime": "publishedDateTime"}


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """An article, and a warning for each optional value that could not be used: its line, and the reason.

    `hidden` says why the article is not published.
    """

    article: Article
    warnings: tuple[tuple[int, str], ...] = ()
    hidden: drafts.HiddenReason | None = None


def parse(
    text: str, path: str, context: ReadingContext = PLAIN_CONTEXT, *, strict: bool = False
) -> ParsedFile | None:
    """Return the article that a file's text describes, or None where the file is not one.

    `path` is relative to the folder of articles. With `strict`, every wrong value is an error, and the blocks
    that are otherwise skipped are checked too. Raises ArticleError.
    """
    head = head_of(text, path, context, strict=strict)
    return article_of(head, path, context, strict=strict) if head else None


def head_of(text: str, path: str, context: ReadingContext, *, strict: bool = False) -> Head | None:
    """Return the front matter of a file, as `parse` needs it, or None where the file is not an article.

    Raises ArticleError.
    """
    surroundings = context.surroundings
    if not_articles.is_no_article(path, context.conventions, surroundings.pages):
        return None
    if surroundings.bundles and bundles.is_resource(path, surroundings.bundles):
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        head = split(
            text,
            extension=path.rpartition(".")[2].lower(),
            skipping=not strict,
            by_line=context.conventions.generator == "pelican",
        )
    except HeadError as error:
        raise ArticleError(path, error.line, error.reason) from None
    if head is not None and head.kind == "none" and not_articles.is_paper(path):
        return None
    if head is not None and not head.values and context.conventions.is_plain and head.kind == "yaml":
        raise ArticleError(path, head.line, NO_KEYS)
    return head


def article_of(head: Head, path: str, context: ReadingContext, *, strict: bool = False) -> ParsedFile | None:
    """Return the article that a front matter describes, as `parse` does."""
    try:
        return _Reading(head, path, context, strict=strict).parsed()
    except BadValueError as problem:
        reason = f"{problem.key}: {problem.reason}"
        raise ArticleError(path, head.line_of(problem.key), reason) from None


class _Reading:
    """The reading of one file."""

    def __init__(self, head: Head, path: str, context: ReadingContext, *, strict: bool) -> None:
        self._head = head
        self._path = path
        self._context = context
        self._conventions = context.conventions
        self._is_plain = context.conventions.is_plain
        defaults = context.surroundings.values_for(path) if context.surroundings.scopes else {}
        # With `plain`, the defaults of a site only decide whether an article is hidden.
        self._all = keys.with_defaults(defaults, head.values) if defaults else head.values
        file_values = head.values if self._is_plain else self._all
        self._read_date = _date_reader(context.zone)
        by_key = keys.by_key(file_values, nested=not self._is_plain)
        self._values = Values(head, by_key, strict, is_storable=head.is_simple and file_values is head.values)

    def parsed(self) -> ParsedFile | None:
        """Return the article with its warnings, or None where the file is not one."""
        hidden = drafts.why_hidden(self._all, self._path, self._conventions)
        try:
            published_at = self._date()
            if published_at is None and hidden is None and self._may_lack_a_date():
                return None
            published_at = self._required(published_at)
            title = self._title()
        except BadValueError:
            if hidden is None or self._values.strict:
                raise
            published_at, title = _UNDATED, _stem(self._path)
        if hidden is not None and hidden.is_unclear:
            self._values.note(BadValueError(hidden.key, hidden.reason))
        for key in self._head.repeated_keys():
            self._values.note(BadValueError(key, "is there twice, and only the last one counts"))
        # Other programs' files, and those with topics in a key of their own, have other keys that are right.
        if self._is_plain and self._conventions.topics_from is None:
            for key, meant in keys.probably_misspelt(self._values.by_key):
                self._values.note(BadValueError(key, f"is not a known key; did you mean {meant}?"))
        article = self._article(title, published_at, is_published=hidden is None)
        warnings = tuple((self._head.line_of(p.key), f"{p.key}: {p.reason}") for p in self._values.problems)
        return ParsedFile(article, warnings, hidden)

    def _article(self, title: str, published_at: datetime, *, is_published: bool) -> Article:
        file_values = self._values
        date = self._read_date
        appears_at = file_values.first(date, "publishdate")
        links = AddressReader(file_values, self._path, self._context)
        link, original = links.given()
        story = links.story() if link is None else None
        slug = file_values.first(_SLUG, "slug")
        authors = file_values.first(self._people, "authors", "author") or ()
        place = partial(links.place, title, slug, published_at, authors)
        if link is None and self._conventions.base_url:
            link = links.own(place())
        given_id = file_values.first(values.identifier, "id")
        return Article(
            id=given_id or identity(self._path),
            path=self._path,
            title=title,
            published_at=published_at,
            updated_at=file_values.first(date, *keys.UPDATES) or self._updated_in_date() or published_at,
            appears_at=appears_at if appears_at and appears_at > published_at else None,
            expires_at=file_values.first(date, *keys.EXPIRIES),
            link=link,
            original_link=original if original != link else None,
            slug=slug,
            guid=links.guid(place, link, given_id),
            story=story,
            summary=self._excerpt() or self._first_words(),
            topics=self._topics(),
            quality=self._quality(),
            is_published=is_published,
            type=file_values.first(values.name, "type"),
            category=file_values.first(_first_name, "category"),
            provider=file_values.first(parts.provider, "provider"),
            authors=authors,
            language=file_values.first(values.language, "locale", "lang", "language") or self._language(),
            images=links.images(link),
            enclosures=links.enclosures(link),
            related=self._related(),
            embed=file_values.first(values.embed, "featuredcontent"),
            body=self._head.body,
        )

    def _excerpt(self) -> str:
        excerpt = self._values.first(_EXCERPT, *keys.EXCERPTS) or ""
        if self._is_plain:
            return excerpt
        from text.titles import plain_text  # late: no site in Newswire's own format needs it

        return plain_text(excerpt)

    def _first_words(self) -> str:
        """Return the summary from the body: many articles have no other."""
        if not self._head.body.strip():
            return ""
        # Imported late: a site of links only has no bodies, and never needs to load the parser.
        from text.summary import summarise

        return summarise(self._head.body, generator=self._conventions.generator, markup=markup_of(self._path))

    def _date(self) -> datetime | None:
        """Return when the article was published, by its front matter or else by its path."""
        read = self._read_date
        for key, value in self._values.given(*keys.DATES, "publishdate"):
            if key.lower() == "published" and not drafts.is_date(value):
                continue
            if isinstance(value, dict) and "created" in value:
                key, value = f"{key}.created", value["created"]
            if value != "":
                return read(self._values, key, disambiguated(value, self._path))
        path_date = date_in_path(self._path)
        for _, value in self._values.given(*keys.PERMALINKS) if path_date is None else ():
            # Zola's `path = "2014/12/12/name"`.
            path_date = path_date or (date_in_path(value.strip("/")) if isinstance(value, str) else None)
        return read(self._values, "date", path_date) if path_date else None

    def _updated_in_date(self) -> datetime | None:
        """Return the `updated` in a mapping of dates: https://squidfunk.github.io/mkdocs-material/plugins/blog/."""
        key, dates = self._values.by_key.get("date", ("", None))
        updated = dates.get("updated") if isinstance(dates, dict) else None
        if updated is None:
            return None
        return self._values.usable(_date_reader(self._context.zone), f"{key}.updated", updated)

    def _required(self, date: datetime | None) -> datetime:
        if date is None:
            for name, key in _DATE_KEYS.items():
                if misspelt := keys.misspelt(name, self._values.by_key):
                    raise BadValueError(misspelt, f"is not a known key; did you mean {key}?")
            if self._is_plain:
                raise BadValueError("publishedDateTime", "is missing (or `date`): when was it published?")
            raise BadValueError("date", "is missing: when was it published?")
        return date

    def _may_lack_a_date(self) -> bool:
        if self._head.kind == "none":
            return True
        layout = self._values.by_key.get("layout", ("", None))[1]
        surroundings = self._context.surroundings
        place = self._context.place if surroundings.above is None else surroundings.above
        above = f"{place}/{surroundings.prefix}"
        return not_articles.may_lack_a_date(self._path, above, layout, self._conventions)

    def _title(self) -> str:
        key, value = self._values.by_key.get("title", ("title", None))
        read = _TITLE if self._is_plain else _WRITTEN_TITLE
        value = value or self._other_title()
        if value is None:
            if misspelt := keys.misspelt("title", self._values.by_key):
                raise BadValueError(misspelt, "is not a known key; did you mean title?")
            raise BadValueError("title", "is missing")
        title = read(self._values, key, value)
        if not self._is_plain:
            from text.titles import plain_title  # late, as above

            title = plain_title(title)
        if not title:
            raise BadValueError(key, "is empty")
        return title

    def _other_title(self) -> str | None:
        """Return the title where the front matter has none: the heading, or as Jekyll does, the name."""
        heading = split(self._head.body) if self._head.body.startswith("#") else None
        if heading is not None and heading.kind == "none":
            self._head = replace(self._head, body=heading.body)
            return values.storable(str(heading.values["title"]))
        if self._is_plain:
            return None
        if self._conventions.generator == "eleventy":
            # https://www.11ty.dev/docs/plugins/navigation/
            navigation = self._values.by_key.get("eleventynavigation", ("", None))[1]
            title = navigation.get("title") or navigation.get("key") if isinstance(navigation, dict) else None
            if isinstance(title, str) and title.strip():
                return title
        name = without_date(_page_name(self._path)).replace("-", " ").replace("_", " ").strip()
        if self._conventions.generator not in ("jekyll", "docusaurus") and name:
            self._values.note(BadValueError("title", "is missing: the file's name takes its place"))
        return name.title() if self._conventions.generator == "jekyll" else name[:1].upper() + name[1:]

    def _topics(self) -> tuple[str, ...]:
        keys_for_topics = self._conventions.topics_from
        return values.topics(
            self._values,
            keys_for_topics or TOPIC_KEYS,
            keys.SEPARATORS.get(self._conventions.generator, ","),
            merging=keys_for_topics is not None or not self._is_plain,
        )

    def _quality(self) -> int | None:
        key, value = self._values.by_key.get("quality", ("", None))
        return None if value is None else self._values.usable(values.integer, key, value)

    def _people(self, all_values: Values, key: str, value: Any) -> tuple[str, ...]:
        separator = ";" if self._conventions.generator == "pelican" else ""
        read = parts.authors(self._context.surroundings.authors, separator, in_words=not self._is_plain)
        return read(all_values, key, value)

    def _language(self) -> str | None:
        return None if self._is_plain else language_in_path(self._path)

    def _related(self) -> tuple[RelatedArticle, ...]:
        if "related" not in self._values.by_key:
            return ()
        # Errors in related coverage are reported only if everything is checked.
        quiet = Values(self._head, self._values.by_key, self._values.strict)
        return quiet.first(parts.related, "related") or ()


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0] or path


def _page_name(path: str) -> str:
    """Return the name of the page that a file represents: its own, or as an index that of its folder."""
    folder, _, name = path.rpartition("/")
    folder = folder.rpartition("/")[2]
    if folder and _stem(path).lower() in INDEX:
        return folder
    name = name.rpartition(".")[0].removesuffix(".html") or name
    language = language_in_path(path)
    return name.removesuffix(f".{language}") if language else name


def _first_name(all_values: Values, key: str, value: Any) -> str | None:
    """Return a name, or the first of a list of them."""
    items = values.items(key, value)
    return values.written_name(all_values, *items[0]) if items else None


@lru_cache(maxsize=8)
def _date_reader(zone: tzinfo) -> Callable[[Values, str, Any], datetime]:
    return values.date_reader(zone)


_TITLE = values.cut_text(limits.MAX_TITLE)
_WRITTEN_TITLE = values.cut_text(limits.MAX_TITLE, values.written)
_EXCERPT = values.cut_text(limits.MAX_EXCERPT)
_SLUG = values.written_name
