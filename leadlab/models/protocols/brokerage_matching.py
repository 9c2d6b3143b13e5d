"""The simulated brokerage: homes ranked for buyers, judged by hidden taste and by later deeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.models.matching.audit import audit_exposure
from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.ndcg import ndcg
from leadlab.models.matching.pairs import Buyer
from leadlab.models.matching.population import Popularity
from leadlab.models.matching.preferences import Preferences
from leadlab.models.matching.ranker import Ranker
from leadlab.models.matching.signals import Deeds, deeds
from leadlab.models.matching.stated import stated_preferences
from leadlab.models.matching.taste import Taste
from leadlab.models.protocols.evaluation import Evaluation, best_of
from leadlab.schema.log import EventLog

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Tell = Callable[[str], None]
TRAIN_SHARE = 0.6
"""Of leads by arrival."""
AFTER = (0, 10, 20, 30)
"""Deeds after which the same leads are asked about, to see whether the ranking learns."""
HEADLINE = 10
"""Deeds after which every test lead that did as many is asked about."""
GRADES = ((0.01, 3), (0.05, 2), (0.20, 1))
"""Hidden grade of a home for a lead: among the 1%, 5%, 20% of all homes that appeal to it most."""
SHOWN = 10
AUDITED = 300
"""Homes in a list, and test leads whose lists are audited for exposure."""
PROTOCOL = (
    "SIMULATED leads with hidden tastes. First 60% by arrival train, on their deeds before the "
    "first test lead came. Each test lead with 10 or more deeds (views, saves, discards, "
    "inquiries, showings) is asked about after its first 10: all 2,000 homes are ranked from its "
    "form, those deeds and what others did before. hidden: NDCG@10, grade 3, 2 and 1 for the 1%, "
    "5% and 20% of homes that appeal to it most by the simulator's truth. later: NDCG@10, grade 2 "
    "for a home saved, asked about or visited afterwards, 3 for one shown or offered on; leads "
    "with any. after_K: the same leads (30 deeds or more) after their first K. over_popularity: "
    "ratio to popularity's; low and high: 95% bootstrap over leads. exposure: lowest ratio of an "
    "area's selection rate in the top 10 to the highest's (four-fifths line), and what the hidden "
    "truth's own top 10 would give. Baselines: popularity (deeds of all leads in the weeks "
    "before), content (the form alone, ties by chance), content and popularity, random order. "
    "first_stage: stated fit plus learned taste, no trained ranker."
)


class Brokerage(Protocol):
    """A simulated log with its truth; see `leadlab.data.brokerage`."""

    @property
    def log(self) -> EventLog:
        """What happened."""

    @property
    def listings(self) -> pd.DataFrame:
        """Homes."""

    @property
    def stated(self) -> pd.DataFrame:
        """What each lead wrote on the form."""

    def appeal(self, lead: Sequence[str]) -> F64:
        """Hidden appeal of every home, shape (leads, homes)."""


@dataclass(frozen=True, eq=False)
class Case:
    """A test lead after some of its deeds."""

    lead: int
    after: int
    buyer: Buyer
    later: Deeds


def evaluate_brokerage_matching(
    brokerage: Brokerage, *, seed: int = 0, tell: Tell = lambda step: None
) -> Evaluation:
    """Run the protocol.

    Parameters
    ----------
    brokerage : Brokerage
    seed : int
        The same seed gives the same figures.
    tell : callable
        Called with a few words at each step, for progress bars.

    Raises
    ------
    BadInput
        If too few test leads did anything.
    """
    homes = Catalogue.prepare(brokerage.listings)
    done = deeds(brokerage.log, homes)
    wants = stated_preferences(brokerage.stated)
    arrived = _arrivals(brokerage.log, done)
    everyone = np.sort(_first_of_each(brokerage.log))
    split_us = int(everyone[int(TRAIN_SHARE * len(everyone))])
    known = (arrived[done.lead] < split_us) & (done.at_us < split_us)
    popularity = Popularity.of(done, homes)
    ranker = Ranker(seed=seed).fit(done.take(known), homes, wants, popularity=popularity, tell=tell)
    tell("ask about test leads")
    cases = _cases(done, arrived >= split_us, wants)
    if not any(case.after == HEADLINE for case in cases):
        raise BadInput("too few test leads did anything", where="log", got=f"{len(done)} deeds")
    names = sorted({case.lead for case in cases})
    row_of = {lead: row for row, lead in enumerate(names)}
    appeal = brokerage.appeal([str(done.leads[lead]) for lead in names])
    grades = _hidden_grades(appeal)
    tell(f"rank for {len(names)} leads")
    orders = [_orders(case, homes, ranker, popularity, seed) for case in cases]
    tell("judge")
    tables = {
        name: _judged(cases, [one[name] for one in orders], grades, row_of)
        for name in orders[0]
    }  # fmt: skip
    ours = _figures(tables["leadlab"]) | _learning(tables["leadlab"])
    ours |= _beside(tables["leadlab"], tables["popularity"], tables["content"], seed)
    first = _figures(tables.pop("first stage"))
    ours |= {f"first_stage_{name}": value for name, value in first.items()}
    ours |= _exposures(cases, orders, appeal, row_of, homes, seed)
    others = {
        name: _figures(table) | _learning(table)
        for name, table in tables.items()
        if name != "leadlab"
    }
    counts = {
        "leads": len(everyone),
        "train_deeds": int(known.sum()),
        "test_leads": int((tables["leadlab"]["after"] == HEADLINE).sum()),
        "learning_leads": int(tables["leadlab"]["learning"].sum() // len(AFTER)),
        "homes": len(homes),
        **ranker.counts_,
    }
    return Evaluation("brokerage_matching", PROTOCOL, seed, ours, best_of(others), others, counts)


def _first_of_each(log: EventLog) -> I64:
    """Moment of each lead's first event, by code; the log is in order of time."""
    _, first = np.unique(log.lead.codes, return_index=True)
    return np.asarray(log.at_us[first], np.int64)


