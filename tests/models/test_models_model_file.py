from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from leadlab.errors import BadInput, BrokenFile, NotFitted
from leadlab.features import FeatureSet, count, events, recency
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.model_file import About, fingerprint, load_model, save_model
from leadlab.models.matrix import matrix

VISIT = events("Visit", noun="visit")


@pytest.fixture(scope="module")
def trained():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2)).astype(np.float32)
    y = (rng.random(300) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    model = ConversionModel(rounds=30, seed=5).fit(X, y, validation=0.2)
    return model, X, y


def about(X, y):
    return About(
        features=FeatureSet([count(VISIT, "7d"), recency(VISIT)]).to_json(),
        converted=("Closed",),
        ended=("Lost",),
        horizon_days=30.0,
        seed=5,
        fingerprint=fingerprint(matrix(X), y),
        metrics={"pr_auc": 0.4, "lift": None},
        trained_at="2026-01-01T00:00:00Z",
    )


def test_a_model_comes_back_whole(trained, tmp_path):
    model, X, y = trained
    X = X.copy()
    X[::7, 1] = np.nan
    path = save_model(tmp_path / "deep" / "m.leadlab", model, about(X, y))
    again, told = load_model(path)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.get_params() == model.get_params()
    assert again.best_iteration_ == model.best_iteration_
    assert again.feature_names_in_.tolist() == model.feature_names_in_.tolist()
    assert told.converted == ("Closed",)
    assert told.horizon_days == 30.0
    assert told.metrics == {"pr_auc": 0.4, "lift": None}
    assert told.versions["xgboost"]
    assert FeatureSet.from_json(told.features).names == ["visit_count_7d", "visit_recency"]
    second = save_model(tmp_path / "n.leadlab", again, told)
    assert second.read_bytes() == path.read_bytes()


def test_a_file_cut_anywhere_is_broken(trained, tmp_path):
    model, X, y = trained
    whole = save_model(tmp_path / "m.leadlab", model, about(X, y)).read_bytes()
    cut = tmp_path / "cut.leadlab"
    for tenth in range(10):
        cut.write_bytes(whole[: len(whole) * tenth // 10])
        with pytest.raises(BrokenFile, match=r"cut\.leadlab"):
            load_model(cut)
    cut.write_bytes(whole[:-1])
    with pytest.raises(BrokenFile):
        load_model(cut)


def test_one_flipped_byte_never_changes_a_prediction(trained, tmp_path):
    model, X, y = trained
    whole = save_model(tmp_path / "m.leadlab", model, about(X, y)).read_bytes()
    spoilt = tmp_path / "spoilt.leadlab"
    refused = 0
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        spoilt.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            again, _ = load_model(spoilt)
        except BrokenFile:
            refused += 1
        else:
            assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert refused > 100


def rezipped(whole, change):
    members = {}
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update({"about.json": m["about.json"].replace(b"30.0", b"31.0")}),
        lambda m: m.pop("model.ubj"),
        lambda m: m.pop("checksums.json"),
        lambda m: m.update({"extra.py": b"print()"}),
        lambda m: m.update({"checksums.json": b"[]"}),
        lambda m: m.update({"about.json": b"{}", "checksums.json": json.dumps({}).encode()}),
    ],
)
def test_a_well_formed_zip_with_other_content_is_broken(trained, tmp_path, change):
    model, X, y = trained
    whole = save_model(tmp_path / "m.leadlab", model, about(X, y)).read_bytes()
    spoilt = tmp_path / "spoilt.leadlab"
    spoilt.write_bytes(rezipped(whole, change))
    with pytest.raises(BrokenFile):
        load_model(spoilt)


def test_missing_and_foreign_files_are_named(tmp_path):
    with pytest.raises(BrokenFile, match="no such model file"):
        load_model(tmp_path / "none.leadlab")
    (tmp_path / "text.leadlab").write_text("hello")
    with pytest.raises(BrokenFile, match="another kind"):
        load_model(tmp_path / "text.leadlab")
    with pytest.raises(BrokenFile):
        load_model(tmp_path)


def test_what_cannot_be_saved_leaves_no_file(trained, tmp_path):
    model, *_ = trained
    with pytest.raises(NotFitted):
        save_model(tmp_path / "a.leadlab", ConversionModel())
    with pytest.raises(BadInput, match="plain"):
        save_model(tmp_path / "b.leadlab", model, About(notes={"x": object()}))
    with pytest.raises(BadInput, match="plain"):
        save_model(tmp_path / "b.leadlab", model, About(metrics={"x": float("nan")}))
    assert list(tmp_path.iterdir()) == []


def test_the_fingerprint_sees_names_values_and_labels(trained):
    _, X, y = trained
    one = fingerprint(matrix(X), y)
    assert one == fingerprint(matrix(X.copy()), y.astype(float))
    other = X.copy()
    other[3, 1] += 1e-3
    assert one != fingerprint(matrix(other), y)
    assert one != fingerprint(matrix(X), 1 - y)
    assert one != fingerprint(matrix(X)._replace(names=("a", "b")), y)
