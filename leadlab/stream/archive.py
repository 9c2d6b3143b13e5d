"""The arrays of an ``.npz`` file, read in place, their checksums on all cores."""

from __future__ import annotations

import io
import os
import struct
import threading
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BrokenFile

UNREADABLE = (
    zipfile.BadZipFile, struct.error, ValueError, KeyError, EOFError, OSError, OverflowError,
    RuntimeError,
)  # fmt: skip
"""What zip files that were altered make the standard library raise."""
_HEADER = struct.Struct("<26x2H")
_LONGEST_HEAD = 1 << 16
_ONE_AT_A_TIME = threading.Lock()
"""Headers are Python literals, and before 3.12 only one thread may parse those at a time."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a file that `numpy.savez` wrote, by name; they are the caller's to change.

    No array is other than what was written. That none is missing is for the caller to check.

    Raises
    ------
    BrokenFile
        If the file cannot be read, is something else, or an entry is not what was written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "some.npz"
    ...     np.savez(path, one=np.arange(3), two=np.eye(2))
    ...     {name: array.tolist() for name, array in read_arrays(path).items()}
    {'one': [0, 1, 2], 'two': [[1.0, 0.0], [0.0, 1.0]]}
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            arrays = list(pool.map(lambda entry: _array(path, entry), entries))
    except UNREADABLE as error:
        raise BrokenFile("cannot read the arrays", where=str(path), got=str(error)) from error
    return {
        entry.filename.removesuffix(".npy"): array
        for entry, array in zip(entries, arrays, strict=True)
    }


def _array(path: Path, entry: zipfile.ZipInfo) -> NDArray[Any]:
    """One array; checksums and reads let other threads run meanwhile."""
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is compressed")
    if entry.file_size > path.stat().st_size:
        raise BrokenFile("an array of another size", where=f"{path}, {entry.filename}")
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        name, extra = _HEADER.unpack(file.read(_HEADER.size))
        file.seek(name + extra, os.SEEK_CUR)
        content = np.empty(entry.file_size, np.uint8)
        got = file.readinto(content.data)
    if got != entry.file_size or zlib.crc32(content.data) != entry.CRC:
        raise BrokenFile("an array was altered", where=f"{path}, {entry.filename}")
    head = io.BytesIO(content[:_LONGEST_HEAD].tobytes())
    version = np.lib.format.read_magic(head)
    if version != (1, 0):
        raise ValueError(f"{entry.filename} is of format {version}")
    with _ONE_AT_A_TIME:
        shape, by_column, dtype = np.lib.format.read_array_header_1_0(head)
    if by_column or dtype.hasobject:
        raise ValueError(f"{entry.filename} is laid out otherwise")
    return content[head.tell() :].view(dtype).reshape(shape)
