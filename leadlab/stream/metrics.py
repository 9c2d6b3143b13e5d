"""Figures for Prometheus: a flat registry and its text form."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Literal

from leadlab.errors import BadInput
from leadlab.stream.latency import Latency, Stages

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[tuple[str, str], ...]
OTHER = "other"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(slots=True)
class _Family:
    kind: Kind
    about: str
    values: dict[Labels, float] = field(default_factory=dict)
    latencies: dict[Labels, Latency] = field(default_factory=dict)


class Metrics:
    """Counters, gauges and histograms by name and labels; any thread may write or read.

    Label values reach the page escaped, and must never name a person. The first `tenants` values of
    the label ``tenant`` are kept apart; further tenants are added up as "other" in counters and
    left out of the rest, so that a page stays of one size.

    Parameters
    ----------
    tenants : int
        Values of the label ``tenant``.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.count("leadlab_events_total", "Events taken.", 3, tenant="north")
    >>> metrics.gauge("leadlab_lag_events", "Events not yet scored.", 0)
    >>> print(metrics.text(), end="")
    # HELP leadlab_events_total Events taken.
    # TYPE leadlab_events_total counter
    leadlab_events_total{tenant="north"} 3
    # HELP leadlab_lag_events Events not yet scored.
    # TYPE leadlab_lag_events gauge
    leadlab_lag_events 0
    """

    def __init__(self, *, tenants: int = 100) -> None:
        self.tenants = tenants
        self._known: set[str] = set()
        self._families: dict[str, _Family] = {}
        self._lock = threading.Lock()

    def count(self, name: str, about: str, by: float = 1, **labels: str) -> None:
        """Add to a counter.

        Raises
        ------
        BadInput
            For a negative step, an unusable name, or a name that is of another kind already.
        """
        if not by >= 0:
            raise BadInput("a counter only grows", where=name, got=by)
        with self._lock:
            family = self._family(name, "counter", about)
            key = self._key(labels)
            family.values[key] = family.values.get(key, 0) + by

    def gauge(self, name: str, about: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        with self._lock:
            family = self._family(name, "gauge", about)
            key = self._key(labels)
            if ("tenant", OTHER) not in key:
                family.values[key] = value

    def histogram(self, name: str, about: str, latency: Latency, **labels: str) -> None:
        """Show a histogram, as it will be whenever the page is read; in seconds."""
        with self._lock:
            family = self._family(name, "histogram", about)
            key = self._key(labels)
            if "le" in labels:
                raise BadInput("this label is the histogram's own", where=name, got="le")
            if ("tenant", OTHER) not in key:
                family.latencies[key] = latency

    def stages(self, stages: Stages) -> None:
        """Show what each stage of the engine takes."""
        for stage, latency in stages.histograms.items():
            self.histogram("leadlab_stage_seconds", "Time of a stage.", latency, stage=stage)

    def text(self) -> str:
        """The page, in Prometheus' text format 0.0.4."""
        lines: list[str] = []
        with self._lock:
            for name, family in self._families.items():
                lines.append(f"# HELP {name} {_escaped_help(family.about)}")
                lines.append(f"# TYPE {name} {family.kind}")
                lines += [f"{name}{_shown(k)} {_number(v)}" for k, v in family.values.items()]
                for key, latency in family.latencies.items():
                    lines += _histogram_lines(name, key, latency)
        return "".join(line + "\n" for line in lines)

    def _family(self, name: str, kind: Kind, about: str) -> _Family:
        family = self._families.get(name)
        if family is None:
            if not _NAME.fullmatch(name):
                raise BadInput("unusable name of a metric", got=name, expected=_NAME.pattern)
            family = self._families[name] = _Family(kind, about)
        if family.kind != kind:
            raise BadInput("a metric of another kind", where=name, got=kind, expected=family.kind)
        return family

    def _key(self, labels: dict[str, str]) -> Labels:
        for label in labels:
            if not _NAME.fullmatch(label) or label.startswith("__"):
                raise BadInput("unusable name of a label", got=label, expected=_NAME.pattern)
        tenant = labels.get("tenant")
        if tenant is not None and tenant not in self._known:
            if tenant != OTHER and len(self._known) < self.tenants:
                self._known.add(tenant)
            else:
                labels = {**labels, "tenant": OTHER}
        return tuple(sorted(labels.items()))


def _histogram_lines(name: str, key: Labels, latency: Latency) -> list[str]:
    bounds_s, counts, sum_s = latency.cumulative()
    lines = [
        f"{name}_bucket{_shown((*key, ('le', _number(bound))))} {count}"
        for bound, count in zip(bounds_s.tolist(), counts.tolist(), strict=True)
    ]
    return [*lines, f"{name}_sum{_shown(key)} {_number(sum_s)}",
            f"{name}_count{_shown(key)} {counts[-1]}"]  # fmt: skip


def _shown(key: Labels) -> str:
    return "{" + ",".join(f'{k}="{_escaped(v)}"' for k, v in key) + "}" if key else ""


def _escaped(value: str) -> str:
    return _escaped_help(value).replace('"', r"\"")


def _escaped_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _number(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
