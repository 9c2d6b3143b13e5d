"""The conversation of a lead up to a moment, where the log carries what was written."""

from __future__ import annotations

import numpy as np

from leadlab.cli.read import FILE, trained_reader
from leadlab.config import Settings
from leadlab.models.conversation.reader import ConversationReader
from leadlab.models.conversation.so_far import ConversationState
from leadlab.schema import Coded, EventLog
from leadlab.schema.kinds import Direction, kind_of
from leadlab.schema.message import Message

WRITTEN = ("Incoming Message", "Incoming Email", "Outgoing Message", "Outgoing Email")
MOST = 200
"""Latest messages that are read."""


def conversation_of(own: EventLog, at_us: int) -> ConversationState | None:
    """Read one lead's messages; None where the log has no texts or the lead has not written.

    The reader that `leadlab read` keeps at home is used where there is one, otherwise its rules.

    Parameters
    ----------
    own : EventLog
        Of one lead, with the texts of messages in the field ``text``.
    at_us : int
        Later messages are not looked at.
    """
    texts = own.data.get("text")
    if not isinstance(texts, Coded):
        return None
    kinds = own.kind.values()
    rows = np.flatnonzero(np.isin(kinds, WRITTEN) & (own.at_us <= at_us))[-MOST:]
    said = texts.values()
    if not any(said[i] for i in rows):
        return None
    messages = [_message(own, int(i), str(kinds[i]), said[i] or "") for i in rows]
    settings = Settings.from_environment()
    kept = (settings.models / FILE).is_file()
    reader = (
        trained_reader(settings, 0, quiet=True)
        if kept
        else ConversationReader(without="`leadlab read` has not trained one here")
    )
    return reader.so_far(messages)


def _message(own: EventLog, i: int, kind: str, text: str) -> Message:
    incoming = kind_of(kind).direction == Direction.FROM_LEAD
    return Message.model_validate(
        {
            "id": str(own.id[i]),
            "lead": str(own.lead.values()[i]),
            "at": np.datetime64(int(own.at_us[i]), "us").item().isoformat() + "Z",
            "direction": Direction.FROM_LEAD if incoming else Direction.FROM_TEAM,
            "channel": kind_of(kind).channel,
            "text": text,
        }
    )
