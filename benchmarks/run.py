"""All benchmarks, one table, one file: ``python benchmarks/run.py [NAME ...] [--quick]``.

With names (features, explain, one_lead, simulate, ...) only those are run, and only their
records are replaced in the file. Each script runs in a process of its own. Explanations run a
second time where `make newest` has left an environment with the newest XGBoost. Results go to
``benchmarks/results.json``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from record import table
from rich.console import Console
from rich.progress import track

HERE = Path(__file__).parent
SCRIPTS = (
    "features",
    "explain",
    "one_lead",
    "read_messages",
    "read_conversations",
    "simulate",
    "memory",
    "imports",
    "match_homes",
    "value_homes",
    "health",
    "live_pipeline",
    "live_latency",
    "live_peers",
    "live_start",
    "sockets",
    "arrival_to_socket",
    "redis_stream",
)
NEWEST = HERE.parent / ".venv-newest" / "bin" / "python"


def measured(python: str, script: str, quick: bool) -> list[dict[str, Any]]:
    """Records of one script; its errors go to the terminal."""
    command = [python, str(HERE / f"{script}.py"), "--json", *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=HERE.parent)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def main() -> None:
    """Run all, print the table, write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scripts", nargs="*", metavar="NAME", help="all when not given")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer repeats")
    arguments = parser.parse_args()
    quick, chosen = arguments.quick, arguments.scripts or list(SCRIPTS)
    jobs = [(sys.executable, script) for script in chosen]
    if "explain" in chosen and NEWEST.exists():
        jobs.append((str(NEWEST), "explain"))
    console = Console(width=None if sys.stdout.isatty() else 150)
    results = HERE / "results.json"
    before = json.loads(results.read_text()) if arguments.scripts and results.exists() else []
    records: list[dict[str, Any]] = []
    for python, script in track(jobs, "measuring", console=Console(stderr=True)):
        found = measured(python, script, quick)
        console.print(table(found))
        records += found
    replaced = {record["name"] for record in records}
    records = [r for r in before if r["name"] not in replaced] + records
    results.write_text(json.dumps(records, indent=1) + "\n")
    console.print(f"{len(records)} records in benchmarks/results.json")


if __name__ == "__main__":
    main()
