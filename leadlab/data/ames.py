"""House sales of Ames, Iowa, with coordinates, in the names of the RESO Data Dictionary."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from leadlab.data.table import not_this_table, read_table

TITLE = "Ames sales"
NAMES = {
    "PID": "parcel_number",
    "SalePrice": "close_price",
    "Gr Liv Area": "living_area",
    "Lot Area": "lot_size_square_feet",
    "Bedroom AbvGr": "bedrooms_total",
    "Full Bath": "bathrooms_full",
    "Half Bath": "bathrooms_half",
    "Year Built": "year_built",
    "Garage Cars": "garage_spaces",
    "Longitude": "longitude",
    "Latitude": "latitude",
}
SOLD = ("Yr Sold", "Mo Sold")
QUALITY = {"Po": 1, "Fa": 2, "TA": 3, "Gd": 4, "Ex": 5}
"""What is rated from poor to excellent becomes points; "NA", nothing there to rate, becomes 0."""


def read(path: str | Path) -> pd.DataFrame:
    """Read ``ames_housing_geo.csv``.

    "NA" is a category of this table (no alley, no basement) and stays one. Only month and year of
    a sale are published: the first of the month stands for it. Columns that RESO does not name
    keep their own, in snake_case.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    DataFrame
        One sale a row, in order of time: 2,930 for the published file, 12 without coordinates.
        Prices are in US dollars, areas in square feet. ``sale_type`` and ``sale_condition`` say how
        the sale went, and are not known before it.

    Raises
    ------
    DataUnavailable
        No such file.
    BrokenFile
        Not this table, or a part of it.

    Examples
    --------
    >>> import tempfile
    >>> row = dict.fromkeys([*NAMES, *SOLD], 1) | {"PID": "05", "Alley": "NA", "Kitchen Qual": "Gd"}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "ames.csv"
    ...     pd.DataFrame([row | {"Yr Sold": 2010}]).to_csv(file, index=False)
    ...     sales = read(file)
    >>> sales["alley"][0], int(sales["kitchen_qual"][0]), sales["close_date"][0].date().isoformat()
    ('NA', 4, '2010-01-01')
    """
    path = Path(path)
    frame = read_table(path, TITLE, (*NAMES, *SOLD), {}, dtype={"PID": str, "MS SubClass": str},
                       keep_default_na=False, na_values=[""])  # fmt: skip
    sold = frame["Yr Sold"].astype(str) + "-" + frame["Mo Sold"].astype(str)
    day = pd.to_datetime(sold, format="%Y-%m", errors="coerce")
    if day.isna().any():
        raise not_this_table(path, TITLE, "a month that is none")
    frame = frame.drop(columns=[*SOLD, *frame.columns.intersection(["Order"])])
    frame = frame.rename(columns={name: NAMES.get(name, _snake(name)) for name in frame.columns})
    frame = frame.assign(**{name: _rated(frame[name]) for name in frame.columns})
    key = frame["parcel_number"] + "-" + day.dt.strftime("%Y%m")
    frame.insert(0, "listing_key", key)
    frame.insert(1, "close_date", day)
    return frame.sort_values("close_date", kind="stable").reset_index(drop=True)


def _snake(name: str) -> str:
    """A column's name in snake_case: "Year Remod/Add" is year_remod_add."""
    return "_".join(name.lower().replace("/", " ").split())


def _rated(column: pd.Series) -> pd.Series:
    """Points for a column of ratings, any other column as it is."""
    known = {*QUALITY, "NA"}
    seen = set(column.dropna().unique())
    if not seen & set(QUALITY) or not seen <= known:
        return column
    return column.map({**QUALITY, "NA": 0})
