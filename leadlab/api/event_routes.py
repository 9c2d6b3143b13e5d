"""``POST /v1/events``: events in, acknowledged once they are on disk."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from leadlab.api.answers import answer, fine, problems
from leadlab.api.deps import require
from leadlab.api.desk import desk_of
from leadlab.api.identity import Principal
from leadlab.api.problems import problem
from leadlab.errors import BadInput
from leadlab.schema.fields import LARGEST, MAX_TEXT
from leadlab.schema.received import Received, receive
from leadlab.stream.accepted import Accepted

MOST_ROWS = 10_000
TOLD = 100
"""Refused rows that are told one by one."""
JSON = ("application/json", "application/cloudevents+json", "application/cloudevents-batch+json")
LINES = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")
router = APIRouter(tags=["events"])

_NAME = {"type": ["string", "number"], "minLength": 1, "maxLength": MAX_TEXT}
_MAYBE = {"type": ["string", "number", "null"], "maxLength": MAX_TEXT}
_DATA = {"type": ["object", "null"]}
_EVENT = {
    "type": "object",
    "required": ["lead", "kind", "at"],
    "additionalProperties": False,
    "properties": {
        "id": {**_MAYBE, "description": "Unique: the same id again changes nothing."},
        "lead": _NAME,
        "kind": _NAME,
        "at": {"type": "string", "format": "date-time", "description": "With its zone."},
        "value": {"type": ["number", "string", "null"], "minimum": -LARGEST, "maximum": LARGEST},
        "agent": _MAYBE,
        "source": _MAYBE,
        "tenant": {**_MAYBE, "description": "None but that of whoever sends it."},
        "data": _DATA,
    },
    "example": {
        "id": "form-4711", "lead": "ann", "kind": "Viewed Property",
        "at": "2026-03-01T10:00:00Z", "value": 350000.0, "data": {"listing": "home-12"},
    },
}  # fmt: skip
_CLOUD = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "subject", "time"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": _NAME,
        "source": _NAME,
        "type": _NAME,
        "subject": _NAME,
        "time": {"type": "string", "format": "date-time"},
        "data": _DATA,
    },
}
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"anyOf": [_EVENT, {"type": "array", "items": _EVENT, "minItems": 1}]},
            "example": {"id": "e1", "lead": "ann", "kind": "Inquiry", "at": "2026-11-21T10:00:00Z"},
        },
        "application/cloudevents+json": {"schema": _CLOUD},
        "application/cloudevents-batch+json": {"schema": {"type": "array", "items": _CLOUD}},
        "application/x-ndjson": {"schema": {"type": "string"}},
    },
}


@router.post(
    "/v1/events",
    status_code=202,
    response_class=Response,
    responses={**problems(413, 415), **fine("On disk, and scored soon", 202)},
    openapi_extra={"requestBody": _BODY},
)
async def events(
    request: Request, who: Annotated[Principal, Depends(require("events:write"))]
) -> Response:
    """Take one event, an array, JSON Lines, or CloudEvents (structured, batched, or by headers).

    202 means on disk. A row that cannot be used is told with its reason and keeps no other row out;
    if none can be used the answer is 422. A repeated id is acknowledged and changes nothing.
    """
    arrived_s = time.time()
    desk = desk_of(request)
    body = await request.body()
    lines, body = _form(request, body)
    tenant, now_us = who.tenant, desk.station.clock()

    def take() -> tuple[Received, Accepted | None]:
        got = receive(body, tenant=tenant, now_us=now_us, lines=lines)
        rows = len(got.rows) + len(got.refused)
        if not 0 < rows <= MOST_ROWS:
            raise BadInput("unusable number of events", got=rows, expected=f"1 to {MOST_ROWS:,}")
        if not got.events:
            return got, None
        return got, desk.station.submit(got.events, arrived_s=arrived_s)

    # One event costs less to read than to hand over; the disk is waited for aside in any case.
    got, taken = await desk.aside(take)
    refused = [asdict(one) for one in got.refused[:TOLD]]
    if taken is None:
        return problem(
            422, f"none of {len(got.refused):,} events can be used", kind="BadRows", errors=refused
        )
    told = [
        {
            "row": row,
            "id": event.id,
            "offset": int(offset) or None,
            "status": "accepted" if fresh else "repeated",
        }
        for row, event, fresh, offset in zip(
            got.rows, got.events, taken.fresh.tolist(), taken.offsets, strict=True
        )
    ]
    content = {
        "accepted": int(taken.fresh.sum()),
        "repeated": int((~taken.fresh).sum()),
        "spooled": taken.spooled,
        "refused": len(got.refused),
        "events": told,
        "errors": refused,
    }
    return answer(content, 202)


def _form(request: Request, body: bytes) -> tuple[bool, bytes]:
    """Whether the body is lines, and the body; CloudEvents by headers become one object."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(415, "compressed bodies are not understood")
    media = request.headers.get("content-type", "application/json").partition(";")[0]
    media = media.strip().lower()
    if media in LINES:
        return True, body
    if media not in JSON:
        raise HTTPException(415, f"send one of: {', '.join((*JSON, *LINES))}")
    if "ce-specversion" in request.headers:
        return False, _from_headers(request, body)
    return False, body


def _from_headers(request: Request, body: bytes) -> bytes:
    """A CloudEvent in binary mode, in structured mode."""
    named = {k[3:]: unquote(v) for k, v in request.headers.items() if k.startswith("ce-")}
    try:
        data: Any = msgspec.json.decode(body) if body.strip() else {}
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadInput("the body is no JSON", got=str(error)[:200]) from error
    return msgspec.json.encode({**named, "data": data})
