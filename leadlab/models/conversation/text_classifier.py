"""A linear classifier of texts whose probabilities hold and whose reasons add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.svm import LinearSVC

from leadlab.errors import BadInput, EmptyInput, NotFitted, UnknownName
from leadlab.models.calibration.classes import MulticlassCalibration, choose_multiclass
from leadlab.models.conversation.ngrams import NGrams, checked_texts
from leadlab.models.folds import members

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Solution = tuple[F64, F64]
SOLVERS = ("svm", "logistic")


class TextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """P(class | text) by a linear model over words and parts of words.

    One score a class is linear in the row that `NGrams` gives, from scikit-learn's LinearSVC (one
    class against the rest) or LogisticRegression. Scores of held-out folds set one temperature, by
    which all are divided, so that their softmax can be taken at its word (Guo et al., 2017); the
    model is then trained once more on all rows. Since a temperature is a factor, effects of words
    stay exact in the calibrated log-odds.

    Parameters
    ----------
    solver : str
        "svm" or "logistic".
    c : float or tuple of float
        Inverse strength of the penalty; of several, the one with the least held-out log-loss.
    least, idf, parts, negation
        Of `NGrams`.
    folds : int
        For the calibration; fewer where a class has fewer rows.
    seed : int
        Of the folds.

    Attributes
    ----------
    classes_ : array, shape (k,)
    ngrams_ : NGrams
    weights_ : float32 array, shape (n-grams, k)
        Divided by the temperature.
    intercept_ : float64 array, shape (k,)
    calibration_ : MulticlassCalibration
    c_ : float
        The one chosen.
    held_out_log_loss_ : float
    held_out_ : float64 array, shape (n, k)
        Calibrated probabilities of the training rows by models of other folds; not kept in files.
    scope_ : float or None
        See `set_scope`.

    Examples
    --------
    >>> texts = ["how much is it", "what is the price", "show me the house", "can we see the house"]
    >>> model = TextClassifier(least=1).fit(texts * 5, ["price", "price", "tour", "tour"] * 5)
    >>> model.predict(["What price?", "See a house!"]).tolist()
    ['price', 'tour']
    >>> model.why("the price?", top=1)[0][0]
    'price'
    """

    kind: ClassVar[str] = "text_classifier"

    def __init__(
        self,
        *,
        solver: str = "svm",
        c: float | tuple[float, ...] = 1.0,
        least: int = 2,
        idf: bool = True,
        parts: float = 1.0,
        negation: bool = False,
        folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.solver = solver
        self.c = c
        self.least = least
        self.idf = idf
        self.parts = parts
        self.negation = negation
        self.folds = folds
        self.seed = seed

    def fit(
        self,
        texts: Sequence[str],
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        counted: ArrayLike | None = None,
        ngrams: NGrams | None = None,
    ) -> Self:
        """Learn from labelled texts.

        Parameters
        ----------
        texts : list of str, n
        y : array, shape (n,)
            Class of each; text, whole numbers or truth values.
        groups : array, shape (n,), optional
            Conversation or lead of each row, kept on one side of each fold.
        counted : bool array, shape (n,), optional
            Rows that held-out loss and temperature look at, where only those are like what will be
            asked; all when not given.
        ngrams : NGrams, optional
            Fitted, to be shared by several targets; otherwise fitted on these texts.

        Raises
        ------
        EmptyInput, BadInput, UnknownName
            If nothing can be learnt: no rows, one class only, a class in fewer than two groups.
        """
        if self.solver not in SOLVERS:
            raise UnknownName("solver", self.solver, SOLVERS)
        known = checked_texts(texts)
        self.classes_, label = _labelled(y, len(known))
        group = members(groups, len(known))
        held = self._held_out(known, label, group, groups is not None)
        rows = np.ones(len(known), bool) if counted is None else np.asarray(counted, bool)
        if rows.shape != (len(known),) or not rows.any():
            raise BadInput("one truth value a text, some of them true", where="counted")
        tried = {
            c: _tempered(scores[rows], label[rows], group[rows], self) for c, scores in held.items()
        }
        losses = {c: one.losses[one.method] for c, one in tried.items()}
        self.c_ = min(losses, key=losses.__getitem__)
        self.calibration_, self.held_out_log_loss_ = tried[self.c_], losses[self.c_]
        self.held_out_: F64 = softmax(held[self.c_] / self.calibration_.temperature)
        self.ngrams_ = ngrams or self._ngrams().fit(known)
        solved = self._solve(self.ngrams_.transform(known), label, self.c_)
        heat = self.calibration_.temperature
        self.weights_: F32 = np.ascontiguousarray(solved[0] / heat, np.float32)
        self.intercept_: F64 = solved[1] / heat
        self.scope_: float | None = None
        return self

    def _held_out(
        self, texts: list[str], label: I64, group: I64, grouped: bool
    ) -> dict[float, F64]:
        """Scores of each row by models of other folds, for each penalty."""
        least = min(len(np.unique(group[label == k])) for k in range(len(self.classes_)))
        if least < 2:
            raise BadInput("a class occurs in fewer than two groups of texts", where="y")
        maker = StratifiedGroupKFold if grouped else StratifiedKFold
        sides = maker(min(self.folds, least), shuffle=True, random_state=self.seed)
        penalties = self.c if isinstance(self.c, tuple) else (self.c,)
        found = {c: np.zeros((len(texts), len(self.classes_))) for c in penalties}
        for train, test in sides.split(label, label, group if grouped else None):
            ngrams = self._ngrams().fit([texts[i] for i in train])
            X, held = (ngrams.transform([texts[i] for i in side]) for side in (train, test))
            for c, scores in found.items():
                weights, intercept = self._solve(X, label[train], c)
                scores[test] = held @ weights + intercept
        return found

    def _ngrams(self) -> NGrams:
        return NGrams(least=self.least, idf=self.idf, parts=self.parts, negation=self.negation)

    def _solve(self, X: csr_matrix, label: I64, c: float) -> Solution:
        """Weights and intercepts of one linear score a class."""
        if self.solver == "svm":
            line = LinearSVC(C=c, random_state=self.seed, max_iter=5000)
        else:
            line = LogisticRegression(C=c, max_iter=1000)
        line.fit(X.astype(np.float64), label)
        weights, intercept = line.coef_.T, line.intercept_
        if weights.shape[1] == 1:
            weights, intercept = weights * [[-0.5, 0.5]], intercept * [-0.5, 0.5]
        return weights, intercept

    def predict_proba(self, texts: Sequence[str]) -> F64:
        """Probabilities, shape (n, k), rows of sum 1."""
        return softmax(self.scores(texts))

    def predict(self, texts: Sequence[str]) -> NDArray[Any]:
        """The likeliest class of each text."""
        best = self.scores(texts).argmax(axis=1)
        found: NDArray[Any] = self.classes_[best]
        return found

    def scores(self, texts: Sequence[str]) -> F64:
        """Logarithms of the probabilities up to a constant a row, shape (n, k)."""
        self._refuse_unfitted()
        return self.scores_of(self.ngrams_.transform(texts))

    def scores_of(self, X: csr_matrix) -> F64:
        """`scores` of rows that `ngrams_` gave."""
        found: F64 = X @ self.weights_ + self.intercept_
        return found

    def set_scope(self, texts: Sequence[str], y: ArrayLike, *, lost: float = 0.01) -> Self:
        """Set the least score of the best class below which a text counts as outside all classes.

        The scores of one class against the rest say more of this than probabilities, which compare
        the classes with each other and must sum to 1. No text from outside is needed.

        Parameters
        ----------
        texts : list of str, n
            Of these classes, not trained on.
        y : array, shape (n,)
        lost : float
            Share of the texts that are classified rightly which may be taken for outside.

        Raises
        ------
        NotFitted, BadInput
            If `lost` is no share, or no text is classified rightly.
        """
        if not 0 <= lost < 1:
            raise BadInput("no share of texts", where="lost", got=lost, expected="[0, 1)")
        scores = self.scores(texts)
        label = np.asarray(y)
        if label.shape != (len(scores),):
            raise BadInput("one class a text is needed", where="y", got=label.shape)
        right = self.classes_[scores.argmax(axis=1)] == label
        if not right.any():
            raise BadInput("no text is classified rightly", where="texts")
        self.scope_ = float(np.quantile(scores[right].max(axis=1), lost))
        return self

    def outside(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Whether each text counts as outside all classes, by `set_scope`.

        Raises
        ------
        NotFitted
            Before `set_scope`.
        """
        scores = self.scores(texts)
        if self.scope_ is None:
            raise NotFitted("no scope is set yet", hint="Call set_scope.")
        found: NDArray[np.bool_] = scores.max(axis=1) < self.scope_
        return found

    def margin(self, text: str, label: Any = None) -> float:
        """Log-odds of a class against the geometric mean of the others, as `why` explains them.

        Parameters
        ----------
        text : str
        label : class, optional
            The likeliest when not given.
        """
        scores = self.scores([text])[0]
        return float(self._against_others(scores)[self._column(scores, label)])

    def why(self, text: str, label: Any = None, top: int | None = 5) -> list[tuple[str, float]]:
        """Words and pairs of words with what each adds to the `margin` of a class.

        What a part of a word adds counts for the word that it lies in, shared evenly where it lies
        in several places; a pair is told by its own name. Effects are log-odds, exact: with those
        left out by `top` and the intercept's they sum to the margin.

        Parameters
        ----------
        text : str
        label : class, optional
            The likeliest when not given.
        top : int, optional
            So many, of the largest size; all when None.

        Returns
        -------
        list of (words, effect)
            Largest size first; empty where no n-gram is known.
        """
        self._refuse_unfitted()
        X = self.ngrams_.transform([text])
        chosen = self._column(self.scores_of(X)[0], label)
        words, columns, owners = self.ngrams_.owners(text)
        each = dict(zip(X.indices.tolist(), X.data.tolist(), strict=True))
        often = np.bincount(columns) if len(columns) else np.zeros(0)
        effects: dict[str, float] = {}
        for column, owner in zip(columns.tolist(), owners.tolist(), strict=True):
            name = words[owner] if owner >= 0 else f"{words[-2 - owner]} {words[-1 - owner]}"
            weight = float(self._against_others(self.weights_[column].astype(np.float64))[chosen])
            effects[name] = effects.get(name, 0.0) + each[column] * weight / int(often[column])
        ranked = sorted(effects.items(), key=lambda one: (-abs(one[1]), one[0]))
        return ranked if top is None else ranked[:top]

    def _against_others(self, scores: F64) -> F64:
        """Each score less the mean of the others."""
        k = len(scores)
        found: F64 = (scores - scores.mean()) * (k / (k - 1))
        return found

    def _column(self, scores: F64, label: Any) -> int:
        if label is None:
            return int(scores.argmax())
        places = np.flatnonzero(self.classes_ == label)
        if not len(places):
            raise UnknownName("class", str(label), map(str, self.classes_))
        return int(places[0])

    def _refuse_unfitted(self) -> None:
        if not hasattr(self, "weights_"):
            raise NotFitted("the text classifier is not trained yet", hint="Call fit.")

    def to_files(self) -> dict[str, bytes]:
        """Contents by file name: arrays without pickle, and JSON."""
        from leadlab.models.conversation.text_files import to_files  # noqa: PLC0415  (cycle)

        return to_files(self)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """What `to_files` gave."""
        from leadlab.models.conversation.text_files import from_files  # noqa: PLC0415  (cycle)

        return from_files(cls, files)


