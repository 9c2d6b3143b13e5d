"""Messages read as they come in: what was said becomes fields that features look at.

It happens before the journal, so what was read then is on record and a replay reads nothing again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from leadlab.features.catalogue import MESSAGES_IN
from leadlab.models.conversation.masking import masked
from leadlab.models.conversation.reader import ConversationReader
from leadlab.models.conversation.reading import Reading
from leadlab.schema.kinds import INQUIRIES
from leadlab.schema.wire import WireEvent
from leadlab.stream.message import Message

TEXT = "text"
"""Data field that holds what was said."""
_KINDS = frozenset((*MESSAGES_IN.kinds, *INQUIRIES))
Heard = dict[int, Reading]


def heard(events: Sequence[WireEvent], reader: ConversationReader) -> tuple[list[WireEvent], Heard]:
    """Read the texts of messages and inquiries.

    Parameters
    ----------
    events : sequence of WireEvent
    reader : ConversationReader
        One without a model goes by visible rules.

    Returns
    -------
    list of WireEvent
        With ``sentiment``, ``urgency`` and ``length`` where a text was read and the sender had not
        given them, and ``read_by`` that says whether a model or rules did.
    dict of int to Reading
        By position.

    Examples
    --------
    >>> event = WireEvent("e1", "acme", "ann", "Incoming Message", 5,
    ...                   data={"text": "Please call me today, this is urgent"})
    >>> [one], found = heard([event], ConversationReader())
    >>> one.data["read_by"], one.data["length"], found[0].method
    ('rules', 36.0, 'rules')
    """
    wanted = [
        i
        for i, event in enumerate(events)
        if event.kind in _KINDS and isinstance(event.data.get(TEXT), str) and event.data[TEXT]
    ]
    listed = list(events)
    if not wanted:
        return listed, {}
    texts = [str(events[i].data[TEXT]) for i in wanted]
    readings = dict(zip(wanted, reader.read_many(texts, facts=False), strict=True))
    for i, reading in readings.items():
        said = {
            "sentiment": reading.sentiment,
            "urgency": reading.urgency,
            "length": float(len(str(events[i].data[TEXT]))),
            "read_by": reading.method,
        }
        listed[i] = msgspec.structs.replace(events[i], data={**said, **events[i].data})
    return listed, readings


def conversation_messages(
    events: Sequence[WireEvent], readings: Heard, agent_of: Callable[[str, str], str | None]
) -> list[Message]:
    """What those who watch are told of messages; personal data in the text is masked."""
    return [
        Message(
            topic="conversations", tenant=event.tenant, at_us=event.at_us, key=event.id,
            lead=event.lead, event=event.id,
            agent=event.agent or agent_of(event.tenant, event.lead),
            body={
                "kind": event.kind,
                "intent": reading.intent,
                "probability": reading.probability,
                "sentiment": reading.sentiment,
                "urgency": reading.urgency,
                "buying_intent": reading.buying_intent,
                "objections": list(reading.raised),
                "method": reading.method,
                "text": masked(str(event.data[TEXT]))[:400],
            },
        )
        for event, reading in ((events[i], reading) for i, reading in readings.items())
    ]  # fmt: skip
