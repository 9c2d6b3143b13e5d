"""Readers of lead tables: by hand on tiny files, and the published ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadlab.data import bank_marketing, load, olist_funnel, readers, telco, x_education
from leadlab.data.table import constants, copies
from leadlab.errors import BrokenFile, DataUnavailable

BANK = "30;admin.;cellular;may;261;1;{pdays};nonexistent;{y}"


def customers(tmp_path, rows):
    file = tmp_path / "telco.csv"
    pd.DataFrame(rows, columns=telco.COLUMNS).to_csv(file, index=False)
    return file


def calls(tmp_path, *rows):
    file = tmp_path / "bank.csv"
    file.write_text("\n".join([";".join(bank_marketing.COLUMNS), *rows]))
    return file


def funnel(tmp_path, leads, deals):
    names = olist_funnel.LEAD_COLUMNS, olist_funnel.DEAL_COLUMNS
    for rows, columns, file in zip(
        (leads, deals), names, (olist_funnel.LEADS, olist_funnel.DEALS), strict=True
    ):
        pd.DataFrame(rows, columns=columns).to_csv(tmp_path / file, index=False)
    return tmp_path


def test_telco_by_hand(tmp_path):
    rows = [
        ["a", 0, "Two year", 20.0, " ", "No"],
        ["b", 2, "One year", 9.5, "19", "Yes"],
        ["c", 2, "One year", 9.5, "19", "Yes"],
    ]
    table = telco.read(customers(tmp_path, rows))
    assert table.frame["TotalCharges"].isna().tolist() == [True, False, False]
    assert table.frame["Churn"].tolist() == [0, 1, 1]
    assert table.groups.tolist() == [0, 1, 1]
    assert "customerID" not in table.features
    with pytest.raises(BrokenFile, match="no number"):
        telco.read(customers(tmp_path, [["a", 0, "x", 2.0, "many", "No"]]))
    with pytest.raises(BrokenFile, match="other than Yes and No"):
        telco.read(customers(tmp_path, [["a", 0, "x", 2.0, "1", "Perhaps"]]))


def test_bank_marketing_by_hand(tmp_path):
    file = calls(tmp_path, BANK.format(pdays=999, y="no"), BANK.format(pdays=3, y="yes"))
    table = bank_marketing.read(file)
    assert table.frame["pdays"].isna().tolist() == [True, False]
    assert table.at.tolist() == [0, 1]
    assert "duration" in table.leaky
    assert "duration" not in table.features
    assert "duration" in table.why_leaky
    file.write_text(file.read_text().replace(";", ","))
    with pytest.raises(BrokenFile, match="no column"):
        bank_marketing.read(file)


def test_olist_by_hand(tmp_path):
    """Won in time, won late, never won, won before the day of contact, and not over yet."""
    leads = [
        ["late", "2018-01-02", "p", "social"],
        ["won", "2018-01-01", "p", None],
        ["never", "2018-01-03", "q", "email"],
        ["before", "2018-01-04", "q", "email"],
        ["edge", "2018-04-02", "q", "email"],
        ["open", "2018-04-03", "q", "email"],
    ]
    deals = [
        ["won", "2018-01-20 10:00:00", "pet", "online"],
        ["late", "2018-04-20 10:00:00", "pet", "online"],
        ["before", "2018-01-03 21:00:00", "pet", "online"],
        ["open", "2018-07-01 23:00:00", "pet", "online"],
    ]
    table = olist_funnel.read(funnel(tmp_path, leads, deals))
    assert table.frame["mql_id"].tolist() == ["won", "late", "never", "before", "edge"]
    assert table.frame["won_90d"].tolist() == [1, 0, 0, 1, 0]
    assert (table.known_at >= table.at).all()
    assert table.known_at[0] == np.datetime64("2018-01-20T10:00:00")
    assert table.known_at[1] == np.datetime64("2018-04-02")
    assert set(table.leaky) == {"won_date", "business_segment", "lead_type"}
    assert not set(table.leaky) & set(table.features)


def test_olist_refuses_what_is_not_it(tmp_path):
    lead, deal = ["a", "2018-01-01", "p", None], ["a", "2018-01-20 10:00:00", "pet", "online"]
    with pytest.raises(BrokenFile, match="twice"):
        olist_funnel.read(funnel(tmp_path, [lead, lead], [deal]))
    with pytest.raises(BrokenFile, match="twice"):
        olist_funnel.read(funnel(tmp_path, [lead], [deal, deal]))
    with pytest.raises(BrokenFile, match="no time"):
        olist_funnel.read(funnel(tmp_path, [["a", "soon", "p", None]], [deal]))
    with pytest.raises(DataUnavailable):
        olist_funnel.read(tmp_path / "elsewhere")
    with pytest.raises(BrokenFile):
        (tmp_path / olist_funnel.DEALS).write_bytes(b"")
        olist_funnel.read(tmp_path)


@pytest.mark.parametrize("reader", [telco, bank_marketing, x_education])
@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b'"' * 7, b"\xff\xfe\x00"])
def test_other_files_are_refused_by_name(tmp_path, reader, content):
    file = tmp_path / "other.csv"
    file.write_bytes(content)
    with pytest.raises(BrokenFile, match=r"other\.csv"):
        reader.read(file)
    with pytest.raises(DataUnavailable):
        reader.read(tmp_path / "none.csv")


def test_copies_and_constants_take_missing_for_a_value():
    frame = pd.DataFrame({"a": [1, 1, None, None], "b": ["x"] * 4, "c": [None] * 4})
    assert copies(frame).tolist() == [0, 0, 1, 1]
    assert constants(frame) == ("b", "c")


@pytest.mark.data
@pytest.mark.usefixtures("public_data")
@pytest.mark.parametrize(
    ("name", "rows", "ones", "columns"),
    [
        ("telco", 7043, 1869, 19),
        ("bank_marketing", 41188, 4640, 19),
        ("olist_funnel", 8000, 691, 3),
    ],
)
def test_the_published_tables(name, rows, ones, columns, monkeypatch, public_data):
    monkeypatch.setenv("LEADLAB_DATA_DIR", str(public_data))
    assert name in readers()
    table = load(name)
    assert len(table.frame) == rows
    assert table.frame[table.target].sum() == ones
    assert len(table.features) == columns
    assert len(table.groups) == rows
    if table.at is not None:
        assert (np.diff(table.at) >= np.zeros(1, np.diff(table.at).dtype)).all()