def _arrivals(log: EventLog, done: Deeds) -> I64:
    """Moment of the first event of each lead of `done`."""
    moment = dict(
        zip(np.unique(log.lead.codes).tolist(), _first_of_each(log).tolist(), strict=True)
    )
    return np.array([moment[log.lead.index[str(name)]] for name in done.leads], np.int64)


def _cases(done: Deeds, is_test: NDArray[np.bool_], wants: dict[str, Preferences]) -> list[Case]:
    found = []
    for lead, rows in enumerate(done.by_lead()):
        if not is_test[lead] or len(rows) < HEADLINE:
            continue
        for after in AFTER if len(rows) >= max(AFTER) else (HEADLINE,):
            past, later = rows[:after], rows[after:]
            moment = int(done.at_us[later[0]] if len(later) else done.at_us[past[-1]] + 1)
            taste = Taste.of(done.home[past], done.weight[past])
            stated = wants.get(str(done.leads[lead]), Preferences())
            found.append(Case(lead, after, Buyer(stated, taste, moment), done.take(later)))
    return found


def _hidden_grades(appeal: F64) -> I64:
    place = np.argsort(np.argsort(-appeal, axis=1, kind="stable"), axis=1, kind="stable")
    grade = np.zeros(appeal.shape, np.int64)
    for share, value in GRADES:
        grade = np.maximum(grade, np.where(place < share * appeal.shape[1], value, 0))
    return grade


def _orders(
    case: Case, homes: Catalogue, ranker: Ranker, popularity: Popularity, seed: int
) -> dict[str, I64]:
    """The order of homes that each way of ranking gives; ties by chance."""
    rng = np.random.default_rng([seed, case.lead])
    shuffled = rng.permutation(len(homes))
    standing = ranker.standing(case.buyer, homes)
    fit = np.nan_to_num(standing.scores.fit, nan=0.0)
    popular = popularity.as_of(case.buyer.at_us)

    def by(score: NDArray[np.float32]) -> I64:
        return np.asarray(shuffled[np.argsort(-score[shuffled], kind="stable")])

    return {
        "leadlab": ranker.rank(case.buyer, homes),
        "first stage": by(standing.first),
        "popularity": by(popular),
        "content": by(fit),
        "content, popularity": by(fit + popular / (1 + popular.max()) / 1e3),
        "random": shuffled,
    }


