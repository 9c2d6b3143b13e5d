"""``leadlab registry``: versions of models, which one is in use, and the way back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from leadlab.cli import source
from leadlab.cli.console import out, print_json, steps, table
from leadlab.cli.options import AsJson, Kind, Lead, Log, Value, When
from leadlab.cli.score import registered
from leadlab.config import Settings
from leadlab.errors import BadInput
from leadlab.explain import Scorer
from leadlab.models.files.model_file import About, read_model, save_model
from leadlab.models.validation.later_leads import Side, split_at_test
from leadlab.registry import Card, Decision, Listed, Registry, compare
from leadlab.registry.card import data_in_words, metrics_in_words
from leadlab.registry.stages import STAGES
from leadlab.schema import EventLog

app = typer.Typer(
    help="Versions of models: adding, comparing, putting in use, and the way back.",
    no_args_is_help=True,
)
EXAMPLE = "\n\nExample: `leadlab registry {}`"
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="ADDRESS",
        help="A folder or s3://bucket/prefix; LEADLAB_REGISTRY, or a folder in LEADLAB_HOME.",
    ),
]
Name = Annotated[str, typer.Argument(help="Name of a model.")]
Which = Annotated[str, typer.Argument(help="Number of a version, 'champion' or 'challenger'.")]
Who = Annotated[str | None, typer.Option(help="Who decides, for the history.")]
Why = Annotated[str | None, typer.Option(help="Why, for the history.")]
After = Annotated[
    int | None,
    typer.Option(help="Last decision you have seen; refused if there is a later one."),
]


def _registry(at: str | None) -> Registry:
    return Registry(at or Settings.from_environment().registry)


def _now() -> datetime:
    return datetime.now(UTC)


def _stamp() -> str:
    return _now().isoformat(timespec="seconds")


@app.command(
    help="Keep a model file as the next version."
    + EXAMPLE.format(
        "add model.leadlab --name hot --use 'Order the calls.' --limits 'No rentals.' "
        "--fairness 'Not compared.'"
    )
)
def add(
    file: Annotated[Path, typer.Argument(help="Model file, as `leadlab train` writes it.")],
    name: Annotated[str, typer.Option(help="Name of the model.")],
    use: Annotated[str | None, typer.Option(help="Card: intended use.")] = None,
    limits: Annotated[str | None, typer.Option(help="Card: where it fails or was not tried.")] = (
        None
    ),
    fairness: Annotated[str | None, typer.Option(help="Card: which groups were compared.")] = None,
    card: Annotated[
        Path | None, typer.Option(help="Card as a JSON file with all five parts, instead.")
    ] = None,
    parent: Annotated[
        list[str] | None, typer.Option(help="Version it was made from, name@number; repeatable.")
    ] = None,
    who: Who = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Read, describe, register."""
    model, about = read_model(file)
    version = _registry(at).register(
        name,
        model,
        about,
        card=_card(card, use, limits, fairness, about),
        created_at=_stamp(),
        parents=parent or (),
        who=who,
    )
    if as_json:
        print_json(version.to_json())
        return
    out.print(f"Kept as [bold]{version.name}[/bold]. Nothing is in use by that; next:")
    out.print(f"  leadlab registry promote {name} {version.number} champion", highlight=False)


