"""Quality of leads: the parts by hand, bounds and independence by Hypothesis."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput
from leadlab.schema import Lead, Weights, score_lead, score_leads

AT = "2026-03-31T00:00:00Z"
WHOLE = {
    "id": "1",
    "name": "A Lead",
    "email": "a.lead@mail.org",
    "phone": "+1 (503) 555-0142",
    "source": "web",
    "stage": "new",
    "agent": "kim",
    "created_at": "2026-03-01T00:00:00Z",
    "last_activity_at": "2026-03-31T00:00:00Z",
    "price_min_usd": 300_000,
    "price_max_usd": 450_000,
    "timeframe_days": 90,
}


def judged(**changed):
    return score_leads(pd.DataFrame([{**WHOLE, **changed}]), at=AT).iloc[0]


def test_a_perfect_lead_scores_100_and_an_empty_one_20():
    assert judged().drop("findings").tolist() == [100.0] * 5
    assert judged()["findings"] == ()
    empty = judged(**dict.fromkeys(WHOLE))
    assert empty[["completeness", "validity", "consistency", "freshness"]].tolist() == [
        0,
        0,
        100,
        0,
    ]
    assert empty["score"] == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("changed", "part", "finding"),
    [
        ({"email": None}, "completeness", "no email"),
        ({"agent": " "}, "completeness", "no agent"),
        ({"email": "a.lead@mail"}, "validity", "e-mail cannot be right"),
        ({"email": "a lead@mail.org"}, "validity", "e-mail cannot be right"),
        ({"email": "a@example.com"}, "validity", "e-mail cannot be right"),
        ({"email": "a@b@mail.org"}, "validity", "e-mail cannot be right"),
        ({"phone": "12345"}, "validity", "phone cannot be right"),
        ({"phone": "call me"}, "validity", "phone cannot be right"),
        ({"phone": "0000000000"}, "validity", "phone cannot be right"),
        ({"price_max_usd": 5}, "validity", "price max cannot be right"),
        ({"price_max_usd": "lots"}, "validity", "price max cannot be right"),
        ({"price_min_usd": -5}, "validity", "price min cannot be right"),
        ({"created_at": "1925-03-01"}, "validity", "created at no possible time"),
        ({"last_activity_at": "2026-04-01"}, "validity", "last active at no possible time"),
        ({"price_min_usd": 500_000}, "consistency", "lowest price above the highest"),
        ({"last_activity_at": "2026-02-01"}, "consistency", "active before it was created"),
        ({"stage": "Offer", "agent": ""}, "consistency", "no agent in a stage that needs one"),
        (
            {"created_at": "2025-01-01", "last_activity_at": "2025-12-01"},
            "freshness",
            "silent for more than 90 days",
        ),
        ({"created_at": None, "last_activity_at": None}, "freshness", "no time of any activity"),
    ],
)
def test_each_fault_lowers_its_part_and_is_told(changed, part, finding):
    row = judged(**changed)
    assert row[part] < 100
    assert row["score"] < 100
    assert finding in row["findings"]


@pytest.mark.parametrize(
    "phone",
    ["503.555.0142", "5035550142", "+49 30 901820", "(503) 555-0142 ext. 7", "503-555-0142 x7"],
)
def test_phones_as_people_write_them(phone):
    assert judged(phone=phone)["validity"] == 100


def test_parts_are_what_the_documentation_says():
    row = judged(email=None, price_min_usd=None, last_activity_at="2026-03-01", phone="1")
    assert row["completeness"] == pytest.approx(100 * (10.5 - 2) / 10.5)
    assert row["validity"] == pytest.approx(100 * 4 / 5)
    assert row["consistency"] == 100
    assert row["freshness"] == pytest.approx(50)
    expected = 0.35 * row["completeness"] + 0.25 * 80 + 0.2 * 100 + 0.2 * 50
    assert row["score"] == pytest.approx(expected)


def test_two_leads_with_one_address_are_told_unless_of_two_tenants():
    leads = pd.DataFrame(
        [
            {**WHOLE, "phone": "503 555 0142", "tenant": "a"},
            {**WHOLE, "email": "A.LEAD@mail.org", "tenant": "a"},
            {**WHOLE, "tenant": "b"},
        ]
    )
    told = score_leads(leads, at=AT)["findings"]
    assert (
        told[0]
        == told[1]
        == (
            "another lead has the same e-mail",
            "another lead has the same phone",
        )
    )
    assert told[2] == ()


def test_weights_are_the_callers():
    fresh_only = Weights(completeness=0, validity=0, consistency=0, freshness=3, half_life_days=15)
    row = score_leads(pd.DataFrame([WHOLE]), at="2026-04-15", weights=fresh_only).iloc[0]
    assert row["score"] == pytest.approx(50)
    one_field = Weights(fields={"phone": 1})
    assert (
        score_leads(pd.DataFrame([{"phone": 1}]), at=AT, weights=one_field)["completeness"][0]
        == 100
    )
    for wrong in (
        {"completeness": -1},
        {"completeness": 0, "validity": 0, "consistency": 0, "freshness": 0},
        {"fields": {}},
        {"fields": {"phone": 0}},
        {"half_life_days": 0},
        {"half_life_days": float("nan")},
    ):
        with pytest.raises(BadInput):
            Weights(**wrong)


def test_no_leads_and_no_columns():
    assert score_leads(pd.DataFrame(), at=AT).empty
    bare = score_leads(pd.DataFrame(index=[7, 7]), at=AT)
    assert bare.index.tolist() == [7, 7]
    assert bare["completeness"].tolist() == [0, 0]
    assert all("no phone" in told for told in bare["findings"])


def test_one_lead_as_a_record():
    lead = Lead.model_validate(WHOLE)
    quality = score_lead(lead, at=AT)
    assert (quality.score, quality.findings) == (100.0, ())


def maybe(*choices):
    return st.sampled_from([None, "", *choices])


leads = st.lists(
    st.fixed_dictionaries(
        {
            "email": maybe("a@mail.org", "b@mail.org", "@", 5),
            "phone": maybe("503 555 0142", 5035550142, float("nan"), "?"),
            "stage": maybe("new", "offer"),
            "agent": maybe("kim"),
            "created_at": maybe("2026-01-01", "soon", pd.Timestamp("2026-02-01"), 1767225600),
            "last_activity_at": maybe("2026-01-15", "2027-01-01"),
            "price_min_usd": maybe(1, "2e5", -1, float("inf"), "x"),
            "price_max_usd": maybe(1, "3e5", 10**18),
        }
    ),
    max_size=12,
)


@given(leads, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=25)
def test_scores_are_bounded_and_do_not_depend_on_the_order(listed, random):
    frame = pd.DataFrame(listed, columns=list(WHOLE), dtype=object)
    before = frame.copy(deep=True)
    scored = score_leads(frame, at=AT)
    pd.testing.assert_frame_equal(frame, before)
    numbers = scored.drop(columns="findings").to_numpy(np.float64)
    assert ((numbers >= 0) & (numbers <= 100)).all()
    order = list(range(len(frame)))
    random.shuffle(order)
    again = score_leads(frame.iloc[order], at=AT)
    pd.testing.assert_frame_equal(
        scored.iloc[order].drop(columns="findings"), again.drop(columns="findings")
    )
    assert [set(f) for f in scored["findings"].iloc[order]] == [set(f) for f in again["findings"]]


@given(leads.filter(bool), st.sampled_from(["email", "phone", "stage", "agent"]))
@settings(deadline=None, max_examples=25)
def test_filling_a_field_never_lowers_completeness(listed, name):
    frame = pd.DataFrame(listed, columns=list(WHOLE), dtype=object)
    filled = frame.assign(**{name: "something"})
    before, after = (score_leads(f, at=AT)["completeness"] for f in (frame, filled))
    assert (after >= before).all()
