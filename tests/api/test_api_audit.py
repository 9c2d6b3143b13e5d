"""The audit: nothing is lost, nobody reads another's, and every change shows."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from leadlab.api.audit import Entry, Trail
from leadlab.errors import BadInput, StoreFailed


def entry(i: int, tenant: str = "acme", **changed: object) -> Entry:
    given = {
        "at_us": i, "tenant": tenant, "subject": f"s{i % 3}", "action": "lead.read",
        "lead": f"l{i % 5}", "model": "hot@3", "correlation_id": f"c{i}", **changed,
    }  # fmt: skip
    return Entry(**given)  # type: ignore[arg-type]


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    opened = Trail(tmp_path / "audit.db", key="a key of the chain that is long enough")
    yield opened
    opened.close()


def tamper(trail: Trail, *statements: str) -> None:
    """What somebody with the file in hand can do: triggers do not stop them."""
    with closing(sqlite3.connect(trail.path)) as database:
        for name in ("audit_no_update", "audit_no_delete"):
            database.execute(f"DROP TRIGGER IF EXISTS {name}")
        for statement in statements:
            assert database.execute(statement).rowcount > 0
        database.commit()


def test_what_was_recorded_is_read_back_in_pages(trail: Trail) -> None:
    trail.record(*(entry(i) for i in range(10)), entry(99, tenant="other")).result(10)
    first = trail.read("acme", most=6)
    rest = trail.read("acme", most=6, before=first[-1][0])
    assert [one.at_us for _, one in first + rest] == list(range(9, -1, -1))
    assert [one.at_us for _, one in trail.read("acme", lead="l1")] == [6, 1]
    assert [one.at_us for _, one in trail.read("acme", lead="l1", subject="s1")] == [1]
    assert [one.at_us for _, one in trail.read("other")] == [99]
    assert trail.read("acme' OR '1'='1") == []
    assert trail.read("ac%") == []


def test_many_threads_and_two_files_handles_write_one_chain(trail: Trail) -> None:
    other = Trail(trail.path, key="a key of the chain that is long enough")

    def write(to: Trail, tenant: str) -> None:
        waiting = [to.record(entry(i, tenant)) for i in range(100)]
        for one in waiting:
            one.result(30)

    writers = [
        threading.Thread(target=write, args=(to, f"t{i}"))
        for i, to in enumerate([trail, other, trail, other])
    ]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    other.close()
    assert trail.verify() == trail.verify(trail.head())
    assert (trail.verify().rows, trail.verify().problem) == (400, None)
    for i in range(4):  # one writer's order is kept
        assert [e.at_us for _, e in trail.read(f"t{i}", most=200)] == list(range(99, -1, -1))


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("UPDATE audit SET lead = 'l9' WHERE seq = 4", 4),
        ("UPDATE audit SET lead = NULL WHERE seq = 4", 4),
        ("UPDATE audit SET at_us = at_us + 1 WHERE seq = 1", 1),
        ("UPDATE audit SET tenant = 'other' WHERE seq = 10", 10),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 7", 7),
        ("UPDATE audit SET hash = zeroblob(0) WHERE seq = 7", 7),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("UPDATE audit SET seq = 99 WHERE seq = 10", 10),
        ("INSERT INTO audit SELECT 11, at_us, tenant, subject, action, lead, model, "
         "correlation_id, hash FROM audit WHERE seq = 10", 11),
    ],
)  # fmt: skip
def test_every_change_shows_and_where(trail: Trail, statement: str, row: int) -> None:
    trail.record(*(entry(i) for i in range(10))).result(10)
    assert trail.verify().problem is None
    tamper(trail, statement)
    found = trail.verify()
    assert found.rows == row - 1
    assert found.problem is not None
    assert f"row {row} " in found.problem


def test_swapped_rows_show(trail: Trail) -> None:
    trail.record(*(entry(i) for i in range(10))).result(10)
    tamper(
        trail,
        "UPDATE audit SET seq = -1 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 4",
        "UPDATE audit SET seq = 4 WHERE seq = -1",
    )
    assert trail.verify().rows == 2


def test_rows_cut_off_show_against_a_noted_head(trail: Trail) -> None:
    trail.record(*(entry(i) for i in range(10))).result(10)
    noted = trail.head()
    tamper(trail, "DELETE FROM audit WHERE seq > 8")
    assert trail.verify().problem is None
    assert trail.verify(noted).problem == "rows 9 to 10 were cut off"
    trail.record(entry(8), entry(777)).result(10)  # and others written in their place
    assert trail.verify().problem is None
    assert "row 10 is not" in str(trail.verify(noted).problem)


def test_without_the_key_nobody_can_write_a_chain_that_holds(trail: Trail, tmp_path: Path) -> None:
    trail.record(*(entry(i) for i in range(3))).result(10)
    forged = Trail(tmp_path / "forged.db", key="another key")
    forged.record(*(entry(i) for i in range(3))).result(10)
    plain = Trail(tmp_path / "plain.db")
    plain.record(*(entry(i) for i in range(3))).result(10)
    assert plain.verify().problem is None
    for other in (forged, plain):
        other.close()
        rows = Trail(other.path, key="a key of the chain that is long enough")
        assert rows.verify().rows == 0
        rows.close()


def test_the_file_refuses_changes_by_accident(trail: Trail) -> None:
    trail.record(entry(1)).result(10)
    with closing(sqlite3.connect(trail.path)) as database:
        for statement in ("UPDATE audit SET lead = 'x'", "DELETE FROM audit"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement)


def test_what_cannot_be_written_is_refused_alone(trail: Trail) -> None:
    for bad in ({"lead": "a\ud800"}, {"at_us": 2**63}, {"subject": "\udfff"}):
        with pytest.raises(BadInput):
            trail.record(entry(1), entry(2, **bad))
    trail.record(entry(3)).result(10)
    assert [one.at_us for _, one in trail.read("acme")] == [3]


def test_a_failed_write_is_told_to_who_waits_and_the_next_one_works(trail: Trail) -> None:
    trail.record(entry(1)).result(10)
    with closing(sqlite3.connect(trail.path)) as database:
        database.execute("ALTER TABLE audit RENAME TO elsewhere")
    with pytest.raises(StoreFailed):
        trail.record(entry(2)).result(10)
    with closing(sqlite3.connect(trail.path)) as database:
        database.execute("ALTER TABLE elsewhere RENAME TO audit")
    trail.record(entry(3)).result(10)
    assert [one.at_us for _, one in trail.read("acme")] == [3, 1]
    assert trail.verify().problem is None


def test_closing_writes_what_waits_and_then_takes_no_more(tmp_path: Path) -> None:
    trail = Trail(tmp_path / "audit.db")
    waiting = [trail.record(entry(i)) for i in range(500)]
    assert not waiting[-1].cancel(), "who stops waiting must not stop the writing"
    trail.close()
    trail.close()
    assert all(one.done() and one.exception() is None for one in waiting)
    with pytest.raises(StoreFailed):
        trail.record(entry(1))
    again = Trail(tmp_path / "audit.db")
    assert again.verify().rows == 500
    again.close()


@effort(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    at_us=st.integers(-(2**63), 2**63 - 1),
)
def test_any_id_comes_back_as_it_was(trail: Trail, text: str, at_us: int) -> None:
    one = entry(0, lead=text, at_us=at_us)
    trail.record(one).result(10)
    assert trail.read("acme", lead=text, most=1)[0][1] == one
    assert trail.verify().problem is None
