"""What a sender is told of events that were taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Accepted:
    """Events that are on disk.

    Attributes
    ----------
    fresh : bool array, shape (n,)
        Whether each was new; a repeated id changes nothing.
    offsets : int64 array, shape (n,)
        In the journal; 0 where repeated, or where a bus hands them on first.
    spooled : bool
        They wait on this machine's disk for a bus that is away.
    """

    fresh: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    spooled: bool = False
