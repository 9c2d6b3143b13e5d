"""The arrays of an ``.npz`` file, read in place, their checksums on all cores."""

from __future__ import annotations

import math
import os
import struct
import tokenize
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BrokenFile

_HEADER = struct.Struct("<26x2H")
DAMAGED = (
    zipfile.BadZipFile, struct.error, tokenize.TokenError, SyntaxError, ArithmeticError,
    LookupError, TypeError, ValueError, EOFError, OSError, RuntimeError,
)  # fmt: skip
"""What reading raises where a header was altered, before any checksum can be looked at."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a file that `numpy.savez` wrote, by name; they are the caller's to change.

    Raises
    ------
    BrokenFile
        If an entry is not what was written, or the file is something else.

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
    except DAMAGED as error:
        raise BrokenFile("cannot read the arrays", where=str(path), got=str(error)) from error
    return {
        entry.filename.removesuffix(".npy"): array
        for entry, array in zip(entries, arrays, strict=True)
    }


def _array(path: Path, entry: zipfile.ZipInfo) -> NDArray[Any]:
    """One array; checksums and reads let other threads run meanwhile."""
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is compressed")
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        name, extra = _HEADER.unpack(file.read(_HEADER.size))
        start = entry.header_offset + _HEADER.size + name + extra
        file.seek(start)
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"{entry.filename} is of format {version}")
        shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
        if by_column or dtype.hasobject:
            raise ValueError(f"{entry.filename} is laid out otherwise")
        head = file.tell() - start
        if head + math.prod(shape) * dtype.itemsize != entry.file_size:
            raise ValueError(f"{entry.filename} is of another size")
        array = np.empty(shape, dtype)
        content = array.reshape(-1).view(np.uint8).data
        got = file.readinto(content)
        file.seek(start)
        crc = zlib.crc32(content, zlib.crc32(file.read(head)))
    if got != array.nbytes or crc != entry.CRC:
        raise BrokenFile("an array was altered", where=f"{path}, {entry.filename}")
    return array
