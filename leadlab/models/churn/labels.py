"""What a chain of silences learns from: labels of several horizons that agree with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput
from leadlab.models.churn.silence import HEARD, SILENT, Silence

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class Labels:
    """Checked labels.

    Attributes
    ----------
    silent : int8 array, shape (n, k)
        1 silent through the horizon, 0 heard within, -1 not known.
    groups : array, shape (n,)
        Lead of each row.
    next_days : float64 array, shape (n,), or None
    horizons_days : tuple of float
    """

    silent: NDArray[np.int8]
    groups: NDArray[Any]
    next_days: F64 | None
    horizons_days: tuple[float, ...]

    @property
    def known(self) -> list[I64]:
        """Rows whose label is known, of each horizon."""
        return [np.flatnonzero(column >= 0) for column in self.silent.T]

    @property
    def rows(self) -> list[I64]:
        """Rows of each stage: silent through the horizon before, and known."""
        before = np.ones(len(self.silent), np.bool_)
        found = []
        for column in self.silent.T:
            found.append(np.flatnonzero(before & (column >= 0)))
            before = column == SILENT
        return found

    def stage(self, k: int) -> NDArray[np.int64]:
        """Labels of stage k, of which only `rows` count."""
        return self.silent[:, k].astype(np.int64)

    @property
    def base_rates(self) -> F64:
        """Share of silent rows among the known ones of each horizon."""
        return np.array([self.silent[rows, k].mean() for k, rows in enumerate(self.known)])

    @property
    def wait_days(self) -> F64:
        """Mean days to the next sign of rows heard within each stage; its middle where unknown."""
        starts = np.array([0.0, *self.horizons_days[:-1]])
        waits: F64 = (starts + np.array(self.horizons_days)) / 2
        if self.next_days is not None:
            for k, rows in enumerate(self.rows):
                days = self.next_days[rows[self.silent[rows, k] == HEARD]]
                if len(days) and np.isfinite(days).any():
                    waits[k] = np.nanmean(days)
        return waits

    def refuse_one_class(self, k: int, *parts: I64) -> None:
        """Raise `BadInput` where a part of stage k is empty or of one outcome."""
        for rows in parts:
            found = np.unique(self.silent[rows, k])
            if len(found) < 2:
                raise BadInput(
                    "too few leads to learn this horizon from",
                    where=f"y, horizon of {self.horizons_days[k]:g} days",
                    got=f"{len(rows)} rows in a fold, all {found.tolist()}",
                    expected="both outcomes in every fold",
                    hint="Bring more leads, fewer folds or other horizons.",
                )


def labels_of(
    y: Any,
    n: int,
    horizons_days: tuple[float, ...],
    groups: ArrayLike | None = None,
    next_days: ArrayLike | None = None,
) -> Labels:
    """Check labels; see `leadlab.models.churn.model.ChurnModel.fit`.

    Raises
    ------
    BadInput
        If shapes or values cannot be used, horizons differ, or labels contradict each other.

    Examples
    --------
    >>> labels_of([[0, 1]], 1, (7.0, 14.0))
    Traceback (most recent call last):
    leadlab.errors.BadInput: heard within a horizon but silent through a longer one (where: y, ...
    """
    if isinstance(y, Silence):
        if y.horizons_days != horizons_days:
            raise BadInput("labels of other horizons", got=y.horizons_days, expected=horizons_days)
        groups = y.lead if groups is None else groups
        next_days = y.next_days if next_days is None else next_days
        y = y.known
    raw = np.asarray(y)
    if raw.shape != (n, len(horizons_days)):
        expected = (n, len(horizons_days))
        raise BadInput("one label a row and horizon is needed", where="y", got=raw.shape,
                       expected=expected)  # fmt: skip
    if raw.dtype.kind not in "iufb" or not np.isin(raw, (-1, 0, 1)).all():
        raise BadInput("labels must be 1, 0 or -1", where="y", got=raw.dtype)
    silent = raw.astype(np.int8)
    heard = np.logical_or.accumulate(silent == HEARD, axis=1)
    clash = np.flatnonzero(((silent == SILENT) & heard).any(axis=1))
    if len(clash):
        raise BadInput("heard within a horizon but silent through a longer one",
                       where=f"y, row {clash[0]}", got=silent[clash[0]].tolist())  # fmt: skip
    lead = np.arange(n) if groups is None else np.asarray(groups)
    days = None if next_days is None else np.asarray(next_days, np.float64)
    for name, column in (("groups", lead), ("next_days", days)):
        if column is not None and column.shape != (n,):
            raise BadInput("one value a row is needed", where=name, got=column.shape, expected=(n,))
    labels = Labels(silent, lead, days, horizons_days)
    for k, rows in enumerate(labels.rows):
        labels.refuse_one_class(k, rows)
    return labels
