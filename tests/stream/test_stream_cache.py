"""The cache: no older version is served, in one process and through a real Redis."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, ConfigError
from leadlab.stream.cache import Entry, Key, LocalLevel, ReadCache
from leadlab.stream.cache_redis import RedisLevel

SMALL, LARGE = b"0.2", b"the same again and again, " * 400
NAMES = st.sampled_from(["a", "b", "a:b", "a%3Ab", "", "é\n", "*"])


class Server:
    """A Redis of this test alone."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        assert program, "these tests need redis-server (Debian: apt-get install redis-server)"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                        "--dir", str(folder)]  # fmt: skip
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        with redis.Redis(port=self.port) as client:
            for _ in range(500):
                try:
                    client.ping()
                    return
                except redis.ConnectionError:
                    time.sleep(0.02)
        pytest.fail("redis-server did not answer")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("redis"))
    yield one
    one.kill()


@pytest.fixture
def level(server: Server) -> Iterator[RedisLevel]:
    with redis.Redis(port=server.port) as client:
        client.flushall()
    one = RedisLevel(server.url, timeout_s=5)
    yield one
    one.close()


class Source:
    """What is read: its content says whose it is, and of which version."""

    def __init__(self) -> None:
        self.version: dict[tuple[str, str], int] = {}
        self.made = 0

    def read(self, cache: ReadCache, tenant: str, lead: str, what: str) -> None:
        version = self.version.setdefault((tenant, lead), 1)
        expected = repr((tenant, lead, what, version)).encode() * (60 if what == "b" else 1)

        def make() -> bytes:
            self.made += 1
            return expected

        assert cache.read(tenant, lead, what, version, make) == expected


FEW = st.sampled_from(["a", "b"])
STEPS = st.lists(
    st.tuples(st.just("read"), FEW, FEW, FEW)
    | st.tuples(st.just("change"), FEW, FEW)
    | st.tuples(st.just("wait"), st.integers(0, 8)),
    max_size=60,
)


def walk(cache: ReadCache, steps: list[tuple], now_s: list[float]) -> tuple[Source, int]:
    source, asked = Source(), 0
    for step in steps:
        match step:
            case ("read", tenant, lead, what):
                source.read(cache, tenant, lead, what)
                asked += 1
            case ("change", tenant, lead):
                source.version[tenant, lead] = source.version.get((tenant, lead), 1) + 1
            case ("wait", seconds):
                now_s[0] += seconds
    return source, asked


@example([("read", "a", "b", "a"), ("change", "a", "b"), ("read", "a", "b", "a")], 6_000)
@given(STEPS, st.integers(0, 6_000))
def test_the_newest_version_is_served_whatever_was_kept(steps, room_bytes) -> None:
    now_s = [0.0]
    local = LocalLevel(room_bytes, 10, lambda: now_s[0])
    cache = ReadCache(local=local)
    source, asked = walk(cache, steps, now_s)
    stats = cache.stats()
    assert 0 <= local.nbytes <= room_bytes
    assert (stats["asked"], stats["made"]) == (asked, source.made)
    assert stats["local_hits"] == asked - source.made
    if asked:
        assert stats["local_hit_rate"] == pytest.approx(1 - source.made / asked)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_two_processes_behind_one_redis_never_see_an_older_version(server, steps) -> None:
    with redis.Redis(port=server.port) as client:
        client.flushall()
    levels = [RedisLevel(server.url, timeout_s=5) for _ in range(2)]
    caches = [ReadCache(local=LocalLevel(5_000, 60), redis=level) for level in levels]
    source = Source()
    for k, step in enumerate(steps):
        match step:
            case ("read", tenant, lead, what):
                made = source.made
                source.read(caches[k % 2], tenant, lead, what)
                source.read(caches[1 - k % 2], tenant, lead, what)
                assert source.made <= made + 1
            case ("change", tenant, lead):
                source.version[tenant, lead] = source.version.get((tenant, lead), 1) + 1
    for cache, level in zip(caches, levels, strict=True):
        assert (cache.stats()["redis_state"], cache.stats()["redis_failed"]) == ("closed", 0)
        level.close()


def test_entries_used_last_are_kept_and_the_oldest_go() -> None:
    local = LocalLevel(2 * 500, 60, lambda: 0.0)
    a, b, c = (Key("t", lead, "w") for lead in "abc")
    for key in (a, b):
        local.put(key, Entry(1, bytes(90)))
    local.get(a)
    local.put(c, Entry(1, bytes(90)))
    assert [local.get(key) is not None for key in (a, b, c)] == [True, False, True]
    local.put(b, Entry(1, bytes(5_000)))
    assert (local.get(b), local.nbytes) == (None, 0)


