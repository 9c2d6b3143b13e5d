"""Which event ids were seen: 64-bit hashes in a flat table, for duplicates at stream speed.

An event's key is the hash of tenant and id that `leadlab.schema.EventLog.id_hash` gives. Among n
ids, two different ones share a key with a chance of about n^2 / 2^65: 1e-6 for six million.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.features.arrays import EMPTY
from leadlab.features.kernel import find
from leadlab.jit import kernel
from leadlab.schema.wire import WireEvent

U64 = NDArray[np.uint64]
_SALT = np.uint64(0x9E3779B97F4A7C15)


def id_keys(events: list[WireEvent]) -> U64:
    """Keys of events, as `EventLog.id_hash` has them.

    Examples
    --------
    >>> one = WireEvent("e1", "default", "ann", "Inquiry", 0)
    >>> id_keys([one])[0] == id_keys([one, one])[1]
    np.True_
    """
    if not events:
        return np.zeros(0, np.uint64)
    ids = np.array([event.id for event in events], dtype=object)
    names: dict[str, int] = {}
    codes = np.array([names.setdefault(e.tenant, len(names)) for e in events], np.int64)
    tenants = pd.util.hash_array(np.array(list(names), dtype=object), categorize=False)
    own = pd.util.hash_array(ids, categorize=False)
    return np.asarray(own ^ (tenants * _SALT)[codes])


@kernel()
def _unknown(table: Any, keys: Any, fresh: Any) -> None:
    for k in range(len(keys)):
        fresh[k] = table[find(table, keys[k])] != keys[k]


@kernel()
def _enter(table: Any, keys: Any) -> Any:
    added = 0
    for key in keys:
        place = find(table, key)
        if table[place] != key:
            table[place] = key
            added += 1
    return added


class KnownIds:
    """A set of keys that grows; look first, enter once the events are on disk.

    Examples
    --------
    >>> known = KnownIds()
    >>> keys = np.array([5, 7, 5], np.uint64)
    >>> known.fresh(keys).tolist()
    [True, True, False]
    >>> known.enter(keys)
    >>> known.fresh(keys).tolist(), len(known)
    ([False, False, False], 2)
    """

    def __init__(self, room: int = 1 << 16) -> None:
        self._table = np.full(room, EMPTY, np.uint64)
        self._used = 0

    @classmethod
    def for_keys(cls, keys: int) -> KnownIds:
        """Room for so many keys, and for some more."""
        return cls(max(1 << (3 * keys).bit_length(), 1 << 16))

    def __len__(self) -> int:
        return self._used

    def fresh(self, keys: U64) -> NDArray[np.bool_]:
        """Keys never entered; of several alike, the first."""
        new = np.empty(len(keys), np.bool_)
        _unknown(self._table, keys, new)
        _, first = np.unique(keys, return_index=True)
        if len(first) < len(keys):
            alone = np.zeros(len(keys), np.bool_)
            alone[first] = True
            new &= alone
        return new

    def enter(self, keys: U64) -> None:
        """Remember keys."""
        if 2 * (self._used + len(keys)) > len(self._table):
            old = self._table[self._table != np.uint64(EMPTY)]
            room = 1 << (3 * (self._used + len(keys))).bit_length()
            self._table = np.full(room, EMPTY, np.uint64)
            _enter(self._table, old)
        self._used += int(_enter(self._table, keys))
