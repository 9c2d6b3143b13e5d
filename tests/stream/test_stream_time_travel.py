"""Recorded hours scored again: the same rows by the same model, true differences by another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leadlab.data import simulate
from leadlab.errors import BadInput, EmptyInput, StoreFailed
from leadlab.explain import Scorer
from leadlab.features import build, catalogue
from leadlab.models.conversion import ConversionModel
from leadlab.schema.log import EventLog
from leadlab.schema.rows import event_fields
from leadlab.schema.wire import WireEvent
from leadlab.stream import checkpoint
from leadlab.stream.entries import Entries
from leadlab.stream.journal import Journal
from leadlab.stream.known_ids import id_keys
from leadlab.stream.lane import Lane
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.outcome import OUTCOME, Outcome
from leadlab.stream.pacing import Pacing
from leadlab.stream.plan import Plan
from leadlab.stream.result_store import ResultStore
from leadlab.stream.score_diff import score_diff
from leadlab.stream.service import Service
from leadlab.stream.time_travel import Scored, recorded, rerun, strayed, stretch_of

US_PER_DAY = 86_400_000_000


def wired(log: EventLog, tenant: str) -> list[WireEvent]:
    return [
        WireEvent(f"{i}", tenant, row["lead"], row["kind"], int(at_us), row.get("value"),
                  row.get("agent"), row.get("source"),
                  {k: v for k, v in row.get("data", {}).items() if v is not None})
        for i, (row, at_us) in enumerate(zip(event_fields(log), log.at_us, strict=True))
    ]  # fmt: skip


@pytest.fixture(scope="module")
def log() -> EventLog:
    return simulate(60, 60, seed=5).log


@pytest.fixture(scope="module")
def plans(log: EventLog) -> tuple[Plan, Plan]:
    table = build(log, catalogue())
    made = []
    for seed, name in ((0, "offer_count_30d"), (1, "showing_count_30d")):
        model = ConversionModel(rounds=8, seed=seed, min_child_weight=1.0)
        model.fit(table, table.column(name) > 0)
        made.append(Plan(Scorer(model, catalogue(), f"v{seed + 1}")))
    return made[0], made[1]


@pytest.fixture(scope="module")
def home(log: EventLog, plans: tuple[Plan, Plan], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service scored all events by the first model, cut into batches of all sizes."""
    place = tmp_path_factory.mktemp("live")
    events = wired(log, "acme")
    service = Service(place, lambda: LiveEngine(plans[0]), pacing=Pacing(batch=7))
    service.start()
    rng, start = np.random.default_rng(0), 0
    while start < len(events):
        part = events[start : start + int(rng.integers(1, 40))]
        service.submit(part, stamp_us=part[-1].at_us)
        start += len(part)
    service.settled()
    service.stop()
    return place