def test_an_older_read_that_ends_later_does_not_replace_a_newer_one() -> None:
    local, key = LocalLevel(5_000, 60), Key("t", "ann", "score")
    local.put(key, Entry(2, b"new"))
    local.put(key, Entry(1, b"old"))
    assert local.get(key) == Entry(2, b"new")


def test_an_entry_ends_at_its_time_and_not_before() -> None:
    now_s = [0.0]
    local, key = LocalLevel(5_000, 10, lambda: now_s[0]), Key("t", "ann", "score")
    local.put(key, Entry(1, b"x"))
    now_s[0] = 9.9
    assert local.get(key) == Entry(1, b"x")
    now_s[0] = 10.0
    assert local.get(key) is None
    assert local.stats() == {"entries": 0, "bytes": 0}


@example(("a:b", "c", "w"), ("a", "b:c", "w"))
@example(("a%3Ab", "c", "w"), ("a:b", "c", "w"))
@given(st.tuples(NAMES, NAMES, NAMES), st.tuples(NAMES, NAMES, NAMES))
@settings(max_examples=50, deadline=None)
def test_keys_in_redis_are_apart_wherever_their_parts_differ(server, one, other) -> None:
    level = RedisLevel(server.url, timeout_s=5)
    level.put(Key(*one), Entry(1, b"one"))
    level.put(Key(*other), Entry(2, b"other"))
    expected = Entry(2, b"other") if one == other else Entry(1, b"one")
    assert (level.get(Key(*one)), level.get(Key(*other))) == (expected, Entry(2, b"other"))
    level.close()


@pytest.mark.parametrize("content", [b"", SMALL, bytes(1024), bytes(1025), LARGE])
def test_redis_keeps_content_and_version_for_its_time(server, level, content) -> None:
    key = Key("north", "ann", "score")
    level.put(key, Entry(2**62, content))
    assert level.get(key) == Entry(2**62, content)
    with redis.Redis(port=server.port) as client:
        (name,) = client.keys()
        assert 0 < client.pttl(name) <= 300_000
        assert (len(client.get(name)) < 200) == (len(content) < 200 or len(content) > 1024)
    assert level.stats()["compressed"] == (len(content) > 1024)


def test_what_cannot_be_read_in_redis_counts_as_nothing(server, level) -> None:
    key = Key("north", "ann", "score")
    level.put(key, Entry(1, LARGE))
    with redis.Redis(port=server.port) as client:
        (name,) = client.keys()
        whole = client.get(name)
        wrong = [whole[:3], whole[:40], whole[:-5], whole[:60] + b"\0\0\0\0" + whole[64:], b""]
        for content in wrong:
            client.set(name, content)
            assert level.get(key) is None
    assert level.stats()["unreadable"] == len(wrong)


def test_a_redis_that_is_killed_is_left_alone_and_used_again_when_it_is_back(server) -> None:
    now_s = [0.0]
    level = RedisLevel(server.url, timeout_s=5, failures=3, reset_s=10, clock=lambda: now_s[0])
    cache = ReadCache(local=LocalLevel(0, 60), redis=level)

    def read(version: int) -> bytes:
        return cache.read("north", "ann", "score", version, lambda: b"made anew")

    assert cache.read("north", "ann", "score", 1, lambda: b"first") == b"first"
    assert read(1) == b"first"
    server.kill()
    try:
        for _ in range(10):
            assert read(1) == b"made anew"
        stats = cache.stats()
        assert (stats["redis_state"], stats["redis_opened"]) == ("open", 1)
        assert (stats["redis_failed"], stats["redis_refused"]) == (3, 2 * 10 - 3)
        assert stats["made"] == 11
        now_s[0] = 11.0
        assert cache.stats()["redis_state"] == "half-open"
        read(1)
        assert (cache.stats()["redis_state"], level.breaker.opened) == ("open", 2)
    finally:
        server.start()
    now_s[0] = 22.0
    assert [read(2), cache.read("north", "ann", "score", 2, lambda: b"x")] == [b"made anew"] * 2
    stats = cache.stats()
    assert (stats["redis_state"], stats["redis_hits"]) == ("closed", 2)
    level.close()


def test_a_redis_that_does_not_answer_is_given_up_on(server) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        level = RedisLevel(
            f"redis://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05, failures=1
        )
        assert level.get(Key("north", "ann", "score")) is None
        assert level.stats()["state"] == "open"
        level.close()


def test_unusable_settings_are_refused() -> None:
    with pytest.raises(BadInput):
        ReadCache()
    with pytest.raises(ConfigError):
        RedisLevel("http://127.0.0.1")
