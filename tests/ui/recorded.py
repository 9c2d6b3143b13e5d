"""A small recording of real parts: simulated events, a model trained on the earlier ones."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from leadlab.config import Settings
from leadlab.data import simulate
from leadlab.features import build, catalogue
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.model_file import About, save_model
from leadlab.models.landmarks import label_landmarks
from leadlab.schema.codec import write_log
from leadlab.schema.kinds import LOST
from leadlab.ui.recording import paths

HORIZON_DAYS = 60.0


def make_home(
    home: Path, *, n_leads: int = 600, days: int = 240, rounds: int = 60, simulated: bool = True
) -> Settings:
    """Train on the first 70% of the time, leave the log and the model as the demo does."""
    settings = Settings(home)
    log = simulate(n_leads, days, seed=7).log
    cut_us = int(log.at_us[0] + 0.7 * (log.at_us[-1] - log.at_us[0]))
    known = log.between(0, cut_us)
    features = catalogue()
    table = build(known, features, at="each event")
    kinds = {"converted": ("Offer Accepted",), "ended": (LOST,)}
    marks = label_landmarks(table, known, **kinds, horizon_days=HORIZON_DAYS)
    used = marks.usable
    model = ConversionModel(rounds=rounds, max_depth=4, learning_rate=0.1)
    model.fit(table.take(used), (marks.label[used] == 1).astype(np.int8))
    model_path, log_path, about_path = paths(settings)
    for path in (model_path, log_path):
        path.parent.mkdir(parents=True, exist_ok=True)
    about = About(
        features.to_json(), **kinds, horizon_days=HORIZON_DAYS, fingerprint="0123456789abcdef"
    )
    save_model(model_path, model, about)
    write_log(log, log_path)
    about_path.write_text(
        json.dumps(
            {
                "dataset": "generated",
                "title": "Generated brokerage",
                "simulated": simulated,
                "replay_from": str(np.datetime64(cut_us, "us")) + "Z",
                "outcome": "an accepted offer",
                "horizon_days": HORIZON_DAYS,
            }
        )
    )
    return settings


def wait_until(holds: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Poll until something holds."""
    end_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end_s, "it did not come to hold in time"
        time.sleep(0.02)
