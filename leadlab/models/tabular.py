"""The same few moves on a FeatureTable, a DataFrame and an array: names, a column, some rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput, UnknownName
from leadlab.features.table import FeatureTable


def column_names(X: Any) -> list[str]:
    """Names of the columns; "x0", "x1", ... where the input has none.

    Raises
    ------
    BadInput
        If it is not a table, or two columns bear one name.

    Examples
    --------
    >>> column_names([[1.0, 2.0]])
    ['x0', 'x1']
    """
    if isinstance(X, FeatureTable):
        names = list(X.names)
    elif isinstance(X, pd.DataFrame):
        names = [str(name) for name in X.columns]
    else:
        shape = np.shape(X)
        if len(shape) != 2:
            raise BadInput("features must be a table", where="X", got=shape, expected="(n, k)")
        names = [f"x{i}" for i in range(shape[1])]
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise BadInput("two features of one name", where="X", got=twice)
    return names


def column(X: Any, name: str) -> NDArray[Any]:
    """One column: float64, or objects with None where unknown.

    Raises
    ------
    UnknownName
        If there is no such column.

    Examples
    --------
    >>> column(pd.DataFrame({"source": ["web", None]}), "source").tolist()
    ['web', None]
    """
    place = _place(X, name)
    if not isinstance(X, pd.DataFrame):
        values = X.values if isinstance(X, FeatureTable) else np.asarray(X)
        return np.asarray(values[:, place], np.float64)
    series = X.iloc[:, place]
    if pd.api.types.is_numeric_dtype(series.dtype):
        return np.asarray(series.to_numpy(np.float64, na_value=np.nan))
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        seconds = series.to_numpy("datetime64[us]").astype(np.float64) / 1e6
        return np.where(series.isna(), np.nan, seconds)
    named = series.astype(object).to_numpy()
    return np.array([None if pd.isna(one) else str(one) for one in named], dtype=object)


def take(X: Any, rows: NDArray[Any]) -> Any:
    """Some rows, by position or mask, as the same kind of table."""
    if isinstance(X, FeatureTable):
        return X.take(rows)
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else np.asarray(X)[rows]


def shuffled(X: Any, names: list[str], order: NDArray[np.int64]) -> Any:
    """A copy in which the named columns come from other rows, all of them from the same one.

    Parameters
    ----------
    X : FeatureTable, DataFrame or array, shape (n, k)
    names : list of str
    order : int array, shape (n,)
        Row from which row i takes the named columns.

    Examples
    --------
    >>> shuffled(np.array([[1, 5], [2, 6]]), ["x1"], np.array([1, 0])).tolist()
    [[1, 6], [2, 5]]
    """
    places = [_place(X, name) for name in names]
    if isinstance(X, pd.DataFrame):
        copy = X.copy()
        for place in places:
            copy.isetitem(place, X.iloc[:, place].array.take(order))
        return copy
    values = np.array(X.values if isinstance(X, FeatureTable) else X)
    values[:, places] = values[order][:, places]
    return replace(X, values=values) if isinstance(X, FeatureTable) else values


def set_to(X: Any, values: Mapping[str, Any]) -> Any:
    """A copy in which each named column holds one value throughout; None and NaN are unknown.

    Examples
    --------
    >>> set_to(np.zeros((2, 2)), {"x1": 3.0}).tolist()
    [[0.0, 3.0], [0.0, 3.0]]
    """
    if isinstance(X, pd.DataFrame):
        copy = X.copy()
        for name, value in values.items():
            place = _place(X, name)
            copy.isetitem(place, _constant(X.iloc[:, place], value))
        return copy
    content = np.array(X.values if isinstance(X, FeatureTable) else X, copy=True)
    if content.dtype.kind in "iub":
        content = content.astype(np.float64)
    for name, value in values.items():
        content[:, _place(X, name)] = value
    return replace(X, values=content) if isinstance(X, FeatureTable) else content


def _constant(series: pd.Series[Any], value: Any) -> Any:
    """One value in the column's own type, so that models see what they were trained on."""
    n, index = len(series), series.index
    unknown = value is None or (isinstance(value, float) and np.isnan(value))
    whole = pd.api.types.is_integer_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype)
    if unknown or not whole:
        if pd.api.types.is_datetime64_any_dtype(series.dtype) and not unknown:
            value = pd.Timestamp(value, unit="s", tz=getattr(series.dtype, "tz", None))
        content = None if unknown and not pd.api.types.is_float_dtype(series.dtype) else value
        return pd.Series([content] * n, index=index, dtype=series.dtype)
    kept = float(value).is_integer()
    return pd.Series([value] * n, index=index, dtype=series.dtype if kept else np.float64)


def _place(X: Any, name: str) -> int:
    names = column_names(X)
    if name not in names:
        raise UnknownName("feature", name, names)
    return names.index(name)
