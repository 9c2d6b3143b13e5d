"""What every benchmark prints: one record per figure, the peer beside us from the same run.

A record has ``name``, ``value``, ``unit``, ``peer``, ``peer_value``, ``ratio`` (above 1: better
than the peer), ``machine`` and ``versions``.  A peer that is not installed gives a record without
a figure that says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

PACKAGES = (
    "bytewax",
    "duckdb",
    "numba",
    "numpy",
    "pandas",
    "polars",
    "river",
    "scikit-learn",
    "shap",
    "woodelf-explainer",
    "xgboost",
    "xgboost-cpu",
)


@cache
def machine() -> str:
    """Processor, cores that we may use, system."""
    model = platform.processor() or platform.machine()
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        named = [line for line in listing.read_text().splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {cores} cores, {platform.system()} {platform.machine()}"


@cache
def versions(*packages: str) -> dict[str, str]:
    """Versions of Python and of those of `packages` (all that we know, if none) that are here."""
    found = {"python": platform.python_version()}
    for package in packages or PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def best_of(function: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of `repeats` calls."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


def record(
    name: str,
    value: float,
    unit: str,
    peer: str,
    peer_value: float | None,
    better: Literal["lower", "higher"] = "lower",
) -> dict[str, Any]:
    """One figure beside its peer's; `better` says which way the unit counts."""
    ratio = None
    if peer_value is not None:
        top, bottom = (peer_value, value) if better == "lower" else (value, peer_value)
        ratio = top / bottom if bottom else None
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "peer": peer,
        "peer_value": peer_value,
        "ratio": ratio,
        "machine": machine(),
        "versions": dict(versions()),
    }


def missing(
    name: str, value: float, unit: str, peer: str, error: ModuleNotFoundError
) -> dict[str, Any]:
    """Our figure beside a peer that is not installed."""
    return record(name, value, unit, f"{peer} (missing: no module {error.name})", None)


def table(records: list[dict[str, Any]]) -> Table:
    """The records for people to read."""
    told = records[0] if records else {"machine": machine(), "versions": versions()}
    packages = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    shown = Table(caption=f"{told['machine']}; {packages}")
    for column in ("name", "value", "unit", "peer", "peer's", "ratio"):
        right = column in {"value", "peer's", "ratio"}
        shown.add_column(column, justify="right" if right else "left")
    for row in records:
        value, theirs, ratio = (_figure(row[key]) for key in ("value", "peer_value", "ratio"))
        shown.add_row(row["name"], value, row["unit"], row["peer"], theirs, ratio)
    return shown


def _figure(number: float | None) -> str:
    if number is None:
        return "-"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def finish(run: Callable[[bool], list[dict[str, Any]]], doc: str | None) -> int:
    """Be a benchmark's command line: ``--json`` prints a list of records, ``--quick`` does less."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print a list of records")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer repeats")
    arguments = parser.parse_args()
    records = run(arguments.quick)
    if arguments.json:
        json.dump(records, sys.stdout, indent=1)
        print()
    else:
        Console(width=None if sys.stdout.isatty() else 140).print(table(records))
    return 0
