"""Whether a model still sees what it was trained on: drift of inputs, of scores, of what is known.

Two questions are kept apart. How far have the shares moved (PSI), and could chance alone have moved
them (noise floor; p-values corrected for the number of columns)? The thresholds 0.1 and 0.25 for
PSI are conventions of credit scoring (Siddiqi, 2006), not laws: what a shift does to the
probabilities, only outcomes tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.folds import members
from leadlab.models.tabular import column, column_names
from leadlab.models.validation.plain import plain

F64 = NDArray[np.float64]
MODERATE, LARGE = 0.1, 0.25
ALPHA = 0.05
SCORE = "score"
MISSING, UNSEEN = "missing", "unseen"
HALF = 0.5
"""Added to each bin of both sides, so that an empty bin has a finite distance."""


@dataclass(frozen=True, eq=False)
class Drift:
    """What moved between a reference and newer rows.

    Attributes
    ----------
    figures : DataFrame
        name; psi; floor (95% quantile of PSI when nothing moved, for so many leads), psi_p_value,
        psi_p_adjusted; test ("KS" of known values, or "chi-squared"), statistic, p_value,
        p_adjusted (both adjusted by Benjamini-Hochberg over all rows of this table);
        missing_before, missing_after (shares); verdict. Largest PSI first, the model's score, where
        given, ahead of all.
    bins : DataFrame
        name, bin, before, after (shares): what PSI was computed on.
    rows_before, rows_after, leads_before, leads_after : int
    moderate, large : float
        The conventional thresholds of PSI.
    alpha : float
        Of the adjusted p-values, half for each of the two tests.
    verdict : str
        In a sentence.
    """

    figures: pd.DataFrame
    bins: pd.DataFrame
    rows_before: int
    rows_after: int
    leads_before: int
    leads_after: int
    moderate: float
    large: float
    alpha: float
    verdict: str

    def to_frame(self) -> pd.DataFrame:
        """One row a column."""
        return self.figures

    def to_json(self) -> dict[str, Any]:
        """Plain values, None for NaN."""
        found: dict[str, Any] = plain(self)
        return found


def drift(
    before: Any,
    after: Any,
    *,
    scores: tuple[ArrayLike, ArrayLike] | None = None,
    groups: tuple[ArrayLike, ArrayLike] | None = None,
    bins: int = 10,
) -> Drift:
    """Compare newer rows with those that a model was trained on.

    Bins of a column of numbers are cut at quantiles of `before`, those of categories are its
    categories; missing values, and categories that `before` did not hold, are bins of their own.
    With shares b and a, each from ``(count + 1/2) / (n + bins/2)``,
    ``PSI = sum((a - b) * ln(a / b))``. Without drift it is distributed about as chi-squared with
    (bins - 1) degrees times ``1/n_before + 1/n_after`` (Yurdakul and Naranjo, 2020); rows of one
    lead are no independent witnesses, so n counts leads there and in the tests.

    Parameters
    ----------
    before, after : FeatureTable, DataFrame or array, shape (n, k)
        The same columns.
    scores : pair of arrays, optional
        The model's probabilities of both, to be compared too.
    groups : pair of arrays, optional
        Lead of each row of both.
    bins : int
        Of a column of numbers, at least 2; tied values make fewer.

    Raises
    ------
    EmptyInput
        If a side has no rows.
    BadInput
        If the columns differ.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before = pd.DataFrame({"calls": rng.normal(size=2000), "views": rng.normal(size=2000)})
    >>> found = drift(before, before.assign(views=before["views"] + 1))
    >>> found.figures[["name", "verdict"]].values.tolist()
    [['views', 'large shift'], ['calls', 'steady']]
    """
    names = column_names(before)
    if column_names(after) != names:
        odd = sorted(set(names) ^ set(column_names(after)))
        raise BadInput("the columns differ", got=odd[:3] or "another order")
    if bins < 2:
        raise BadInput("at least two bins", where="bins", got=bins)
    sizes = (len(before), len(after))
    if not all(sizes):
        raise EmptyInput("nothing to compare", got=f"{sizes[0]} and {sizes[1]} rows")
    own = groups or (None, None)
    leads = tuple(len(np.unique(members(g, n))) for g, n in zip(own, sizes, strict=True))
    pairs = [(name, column(before, name), column(after, name)) for name in names]
    if scores is not None:
        told = tuple(np.asarray(p, np.float64) for p in scores)
        pairs.insert(0, (SCORE, told[0], told[1]))
    rows, tables = [], []
    for name, old, new in pairs:
        row, table = _compare(name, old, new, (leads[0], leads[1]), bins)
        rows.append(row)
        tables.append(table)
    figures = pd.DataFrame(rows)
    figures["p_adjusted"] = benjamini_hochberg(figures["p_value"])
    figures["psi_p_adjusted"] = benjamini_hochberg(figures["psi_p_value"])
    least = figures[["p_adjusted", "psi_p_adjusted"]].min(axis=1)
    figures["verdict"] = [_verdict(*one) for one in zip(figures["psi"], least, strict=True)]
    first = figures["name"].eq(SCORE) & (figures.index == 0) & (scores is not None)
    figures = figures.assign(_first=~first, _psi=-figures["psi"])
    figures = figures.sort_values(["_first", "_psi"], kind="stable", ignore_index=True)
    figures = figures[ORDER]
    said = _said(figures, scores is not None)
    table = pd.concat(tables, ignore_index=True)
    return Drift(figures, table, *sizes, leads[0], leads[1], MODERATE, LARGE, ALPHA, said)


ORDER = [
    "name",
    "psi",
    "floor",
    "psi_p_value",
    "psi_p_adjusted",
    "test",
    "statistic",
    "p_value",
    "p_adjusted",
]
ORDER += ["missing_before", "missing_after", "verdict"]


def psi(before: ArrayLike, after: ArrayLike) -> float:
    """Population stability index of two sets of counts, each bin half a count richer.

    Examples
    --------
    >>> psi([10, 20], [10, 20])
    0.0
    """
    b, a = (np.asarray(one, np.float64) + HALF for one in (before, after))
    b, a = b / b.sum(), a / a.sum()
    return float((a - b) @ np.log(a / b))


def psi_floor(bins: int, n_before: int, n_after: int, quantile: float = 0.95) -> float:
    """PSI that so few rows reach without drift in all but 5% of cases.

    Examples
    --------
    >>> round(psi_floor(10, 1000, 100), 3)
    0.186
    """
    spread = 1 / n_before + 1 / n_after
    return float(stats.chi2.ppf(quantile, bins - 1) * spread) if bins > 1 else 0.0


def benjamini_hochberg(p_values: ArrayLike) -> F64:
    """P-values adjusted so that rejecting below a bounds the share of false alarms by a.

    NaN stays NaN and counts as no test (Benjamini and Hochberg, 1995).

    Examples
    --------
    >>> benjamini_hochberg([0.01, float("nan"), 0.04]).tolist()
    [0.02, nan, 0.04]
    """
    p = np.asarray(p_values, np.float64)
    found = np.full(p.shape, np.nan)
    some = ~np.isnan(p)
    if some.any():
        found[some] = stats.false_discovery_control(p[some], method="bh")
    return found


def _compare(
    name: str, old: NDArray[Any], new: NDArray[Any], leads: tuple[int, int], bins: int
) -> tuple[dict[str, Any], pd.DataFrame]:
    numbers = old.dtype.kind == "f" and new.dtype.kind == "f"
    if not numbers:
        old, new = (_texts(one) for one in (old, new))
    labels, which_old, which_new = _cut(old, new, bins) if numbers else _match(old, new)
    before = np.bincount(which_old, minlength=len(labels))
    after = np.bincount(which_new, minlength=len(labels))
    kept = (before + after) > 0
    before, after = before[kept], after[kept]
    test = _ks(old, new, leads) if numbers else _chi_squared(before, after, leads)
    row = {
        "name": name,
        "psi": psi(before, after),
        "floor": psi_floor(len(before), *leads),
        "psi_p_value": _psi_p(psi(before, after), len(before), *leads),
        **test,
        "missing_before": float(pd.isna(old).mean()),
        "missing_after": float(pd.isna(new).mean()),
    }
    named = [label for label, keep in zip(labels, kept, strict=True) if keep]
    shares = {"before": before / before.sum(), "after": after / after.sum()}
    return row, pd.DataFrame({"name": name, "bin": named, **shares})


def _cut(old: F64, new: F64, bins: int) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Bins between quantiles of the reference; the last is for missing values."""
    known = old[~np.isnan(old)]
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    edges = np.unique(np.quantile(known, inner, method="inverted_cdf")) if len(known) else known
    if len(edges) and edges[-1] == known.max():
        edges = edges[:-1]
    ends = [f"{edge:.4g}" for edge in edges]
    labels = [f"up to {ends[0]}"] if ends else ["any"]
    labels += [f"{a} to {b}" for a, b in pairwise(ends)]
    labels += [f"above {ends[-1]}"] if ends else []

    def place(values: F64) -> NDArray[np.int64]:
        at = np.searchsorted(edges, values, side="left")
        return np.where(np.isnan(values), len(labels), at)

    return [*labels, MISSING], place(old), place(new)


