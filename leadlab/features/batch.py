"""Training sets: the kernel run over history."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import EmptyInput
from leadlab.features.arrays import EMPTY, Seen, Tape
from leadlab.features.columns import Columns, Vocabulary, columns, new_vocabulary, translate
from leadlab.features.feature import Entity, Feature
from leadlab.features.feature_set import ENTITIES, FeatureSet, by_entity
from leadlab.features.kernel import run
from leadlab.features.moments import At, Moments, moments_of
from leadlab.features.plan import Compiled, compile_features
from leadlab.features.table import FeatureTable
from leadlab.jit import kernel
from leadlab.schema.log import MISSING, Coded, EventLog

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
AGENT = Feature("agent", "latest_code", "", "", "", attribute="agent")
"""Which agent last acted for the lead; joins the agent's features to the lead's row."""


def build(log: EventLog, features: FeatureSet, at: At = "each event") -> FeatureTable:
    """Features of leads at moments of the past, as they were known then.

    Parameters
    ----------
    log : EventLog
        At least one event.
    features : FeatureSet
        What to compute.
    at : "each event", "daily", times or Moments
        One row an event (in the log's order); one row a lead and local midnight, from its first
        event until its last one has left every window; one row a lead known by each given time;
        or the very rows asked for.

    Returns
    -------
    FeatureTable
        float32; the row at t holds all events with ``at <= t``, windows are ``(t - w, t]``.

    Raises
    ------
    EmptyInput
        If the log has no event.

    Examples
    --------
    >>> import pandas as pd
    >>> from leadlab.features import count, events
    >>> from leadlab.schema import EventLog
    >>> frame = pd.DataFrame({"who": ["ann", "ann"], "what": ["Inquiry", "Inquiry"],
    ...                       "when": ["2026-01-01", "2026-01-09"]})
    >>> log = EventLog.from_frame(frame, lead="who", kind="what", at="when")
    >>> features = FeatureSet([count(events("Inquiry"), "7d"), count(events("Inquiry"))])
    >>> build(log, features).values.tolist()
    [[1.0, 1.0], [1.0, 2.0]]
    """
    if len(log) == 0:
        raise EmptyInput("cannot build features", where="log", got="0 events")
    if (np.diff(log.at_us) < 0).any():
        log = log.canonical()
    moments = moments_of(log, features, at)
    out = np.empty((len(moments), len(features)), np.float32)
    groups = by_entity(features)
    if list(groups) == ["lead"]:
        keys = _lead_keys(log, moments)
        _answer(log, compile_features(features, features.tz), features.tz, keys, moments, out)
    else:
        _join(log, groups, features, moments, out)
    return FeatureTable(out, features, moments.tenant, moments.lead, moments.as_of_us)


def _join(
    log: EventLog,
    groups: dict[Entity, list[Feature]],
    features: FeatureSet,
    moments: Moments,
    out: F32,
) -> None:
    """Answer entity by entity; the lead's rows say which agent's features to join."""
    place = {name: i for i, name in enumerate(features.names)}
    agents = Coded.constant(None, len(moments))
    unknown = np.zeros(len(moments), np.bool_)
    for entity in ENTITIES:
        chosen = groups.get(entity, [])
        if entity == "lead":
            chosen = [*chosen, AGENT]
        if not chosen:
            continue
        keys = {
            "lead": lambda: _lead_keys(log, moments),
            "agent": lambda: _pair_keys(log.tenant, log.agent, moments.tenant, agents),  # noqa: B023
            "tenant": lambda: _pair_keys(log.tenant, None, moments.tenant, None),
        }[entity]()
        values = np.empty((len(moments), len(chosen)), np.float32)
        texts = _answer(
            log, compile_features(chosen, features.tz), features.tz, keys, moments, values
        )
        if entity == "lead":
            unknown = np.isnan(values[:, -1])
            codes = np.where(unknown, MISSING, values[:, -1]).astype(np.int32)
            agents = Coded(codes, np.array([*texts["agent"]], dtype=object))
            chosen = chosen[:-1]
        for i, feature in enumerate(chosen):
            out[:, place[feature.name]] = values[:, i]
    out[unknown] = np.nan


class _Keys(NamedTuple):
    """Entity of each event and of each question, -1 for none."""

    own: I32
    asked: I32
    n: int


def _lead_keys(log: EventLog, moments: Moments) -> _Keys:
    return _pair_keys(log.tenant, log.lead, moments.tenant, moments.lead)


def _pair_keys(tenant: Coded, name: Coded | None, of_tenant: Coded, of_name: Coded | None) -> _Keys:
    """Number the (tenant, name) pairs of the log; questions about others get -1."""
    tenants = tenant.index
    asked_tenant = translate(of_tenant, lambda t: tenants.get(t, MISSING))
    if name is None or of_name is None:
        return _Keys(tenant.codes, asked_tenant, len(tenant.names))
    if of_name is name or of_name.names is name.names:
        asked_name = of_name.codes
    else:
        names = name.index
        asked_name = translate(of_name, lambda t: names.get(t, MISSING))
    if len(tenants) == 1:
        asked = np.where(asked_tenant == MISSING, np.int32(MISSING), asked_name)
        return _Keys(name.codes, asked.astype(np.int32), len(name.names))
    width = np.int64(len(name.names))
    pair = np.where(name.codes == MISSING, -1, tenant.codes * width + name.codes)
    unknown = (asked_tenant == MISSING) | (asked_name == MISSING)
    asked_pair = np.where(unknown, -1, asked_tenant * width + asked_name)
    known = np.unique(pair[pair >= 0])
    return _Keys(_position(known, pair), _position(known, asked_pair), len(known))


def _position(known: I64, pair: I64) -> I32:
    place = np.searchsorted(known, pair)
    place[place == len(known)] = 0
    found = known[place] == pair if len(known) else np.zeros(len(pair), bool)
    return np.where(found, place, MISSING).astype(np.int32)


def _answer(
    log: EventLog, compiled: Compiled, tz: str, keys: _Keys, moments: Moments, out: F32
) -> Vocabulary:
    """Fill `out` with the outputs of one plan; gives the codes of the texts it met."""
    texts = new_vocabulary(compiled)
    order, starts = group(keys.own, keys.n)
    tape = chained(compiled, columns(compiled, log, tz, texts), order, starts)
    as_of_us = moments.as_of_us
    if len(as_of_us) > 1 and (np.diff(as_of_us) < 0).any():
        by_time = np.argsort(as_of_us, kind="stable").astype(np.int32)
        rows, ask_from = group(keys.asked[by_time], keys.n)
        rows = by_time[rows]
    else:
        rows, ask_from = group(keys.asked, keys.n)
    sizes = np.diff(starts)
    heads = np.where(sizes > 0, starts[:-1], MISSING).astype(np.int32)
    seen = new_seen(int(sizes.max(initial=0)), compiled.distincts)
    out[keys.asked == MISSING] = np.nan
    run(compiled.plan, tape, seen, heads, sizes, as_of_us[rows], ask_from, rows, out)
    return texts


@kernel()
def group(codes: I32, n: int) -> tuple[I32, I64]:
    """Positions by code (counting sort, stable), and where each code's begin; -1 is left out."""
    starts = np.zeros(n + 1, np.int64)
    for c in codes:
        if c >= 0:
            starts[c + 1] += 1
    for c in range(n):
        starts[c + 1] += starts[c]
    order = np.empty(starts[n], np.int32)
    place = starts[:-1].copy()
    for i in range(len(codes)):
        c = codes[i]
        if c >= 0:
            order[place[c]] = i
            place[c] += 1
    return order, starts


def chained(compiled: Compiled, events: Columns, order: I32, starts: I64) -> Tape:
    """Lay events out entity after entity, each entity's linked in order."""
    n = len(order)
    following = np.arange(1, n + 1, dtype=np.int32)
    ends = starts[1:][np.diff(starts) > 0] - 1
    following[ends] = MISSING
    return Tape(
        events.at_us[order],
        events.kind[order],
        events.bits[order],
        events.numbers[order],
        events.codes[order],
        following,
        np.zeros((n, max(compiled.distincts, 1)), np.bool_),
        np.full((n, max(compiled.extremes, 1), 2), MISSING, np.int32),
    )


def new_seen(events: int, distincts: int) -> Seen:
    """Empty table with room for the codes of `events` events."""
    places = 1 << max(10, int(4 * events * distincts).bit_length())
    return Seen(
        np.full(places, EMPTY, np.uint64),
        np.full(places, MISSING, np.int32),
        np.zeros(1, np.int64),
        np.full(distincts, MISSING, np.int32),
    )
