"""The current Flask request and its answer, as feeds and pages share them."""

from __future__ import annotations

from flask import Response, request

from web.document import Document, answer


def parameters() -> tuple[tuple[str, str], ...]:
    """Return the request's parameters in their order."""
    return tuple(request.args.items(multi=True))


def respond(document: Document) -> Response:
    """Answer the current request with a document, or with 304 where the client has it already."""
    conditions = {name.lower(): value for name, value in request.headers}
    answered = answer(document, conditions)
    return Response(answered.body, status=answered.status, headers=list(answered.headers))
