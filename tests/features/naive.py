"""A second opinion on features: plain Python over lists, straight from the declarations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from leadlab.features.feature import Events, Feature, Number

DAY_US = 86_400_000_000
NAN = float("nan")


@dataclass
class Row:
    """One event."""

    at_us: int
    id_hash: int
    kind: str
    value: float
    lead: str
    agent: str | None
    tenant: str = "default"
    data: dict[str, str | float | None] = field(default_factory=dict)


def ordered(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda r: (r.at_us, r.id_hash))


def chosen(rows: list[Row], events: Events) -> list[Row]:
    return [r for r in rows if _matches(r, events)]


def _matches(r: Row, events: Events) -> bool:
    if events.kinds and r.kind not in events.kinds:
        return False
    if any(_text(r, name) != text for name, text in events.where):
        return False
    if events.when is None:
        return True
    local = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=r.at_us)
    weekend, hour = local.weekday() >= 5, local.hour
    if events.when == "weekend":
        return weekend
    if events.when == "night":
        return hour >= 21 or hour < 8
    return not weekend and 9 <= hour < 17


def _text(r: Row, name: str) -> object:
    return (
        {"agent": r.agent, "kind": r.kind}.get(name)
        if name in ("agent", "kind")
        else r.data.get(name)
    )


def numbers(rows: list[Row], number: Number) -> list[tuple[int, float]]:
    """(time, number) of the events that carry it."""
    found: list[tuple[int, float]] = []
    last, pending = None, None
    for r in rows:
        mine = _matches(r, number.events)
        if number.source == "gap":
            if mine:
                if last is not None:
                    found.append((r.at_us, (r.at_us - last) / 3.6e9))
                last = r.at_us
        elif number.source == "response":
            assert number.after is not None
            if mine and pending is not None:
                found.append((r.at_us, (r.at_us - pending) / 3.6e9))
                pending = None
            if _matches(r, number.after) and pending is None:
                pending = r.at_us
        elif mine:
            x = r.value if number.source == "value" else r.data.get(number.source)
            if isinstance(x, float) and not math.isnan(x):
                found.append((r.at_us, x))
    return found


def evaluate(
    feature: Feature, rows: list[Row], lead: str, t: int, tenant: str = "default"
) -> float:
    """Value of a feature for a lead as of `t`, from all rows there are."""
    known = [r for r in ordered(rows) if r.at_us <= t and r.tenant == tenant]
    own = [r for r in known if r.lead == lead]
    if not own:
        return NAN
    if feature.entity == "agent":
        agents = [r.agent for r in own if r.agent is not None]
        if not agents:
            return NAN
        own = [r for r in known if r.agent == agents[-1]]
    elif feature.entity == "tenant":
        own = known
    return _of(feature, own, t)


def _of(f: Feature, rows: list[Row], t: int) -> float:
    start = -math.inf if f.window_s is None else t - f.window_s * 1_000_000
    if f.parts:
        a, b = (_of(p, rows, t) for p in f.parts)
        if f.op == "ratio":
            return a / b if b else NAN
        if f.op == "difference":
            return a - b
        if f.op == "trend":
            return 2 * a - b
        return a / min(max(b, 1.0), f.window_s / 86400)
    if f.op == "hour":
        return (t % DAY_US) / 3.6e9
    if f.op == "weekday":
        return (t // DAY_US + 3) % 7
    if f.op == "season":
        return t / DAY_US % 365.2425
    if f.op == "is_latest":
        texts = [x for r in rows if (x := _text(r, f.attribute)) is not None]
        return float(bool(texts) and texts[-1] == f.category)
    if f.number is not None:
        return _of_number(f, rows, t, start)
    mine = chosen(rows, f.events)
    inside = [r for r in mine if r.at_us > start]
    if f.op == "count":
        return len(inside)
    if f.op == "distinct":
        return len({x for r in inside if (x := _text(r, f.attribute)) is not None})
    if f.op == "decay":
        return sum(2.0 ** (-(t - r.at_us) / (f.half_life_s * 1e6)) for r in mine)
    if not mine:
        return NAN
    return (t - (mine[-1] if f.op == "recency" else mine[0]).at_us) / DAY_US


def _of_number(f: Feature, rows: list[Row], t: int, start: float) -> float:
    if f.op == "waiting":
        pending = None
        for r in rows:
            if _matches(r, f.number.events):
                pending = None
            if _matches(r, f.number.after) and pending is None:
                pending = r.at_us
        return NAN if pending is None else (t - pending) / 3.6e9
    found = numbers(rows, f.number)
    if f.op == "latest":
        return found[-1][1] if found else NAN
    if f.op == "first":
        return found[0][1] if found else NAN
    xs = [x for at, x in found if at > start]
    if f.op == "total":
        return math.fsum(xs)
    if not xs:
        return NAN
    return {"mean": math.fsum(xs) / len(xs), "highest": max(xs), "lowest": min(xs)}[f.op]
