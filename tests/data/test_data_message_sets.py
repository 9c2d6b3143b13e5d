"""Readers of public sets of messages: by hand on tiny files, and the published ones."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from leadlab.data import banking77, clinc150, load, readers, sgd_homes, sst2
from leadlab.errors import BrokenFile, DataUnavailable

NAMES = ("banking77", "clinc150", "sst2", "sgd_homes")


def bank(folder, rows="text,category\nWhere?,card\n", known='["card", "pin"]'):
    for name in ("train.csv", "test.csv"):
        (folder / name).write_text(rows, encoding="utf-8")
    (folder / "categories.json").write_text(known)
    return folder


def test_banking77_by_hand(tmp_path):
    rows = 'text,category\n"My card, where?\nSoon?",card\nNA,pin\n'
    table = banking77.read(bank(tmp_path, rows))
    assert table["text"].tolist() == ["My card, where?\nSoon?", "NA"] * 2
    assert table["intent"].tolist() == ["card", "pin"] * 2
    with pytest.raises(BrokenFile, match="not listed"):
        banking77.read(bank(tmp_path, known='["pin"]'))
    with pytest.raises(BrokenFile, match="no column category"):
        banking77.read(bank(tmp_path, "text,kind\na,card\n"))
    with pytest.raises(BrokenFile, match="list of intents"):
        banking77.read(bank(tmp_path, known="[1"))
    (tmp_path / "categories.json").unlink()
    with pytest.raises(DataUnavailable):
        banking77.read(tmp_path)


def clinc(folder, **changed):
    rows = {name: [["hi", clinc150.OUTSIDE if "oos" in name else "greeting"]]
            for names in clinc150.PARTS.values() for name in names}  # fmt: skip
    (folder / clinc150.FILE).write_text(json.dumps(rows | changed))
    return folder


@pytest.mark.parametrize(
    "changed",
    [
        {"oos_val": None},
        {"val": [["hi"]]},
        {"val": [["hi", 3]]},
        {"val": [["hi", "oos"]]},
        {"oos_test": [["hi", "greeting"]]},
    ],
)
def test_clinc150_in_parts_is_refused(tmp_path, changed):
    with pytest.raises(BrokenFile, match="CLINC150"):
        clinc150.read(clinc(tmp_path, **changed))


def test_clinc150_by_hand(tmp_path):
    table = clinc150.read(clinc(tmp_path, test=[["null", "greeting"], ["", "bye"]]))
    assert table[table["split"] == "test"].to_numpy().tolist() == [
        ["test", "null", "greeting"], ["test", "", "bye"], ["test", "hi", "oos"]]  # fmt: skip
    (tmp_path / clinc150.FILE).write_text("{")
    with pytest.raises(BrokenFile, match="cannot be read"):
        clinc150.read(tmp_path)
    (tmp_path / clinc150.FILE).write_text("[]")
    with pytest.raises(BrokenFile, match="CLINC150"):
        clinc150.read(tmp_path)
    with pytest.raises(DataUnavailable):
        clinc150.read(tmp_path / "nowhere")


def test_sst2_by_hand(tmp_path):
    lines = 'sentence\tlabel\n"never stops 	0\nnull \t1\n'
    for name in sst2.FILES.values():
        (tmp_path / name).write_text(lines)
    table = sst2.read(tmp_path)
    assert table["text"].tolist() == ['"never stops', "null"] * 2
    assert table["positive"].tolist() == [0, 1] * 2
    (tmp_path / sst2.FILES["dev"]).write_text("sentence\tlabel\nfine\t2\n")
    with pytest.raises(BrokenFile, match="label other than 0 and 1"):
        sst2.read(tmp_path)


def turns(path, **changed):
    row = dict.fromkeys(sgd_homes.COLUMNS, "") | {
        "split": "dev", "dialogue_id": "1", "turn": 0, "speaker": "USER", "utterance": "A flat?",
        "service": "Homes_1", "active_intent": "FindApartment"}  # fmt: skip
    later = row | {"turn": 1, "speaker": "SYSTEM", "active_intent": None}
    pd.DataFrame([later, row | changed]).to_parquet(path)
    return path


def test_sgd_homes_by_hand(tmp_path):
    path = tmp_path / "turns.parquet"
    assert sgd_homes.read(turns(path))["turn"].tolist() == [0, 1]
    for changed in ({"active_intent": None}, {"speaker": "AGENT"}, {"utterance": None}):
        with pytest.raises(BrokenFile, match="SGD Homes"):
            sgd_homes.read(turns(path, **changed))
    pd.DataFrame({"split": ["dev"]}).to_parquet(path)
    with pytest.raises(BrokenFile, match="no column dialogue_id"):
        sgd_homes.read(path)
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(BrokenFile, match="cannot be read"):
        sgd_homes.read(path)
    with pytest.raises(DataUnavailable):
        sgd_homes.read(tmp_path / "nowhere")


@pytest.mark.data
def test_the_published_sets_have_their_published_sizes():
    assert set(NAMES) <= set(readers())
    sizes = {name: load(name)["split"].value_counts().to_dict() for name in NAMES}
    assert sizes["banking77"] == {"train": 10003, "test": 3080}
    assert sizes["clinc150"] == {"train": 15100, "validation": 3100, "test": 5500}
    assert sizes["sst2"] == {"train": 67349, "dev": 872}
    assert sizes["sgd_homes"] == {"train": 17235, "dev": 4108}
