"""Insights: each handler where its ground is and nowhere else; foreign ones beside them, fenced."""

from __future__ import annotations

import importlib
import math
import sys
import textwrap
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.data import simulate
from leadlab.errors import BadInput
from leadlab.explain import Evidence, Finding, Scorer, insights
from leadlab.explain.insights import Insight, _ranked, built_in
from leadlab.features import build, catalogue
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.plugins import load_plugin
from leadlab.models.health.assess import assess_health
from leadlab.schema import EventLog

NOW = pd.Timestamp("2026-03-20 12:00", tz="UTC")


@dataclass
class Talk:
    """A conversation as some reader might give it."""

    open_objections: dict[str, float] = field(default_factory=dict)
    unanswered: tuple[str, ...] = ()


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    table = build(simulate(80, 90, seed=3).log, catalogue())
    model = ConversionModel(rounds=5).fit(table, table.column("offer_count_30d") > 0)
    return Scorer(model, catalogue(), "example")


def happened(*events: tuple[str, float], **data: list[object]) -> EventLog:
    """Events of one lead: kind and hours ago."""
    frame = pd.DataFrame(
        {
            "lead": "ann",
            "kind": [kind for kind, _ in events],
            "at": [NOW - pd.Timedelta(hours=ago) for _, ago in events],
            **data,
        }
    )
    return EventLog.from_frame(frame, lead="lead", kind="kind", at="at", data=list(data))