@pytest.fixture
def span(log: EventLog) -> tuple[int, int]:
    return int(log.at_us[len(log) // 3]), int(log.at_us[2 * len(log) // 3])


def test_the_same_model_writes_the_recorded_rows_to_the_last_bit(home, plans, span) -> None:
    with Journal(home / "journal.db", read_only=True) as journal:
        stretch = stretch_of(journal, *span)
        again = rerun(home, journal, stretch, plans[0])
    before = recorded(home, stretch)
    assert len(stretch) > 100
    assert strayed(before, again) == (len(stretch), 0)
    diff = score_diff(before, again)
    figures = diff.figures()
    assert (figures["events"], figures["alone"]) == (len(stretch), 0)
    assert figures["changed"] == figures["max"] == figures["tiers_changed"] == 0
    assert diff.moved == []


def test_another_model_differs_as_scoring_one_event_after_another_says(
    home, log, plans, span
) -> None:
    with Journal(home / "journal.db", read_only=True) as journal:
        stretch = stretch_of(journal, *span)
        whole = journal.read(0, 1 << 30)
        after = rerun(home, journal, stretch, plans[1])
    lane, naive = Lane(plans[1]), []
    for k in range(stretch.last):
        (row,) = lane.take(whole.take(k, k + 1)).rows
        naive.append(row)
    kept = np.array(naive, OUTCOME)[stretch.first - 1 :]
    assert np.array_equal(after.rows["probability"], kept["probability"])
    before = recorded(home, stretch)
    diff = score_diff(before, after, top=3)
    expected = kept["probability"] - before.rows["probability"]
    assert np.array_equal(diff.frame["difference"].to_numpy(), expected)
    figures = diff.figures()
    assert figures["max"] == pytest.approx(np.abs(expected).max())
    assert figures["mean"] == pytest.approx(np.abs(expected).mean())
    changed = before.rows["tier"] != kept["tier"]
    assert figures["tiers_changed"] == changed.sum()
    assert diff.tiers.sum() == len(stretch)
    worst = int(np.abs(expected).argmax())
    first = diff.moved[0]
    assert (first.lead, first.event) == (after.lead[worst], after.event[worst])
    assert first.reasons
    assert first.after - first.before == pytest.approx(expected[worst])
    assert len({one.lead for one in diff.moved}) == 3
    assert strayed(before, after) == (0, 0)


def test_a_checkpoint_before_the_stretch_gives_the_same_as_the_journal(
    home, plans, span, tmp_path: Path
) -> None:
    with Journal(home / "journal.db", read_only=True) as journal:
        stretch = stretch_of(journal, *span)
        engine = LiveEngine(plans[0])
        engine.take(journal.read(0, stretch.first // 2))
        checkpoint.write(checkpoint.freeze(engine, {}), tmp_path / "checkpoints")
        told: list[str] = []
        one = rerun(
            tmp_path, journal, stretch, plans[1], tell=lambda step, done, of: told.append(f"{of}")
        )
        other = rerun(home, journal, stretch, plans[1])
        assert f"{stretch.first - 1 - engine.offset}" in told
    assert strayed(one, other) == (len(stretch), 0)
    assert one.models == ["v2"]


def test_a_damaged_checkpoint_leaves_the_journal_to_serve(home, plans, span, tmp_path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / f"state-{5:015d}.npz").write_bytes(b"PK nothing of the kind")
    with Journal(home / "journal.db", read_only=True) as journal:
        stretch = stretch_of(journal, *span)
        again = rerun(tmp_path, journal, stretch, plans[0])
    assert strayed(recorded(home, stretch), again) == (len(stretch), 0)


def test_a_service_may_go_on_writing(home, plans, span) -> None:
    service = Service(home, lambda: LiveEngine(plans[0]))
    service.start()
    with Journal(home / "journal.db", read_only=True) as journal:
        stretch = stretch_of(journal, *span)
        again = rerun(home, journal, stretch, plans[0])
        before = recorded(home, stretch)
    service.stop()
    assert strayed(before, again) == (len(stretch), 0)


def test_alerts_of_both_runs_are_compared(home, plans, span) -> None:
    def watch(outcome: Outcome) -> list[str]:
        hot = outcome.rows[outcome.rows["tier"] > outcome.rows["tier_before"]]
        return [f"{offset}" for offset in hot["offset"]]

    with Journal(home / "journal.db", read_only=True) as journal:
        stretch = stretch_of(journal, *span)
        one, other = (rerun(home, journal, stretch, plan, watch=watch) for plan in plans)
    diff = score_diff(one, other)
    assert one.alerts and other.alerts
    assert set(diff.raised) == other.alerts - one.alerts
    assert set(diff.silent) == one.alerts - other.alerts
    assert score_diff(one, one).raised == ()


def test_a_row_that_strayed_is_counted(home, plans, span) -> None:
    with Journal(home / "journal.db", read_only=True) as journal:
        stretch = stretch_of(journal, *span)
    before = recorded(home, stretch)
    rows = before.rows.copy()
    rows["probability"][3] = np.nextafter(rows["probability"][3], 1)
    rows["tier"][5] += 1
    assert strayed(before, Scored(rows, before.models)) == (len(stretch), 2)


def test_what_cannot_be_replayed_says_why(home, plans, span, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such journal"):
        Journal(tmp_path / "journal.db", read_only=True)
    with Journal(home / "journal.db", read_only=True) as journal:
        with pytest.raises(BadInput, match="not after"):
            stretch_of(journal, span[1], span[0])
        with pytest.raises(EmptyInput, match="nothing arrived"):
            stretch_of(journal, span[1] + 900 * US_PER_DAY, span[1] + 901 * US_PER_DAY)
        stretch = stretch_of(journal, *span)
        with pytest.raises(BadInput, match="no recorded results"):
            recorded(tmp_path, stretch)


def test_a_journal_without_its_start_needs_a_checkpoint(home, plans, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        for k in range(6):
            events = [WireEvent(f"{k}-{i}", "acme", "ann", "Inquiry", k + 1) for i in range(10)]
            journal.append(events, k + 1)
        journal.trim(25)
    with Journal(tmp_path / "journal.db", read_only=True) as journal:
        assert journal.first == 21
        with pytest.raises(BadInput, match="let go of the start"):
            stretch_of(journal, 1, 7)
        stretch = stretch_of(journal, 4, 7)
        with pytest.raises(BadInput, match="no state from before"):
            rerun(tmp_path, journal, stretch, plans[0])


def test_scores_do_not_depend_on_how_events_were_cut(log, plans) -> None:
    """To the last bit: a recovery cuts the journal otherwise than the service did."""
    events = wired(log, "acme")[:900]
    found = []
    for sizes in ((1,), (900,), (1, 2, 3, 16, 17, 33)):
        lane, start, k, parts = Lane(plans[0]), 0, 0, []
        while start < len(events):
            size = sizes[k % len(sizes)]
            part = events[start : start + size]
            offsets = np.arange(start + 1, start + 1 + len(part))
            stamps_us = np.array([event.at_us for event in part])
            keys = id_keys(part) if k % 2 else None
            parts.append(lane.take(Entries(part, offsets, stamps_us, keys)).rows)
            start, k = start + size, k + 1
        found.append(np.concatenate(parts))
    for other in found[1:]:
        assert other.tobytes() == found[0].tobytes()


def test_results_are_read_beside_the_writer_and_never_written(home) -> None:
    store = ResultStore(home / "results.db", read_only=True)
    with pytest.raises(StoreFailed, match="readonly"):
        store.trim(10**9)
    store.close()
