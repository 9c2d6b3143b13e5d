"""Texts of our own: models trained on one half of the wording, judged on the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from leadlab.errors import BadInput
from leadlab.models.conversation.heads import CLEAR, TARGETS, TONES, labels_of
from leadlab.models.conversation.reader import ConversationReader
from leadlab.models.conversation.rules import by_rules
from leadlab.models.conversation.scores import Scores
from leadlab.models.conversation.topics import INTENTS, OBJECTIONS
from leadlab.models.metrics import brier, ece, roc_auc
from leadlab.models.protocols.evaluation import Evaluation

F64 = NDArray[np.float64]
Tell = Callable[[str], None]
TRAIN, TEST = (0, 2), (1, 3)
"""Parts of the wording on either side; no sentence and no filler is on both."""
SIZES = {"talk": "put together from talk.toml", "simulated": "as simulated leads write"}
PROTOCOL = (
    "Texts written by leadlab (none is real): half as simulated leads write, half from a second "
    "list of phrases. All phrases and fillers are cut into four parts; trained on parts 0 and 2, "
    "judged on parts 1 and 3, so that no sentence was seen. Intents are 10; tone is cold, even or"
    " warm by the planted sentiment, which many texts do not show; pressing is a planted urgency "
    "above 0.65; objections are 7 yes/no questions (means over them; objection_f1 at 0.5 is "
    "micro). Model: ConversationReader with its usual settings. Baselines: majority (of the "
    "training side; base rates as probabilities) and the rules' key words, which were written by "
    "the author of the phrases and of which the model knows all too. "
)


def evaluate_conversation(
    frame: pd.DataFrame, *, seed: int = 0, tell: Tell = lambda step: None
) -> Evaluation:
    """Run the protocol.

    Parameters
    ----------
    frame : DataFrame
        Labelled texts with their part of the ``wording`` and their ``source``; see
        `leadlab.models.conversation.heads.fit_heads`.
    seed : int
        The same seed gives the same figures.
    tell : callable
        Called with a few words at each step.

    Returns
    -------
    Evaluation

    Raises
    ------
    BadInput
        If a part of the wording is missing.
    """
    missing = set(TRAIN + TEST) - set(frame["wording"])
    if missing:
        raise BadInput("parts of the wording are missing", where="wording", got=sorted(missing))
    train = frame[frame["wording"].isin(TRAIN)].reset_index(drop=True)
    test = frame[frame["wording"].isin(TEST)].reset_index(drop=True)
    reader = ConversationReader(seed=seed).fit(train, tell)
    tell("judge")
    texts = test["text"].tolist()
    ours = figures(reader.scores(texts), test)
    simple = {
        "majority": figures(_majority(train, len(test)), test),
        "rules": figures(by_rules(texts), test),
    }
    counts = {"train": len(train), "test": len(test)}
    counts |= {f"test_{name}": int((test["source"] == name).sum()) for name in SIZES}
    return Evaluation("conversation", PROTOCOL, seed, ours, _best(simple), simple, counts)


def _best(simple: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The best figure of any baseline: the least of errors, else the highest."""
    one = next(iter(simple.values()))
    return {
        name: (min if name.endswith(("_brier", "_ece")) else max)(f[name] for f in simple.values())
        for name in one
    }


def figures(found: Scores, frame: pd.DataFrame) -> dict[str, float]:
    """What scores are worth, beside what was planted.

    Parameters
    ----------
    found : Scores
    frame : DataFrame
        Of the same texts.

    Returns
    -------
    dict
        ``intent_*``, ``tone_*``, ``sentiment_*``, ``pressing_*``, ``objection_*``; lower is better
        of ``*_brier`` and ``*_ece`` alone.
    """
    intent = frame["intent"].to_numpy(str)
    said = np.array(INTENTS)[found.intent.argmax(axis=1)]
    out = {
        "intent_accuracy": float(np.mean(said == intent)),
        "intent_macro_f1": float(f1_score(intent, said, average="macro", zero_division=0)),
        "intent_ece": ece(said == intent, found.intent.max(axis=1)),
    }
    for source in SIZES:
        rows = (frame["source"] == source).to_numpy()
        out[f"intent_accuracy_{source}"] = float(np.mean(said[rows] == intent[rows]))
    tone = np.array(labels_of(frame, "tone"), dtype=str)
    guess = np.array(TONES)[np.sign(np.where(abs(found.sentiment) > CLEAR, found.sentiment, 0))
                            .astype(int) + 1]  # fmt: skip
    clear = tone != "even"
    out |= {
        "tone_macro_f1": float(f1_score(tone, guess, average="macro", zero_division=0)),
        "sentiment_roc_auc": roc_auc(tone[clear] == "warm", (found.sentiment[clear] + 1) / 2),
    }
    out |= _two("pressing", labels_of(frame, "pressing").astype(bool), found.urgency)
    return out | _doubts(found.objections, frame)


def _two(name: str, y: NDArray[Any], p: F64) -> dict[str, float]:
    return {
        f"{name}_roc_auc": roc_auc(y, p),
        f"{name}_brier": brier(y, p),
        f"{name}_ece": ece(y, p),
    }


def _doubts(P: F64, frame: pd.DataFrame) -> dict[str, float]:
    truth = [labels_of(frame, name).astype(bool) for name in TARGETS[3:]]
    each = [_two("objection", y, P[:, k]) for k, y in enumerate(truth)]
    out = {name: float(np.mean([one[name] for one in each])) for name in each[0]}
    y, said = np.column_stack(truth), P >= 0.5
    out["objection_f1"] = float(f1_score(y.ravel(), said.ravel(), zero_division=0))
    return out | {f"objection_{k}_roc_auc": each[i]["objection_roc_auc"]
                  for i, k in enumerate(OBJECTIONS)}  # fmt: skip


def _majority(train: pd.DataFrame, n: int) -> Scores:
    """The most frequent answer of the training side, or its rate."""
    rates = train["intent"].value_counts(normalize=True).reindex(list(INTENTS), fill_value=0.0)
    tone = pd.Series(labels_of(train, "tone")).mode()[0]
    mood = float(TONES.index(tone) - 1)
    doubts: Mapping[str, float] = {
        k: float(labels_of(train, f"objection {k}").astype(float).mean()) for k in OBJECTIONS
    }
    pressing = float(labels_of(train, "pressing").astype(float).mean())
    return Scores(
        np.tile(rates.to_numpy(np.float64), (n, 1)),
        np.full(n, mood),
        np.ones(n),
        np.full(n, pressing),
        np.tile(list(doubts.values()), (n, 1)),
    )
