"""Quiet hours: when an alert is held back, and until when."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from leadlab.errors import BadInput
from leadlab.schema.times import zone
from leadlab.stream.alerts.conditions import Strict
from leadlab.stream.alerts.severity import Severity

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_MINUTE_US = 60_000_000
_DAY_MINUTES = 24 * 60
_LONGEST = 2 * _DAY_MINUTES


def _minutes(given: Any) -> int:
    """Minutes since midnight; YAML reads an unquoted 21:00 as the number 1260, which is that."""
    if isinstance(given, str) and (found := _CLOCK.fullmatch(given)):
        given = int(found[1]) * 60 + int(found[2])
        if int(found[2]) > 59:
            given = -1
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given < _DAY_MINUTES:
        raise ValueError("not a time of day such as 21:30")
    return given


def _zone(name: str) -> str:
    try:
        return zone(name).key
    except BadInput as error:
        raise ValueError("not an IANA zone such as America/Denver") from error


Clock = Annotated[int, BeforeValidator(_minutes)]


class Quiet(Strict):
    """Hours of the local clock in which an alert waits, or is not sent at all.

    Attributes
    ----------
    zone : str
        IANA name.
    start, end : int
        Minutes since midnight, ``from`` and ``to`` in the file; `end` is not quiet any more.
    then : str
        "hold": sent when the hours end; "drop": kept in the history, never sent.
    passes : str
        Alerts of this severity or above are sent at once.

    Examples
    --------
    >>> night = Quiet.model_validate({"zone": "America/Denver", "from": "21:00", "to": "08:00"})
    >>> at = dt.datetime(2026, 7, 2, 5, tzinfo=dt.UTC)  # 23:00 in Denver
    >>> until = night.until_us(int(at.timestamp()) * 1_000_000)
    >>> dt.datetime.fromtimestamp(until / 1e6, dt.UTC).isoformat()
    '2026-07-02T14:00:00+00:00'
    """

    zone: Annotated[str, AfterValidator(_zone)]
    start: Clock = Field(alias="from")
    end: Clock = Field(alias="to")
    then: Literal["hold", "drop"] = "hold"
    passes: Severity = "critical"

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.start == self.end:
            raise PydanticCustomError("never", "quiet hours begin and end at the same time")
        return self

    def until_us(self, at_us: int) -> int | None:
        """When the quiet hours that hold at a moment end; None where none hold."""
        minute = _end_minute(self.zone, self.start, self.end, at_us // _MINUTE_US)
        return None if minute is None else minute * _MINUTE_US


@lru_cache(maxsize=8192)
def _end_minute(name: str, start: int, end: int, minute: int) -> int | None:
    """First minute from `minute` on that is not quiet; found by walking, whatever clocks do."""
    where = ZoneInfo(name)
    for m in range(minute, minute + _LONGEST):
        local = dt.datetime.fromtimestamp(m * 60, where)
        clock = local.hour * 60 + local.minute
        quiet = start <= clock < end if start < end else clock >= start or clock < end
        if not quiet:
            return None if m == minute else m
    return minute + _LONGEST
