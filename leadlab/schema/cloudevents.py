"""An event on the wire: a CloudEvents 1.0 JSON object (structured mode).

==================  ============================================================================
attribute           what it holds
==================  ============================================================================
``id``              the event's id
``source``          its source, percent-encoded as a URI reference; `NO_SOURCE` where none is known
``type``            the kind, e.g. "Viewed Property"
``subject``         the lead
``time``            RFC 3339 with six decimals, UTC
``tenant``          extension; left out for the tenant "default"
``agent``           extension; left out where none acted
``schemaversion``   extension; the version of the payload (`leadlab.schema.migrations`)
``data``            an object: the number as ``value``, and the further fields
==================  ============================================================================

Extension attributes of others (a trace id, say) are kept as further fields named
``ce_<attribute>`` and written back as the attributes that they were. Binary data, data that is not
an object, and attribute names that CloudEvents forbids are refused.

References
----------
CloudEvents specification 1.0.2, and its JSON event format.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from leadlab.errors import BadInput
from leadlab.schema.event import Event, event_from
from leadlab.schema.fields import DEFAULT_TENANT
from leadlab.schema.migrations import MIGRATIONS, VERSION_ATTRIBUTE, Migrations

NO_SOURCE = "urn:leadlab:source:unknown"
KEPT = "ce_"
_OWN = {
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "tenant",
    "agent",
    "datacontenttype",
    "data",
    VERSION_ATTRIBUTE,
}
_ATTRIBUTE = re.compile(r"[a-z0-9]+")
_URI_SAFE = ":/?#[]@!$&'()*+,;=-._~"
_JSON_TYPE = re.compile(r"[^;]*/(?:[^;]*\+)?json\s*(?:;.*)?", re.IGNORECASE)


def cloudevent_of(
    *,
    id: str,
    tenant: str,
    lead: str,
    kind: str,
    at: dt.datetime,
    value: float | None,
    agent: str | None,
    source: str | None,
    data: Mapping[str, Any],
) -> dict[str, Any]:
    """Put an event's fields, known to be sound, into a CloudEvents object.

    Examples
    --------
    >>> cloudevent_of(id="1", tenant="acme", lead="ann", kind="Inquiry",
    ...               at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC), value=None, agent=None,
    ...               source="open house", data={})["source"]
    'open%20house'
    """
    out: dict[str, Any] = {
        "specversion": "1.0",
        "id": id,
        "source": NO_SOURCE if source is None else quote(source, safe=_URI_SAFE),
        "type": kind,
        "subject": lead,
        "time": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "datacontenttype": "application/json",
        VERSION_ATTRIBUTE: MIGRATIONS.current,
    }
    if tenant != DEFAULT_TENANT:
        out["tenant"] = tenant
    if agent is not None:
        out["agent"] = agent
    body: dict[str, Any] = {} if value is None or math.isnan(value) else {"value": value}
    for name, field in data.items():
        extension = name.removeprefix(KEPT)
        if name.startswith(KEPT) and _ATTRIBUTE.fullmatch(extension) and extension not in _OWN:
            out[extension] = field
        else:
            body[name] = field
    out["data"] = body
    return out


def to_cloudevent(event: Event) -> dict[str, Any]:
    """`event` as a CloudEvents object that `json.dumps` takes.

    Examples
    --------
    >>> event = Event(id="e1", lead="ann", kind="Viewed Property", at="2026-03-01T10:00:00Z",
    ...               value=450_000, data={"listing": "L1"})
    >>> to_cloudevent(event)["time"], to_cloudevent(event)["data"]
    ('2026-03-01T10:00:00.000000Z', {'value': 450000.0, 'listing': 'L1'})
    >>> from_cloudevent(to_cloudevent(event)) == event
    True
    """
    return cloudevent_of(**{name: getattr(event, name) for name in Event.model_fields})


def from_cloudevent(given: Mapping[str, Any], *, migrations: Migrations = MIGRATIONS) -> Event:
    """Read a CloudEvents object; see the module for what goes where.

    Raises
    ------
    BadInput
        It is no CloudEvent, of a newer version, or not usable as an event.

    Examples
    --------
    >>> from_cloudevent({"specversion": "1.0", "id": "1", "source": "/web", "type": "Inquiry",
    ...                  "subject": "ann", "time": "2026-03-01T10:00:00Z", "traceid": "t"}).data
    {'ce_traceid': 't'}
    """
    if not isinstance(given, Mapping) or given.get("specversion") != "1.0":
        got = given.get("specversion") if isinstance(given, Mapping) else type(given).__name__
        raise BadInput("not a CloudEvent", where="specversion", got=got, expected="'1.0'")
    there = {name: value for name, value in given.items() if value is not None}
    payload = migrations.apply(there)
    data = _data(payload)
    source = payload.get("source")
    for name in payload:
        if name in _OWN:
            continue
        if not _ATTRIBUTE.fullmatch(str(name)):
            raise BadInput("no name of an attribute", got=name, expected="lower-case a-z and 0-9")
        data[KEPT + name] = payload[name]
    return event_from(
        {
            "id": payload.get("id"),
            "tenant": payload.get("tenant", DEFAULT_TENANT),
            "lead": payload.get("subject"),
            "kind": payload.get("type"),
            "at": payload.get("time"),
            "value": data.pop("value", None),
            "agent": payload.get("agent"),
            "source": None if source == NO_SOURCE else _decoded(source),
            "data": data,
        }
    )


def _decoded(source: Any) -> Any:
    if not isinstance(source, str) or not source:
        raise BadInput("a CloudEvent has a source", where="source", got=source)
    return unquote(source)


def _data(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the payload's data object."""
    if "data_base64" in payload:
        raise BadInput("binary data in an event", where="data_base64", expected="a JSON object")
    if not _JSON_TYPE.fullmatch(str(payload.get("datacontenttype", "application/json"))):
        got = payload["datacontenttype"]
        raise BadInput("data of another type", where="datacontenttype", got=got, expected="JSON")
    data = payload.get("data", {})
    if not isinstance(data, Mapping):
        raise BadInput("no object", where="data", got=type(data).__name__, expected="a JSON object")
    return {name: value for name, value in data.items() if value is not None}


def encode(event: Event) -> str:
    """One line of JSON Lines.

    Examples
    --------
    >>> decode(encode(Event(id="e1", lead="ann", kind="Inquiry", at="2026-03-01T10:00Z"))).lead
    'ann'
    """
    return json.dumps(to_cloudevent(event), ensure_ascii=False, separators=(",", ":"))


def decode(text: str | bytes, *, migrations: Migrations = MIGRATIONS) -> Event:
    """Read one JSON object; see `from_cloudevent`.

    Examples
    --------
    >>> decode("{")
    Traceback (most recent call last):
    leadlab.errors.BadInput: not JSON ...
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput("not JSON", got=str(text[:80]), expected="a CloudEvents object") from error
    return from_cloudevent(given, migrations=migrations)