def _card(
    file: Path | None, use: str | None, limits: str | None, fairness: str | None, about: About
) -> Card:
    given = {"--use": use, "--limits": limits, "--fairness": fairness}
    if file is not None:
        twice = [option for option, text in given.items() if text is not None]
        if twice:
            raise BadInput("the card is given twice", got=f"--card and {', '.join(twice)}")
        try:
            return Card.from_json(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise BadInput("cannot read a card", where=str(file), got=error) from error
    lacking = [option for option, text in given.items() if not text]
    if lacking:
        raise BadInput(
            "a model needs a card",
            got=f"nothing for {', '.join(lacking)}",
            hint="Say it with these options, or name a JSON file with --card.",
        )
    return Card(
        use or "", data_in_words(about), metrics_in_words(about), limits or "", fairness or ""
    )


@app.command("list", help="List models and their versions." + EXAMPLE.format("list"))
def list_versions(
    name: Annotated[str | None, typer.Argument(help="One model; all when not given.")] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Number, stage, moment, kind; and what is wrong where one cannot be used."""
    registry = _registry(at)
    found = registry.listed(name)
    if as_json:
        print_json([_line(one) for one in found])
        return
    if not found:
        out.print(f"No model in {registry.address} yet. Next: leadlab registry add --help")
        return
    rows = []
    for one in found:
        v = one.version
        told = [v.kind, v.created_at, v.who or "-"] if v else ["broken", "-", "-"]
        rows.append([one.model, str(one.number), one.stage or "-", *told])
    table(
        f"Versions in {registry.address}", ["model", "version", "stage", "kind", "at", "who"], rows
    )
    for one in found:
        if one.problem:
            out.print(one.problem, markup=False)


def _line(one: Listed) -> dict[str, Any]:
    described = one.version.to_json() if one.version else None
    return {
        "model": one.model,
        "number": one.number,
        "stage": one.stage,
        "problem": one.problem,
        "version": described,
    }


@app.command(help="Show the card of a version and its history." + EXAMPLE.format("show hot"))
def show(name: Name, which: Which = "champion", at: At = None, as_json: AsJson = False) -> None:
    """Card, origin, figures, decisions."""
    registry = _registry(at)
    version, history = registry.version(name, which), registry.history(name)
    if as_json:
        told = [decision.to_json() for decision in history]
        print_json({"version": version.to_json(), "history": told})
        return
    out.print(version.card.markdown(version.name), markup=False, highlight=False)
    facts = {
        "kind": version.kind,
        "made": f"{version.created_at}{f' by {version.who}' if version.who else ''}",
        "data": version.data_hash or "not told",
        "plan": version.plan_hash or "none: a bare matrix",
        "features": len(version.features),
        "code": f"leadlab {version.code['leadlab']}, commit {version.code['commit'] or 'unknown'}",
        "parents": ", ".join(version.parents) or "none",
    }
    table("Origin", ["what", "is"], [[what, str(text)] for what, text in facts.items()])
    table("History", ["decision"], [[str(decision)] for decision in history])


@app.command(
    help="Make a version champion or challenger, or archive it."
    + EXAMPLE.format("promote hot 3 champion --who ann")
)
def promote(
    name: Name,
    number: Annotated[int, typer.Argument(help="Number of the version.")],
    stage: Annotated[str, typer.Argument(help=", ".join(STAGES))] = "champion",
    who: Who = None,
    why: Why = None,
    after: After = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Decide, unless somebody else did so first."""
    registry = _registry(at)
    decision = registry.promote(name, number, stage, at=_stamp(), who=who, why=why, after=after)
    _tell(decision, as_json)


@app.command(
    help="Bring back the champion before." + EXAMPLE.format("rollback hot --why 'too hot'")
)
def rollback(
    name: Name,
    who: Who = None,
    why: Why = None,
    after: After = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Decide, unless somebody else did so first."""
    decision = _registry(at).roll_back(name, at=_stamp(), who=who, why=why, after=after)
    _tell(decision, as_json)


@app.command(help="Put the challenger aside." + EXAMPLE.format("remove-challenger hot"))
def remove_challenger(
    name: Name,
    who: Who = None,
    why: Why = None,
    after: After = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Decide, unless somebody else did so first."""
    decision = _registry(at).remove_challenger(name, at=_stamp(), who=who, why=why, after=after)
    _tell(decision, as_json)


def _tell(decision: Decision, as_json: bool) -> None:
    if as_json:
        print_json(decision.to_json())
        return
    state = decision.state
    out.print(f"{decision}. Champion: {state.champion}; challenger: {state.challenger}.")


@app.command(help="What changed between two versions." + EXAMPLE.format("diff hot 1 2"))
def diff(
    name: Name,
    before: Which,
    after: Which = "champion",
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Data, features, settings, figures, libraries, card."""
    found = _registry(at).diff(name, before, after)
    if as_json:
        print_json(found.to_json())
        return
    columns = ["part", "name", "before", "after", "change"]
    rows = [
        ["-" if one is None else _short(one) for one in row]
        for row in found.to_frame()[columns].itertuples(index=False)
    ]
    table(f"From {found.before} to {found.after}", columns, rows)


@app.command(
    "compare",
    help="Judge the challenger beside the champion on leads that neither has seen; nothing is "
    "promoted by it." + EXAMPLE.format("compare hot later.parquet"),
)
def compare_versions(
    name: Name,
    log: Log,
    champion: Which = "champion",
    challenger: Which = "challenger",
    resamples: Annotated[int, typer.Option(help="Of the bootstrap over leads.")] = 400,
    seed: int = 0,
    lead: Lead = "lead",
    kind: Kind = "kind",
    when: When = "at",
    value: Value = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Read, judge both on the same rows, say what follows."""
    with steps(3, quiet=as_json) as tell:
        tell("load both versions")
        registry = _registry(at)
        one, other = (registered(registry, name, which) for which in (champion, challenger))
        tell("read the log")
        events = source.event_log(log, lead, kind, when, value)
        tell("judge both on the same landmarks")
        first, second = _unseen_by_both(events, one, other)
        found = compare(
            one.model,
            other.model,
            first.table,
            first.label,
            X_challenger=second.table,
            groups=first.lead,
            resamples=resamples,
            seed=seed,
        )
    if as_json:
        print_json({"versions": [one.version, other.version], **found.to_json()})
        return
    rows = [
        [figure, found.champion[figure], found.challenger[figure], f"{d.low:+.4f} to {d.high:+.4f}"]
        for figure, d in found.differences.items()
    ]
    table(
        f"{found.rows:,} landmarks of {found.groups:,} leads that neither has seen",
        ["figure", one.version, other.version, "difference, 95%"],
        rows,
    )
    out.print(found.verdict)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _unseen_by_both(events: EventLog, one: Scorer, other: Scorer) -> tuple[Side, Side]:
    """The same landmarks with the features of each: leads that came after both tests began."""
    about = [scorer.about for scorer in (one, other) if scorer.about is not None]
    asked = [(a.converted, a.ended, a.horizon_days) for a in about]
    if len(about) < 2 or asked[0] != asked[1]:
        raise BadInput(
            "these versions foresee different things",
            got=" and ".join(map(str, asked)),
            expected="the same outcomes and horizon",
        )
    starts = [a.notes["test_start_us"] for a in about if "test_start_us" in a.notes]
    start = max(starts) if len(starts) == len(about) else None  # None is refused below
    first, second = (
        split_at_test(
            events,
            scorer.features,
            replace(own, notes={**own.notes, "test_start_us": start}),
        )[1]
        for scorer, own in zip((one, other), about, strict=True)
    )
    return first, second


@app.command(help="Write a version to a model file." + EXAMPLE.format("get hot --out m.leadlab"))
def get(
    name: Name,
    which: Which = "champion",
    to: Annotated[Path, typer.Option("--out", help="Model file.")] = Path("model.leadlab"),
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Check, rebuild, write."""
    found = _registry(at).load(name, which)
    save_model(to, found.model, found.about)
    if as_json:
        print_json({"version": found.version.name, "model": str(to)})
        return
    out.print(f"{found.version.name} is in [bold]{to}[/bold].")


@app.command(help="Hold every file to its checksum." + EXAMPLE.format("verify --clean"))
def verify(
    name: Annotated[str | None, typer.Argument(help="One model; all when not given.")] = None,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove leftovers that are older than an hour.")
    ] = False,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Say what is whole and what is not; exit code 6 where something is not."""
    registry = _registry(at)
    removed = registry.clean(before=(_now() - timedelta(hours=1)).isoformat()) if clean else []
    found = registry.verify(name)
    if as_json:
        print_json({**found.to_json(), "removed": removed})
    else:
        out.print(
            f"{registry.address}: {found.versions} versions, {found.files} files and "
            f"{found.decisions} decisions are whole; {len(found.problems)} problems, "
            f"{len(found.leftovers)} leftovers, {len(removed)} removed."
        )
        for text in (*found.problems, *(f"leftover: {path}" for path in found.leftovers)):
            out.print(text, markup=False)
    if found.problems:
        raise typer.Exit(6)
