"""What an evaluation protocol gives: one flat object that machines compare."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from leadlab.models.files.model_file import versions
from leadlab.models.report import LOWER_IS_BETTER


@dataclass(frozen=True)
class Evaluation:
    """Figures of one protocol on one data set.

    Attributes
    ----------
    name : str
        Data set.
    protocol : str
        What was done, in words.
    seed : int
    metrics : mapping of str to float
        Figures of the model.
    baselines : mapping of str to float
        Under the same names, the best figure that any baseline reached.
    baselines_by_name : mapping of str to mapping
        Each baseline's own figures.
    counts : mapping of str to int
        Sizes.
    versions : mapping of str to str
    """

    name: str
    protocol: str
    seed: int
    metrics: Mapping[str, float]
    baselines: Mapping[str, float]
    baselines_by_name: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=versions)

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        return {
            "name": self.name,
            "protocol": self.protocol,
            "seed": self.seed,
            "metrics": _plain(self.metrics),
            "baselines": _plain(self.baselines),
            "baselines_by_name": {n: _plain(f) for n, f in self.baselines_by_name.items()},
            "counts": dict(self.counts),
            "versions": dict(self.versions),
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a figure: the model's, then each baseline's."""
        columns = {"model": self.metrics, **self.baselines_by_name}
        return pd.DataFrame(columns).rename_axis("metric").reset_index()


def best_of(found: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Best figure under each name: the lowest of errors, the highest of all others.

    Names without better and worse are left out: ``base_rate``, ``ece_floor``, ``coverage_...``.

    Examples
    --------
    >>> best_of({"base rate": {"auc": 0.5}, "rule": {"auc": 0.6}})
    {'auc': 0.6}
    >>> best_of({"base rate": {"brier": 0.2}, "rule": {"brier": 0.1}})
    {'brier': 0.1}
    """
    names = dict.fromkeys(
        name
        for figures in found.values()
        for name in figures
        if name not in ("base_rate", "ece_floor") and not name.startswith("coverage_")
    )
    return {
        name: (min if name in LOWER_IS_BETTER else max)(
            figures[name] for figures in found.values() if name in figures
        )
        for name in names
    }


def _plain(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else float(value) for name, value in figures.items()}
