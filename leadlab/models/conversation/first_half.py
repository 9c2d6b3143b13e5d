"""A negotiation at half time, in numbers: what was said and offered by then, and nothing later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadlab.models.conversation.acts import ActClassifier
from leadlab.models.conversation.negotiation import numbers
from leadlab.models.conversation.reader import ConversationReader
from leadlab.models.conversation.topics import OBJECTIONS

ROLES = ("buyer", "seller")
NEAR = (0.3, 1.6)
"""A number within these multiples of the list price is taken for a price."""
LENGTH = ("events", "messages_buyer", "messages_seller", "seconds")
"""Columns that tell how long the half was, and so how long the whole."""


def first_half(turns: pd.DataFrame) -> pd.DataFrame:
    """The first half of the events of each dialogue, rounded down, at least one.

    Messages, offers, acceptance, refusal and leaving all are events; what ends a dialogue of two
    events or more is never in its first half.

    Parameters
    ----------
    turns : DataFrame
        Columns ``dialogue_id`` and ``turn``, in order of both.

    Examples
    --------
    >>> rows = pd.DataFrame({"dialogue_id": list("aaaab"), "turn": [0, 1, 2, 3, 0]})
    >>> first_half(rows)["turn"].tolist()
    [0, 1, 0]
    """
    size = turns.groupby("dialogue_id")["turn"].transform("size")
    place = turns.groupby("dialogue_id").cumcount()
    return turns[place < np.maximum(size // 2, 1)].reset_index(drop=True)


def described(half: pd.DataFrame, reader: ConversationReader, acts: ActClassifier) -> pd.DataFrame:
    """One row a dialogue: columns of numbers, missing where nothing was said.

    Parameters
    ----------
    half : DataFrame
        From `first_half`; columns ``dialogue_id``, ``category``, ``list_price``, ``role``,
        ``action``, ``utterance``, ``offer_price``, ``time``. No other is read.
    reader : ConversationReader
        Fitted on texts that have nothing to do with these.
    acts : ActClassifier
        Fitted on other dialogues.

    Returns
    -------
    DataFrame, index ``dialogue_id``
    """
    said = half[half["action"] == "message"]
    texts = [str(text) for text in said["utterance"]]
    number = said.groupby("dialogue_id", sort=False).ngroup().tolist()
    told = pd.DataFrame(index=said.index)
    scores = reader.scores(texts)
    told["sentiment"], told["urgency"], told["buying"] = (
        scores.sentiment, scores.urgency, scores.buying,
    )  # fmt: skip
    for k, name in enumerate(OBJECTIONS):
        told[f"doubts {name}"] = scores.objections[:, k]
    shares = acts.shares(number, [_tokens(text) for text in texts])
    for act in shares:
        told[f"act {act}"] = shares[act].to_numpy()
    told[["dialogue_id", "role"]] = said[["dialogue_id", "role"]]
    values = [c for c in told if c not in ("dialogue_id", "role")]
    parts: list[pd.DataFrame | pd.Series[Any]] = [
        _wide(told.groupby(["dialogue_id", "role"])[values].mean(), "mean")
    ]
    last = told.groupby("dialogue_id")[values].last()
    parts.append(last.set_axis([f"last {c}" for c in last], axis=1))
    offers = pd.DataFrame(
        {name: _table_of(rows) for name, rows in half.groupby("dialogue_id", sort=False)}
    ).T.astype(np.float64)
    return offers.join(parts, how="left")


def _wide(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """One column a role and figure, both roles always there."""
    found: dict[str, pd.Series[Any]] = {}
    for role in ROLES:
        kept = frame[frame.index.get_level_values("role") == role].droplevel("role")
        found |= {f"{what} {name} {role}": kept[name] for name in kept}
    return pd.DataFrame(found)


def _tokens(text: str) -> str:
    """Spelling of the acts' table: lower case, signs apart."""
    return "".join(c if c.isalnum() or c in " $'" else f" {c} " for c in text.lower()).strip()


def _table_of(rows: pd.DataFrame) -> Mapping[str, float]:
    """What is on the table: prices of either side, as multiples of the list price."""
    listed = float(rows["list_price"].iloc[0])
    prices: dict[str, list[float]] = {role: [] for role in ROLES}
    for role, text, offer in zip(rows["role"], rows["utterance"], rows["offer_price"], strict=True):
        found = [offer] if offer == offer else numbers(text) if isinstance(text, str) else []
        shares = [value / listed for value in found] if listed > 0 else []
        prices[role] += [s for s in shares if NEAR[0] <= s <= NEAR[1]]
    buyer, seller = prices["buyer"], prices["seller"]
    roles = [str(role) for role in rows["role"]]
    messages = (rows["action"] == "message").to_numpy()
    row = {
        "list_price_log": float(np.log10(max(listed, 1.0))),
        "buyer_first": float(roles[0] == "buyer"),
        "formal_offer": float((rows["action"] == "offer").any()),
        "prices": float(len(buyer) + len(seller)),
        "gap": seller[-1] - buyer[-1] if buyer and seller else np.nan,
        "met": float(bool(set(buyer) & set(seller))),
        "events": float(len(rows)),
        "seconds": float(rows["time"].max() - rows["time"].min()),
    }
    for role, found in prices.items():
        mine = messages & np.array([r == role for r in roles])
        row |= _ends(role, found)
        row[f"messages_{role}"] = float(mine.sum())
        lengths = [len(str(t)) for t in rows["utterance"][mine]]
        row[f"letters_{role}"] = float(np.mean(lengths)) if lengths else np.nan
    for name in ("housing", "car", "bike", "phone", "furniture", "electronics"):
        row[f"is {name}"] = float(rows["category"].iloc[0] == name)
    return row


def _ends(role: str, found: Sequence[float]) -> dict[str, float]:
    moved = found[-1] - found[0] if found else np.nan
    return {
        f"first_{role}": found[0] if found else np.nan,
        f"last_{role}": found[-1] if found else np.nan,
        f"moved_{role}": moved,
    }
