"""Who gets the team's attention: selection by group, and the four-fifths alarm.

Sensitive columns enter as an argument of this audit and nowhere else. Groups are never inferred,
never a feature, and no threshold is set by them; a column that is among the model's features is
refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput
from leadlab.models.draws import band, draws
from leadlab.models.folds import members
from leadlab.models.metrics import checked
from leadlab.models.validation.plain import plain

F64 = NDArray[np.float64]
FOUR_FIFTHS = 0.80
LEAST_GROUPS = 30
"""Of a group with fewer leads no ratio is given."""
UNKNOWN = "unknown"
ALARM, MAYBE, SMALL, BEST = "alarm", "alarm, may be chance", "too few", "highest"
UNSURE, FINE = "not clear of 0.80", "above 0.80"


@dataclass(frozen=True, eq=False)
class Exposure:
    """Selection of each group of each sensitive field.

    Attributes
    ----------
    figures : DataFrame
        field, group, rows, leads, selection_rate, mean_score, true_positive_rate (NaN without
        outcomes), ratio (selection rate over that of the group with the highest), low, high (95%
        interval of the ratio against that very group), verdict: "highest", "above 0.80", "not clear
        of 0.80" (the ratio is above, its interval is not), "alarm" (ratio and interval are below),
        "alarm, may be chance" (the ratio is below, its interval is not) or "too few".
    alarms : tuple of str
        "field: group" of each alarm.
    capacity : float
        Share of all rows that is selected; ties at the edge are all in.
    threshold : float
        Score from which a row is selected.
    line : float
        0.80: four fifths, the rule of thumb of the US Uniform Guidelines (1978).
    """

    figures: pd.DataFrame
    alarms: tuple[str, ...]
    capacity: float
    threshold: float
    line: float

    def to_frame(self) -> pd.DataFrame:
        """One row a group."""
        return self.figures

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        found: dict[str, Any] = plain(self)
        return found


def exposure(
    p: ArrayLike,
    sensitive: Mapping[str, ArrayLike],
    *,
    y: ArrayLike | None = None,
    features: Iterable[str] = (),
    capacity: float = 0.1,
    groups: ArrayLike | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> Exposure:
    """Selection rates by group at the team's capacity, by fairlearn's MetricFrame.

    Parameters
    ----------
    p : array, shape (n,)
        Scores.
    sensitive : mapping of str to array, shape (n,)
        By field, as people themselves gave it; None and NaN are the group "unknown".
    y : array of 0 and 1, shape (n,), optional
        Outcomes, for the true-positive rate: the share of converting rows that is selected.
    features : iterable of str
        Names of the model's features; a sensitive field among them is refused.
    capacity : int or float
        Number or share of rows that the team works on.
    groups : array, shape (n,), optional
        Lead of each row, for the bootstrap and for what is too few.

    Raises
    ------
    BadInput
        If a sensitive field is a feature, or has not one value a row.

    Examples
    --------
    >>> p = [0.9, 0.1] * 50 + [0.9, 0.1, 0.1, 0.1] * 25
    >>> found = exposure(p, {"language": ["en"] * 100 + ["es"] * 100}, capacity=0.375)
    >>> found.figures["ratio"].tolist(), found.alarms
    ([1.0, 0.5], ('language: es',))
    """
    chance = np.asarray(p, np.float64)
    outcome, chance, _ = checked(np.zeros(chance.shape) if y is None else y, chance)
    refuse_features(sensitive, features)
    n = len(chance)
    share = capacity / n if isinstance(capacity, int) else float(capacity)
    if not 0 < share <= 1:
        raise BadInput("cannot read a capacity", where="capacity", got=capacity)
    threshold = float(np.sort(chance)[::-1][max(1, round(share * n)) - 1])
    chosen = (chance >= threshold).astype(np.float64)
    member = members(groups, n)
    tables = []
    for field, values in sensitive.items():
        named = _named(values, n, field)
        table = _rates(named, outcome if y is not None else None, chosen, chance)
        table["leads"] = [len(np.unique(member[named == g])) for g in table["group"]]
        table = _ratios(table, named, chosen, member, resamples, seed)
        tables.append(table.assign(field=field))
    empty = pd.DataFrame(columns=ORDER)
    figures = pd.concat(tables, ignore_index=True)[ORDER] if tables else empty
    bad = figures[figures["verdict"].isin((ALARM, MAYBE))]
    alarms = tuple(f"{a}: {b}" for a, b in zip(bad["field"], bad["group"], strict=True))
    return Exposure(figures, alarms, float(chosen.mean()), threshold, FOUR_FIFTHS)


ORDER = ["field", "group", "rows", "leads", "selection_rate", "mean_score", "true_positive_rate"]
ORDER += ["ratio", "low", "high", "verdict"]


def refuse_features(sensitive: Iterable[str], features: Iterable[str]) -> None:
    """Refuse a sensitive field that bears the name of a feature, however it is spelt.

    Raises
    ------
    BadInput

    Examples
    --------
    >>> refuse_features(["age group"], ["visits", "Age_Group"])
    Traceback (most recent call last):
        ...
    leadlab.errors.BadInput: a sensitive column is among the model's features (where: sensitive; ...
    """
    plain_names = {_bare(name): name for name in features}
    for field in sensitive:
        if _bare(field) in plain_names:
            raise BadInput(
                "a sensitive column is among the model's features",
                where="sensitive",
                got=plain_names[_bare(field)],
                hint="Train without it; sensitive columns serve the audit only.",
            )


def _bare(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _named(values: ArrayLike, n: int, field: str) -> NDArray[Any]:
    raw = np.asarray(values, dtype=object)
    if raw.shape != (n,):
        raise BadInput(
            "one value a row is needed", where=f"sensitive {field!r}", got=raw.shape, expected=(n,)
        )
    return np.array([UNKNOWN if pd.isna(one) else str(one) for one in raw], dtype=object)


def _rates(named: NDArray[Any], y: F64 | None, chosen: F64, p: F64) -> pd.DataFrame:
    """Rates of each group, by fairlearn."""
    # fairlearn takes 0.3 s to import, which only an audit should cost.
    from fairlearn.metrics import (  # noqa: PLC0415
        MetricFrame,
        count,
        mean_prediction,
        selection_rate,
    )

    outcome = np.zeros(len(p)) if y is None else y
    chances = MetricFrame(
        metrics=mean_prediction, y_true=outcome, y_pred=p, sensitive_features=named
    ).by_group
    picks = MetricFrame(
        metrics={"rows": count, "selection_rate": selection_rate, "found": _true_positive_rate},
        y_true=outcome,
        y_pred=chosen,
        sensitive_features=named,
    ).by_group
    return pd.DataFrame(
        {
            "group": [str(one) for one in picks.index],
            "rows": picks["rows"].astype(int).to_numpy(),
            "selection_rate": picks["selection_rate"].astype(float).to_numpy(),
            "mean_score": chances.astype(float).to_numpy(),
            "true_positive_rate": picks["found"].astype(float).to_numpy(),
        }
    )


def _true_positive_rate(y: NDArray[Any], chosen: NDArray[Any]) -> float:
    """NaN where nobody converted; fairlearn's own gives 0 there, which reads as a finding."""
    converted = np.asarray(y) == 1
    return float(np.asarray(chosen)[converted].mean()) if converted.any() else float("nan")


