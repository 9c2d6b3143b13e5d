"""A JSON file that knows its format and its own checksum."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from leadlab.errors import BadInput, BrokenFile
from leadlab.models.files.members import format_number, sha256

READS = 1
LARGEST_BYTES = 1 << 24


def seal(family: str, body: Mapping[str, Any]) -> bytes:
    """JSON of a body with its format and the sha256 of its canonical form.

    Raises
    ------
    BadInput
        If the body holds anything but plain values.

    Examples
    --------
    >>> unseal(seal("leadlab-card", {"a": [1]}), "leadlab-card", where="card.json")
    {'a': [1]}
    """
    try:
        told = {"format": f"{family}/{READS}", "sha256": sha256(_canonical(body)), "body": body}
        text = json.dumps(told, indent=1, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput("a registry holds plain values only", where=family, got=error) from error
    return text.encode()


def unseal(data: bytes, family: str, *, where: str) -> dict[str, Any]:
    """The body, if the checksum agrees.

    Raises
    ------
    BrokenFile
        If it was cut short or altered, or is of another kind.
    NewerFormat
        If a later leadlab wrote it.
    """
    try:
        told = json.loads(data)
        format_number(told["format"], family, READS, where)
        body = told["body"]
        if not isinstance(body, dict) or told["sha256"] != sha256(_canonical(body)):
            raise ValueError("checksums do not agree")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BrokenFile(
            "cannot read a file of the registry: cut short, altered or of another kind",
            where=where,
            got=f"{type(error).__name__}: {str(error)[:100]}",
            hint="Take it from a backup.",
        ) from error
    return body


def _canonical(body: Any) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
