"""Keeping a service's state: a checkpoint beside its work, and trimming what it makes needless.

Results reach the disk before the checkpoint that stands behind them, and the journal is trimmed
after it, so whatever is missing at any moment can be made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from leadlab.errors import LeadlabError
from leadlab.stream import checkpoint
from leadlab.stream.journal import Journal
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.result_store import ResultStore
from leadlab.stream.sink import TROUBLE, Sink
from leadlab.stream.status import Status


def frozen_state(
    engine: LiveEngine, sinks: Sequence[Sink], status: Status
) -> checkpoint.Frozen | None:
    """All state as of now; None, told in `status`, where a sink cannot give its own."""
    states = {}
    for sink in sinks:
        if sink.state is not None:
            try:
                states[sink.name] = sink.state()
            except TROUBLE as error:
                status.trouble(sink.name, error)
                return None
    return checkpoint.freeze(engine, states)


def keep(
    frozen: checkpoint.Frozen,
    folder: Path,
    journal: Journal,
    results: ResultStore,
    least: int | None,
    status: Status,
) -> None:
    """Write a checkpoint to `folder`, then trim; trouble is told in `status`.

    The journal keeps what the oldest checkpoint needs, and `least` entries; all where it is None.
    """
    try:
        results.sync()
        checkpoint.write(frozen, folder)
        status.checkpoints += 1
        kept = checkpoint.listed(folder)
        if least is not None and len(kept) == checkpoint.KEPT:
            before = min(checkpoint.offset_of(kept[-1]), journal.last - least)
            results.trim(journal.trim(before))
    except LeadlabError as error:
        status.trouble("checkpoint", error)
