"""The e-mail experiment: its reader, and the protocol on planted and on real customers."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold

from leadlab.data import hillstrom, load
from leadlab.data.table import LeadTable
from leadlab.errors import BadInput, BrokenFile, DataUnavailable
from leadlab.models.protocols import hillstrom as protocol
from leadlab.models.protocols.hillstrom import ARMS, PEER, evaluate_hillstrom, numbers


def planted(n=1800, seed=0, gain=0.3):
    """Each e-mail works only on those who bought such things."""
    rng = np.random.default_rng(seed)
    arm = rng.choice(list(ARMS.values()), n)
    mens = rng.integers(0, 2, n)
    helped = np.where(mens == 1, arm == ARMS["mens"], arm == ARMS["womens"])
    visit = (rng.random(n) < 0.2 + gain * helped).astype(int)
    conversion = visit * (rng.random(n) < 0.3)
    frame = pd.DataFrame(
        {
            "recency": rng.integers(1, 13, n),
            "history_segment": "1) $0 - $100",
            "history": rng.exponential(200, n).round(2),
            "mens": mens,
            "womens": 1 - mens,
            "zip_code": rng.choice(["Urban", "Rural"], n),
            "newbie": rng.integers(0, 2, n),
            "channel": rng.choice(["Web", "Phone"], n),
            "segment": arm,
            "visit": visit,
            "conversion": conversion.astype(int),
            "spend": conversion * 50.0,
        }
    )
    return table_of(frame)


def table_of(frame):
    return LeadTable("hillstrom", frame, "visit", (), ("segment", "conversion", "spend"),
                     ("history_segment", "womens"), (), np.arange(len(frame)))  # fmt: skip


def run(table):
    """The protocol's figures, and what models that saw none of a fold's rows say of them."""
    held = []
    valued = protocol._valued

    def spy(logs, found, seed):
        held.append(found)
        return valued(logs, found, seed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "_valued", spy)
        told: list[str] = []
        found = evaluate_hillstrom(table, members=2, tell=told.append)
    assert len(told) == 7
    return found, held[0]


@pytest.fixture(scope="module")
def first():
    return run(planted())


def test_the_protocol_finds_what_was_planted(first):
    found = first[0]
    m = found.metrics
    json.dumps(found.to_json(), allow_nan=False)
    assert m["visit"] == pytest.approx(0.5, abs=0.05)
    assert m["visit_low"] < m["visit"] < m["visit_high"]
    assert m["visit"] == pytest.approx(m["visit_ips"], abs=0.05)
    for other in ("mens_to_all", "womens_to_all", "none_to_all", "random"):
        assert m[f"visit_gain_over_{other}_low"] > 0.03
    assert m["qini_mens"] > 0.1 and m["qini_womens"] > 0.1
    assert m["share_none"] < 0.1
    others = found.baselines_by_name
    assert set(others) == {"random", PEER, *(f"{name} to all" for name in ARMS)}
    assert others["mens to all"]["visit"] == pytest.approx(0.35, abs=0.05)
    assert others["none to all"]["visit"] == pytest.approx(0.2, abs=0.04)
    gain = m["visit"] - others["mens to all"]["visit"]
    assert m["visit_gain_over_mens_to_all"] == pytest.approx(gain)


def test_the_same_seed_gives_the_same_figures(first):
    assert run(planted())[0].to_json() == first[0].to_json()


def test_without_any_effect_no_gain_is_claimed():
    found = evaluate_hillstrom(planted(gain=0.0), members=2).metrics
    low, high = (found[f"visit_gain_over_random_{end}"] for end in ("low", "high"))
    assert low < 0.02 and high > -0.02
    assert abs(found["qini_mens"]) < 0.15


def test_no_customer_is_judged_by_a_model_that_saw_the_outcome(first):
    """Held-out predictions of a fold stay when only that fold's outcomes change."""
    table, before = planted(), first[1]
    arm = table.frame["segment"].map({v: i for i, v in enumerate(ARMS.values())}).to_numpy()
    sides = StratifiedKFold(5, shuffle=True, random_state=0)
    test = next(iter(sides.split(arm, arm)))[1]
    frame = table.frame.copy()
    for outcome in ("visit", "conversion", "spend"):
        column = frame.columns.get_loc(outcome)
        frame.iloc[test, column] = 1 - frame.iloc[test, column]
    after = run(table_of(frame))[1]
    for name in ("effect", "thompson", "peer"):
        assert np.array_equal(getattr(before, name)[test], getattr(after, name)[test])
    for name in before.expected:
        assert np.array_equal(before.expected[name][test], after.expected[name][test])
    assert not np.array_equal(before.effect, after.effect)


def test_a_missing_arm_is_named():
    frame = planted(60).frame
    frame = frame[frame["segment"] != ARMS["womens"]]
    with pytest.raises(BadInput, match="arm"):
        evaluate_hillstrom(table_of(frame))


def test_numbers_hold_no_outcome():
    table = planted(50)
    assert not set(numbers(table.frame[table.features])) & {"visit", "conversion", "spend"}


def written(tmp_path, **changed):
    row = dict(zip(hillstrom.COLUMNS, [10, "2) $100 - $200", 142.44, 1, 0, "Surburban", 0, "Web",
                                       "Mens E-Mail", 1, 0, 0.0], strict=True))  # fmt: skip
    place = tmp_path / "hillstrom.csv"
    pd.DataFrame([row, {**row, **changed}]).to_csv(place, index=False)
    return place


def test_the_reader_keeps_arms_and_outcomes_from_the_features(tmp_path):
    table = hillstrom.read(written(tmp_path, recency=3))
    assert not set(table.features) & {"segment", "visit", "conversion", "spend"}
    assert set(table.why_leaky) == set(table.leaky)
    with pytest.raises(DataUnavailable):
        hillstrom.read(tmp_path / "none.csv")


@pytest.mark.parametrize(
    "changed",
    [{"segment": "Kids E-Mail"}, {"visit": 2}, {"visit": 0, "conversion": 1}, {"spend": -1.0},
     {"history": "many"}],
)  # fmt: skip
def test_another_table_is_refused(tmp_path, changed):
    with pytest.raises(BrokenFile, match=r"hillstrom\.csv"):
        hillstrom.read(written(tmp_path, **changed))


@pytest.mark.data
@pytest.mark.usefixtures("public_data")
def test_the_published_experiment_reads_and_the_protocol_runs_on_a_part_of_it():
    table = load("hillstrom")
    frame = table.frame
    assert frame.shape == (64_000, 12)
    assert frame["visit"].mean() == pytest.approx(0.1468, abs=1e-4)
    assert frame["conversion"].mean() == pytest.approx(0.0090, abs=1e-4)
    assert frame["spend"].mean() == pytest.approx(1.0509, abs=1e-4)
    part = frame.sample(6000, random_state=0).reset_index(drop=True)
    found = evaluate_hillstrom(table_of(part), members=2)
    assert found.metrics["visit_gain_over_none_to_all_low"] > 0
    assert found.counts["customers"] == 6000
    arms = part.groupby("segment")["visit"].mean()
    for name, arm in ARMS.items():
        value = found.baselines_by_name[f"{name} to all"]["visit"]
        assert value == pytest.approx(arms[arm], abs=0.015)
