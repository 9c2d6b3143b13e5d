"""BG/NBD, the customary model of repeat buying, from pymc-marketing; a baseline."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.schema.log import EventLog

F64 = NDArray[np.float64]
US_PER_DAY = 86_400_000_000
DAYS_A_WEEK = 7


def repeat_purchases(log: EventLog, until_day: int) -> pd.DataFrame:
    """What BG/NBD knows of each lead: days with purchases after the first, and when.

    Parameters
    ----------
    log : EventLog
        Purchases.
    until_day : int
        Last day that is known, counted from 1970-01-01.

    Returns
    -------
    DataFrame
        ``customer_id`` (the lead's code), ``frequency`` (further days with a purchase), ``recency``
        (weeks from the first to the last) and ``T`` (weeks from the first to `until_day`), by code.

    Examples
    --------
    >>> frame = pd.DataFrame({"who": ["ann"] * 3, "what": ["Purchase"] * 3,
    ...                       "when": ["1970-01-01", "1970-01-01", "1970-01-08"]})
    >>> log = EventLog.from_frame(frame, lead="who", kind="what", at="when")
    >>> repeat_purchases(log, 14).to_dict("records")
    [{'customer_id': 0, 'frequency': 1, 'recency': 1.0, 'T': 2.0}]
    """
    day = log.at_us // US_PER_DAY
    days = pd.DataFrame({"customer_id": log.lead.codes.astype(np.int64), "day": day})
    days = days[day <= until_day].drop_duplicates()
    found = days.groupby("customer_id")["day"].agg(["size", "min", "max"]).reset_index()
    return pd.DataFrame(
        {
            "customer_id": found["customer_id"],
            "frequency": found["size"] - 1,
            "recency": (found["max"] - found["min"]) / DAYS_A_WEEK,
            "T": (until_day - found["min"]) / DAYS_A_WEEK,
        }
    )


def bgnbd(known: pd.DataFrame, ahead_weeks: float) -> tuple[F64, F64]:
    """Fit BG/NBD (maximum a posteriori) and foresee.

    Parameters
    ----------
    known : DataFrame
        From `repeat_purchases`, n rows.
    ahead_weeks : float

    Returns
    -------
    chance, expected : float64 array, shape (n,)
        P(at least one purchase) and the expected number of purchases within `ahead_weeks`. With
        age T, x repeats and the fitted r and alpha, the chance is
        ``P(alive) (1 - ((alpha + T) / (alpha + T + ahead))^(r + x))``. The package's own
        probability of no purchase gives the same for x > 0, but for x = 0 reckons with leads that
        are gone, which its own P(alive) = 1 rules out.

    References
    ----------
    Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). "Counting your customers" the easy way: an
    alternative to the Pareto/NBD model. Marketing Science 24(2), 275-284.
    """
    # pymc and its compilers warn and log about what a baseline need not care for.
    levels = {name: logging.getLogger(name).level for name in ("pymc", "pytensor", "filelock")}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name in levels:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            from pymc_marketing.clv import BetaGeoModel  # noqa: PLC0415  (an extra, slow to import)

            model = BetaGeoModel(data=known)
            model.fit(method="map", progressbar=False)
            alive, expected = (
                part.mean(("chain", "draw")).to_numpy()
                for part in (
                    model.expected_probability_alive(),
                    model.expected_purchases(future_t=ahead_weeks),
                )
            )
            r, alpha = (float(model.fit_result[name].mean()) for name in ("r", "alpha"))
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
    age, repeats = known["T"].to_numpy(), known["frequency"].to_numpy()
    none = ((alpha + age) / (alpha + age + ahead_weeks)) ** (r + repeats)
    return np.clip(alive * (1.0 - none), 0.0, 1.0), np.asarray(expected, np.float64)
