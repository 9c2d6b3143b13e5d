"""What in a message tells who somebody is, marked by place, and the message without it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from leadlab.errors import UnknownName
from leadlab.models.conversation import contacts

Finder = Callable[[str], Iterator[tuple[int, int]]]
_FINDERS: dict[str, Finder] = {
    "e-mail": contacts.emails,
    "phone": contacts.phones,
    "account": contacts.accounts,
    "address": contacts.addresses,
    "name": contacts.names,
}
"""The earlier one wins where two find the same place."""
SEES: dict[str, frozenset[str]] = {
    "agent": frozenset({"e-mail", "phone", "address", "name"}),
    "coach": frozenset({"name"}),
    "analyst": frozenset(),
}
"""What each role is shown unmasked; nobody is shown account numbers."""


MOST_REPEATED = 200
"""Of so many found places it is looked whether they are said again."""


@dataclass(frozen=True, slots=True)
class Pii:
    """One place that tells who somebody is.

    Attributes
    ----------
    kind : str
        "e-mail", "phone", "account", "address" or "name".
    start, end : int
        ``text[start:end]``.
    """

    kind: str
    start: int
    end: int


def find_pii(text: str) -> tuple[Pii, ...]:
    """Places to be masked, in order; none overlaps another.

    What is found once is also found where it is repeated.

    Examples
    --------
    >>> text = "I am Ann Smith, 206-555-0134. Ann Smith was at 12 Mill Lane."
    >>> [found.kind for found in find_pii(text)]
    ['name', 'phone', 'name', 'address']
    """
    return _places(text, _FINDERS)


def _places(text: str, kinds: Collection[str]) -> tuple[Pii, ...]:
    found = [
        Pii(kind, *span) for kind in _FINDERS if kind in kinds for span in _FINDERS[kind](text)
    ]
    found += _repeated(text, found)
    kept: list[Pii] = []
    last: dict[str, int] = {kind: i for i, kind in enumerate(_FINDERS)}
    for one in sorted(found, key=lambda f: (f.start, last[f.kind], -f.end)):
        if kept and one.start < kept[-1].end:
            if one.end > kept[-1].end:
                kept[-1] = Pii(kept[-1].kind, kept[-1].start, one.end)
            continue
        kept.append(one)
    return tuple(kept)


def _repeated(text: str, found: list[Pii]) -> list[Pii]:
    """Where what was found is said again, names as whole words."""
    said: dict[str, str] = {}
    for one in found:
        said.setdefault(text[one.start : one.end], one.kind)
        if len(said) >= MOST_REPEATED:
            break
    if not said:
        return []
    names = "|".join(re.escape(value) for value, kind in said.items() if kind == "name")
    rest = "|".join(re.escape(value) for value, kind in said.items() if kind != "name")
    parts = [rf"(?<!\w)(?:{names})(?!\w)"] * bool(names) + [rest] * bool(rest)
    return [Pii(said[m[0]], *m.span()) for m in re.finditer("|".join(parts), text)]


def masked(text: str, role: str = "analyst") -> str:
    """The message with each place that the role may not see replaced by its kind.

    What is masked is looked through again until nothing is found, so that the result holds none.

    Parameters
    ----------
    text : str
    role : str
        One of `SEES`.

    Raises
    ------
    UnknownName
        If there is no such role.

    Examples
    --------
    >>> masked("I am Ann Smith, call 206-555-0134")
    'I am [name], call [phone]'
    >>> masked("I am Ann Smith, call 206-555-0134", role="coach")
    'I am Ann Smith, call [phone]'
    """
    if role not in SEES:
        raise UnknownName("role", role, SEES)
    hidden = [kind for kind in _FINDERS if kind not in SEES[role]]
    while places := _places(text, hidden):
        parts, at = [], 0
        for one in places:
            parts += [text[at : one.start], f"[{one.kind}]"]
            at = one.end
        text = "".join(parts) + text[at:]
    return text
