"""What every room's tests may use, and what happens where a test has nothing to work on.

A test that needs public data is marked `data`, one that opens a page `browser`. Where the data or a
browser is absent such tests are left out, and the end of the run lists them. On CI a browser is
never absent: there the tests run, and fail.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from leadlab.config import Settings
from leadlab.schema import EventLog

ROOT = Path(__file__).parents[1]
_MISSED = pytest.StashKey[dict[str, list[str]]]()


def _data_dir() -> Path | None:
    named = Settings.from_environment().data_dir
    beside = ROOT.parent / "shared" / "data"
    return named or (beside if beside.is_dir() else None)


def pytest_configure() -> None:
    """Name the data that lie beside the checkout, as `make test` does."""
    folder = _data_dir()
    if folder is not None:
        os.environ.setdefault("LEADLAB_DATA_DIR", str(folder))


def _browser() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or os.environ.get("CI")


@pytest.fixture
def public_data() -> Path:
    """Folder of the public data sets, for tests that are marked `data`."""
    folder = _data_dir()
    if folder is None:
        pytest.fail("no public data here, and the test is not marked `data`", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def challenge() -> EventLog:
    """The log of the BPI Challenge 2012, read once; for tests that are marked `data`."""
    folder = _data_dir()
    if folder is None:
        pytest.fail("no public data here, and the test is not marked `data`", pytrace=False)
    from leadlab.data.bpic2012 import read  # noqa: PLC0415  (only where the data is)

    return read(folder / "bpic2012" / "BPI_Challenge_2012.xes.gz")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has nothing to work on, and keep its names."""
    needs = {"data": (_data_dir(), "LEADLAB_DATA_DIR"), "browser": (_browser(), "chromium")}
    missed: dict[str, list[str]] = {}
    for marker, (there, name) in needs.items():
        if there is None:
            out = [item for item in items if item.get_closest_marker(marker)]
            missed[f"{marker}, for want of {name}"] = [item.nodeid for item in out]
            items[:] = [item for item in items if item not in out]
            config.hook.pytest_deselected(items=out)
    config.stash[_MISSED] = missed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was left out."""
    for why, names in terminalreporter.config.stash.get(_MISSED, {}).items():
        if names:
            terminalreporter.section(f"{len(names)} tests left out: {why}")
            for name in names:
                terminalreporter.line(name)
