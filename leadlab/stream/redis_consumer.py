"""One member of a consumer group on Redis Streams."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from leadlab.errors import Overtaken, StoreFailed
from leadlab.schema.wire import pack
from leadlab.stream.bus import DeadLetter, Delivery
from leadlab.stream.hand_out import HandOut
from leadlab.stream.packed_entry import PackedEntry, entries_of, last_of
from leadlab.stream.redis_link import TIMEOUT_S, failing
from leadlab.stream.redis_scripts import CLAIM, COMMIT, HOLD, RELEASE

FETCHED = 64
"""Packed entries fetched at once from a partition."""


class RedisConsumer:
    """Made by `RedisBus.consumer`; see `leadlab.stream.bus.Consumer`.

    Whatever fails, the next `poll` begins behind what was committed last, so that an event may come
    twice and none is left out.

    Parameters
    ----------
    client : redis.Redis
    where, prefix : str
        The server, for messages; and the prefix of its keys.
    group, name : str
    wanted : frozenset of int
    lease_s : float
    """

    def __init__(
        self,
        client: Any,
        where: str,
        prefix: str,
        group: str,
        name: str,
        wanted: frozenset[int],
        lease_s: float,
    ) -> None:
        self.client, self.where, self.prefix = client, where, prefix
        self.group, self.name, self.lease_s = group, name, lease_s
        self.token = f"{name}:{secrets.token_hex(8)}"
        self._wanted = wanted
        self._shares: dict[int, HandOut] = {}
        self._old: dict[int, str] = {}  # partition: id behind which deliveries of old are left
        self._renewed_s = float("-inf")
        self._hold = client.register_script(HOLD)
        self._claim = client.register_script(CLAIM)
        self._release = client.register_script(RELEASE)
        self._commit = client.register_script(COMMIT)

    @property
    def held(self) -> frozenset[int]:
        """See `Consumer.held`."""
        return frozenset(self._shares)

    def want(self, partitions: Iterable[int]) -> None:
        """See `Consumer.want`."""
        self._wanted = frozenset(partitions)
        self._let_go(self.held - self._wanted)
        self._renewed_s = float("-inf")

    def close(self) -> None:
        """See `Consumer.close`."""
        self.want(())

    def _let_go(self, partitions: Iterable[int]) -> None:
        gone = sorted(partitions)
        for partition in gone:
            del self._shares[partition]
            self._old.pop(partition, None)
        if gone:
            with failing(self.where):
                self._release(keys=[self.prefix], args=[self.group, self.token, *gone])

    # -- delivering --------------------------------------------------------------------------------

    def poll(self, most: int, wait_s: float) -> list[Delivery]:
        """See `Consumer.poll`."""
        try:
            with failing(self.where):
                self._renew()
                found = self._hand_out(most)
                if not found:
                    self._fetch(wait_s)
                    found = self._hand_out(most)
        except StoreFailed:
            self._forget()
            raise
        return found

    def _renew(self) -> None:
        """Prolong leases in time, and take what became free; begin anew where a lease is new."""
        now_s = time.monotonic()
        share = 4 if self.held == self._wanted else 40
        if now_s - self._renewed_s < self.lease_s / share or not self._wanted:
            return
        wanted = sorted(self._wanted)
        lease_ms = int(self.lease_s * 1e3)
        got = self._hold(keys=[self.prefix], args=[self.group, self.token, lease_ms, *wanted])
        for partition, state in zip(wanted, got, strict=True):
            if state != 1 or partition not in self._shares:
                self._shares.pop(partition, None)
                if state:
                    self._begin(partition)
        self._renewed_s = now_s

    def _begin(self, partition: int) -> None:
        """Claim what earlier holders were given and left, to hand it out before anything new."""
        done = int(self._claim(keys=[self.prefix], args=[self.group, self.name, partition]))
        self._shares[partition] = HandOut(partition, done, done)
        self._old[partition] = "0"

    def _hand_out(self, most: int) -> list[Delivery]:
        found = [
            share.next(most, partial(self._again, share.partition), self._bury)
            for share in list(self._shares.values())
        ]
        return [delivery for delivery in found if delivery is not None]

    def _again(self, partition: int, _offset: int) -> int:
        return int(self.client.hincrby(f"{self.prefix}trial:{self.group}", partition, 1))

    def _bury(self, letter: DeadLetter) -> None:
        arguments = [letter.partition, letter.offset, letter.tries, pack([letter.event])]
        if not self._settle(arguments):
            raise _overtaken(self.group, [letter.partition])

    # -- fetching ----------------------------------------------------------------------------------

    def _fetch(self, wait_s: float) -> None:
        """Deliveries of old first; where there are none left, wait for new ones."""
        for partition in list(self._old):
            if not self._shares[partition].waiting:
                self._fetch_old(partition)
        new = [p for p in self._shares if p not in self._old]
        if not new or any(share.waiting for share in self._shares.values()):
            wait_s = 0.0
        if not new:
            if not self._old:
                time.sleep(min(wait_s, self.lease_s / 20))
            return
        streams = [self._stream(partition) for partition in new]
        block = ["BLOCK", max(int(min(wait_s, TIMEOUT_S / 2) * 1e3), 1)] if wait_s > 0 else []
        found = self.client.execute_command(
            "XREADGROUP", "GROUP", self.group, self.name, "COUNT", FETCHED, *block,
            "STREAMS", *streams, *(">" for _ in streams),
        )  # fmt: skip
        for stream, entries in found or []:
            partition = new[streams.index(stream.decode())]
            self._shares[partition].waiting.extend((entries_of(one), 1) for one in entries)

    def _fetch_old(self, partition: int) -> None:
        stream = self._stream(partition)
        found = self.client.execute_command(
            "XREADGROUP", "GROUP", self.group, self.name, "COUNT", FETCHED,
            "STREAMS", stream, self._old[partition],
        )  # fmt: skip
        entries: list[PackedEntry] = found[0][1] if found else []
        if not entries:
            del self._old[partition]
            return
        first, last = entries[0][0], entries[-1][0]
        pending = self.client.xpending_range(stream, self.group, first, last, len(entries))
        tries = {one["message_id"]: int(one["times_delivered"]) for one in pending}
        self._old[partition] = last.decode()
        share = self._shares[partition]
        left = [one for one in entries if one[1] and last_of(one) > share.done]
        share.waiting.extend((entries_of(one), tries[one[0]]) for one in left)

    def _stream(self, partition: int) -> str:
        return f"{self.prefix}events:{partition}"

    # -- committing --------------------------------------------------------------------------------

    def commit(self, deliveries: Sequence[Delivery]) -> None:
        """See `Consumer.commit`."""
        reached: dict[int, int] = {}
        for delivery in deliveries:
            reached[delivery.partition] = max(
                reached.get(delivery.partition, 0), delivery.entries.last
            )
        try:
            with failing(self.where):
                lost = [p for p, offset in reached.items() if not self._settle([p, offset])]
        except StoreFailed:
            self._forget()
            raise
        for partition in reached.keys() & self._shares.keys():
            share = self._shares[partition]
            share.done = max(share.done, reached[partition])
        if lost:
            raise _overtaken(self.group, lost)

    def _settle(self, arguments: list[Any]) -> bool:
        """Commit; whether the lease still held."""
        kept = self._commit(keys=[self.prefix], args=[self.group, self.token, *arguments])
        if not kept:
            self._shares.pop(int(arguments[0]), None)
            self._old.pop(int(arguments[0]), None)
            self._renewed_s = float("-inf")
        return bool(kept)

    def _forget(self) -> None:
        """Begin every partition anew at the next poll: what reached the server is unknown."""
        self._shares, self._old = {}, {}
        self._renewed_s = float("-inf")


def _overtaken(group: str, lost: Sequence[int]) -> Overtaken:
    return Overtaken(
        "the lease of a partition lapsed", where=f"group {group}", got=", ".join(map(str, lost)),
        hint="What was not committed comes again, to whoever holds it now.",
    )  # fmt: skip
