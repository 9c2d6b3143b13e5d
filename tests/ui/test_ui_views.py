"""Views: what they write, how little they send, and that nothing from outside runs."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bokeh.document import Document

from leadlab.config import Settings
from leadlab.features import OnlineStore
from leadlab.schema.log import EventLog
from leadlab.stream import Engine
from leadlab.ui.board import Scoreboard
from leadlab.ui.hub import Hub
from leadlab.ui.page import HubPage, notice_html
from leadlab.ui.picture import Picture
from leadlab.ui.recording import read_recording
from leadlab.ui.status import clock_html, figures_html
from leadlab.ui.why import why_html
from tests.ui.recorded import wait_until

# Panel 1.9 makes a table's index with a keyword that pandas 3.1 will drop.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")
EVIL = '<img src=x onerror="alert(1)">'


class Messages:
    """Counts what a session would be sent."""

    def __init__(self, view) -> None:
        self.document = Document()
        view.get_root(self.document)
        self.document.add_root(view.get_root(self.document))
        self.sent: list[str] = []
        self.document.on_change(lambda event: self.sent.append(type(event).__name__))


def paused(hub: Hub) -> Picture:
    hub.set_speed(1_000_000)
    wait_until(lambda: hub.picture.progress.done > 30)
    hub.pause()
    wait_until(lambda: standing(hub.picture))
    return hub.picture


def standing(picture: Picture) -> bool:
    progress, board = picture.progress, picture.board
    return not progress.playing and progress.stream_us == board.stream_us


def test_a_page_in_a_cell_shows_the_pipelines_figures(hub: Hub) -> None:
    picture, page = paused(hub), HubPage(hub)
    page.update()
    progress = picture.progress
    shown = page.status.figures.object
    assert f'data-figure="done">{progress.done:,}<' in shown
    assert f"of {progress.total:,}" in shown
    assert "Simulated" in page.status.clock.object
    assert "paused" in page.status.clock.object
    source, rows = page.chart.source.data, hub.since(0)[-400:]
    assert list(source["lead"]) == rows["lead"].tolist()
    np.testing.assert_array_equal(source["score"], rows["probability"])
    np.testing.assert_allclose(source["ms"], rows["features_ms"] + rows["scoring_ms"])
    names = [re.search(r">([^<]+)</span>", cell)[1] for cell in page.board.table.value["lead"]]
    assert names == picture.board.places["lead"].tolist()
    first = picture.board.places[0]
    assert page.picked == (first["lead"], first["tenant"])
    assert f'data-figure="lead">{first["lead"]}<' in page.why.body.object
    assert page.view.get_root(Document()) is not None


def test_nothing_is_sent_where_nothing_is_new(hub: Hub) -> None:
    paused(hub)
    wait_until(lambda: hub.picture.progress.events_per_s == 0)
    page = HubPage(hub)
    messages = Messages(page.view)
    page.update()
    assert messages.sent
    messages.sent.clear()
    for _ in range(5):
        page.update()
    assert messages.sent == []


def test_only_cells_that_differ_are_sent(hub: Hub) -> None:
    picture, sent = paused(hub), []
    board = Scoreboard(lambda key: None)
    board.show(picture, None)
    board.table.patch = sent.append
    first = picture.board.places[0]
    board.show(picture, (first["lead"], first["tenant"]))
    assert [list(patch) for patch in sent] == [["lead"]]
    assert [row for row, _ in sent[0]["lead"]] == [0]


def test_rows_stay_for_a_while_and_a_click_means_the_row_that_was_seen(hub: Hub) -> None:
    picture, now, picked = paused(hub), [100.0], []
    board = Scoreboard(picked.append, clock=lambda: now[0])
    board.show(picture, None)
    places = picture.board.places
    turned = replace(picture, board=replace(picture.board, places=places[::-1].copy()))
    now[0] += 1.0
    board.show(turned, None)
    assert board._shown[0] == (places[0]["lead"], places[0]["tenant"])
    now[0] += 1.5
    board.show(turned, None)
    assert board._shown[0] == (places[-1]["lead"], places[-1]["tenant"])
    board._clicked(SimpleNamespace(row=0))
    now[0] += 1.0
    board._clicked(SimpleNamespace(row=0))
    assert [lead for lead, _ in picked] == [places[0]["lead"], places[-1]["lead"]]


def test_a_lead_that_leaves_the_board_makes_way_at_once(hub: Hub) -> None:
    picture = paused(hub)
    board = Scoreboard(lambda key: None, clock=lambda: 0.0)
    board.show(picture, None)
    fewer = replace(picture, board=replace(picture.board, places=picture.board.places[1:].copy()))
    board.show(fewer, None)
    assert len(board.table.value) == len(picture.board.places) - 1
    nobody = replace(picture, board=replace(picture.board, places=picture.board.places[:0].copy()))
    board.show(nobody, None)
    assert not board.table.visible
    assert "No lead is active" in board.empty.object


def test_typing_a_name_picks_the_lead_and_a_wrong_one_says_so(hub: Hub) -> None:
    paused(hub)
    page = HubPage(hub)
    page.update()
    lead = hub.picture.board.places[3]["lead"]
    page.why.field.value = f" {lead.upper()}"
    assert page.picked == (lead, "default")
    assert f'data-figure="lead">{lead}<' in page.why.body.object
    page.why.field.value = lead + "0"
    assert "Did you mean" in page.why.unknown.object
    assert page.picked == (lead, "default")
    page.why.field.value = ""
    assert page.why.unknown.object == ""


def test_controls_wish_and_follow(hub: Hub) -> None:
    page = HubPage(hub)
    page.update()
    page.controls.play.clicks += 1
    wait_until(lambda: not hub.picture.progress.playing)
    page.update()
    assert page.controls.play.label == "Play"
    page.controls.speed.value = 86_400.0
    wait_until(lambda: hub.picture.progress.speed == 86_400.0)
    hub.set_speed(60.0)  # somebody else
    wait_until(lambda: hub.picture.progress.speed == 60.0)
    page.update()
    assert page.controls.speed.value == 60.0
    page.controls.again.clicks += 1
    wait_until(lambda: hub.picture.progress.generation == 1)
    page.update()
    page.controls.play.clicks += 1
    wait_until(lambda: hub.picture.progress.playing)


def test_a_restart_empties_the_chart_and_forgets_nobody(hub: Hub) -> None:
    paused(hub)
    page = HubPage(hub)
    page.update()
    assert len(page.chart.source.data["at"])
    hub.restart()
    wait_until(lambda: hub.picture.progress.generation == 1 and hub.picture.board is not None)
    page.update()
    assert len(page.chart.source.data["at"]) == 0
    assert "no event has been replayed yet" in page.chart.heading.object
    assert page.chart.figure.x_range.end == hub.picture.progress.stream_us / 1e3
    page.pick(("lead-999999", "default"))
    assert "not known yet" in page.why.body.object


def test_the_chart_keeps_the_newest_and_its_axes_hold_them(hub: Hub) -> None:
    page = HubPage(hub)
    hub.set_speed(1_000_000)
    wait_until(lambda: hub.picture.progress.finished)
    page.update()
    data, fig = page.chart.source.data, page.chart.figure
    assert len(data["at"]) <= 400
    assert fig.x_range.start < min(data["at"]) <= max(data["at"]) < fig.x_range.end
    assert fig.y_range.start < min(data["odds"]) <= max(data["odds"]) < fig.y_range.end
    ranges = (fig.x_range, fig.y_range, fig.extra_y_ranges["ms"], page.chart.source)
    assert not any(model.syncable for model in ranges)


@pytest.mark.parametrize(
    ("state", "words"),
    [("idle", "Starting"), ("loading", "Loading"), ("nothing", "Nothing to replay yet"),
     ("failed", "cannot be shown"), ("live", "Loading")],
)  # fmt: skip
def test_where_nothing_is_live_the_page_says_why(state: str, words: str) -> None:
    said = notice_html(Picture(state=state, message=EVIL, hint=f"Run `make serve` {EVIL}"))
    assert words in said
    assert "<img" not in said
    assert "<code>make serve</code>" in said


def test_a_page_without_a_model_shows_how_to_make_one(tmp_path) -> None:
    hub = Hub(lambda: read_recording(Settings(tmp_path)))
    page = HubPage(hub)
    assert "Starting" in page.notice.object
    hub.start()
    assert hub.settled(20)
    page.update()
    assert "leadlab demo" in page.notice.object
    assert page.notice.visible
    assert not any(view.visible for view in page._live)


def test_names_from_outside_are_text_not_html(home: Settings) -> None:
    recording = read_recording(home)
    frame = pd.DataFrame(
        {"lead": EVIL, "kind": "Property Inquiry", "at": ["2026-01-01", "2026-01-02"]}
    )
    log = EventLog.from_frame(frame, lead="lead", kind="kind", at="at")
    log = replace(log, kind=replace(log.kind, names=np.array([EVIL], object)))
    hub = Hub(lambda: replace(recording, log=log, start_us=int(log.at_us[0]), title=EVIL))
    hub.start()
    wait_until(lambda: hub.picture.board is not None)
    hub.set_speed(1_000_000)
    wait_until(lambda: hub.picture.progress.finished and len(hub.picture.board.places) == 1)
    wait_until(lambda: hub.picture.board.stream_us == log.at_us[-1])
    page = HubPage(hub)
    page.update()
    table = "".join(page.board.table.value.astype(str).to_numpy().ravel())
    for shown in (
        page.status.clock.object,
        page.status.figures.object,
        page.why.body.object,
        table,
    ):
        assert "<img" not in shown
    assert "&lt;img" in page.why.body.object
    assert "&lt;img" in table
    page.why.field.value = EVIL + "x"
    assert "<img" not in page.why.unknown.object
    hub.stop()


def test_words_of_figures_do_not_depend_on_luck(hub: Hub) -> None:
    picture = paused(hub)
    assert clock_html(picture) == clock_html(picture)
    real = replace(picture, facts=replace(picture.facts, simulated=False))
    assert "Replayed" in clock_html(real)
    assert "Simulated" not in clock_html(real)
    assert "finished" in clock_html(
        replace(picture, progress=replace(picture.progress, finished=True))
    )
    assert "–" in figures_html(
        replace(picture, progress=replace(picture.progress, mean_ms=None, p99_ms=None))
    )
    assert clock_html(Picture()) == figures_html(Picture()) == ""


def test_reasons_multiply_up_to_the_score(home: Settings) -> None:
    recording = read_recording(home)
    engine = Engine(OnlineStore(recording.scorer.features), recording.scorer)
    engine.take(recording.log)
    end_us = int(recording.log.at_us[-1])
    for lead in recording.log.lead.names[:5]:
        one = engine.explain(str(lead), end_us)
        factors = re.findall(r'title="\w+ the score: ([+-][\d.]+) log-odds"', why_html(one))
        log_odds = np.log(one.probability / (1 - one.probability))
        summed = one.scores.base + sum(map(float, factors))
        assert summed == pytest.approx(log_odds, abs=0.01)
