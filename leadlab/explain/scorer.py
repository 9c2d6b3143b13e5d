"""From feature values to scores that explain themselves, in one pass."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.explain.scores import Scores
from leadlab.explain.trees import TreeShapley
from leadlab.features.feature_set import FeatureSet
from leadlab.features.table import FeatureTable
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.feature_plan import check_plan
from leadlab.models.files.model_file import About, load_model


class Scorer:
    """A trained model, its features, and the table that explains it.

    The margin is the sum of the contributions, so score and reasons cannot differ. A calibrated
    model's probability is its calibration of the margin's own, which keeps the order of leads.

    Parameters
    ----------
    model : ConversionModel
        Fitted on `features`, in their order.
    features : FeatureSet
        What to compute for it.
    version : str
        How results name the model.
    about : About, optional
        What the model's file says of it.

    Examples
    --------
    >>> from leadlab.features import build, catalogue
    >>> from leadlab.data import simulate
    >>> table = build(simulate(60, 90, seed=3).log, catalogue())
    >>> model = ConversionModel(rounds=5).fit(table, table.column("offer_count_30d") > 0)
    >>> scores = Scorer(model, catalogue(), "example").score(table)
    >>> bool(np.allclose(scores.probability, model.predict_proba(table)[:, 1], atol=1e-6))
    True
    """

    def __init__(
        self, model: ConversionModel, features: FeatureSet, version: str, about: About | None = None
    ) -> None:
        check_plan(model, features.to_json(), where=f"model {version}")
        self.model = model
        self.features = features
        self.version = version
        self.about = about
        self.shapley = TreeShapley.compile(model.booster_, feature_names=features.names)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model file that says what its features are.

        Raises
        ------
        BrokenFile
            If the file is missing, cut short or altered.
        BadInput
            If it says nothing of its features.
        """
        model, about = load_model(path)
        if about.features is None:
            raise BadInput("the model's file does not define its features", where=str(path))
        version = about.fingerprint[:12] or Path(path).stem
        return cls(model, FeatureSet.from_json(about.features), version, about)

    def score(self, table: FeatureTable, *, alike: bool = False) -> Scores:
        """Score and explain every row.

        Parameters
        ----------
        table : FeatureTable
            Built from `features`.
        alike : bool
            See `TreeShapley.explain`.

        Raises
        ------
        BadInput
            If the columns are not the model's.
        """
        if table.features is not self.features and table.names != self.features.names:
            raise BadInput(
                "these are not the model's features",
                where="table",
                got=f"{len(table.names)} columns",
                expected=f"the {len(self.features)} of model {self.version}, in order",
            )
        explanation = self.shapley.explain(table.values, alike=alike)
        probability = self.model.calibrated(sigmoid(explanation.margin))
        interval, calibration = self.model.interval_, self.model.calibration_
        unknown = np.full(len(probability), np.nan)
        low, high = (unknown, unknown) if interval is None else interval.around(probability)
        return Scores(
            table,
            probability,
            low,
            high,
            explanation.margin,
            explanation.contributions,
            float(explanation.base),
            explanation.method,
            explanation.why,
            self.version,
            of=0 if interval is None else interval.of,
            calibration="none" if calibration is None else calibration.method,
        )


def sigmoid(margin: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of a margin in log-odds, without overflow.

    Examples
    --------
    >>> sigmoid(np.array([0.0, -800.0, 800.0])).tolist()
    [0.5, 0.0, 1.0]
    """
    small = np.exp(-np.abs(margin))
    return np.asarray(np.where(margin >= 0, 1.0, small) / (1.0 + small))
