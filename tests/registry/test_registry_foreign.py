"""Files that are corrupt, foreign, mixed up, newer or hostile are refused by name."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile

import pytest

from leadlab.errors import BrokenFile, NewerFormat, UnknownName
from leadlab.models.files.members import CHECKSUMS, sha256
from leadlab.models.files.model_file import load_model, read_model, save_model
from leadlab.registry import Registry
from leadlab.registry.sealed import seal
from tests.registry.conftest import AT, card, filled, fitted


@pytest.fixture
def kept(folder, model):
    filled(folder, model, 2)
    folder.promote("hot", 1, "champion", at=AT)
    return folder


def files(registry, number=1):
    version = registry.version("hot", number)
    base = registry.store.folder / "models/hot/files" / version.folder
    return {name: base / name for name in version.files}


def manifest(registry, number=1):
    return registry.store.folder / f"models/hot/versions/{number:06d}.json"


@pytest.mark.parametrize("name", ["model.ubj", "model.json", "about.json"])
@pytest.mark.parametrize("how", ["cut", "flipped", "gone", "empty", "longer"])
def test_a_file_that_is_not_what_was_written(kept, name, how):
    path = files(kept)[name]
    whole = path.read_bytes()
    spoilt = {
        "cut": whole[:-1],
        "flipped": whole[:9] + bytes([whole[9] ^ 1]) + whole[10:],
        "empty": b"",
        "longer": whole + b" ",
    }
    path.unlink() if how == "gone" else path.write_bytes(spoilt[how])
    with pytest.raises(BrokenFile, match=name):
        kept.load("hot")
    assert kept.load("hot", 2)
    (problem,) = kept.verify().problems
    assert name in problem
    with pytest.raises(BrokenFile):
        kept.promote("hot", 1, "challenger", at=AT)


def test_every_flipped_byte_of_a_manifest_is_seen(kept):
    path = manifest(kept)
    whole = path.read_bytes()
    known = kept.version("hot", 1)
    refused = 0
    for at in range(0, len(whole), 37):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 2]) + whole[at + 1 :])
        try:
            assert kept.version("hot", 1) == known
        except BrokenFile as error:
            refused += 1
            assert "000001.json" in str(error)
    assert refused > len(whole) / 37 * 0.7
    listed = kept.listed("hot")
    assert [one.version is None for one in listed] == [True, False]
    assert "000001.json" in listed[0].problem


def test_a_later_format_is_refused_with_both_numbers(kept, tmp_path, model):
    told = json.loads(manifest(kept).read_bytes())
    told["format"] = "leadlab-version/3"
    manifest(kept).write_text(json.dumps(told))
    with pytest.raises(NewerFormat, match=r"written by format 3, this reads up to 1.*Upgrade"):
        kept.load("hot")
    assert kept.load("hot", 2)
    log = kept.store.folder / "models/hot/decisions/000001.json"
    log.write_text(log.read_text().replace("leadlab-decision/1", "leadlab-decision/2"))
    with pytest.raises(NewerFormat):
        kept.history("hot")
    marker = kept.store.folder / "registry.json"
    marker.write_text(marker.read_text().replace("registry/1", "registry/9"))
    for ask in (lambda r: r.names(), lambda r: r.load("hot", 2), lambda r: r.listed()):
        with pytest.raises(NewerFormat, match="format 9"):
            ask(Registry(kept.address))
    with pytest.raises(NewerFormat, match="format 9"):
        Registry(kept.address).register("hot", *model, card=card(), created_at=AT)
    file = save_model(tmp_path / "m.leadlab", *model)
    members = contents(file)
    members["about.json"] = members["about.json"].replace(b"leadlab-model/2", b"leadlab-model/7")
    with pytest.raises(NewerFormat, match=r"m\.leadlab"):
        read_model(rezipped(file, members))


def test_files_of_another_version_are_not_mixed_in(kept):
    other, about = fitted(4, rounds=4)
    kept.register("hot", other, about, card=card(), created_at=AT)
    for name, path in files(kept, 3).items():
        shutil.copy(path, files(kept, 1)[name])
    with pytest.raises(BrokenFile):
        kept.load("hot", 1)
    shutil.copy(manifest(kept, 3), manifest(kept, 2))
    with pytest.raises(BrokenFile, match="another version"):
        kept.version("hot", 2)


def test_a_manifest_of_another_plan_than_its_files_is_refused(kept):
    version = kept.version("hot", 1)
    body = {**version.to_json(), "plan_hash": "0" * 64}
    manifest(kept).write_bytes(seal("leadlab-version", body))
    with pytest.raises(BrokenFile, match="different models"):
        kept.load("hot", 1)


def test_a_manifest_that_points_elsewhere_is_refused(kept, tmp_path):
    version = kept.version("hot", 1)
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" * 10)
    sums = {"sha256": sha256(b"x" * 10), "size_bytes": 10}
    for change in (
        {"files": {"../../../../secret": sums}},
        {"files": {str(secret): sums}},
        {"folder": "../../../.."},
        {"folder": ".."},
    ):
        manifest(kept).write_bytes(seal("leadlab-version", {**version.to_json(), **change}))
        with pytest.raises(BrokenFile):
            kept.load("hot", 1)


def test_links_and_devices_are_not_read(kept, tmp_path):
    path = files(kept)["about.json"]
    elsewhere = tmp_path / "about.json"
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)
    with pytest.raises(BrokenFile, match="link"):
        kept.load("hot")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(BrokenFile, match="no plain file"):
        kept.load("hot")
    path.unlink()
    whole = path.parent
    shutil.move(elsewhere, path)
    shutil.move(whole, tmp_path / "moved")
    whole.symlink_to(tmp_path / "moved")
    with pytest.raises(BrokenFile, match="leads out"):
        kept.load("hot")
    assert kept.verify().problems


def test_a_history_that_was_altered_is_refused(kept):
    kept.promote("hot", 2, "champion", at=AT)
    kept.roll_back("hot", at=AT)
    log = kept.store.folder / "models/hot/decisions"
    assert len(kept.history("hot")) == 3
    told = kept.history("hot")[1].to_json()
    (log / "000002.json").write_bytes(seal("leadlab-decision", {**told, "who": "mallory"}))
    with pytest.raises(BrokenFile, match="follow"):
        kept.history("hot")
    (log / "000002.json").unlink()
    with pytest.raises(BrokenFile, match="gone"):
        kept.load("hot")
    assert any("gone" in text for text in kept.verify().problems)


def test_foreign_files_are_told_of(kept):
    (kept.store.folder / "notes.txt").write_text("x")
    (files(kept)["about.json"].parent / "more.py").write_text("print()")
    problems = kept.verify().problems
    assert len(problems) == 2
    assert all("did not write" in text for text in problems)
    assert kept.load("hot")


def contents(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezipped(path, members):
    kept = {name: data for name, data in members.items() if name != CHECKSUMS}
    kept[CHECKSUMS] = json.dumps({n: sha256(d) for n, d in kept.items()}).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in kept.items():
            archive.writestr(name, data)
    path.write_bytes(out.getvalue())
    return path


def test_a_zip_with_names_that_lead_elsewhere_or_bombs_is_refused(model, tmp_path, monkeypatch):
    file = save_model(tmp_path / "m.leadlab", *model)
    members = contents(file)
    for name in ("../up", "/root", "a/b", ".hidden", "c:\\x"):
        with pytest.raises(BrokenFile):
            load_model(rezipped(file, {**members, name: b"x"}))
    with pytest.raises(BrokenFile, match="larger than any model"):
        load_model(rezipped(file, {**members, **{f"x{i}": b"" for i in range(300)}}))
    monkeypatch.setattr("leadlab.models.files.members.LARGEST_BYTES", 1 << 20)
    with pytest.raises(BrokenFile, match="larger than any model"):
        load_model(rezipped(file, {**members, "bomb": b"\0" * (1 << 21)}))


def test_a_kind_that_nobody_knows_is_named(model, tmp_path):
    file = save_model(tmp_path / "m.leadlab", *model)
    members = contents(file)
    members["about.json"] = members["about.json"].replace(b'"conversion"', b'"conversions"')
    with pytest.raises(UnknownName, match="Did you mean 'conversion'"):
        read_model(rezipped(file, members))


def test_a_file_of_the_first_format_still_loads(model, tmp_path):
    file = save_model(tmp_path / "m.leadlab", *model)
    members = contents(file)
    told, own = json.loads(members["about.json"]), json.loads(members.pop("model.json"))
    own.pop("plan_hash")
    first = {**told, **own, "format": "leadlab-model/1", "kind": "ConversionModel"}
    members["about.json"] = json.dumps(first).encode()
    again, about = load_model(rezipped(file, members))
    X = [[0.1, 0.2], [1.0, -1.0]]
    assert (again.predict_proba(X) == model[0].predict_proba(X)).all()
    assert about.fingerprint == model[1].fingerprint
