"""What is believed of each action in each situation: a declared prior, then what was observed.

A logged recommendation was drawn with known propensities, so it is a small experiment. A record in
which action a or waiting was drawn gives a, against waiting, the score

    s = 1[a drawn] (y - m) / p - 1[waited] (y - m) / (1 - p),   p = p(a) / (p(a) + p(wait))

with y the outcome and m the mean outcome of earlier records. Its expectation is the effect whatever
m is, as both had a chance; its variance is at most about 1 / (4 p (1 - p)). The prior is
normal, so the belief is the precision-weighted mean of prior and scores. The effect is that of the
recommendation: whether the team acted on it is part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from leadlab.errors import BadInput
from leadlab.models.actions.catalogue import WAIT, Action, Catalogue
from leadlab.models.actions.recommendation import Recommendation

Z90 = 1.6448536269514722
"""Standard deviations to either end of a 90% interval."""
LARGEST_VARIANCE = 0.25
"""Of an outcome of 0 or 1."""


@dataclass(frozen=True, slots=True)
class Belief:
    """A normal belief of an effect.

    Attributes
    ----------
    mean, sd : float
        Change of the outcome's probability against waiting.
    n : int
        Records that tell of it: the action or waiting was recommended while both were open.
    """

    mean: float
    sd: float
    n: int = 0

    @property
    def basis(self) -> str:
        """What it rests on."""
        return f"learned, n={self.n}" if self.n else "prior"

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the central 90%, within -1 and 1."""
        return max(-1.0, self.mean - Z90 * self.sd), min(1.0, self.mean + Z90 * self.sd)

    def observed(self, score: float, variance: float) -> Belief:
        """The belief after one more score of known variance.

        Examples
        --------
        >>> Belief(0.0, 1.0).observed(1.0, 1.0)
        Belief(mean=0.5, sd=0.7071067811865476, n=1)
        """
        if self.sd == 0:
            return replace(self, n=self.n + 1)
        held, told = self.sd**-2, 1 / variance
        mean = (held * self.mean + told * score) / (held + told)
        return Belief(mean, (held + told) ** -0.5, self.n + 1)


@dataclass(frozen=True)
class Beliefs:
    """Beliefs by action and situation; where nothing was observed the catalogue's prior.

    Examples
    --------
    >>> from leadlab.models.actions.catalogue import catalogue
    >>> known = Beliefs(catalogue())
    >>> found = known.of(catalogue()["call now"], "no answer yet")
    >>> found.mean, found.basis
    (0.25, 'prior')
    """

    catalogue: Catalogue
    learned: Mapping[tuple[str, str], Belief] = field(default_factory=dict)

    def of(self, action: Action, situation: str) -> Belief:
        """What is believed of an action in a situation."""
        key = action.name, situation
        return self.learned.get(key) or Belief(action.believed(situation), action.prior.sd)


def learn(catalogue: Catalogue, seen: Iterable[tuple[Recommendation, float]]) -> Beliefs:
    """Update the priors by recommendations whose outcome is known.

    Parameters
    ----------
    catalogue : Catalogue
        Actions and situations that it no longer has are passed over.
    seen : iterable of (Recommendation, float)
        In order of time, with outcomes 0 or 1; see `leadlab.models.actions.recommendation.settled`.

    Raises
    ------
    BadInput
        If an outcome is neither 0 nor 1.

    Examples
    --------
    >>> from leadlab.models.actions.catalogue import catalogue as table
    >>> learn(table(), []).learned
    {}
    """
    found = Beliefs(catalogue)
    learned: dict[tuple[str, str], Belief] = {}
    rates: dict[str, tuple[float, int]] = {}
    for one, y in seen:
        if y not in (0, 1):
            raise BadInput("an outcome is 0 or 1", where=f"lead {one.lead}", got=y)
        total, n = rates.get(one.situation, (catalogue.terms.outcome_rate, 1))
        for action in catalogue.action:
            told = _score(one, action.name, y - total / n)
            if told is None:
                continue
            key = action.name, one.situation
            before = learned.get(key) or found.of(action, one.situation)
            learned[key] = before.observed(*told)
        rates[one.situation] = total + y, n + 1
    return Beliefs(catalogue, learned)


def _score(one: Recommendation, action: str, surprise: float) -> tuple[float, float] | None:
    """Score and its variance; None where the record says nothing of the action."""
    if action == WAIT or one.action not in (action, WAIT):
        return None
    own, idle = one.eligible.get(action, 0.0), one.eligible.get(WAIT, 0.0)
    if own <= 0 or idle <= 0:
        return None
    p = own / (own + idle)
    score = surprise / p if one.action == action else -surprise / (1 - p)
    return score, LARGEST_VARIANCE / (p * (1 - p))
