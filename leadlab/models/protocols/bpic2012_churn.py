"""BPI Challenge 2012: customers who do not answer an offer, until the bank cancels it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from leadlab.errors import EmptyInput, UnknownName
from leadlab.features import FeatureTable, Moments, build
from leadlab.features.automatic import most_frequent
from leadlab.features.clock import local_us, utc_us
from leadlab.models.churn.figures import beside, compared
from leadlab.models.churn.model import ChurnModel
from leadlab.models.churn.silence import Silence, label_silence
from leadlab.models.landmarks import NEVER_US, first_at, of_kinds
from leadlab.models.metrics import roc_auc
from leadlab.models.protocols.bpic2012 import AGENTS, ZONE, features
from leadlab.models.protocols.evaluation import Evaluation
from leadlab.schema.log import EventLog

I64 = NDArray[np.int64]
Tell = Callable[[str], None]
US_PER_DAY = 86_400_000_000
SENT = "O_SENT|COMPLETE"
SIGNS = ("A_SUBMITTED|COMPLETE", "O_SENT_BACK|COMPLETE")
"""What the customer does: apply, and send the signed offer back."""
CONVERTED = ("O_ACCEPTED|COMPLETE",)
ENDED = ("A_CANCELLED|COMPLETE", "A_DECLINED|COMPLETE")
CANCELLED = "A_CANCELLED|COMPLETE"
TRAIN_SHARE = 0.6
"""Of cases by first offer; the rest is a time that holds the longest window and more."""
PROTOCOL = (
    "Each case that was sent an offer is asked about at each local midnight from its first offer "
    "until the customer's answer (O_SENT_BACK), an ending, or the end of the log: will no sign of "
    "life come within 7, 14 and 30 days? Signs are the customer's own doing: applying, sending an "
    "offer back; acceptance counts as one. Cases by first offer, first 60% train, on windows that "
    "were over when the first test case got its offer; test cases are judged on windows that are "
    "over at the end of the log. auc_ends_cancelled: the 30-day probability of decided test cases "
    "against A_CANCELLED. Settings are the model's own, chosen on no test row. Baselines, each "
    "horizon fitted on its own: base rate, rate by days since the offer, logistic regression."
)


def open_offers(log: EventLog, tz: str = ZONE) -> Moments:
    """Every local midnight at which an offer waits for the customer's answer.

    Parameters
    ----------
    log : EventLog
        From `leadlab.data.bpic2012`.
    tz : str
        IANA zone of the midnights.

    Returns
    -------
    Moments
        By time.

    Raises
    ------
    UnknownName
        If the log knows no offers or no answers.
    """
    lead = np.arange(len(log.lead.names), dtype=np.int64)
    own = log.lead.codes.astype(np.int64)
    sent_us = first_at(lead, own, log.at_us, of_kinds(log.kind, (SENT,)))
    closing = of_kinds(log.kind, (SIGNS[1], *CONVERTED, *ENDED))
    closed_us = np.minimum(first_at(lead, own, log.at_us, closing), int(log.at_us[-1]))
    cases = np.flatnonzero((sent_us != NEVER_US) & (sent_us < closed_us))
    start = local_us(sent_us[cases], tz) // US_PER_DAY + 1
    # The last midnight before the closing one; at the closing itself nothing is open.
    end = (local_us(closed_us[cases], tz) - 1) // US_PER_DAY
    nights = np.maximum(end - start + 1, 0)
    within = np.arange(nights.sum()) - np.repeat(np.cumsum(nights) - nights, nights)
    at_us = utc_us((np.repeat(start, nights) + within) * US_PER_DAY, tz)
    order = np.argsort(at_us, kind="stable")
    rows = np.unique(own, return_index=True)[1][np.repeat(cases, nights)[order]]
    return Moments(log.tenant.take(rows), log.lead.take(rows), at_us[order])


def evaluate_bpic2012_churn(
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
        Figures as `held_out_figures` names them with ``_7d``, ``_14d`` or ``_30d``, and
        ``auc_ends_cancelled``.

    Raises
    ------
    UnknownName, EmptyInput, BadInput
        If the log is not that of the challenge.
    """
    for kind in (SENT, *SIGNS, *CONVERTED, *ENDED):
        if kind not in log.kind.index:
            raise UnknownName("kind", kind, map(str, log.kind.names))
    tell("find open offers")
    asked = open_offers(log)
    if not len(asked):
        raise EmptyInput("no offer waited for a night", where="log", got=f"{len(log)} events")
    lead = asked.lead.codes.astype(np.int64)
    every = np.ones(len(asked), np.bool_)
    first_us = first_at(np.arange(len(log.lead.names)), lead, asked.as_of_us, every)
    starts = np.sort(first_us[first_us != NEVER_US])
    split_us = int(starts[int(TRAIN_SHARE * len(starts))])
    later = first_us[lead] >= split_us
    train_rows = np.flatnonzero(~later & (asked.as_of_us < split_us))
    before = log.between(int(log.at_us[0]), split_us)
    chosen = features(
        [str(before.kind.names[code]) for code in np.unique(before.kind.codes)],
        most_frequent(before.agent, AGENTS),
    )
    tell(f"build {len(chosen)} features of {len(asked):,} nights")
    table = build(log, chosen, asked)
    train, test = table.take(train_rows), table.take(np.flatnonzero(later))
    known, truth = _labels(train, before, split_us), _labels(test, log, int(log.at_us[-1]))
    tell(f"train on {len(train):,} nights")
    model = ChurnModel(seed=seed).fit(train, known)
    tell("fit baselines")
    others = beside(train, known, test, curve="o_sent_complete_tenure")
    tell(f"judge {len(test):,} nights")
    ours, best, theirs = compared(model, test, truth, others, seed=seed)
    cancelled, decided = _cancelled(log, test.lead.codes)
    last = {"model": model.silence(test)[:, -1], **{n: p[:, -1] for n, p in others.items()}}
    auc = {name: roc_auc(cancelled[decided], p[decided]) for name, p in last.items()}
    ours["auc_ends_cancelled"] = auc.pop("model")
    best["auc_ends_cancelled"] = max(auc.values())
    for name, value in auc.items():
        theirs[name]["auc_ends_cancelled"] = value
    counts = {"offers": len(starts), "train_nights": len(train), "test_nights": len(test)}
    counts |= {
        f"judged_{d:g}d": int(n)
        for d, n in zip(truth.horizons_days, (truth.known >= 0).sum(axis=0), strict=True)
    }
    return Evaluation("bpic2012_churn", PROTOCOL, seed, ours, best, theirs, counts)


def _labels(table: FeatureTable, log: EventLog, end_us: int) -> Silence:
    kinds = (SIGNS, CONVERTED, ENDED)
    signs, converted, ended = (tuple(k for k in some if k in log.kind.index) for some in kinds)
    return label_silence(table, log, signs=signs, converted=converted, ended=ended, end_us=end_us)


def _cancelled(log: EventLog, lead: NDArray[np.int32]) -> tuple[I64, NDArray[np.bool_]]:
    """Whether each lead's case was cancelled, and whether it was decided at all."""
    own = log.lead.codes
    cancelled = np.unique(own[of_kinds(log.kind, (CANCELLED,))])
    decided = np.unique(own[of_kinds(log.kind, (*CONVERTED, *ENDED))])
    return np.isin(lead, cancelled).astype(np.int64), np.isin(lead, decided)
