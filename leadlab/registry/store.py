"""Where a registry keeps its files: a folder or an S3-compatible address, asked in the same words.

Everything a registry does rests on one promise: `Store.create` writes a file whole, under a name
that nobody has taken, or not at all. Whoever comes second is told so.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

from leadlab.errors import ConfigError


class Taken(Exception):
    """A file of that name is there already; for `leadlab.registry` alone, which says who won."""


class Found(NamedTuple):
    """A file that is there.

    Attributes
    ----------
    path : str
        Under the store, with ``/``.
    size_bytes : int
        Its size.
    changed_s : float
        When it was last written, seconds since 1970 UTC.
    """

    path: str
    size_bytes: int
    changed_s: float


class Store(Protocol):
    """Files by relative path. Every failure is a `StoreFailed` that names the path."""

    address: str

    def create(self, path: str, data: bytes) -> None:
        """Write a whole new file, or nothing.

        Raises
        ------
        Taken
            If the name is taken, by whatever content.
        StoreFailed
            If it could not be written.
        """

    def read(self, path: str, most: int) -> bytes | None:
        """Content of a file, or None where there is none.

        Raises
        ------
        BrokenFile
            If it is larger than `most` bytes, or no plain file.
        """

    def find(self, folder: str) -> list[Found]:
        """All files below a folder, by path; empty where there is no such folder."""

    def delete(self, path: str) -> None:
        """Remove a file, if it is there."""


def open_store(address: str | Path) -> Store:
    """The store at an address; nothing is read or made yet.

    Parameters
    ----------
    address : str or Path
        A folder, or ``s3://bucket/prefix``. Endpoint and credentials come from the environment, as
        botocore (``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``, ...) and fsspec
        (``FSSPEC_S3_ENDPOINT_URL``, ...) read it, never from the address.

    Raises
    ------
    ConfigError
        If the address is of another kind, holds credentials, or s3fs is not installed.

    Examples
    --------
    >>> open_store("lab/registry").address
    'lab/registry'
    >>> open_store("ftp://there/registry")
    Traceback (most recent call last):
        ...
    leadlab.errors.ConfigError: a registry cannot live at such an address (got: 'ftp://...'; ...
    """
    from leadlab.registry.folder_store import FolderStore  # noqa: PLC0415  (cycle)
    from leadlab.registry.object_store import ObjectStore  # noqa: PLC0415  (loads s3fs)

    scheme, divided, rest = str(address).partition("://")
    if not divided:
        if not str(address):
            raise ConfigError("an empty address of a registry", expected="a folder or s3://...")
        return FolderStore(Path(address))
    if scheme != "s3":
        raise ConfigError(
            "a registry cannot live at such an address",
            got=f"'{scheme}://...'",
            expected="a folder, or s3://bucket/prefix",
        )
    if "@" in rest or "?" in rest:
        raise ConfigError(
            "an address holds no credentials and no options",
            where="registry address",
            expected="s3://bucket/prefix",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile.",
        )
    return ObjectStore(rest)
