"""Named contents, held to their names, sizes and checksums before any of them is used."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping

from leadlab.errors import BadInput, NewerFormat

LARGEST_BYTES = 1 << 30
"""Contents that claim to be larger together are refused unread."""
MOST_MEMBERS = 256
CHECKSUMS = "checksums.json"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_ZIPPED_AT = (1980, 1, 1, 0, 0, 0)


def sha256(data: bytes) -> str:
    """Checksum in hexadecimal.

    Examples
    --------
    >>> sha256(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


def plain_name(name: str) -> str:
    """A file name that leads nowhere else: no folder, no leading dot, no odd sign.

    Raises
    ------
    BadInput
        Otherwise.

    Examples
    --------
    >>> plain_name("model.ubj")
    'model.ubj'
    >>> plain_name("../model.ubj")
    Traceback (most recent call last):
        ...
    leadlab.errors.BadInput: a file name that is not plain (got: '../model.ubj'; ...
    """
    if not _NAME.fullmatch(name):
        expected = "letters, digits, '.', '_', '-'; no folder"
        raise BadInput("a file name that is not plain", got=repr(name), expected=expected)
    return name


def format_number(text: object, family: str, reads: int, where: str) -> int:
    """N of ``family/N``.

    Raises
    ------
    NewerFormat
        If it is above `reads`.
    ValueError
        If it is of another family.

    Examples
    --------
    >>> format_number("leadlab-model/1", "leadlab-model", 2, "m.leadlab")
    1
    """
    kind, slash, number = str(text).partition("/")
    if kind != family or not slash or not number.isdecimal() or int(number) < 1:
        raise ValueError(f"a file of another kind: {str(text)[:60]!r}")
    if int(number) > reads:
        raise NewerFormat(where, written=int(number), reads=reads)
    return int(number)


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip of contents and their checksums; equal contents give equal bytes."""
    sums = {plain_name(name): sha256(data) for name, data in members.items()}
    listed = {**members, CHECKSUMS: json.dumps(sums, sort_keys=True).encode()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in listed.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIPPED_AT), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """The inverse of `zipped`.

    Raises
    ------
    ValueError, KeyError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError
        If it is no such zip, claims too much, twice names one file, or a checksum differs.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = archive.infolist()
        names = [plain_name(info.filename) for info in listed]
        if len(listed) > MOST_MEMBERS or sum(info.file_size for info in listed) > LARGEST_BYTES:
            raise ValueError("larger than any model")
        if len(set(names)) < len(names):
            raise ValueError("one name twice")
        members = {info.filename: archive.read(info) for info in listed}
    sums = json.loads(members.pop(CHECKSUMS))
    if sums != {name: sha256(content) for name, content in members.items()}:
        raise ValueError("checksums do not agree")
    return members
