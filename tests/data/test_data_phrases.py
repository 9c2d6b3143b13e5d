"""Labelled texts keep to their part of the wording; public sets are taken only where they are."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest

from leadlab.config import Settings
from leadlab.data.craigslist import ACTS, TURNS, read
from leadlab.data.phrases.labelled import (
    COLUMNS,
    INTENTS,
    OBJECTIONS,
    PARTS,
    SAME,
    _cut,
    labelled_texts,
)
from leadlab.data.phrases.public import public_texts
from leadlab.errors import BadInput, BrokenFile, DataUnavailable


def test_parts_share_no_sentence_and_none_is_empty() -> None:
    parts = [_cut(part) for part in range(PARTS)]
    assert all(set(part) == set(parts[0]) for part in parts)
    for name in parts[0]:
        lists = [part[name] for part in parts]
        assert all(lists), name
        said = [line for some in lists for line in some]
        if not name.startswith("slots"):
            assert len(set(said)) == len(said), name


def test_every_slot_has_fillers_and_every_intent_phrases() -> None:
    text = files("leadlab.data.phrases").joinpath("talk.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    assert set(told["intent"]) | {"objection"} == set(INTENTS)
    assert set(told["objection"]) == set(OBJECTIONS)
    assert set(SAME.values()) <= set(INTENTS)


def test_texts_are_labelled_whole_and_repeatable() -> None:
    frame = labelled_texts(1_500, seed=3)
    assert list(frame) == list(COLUMNS) and len(frame) == 1_500
    assert set(frame["intent"]) == set(INTENTS)
    assert frame["sentiment"].between(-1, 1).all() and frame["urgency"].between(0, 1).all()
    raised = {kind for told in frame["objections"] for kind in told.split(",") if kind}
    assert raised == set(OBJECTIONS)
    assert not frame["text"].str.contains(r"[{}]").any()
    assert frame["text"].str.len().min() > 1
    pd.testing.assert_frame_equal(frame, labelled_texts(1_500, seed=3))
    assert not frame["text"].equals(labelled_texts(1_500, seed=4)["text"])
    assert frame["source"].value_counts().tolist() == [750, 750]
    doubts = frame[(frame["intent"] == "objection") & (frame["source"] == "talk")]
    assert (doubts["objections"] != "").all()


@pytest.mark.parametrize("parts", [(), (4,), (0, -1)])
def test_a_part_that_is_none_is_refused(parts) -> None:
    with pytest.raises(BadInput, match="part"):
        labelled_texts(10, parts=parts)


def test_public_sets_that_are_not_here_are_left_out(tmp_path: Path) -> None:
    found = public_texts(Settings(tmp_path))
    assert len(found) == 0 and list(found) == list(COLUMNS)


@pytest.mark.data
def test_public_sets_come_in_the_same_columns(public_data: Path, tmp_path: Path) -> None:
    found = public_texts(Settings(tmp_path, public_data), seed=1)
    assert list(found) == list(COLUMNS)
    felt, asked = (found[found["source"] == name] for name in ("sst2", "clinc150"))
    assert (len(felt), len(asked)) == (4_000, 1_000)
    assert felt["intent"].isna().all() and set(felt["sentiment"]) == {-0.6, 0.6}
    assert asked["sentiment"].isna().all() and set(asked["intent"]) == {INTENTS[-1]}
    assert found["objections"].isna().all()


def test_negotiations_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataUnavailable):
        read(tmp_path)
    (tmp_path / TURNS).write_bytes(b"no table")
    with pytest.raises(BrokenFile):
        read(tmp_path)
    pd.DataFrame({"split": ["dev"]}).to_parquet(tmp_path / TURNS)
    pd.DataFrame({"turn": [0]}).to_parquet(tmp_path / ACTS)
    with pytest.raises(BrokenFile, match="CraigslistBargain"):
        read(tmp_path)
