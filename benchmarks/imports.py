"""How long ``import leadlab`` takes: ``python benchmarks/imports.py [--json] [--quick]``."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from record import best_of, finish, record

TARGET_MS = 150.0


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure whole processes; records as in `benchmarks/record.py`."""
    repeats = 5 if quick else 20

    def started(code: str) -> float:
        command = [sys.executable, "-c", code]
        return 1000 * best_of(lambda: subprocess.run(command, check=True), repeats)

    ms = max(0.0, started("import leadlab") - started("pass"))
    return [record("import leadlab", ms, "ms", "target", TARGET_MS)]


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))
