"""Who works on a bus: workers of one home share its partitions, and no partition has two homes.

What was made of a partition's events lies in files at home, so a worker elsewhere must not go on
with it: that a partition is at home in one place is remembered in Redis.
"""

from __future__ import annotations

import math
from typing import Any

from leadlab.stream.redis_link import failing

_BEAT = """
-- KEYS workers; ARGV name, seconds: how many are alive, this one included
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
return redis.call('ZCARD', KEYS[1])
"""


class RedisMembers:
    """One worker among those of its home.

    Parameters
    ----------
    client : redis.Redis
    where, prefix : str
        As for `RedisConsumer`.
    home : str
        Which home; see `leadlab.stream.partition_home`.
    name : str
    lease_s : float
        A worker not heard of for so long counts no more.
    """

    def __init__(
        self, client: Any, where: str, prefix: str, home: str, name: str, lease_s: float
    ) -> None:
        self.client, self.where, self.prefix = client, where, prefix
        self.home, self.name, self.lease_s = home, name, lease_s
        self._beat = client.register_script(_BEAT)

    def fair_share(self, partitions: int) -> int:
        """Most partitions that this worker should hold, given who is alive; says that it is."""
        with failing(self.where):
            alive = self._beat(keys=[self._key], args=[self.name, math.ceil(self.lease_s)])
        return math.ceil(partitions / int(alive))

    def leave(self) -> None:
        """Be counted no more."""
        with failing(self.where):
            self.client.zrem(self._key, self.name)

    def bind(self, partition: int) -> bool:
        """Settle where a partition is at home; False if that is elsewhere."""
        key = f"{self.prefix}homes"
        with failing(self.where):
            self.client.hsetnx(key, str(partition), self.home)
            return bool(self.client.hget(key, str(partition)).decode() == self.home)

    @property
    def _key(self) -> str:
        return f"{self.prefix}workers:{self.home}"
