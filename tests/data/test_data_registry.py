"""Data sets by checksum: found, fetched from a local server, altered, missing, unreachable."""

from __future__ import annotations

import hashlib
import http.server
import re
import socket
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leadlab.config import Settings
from leadlab.data import DataFile, DataSet, datasets, get, load, path, readers, verify, x_education
from leadlab.errors import BrokenFile, DataUnavailable, UnknownName

CONTENT = b"lead,kind\nann,Call\n"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        content = {"/a.csv": CONTENT, "/wrong.csv": b"something else"}.get(self.path)
        self.send_response(200 if content else 404)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def one(*urls):
    files = tuple(
        DataFile(f"tiny/{i}.csv", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), url)
        for i, url in enumerate(urls)
    )
    return DataSet("tiny", "Tiny", "1 row", "CC0", "nobody", "", files)


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "home")


def test_the_manifest_is_complete_and_names_only_lasting_addresses():
    sha = re.compile(r"[0-9a-f]{64}")
    assert set(datasets()) >= {"bpic2012", "x_education", "king_county", "ghl"}
    for data in datasets().values():
        assert data.title and data.licence and data.citation and data.notes and data.files
        for file in data.files:
            assert file.path.startswith(f"{data.name}/") and ".." not in file.path
            assert sha.fullmatch(file.sha256) and file.bytes > 0
            if file.url is not None:  # pinned to a commit, so that the bytes cannot change
                pinned = r"https://raw\.githubusercontent\.com/[^/]+/[^/]+/[0-9a-f]{40}/.+"
                assert re.fullmatch(pinned, file.url)


def test_every_reader_is_of_a_data_set():
    assert {"bpic2012", "x_education"} <= set(readers()) <= set(datasets())
    with pytest.raises(UnknownName, match="Did you mean 'bpic2012'"):
        load("bpic2013")
    with pytest.raises(UnknownName, match="reader"):
        load("ghl")


def test_a_file_is_fetched_once_and_checked(address, settings):
    data = one(f"{address}/a.csv")
    assert [f.state for f in verify(data, settings)] == ["missing"]
    place = get(data, settings)
    assert place.read_bytes() == CONTENT
    assert place == settings.downloads / "tiny/0.csv"
    assert [f.state for f in verify(data, settings)] == ["ok"]
    offline = replace(data, files=(replace(data.files[0], url="http://127.0.0.1:1/x"),))
    assert get(offline, settings) == place


def test_several_files_are_handed_out_as_their_folder(address, settings):
    data = one(f"{address}/a.csv", f"{address}/a.csv")
    assert get(data, settings) == (settings.downloads / "tiny").resolve()


def test_the_local_copy_comes_first(settings, tmp_path):
    local = replace(settings, data_dir=tmp_path / "local")
    (tmp_path / "local/tiny").mkdir(parents=True)
    (tmp_path / "local/tiny/0.csv").write_bytes(CONTENT)
    assert get(one("http://127.0.0.1:1/x"), local) == tmp_path / "local/tiny/0.csv"
    (tmp_path / "local/tiny/0.csv").write_bytes(CONTENT[:-1])
    assert [f.state for f in verify(one(None), local)] == ["altered"]
    with pytest.raises(BrokenFile, match="not the published one"):
        get(one(None), local)


def test_what_came_is_not_what_was_published(address, settings):
    with pytest.raises(BrokenFile, match="not the published file"):
        get(one(f"{address}/wrong.csv"), settings)
    assert not list(settings.downloads.rglob("*.csv"))


def test_without_a_network_one_sentence_and_the_next_step(address, settings):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}/a.csv"
        for url in (dead, f"{address}/gone.csv", "http://no-such-host.invalid/a.csv"):
            with pytest.raises(DataUnavailable, match="cannot be fetched") as caught:
                get(one(url), settings)
            assert "set LEADLAB_DATA_DIR to a folder that holds tiny/0.csv" in str(caught.value)
            assert "\n" not in str(caught.value)


def test_a_file_without_an_address_is_to_be_placed_by_hand(settings):
    with pytest.raises(DataUnavailable, match="place the file by hand at") as caught:
        get(one(None), settings)
    assert str(settings.downloads / "tiny/0.csv") in str(caught.value)
    with pytest.raises(DataUnavailable, match="leadlab data get tiny"):
        path(one("http://127.0.0.1:1/x"), settings)


def test_importing_the_rooms_loads_no_downloader():
    code = (
        "import sys, leadlab.data, leadlab.schema;"
        "heavy = {'pooch', 'requests', 'panel', 'fastapi', 'shap', 'duckdb', 'xgboost', 'numba'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


HEAD = ["Prospect ID", "Lead Number", "Converted", "City", *x_education.LEAKY, "Magazine", ""]


def small(tmp_path, rows):
    table = pd.DataFrame(rows, columns=HEAD)
    table.to_csv(tmp_path / "Leads.csv", index=False)
    return tmp_path / "Leads.csv"


def row(number, won, city):
    return [f"p{number}", number, won, city, *["x"] * len(x_education.LEAKY), "No", None]


def test_x_education_by_hand(tmp_path):
    file = small(tmp_path, [row(1, 0, "Select"), row(2, 1, "Pune"), row(3, 0, None)])
    table = x_education.read(file)
    assert table.frame["City"].isna().tolist() == [True, False, True]
    assert table.groups.tolist() == [0, 1, 0]
    assert table.features == ["City"]
    assert "Magazine" in table.constant
    with pytest.raises(BrokenFile, match="other than 0 and 1"):
        x_education.read(small(tmp_path, [row(1, 7, "Pune")]))
    for content in (b"", b"a,b\n1,2\n", b'"' * 7, b"\xff\xfe\x00"):
        file.write_bytes(content)
        with pytest.raises(BrokenFile):
            x_education.read(file)
    with pytest.raises(DataUnavailable):
        x_education.read(tmp_path / "none.csv")


@pytest.mark.data
def test_the_published_table(public_data):
    table = x_education.read(public_data / "x_education" / "Leads.csv")
    assert table.frame.shape == (9240, 37)
    assert table.frame["Converted"].mean() == pytest.approx(0.385, abs=5e-4)
    assert len(table.constant) == 5
    assert len(table.frame) - len(np.unique(table.groups)) == 1281
    assert not set(table.features) & {*table.leaky, "Converted", "Prospect ID"}


@pytest.mark.data
def test_the_local_copies_are_the_published_files(public_data, tmp_path):
    local = Settings(tmp_path, public_data)
    for name in datasets():
        states = {f.state for f in verify(name, local)}
        assert "altered" not in states
    assert len(load("x_education", local).frame) == 9240
