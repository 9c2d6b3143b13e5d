"""``/v1/stream``: the same messages over a WebSocket and as server-sent events."""

from __future__ import annotations

from typing import Any, get_args

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute

from leadlab.api.answers import problems
from leadlab.api.broadcast import Broadcast
from leadlab.api.event_stream import EventStream
from leadlab.api.filters import wanted_from_query
from leadlab.api.frames import EVENT_STREAM
from leadlab.api.stream_socket import PrincipalOf, StreamSocket
from leadlab.stream.message import Topic

PATH = "/v1/stream"
_TEXT = {"type": "string"}
_EVENTS = {
    "text/event-stream": {
        "schema": {
            "type": "object",
            "required": ["event", "data"],
            "properties": {"event": _TEXT, "id": _TEXT, "data": _TEXT},
        }
    }
}


def stream_router(broadcast: Broadcast, principal_of: PrincipalOf) -> APIRouter:
    """Routes that hand `broadcast` to clients.

    Errors in the query are raised as `BadInput` or `UnknownName`, for the application to answer.

    Parameters
    ----------
    broadcast : Broadcast
        Open its `serving` in the application's lifespan.
    principal_of : callable
        Says who asks.

    Examples
    --------
    >>> async def nobody(connection):
    ...     raise PermissionError
    >>> [route.path for route in stream_router(Broadcast(), nobody).routes]
    ['/v1/stream', '/v1/stream']
    """
    router = APIRouter(tags=["stream"])

    async def stream(request: Request) -> Response:
        """Messages as they come, as server-sent events; the same path serves WebSockets.

        Each event bears the name of its topic; its id is the cursor to go on from, which browsers
        send back by themselves. Without a cursor the stream begins now; with one that is no longer
        known it begins with a `reset` and the current state.
        """
        principal = await principal_of(request)
        query = request.query_params.multi_items()
        last = request.headers.get("last-event-id")
        if last:
            query = [(name, value) for name, value in query if name != "cursor"]
            query.append(("cursor", last))
        wanted = wanted_from_query(query)
        return EventStream(broadcast, await broadcast.subscribe(principal, wanted, EVENT_STREAM))

    router.add_api_route(
        PATH,
        stream,
        methods=["GET"],
        status_code=200,
        response_class=EventStream,
        responses={**problems(404), 200: {"description": "Messages", "content": _EVENTS}},
        openapi_extra={"parameters": _parameters()},
    )
    router.routes.append(WebSocketRoute(PATH, StreamSocket(broadcast, principal_of), name="socket"))
    return router


def _parameters() -> list[dict[str, Any]]:
    several = {
        "topic": {"type": "string", "enum": [*get_args(Topic)]},
        "tier": {"type": "string", "enum": ["cold", "warm", "hot"]},
        "agent": {"type": "string", "minLength": 1},
        "lead": {"type": "string", "minLength": 1},
    }
    return [
        *(
            {"name": name, "in": "query", "schema": {"type": "array", "items": schema}}
            for name, schema in several.items()
        ),
        {"name": "cursor", "in": "query", "schema": _TEXT},
        {"name": "Last-Event-ID", "in": "header", "schema": _TEXT},
    ]
