"""All commands under one name, and errors as one sentence with an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from leadlab import __version__
from leadlab.cli.commands import STYLE, LazyGroup, add_all
from leadlab.errors import LeadlabError

app = typer.Typer(
    name="leadlab",
    cls=LazyGroup,
    help="Lead intelligence on event logs: features without hindsight, exactly explained scores.",
    no_args_is_help=True,
    **STYLE,
)
add_all(app)


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

    0 fine; 1 unforeseen; 2 wrong usage or setting; 3 to 13 as drawn in `leadlab.errors`. With
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
