"""Readers of house sales: by hand on tiny files, and the published ones."""

from __future__ import annotations

import pandas as pd
import pytest

from leadlab.data import ames, king_county, load
from leadlab.errors import BrokenFile, DataUnavailable


def written(tmp_path, columns, **values):
    file = tmp_path / "sales.csv"
    pd.DataFrame([{**dict.fromkeys(columns, 1), **values}]).to_csv(file, index=False)
    return file


def test_king_county_keeps_leading_zeros_and_no_renovation_is_unknown(tmp_path):
    day = {"id": "0000120", "zipcode": "00981", "date": "20150101T000000", "yr_renovated": 0}
    sale = king_county.read(written(tmp_path, king_county.NAMES, **day)).iloc[0]
    assert (sale["parcel_number"], sale["postal_code"]) == ("0000120", "00981")
    assert pd.isna(sale["year_renovated"])
    assert sale["close_date"] == pd.Timestamp("2015-01-01")
    with pytest.raises(BrokenFile, match="a date"):
        king_county.read(written(tmp_path, king_county.NAMES, **(day | {"date": "soon"})))
    with pytest.raises(BrokenFile, match="no column price"):
        king_county.read(written(tmp_path, [n for n in king_county.NAMES if n != "price"], **day))
    with pytest.raises(DataUnavailable):
        king_county.read(tmp_path / "none.csv")


def test_ames_na_is_a_category_and_blank_is_not(tmp_path):
    columns = [*ames.NAMES, *ames.SOLD]
    given = {"PID": "0012", "Yr Sold": 2008, "Mo Sold": 12, "Alley": "NA", "Fence": ""}
    rated = {"Pool QC": "NA", "Exter Qual": "Ex"}
    sale = ames.read(written(tmp_path, columns, **given, **rated)).iloc[0]
    assert (sale["parcel_number"], sale["alley"]) == ("0012", "NA")
    assert pd.isna(sale["fence"])
    assert (sale["pool_qc"], sale["exter_qual"]) == ("NA", 5)
    assert sale["close_date"] == pd.Timestamp("2008-12-01")
    with pytest.raises(BrokenFile, match="a month"):
        ames.read(written(tmp_path, columns, **(given | {"Mo Sold": 13})))


@pytest.mark.data
def test_published_sales():
    king, iowa = load("king_county"), load("ames")
    assert (len(king), len(iowa)) == (21_613, 2_930)
    assert int((king["close_date"] >= "2015-04-01").sum()) == 2_877
    assert king["bedrooms_total"].max() == 33
    assert int(iowa["latitude"].notna().sum()) == 2_918
    assert (iowa["alley"] == "NA").sum() > 2_000
    for sales in (king, iowa):
        assert sales["listing_key"].is_unique
        assert sales["close_date"].is_monotonic_increasing
