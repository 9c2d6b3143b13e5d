"""Sessions leave nothing behind."""

from __future__ import annotations

import gc
from pathlib import Path

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
    return sum(isinstance(one, kind) for one in gc.get_objects())


def test_ten_sessions_come_and_go(home: Settings, open_page, monkeypatch) -> None:
    monkeypatch.setenv("LEADLAB_HOME", str(home.home))
    port = free_port()
    server = pn.serve(
        {"hub": str(APP)},
        address="127.0.0.1",
        port=port,
        threaded=True,
        show=False,
        verbose=False,
        check_unused_sessions_milliseconds=200,
        unused_session_lifetime_milliseconds=200,
        websocket_origin=[f"127.0.0.1:{port}"],
    )
    try:
        before = alive(Document)
        for _ in range(10):
            seen = open_page(f"http://127.0.0.1:{port}/hub", 390, 844)
            seen.page.wait_for_selector('[data-figure="done"]', timeout=30_000)
            seen.page.close()
        wait_until(lambda: alive(HubPage) == 0, 30)
        assert alive(Document) <= before
    finally:
        server.stop()
    assert Path(APP).is_file()
