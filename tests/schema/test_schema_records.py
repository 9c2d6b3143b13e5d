"""The records at the border, the vocabulary, CloudEvents of others, and migrations."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leadlab.errors import BadInput
from leadlab.schema import (
    KINDS,
    Agent,
    Deal,
    Direction,
    Event,
    Lead,
    Message,
    Migrations,
    Property,
    StandardStatus,
    event_from,
    from_cloudevent,
    kind_of,
    kinds,
    log_from_events,
    to_cloudevent,
)
from leadlab.schema.fields import tidy

FIELDS = {"id": "e1", "lead": "ann", "kind": "Inquiry", "at": "2026-01-01T10:00:00Z"}
WIRE = {
    "specversion": "1.0",
    "id": "1",
    "source": "https://crm.example/a%20b",
    "type": "Inquiry",
    "subject": "ann",
    "time": "2026-01-01T10:00:00Z",
}


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"lead": None}, "lead"),
        ({"lead": " \t"}, "lead"),
        ({"lead": "a\x00b"}, "lead"),
        ({"lead": "a\ud800"}, "lead"),
        ({"lead": ["ann"]}, "lead"),
        ({"kind": "k" * 10_001}, "kind"),
        ({"at": "2026-01-01T10:00:00"}, "at"),
        ({"at": "soon"}, "at"),
        ({"at": "1969-12-31T23:59:59Z"}, "at"),
        ({"at": "9999-01-01T00:00:00Z"}, "at"),
        ({"value": float("inf")}, "value"),
        ({"value": 2e15}, "value"),
        ({"value": "four"}, "value"),
        ({"data": {"lead": "x"}}, "data"),
        ({"data": {"x": float("-inf")}}, "data"),
        ({"data": {"x": "t" * 10_001}}, "data"),
        ({"data": {" ": 1}}, "data"),
        ({"data": [1]}, "data"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_event_is_checked_field_by_field(changed, where):
    with pytest.raises(BadInput, match=f"where: {where}"):
        event_from({**FIELDS, **changed})


def test_an_event_is_tidied_and_frozen():
    event = event_from(
        {**FIELDS, "lead": 1001, "agent": " ", "value": float("nan"), "kind": " a  b "}
    )
    assert (event.lead, event.agent, event.value, event.kind) == ("1001", None, None, "a b")
    with pytest.raises(ValidationError):
        event.lead = "bob"


def test_an_event_and_its_column_form_agree():
    events = [
        event_from({**FIELDS, "value": 3, "agent": "kim", "data": {"n": 1, "t": "x", "l": [1]}}),
        event_from({**FIELDS, "id": "e2", "tenant": "acme", "data": {"t": 2, "b": True}}),
    ]
    frame = log_from_events(events).to_frame().set_index("id")
    assert frame.loc["e1", ["tenant", "lead", "value", "agent", "n", "t", "l"]].tolist() == [
        "default", "ann", 3.0, "kim", 1.0, "x", "[1]",
    ]  # fmt: skip
    assert frame.loc["e2", ["tenant", "t", "b"]].tolist() == ["acme", "2", 1.0]
    assert frame["at"].iloc[0] == events[0].at


def test_a_future_event_is_refused_by_the_log():
    late = event_from({**FIELDS, "at": "2026-01-03T00:00:00Z"})
    log = log_from_events([late], now="2026-01-01")
    assert len(log) == 0 and log.refused["reason"].tolist() == ["in the future"]


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"subject": None}, "lead"),
        ({"time": None}, "at"),
        ({"source": ""}, "source"),
        ({"source": None}, "source"),
        ({"data_base64": "AA=="}, "data_base64"),
        ({"datacontenttype": "text/xml"}, "datacontenttype"),
        ({"data": [1]}, "data"),
        ({"data": {"kind": "x"}}, "data"),
        ({"Trace_Id": "x"}, None),
        ({"schemaversion": 2}, "schemaversion"),
        ({"schemaversion": 0}, "schemaversion"),
        ({"schemaversion": "one"}, "schemaversion"),
        ({"schemaversion": True}, "schemaversion"),
    ],
)
def test_a_cloudevent_that_cannot_be_used_says_why(changed, where):
    with pytest.raises(BadInput) as caught:
        from_cloudevent({**WIRE, **changed})
    assert caught.value.where == where


def test_a_cloudevent_of_others():
    foreign = {
        **WIRE,
        "datacontenttype": "application/vnd.crm+json; charset=utf-8",
        "traceparent": "00-1",
        "partitionkey": None,
        "data": {"value": 5, "x": None, "y": "z"},
    }
    event = from_cloudevent(foreign)
    assert event.source == "https://crm.example/a b"
    assert event.data == {"ce_traceparent": "00-1", "y": "z"}
    again = to_cloudevent(event)
    assert again["traceparent"] == "00-1" and again["source"] == WIRE["source"]
    assert again["data"] == {"value": 5.0, "y": "z"}
    assert from_cloudevent(again) == event
    with pytest.raises(BadInput, match="not a CloudEvent"):
        from_cloudevent([1])


def test_migrations_are_chained_and_leave_the_payload_alone():
    steps = (
        Migrations()
        .then(lambda p: {**p, "type": p["type"].title()})
        .then(lambda p: {**p, "data": {**p.get("data", {}), "channel": "web"}})
    )
    assert steps.current == 3
    old = {**WIRE, "type": "viewed property"}
    before = dict(old)
    event = from_cloudevent(old, migrations=steps)
    assert (event.kind, event.data) == ("Viewed Property", {"channel": "web"})
    assert old == before
    newer = from_cloudevent({**old, "schemaversion": "2"}, migrations=steps)
    assert (newer.kind, newer.data) == ("viewed property", {"channel": "web"})
    assert from_cloudevent({**old, "schemaversion": 3}, migrations=steps).data == {}
    with pytest.raises(BadInput, match="newer version than this program knows"):
        from_cloudevent({**old, "schemaversion": 4}, migrations=steps)
    broken = steps.then(lambda p: {"type": p["kind"]})
    with pytest.raises(BadInput, match="from version 3 to 4"):
        from_cloudevent(old, migrations=broken)


def test_the_vocabulary():
    assert {k.name for k in KINDS.values()} == set(KINDS)
    follow_up_boss = (
        "Registration, Inquiry, Seller Inquiry, Property Inquiry, General Inquiry, "
        "Viewed Property, "
        "Saved Property, Visited Website, Incoming Call, Unsubscribed, Property Search, "
        "Saved Property Search, Visited Open House, Viewed Page"
    )
    assert set(follow_up_boss.split(", ")) <= set(kinds(direction=Direction.FROM_LEAD))
    assert set(kinds(direction="from team")).isdisjoint(kinds(direction="from lead"))
    assert sum(len(kinds(direction=d)) for d in Direction) == len(kinds()) == len(KINDS)
    assert not kind_of("Anything else").known


def test_property_takes_either_spelling_and_writes_reso():
    by_alias = Property.model_validate(
        {
            "ListingKey": 5,
            "StandardStatus": "Pending",
            "ListPrice": 1,
            "InternetAddressDisplayYN": True,
        }
    )
    by_name = Property(
        listing_key="5",
        standard_status=StandardStatus.PENDING,
        list_price=1,
        internet_address_display_yn=True,
    )
    assert by_alias == by_name
    dumped = by_name.model_dump(by_alias=True, exclude_none=True, mode="json")
    assert dumped == {
        "ListingKey": "5",
        "tenant": "default",
        "StandardStatus": "Pending",
        "ListPrice": 1.0,
        "InternetAddressDisplayYN": True,
    }
    assert Property.model_validate(dumped) == by_name


RESO = (
    "ListingKey StandardStatus PropertySubType ListPrice OriginalListPrice ClosePrice CloseDate "
    "PurchaseContractDate OnMarketDate DaysOnMarket CumulativeDaysOnMarket BedroomsTotal "
    "BathroomsFull BathroomsHalf BathroomsTotalInteger LivingArea LotSizeSquareFeet YearBuilt "
    "GarageSpaces StoriesTotal WalkScore AssociationFee TaxAnnualAmount ConcessionsAmount Latitude "
    "Longitude PostalCode City InternetEntireListingDisplayYN InternetAddressDisplayYN "
    "InternetAutomatedValuationDisplayYN"
)


def test_every_reso_name_is_spelled_as_reso_does():
    assert {f.alias for f in Property.model_fields.values()} == {*RESO.split(), "tenant"}


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Property, {"listing_key": "1", "list_price": -1}),
        (Property, {"listing_key": "1", "latitude": 91}),
        (Property, {"listing_key": "1", "standard_status": "Sold"}),
        (Lead, {"id": ""}),
        (Lead, {"id": "1", "tags": ["a", "a"]}),
        (Agent, {"id": "1", "capacity_leads": -1}),
        (Message, {**FIELDS, "kind": "x"}),
    ],
)
def test_records_refuse_what_cannot_be(model, fields):
    with pytest.raises(ValidationError):
        model.model_validate(fields)


day = st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 4)).map(
    lambda d: dt.datetime(d.year, d.month, d.day, tzinfo=dt.UTC)
)
maybe = st.none() | day


@given(day, maybe, maybe, maybe)
def test_a_deal_keeps_the_order_of_time(opened, accepted, closed, lost):
    fields = {"accepted_at": accepted, "closed_at": closed, "lost_at": lost}
    end = closed or lost
    sound = (
        not (closed and lost)
        and all(m is None or m >= opened for m in fields.values())
        and not (end and accepted and end < accepted)
    )
    try:
        deal = Deal(id="d", lead="ann", side="buyer", opened_at=opened, **fields)
    except ValidationError:
        assert not sound
    else:
        assert sound and deal.is_open == (closed is None and lost is None)


@pytest.mark.parametrize("channel", ["message", "email", "call"])
@pytest.mark.parametrize("direction", ["from lead", "from team"])
def test_every_message_is_an_event_of_the_vocabulary(channel, direction):
    said = Message(
        id="m", lead="ann", at=FIELDS["at"], direction=direction, channel=channel, text="héllo"
    )
    event = said.event()
    assert isinstance(event, Event)
    kind = KINDS[event.kind]
    assert (kind.direction, kind.channel) == (direction, channel)
    assert event.data["length"] == 5


@given(st.text(max_size=30))
def test_tidy_is_splitting_and_joining(text):
    assert tidy(text) == " ".join(text.split())
