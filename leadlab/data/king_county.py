"""House sales of King County, Washington, in the names of the RESO Data Dictionary."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from leadlab.data.table import not_this_table, read_table

TITLE = "King County sales"
NAMES = {
    "id": "parcel_number",
    "date": "close_date",
    "price": "close_price",
    "bedrooms": "bedrooms_total",
    "bathrooms": "bathrooms_total_decimal",
    "sqft_living": "living_area",
    "sqft_lot": "lot_size_square_feet",
    "floors": "stories",
    "waterfront": "waterfront_yn",
    "view": "view_score",
    "condition": "condition_score",
    "grade": "grade_score",
    "sqft_above": "above_grade_finished_area",
    "sqft_basement": "below_grade_finished_area",
    "yr_built": "year_built",
    "yr_renovated": "year_renovated",
    "zipcode": "postal_code",
    "lat": "latitude",
    "long": "longitude",
    "sqft_living15": "nearby_living_area",
    "sqft_lot15": "nearby_lot_size_square_feet",
}
"""The file's names and ours. RESO has no field for the county's view, condition and grade points,
nor for the mean areas of the fifteen nearest houses: those names are our own."""


def read(path: str | Path) -> pd.DataFrame:
    """Read ``kc_house_data.csv``.

    A year of renovation of 0 means none and becomes missing. Nothing else is altered: the house
    that claims 33 bedrooms is there.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    DataFrame
        One sale a row, in order of time: 21,613 for the published file. ``listing_key`` is parcel
        and day; prices are in US dollars, areas in square feet.

    Raises
    ------
    DataUnavailable
        No such file.
    BrokenFile
        Not this table, or a part of it.

    Examples
    --------
    >>> import tempfile
    >>> row = dict.fromkeys(NAMES, 1) | {"id": "0012", "date": "20141013T000000", "yr_renovated": 0}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "kc.csv"
    ...     pd.DataFrame([row]).to_csv(file, index=False)
    ...     sales = read(file)
    >>> sales["listing_key"][0], sales["close_date"][0].date().isoformat()
    ('0012-20141013', '2014-10-13')
    """
    path = Path(path)
    frame = read_table(path, TITLE, tuple(NAMES), {}, dtype={"id": str, "zipcode": str})
    frame = frame[list(NAMES)].rename(columns=NAMES)
    day = pd.to_datetime(frame["close_date"].str[:8], format="%Y%m%d", errors="coerce")
    if day.isna().any():
        raise not_this_table(path, TITLE, "a date that is none")
    key = frame["parcel_number"] + "-" + day.dt.strftime("%Y%m%d")
    renovated = frame["year_renovated"].where(frame["year_renovated"] > 0)
    frame = frame.assign(close_date=day, year_renovated=renovated)
    frame.insert(0, "listing_key", key)
    return frame.sort_values("close_date", kind="stable").reset_index(drop=True)
