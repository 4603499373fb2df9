"""One RSS feed a topic (Pelican's tags); the articles themselves are read, not written."""

# mypy: ignore-errors

from pathlib import Path

import yaml
from pelican import signals
from pelican.readers import BaseReader

SITENAME = "Benchmark"
SITEURL = "http://127.0.0.1:8000"
PATH = "articles"
OUTPUT_PATH = "public"
TIMEZONE = "UTC"
DEFAULT_LANG = "en"
THEME = "."  # no theme: nothing but feeds is written
FEED_DOMAIN = SITEURL
FEED_MAX_ITEMS = 50
FEED_ALL_ATOM = CATEGORY_FEED_ATOM = TRANSLATION_FEED_ATOM = AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = None
TAG_FEED_RSS = "feeds/{slug}.xml"
ARTICLE_SAVE_AS = PAGE_SAVE_AS = CATEGORY_SAVE_AS = TAG_SAVE_AS = AUTHOR_SAVE_AS = DRAFT_SAVE_AS = ""
DIRECT_TEMPLATES = []
DELETE_OUTPUT_DIRECTORY = False
LOAD_CONTENT_CACHE = False
TYPOGRIFY = False


class FrontMatter(BaseReader):
    """Pelican itself reads no nested YAML."""

    enabled = True
    file_extensions = ("md",)

    def read(self, filename):
        _, front, body = Path(filename).read_text(encoding="utf-8").split("---\n", 2)
        values = yaml.load(front, yaml.CSafeLoader)
        metadata = {
            "title": values["title"],
            "date": self.process_metadata("date", values["publishedDateTime"].isoformat()),
            "summary": values["excerpt"],
            "tags": self.process_metadata("tags", values["topics"]),
            "category": self.process_metadata("category", values["category"]),
            "status": "published" if values["published"] else "draft",
        }
        return body, metadata


def _add(readers):
    readers.reader_classes["md"] = FrontMatter


class _Plugin:
    __name__ = "front_matter"

    @staticmethod
    def register():
        signals.readers_init.connect(_add)


PLUGINS = [_Plugin]