def _ratios(
    table: pd.DataFrame,
    named: NDArray[Any],
    chosen: F64,
    member: NDArray[np.int64],
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Ratio of each large enough group's rate to the highest, with a bootstrap over leads."""
    rate = table["selection_rate"].to_numpy()
    large = (table["leads"] >= LEAST_GROUPS).to_numpy()
    ratio, low, high = (np.full(len(table), np.nan) for _ in range(3))
    verdict = np.where(large, FINE, SMALL).astype(object)
    if large.any():
        best = int(np.flatnonzero(large)[np.argmax(rate[large])])
        code = pd.Index(table["group"]).get_indexer(named)
        found = []
        for weight in draws(len(chosen), groups=member, resamples=resamples, seed=seed):
            mass = np.bincount(code, weights=weight, minlength=len(table))
            hits = np.bincount(code, weights=weight * chosen, minlength=len(table))
            shares = np.divide(hits, mass, out=np.full(len(table), np.nan), where=mass > 0)
            top = shares[best]
            found.append(shares / top if top > 0 else np.full(len(table), np.nan))
        bottom, upper = band(found or [np.full(len(table), np.nan)])
        if rate[best] > 0:
            ratio[large] = rate[large] / rate[best]
            low[large], high[large] = bottom[large], upper[large]
        verdict[large & (low < FOUR_FIFTHS)] = UNSURE
        verdict[large & (ratio < FOUR_FIFTHS)] = MAYBE
        verdict[large & (ratio < FOUR_FIFTHS) & (high < FOUR_FIFTHS)] = ALARM
        verdict[best] = BEST
    return table.assign(ratio=ratio, low=low, high=high, verdict=verdict)
