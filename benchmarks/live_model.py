"""The model that live benchmarks score with: of SIMULATED leads and the catalogue's features."""

from __future__ import annotations

from pathlib import Path

from leadlab.data import simulate
from leadlab.features import catalogue
from leadlab.models.training import Study, train

STUDY = Study(converted=("Offer Accepted", "Closed"), ended=("Lost",), horizon_days=30.0)


def trained(folder: Path, leads: int = 3000) -> Path:
    """Train and save a model; gives its file."""
    found = train(simulate(leads, 700, seed=11).log, STUDY, features=catalogue())
    return found.save(folder / "live.leadlab")
