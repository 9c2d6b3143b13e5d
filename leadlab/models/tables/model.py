"""P(outcome | a row of a lead table): column work and a learner in one estimator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter
from xgboost import XGBClassifier
from xgboost.core import XGBoostError

from leadlab.errors import BadInput, BrokenFile, NotFitted
from leadlab.models.matrix import outcomes
from leadlab.models.tables.columns import ColumnWork, table_frame

F64 = NDArray[np.float64]
FORMAT = "leadlab-table-model/1"
TRUSTED = (
    "numpy.dtype",
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.loss.HalfBinomialLoss",
)
"""Types of scikit-learn's learners that a file may hold beside those that skops trusts."""


_UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    OSError,
    BadZipFile,
    XGBoostError,
)


def boosted_trees(seed: int = 0) -> XGBClassifier:
    """The learner of tables where none is given: XGBoost on the log-loss.

    Rows are neither weighted nor resampled by outcome, so that probabilities stay probabilities.
    Trees of depth 4 keep Shapley values exact and fast.

    Examples
    --------
    >>> boosted_trees(7).random_state
    7
    """
    return XGBClassifier(
        n_estimators=400,
        learning_rate=0.03,
        max_depth=4,
        min_child_weight=10.0,
        subsample=0.7,
        colsample_bytree=0.5,
        reg_lambda=5.0,
        max_bin=256,
        tree_method="hist",
        n_jobs=1,
        random_state=seed,
    )


class TableModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier on DataFrames of leads, one row a lead.

    Parameters
    ----------
    learner : scikit-learn classifier, optional
        `boosted_trees` when not given. A learner that takes no NaN gets imputed and scaled
        numbers.
    rare : int
        Levels of a category with fewer training rows share one column.
    most : int
        Columns a category gets at most.
    seed : int
        Of the default learner; a given one brings its own.

    Attributes
    ----------
    columns_ : ColumnWork
        What was made of the columns.
    learner_ : classifier
        Fitted.
    feature_names_in_ : object array of str
        Columns of the table; later tables may have them in another order.
    n_features_in_ : int
    classes_ : int array
        ``[0, 1]``.
    base_rate_ : float
        Share of 1 in training.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"source": ["web", "ad"] * 100, "visits": [0, 1, 2, None] * 50})
    >>> y = (X["source"] == "ad").to_numpy(int)
    >>> model = TableModel().fit(X, y)
    >>> (model.predict_proba(X)[:, 1] > 0.5).tolist() == (y == 1).tolist()
    True
    >>> model.unseen(pd.DataFrame({"source": ["radio"], "visits": [1]}))
    {'source': {'radio': 1}}
    """

    kind: ClassVar[str] = "table"

    def __init__(
        self, *, learner: Any = None, rare: int = 20, most: int = 50, seed: int = 0
    ) -> None:
        self.learner = learner
        self.rare = rare
        self.most = most
        self.seed = seed

    def fit(self, X: Any, y: ArrayLike, *, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from a table.

        Parameters
        ----------
        X : DataFrame, n rows
        y : array of 0 and 1, shape (n,)
        sample_weight : array, shape (n,), optional

        Raises
        ------
        EmptyInput, BadInput
            If the table, the outcomes, the weights or the learner cannot be used.
        """
        frame = table_frame(X)
        label = outcomes(y, len(frame)).astype(np.int64)
        if self.rare < 1 or self.most < 2:
            raise BadInput("rare starts at 1 and most at 2", got=(self.rare, self.most))
        learner = boosted_trees(self.seed) if self.learner is None else clone(self.learner)
        if not is_classifier(learner):
            raise BadInput("the learner must be a classifier", got=type(learner).__name__)
        complete = not get_tags(learner).input_tags.allow_nan
        work = ColumnWork(self.rare, self.most, complete).fit(frame)
        learner.fit(work.encode(frame), label, **_weights(learner, sample_weight, len(frame)))
        self.columns_, self.learner_ = work, learner
        self.feature_names_in_ = np.array(list(work.kinds), dtype=object)
        self.n_features_in_ = len(work.kinds)
        self.classes_ = np.array([0, 1])
        self.base_rate_ = float(label.mean())
        return self

    def predict_proba(self, X: Any) -> F64:
        """Probabilities of 0 and of 1, shape (n, 2).

        Raises
        ------
        NotFitted
            Before `fit`.
        BadInput
            If a column is missing, unknown or of another type; levels that training never saw are
            no error, see `unseen`.
        """
        values = self.encode(X)
        chance = self.learner_.predict_proba(values)[:, 1].astype(np.float64)
        return np.column_stack([1.0 - chance, chance])

    def predict(self, X: Any) -> NDArray[np.int64]:
        """1 where it is likelier than 0; at low base rates rank by probability."""
        found: NDArray[np.int64] = (self.predict_proba(X)[:, 1] > 0.5).astype(np.int64)
        return found

    def encode(self, X: Any) -> NDArray[np.float32]:
        """What the learner sees, shape (n, len(columns_.names))."""
        self._check_fitted()
        return self.columns_.encode(X)

    def unseen(self, X: Any) -> dict[str, dict[str, int]]:
        """Levels that training never saw: rows of each, by column."""
        self._check_fitted()
        return self.columns_.unseen(X)

    def get_feature_names_out(self) -> NDArray[np.object_]:
        """Names of what `encode` gives."""
        self._check_fitted()
        return np.array(self.columns_.names, dtype=object)

    def to_files(self) -> dict[str, bytes]:
        """The fitted model as named files, without pickle.

        ``table.json`` (plain values), ``columns.skops``, and ``learner.ubj`` (XGBoost's own
        format) or ``learner.skops``.

        Raises
        ------
        NotFitted
            Before `fit`.
        BadInput
            If the learner holds types that `from_files` would refuse; they are named.
        """
        import skops.io  # noqa: PLC0415  (only for those who keep a model)

        self._check_fitted()
        boosted = isinstance(self.learner_, XGBClassifier)
        about = {
            "format": FORMAT,
            "settings": {"rare": self.rare, "most": self.most, "seed": self.seed},
            "columns": self.columns_.to_json(),
            "base_rate": self.base_rate_,
            "learner": _settings(self.learner_) if boosted else type(self.learner_).__name__,
            "default": self.learner is None,
        }
        files = {
            "table.json": json.dumps(about, indent=1, sort_keys=False).encode(),
            "columns.skops": skops.io.dumps(self.columns_.transformer),
        }
        if boosted:
            files["learner.ubj"] = bytes(self.learner_.get_booster().save_raw("ubj"))
            return files
        learner = skops.io.dumps(self.learner_)
        foreign = set(skops.io.get_untrusted_types(data=learner)) - set(TRUSTED)
        if foreign:
            raise BadInput("a learner of types that no file may hold", got=", ".join(foreign))
        return {**files, "learner.skops": learner}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """The model that `to_files` wrote.

        Raises
        ------
        BrokenFile
            If a file is missing, cut short, of another kind, or holds a type that is not trusted.
        """
        try:
            about = json.loads(files["table.json"])
            if about["format"] != FORMAT:
                raise BrokenFile("a table model of another format", got=about["format"])
            model = cls(**about["settings"])
            model.columns_ = ColumnWork.from_json(about["columns"], _safe(files, "columns.skops"))
            if "learner.ubj" in files:
                model.learner_ = XGBClassifier(**about["learner"])
                model.learner_.load_model(bytearray(files["learner.ubj"]))
            else:
                model.learner_ = _safe(files, "learner.skops")
            model.base_rate_ = float(about["base_rate"])
            model.learner = None if about["default"] else clone(model.learner_)
        except _UNREADABLE as error:
            raise BrokenFile(
                "cannot read a table model: cut short, altered or of another kind",
                got=f"{type(error).__name__}: {str(error)[:100]}",
            ) from error
        model.feature_names_in_ = np.array(list(model.columns_.kinds), dtype=object)
        model.n_features_in_ = len(model.columns_.kinds)
        model.classes_ = np.array([0, 1])
        if model.learner_.n_features_in_ != len(model.columns_.names):
            raise BrokenFile("column work and learner are not of one model")
        return model

    def _check_fitted(self) -> None:
        if not hasattr(self, "classes_"):
            raise NotFitted("this TableModel is not trained yet", hint="Call fit.")


def _weights(learner: Any, weight: ArrayLike | None, n: int) -> dict[str, F64]:
    if weight is None:
        return {}
    if not has_fit_parameter(learner, "sample_weight"):
        raise BadInput("the learner takes no weights", got=type(learner).__name__)
    found = np.asarray(weight, np.float64)
    if found.shape != (n,) or not (found >= 0).all() or not np.isfinite(found).all():
        raise BadInput("weights must be one a row, finite and not negative", where="sample_weight")
    return {"sample_weight": found}


def _settings(learner: XGBClassifier) -> dict[str, Any]:
    """What was set of an XGBClassifier, where it is plain."""
    plain = (bool, int, float, str)
    return {
        name: value
        for name, value in learner.get_params().items()
        if isinstance(value, plain) and value == value  # NaN is the default of `missing`
    }


def _safe(files: Mapping[str, bytes], name: str) -> Any:
    """What skops reads, if all types in it are trusted."""
    import skops.io  # noqa: PLC0415  (only for those who keep a model)

    foreign = set(skops.io.get_untrusted_types(data=files[name])) - set(TRUSTED)
    if foreign:
        raise BrokenFile("a file with types that are not trusted", where=name, got=sorted(foreign))
    return skops.io.loads(files[name], trusted=list(TRUSTED))
