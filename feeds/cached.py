"""A cached document, with the time until which it is current, and prepared answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from web.document import Answer, Document, answer

State = tuple[str, int]
"""The state of the catalog that a topic's documents depend on: its identity and the topic's revision."""


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """The prepared answers with a document in one content coding, 200 and 304, and its entity tag."""

    whole: Answer
    unchanged: Answer
    tag: str


@dataclass(slots=True, eq=False)
class CachedDocument:
    """A document, the state of the catalog that it depends on, and when its topic's next article is due."""

    slug: str
    state: State
    due: datetime | None
    document: Document
    ready: dict[str, ReadyAnswer] = field(default_factory=dict, repr=False)
    """The prepared answers by content coding."""
    is_used: bool = False
    """Whether the fast path has sent it, which does not count as a use of the cache, since the last reset."""

    def is_current(self, state: State, now: datetime) -> bool:
        """Whether the document is equal to one that would be rendered now."""
        return self.state == state and (self.due is None or now < self.due)

    def prepare(self, coding: str) -> ReadyAnswer:
        """Return the prepared answers in a content coding; each is computed once."""
        answers = self.ready.get(coding)
        if answers is None:
            whole = answer(self.document, {"accept-encoding": coding})
            unchanged = answer(self.document, {"accept-encoding": coding, "if-none-match": "*"})
            answers = ReadyAnswer(whole, unchanged, dict(whole.headers)["ETag"])
            self.ready[coding] = answers
        return answers
