"""What another policy would have been worth, from the log of the one that acted.

With y the outcome, a the action taken, p(a|x) its logged propensity and q(.|x) the policy asked
about:

* inverse propensity: mean of ``q(a|x) / p(a|x) * y``;
* self-normalised: the same divided by the mean of the weights, a little biased, less spread;
* doubly robust: mean of ``sum_b q(b|x) s_b`` with the scores
  ``s_b = m_b(x) + 1[a = b] / p(b|x) * (y - m_b(x))``, right where either p or the expected outcome
  m is. Where p is known, as in an experiment, it is unbiased whatever m is, if m did not see the
  row.

References
----------
Dudik, Langford and Li (2011), Doubly robust policy evaluation and learning. Swaminathan and
Joachims (2015), The self-normalized estimator for counterfactual learning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.draws import band, draws
from leadlab.models.intervals import Estimate

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
RESAMPLES = 500
_SUM = 1e-6


class Logged(NamedTuple):
    """What the acting policy left behind.

    Attributes
    ----------
    y : float array, shape (n,)
        Outcomes.
    action : int array, shape (n,)
        Column of the action taken.
    propensity : float array, shape (n, k)
        Of every action, rows summing to 1; 0 where an action was not open.
    """

    y: F64
    action: I64
    propensity: F64

    @property
    def taken(self) -> F64:
        """Propensity of what was done, shape (n,)."""
        return np.asarray(self.propensity[np.arange(len(self.y)), self.action])


def logged(y: ArrayLike, action: ArrayLike, propensity: ArrayLike) -> Logged:
    """Check a log.

    Parameters
    ----------
    y : array, shape (n,)
    action : array of int, shape (n,)
    propensity : array, shape (n, k) or (k,)
        (k,) where all rows share it.

    Raises
    ------
    EmptyInput
        If there is no row.
    BadInput
        If shapes differ, an outcome is not finite, an action is no column, rows do not sum to 1,
        or something was done that had propensity 0.

    Examples
    --------
    >>> logged([0.0, 1.0], [0, 1], [0.5, 0.5]).taken.tolist()
    [0.5, 0.5]
    """
    outcome, done = np.asarray(y, np.float64), np.asarray(action)
    chance = np.asarray(propensity, np.float64)
    if outcome.ndim != 1 or done.shape != outcome.shape:
        raise BadInput("one outcome and one action a row", got=f"{outcome.shape}, {done.shape}")
    if not len(outcome):
        raise EmptyInput("nothing was logged")
    if chance.ndim == 1:
        chance = np.tile(chance, (len(outcome), 1))
    if not np.isfinite(outcome).all():
        raise BadInput("an outcome is not a finite number", where="y")
    chance = _distribution(chance, len(outcome), "propensity")
    if done.dtype.kind not in "iu" or done.min() < 0 or done.max() >= chance.shape[1]:
        raise BadInput("an action is no column of the propensities", where="action")
    found = Logged(outcome, done.astype(np.int64), chance)
    if (found.taken <= 0).any():
        raise BadInput(
            "something was done that had no chance of being done",
            where="propensity",
            got=f"{int((found.taken <= 0).sum())} rows with propensity 0",
        )
    return found


def _distribution(chance: F64, n: int, where: str) -> F64:
    if chance.ndim != 2 or len(chance) != n:
        raise BadInput("one row a decision", where=where, got=chance.shape, expected=(n, "k"))
    if not ((chance >= 0).all() and np.allclose(chance.sum(axis=1), 1.0, rtol=0, atol=_SUM)):
        raise BadInput("rows must be probabilities that sum to 1", where=where)
    return chance


def always(column: int, n: int, k: int) -> F64:
    """Policy that takes one action in all of `n` rows, shape (n, k).

    Examples
    --------
    >>> always(1, 2, 3).tolist()
    [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
    """
    return greedy(np.full(n, column), k)


def greedy(column: ArrayLike, k: int) -> F64:
    """Policy that takes the named action in each row, shape (n, k).

    Examples
    --------
    >>> greedy([0, 2], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    return np.asarray(np.eye(k)[np.asarray(column, np.int64)])


def scores(log: Logged, predicted: ArrayLike) -> F64:
    """Doubly robust score of every action in every row, shape (n, k).

    Parameters
    ----------
    log : Logged
    predicted : array, shape (n, k)
        Expected outcome of each action, by a model that saw none of the rows.

    Raises
    ------
    BadInput
        If the shape is another, or a prediction is not finite.

    Examples
    --------
    >>> scores(logged([1.0, 0.0], [0, 1], [0.5, 0.5]), np.zeros((2, 2))).tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """
    expected = np.asarray(predicted, np.float64)
    if expected.shape != log.propensity.shape or not np.isfinite(expected).all():
        raise BadInput(
            "one finite expected outcome an action and row",
            where="predicted",
            got=expected.shape,
            expected=log.propensity.shape,
        )
    rows = np.arange(len(log.y))
    found = expected.copy()
    found[rows, log.action] += (log.y - expected[rows, log.action]) / log.taken
    return found


def weights(log: Logged, policy: ArrayLike) -> F64:
    """``q(a|x) / p(a|x)`` of what was done, shape (n,).

    Raises
    ------
    BadInput
        If the policy would do what the log never tried in such a row: nothing can be said then.

    Examples
    --------
    >>> weights(logged([1.0, 0.0], [0, 1], [0.5, 0.5]), always(0, 2, 2)).tolist()
    [2.0, 0.0]
    """
    asked = _distribution(np.asarray(policy, np.float64), len(log.y), "policy")
    if asked.shape != log.propensity.shape:
        raise BadInput(
            "the policy has other actions than the log",
            where="policy",
            got=asked.shape,
            expected=log.propensity.shape,
        )
    untried = (asked > 0) & (log.propensity <= 0)
    if untried.any():
        raise BadInput(
            "the policy does what was never tried in such a row",
            where="policy",
            got=f"{int(untried.any(axis=1).sum())} rows",
            hint="Ask about a policy that keeps to what the log could have done.",
        )
    return np.asarray(asked[np.arange(len(log.y)), log.action] / log.taken)


def ips(log: Logged, policy: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """Value by inverse propensity, with a 95% bootstrap interval.

    Examples
    --------
    >>> log = logged([1.0, 0.0, 1.0, 0.0], [0, 0, 1, 1], [0.5, 0.5])
    >>> ips(log, log.propensity).value
    0.5
    """
    return means({"value": weights(log, policy) * log.y}, resamples=resamples, seed=seed)["value"]


def snips(log: Logged, policy: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """Value by self-normalised inverse propensity, with a 95% bootstrap interval.

    Examples
    --------
    >>> log = logged([1.0, 0.0, 1.0, 1.0], [0, 0, 1, 1], [0.5, 0.5])
    >>> snips(log, always(1, 4, 2)).value
    1.0
    """
    w = weights(log, policy)
    columns = np.column_stack([w * log.y, w])

    def ratio(mean: F64) -> F64:
        return np.asarray(mean[:, :1] / np.where(mean[:, 1:] > 0, mean[:, 1:], np.nan))

    return _estimates(("value",), columns, ratio, resamples, seed)["value"]


def doubly_robust(
    log: Logged,
    policy: ArrayLike,
    predicted: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Doubly robust value, with a 95% bootstrap interval.

    Examples
    --------
    >>> log = logged([1.0, 0.0, 1.0, 0.0], [0, 0, 1, 1], [0.5, 0.5])
    >>> doubly_robust(log, log.propensity, np.full((4, 2), 0.5)).value
    0.5
    """
    weights(log, policy)
    rows = row_values(scores(log, predicted), policy)
    return means({"value": rows}, resamples=resamples, seed=seed)["value"]


def row_values(score: ArrayLike, policy: ArrayLike) -> F64:
    """``sum_b q(b|x) s_b`` of each row, shape (n,); its mean is the doubly robust value.

    Examples
    --------
    >>> row_values([[2.0, 0.0]], [[0.25, 0.75]]).tolist()
    [0.5]
    """
    return np.asarray((np.asarray(policy, np.float64) * np.asarray(score)).sum(axis=1))


def means(
    rows: Mapping[str, ArrayLike], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Estimate]:
    """Means with 95% bootstrap intervals, all on the same resamples.

    Two policies compare by the mean of the difference of their rows, which is paired.

    Examples
    --------
    >>> found = means({"a": [1.0, 3.0], "a - b": [1.0, 1.0]}, resamples=50)
    >>> found["a"].value, found["a - b"].low
    (2.0, 1.0)
    """
    columns = np.column_stack([np.asarray(v, np.float64) for v in rows.values()])
    return _estimates(tuple(rows), columns, lambda mean: mean, resamples, seed)


def _estimates(
    names: tuple[str, ...],
    columns: F64,
    figure: Callable[[F64], F64],
    resamples: int,
    seed: int,
) -> dict[str, Estimate]:
    n = len(columns)
    own = figure(columns.mean(axis=0, keepdims=True))[0]
    drawn = [w @ columns / n for w in draws(n, resamples=resamples, seed=seed)]
    spread = figure(np.array(drawn).reshape(len(drawn), columns.shape[1]))
    low, high = band(spread)
    return {
        name: Estimate(
            float(own[i]),
            float(low[i]),
            float(high[i]),
            int((~np.isnan(spread[:, i])).sum()),
            "the policy never does what was done" if np.isnan(own[i]) else None,
        )
        for i, name in enumerate(names)
    }
