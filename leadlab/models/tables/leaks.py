"""Columns of a table that may know the outcome: flagged with figures and words, never dropped."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, UnknownName
from leadlab.models import metrics
from leadlab.models.folds import Folds, grouped_folds
from leadlab.models.matrix import outcomes
from leadlab.models.tables.columns import CATEGORY, DATE, EMPTY, NUMBER, kind_of, table_frame
from leadlab.models.tables.leak_report import ROWS, Flag, LeakReport
from leadlab.models.tables.splits import copies

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
NEAR_TARGET = 0.99
NEAR_PERFECT = 0.95
STRONG = 0.80
MISSING_TELLS = 0.60
LATER_SHARE = 0.01
SELDOM = 2 / 3
"""A column that is known more often says little by being known where another is."""
CHANCE = 1e-6
"""How unlikely a level with one outcome only must be by chance, over all levels of its column."""
LEVELS = 20
SMOOTHING = 20.0
TELLING_WORDS = frozenset(
    (
        *("last", "latest", "final", "closed", "close", "won", "lost", "outcome", "result"),
        *("reason", "status", "stage", "duration", "after", "tag", "tags", "quality", "rating"),
        *("grade", "score", "churned", "cancelled"),
    )
)
"""Words of customer systems for what people or time fill in later."""


def check_leaks(
    frame: pd.DataFrame,
    y: ArrayLike,
    *,
    at: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    later: Sequence[str] = (),
    seed: int = 0,
) -> LeakReport:
    """Flag columns that may have been filled in when the outcome was in sight.

    A flag is a question to whoever knows the data, not a verdict: the strongest honest column and
    a leak look alike from the numbers. Each column is scored alone by the mean outcome of its
    level or 1/20 quantile (missing is one), learnt on four folds and judged on the fifth.

    Parameters
    ----------
    frame : DataFrame, n rows
        Columns a model would see; without the target.
    y : array of 0 and 1, shape (n,)
    at : array, shape (n,), optional
        When each row was known; columns of times are held against it.
    groups : array, shape (n,), optional
        Rows of one group are in one fold.
    later : sequence of str
        Columns declared to be known only afterwards.
    seed : int
        Of the folds.

    Raises
    ------
    EmptyInput, BadInput
        If there is no table, or no two outcomes.
    UnknownName
        If a declared column is not there.

    Examples
    --------
    >>> frame = pd.DataFrame({"visits": [1, 2, 3, 4] * 25, "paid": [0, 9, 0, 0] * 25})
    >>> report = check_leaks(frame, [0, 1, 0, 0] * 25)
    >>> [flag.kind for flag in report.flags if flag.column == "paid"]
    ['nearly the target', 'one outcome only']
    """
    table = table_frame(frame)
    label = outcomes(y, len(table)).astype(np.int64)
    names = [str(name) for name in table.columns]
    for name in later:
        if name not in names:
            raise UnknownName("column", name, names)
    moment = None if at is None else np.asarray(at)
    if moment is not None and moment.shape != (len(table),):
        raise BadInput("one moment a row is needed", where="at", got=moment.shape)
    folds = grouped_folds(label, groups, 5, seed)
    flags: list[Flag] = []
    for name in names:
        column = table[name]
        if name in later:
            flags.append(_declared(name))
        flags += _of_column(column, name, label, folds, moment)
    flags += _between_columns(table, {flag.column for flag in flags})
    flags += _copied_rows(table, groups)
    order = {name: i for i, name in enumerate([*names, ROWS])}
    return LeakReport(
        tuple(sorted(flags, key=lambda flag: order[flag.column])), len(table), len(names)
    )


def _of_column(
    column: pd.Series[Any], name: str, label: I64, folds: Folds, at: NDArray[Any] | None
) -> Iterator[Flag]:
    """Flags of one column by itself."""
    kind = kind_of(column)
    if kind == EMPTY:
        return
    if kind == DATE and at is not None and at.dtype.kind == "M":
        yield from _later(column, name, at)
    if kind in (CATEGORY, NUMBER) and _names_the_row(column, kind):
        yield Flag(
            name, "names the row", 1.0, "nearly every row has a value of its own",
            "Leave it out, or use it to group rows.",
        )  # fmt: skip
    else:
        yield from _alone(column, name, kind, label, folds)
        yield from _pure(column, name, kind, label)
    yield from _missing(column, name, label, folds)
    words = set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()))
    if words & TELLING_WORDS:
        said = ", ".join(sorted(words & TELLING_WORDS))
        yield Flag(
            name, "by its name", math.nan, f"its name ({said}) speaks of what is known later",
            "Ask when it is filled in, and by whom.",
        )  # fmt: skip


def _declared(name: str) -> Flag:
    return Flag(
        name, "declared later", 1.0, "declared to be known only after the outcome", "Leave it out."
    )


def _later(column: pd.Series[Any], name: str, at: NDArray[Any]) -> Iterator[Flag]:
    times = pd.to_datetime(column, utc=True, format="ISO8601")
    own = pd.to_datetime(pd.Series(at, index=column.index), utc=True)
    share = float((times > own)[times.notna()].mean())
    if share >= LATER_SHARE:
        yield Flag(
            name, "later than its row", share,
            f"{share:.1%} of its times are later than the moment of their row",
            "Leave it out, or use it only for rows of a later moment.",
        )  # fmt: skip


def _names_the_row(column: pd.Series[Any], kind: str) -> bool:
    if kind == NUMBER and not pd.api.types.is_integer_dtype(column.dtype):
        return False
    return len(column) >= 50 and column.nunique() >= 0.99 * len(column)


def _alone(
    column: pd.Series[Any], name: str, kind: str, label: I64, folds: Folds
) -> Iterator[Flag]:
    auc = _held_out_auc(_codes(column, kind), label, folds)
    sure = auc - 2 * _auc_error(auc, label)
    if sure >= STRONG:
        grades = ((NEAR_TARGET, "nearly the target"), (NEAR_PERFECT, "near-perfect alone"))
        grade = next((word for least, word in grades if auc >= least), "strong alone")
        yield Flag(
            name, grade, auc, f"alone it ranks held-out rows with an AUC of {auc:.3f}",
            "Ask whether it was known when the row was; if not, leave it out.",
        )  # fmt: skip


def _missing(column: pd.Series[Any], name: str, label: I64, folds: Folds) -> Iterator[Flag]:
    gone = column.isna().to_numpy()
    if not 0 < gone.sum() < len(gone):
        return
    auc = _held_out_auc(gone.astype(np.int64), label, folds)
    absent, there = float(label[gone].mean()), float(label[~gone].mean())
    if auc - 2 * _auc_error(auc, label) >= MISSING_TELLS or _far_apart(label[gone], label[~gone]):
        yield Flag(
            name, "missing tells", auc,
            f"{absent:.1%} of rows without it have the outcome, {there:.1%} of rows with it",
            "Ask whether it is filled in because of the outcome; if so, leave it out.",
        )  # fmt: skip


def _far_apart(one: I64, other: I64) -> bool:
    """Whether odds differ tenfold, beyond chance by six standard errors (Haldane's correction)."""
    counts = np.array([one.sum(), len(one) - one.sum(), other.sum(), len(other) - other.sum()])
    a, b, c, d = counts + 0.5
    gap = abs(math.log(a * d / (b * c)))
    return gap >= math.log(10) and gap >= 6 * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


def _pure(column: pd.Series[Any], name: str, kind: str, label: I64) -> Iterator[Flag]:
    if kind == DATE or column.nunique() > 10 * LEVELS:
        return
    known = column.notna().to_numpy()
    rate = label.mean()
    counts = (
        pd.Series(label[known]).groupby(column[known].astype(str).to_numpy()).agg(["size", "sum"])
    )
    chance = np.where(
        counts["sum"] == 0, (1 - rate) ** counts["size"], rate ** counts["size"].astype(float)
    )
    whole = (counts["sum"] == 0) | (counts["sum"] == counts["size"])
    found = counts[whole & (counts["size"] >= LEVELS) & (chance * len(counts) < CHANCE)]
    if len(found):
        level = str(found["size"].idxmax())
        rows, ones = (int(found.loc[level, what]) for what in ("size", "sum"))
        yield Flag(
            name, "one outcome only", float(found["size"].sum() / len(column)),
            f"{len(found)} of its values occur with one outcome only, such as {level!r}: "
            f"{rows} rows, all {1 if ones else 0}",
            "Ask whether these values are written after the outcome.",
        )  # fmt: skip


def _between_columns(table: pd.DataFrame, flagged: set[str]) -> Iterator[Flag]:
    """Equal columns, and columns that are known only in rows where a flagged one is."""
    first: dict[bytes, str] = {}
    known = {str(name): table[name].notna().to_numpy() for name in table.columns}
    leaders = [name for name in known if name in flagged and 0 < known[name].mean() < SELDOM]
    for name, here in known.items():
        if table[name].nunique(dropna=False) > 1:
            same = first.setdefault(_digest(table[name]), name)
            if same != name:
                yield Flag(
                    name, "copy of another", 1.0, f"in every row the same as {same}",
                    "Keep one of the two.",
                )  # fmt: skip
        within = [one for one in leaders if not (here & ~known[one]).any()]
        if name in flagged or here.sum() < LEVELS or not within:
            continue
        leader = min(within, key=lambda one: known[one].sum())
        if here.sum() * math.log(known[leader].mean()) < math.log(CHANCE):
            yield Flag(
                name, "filled together", float(here.mean()),
                f"known only in rows where {leader} is, which is flagged",
                f"Treat it as {leader}.",
            )  # fmt: skip


def _copied_rows(table: pd.DataFrame, groups: ArrayLike | None) -> Iterator[Flag]:
    number = copies(table)
    extra = len(number) - len(np.unique(number))
    if groups is not None:
        pairs = pd.DataFrame({"copy": number, "group": np.asarray(groups)}).drop_duplicates()
        extra = len(pairs) - len(np.unique(number))
    if extra:
        yield Flag(
            ROWS, "copies of rows", extra / len(table),
            f"{extra} rows are copies of others"
            + ("" if groups is None else " of another group"),
            "Keep copies on one side of each split: give `groups`.",
        )  # fmt: skip


def _digest(column: pd.Series[Any]) -> bytes:
    return bytes(pd.util.hash_pandas_object(column.reset_index(drop=True), index=False).to_numpy())


def _codes(column: pd.Series[Any], kind: str) -> I64:
    """A number for each level, or 1/20 quantile; 0 is missing."""
    if kind == CATEGORY or column.nunique() <= LEVELS:
        return np.asarray(pd.factorize(column.astype(object))[0] + 1, np.int64)
    if kind == DATE:
        column = pd.to_datetime(column, utc=True, format="ISO8601").astype("int64", errors="ignore")
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    edges = np.unique(np.nanquantile(values, np.linspace(0, 1, LEVELS + 1)[1:-1]))
    # A value on an edge has a number of its own: many rows at 0 are not mixed with those above.
    sides = [np.searchsorted(edges, values, side=side) for side in ("left", "right")]
    return np.where(np.isnan(values), 0, 1 + sides[0] + sides[1])


def _held_out_auc(code: I64, label: I64, folds: Folds) -> float:
    """Mean AUC over held-out folds of the smoothed mean outcome of each code."""
    found, size = [], int(code.max()) + 1
    for train, test in folds:
        base = label[train].mean()
        rows = np.bincount(code[train], minlength=size) + SMOOTHING
        hits = np.bincount(code[train], weights=label[train], minlength=size) + SMOOTHING * base
        if len(np.unique(label[test])) == 2:
            found.append(metrics.roc_auc(label[test], np.clip((hits / rows)[code[test]], 0, 1)))
    return float(np.mean(found)) if found else math.nan


def _auc_error(auc: float, label: I64) -> float:
    """Standard error of an AUC (Hanley and McNeil, 1982)."""
    ones = int(label.sum())
    zeros = len(label) - ones
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (ones - 1) * (first - auc**2) + (zeros - 1) * (second - auc**2)
    return math.sqrt(max(spread, 0.0) / (ones * zeros))
