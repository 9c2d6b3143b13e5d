"""Leads: a list, one with everything that is known, what to do next, homes, and what if."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from leadlab.api.answers import answer, fine, problems, tagged
from leadlab.api.asked import asked, declared
from leadlab.api.deps import require
from leadlab.api.desk import Desk, desk_of
from leadlab.api.identity import Principal
from leadlab.stream.advice import Contacting, next_actions
from leadlab.stream.lead_list import LARGEST, Order, Wanted

router = APIRouter(tags=["leads"])
Reader = Annotated[Principal, Depends(require("leads:read"))]
# With all of its characters escaped, a longer path is more than a server reads of a request's line.
Lead = Annotated[str, Path(min_length=1, max_length=5_000)]
Name = Annotated[str | None, Query(min_length=1, max_length=200)]
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The same as the caller has"}}


class WhatIf(BaseModel):
    """A lead, and features that would be otherwise; null for unknown."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"lead": "ann", "features": {"showing_count_30d": 2}}},
    )
    lead: str = Field(min_length=1, max_length=10_000)
    features: dict[str, Annotated[float, Field(ge=-1e15, le=1e15)] | None] = Field(
        default_factory=dict, max_length=500
    )


@router.get(
    "/v1/leads",
    response_class=Response,
    responses={**problems(), **fine("A page of leads"), **NOT_MODIFIED},
)
async def leads(
    request: Request,
    who: Reader,
    tier: Literal["cold", "warm", "hot"] | None = None,
    agent: Name = None,
    ended: bool | None = None,
    at_least: Annotated[float, Query(ge=0, le=1)] = 0.0,
    order: Order = "probability",
    limit: Annotated[int, Query(ge=1, le=LARGEST)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Leads of the tenant, the most probable or the latest first; an agent sees their own."""
    wanted = Wanted(tier, agent, ended, at_least, order, limit, cursor)
    page = await desk_of(request).leads(who, wanted)
    return tagged(request, msgspec.json.encode(page))


@router.get(
    "/v1/leads/{lead:path}/next-actions",
    response_class=Response,
    responses={**problems(404), **fine("Open actions, the best first, and what is not open")},
)
async def next_steps(
    request: Request,
    who: Reader,
    lead: Lead,
    consent: Annotated[list[Literal["call", "sms", "email"]] | None, Query()] = None,
    refused: Annotated[list[Literal["call", "sms", "email"]] | None, Query()] = None,
    zone: Annotated[list[Annotated[str, Field(max_length=64)]] | None, Query()] = None,
    state: Annotated[list[Annotated[str, Field(max_length=2)]] | None, Query()] = None,
) -> Response:
    """What to do next, by expected uplift less cost, within consent and quiet hours.

    Uplifts are declared priors until a randomised log was learned from; each says so.
    """
    desk = desk_of(request)
    contacting = Contacting(consent or [], refused or [], zone or [], state or [])
    told = await _seen(
        desk, who, lead, lambda: next_actions(desk.station, who.tenant, lead, contacting)
    )
    await desk.note(who, "lead.next", lead, model=desk.version(who.tenant))
    return answer(told)


@router.get(
    "/v1/leads/{lead:path}/matches",
    response_class=Response,
    responses={**problems(404), **fine("Homes, the best match first")},
)
async def matches(
    request: Request,
    who: Reader,
    lead: Lead,
    top: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Response:
    """Homes for a buyer by what they did; 404 where the service was given no homes."""
    desk = desk_of(request)
    told = await _seen(desk, who, lead, lambda: desk.station.matches(who.tenant, lead, top))
    await desk.note(who, "lead.matches", lead)
    return answer(told)


# Behind the two above: an id may hold slashes.
@router.get(
    "/v1/leads/{lead:path}",
    response_class=Response,
    responses={**problems(404), **fine("All that is known of the lead"), **NOT_MODIFIED},
)
async def lead(
    request: Request,
    who: Reader,
    lead: Lead,
    timeline: Annotated[int, Query(ge=0, le=32)] = 20,
) -> Response:
    """Score, tier, interval, reasons, what moved it, churn, health, insights, latest events."""
    return tagged(request, await desk_of(request).lead(who, lead, timeline))


@router.post(
    "/v1/score",
    response_class=Response,
    responses={**problems(404, 413, 415), **fine("Now, and then")},
    openapi_extra=declared(WhatIf),
)
async def what_if(
    request: Request, who: Annotated[Principal, Depends(require("score:read"))]
) -> Response:
    """The score that a lead has, and would have if some features were otherwise, with reasons."""
    desk, want = desk_of(request), await asked(request, WhatIf)
    told = await _seen(
        desk, who, want.lead, lambda: desk.station.what_if(who.tenant, want.lead, want.features)
    )
    await desk.note(who, "score.predict", want.lead, model=desk.version(who.tenant))
    return answer(told)


async def _seen(desk: Desk, who: Principal, lead: str, work: Callable[[], Any]) -> Any:
    """Do some work on a lead aside, if who asks may see it."""

    def after() -> Any:
        desk.see(who, lead)
        return work()

    return await desk.aside(after)
