"""The limits of a front matter, checked before anything is normalised; see docs/articles.md."""

MAX_HEAD = 256_000
"""Characters of a front matter; the longest of real ones, with related coverage, have 150,000."""
MAX_TITLE = 1_000
"""Characters of a title: a longer one is cut."""
MAX_EXCERPT = 20_000
"""Characters of an excerpt: a longer one is cut."""
MAX_TOPIC = 200
"""Characters of a topic's name: a longer one is left out."""
MAX_TOPICS = 100
"""Topics of an article: those after it are left out."""
MAX_URL = 4_000
"""Characters of an address: a longer one is left out."""
MAX_ID = 1_000
"""Characters of an `id`: a longer one is left out, and the path identifies the article."""
MAX_GUID = 1_000
"""Characters of a `guid`: a longer one is left out."""
MAX_NAME = 200
"""Characters of the name of an author, a provider, a type or a category, and of a picture's text."""
MAX_ITEMS = 100
"""Authors and pictures of an article: those after it are left out."""
MAX_ENCLOSURES = 10
"""Recordings, films and documents of an article: those after it are left out."""
MAX_LANGUAGE = 100
"""Characters of a language tag."""
MAX_EMBED = 20_000
"""Characters of `featuredContent`."""
MAX_DATE = 100
"""Characters of a date."""
MAX_RELATED = 3
"""Items of `related` that are read, for the feeds to choose from; further ones are skipped by their lines."""
MAX_WARNINGS = 20
"""Warnings that are stored for one file."""
