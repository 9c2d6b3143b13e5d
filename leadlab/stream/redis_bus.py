"""The bus on Redis Streams: several processes and machines, one stream a partition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, get_args

import msgspec
import numpy as np

from leadlab.errors import BadInput, ConfigError, Overloaded
from leadlab.schema.wire import WireEvent, unpack
from leadlab.stream.bus import DeadLetter, Published
from leadlab.stream.entries import Entries, joined
from leadlab.stream.known_ids import id_keys
from leadlab.stream.packed_entry import entries_of, first_of, last_of
from leadlab.stream.partition import By, partitions_of
from leadlab.stream.redis_consumer import RedisConsumer
from leadlab.stream.redis_link import TIMEOUT_S, check_lasting, connect, failing, plain
from leadlab.stream.redis_scripts import JOIN, PUBLISH, TRIM

PACKED = 1024
"""Events that one call takes at most, and so the most that one stream entry packs."""
_ENCODER = msgspec.json.Encoder()


class RedisBus:
    """Events through one Redis server (7.0 or later).

    The server must flush each write before it answers (``appendonly yes``, ``appendfsync always``)
    and evict nothing; that is checked. Publishing is one atomic step for each 1,024 events.

    Parameters
    ----------
    url : str
        ``redis://host:port/0``, ``rediss://...`` or ``unix://...``.
    namespace : str
        Sets one bus apart from others on the server.
    partitions : int, optional
        1 to 256, settled by who comes first; who gives none takes what was settled, or 8.
    by : "lead" or "tenant", optional
        What stays together, settled likewise; "tenant" when nobody says, since features of agents
        and tenants span leads.
    bound : int
        Events that the slowest group may be behind before publishing is refused.
    window_s : int
        A repeated id is refused here for at least as long, and for twice as long at most. The
        journals behind the bus know more.
    lease_s : float
        A consumer that has not polled for so long loses its partitions.
    lasting : bool
        False trusts the server unchecked.
    timeout_s : float
        Longest wait for an answer.

    Raises
    ------
    ConfigError
        If the server may lose what it acknowledged, or the bus was settled otherwise.
    StoreFailed
        If it cannot be reached.
    """

    def __init__(
        self,
        url: str,
        *,
        namespace: str = "main",
        partitions: int | None = None,
        by: By | None = None,
        bound: int = 1_000_000,
        window_s: int = 3600,
        lease_s: float = 10.0,
        lasting: bool = True,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        if not namespace.replace("-", "").replace("_", "").isalnum():
            raise ConfigError("no name for a bus", got=namespace, expected="letters, digits, - _")
        if partitions is not None and not 1 <= partitions <= 256:
            raise ConfigError("no number of partitions", got=partitions, expected="1 to 256")
        self.where, self.prefix = plain(url), f"leadlab:{{{namespace}}}:"
        self.bound, self.window_s, self.lease_s = bound, window_s, lease_s
        self.client = connect(url, timeout_s=timeout_s)
        if lasting:
            check_lasting(self.client, self.where)
        self.partitions = int(self._settled("partitions", partitions, 8))
        self.by = self._settled_by(by)
        self._publish = self.client.register_script(PUBLISH)
        self._join = self.client.register_script(JOIN)
        self._trim = self.client.register_script(TRIM)

    def _settled(self, name: str, wanted: object, default: object) -> str:
        """What the first to come has settled; an error where that is not what is wanted."""
        key = self.prefix + "settled"
        with failing(self.where):
            self.client.hsetnx(key, name, str(wanted or default))
            found = str(self.client.hget(key, name).decode())
        if wanted is not None and found != str(wanted):
            raise ConfigError(
                f"this bus was made with other {name}", where=self.where, got=wanted,
                expected=found, hint="Take another namespace to begin anew.",
            )  # fmt: skip
        return found

    def _settled_by(self, wanted: By | None) -> By:
        found = self._settled("by", wanted, "tenant")
        for known in get_args(By):
            if found == known:
                return known  # type: ignore[no-any-return]
        raise ConfigError("a bus of a later leadlab", where=self.where, got=found)

    # -- publishing --------------------------------------------------------------------------------

    def publish(self, events: Sequence[WireEvent]) -> Published:
        """See `Bus.publish`."""
        listed = list(events)
        parts = [
            self._publish_some(listed[start : start + PACKED])
            for start in range(0, len(listed), PACKED)
        ]
        return Published(np.frombuffer(b"".join(parts), np.uint8) == ord("1"))

    def _publish_some(self, events: list[WireEvent]) -> bytes:
        arguments = [
            self.bound,
            self.window_s,
            id_keys(events).astype("<u8").tobytes(),
            partitions_of(events, self.partitions, self.by),
            _ENCODER.encode_lines(events),
        ]
        with failing(self.where):
            answer = self._publish(keys=[self.prefix], args=arguments)
        if isinstance(answer, list):
            raise Overloaded(
                "consumers are too far behind", where=f"group {answer[0].decode()}",
                got=f"{answer[1]:,} events", expected=f"under {self.bound:,}",
                hint="Try again later, or start more workers.",
            )  # fmt: skip
        return bytes(answer)

    # -- consuming ---------------------------------------------------------------------------------

    def consumer(
        self, group: str, name: str, partitions: Iterable[int] | None = None
    ) -> RedisConsumer:
        """See `Bus.consumer`."""
        wanted = range(self.partitions) if partitions is None else partitions
        with failing(self.where):
            self._join(keys=[self.prefix], args=[group, self.partitions])
        return RedisConsumer(
            self.client, self.where, self.prefix, group, name, self._known(wanted), self.lease_s
        )

    def _known(self, partitions: Iterable[int]) -> frozenset[int]:
        wanted = frozenset(partitions)
        strange = [p for p in wanted if not 0 <= p < self.partitions]
        if strange:
            expected = f"0 to {self.partitions - 1}"
            raise BadInput("no such partition", got=strange[0], expected=expected)
        return wanted

    # -- looking -----------------------------------------------------------------------------------

    def read(self, partition: int, after: int, most: int) -> Entries:
        """See `Bus.read`."""
        parts: list[Entries] = []
        wanted, start = most, after + 1
        while wanted > 0:
            with failing(self.where):
                found = self.client.xrange(self._stream(partition), f"{start}-0", "+", 16)
            for entry in found:
                part = entries_of(entry)
                skip = max(after + 1 - int(part.offsets[0]), 0)
                part = part.take(skip, skip + max(wanted, 0))
                parts.append(part)
                wanted -= len(part)
            if len(found) < 16:
                break
            start = last_of(found[-1]) + 1
        return joined([part for part in parts if len(part)])

    def offset_at(self, partition: int, stamp_us: int) -> int:
        """See `Bus.offset_at`; a search by halves, since stamps never descend."""
        high = self.last(partition) + 1
        oldest = self._entry(partition, 0)
        if oldest is None:
            return high
        low = first_of(oldest)
        while low < high:
            found = self._entry(partition, (low + high) // 2)
            if found is not None and int(found[1][b"t"]) < stamp_us:
                low = last_of(found) + 1
            else:
                high = low if found is None else first_of(found)
        return low

    def _entry(self, partition: int, offset: int) -> Any:
        """The packed entry that holds an offset, or the next one; None where there is none."""
        with failing(self.where):
            found = self.client.xrange(self._stream(partition), f"{offset}-0", "+", 1)
        return found[0] if found else None

    def last(self, partition: int) -> int:
        """See `Bus.last`."""
        with failing(self.where):
            return int(self.client.hget(self.prefix + "last", partition) or 0)

    def lag(self, group: str) -> int:
        """See `Bus.lag`."""
        with failing(self.where):
            taken = self.client.hvals(self.prefix + "last")
            done = self.client.hvals(f"{self.prefix}done:{group}")
        return sum(map(int, taken)) - sum(map(int, done))

    def dead(self, group: str) -> list[DeadLetter]:
        """See `Bus.dead`."""
        with failing(self.where):
            found = self.client.xrange(f"{self.prefix}dead:{group}")
        return [
            DeadLetter(int(one[b"p"]), int(one[b"o"]), int(one[b"c"]), unpack(one[b"e"])[0])
            for _, one in found
        ]

    def trim(self, before_us: int) -> int:
        """See `Bus.trim`."""
        dropped = 0
        for partition in range(self.partitions):
            keep = self.offset_at(partition, before_us)
            with failing(self.where):
                dropped += self._trim(keys=[self.prefix], args=[partition, keep])
        return dropped

    def close(self) -> None:
        """See `Bus.close`."""
        self.client.close()

    def _stream(self, partition: int) -> str:
        return f"{self.prefix}events:{partition}"
