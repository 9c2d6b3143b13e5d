"""Any part of a validation in JSON's own types."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd


def plain(content: Any) -> Any:
    """The same content as dicts, lists, texts and finite numbers.

    A frame becomes a list of rows, a dataclass a dict of its fields, and NaN, infinity and NaT
    become None, so that ``json.dumps(..., allow_nan=False)`` takes the result.

    Examples
    --------
    >>> plain({"a": (1, float("nan")), "b": pd.DataFrame({"c": [np.float64(2.5)]})})
    {'a': [1, None], 'b': [{'c': 2.5}]}
    """
    if isinstance(content, pd.DataFrame):
        return [plain(row) for row in content.to_dict("records")]
    if isinstance(content, Mapping):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple, np.ndarray)):
        return [plain(value) for value in content]
    if is_dataclass(content) and not isinstance(content, type):
        return {field.name: plain(getattr(content, field.name)) for field in fields(content)}
    if content is pd.NaT or content is pd.NA:
        return None
    if isinstance(content, (dt.datetime, dt.date)):
        return content.isoformat()
    if isinstance(content, np.generic):
        return plain(content.item())
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content
