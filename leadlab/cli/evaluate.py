"""``leadlab evaluate``: published protocols on public data, in one object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from leadlab.cli.console import print_json, steps, table
from leadlab.cli.train import AsJson
from leadlab.data import load
from leadlab.errors import UnknownName
from leadlab.models.bpic2012 import evaluate_bpic2012
from leadlab.models.protocol import Evaluation

HELP = """Run a published protocol on a public data set; the same seed gives the same figures.

Example: `leadlab evaluate bpic2012 --json`
"""
PROTOCOLS: dict[str, tuple[Callable[..., Evaluation], int]] = {"bpic2012": (evaluate_bpic2012, 11)}
"""Each protocol, and how many steps it tells of."""


def evaluate(
    name: Annotated[str, typer.Argument(help="Data set: " + ", ".join(PROTOCOLS) + ".")],
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Load, run, print."""
    if name not in PROTOCOLS:
        raise UnknownName("protocol", name, PROTOCOLS)
    protocol, told = PROTOCOLS[name]
    with steps(1 + told, quiet=as_json) as tell:
        tell("read the log")
        found = protocol(load(name), seed=seed, tell=tell)
    if as_json:
        print_json(found.to_json())
        return
    others = found.baselines_by_name
    rows = [
        [metric, value, *(figures[metric] for figures in others.values())]
        for metric, value in found.metrics.items()
    ]
    table(found.name, ["figure", "leadlab", *others], rows, found.protocol)


evaluate.__doc__ = HELP
