"""Taking up where a service ended, however it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from leadlab.errors import BadInput, BrokenFile, LeadlabError
from leadlab.stream import checkpoint
from leadlab.stream.journal import Journal
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.plan import Plan
from leadlab.stream.rules import VERSION as RULES
from leadlab.stream.sink import Sink
from leadlab.stream.status import Status

PlanOf = Callable[[str], Plan] | None
Ahead = dict[str, list[tuple[int, Plan]]]


def recovered(
    home: Path,
    journal: Journal,
    make_engine: Callable[[], LiveEngine],
    sinks: Sequence[Sink],
    status: Status,
) -> LiveEngine:
    """The engine as of the newest checkpoint that can be read; its sinks as of the same.

    A checkpoint that cannot be read is told in `status`, and an older one or the whole journal
    serves instead.

    Raises
    ------
    BrokenFile
        If none can be read, and the journal no longer reaches back to its start.
    """
    for path in checkpoint.listed(home / "checkpoints"):
        engine = make_engine()
        try:
            states = checkpoint.restore(engine, path)
        except BrokenFile as error:
            status.trouble("checkpoint", error)
            continue
        if not journal.first - 1 <= engine.offset <= journal.last:
            status.trouble("checkpoint", BrokenFile("not of this journal", where=str(path)))
            continue
        for sink in sinks:
            if sink.restore is not None and sink.name in states:
                sink.restore(states[sink.name])
        status.recovered_from = path.name
        return engine
    if journal.first > 1:
        raise BrokenFile(
            "no checkpoint can be read, and the journal's start was let go of",
            where=str(home),
            hint="Restore a checkpoint from a backup.",
        )
    status.recovered_from = "journal"
    return make_engine()


def models_ahead(journal: Journal, engine: LiveEngine, plan_of: PlanOf, status: Status) -> Ahead:
    """Bring each lane to the model in force at its offset; gives those that follow, by lane.

    The model that the engine was made with takes over behind what is journalled by now: what was
    journalled before is scored by what was in force then, so that a recovery writes the same rows.
    A model of then that is no longer at hand is told in `status`.
    """
    ahead: Ahead = {}
    for name, lane in engine.lanes.items():
        wanted = lane.plan
        known = journal.switches(name)
        if not known or known[-1][1] != wanted.version:
            journal.note_switch(journal.last, name, wanted.version)
            known.append((journal.last, wanted.version))

        def again(version: str, wanted: Plan = wanted) -> Plan | None:
            if version == wanted.version:
                return wanted
            try:
                if version == RULES:
                    return wanted.with_conversion(None)
                if plan_of is None:
                    raise BadInput("a model used before is not at hand", where=version)
                return wanted.with_conversion(plan_of(version).conversion)
            except LeadlabError as error:
                status.trouble(f"model {version}", error)
                return None

        used = [version for behind, version in known if behind <= engine.offset]
        before = again(used[-1]) if used else None
        if before is not None:
            lane.use(before)
        later = [(behind, again(v)) for behind, v in known if behind > engine.offset]
        ahead[name] = [(behind, plan) for behind, plan in later if plan is not None]
    return ahead
