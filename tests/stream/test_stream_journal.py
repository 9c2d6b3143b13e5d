"""The journal against a list in memory, and against what disks and processes do to files."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from leadlab.errors import BadInput, BrokenFile, NewerFormat, StoreFailed
from leadlab.schema.wire import WireEvent
from leadlab.stream.group_commit import GroupCommit
from leadlab.stream.journal import Journal


def event(name: object, tenant: str = "acme", **data: Any) -> WireEvent:
    return WireEvent(str(name), tenant, "ann", "Inquiry", 5, data=data)


def events(start: int, n: int, **data: Any) -> list[WireEvent]:
    return [event(i, **data) for i in range(start, start + n)]


class Model(RuleBasedStateMachine):
    """A journal beside a list of (event, stamp); offsets are places in the list, from 1."""

    root: Path

    @initialize(tail=st.sampled_from([1, 5, 100_000]))
    def opened(self, tail: int) -> None:
        self.folder = Path(tempdir(self.root))
        self.tail = tail
        self.kept: list[tuple[WireEvent, int]] = []
        self.known: set[tuple[str, str]] = set()
        self.starts = [1]
        self.first = 1
        self.journal = Journal(self.folder / "journal.db", tail=tail)

    @rule(
        names=st.lists(
            st.tuples(st.integers(0, 40), st.sampled_from(["acme", "best"])), max_size=8
        ),
        stamp_us=st.integers(0, 60),
    )
    def append(self, names: list[tuple[int, str]], stamp_us: int) -> None:
        given = [event(name, tenant, x=float(name)) for name, tenant in names]
        stamp_us_kept = max(stamp_us, self.kept[-1][1] if self.kept else 0)
        wanted, start = [], len(self.kept) + 1
        for one in given:
            key = (one.tenant, one.id)
            if key in self.known:
                wanted.append(0)
                continue
            self.known.add(key)
            self.kept.append((one, stamp_us_kept))
            wanted.append(len(self.kept))
        got = self.journal.append(given, stamp_us)
        assert got.offsets.tolist() == wanted
        assert got.new == sum(offset > 0 for offset in wanted)
        if got.new:
            assert got.stamp_us == stamp_us_kept
            if start > 1:
                self.starts.append(start)

    @rule(after=st.integers(0, 80), most=st.integers(1, 20))
    def read(self, after: int, most: int) -> None:
        got = self.journal.read(after, most)
        start = after if after + 1 >= self.first else int(got.offsets[0]) - 1 if len(got) else after
        assert after <= start < self.first or start == after
        wanted = self.kept[start : start + most]
        assert got.events == [one for one, _ in wanted]
        assert got.stamps_us.tolist() == [stamp_us for _, stamp_us in wanted]
        assert got.offsets.tolist() == list(range(start + 1, start + 1 + len(wanted)))

    @rule(stamp_us=st.integers(0, 61))
    def offset_at(self, stamp_us: int) -> None:
        wanted = next(
            (i for i, (_, own) in enumerate(self.kept, 1) if own >= stamp_us and i >= self.first),
            len(self.kept) + 1,
        )
        assert self.journal.offset_at(stamp_us) == wanted

    @precondition(lambda self: self.kept)
    @rule(before=st.integers(0, 80))
    def trim(self, before: int) -> None:
        whole = [s for s in self.starts if s <= min(before, len(self.kept))]
        self.first = max(self.first, *whole) if whole else self.first
        assert self.journal.trim(before) == self.first
        self.starts = [s for s in self.starts if s >= self.first]
        self.known = {(one.tenant, one.id) for one, _ in self.kept[self.first - 1 :]}

    @rule(reader=st.sampled_from(["one", "two"]), offset=st.integers(0, 50))
    def positions(self, reader: str, offset: int) -> None:
        offset = min(offset, len(self.kept))
        self.journal.commit(reader, offset)
        assert self.journal.position(reader) == offset
        assert self.journal.position("nobody") == 0

    @rule()
    def reopened(self) -> None:
        self.journal.close()
        self.journal = Journal(self.folder / "journal.db", tail=self.tail)

    @rule()
    def crashed(self) -> None:
        """The files as another machine would find them, without a word of farewell."""
        copy = Path(tempdir(self.root))
        for file in self.folder.iterdir():
            if not file.name.endswith((".lock", "-shm")):
                shutil.copy(file, copy / file.name)
        self.journal.close()
        self.folder = copy
        self.journal = Journal(copy / "journal.db", tail=self.tail)

    @invariant()
    def ends(self) -> None:
        if hasattr(self, "journal"):
            assert self.journal.last == len(self.kept)
            assert self.journal.first == self.first
            assert self.journal.last_stamp_us == (self.kept[-1][1] if self.kept else 0)

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()


def tempdir(root: Path) -> str:
    folder = root / str(len(list(root.iterdir())))
    folder.mkdir()
    return str(folder)


def test_the_journal_is_a_list_on_disk(tmp_path: Path) -> None:
    machine = type("Own", (Model,), {"root": tmp_path})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=20, stateful_step_count=20, deadline=None)
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_log_cut_anywhere_gives_whole_batches_from_the_start(tmp_path: Path, seed: int) -> None:
    """What a crash leaves of SQLite's log is some part of it; only whole appends may be seen."""
    whole = tmp_path / "whole"
    journal = Journal(whole / "journal.db")
    for i in range(12):
        journal.append(events(10 * i, 10, note="x" * 200), stamp_us=i)
    log = (whole / "journal.db-wal").read_bytes()
    base = (whole / "journal.db").read_bytes()
    rng = np.random.default_rng(seed)
    found = set()
    for k, cut in enumerate(sorted(rng.integers(0, len(log), 12))):
        folder = tmp_path / f"cut{k}"
        folder.mkdir()
        (folder / "journal.db").write_bytes(base)
        torn = bytes(rng.integers(0, 256, 300, np.uint8)) if k % 2 else b""
        (folder / "journal.db-wal").write_bytes(log[:cut] + torn)
        with Journal(folder / "journal.db") as again:
            got = again.read(0, 1000)
            assert again.last % 10 == 0
            assert [e.id for e in got.events] == [str(i) for i in range(again.last)]
            back = again.append(events(0, 130), stamp_us=99)
            assert back.offsets[back.offsets > 0].tolist() == list(range(len(got) + 1, 131))
            found.add(len(got))
    assert len(found) > 3
    journal.close()


