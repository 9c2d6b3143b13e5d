"""The live page in a real browser."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from leadlab.ui.recording import paths
from tests.apps.conftest import Seen, Served, serving
from tests.ui.recorded import wait_until

pytestmark = pytest.mark.browser
Live = Callable[..., Seen]


def test_figures_move(live: Live, home) -> None:
    seen = live()
    for _ in range(3):
        done, newest = seen.done(), seen.chart()["at"]
        wait_until(lambda done=done: seen.done() > done)
        wait_until(lambda newest=newest: seen.chart()["at"] != newest)
    told = json.loads(paths(home)[2].read_text())
    assert seen.page.get_by_text(told["title"]).is_visible()
    assert seen.page.locator(".origin").inner_text().lower() == "simulated"
    assert "top 5% of the active leads" in seen.page.locator(".key").inner_text()
    assert "ms" in seen.figure("processing")
    assert seen.figure("model") == "0123456789ab"


def test_a_row_that_is_clicked_shows_that_leads_reasons(live: Live) -> None:
    seen = live()
    seen.press("Pause")
    seen.page.get_by_role("button", name="Play", exact=True).wait_for()
    rows = seen.page.locator(".tabulator-row")
    wait_until(lambda: rows.count() == 12)
    seen.page.wait_for_timeout(2_500)  # rows change places at most every two seconds
    names = [rows.nth(place).locator(".name, .picked").inner_text() for place in range(12)]
    others = [place for place in range(12) if names[place] != seen.figure("lead")]
    for place in (others[3], others[8]):
        name = names[place]
        rows.nth(place).click()
        wait_until(lambda name=name: seen.figure("lead") == name)
        assert rows.nth(place).locator(".picked").inner_text() == name
        reasons = seen.page.locator("ol.why").last.locator("li")
        assert reasons.count() >= 3
        assert {"up", "down"} >= {
            bar.get_attribute("class") for bar in reasons.locator(".bar i").all()
        }
        board = rows.nth(place).locator(".chance b").inner_text()
        assert seen.figure("probability") == board


def test_a_lead_is_found_by_its_name(live: Live) -> None:
    seen = live()
    seen.press("Pause")
    field = seen.page.get_by_label("Find a lead by its name")
    field.fill("LEAD-000001")
    field.press("Enter")
    wait_until(lambda: seen.figure("lead") == "lead-000001")
    field.fill("lead-00000x")
    field.press("Enter")
    seen.page.get_by_text("Did you mean").wait_for()
    assert seen.figure("lead") == "lead-000001"


def test_pause_stops_the_figures_and_play_lets_them_go_on(live: Live) -> None:
    seen = live()
    seen.press("Pause")
    seen.page.get_by_role("button", name="Play", exact=True).wait_for()
    wait_until(lambda: seen.figure("rate") == "0")
    stood = (seen.done(), seen.figure("stream-time"), seen.chart())
    seen.page.wait_for_timeout(1_500)
    assert (seen.done(), seen.figure("stream-time"), seen.chart()) == stood
    assert "paused" in seen.page.locator(".clock").inner_text()
    seen.press("Play")
    wait_until(lambda: seen.done() > stood[0])


def test_speed_restart_and_the_end(live: Live) -> None:
    seen = live()
    total = int(seen.page.locator(".figures .of").first.inner_text().split()[1].replace(",", ""))
    seen.page.locator("select").select_option(label="×1,000,000 · 11.6 d/s")
    wait_until(lambda: seen.done() == total, 60)
    assert "finished" in seen.page.locator(".clock").inner_text()
    assert seen.page.get_by_role("button", name="Pause", exact=True).is_disabled()
    seen.press("Restart")
    wait_until(lambda: seen.done() < total)


def test_everybody_sees_the_same_replay(live: Live, open_page, served: Served) -> None:
    one = live()
    other = open_page(served.url, 390, 844)
    other.page.wait_for_selector('[data-figure="done"]', timeout=30_000)
    one.press("Pause")
    other.page.get_by_role("button", name="Play", exact=True).wait_for()
    wait_until(lambda: one.done() == other.done())
    assert one.figure("stream-time") == other.figure("stream-time")


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true})
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data
    return [r, g, b, a / 255]
  }
  const light = ([r, g, b]) => {
    const line = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
    return 0.2126 * line(r) + 0.7152 * line(g) + 0.0722 * line(b)
  }
  const parent = (e) => e.assignedSlot ?? e.parentElement ?? e.getRootNode().host
  const ground = (e) => {
    for (; e; e = parent(e)) {
      const colour = rgba(getComputedStyle(e).backgroundColor)
      if (colour[3] > 0.99) return colour
    }
    return [255, 255, 255, 1]
  }
  const poor = []
  let seen = 0
  const walk = (root) => {
    for (const e of root.querySelectorAll("*")) {
      if (e.shadowRoot) walk(e.shadowRoot)
      const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())
      const box = e.getBoundingClientRect()
      const style = getComputedStyle(e)
      if (!own || !box.width || !box.height || style.visibility === "hidden") continue
      if (["SCRIPT", "STYLE", "TITLE", "OPTION"].includes(e.tagName)) continue
      seen += 1
      const [a, b] = [light(rgba(style.color)), light(ground(e))]
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
      const size = parseFloat(style.fontSize)
      const large = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 600)
      if (ratio < (large ? 3 : 4.5)) poor.push(`${ratio.toFixed(2)} ${e.textContent.slice(0, 40)}`)
    }
  }
  walk(document)
  return {seen, poor}
}"""
INKS = """() => Bokeh.documents.flatMap((doc) => [...doc._all_models.values()]
  .filter((m) => m.type.endsWith("Axis")).map((m) => String(m.major_label_text_color)))"""


