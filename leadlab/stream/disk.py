"""Is there room on the disk: asked before more is acknowledged than can be kept."""

from __future__ import annotations

import shutil
from pathlib import Path

from leadlab.errors import StoreFailed

LEAST_BYTES = 256 << 20


class DiskFull(StoreFailed):
    """Less room is left on a disk than the journal needs."""


def check_room(folder: Path, least_bytes: int = LEAST_BYTES) -> int:
    """Bytes that are free where `folder` lies.

    Parameters
    ----------
    folder : Path
        Where the journal is, or will be.
    least_bytes : int
        What must be free.

    Raises
    ------
    DiskFull
        If less is free.
    StoreFailed
        If the folder cannot be asked.

    Examples
    --------
    >>> check_room(Path("."), 1) > 0
    True
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StoreFailed("cannot tell what is free", where=str(folder), got=error) from error
    if free < least_bytes:
        raise DiskFull(
            "the disk is nearly full",
            where=str(folder),
            got=f"{free / 2**20:,.0f} MiB free",
            expected=f"{least_bytes / 2**20:,.0f} MiB",
            hint="Free some room, shorten the journal's retention, or move it to a larger disk.",
        )
    return free
