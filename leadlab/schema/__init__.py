"""What happened, and to whom: records at the border, columns inside."""

from leadlab.schema.agent import Agent
from leadlab.schema.arrow import from_arrow, to_arrow
from leadlab.schema.cloudevents import decode, encode, from_cloudevent, to_cloudevent
from leadlab.schema.codec import read_log, write_log
from leadlab.schema.deal import Deal
from leadlab.schema.enrichment import Enrichment
from leadlab.schema.event import Event, event_from
from leadlab.schema.intake import log_from_events, log_from_frame
from leadlab.schema.kinds import KINDS, Direction, Kind, kind_of, kinds
from leadlab.schema.lead import Lead
from leadlab.schema.log import Coded, EventLog, concat
from leadlab.schema.message import Message
from leadlab.schema.migrations import MIGRATIONS, Migrations
from leadlab.schema.property import Property, StandardStatus
from leadlab.schema.quality import Quality, Weights, score_lead, score_leads
from leadlab.schema.rows import events_of

__all__ = [
    "KINDS",
    "MIGRATIONS",
    "Agent",
    "Coded",
    "Deal",
    "Direction",
    "Enrichment",
    "Event",
    "EventLog",
    "Kind",
    "Lead",
    "Message",
    "Migrations",
    "Property",
    "Quality",
    "StandardStatus",
    "Weights",
    "concat",
    "decode",
    "encode",
    "event_from",
    "events_of",
    "from_arrow",
    "from_cloudevent",
    "kind_of",
    "kinds",
    "log_from_events",
    "log_from_frame",
    "read_log",
    "score_lead",
    "score_leads",
    "to_arrow",
    "to_cloudevent",
    "write_log",
]