def _texts(values: NDArray[Any]) -> NDArray[Any]:
    """Numbers as text, where one side holds categories."""
    if values.dtype.kind != "f":
        return values
    return np.array([None if np.isnan(one) else f"{one:g}" for one in values], dtype=object)


def _match(
    old: NDArray[Any], new: NDArray[Any]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """One bin a category of the reference, one for all others, one for missing values."""
    known = sorted({one for one in old if one is not None})
    index: dict[Any, int] = {name: i for i, name in enumerate(known)}
    index[None] = len(known) + 1

    def place(values: NDArray[Any]) -> NDArray[np.int64]:
        return np.array([index.get(one, len(known)) for one in values], np.int64)

    return [*known, UNSEEN, MISSING], place(old), place(new)


def _ks(old: F64, new: F64, leads: tuple[int, int]) -> dict[str, Any]:
    """Kolmogorov-Smirnov on known values, as if there were one value a lead."""
    a, b = old[~np.isnan(old)], new[~np.isnan(new)]
    if not len(a) or not len(b):
        return {"test": "KS", "statistic": np.nan, "p_value": np.nan}
    # scipy's own p-value would count rows, not leads, and warns where there is one of each.
    at = np.concatenate([a, b])
    below = [np.searchsorted(np.sort(one), at, side="right") / len(one) for one in (a, b)]
    found = float(np.abs(below[0] - below[1]).max())
    n, m = (
        max(1.0, lead * len(known) / len(all_rows))
        for lead, known, all_rows in zip(leads, (a, b), (old, new), strict=True)
    )
    p = float(stats.kstwo.sf(found, max(1, round(n * m / (n + m)))))
    return {"test": "KS", "statistic": found, "p_value": min(max(p, 0.0), 1.0)}


def _chi_squared(
    before: NDArray[np.int64], after: NDArray[np.int64], leads: tuple[int, int]
) -> dict[str, Any]:
    """Test of equal shares, as if there were one row a lead."""
    if len(before) < 2:
        return {"test": "chi-squared", "statistic": 0.0, "p_value": 1.0}
    counts = np.array([before / before.sum() * leads[0], after / after.sum() * leads[1]])
    found = stats.chi2_contingency(counts, correction=False)
    return {
        "test": "chi-squared",
        "statistic": float(found.statistic),
        "p_value": float(found.pvalue),
    }


def _psi_p(found: float, bins: int, n_before: int, n_after: int) -> float:
    """Chance of so large a PSI without drift; see `psi_floor`."""
    spread = 1 / n_before + 1 / n_after
    return float(stats.chi2.sf(max(found, 0.0) / spread, bins - 1)) if bins > 1 else 1.0


def _verdict(found: float, p: float) -> str:
    """Words for one column; `p` is the smaller of two, so each may use half of alpha."""
    sure = p < ALPHA / 2
    if found < MODERATE:
        return "small shift" if sure else "steady"
    if not sure:
        return "within noise"
    return "large shift" if found >= LARGE else "moderate shift"


def _said(figures: pd.DataFrame, with_score: bool) -> str:
    """Words for all of them."""
    inputs = figures.iloc[1:] if with_score else figures
    counts = inputs["verdict"].value_counts()
    parts = [
        f"{counts[word]} {word.replace('shift', 'shifts') if counts[word] > 1 else word}"
        for word in ("large shift", "moderate shift", "small shift", "within noise")
        if word in counts
    ]
    told = ", ".join(parts) or "no shift"
    said = f"{told} among {len(inputs)} inputs"
    if with_score:
        said += f"; scores: {figures['verdict'].iloc[0]} (PSI {figures['psi'].iloc[0]:.3f})"
    return (
        f"{said}. By convention PSI below {MODERATE:g} is steady and from {LARGE:g} large; a small "
        f"shift is one that chance does not explain at an adjusted p below {ALPHA / 2:g}."
    )
