"""Contributions into reasons: grouped by what they are about, in short sentences.

A contribution is in log-odds and adds up exactly: base value plus all contributions is the score's
margin. A reason sums the contributions of one feature family, so what it claims is what the model
did; its sentence names the values that did most of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadlab.explain.column_scores import ColumnScores
from leadlab.explain.scores import Scores
from leadlab.explain.sentences import phrase
from leadlab.features.feature import Feature
from leadlab.schema.log import EventLog

_NAMED = 2
"""How many features a sentence names."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a score is as high, or as low, as it is.

    Attributes
    ----------
    text : str
        A sentence with values and units.
    family : str
        What it is about.
    effect : float
        Sum of the family's contributions, in log-odds; positive speaks for the outcome.
    features : tuple of str
        The family's features, strongest first.
    """

    text: str
    family: str
    effect: float
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What moved a score between two readings.

    Attributes
    ----------
    text : str
        Before and after.
    family : str
        What it is about.
    effect : float
        Change of the family's contribution, in log-odds.
    event : str or None
        Kind of the last event in between that the family counts; None where only time passed.
    """

    text: str
    family: str
    effect: float
    event: str | None


def reasons(scores: Scores | ColumnScores, row: int, top: int = 5) -> list[Reason]:
    """The strongest reasons of one score, strongest first.

    Parameters
    ----------
    scores : Scores or ColumnScores
        From `leadlab.explain.Scorer.score`, or of a table from `explain_classifier`; there each
        column is its own family, and effects are in `ColumnScores.unit`.
    row : int
        Which lead.
    top : int
        At most so many; families without effect are left out.
    """
    effects = scores.contributions[row]
    if isinstance(scores, ColumnScores):
        strongest = [j for j in np.argsort(-np.abs(effects), kind="stable") if effects[j] != 0.0]
        column = scores.names
        return [
            Reason(scores.phrase(row, j), column[j], float(effects[j]), (column[j],))
            for j in strongest[:top]
        ]
    found = []
    for family, members in _families(scores).items():
        effect = float(effects[members].sum())
        order = members[np.argsort(-np.abs(effects[members]), kind="stable")]
        if effect != 0.0:
            names = tuple(scores.table.names[j] for j in order)
            found.append(Reason(_sentence(scores, row, order, effect), family, effect, names))
    return sorted(found, key=lambda r: -abs(r.effect))[:top]


def changes(
    before: Scores, after: Scores, row: int, events: EventLog | None = None, top: int = 3
) -> list[Change]:
    """What moved the score of one lead between two readings, strongest first.

    Parameters
    ----------
    before, after : Scores
        The same leads in the same rows, by the same model.
    row : int
        Which lead.
    events : EventLog, optional
        Events that came in between, of this lead or of more; they are told apart here.
    top : int
        At most so many.
    """
    moved = after.contributions[row] - before.contributions[row]
    found = []
    for family, members in _families(after).items():
        effect = float(moved[members].sum())
        if abs(effect) < 1e-9:
            continue
        j = int(members[np.argmax(np.abs(moved[members]))])
        feature = after.table.features.features[j]
        was = phrase(feature, float(before.table.values[row, j]))
        now = phrase(feature, float(after.table.values[row, j]))
        text = now if was == now else f"{was}, now {_news(was, now)}"
        found.append(Change(text, family, effect, _cause(feature, before, after, row, events)))
    return sorted(found, key=lambda c: -abs(c.effect))[:top]


def _news(was: str, now: str) -> str:
    """What a phrase says that the one before did not, where both begin alike."""
    before, words = was.split(), now.split()
    same = 0
    while same < min(len(before), len(words)) - 1 and before[same] == words[same]:
        same += 1
    return " ".join(words[same:])


def _families(scores: Scores) -> dict[str, NDArray[np.int64]]:
    """Columns of each family."""
    members: dict[str, list[int]] = {}
    for j, feature in enumerate(scores.table.features):
        members.setdefault(feature.family, []).append(j)
    return {family: np.array(columns) for family, columns in members.items()}


def _sentence(scores: Scores, row: int, order: NDArray[np.int64], effect: float) -> str:
    """Name the values that did most of a family's work, a count together with its trend."""
    values, effects = scores.table.values[row], scores.contributions[row]
    features = scores.table.features.features
    said: list[str] = []
    used: set[int] = set()
    for j in order:
        if len(said) == _NAMED or int(j) in used or effects[j] * effect <= 0:
            continue
        other = _counterpart(features, int(j))
        if other is None:
            said.append(phrase(features[j], float(values[j])))
        else:
            counted, trend = (other, int(j)) if features[j].op == "trend" else (int(j), other)
            said.append(_with_trend(features, values, counted, trend))
            used.add(other)
        used.add(int(j))
    text = "; ".join(said)
    return text[:1].upper() + text[1:]


def _counterpart(features: tuple[Feature, ...], j: int) -> int | None:
    """The trend of a count, or the count of a trend, over the same window."""
    one = features[j]
    for i, other in enumerate(features):
        if one.op == "count" and other.op == "trend" and _same(other.parts[0], one):
            return i
        if one.op == "trend" and other.op == "count" and _same(one.parts[0], other):
            return i
    return None


def _same(a: Feature, b: Feature) -> bool:
    return (a.events, a.window_s) == (b.events, b.window_s)


def _with_trend(
    features: tuple[Feature, ...], values: NDArray[np.float32], counted: int, trend: int
) -> str:
    text = phrase(features[counted], float(values[counted]))
    x = float(values[trend])
    span = features[counted].label.rpartition(" in ")[2]
    if np.isnan(x):
        return text
    if x == 0:
        return f"{text}, as many as in the {span} before"
    return f"{text}, {abs(x):.0f} {'more' if x > 0 else 'fewer'} than in the {span} before"


def _cause(
    feature: Feature, before: Scores, after: Scores, row: int, events: EventLog | None
) -> str | None:
    """Kind of the last event in between that a feature counts."""
    if events is None or feature.op in ("hour", "weekday", "season"):
        return None
    lead = after.table.lead.values()[row]
    tenant = after.table.tenant.values()[row]
    between = (events.at_us > before.table.as_of_us[row]) & (
        events.at_us <= after.table.as_of_us[row]
    )
    own = (events.lead.codes == events.lead.index.get(lead, -2)) & (
        events.tenant.codes == events.tenant.index.get(tenant, -2)
    )
    kinds = _kinds(feature)
    for i in np.flatnonzero(between & own)[::-1]:
        kind = str(events.kind.names[events.kind.codes[i]])
        if not kinds or kind in kinds:
            return kind
    return None


def _kinds(feature: Feature) -> set[str]:
    """Kinds that a feature looks at; empty for every kind."""
    chosen = [feature.events] if feature.events else []
    if feature.number:
        chosen += [feature.number.events] + ([feature.number.after] if feature.number.after else [])
    kinds = [set(e.kinds) for e in chosen] + [_kinds(p) for p in feature.parts]
    return set().union(*kinds) if kinds and all(kinds) else set()
