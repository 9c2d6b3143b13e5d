"""How the service is: alive, ready, keeping up; its models and its figures."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import PlainTextResponse, Response

from leadlab.api.answers import answer, fine, problems
from leadlab.api.deps import require
from leadlab.api.desk import Desk, desk_of
from leadlab.api.identity import Principal
from leadlab.errors import NotAllowed, StoreFailed
from leadlab.stream.disk import check_room
from leadlab.stream.metrics import Metrics

router = APIRouter()
REALTIME_LAG = 10_000
"""Events that may wait while the service still calls itself live."""
_HEALTH: dict[int | str, Any] = {
    **fine("It is"),
    503: {"description": "It is not", "content": {"application/json": {"schema": {}}}},
}


@router.get("/health/live", tags=["health"], response_class=Response, responses=_HEALTH)
async def live(request: Request) -> Response:
    """Whether the process works; restart it where it does not."""
    status = desk_of(request).station.service.status
    fine_ = status.state not in ("failed", "stopped")
    return answer({"live": fine_, "state": status.state}, 200 if fine_ else 503)


@router.get("/health/ready", tags=["health"], response_class=Response, responses=_HEALTH)
async def ready(request: Request) -> Response:
    """Whether requests should be sent here: recovered, room on the disk, a model at work."""
    desk = desk_of(request)
    service = desk.station.service
    problems_ = [] if service.status.state == "live" else [f"the service is {service.status.state}"]
    try:
        check_room(service.home, desk.least_free_bytes)
    except StoreFailed as error:
        problems_.append(error.what)
    fallback = sum(lane.plan.conversion is None for lane in service.engine.lanes.values())
    told = {
        "ready": not problems_,
        "problems": problems_,
        "plans_by_rules": fallback,
        "troubles": sorted(service.status.troubles),
    }
    return answer(told, 503 if problems_ else 200)


@router.get("/health/realtime", tags=["health"], response_class=Response, responses=_HEALTH)
async def realtime(request: Request) -> Response:
    """Whether scores are of now: events waiting, and how long one takes from arrival on."""
    station = desk_of(request).station
    lag = station.service.lag
    keeps_up = lag <= REALTIME_LAG and station.service.status.state == "live"
    told = {
        "realtime": keeps_up,
        "waiting": lag,
        "latency": station.stages.to_json(),
        "last_stamp_us": station.service.journal.last_stamp_us,
    }
    return answer(told, 200 if keeps_up else 503)


@router.get(
    "/v1/models",
    tags=["models"],
    response_class=Response,
    responses={**problems(), **fine("Models at work for the tenant")},
)
async def models(
    request: Request, who: Annotated[Principal, Depends(require("models:read"))]
) -> Response:
    """Which model scores the tenant's leads, and since which event each one did."""
    desk = desk_of(request)
    service = desk.station.service
    name = who.tenant if who.tenant in service.engine.lanes else ""
    lane = service.engine.lanes[name]
    plan = lane.plan
    switches = await desk.aside(lambda: service.journal.switches(name))
    about = None if plan.conversion is None else plan.conversion.about
    return answer(
        {
            "conversion": plan.version,
            "fallback": plan.conversion is None,
            "churn": None if plan.churn is None else plan.churn.version,
            "base_rate": plan.base_rate,
            "tiers": {
                "warm": plan.base_rate * plan.warm_lift,
                "hot": plan.base_rate * plan.hot_lift,
            },
            "horizon_days": None if about is None else about.horizon_days,
            "trained_at": None if about is None else about.trained_at,
            "features": len(plan.features),
            "switches": [{"behind": behind, "version": version} for behind, version in switches],
            "failures": lane.counts.model_failures,
        }
    )


@router.get(
    "/v1/figures",
    tags=["figures"],
    response_class=Response,
    responses={**problems(), **fine("Figures of the last 5 minutes, hour and day")},
)
async def figures(
    request: Request, who: Annotated[Principal, Depends(require("metrics:read"))]
) -> Response:
    """Volumes, conversions, response times and scores of the tenant, of late."""
    return answer(desk_of(request).station.figures(who.tenant))


@router.get(
    "/v1/metrics",
    tags=["figures"],
    response_class=PlainTextResponse,
    responses={**problems(), **fine("Prometheus text", media="text/plain")},
)
async def metrics(
    request: Request, who: Annotated[Principal, Depends(require("metrics:read"))]
) -> Response:
    """Counters, gauges and latencies of the process in the form that Prometheus reads.

    They are of all tenants together, so they are for the operator: a tenant that
    `LEADLAB_OPERATORS` names, or one that is alone on the service.
    """
    desk = desk_of(request)
    _held_to_operators(desk, request.app.state.settings.operators, who)
    text = _measured(desk).text()
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


@router.post(
    "/v1/tickets",
    tags=["stream"],
    response_class=Response,
    status_code=201,
    responses={**problems(), **fine("A ticket for one stream", 201)},
)
async def ticket(
    request: Request, who: Annotated[Principal, Depends(require("stream:read"))]
) -> Response:
    """Give a ticket that opens one stream within half a minute, for browsers."""
    gate = request.app.state.gate
    return answer({"ticket": gate.tickets.give(who, gate.clock())}, 201)


def _held_to_operators(desk: Desk, operators: frozenset[str], who: Principal) -> None:
    lanes = desk.station.service.engine.lanes.values()
    tenants = frozenset(tenant for lane in lanes for tenant in lane.tenants)
    if who.tenant not in operators and not (not operators and tenants <= {who.tenant}):
        raise NotAllowed(
            "figures of the whole process are for its operator",
            hint="Name the tenant in LEADLAB_OPERATORS, or read /v1/figures.",
        )


def _measured(desk: Desk) -> Metrics:
    station = desk.station
    service, found = station.service, Metrics()
    for number, lane in enumerate(service.engine.lanes.values()):
        label = {"plan": str(number)}
        for field in ("events", "late", "repeated", "too_late", "misfits", "fallbacks",
                      "model_failures"):  # fmt: skip
            about = f"{field.replace('_', ' ').capitalize()} met by the engine."
            found.count(f"leadlab_{field}_total", about, getattr(lane.counts, field), **label)
        found.gauge("leadlab_leads", "Leads known.", len(lane.names), **label)
        found.gauge("leadlab_store_bytes", "Bytes of features.", lane.store.nbytes, **label)
    found.gauge("leadlab_waiting_events", "Events journalled and not scored yet.", service.lag)
    found.count("leadlab_troubles_total", "Troubles of sinks.", service.status.trouble_count)
    found.count("leadlab_checkpoints_total", "Checkpoints written.", service.status.checkpoints)
    for name, value in station.cache.stats().items():
        if isinstance(value, int | float) and math.isfinite(value):
            found.gauge(f"leadlab_cache_{name}", "Read cache.", value)
    skew = station.skew.report()
    found.count(
        "leadlab_skew_checked_total", "Served rows rebuilt from the journal.", skew["checked"]
    )
    found.count("leadlab_skew_differing_total", "Those that differed.", skew["differing"])
    for feature, times in skew["mismatches"].items():
        found.count("leadlab_skew_mismatches_total", "By feature.", times, feature=feature)
    found.stages(station.stages)
    return found