@pytest.mark.parametrize("where", ["body", "keys"])
def test_an_altered_batch_is_found(tmp_path: Path, where: str) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.append(events(0, 5), 1)
        journal.append(events(5, 5), 2)
    db = sqlite3.connect(path)
    (blob,) = db.execute(f"SELECT {where} FROM batches WHERE first = 1").fetchone()
    for at in (0, len(blob) // 2, len(blob) - 1):
        altered = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        db.execute(f"UPDATE batches SET {where} = ? WHERE first = 1", (altered,))
        db.commit()
        with pytest.raises(BrokenFile, match="altered"), Journal(path) as journal:
            journal.read(0, 10)
    db.close()


def test_what_follows_an_altered_batch_can_still_be_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.append(events(0, 5), 1)
        journal.append(events(5, 5), 2)
    db = sqlite3.connect(path)
    db.execute("UPDATE batches SET body = '[]' WHERE first = 1")
    db.commit()
    db.close()
    with Journal(path) as journal:
        assert [e.id for e in journal.read(5, 10).events] == ["5", "6", "7", "8", "9"]


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\x00" + b"\xff" * 5000, b""])
def test_another_file_is_told_and_let_go_of(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    if content:
        with pytest.raises(BrokenFile):
            Journal(path)
        path.unlink()
    with Journal(path) as journal:
        assert journal.append([event(1)], 1).offsets.tolist() == [1]


def test_a_journal_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(NewerFormat):
        Journal(path)


def test_a_second_writer_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    code = (
        "import sys; from pathlib import Path; from leadlab.errors import StoreFailed\n"
        "from leadlab.stream.journal import Journal\n"
        "try: Journal(Path(sys.argv[1])).close()\n"
        "except StoreFailed as error: print(error)\n"
        "else: print('opened')\n"
    )
    ask = [sys.executable, "-c", code, str(path)]
    with Journal(path) as journal:
        journal.append([event(1)], 1)
        with pytest.raises(StoreFailed, match="another process"):
            Journal(path)
        told = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
        assert "another process writes" in told
        assert journal.append([event(2)], 2).new == 1
    assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout == "opened\n"


def test_a_reader_beside_the_writer_sees_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with pytest.raises(BadInput):
        Journal(path, read_only=True)
    with Journal(path) as journal:
        journal.append(events(0, 3), 10)
        with Journal(path, read_only=True) as reader:
            assert len(reader.read(0, 10)) == 3
            journal.append(events(3, 3), 20)
            assert [e.id for e in reader.read(2, 10).events] == ["2", "3", "4", "5"]
            assert reader.offset_at(20) == 4
            assert reader.offset_at(21) == 7
            with pytest.raises(StoreFailed):
                reader.append([event(9)], 30)
        assert journal.append([event(9)], 30).offsets.tolist() == [7]


@pytest.mark.parametrize("name", ["a home", "a#b", "a?mode=ro", "100%25", "ä"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    with Journal(tmp_path / name / "journal.db") as journal:
        journal.append([event(1)], 1)
    assert (tmp_path / name / "journal.db").stat().st_size > 0
    with Journal(tmp_path / name / "journal.db", read_only=True) as journal:
        assert len(journal.read(0, 9)) == 1


def test_a_clock_that_steps_back_stands_still(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        for n, stamp_us in enumerate([50, 20, 60, 10]):
            journal.append([event(n)], stamp_us)
    with Journal(tmp_path / "journal.db") as journal:
        assert journal.append([event(9)], 5).stamp_us == 60
        assert journal.read(0, 9).stamps_us.tolist() == [50, 50, 60, 60, 60]
        assert journal.offset_at(51) == 3


def test_a_full_disk_keeps_nothing_of_what_failed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    journal.append(events(0, 10), 1)
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count={pages + 3}")
    with pytest.raises(StoreFailed, match="full"):
        journal.append(events(10, 10, note="x" * 20_000), 2)
    assert journal.last == 10
    assert len(journal.read(0, 100)) == 10
    journal._db.execute("PRAGMA max_page_count=100000")
    assert journal.append(events(5, 10), 3).offsets.tolist() == [0] * 5 + [11, 12, 13, 14, 15]
    journal.close()
    with Journal(tmp_path / "journal.db") as again:
        assert [e.id for e in again.read(0, 100).events] == [str(i) for i in range(15)]


def _limited_to(limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def test_a_process_without_room_says_so_and_loses_nothing(tmp_path: Path) -> None:
    """The kernel itself refuses to let the file grow."""
    path = tmp_path / "journal.db"
    code = (
        "import sys; from pathlib import Path; from leadlab.errors import StoreFailed\n"
        "from leadlab.schema.wire import WireEvent\n"
        "from leadlab.stream.journal import Journal\n"
        "journal, n = Journal(Path(sys.argv[1])), 0\n"
        "try:\n"
        "    while n < 100_000:\n"
        "        ids = map(str, range(n, n + 50))\n"
        "        events = [WireEvent(one, 'acme', 'ann', 'Inquiry', 5) for one in ids]\n"
        "        journal.append(events, n)\n"
        "        n += 50\n"
        "except StoreFailed: print(n, journal.last)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True,
        preexec_fn=lambda: _limited_to(300_000),
    ).stdout  # fmt: skip
    acknowledged, last = map(int, told.split())
    assert acknowledged == last > 0
    with Journal(path) as journal:
        assert journal.last == acknowledged
        assert [e.id for e in journal.read(0, 10**6).events] == [
            str(i) for i in range(acknowledged)
        ]
        assert journal.append([event("more")], 10**9).new == 1


def test_one_unusable_event_does_not_cost_those_it_waits_with(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    commit = GroupCommit(journal, lambda last, arrived_s: None)
    answers: dict[int, object] = {}

    def append(k: int) -> None:
        given = [event(f"{k} {i}") for i in range(3)]
        if k % 4 == 0:
            given.append(event(f"{k} odd", text="\ud800"))
        try:
            answers[k] = commit.append(given, k, 0.0).new
        except BadInput:
            answers[k] = "refused"

    commit._writing.acquire()  # all of them gather behind this
    threads = [threading.Thread(target=append, args=(k,)) for k in range(12)]
    for thread in threads:
        thread.start()
    while len(commit._waiting) < len(threads):
        threading.Event().wait(0.001)
    commit._writing.release()
    for thread in threads:
        thread.join(30)
    assert answers == {k: "refused" if k % 4 == 0 else 3 for k in range(12)}
    assert journal.last == 27
    journal.close()


def test_many_callers_get_each_their_own_offsets(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    commit = GroupCommit(journal, lambda last, arrived_s: None, most=20)
    got: dict[str, int] = {}
    lock = threading.Lock()

    def append(k: int) -> None:
        rng = np.random.default_rng(k)
        for _ in range(10):
            given = [event(int(i)) for i in rng.integers(0, 400, 6)]
            offsets = commit.append(given, 1, 0.0).offsets
            with lock:
                for one, offset in zip(given, offsets.tolist(), strict=True):
                    if offset:
                        assert got.setdefault(one.id, offset) == offset

    threads = [threading.Thread(target=append, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    kept = journal.read(0, 10_000)
    assert {e.id: int(o) for e, o in zip(kept.events, kept.offsets, strict=True)} == got
    assert sorted(got.values()) == list(range(1, len(got) + 1))
    journal.close()
