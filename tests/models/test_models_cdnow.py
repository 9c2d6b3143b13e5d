from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from leadlab.errors import BadInput
from leadlab.features import build
from leadlab.models.protocols import cdnow
from leadlab.models.protocols.bgnbd import bgnbd, repeat_purchases
from leadlab.models.protocols.repurchase import RepurchaseModel, scale_free
from leadlab.schema.log import EventLog

START = pd.Timestamp("1997-01-01", tz="UTC")


def buyers(n=500, seed=0, days=546):
    """A cohort as BG/NBD has it: gamma rates, and a chance to be gone after each purchase."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        day, rate, gone = float(rng.integers(0, 84)), rng.gamma(0.6, 1 / 40), rng.beta(1.0, 3.0)
        while day < days:
            rows.append((f"{i:05d}", int(day), float(rng.gamma(2, 15)), float(rng.integers(1, 4))))
            if rng.random() < gone:
                break
            day += 1 + rng.exponential(1 / rate)
    rows.append(("00000", days - 1, 10.0, 1.0))
    rows.append(("00001", 0, 10.0, 1.0))
    frame = pd.DataFrame(rows, columns=["who", "day", "value", "cds"])
    return EventLog.from_frame(
        frame.assign(kind="Purchase", at=START + pd.to_timedelta(frame["day"], unit="D")),
        lead="who",
        kind="kind",
        at="at",
        value="value",
        data=["cds"],
    )


@pytest.fixture
def without_bgnbd(monkeypatch):
    """The fit takes long, and has a test of its own."""
    monkeypatch.setattr(
        cdnow,
        "bgnbd",
        lambda seen, weeks: (np.full(len(seen), 0.3), seen["frequency"].to_numpy(float)),
    )


@pytest.mark.usefixtures("without_bgnbd")
def test_the_protocol_finds_who_returns_and_repeats():
    log = buyers()
    told: list[str] = []
    found = cdnow.evaluate_cdnow(log, seed=1, tell=told.append)
    assert found.to_json() == cdnow.evaluate_cdnow(log, seed=1).to_json()
    assert len(told) == 3
    assert found.metrics["roc_auc"] > 0.7
    assert found.metrics["brier_skill"] > 0
    assert found.counts["customers"] == 500
    json.dumps(found.to_json(), allow_nan=False)
    assert {"bg/nbd", "bg/nbd expected", "most recent first"} == set(found.baselines_by_name)


@pytest.mark.usefixtures("without_bgnbd")
def test_nothing_after_week_39_reaches_a_probability(monkeypatch):
    seen = []
    judge = cdnow.held_out_figures
    monkeypatch.setattr(
        cdnow, "held_out_figures", lambda y, p, **o: seen.append((y, p)) or judge(y, p, **o)
    )
    frame = buyers(300).to_frame()
    late = frame["at"] >= START + pd.Timedelta(days=cdnow.DAYS)
    names = np.random.default_rng(0).choice(frame["lead"].unique(), late.sum())
    for later in (frame[late], frame[late].assign(lead=names)):
        log = EventLog.from_frame(
            pd.concat([frame[~late], later]),
            lead="lead",
            kind="kind",
            at="at",
            id="id",
            value="value",
            data=["cds"],
        )
        cdnow.evaluate_cdnow(log)
    (y, p), (y_other, p_other) = seen[0], seen[2]
    assert (y != y_other).any()
    np.testing.assert_array_equal(p, p_other)


def test_a_short_log_is_refused():
    with pytest.raises(BadInput, match="39 weeks and 39 more"):
        cdnow.evaluate_cdnow(buyers(30, days=400))


def test_features_have_no_scale_of_time():
    """Twice as slow a life, looked at twice as far ahead, looks the same (smoothing apart)."""
    tables = []
    for stretch in (100, 200):
        days = np.array([0, 2, 5]) * stretch
        frame = pd.DataFrame({"who": "a", "what": "Purchase", "usd": 10.0, "cds": 1.0,
                              "when": START + pd.to_timedelta(days, unit="D")})  # fmt: skip
        log = EventLog.from_frame(
            frame, lead="who", kind="what", at="when", value="usd", data=["cds"]
        )
        until_us = int(log.at_us[0]) + 8 * stretch * 86_400_000_000
        table = build(log, cdnow.features(), np.array([until_us]))
        tables.append(scale_free(table, 4.0 * stretch).iloc[0])
    np.testing.assert_allclose(tables[0], tables[1], atol=0.06)
    assert tables[0]["repeats"] == pytest.approx(np.log(2.25))
    assert tables[0]["quiet_share"] == pytest.approx(3 / 8)


def test_the_line_carries_on_beyond_what_was_seen():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(4000, 2))
    y = rng.random(4000) < 1 / (1 + np.exp(-2 * X[:, 0]))
    model = RepurchaseModel(rounds=30).fit(X, y)
    p = model.predict_proba([[1.0, 0.0], [3.0, 0.0]])[:, 1]
    assert p[1] > p[0] + 0.05


def test_repeat_purchases_are_days_and_weeks():
    day = ["1970-01-01", "1970-01-01", "1970-01-08", "1970-01-22", "1970-02-05"]
    frame = pd.DataFrame({"who": "ann", "what": "Purchase", "when": day})
    log = EventLog.from_frame(frame, lead="who", kind="what", at="when")
    seen = repeat_purchases(log, 28).iloc[0]
    assert seen[["frequency", "recency", "T"]].tolist() == [2.0, 3.0, 4.0]


@pytest.mark.data
def test_bgnbd_says_what_its_package_says_where_that_agrees_with_itself(public_data):
    """On a twentieth of the customers; the fit takes some seconds."""
    import warnings  # noqa: PLC0415  (only here)

    from leadlab.data.cdnow import read  # noqa: PLC0415  (only where the data is)

    log = read(public_data / "cdnow" / "CDNOW_master.txt")
    seen = repeat_purchases(log, int(log.at_us[0] // 86_400_000_000) + 272).iloc[::20]
    chance, expected = bgnbd(seen, 39)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pymc_marketing.clv import BetaGeoModel  # noqa: PLC0415  (slow to import)

        model = BetaGeoModel(data=seen)
        model.fit(method="map", progressbar=False)
        none = model.expected_probability_no_purchase(t=39).mean(("chain", "draw")).to_numpy()
    again = seen["frequency"].to_numpy() > 0
    np.testing.assert_allclose(chance[again], 1 - none[again], atol=1e-6)
    assert ((chance >= 0) & (chance <= 1)).all()
    assert (expected > 0).all()
