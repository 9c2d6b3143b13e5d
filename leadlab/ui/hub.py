"""The process-wide hub: one thread runs the pipeline, every session reads what it made.

Sessions take the newest `Picture`, ask for the results since the last they saw, and leave wishes
(pause, speed, restart) to be carried out at the next tick. Reasons are worked out with each
scoreboard for the leads that somebody looks at, once for all who do; only the first look at a lead
asks the pipeline itself.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

from leadlab.config import Settings
from leadlab.errors import DataUnavailable, LeadlabError, UnknownName
from leadlab.features import OnlineStore
from leadlab.stream import Engine, Explanation, Player, Progress, Replay, Results
from leadlab.ui.picture import ACTIVE_DAYS, HOT_SHARE, Facts, Key, Picture
from leadlab.ui.recording import Recording, read_recording

SPEEDS = (60, 600, 3_600, 21_600, 86_400, 1_000_000)
"""Stream seconds a second that people may choose from."""
TICK_S = 0.1
REST_S = 0.5
"""Wait between ticks while events come, and while none can."""
BOARD_S = 0.5
BOARD_ROWS = 12
LOOK_S = 3.0
"""A lead is looked at for so long after a session last asked for its reasons."""
QUIET_S = 2.0
"""Nobody waits longer than this for the next event: the rest of a quiet spell is skipped."""
_EVENTS_PER_S = 8
"""The first speed shows about so many events a second: lively, and slow enough to follow."""
_log = logging.getLogger(__name__)


class Hub:
    """Plays a recording through the engine in a thread of its own.

    Parameters
    ----------
    read : callable
        Gives the recording; called in the hub's thread.
    clock : callable
        Seconds, never decreasing.

    Examples
    --------
    >>> hub = Hub(lambda: read_recording(Settings(Path("/nowhere"))))
    >>> hub.picture.state
    'idle'
    >>> hub.start()
    >>> hub.settled(5.0), hub.picture.state, hub.picture.message
    (True, 'nothing', 'there is no model yet (where: /nowhere/models/hub.leadlab)')
    >>> hub.stop()
    """

    def __init__(
        self, read: Callable[[], Recording], clock: Callable[[], float] = monotonic
    ) -> None:
        self.picture = Picture()
        self._read = read
        self._clock = clock
        self._player: Player | None = None
        self._looked_s: dict[Key, float] = {}
        self._wishes: queue.SimpleQueue[Callable[[Player, float], None]] = queue.SimpleQueue()
        self._wake, self._halt, self._ready = (threading.Event() for _ in range(3))
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    # -- the thread --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread unless it was started before."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="leadlab-hub", daemon=True)
                self._thread.start()

    def stop(self, timeout_s: float = 60.0) -> None:
        """End the thread and wait for it."""
        self._halt.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def settled(self, timeout_s: float) -> bool:
        """Wait until loading came to an end, well or not; whether it did."""
        return self._ready.wait(timeout_s)

    def _run(self) -> None:
        self._publish(state="loading", message="Reading the model and the log")
        try:
            recording = self._read()
            self._player = player = play(recording, self._clock())
            self._publish(state="live", message="", facts=facts(recording))
        except LeadlabError as error:
            _log.warning("nothing to play: %s", error)
            state = "nothing" if isinstance(error, DataUnavailable) else "failed"
            hint = error.hint or ""
            self._publish(state=state, message=str(error).removesuffix(f". {hint}"), hint=hint)
            return
        finally:
            self._ready.set()
        try:
            self._play(player)
        finally:
            if not self._halt.is_set():
                hint = "The server's log says why; restart the server."
                self._publish(state="failed", message="The replay broke off", hint=hint)

    def _play(self, player: Player) -> None:
        board_s = -math.inf
        while not self._halt.is_set():
            self._grant(player)
            now_s = self._clock()
            player.tick(now_s)
            progress, seen = player.progress(), self.picture
            if self._board_is_due(progress, now_s - board_s):
                self._publish(progress=progress, **self._look(player))
                board_s = now_s
            elif progress != seen.progress:
                self._publish(progress=progress)
            moving = progress.playing and not progress.finished
            self._wake.wait(TICK_S if moving else REST_S)
            self._wake.clear()

    def _board_is_due(self, progress: Progress, age_s: float) -> bool:
        """Whether the board on show is of another moment, and old enough or of another start."""
        board, seen = self.picture.board, self.picture.progress
        if board is None or seen is None or progress.generation != seen.generation:
            return True
        return board.stream_us != progress.stream_us and age_s >= BOARD_S

    def _look(self, player: Player) -> dict[str, Any]:
        """The board, and the reasons of the leads that are looked at, as of the same moment."""
        board = player.board(BOARD_ROWS, HOT_SHARE)
        found: dict[Key, Explanation] = {}
        for key, at_s in list(self._looked_s.items()):
            if self._clock() - at_s <= LOOK_S and player.knows(*key):
                found[key] = player.explain(*key, board.stream_us)
            else:
                del self._looked_s[key]
        return {"board": board, "explanations": found}

    def _grant(self, player: Player) -> None:
        while not self._wishes.empty():
            self._wishes.get()(player, self._clock())

    def _publish(self, **changed: Any) -> None:
        self.picture = replace(self.picture, version=self.picture.version + 1, **changed)

    # -- what sessions read ------------------------------------------------------------------------

    def since(self, seq: int, most: int | None = None) -> Results | None:
        """Results numbered above `seq`, oldest first; None while nothing is live."""
        player = self._player
        return None if player is None else player.engine.history.since(seq, most)

    def explain(self, lead: str, tenant: str) -> Explanation | None:
        """Say why a lead stands where it stands; None while nothing is live.

        As of the scoreboard, where the lead is looked at already; else as of now.

        Raises
        ------
        UnknownName
            For a lead that the stream has not named.
        """
        player, key = self._player, (lead, tenant)
        if player is None:
            return None
        found = self.picture.explanations.get(key) or player.explain(lead, tenant)
        self._looked_s[key] = self._clock()
        return found

    def find(self, text: str) -> tuple[str, str]:
        """Lead and tenant of a name as typed; blanks around it and case are forgiven.

        Raises
        ------
        UnknownName
            If no lead is called so; it names those that come close.
        """
        leads = [] if self._player is None else self._player.leads()
        wanted = text.strip()
        alike = [(lead, tenant) for tenant, lead in leads if lead.lower() == wanted.lower()]
        for found in sorted(alike, key=lambda found: found[0] != wanted):
            return found
        raise UnknownName("lead", wanted, (lead for _, lead in leads))

    # -- what sessions wish ------------------------------------------------------------------------

    def _wish(self, wish: Callable[[Player, float], None]) -> None:
        self._wishes.put(wish)
        self._wake.set()

    def pause(self) -> None:
        """Let stream time stand still, for everybody."""
        self._wish(Player.pause)

    def resume(self) -> None:
        """Let stream time go on."""
        self._wish(Player.resume)

    def set_speed(self, speed: float) -> None:
        """Go on at another speed."""
        self._wish(lambda player, clock_s: player.set_speed(speed, clock_s))

    def restart(self) -> None:
        """Start over from the first event."""
        self._wish(Player.restart)


def play(recording: Recording, clock_s: float) -> Player:
    """A player at the start of a recording."""
    log, start_us = recording.log, recording.start_us
    replay = Replay(log, first_speed(recording), start_us, clock_s=clock_s)
    scorer, ends = recording.scorer, recording.ends
    return Player(
        replay,
        lambda: Engine(OnlineStore(scorer.features), scorer, ends=ends),
        active_s=ACTIVE_DAYS * 86_400,
        longest_quiet_s=QUIET_S,
    )


def first_speed(recording: Recording) -> float:
    """The choice of `SPEEDS` that comes closest to a lively number of events a second."""
    replay = Replay(recording.log, start_us=recording.start_us)
    span_s = (replay.end_us - replay.start_us) / 1e6
    if replay.total < 2 or span_s <= 0:
        return float(SPEEDS[2])
    wanted = _EVENTS_PER_S * span_s / replay.total
    return float(min(SPEEDS, key=lambda speed: abs(math.log(speed / wanted))))


def facts(recording: Recording) -> Facts:
    """What the page says of a recording."""
    interval = recording.scorer.model.interval_
    return Facts(
        title=recording.title,
        simulated=recording.simulated,
        outcome=recording.outcome,
        horizon_days=recording.horizon_days,
        model=recording.scorer.version,
        n_features=len(recording.scorer.features),
        of=0 if interval is None else interval.of,
    )


_HUBS: dict[Path, Hub] = {}
_MAKING = threading.Lock()


def shared_hub(settings: Settings | None = None) -> Hub:
    """The one hub of this process for a home folder; not started by asking for it."""
    chosen = Settings.from_environment() if settings is None else settings
    with _MAKING:
        return _HUBS.setdefault(chosen.home.resolve(), Hub(lambda: read_recording(chosen)))


def reset_hubs() -> None:
    """Stop and forget every hub."""
    with _MAKING:
        while _HUBS:
            _HUBS.popitem()[1].stop()
