"""Applications to compare the product's own with, for the same server."""

from __future__ import annotations

import os

from flask import Flask

from app import create_app, group_of
from ops.hosting import web_threads
from ops.scheduling import use_batch_scheduling
from web.server import Server


def one_route() -> Server:
    """Return a Flask application that does nothing."""
    application = Flask("nothing")
    application.add_url_rule("/", view_func=lambda: "nothing")
    return Server(application, threads=4)


def without_short_way() -> Server:
    """Return the product's application with only Flask answering."""
    use_batch_scheduling()  # as the product's own worker: only the fast path differs
    application = create_app()
    application.extensions["newswire"].indexer.refresh()
    return Server(application, threads=web_threads(os.environ), group=group_of)
