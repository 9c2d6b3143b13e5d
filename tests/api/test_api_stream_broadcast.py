"""Who gets which message, in one event loop and without a network."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.api.broadcast import Broadcast
from leadlab.api.filters import Wanted, filters_of
from leadlab.api.frames import SOCKET
from leadlab.errors import BadInput, StoreFailed
from leadlab.stream.message import TOPICS, Message
from tests.api.listeners import heard, messages, principal, score

NAMES = st.sampled_from(["ann", "bo", "cy"])
AGENTS = st.sampled_from(["agent-1", "agent-2"])
TENANTS = st.sampled_from(["t", "u"])
MESSAGES = st.builds(
    lambda **fields: Message(**fields, body={"tenant": fields["tenant"]}),
    topic=st.sampled_from(TOPICS),
    tenant=TENANTS,
    at_us=st.integers(0, 9),
    key=NAMES,
    lead=st.none() | NAMES,
    agent=st.none() | AGENTS,
    tier=st.sampled_from([None, "cold", "warm", "hot"]),
)
WANTED = st.builds(
    Wanted,
    topics=st.lists(st.sampled_from(TOPICS), max_size=3),
    agents=st.lists(AGENTS, max_size=2),
    leads=st.lists(NAMES, max_size=2),
)


def quick(**options: Any) -> Broadcast:
    return Broadcast(**{"capacity": 100, "flush_s": 0.0, "epoch": "e", **options})


def numbers(frames: list[Any]) -> list[int]:
    return [int(one["cursor"].split("-")[1]) for one in messages(frames)]


@settings(deadline=None)
@given(st.lists(st.lists(MESSAGES, max_size=6), max_size=6), WANTED, TENANTS, st.booleans())
def test_a_client_gets_what_it_asked_for_and_nothing_of_others(batches, wanted, tenant, bound):
    """Against a plain reading of the rules, message by message; on every topic."""
    who = principal(tenant, "agent", "agent-1") if bound else principal(tenant, "manager")

    def due(one: Message) -> bool:
        return (
            one.tenant == tenant
            and (not bound or one.agent == "agent-1")
            and (not wanted.topics or one.topic in wanted.topics)
            and (not wanted.agents or one.agent in wanted.agents)
            and (not wanted.leads or one.lead in wanted.leads)
        )

    async def run() -> None:
        broadcast = quick()
        async with broadcast.serving():
            member = await broadcast.subscribe(who, wanted, SOCKET)
            await heard(member)
            for batch in batches:
                broadcast.publish(batch)
                newest = {(one.tenant, one.topic, one.key): one for one in batch}
                last = [one for one in batch if newest[one.tenant, one.topic, one.key] is one]
                got = messages(await heard(member))
                assert [(one["topic"], one.get("key", ""), one.get("lead")) for one in got] == [
                    (one.topic, one.key, one.lead) for one in last if due(one)
                ]
                assert {one["tenant"] for one in got} | {tenant} == {tenant}
                assert {one["body"]["tenant"] for one in got} | {tenant} == {tenant}

    asyncio.run(run())


@settings(deadline=None)
@given(st.lists(st.lists(NAMES, max_size=5), max_size=8), st.lists(st.booleans(), max_size=8))
def test_a_client_that_reads_now_and_then_ends_with_the_newest_values(batches, reads):
    async def run() -> None:
        broadcast, count = quick(), 0
        async with broadcast.serving():
            member = await broadcast.subscribe(principal(), Wanted(), SOCKET)
            got: dict[str, int] = {}
            last: dict[str, int] = {}
            rising: list[int] = []
            for batch, read in zip(batches, [*reads, *[False] * 8], strict=False):
                batch_ = []
                for lead in batch:
                    count += 1
                    last[lead] = count
                    batch_.append(score(lead, body={"count": count}))
                broadcast.publish(batch_)
                if read:
                    frames = await heard(member)
                    got |= {one["lead"]: one["body"]["count"] for one in messages(frames)}
                    rising += numbers(frames)
            frames = await heard(member)
            got |= {one["lead"]: one["body"]["count"] for one in messages(frames)}
            rising += numbers(frames)
            assert got == last
            assert rising == sorted(set(rising))

    asyncio.run(run())


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=30), st.data())
def test_going_on_from_any_cursor_misses_and_repeats_nothing(leads, data):
    cut = data.draw(st.integers(0, len(leads)))

    async def run() -> None:
        broadcast = quick()
        async with broadcast.serving():
            first = await broadcast.subscribe(principal(), Wanted(), SOCKET)
            frames = []
            for lead in leads[:cut]:
                broadcast.publish([score(lead)])
                frames += await heard(first)
            cursor = first.cursor
            broadcast.leave(first)
            for lead in leads[cut:]:
                broadcast.publish([score(lead)])
            again = await broadcast.subscribe(principal(), Wanted(cursor=cursor), SOCKET)
            more = await heard(again)
            assert more[0]["frame"] == "ready"
            newest = {lead: number for number, lead in enumerate(leads, 1)}
            assert set(numbers(frames)).isdisjoint(numbers(more))
            assert numbers(more) == sorted(one for one in newest.values() if one > cut)
            assert again.cursor == f"e-{len(leads)}"

    asyncio.run(run())


@pytest.mark.parametrize("cursor", ["0", "d-1", "e-9", "e--1", "e-x", "e-٣", "", "e-1"])
def test_a_cursor_that_is_no_longer_known_resets_and_gives_the_state_of_this_tenant(cursor):
    """``e-1`` was given out, but what followed it was dropped since."""

    def state(tenant: str, filters: Any) -> list[Message]:
        return [score("ann", agent="agent-1"), score("eve", "u"), score("bo", agent="agent-2")]

    async def run(who: Any) -> list[Any]:
        broadcast = quick(snapshot=state, capacity=3)
        broadcast.publish([score(f"lead-{i}") for i in range(6)])
        async with broadcast.serving():
            member = await broadcast.subscribe(who, Wanted(cursor=cursor), SOCKET)
            broadcast.publish([score("cy", agent="agent-1")])
            return await heard(member)

    reset, told, ready, live = asyncio.run(run(principal()))
    assert (reset["frame"], ready["frame"], ready["cursor"]) == ("reset", "ready", "e-6")
    assert [one["lead"] for one in told] == ["ann", "bo"]
    assert {reset["cursor"], *(one["cursor"] for one in told)} == {"none"}, "no half a state"
    assert [one["lead"] for one in live] == ["cy"]
    own = messages(asyncio.run(run(principal("t", "agent", "agent-1"))))
    assert [one["lead"] for one in own] == ["ann", "cy"]


def test_the_state_is_gathered_once_for_all_who_are_reset_together():
    calls, go = [], threading.Event()

    def state(tenant: str, filters: Any) -> list[Message]:
        calls.append(tenant)
        assert go.wait(30)
        return [score("ann")]

    async def run() -> None:
        broadcast = quick(snapshot=state)
        async with broadcast.serving():
            joins = []
            for _ in range(20):
                asked = broadcast.subscribe(principal(), Wanted(cursor="0"), SOCKET)
                joins.append(asyncio.ensure_future(asked))
                await asyncio.sleep(0)
                broadcast.publish([score(f"new-{len(joins)}")])
                await asyncio.sleep(0.001)
            joins[0].cancel()
            go.set()
            for member in await asyncio.gather(*joins[1:]):
                leads = [one["lead"] for one in messages(await heard(member))]
                assert leads == ["ann", *(f"new-{i}" for i in range(1, 21))]
            assert broadcast.clients == 19

    asyncio.run(run())
    assert calls == ["t"]


def test_a_state_that_cannot_be_had_is_said_and_leaves_nobody_behind():
    def state(tenant: str, filters: Any) -> list[Message]:
        raise StoreFailed("the state cannot be read")

    async def run() -> None:
        broadcast = quick(snapshot=state)
        async with broadcast.serving():
            for _ in range(2):
                with pytest.raises(StoreFailed):
                    await broadcast.subscribe(principal(), Wanted(cursor="0"), SOCKET)
            assert broadcast.clients == 0

    asyncio.run(run())


def test_an_agent_without_a_name_gets_nothing_and_none_can_ask_for_anothers_leads():
    async def run() -> None:
        broadcast = quick()
        async with broadcast.serving():
            nameless = await broadcast.subscribe(principal("t", "agent"), Wanted(), SOCKET)
            one = principal("t", "agent", "agent-1")
            greedy = await broadcast.subscribe(one, Wanted(agents=["agent-2"]), SOCKET)
            await broadcast.change(greedy, Wanted(agents=["agent-2", "agent-1"], leads=["ann"]))
            both = [score("ann", agent="agent-2"), score("bo", agent="agent-1"), score("cy")]
            broadcast.publish(both)
            assert messages(await heard(nameless)) == []
            assert messages(await heard(greedy)) == []
            broadcast.publish([score("ann", agent="agent-1")])
            assert [one["agent"] for one in messages(await heard(greedy))] == ["agent-1"]

    asyncio.run(run())


def test_changed_filters_go_on_from_where_the_client_was():
    async def run() -> None:
        broadcast = quick()
        async with broadcast.serving():
            member = await broadcast.subscribe(principal(), Wanted(leads=["ann"]), SOCKET)
            await heard(member)
            broadcast.publish([score("ann"), score("bo")])
            await broadcast.change(member, Wanted(leads=["ann"]))
            await broadcast.change(member, Wanted(leads=["bo"]))
            assert [one["lead"] for one in messages(await heard(member))] == ["bo"]
            broadcast.publish([score("ann"), score("bo")])
            assert [one["lead"] for one in messages(await heard(member))] == ["bo"]
            await broadcast.change(member, Wanted(leads=["bo"]))
            broadcast.publish([score("bo")])
            assert len(messages(await heard(member))) == 1

    asyncio.run(run())


def test_who_is_too_far_behind_is_cut_with_a_cursor_and_misses_nothing():
    async def run() -> None:
        broadcast = quick(queue=3)
        async with broadcast.serving():
            slow, fast = [
                await broadcast.subscribe(principal(), Wanted(), SOCKET) for _ in range(2)
            ]
            await heard(fast)
            assert await slow.next() is not None
            for i in range(3):
                broadcast.publish([score(f"lead-{i}")] * 5)
                await heard(fast)
            assert slow.farewell is None, "the same leads again are not more to tell"
            broadcast.publish([score("lead-3")])
            assert len(messages(await heard(fast))) == 1
            assert slow.farewell is not None
            assert (slow.farewell.code, slow.farewell.name) == (4008, "slow")
            assert await slow.next() is None
            broadcast.leave(slow)
            again = await broadcast.subscribe(principal(), Wanted(cursor=slow.cursor), SOCKET)
            leads = [one["lead"] for one in messages(await heard(again))]
            assert leads == [f"lead-{i}" for i in range(4)]

    asyncio.run(run())


def test_more_than_is_kept_between_two_releases_cuts_rather_than_skips():
    async def run() -> None:
        broadcast = quick(capacity=5)
        async with broadcast.serving():
            member = await broadcast.subscribe(principal(), Wanted(), SOCKET)
            await heard(member)
            broadcast.publish([score(f"lead-{i}") for i in range(6)])
            assert messages(await heard(member)) == []
            assert member.farewell is not None
            again = await broadcast.subscribe(principal(), Wanted(cursor=member.cursor), SOCKET)
            assert (await heard(again))[0]["frame"] == "reset"

    asyncio.run(run())


def test_a_large_batch_does_not_cut_a_client_that_reads_and_comes_in_small_frames():
    async def run() -> None:
        broadcast = quick(capacity=1_000, queue=10)
        async with broadcast.serving():
            member = await broadcast.subscribe(principal(), Wanted(), SOCKET)
            await heard(member)
            broadcast.publish([score(f"lead-{i}") for i in range(1_000)])
            frames = await heard(member)
            assert numbers(frames) == [*range(1, 1_001)]
            assert max(len(frame) for frame in frames) <= 256
            assert member.farewell is None

    asyncio.run(run())


def test_threads_may_publish_at_once_and_every_client_hears_all():
    async def run() -> None:
        broadcast = quick(capacity=10_000)
        async with broadcast.serving():
            members = [await broadcast.subscribe(principal(), Wanted(), SOCKET) for _ in range(100)]

            def play(name: str) -> None:
                for i in range(200):
                    broadcast.publish([score(f"{name}-{i}")])

            players = [asyncio.to_thread(play, name) for name in "abc"]
            await asyncio.gather(*players)
            await asyncio.sleep(0.05)
            for member in members:
                assert numbers(await heard(member)) == [*range(1, 601)]

    asyncio.run(run())


def test_a_frame_is_made_once_for_all_who_stand_at_the_same_place():
    frames = []

    async def run() -> None:
        broadcast = quick()
        async with broadcast.serving():
            members = [await broadcast.subscribe(principal(), Wanted(), SOCKET) for _ in range(10)]
            for member in members:
                await member.next()
            broadcast.publish([score("ann"), score("bo")])
            frames.extend([await member.next() for member in members])

    asyncio.run(run())
    assert len({id(frame) for frame in frames}) == 1


def test_one_loop_at_a_time_and_bounds_that_make_sense():
    async def run() -> None:
        broadcast = quick()
        async with broadcast.serving():
            with pytest.raises(BadInput, match="one event loop"):
                async with broadcast.serving():
                    pass
        broadcast.publish([score("ann")])
        async with broadcast.serving():
            member = await broadcast.subscribe(principal(), Wanted(cursor="e-0"), SOCKET)
            assert numbers(await heard(member)) == [1]

    asyncio.run(run())
    for wrong in ({"capacity": 0}, {"queue": 0}, {"heartbeat_s": 0.0}, {"patience_s": -1.0}):
        with pytest.raises(BadInput):
            quick(**wrong)


def test_nothing_stays_of_clients_that_have_left():
    async def run() -> None:
        broadcast = quick()
        async with broadcast.serving():
            for i in range(50):
                wanted = Wanted(leads=[f"lead-{i}"], agents=[f"agent-{i}"])
                member = await broadcast.subscribe(principal(), wanted, SOCKET)
                broadcast.leave(member)
            channel = broadcast._channels["t"]
            assert not channel._audiences
            assert not channel._shelves

    asyncio.run(run())


def test_equal_wishes_in_another_order_make_one_audience():
    one, other = Wanted(leads=["a", "b"]), Wanted(leads=["b", "a", "b"])
    assert filters_of(one) == filters_of(other)
    assert replace(filters_of(one), own=frozenset()) != filters_of(one)


def test_a_stream_ends_with_the_proof_that_opened_it():
    async def run() -> None:
        broadcast = quick()
        async with broadcast.serving():
            short = replace(principal(), until_s=100.0, key_id="jwt:short")
            taken = replace(principal(), key_id="key:taken")
            members = [
                await broadcast.subscribe(who, Wanted(), SOCKET)
                for who in (short, taken, principal())
            ]
            broadcast.end_proofs(99.0, frozenset())
            assert [m.farewell for m in members] == [None, None, None]
            broadcast.end_proofs(100.0, frozenset({"key:taken"}))
            assert [m.farewell and m.farewell.code for m in members] == [4401, 4401, None]

    asyncio.run(run())
