from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from leadlab.data.brokerage import simulate
from leadlab.errors import BadInput, UnknownName
from leadlab.models.churn.model import ChurnModel
from leadlab.models.conversion import ConversionModel
from leadlab.models.protocols import bpic2012_churn, brokerage_churn
from leadlab.schema.log import EventLog

DAY = pd.Timedelta(days=1)
CANCEL_AFTER_DAYS = 31


def like_the_challenge(cases=260, seed=0):
    """Small amounts are answered soon, large ones mostly not, and then cancelled."""
    rng = np.random.default_rng(seed)
    rows = []
    for case in range(cases):
        at = pd.Timestamp("2011-10-01", tz="UTC") + case * DAY * 0.5
        amount = float(rng.choice([1000, 9000]))
        told = [("A_SUBMITTED", 0.0), ("O_SENT", 0.4), ("W_Calling", 1.0)]
        wait = rng.exponential(6 if amount == 1000 else 60)
        if wait < CANCEL_AFTER_DAYS:
            told += [("O_SENT_BACK", 0.5 + wait), ("O_ACCEPTED", 3 + wait)]
            told += [("A_DECLINED", 3.1 + wait)] if rng.random() < 0.1 else []
        else:
            told += [("A_CANCELLED", 0.4 + CANCEL_AFTER_DAYS)]
        rows += [(f"case {case}", f"{k}|COMPLETE", at + d * DAY, amount) for k, d in told]
    frame = pd.DataFrame(rows, columns=["case", "kind", "at", "amount_req"])
    frame["agent"] = "112"
    return EventLog.from_frame(
        frame, lead="case", kind="kind", at="at", agent="agent", data=["amount_req"]
    )


@pytest.fixture
def quick(monkeypatch):
    trees = ConversionModel(rounds=40, patience=10, max_depth=3, learning_rate=0.1)

    def small(*, seed):
        return ChurnModel(estimator=trees, folds=2, seed=seed)

    monkeypatch.setattr(bpic2012_churn, "ChurnModel", small)
    monkeypatch.setattr(brokerage_churn, "ChurnModel", small)


def test_nights_are_those_on_which_the_offer_waits():
    rows = [
        ("a", "O_SENT", "2012-01-01 10:00"), ("a", "O_SENT_BACK", "2012-01-04 00:00"),
        ("b", "O_SENT", "2012-01-02 00:00"), ("b", "A_CANCELLED", "2012-01-03 09:00"),
        ("c", "O_SENT", "2012-01-01 09:00"), ("c", "A_DECLINED", "2012-01-01 17:00"),
        ("d", "O_SENT", "2012-01-03 09:00"), ("e", "A_SUBMITTED", "2012-01-05 12:00"),
        ("f", "O_ACCEPTED", "2012-01-05 12:00"),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["case", "kind", "at"])
    frame["kind"] += "|COMPLETE"
    log = EventLog.from_frame(frame, lead="case", kind="kind", at="at")
    found = bpic2012_churn.open_offers(log, "UTC")
    days = [str(np.datetime64(int(t), "us").astype("datetime64[D]"))[-2:] for t in found.as_of_us]
    assert sorted(zip(found.lead.values(), days, strict=True)) == [
        ("a", "02"), ("a", "03"), ("b", "03"), ("d", "04"), ("d", "05"),
    ]  # fmt: skip
    assert (np.diff(found.as_of_us) >= 0).all()


@pytest.mark.usefixtures("quick")
def test_the_protocol_finds_what_was_planted_and_repeats():
    log = like_the_challenge()
    told: list[str] = []
    found = bpic2012_churn.evaluate_bpic2012_churn(log, seed=2, tell=told.append)
    assert len(told) == 5
    assert found.to_json() == bpic2012_churn.evaluate_bpic2012_churn(log, seed=2).to_json()
    json.dumps(found.to_json(), allow_nan=False)
    for days in ("7d", "14d", "30d"):
        assert found.metrics[f"roc_auc_{days}"] > 0.7
        assert found.metrics[f"brier_{days}"] < found.baselines_by_name["curve"][f"brier_{days}"]
        assert f"coverage_90_{days}" in found.metrics
    assert found.metrics["auc_ends_cancelled"] > 0.7
    assert set(found.baselines) <= set(found.metrics)


@pytest.mark.usefixtures("quick")
def test_what_training_cases_do_after_the_split_changes_nothing():
    frame = like_the_challenge(200).to_frame()
    sent = frame[frame["kind"] == "O_SENT|COMPLETE"].sort_values("at")
    early = set(sent["lead"].iloc[:100])
    split = sent["at"].iloc[121]
    late = frame["lead"].isin(early) & (frame["at"] > split + DAY)
    assert late.sum() > 5
    changed = frame[~late]
    figures = []
    for one in (frame, changed):
        log = EventLog.from_frame(
            one, lead="lead", kind="kind", at="at", id="id", agent="agent", data=["amount_req"]
        )
        figures.append(bpic2012_churn.evaluate_bpic2012_churn(log).metrics)
    for name in figures[0]:
        assert figures[0][name] == figures[1][name], name


def test_another_log_is_refused_by_name():
    frame = pd.DataFrame({"who": ["a"], "what": ["Inquiry"], "when": ["2026-01-01"]})
    log = EventLog.from_frame(frame, lead="who", kind="what", at="when")
    with pytest.raises(UnknownName, match=r"O_SENT\|COMPLETE"):
        bpic2012_churn.evaluate_bpic2012_churn(log)


@pytest.mark.usefixtures("quick")
def test_the_brokerage_is_judged_beside_its_truth(monkeypatch):
    monkeypatch.setattr(brokerage_churn, "NIGHTS", 8000)
    made = simulate(400, 240, seed=1)
    found = brokerage_churn.evaluate_brokerage_churn(made, seed=1)
    json.dumps(found.to_json(), allow_nan=False)
    for days in ("7d", "14d", "30d"):
        ours, truth = (found.metrics[f"{n}roc_auc_{days}"] for n in ("", "truth_"))
        assert 0.6 < ours < truth
        assert found.metrics[f"truth_log_loss_{days}"] < found.metrics[f"log_loss_{days}"]
        assert 0 < found.metrics[f"gap_to_truth_{days}"] < 0.4
    assert found.counts["test_nights"] > 300


@dataclass(frozen=True)
class Nobody:
    log: EventLog
    truth: None = None


def test_too_few_leads_are_refused():
    frame = pd.DataFrame({"who": ["a"], "what": ["Inquiry"], "when": ["2026-01-01"]})
    log = EventLog.from_frame(frame, lead="who", kind="what", at="when")
    with pytest.raises(BadInput):
        brokerage_churn.evaluate_brokerage_churn(Nobody(log))


@pytest.mark.data
def test_offers_of_the_challenge(challenge):
    """5,015 offers, of which 4,933 waited a night; every night lies in an open offer."""
    found = bpic2012_churn.open_offers(challenge)
    assert len(found) == 74_228
    assert len(np.unique(found.lead.codes)) == 4_933
