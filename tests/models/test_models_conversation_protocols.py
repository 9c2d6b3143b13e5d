"""The protocols of conversations: what they may know, and what their figures stand beside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadlab.data.craigslist import Negotiations, read
from leadlab.data.phrases.labelled import labelled_texts
from leadlab.errors import BadInput, EmptyInput, NotFitted
from leadlab.models.conversation.acts import ActClassifier
from leadlab.models.conversation.first_half import LENGTH, described, first_half
from leadlab.models.conversation.negotiation import numbers, on_the_table
from leadlab.models.conversation.reader import ConversationReader
from leadlab.models.protocols.conversation import TEST, TRAIN, evaluate_conversation
from leadlab.models.protocols.craigslist_acts import OBJECTION, evaluate_craigslist_acts
from leadlab.models.protocols.craigslist_deals import evaluate_craigslist_deals

LATER = ("outcome_reward", "final_price", "last_offer_price", "buyer_target", "seller_target")


@pytest.fixture(scope="module")
def reader() -> ConversationReader:
    return ConversationReader().fit(labelled_texts(400, seed=1))


@pytest.fixture(scope="module")
def acts() -> ActClassifier:
    said = ["hi there", "will you take 50", "no , 80", "ok deal", "how old is it ?"] * 6
    label = ["intro", "init-price", "counter-price", "agree", "inquire"] * 6
    return ActClassifier(least=1).fit(np.repeat(np.arange(6), 5), said, label)


def dialogue(name: str, events: list[tuple[str, str, str | None, float]], listed: float) -> dict:
    role, action, text, offer = zip(*events, strict=True)
    n = len(events)
    return {
        "dialogue_id": [name] * n, "turn": range(n), "role": role, "action": action,
        "utterance": text, "offer_price": offer, "list_price": listed, "category": "bike",
        "time": np.arange(n) * 30.0,
    }  # fmt: skip


NAN = float("nan")
EVENTS = [
    ("buyer", "message", "Hi, would you take 50?", NAN),
    ("seller", "message", "I want 80, it is new", NAN),
    ("buyer", "message", "ok 80 then", NAN),
    ("seller", "offer", None, 80.0),
    ("buyer", "accept", None, NAN),
]


def test_what_comes_later_cannot_change_the_first_half(reader, acts) -> None:
    one = pd.DataFrame(dialogue("a", EVENTS, 100.0))
    end = [*EVENTS[:2], ("buyer", "message", "forget it, 999 dollars", NAN),
           ("seller", "message", "terrible", NAN), ("buyer", "quit", None, NAN)]  # fmt: skip
    other = pd.DataFrame(dialogue("a", end, 100.0)).assign(outcome_reward=0, final_price=7.0)
    rows = [described(first_half(frame), reader, acts) for frame in (one, other)]
    pd.testing.assert_frame_equal(*rows)
    assert rows[0].loc["a", ["last_buyer", "last_seller", "gap"]].tolist() == pytest.approx(
        [0.5, 0.8, 0.3]
    )
    assert rows[0].loc["a", "events"] == 2 and set(LENGTH) <= set(rows[0])
    assert not set(rows[0]) & set(LATER)


def test_dialogues_do_not_touch_each_other(reader, acts) -> None:
    parts = [pd.DataFrame(dialogue(n, EVENTS[k:], 100.0)) for n, k in (("a", 0), ("b", 1))]
    both = described(first_half(pd.concat(parts, ignore_index=True)), reader, acts)
    for part in parts:
        alone = described(first_half(part), reader, acts)
        pd.testing.assert_frame_equal(
            both.loc[alone.index, list(alone)], alone, check_exact=False, rtol=1e-5
        )


def test_the_table_knows_only_what_was_said_before() -> None:
    said = ["hi", "50 ?", "no , 80", "50 , last word", "ok 80"]
    table = on_the_table([0] * 5, said)
    for cut in range(1, 5):
        pd.testing.assert_frame_equal(on_the_table([0] * cut, said[:cut]), table.iloc[:cut])
    assert table["own last"].tolist() == [0, 0, 0, 1, 1]
    assert table["other's last"].tolist() == [0, 0, 0, 0, 0]
    assert on_the_table([0, 0, 1], ["80", "80", "80"])["said before"].tolist() == [0, 1, 0]
    assert numbers("3,800 or 4k, no 1 , 200") == [3800.0, 4000.0, 1200.0]


def test_acts_need_something_to_learn_from() -> None:
    with pytest.raises(EmptyInput):
        ActClassifier().fit([], [], [])
    with pytest.raises(NotFitted):
        ActClassifier().predict([0], ["hi"])


def test_own_texts_are_judged_on_the_other_half_of_the_wording() -> None:
    frame = labelled_texts(800, seed=2)
    found = evaluate_conversation(frame)
    assert found.counts["train"] + found.counts["test"] == 800
    assert set(found.baselines_by_name) == {"majority", "rules"}
    assert found.metrics["intent_macro_f1"] > found.baselines_by_name["majority"]["intent_macro_f1"]
    assert found.metrics["sentiment_roc_auc"] > 0.7
    worst = max(f["objection_brier"] for f in found.baselines_by_name.values())
    assert found.baselines["objection_brier"] < worst
    with pytest.raises(BadInput, match="wording"):
        evaluate_conversation(frame[frame["wording"].isin(TRAIN)])
    assert not set(TRAIN) & set(TEST)


def test_a_split_that_is_missing_is_told(reader) -> None:
    acts = pd.DataFrame({"dialogue_no": [0], "turn": [0], "utterance": ["hi"], "intent": ["intro"],
                         "matched_split": ["dev"]})  # fmt: skip
    turns = pd.DataFrame(dialogue("a", EVENTS, 100.0)).assign(split="dev", outcome_reward=1)
    with pytest.raises(BadInput, match="split"):
        evaluate_craigslist_acts(Negotiations(turns, acts))
    with pytest.raises(BadInput, match="split"):
        evaluate_craigslist_deals(Negotiations(turns, acts), texts=labelled_texts(400, seed=1))


@pytest.mark.data
def test_negotiations_beat_their_baselines_on_a_part_of_them(public_data: Path) -> None:
    whole = read(public_data / "craigslist")
    assert (len(whole.turns), len(whole.acts)) == (14_552, 44_841)
    some = whole.acts[(whole.acts["dialogue_no"] % 16 == 0)]
    names = whole.turns["dialogue_id"].drop_duplicates()
    part = whole.turns[whole.turns["dialogue_id"].isin(names[::5])].reset_index(drop=True)
    few = Negotiations(part, some.reset_index(drop=True))
    acts = evaluate_craigslist_acts(few)
    rule = acts.baselines_by_name["keyword rule"]
    assert acts.metrics["objection_macro_f1"] > rule["objection_macro_f1"]
    assert acts.metrics["macro_f1"] > rule["macro_f1"]
    assert set(OBJECTION) <= set(some["intent"])
    deals = evaluate_craigslist_deals(few, texts=labelled_texts(400, seed=1))
    assert deals.metrics["roc_auc"] > deals.baselines_by_name["list price only"]["roc_auc"]
    assert 0.3 < deals.metrics["base_rate"] < 0.95
