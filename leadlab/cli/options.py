"""Options that commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from leadlab.cli import source

Log = Annotated[str, typer.Argument(help=source.HELP)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Lead = Annotated[str, typer.Option(help="Column of a CSV file: about whom.")]
Kind = Annotated[str, typer.Option(help="Column of a CSV file: what happened.")]
When = Annotated[str, typer.Option(help="Column of a CSV file: when.")]
Value = Annotated[str | None, typer.Option(help="Column of a CSV file: the event's number.")]
