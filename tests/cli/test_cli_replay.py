"""``leadlab replay`` as people and machines run it, on what a service left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from leadlab.cli.app import app, run
from leadlab.data import simulate
from leadlab.explain import Scorer
from leadlab.features import build, catalogue
from leadlab.models.conversion import ConversionModel
from leadlab.models.files.model_file import About, save_model
from leadlab.schema.rows import event_fields
from leadlab.schema.wire import WireEvent
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.plan import Plan
from leadlab.stream.service import Service

RULES = """
version: 1
routes: {app: {type: app}}
rules:
  - name: likely
    when: {type: threshold, field: probability, op: ">", value: 0.3}
    message: "{lead} is likely"
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, and the home of a service that scored by the first."""
    place = tmp_path_factory.mktemp("kept")
    log = simulate(150, 120, seed=9).log
    table = build(log, catalogue())
    for name, target in (("one", "offer_count_30d"), ("two", "showing_count_30d")):
        label = table.column(target) > 0
        model = ConversionModel(rounds=10, min_child_weight=1.0).fit(table, label)
        about = About(features=catalogue().to_json(), fingerprint=name * 4)
        save_model(place / f"{name}.leadlab", model, about)
    plan = Plan.of(Scorer.load(place / "one.leadlab"))
    service = Service(place / "live", lambda: LiveEngine(plan))
    service.start()
    fields = list(event_fields(log))[-3000:]
    for start in range(0, len(fields), 500):
        part = [
            WireEvent(f"{start + i}", "acme", row["lead"], row["kind"], int(at_us), row["value"])
            for i, (row, at_us) in enumerate(
                zip(fields[start : start + 500], log.at_us[-3000:][start:], strict=False)
            )
        ]
        service.submit(part, stamp_us=part[-1].at_us)
    service.settled()
    service.stop()
    return place


def asked(kept: Path, *more: str, model: str = "one") -> list[str]:
    return [
        "replay", "--home", str(kept / "live"), "--from", "1990-01-01", "--to", "2100-01-01",
        "--model", str(kept / f"{model}.leadlab"), *more,
    ]  # fmt: skip


def test_help_has_an_example() -> None:
    found = CliRunner().invoke(app, ["replay", "--help"])
    assert found.exit_code == 0
    assert "leadlab replay --from" in " ".join(found.stdout.split())


def test_the_same_model_differs_nowhere(kept: Path, capsys) -> None:
    assert run(asked(kept, "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["events"] == told["same_version"] == 3000
    assert told["same_version_differing"] == told["changed"] == told["tiers_changed"] == 0
    assert told["moved"] == []
    assert run(asked(kept)) == 0
    assert "all equal" in capsys.readouterr().out


def test_another_model_is_compared_and_written(kept: Path, capsys, tmp_path: Path) -> None:
    to = tmp_path / "diff.parquet"
    assert run(asked(kept, "--json", "--out", str(to), "--top", "4", model="two")) == 0
    told = json.loads(capsys.readouterr().out)
    frame = pd.read_parquet(to)
    assert len(frame) == told["events"] == 3000
    assert told["max"] == pytest.approx(frame["difference"].abs().max())
    assert told["mean"] == pytest.approx(frame["difference"].abs().mean())
    assert told["same_version"] == 0 < told["changed"]
    assert sum(sum(row.values()) for row in told["tiers"].values()) == 3000
    assert len(told["moved"]) == 4
    assert abs(told["moved"][0]["after"] - told["moved"][0]["before"]) == told["max"]
    assert run(asked(kept, model="two")) == 0
    shown = capsys.readouterr().out
    assert told["moved"][0]["lead"] in shown


def test_alerts_of_two_models_are_compared(kept: Path, capsys, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    against = ("--against", str(kept / "one.leadlab"), "--alerts", str(rules), "--json")
    assert run(asked(kept, *against)) == 0
    same = json.loads(capsys.readouterr().out)
    assert same["alerts_raised"] == same["alerts_silent"] == []
    assert run(asked(kept, *against, model="two")) == 0
    other = json.loads(capsys.readouterr().out)
    assert other["alerts_raised"] or other["alerts_silent"]
    assert all(name.startswith("likely: ") for name in other["alerts_raised"])


def test_what_cannot_be_done_is_said(kept: Path, capsys, tmp_path: Path) -> None:
    nowhere = asked(kept)
    nowhere[2] = str(tmp_path)
    assert run(nowhere) == 3
    assert "no such journal" in capsys.readouterr().err
    assert run(asked(kept, "--out", "diff.xlsx")) == 3
    assert ".parquet" in capsys.readouterr().err
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    assert run(asked(kept, "--alerts", str(rules))) == 3
    assert "--against" in capsys.readouterr().err
    late = asked(kept)
    late[4] = "2099-01-01"
    assert run(late) != 0
    assert "nothing arrived" in capsys.readouterr().err
