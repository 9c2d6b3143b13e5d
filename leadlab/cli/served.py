"""Which models a live command scores with, and taking up promotions while it runs."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leadlab.cli.score import REGISTERED, registered, scorer_of
from leadlab.config import Settings
from leadlab.errors import BadInput, LeadlabError, StoreFailed
from leadlab.models.conversation.reader import ConversationReader
from leadlab.models.files.model_file import read_model
from leadlab.registry import Registry
from leadlab.stream.plan import Plan
from leadlab.stream.retry import retry

if TYPE_CHECKING:
    from leadlab.stream.station import Station

WATCH_S = 5.0
TURN_S = 0.0005
_log = logging.getLogger(__name__)
PlanOf = Callable[[str], Plan] | None


def at_home(settings: Settings) -> str | None:
    """The model that `leadlab demo` left at home, where it did."""
    place = settings.models / "hub.leadlab"
    return str(place) if place.is_file() else None


def take_turns() -> None:
    """Let the engine's thread and those that take requests change over ten times as often.

    Python's threads hold on to their turn for 5 ms by default, which is longer than an event takes
    from arrival to result.
    """
    sys.setswitchinterval(TURN_S)


def plan_from(model: str | None, churn: Path | None) -> tuple[Plan, PlanOf]:
    """The plan of the models that a command names, and how to find one used before.

    A model that cannot be read does not keep the service down: rules stand in, which the log and
    every result say.
    """
    scorer, silence = None, None
    if model is not None:
        try:
            scorer = retry(lambda: scorer_of(model), on=(StoreFailed,), rng=np.random.default_rng())
        except LeadlabError as error:
            _log.error("the model cannot be used, rules stand in", exc_info=error)
    if churn is not None:
        from leadlab.cli.churn import loaded  # noqa: PLC0415  (only where asked)

        silence = loaded(churn)
    return Plan.of(scorer, silence), _plan_of(model)


def reader_from(path: Path | None) -> ConversationReader:
    """The conversation model of a file; rules where there is none, or it cannot be read."""
    if path is None:
        return ConversationReader(without="no reading model was given")
    try:
        found, _ = read_model(path)
    except LeadlabError as error:
        _log.error("the reading model cannot be used, rules stand in", exc_info=error)
        return ConversationReader(without=f"the model cannot be read ({type(error).__name__})")
    if not isinstance(found, ConversationReader):
        raise BadInput("not a conversation model", where=str(path), got=found.kind)
    return found


def _plan_of(model: str | None) -> PlanOf:
    """How to load a version of the registry that scored before; None without a registry."""
    if model is None or not model.startswith(REGISTERED):
        return None

    def found(version: str) -> Plan:
        name, _, number = version.partition("@")
        registry = Registry(Settings.from_environment().registry)
        return Plan.of(registered(registry, name, number))

    return found


@contextlib.contextmanager
def model_watch(model: str | None, stations: Callable[[], list[Station]]) -> Iterator[None]:
    """Take up what is promoted in the registry, and go back where it is rolled back."""
    if model is None or not model.startswith(REGISTERED) or "@" in model:
        yield
        return
    name = model.removeprefix(REGISTERED)
    ended = threading.Event()

    def watch() -> None:
        registry = Registry(Settings.from_environment().registry)
        while not ended.wait(WATCH_S):
            for station in stations():
                try:
                    champion = registry.version(name).name
                    if champion != station.service.engine.lanes[""].plan.version:
                        found = retry(
                            lambda: registered(registry, name, "champion"),
                            on=(StoreFailed,),
                            rng=np.random.default_rng(),
                        )
                        station.service.promote(Plan.of(found))
                        _log.info("another model scores from now on", extra={"model": champion})
                except LeadlabError as error:
                    station.service.status.trouble("model", error)

    thread = threading.Thread(target=watch, name="model-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
