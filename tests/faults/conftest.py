"""Two small models on disk, and a home for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadlab.features import catalogue
from leadlab.models.files.model_file import About, save_model
from leadlab.stream.pacing import Pacing
from tests.faults.feeding import Feeder
from tests.faults.served import Setup
from tests.stream.scenes import scorer

PACING = Pacing(batch=64, tick_s=0.1, checkpoint_s=0.1)
STRIDE = 256


def write_models(folder: Path) -> Path:
    """Files of two models of the same features; gives the first."""
    for version, rounds in (("two", 20), ("one", 30)):
        about = About(features=catalogue().to_json())
        path = save_model(folder / f"{version}.leadlab", scorer(version, rounds).model, about)
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def feeder_of(tmp_path: Path, model: Path) -> Iterator[Callable[..., Feeder]]:
    """Makes feeders of one home; ends what a failed test leaves running."""
    made: list[Feeder] = []

    def make(*, model: Path = model, pacing: Pacing = PACING, stride: int = STRIDE) -> Feeder:
        feeder = Feeder(Setup(tmp_path / "home", model, pacing, stride))
        made.append(feeder)
        return feeder

    yield make
    for feeder in made:
        feeder.end()
