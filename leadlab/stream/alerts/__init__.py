"""Alerts: rules over results and windows, raised once, kept, delivered, acknowledged."""

from leadlab.stream.alerts.actions import ActionRun, action_names
from leadlab.stream.alerts.alert import Alert, alert_message
from leadlab.stream.alerts.answer import Answer, Sender
from leadlab.stream.alerts.delivery import Delivery, DeliveryThreads, Schedule
from leadlab.stream.alerts.engine import AlertEngine
from leadlab.stream.alerts.history import Step
from leadlab.stream.alerts.outbox import Outbox
from leadlab.stream.alerts.rule import Rule
from leadlab.stream.alerts.rules_file import RulesFile, default_rules, parse_rules, read_rules
from leadlab.stream.alerts.senders import senders_of
from leadlab.stream.alerts.signature import is_genuine, sign
from leadlab.stream.alerts.store import AlertStore, Kept, Page

__all__ = [
    "ActionRun",
    "Alert",
    "AlertEngine",
    "AlertStore",
    "Answer",
    "Delivery",
    "DeliveryThreads",
    "Kept",
    "Outbox",
    "Page",
    "Rule",
    "RulesFile",
    "Schedule",
    "Sender",
    "Step",
    "action_names",
    "alert_message",
    "default_rules",
    "is_genuine",
    "parse_rules",
    "read_rules",
    "senders_of",
    "sign",
]
