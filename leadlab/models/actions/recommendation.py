"""A logged recommendation: what was proposed, with which chance, and what became of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leadlab.errors import BadInput, BrokenFile
from leadlab.models.actions.catalogue import Terms
from leadlab.models.actions.eligibility import Refusal
from leadlab.schema.cloudevents import decode, encode
from leadlab.schema.event import Event
from leadlab.schema.fields import DEFAULT_TENANT
from leadlab.schema.log import EventLog

KIND = "Action Recommended"
SOURCE = "leadlab-next"
_PACKED = ("eligible", "refused", "reasons")
_SUM = 1e-6


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One decision, with all that is needed to learn from it later.

    Attributes
    ----------
    lead : str
    as_of : datetime
        With a zone.
    action : str
        What was drawn.
    propensity : float
        Its chance of being drawn.
    expected_uplift, low, high : float
        Change of the outcome's probability against waiting, and its 90% interval, as believed then.
    eligible : mapping of str to float
        Propensity of every action that was open; they sum to 1.
    refused : tuple of Refusal
    reasons : tuple of str
    model : str
        What scored the lead.
    situation, basis, tenant : str
    """

    lead: str
    as_of: dt.datetime
    action: str
    propensity: float
    expected_uplift: float
    low: float
    high: float
    eligible: Mapping[str, float]
    refused: tuple[Refusal, ...]
    reasons: tuple[str, ...]
    model: str
    situation: str
    basis: str = "prior"
    tenant: str = DEFAULT_TENANT

    def __post_init__(self) -> None:
        if self.as_of.tzinfo is None:
            raise BadInput("a moment without a zone", where="as_of", got=self.as_of)
        chances = self.eligible.values()
        if abs(sum(chances) - 1) > _SUM or min(chances, default=0.0) < 0:
            raise BadInput("propensities must sum to 1", where="eligible", got=dict(self.eligible))
        if self.eligible.get(self.action) != self.propensity or self.propensity <= 0:
            raise BadInput(
                "the propensity of the action is another among those of the open actions",
                where="propensity",
                got=self.propensity,
                expected=self.eligible.get(self.action),
            )

    @property
    def id(self) -> str:
        """The same lead, moment and model give the same id: a repeated decision is one event."""
        moment = self.as_of.astimezone(dt.UTC).isoformat()
        whole = json.dumps([self.tenant, self.lead, moment, self.model])
        return "next-" + hashlib.sha256(whole.encode()).hexdigest()[:20]

    def to_event(self) -> Event:
        """As an event of the lead; `from_event` is the way back."""
        content: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("action", "propensity", "expected_uplift", "low", "high", "model",
                         "situation", "basis")
        }  # fmt: skip
        refused = [{**asdict(r), "until": r.until and r.until.isoformat()} for r in self.refused]
        packed = dict(self.eligible), refused, list(self.reasons)
        content |= {n: json.dumps(v) for n, v in zip(_PACKED, packed, strict=True)}
        return Event(
            id=self.id, tenant=self.tenant, lead=self.lead, kind=KIND, at=self.as_of,
            value=self.expected_uplift, source=SOURCE, data=content,
        )  # fmt: skip


def from_event(event: Event) -> Recommendation:
    """Read a recommendation back.

    Raises
    ------
    BadInput
        If the event is of another kind, or a field is missing or of another form.

    Examples
    --------
    >>> moment = dt.datetime(2026, 3, 1, 17, tzinfo=dt.UTC)
    >>> one = Recommendation("ann", moment, "wait", 1.0, 0.0, 0.0, 0.0, {"wait": 1.0}, (), (),
    ...                      "m1", "quiet")
    >>> from_event(one.to_event()) == one
    True
    """
    if event.kind != KIND:
        raise BadInput("not a recommendation", where="kind", got=event.kind, expected=KIND)
    content = dict(event.data)
    try:
        eligible, refused, reasons = (json.loads(content.pop(name)) for name in _PACKED)
        whys = tuple(Refusal(r["action"], tuple(r["why"]), _moment(r["until"])) for r in refused)
        return Recommendation(
            lead=event.lead, as_of=event.at, tenant=event.tenant,
            eligible=eligible, refused=whys, reasons=tuple(reasons), **content,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput("not a recommendation", where=f"event {event.id}", got=error) from error


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def append(path: str | Path, one: Recommendation) -> None:
    """Add one line to a file of JSON Lines, which is an event log like any other.

    Raises
    ------
    BadInput
        If the file cannot be written.
    """
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(encode(one.to_event()) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadInput("cannot log the recommendation", where=str(path), got=error) from error


def read(path: str | Path) -> list[Recommendation]:
    """Recommendations of a file in order of time, each id once; none where there is no file yet.

    Raises
    ------
    BrokenFile
        If a line is no recommendation; it names the line.
    """
    place = Path(path)
    if not place.exists():
        return []
    found: dict[tuple[str, str], Recommendation] = {}
    for number, line in enumerate(place.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            one = from_event(decode(line))
        except BadInput as error:
            raise BrokenFile(
                "a line of the file is no recommendation",
                where=f"{place}, line {number}",
                got=error.what,
            ) from error
        found.setdefault((one.tenant, one.id), one)
    return sorted(found.values(), key=lambda one: (one.as_of, one.id))


def settled(
    recommendations: Iterable[Recommendation], log: EventLog, terms: Terms, at: dt.datetime
) -> list[tuple[Recommendation, float]]:
    """Recommendations whose horizon has passed, with what became of them.

    Of one lead, those within the horizon of an earlier one that counts are left out: one answer
    would count for several.

    Parameters
    ----------
    recommendations : iterable of Recommendation
        In order of time.
    log : EventLog
    terms : Terms
        What the outcome is.
    at : datetime
        Now: nothing later is looked at.

    Returns
    -------
    list of (Recommendation, float)
        1 where an event of the outcome's kinds came within the horizon, else 0.
    """
    horizon = dt.timedelta(days=terms.horizon_days)
    wanted = [log.kind.index[kind] for kind in terms.kinds if kind in log.kind.index]
    told = log.take(np.isin(log.kind.codes, wanted))
    whose: dict[tuple[str, str], list[int]] = {}
    own = zip(told.tenant.values(), told.lead.values(), told.at_us.tolist(), strict=True)
    for tenant, lead, at_us in own:
        whose.setdefault((tenant, lead), []).append(at_us)
    found: list[tuple[Recommendation, float]] = []
    last: dict[tuple[str, str], dt.datetime] = {}
    for one in recommendations:
        key = one.tenant, one.lead
        if one.as_of + horizon > at or (key in last and one.as_of < last[key] + horizon):
            continue
        last[key] = one.as_of
        since, until = _us(one.as_of), _us(one.as_of + horizon)
        hit = any(since < at_us <= until for at_us in whose.get(key, []))
        found.append((one, float(hit)))
    return found


def _us(at: dt.datetime) -> int:
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
