"""WSGI applications to compare the product's own with, for the same server."""

from __future__ import annotations

from flask import Flask

from app import create_app
from ops.scheduling import use_batch_scheduling


def one_route() -> Flask:
    """Return a Flask application that does nothing."""
    application = Flask("nothing")
    application.add_url_rule("/", view_func=lambda: "nothing")
    return application


def without_short_way() -> Flask:
    """Return the product's application as Flask alone answers it."""
    use_batch_scheduling()  # as the product's own worker: what differs is the short way alone
    application = create_app()
    application.extensions["newswire"].indexer.refresh()
    return application
