"""Batch, online and a naive second opinion must agree, however the events arrive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.features import (
    FeatureSet,
    Moments,
    OnlineStore,
    build,
    count,
    decay,
    difference,
    distinct,
    events,
    first,
    gap,
    gaps,
    highest,
    hour,
    is_latest,
    latest,
    lowest,
    mean,
    number,
    rate,
    ratio,
    recency,
    response,
    season,
    tenure,
    total,
    trend,
    waiting,
    weekday,
)
from leadlab.schema.log import Coded, EventLog
from tests.features.naive import Row, evaluate

START_US = 1_767_225_600_000_000  # Thursday 2026-01-01
HOUR_US = 3_600_000_000
KINDS = ("view", "save", "ask", "answer", "other")
ANY, VIEWS, ASKS = events(noun="event"), events("view", "save", noun="view"), events("ask")
ANSWERS = events("answer")
PRICE = number("value", VIEWS, noun="price", unit="USD")
MOOD = number("mood", ASKS, noun="mood")
REPLY = response(ASKS, ANSWERS)
FEATURES = FeatureSet(
    [
        count(ANY, "6h"),
        count(VIEWS, "2d"),
        count(VIEWS),
        count(VIEWS.only("web view", via="web"), "2d"),
        count(ANY.during("weekend"), "2d"),
        count(ANY.during("night")),
        count(ANY.during("working hours"), "2d"),
        total(PRICE, "2d"),
        total(PRICE),
        mean(PRICE, "6h"),
        mean(MOOD, "2d"),
        highest(PRICE, "2d"),
        highest(PRICE, "6h"),
        highest(PRICE),
        lowest(PRICE, "2d"),
        lowest(PRICE),
        distinct("via", ANY, "2d"),
        distinct("via", ANY, "6h"),
        distinct("agent", ASKS, "2d"),
        recency(ANY),
        recency(ASKS),
        tenure(ANY),
        latest(PRICE),
        first(MOOD),
        gap(VIEWS),
        mean(gaps(ANY), "2d"),
        mean(REPLY, "2d"),
        latest(REPLY),
        waiting(REPLY),
        decay(VIEWS, "12h"),
        is_latest("kind", "ask"),
        is_latest("via", "web"),
        hour(),
        weekday(),
        season(),
        trend(ANY, "6h"),
        rate(VIEWS, "2d"),
        ratio(count(VIEWS, "2d"), count(ANY, "2d"), "view_share"),
        difference(mean(PRICE, "6h"), mean(PRICE, "2d"), "price_drift"),
        count(ANY.of("agent"), "2d"),
        count(ASKS.of("agent")),
        count(ANY.of("tenant"), "6h"),
        recency(ASKS.of("tenant")),
    ]
)


@st.composite
def rows(draw: st.DrawFn, max_size: int = 30) -> list[Row]:
    """Events on a coarse grid of times, so that ties and window edges are common."""
    n = draw(st.integers(1, max_size))
    text = st.sampled_from([None, "web", "sms"])
    price = st.one_of(st.just(float("nan")), st.sampled_from([0.0, -1.5, 2.5e5, 1e12, 0.1, 3.0]))
    return [
        Row(
            at_us=START_US + draw(st.integers(0, 120)) * HOUR_US // 2,
            id_hash=i,
            kind=draw(st.sampled_from(KINDS)),
            value=draw(price),
            lead=draw(st.sampled_from(["ann", "bob"])),
            agent=draw(st.sampled_from([None, "zoe", "max"])),
            tenant=draw(st.sampled_from(["acme", "acme", "best"])),
            data={"via": draw(text), "mood": draw(price)},
        )
        for i in range(n)
    ]


def log_of(events_: list[Row]) -> EventLog:
    """Column form; gives each row the id hash that the log gives it."""
    n = len(events_)
    log = EventLog(
        id=np.array([f"e{r.id_hash}" for r in events_], dtype=object),
        tenant=Coded.of([r.tenant for r in events_]),
        lead=Coded.of([r.lead for r in events_]),
        kind=Coded.of([r.kind for r in events_]),
        at_us=np.array([r.at_us for r in events_], np.int64),
        value=np.array([r.value for r in events_]),
        agent=Coded.of([r.agent for r in events_]),
        source=Coded.constant(None, n),
        data={
            "via": Coded.of([r.data["via"] for r in events_]),
            "mood": np.array([r.data["mood"] for r in events_]),
        },
    )
    return log


def naive_rows(log: EventLog, source: list[Row]) -> list[Row]:
    by_id = {f"e{r.id_hash}": r for r in source}
    return [
        Row(**{**by_id[i].__dict__, "id_hash": int(h)})
        for i, h in zip(log.id, log.id_hash, strict=True)
    ]


def expected(known: list[Row], asked: list[tuple[str, str, int]]) -> np.ndarray:
    return np.array(
        [[evaluate(f, known, lead, t, tenant) for f in FEATURES] for tenant, lead, t in asked]
    ).reshape(-1, len(FEATURES))


def assert_same(got: np.ndarray, wanted: np.ndarray, rtol: float = 2e-6) -> None:
    for j, name in enumerate(FEATURES.names):
        np.testing.assert_allclose(
            got[:, j], wanted[:, j], rtol=rtol, atol=1e-6, err_msg=name, equal_nan=True
        )


@given(rows())
@settings(max_examples=150, deadline=None)
def test_each_event_agrees_with_the_naive_aggregator(source: list[Row]) -> None:
    log = log_of(source).canonical()
    known = naive_rows(log, source)
    table = build(log, FEATURES)
    asked = list(zip(log.tenant.values(), log.lead.values(), log.at_us, strict=True))
    assert_same(table.values, expected(known, asked))


@given(rows(), st.lists(st.integers(-4, 400), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_any_moment_agrees_with_the_naive_aggregator(source: list[Row], offsets: list[int]) -> None:
    log = log_of(source).canonical()
    known = naive_rows(log, source)
    asked = [
        (tenant, lead, START_US + o * HOUR_US // 2)
        for o in offsets
        for tenant in ("acme", "best", "nobody")
        for lead in ("ann", "bob", "eve")
    ]
    moments = Moments(
        Coded.of([a[0] for a in asked]),
        Coded.of([a[1] for a in asked]),
        np.array([a[2] for a in asked]),
    )
    assert_same(build(log, FEATURES, at=moments).values, expected(known, asked))


@given(rows(), st.randoms(use_true_random=False), st.integers(1, 7), st.integers(0, 200))
@settings(max_examples=200, deadline=None)
def test_online_equals_batch_in_any_order_and_batching(
    source: list[Row], random: object, size: int, later: int
) -> None:
    log = log_of(source).canonical()
    order = list(range(len(log)))
    random.shuffle(order)
    order += order[: len(order) // 3]  # repeated deliveries
    store = OnlineStore(FEATURES)
    added = repeated = 0
    for start in range(0, len(order), size):
        batch = log.take(np.array(sorted(order[start : start + size]))).canonical()
        arrivals = store.add(batch)
        added, repeated = added + arrivals.added, repeated + arrivals.duplicates
    assert added == len(log)
    as_of_us = int(log.at_us[-1]) + later * HOUR_US // 2
    for tenant in ("acme", "best"):
        for t in (as_of_us, int(np.median(log.at_us))):
            live = store.read(["ann", "bob", "eve"], t, tenant=tenant)
            moments = Moments(
                Coded.constant(tenant, 3),
                Coded.of(["ann", "bob", "eve"]),
                np.full(3, t),
            )
            past = build(log, FEATURES, at=moments)
            np.testing.assert_array_equal(live.values, past.values)


@given(rows(), st.integers(0, 60), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_eviction_changes_no_later_answer(source: list[Row], when: int, random: object) -> None:
    log = log_of(source).canonical()
    cut_us = START_US + when * HOUR_US
    early = np.flatnonzero(log.at_us <= cut_us)
    late = np.flatnonzero(log.at_us > cut_us)
    kept, evicting = OnlineStore(FEATURES), OnlineStore(FEATURES)
    for store in (kept, evicting):
        store.add(log.take(early))
    evicting.evict(cut_us)
    order = list(late)
    random.shuffle(order)
    for store in (kept, evicting):
        for i in order:
            store.add(log.take(np.array([i])))
    evicting.evict(cut_us + 12 * HOUR_US)
    t = max(int(log.at_us[-1]), cut_us) + 12 * HOUR_US
    for tenant in ("acme", "best"):
        np.testing.assert_array_equal(
            evicting.read(["ann", "bob"], t, tenant=tenant).values,
            kept.read(["ann", "bob"], t, tenant=tenant).values,
        )


@given(rows(), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_shifting_time_by_weeks_changes_nothing(source: list[Row], weeks: int) -> None:
    """Whole weeks keep hours and weekdays; all but the season is relative anyway."""
    shifted = [Row(**{**r.__dict__, "at_us": r.at_us + weeks * 7 * 86_400_000_000}) for r in source]
    one, other = (build(log_of(s).canonical(), FEATURES).values for s in (source, shifted))
    kept = [name != "season" for name in FEATURES.names]
    np.testing.assert_array_equal(one[:, kept], other[:, kept])


@given(rows())
@settings(max_examples=60, deadline=None)
def test_the_future_is_not_seen(source: list[Row]) -> None:
    log = log_of(source).canonical()
    middle = int(np.median(log.at_us))
    past = log.take(log.at_us <= middle)
    table = build(log, FEATURES)
    np.testing.assert_array_equal(table.values[log.at_us <= middle], build(past, FEATURES).values)


@given(rows(), st.integers(0, 10))
@settings(max_examples=40, deadline=None)
def test_a_snapshot_goes_on_as_if_nothing_had_happened(
    tmp_path_factory: pytest.TempPathFactory, source: list[Row], split: int
) -> None:
    log = log_of(source).canonical()
    split = min(split, len(log))
    whole, first_half = OnlineStore(FEATURES), OnlineStore(FEATURES)
    whole.add(log)
    first_half.add(log.take(np.arange(split)))
    path = tmp_path_factory.mktemp("snapshot") / "store.npz"
    first_half.save(path)
    again = OnlineStore.load(path)
    again.add(log)
    t = int(log.at_us[-1])
    np.testing.assert_array_equal(
        again.read(["ann", "bob"], t, tenant="acme").values,
        whole.read(["ann", "bob"], t, tenant="acme").values,
    )
