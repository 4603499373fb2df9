"""How long tests wait for what should happen: the same for all, and far longer than it takes."""

from __future__ import annotations

WAIT_SECONDS = 240.0
"""For a condition, an answer or the end of a process, on a machine that other work keeps busy too."""

IN_TIME = 30.0
"""Seconds that platforms give a process to end after SIGTERM, before they kill it."""
