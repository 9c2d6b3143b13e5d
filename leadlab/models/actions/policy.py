"""Ranked actions by expected uplift less cost, and one drawn by Thompson sampling.

Each belief is drawn from many times; an action's chance is the share of draws in which it is worth
most, mixed with a floor, so that every open action keeps being tried and every logged propensity is
known. The draws are seeded: the propensity that is logged is exactly the one that was drawn with.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlab.errors import BadInput, EmptyInput
from leadlab.models.actions.beliefs import Beliefs
from leadlab.models.actions.catalogue import Action
from leadlab.models.actions.eligibility import Contact, eligible
from leadlab.models.actions.recommendation import Recommendation
from leadlab.schema.fields import DEFAULT_TENANT

F64 = NDArray[np.float64]
DRAWS = 4_000


@dataclass(frozen=True, slots=True)
class Option:
    """An open action, as it is ranked.

    Attributes
    ----------
    action : Action
    uplift, low, high : float
        Expected change of the outcome's probability against waiting, and its 90% interval.
    cost_usd, net_usd : float
        Net is the uplift's worth less the cost.
    propensity : float
    basis : str
        "prior", or "learned, n=...".
    """

    action: Action
    uplift: float
    low: float
    high: float
    cost_usd: float
    net_usd: float
    propensity: float
    basis: str


def propensities(drawn: ArrayLike, floor: float, open_: ArrayLike | None = None) -> F64:
    """Chance of each action under Thompson sampling with a floor.

    ``p = floor + (1 - k floor) share``, where the share of draws won is split evenly among ties and
    k actions are open; 0 for those that are not.

    Parameters
    ----------
    drawn : array, shape (draws, ..., actions)
        Worth of each action in each draw of the belief.
    floor : float
        Least chance of an open action.
    open_ : bool array, shape (..., actions), optional
        All are open when not given.

    Returns
    -------
    float array, shape (..., actions)

    Raises
    ------
    EmptyInput
        If there is no draw, or a decision without an open action.
    BadInput
        If the floor exceeds 1 / k or a draw is not finite.

    Examples
    --------
    >>> propensities([[1.0, 0.0, 9.0], [0.0, 1.0, 9.0]], 0.1, [True, True, False]).tolist()
    [0.5, 0.5, 0.0]
    """
    worth = np.asarray(drawn, np.float64)
    if worth.ndim < 2 or not worth.size:
        raise EmptyInput("no draw of any action", where="drawn", got=worth.shape)
    shape = worth.shape[1:]
    fine = np.ones(shape, np.bool_) if open_ is None else np.asarray(open_, np.bool_)
    if fine.shape != shape or not np.isfinite(worth).all():
        raise BadInput("finite draws of the actions that may be open", got=f"{shape}, {fine.shape}")
    k = fine.sum(axis=-1, keepdims=True)
    if not k.all():
        raise EmptyInput("no action is open")
    if floor < 0 or (floor * k > 1).any():
        raise BadInput(
            "the floor leaves nothing to choose", where="floor", got=floor,
            expected=f"at most {1 / k.max():.3g}, as {k.max()} actions are open",
        )  # fmt: skip
    won = np.where(fine, worth, -np.inf)
    best = won == won.max(axis=-1, keepdims=True)
    share = (best / best.sum(axis=-1, keepdims=True)).mean(axis=0)
    return np.asarray(np.where(fine, floor + (1 - k * floor) * share, 0.0))


def recommend(
    beliefs: Beliefs,
    lead: str,
    at: dt.datetime,
    *,
    known: Mapping[str, float],
    contact: Contact,
    reasons: Sequence[str] = (),
    model: str = "none",
    tenant: str = DEFAULT_TENANT,
    seed: int = 0,
) -> tuple[list[Option], Recommendation]:
    """Rank the open actions and draw one.

    Parameters
    ----------
    beliefs : Beliefs
        From `leadlab.models.actions.beliefs.learn`, or ``Beliefs(catalogue)``.
    lead : str
    at : datetime
        With a zone.
    known : mapping of str to float
        Feature values as of `at`.
    contact : Contact
    reasons : sequence of str
        Why the lead is scored as it is; kept in the record.
    model, tenant : str
    seed : int
        The same seed, lead and moment give the same draw.

    Returns
    -------
    list of Option
        Open actions, highest net worth first.
    Recommendation
        The drawn one, with everything refused and why.

    Raises
    ------
    BadInput
        If `at` has no zone.

    Examples
    --------
    >>> from leadlab.models.actions.catalogue import catalogue
    >>> noon = dt.datetime(2026, 3, 2, 18, tzinfo=dt.UTC)
    >>> options, drawn = recommend(Beliefs(catalogue()), "ann", noon, known={}, contact=Contact())
    >>> [option.action.name for option in options], drawn.action, drawn.propensity
    (['wait'], 'wait', 1.0)
    """
    table = beliefs.catalogue
    fine, refused = eligible(table.action, contact, at, known)
    situation = table.situation_of(known)
    rng = _generator(seed, tenant, lead, at)
    held = [beliefs.of(action, situation) for action in fine]
    mean, sd = np.array([b.mean for b in held]), np.array([b.sd for b in held])
    cost = np.array([table.cost_usd(action) for action in fine])
    effects = mean + sd * rng.standard_normal((DRAWS, len(fine)))
    chances = propensities(table.terms.worth_usd * effects - cost, table.terms.floor)
    chances = chances / chances.sum()
    options = [
        Option(
            action, belief.mean, *belief.interval, float(c),
            table.terms.worth_usd * belief.mean - float(c), float(p), belief.basis,
        )
        for action, belief, c, p in zip(fine, held, cost, chances, strict=True)
    ]  # fmt: skip
    one = options[int(rng.choice(len(options), p=chances))]
    record = Recommendation(
        lead, at, one.action.name, one.propensity, one.uplift, one.low, one.high,
        {o.action.name: o.propensity for o in options}, tuple(refused), tuple(reasons), model,
        situation, one.basis, tenant,
    )  # fmt: skip
    return sorted(options, key=lambda o: -o.net_usd), record


def _generator(seed: int, tenant: str, lead: str, at: dt.datetime) -> np.random.Generator:
    """Random numbers that belong to one decision alone."""
    whole = json.dumps([seed, tenant, lead, at.astimezone(dt.UTC).isoformat()])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(whole.encode()).digest()[:16]))
