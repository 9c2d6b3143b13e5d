"""What scores are made of: the mean size of each family's Shapley values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.explain.scores import Scores
from leadlab.models.validation.importance import Importance, families, importance_of


class Explained(Protocol):
    """Anything that says what each feature adds: Scores, Explanation, or what shap gives."""

    @property
    def contributions(self) -> Any:
        """Shapley values, shape (n, k)."""

    @property
    def method(self) -> str:
        """How they were computed."""


def shapley_importance(
    explained: Explained,
    *,
    names: Sequence[str] | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
    groups: ArrayLike | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> Importance:
    """Mean absolute contribution of each family of features.

    The contributions of a family's columns are added up before the size is taken, as they are in a
    reason: what cancels within a family moves no score. With one column a family it is the usual
    mean absolute Shapley value (Lundberg and Lee, 2017).

    Parameters
    ----------
    explained : Scores, Explanation or alike
        n rows, k features.
    names : sequence of str, optional
        Features in order; those of `explained` when not given.
    columns : mapping of str to names, optional
        Families; of Scores those of their table, else single columns.
    groups : array, shape (n,), optional
        Lead of each row; intervals resample whole leads.

    Raises
    ------
    EmptyInput
        If there are no rows.
    BadInput
        If contributions are not a table, or their names are not told.
    UnknownName
        If a family names a column that is not there.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> found = SimpleNamespace(contributions=[[1.0, -3.0], [-1.0, 3.0]], method="by hand")
    >>> shapley_importance(found, names=["calls", "views"]).figures[["name", "value"]].values
    array([['views', 3.0],
           ['calls', 1.0]], dtype=object)
    """
    values = np.asarray(explained.contributions, np.float64)
    if values.ndim != 2:
        raise BadInput("contributions must be a table", got=values.shape, expected="(n, k)")
    if not len(values):
        raise EmptyInput("no rows are explained")
    told = list(names or _names(explained))
    if len(told) != values.shape[1]:
        raise BadInput("one name a contribution is needed", got=len(told), expected=values.shape[1])
    if columns is None:
        columns = families(explained.table) if isinstance(explained, Scores) else {}
    chosen = {family: list(those) for family, those in columns.items()} or {n: [n] for n in told}
    places = {family: _places(those, told) for family, those in chosen.items()}
    sums = [values[:, mine].sum(axis=1) for mine in places.values()]
    return importance_of(
        np.abs(np.column_stack(sums)),
        {family: len(those) for family, those in chosen.items()},
        method=f"Shapley values ({explained.method})",
        unit="mean size of the contribution, log-odds",
        groups=groups,
        resamples=resamples,
        seed=seed,
    )


def _names(explained: Any) -> Sequence[str]:
    if isinstance(explained, Scores):
        return explained.table.names
    found = getattr(explained, "names", None)
    if found is None:
        raise BadInput("contributions without names", where="names", got=None)
    return [str(one) for one in found]


def _places(those: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    for one in those:
        if one not in names:
            raise UnknownName("feature", one, names)
    return np.array([names.index(one) for one in those])
