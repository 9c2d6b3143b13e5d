"""How routes answer: JSON bytes, an ETag where the same may be asked again, declared problems."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from leadlab.api.problems import MEDIA_TYPE

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "correlation_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "correlation_id": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
_SAID = {
    400: "The request is no HTTP that can be read",
    401: "Nothing proves who asks",
    403: "Who asks may not",
    404: "Nothing of that name, or none that who asks may see",
    405: "No such method here",
    409: "Somebody else decided first",
    413: "The body is too large",
    415: "The body is of a type that is not understood",
    422: "What was sent cannot be used",
    429: "Too many requests",
    500: "The service has failed",
    503: "The service cannot do this now; nothing was kept, so it may be sent again",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare the problems that a route may answer with, besides those that all may.

    Examples
    --------
    >>> sorted(problems(404))
    [400, 401, 403, 404, 422, 429, 500, 503]
    """
    told: dict[int | str, dict[str, Any]] = {
        status: {"description": _SAID[status], "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
        for status in sorted({400, 401, 403, 422, 429, 500, 503, *statuses})
    }
    # What is no HTTP at all is answered before there is a request, in plain words.
    told[400]["content"]["text/plain"] = {"schema": {"type": "string"}}
    return told


def fine(about: str, status: int = 200, media: str = "application/json") -> dict[int | str, Any]:
    """Declare the answer where all is well."""
    schema: dict[str, Any] = {} if media != "application/json" else {"type": "object"}
    return {status: {"description": about, "content": {media: {"schema": schema}}}}


def answer(content: Any, status: int = 200, *, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer; bytes are taken as JSON already."""
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status, kept, "application/json")


def tagged(request: Request, body: bytes) -> Response:
    """A JSON answer with an ETag; 304 without a body where the caller has the same already."""
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, X-API-Key",
    }
    given = {one.strip().removeprefix("W/") for one in _wanted(request).split(",")}
    if tag in given or "*" in given:
        return Response(None, 304, headers)
    return Response(body, 200, headers, "application/json")


def _wanted(request: Request) -> str:
    return request.headers.get("if-none-match", "")
