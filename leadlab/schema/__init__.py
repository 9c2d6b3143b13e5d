"""What happened, and to whom."""

from leadlab.schema.intake import log_from_events, log_from_frame
from leadlab.schema.log import Coded, EventLog, concat

__all__ = ["Coded", "EventLog", "concat", "log_from_events", "log_from_frame"]
