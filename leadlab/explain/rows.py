"""Anybody's table into the float32 rows that a tree model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput


def as_rows(X: Any, names: Sequence[str], missing: float = np.nan) -> NDArray[np.float32]:
    """Give `X` as a C-ordered float32 array of shape (n, len(names)), NaN = missing.

    Parameters
    ----------
    X : array-like or DataFrame, shape (n, n_features)
        Numbers or booleans.  A frame's columns must bear `names`, in that order.
    names : sequence of str
        The model's features.
    missing : float
        The value that stands for "missing" besides NaN.

    Raises
    ------
    BadInput
        On another shape, other columns, text, or infinite values.

    Examples
    --------
    >>> as_rows([[1, None]], ["age", "price"])
    array([[ 1., nan]], dtype=float32)
    >>> as_rows([[1, 2, 3]], ["age", "price"])
    Traceback (most recent call last):
        ...
    leadlab.errors.BadInput: wrong number of columns (where: X; got: 3; expected: 2)
    """
    values = X if isinstance(X, np.ndarray) else _values(X, names)
    if values.dtype != np.float32:
        values = _numbers(values)
    if values.ndim != 2:
        raise BadInput(
            "X must be a table",
            where="X",
            got=f"shape {values.shape}",
            expected=f"shape (n, {len(names)})",
            hint="For one row use explain_one.",
        )
    if values.shape[1] != len(names):
        raise BadInput(
            "wrong number of columns", where="X", got=values.shape[1], expected=len(names)
        )
    values = np.ascontiguousarray(values)
    if not np.isnan(missing):
        values = np.where(values == np.float32(missing), np.float32(np.nan), values)
    infinite = np.isinf(values)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise BadInput(
            "infinite value",
            where=f"row {row}, column '{names[column]}'",
            got=values[row, column],
            expected="a finite float32, or NaN for missing",
        )
    return values


def _values(X: Any, names: Sequence[str]) -> NDArray[Any]:
    if isinstance(X, pd.DataFrame):
        columns = [str(column) for column in X.columns]
        if columns != list(names):
            odd = [name for name in columns if name not in names]
            lost = [name for name in names if name not in columns]
            raise BadInput(
                "the frame's columns are not the model's features",
                where="X",
                got=f"unknown {odd[:5]}, lacking {lost[:5]}" if odd or lost else "another order",
                expected=f"{len(names)} columns as in .names",
                hint="Give compile their feature_names, or pass X.to_numpy().",
            )
        return _frame_values(X)
    if hasattr(X, "tocsr"):
        raise BadInput(
            "sparse input is not supported", where="X", hint="Pass X.toarray() if zeros are values."
        )
    try:
        return np.asarray(X)
    except ValueError as error:
        raise BadInput(
            "rows of unequal length", where="X", expected=f"{len(names)} each"
        ) from error


def _frame_values(frame: pd.DataFrame) -> NDArray[Any]:
    try:
        return frame.to_numpy(np.float32, na_value=np.nan)
    except (TypeError, ValueError) as error:
        bad = [str(c) for c in frame if not pd.api.types.is_numeric_dtype(frame[c])]
        raise BadInput(
            "not all columns are numbers", where="X", got=f"columns {bad[:5]}", expected="numbers"
        ) from error


def _numbers(values: NDArray[Any]) -> NDArray[np.float32]:
    if values.dtype.kind not in "biufO":
        raise BadInput("not numbers", where="X", got=f"dtype {values.dtype}", expected="numbers")
    try:
        with np.errstate(over="ignore"):
            return values.astype(np.float32)
    except (TypeError, ValueError) as error:
        raise BadInput("not numbers", where="X", got=str(error), expected="numbers") from error
