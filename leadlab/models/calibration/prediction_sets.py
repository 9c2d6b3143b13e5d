"""Sets of classes that hold the true one as often as promised."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from leadlab.errors import BadInput, EmptyInput, NotFitted
from leadlab.models.calibration.choice import scores

F64 = NDArray[np.float64]


class _Given(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Takes probabilities for features, since MAPIE wants an estimator."""

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self.classes_ = np.arange(classes)

    def fit(self, X: Any, y: Any) -> Self:
        return self

    def predict_proba(self, X: F64) -> F64:
        return X

    def predict(self, X: F64) -> NDArray[np.int64]:
        best: NDArray[np.int64] = X.argmax(axis=1)
        return best


class PredictionSets:
    """Split-conformal sets of classes, by MAPIE.

    "lac" gives the smallest sets on average (Sadinle, Lei and Wasserman, 2019), which may be empty
    where no class stands out. "aps" gives sets that are larger where classes are hard to tell
    apart (Romano, Sesia and Candes, 2020); their last class is in or out by a seeded draw.

    The promise is kept on average over rows like those of `fit`, of different leads; not for each
    class or segment. Calibrate first: it makes sets smaller, not more right.

    Parameters
    ----------
    level : float
        Share of rows whose set is to hold the true class, in (0, 1).
    score : {"lac", "aps"}
    seed : int
        Of the random ends of "aps" sets.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> P = rng.dirichlet([1, 1, 1], 2000)
    >>> y = (rng.random((2000, 1)) > P.cumsum(axis=1)).sum(axis=1)
    >>> sets = PredictionSets(level=0.9).fit(P[:1000], y[:1000])
    >>> sets.of([[0.9, 0.06, 0.04], [0.4, 0.3, 0.3]]).tolist()
    [[True, False, False], [True, True, True]]
    >>> round(sets.coverage(P[1000:], y[1000:]), 1)
    0.9
    """

    def __init__(
        self, *, level: float = 0.9, score: Literal["lac", "aps"] = "lac", seed: int = 0
    ) -> None:
        if not 0 < level < 1 or score not in {"lac", "aps"}:
            raise BadInput("cannot make such sets", got=f"level={level}, score={score!r}")
        self.level = level
        self.score = score
        self.seed = seed

    def fit(self, P: ArrayLike, y: ArrayLike) -> Self:
        """Set the threshold on rows that the model did not train on.

        Parameters
        ----------
        P : array, shape (n, k)
            Probabilities, rows of sum 1; one row a lead.
        y : int array, shape (n,)
            Class of each row, 0 ... k - 1.

        Raises
        ------
        EmptyInput, BadInput
            If there are too few rows for the level, or shapes or values cannot be used.
        """
        from mapie.classification import SplitConformalClassifier  # noqa: PLC0415  (slow)

        chance, label = _checked(P, y)
        if len(chance) * (1 - self.level) < 1:
            raise BadInput(
                "too few rows for this level",
                got=len(chance),
                expected=f"at least {int(np.ceil(1 / (1 - self.level)))}",
            )
        self.classes_ = chance.shape[1]
        self.mapie_ = SplitConformalClassifier(
            _Given(self.classes_),
            confidence_level=self.level,
            conformity_score=self.score,
            random_state=self.seed,
        ).conformalize(chance, label)
        return self

    def of(self, P: ArrayLike) -> NDArray[np.bool_]:
        """Whether each class is in the set of each row, shape (n, k).

        Raises
        ------
        NotFitted
            Before `fit`.
        """
        if not hasattr(self, "mapie_"):
            raise NotFitted("these sets have no threshold yet", hint="Call fit.")
        # Without a random end "aps" would hold the true class more often than promised.
        ends = {"include_last_label": "randomized"} if self.score == "aps" else None
        chance = _matrix(P, self.classes_)
        found = self.mapie_.predict_set(chance, conformity_score_params=ends)[1]
        return np.asarray(found[:, :, 0], bool)

    def coverage(self, P: ArrayLike, y: ArrayLike) -> float:
        """Share of rows whose set holds the true class."""
        chance, label = _checked(P, y)
        return float(self.of(chance)[np.arange(len(label)), label].mean())


def _matrix(P: ArrayLike, k: int) -> F64:
    chance = scores(P)
    if chance.ndim != 2 or chance.shape[1] != k:
        raise BadInput("one column a class is needed", where="P", got=chance.shape, expected=k)
    return chance


def _checked(P: ArrayLike, y: ArrayLike) -> tuple[F64, NDArray[np.int64]]:
    chance, label = scores(P), np.asarray(y)
    if chance.ndim != 2 or chance.shape[1] < 2 or label.shape != chance.shape[:1]:
        raise BadInput(
            "rows of probabilities and one class each are needed",
            got=f"{chance.shape}, {label.shape}",
        )
    if not len(label):
        raise EmptyInput("no rows to set a threshold on")
    if not np.isin(label, np.arange(chance.shape[1])).all():
        raise BadInput("no such class", where="y", expected=f"0 ... {chance.shape[1] - 1}")
    if not np.allclose(chance.sum(axis=1), 1, atol=1e-4):
        raise BadInput("rows of probabilities must sum to 1", where="P")
    return chance / chance.sum(axis=1, keepdims=True), label.astype(np.int64)
