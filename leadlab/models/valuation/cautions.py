"""What to mind of a valuation: what is unknown, far out or out of date."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadlab.models.valuation.columns import AREA, HomeColumns
from leadlab.models.valuation.market import Asked

STALE_DAYS = 90


def cautions(
    columns: HomeColumns, asked: Asked, homes: pd.DataFrame, last_sale: int
) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """One text a home, parts separated by "; "; empty where there is nothing to mind.

    Parameters
    ----------
    columns : HomeColumns
    asked : Asked
    homes : DataFrame, n rows
        Under RESO names.
    last_sale : int
        Day of the last known sale, since 1970.
    """
    told: list[list[str]] = [[] for _ in range(len(homes))]
    area = columns.column(asked.values, AREA)
    for i in np.flatnonzero(~(area > 0)).tolist():
        told[i].append("no living area above 0, so no estimate")
    for i in np.flatnonzero(np.isnan(asked.homes.xyz[:, 0])).tolist():
        told[i].append("place unknown: nothing nearby was used")
    for i, j in np.argwhere(columns.far_out(asked.values) & (asked.values != 0)).tolist():
        told[i].append(f"{columns.names[j]} {asked.values[i, j]:g} is far out of the known sales")
    for name in columns.levels:
        if name in homes.columns:
            unknown = np.flatnonzero(np.isnan(columns.column(asked.values, name)))
            for i in unknown[homes[name].iloc[unknown].notna()].tolist() if len(unknown) else ():
                told[i].append(f"{name} {homes[name].iloc[i]} has few known sales")
    stale = asked.homes.day - last_sale
    for i in np.flatnonzero(stale > STALE_DAYS).tolist():
        told[i].append(f"the last known sale was {stale[i]} days before")
    return np.array(["; ".join(parts) for parts in told], object)
