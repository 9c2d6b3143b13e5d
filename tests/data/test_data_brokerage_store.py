"""A brokerage in a folder: written whole, read back the same, refused where it is not one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadlab.data.brokerage import Brokerage, read_brokerage, simulate
from leadlab.errors import BadInput, BrokenFile
from leadlab.schema import read_log


@pytest.fixture(scope="module")
def made() -> Brokerage:
    return simulate(150, 80, seed=4, texts=True, start="2026-02-03T04:05:06Z", tenant="acme")


def test_what_is_written_is_read_back(made: Brokerage, tmp_path: Path) -> None:
    again = read_brokerage(made.write(tmp_path / "made"))
    pd.testing.assert_frame_equal(made.log.to_frame(), again.log.to_frame())
    assert again.settings == made.settings
    lead, at_us = made.log.lead.values()[::5], made.log.at_us[::5]
    for ask in ("probability", "silence", "state"):
        given = (lead, at_us) if ask == "state" else (lead, at_us, 14.0)
        assert (getattr(made.truth, ask)(*given) == getattr(again.truth, ask)(*given)).all()
    for part in ("leads", "paths", "agents", "listings", "messages", "waiting"):
        one, two = getattr(made.truth, part), getattr(again.truth, part)
        pd.testing.assert_frame_equal(one, two, check_dtype=False)
    pd.testing.assert_frame_equal(made.listings, again.listings, check_dtype=False)
    assert "SIMULATED" in (tmp_path / "made" / "README.txt").read_text()


def test_the_log_itself_tells_nothing_of_the_truth(made: Brokerage, tmp_path: Path) -> None:
    folder = made.write(tmp_path / "made")
    assert len(read_log(folder / "log.parquet")) == len(made.log)
    assert "hidden_value" not in pd.read_parquet(folder / "listings.parquet")
    assert list(pd.read_parquet(folder / "agents.parquet")) == ["agent"]


def test_nothing_is_overwritten_unasked(made: Brokerage, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="--force"):
        made.write(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
    made.write(tmp_path, force=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(BadInput, match="not a folder"):
        made.write(tmp_path / "notes.txt")


@pytest.mark.parametrize("name", ["truth/paths.parquet", "listings.parquet", "log.parquet"])
def test_a_part_that_is_gone_or_cut_short_is_named(
    made: Brokerage, tmp_path: Path, name: str
) -> None:
    folder = made.write(tmp_path / "made")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(BrokenFile, match=Path(name).name):
        read_brokerage(folder)
    (folder / name).unlink()
    with pytest.raises((BrokenFile, BadInput), match=Path(name).name):
        read_brokerage(folder)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no simulated brokerage"):
        read_brokerage(tmp_path)
    for content in (
        "[]",
        "{",
        '{"n_leads": 3, "colour": 1}',
        '{"n_leads": 0, "days": 1, "seed": 0}',
    ):
        (tmp_path / "settings.json").write_text(content)
        with pytest.raises((BrokenFile, BadInput)):
            read_brokerage(tmp_path)


def test_messages_of_the_truth_are_those_of_the_log(made: Brokerage) -> None:
    frame = made.log.to_frame().set_index("id")
    planted = made.truth.messages.set_index("id")
    assert set(planted.index) == set(frame.index[frame["sentiment"].notna()])
    both = planted.join(frame[["text", "sentiment", "lead"]].add_suffix("_log"))
    assert (both["text"] == both["text_log"]).all() and (both["lead"] == both["lead_log"]).all()
    assert 0.85 < np.corrcoef(both["sentiment"], both["sentiment_log"])[0, 1] < 0.99
