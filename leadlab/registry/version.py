"""One version of a model: what it is, where it came from, and which files it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from leadlab.errors import BrokenFile
from leadlab.models.files.members import plain_name, sha256
from leadlab.registry.card import Card
from leadlab.registry.sealed import seal, unseal

FAMILY = "leadlab-version"


class FileSum(NamedTuple):
    """What a file must be.

    Attributes
    ----------
    sha256 : str
    size_bytes : int
    """

    sha256: str
    size_bytes: int

    def holds(self, data: bytes) -> bool:
        """Whether a content is the one."""
        return len(data) == self.size_bytes and sha256(data) == self.sha256


@dataclass(frozen=True)
class Version:
    """What the registry knows of one version; it never changes.

    Attributes
    ----------
    model : str
        Name of the model.
    number : int
        1, 2, ... in the order of registration.
    kind : str
        See `leadlab.models.files.stored`.
    folder : str
        Name of the folder of its files.
    files : mapping of str to FileSum
        Each file with its checksum and size.
    data_hash : str
        Fingerprint of the training set; see `leadlab.models.files.model_file.fingerprint`.
    plan_hash : str
        Hash of the feature plan; empty for a model of a bare matrix.
    features : tuple of str
        Columns, in order.
    settings : mapping
        What the estimator was made with, plain values.
    metrics : mapping
        As measured on the test side.
    card : Card
    code : mapping of str to (str or None)
        Version of leadlab, git commit.
    libraries : mapping of str to str
    parents : tuple of str
        What it was made from: "name@number", or any other name.
    created_at : str
        ISO 8601; given by the caller.
    who : str or None
    """

    model: str
    number: int
    kind: str
    folder: str
    files: Mapping[str, FileSum]
    data_hash: str
    plan_hash: str
    features: tuple[str, ...]
    settings: Mapping[str, Any]
    metrics: Mapping[str, Any]
    card: Card
    code: Mapping[str, str | None]
    libraries: Mapping[str, str]
    parents: tuple[str, ...]
    created_at: str
    who: str | None

    @property
    def name(self) -> str:
        """``model@number``, as results name it."""
        return f"{self.model}@{self.number}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        files = {name: one._asdict() for name, one in self.files.items()}
        return {**asdict(self), "files": files, "card": asdict(self.card)}

    def manifest(self) -> bytes:
        """The file that makes the version exist."""
        return seal(FAMILY, self.to_json())

    @classmethod
    def from_manifest(cls, data: bytes, *, where: str) -> Version:
        """The inverse of `manifest`.

        Raises
        ------
        BrokenFile, NewerFormat
            If it was altered, is of another kind, or a later leadlab wrote it.
        """
        body = unseal(data, FAMILY, where=where)
        try:
            files = {plain_name(n): FileSum(**one) for n, one in body["files"].items()}
            plain_name(body["folder"])
            lists = {name: tuple(body[name]) for name in ("features", "parents")}
            card = Card.from_json(body["card"])
            return cls(**{**body, **lists, "files": files, "card": card})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BrokenFile("no version", where=where, got=str(error)[:200]) from error
