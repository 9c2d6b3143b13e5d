"""A store in a bucket of S3, or of a service that speaks its language, through fsspec (s3fs)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from leadlab.errors import BrokenFile, ConfigError, LeadlabError, StoreFailed
from leadlab.registry.store import Found, Taken

_TAKEN = ("PreconditionFailed", "412")
_AT_ONCE = "ConditionalRequestConflict"
_TRIES = 4


class ObjectStore:
    """Objects below a prefix; a name is taken once by a conditional PUT (``If-None-Match: *``).

    A service that does not know the condition would let the last writer win unseen; the registry
    asks once, before it first writes, whether the condition holds (see `Registry`).

    Parameters
    ----------
    place : str
        ``bucket/prefix``.

    Raises
    ------
    ConfigError
        If s3fs is not installed, or no bucket is named.
    """

    def __init__(self, place: str) -> None:
        self.place = place.strip("/")
        self.address = f"s3://{self.place}"
        if not self.place:
            raise ConfigError("no bucket in the address", got="s3://", expected="s3://bucket")
        self.files = _s3(self.address)
        self.failures = _failures()

    def create(self, path: str, data: bytes) -> None:
        """Write a whole new object, or nothing; see `Store`."""
        at = f"{self.place}/{path}"
        for left in reversed(range(_TRIES)):
            found: OSError
            with self._told(path):
                try:
                    self.files.pipe_file(at, data, mode="create")
                    return
                except FileExistsError as error:
                    found = error
                except OSError as error:
                    code = _code(error)
                    if code not in (*_TAKEN, _AT_ONCE):
                        raise
                    found = error
                    if code == _AT_ONCE and left and not self.files.exists(at):
                        continue
                # A PUT whose answer was lost is sent again, and then meets what it wrote itself.
                if self.files.cat_file(at) == data:
                    return
                raise Taken(path) from found

    def read(self, path: str, most: int) -> bytes | None:
        """Content of an object, or None; see `Store`."""
        at = f"{self.place}/{path}"
        with self._told(path):
            try:
                size = int(self.files.info(at)["size"])
                if size > most:
                    raise BrokenFile(
                        "larger than it may be",
                        where=f"s3://{at}",
                        got=f"{size} bytes",
                        expected=f"at most {most}",
                    )
                return bytes(self.files.cat_file(at))
            except FileNotFoundError:
                self._bucket_is_there()
                return None

    def find(self, folder: str) -> list[Found]:
        """All objects below a prefix, by path; see `Store`."""
        below = f"{self.place}/{folder}".rstrip("/")
        with self._told(folder):
            try:
                listed = self.files.find(below, detail=True)
            except FileNotFoundError:
                self._bucket_is_there()
                return []
        return sorted(
            Found(
                at.removeprefix(f"{self.place}/"),
                int(about["size"]),
                about["LastModified"].timestamp(),
            )
            for at, about in listed.items()
            if about["type"] == "file"
        )

    def delete(self, path: str) -> None:
        """Remove an object, if it is there; see `Store`."""
        with self._told(path):
            try:
                self.files.rm_file(f"{self.place}/{path}")
            except FileNotFoundError:
                self._bucket_is_there()

    def _bucket_is_there(self) -> None:
        bucket = self.place.split("/")[0]
        if not self.files.exists(bucket):
            raise StoreFailed(
                "no such bucket, or none that may be seen",
                where=self.address,
                hint="Check the address, AWS_ENDPOINT_URL and the credentials.",
            )

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        try:
            yield
        except LeadlabError:
            raise
        except self.failures as error:
            raise StoreFailed(
                "an S3-compatible store could not be used",
                where=f"{self.address}/{path}",
                got=f"{type(error).__name__}: {str(error)[:200]}",
                hint="Check the address, AWS_ENDPOINT_URL and the credentials.",
            ) from error


def _s3(address: str) -> Any:
    try:
        from s3fs import S3FileSystem  # type: ignore[import-untyped]  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise ConfigError(
            "an S3 address needs s3fs",
            where=address,
            got=error,
            hint='Install it with leadlab\'s extra: pip install "leadlab[s3]".',
        ) from error
    # What others write must be seen at once, and the environment of now must count.
    return S3FileSystem(use_listings_cache=False, skip_instance_cache=True)


def _failures() -> tuple[type[Exception], ...]:
    from botocore import exceptions  # type: ignore[import-untyped]  # noqa: PLC0415

    return (OSError, exceptions.BotoCoreError, exceptions.ClientError)


def _code(error: OSError) -> str:
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
