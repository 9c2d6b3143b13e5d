"""``leadlab simulate``: a SIMULATED brokerage into a folder, or live to standard output."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from leadlab.cli.console import out, print_json, steps, table
from leadlab.cli.options import AsJson
from leadlab.data.brokerage import Brokerage, Moment, Settings, World, live
from leadlab.data.brokerage import simulate as simulate_brokerage
from leadlab.data.brokerage.settings import START, settings
from leadlab.data.brokerage.store import refuse_to_overwrite
from leadlab.errors import BadInput
from leadlab.schema.cloudevents import encode
from leadlab.schema.rows import events_of

HELP = """Simulate a brokerage: leads, agents, homes and messages, with the truth kept beside them.

Everything is SIMULATED, repeatable by its seed, and about nobody. With --out it is written to a
folder; with --live it goes on in time, one CloudEvent a line on standard output, until Ctrl-C.

Example: `leadlab simulate --leads 50000 --days 180 --out simulated`
"""
STEPS = 5
US_PER_DAY = 86_400_000_000


def simulate(
    leads: Annotated[int, typer.Option(help="How many leads arrive in --days.")] = 2_000,
    days: Annotated[int, typer.Option(help="How long the log is.")] = 365,
    seed: Annotated[int, typer.Option(help="The same seed gives the same log.")] = 0,
    start: Annotated[str, typer.Option(help="First moment, ISO 8601, UTC.")] = START,
    tenant: Annotated[str, typer.Option(help="Whose brokerage it is.")] = "default",
    texts: Annotated[bool, typer.Option(help="Write out what leads say.")] = True,
    to: Annotated[Path | None, typer.Option("--out", help="Folder to write to.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False,
    go_live: Annotated[bool, typer.Option("--live", help="Go on in time instead.")] = False,
    speed: Annotated[float, typer.Option(help="With --live: simulated seconds a second.")] = 3600.0,
    for_s: Annotated[float | None, typer.Option("--for", help="With --live: seconds.")] = None,
    after: Annotated[
        float, typer.Option(help="With --live: begin after so many simulated days, untold.")
    ] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Write a folder, or go live."""
    asked = settings(leads, days, seed, tenant, start, texts)
    if go_live:
        if to is not None:
            raise BadInput("either a folder or live", got=f"--live and --out {to}")
        _live(asked, speed, for_s, after)
        return
    if to is None:
        raise BadInput("where to?", where="--out", expected="a folder, or --live")
    refuse_to_overwrite(to, force=force)
    begun_s = time.perf_counter()
    with steps(STEPS, quiet=as_json) as tell:
        made = simulate_brokerage(
            leads, days, seed, tenant=tenant, start=start, texts=texts, tell=tell
        )
        tell("write the folder")
        made.write(to, force=force)
    taken_s = time.perf_counter() - begun_s
    told = summary(made) | {"seconds": taken_s, "events_per_s": len(made.log) / taken_s}
    if as_json:
        print_json({"simulated": True, "folder": str(to), **told})
        return
    _show(made, taken_s)
    out.print(f"\nFolder: [bold]{to}[/bold]. Next: leadlab train {to / 'log.parquet'} "
              '--converted "Offer Accepted" --ended Lost --features catalogue')  # fmt: skip


def summary(made: Brokerage) -> dict[str, object]:
    """What came out, for machines: counts, and the share of each segment and source that closed.

    Examples
    --------
    >>> sorted(summary(simulate_brokerage(20, 30)))
    ['by_segment', 'by_source', 'events', 'kinds', 'leads', 'settings']
    """
    counts = made.log.to_frame()["kind"].value_counts()
    return {
        "settings": made.settings.to_json(),
        "leads": len(made.truth.leads),
        "events": len(made.log),
        "kinds": {str(kind): int(n) for kind, n in counts.items()},
        "by_segment": _shares(made, "segment"),
        "by_source": _shares(made, "lead_source"),
    }


def _shares(made: Brokerage, column: str) -> dict[str, dict[str, float]]:
    """Leads, events a lead, and shares with an accepted offer, closed and lost, by `column`."""
    frame = made.log.to_frame()[["lead", "kind"]]
    leads = made.truth.leads.set_index("lead")
    leads = leads.assign(events=frame.groupby("lead", observed=True).size())
    for name, kind in (("accepted", "Offer Accepted"), ("closed", "Closed"), ("lost", "Lost")):
        leads[name] = leads.index.isin(frame.loc[frame["kind"] == kind, "lead"])
    by = leads.groupby(column)
    found = by[["events", "accepted", "closed", "lost"]].mean().assign(leads=by.size())
    return {
        str(name): {str(what): float(value) for what, value in row.items()}
        for name, row in found.to_dict("index").items()
    }


def _show(made: Brokerage, taken_s: float) -> None:
    events = len(made.log)
    out.print(
        f"\n[bold red]SIMULATED[/bold red]: {len(made.truth.leads):,} leads, {events:,} events in "
        f"{taken_s:.1f} s ({events / taken_s:,.0f} events a second, writing included)\n"
    )
    for title, column in (("segment", "segment"), ("source", "lead_source")):
        rows = [
            [name, int(row["leads"]), round(row["events"], 1)]
            + [f"{row[what]:.2%}" for what in ("accepted", "closed", "lost")]
            for name, row in _shares(made, column).items()
        ]
        table(
            f"By {title}, by the end of the log",
            [title, "leads", "events a lead", "offer accepted", "closed", "lost"],
            rows,
        )


def _live(asked: Settings, speed: float, for_s: float | None, after: float) -> None:
    """One line an event, in step with the clock; ends on Ctrl-C and when nobody reads on."""
    if not 0 <= after <= 36_500:
        raise BadInput("no such moment", where="--after", got=after, expected="0 to 36500 days")
    begun, _ = Moment.first(World.of(asked)).until(asked.start_us + round(after * US_PER_DAY))
    try:
        for log in live(begun, speed, for_s=for_s):
            for event in events_of(log):
                sys.stdout.write(encode(event) + "\n")
            sys.stdout.flush()
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # what is left in the buffer has no reader: keep the interpreter from writing it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


simulate.__doc__ = HELP
