"""What a live page plays: a trained model and a log, as `leadlab demo` leaves them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlab.config import Settings
from leadlab.errors import BrokenFile, DataUnavailable
from leadlab.explain import Scorer
from leadlab.schema.codec import read_log
from leadlab.schema.log import EventLog
from leadlab.schema.times import moment_us

HINT = "Run `make serve`, or `leadlab demo`: it trains a model and leaves a log to replay."


@dataclass(frozen=True, eq=False)
class Recording:
    """A log to replay, and the model that scores it.

    Attributes
    ----------
    title : str
        What the data are, for people.
    simulated : bool
        Whether the events were invented; else they are a real log, replayed.
    start_us : int
        First moment to play, after the training period.
    outcome : str
        What the probability is of.
    horizon_days : float or None
        Within which time.
    log : EventLog
    scorer : Scorer
    """

    title: str
    simulated: bool
    start_us: int
    outcome: str
    horizon_days: float | None
    log: EventLog
    scorer: Scorer

    @property
    def ends(self) -> tuple[str, ...]:
        """Kinds of event after which a lead's outcome is known."""
        about = self.scorer.about
        return () if about is None else (*about.converted, *about.ended)


def read_recording(settings: Settings) -> Recording:
    """Read the model, the log and what is said of them.

    Raises
    ------
    DataUnavailable
        If one of the three files is not there; the hint says how to make them.
    BrokenFile
        If one cannot be read.
    """
    model, log, about = paths(settings)
    for what, path in (("model", model), ("log to replay", log), ("description of it", about)):
        if not path.is_file():
            raise DataUnavailable(f"there is no {what} yet", where=str(path), hint=HINT)
    said = _read_json(about)
    try:
        horizon = said.get("horizon_days")
        return Recording(
            title=str(said["title"]),
            simulated=bool(said["simulated"]),
            start_us=moment_us(str(said["replay_from"])),
            outcome=str(said["outcome"]),
            horizon_days=None if horizon is None else float(horizon),
            log=read_log(log),
            scorer=Scorer.load(model),
        )
    except KeyError as error:
        raise BrokenFile(
            "the description of the replay lacks a field", where=str(about), got=error, hint=HINT
        ) from error


def paths(settings: Settings) -> tuple[Path, Path, Path]:
    """Where the model, the log and its description are kept.

    Examples
    --------
    >>> [path.name for path in paths(Settings(Path(".leadlab")))]
    ['hub.leadlab', 'hub.parquet', 'hub.json']
    """
    home = settings.home
    return settings.models / "hub.leadlab", home / "hub.parquet", home / "hub.json"


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise BrokenFile(
            "cannot read the description of the replay", where=str(path), got=error, hint=HINT
        ) from error
    if not isinstance(said, dict):
        raise BrokenFile("the description of the replay is no object", where=str(path), hint=HINT)
    return said
