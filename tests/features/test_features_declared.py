"""Declarations name, measure and document themselves, and bad ones say what is wrong."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from leadlab.errors import BadInput, BrokenFile, EmptyInput, UnknownName
from leadlab.features import (
    FeatureSet,
    OnlineStore,
    automatic,
    build,
    catalogue,
    count,
    distinct,
    events,
    hour,
    mean,
    number,
    rate,
    ratio,
    season,
    trend,
    waiting,
    weekday,
)
from leadlab.schema import EventLog

VIEWS = events("view")


def log_of(times: list[str], kinds: list[str] | None = None, **extra: list[object]) -> EventLog:
    n = len(times)
    frame = pd.DataFrame({"lead": ["ann"] * n, "kind": kinds or ["view"] * n, "at": times, **extra})
    return EventLog.from_frame(frame, lead="lead", kind="kind", at="at", data=list(extra))


def test_the_catalogue_is_large_named_once_and_documented() -> None:
    features = catalogue()
    assert len(features) >= 45
    assert len(set(features.names)) == len(features)
    table = features.describe()
    assert (table["unit"] != "").all()
    assert (table["label"] != "").all()
    assert all(f.name in f.doc and f.unit in f.doc for f in features)


def test_declarations_survive_json() -> None:
    features = catalogue("Europe/Berlin")
    again = FeatureSet.from_json(json.loads(json.dumps(features.to_json())))
    assert again == features
    assert again.longest_window_s == 30 * 86400


@pytest.mark.parametrize("window", ["7", "d7", "0d", "-1d", "7 d", "1y", ""])
def test_an_unreadable_window_is_refused(window: str) -> None:
    with pytest.raises(BadInput, match="cannot read a window"):
        count(VIEWS, window)


def test_an_unknown_feature_offers_close_names() -> None:
    features = FeatureSet([count(events(noun="visit"), "7d")])
    with pytest.raises(UnknownName, match="Did you mean 'visit_count_7d'"):
        features["visit_cout_7d"]
    with pytest.raises(KeyError):
        features.select(["visits"])


def test_declarations_that_cannot_be_are_refused() -> None:
    with pytest.raises(BadInput, match="used twice"):
        FeatureSet([count(VIEWS), count(VIEWS)])
    with pytest.raises(BadInput, match="at least one"):
        FeatureSet([])
    with pytest.raises(BadInput, match="time zone"):
        FeatureSet([count(VIEWS)], tz="Mars/Olympus")
    with pytest.raises(BadInput, match="draw on one entity"):
        FeatureSet([ratio(count(VIEWS), count(VIEWS.of("agent")))])
    with pytest.raises(BadInput, match="needs a response"):
        waiting(number("value", VIEWS))
    for word in (
        lambda: rate(VIEWS, None),
        lambda: trend(VIEWS, None),
        lambda: distinct("x", VIEWS, None),
    ):
        with pytest.raises(BadInput, match="needs a window"):
            word()


def test_more_than_the_kernel_can_tell_apart_is_refused() -> None:
    log = log_of(["2026-01-01"])
    many = [distinct(f"field{i}", VIEWS, "7d") for i in range(257)]
    with pytest.raises(BadInput, match="too many distinct counts"):
        build(log, FeatureSet(many))
    assert build(log, FeatureSet(many[:256])).values.sum() == 0
    several = [count(VIEWS.only(f"view{i}", via=str(i))) for i in range(61)]
    with pytest.raises(BadInput, match="too many conditions"):
        build(log, FeatureSet(several))
    assert build(log, FeatureSet(several[:60])).values.sum() == 0


def test_a_field_of_the_wrong_type_is_named() -> None:
    log = log_of(["2026-01-01"], size=["large"], weight=[3.0])
    with pytest.raises(BadInput, match="where: size"):
        build(log, FeatureSet([mean(number("size", VIEWS))]))
    with pytest.raises(BadInput, match="where: weight"):
        build(log, FeatureSet([distinct("weight", VIEWS, "7d")]))


def test_an_empty_log_is_refused_and_one_event_is_enough() -> None:
    empty = log_of([])
    with pytest.raises(EmptyInput, match="0 events"):
        build(empty, catalogue())
    with pytest.raises(EmptyInput, match="0 events"):
        automatic(empty)
    one = log_of(["2026-01-01"])
    assert build(one, catalogue()).values.shape == (1, len(catalogue()))
    assert build(one, automatic(one)).values.shape[0] == 1


def test_an_empty_batch_changes_nothing_and_an_unknown_lead_is_unknown() -> None:
    store = OnlineStore(catalogue())
    assert np.isnan(store.read(["nobody"], "2026-01-01").values).all()
    assert store.add(log_of([])).added == 0
    assert store.read([], "2026-01-01").values.shape == (0, len(catalogue()))
    store.add(log_of(["2026-01-02"]))
    assert np.isnan(store.read(["ann"], "2026-01-01").values).all()
    with pytest.raises(UnknownName, match="Did you mean 'ann'"):
        store.read(["anne"], "2026-01-02", strict=True)


def test_a_hundred_thousand_kinds() -> None:
    n = 100_000
    frame = pd.DataFrame(
        {"lead": "ann", "kind": [f"kind {i}" for i in range(n)], "at": "2026-01-01"}
    )
    log = EventLog.from_frame(frame, lead="lead", kind="kind", at="at")
    features = automatic(log)
    assert len(features) < 200
    assert build(log, features).column("event_count").max() == n


def test_automatic_names_stay_unique_where_kinds_differ_in_signs_only() -> None:
    log = log_of(["2026-01-01"] * 3, ["a-b", "a b", "a/b"])
    names = automatic(log).names
    assert {"a_b_count", "a_b_count_2", "a_b_count_3"} <= set(names)


def test_automatic_leaves_out_what_it_is_told_to() -> None:
    log = log_of(["2026-01-01"] * 2, ["won", "view"], score=[1.0, 2.0])
    names = " ".join(automatic(log, skip=("won", "score")).names)
    assert "won" not in names
    assert "score" not in names
    assert "view" in names


def test_the_season_is_the_day_of_the_year_within_a_day_and_a_half() -> None:
    apart = np.arange(0, 18_600, 11) * np.timedelta64(24, "h")
    days = pd.to_datetime(np.datetime64("1975-01-01T05:00", "us") + apart, utc=True)
    table = build(
        log_of([d.isoformat() for d in days]), FeatureSet([season()], tz="America/New_York")
    )
    local = days.tz_convert("America/New_York")
    exact = local.day_of_year - 1 + local.hour / 24
    off = np.abs(table.column("season") - exact)
    assert np.minimum(off, 365.2425 - off).max() < 1.5


def test_local_time_follows_the_clock_change() -> None:
    """New York springs forward at 07:00 UTC on 2026-03-08."""
    log = log_of(["2026-03-08T06:59:59Z", "2026-03-08T07:00:00Z", "2026-03-09T03:30:00Z"])
    table = build(log, FeatureSet([hour(), weekday()], tz="America/New_York"))
    np.testing.assert_allclose(table.column("hour"), [1 + 3599 / 3600, 3.0, 23.5], rtol=1e-6)
    assert table.column("weekday").tolist() == [6, 6, 6]


def test_daily_rows_stand_at_local_midnight_until_the_windows_are_empty() -> None:
    log = log_of(["2026-01-01T12:00Z", "2026-01-20T12:00Z"])
    features = FeatureSet([count(VIEWS, "3d")], tz="America/New_York")
    rows = build(log, features, at="daily").to_frame()
    assert (rows["as_of"].dt.tz_convert("America/New_York").dt.hour == 0).all()
    assert rows["as_of"].is_monotonic_increasing
    assert rows["as_of"].iloc[0] == pd.Timestamp("2026-01-02", tz="America/New_York")
    assert rows["as_of"].max() <= pd.Timestamp("2026-01-22", tz="America/New_York")
    assert rows["view_count_3d"].tolist()[:4] == [1, 1, 1, 0]


def test_moments_that_cannot_be_read_are_refused() -> None:
    log = log_of(["2026-01-01"])
    with pytest.raises(BadInput, match="cannot tell the moments"):
        build(log, catalogue(), at="hourly")
    with pytest.raises(BadInput, match="cannot read as-of times"):
        build(log, catalogue(), at=["yesterday-ish"])


def test_a_snapshot_cut_anywhere_is_refused(tmp_path: object) -> None:
    store = OnlineStore(FeatureSet([count(VIEWS, "7d")]))
    store.add(log_of(["2026-01-01", "2026-01-02"]))
    path = tmp_path / "store.npz"
    store.save(path)
    whole = path.read_bytes()
    for part in range(0, 10):
        path.write_bytes(whole[: len(whole) * part // 10])
        with pytest.raises(BrokenFile, match="cannot read the snapshot"):
            OnlineStore.load(path)
    broken = bytearray(whole)
    broken[len(whole) // 3] ^= 0xFF
    path.write_bytes(bytes(broken))
    with pytest.raises(BrokenFile):
        OnlineStore.load(path)
    assert not list(tmp_path.glob("*.partial"))


def test_reads_before_what_was_let_go_of_are_refused() -> None:
    store = OnlineStore(FeatureSet([count(VIEWS, "1d"), count(VIEWS)]))
    store.add(log_of([f"2026-01-{day:02d}" for day in range(1, 11)]))
    assert store.evict("2026-01-08T00:00Z") == 7
    assert store.read(["ann"], "2026-01-10").values.tolist() == [[1, 10]]
    assert store.read(["ann"], "2026-01-08").values.tolist() == [[1, 8]]
    with pytest.raises(BadInput, match="no longer reaches"):
        store.read(["ann"], "2026-01-03")
    late = store.add(log_of(["2026-01-02T06:00Z"]))
    assert (late.added, late.too_late) == (0, 1)


def test_memory_is_bounded_by_the_longest_window() -> None:
    """A year of a busy lead with a window of a day needs no more room than two days of it."""
    store = OnlineStore(FeatureSet([count(VIEWS, "1d"), distinct("page", VIEWS, "1d")]))
    sizes = []
    for day in range(60):
        start = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(days=day)
        times = pd.date_range(start, periods=200, freq="7min").astype(str).tolist()
        store.add(log_of(times, page=[f"p{day}-{i}" for i in range(200)]))
        store.evict(start + pd.Timedelta(days=1))
        sizes.append(store.nbytes)
    assert store.n_events <= 400
    assert max(sizes[10:]) <= 1.5 * max(sizes[:10])
