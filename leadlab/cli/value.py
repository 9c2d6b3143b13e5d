"""``leadlab value``: what a home would sell for, with a range, reasons, comparables and a grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from leadlab.cli.console import out, print_json, steps, table
from leadlab.cli.options import AsJson
from leadlab.cli.sales_source import HELP as SALES
from leadlab.cli.sales_source import SIMULATED, sales_table
from leadlab.errors import BadInput, UnknownName
from leadlab.explain.valuation import PriceExplainer, PriceReasons
from leadlab.models.files.model_file import About, read_model, save_model
from leadlab.models.training import Told
from leadlab.models.valuation.cma import Cma, cma_of
from leadlab.models.valuation.columns import AREA, DATE, PRICE, by_reso_names, days_of
from leadlab.models.valuation.model import ValuationModel
from leadlab.models.valuation.sales import tidy_sales

HELP = """Value a home: an estimate with a range, neither an appraisal nor guaranteed.

The home is a row of the table, by its key, or described with `--with`; both together change the
row. A home that was sold is valued as on the day of its closing, from earlier sales only.

Example: `leadlab value simulated --key listing-0042 --with living_area=2100`
"""
NOTE = "An estimate with a range: neither an appraisal nor guaranteed."
FIRST = "listing-0000"


def value(
    sales: Annotated[str, typer.Argument(help=SALES)] = SIMULATED,
    key: Annotated[str | None, typer.Option(help="listing_key of the home.")] = None,
    attributes: Annotated[
        list[str] | None,
        typer.Option("--with", help="An attribute: living_area=1800. May be repeated."),
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Day of the valuation; only earlier sales are used.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=20, help="Comparables.")] = 5,
    model: Annotated[
        Path | None, typer.Option(help="Model file to use instead of training.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--out", help="Also keep the trained model.")] = None,
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Read, train or load, value, show."""
    with steps(3, quiet=as_json) as tell:
        tell("read the sales")
        sold, offered = sales_table(sales, seed)
        if key is None and not attributes and sales == SIMULATED:
            key = FIRST
        home = subject(sold, offered, key, attributes or [])
        day = _day(sold, home, at)
        fitted = _fitted(sold, day, model, to, seed, tell)
        tell("value and explain")
        homes, days = fitted.homes(home, day)
        asked = fitted.market_.ask(homes, days)
        found = PriceExplainer(fitted).explain_asked(asked, homes)
        valued = bool(np.isfinite(found.frame["estimate"].iloc[0]))
        grid = cma_of(fitted, asked, top=top) if valued else None
    told = _told(found, grid, day, sales, fitted)
    if as_json:
        print_json(told)
    else:
        _show(told)


def subject(
    sold: pd.DataFrame, offered: pd.DataFrame, key: str | None, attributes: Sequence[str]
) -> pd.DataFrame:
    """The home as a table of one row.

    Raises
    ------
    UnknownName
        If no home bears the key.
    BadInput
        If neither key nor attributes are given, or an attribute is not "name=value".

    Examples
    --------
    >>> sold = pd.DataFrame({"listing_key": ["a"], "living_area": [900.0]})
    >>> subject(sold, sold.iloc[:0], "a", ["living_area=1000"])["living_area"].tolist()
    [1000.0]
    """
    if key is None and not attributes:
        raise BadInput("which home? name one", hint="Give --key, or --with living_area=1800.")
    row = pd.DataFrame(index=[0]) if key is None else _row(sold, offered, key)
    known = by_reso_names(sold, ())
    for text in attributes:
        name, equals, given = text.partition("=")
        if not equals or name not in known:
            choices = [str(c) for c in known.columns]
            if equals:
                raise UnknownName("attribute", name, choices, where="--with")
            raise BadInput("an attribute is name=value", where="--with", got=text)
        number = pd.api.types.is_numeric_dtype(known[name].dtype)
        row = row.assign(**{name: _number(name, given) if number else given})
    return row.drop(columns=[DATE, PRICE], errors="ignore") if attributes else row


def _row(sold: pd.DataFrame, offered: pd.DataFrame, key: str) -> pd.DataFrame:
    keys: list[str] = []
    for homes in (offered, sold):
        named = by_reso_names(homes, ("listing_key",)) if len(homes) else homes
        if len(named):
            own = named["listing_key"].astype(str)
            if (own == key).any():
                return named[(own == key).to_numpy()].tail(1).reset_index(drop=True)
            keys += own.tolist()
    raise UnknownName("home", key, keys)


def _number(name: str, given: str) -> float:
    try:
        return float(given)
    except ValueError as error:
        raise BadInput("not a number", where=f"--with {name}", got=given) from error


def _day(sold: pd.DataFrame, home: pd.DataFrame, at: str | None) -> np.datetime64:
    """The day asked for; else that of the home's own closing; else the day after the last sale."""
    if at is not None:
        return np.datetime64(int(days_of(at, "--at")[0]), "D")
    if DATE in home:
        return np.datetime64(int(days_of(home[DATE], DATE)[0]), "D")
    return np.datetime64(int(tidy_sales(sold).day[-1]) + 1, "D")


