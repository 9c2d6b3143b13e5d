"""One of several outcomes or horizons as a two-class model, so that every judge can take it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput


class Chances(Protocol):
    """Anything that gives one column of probabilities an outcome or horizon."""

    def predict_proba(self, X: Any) -> Any:
        """Probabilities, shape (n, k)."""


class OneOutcome:
    """The chance that a model gives to one of its columns.

    Parameters
    ----------
    model : anything with ``predict_proba`` of shape (n, k)
        Classes, or horizons (7, 14, 30 days).
    column : int
        Which.

    Examples
    --------
    >>> class Horizons:
    ...     def predict_proba(self, X):
    ...         return np.array([[0.1, 0.2, 0.4]])
    >>> OneOutcome(Horizons(), 2).predict_proba([[0.0]]).tolist()
    [[0.6, 0.4]]
    """

    def __init__(self, model: Chances, column: int) -> None:
        self.model = model
        self.column = column

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of not this outcome and of this one, shape (n, 2).

        Raises
        ------
        BadInput
            If the model has no such column.
        """
        chances = np.asarray(self.model.predict_proba(X), np.float64)
        if chances.ndim != 2 or not 0 <= self.column < chances.shape[1]:
            raise BadInput(
                "the model has no such column", where="column", got=self.column,
                expected=f"0 to {chances.shape[-1] - 1}",
            )  # fmt: skip
        chance = chances[:, self.column]
        return np.column_stack([1.0 - chance, chance])
