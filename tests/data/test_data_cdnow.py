from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadlab.data.cdnow import HEAD, read
from leadlab.errors import BrokenFile, DataUnavailable

ROWS = [
    (" 00002 19970112  1   12.00", "00002", "1997-01-12", 1, 12.0),
    (" 00001 19970101  1   11.77", "00001", "1997-01-01", 1, 11.77),
    (" 00002 19970112  5   77.00", "00002", "1997-01-12", 5, 77.0),
    (" 00002 19970112  5   77.00", "00002", "1997-01-12", 5, 77.0),
]


def written(folder, lines):
    path = folder / "CDNOW_master.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("head", [[], [" ".join(HEAD)]])
def test_every_purchase_stays_also_equal_ones_of_one_day(tmp_path, head):
    log = read(written(tmp_path, [*head, *(row[0] for row in ROWS)]))
    frame = log.to_frame()
    assert len(log) == len(ROWS)
    assert log.repeated == 0
    assert set(log.kind.names) == {"Purchase"}
    found = sorted(zip(frame["lead"], frame["at"].dt.strftime("%Y-%m-%d"), frame["cds"],
                       frame["value"], strict=True))  # fmt: skip
    assert found == sorted(row[1:] for row in ROWS)
    assert frame["id"].is_unique
    again = read(written(tmp_path, [*head, *(row[0] for row in ROWS)]))
    pd.testing.assert_frame_equal(again.to_frame(), frame)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["00001 19970101 1"], "columns"),
        (["00001 19971301 1 11.77"], "line 1"),
        ([ROWS[0][0], "00001 19970101 one 11.77"], "line 2"),
        ([" ".join(HEAD), "00001 19970101 1 much"], "line 2"),
        ([], "cannot be read"),
    ],
)
def test_another_table_is_refused_with_its_line(tmp_path, lines, what):
    with pytest.raises(BrokenFile, match=what):
        read(written(tmp_path, lines))


def test_an_absent_file_is_said_to_be_absent(tmp_path):
    with pytest.raises(DataUnavailable, match="no such table"):
        read(tmp_path / "none.txt")


@pytest.mark.data
def test_the_published_file_is_read_whole(public_data):
    log = read(public_data / "cdnow" / "CDNOW_master.txt")
    assert (len(log), len(log.lead.names)) == (69_659, 23_570)
    assert log.value.sum() == pytest.approx(2_500_315.63, abs=0.01)
    first = np.unique(log.lead.codes, return_index=True)[1]
    assert log.at_us[first].max() < pd.Timestamp("1997-04-01", tz="UTC").value // 1000
