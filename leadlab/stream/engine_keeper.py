"""The live service as a worker runs it on one partition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from leadlab.errors import ConfigError, LeadlabError
from leadlab.features.feature import entities
from leadlab.stream.entries import Entries
from leadlab.stream.pacing import Pacing
from leadlab.stream.partition import By
from leadlab.stream.plan import Plan
from leadlab.stream.sink import Sink
from leadlab.stream.station import Station
from leadlab.stream.telling import Publish, Watched

BEHIND_US = 2_000_000
"""A bus whose newest event was so old is being caught up with: the clock is no stream time."""


class EngineKeeper:
    """Keeps a partition in the journal of a `Station`, which scores it and tells of it.

    Events are stamped as the bus took them, so that a worker that was away makes of them what it
    would have made then.

    Parameters
    ----------
    folder : Path
        Of the partition.
    plan : Plan
    publish, watched : callable
    sinks : sequence of Sink
    pacing : Pacing, optional
    plan_of : callable, optional
        As for `Station`.

    Raises
    ------
    LeadlabError
        From `keep`, if the engine has failed; a new process must take over.
    """

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        *,
        publish: Publish,
        watched: Watched,
        sinks: Sequence[Sink] = (),
        pacing: Pacing | None = None,
        plan_of: Callable[[str], Plan] | None = None,
    ) -> None:
        self.station = Station(
            folder, plan, publish=publish, watched=watched, sinks=sinks, pacing=pacing,
            plan_of=plan_of,
        )  # fmt: skip
        self.station.start()

    def keep(self, entries: Entries) -> None:
        """See `Keeper.keep`."""
        service = self.station.service
        if service.status.state == "failed":
            where, got = str(service.home), service.status.failure
            raise LeadlabError("the engine failed", where=where, got=got)
        for run in entries.runs():
            stamp_us = int(run.stamps_us[0])
            service.submit(run.events, arrived_s=stamp_us / 1e6, stamp_us=stamp_us)
        service.behind = service.clock() - int(entries.stamps_us[-1]) > BEHIND_US

    @property
    def at_work(self) -> bool:
        """Whether it scores: not before it recovered, nor once it was closed."""
        return self.station.service.status.state == "live"

    def close(self) -> None:
        """See `Keeper.close`."""
        self.station.stop()


def check_together(plan: Plan, by: By) -> None:
    """See to it that what a plan's features look at shares a partition.

    Raises
    ------
    ConfigError
        If they span leads, and only a lead's own events share one.

    Examples
    --------
    >>> check_together(Plan(), "tenant")
    """
    spanning = [f.name for f in plan.features if any(e != "lead" for e in entities(f))]
    if by == "lead" and spanning:
        raise ConfigError(
            "the bus parts leads whose features look at one another",
            got=f"{len(spanning)} features, such as {spanning[0]}",
            expected='by="tenant"',
            hint="Take another namespace, made with --by tenant.",
        )
