"""Champion and challenger on the same rows, and whether they differ by more than chance.

Both are judged on each bootstrap resample of the same leads, so that what makes a resample easy or
hard makes it so for both, and drops out of the difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, UnknownName
from leadlab.models.draws import band, draws
from leadlab.models.intervals import Estimate, standard_metrics
from leadlab.models.metrics import checked, why_undefined
from leadlab.models.report import LOWER_IS_BETTER, Fitted

_NO_SIDE = frozenset({"base_rate"})
"""The same for both."""
_NO_VETO = frozenset({"ece"})
"""A model that says the base rate to all has none; alone it speaks against nobody."""


@dataclass(frozen=True)
class Comparison:
    """Figures of both, their differences, and what follows.

    Attributes
    ----------
    champion, challenger : mapping of str to float
        Figures on all rows.
    differences : mapping of str to Estimate
        Challenger less champion, with its 95% interval.
    deciding : str
        The figure that decides.
    warranted : bool
        The deciding figure is better by more than chance, and none but the calibration error, which
        the verdict then names, is worse by more than chance.
    verdict : str
        The same in words. Nothing is promoted by it.
    rows, groups : int
        What they were compared on.
    """

    champion: Mapping[str, float]
    challenger: Mapping[str, float]
    differences: Mapping[str, Estimate]
    deciding: str
    warranted: bool
    verdict: str
    rows: int
    groups: int

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        content: dict[str, Any] = _plain(asdict(self))
        return content


def compare(
    champion: Fitted,
    challenger: Fitted,
    X: Any,
    y: ArrayLike,
    *,
    X_challenger: Any = None,
    groups: ArrayLike | None = None,
    deciding: str = "log_loss",
    capacity: float = 0.1,
    resamples: int = 400,
    seed: int = 0,
) -> Comparison:
    """Compare two fitted models on rows that neither has seen.

    Parameters
    ----------
    champion, challenger
        Anything with ``predict_proba``.
    X : FeatureTable, DataFrame or array, shape (n, k)
    y : array of 0 and 1, shape (n,)
    X_challenger : optional
        The same rows as the challenger's feature plan has them; `X` when not given.
    groups : array, shape (n,), optional
        Lead of each row; whole leads are resampled.
    deciding : str
        Name of a figure; see `leadlab.models.intervals.standard_metrics`.
    capacity : int or float
        For lift and precision.
    resamples : int
        At least 100, or the ends of an interval mean little.
    seed : int

    Raises
    ------
    UnknownName
        If no figure bears the deciding name.
    BadInput
        If the rows differ in number, or there are too few resamples.

    Examples
    --------
    >>> from leadlab.models.baselines import BaseRate, Logistic
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 1))
    >>> y = rng.random(400) < 1 / (1 + np.exp(-2 * X[:, 0]))
    >>> found = compare(BaseRate().fit(X, y), Logistic().fit(X, y), X, y)
    >>> found.warranted
    True
    >>> compare(BaseRate().fit(X, y), BaseRate().fit(X, y), X, y).warranted
    False
    """
    figures = {n: f for n, f in standard_metrics(capacity).items() if n not in _NO_SIDE}
    if deciding not in figures:
        raise UnknownName("figure", deciding, figures)
    if resamples < 100:
        raise BadInput("too few resamples", where="resamples", got=resamples, expected=">= 100")
    p = np.asarray(champion.predict_proba(X))[:, 1]
    q = np.asarray(challenger.predict_proba(X if X_challenger is None else X_challenger))[:, 1]
    outcome, p, _ = checked(y, p)
    _, q, _ = checked(y, q)

    def judged(weight: NDArray[np.float64] | None) -> list[tuple[float, float]]:
        if weight is not None and not weight.any():
            return [(math.nan, math.nan)] * len(figures)
        return [(f(outcome, p, weight), f(outcome, q, weight)) for f in figures.values()]

    own = judged(None)
    drawn = [
        [b - a for a, b in judged(weight)]
        for weight in draws(len(outcome), groups=groups, resamples=resamples, seed=seed)
    ]
    low, high = band(drawn)
    exist = (~np.isnan(np.asarray(drawn))).sum(axis=0)
    why = why_undefined(outcome)
    differences = {
        name: Estimate(
            b - a, float(low[i]), float(high[i]), int(exist[i]), why if math.isnan(b - a) else None
        )
        for i, (name, (a, b)) in enumerate(zip(figures, own, strict=True))
    }
    warranted, verdict = _verdict(differences, deciding)
    return Comparison(
        champion={name: a for name, (a, _) in zip(figures, own, strict=True)},
        challenger={name: b for name, (_, b) in zip(figures, own, strict=True)},
        differences=differences,
        deciding=deciding,
        warranted=warranted,
        verdict=verdict,
        rows=len(outcome),
        groups=len(outcome) if groups is None else len(np.unique(np.asarray(groups))),
    )


def _verdict(differences: Mapping[str, Estimate], deciding: str) -> tuple[bool, str]:
    one = differences[deciding]
    if math.isnan(one.low):
        return False, f"No verdict: {deciding} does not exist on these rows ({one.why})."
    told = f"{deciding} changes by {one.value:+.4f} (95% {one.low:+.4f} to {one.high:+.4f})"
    if _side(deciding, one) < 0:
        return False, f"Promotion is not warranted: the challenger is worse; {told}."
    if _side(deciding, one) == 0:
        return False, f"Promotion is not warranted: the difference may be chance; {told}."
    worse = [name for name, d in differences.items() if _side(name, d) < 0]
    against = [name for name in worse if name not in _NO_VETO]
    if against:
        names = ", ".join(against)
        return False, f"Promotion is not warranted as it stands: {told}, but {names} got worse."
    watched = f" Watch {', '.join(worse)}, which rose." if worse else ""
    rest = "and nothing that ranks or scores got worse"
    return True, f"Promotion is warranted: {told}, {rest}.{watched}"


def _side(name: str, one: Estimate) -> int:
    """1 where the challenger is better by more than chance, -1 where worse, else 0."""
    sign = -1 if name in LOWER_IS_BETTER else 1
    return sign * (int(one.low > 0) - int(one.high < 0))


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    return None if isinstance(content, float) and math.isnan(content) else content
