"""What an estimator was made with, in plain values that two versions can be compared by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def settings_of(model: object) -> dict[str, Any]:
    """Settings from ``get_params``, where a model has it; what is not plain is told in words.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> settings_of(LogisticRegression(C=0.5))["C"]
    0.5
    >>> settings_of(object())
    {}
    """
    ask = getattr(model, "get_params", None)
    return {} if ask is None else {str(k): _plain(v) for k, v in sorted(ask().items())}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return type(value).__name__
