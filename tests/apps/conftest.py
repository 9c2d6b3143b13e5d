"""A real browser, and the app as people serve it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from panel.io.state import state
from playwright.sync_api import Browser, Page, sync_playwright

from leadlab.config import Settings
from leadlab.ui.hub import reset_hubs
from tests.ui.recorded import make_home, wait_until

ROOT = Path(__file__).parents[2]
APP = ROOT / "apps" / "hub.py"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    reset_hubs()
    state.reset()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_home(tmp_path_factory.mktemp("recorded"), days=150)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.fail("No Chromium here: install it (Debian: apt-get install chromium).", False)
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        yield one
        one.close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(frozen=True)
class Served:
    """A running `panel serve apps/hub.py`."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def serving(home: Path, log: Path) -> Iterator[Served]:
    """Serve the app on a free port of the loopback until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "panel", "serve", str(APP), "--address", "127.0.0.1"]
    environ = {**os.environ, "LEADLAB_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--port", str(port)], env=environ, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/", process, log), 60)
        yield Served(f"http://127.0.0.1:{port}/hub", process)
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return bool(urllib.request.urlopen(url, timeout=5).status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        time.sleep(0.1)
        return False


@pytest.fixture(scope="session")
def served(home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(home.home, tmp_path_factory.mktemp("served") / "log.txt") as one:
        yield one


@dataclass
class Seen:
    """A page, and everything that went wrong on it."""

    page: Page
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> None:
        page = self.page
        page.on("pageerror", lambda error: self.wrong.append(f"pageerror {error}"))
        page.on("console", self._said)
        page.on("request", self._asked)
        page.on("requestfailed", lambda request: self.wrong.append(f"failed {request.url}"))

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.wrong.append(f"console {message.text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.wrong.append(f"not of this machine: {request.url}")

    def figure(self, name: str) -> str:
        return self.page.locator(f'[data-figure="{name}"]').inner_text()

    def done(self) -> int:
        return int(self.figure("done").replace(",", ""))

    def chart(self) -> dict[str, Any]:
        """How many scores the chart holds, and the newest."""
        found = self.page.evaluate(
            """() => {
              for (const doc of Bokeh.documents)
                for (const model of doc._all_models.values())
                  if (model.type === "ColumnDataSource" && "odds" in model.data) {
                    const {at, score, lead} = model.data
                    const last = at.length - 1
                    return {n: at.length, at: at[last], score: score[last], lead: lead[last]}
                  }
            }"""
        )
        assert isinstance(found, dict)
        return found

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Seen]]:
    """Open an address; what went wrong on any of the pages fails the test at its end."""
    opened: list[Seen] = []
    contexts = []

    def open_one(url: str, width: int = 1440, height: int = 900, scheme: str = "light") -> Seen:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        contexts.append(context)
        seen = Seen(context.new_page())
        seen.watch()
        opened.append(seen)
        seen.page.goto(url)
        return seen

    yield open_one
    for context in contexts:
        context.close()
    assert [wrong for seen in opened for wrong in seen.wrong] == []


@pytest.fixture
def live(served: Served, open_page: Callable[..., Seen]) -> Callable[..., Seen]:
    """Open the live page and have the replay start over, playing at a speed one can follow."""

    def open_live(width: int = 1440, height: int = 900, scheme: str = "light") -> Seen:
        seen = open_page(served.url, width, height, scheme)
        seen.page.wait_for_selector('[data-figure="done"]', timeout=60_000)
        seen.page.locator("select").select_option(label="×21,600 · 6 h/s")
        seen.press("Restart")
        wait_until(lambda: seen.done() < 100)
        if seen.page.get_by_role("button", name="Play", exact=True).count():
            seen.press("Play")
        return seen

    return open_live
