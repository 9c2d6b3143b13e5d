"""Errors as problem details (RFC 9457): what went wrong, what to do, and the request's id."""

from __future__ import annotations

import http
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketState

from leadlab.api.correlation import HEADER, correlation_id, under
from leadlab.errors import (
    BadInput,
    LeadlabError,
    NotAllowed,
    NotFitted,
    NotProven,
    Overloaded,
    Overtaken,
    StoreFailed,
    TooMuch,
    UnknownName,
)

MEDIA_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[LeadlabError], int], ...] = (
    (NotProven, 401),
    (NotAllowed, 403),
    (TooMuch, 429),
    (UnknownName, 404),
    (Overtaken, 409),
    (BadInput, 422),
    (Overloaded, 503),
    (StoreFailed, 503),
    (NotFitted, 503),
)
_LONGEST = 500
_MOST_TOLD = 100
_POLICY_VIOLATION, _INTERNAL = 1008, 1011
_log = logging.getLogger(__name__)


def status_of(error: LeadlabError) -> int:
    """HTTP status of an error; 500 for what the caller has no part in.

    Examples
    --------
    >>> status_of(BadInput("no")), status_of(StoreFailed("full"))
    (422, 503)
    """
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(
    status: int,
    detail: str,
    *,
    kind: str | None = None,
    hint: str | None = None,
    errors: Sequence[Mapping[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A response of ``application/problem+json``.

    Parameters
    ----------
    status : int
    detail : str
        What went wrong this time.
    kind : str, optional
        Name of the error's class, for programs.
    hint : str, optional
    errors : sequence of mapping, optional
        One by one, where several things are wrong.
    headers : mapping, optional

    Examples
    --------
    >>> problem(404, "unknown lead 'ann'", kind="UnknownName").status_code
    404
    """
    content: dict[str, Any] = {
        "type": f"urn:leadlab:error:{kind}" if kind else "about:blank",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": _sendable(detail),
        "correlation_id": correlation_id(),
    }
    if hint:
        content["hint"] = _sendable(hint)
    if errors is not None:
        content["errors"] = errors
    body = msgspec.json.encode(content)
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def _sendable(text: str) -> str:
    """Without lone surrogates, which UTF-8 has no bytes for."""
    return text[:_LONGEST].encode(errors="replace").decode()


def problem_of(error: LeadlabError) -> Response:
    """What the caller is told of `error`: all of their own mistakes, nothing of our insides."""
    status, kind = status_of(error), type(error).__name__
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="leadlab"'
    if isinstance(error, TooMuch) and error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if status >= 500:
        told = "the service cannot do this now" if status == 503 else "the service has failed"
        return problem(status, told, kind=kind, headers=headers)
    parts = (("where", error.where), ("got", error.got), ("expected", error.expected))
    detail = "; ".join(f"{name}: {value}" for name, value in parts if value is not None)
    what = f"{error.what} ({detail})" if detail else error.what
    return problem(status, what, kind=kind, hint=error.hint, headers=headers)


def install(app: FastAPI) -> None:
    """Have every error of `app` told as a problem."""
    # Starlette's types know handlers for requests and for WebSockets, not for both.
    app.add_exception_handler(LeadlabError, _of_leadlab)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _of_http)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(Exception, _unforeseen)


async def _of_leadlab(connection: HTTPConnection, error: Exception) -> Response | None:
    assert isinstance(error, LeadlabError)
    if status_of(error) >= 500:
        _log.error("a request failed", exc_info=error)
    return await _answer(connection, problem_of(error))


async def _of_http(connection: HTTPConnection, error: Exception) -> Response | None:
    assert isinstance(error, HTTPException)
    problem_told = problem(error.status_code, str(error.detail), headers=error.headers)
    return await _answer(connection, problem_told)


async def _answer(connection: HTTPConnection, response: Response) -> Response | None:
    """What is to be sent; a WebSocket that cannot be told is closed, with a code that says why."""
    if not isinstance(connection, WebSocket):
        return response
    opening = connection.application_state == WebSocketState.CONNECTING
    if opening and "websocket.http.response" in connection.scope.get("extensions", {}):
        return response
    if connection.application_state != WebSocketState.DISCONNECTED:
        await connection.close(_INTERNAL if response.status_code >= 500 else _POLICY_VIOLATION)
    return None


async def _of_validation(request: Request, error: Exception) -> Response:
    """Where and why, without what was sent: that may be anybody's data."""
    assert isinstance(error, RequestValidationError)
    errors = [
        {"field": _sendable(".".join(map(str, one["loc"]))), "reason": _sendable(str(one["msg"]))}
        for one in error.errors()[:_MOST_TOLD]
    ]
    return problem(422, "the request cannot be used", kind="BadInput", errors=errors)


async def _unforeseen(request: Request, error: Exception) -> Response:
    # This runs outside of all middleware, where the id is known and no header is added any more.
    own = str(request.scope.get("state", {}).get("correlation_id", "-"))
    with under(own):
        _log.error("a request failed unforeseen", exc_info=error)
        return problem(500, "the service has failed", headers={HEADER: own})
