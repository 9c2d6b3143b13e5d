"""What the engine gives: one row for each lead scored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Results = NDArray[Any]
"""Structured array of `RESULT` rows."""

RESULT = np.dtype(
    [
        ("seq", np.int64),  # number in the engine's history
        ("lead", object),
        ("tenant", object),
        ("as_of_us", np.int64),  # everything up to and including it is in the score
        ("probability", np.float64),
        ("low", np.float64),  # interval of the share that converts among the next leads like it
        ("high", np.float64),
        ("previous", np.float64),  # of the score before; NaN for a lead's first
        ("kind", object),  # of the lead's last event
        ("events", np.int32),  # the lead's events in the batch
        ("batch", np.int32),  # leads scored together
        ("features_ms", np.float64),  # taking the batch and reading its leads' features
        ("scoring_ms", np.float64),  # scoring and explaining them
    ]
)
"""Processing times are those of the whole batch: each of its leads waited that long."""


def change(results: Results) -> NDArray[np.float64]:
    """Probability minus the one before, NaN for a lead's first score.

    Examples
    --------
    >>> rows = np.zeros(2, RESULT)
    >>> rows["probability"], rows["previous"] = 0.3, (0.1, np.nan)
    >>> change(rows).round(3).tolist()
    [0.2, nan]
    """
    return np.asarray(results["probability"] - results["previous"])


def processing_ms(results: Results) -> NDArray[np.float64]:
    """Time from a batch's arrival to its scores and explanations."""
    return np.asarray(results["features_ms"] + results["scoring_ms"])
