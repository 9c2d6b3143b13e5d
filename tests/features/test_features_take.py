"""`OnlineStore.take` is `add` and `read`, event by event, however events are cut into batches."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from leadlab.features import FeatureSet, OnlineStore
from leadlab.features.arrival import ADDED, DUPLICATE, LATE, TOO_LATE
from leadlab.features.online import SEPARATOR
from leadlab.schema.log import EventLog
from tests.features.naive import Row
from tests.features.test_features_exact import FEATURES, HOUR_US, log_of, rows

DAY_US = 24 * HOUR_US
LEADS_ONLY = FeatureSet([f for f in FEATURES if f.entity == "lead"])


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[EventLog, NDArray[np.int64]]:
    """Events in any order with repeats, and a clock a tenant that none of them is ahead of."""
    known: list[Row] = draw(rows(max_size=20))
    again = draw(st.lists(st.sampled_from(known), max_size=6))
    given_ = draw(st.permutations([*known, *again]))
    clocks: dict[str, int] = {}
    as_of_us = []
    for row in given_:
        ahead_us = draw(st.sampled_from([0, 0, HOUR_US, 3 * DAY_US]))
        clock_us = max(clocks.get(row.tenant, 0), row.at_us) + ahead_us
        clocks[row.tenant] = clock_us
        as_of_us.append(clock_us)
    return log_of(given_), np.array(as_of_us, np.int64)


def one_by_one(
    store: OnlineStore, log: EventLog, as_of_us: NDArray[np.int64]
) -> tuple[NDArray[np.float32], list[int]]:
    """What `take` promises, said with `add` and `read`."""
    values, status = [np.zeros((0, len(store.features)), np.float32)], []
    for k in range(len(log)):
        one = log.take(np.array([k]))
        took = store.add(one)
        status.append(
            DUPLICATE if took.duplicates else TOO_LATE if took.too_late
            else LATE if took.late else ADDED
        )  # fmt: skip
        lead, tenant = one.lead.values()[0], one.tenant.values()[0]
        values.append(store.read([lead], int(as_of_us[k]), tenant=tenant).values)
    return np.concatenate(values), status


def in_batches(
    store: OnlineStore, log: EventLog, as_of_us: NDArray[np.int64], cuts: list[int]
) -> tuple[NDArray[np.float32], list[int], list[int]]:
    values, status, slots = [np.zeros((0, len(store.features)), np.float32)], [], []
    ends = sorted({min(cut, len(log)) for cut in cuts} | {len(log)})
    for start, end in zip([0, *ends], ends, strict=False):
        part = np.arange(start, end)
        took = store.take(log.take(part), as_of_us[part])
        values.append(took.values)
        status += took.status.tolist()
        slots += took.slots.tolist()
    return np.concatenate(values), status, slots


CUTS = st.lists(st.integers(0, 26), max_size=5)


@settings(deadline=None, max_examples=60)
@given(arrivals(), CUTS, st.booleans())
def test_take_is_add_and_read_event_by_event(
    came: tuple[EventLog, NDArray[np.int64]], cuts: list[int], leads_only: bool
) -> None:
    log, as_of_us = came
    features = LEADS_ONLY if leads_only else FEATURES
    values, status, _ = in_batches(OnlineStore(features), log, as_of_us, cuts)
    expected, said = one_by_one(OnlineStore(features), log, as_of_us)
    assert status == said
    np.testing.assert_array_equal(values, expected)


@settings(deadline=None, max_examples=40)
@given(arrivals(), CUTS)
def test_slots_count_leads_by_first_appearance(
    came: tuple[EventLog, NDArray[np.int64]], cuts: list[int]
) -> None:
    log, as_of_us = came
    store = OnlineStore(FEATURES)
    _, _, slots = in_batches(store, log, as_of_us, cuts)
    keys = [
        tenant + SEPARATOR + lead
        for tenant, lead in zip(log.tenant.values(), log.lead.values(), strict=True)
    ]
    number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    assert slots == [number[key] for key in keys]
    assert store.stores["lead"].slots == number


@settings(deadline=None, max_examples=40)
@given(arrivals(), arrivals(), CUTS, st.integers(0, 8))
def test_take_goes_on_after_letting_go(
    before: tuple[EventLog, NDArray[np.int64]],
    after: tuple[EventLog, NDArray[np.int64]],
    cuts: list[int],
    lateness_days: int,
) -> None:
    """Both ways let go at the same moment; events before it are late for both or too late."""
    (log, as_of_us), (later, later_us) = before, after
    shift_us = 3 * DAY_US
    ids = np.array([f"later {name}" for name in later.id], dtype=object)
    later = EventLog(
        ids, later.tenant, later.lead, later.kind, later.at_us + shift_us, later.value,
        later.agent, later.source, later.data,
    )  # fmt: skip
    start_us = int(as_of_us.max())
    later_us = np.maximum(later_us + shift_us, start_us)
    one, other = OnlineStore(FEATURES), OnlineStore(FEATURES)
    in_batches(one, log, as_of_us, cuts)
    one_by_one(other, log, as_of_us)
    let_go_us = start_us - lateness_days * DAY_US
    assert one.evict(let_go_us) == other.evict(let_go_us)
    for again, again_us in ((later, later_us), (log, np.full(len(log), int(later_us.max())))):
        values, status, _ = in_batches(one, again, again_us, cuts)
        expected, said = one_by_one(other, again, again_us)
        assert status == said
        np.testing.assert_array_equal(values, expected)


@settings(deadline=None, max_examples=60)
@given(arrivals(), st.integers(0, 26))
def test_take_and_add_may_take_turns(came: tuple[EventLog, NDArray[np.int64]], cut: int) -> None:
    log, as_of_us = came
    first, rest = np.arange(min(cut, len(log))), np.arange(min(cut, len(log)), len(log))
    store, other = OnlineStore(FEATURES), OnlineStore(FEATURES)
    store.add(log.take(first).canonical())
    took = store.take(log.take(rest), as_of_us[rest])
    one_by_one(other, log.take(first), as_of_us[first])
    expected, said = one_by_one(other, log.take(rest), as_of_us[rest])
    assert took.status.tolist() == said
    np.testing.assert_array_equal(took.values, expected)
