"""What is sent: events of two tenants as they come in practice, and rows that are no events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from leadlab.schema.wire import WireEvent
from tests.stream.scenes import as_they_come, tenants

_SOUND = b'"lead": "ann", "kind": "Inquiry", "at": "2025-02-01T10:00:00Z"'
POISON = (
    b"{",
    b"null",
    b"\xff\xfe",
    b'{"lead": "ann"}',
    b"[" * 5000,
    b'{"id": "p1", "lead": "ann", "kind": "Inquiry", "at": "yesterday"}',
    b'{"id": "p2", %s, "tenant": "best of"}' % _SOUND,
    b'{"id": "p3", %s, "data": {"x": "\\ud800"}}' % _SOUND,
    b'{"id": "p4", %s, "data": {"urgency": 1%s}}' % (_SOUND, b"0" * 400),
    b'{"id": "p6", %s, "data": {"urgency": 1e300}}' % _SOUND,
    b'{"id": "p5", "lead": "ann", "kind": "Inquiry", "at": "2199-02-01T10:00:00Z"}',
)
"""Rows that must be refused and leave no trace."""
ODD = ('"x": [1e400]', '"urgency": "very"', '"text": 5', '"y": {"z": [[]]}', '"urgency": 1e29')
"""Further fields that may be strange: the event counts all the same."""


@dataclass(frozen=True)
class Request:
    """A body of JSON Lines.

    Attributes
    ----------
    tenant : str
    body : bytes
    stamp_us : int
        The clock when it is sent.
    ids : tuple of str
        Of the events in it.
    poison : int
        Rows that are none.
    """

    tenant: str
    body: bytes
    stamp_us: int
    ids: tuple[str, ...]
    poison: int


def requests(seed: int, *, leads: int = 25, days: int = 90, most: int = 12) -> list[Request]:
    """Seeded load: 20% of the events twice, 10% up to five days late, 2% of the rows poison."""
    came = as_they_come(tenants(("acme", "best"), leads, days), seed)
    rng = np.random.default_rng(seed)
    found, at = [], 0
    while at < len(came):
        part = came[at : at + int(rng.integers(1, most))]
        at += len(part)
        for tenant in ("acme", "best"):
            mine = [event for event, _ in part if event.tenant == tenant]
            if mine:
                found.append(_request(tenant, mine, part[-1][1], rng))
    return found


def _request(
    tenant: str, events: Sequence[WireEvent], stamp_us: int, rng: np.random.Generator
) -> Request:
    rows = [_row(event) for event in events]
    bad = [POISON[int(i)] for i in rng.integers(0, len(POISON), int((rng.random(5) < 0.04).sum()))]
    for row in bad:
        rows.insert(int(rng.integers(0, len(rows) + 1)), row)
    ids = tuple(event.id for event in events)
    return Request(tenant, b"\n".join(rows), stamp_us, ids, len(bad))


def _row(event: WireEvent) -> bytes:
    """A row of JSON; one in 16 has a strange further field, always the same one for an id."""
    data = msgspec.json.encode(event.data)
    number = sum(event.id.encode())
    if number % 16 == 0:
        odd = ODD[number // 16 % len(ODD)].encode()
        kept = msgspec.json.decode(data, type=dict)
        kept.pop(odd.split(b'"')[1].decode(), None)
        inner = msgspec.json.encode(kept)[1:-1]
        data = b"{" + (inner + b", " if inner else b"") + odd + b"}"
    at = np.datetime64(event.at_us, "us")
    fields = {
        "id": event.id, "lead": event.lead, "kind": event.kind, "at": f"{at}Z",
        "value": event.value, "agent": event.agent, "source": event.source,
    }  # fmt: skip
    told = msgspec.json.encode({name: v for name, v in fields.items() if v is not None})
    return told[:-1] + b', "data": ' + data + b"}"
