"""What to do next with a lead, from where the engine has it now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leadlab.explain.reasons import reasons
from leadlab.models.actions.beliefs import Beliefs
from leadlab.models.actions.catalogue import catalogue
from leadlab.models.actions.eligibility import Contact
from leadlab.models.actions.policy import recommend
from leadlab.models.actions.quiet_hours import Place
from leadlab.models.actions.ranked import ranked
from leadlab.stream.station import Station

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Contacting:
    """Channels with and without consent, and where the lead may be."""

    consent: Sequence[str]
    refused: Sequence[str]
    zones: Sequence[str]
    states: Sequence[str]


def next_actions(station: Station, tenant: str, lead: str, how: Contacting) -> dict[str, Any]:
    """Ranked actions as plain JSON values; one draw a lead, moment and model.

    Raises
    ------
    UnknownName
        For a lead that is not known.
    BadInput
        For a zone or a state that there is not.
    """
    lane, table = station.row(tenant, lead)
    scores = lane.scores_of(table)
    why = [reason.text for reason in reasons(scores, 0, 3)]
    given = {**dict.fromkeys(how.consent, True), **dict.fromkeys(how.refused, False)}
    known = dict(zip(table.names, table.values[0].astype(float).tolist(), strict=True))
    contact = Contact(
        given,
        Place(tuple(how.zones), tuple(how.states)),
        unsubscribed=known.get("unsubscription_count", 0.0) > 0,
    )
    moment = _EPOCH + dt.timedelta(microseconds=int(table.as_of_us[0]))
    offered = catalogue()
    options, record = recommend(
        Beliefs(offered), lead, moment, known=known, contact=contact, reasons=why,
        model=scores.model_version, tenant=tenant,
    )  # fmt: skip
    return ranked(
        options, record, {"chance": float(scores.probability[0]), "reasons": why}, offered
    )
