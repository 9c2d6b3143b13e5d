"""The skew meter: right rows pass, and each way to be wrong is found."""

from __future__ import annotations

import numpy as np
import pytest

from leadlab.data import simulate
from leadlab.errors import BadInput
from leadlab.explain.scores import Scores
from leadlab.features import FeatureTable, OnlineStore, catalogue
from leadlab.schema.log import EventLog
from leadlab.stream.outcome import OUTCOME, Outcome
from leadlab.stream.skew import Sample, SkewMeter

FEATURES = catalogue()
LOG = simulate(25, 40, seed=11).log


def arrived(rng: np.random.Generator) -> EventLog:
    """The log as it came: some events late, so not in order of their own time."""
    return LOG.take(np.argsort(np.arange(len(LOG)) + rng.exponential(20, len(LOG))))


def served(log: EventLog, size: int) -> tuple[list[Outcome], np.ndarray]:
    """Outcomes of an online store fed with `log`, one row an event, and their moments."""
    store, outcomes = OnlineStore(FEATURES), []
    moments = np.maximum.accumulate(log.at_us)
    for start in range(0, len(log), size):
        end = min(start + size, len(log))
        batch, values = log.take(np.arange(start, end)), []
        for row in range(start, end):
            one = log.take(np.array([row]))
            store.add(one)
            lead, tenant = one.lead.values()[0], one.tenant.values()[0]
            values.append(store.read([lead], int(moments[row]), tenant=tenant).values[0])
        rows = np.zeros(end - start, OUTCOME)
        rows["offset"] = np.arange(start, end) + 1
        rows["as_of_us"] = moments[start:end]
        table = FeatureTable(np.array(values), FEATURES, batch.tenant, batch.lead, rows["as_of_us"])
        blank = np.zeros(len(rows))
        scores = Scores(
            table, blank, blank, blank, blank, np.zeros_like(table.values), 0.0, "", "", ""
        )
        outcomes.append(Outcome(rows, batch, ("v1",), (), scores))
    return outcomes, moments


def meter_of(log: EventLog, share: float, seed: int = 0, **options: int) -> SkewMeter:
    def history(sample: Sample) -> EventLog:
        known = log.take(np.arange(sample.offset))
        return known.take(known.tenant.values() == sample.tenant)

    return SkewMeter(history, share=share, rng=np.random.default_rng(seed), **options)


def test_rows_of_the_online_store_are_those_of_the_journal_though_events_come_late() -> None:
    log = arrived(np.random.default_rng(4)).take(np.arange(240))
    assert (np.diff(log.at_us) < 0).any()
    outcomes, _ = served(log, 37)
    meter = meter_of(log, 0.3)
    for outcome in outcomes:
        meter.note(outcome)
    kept = meter.report()["kept"]
    assert 40 < kept < 110
    assert meter.check(most=10) == 10
    assert meter.check(most=1000) == kept - 10
    report = meter.report()
    assert (report["checked"], report["differing"], report["last"]) == (kept, 0, None)
    assert report["mismatches"] == dict.fromkeys(FEATURES.names, 0)


@pytest.mark.parametrize("how", ["off by little", "NaN for a number", "a number for NaN"])
def test_one_wrong_value_is_counted_under_its_feature(how: str) -> None:
    log = LOG.take(np.arange(60))
    outcomes, _ = served(log, 60)
    values = outcomes[0].scores.table.values
    known = ~np.isnan(values)
    row, column = np.argwhere(known & (values != 0) if "NaN for" not in how[:8] else known)[-1]
    if how == "a number for NaN":
        row, column = np.argwhere(~known)[-1]
    values[row, column] = {
        "off by little": values[row, column] * np.float32(1.0001),
        "NaN for a number": np.nan,
        "a number for NaN": 0.0,
    }[how]
    meter = meter_of(log, 1.0)
    meter.note(outcomes[0])
    meter.check(1000)
    report = meter.report()
    wrong = {name: n for name, n in report["mismatches"].items() if n}
    assert (wrong, report["differing"]) == ({FEATURES.names[column]: 1}, 1)
    assert (report["last"]["offset"], report["last"]["feature"]) == (
        row + 1,
        FEATURES.names[column],
    )


def test_a_row_that_knew_too_much_is_found() -> None:
    log = LOG.take(np.arange(100))
    outcomes, _ = served(log, 100)
    leads = log.lead.values()
    row = next(i for i in range(40, 99) if leads[i] in leads[i + 1 :])
    later = row + 1 + list(leads[row + 1 :]).index(leads[row])
    outcomes[0].scores.table.values[row] = outcomes[0].scores.table.values[later]
    meter = meter_of(log, 1.0)
    meter.note(outcomes[0])
    meter.check(1000)
    assert (meter.report()["differing"], meter.report()["last"]["offset"]) == (1, row + 1)


def test_what_is_kept_stays_as_it_was_served() -> None:
    log = LOG.take(np.arange(50))
    outcomes, _ = served(log, 50)
    meter = meter_of(log, 1.0)
    meter.note(outcomes[0])
    outcomes[0].scores.table.values[:] = -1
    meter.check(1000)
    assert meter.report()["differing"] == 0


def test_room_is_bounded_and_the_same_seed_keeps_the_same_rows() -> None:
    outcomes, _ = served(LOG.take(np.arange(120)), 40)
    kept = []
    for _ in range(2):
        meter = meter_of(LOG, 0.5, seed=8, room=20)
        for outcome in outcomes:
            meter.note(outcome)
        report = meter.report()
        assert (report["kept"], report["waiting"]) == (20, 20)
        assert 20 < report["kept"] + report["passed_over"] < 100
        kept.append([sample.offset for sample in meter._waiting])
    assert kept[0] == kept[1] == sorted(kept[0])


def test_rows_that_rules_scored_are_not_compared() -> None:
    outcomes, _ = served(LOG.take(np.arange(30)), 30)
    outcomes[0].rows["fallback"][10:] = True
    meter = meter_of(LOG, 1.0)
    meter.note(outcomes[0])
    meter.note(Outcome(outcomes[0].rows, outcomes[0].events, (), ()))
    assert meter.report()["kept"] == 10


def test_a_lead_that_the_journal_does_not_know_differs() -> None:
    meter = SkewMeter(
        lambda _: LOG.take(np.arange(0)), share=1.0, rng=np.random.default_rng(0), room=2
    )
    nothing = np.full(len(FEATURES), np.nan, np.float32)
    meter.keep(Sample(1, "default", "ann", 1, FEATURES, nothing))
    meter.keep(Sample(1, "default", "ann", 1, FEATURES, np.zeros_like(nothing)))
    meter.check()
    assert meter.report()["differing"] == 1


@pytest.mark.parametrize("wrong", [{"share": 1.1}, {"share": float("nan")}, {"room": 0}])
def test_unusable_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        SkewMeter(lambda _: LOG, **{"share": 0.1, "rng": np.random.default_rng(0), **wrong})