def fits(seen: Seen) -> bool:
    """Nothing reaches beyond the right edge."""
    width = seen.page.viewport_size["width"]
    buttons = [b.bounding_box() for b in seen.page.get_by_role("button").all()]
    if any(box is not None and box["x"] + box["width"] > width - 24 for box in buttons[1:]):
        return False
    boxes = [c.bounding_box() for c in seen.page.locator(".bk-panel-models-layout-Column").all()]
    return seen.page.evaluate("document.documentElement.scrollWidth") <= width and all(
        box is None or box["x"] + box["width"] <= width for box in boxes
    )


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_and_reads_in_light_and_dark(live: Live, width: int, scheme: str) -> None:
    seen = live(width, 844 if width < 500 else 900, scheme)
    wait_until(lambda: seen.page.locator(".tabulator-row").count() == 12)
    wait_until(lambda: seen.chart()["n"] > 2)
    for at_width in (width, 820, width):
        seen.page.set_viewport_size({"width": at_width, "height": 900})
        wait_until(lambda: fits(seen))
    found = seen.page.evaluate(CONTRAST)
    assert found["seen"] > 60
    assert found["poor"] == []


def test_the_button_changes_the_colours_and_they_are_kept(live: Live) -> None:
    seen = live()
    ground = "getComputedStyle(document.body).backgroundColor"
    light, ink = seen.page.evaluate(ground), seen.page.evaluate(INKS)
    seen.page.locator("#theme").click()
    dark = seen.page.evaluate(ground)
    assert dark != light
    assert seen.page.evaluate(INKS) != ink
    seen.page.reload()
    seen.page.wait_for_selector('[data-figure="done"]', timeout=30_000)
    assert seen.page.evaluate(ground) == dark
    assert seen.page.locator("#theme").inner_text() == "Light"
    assert seen.page.evaluate(CONTRAST)["poor"] == []


def test_without_a_model_the_page_says_how_to_make_one(tmp_path: Path, open_page) -> None:
    with serving(tmp_path / "nothing", tmp_path / "log.txt") as served:
        seen = open_page(served.url, 390, 844)
        seen.page.get_by_text("Nothing to replay yet").wait_for()
        assert seen.page.get_by_text("leadlab demo").is_visible()
        assert seen.page.get_by_text("make serve").is_visible()
        assert not seen.page.get_by_role("heading", name="Scoreboard").is_visible()
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_bare_request_starts_nothing(home, tmp_path: Path) -> None:
    with serving(home.home, tmp_path / "log.txt") as served:
        process = psutil.Process(served.process.pid)
        urllib.request.urlopen(served.url, timeout=60).read()
        spent_s = []
        for _ in range(2):
            before = process.cpu_times()
            time.sleep(1.5)
            after = process.cpu_times()
            spent_s.append(after.user + after.system - before.user - before.system)
        assert min(spent_s) < 0.15
