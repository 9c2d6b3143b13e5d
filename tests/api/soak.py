"""Ten thousand half-open connections: ``python -m tests.api.soak``, or ``make soak``."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.api.child import child
from tests.api.half_open import allowed, ended, half_open

WANTED = 10_000
ASKED = 50


def main() -> None:
    """Hold them, ask meanwhile, wait until the server has ended them; prints what came out."""
    count = allowed(WANTED)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        rates = "admin=1000000/second,anonymous=1000000/second"
        with child(home, LEADLAB_RATES=rates) as server, server.client() as client:
            with half_open(server.port, count) as sockets:
                taken_s = []
                for _ in range(ASKED):
                    began_s = time.perf_counter()
                    client.get("/v1/leads").raise_for_status()
                    taken_s.append(time.perf_counter() - began_s)
                over = ended(sockets, 60.0)
            client.get("/health/ready").raise_for_status()
    told = f"a normal request took {1e3 * statistics.median(taken_s):.1f} ms in the median"
    sys.stdout.write(
        f"{count:,} half-open connections: {told}, {1e3 * max(taken_s):.1f} ms at the most\n"
    )
    sys.stdout.write(f"{over:,} of them were ended by the server\n")
    if over < count:
        raise SystemExit("some were left open")


if __name__ == "__main__":
    main()
