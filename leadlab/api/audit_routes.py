"""``GET /v1/audit``: who read which lead, and which model said what."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from leadlab.api.answers import answer, fine, problems
from leadlab.api.deps import require
from leadlab.api.desk import desk_of
from leadlab.api.identity import Principal

router = APIRouter(tags=["audit"])
Name = Annotated[str | None, Query(min_length=1, max_length=10_000)]


@router.get(
    "/v1/audit", response_class=Response, responses={**problems(), **fine("A page of the audit")}
)
async def audit(
    request: Request,
    who: Annotated[Principal, Depends(require("audit:read"))],
    lead: Name = None,
    subject: Name = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[int | None, Query(ge=1, le=(1 << 63) - 1)] = None,
) -> Response:
    """What was done with the tenant's leads, the latest first; reading it is on record too."""
    desk = desk_of(request)
    rows = await desk.aside(
        lambda: desk.trail.read(
            who.tenant, lead=lead, subject=subject, before=cursor, most=limit + 1
        )
    )
    await desk.note(who, "audit.read", lead)
    shown = rows[:limit]
    entries: list[dict[str, Any]] = [
        {"seq": seq, **msgspec.to_builtins(entry)} for seq, entry in shown
    ]
    for entry in entries:
        del entry["tenant"]
    return answer({"entries": entries, "next": shown[-1][0] if len(rows) > limit else None})
