"""``leadlab serve``: journal, engine and API together, and the dashboards where there are any."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from leadlab.cli.console import err
from leadlab.cli.served import at_home, model_watch, plan_from, reader_from, take_turns
from leadlab.config import Settings
from leadlab.errors import ConfigError

HELP = """Take events, score each at once, and serve scores, reasons and alerts.

Events go to `POST /v1/events` and are on disk when they are acknowledged; `/docs` describes the
rest. The model that `leadlab demo` left at home serves when none is named; where there is none,
rules stand in and every result says so. With `registry:NAME` a promotion is taken up while running.
Ask for a key with `leadlab token key`.

Example: `leadlab serve --model .leadlab/models/hub.leadlab --port 8000`
"""


def serve(
    model: Annotated[
        str | None, typer.Option(metavar="FILE|registry:NAME[@VERSION]", help="Conversion model.")
    ] = None,
    churn: Annotated[Path | None, typer.Option(help="Churn model, a file.")] = None,
    reader: Annotated[
        Path | None, typer.Option(help="Conversation model, a file; rules read where none is.")
    ] = None,
    homes: Annotated[Path | None, typer.Option(help="Homes to match, .csv or .parquet.")] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Alert rules, YAML; those that leadlab brings along else.")
    ] = None,
    home: Annotated[
        Path | None, typer.Option(help="Folder of journal and state; live/ in LEADLAB_HOME.")
    ] = None,
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    keep: Annotated[
        int | None, typer.Option(help="Events that the journal keeps; all when not given.")
    ] = None,
    redis: Annotated[
        str | None,
        typer.Option(
            envvar="LEADLAB_REDIS", help="Address of Redis: events pass through it, beside workers."
        ),
    ] = None,
    dashboards: Annotated[
        bool, typer.Option(help="Serve the pages of apps/ too, on the next port.")
    ] = True,
) -> None:
    """Put it together and run until stopped."""
    try:
        from leadlab.api.serving import application, run  # noqa: PLC0415  (extra)
    except ModuleNotFoundError as error:
        raise ConfigError(
            "the extra 'live' is not installed", got=error.name, hint="pip install 'leadlab[live]'"
        ) from error
    settings = Settings.from_environment()
    take_turns()
    where = home or settings.home / "live"
    named = model or at_home(settings)
    plan, plan_of = plan_from(named, churn)
    with _dashboards(dashboards, host, port + 1):
        app, station = application(
            where,
            plan,
            plan_of=plan_of,
            homes=homes,
            rules=rules,
            keep=keep,
            redis=redis,
            reader=reader_from(reader),
        )
        try:
            with model_watch(named, lambda: [station]):
                err.print(f"http://{host}:{port}/docs  journal and state in {where}")
                if plan.conversion is None:
                    err.print("No model was given: rules stand in, and every result says so.")
                run(app, host, port)
        finally:
            station.stop()


@contextlib.contextmanager
def _dashboards(wanted: bool, host: str, port: int) -> Iterator[None]:
    """Pages of ``apps/`` in a process of their own, ended with this one."""
    pages = sorted(str(page) for page in Path("apps").glob("*.py"))
    if not wanted or not pages:
        yield
        return
    command: list[Any] = [sys.executable, "-m", "panel", "serve", *pages, "--address", host]
    child = subprocess.Popen(
        [*command, "--port", str(port)], env=os.environ, stdout=subprocess.DEVNULL
    )
    err.print(f"http://{host}:{port}  dashboards")
    try:
        yield
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


serve.__doc__ = HELP
