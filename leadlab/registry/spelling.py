"""How models, versions and moments are written."""

from __future__ import annotations

import re
from datetime import datetime

from leadlab.errors import BadInput

_MODEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"(.+)@(\d{1,6})")


def is_model_name(text: object) -> bool:
    """Whether a model may bear a name; such a name is safe as that of a folder everywhere.

    Examples
    --------
    >>> is_model_name("hot-leads"), is_model_name("../hot"), is_model_name("Hot")
    (True, False, False)
    """
    return isinstance(text, str) and bool(_MODEL.fullmatch(text))


def model_name(text: str) -> str:
    """The name of a model, checked.

    Raises
    ------
    BadInput
        Unless it is 1 to 64 of a-z, 0-9, ".", "_", "-", a letter or digit first.
    """
    if not is_model_name(text):
        raise BadInput(
            "a model cannot bear such a name",
            got=repr(text),
            expected="1 to 64 of a-z, 0-9, '.', '_', '-', a letter or digit first",
        )
    return text


def version_name(text: str) -> tuple[str, int]:
    """Model and number of ``model@number``.

    Raises
    ------
    BadInput
        If it is written otherwise.

    Examples
    --------
    >>> version_name("hot@3")
    ('hot', 3)
    """
    found = _VERSION.fullmatch(text)
    if not found:
        raise BadInput("no version", got=text, expected="name@number")
    return model_name(found[1]), int(found[2])


def moment(text: str, field: str) -> datetime:
    """An ISO 8601 moment that says its zone.

    Raises
    ------
    BadInput
        Otherwise.

    Examples
    --------
    >>> moment("2026-01-01T00:00:00Z", "at").isoformat()
    '2026-01-01T00:00:00+00:00'
    """
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise BadInput("no moment", where=field, got=repr(text), expected="ISO 8601") from error
    if found.tzinfo is None:
        raise BadInput(
            "a moment without its zone", where=field, got=text, expected="2026-01-01T00:00:00Z"
        )
    return found
