"""What the service answers is what its OpenAPI says, whatever it is sent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.running import Running, token, wire

# A schema cannot say that a time must not lie ahead of the clock, that a cursor must come from a
# page, or that the features of a lead have names: there a refusal of what fits the schema is fine.
CONFIG = """
max-stream-events = 1
request-timeout = 60
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "304", "404", "422"]
[dictionaries.leads]
values = ["{lead}"]
[parameters]
"path.lead" = {{dictionary = "leads", probability = 0.5}}
"body.lead" = {{dictionary = "leads", probability = 0.5}}
"""
SHORT, PATIENCE_S = 20, 240


TENANT = "contract"


@pytest.fixture(scope="module")
def lead(whole: Running) -> str:
    """A lead of a tenant whose data nobody else minds."""
    events = wire(TENANT, 3, 13)
    whole.station.service.submit(events)
    whole.station.service.settled()
    return events[0].lead


def explored(whole: Running, lead: str, folder: Path, examples: int, *more: str) -> str:
    """Run schemathesis over everything that is declared; gives what it says, or fails."""
    (folder / "schemathesis.toml").write_text(CONFIG.format(lead=lead))
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run",
        f"{whole.url}/openapi.json", "--header", f"Authorization: Bearer {token(tenant=TENANT)}",
        "--checks", "all", "--max-examples", str(examples), "--generation-database", "none",
        "--generation-with-security-parameters", "false", "--phases", "examples,coverage,fuzzing",
        "--continue-on-failure", "--no-color", *more,
    ]  # fmt: skip
    ran = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    lines = [line[:400] for line in (ran.stdout + ran.stderr).splitlines()]
    told = "\n".join(lines)
    assert ran.returncode == 0, told
    return told


def test_whatever_is_sent_the_answer_is_one_that_is_declared(
    whole: Running, lead: str, tmp_path: Path
) -> None:
    told = explored(whole, lead, tmp_path, SHORT, "--seed", "2", "--no-shrink")
    assert f"Tested: {operations(whole)}" in told, told


def operations(whole: Running) -> int:
    paths = whole.app.openapi()["paths"]
    return sum(len(methods) for methods in paths.values())
