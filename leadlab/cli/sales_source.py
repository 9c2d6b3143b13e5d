"""The sales that a valuation works on: a file, a public data set, or simulated closings."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from leadlab.data import datasets, load, simulate
from leadlab.errors import BadInput, BrokenFile, UnknownName
from leadlab.models.valuation.columns import attribute_name

SIMULATED = "simulated"
LEADS, DAYS = 20_000, 500
TEXTS = frozenset({"listing_key", "parcel_number", "postal_code"})
HELP = (
    "Sales: a .csv or .parquet file under RESO names, the name of a public data set (king_county, "
    f"ames), or '{SIMULATED}' (the default)."
)


SALES = ("king_county", "ames")
"""Data sets of sold homes."""


def sales_table(name: str, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sales that `name` means, and homes on offer beside them (none where all have been sold).

    Raises
    ------
    UnknownName
        If it is neither a file nor a known name.
    BrokenFile
        If the file cannot be read.
    BadInput
        If the data set holds no sales.
    """
    if name == SIMULATED:
        return simulated_sales(seed)
    path = Path(name)
    if path.exists():
        sales = _file(path)
    elif name in datasets():
        if name not in SALES:
            raise BadInput("this data set holds no sales", got=name, expected=", ".join(SALES))
        sales = load(name)
        assert isinstance(sales, pd.DataFrame)
    else:
        known = [*datasets(), SIMULATED]
        raise UnknownName("sales", name, known, where="neither a file nor a name")
    return sales, sales.iloc[:0]


def simulated_sales(
    seed: int, leads: int = LEADS, days: int = DAYS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """SIMULATED: what the brokerage's listings closed at, and all its listings.

    A listing stays on the market there, so it may have been sold more than once.
    """
    world = simulate(leads, days, seed, texts=False)
    events = world.log.to_frame()
    closed = events.loc[events["kind"] == "Closed", ["at", "value", "listing"]]
    names = {"at": "close_date", "value": "close_price", "listing": "listing_key"}
    closed = closed.rename(columns=names)
    sold = closed.merge(world.listings, on="listing_key", how="inner")
    when = pd.to_datetime(sold["close_date"], utc=True).dt.tz_localize(None).dt.normalize()
    return sold.assign(close_date=when), world.listings


def _file(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        heads = pd.read_csv(path, nrows=0).columns
        texts = {n: str for n in heads if attribute_name(str(n)) in TEXTS}
        return pd.read_csv(path, dtype=texts, low_memory=False)
    except (OSError, ValueError) as error:
        raise BrokenFile("the table cannot be read", where=str(path), got=error) from error
