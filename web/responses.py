"""Reads the current Flask request, and answers it with a document, for feeds and pages."""

from __future__ import annotations

from flask import Response, request

from web.document import Document, answer


def parameters() -> tuple[tuple[str, str], ...]:
    """Return the request's parameters in their order."""
    return tuple(request.args.items(multi=True))


def respond(document: Document) -> Response:
    """Return the response to the current request with a document: 304 if the client already has it."""
    conditions = {name.lower(): value for name, value in request.headers}
    response = answer(document, conditions)
    return Response(response.body, status=response.status, headers=list(response.headers))
