"""Older payloads are brought up to date, one version at a time.

A CloudEvent carries the version of its payload in the extension attribute ``schemaversion``.
One without it is of version 1. A step takes a whole CloudEvent object of version v and returns
one of version v + 1; the steps are chained when an event is decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from leadlab.errors import BadInput

Payload = Mapping[str, Any]
Step = Callable[[dict[str, Any]], Payload]
VERSION_ATTRIBUTE = "schemaversion"
FIRST_VERSION = 1


@dataclass(frozen=True)
class Migrations:
    """The steps from each older version to the next.

    Attributes
    ----------
    steps : mapping of int to callable
        From version v to v + 1; gapless from 1, so that the current version is one more than the
        last.

    Examples
    --------
    >>> def rename(payload):
    ...     return {**payload, "subject": payload["contact"]}
    >>> steps = Migrations().then(rename)
    >>> steps.current
    2
    >>> steps.apply({"contact": "ann"})["subject"]
    'ann'
    >>> steps.apply({"schemaversion": 3})
    Traceback (most recent call last):
    leadlab.errors.BadInput: the payload is of a newer version than this program knows ...
    """

    steps: Mapping[int, Step] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def current(self) -> int:
        """The version that this program reads and writes."""
        return FIRST_VERSION + len(self.steps)

    def then(self, step: Step) -> Migrations:
        """Return these steps with one more behind them: from the current version to the next."""
        return Migrations(MappingProxyType({**self.steps, self.current: step}))

    def apply(self, payload: Payload) -> dict[str, Any]:
        """Bring `payload` to the current version; it is not changed itself.

        Raises
        ------
        BadInput
            The version is no whole number, is unknown, or a step failed.
        """
        version = self._version(payload)
        moved = dict(payload)
        for v in range(version, self.current):
            try:
                moved = dict(self.steps[v](moved))
            except (KeyError, TypeError, ValueError) as error:
                raise BadInput(
                    f"the payload cannot be brought from version {v} to {v + 1}",
                    got=f"{type(error).__name__}: {error}",
                ) from error
        moved[VERSION_ATTRIBUTE] = self.current
        return moved

    def _version(self, payload: Payload) -> int:
        given = payload.get(VERSION_ATTRIBUTE)
        version = FIRST_VERSION if given is None else given
        if isinstance(version, str) and version.isascii() and version.isdigit():
            version = int(version)
        if not isinstance(version, int) or isinstance(version, bool) or version < FIRST_VERSION:
            raise BadInput("no version of a payload", where=VERSION_ATTRIBUTE, got=given)
        if version > self.current:
            raise BadInput(
                "the payload is of a newer version than this program knows",
                where=VERSION_ATTRIBUTE,
                got=version,
                expected=f"at most {self.current}",
                hint="Install a newer leadlab.",
            )
        return version


MIGRATIONS = Migrations()
"""The steps of leadlab's own payloads; version 1 is the first and so far the only one."""
