"""Protocols on messages: what they may see, and that they find what is there, on small data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadlab.data import load
from leadlab.errors import BadInput
from leadlab.models.protocols.intents import evaluate_banking77, evaluate_clinc150
from leadlab.models.protocols.sgd_homes import asked_of, evaluate_sgd_homes
from leadlab.models.protocols.sst2 import evaluate_sst2, sentences_of


def requests(seed=0, rows=24):
    rng = np.random.default_rng(seed)
    says = {"card": ["my card is lost", "where is the card"], "pin": ["change my pin", "new pin"],
            "rate": ["what is the rate", "rates please"]}  # fmt: skip
    found = []
    for split in ("train", "validation", "test"):
        for intent, texts in says.items():
            for _ in range(rows):
                words = f"{rng.choice(['hi', 'so', 'well'])} {rng.choice(texts)}"
                found.append((split, words, intent))
        found += [(split, f"who won {n} goals yesterday", "oos") for n in range(5)]
    return pd.DataFrame(found, columns=["split", "text", "intent"])


def test_intents_are_found_and_strange_requests_refused():
    told = []
    found = evaluate_clinc150(requests(), tell=told.append)
    assert len(told) == 4
    assert found.metrics["in_scope_accuracy"] > 0.9
    assert found.metrics["oos_recall"] == 1.0
    assert found.counts["test_oos"] == 5
    assert found.to_json() == evaluate_clinc150(requests()).to_json()


def test_test_texts_and_strange_ones_train_nothing():
    """Other test labels, and other strange texts in train and validation: the same threshold."""
    frame = requests()
    first = evaluate_clinc150(frame).metrics
    strange = (frame["intent"] == "oos") & (frame["split"] != "test")
    other = frame.assign(text=frame["text"].mask(strange, "hi my card is lost"))
    second = evaluate_clinc150(other).metrics
    assert {n: v for n, v in first.items() if n != "validation_oos_recall"} == {
        n: v for n, v in second.items() if n != "validation_oos_recall"}  # fmt: skip
    assert (first["validation_oos_recall"], second["validation_oos_recall"]) == (1.0, 0.0)


def test_a_split_that_is_missing_is_told():
    frame = requests()
    with pytest.raises(BadInput, match="split"):
        evaluate_banking77(frame[frame["split"] != "test"])
    with pytest.raises(BadInput, match="split"):
        evaluate_clinc150(frame[frame["intent"] != "oos"])
    with pytest.raises(BadInput, match="split"):
        evaluate_sst2(pd.DataFrame({"split": ["dev"], "text": ["a"], "positive": [1]}))


def dialogues(n, split, seed=0):
    """The user's last words mean what the assistant asked, and nothing by themselves."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        visit = bool(rng.integers(0, 2))
        asked = "Shall I book a visit?" if visit else "Which city do you like?"
        after = "ScheduleVisit" if visit else "FindApartment"
        talk = [("USER", "I want a flat.", "FindApartment"), ("SYSTEM", asked, None),
                ("USER", str(rng.choice(["Yes please.", "Fine."])), after),
                ("SYSTEM", "Anything else?", None), ("USER", "No, thanks.", "NONE")]  # fmt: skip
        rows += [(split, str(i), turn, *one) for turn, one in enumerate(talk)]
    names = ["split", "dialogue_id", "turn", "speaker", "utterance", "active_intent"]
    return pd.DataFrame(rows, columns=names).assign(service="Homes_1")


OWN = pd.DataFrame(
    {
        "text": ["book a visit", "can I visit", "which city", "a flat", "thanks, no", "bye"] * 6,
        "intent": np.tile(np.repeat(["scheduling", "inquiry", "thanks/closing"], 2), 6),
    }
)


def test_an_answer_is_understood_from_what_was_asked():
    frame = pd.concat([dialogues(40, "train"), dialogues(20, "dev", seed=1)])
    found = evaluate_sgd_homes(frame, texts=OWN).metrics
    assert found["accuracy"] == 1.0
    assert found["own_turn_accuracy"] < 0.95
    assert found["transfer_with_turn_before_accuracy"] > found["own_turn_accuracy"] - 0.4


def test_nothing_said_later_and_no_other_dialogue_of_that_id_is_heard():
    frame = pd.concat([dialogues(3, "train"), dialogues(3, "dev", seed=5)])
    shuffled = frame.sample(frac=1, random_state=0)
    for asked, row in zip(asked_of(frame, "dev").before, range(9), strict=True):
        assert (asked == "") == (row % 3 == 0)
    one = asked_of(frame[frame["turn"] <= 2], "dev")
    whole = asked_of(frame, "dev")
    kept = [row for row in range(9) if row % 3 < 2]
    assert [whole.before[row] for row in kept] == one.before
    assert [whole.earlier[row] for row in kept] == one.earlier
    assert whole.earlier[2].count("?") == 1
    again = asked_of(shuffled, "dev")
    assert sorted(zip(again.said, again.before, again.earlier, strict=True)) == sorted(
        zip(whole.said, whole.before, whole.earlier, strict=True)
    )


def test_intents_of_earlier_turns_are_not_used():
    frame = dialogues(10, "dev")
    hidden = frame.assign(active_intent=frame["active_intent"].mask(frame["turn"] < 4, "NONE"))
    for mine, theirs in zip(asked_of(frame, "dev")[:3], asked_of(hidden, "dev")[:3], strict=True):
        assert mine == theirs


def test_phrases_go_with_their_sentence():
    texts = ["fine", "a very fine film", "very fine", "a fine bore", "fine film", "ne fil", "bore"]
    sentence, whole = sentences_of(texts)
    assert whole.tolist() == [False, True, False, True, False, True, False]
    assert len(set(sentence[[0, 1, 2, 4]])) == 1
    assert sentence[6] == sentence[3] != sentence[1] != sentence[5]


@pytest.mark.data
def test_sst2_on_a_part():
    frame = load("sst2")
    part = pd.concat([frame[frame["split"] == "train"].head(4000), frame[frame["split"] == "dev"]])
    found = evaluate_sst2(part)
    assert found.metrics["accuracy"] > 0.7
    assert found.metrics["ece"] < 0.1
    assert found.counts["sentences"] < 4000


@pytest.mark.data
def test_banking77_on_ten_intents():
    frame = load("banking77")
    some = sorted(frame["intent"].unique())[:10]
    found = evaluate_banking77(frame[frame["intent"].isin(some)])
    assert found.metrics["accuracy"] > 0.95
    assert found.metrics["accuracy"] > found.baselines["accuracy"]


@pytest.mark.data
def test_clinc150_on_twenty_intents():
    frame = load("clinc150")
    some = [*sorted(frame["intent"].unique())[:20], "oos"]
    found = evaluate_clinc150(frame[frame["intent"].isin(some)])
    assert found.metrics["in_scope_accuracy"] > 0.93
    assert found.metrics["oos_recall"] > 0.6


@pytest.mark.data
def test_sgd_homes_on_a_third():
    frame = load("sgd_homes")
    ids = frame.loc[frame["split"] == "train", "dialogue_id"].unique()[::3]
    found = evaluate_sgd_homes(
        frame[(frame["split"] == "dev") | frame["dialogue_id"].isin(ids)], texts=OWN
    )
    assert found.metrics["accuracy"] > 0.94
    assert found.metrics["accuracy"] > found.metrics["own_turn_accuracy"] + 0.03