def _labelled(y: ArrayLike, n: int) -> tuple[NDArray[Any], I64]:
    label = np.asarray(y)
    if not n:
        raise EmptyInput("no texts to learn from", where="texts")
    if label.shape != (n,):
        raise BadInput("one class a text is needed", where="y", got=label.shape, expected=(n,))
    if label.dtype.kind == "O" and all(isinstance(one, str) for one in label):
        label = label.astype(str)
    if label.dtype.kind not in "Uiub":
        expected = "text, whole numbers or truth values"
        raise BadInput("classes of another kind", where="y", got=label.dtype, expected=expected)
    classes, places = np.unique(label, return_inverse=True)
    if len(classes) < 2:
        raise BadInput("one class only", where="y", got=classes[0])
    return classes, places.astype(np.int64)


def _tempered(scores: F64, label: I64, group: I64, model: TextClassifier) -> MulticlassCalibration:
    return choose_multiclass(
        softmax(scores),
        label,
        groups=group,
        folds=model.folds,
        seed=model.seed,
        methods=("temperature",),
    )


def softmax(scores: F64) -> F64:
    """Probabilities of rows of scores.

    Examples
    --------
    >>> softmax(np.array([[0.0, np.log(3.0)]])).round(2)
    array([[0.25, 0.75]])
    """
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: F64 = powers / powers.sum(axis=1, keepdims=True)
    return found
