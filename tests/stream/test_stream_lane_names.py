"""Every place of a lane bears the name of its own lead, however tenants are mixed."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.schema.wire import WireEvent
from leadlab.stream.entries import Entries
from leadlab.stream.lane import Lane
from leadlab.stream.plan import Plan

WHO = st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"))


@settings(deadline=None, max_examples=40)
@given(batches=st.lists(st.lists(WHO, min_size=1, max_size=6), max_size=4))
def test_places_bear_the_names_of_their_leads(batches: list[list[tuple[str, str]]]) -> None:
    lane, n = Lane(Plan()), 0
    for batch in batches:
        events = [WireEvent(f"e{n + i}", *who, "Inquiry", 5) for i, who in enumerate(batch)]
        offsets = np.arange(n + 1, n + len(events) + 1)
        outcome = lane.take(Entries(events, offsets, np.full(len(events), 9)))
        n += len(events)
        assert [lane.names[place] for place in outcome.rows["place"]] == batch
        assert all(lane.place_of(*who) == lane.names.index(who) for who in batch)
