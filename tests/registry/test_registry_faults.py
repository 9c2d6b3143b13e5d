"""Crashes, full disks and rivals: the registry reads as before or as after, never in between."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from leadlab.errors import ConfigError, Overtaken, StoreFailed
from leadlab.models.files.model_file import save_model
from leadlab.registry import Registry, folder_store
from leadlab.registry.store import Taken
from tests.registry.conftest import AT, card, filled


class Crash(BaseException):
    """The process is gone: nothing of it runs on, no clean-up either."""


def reading(address):
    registry = Registry(address)
    listed = [(one.model, one.number, one.stage, one.problem) for one in registry.listed()]
    history = [str(d) for d in registry.history("hot")] if listed else []
    return listed, history


ACTIONS = {
    "register": lambda r, m: r.register("hot", *m, card=card(), created_at=AT),
    "promote": lambda r, m: r.promote("hot", 2, "champion", at=AT),
    "roll back": lambda r, m: r.roll_back("hot", at=AT),
    "remove": lambda r, m: r.remove_challenger("hot", at=AT),
}


def die_at(at, patched):
    """Let the process do so many calls on the disk, and none after."""
    count = iter(range(10_000))

    def step(real):
        def one(*args, **options):
            if next(count) >= at:
                raise Crash
            return real(*args, **options)

        return one

    calls = {name: step(getattr(os, name)) for name in ("open", "write", "fsync", "link", "close")}
    patched.setattr(folder_store, "os", SimpleNamespace(**{**vars(os), **calls}))
    patched.setattr(folder_store.Path, "unlink", step(folder_store.Path.unlink))


@pytest.fixture(autouse=True)
def code_of_a_test(monkeypatch):
    known = {"leadlab": "0", "commit": None}
    monkeypatch.setattr("leadlab.registry.registry.code_version", lambda: known)


def prepared(registry, model):
    filled(registry, model, 3)
    registry.promote("hot", 3, "champion", at=AT)
    registry.promote("hot", 1, "champion", at=AT)
    registry.promote("hot", 3, "challenger", at=AT)
    return registry


@pytest.mark.parametrize("action", ACTIONS)
def test_a_crash_at_any_step_of_the_disk_leaves_before_or_after(
    action, folder, model, tmp_path, monkeypatch
):
    prepared(folder, model)
    before = reading(folder.address)
    at = 0
    crashed = True
    outcomes = set()
    while crashed:
        copy = tmp_path / f"copy-{at}"
        shutil.copytree(folder.address, copy)
        rival = Registry(copy)
        rival.promote("hot", 2, "challenger", at=AT)
        state = reading(copy)
        with monkeypatch.context() as patched:
            die_at(at, patched)
            try:
                ACTIONS[action](rival, model)
                crashed = False
            except Crash:
                pass
        now = reading(copy)
        assert now == state or len(now[0]) + len(now[1]) == len(state[0]) + len(state[1]) + 1
        assert all(problem is None for *_, problem in now[0])
        found = Registry(copy).verify()
        assert found.problems == ()
        outcomes.add(now == state)
        Registry(copy).clean(before="2999-01-01T00:00:00Z")
        assert Registry(copy).verify().leftovers == ()
        assert reading(copy) == now
        if now == state:
            ACTIONS[action](Registry(copy), model)
        shutil.rmtree(copy)
        at += 1
    assert outcomes == {True, False}
    assert at > 3
    assert reading(folder.address) == before


def test_a_crash_between_any_two_writes_of_a_service(bucket, model):
    """Three files and the manifest; a crash after one write is a crash before the next."""
    address = f"s3://{bucket}/r"
    registry = filled(Registry(address), model, 1)
    before = reading(address)
    for writes in range(5):
        dying = Registry(address)
        real, done = dying.store.create, []

        def create(path, data, real=real, done=done, writes=writes):
            if path != "registry.json" and len(done) >= writes:
                raise Crash
            real(path, data)
            if path != "registry.json":
                done.append(path)

        dying.store.create = create
        if writes < 4:
            with pytest.raises(Crash):
                ACTIONS["register"](dying, model)
            assert reading(address) == before
        else:
            ACTIONS["register"](dying, model)
    now = reading(address)
    assert len(now[0]) == 2
    left = registry.verify()
    assert (left.versions, left.problems, len(left.leftovers)) == (2, (), 0 + 1 + 2 + 3)
    registry.clean(before="2999-01-01T00:00:00Z")
    assert registry.verify().leftovers == ()
    assert reading(address) == now


def test_a_full_disk_leaves_the_registry_as_it_was(folder, model, monkeypatch):
    prepared(folder, model)
    before = reading(folder.address)
    real = os.write
    for limit in (0, 100, 5_000):
        written = 0

        def write(handle, data, limit=limit):
            nonlocal written
            part = bytes(data[: max(0, limit - written)])
            if not part:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written += len(part)
            return real(handle, part)

        with monkeypatch.context() as patched:
            patched.setattr(os, "write", write)
            with pytest.raises(StoreFailed, match="the disk is full"):
                ACTIONS["register"](folder, model)
        assert reading(folder.address) == before
        found = folder.verify()
        assert found.problems == found.leftovers == ()


def test_a_disk_that_takes_no_more_in_a_process_of_its_own(folder, model, tmp_path):
    """A limit of the operating system, where no call is replaced."""
    prepared(folder, model)
    before = reading(folder.address)
    file = save_model(tmp_path / "m.leadlab", *model)
    done = subprocess.run(
        [sys.executable, "-c", "from leadlab.cli import main; main()", "registry", "add", str(file),
         "--name", "hot", "--use", "u", "--limits", "l", "--fairness", "f", "--at", folder.address],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1200, 1200)),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 9, done.stderr
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert reading(folder.address) == before
    assert folder.verify().leftovers == ()


def together(address, act, n=4):
    """Run one action at once in as many threads, each with a registry of its own."""
    registries = [Registry(address) for _ in range(n)]
    gate = threading.Barrier(n)

    def one(i):
        gate.wait()
        try:
            return act(registries[i], i)
        except Overtaken as error:
            return error

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(one, range(n)))


def test_of_promotions_at_once_one_wins_and_the_rest_hear_who(address, model):
    registry = filled(Registry(address), model, 2)
    found = together(
        address,
        lambda r, i: r.promote("hot", 1 + i % 2, "champion", at=AT, who=f"p{i}", after=0),
    )
    lost = [one for one in found if isinstance(one, Overtaken)]
    (won,) = [one for one in found if not isinstance(one, Overtaken)]
    assert len(lost) == 3
    assert all(f"by {won.who}" in str(one) for one in lost)
    assert registry.history("hot") == [won]


def test_a_rival_between_look_and_decision_is_named(registry, model):
    filled(registry, model, 2)
    rival = Registry(registry.address)
    rival.store.find("")
    real = registry.store.create

    def create(path, data):
        if "/decisions/" in path:
            registry.store.create = real
            rival.promote("hot", 2, "champion", at=AT, who="ann")
        return real(path, data)

    registry.store.create = create
    with pytest.raises(Overtaken, match=r"promote 2 \(champion\) by ann"):
        registry.promote("hot", 1, "champion", at=AT, who="bob")
    assert [d.who for d in registry.history("hot")] == ["ann"]
    with pytest.raises(Overtaken):
        registry.promote("hot", 1, "champion", at=AT, after=0)
    assert registry.promote("hot", 1, "champion", at=AT, after=1).number == 2


def test_registrations_at_once_get_numbers_of_their_own(address, model):
    found = together(address, lambda r, i: r.register("hot", *model, card=card(), created_at=AT))
    assert sorted(one.number for one in found) == [1, 2, 3, 4]
    whole = Registry(address).verify()
    assert (whole.versions, whole.problems, whole.leftovers) == (4, (), ())


def test_processes_that_promote_at_once_never_both_win(folder, model):
    filled(folder, model, 2)
    code = textwrap.dedent(
        """
        import sys
        from leadlab.errors import LeadlabError
        from leadlab.registry import Registry, folder_store
        registry = Registry(sys.argv[1])
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            registry.promote("hot", int(sys.argv[2]), "champion", at="2026-01-01T00:00:00Z",
                             after=0)
            print("won")
        except LeadlabError as error:
            print(type(error).__name__)
        """
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, folder.address, str(number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in (1, 2)
    ]  # fmt: skip
    for run in runs:
        run.stdout.readline()
    for run in runs:
        run.stdin.write("\n")
        run.stdin.flush()
    told = sorted(run.communicate()[0].strip() for run in runs)
    assert told == ["Overtaken", "won"]


def test_an_answer_that_was_lost_is_no_rival(bucket, model):
    """A PUT that is sent again meets what it wrote itself."""
    registry = filled(Registry(f"s3://{bucket}/r"), model, 1)
    real = registry.store.files.pipe_file

    def twice(path, data, mode):
        real(path, data, mode=mode)
        return real(path, data, mode=mode)

    registry.store.files.pipe_file = twice
    assert registry.promote("hot", 1, "champion", at=AT).number == 1


def test_a_service_that_ignores_the_condition_is_refused(bucket, model):
    registry = Registry(f"s3://{bucket}/r")
    real = registry.store.files.pipe_file
    registry.store.files.pipe_file = lambda path, data, mode: real(path, data)
    with pytest.raises(ConfigError, match="two writers"):
        registry.register("hot", *model, card=card(), created_at=AT)


def test_a_service_that_fails_at_the_manifest_keeps_no_half_version(bucket, model):
    registry = filled(Registry(f"s3://{bucket}/r"), model, 1)
    real = registry.store.files.pipe_file

    def failing(path, data, mode):
        if "/versions/" in path:
            raise OSError(errno.EIO, "gone")
        return real(path, data, mode=mode)

    registry.store.files.pipe_file = failing
    with pytest.raises(StoreFailed):
        registry.register("hot", *model, card=card(), created_at=AT)
    found = Registry(registry.address).verify()
    assert (found.versions, found.leftovers, found.problems) == (1, (), ())


def test_a_name_is_taken_once(folder):
    folder.store.create("a/b", b"1")
    with pytest.raises(Taken):
        folder.store.create("a/b", b"2")
    assert folder.store.read("a/b", 10) == b"1"