def _fitted(
    sold: pd.DataFrame,
    day: np.datetime64,
    path: Path | None,
    to: Path | None,
    seed: int,
    tell: Told,
) -> ValuationModel:
    if path is not None:
        tell("load the model")
        found, _ = read_model(path)
        if not isinstance(found, ValuationModel):
            got = type(found).__name__
            raise BadInput("this model does not value homes", where=str(path), got=got)
        return found
    named = by_reso_names(sold, (DATE, PRICE, AREA))
    when = pd.to_datetime(named[DATE], errors="coerce", utc=True).dt.tz_localize(None)
    earlier = named[(when < pd.Timestamp(day)).to_numpy()]
    tell(f"train on {len(earlier):,} earlier sales")
    if not len(earlier):
        raise BadInput("no sale is earlier than that day", where="--at", got=str(day))
    fitted = ValuationModel(seed=seed).fit(earlier)
    if to is not None:
        save_model(to, fitted, About(seed=seed, notes={"sales": len(earlier)}))
    return fitted


def _told(
    found: PriceReasons, grid: Cma | None, day: np.datetime64, sales: str, model: ValuationModel
) -> dict[str, Any]:
    one = found.frame.iloc[0]
    home = found.values.iloc[0]
    reasons = [
        {"text": r.text, "about": r.family, "percent": 100 * float(np.expm1(r.effect))}
        for r in found.reasons(0, 8)
    ]
    return {
        "simulated": sales == SIMULATED,
        "as_of": str(day),
        "home": {name: home[name] for name in found.values.columns if name in _KEPT},
        "estimate": one["estimate"],
        "low": one["low"],
        "high": one["high"],
        "range_holds": model.level,
        "method": one["method"],
        "caution": one["caution"],
        "sold_for": home.get(PRICE, float("nan")),
        "sales_known": len(model.market_.sales),
        "sales_set_aside": model.set_aside_,
        "reasons": reasons,
        "comparables": [] if grid is None else _grid(grid),
        "cma": None if grid is None else {"value": grid.value, "low": grid.low, "high": grid.high},
        "note": NOTE,
    }


_KEPT = ("listing_key", AREA, "bedrooms_total", "year_built", "postal_code", "city", "list_price")


def _grid(grid: Cma) -> list[dict[str, Any]]:
    rows = grid.grid.drop(columns=["sale"]).to_dict("records")
    dollars = grid.adjustments.to_dict("records")
    return [
        {**{str(k): v for k, v in row.items()}, DATE: str(row[DATE].date()), "adjustments": moved}
        for row, moved in zip(rows, dollars, strict=True)
    ]


def _show(told: dict[str, Any]) -> None:
    if told["simulated"]:
        out.print("[bold yellow]SIMULATED[/bold yellow] sales of a simulated brokerage.")
    if told["comparables"]:
        out.print(
            f"As of {told['as_of']}: [bold]${told['estimate']:,.0f}[/bold], "
            f"{told['range_holds']:.0%} range ${told['low']:,.0f} to ${told['high']:,.0f}."
        )
        if told["sold_for"] == told["sold_for"]:
            out.print(f"It sold for ${told['sold_for']:,.0f}.")
    else:
        out.print(f"No estimate: {told['caution']}.")
    if told["caution"] and told["comparables"]:
        out.print(f"[yellow]Mind: {told['caution']}.[/yellow]")
    if told["reasons"]:
        table("Because of", ["reason"], [[r["text"]] for r in told["reasons"]])
    if told["comparables"]:
        _show_grid(told)
    out.print(NOTE)


def _show_grid(told: dict[str, Any]) -> None:
    shown = told["comparables"]
    moved: dict[str, float] = {}
    for one in shown:
        for name, dollars in one["adjustments"].items():
            moved[name] = moved.get(name, 0.0) + abs(dollars)
    names = sorted((n for n in moved if n != "time"), key=lambda n: -moved[n])[:5]
    heads = ["", *(str(one.get("listing_key", i + 1)) for i, one in enumerate(shown))]
    rows = [
        ["sold", *(one[DATE] for one in shown)],
        ["price", *(f"${one[PRICE]:,.0f}" for one in shown)],
        ["km away", *(_km(one["km"]) for one in shown)],
        ["weight", *(f"{one['weight']:.0%}" for one in shown)],
    ]
    for name in ["time", *names]:
        dollars = [one["adjustments"].get(name, 0.0) for one in shown]
        rows.append([name.replace("_", " "), *(f"{d:+,.0f}" for d in dollars)])
    chosen = {"time", *names}
    rest = [sum(d for n, d in one["adjustments"].items() if n not in chosen) for one in shown]
    rows += [
        ["all else", *(f"{d:+,.0f}" for d in rest)],
        ["adjusted", *(f"[bold]${one['adjusted_price']:,.0f}[/bold]" for one in shown)],
        ["mind", *(one["warning"] or "-" for one in shown)],
    ]
    cma = told["cma"]
    note = (
        f"Adjusted toward the home, market-derived: ${cma['low']:,.0f} to ${cma['high']:,.0f}, "
        f"by weight ${cma['value']:,.0f}. Net above 15% or gross above 25% is a warning, no rule."
    )
    table("Comparables", heads, rows, note)


def _km(km: float) -> str:
    return "-" if np.isnan(km) else f"{km:.2f}"


value.__doc__ = HELP
