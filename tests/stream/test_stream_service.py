"""The service: durable, once, the same after any stop, and in one piece whoever fails around it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from leadlab.errors import BadInput, BrokenFile, LeadlabError, Overloaded, StoreFailed
from leadlab.stream import checkpoint, live_engine
from leadlab.stream.journal import Journal
from leadlab.stream.lane import Lane
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.outcome import Outcome
from leadlab.stream.pacing import Pacing
from leadlab.stream.plan import Plan
from leadlab.stream.result_store import ResultStore
from leadlab.stream.service import Service
from leadlab.stream.sink import Sink
from tests.stream.scenes import DAY_US, as_they_come, entries_of, mismatches, scorer, tenants

CAME = as_they_come(tenants(("acme", "best")), seed=2)
EVENTS = entries_of(CAME).events
GRID = sorted({*range(0, len(CAME), 7), *range(0, len(CAME), 50)})
QUIET = Pacing(batch=16, tick_s=60.0, checkpoint_s=3600.0)
PLANS: dict[str, Callable[[], Plan]] = {
    "one": lambda: Plan(scorer()),
    "two": lambda: Plan(scorer("two", 20)),
    "rules": Plan,
}


def plan_of(version: str) -> Plan:
    return PLANS[version]()


def service_of(
    home: Path, sinks: Sequence[Sink] = (), *, version: str = "one", pacing: Pacing = QUIET,
    clock: Callable[[], int] | None = None,
) -> Service:  # fmt: skip
    ticking = {} if clock is None else {"clock": clock}
    return Service(
        home, lambda: LiveEngine(plan_of(version)), sinks, pacing=pacing, plan_of=plan_of, **ticking
    )


def feed(service: Service, start: int, end: int) -> None:
    """Arrivals between two multiples of 50, always in the same requests."""
    ends = sorted({*(at for at in GRID if start < at < end), start, end})
    for at, until in itertools.pairwise(ends):
        part = CAME[at:until]
        service.submit([event for event, _ in part], stamp_us=part[-1][1])


def keep(service: Service) -> None:
    """Write a checkpoint now."""
    service._keep()
    assert service._writer is not None
    service._writer.join()


def die(service: Service) -> None:
    """End without a checkpoint or a farewell, as far as a process can do it to itself."""
    service.status.state = "failed"
    service.stop()


def kept(home: Path) -> tuple[NDArray[Any], list[str]]:
    """Rows on disk, and the version that each was scored by."""
    store = ResultStore(home / "results.db")
    rows, models = store.read(0, 10**9)
    store.close()
    names = [models[code] for code in rows["model"]]
    rows["model"] = 0
    return rows, names


def same(one: tuple[NDArray[Any], list[str]], other: tuple[NDArray[Any], list[str]]) -> None:
    assert one[0].tobytes() == other[0].tobytes()
    assert one[1] == other[1]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[NDArray[Any], list[str]]:
    """Rows of a run that nothing happened to; the model was changed behind arrival 200."""
    home = tmp_path_factory.mktemp("undisturbed")
    service = service_of(home)
    service.start()
    feed(service, 0, 200)
    service.settled()
    service.promote(plan_of("two"))
    _switched(service, "two")
    feed(service, 200, len(CAME))
    service.stop()
    rows, names = kept(home)
    assert set(names) == {"one", "two"}
    return rows, names


def _switched(service: Service, version: str) -> None:
    wait(lambda: service.engine.lanes[""].plan.version == version)


def wait(true: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if true():
            return
        threading.Event().wait(0.005)
    pytest.fail("what was waited for did not come")


def test_each_event_once_from_submit_to_result(tmp_path: Path) -> None:
    told: list[Outcome] = []
    service = service_of(tmp_path, [Sink("list", told.append)])
    service.start()
    first = service.submit(EVENTS[:30], stamp_us=1)
    with Journal(tmp_path / "journal.db", read_only=True) as beside:
        assert beside.read(0, 100).events == EVENTS[:30]  # on disk when submit returns
    again = service.submit([*EVENTS[20:40], *EVENTS[38:40]], stamp_us=2)
    assert first.offsets.tolist() == list(range(1, 31))
    assert again.offsets.tolist() == [0] * 10 + list(range(31, 41)) + [0, 0]
    service.settled()
    assert np.concatenate([o.rows["offset"] for o in told]).tolist() == list(range(1, 41))
    assert service.results.read(0, 99)[0]["offset"].tolist() == list(range(1, 41))
    for outcome in told:
        order = ("arrived", "journalled", "features", "scored", "explained", "published")
        stamps = [outcome.receipt[stage] for stage in order]
        assert stamps == sorted(stamps)
    service.stop()
    assert service.status.state == "stopped"


@pytest.mark.parametrize("kept_at", [None, 100, 200, 300])
@pytest.mark.parametrize("restarted_as", ["one", "two"])
def test_a_recovery_writes_the_same_rows(
    tmp_path: Path,
    undisturbed: tuple[NDArray[Any], list[str]],
    kept_at: int | None,
    restarted_as: str,
) -> None:
    """Ended at 350 arrivals with a checkpoint at `kept_at` or none; model changed at 200."""
    service = service_of(tmp_path)
    service.start()
    for at in (100, 200, 300, 350):
        feed(service, {100: 0, 200: 100, 300: 200, 350: 300}[at], at)
        service.settled()
        if at == 200:
            service.promote(plan_of("two"))
            _switched(service, "two")
        if at == kept_at:
            keep(service)
    before = service.results.read(0, 10**9)[0]["offset"]
    die(service)
    again = service_of(tmp_path, version=restarted_as, pacing=replace(QUIET, batch=29))
    again.start()
    assert again.status.recovered_from.startswith("journal" if kept_at is None else "state-")
    again.settled()
    assert again.status.state == "live"
    if restarted_as == "one":  # what was journalled before is scored by what was in force then
        assert again.results.read(0, 10**9)[0]["offset"].tolist() == before.tolist()
        again.promote(plan_of("two"))
        _switched(again, "two")
    feed(again, 350, len(CAME))
    again.stop()
    assert again.status.troubles == {}
    same(kept(tmp_path), undisturbed)


def test_rules_between_two_models_are_made_again_as_rules(tmp_path: Path) -> None:
    for k, version in enumerate(["one", "rules", "two"]):
        service = service_of(tmp_path, version=version)
        service.start()
        feed(service, 100 * k, 100 * k + 100)
        service.settled()
        die(service)
    before = kept(tmp_path)
    assert list(dict.fromkeys(before[1])) == ["one", "rules", "two"]
    again = service_of(tmp_path, version="two")
    again.start()
    assert again.status.replayed == len(before[0])
    again.settled()
    again.stop()
    assert again.status.troubles == {}
    same(kept(tmp_path), before)


def test_a_model_of_then_that_is_gone_is_told(tmp_path: Path) -> None:
    service = service_of(tmp_path)
    service.start()
    feed(service, 0, 50)
    service.settled()
    die(service)
    again = Service(tmp_path, lambda: LiveEngine(plan_of("two")), pacing=QUIET)
    again.start()
    again.settled()
    again.stop()
    assert "not at hand" in again.status.troubles["model one"]
    assert set(kept(tmp_path)[1]) == {"two"}


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(bytes(content))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-200]),
    "empty": lambda path: path.write_bytes(b""),
    "altered": lambda path: _flip(path, path.stat().st_size // 2),
    "altered end": lambda path: _flip(path, path.stat().st_size - 10),
    "something else": lambda path: path.write_bytes(b"\x93NUMPY something else"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_unreadable_checkpoint_gives_way_to_an_older_one(
    tmp_path: Path, undisturbed: tuple[NDArray[Any], list[str]], damage: str
) -> None:
    service = service_of(tmp_path)
    service.start()
    for start, end in ((0, 100), (100, 200)):
        feed(service, start, end)
        service.settled()
        keep(service)
    service.promote(plan_of("two"))
    _switched(service, "two")
    feed(service, 200, 250)
    service.settled()
    die(service)
    newest, older = checkpoint.listed(tmp_path / "checkpoints")
    DAMAGE[damage](newest)
    again = service_of(tmp_path, version="two")
    again.start()
    assert again.status.recovered_from == older.name
    assert "BrokenFile" in again.status.troubles["checkpoint"]
    feed(again, 250, len(CAME))
    again.stop()
    same(kept(tmp_path), undisturbed)


def test_any_damage_to_a_checkpoint_is_found(tmp_path: Path) -> None:
    """Whichever byte is altered, the state is as it was or the file is refused."""
    engine = LiveEngine(Plan(scorer()))
    entries = entries_of(CAME)
    engine.take(entries.take(0, 60))
    path = checkpoint.write(checkpoint.freeze(engine, {"sink": b"state"}), tmp_path)
    whole = path.read_bytes()
    places = np.arange(len(engine.lanes[""].names))
    rng = np.random.default_rng(5)
    heads = [m for m in range(len(whole)) if whole[m : m + 2] == b"PK"]
    near = [at + int(d) for at in heads for d in rng.integers(0, 180, 3) if at + d < len(whole)]
    refused = 0
    for at in [*rng.choice(near, 120), *rng.integers(0, len(whole), 40)]:
        altered = bytearray(whole)
        altered[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(altered))
        again = LiveEngine(Plan(scorer()))
        try:
            states = checkpoint.restore(again, path)
        except BrokenFile:
            refused += 1
            continue
        assert states == {"sink": b"state"}
        assert again.offset == 60
        assert (
            again.lanes[""].book.rows[places].tobytes()
            == engine.lanes[""].book.rows[places].tobytes()
        )
        assert mismatches(again.lanes[""], entries.events[:60], 0)[0] == 0
    assert refused > 100


def test_a_checkpoint_of_other_lanes_is_not_taken(tmp_path: Path) -> None:
    """A tenant that now has a plan of its own must not start with an empty past."""
    service = service_of(tmp_path)
    service.start()
    feed(service, 0, 150)
    service.stop()
    plans = {"best": Plan(scorer("two", 20))}
    again = Service(
        tmp_path, lambda: LiveEngine(Plan(scorer()), plans), pacing=QUIET, plan_of=plan_of
    )
    again.start()
    assert again.status.recovered_from == "journal"
    assert "other plans" in again.status.troubles["checkpoint"]
    again.settled()
    stamp_us = again.journal.last_stamp_us
    events = again.journal.read(0, 10**6).events
    for tenant in ("acme", "best"):
        mine = [event for event in events if event.tenant == tenant]
        assert mismatches(again.engine.lane_of(tenant), mine, stamp_us)[0] == 0
    again.stop()


def test_one_sink_that_raises_does_not_stop_the_others(tmp_path: Path) -> None:
    before: list[int] = []
    after: list[int] = []

    def bad(outcome: Outcome) -> None:
        raise OSError("nobody is there")

    def bad_state() -> bytes:
        raise LeadlabError("no state to be had")

    sinks = [
        Sink("before", lambda outcome: before.extend(outcome.rows["offset"])),
        Sink("bad", bad, state=bad_state),
        Sink("after", lambda outcome: after.extend(outcome.rows["offset"])),
    ]
    service = service_of(tmp_path, sinks, pacing=replace(QUIET, checkpoint_s=0.05))
    service.start()
    feed(service, 0, 100)
    service.settled()
    wait(lambda: "no state" in service.status.troubles.get("bad", ""))
    assert service.status.state == "live"
    service.stop()
    assert before == after == list(range(1, service.engine.offset + 1))
    assert not checkpoint.listed(tmp_path / "checkpoints")  # a sink's past would be lost by it
    assert service.status.trouble_count >= 100 // 16


def test_states_of_sinks_come_back(tmp_path: Path) -> None:
    def counting(found: list[int]) -> Sink:
        def restore(state: bytes) -> None:
            found[:] = [int(state)]

        def take(outcome: Outcome) -> None:
            found[0] += int(outcome.rows["offset"].sum())

        return Sink("sum", take, state=lambda: str(found[0]).encode(), restore=restore)

    first, second, third = [0], [0], [0]
    service = service_of(tmp_path, [counting(first)])
    service.start()
    feed(service, 0, 100)
    service.settled()
    keep(service)
    feed(service, 100, 150)
    service.settled()
    n = service.engine.offset
    die(service)
    assert first == [n * (n + 1) // 2]
    again = service_of(tmp_path, [counting(second)])
    again.start()
    again.settled()
    assert second == first
    again.stop()
    last = service_of(tmp_path, [counting(third)])
    last.start()
    last.stop()
    assert third == first
    assert last.status.replayed == 0


def test_too_much_is_refused_and_may_be_sent_again(tmp_path: Path) -> None:
    gate, entered = threading.Event(), threading.Event()

    def slow(outcome: Outcome) -> None:
        entered.set()
        gate.wait(60)

    service = service_of(tmp_path, [Sink("slow", slow)], pacing=replace(QUIET, lag=20))
    service.start()
    service.submit(EVENTS[:16], stamp_us=1)
    assert entered.wait(60)
    service.submit(EVENTS[16:40], stamp_us=2)
    with pytest.raises(Overloaded):
        service.submit(EVENTS[40:50], stamp_us=3)
    assert service.journal.last == 40
    gate.set()
    service.settled()
    assert service.submit(EVENTS[40:50], stamp_us=3).new == 10
    service.stop()


def test_a_tick_reads_silent_leads_again(tmp_path: Path) -> None:
    """The probability of now moves though nothing happened; results stay."""
    now_us = [CAME[-1][1]]
    reread: list[NDArray[np.int64]] = []

    def note(lane: Lane, places: NDArray[np.int64], before: NDArray[Any]) -> None:
        reread.append(places)
        assert (before["now_us"] < lane.book.rows["now_us"][places]).all()

    service = service_of(
        tmp_path, [Sink("silent", lambda outcome: None, reread=note)],
        pacing=replace(QUIET, tick_s=0.01, active_us=90 * DAY_US), clock=lambda: now_us[0],
    )  # fmt: skip
    service.start()
    feed(service, 0, len(CAME))
    service.settled()
    with service.reading() as engine:
        lane = engine.lanes[""]
        open_leads = np.flatnonzero(lane.book.rows["ended"][: len(lane.names)] < 0)
        before = lane.book.rows[: len(lane.names)].copy()
    rows = service.results.read(0, 10**9)[0].tobytes()
    reread.clear()
    now_us[0] += 25 * DAY_US
    wait(lambda: bool((lane.book.rows["now_us"][open_leads] >= now_us[0]).all()))
    with service.reading():
        after = lane.book.rows[: len(lane.names)].copy()
        for place in open_leads:
            table = lane.read(*_one(lane.names[place]), now_us[0])
            assert after["now"][place] == scorer().score(table).probability[0]
    assert (after["now"][open_leads] != before["now"][open_leads]).any()
    np.testing.assert_array_equal(after["probability"], before["probability"])
    assert set(np.concatenate(reread)) <= set(open_leads.tolist())
    service.stop()
    assert service.results.path.exists()
    assert kept_raw(tmp_path) == rows


def _one(name: tuple[str, str]) -> tuple[str, list[str]]:
    return name[0], [name[1]]


def kept_raw(home: Path) -> bytes:
    store = ResultStore(home / "results.db")
    rows, _ = store.read(0, 10**9)
    store.close()
    return rows.tobytes()


def _room(db: Any, pages: int) -> None:
    used = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count={used + pages}")


def test_results_that_found_no_room_are_written_later(
    tmp_path: Path, undisturbed: tuple[NDArray[Any], list[str]]
) -> None:
    service = service_of(tmp_path, pacing=replace(QUIET, checkpoint_s=0.05))
    service.start()
    feed(service, 0, 50)
    service.settled()
    wait(lambda: service.status.checkpoints > 0)
    _room(service.results._db, 0)
    feed(service, 50, 200)
    service.settled()
    assert "full" in service.status.troubles["results"]
    wait(lambda: "results failed" in service.status.troubles.get("checkpoint", ""))
    oldest = checkpoint.offset_of(checkpoint.listed(tmp_path / "checkpoints")[0])
    assert oldest <= service.results.read(0, 10**9)[0]["offset"].max()
    service.results._db.execute("PRAGMA max_page_count=100000")
    service.promote(plan_of("two"))
    _switched(service, "two")
    feed(service, 200, len(CAME))
    service.stop()
    same(kept(tmp_path), undisturbed)


def test_a_crash_while_results_find_no_room_loses_none(
    tmp_path: Path, undisturbed: tuple[NDArray[Any], list[str]]
) -> None:
    service = service_of(tmp_path)
    service.start()
    feed(service, 0, 50)
    service.settled()
    _room(service.results._db, 0)
    feed(service, 50, 200)
    service.settled()
    service.stop()  # no checkpoint can be written either
    assert service.status.state == "stopped"
    again = service_of(tmp_path)
    again.start()
    again.settled()
    again.promote(plan_of("two"))
    _switched(again, "two")
    feed(again, 200, len(CAME))
    again.stop()
    same(kept(tmp_path), undisturbed)


def test_a_full_journal_refuses_and_goes_on(tmp_path: Path) -> None:
    service = service_of(tmp_path)
    service.start()
    feed(service, 0, 50)
    n = service.journal.last
    _room(service.journal._db, 1)
    many = [replace_id(event, f"more {i}") for i, event in enumerate(EVENTS * 4)]
    with pytest.raises(StoreFailed, match="full"):
        service.submit(many, stamp_us=CAME[-1][1])
    assert service.journal.last == n
    service.promote(plan_of("two"))
    wait(lambda: "model two" in service.status.troubles or _version(service) == "two")
    assert service.status.state == "live"
    service.journal._db.execute("PRAGMA max_page_count=100000")
    _switched(service, "two")
    assert service.submit(many, stamp_us=CAME[-1][1]).new == len(many)
    service.settled()
    service.stop()
    assert kept(tmp_path)[0]["offset"].tolist() == list(range(1, n + len(many) + 1))


def _version(service: Service) -> str:
    return service.engine.lanes[""].plan.version


def replace_id(event: Any, name: str) -> Any:
    import msgspec  # noqa: PLC0415  (this test alone)

    return msgspec.structs.replace(event, id=name)


def test_what_a_crash_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "state-000000000000007.partial").write_bytes(b"half of one")
    service = service_of(tmp_path)
    service.start()
    feed(service, 0, 20)
    service.stop()
    assert [path.suffix for path in folder.iterdir()] == [".npz"]


def test_events_are_let_go_of_at_the_same_offsets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With letting go every 64 entries, a recovery still gives the same rows and features."""
    monkeypatch.setattr(live_engine, "STRIDE", 64)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    service = service_of(whole)
    service.start()
    feed(service, 0, len(CAME))
    service.stop()
    first = service_of(broken, pacing=replace(QUIET, batch=10))
    first.start()
    feed(first, 0, 250)
    first.settled()
    die(first)
    again = service_of(broken, pacing=replace(QUIET, batch=100))
    again.start()
    feed(again, 250, len(CAME))
    again.settled()
    lane, stamp_us = again.engine.lanes[""], again.journal.last_stamp_us
    assert lane.counts.too_late == 0
    assert mismatches(lane, again.journal.read(0, 10**6).events, stamp_us)[0] == 0
    again.stop()
    same(kept(broken), kept(whole))


