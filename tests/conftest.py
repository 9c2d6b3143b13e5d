"""Fixtures that every room's tests may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadlab.config import Settings

ROOT = Path(__file__).parents[1]


class _Missing(Exception):
    """A public data set is not on this machine."""


def _data_dir() -> Path | None:
    named = Settings.from_environment().data_dir
    beside = ROOT.parent / "shared" / "data"
    return named or (beside if beside.is_dir() else None)


@pytest.fixture
def public_data(request: pytest.FixtureRequest) -> Path:
    """Folder of the public data sets; absent, the test passes and is listed as missed."""
    folder = _data_dir()
    if folder is None:
        raise _Missing(request.node.nodeid)
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Turn a missing data set into a pass that is listed at the end."""
    report = yield
    if call.excinfo is not None and call.excinfo.errisinstance(_Missing):
        report.outcome, report.longrepr = "passed", None
        item.config.stash.setdefault(_MISSED, []).append(item.nodeid)
    return report


_MISSED = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the tests that had no public data to work on."""
    missed = terminalreporter.config.stash.get(_MISSED, [])
    if missed:
        terminalreporter.section("missed for want of public data (set LEADLAB_DATA_DIR)")
        for nodeid in missed:
            terminalreporter.line(nodeid)
