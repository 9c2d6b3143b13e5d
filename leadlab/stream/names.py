"""Names and their codes, both ways, each at the cost of one look."""

from __future__ import annotations

from collections.abc import Iterable


class Names(dict[str, int]):
    """Codes of names by first appearance; grows, and forgets nothing.

    Examples
    --------
    >>> names = Names(["ann"])
    >>> names.code("bob"), names.code("ann"), names.named(1), names.named(-1)
    (1, 0, 'bob', None)
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__()
        self.listed: list[str] = []
        for name in names:
            self.code(name)

    def code(self, name: str) -> int:
        """Code of a name, given to it where it is new."""
        found = self.get(name)
        if found is None:
            found = self[name] = len(self.listed)
            self.listed.append(name)
        return found

    def named(self, code: int) -> str | None:
        """Name of a code; None for -1."""
        return None if code < 0 else self.listed[code]
