"""Messages from workers to every process that serves watchers, through one capped Redis stream.

What watchers are told is the newest state, not the record: the stream keeps a while of it, and who
comes later asks for the state itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import msgspec

from leadlab.errors import BrokenFile, StoreFailed
from leadlab.stream.message import Message
from leadlab.stream.redis_link import TIMEOUT_S, connect, failing, plain

WATCHED_S = 60.0
"""How long one `watch` lasts."""
AGAIN_S = 5.0
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(list[Message])


class RedisMessages:
    """Sends and reads messages of one bus.

    Parameters
    ----------
    url, namespace : str
        As for `RedisBus`.
    most : int
        Batches that are kept, roughly.
    timeout_s : float
        Longest wait for an answer.
    """

    def __init__(
        self, url: str, *, namespace: str = "main", most: int = 20_000, timeout_s: float = TIMEOUT_S
    ) -> None:
        self.where, self.most = plain(url), most
        self.key = f"leadlab:{{{namespace}}}:messages"
        self.timeout_s = timeout_s
        self.client = connect(url, timeout_s=timeout_s)
        self._watched_key = f"leadlab:{{{namespace}}}:watched"
        self._watched: frozenset[str] = frozenset()
        self._ask_s = float("-inf")

    def send(self, messages: Sequence[Message]) -> None:
        """Send a batch.

        Raises
        ------
        StoreFailed
            If Redis cannot be reached; whether it has the batch is unknown.
        """
        if messages:
            content = {"m": _ENCODER.encode(messages)}
            try:
                with failing(self.where):
                    self.client.xadd(self.key, content, maxlen=self.most, approximate=True)
            except StoreFailed:
                self._watched, self._ask_s = frozenset(), time.monotonic() + AGAIN_S
                raise

    def newest(self) -> str:
        """Cursor of the last batch sent, to read on from."""
        with failing(self.where):
            found = self.client.xrevrange(self.key, count=1)
        return found[0][0].decode() if found else "0"

    def read(self, after: str, wait_s: float, most: int = 256) -> tuple[str, list[Message]]:
        """Messages behind a cursor, oldest first, and the cursor behind them.

        Parameters
        ----------
        after : str
            What an earlier call or `newest` gave.
        wait_s : float
            How long to wait where there are none yet.
        most : int
            Batches at most.
        """
        block = ["BLOCK", max(int(min(wait_s, self.timeout_s / 2) * 1e3), 1)] if wait_s > 0 else []
        with failing(self.where):
            found = self.client.execute_command(
                "XREAD", "COUNT", most, *block, "STREAMS", self.key, after
            )
        batches = found[0][1] if found else []
        try:
            messages = [one for _, fields in batches for one in _DECODER.decode(fields[b"m"])]
        except (msgspec.MsgspecError, KeyError) as error:
            raise BrokenFile("no messages of ours", where=self.key, got=str(error)) from error
        return (batches[-1][0].decode() if batches else after), messages

    def watch(self, tenants: Iterable[str]) -> None:
        """Say that somebody watches these tenants; to be said again within `WATCHED_S`."""
        now_s = time.time()
        with failing(self.where):
            for tenant in tenants:
                self.client.zadd(self._watched_key, {tenant: now_s})

    def watched(self) -> frozenset[str]:
        """Tenants that somebody watches, as of a second ago at most.

        While Redis cannot be reached, nobody can be told, and it is asked once in a few seconds.
        """
        now_s = time.monotonic()
        if now_s >= self._ask_s:
            self._ask_s = now_s + AGAIN_S
            self._watched = frozenset()
            with failing(self.where):
                self.client.zremrangebyscore(self._watched_key, "-inf", time.time() - WATCHED_S)
                found = self.client.zrange(self._watched_key, 0, -1)
            self._watched = frozenset(one.decode() for one in found)
            self._ask_s = now_s + 1.0
        return self._watched

    def close(self) -> None:
        """Let go of the connections."""
        self.client.close()
