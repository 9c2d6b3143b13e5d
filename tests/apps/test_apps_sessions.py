"""Sessions leave nothing behind."""

from __future__ import annotations

import gc
import logging

import panel as pn
import pytest
from bokeh.document import Document

from leadlab.config import Settings
from leadlab.ui.page import HubPage
from tests.apps.conftest import APP, free_port
from tests.ui.recorded import wait_until

# Panel 1.9 makes a table's index with a keyword that pandas 3.1 will drop.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
]


def alive(kind: type) -> int:
    gc.collect()
    return sum(issubclass(type(one), kind) for one in gc.get_objects())  # a proxy may be dead


def visit(open_page, port: int) -> None:
    seen = open_page(f"http://127.0.0.1:{port}/hub", 390, 844)
    seen.page.wait_for_selector('[data-figure="done"]', timeout=30_000)
    seen.page.close()


def test_sessions_come_and_go(home: Settings, open_page, monkeypatch) -> None:
    """What one of them leaves behind is there four times."""
    # A page that closes while it is written to leaves an error in asyncio's log, and the log that
    # pytest keeps would hold the session by that error's traceback.
    monkeypatch.setattr(logging.getLogger("asyncio"), "disabled", True)
    monkeypatch.setenv("LEADLAB_HOME", str(home.home))
    port = free_port()
    server = pn.serve(
        {"hub": str(APP)},
        address="127.0.0.1",
        port=port,
        threaded=True,
        show=False,
        verbose=False,
        check_unused_sessions_milliseconds=300,
        unused_session_lifetime_milliseconds=4_000,
        websocket_origin=[f"127.0.0.1:{port}"],
    )
    try:
        before = alive(Document)
        for _ in range(4):
            visit(open_page, port)
        wait_until(lambda: alive(HubPage) == 0, 30)
        # Panel's own clock, started once a process, keeps the empty document it was started in.
        assert alive(Document) <= before + 1
    finally:
        server.stop()
