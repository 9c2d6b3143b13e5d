"""BPI Challenge 2012: whether the bank's last offer will be accepted, declined or cancelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leadlab.features import (
    Feature,
    FeatureSet,
    FeatureTable,
    Moments,
    build,
    count,
    decay,
    distinct,
    events,
    gap,
    hour,
    is_latest,
    latest,
    mean,
    number,
    recency,
    response,
    tenure,
    total,
    waiting,
    weekday,
)
from leadlab.features.automatic import most_frequent
from leadlab.models.baselines import BaseRate, LastEventRule, Logistic
from leadlab.models.conversion import ConversionModel
from leadlab.models.estimator import LeadClassifier
from leadlab.models.protocols.evaluation import Evaluation, best_of
from leadlab.models.protocols.prefixes import Prefixes, Task, auc_by_length, prefixes, sides
from leadlab.schema.log import EventLog

OUTCOMES = {
    "accepted": "O_ACCEPTED|COMPLETE",
    "declined": "O_DECLINED|COMPLETE",
    "cancelled": "O_CANCELLED|COMPLETE",
}
TELLING = ("A_APPROVED", "A_REGISTERED", "A_ACTIVATED", "A_DECLINED", "A_CANCELLED")
FAMILIES = {"A_": "application step", "O_": "offer step", "W_": "work step"}
AGENTS = 20
"""So many of the busiest agents get a feature of their own."""
WORKERS = 2
LOGISTIC_ROWS = 30_000
MARGIN_S = 1.0
"""508 calls are recorded as completed within a second before an offer is cancelled, 457 of them
with the very same time: the cancelling closes them."""
ZONE = "Europe/Amsterdam"
PROTOCOL = (
    "After Teinemaa et al. (2019), temporal split: cases whose last offer event is O_ACCEPTED, "
    "O_DECLINED or O_CANCELLED; one outcome against the rest; cases by start, first 80% train, "
    "training events before the first test case's start (labels of cut cases are those of the "
    "whole case, as in the paper); prefixes of 1 to min(40, 90th percentile of positive case "
    "length) events; ROC-AUC by prefix length, weighted by rows. auc_strict_*: the same, "
    "prefixes on both sides end at least a second before the first event that gives the outcome "
    "away. auc_known_*: as strict, and only cases whose outcome had come by the start of the "
    "test period train. Settings were chosen on time-ordered folds inside the training part. "
    "Baselines: base rate, last-event rule, logistic regression; the best of them under each "
    "name."
)
Tell = Callable[[str], None]


def task(log: EventLog) -> Task:
    """Last offer event, by its kind."""
    offers = tuple(str(kind) for kind in log.kind.names if str(kind).startswith("O_"))
    telling = tuple(f"{name}|COMPLETE" for name in TELLING)
    return Task(tuple(OUTCOMES.values()), candidates=offers, telling=telling, margin_s=MARGIN_S)


def features(kinds: Sequence[str], agents: Sequence[str] = ()) -> FeatureSet:
    """What is looked at, given what the training part holds.

    Parameters
    ----------
    kinds : sequence of str
        Kinds of events, "activity|lifecycle".
    agents : sequence of str
        Who gets a yes/no feature "acted last".

    Examples
    --------
    >>> chosen = features(["A_SUBMITTED|COMPLETE", "W_Calling|START", "W_Calling|COMPLETE"])
    >>> "a_submitted_complete_tenure" in chosen.names
    True
    """
    every = events(noun="event")
    chosen: list[Feature] = [
        count(every),
        *(count(every, window) for window in ("1d", "7d", "30d")),
        tenure(every),
        gap(every),
        hour(),
        weekday(),
        latest(number("amount_req", every, noun="amount asked", unit="EUR")),
        distinct("agent", every, "90d"),
        *(is_latest("agent", name) for name in agents),
    ]
    for kind in sorted(kinds):
        one = events(kind)
        chosen += [count(one), recency(one), tenure(one), is_latest("kind", kind)]
    for initial, noun in FAMILIES.items():
        family = events(*sorted(k for k in kinds if k.startswith(initial)), noun=noun)
        if family.kinds:
            chosen += [count(family), recency(family), decay(family, "3d")]
            chosen += [count(family, window) for window in ("1d", "3d", "7d", "14d")]
    for activity in sorted({kind.split("|")[0] for kind in kinds if kind.startswith("W_")}):
        chosen += _work(activity)
    return FeatureSet(chosen, tz=ZONE)


def _work(activity: str) -> list[Feature]:
    """How long the bank works on one thing: from its start to its completion."""
    begun = events(f"{activity}|START", noun=f"{activity} start")
    done = events(f"{activity}|COMPLETE", noun=f"{activity} end")
    worked = response(begun, done)
    return [latest(worked), mean(worked), total(worked), waiting(worked)]


def model(seed: int) -> ConversionModel:
    """Settings chosen by validation inside the training part."""
    return ConversionModel(
        rounds=200,
        learning_rate=0.03,
        max_depth=5,
        min_child_weight=30.0,
        subsample=0.5,
        colsample=0.3,
        reg_lambda=10.0,
        max_bin=64,
        seed=seed,
    )


class _Job(NamedTuple):
    """One outcome under one variant of the protocol."""

    name: str
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    y: NDArray[np.int64]


def evaluate_bpic2012(
    log: EventLog, *, seed: int = 0, tell: Tell = lambda step: None
) -> Evaluation:
    """Run the protocol.

    Parameters
    ----------
    log : EventLog
        From `leadlab.data.bpic2012`.
    seed : int
        The same seed gives the same figures.
    tell : callable
        Called with a few words at each step, for progress bars.

    Returns
    -------
    Evaluation
        ``auc_accepted``, ``auc_declined``, ``auc_cancelled``, and the same with ``auc_strict_``
        and ``auc_known_``.

    Raises
    ------
    UnknownName, EmptyInput, BadInput
        If the log is not that of the challenge.
    """
    tell("cut cases into prefixes")
    what = task(log)
    found = prefixes(log, what)
    before = log.between(int(log.at_us[0]), found.split_us)
    chosen = features(
        [str(before.kind.names[code]) for code in np.unique(before.kind.codes)],
        most_frequent(before.agent, AGENTS),
    )
    tell(f"build {len(chosen)} features of {len(found.row):,} prefixes")
    at_us = log.at_us[found.row]
    asked = Moments(log.tenant.take(found.row), log.lead.take(found.row), at_us)
    table = build(log, chosen, asked)
    jobs = _jobs(found, what, at_us)
    figures = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for job, figure in zip(
            jobs, pool.map(lambda job: _run(job, table, found, seed), jobs), strict=True
        ):
            tell(job.name)
            figures.append(figure)
    names = figures[0]
    ours = {job.name: figure["model"] for job, figure in zip(jobs, figures, strict=True)}
    simple = {
        name: {job.name: figure[name] for job, figure in zip(jobs, figures, strict=True)}
        for name in names
        if name != "model"
    }
    counts = {
        "cases": found.cases,
        "train_cases": found.train_cases,
        "prefixes": len(found.row),
        "features": len(chosen),
    }
    return Evaluation("bpic2012", PROTOCOL, seed, ours, best_of(simple), simple, counts)


def _jobs(found: Prefixes, what: Task, at_us: NDArray[np.int64]) -> list[_Job]:
    known = found.decided_us < found.split_us
    jobs = []
    for variant in ("", "strict_", "known_"):
        for index, name in enumerate(OUTCOMES):
            trains, tests = sides(found, at_us, found.longest(index, what), strict=variant != "")
            if variant == "known_":
                trains &= known
            y = (found.outcome == index).astype(np.int64)
            rows = np.flatnonzero(trains), np.flatnonzero(tests)
            jobs.append(_Job(f"auc_{variant}{name}", *rows, y))
    return jobs


def _run(job: _Job, table: FeatureTable, found: Prefixes, seed: int) -> Mapping[str, float]:
    """AUC of the model and of each baseline on one job."""
    thin = job.train[:: max(1, -(-len(job.train) // LOGISTIC_ROWS))]
    learners: dict[str, tuple[LeadClassifier, NDArray[np.int64]]] = {
        "model": (model(seed), job.train),
        "base rate": (BaseRate(), job.train),
        "last-event rule": (LastEventRule(), job.train),
        "logistic regression": (Logistic(max_iter=300), thin),
    }
    test, length = table.take(job.test), found.length[job.test]
    figures = {}
    for name, (learner, rows) in learners.items():
        fitted = learner.fit(table.take(rows), job.y[rows])
        figures[name] = auc_by_length(job.y[job.test], fitted.predict_proba(test)[:, 1], length)
    return figures