def test_the_journal_is_trimmed_behind_two_checkpoints(tmp_path: Path) -> None:
    service = service_of(tmp_path, pacing=replace(QUIET, keep=20))
    service.start()
    for start in range(0, 400, 100):
        feed(service, start, start + 100)
        service.settled()
        keep(service)
    first = service.journal.first
    oldest = checkpoint.offset_of(checkpoint.listed(tmp_path / "checkpoints")[-1])
    assert 1 < first <= oldest
    assert len(service.journal.read(oldest, 10**6)) == service.journal.last - oldest
    last = service.journal.last
    die(service)
    newest, _ = checkpoint.listed(tmp_path / "checkpoints")
    newest.write_bytes(b"")
    again = service_of(tmp_path)
    again.start()
    again.settled()
    assert again.engine.offset == last
    die(again)
    for path in checkpoint.listed(tmp_path / "checkpoints"):
        path.unlink()
    with pytest.raises(BrokenFile, match="let go of"):
        service_of(tmp_path).start()
    with pytest.raises(BrokenFile, match="let go of"):  # and the journal is free again
        service_of(tmp_path).start()


def test_a_model_of_foreign_features_is_refused_at_once(tmp_path: Path) -> None:
    service = service_of(tmp_path, version="rules")
    service.start()
    lane = service.engine.lanes[""]
    lane.plan = replace(lane.plan, extra=lane.plan.features)
    foreign = scorer()
    with pytest.raises((BadInput, KeyError)):
        service.promote(Plan(foreign), lane="nobody")
    service.stop()
