"""All commands under one name, and errors as one sentence with an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from leadlab import __version__
from leadlab.cli import (
    check,
    churn,
    data,
    demo,
    drift,
    evaluate,
    explain,
    health,
    match,
    next_action,
    read,
    registry,
    score,
    simulate,
    token,
    train,
    validate,
    value,
    worker,
)
from leadlab.errors import LeadlabError

app = typer.Typer(
    name="leadlab",
    help="Lead intelligence on event logs: features without hindsight, exactly explained scores.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(data.app, name="data")
app.add_typer(registry.app, name="registry")
app.add_typer(token.app, name="token")
app.command("demo")(demo.demo)
app.command("simulate")(simulate.simulate)
app.command("check")(check.check)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("score")(score.score)
app.command("explain")(explain.explain)
app.command("churn")(churn.churn)
app.command("read")(read.read)
app.command("health")(health.health)
app.command("next")(next_action.next_action)
app.command("match")(match.find_homes)
app.command("validate")(validate.validate)
app.command("drift")(drift.drift)
app.command("value")(value.value)
app.command("worker")(worker.worker)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"leadlab {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which it is.")
    ] = False,
) -> None:
    """Take the options that come before any command."""


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code.

    0 fine; 1 unforeseen; 2 wrong usage or setting; 3 to 12 as drawn in `leadlab.errors`. With
    ``--json`` an error is one JSON object on standard error.
    """
    try:
        app(list(arguments), standalone_mode=True)
    except LeadlabError as error:
        if "--json" in arguments:
            told = {"error": type(error).__name__, "message": str(error), "hint": error.hint}
            print(json.dumps(told), file=sys.stderr)  # noqa: T201
        else:
            typer.secho(f"leadlab: {error}", fg="red", err=True)
        return error.exit_code
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0
