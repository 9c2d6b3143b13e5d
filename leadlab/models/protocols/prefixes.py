"""Outcome prediction on prefixes of cases, the way process-mining studies compare methods.

Follows the temporal protocol of Teinemaa et al. (2019): cases in order of their start, the first
80% train, training events end where the first test case begins, every prefix of a case is one
row, and the AUC is taken for each prefix length and averaged with the number of rows as weight.

References
----------
Teinemaa, I., Dumas, M., La Rosa, M. and Maggi, F. M. (2019). Outcome-oriented predictive process
monitoring: review and benchmark. ACM TKDD 13(2), 17. doi:10.1145/3301300
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, EmptyInput, UnknownName
from leadlab.models.metrics import roc_auc
from leadlab.schema.log import EventLog

I64 = NDArray[np.int64]
NEVER_US = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Task:
    """What is foreseen.

    Attributes
    ----------
    deciding : tuple of str
        Kinds of which the last candidate event of a case must be one; it is the case's outcome.
    candidates : tuple of str
        Kinds among which the last one is looked for (all offer events, for example).
    telling : tuple of str
        Kinds that come with an outcome and give it away.
    margin_s : float
        An undecided prefix ends at least so long before the outcome's first sign: what the same
        click records a moment earlier belongs to the outcome.
    train_share : float
        Of cases, by start.
    longest : int
        Longest prefix.
    quantile : float
        Prefixes are no longer than this quantile of the length of positive cases either.
    """

    deciding: tuple[str, ...]
    candidates: tuple[str, ...]
    telling: tuple[str, ...] = ()
    margin_s: float = 0.0
    train_share: float = 0.8
    longest: int = 40
    quantile: float = 0.9


@dataclass(frozen=True, eq=False)
class Prefixes:
    """Every prefix of every case with an outcome.

    Attributes
    ----------
    row : int64 array, shape (n,)
        Position in the log of the prefix's last event.
    case : int64 array, shape (n,)
        Number of the case, 0 for the one that started first.
    length : int64 array, shape (n,)
        Events in the prefix.
    outcome : int64 array, shape (n,)
        Index into `Task.deciding`.
    undecided : bool array, shape (n,)
        The prefix ends before the first event that gives the outcome away, less the margin.
    decided_us : int64 array, shape (n,)
        When the case's outcome came.
    case_length : int64 array, shape (n,)
        Events of the whole case.
    cases, train_cases : int
        Cases with an outcome, and how many of them train.
    split_us : int
        Start of the first test case.
    """

    row: I64
    case: I64
    length: I64
    outcome: I64
    undecided: NDArray[np.bool_]
    decided_us: I64
    case_length: I64
    cases: int
    train_cases: int
    split_us: int

    def longest(self, positive: int, task: Task) -> int:
        """Longest prefix that counts when outcome `positive` is foreseen."""
        lengths = self.case_length[(self.length == 1) & (self.outcome == positive)]
        if not len(lengths):
            raise BadInput("no case has this outcome", got=task.deciding[positive])
        return min(task.longest, math.ceil(float(np.quantile(lengths, task.quantile))))


def prefixes(log: EventLog, task: Task) -> Prefixes:
    """Spell out the cases of a log.

    Raises
    ------
    UnknownName
        If a deciding kind does not occur.
    EmptyInput
        If fewer than two cases have an outcome.
    """
    lead = (log.tenant.codes * np.int64(len(log.lead.names)) + log.lead.codes).astype(np.int64)
    case_of_row = np.unique(lead, return_inverse=True)[1]
    n = int(case_of_row.max(initial=-1)) + 1
    last = np.full(n, -1)
    rows = np.flatnonzero(np.isin(log.kind.codes, _codes(log, task.candidates, strict=False)))
    np.maximum.at(last, case_of_row[rows], rows)
    deciding = np.array(_codes(log, task.deciding, strict=True))
    outcome = _place(deciding, np.where(last >= 0, log.kind.codes[last], -1))
    decided_us = np.where(last >= 0, log.at_us[last], NEVER_US)
    told_us = decided_us.copy()
    rows = np.flatnonzero(np.isin(log.kind.codes, _codes(log, task.telling, strict=False)))
    np.minimum.at(told_us, case_of_row[rows], log.at_us[rows])
    row = np.flatnonzero(outcome[case_of_row] >= 0)
    _, begins, case = np.unique(case_of_row[row], return_index=True, return_inverse=True)
    if len(begins) < 2:
        raise EmptyInput("too few cases with an outcome", got=len(begins))
    # Rows are in order of time: cases are numbered by their first one, whatever their codes.
    rank = np.argsort(np.argsort(begins))
    order = np.argsort(rank[case], kind="stable")
    row, case = row[order], rank[case][order]
    sizes = np.bincount(case)
    chosen = case_of_row[row]
    train_cases = int(task.train_share * len(begins))
    return Prefixes(
        row=row,
        case=case,
        length=np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1,
        outcome=outcome[chosen],
        undecided=log.at_us[row] < told_us[chosen] - round(task.margin_s * 1_000_000),
        decided_us=decided_us[chosen],
        case_length=np.repeat(sizes, sizes),
        cases=len(begins),
        train_cases=train_cases,
        split_us=int(log.at_us[row[case == train_cases][0]]),
    )


def sides(
    found: Prefixes, at_us: I64, longest: int, *, strict: bool = False
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which prefixes train and which test.

    Parameters
    ----------
    found : Prefixes
    at_us : int64 array, shape (n,)
        Time of each prefix's last event.
    longest : int
        Longest prefix.
    strict : bool
        Only prefixes that end before the outcome is given away, on both sides.
    """
    fits = (found.length <= longest) & (found.undecided | (not strict))
    trains = found.case < found.train_cases
    return fits & trains & (at_us < found.split_us), fits & ~trains


def auc_by_length(y: ArrayLike, score: ArrayLike, length: ArrayLike) -> float:
    """ROC-AUC of each prefix length, averaged with the number of rows as weight.

    Lengths of one class only are left out; NaN where all are.

    Examples
    --------
    >>> auc_by_length([0, 1, 0, 1, 1], [0.1, 0.2, 0.9, 0.8, 0.7], [1, 1, 2, 2, 2])
    0.4
    """
    truth, scores, lengths = np.asarray(y), np.asarray(score), np.asarray(length)
    total = rows = 0.0
    for one in np.unique(lengths):
        here = lengths == one
        auc = roc_auc(truth[here], scores[here])
        if not math.isnan(auc):
            total += auc * here.sum()
            rows += here.sum()
    return float(total / rows) if rows else math.nan


def _codes(log: EventLog, kinds: tuple[str, ...], *, strict: bool) -> list[int]:
    for kind in kinds:
        if strict and kind not in log.kind.index:
            raise UnknownName("kind", kind, map(str, log.kind.names))
    return [log.kind.index[kind] for kind in kinds if kind in log.kind.index]


def _place(deciding: I64, codes: NDArray[np.int32]) -> I64:
    """Index into `deciding` of each code; -1 where it is none."""
    found: I64 = np.full(len(codes), -1, np.int64)
    for index, code in enumerate(deciding):
        found[codes == code] = index
    return found
