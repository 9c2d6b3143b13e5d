"""Hooks that a user registers: what more can be said of an event, from elsewhere.

A hook adds fields and cannot change what the event says. One that fails does not cost the event:
what went wrong stands in the event itself, in the field `FAILED`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from leadlab.errors import BadInput
from leadlab.schema.event import Event, event_from

Hook = Callable[[Event], Mapping[str, Any]]
FAILED = "enrichment_failed"
_SHOWN, _SHOWN_IN_ALL = 200, 2_000


@dataclass(frozen=True)
class Enrichment:
    """Hooks by name, run in the order in which they were added.

    Examples
    --------
    >>> def region(event):
    ...     return {"region": {"97201": "Portland"}[event.data["postal_code"]]}
    >>> enrichment = Enrichment().then("region", region)
    >>> event = Event(id="1", lead="ann", kind="Inquiry", at="2026-03-01T10:00Z",
    ...               data={"postal_code": "97201"})
    >>> enrichment.apply(event).data
    {'postal_code': '97201', 'region': 'Portland'}
    >>> enrichment.apply(event.model_copy(update={"data": {}})).data
    {'enrichment_failed': "region: KeyError: 'postal_code'"}
    """

    hooks: tuple[tuple[str, Hook], ...] = ()

    @property
    def names(self) -> list[str]:
        """The hooks' names, in order."""
        return [name for name, _ in self.hooks]

    def then(self, name: str, hook: Hook) -> Enrichment:
        """Return these hooks with one more behind them.

        Raises
        ------
        BadInput
            A hook of that name is there already.
        """
        if name in self.names:
            raise BadInput("a hook of that name is there already", where="name", got=name)
        return Enrichment((*self.hooks, (name, hook)))

    def apply(self, event: Event) -> Event:
        """Run all hooks; each sees what the ones before it added.

        Returns
        -------
        Event
            With the added fields. Of a hook that raised, returned no mapping, or tried to change a
            field that was there, nothing is added but a line in the field ``enrichment_failed``.
        """
        for name, hook in self.hooks:
            try:
                event = _added(event, hook(event))
            except Exception as error:  # noqa: BLE001  (a user's code may raise anything)
                told = f"{name}: {type(error).__name__}: {error}"[:_SHOWN]
                before = event.data.get(FAILED)
                event = _with(
                    event, {FAILED: (f"{before}; {told}" if before else told)[:_SHOWN_IN_ALL]}
                )
        return event

    def apply_all(self, events: Iterable[Event]) -> list[Event]:
        """Run all hooks over each event."""
        return [self.apply(event) for event in events]


def _with(event: Event, fields: Mapping[str, Any]) -> Event:
    return event.model_copy(update={"data": {**event.data, **fields}})


def _added(event: Event, fields: Mapping[str, Any]) -> Event:
    """Add `fields`, checked as any event's are."""
    if not isinstance(fields, Mapping):
        raise TypeError(f"a hook returns a mapping, not {type(fields).__name__}")
    taken = sorted(set(fields) & set(event.data))
    if taken:
        raise ValueError(f"would change {', '.join(taken)}")
    own = {name: getattr(event, name) for name in Event.model_fields}
    return event_from({**own, "data": {**event.data, **fields}})
