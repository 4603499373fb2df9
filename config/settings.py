"""The settings, section by section: their names, their valid values, and their defaults.

This module does not know files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from articles.conventions import Conventions, Generator, Guids
from articles.files.folder import ARTICLE_FILES
from articles.files.git import may_carry_token
from articles.topics import ALL, Topic, TopicError, Topics, slugify
from config.channels import (
    BotConfig,
)
from config.errors import Location, dotted, position_of, refused
from config.values import (
    NOT_BOOLEAN,
    BranchName,
    Duration,
    GitAddress,
    Globs,
    HubAddress,
    LanguageTag,
    MailAddress,
    Names,
    Permalink,
    Pictures,
    Section,
    TimeZone,
    VariableName,
    WebAddress,
    all_defaults,
    inner_folder,
    matching,
    off_as_none,
    text_as_list,
)
from text.phrases import explained, phrase

DEFAULT = phrase("default")
"""The origin of a setting that is not set."""


class SiteConfig(Section):
    """The site's title, address and description. `id` is part of every entry's identity: never change it.

    `email` is public: feeds with recordings contain it, for podcast directories.
    """

    title: Annotated[str, Field(min_length=1)] = "Newswire"
    description: str = ""
    url: WebAddress = "http://localhost:8000"
    language: LanguageTag = "en"
    icon: WebAddress | None = None
    author: str | None = None
    email: MailAddress | None = None
    id: Annotated[str, Field(min_length=1)] = "newswire"
    timezone: TimeZone = "UTC"


class ArticlesConfig(Section):
    """Where the article files are: in the folder `path`, or in the git repository `git`.

    For a repository, an empty `branch` means its default branch, and `token_env` names the variable with the
    token for a private one. `files` are globs of further files beside the articles to serve, besides
    pictures, audio, video and PDF. `generator` is the site generator whose conventions the files follow,
    `base_url` the site they belong to, and `permalink` the pattern of their addresses there. `guid` selects
    the ids of entries in feeds: choose it once.
    """

    path: Path = Path("content")
    include: Globs = ARTICLE_FILES
    exclude: Globs = ()
    files: Globs = ()
    generator: Generator = "plain"
    base_url: WebAddress | None = None
    permalink: Permalink | None = None
    guid: Guids = "id"
    topics_from: Annotated[Names | None, Field(min_length=1)] = None
    git: GitAddress | None = None
    branch: BranchName | None = None
    subdir: Annotated[str, AfterValidator(inner_folder)] = ""
    every: Duration = timedelta(seconds=60)
    token_env: VariableName | None = None

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        only_git = self.model_fields_set & {"branch", "subdir", "every", "token_env"}
        if self.git is None and only_git:
            raise ValueError(
                f"{', '.join(sorted(only_git))}: only for articles from a git repository (`git:`)"
            )
        if self.git is not None and "path" in self.model_fields_set:
            raise ValueError("give either `path` or `git`; the folder inside a repository is `subdir`")
        if self.token_env and self.git and not may_carry_token(self.git):
            raise ValueError(
                "a token is sent only to an https:// address: others on the network could read it"
            )
        return self


class TopicConfig(Section):
    """A topic with a name, an address, a description or a parent of the operator's choice."""

    name: Annotated[str, Field(min_length=1)]
    slug: str | None = None
    title: str = ""
    description: str = ""
    aliases: Names = ()
    parent: str | None = None
    private: bool = False

    @field_validator("slug")
    @classmethod
    def _slug_is_usable(cls, slug: str | None) -> str | None:
        if slug is not None and slugify(slug) != slug:
            raise ValueError(f"{slug!r} cannot be an address: {slugify(slug)!r} could")
        return slug

    def topic(self) -> Topic:
        """Return the topic these settings describe."""
        slug = self.slug or slugify(self.name)
        return Topic(
            name=self.name,
            slug=slug,
            title=self.title,
            description=self.description,
            aliases=self.aliases,
            parent=self.parent,
        )


def _gone_problem(slug: str, topics: Topics) -> str | None:
    """Return why a topic's slug cannot be in `feeds.gone`, or None if it can."""
    if slugify(slug) != slug:
        return f"{slug!r} is not the slug of a topic; that of a topic with this name is {slugify(slug)!r}"
    topic = topics.at(slug)
    if topic:
        return f"{topic.name!r} is listed under feeds.topics: remove one of the two"
    target = topics.moved(slug)
    if target:
        return f"{slug!r} is another name of {target!r} under feeds.topics: remove one of the two"
    return None


class ReaderConfig(Section):
    """A reader of private topics: a name and topics. A new `generation` invalidates the old token."""

    name: Annotated[str, matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "use letters, digits, dots, hyphens")]
    topics: Annotated[Names, Field(min_length=1)]
    generation: Annotated[int, Field(ge=1, le=1_000_000), NOT_BOOLEAN] = 1


