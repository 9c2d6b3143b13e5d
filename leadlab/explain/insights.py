"""Typed insights on a lead: what handlers of this package and of others see in what is known.

A package registers a callable by entry point. It gets all that is known of the lead at the moment
and gives findings; or, in the older form with two arguments, it gets the scores and a row and gives
sentences::

    [project.entry-points."leadlab.insights"]
    budget = "my_package.insights:budget"

    def budget(known):
        if known.value("price_drift_7d") < -50_000:
            yield Finding("budget", "Looks at far lower prices.", 60.0, 1.0, focus="Ask why.")
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from leadlab.errors import BadInput, BrokenPlugin, LeadlabError
from leadlab.explain.finding import Evidence, Finding
from leadlab.explain.known import Conversation, Known, known_of
from leadlab.explain.scores import Scores
from leadlab.models.files.plugins import OWN, Fence, Plugin, load_plugin, plugin, plugins
from leadlab.models.health.health import Healths
from leadlab.schema.log import EventLog

GROUP = "leadlab.insights"
MOST = 20
"""What one handler may add to a score."""
NOTE = "note"
"""Sort of a bare sentence, which says nothing of its priority."""
_BUILT_IN = {
    "pressing": ("urgency", "offer_waiting", "hot_opportunity"),
    "risks": ("churn_risk", "cooling", "displeased", "no_mail"),
    "steps": ("showing_follow_up", "showing_cancelled", "referral"),
    "talk": ("objection", "competitor_threat", "unanswered_question", "price_negotiation"),
}


@dataclass(frozen=True, slots=True)
class Insight:
    """One finding, and who says it.

    Attributes
    ----------
    text : str
    handler : str
        Name of the entry point.
    package : str
        Who says it.
    kind : str
        "urgency", "churn risk", ...; "note" for a bare sentence.
    priority : float
        0 to 100; 0 for a bare sentence.
    confidence : float
        0 to 1; NaN for a bare sentence, which says nothing of it.
    evidence : tuple of Evidence
    focus : str
    """

    text: str
    handler: str
    package: str
    kind: str = NOTE
    priority: float = 0.0
    confidence: float = float("nan")
    evidence: tuple[Evidence, ...] = ()
    focus: str = ""


@dataclass(frozen=True, slots=True)
class Insights:
    """What the handlers said, and which of them were refused.

    Attributes
    ----------
    found : tuple of Insight
        Each thing once, the highest priority first.
    refused : tuple of BrokenPlugin
        One an entry point that could not be loaded, raised, or gave anything but findings and
        sentences.
    """

    found: tuple[Insight, ...]
    refused: tuple[BrokenPlugin, ...]


def insights(
    scores: Scores,
    row: int,
    *,
    health: Healths | None = None,
    events: EventLog | None = None,
    silence: Mapping[str, float | str] | None = None,
    conversation: Conversation | None = None,
) -> Insights:
    """What there is to know of one lead now; a broken handler silences only itself.

    Parameters
    ----------
    scores : Scores
        From `leadlab.explain.Scorer.score`.
    row : int
        Which lead.
    health : Healths, optional
        Of the same rows, from `leadlab.models.health.assess.assess_health`.
    events : EventLog, optional
        Only the lead's own up to the moment are looked at.
    silence : mapping, optional
        A row of `ChurnModel.predict`.
    conversation : Conversation, optional

    Raises
    ------
    BadInput
        If `health` is of other rows.
    """
    if health is not None and len(health) != len(scores):
        got, expected = len(health), len(scores)
        raise BadInput("health of other rows", where="health", got=got, expected=expected)
    known = known_of(
        scores, row, health=health, events=events, silence=silence, conversation=conversation
    )
    found: list[Insight] = []
    refused: list[BrokenPlugin] = []
    for name, choose in _handlers().items():
        try:
            handler = choose()
            found += [_insight(said, name, handler.package) for said in _said(handler, known)]
        except BrokenPlugin as error:
            refused.append(error)
    return Insights(tuple(_ranked(found)), tuple(refused))


def built_in() -> tuple[Plugin, ...]:
    """The handlers of this package, by name.

    Examples
    --------
    >>> [handler.name for handler in built_in()][:3]
    ['churn_risk', 'competitor_threat', 'cooling']
    """
    package = f"{OWN} {version(OWN)}"
    found = [
        Plugin(name, f"leadlab.explain.handlers.{module}:{name}", package)
        for module, names in _BUILT_IN.items()
        for name in names
    ]
    return tuple(sorted(found, key=lambda handler: handler.name))


def _handlers() -> dict[str, Callable[[], Plugin]]:
    """By name; a name of this package stays its own, as with all that is registered."""
    theirs = {one.name for one in plugins(GROUP)}
    found: dict[str, Callable[[], Plugin]] = {
        name: lambda name=name: plugin(GROUP, "insight handler", name)  # type: ignore[misc]
        for name in sorted(theirs)
    }
    return found | {one.name: lambda one=one: one for one in built_in()}


def _said(handler: Plugin, known: Known) -> list[Finding | str]:
    call = load_plugin(handler)
    with Fence("an insight handler failed", handler):
        try:
            return _checked(call, known)
        except LeadlabError as error:
            raise RuntimeError(f"{type(error).__name__}: {error}") from error


def _checked(call: Any, known: Known) -> list[Finding | str]:
    given = call(known.scores, known.row) if _takes_two(call) else call(known)
    if isinstance(given, str):
        raise TypeError("it gave one text instead of several sentences")
    said: list[Finding | str] = []
    for one in given:
        if isinstance(one, Finding):
            _check_evidence(one, known)
        elif not isinstance(one, str) or not one.strip():
            raise TypeError(f"it gave {one!r:.60} for a sentence or a finding")
        if len(said) == MOST:
            raise ValueError(f"it gave more than {MOST} sentences or findings")
        said.append(one)
    return said


def _takes_two(call: Any) -> bool:
    needed = [
        p
        for p in inspect.signature(call).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    return len(needed) == 2


def _check_evidence(one: Finding, known: Known) -> None:
    """Refuse events that the lead does not have, or not yet."""
    there = set() if known.events is None else set(map(str, known.events.id))
    for event in one.evidence:
        if event.at_us > known.as_of_us or event.id not in there:
            raise ValueError(f"it rests on event {event.id!r:.40}, which the lead did not have yet")


def _insight(said: Finding | str, name: str, package: str) -> Insight:
    if isinstance(said, str):
        return Insight(said.strip(), name, package)
    return Insight(
        said.text.strip(),
        name,
        package,
        said.kind,
        float(said.priority),
        float(said.confidence),
        said.evidence,
        said.focus,
    )


def _ranked(found: list[Insight]) -> list[Insight]:
    """By priority, then confidence; of those that say the same the first stays.

    Two say the same where sort and words agree; or where two handlers see the same sort of thing in
    the same events. What one handler says of several things in one event stays apart.
    """
    kept: list[Insight] = []
    words: set[tuple[str, str]] = set()
    grounds: dict[tuple[str, frozenset[str]], str] = {}
    for one in sorted(found, key=_place):
        said = one.kind, " ".join(one.text.lower().split())
        rests_on = one.kind, frozenset(event.id for event in one.evidence)
        elsewhere = bool(one.evidence) and grounds.get(rests_on, one.handler) != one.handler
        if said not in words and not elsewhere:
            kept.append(one)
            words.add(said)
            grounds.setdefault(rests_on, one.handler)
    return kept


def _place(one: Insight) -> tuple[float, float, str, str, str]:
    sure = 0.0 if math.isnan(one.confidence) else one.confidence
    return -one.priority, -sure, one.kind, one.handler, one.text
