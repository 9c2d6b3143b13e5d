"""The flat arrays that plan and kernel share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).min
NONE = -1
EMPTY = np.iinfo(np.uint64).max


class Plan(NamedTuple):
    """Compiled declarations, as the kernel reads them; made by `leadlab.features.plan`."""

    windows_us: NDArray[np.int64]  # (W,) length of each window
    actions: NDArray[np.int32]  # (A, 5) op, cell, second cell, column, extra
    masks: NDArray[np.uint64]  # (A,) event bits that an action needs
    lists: NDArray[np.int32]  # (K * (W + 1) + 1,) action range by kind and window; W = standing
    constants: NDArray[np.float64]  # rates of decay, window lengths in days
    nodes: NDArray[np.int32]  # (N, 4) op, first, second, constant
    ranges: NDArray[np.int32]  # (OPS + 1,) range of nodes of each op
    outputs: NDArray[np.int32]  # (F,) node of each output
    zone_starts_us: NDArray[np.int64]  # local-time offsets: valid from
    zone_offsets_us: NDArray[np.int64]
    first_ints: NDArray[np.int32]  # state of an entity without events
    first_longs: NDArray[np.int64]
    first_floats: NDArray[np.float64]


class Tape(NamedTuple):
    """Events as the kernel reads them; `next` links an entity's chain."""

    at_us: NDArray[np.int64]
    kind: NDArray[np.int32]  # code in the plan's kinds; 0 = any other
    bits: NDArray[np.uint64]  # calendar classes and field conditions that hold
    numbers: NDArray[np.float64]  # (n, M) event numbers; derived ones are filled by the kernel
    codes: NDArray[np.int32]  # (n, A) codes of text fields
    next: NDArray[np.int32]
    repeated: NDArray[np.bool_]  # (n, D) the same code came again later
    larger: NDArray[np.int32]  # (n, P, 2) neighbours in the queue of running extremes


class Seen(NamedTuple):
    """Hash table from (entity, field, code) to the last event that had it."""

    keys: NDArray[np.uint64]
    events: NDArray[np.int32]
    used: NDArray[np.int64]  # (1,)
    before: NDArray[np.int32]  # (D,) scratch: the event before, with the same code