def _judged(
    cases: list[Case], orders: list[I64], grades: I64, row_of: dict[int, int]
) -> pd.DataFrame:
    """NDCG@10 of each case: ``lead``, ``after``, ``hidden``, ``later``, ``learning``."""
    rows = []
    many = {case.lead for case in cases if case.after == max(AFTER)}
    for case, order in zip(cases, orders, strict=True):
        later = np.zeros(grades.shape[1], np.int64)
        strong = np.where(case.later.grade >= 2, case.later.grade, 0)
        np.maximum.at(later, case.later.home, strong)
        hidden = ndcg(order, grades[row_of[case.lead]])
        rows.append((case.lead, case.after, hidden, ndcg(order, later), case.lead in many))
    return pd.DataFrame(rows, columns=["lead", "after", "hidden", "later", "learning"])


def _figures(table: pd.DataFrame) -> dict[str, float]:
    head = table[table["after"] == HEADLINE]
    return {"ndcg10_hidden": float(head["hidden"].mean()),
            "ndcg10_later": float(head["later"].mean())}  # fmt: skip


def _learning(table: pd.DataFrame) -> dict[str, float]:
    own = table[table["learning"]]
    found = {}
    for after in AFTER:
        one = own[own["after"] == after]
        found[f"ndcg10_hidden_after_{after}"] = float(one["hidden"].mean())
        found[f"ndcg10_later_after_{after}"] = float(one["later"].mean())
    return found


def _beside(
    ours: pd.DataFrame, popular: pd.DataFrame, content: pd.DataFrame, seed: int
) -> dict[str, float]:
    """Ratio to popularity and difference to content, with bootstrap intervals over leads."""
    rows = (ours["after"] == HEADLINE).to_numpy()
    rng = np.random.default_rng(seed)
    found = {}
    for what in ("hidden", "later"):
        one, two, three = (t.loc[rows, what].to_numpy() for t in (ours, popular, content))
        known = ~np.isnan(one)
        one, two, three = one[known], two[known], three[known]
        draw = rng.integers(0, len(one), (500, len(one)))
        ratio = _over(one[draw].mean(axis=1), two[draw].mean(axis=1))
        more = (one - three)[draw].mean(axis=1)
        found[f"{what}_over_popularity"] = float(_over(one.mean(), two.mean()))
        low, high = np.nanpercentile(ratio, [2.5, 97.5]) if two.any() else (np.nan, np.nan)
        found |= {f"{what}_over_popularity_low": float(low),
                  f"{what}_over_popularity_high": float(high)}  # fmt: skip
        found[f"{what}_above_content"] = float((one - three).mean())
        low, high = np.percentile(more, [2.5, 97.5])
        found |= {f"{what}_above_content_low": float(low),
                  f"{what}_above_content_high": float(high)}  # fmt: skip
    return found


def _over(top: F64 | np.float64, bottom: F64 | np.float64) -> F64:
    """A ratio; NaN where there is nothing to be so many times of."""
    return np.asarray(top / np.where(np.asarray(bottom) > 0, bottom, np.nan))


def _exposures(
    cases: list[Case],
    orders: list[dict[str, I64]],
    appeal: F64,
    row_of: dict[int, int],
    homes: Catalogue,
    seed: int,
) -> dict[str, float]:
    asked = [i for i, case in enumerate(cases) if case.after == HEADLINE][:AUDITED]
    lists = {
        "exposure": [orders[i]["leadlab"][:SHOWN] for i in asked],
        "exposure_truth": [
            np.argsort(-appeal[row_of[cases[i].lead]], kind="stable")[:SHOWN] for i in asked
        ],
    }
    found = {}
    for name, shown in lists.items():
        audited = audit_exposure(shown, homes, resamples=40, seed=seed)
        found[f"{name}_least_ratio"] = float(audited.figures["ratio"].min())
        found[f"{name}_alarms"] = float(len(audited.alarms))
    return found
