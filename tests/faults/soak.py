"""The long form of the tests of faults: ``python -m tests.faults.soak``, or ``make soak``.

Thirty kills at seeded moments in three loads of SIMULATED events, each with 20% repeats, disorder,
events days late, and poison; half-way the model is changed. Prints what was found; exits with 1
where anything was lost, doubled or different.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.faults.conftest import PACING, write_models
from tests.faults.feeding import Feeder
from tests.faults.load import requests
from tests.faults.rounds import killed_at_random
from tests.faults.served import Setup
from tests.faults.verdict import verdict

COLUMNS = (
    "load", "kills", "acknowledged", "counted", "lost", "doubled", "rows other", "leads compared",
    "mismatches", "foreign", "refused", "start p50 s", "start max s", "took s",
)  # fmt: skip


def soak(folder: Path, seed: int, kills: int, leads: int, days: int) -> tuple[list[object], bool]:
    """One load; gives a row of the table, and whether all was sound."""
    begun_s = time.monotonic()
    model = write_models(folder / "models")
    feeder = Feeder(Setup(folder / f"home{seed}", model, replace(PACING, batch=256), 2048))
    todo = requests(seed, leads=leads, days=days, most=30)
    middle = len(todo) // 2
    starts_s = killed_at_random(feeder, todo[:middle], kills // 2, seed)
    feeder.ask("promote", "two")
    feeder.kill()
    feeder.setup = replace(feeder.setup, model=model.with_name("two.leadlab"))
    starts_s += killed_at_random(feeder, todo[middle:], kills - kills // 2 - 1, seed)
    feeder.stop()
    found = verdict(feeder.setup, feeder.acknowledged)
    starts_s.sort()
    complete = feeder.acknowledged == {(r.tenant, one) for r in todo for one in r.ids}
    row: list[object] = [
        seed, kills, found.acknowledged, found.counted, found.lost, found.doubled,
        found.rows_other, found.leads, found.mismatches, found.foreign, feeder.refused,
        round(starts_s[len(starts_s) // 2], 2), round(starts_s[-1], 2),
        round(time.monotonic() - begun_s, 1),
    ]  # fmt: skip
    return row, found.sound and complete and found.versions == ("one", "two")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true", help="three kills in small loads")
    short = parser.parse_args().short
    kills, leads, days = (3, 25, 90) if short else (10, 1200, 240)
    rows, all_sound = [], True
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1 if short else 3):
            row, sound = soak(Path(folder), seed, kills, leads, days)
            rows.append(row)
            all_sound &= sound
    cells = [
        list(COLUMNS),
        *([f"{x:,}" if isinstance(x, int) else str(x) for x in r] for r in rows),
    ]
    for cell in cells:
        line = (text.rjust(len(name)) for text, name in zip(cell, COLUMNS, strict=True))
        sys.stdout.write("  ".join(line) + "\n")
    sys.stdout.write("sound\n" if all_sound else "NOT SOUND\n")
    return 0 if all_sound else 1


if __name__ == "__main__":
    sys.exit(main())