class FeedsConfig(Section):
    """The contents of the feeds, and who may read them."""

    size: Annotated[int, Field(ge=1, le=1000), NOT_BOOLEAN] = 50
    content: Literal["full", "excerpt"] = "full"
    archives: bool = True
    digest: Annotated[Literal["day", "week"] | None, BeforeValidator(off_as_none)] = None
    summary: Annotated[int, Field(ge=50, le=10_000), NOT_BOOLEAN] = 1_000
    related: Annotated[int, Field(ge=0, le=3), NOT_BOOLEAN] = 3
    ttl: Annotated[int, Field(ge=1, le=1440), NOT_BOOLEAN] = 60
    hubs: Annotated[tuple[HubAddress, ...], Field(max_length=5), BeforeValidator(text_as_list)] = ()
    topics: tuple[TopicConfig, ...] = ()
    gone: Names = ()
    private: bool = False
    readers: Annotated[tuple[ReaderConfig, ...], Field(max_length=1_000)] = ()

    @field_validator("readers")
    @classmethod
    def _readers_differ(cls, readers: tuple[ReaderConfig, ...]) -> tuple[ReaderConfig, ...]:
        names = [reader.name for reader in readers]
        twice = [
            ((number, "name"), "is the name of an earlier reader too: each needs its own")
            for number, name in enumerate(names)
            if name in names[:number]
        ]
        if twice:
            raise refused("readers", twice)
        return readers

    @field_validator("topics")
    @classmethod
    def _topics_agree(cls, topics: tuple[TopicConfig, ...]) -> tuple[TopicConfig, ...]:
        listed = tuple(topic.topic() for topic in topics)
        try:
            Topics(listed)
        except TopicError as error:
            number = next(number for number, topic in enumerate(listed) if topic is error.topic)
            raise refused("topics", [((number, error.key), str(error))]) from None
        return topics

    @field_validator("gone")
    @classmethod
    def _gone_is_not_listed(cls, gone: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Refuse topics that are both listed and gone, each at its own line."""
        listed = Topics(tuple(topic.topic() for topic in info.data.get("topics", ())))
        problems: list[tuple[Location, str]] = [
            ((index,), reason) for index, slug in enumerate(gone) if (reason := _gone_problem(slug, listed))
        ]
        if problems:
            raise refused("gone", problems)
        return gone

    def catalog_topics(self) -> Topics:
        """Return the topics the operator listed, those that are gone, and those that are private."""
        private = {topic.topic().slug for topic in self.topics if topic.private}
        return Topics(
            tuple(topic.topic() for topic in self.topics),
            frozenset(self.gone),
            frozenset({ALL} if self.private else private),
        )

    @property
    def has_private(self) -> bool:
        """Whether some articles are private."""
        return self.private or any(topic.private for topic in self.topics)


class PagesConfig(Section):
    """The contents of the pages: `show_quality` shows each entry's quality, `images` pictures of other hosts.

    `images` lists hosts whose pictures are shown, or is `own` for this site's copies of them.
    """

    show_quality: bool = False
    images: Pictures = ()


class Config(Section):
    """All settings. `state` is the folder for the program's own files: the catalog and the outbox."""

    site: SiteConfig = all_defaults()
    articles: ArticlesConfig = all_defaults()
    feeds: FeedsConfig = all_defaults()
    pages: PagesConfig = all_defaults()
    bot: BotConfig = all_defaults()
    state: Path = Path("var")
    _file: Path | None = PrivateAttr(default=None)
    _marks: Mapping[Location, tuple[int, int]] = PrivateAttr(default_factory=dict)
    _origins: Mapping[Location, str] = PrivateAttr(default_factory=dict)

    def located(self, problems: Iterable[tuple[Location, str]]) -> list[str]:
        """Return findings about settings as lines with file, line and column, in the order of the file.

        Settings that did not come from a file are named without a place.
        """
        placed = sorted(
            (*position_of(where, self._marks), dotted(where), message) for where, message in problems
        )
        start = f"{self._file}:" if self._file else ""
        return [
            explained(f"{start}{line}:{column}: {key}" if start else key, message)
            for line, column, key, message in placed
        ]

    def origin(self, where: Location) -> str:
        """Return the origin of a setting: a variable, `config.yaml:4` (the line), or `default`."""
        if where in self._origins:
            return self._origins[where]
        if self._file is None or where not in self._marks:
            return DEFAULT
        return f"{self._file.name}:{self._marks[where][0]}"

    def conventions(self) -> Conventions:
        """Return the conventions of the article files."""
        articles = self.articles
        return Conventions(
            generator=articles.generator,
            base_url=articles.base_url,
            permalink=articles.permalink,
            topics_from=articles.topics_from,
            timezone=self.site.timezone,
            guid=articles.guid,
        )
