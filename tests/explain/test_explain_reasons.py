"""Reasons add up to the score, and what moved it is named with its event."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadlab.data import simulate
from leadlab.errors import BadInput
from leadlab.explain import Scorer, Scores, changes, reasons
from leadlab.explain.sentences import phrase, quantity
from leadlab.features import (
    FeatureSet,
    Moments,
    build,
    catalogue,
    count,
    events,
    hour,
    is_latest,
    mean,
    number,
    recency,
    response,
    trend,
    waiting,
    weekday,
)
from leadlab.models.conversion import ConversionModel
from leadlab.schema import Coded, EventLog

SHOWINGS = events("Showing Completed", noun="showing")
ASKED = events("Incoming Message", noun="message")


@pytest.fixture(scope="module")
def log() -> EventLog:
    return simulate(300, 200, seed=4).log


@pytest.fixture(scope="module")
def scorer(log: EventLog) -> Scorer:
    table = build(log, catalogue())
    label = np.nan_to_num(table.column("message_sentiment_mean_30d")) > 0.2
    return Scorer(ConversionModel(rounds=60).fit(table, label), catalogue(), "test")


@pytest.fixture(scope="module")
def scores(log: EventLog, scorer: Scorer) -> Scores:
    return scorer.score(build(log, catalogue(), at=["2025-06-01"]))


def test_reasons_of_all_families_and_the_base_are_the_margin(scores: Scores) -> None:
    for row in range(0, len(scores), 7):
        found = reasons(scores, row, top=1000)
        total = scores.base + sum(r.effect for r in found)
        assert total == pytest.approx(scores.margin[row], abs=1e-6)
        sizes = [abs(r.effect) for r in found]
        assert sizes == sorted(sizes, reverse=True)
        assert len({r.family for r in found}) == len(found)
        assert all(r.text for r in found)


def test_a_reason_names_values_that_pull_its_own_way(scores: Scores) -> None:
    for row in range(0, len(scores), 11):
        for reason in reasons(scores, row, top=3):
            strongest = scores.table.names.index(reason.features[0])
            said = phrase(
                scores.table.features.features[strongest],
                float(scores.table.values[row, strongest]),
            )
            if scores.contributions[row, strongest] * reason.effect > 0:
                assert said.lower()[:12] in reason.text.lower() or "than in the" in reason.text


def test_a_count_is_told_with_its_trend() -> None:
    features = FeatureSet([count(SHOWINGS, "7d"), trend(SHOWINGS, "7d")])
    frame = pd.DataFrame(
        {
            "lead": "ann",
            "kind": "Showing Completed",
            "at": ["2026-01-05", "2026-01-12", "2026-01-13", "2026-01-14"],
        }
    )
    log = EventLog.from_frame(frame, lead="lead", kind="kind", at="at")
    table = build(log, features, at=["2026-01-14"])
    p, low, high, margin = (np.array([x]) for x in (0.6, 0.4, 0.8, 0.4))
    scores = Scores(
        table, p, low, high, margin, np.array([[0.3, 0.1]]), 0.0, "exact table", "", "m"
    )
    assert reasons(scores, 0)[0].text == "3 showings in 7 days, 2 more than in the 7 days before"


def test_changes_add_up_and_name_the_event_that_did_it(log: EventLog, scorer: Scorer) -> None:
    lead = max(log.lead.names, key=lambda name: len(log.for_leads([name])))
    own = log.for_leads([lead])
    asked = Moments(Coded.constant("default", 2), Coded.constant(lead, 2), own.at_us[-2:])
    both = scorer.score(build(log, scorer.features, asked))
    before, after = both.take(np.array([0])), both.take(np.array([1]))
    moved = changes(before, after, 0, own, top=1000)
    total = sum(c.effect for c in moved)
    assert total == pytest.approx(after.margin[0] - before.margin[0], abs=1e-5)
    last = own.kind.values()[-1]
    assert {c.event for c in moved} <= {last, None}
    assert changes(before, before, 0, own) == []


def test_other_features_are_refused(scorer: Scorer, log: EventLog) -> None:
    with pytest.raises(BadInput, match="not the model's features"):
        scorer.score(build(log, FeatureSet([count(SHOWINGS)])))


@pytest.mark.parametrize(
    ("feature", "value", "text"),
    [
        (count(SHOWINGS, "7d"), 1, "1 showing in 7 days"),
        (count(SHOWINGS), 0, "no showings so far"),
        (trend(SHOWINGS, "7d"), -2, "2 fewer showings in 7 days than in the 7 days before"),
        (trend(SHOWINGS, "7d"), 0, "as many showings in 7 days as in the 7 days before"),
        (recency(SHOWINGS), 1.0, "last showing 1 day ago"),
        (recency(SHOWINGS), np.nan, "no showing yet"),
        (waiting(response(ASKED, SHOWINGS)), 0.5, "a message has waited 30 minutes for an answer"),
        (waiting(response(ASKED, SHOWINGS)), np.nan, "no message waits for an answer"),
        (is_latest("channel", "web"), 1, "channel is web"),
        (is_latest("channel", "web"), 0, "channel is not web"),
        (hour(), 23.9999, "at 00:00"),
        (hour(), 9.5, "at 09:30"),
        (weekday(), 6, "on a Sunday"),
        (
            mean(number("value", SHOWINGS, noun="price", unit="USD"), "30d"),
            1234567.0,
            "mean price of showings in 30 days $1,234,567",
        ),
        (mean(number("x", SHOWINGS), "30d"), np.nan, "mean x of showings in 30 days unknown"),
    ],
)
def test_phrases(feature: object, value: float, text: str) -> None:
    assert phrase(feature, float(value)) == text


@pytest.mark.parametrize("feature", list(catalogue()), ids=lambda f: f.name)
@pytest.mark.parametrize("value", [0.0, 1.0, 3.5, np.nan])
def test_every_feature_of_the_catalogue_has_words(feature: object, value: float) -> None:
    said = phrase(feature, value)
    assert said
    assert "nan" not in said.split()


def test_quantities_keep_sign_and_unit() -> None:
    assert quantity(-1500, "USD") == "-$1,500"
    assert quantity(-2, "hours") == "-2 hours"
    assert quantity(0.0001, "days") == "0.1 minutes"
    assert quantity(1e6, "events") == "1,000,000"
