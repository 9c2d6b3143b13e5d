"""Messages mean what was planted, and a bag of their words does not give it away."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from leadlab.data.brokerage.draws import child, first_key
from leadlab.data.brokerage.messages import INTENTS, OBJECTIONS, Meant, meant
from leadlab.data.brokerage.texts import compose, phrases
from leadlab.errors import BadInput

N = 5_000


def written(half: int | None, n: int = N) -> tuple[list[str], Meant]:
    key = child(first_key(7, f"half {half}"), np.arange(n))
    said = meant(key, np.arange(n) % 6)
    return compose(key, said, half), said


@pytest.fixture(scope="module")
def halves() -> list[tuple[list[str], Meant]]:
    return [written(0), written(1)]


def accuracy(train: Labelled, test: Labelled) -> float:
    """Of a bag of words; the larger class of the test side is what chance reaches."""
    model = make_pipeline(CountVectorizer(min_df=2), LogisticRegression(max_iter=300))
    return float(model.fit(*train).score(*test))


Labelled = tuple[list[str], np.ndarray]


def intents(made: tuple[list[str], Meant]) -> Labelled:
    return made[0], made[1].intent


def clear_tone(made: tuple[list[str], Meant]) -> Labelled:
    """Only what is clearly cold or clearly warm, in equal numbers."""
    cold, warm = (np.flatnonzero(m) for m in (made[1].sentiment < -0.2, made[1].sentiment > 0.4))
    n = min(len(cold), len(warm))
    rows = np.concatenate([cold[:n], warm[:n]])
    return [made[0][i] for i in rows], np.repeat([0, 1], n)


def test_a_bag_of_words_does_not_solve_the_intent(halves) -> None:
    """Of twelve: 0.37 from the one half of phrases to the other (chance 0.12), 0.86 within all."""
    (texts, label), other = intents(halves[0]), intents(halves[1])
    chance = np.bincount(other[1]).max() / N
    assert 2 * chance < accuracy((texts, label), other) < 0.6
    texts, label = intents(written(None))
    cut = int(0.8 * N)
    assert 0.7 < accuracy((texts[:cut], label[:cut]), (texts[cut:], label[cut:])) < 0.93


def test_a_bag_of_words_does_not_solve_the_sentiment(halves) -> None:
    """Cold or warm, where it is clear: above a coin, well below certainty."""
    found = accuracy(clear_tone(halves[0]), clear_tone(halves[1]))
    assert 0.55 < found < 0.9


def test_halves_share_no_sentence_and_together_are_all() -> None:
    def lines(content: object) -> list[list[str]]:
        if isinstance(content, list):
            return [content]
        return [x for v in content.values() for x in lines(v)] if isinstance(content, dict) else []

    for found in lines(phrases()):
        assert len(set(found)) == len(found) >= 8
        assert not set(found[0::2]) & set(found[1::2])
    assert set(phrases()["intent"]) == set(INTENTS)
    assert set(phrases()["objection"]) == set(OBJECTIONS)


def test_texts_are_many_and_leave_no_slot_open() -> None:
    texts, said = written(None)
    assert len(set(texts)) > 0.97 * N
    assert not any("{" in text or "}" in text or text != text.strip() for text in texts)
    assert (said.objections.sum(axis=1) <= 2).all() and said.objections.any(axis=0).all()
    assert set(said.intent.tolist()) == set(range(len(INTENTS)))
    assert 15 < np.median([len(t) for t in texts]) < 250
    told = said.objections_told()
    assert all((o != "") == row.any() for o, row in zip(told, said.objections, strict=True))


def test_the_same_key_writes_the_same() -> None:
    assert written(None, 50)[0] == written(None, 50)[0]
    assert written(None, 80)[0][:50] == written(None, 50)[0]
    key = child(first_key(7, "x"), np.arange(2))
    with pytest.raises(BadInput, match="half"):
        compose(key, meant(key, np.zeros(2, int)), 2)
