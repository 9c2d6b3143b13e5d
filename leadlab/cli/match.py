"""``leadlab match``: homes for a buyer, why these, and what would have to change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from leadlab.cli.console import out, print_json, steps, table
from leadlab.cli.options import AsJson
from leadlab.data.brokerage import Brokerage, read_brokerage, simulate
from leadlab.errors import BadInput, BrokenFile, UnknownName
from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.match import Match, Matches, match
from leadlab.models.matching.preferences import Preferences, load_preferences
from leadlab.models.matching.ranker import Ranker
from leadlab.models.matching.signals import deeds
from leadlab.models.matching.stated import stated_preferences
from leadlab.models.matching.taste import Taste

HELP = """Find homes for a lead or for preferences in a file, with reasons.

A lead is matched by what it stated and by what it viewed, saved, put aside and was shown; a file of
preferences (JSON) by itself, or in place of what the lead stated. Without --listings and
--brokerage the homes are those of a SIMULATED brokerage.

Example: `leadlab match lead-000007 --top 5`
"""


def find_homes(
    lead: Annotated[
        str | None, typer.Argument(metavar="LEAD", help="The lead.", show_default=False)
    ] = None,
    preferences: Annotated[
        Path | None, typer.Option(help="JSON file: budget_usd, bedrooms_min, areas, hard ...")
    ] = None,
    listings: Annotated[
        Path | None, typer.Option(help="CSV or Parquet file of homes, RESO names in snake_case.")
    ] = None,
    brokerage: Annotated[
        Path | None, typer.Option(help="Folder that `leadlab simulate` wrote.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="OURS=THEIRS, for other column names; repeatable.")
    ] = None,
    top: Annotated[int, typer.Option(help="How many homes.")] = 10,
    variety: Annotated[float, typer.Option(help="0: by fit alone; below 1.")] = 0.15,
    train: Annotated[
        bool, typer.Option("--train", help="Learn from what other leads did first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read, match, tell."""
    if lead is None and preferences is None:
        raise BadInput("for whom?", expected="LEAD, or --preferences FILE")
    if listings is not None and (lead is not None or train):
        raise BadInput(
            "a file of homes says nothing of leads", where="--listings", hint="Use --brokerage."
        )
    wants = None if preferences is None else load_preferences(preferences)
    with steps(3, quiet=as_json) as tell:
        tell("read the homes")
        if listings is not None:
            homes = Catalogue.prepare(_read(listings), columns=_columns(column))
            found = match(homes, wants or Preferences(), top=top, variety=variety)
        else:
            made = simulate() if brokerage is None else read_brokerage(brokerage)
            homes = Catalogue.prepare(made.listings, columns=_columns(column))
            tell("learn from what leads did" if train else "read what the lead did")
            found = _for_lead(made, homes, lead, wants, top, variety, train)
    told = {"lead": lead, "simulated": listings is None, **found.to_json()}
    if as_json:
        print_json(told)
    else:
        _show(lead, found, listings is None)


def _for_lead(
    made: Brokerage,
    homes: Catalogue,
    lead: str | None,
    wants: Preferences | None,
    top: int,
    variety: float,
    train: bool,
) -> Matches:
    done, stated = deeds(made.log, homes), stated_preferences(made.stated)
    taste, at_us = Taste(), int(made.log.at_us[-1])
    if lead is not None:
        if lead not in stated:
            raise UnknownName("lead", lead, stated)
        own = done.leads[done.lead] == lead
        taste = Taste.of(done.home[own], done.weight[own])
        wants = stated[lead] if wants is None else wants
    ranker = Ranker(most=1_500).fit(done, homes, stated) if train else None
    return match(
        homes, wants or Preferences(), taste=taste, ranker=ranker, at_us=at_us, top=top,
        variety=variety,
    )  # fmt: skip


def _columns(given: list[str] | None) -> dict[str, str]:
    found = {}
    for one in given or []:
        ours, sign, theirs = one.partition("=")
        if not sign or not ours or not theirs:
            raise BadInput("no such mapping", where="--column", got=one, expected="OURS=THEIRS")
        found[ours] = theirs
    return found


def _read(path: Path) -> pd.DataFrame:
    if path.suffix not in (".csv", ".parquet") or not path.is_file():
        raise BadInput("no file of homes", where=str(path), expected="a .csv or .parquet file")
    try:
        return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise BrokenFile("cannot read homes", where=str(path), got=str(error)[:100]) from error


def _show(lead: str | None, found: Matches, simulated: bool) -> None:
    mark = "[bold red]SIMULATED[/bold red] " if simulated else ""
    out.print(
        f"\n{mark}{found.candidates:,} of {found.catalogue:,} homes meet the hard limits; ordered "
        f"by {found.basis}."
    )
    if found.limits:
        rows = [
            [limit.factor, limit.excludes, limit.unknown, limit.alone, _change(limit.change)]
            for limit in found.limits
        ]
        table("Hard limits", ["limit", "leave out", "unknown", "alone", "lets one in"], rows)
    rows = [_row(number, one) for number, one in enumerate(found.homes, 1)]
    if rows:
        table(f"Homes for {lead or 'these preferences'}", ["", "home", "fit", "why"], rows)
    else:
        out.print("No home meets all hard limits; the table says what would have to change.")
    for what, count in found.doubts.items():
        out.print(f"Taken as unknown: {count:,} values of {what}.", markup=False)


def _row(number: int, one: Match) -> list[Any]:
    told = [reason.text for reason in one.reasons]
    told += [f"to fit: {_change(r.change)}" for r in one.reasons if r.change]
    fit = "-" if one.fit is None else f"{one.fit:.0%}"
    return [str(number), one.listing, fit, "; ".join([*told, *one.taste])]


def _change(change: dict[str, Any]) -> str:
    return ", ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in change.items()
    )


find_homes.__doc__ = HELP
