"""Structured logs: one JSON object a line, with the request's id and without personal data."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from typing import Any, TextIO

import msgspec

from leadlab.api.correlation import correlation_id
from leadlab.api.masking import HIDDEN, masked

_STANDARD = frozenset(
    {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName", "color_message"}
)
_DEEPEST = 6
_LINE_ENDS = {ord(c): f"\\u{ord(c):04x}" for c in "\u0085\u2028\u2029"}
"""What some readers end a line at, though JSON has it in texts."""


class WithoutPersons(logging.Filter):
    """Takes personal data and secrets out of a record: message, fields and traceback.

    Examples
    --------
    >>> record = logging.makeLogRecord({"msg": "mail to %s", "args": ("ann@example.com",)})
    >>> WithoutPersons().filter(record), record.getMessage()
    (True, 'mail to [e-mail]')
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean `record` in place; it is always kept."""
        record.msg, record.args = masked(_message(record)), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = masked(record.exc_text)
        if record.stack_info:
            record.stack_info = masked(record.stack_info)
        for name in record.__dict__.keys() - _STANDARD:
            record.__dict__[name] = _clean(name, record.__dict__[name], 0)
        return True


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, correlation id, own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        at = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line: dict[str, Any] = {
            "at": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "correlation_id": correlation_id(),
        }
        own = {name: record.__dict__[name] for name in record.__dict__.keys() - _STANDARD}
        line.update({name: own[name] for name in sorted(own) if name not in line})
        if record.exc_text:
            line["traceback"] = record.exc_text
        return msgspec.json.encode(_sendable(line)).decode().translate(_LINE_ENDS)


def _message(record: logging.LogRecord) -> str:
    """The message, and where it does not fit its arguments the bare text: logging must not fail."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} [arguments do not fit]"


def log_json(stream: TextIO, level: int = logging.INFO) -> logging.Handler:
    """Write the logs of the whole process to `stream`, and nowhere else.

    Returns
    -------
    logging.Handler
        What was put on the root logger.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    handler.addFilter(WithoutPersons())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    return handler


def _clean(name: str, value: Any, depth: int) -> Any:
    if name.lower() in HIDDEN:
        return "[hidden]"
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {masked(str(k)): _clean(str(k), v, depth + 1) for k, v in value.items()}
    if depth < _DEEPEST and isinstance(value, (list, tuple, set, frozenset)):
        return [_clean("", one, depth + 1) for one in value]
    return masked(str(value))


def _sendable(value: Any) -> Any:
    """The same without lone surrogates and with what JSON has no number for as text."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_sendable(str(k)): _sendable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_sendable(one) for one in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _sendable(masked(str(value)))
