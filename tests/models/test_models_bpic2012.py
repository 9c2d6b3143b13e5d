from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leadlab.errors import UnknownName
from leadlab.models.conversion import ConversionModel
from leadlab.models.protocols import bpic2012
from leadlab.models.protocols.evaluation import Evaluation, best_of
from leadlab.schema.log import EventLog

STEPS = ["A_SUBMITTED|COMPLETE", "O_SENT|COMPLETE", "W_Calling|START", "W_Calling|COMPLETE"]
ENDS = {
    "O_ACCEPTED|COMPLETE": "A_APPROVED|COMPLETE",
    "O_DECLINED|COMPLETE": "A_DECLINED|COMPLETE",
    "O_CANCELLED|COMPLETE": "A_CANCELLED|COMPLETE",
}


def like_the_challenge(cases=240, seed=0):
    """Cases whose amount decides: small ones accepted, large ones declined, the rest cancelled."""
    rng = np.random.default_rng(seed)
    rows = []
    for case in range(cases):
        amount = float(rng.choice([1000, 5000, 9000]))
        end = list(ENDS)[[1000, 9000, 5000].index(amount) if rng.random() < 0.9 else 2]
        calls = int(rng.integers(1, 4))
        kinds = [*STEPS[:2], *STEPS[2:] * calls, end, ENDS[end]]
        hours = case * 6 + np.cumsum(rng.exponential(5, len(kinds)))
        rows += [(f"case {case}", k, h, amount) for k, h in zip(kinds, hours, strict=True)]
    frame = pd.DataFrame(rows, columns=["case", "kind", "hours", "amount_req"])
    at = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(frame["hours"], unit="h")
    return EventLog.from_frame(
        frame.assign(at=at), lead="case", kind="kind", at="at", data=["amount_req"]
    )


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(
        bpic2012, "model", lambda seed: ConversionModel(rounds=20, min_child_weight=2, seed=seed)
    )


@pytest.mark.usefixtures("quick")
def test_the_protocol_finds_what_was_planted_and_repeats():
    log = like_the_challenge()
    steps: list[str] = []
    found = bpic2012.evaluate_bpic2012(log, seed=3, tell=steps.append)
    again = bpic2012.evaluate_bpic2012(log, seed=3)
    assert found.to_json() == again.to_json()
    expected = [f"auc_{v}{o}" for v in ("", "strict_", "known_") for o in bpic2012.OUTCOMES]
    assert list(found.metrics) == list(found.baselines) == expected
    assert all(value > 0.8 for value in found.metrics.values())
    assert found.baselines_by_name["base rate"]["auc_accepted"] == 0.5
    assert set(expected) <= set(steps)
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert {"name", "protocol", "seed", "metrics", "baselines", "versions"} <= set(told)
    assert len(found.to_frame()) == len(expected)


@pytest.mark.usefixtures("quick")
def test_what_happens_after_a_strict_prefix_changes_no_figure(monkeypatch):
    """Events after the outcome's first sign may be anything."""
    real = bpic2012.task
    # Shorter than every case, since the quantile of case lengths sees whole cases.
    monkeypatch.setattr(bpic2012, "task", lambda log: replace(real(log), longest=5))
    log = like_the_challenge(120)
    before = bpic2012.evaluate_bpic2012(log, seed=0)
    frame = log.to_frame()
    last = frame.groupby("lead")["at"].transform("max")
    noise = frame[frame["at"] == last].assign(kind="W_Calling|START", id=lambda f: f["id"] + "x")
    noise["at"] += pd.Timedelta(minutes=1)
    noisy = EventLog.from_frame(
        pd.concat([frame, noise]), lead="lead", kind="kind", at="at", id="id", data=["amount_req"]
    )
    after = bpic2012.evaluate_bpic2012(noisy, seed=0)
    for name in before.metrics:
        if "strict" in name or "known" in name:
            assert after.metrics[name] == before.metrics[name]


def test_another_log_is_refused_by_name():
    log = EventLog.from_frame(
        pd.DataFrame({"who": ["a"], "what": ["Inquiry"], "when": ["2026-01-01"]}),
        lead="who",
        kind="what",
        at="when",
    )
    with pytest.raises(UnknownName, match=r"O_ACCEPTED\|COMPLETE"):
        bpic2012.evaluate_bpic2012(log)


def test_an_undefined_figure_is_null_for_machines():
    figures = {"auc": float("nan")}
    told = Evaluation("x", "p", 0, figures, best_of({"base": figures})).to_json()
    assert told["metrics"] == {"auc": None}
    assert told["baselines"] == {"auc": None}


@pytest.mark.data
def test_cases_and_prefixes_are_those_of_the_paper(challenge):
    """4,685 cases, 186,693 events, longest prefix 40, 48 / 17 / 35 percent."""
    what = bpic2012.task(challenge)
    found = bpic2012.prefixes(challenge, what)
    assert (found.cases, found.train_cases, len(found.row)) == (4685, 3748, 186_693)
    assert [found.longest(i, what) for i in range(3)] == [40, 40, 40]
    assert np.bincount(found.outcome[found.length == 1]).tolist() == [2243, 802, 1640]
    kinds = challenge.kind.codes[found.row]
    told = np.isin(kinds[found.undecided], [challenge.kind.index[k] for k in what.telling])
    assert not told.any()
