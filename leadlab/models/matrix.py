"""What an estimator is fed: numbers with names, checked once at the door."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, EmptyInput

F32 = NDArray[np.float32]


class Matrix(NamedTuple):
    """Values and column names.

    Attributes
    ----------
    values : float32 array, shape (n, k), C order
        NaN where unknown, never infinite.
    names : tuple of str or None
        None where the input had none.
    """

    values: F32
    names: tuple[str, ...] | None


def matrix(X: Any) -> Matrix:
    """Take a FeatureTable, a DataFrame of numbers or a 2-d array.

    Raises
    ------
    EmptyInput
        If there is no row or no column.
    BadInput
        If it is not a table of numbers, or a value is infinite as float32.

    Examples
    --------
    >>> matrix(pd.DataFrame({"visits": [1, None]})).names
    ('visits',)
    """
    names: tuple[str, ...] | None = None
    if isinstance(X, pd.DataFrame):
        raw, names = _numbers_of(X), tuple(str(c) for c in X.columns)
    elif hasattr(X, "names") and hasattr(X, "values"):
        raw, names = np.asarray(X.values), tuple(str(c) for c in X.names)
    else:
        raw = np.asarray(X)
    if raw.dtype.kind not in "fiub":
        raise BadInput("features must be numbers", where="X", got=raw.dtype)
    if raw.ndim != 2:
        raise BadInput("features must be a table", where="X", got=raw.shape, expected="(n, k)")
    if not raw.shape[0] or not raw.shape[1]:
        raise EmptyInput("a table without rows or columns", where="X", got=raw.shape)
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(raw, np.float32)
    _refuse_infinite(values, names)
    return Matrix(values, names)


def _numbers_of(frame: pd.DataFrame) -> NDArray[Any]:
    texts = [str(c) for c, t in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(t)]
    if texts:
        raise BadInput(
            "features must be numbers",
            where=f"column {texts[0]!r}",
            got=frame[texts[0]].dtype if frame.columns.is_unique else "text",
            hint="Declare texts with leadlab.features.is_latest, one yes/no feature a category.",
        )
    return frame.to_numpy(np.float64, na_value=np.nan)


def _refuse_infinite(values: F32, names: Sequence[str] | None) -> None:
    if not np.isinf(values).any():
        return
    row, column = np.argwhere(np.isinf(values))[0]
    what = names[column] if names else f"column {column}"
    raise BadInput(
        "an infinite value",
        where=f"row {row}, {what}",
        got=values[row, column],
        hint="Use NaN for what is unknown.",
    )


def outcomes(y: ArrayLike, n: int) -> NDArray[np.float32]:
    """Labels as 0.0 and 1.0, of which both must occur.

    Raises
    ------
    BadInput
        If there are not `n` of them, or there is anything but 0 and 1, or one class only.
    """
    label = np.asarray(y)
    if label.shape != (n,):
        raise BadInput("one outcome a row is needed", where="y", got=label.shape, expected=(n,))
    if label.dtype.kind not in "fiub" or not np.isin(label, (0, 1)).all():
        got = pd.unique(label)[:5].tolist()
        raise BadInput("outcomes must be 0 or 1", where="y", got=got)
    if len(np.unique(label)) < 2:
        raise BadInput(
            "one class only: there is nothing to learn",
            where="y",
            got=f"{n} rows, all {int(label[0])}",
            expected="both outcomes",
        )
    return label.astype(np.float32)


def same_columns(found: Matrix, names: tuple[str, ...], named: bool) -> F32:
    """Values, if the columns are those of the training set in the same order.

    Parameters
    ----------
    found : Matrix
    names : tuple of str
        Columns at training.
    named : bool
        Whether training had names; without names on either side only the width is compared.

    Raises
    ------
    BadInput
        At the first column that differs.
    """
    width = found.values.shape[1]
    if found.names is not None and named and found.names != names:
        missing = [n for n in names if n not in found.names]
        if missing:
            raise BadInput("a feature is missing", where="X", expected=missing[0], got=width)
        extra = [n for n in found.names if n not in names]
        if extra:
            raise BadInput("a feature that the model does not know", where="X", got=extra[0])
        at = next(i for i, (a, b) in enumerate(zip(found.names, names, strict=False)) if a != b)
        raise BadInput(
            "features are in another order than at training",
            where=f"column {at}",
            got=found.names[at],
            expected=names[at],
        )
    if width != len(names):
        raise BadInput(
            "another number of features than at training", where="X", got=width, expected=len(names)
        )
    return found.values