def seen(scorer, log, **more):
    table = build(log, scorer.features, np.array([NOW.value // 1000]))
    health = assess_health(table)
    return insights(scorer.score(table), 0, health=health, events=log, **more)


def of(found, kind):
    return [one for one in found.found if one.kind == kind]


def test_each_ground_gives_its_insight_with_the_events_it_rests_on(scorer):
    grounds = {
        "urgency": [("Outgoing Call", 30.0), ("Property Inquiry", 2.0)],
        "offer waiting": [("Offer Submitted", 20.0)],
        "price negotiation": [("Offer Submitted", 60.0), ("Offer Rejected", 40.0)],
        "showing follow-up": [("Outgoing Call", 50.0), ("Showing Completed", 20.0)],
        "showing cancelled": [("Showing Scheduled", 80.0), ("Showing Cancelled", 20.0)],
        "no consent": [("Viewed Property", 40.0), ("Unsubscribed", 20.0)],
        "referral": [("Offer Submitted", 900.0), ("Closed", 20.0)],
        "cooling": [*[("Viewed Property", 24.0 * d) for d in range(8, 14)],
                    ("Registration", 500.0), ("Viewed Page", 150.0)],
    }  # fmt: skip
    for kind, events in grounds.items():
        found = seen(scorer, happened(*events))
        assert not found.refused
        (one,) = of(found, kind)
        assert one.evidence and one.focus and not one.text[0].islower()
        assert 0 < one.priority <= 100 and one.confidence == 1.0
        assert all(e.kind in dict(events) for e in one.evidence)


@pytest.mark.parametrize(
    ("kind", "events"),
    [
        ("urgency", [("Property Inquiry", 9.0), ("Outgoing Call", 2.0)]),
        ("offer waiting", [("Offer Submitted", 20.0), ("Offer Rejected", 10.0)]),
        ("price negotiation", [("Offer Rejected", 40.0), ("Offer Submitted", 20.0)]),
        ("price negotiation", [("Offer Submitted", 900.0), ("Offer Rejected", 800.0)]),
        ("showing follow-up", [("Showing Completed", 20.0), ("Outgoing Message", 3.0)]),
        ("showing follow-up", [("Showing Completed", 24.0 * 8)]),
        ("showing cancelled", [("Showing Cancelled", 20.0), ("Showing Requested", 3.0)]),
        ("cooling", [("Registration", 30.0), ("Viewed Page", 2.0)]),
        ("hot opportunity", [("Viewed Page", 2.0)]),
        ("referral", [("Viewed Page", 2.0)]),
    ],
)
def test_without_its_ground_nothing_is_said(scorer, kind, events):
    assert of(seen(scorer, happened(*events)), kind) == []


def test_a_lead_that_does_everything_is_a_hot_opportunity(scorer):
    kinds = [
        "Viewed Property",
        "Saved Property",
        "Incoming Call",
        "Incoming Message",
        "Showing Requested",
        "Showing Scheduled",
        "Showing Completed",
        "Outgoing Call",
    ]
    events = [(kind, 24.0 * d) for d in range(1, 12) for kind in kinds]
    (one,) = of(seen(scorer, happened(*events, ("Offer Submitted", 3.0))), "hot opportunity")
    assert {e.kind for e in one.evidence} <= {"Showing Requested", "Showing Scheduled",
                                              "Showing Completed", "Offer Submitted"}  # fmt: skip
    assert one.evidence[0].kind == "Offer Submitted"


def test_what_messages_were_measured_as_is_as_sure_as_it_is_strong(scorer):
    log = happened(("Incoming Message", 40.0), ("Incoming Message", 2.0),
                   sentiment=[0.5, -0.6], urgency=[0.1, 0.9])  # fmt: skip
    found = seen(scorer, log)
    (mood,) = of(found, "displeased")
    assert mood.confidence == pytest.approx(0.6) and "-0.60" in mood.text
    pressing = [one for one in of(found, "urgency") if "pressing" in one.text]
    assert pressing[0].confidence == pytest.approx(0.9)
    assert len(pressing[0].evidence) == len(mood.evidence) == 1
    calm = happened(("Incoming Message", 2.0), sentiment=[0.1], urgency=[0.3])
    assert of(seen(scorer, calm), "displeased") == []


def test_a_conversation_and_a_forecast_are_taken_where_they_are_given(scorer):
    log = happened(("Offer Submitted", 90.0), ("Incoming Message", 2.0))
    plain = {one.kind for one in seen(scorer, log).found}
    talk = Talk({"price": 0.8, "timing": 0.6, "competitor": 0.7}, ("How old is the roof?", "Why?"))
    silence = {"p_7d": 0.95, "p_30d": 0.82, "expected_days": 26.0, "level": "critical"}
    found = seen(scorer, log, conversation=talk, silence=silence)
    new = {one.kind for one in found.found} - plain
    assert new == {"objection", "competitor threat", "unanswered question", "price negotiation",
                   "churn risk"}  # fmt: skip
    assert {one.text.split(": ")[1].split(" ")[0] for one in of(found, "objection")} == {
        "price", "timing"}  # fmt: skip
    assert of(found, "objection")[0].confidence == 0.8
    (asked,) = of(found, "unanswered question")
    assert "roof" in asked.text and "1 more" in asked.text
    assert [e.kind for e in asked.evidence] == ["Incoming Message"]
    (risk,) = of(found, "churn risk")
    assert risk.confidence == 0.82 and "30 days" in risk.text
    low = seen(
        scorer, log, silence={"p_7d": 0.2, "p_30d": 0.1, "expected_days": 2.0, "level": "low"}
    )
    assert of(low, "churn risk") == []


def test_a_question_is_quoted_without_what_tells_who_asks(scorer):
    talk = Talk({}, ("Can you call me at 206-555-0134 or ann.smith@example.com?",))
    (asked,) = of(seen(scorer, happened(("Incoming Message", 2.0)), conversation=talk),
                  "unanswered question")  # fmt: skip
    assert "555" not in asked.text and "@" not in asked.text and "[phone]" in asked.text


def test_what_came_later_says_nothing(scorer):
    past = [("Property Inquiry", 30.0), ("Showing Completed", 20.0)]
    future = [("Offer Submitted", -2.0), ("Outgoing Call", -1.0), ("Unsubscribed", -3.0)]
    ids = {"id": [f"e{i}" for i in range(5)]}
    frames = []
    for events in (past, past + future):
        frame = pd.DataFrame({"lead": "ann", "kind": [k for k, _ in events],
                              "at": [NOW - pd.Timedelta(hours=h) for _, h in events],
                              "id": ids["id"][: len(events)]})  # fmt: skip
        frames.append(EventLog.from_frame(frame, lead="lead", kind="kind", at="at", id="id"))
    known, more = (seen(scorer, log) for log in frames)
    assert known.found and known.found == more.found


def test_health_of_other_rows_is_refused(scorer):
    log = happened(("Inquiry", 3.0))
    table = build(log, scorer.features, np.array([NOW.value // 1000]))
    with pytest.raises(BadInput, match="other rows"):
        insights(
            scorer.score(table), 0, health=assess_health(build(simulate(5, 9).log, catalogue()))
        )


INSIGHT = st.builds(
    Insight,
    text=st.sampled_from(["A.", "a. ", "B.", "C."]),
    handler=st.sampled_from(["x", "y"]),
    package=st.just("p"),
    kind=st.sampled_from(["one", "two"]),
    priority=st.floats(0, 100),
    confidence=st.floats(0, 1) | st.just(math.nan),
    evidence=st.sampled_from([(), (Evidence("1", "K", 1),), (Evidence("2", "K", 2),)]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(INSIGHT, max_size=12), st.randoms())
def test_each_thing_is_said_once_and_the_weightiest_first(found, random):
    kept = _ranked(found)
    priorities = [one.priority for one in kept]
    assert priorities == sorted(priorities, reverse=True)
    said = [(one.kind, one.text.strip().lower()) for one in kept]
    assert len(set(said)) == len(said)
    assert {(one.kind, one.text.strip().lower()) for one in found} >= set(said)
    if found:
        assert kept[0].priority == max(one.priority for one in found)
    mixed = list(found)
    random.shuffle(mixed)
    assert [repr(one) for one in _ranked(mixed)] == [repr(one) for one in kept]
    assert [repr(one) for one in _ranked(kept)] == [repr(one) for one in kept]


@pytest.mark.parametrize(
    "wrong",
    [{"priority": 101}, {"priority": math.nan}, {"confidence": -0.1}, {"confidence": "sure"},
     {"kind": ""}, {"text": "  "}, {"evidence": ["e1"]}, {"text": None}],
)  # fmt: skip
def test_findings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(BadInput):
        Finding(**{"kind": "k", "text": "T.", "priority": 1.0, "confidence": 1.0, **wrong})


def test_every_handler_of_the_package_loads_and_is_documented():
    assert len(built_in()) >= 12
    for handler in built_in():
        assert load_plugin(handler).__doc__
        assert handler.package.startswith("leadlab ")


CODE = """
    from leadlab.explain import Evidence, Finding


    def budget(known):
        yield Finding("budget", f"Viewed {known.value('property_view_count_30d'):.0f}.", 99.0, 0.4,
                      known.last(["Viewed Property"]), "Ask.")
        yield "A bare sentence."


    def older(scores, row):
        yield f"Row {row}."


    def later(known):
        yield Finding("later", "Rests on what is to come.", 1.0, 1.0,
                      (Evidence("tomorrow", "Closed", known.as_of_us + 1),))


    def invented(known):
        yield Finding("invented", "Rests on nothing.", 1.0, 1.0, (Evidence("none", "Closed", 0),))


    def half(known):
        yield "Said before it broke."
        raise ArithmeticError("oh")


    def outside(known):
        yield Finding("outside", "Too much.", 400.0, 1.0)


    def misspelt(known):
        yield str(known.scores.table.features["property_vew_count_30d"])


    def nothing(known):
        return None


    def text(known):
        return "One text."


    def three(a, b, c):
        return []


    number = 7
"""
NAMES = ("budget", "older", "later", "invented", "half", "outside", "misspelt", "nothing", "text",
         "three", "number", "urgency")  # fmt: skip


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    info = tmp_path / "their_insights-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-insights\nVersion: 2.0\n")
    lines = [f"{name} = their_handlers:{name}" for name in NAMES]
    (info / "entry_points.txt").write_text("[leadlab.insights]\n" + "\n".join(lines) + "\n")
    (tmp_path / "their_handlers.py").write_text(textwrap.dedent(CODE))
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield
    sys.modules.pop("their_handlers", None)


def test_a_users_handler_stands_beside_the_others_and_broken_ones_are_named(theirs, scorer):
    log = happened(("Viewed Property", 5.0), ("Property Inquiry", 2.0))
    found = seen(scorer, log)
    first = found.found[0]
    assert (first.kind, first.text, first.confidence) == ("budget", "Viewed 1.", 0.4)
    assert first.package == "their-insights 2.0" and first.evidence[0].kind == "Viewed Property"
    assert of(found, "urgency")[0].package.startswith("leadlab ")
    notes = [one.text for one in found.found if one.kind == "note"]
    assert sorted(notes) == ["A bare sentence.", "Row 0."]
    assert [one.kind for one in found.found[-2:]] == ["note", "note"]
    reasons = {
        "later": "did not have yet", "invented": "did not have yet", "half": "ArithmeticError: oh",
        "outside": "outside its range", "misspelt": "property_view_count_30d",
        "nothing": "NoneType", "text": "one text", "three": "TypeError", "number": "TypeError",
    }  # fmt: skip
    assert len(found.refused) == len(reasons)
    for name, said in reasons.items():
        (one,) = [str(error) for error in found.refused if f"'{name}'" in str(error)]
        assert said in one and "their-insights 2.0" in one
