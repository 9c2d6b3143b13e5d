"""Alerts: a list, one with its history, and what people decide about them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
from leadlab.errors import UnknownName
from leadlab.stream.alerting import Alerting
from leadlab.stream.alerts import Kept

router = APIRouter(tags=["alerts"])
LOOKS = 10
"""Times that one page looks further for an agent's own; a short page says where to go on."""
AT_ONCE = 200
"""Alerts that are looked at together for those that an agent may see."""
LONGEST_SNOOZE_MIN = 30 * 24 * 60
Reader = Annotated[Principal, Depends(require("alerts:read"))]
Writer = Annotated[Principal, Depends(require("alerts:write"))]
Id = Annotated[str, Path(min_length=1, max_length=100)]
Name = Annotated[str | None, Query(min_length=1, max_length=10_000)]
_DECIDED = {**problems(404), **fine("The alert as it stands then")}


class Snooze(BaseModel):
    """For how long to hear no more of it."""

    model_config = ConfigDict(extra="forbid")
    minutes: Annotated[int, Field(ge=1, le=LONGEST_SNOOZE_MIN)]


@router.get(
    "/v1/alerts",
    response_class=Response,
    responses={**problems(404), **fine("A page of alerts"), 304: {"description": "The same"}},
)
async def alerts(
    request: Request,
    who: Reader,
    state: Literal["open", "snoozed", "acknowledged", "resolved"] | None = None,
    severity: Literal["info", "warning", "critical"] | None = None,
    rule: Name = None,
    lead: Name = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Alerts of the tenant, the latest first; an agent sees those of their own leads."""
    desk = desk_of(request)
    wanted = {"state": state, "severity": severity, "rule": rule, "lead": lead}
    found, after = await desk.aside(lambda: _page(desk, who, wanted, limit, cursor))
    leads = [kept.alert.lead for kept in found if kept.alert.lead is not None]
    if leads:
        await desk.note(who, "alert.list", *dict.fromkeys(leads))
    content = {"alerts": [told(kept) for kept in found], "next": after}
    return tagged(request, msgspec.json.encode(content))


@router.get(
    "/v1/alerts/{alert}",
    response_class=Response,
    responses={**problems(404), **fine("The alert and what became of it")},
)
async def alert(request: Request, who: Reader, alert: Id) -> Response:
    """One alert with its history."""
    desk = desk_of(request)

    def read() -> tuple[Kept, dict[str, Any]]:
        kept = _seen(desk, who, alert)
        history = alerting_of(desk).store.history(who.tenant, alert)
        return kept, {**told(kept), "history": msgspec.to_builtins(history)}

    kept, content = await desk.aside(read)
    await desk.note(who, "alert.read", kept.alert.lead)
    return answer(content)


@router.post("/v1/alerts/{alert}/acknowledge", response_class=Response, responses=_DECIDED)
async def acknowledge(request: Request, who: Writer, alert: Id) -> Response:
    """Say that somebody has seen it: it is not escalated any more."""
    desk = desk_of(request)
    return await _decided(desk, who, alert, "acknowledge", alerting_of(desk).store.acknowledge)


@router.post("/v1/alerts/{alert}/resolve", response_class=Response, responses=_DECIDED)
async def resolve(request: Request, who: Writer, alert: Id) -> Response:
    """Say that it is over: what was not delivered yet will not be."""
    desk = desk_of(request)
    return await _decided(desk, who, alert, "resolve", alerting_of(desk).store.resolve)


@router.post(
    "/v1/alerts/{alert}/snooze",
    response_class=Response,
    responses={**problems(404, 413, 415), **fine("The alert as it stands then")},
    openapi_extra=declared(Snooze),
)
async def snooze(request: Request, who: Writer, alert: Id) -> Response:
    """Hear no more of it for a while, nor of later ones of the same rule and lead."""
    desk, want = desk_of(request), await asked(request, Snooze)
    until_us = desk.station.clock() + want.minutes * 60_000_000
    decide = partial(alerting_of(desk).store.snooze, until_us=until_us)
    return await _decided(desk, who, alert, "snooze", decide)


def alerting_of(desk: Desk) -> Alerting:
    """Alerts of the station.

    Raises
    ------
    UnknownName
        Where the service was given no rules.
    """
    if desk.station.alerting is None:
        raise UnknownName("resource", "alerts", None, where="the service was given no rules")
    return desk.station.alerting


def told(kept: Kept) -> dict[str, Any]:
    """An alert as plain JSON values, without the ways that it is delivered."""
    one = kept.alert
    return {
        "id": one.id, "rule": one.rule, "severity": one.severity, "state": kept.state,
        "snoozed_until_us": kept.snoozed_until_us or None, "at_us": one.at_us,
        "message": one.message, "lead": one.lead, "agent": one.agent, "event": one.event,
        "kind": one.kind, "value": one.value,
    }  # fmt: skip


def _page(
    desk: Desk, who: Principal, wanted: dict[str, str | None], limit: int, cursor: str | None
) -> tuple[list[Kept], str | None]:
    """Alerts that somebody may see, and where to go on."""
    store, found, now_us = alerting_of(desk).store, [], desk.station.clock()
    for _ in range(LOOKS):
        most = limit if who.role != "agent" else AT_ONCE
        page = store.find(who.tenant, now_us=now_us, before=cursor, most=most, **wanted)
        for kept in page.alerts:
            if _may_see(desk, who, kept):
                found.append(kept)
            if len(found) == limit:
                last = kept is page.alerts[-1]
                here = f"{kept.alert.at_us}:{kept.alert.id}"
                return found, page.next if last else here
        cursor = page.next
        if cursor is None:
            return found, None
    return found, cursor


def _seen(desk: Desk, who: Principal, alert: str) -> Kept:
    """An alert, if who asks may see it; unknown else."""
    kept = alerting_of(desk).store.get(who.tenant, alert, now_us=desk.station.clock())
    if not _may_see(desk, who, kept):
        raise UnknownName("alert", alert, ())
    return kept


def _may_see(desk: Desk, who: Principal, kept: Kept) -> bool:
    """Whether an agent may see the lead it is about; all others see all of their tenant."""
    if who.role != "agent":
        return True
    return kept.alert.lead is not None and desk.sees(who, kept.alert.lead)


async def _decided(
    desk: Desk, who: Principal, alert: str, what: str, decide: Callable[..., Kept]
) -> Response:
    """Do what somebody decided, and tell those who watch."""

    def work() -> Kept:
        _seen(desk, who, alert)
        kept = decide(who.tenant, alert, who=who.subject, at_us=desk.station.clock())
        alerting_of(desk).tell(kept)
        return kept

    kept = await desk.aside(work)
    await desk.note(who, f"alert.{what}", kept.alert.lead)
    return answer(told(kept))
