"""The leak check: planted leaks are flagged with figures, honest columns are not."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.models.tables.leaks import check_leaks


def honest(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    visits = rng.poisson(3, n)
    y = (rng.random(n) < 1 / (1 + np.exp(2 - 0.5 * visits))).astype(int)
    X = pd.DataFrame(
        {
            "visits": visits,
            "minutes": rng.exponential(10, n) + 3 * visits,
            "source": rng.choice(["web", "ad", "fair"], n),
            "budget": np.where(rng.random(n) < 0.3, np.nan, rng.normal(300, 50, n)),
            "city": rng.choice([f"c{i}" for i in range(300)], n),
        }
    )
    return X, y


def kinds(report, column):
    return {flag.kind for flag in report.flags if flag.column == column}


@pytest.mark.parametrize("seed", range(5))
def test_honest_columns_raise_no_flag(seed):
    X, y = honest(seed=seed)
    report = check_leaks(X, y)
    assert report.flags == ()
    assert report.table.empty
    assert (report.rows, report.columns) == (2000, 5)


def test_noise_on_few_rows_raises_no_flag():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = pd.DataFrame(rng.normal(size=(60, 5)), columns=list("abcde"))
        X["text"] = rng.choice(["u", "v", "w"], 60)
        X.loc[rng.random(60) < 0.3, "a"] = np.nan
        assert check_leaks(X, rng.integers(0, 2, 60)).flags == ()


def test_planted_leaks_are_flagged_each_by_its_kind():
    X, y = honest()
    rng = np.random.default_rng(1)
    paid = np.where(y == 1, rng.exponential(100, len(y)) + 1, 0.0)
    X = X.assign(
        paid=paid,
        nearly=np.where(rng.random(len(y)) < 0.02, 1 - y, y),
        note=np.where((y == 1) & (rng.random(len(y)) < 0.6), "thanks", None),
        step=np.where((y == 1) & (rng.random(len(y)) < 0.1), "signed", "talk"),
        customer=[f"id-{i}" for i in range(len(y))],
        Tags=rng.choice(["a", "b"], len(y)),
        minutes_again=X["minutes"],
        budget_source=np.where(X["budget"].notna(), "bank", None),
        declared=rng.normal(size=len(y)),
    )
    report = check_leaks(X, y, later=["declared"])
    assert "nearly the target" in kinds(report, "paid")
    assert kinds(report, "nearly") & {"near-perfect alone", "nearly the target"}
    assert "missing tells" in kinds(report, "note")
    assert "one outcome only" in kinds(report, "step")
    assert kinds(report, "customer") == {"names the row"}
    assert kinds(report, "Tags") == {"by its name"}
    assert kinds(report, "minutes_again") == {"copy of another"}
    assert kinds(report, "declared") == {"declared later"}
    assert not kinds(report, "visits") | kinds(report, "budget") | kinds(report, "city")
    for flag in report.flags:
        assert flag.why
        assert flag.suggestion.endswith(".")
        assert flag.column in flag.why or flag.column in X.columns
    assert json.loads(json.dumps(report.to_json(), allow_nan=False))["columns"] == len(X.columns)


def test_figures_are_held_out_ones():
    X, y = honest(6000)
    leak = np.where(np.random.default_rng(0).random(len(y)) < 0.1, 1 - y, y) + 0.0
    flag = next(f for f in check_leaks(X.assign(x=leak), y).flags if f.column == "x")
    assert flag.figure == pytest.approx(roc_auc_score(y, leak), abs=0.005)
    many = X.assign(x=[f"k{i // 2}" for i in range(len(y))])
    assert not kinds(check_leaks(many, y), "x"), "levels of two rows cannot tell held-out rows"


def test_columns_known_only_where_a_flagged_one_is_go_with_it():
    X, y = honest()
    rng = np.random.default_rng(2)
    known = (y == 1) & (rng.random(len(y)) < 0.7)
    few = np.flatnonzero(known | (rng.random(len(y)) < 0.01))[:60]
    value = np.full(len(y), np.nan)
    value[few] = rng.normal(size=len(few))
    seller = np.where(known | np.isin(np.arange(len(y)), few), "s", None)
    found = check_leaks(X.assign(seller=seller, size=value), y)
    assert "missing tells" in kinds(found, "seller")
    assert kinds(found, "size")


def test_times_later_than_their_row_are_flagged():
    X, y = honest(400)
    at = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(400), unit="h")
    X = X.assign(before=at - pd.Timedelta("1h"), behind=at + pd.Timedelta("1h"))
    report = check_leaks(X, y, at=at.to_numpy())
    assert "later than its row" in kinds(report, "behind")
    assert "later than its row" not in kinds(report, "before")
    texts = X.assign(behind=X["behind"].dt.strftime("%Y-%m-%dT%H:%M:%S"))
    assert "later than its row" in kinds(check_leaks(texts, y, at=at.to_numpy()), "behind")
    assert "later than its row" not in kinds(check_leaks(X, y), "behind")


def test_copies_of_rows_are_told_unless_grouped():
    X, y = honest(300)
    twice, label = pd.concat([X, X], ignore_index=True), np.tile(y, 2)
    flag = next(f for f in check_leaks(twice, label).flags if f.column == "(rows)")
    assert flag.figure == 0.5
    grouped = check_leaks(twice, label, groups=np.tile(np.arange(300), 2))
    assert "(rows)" not in {f.column for f in grouped.flags}


def test_nothing_is_dropped_but_by_a_recorded_decision():
    X, y = honest()
    X = X.assign(paid=y * 2.0, Tags="a")
    before = X.copy()
    report = check_leaks(X, y)
    pd.testing.assert_frame_equal(X, before)
    decision = report.decide(["paid"], by="Ann")
    assert (decision.dropped, decision.kept) == (("paid",), ("Tags",))
    assert decision.say().endswith("left out paid; kept Tags; by Ann.")
    with pytest.raises(UnknownName, match="visits"):
        report.decide(["visits"], by="Ann")


def test_what_cannot_be_checked_is_refused():
    X, y = honest(100)
    with pytest.raises(UnknownName, match="gone"):
        check_leaks(X, y, later=["gone"])
    with pytest.raises(BadInput, match="one class"):
        check_leaks(X, np.zeros(100))
    with pytest.raises(BadInput, match="moment"):
        check_leaks(X, y, at=np.arange(3))
    with pytest.raises(EmptyInput):
        check_leaks(X.iloc[:0], [])


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "alarms"),
    [
        (
            "x_education",
            {
                "What is your current occupation",
                "What matters most to you in choosing a course",
            },
        ),
        ("telco", set()),
        ("bank_marketing", {"pdays"}),
        ("olist_funnel", set()),
    ],
)
def test_known_leaks_of_public_tables_are_found(name, alarms, monkeypatch, public_data):
    """Every column that is known to leak is flagged; false alarms are those named here."""
    from leadlab.data import load  # noqa: PLC0415  (only where the data is)

    monkeypatch.setenv("LEADLAB_DATA_DIR", str(public_data))
    table = load(name)
    frame = table.frame.drop(columns=[table.target])
    report = check_leaks(frame, table.frame[table.target], at=table.at)
    assert set(table.leaky) <= set(report.flagged)
    assert set(report.flagged) - set(table.leaky) - set(table.ids) == alarms
