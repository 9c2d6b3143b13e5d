"""``leadlab demo``: the whole way on a public log, or on simulated events where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from leadlab.cli.console import err, out, print_json, steps, table
from leadlab.cli.options import AsJson
from leadlab.cli.train import STEPS, show, summary
from leadlab.config import Settings
from leadlab.data import load, simulate
from leadlab.errors import DataUnavailable, LeadlabError
from leadlab.explain import Scorer, reasons
from leadlab.features import FeatureSet, OnlineStore, catalogue
from leadlab.models.training import Study, Trained, train
from leadlab.schema import EventLog, write_log
from leadlab.schema.atomic import atomic_path

HELP = """Take a real log, build features, train, evaluate, and show the top leads with reasons.

BPI Challenge 2012 where it can be had (LEADLAB_DATA_DIR or a download), else SIMULATED events.
Leaves the model and the log where the live page finds them.

Example: `leadlab demo`
"""
TOP = 5
US_PER_DAY = 86_400_000_000


@dataclass(frozen=True)
class Setting:
    """What a demonstration runs on; also what the live page is told."""

    dataset: str
    title: str
    simulated: bool
    outcome: str
    study: Study
    features: Callable[[], FeatureSet] | None = None


BPIC = Setting(
    "bpic2012",
    "BPI Challenge 2012: loan applications at a Dutch bank",
    False,
    "offer accepted",
    Study(
        converted=tuple(
            f"{kind}|COMPLETE"
            for kind in ("O_ACCEPTED", "A_APPROVED", "A_REGISTERED", "A_ACTIVATED")
        ),
        ended=("A_DECLINED|COMPLETE", "A_CANCELLED|COMPLETE"),
        horizon_days=14.0,
    ),
)
SIMULATED = Setting(
    "simulated",
    "Simulated real-estate leads",
    True,
    "offer accepted",
    Study(
        converted=("Offer Accepted", "Closed"),
        ended=("Lost",),
        horizon_days=30.0,
    ),
    catalogue,
)


def demo(
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Do nothing where model and log are there already.")
    ] = False,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Take simulated events even where a real log is.")
    ] = False,
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Run the demonstration."""
    settings = Settings.from_environment()
    place = Place(settings)
    if if_missing and place.complete():
        if not as_json:
            out.print(f"Model and log are in {settings.home} already.")
        return
    with steps(STEPS + 1, quiet=as_json) as tell:
        tell("read the log")
        setting, log = _input(simulated, seed, as_json)
        trained = train(
            log,
            Study(**{**asdict(setting.study), "seed": seed}),
            features=setting.features() if setting.features else None,
            trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
            tell=tell,
        )
        tell("write model and log")
        place.write(setting, log, trained)
    top = _top(log, trained, place)
    if as_json:
        told = {"dataset": setting.dataset, "simulated": setting.simulated}
        print_json({**told, **summary(trained), "top": top})
        return
    _show(setting, log, trained, top)


@dataclass(frozen=True)
class Place:
    """Where the live page looks for its model and its log."""

    settings: Settings

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.settings.models / "hub.leadlab"

    @property
    def log(self) -> Path:
        """The event log to replay."""
        return self.settings.home / "hub.parquet"

    @property
    def about(self) -> Path:
        """What the log is."""
        return self.settings.home / "hub.json"

    def complete(self) -> bool:
        """Whether all three are there and the model can be read."""
        if not (self.log.is_file() and self.about.is_file() and self.model.is_file()):
            return False
        try:
            Scorer.load(self.model)
        except LeadlabError as error:
            err.print(f"The model that is there cannot be used, so it is made anew: {error}")
            return False
        return True

    def write(self, setting: Setting, log: EventLog, trained: Trained) -> None:
        """Write the log and what it is first, the model last."""
        write_log(log, self.log)
        start_us = trained.split.test_start_us
        told = {
            "dataset": setting.dataset,
            "title": setting.title,
            "simulated": setting.simulated,
            "outcome": setting.outcome,
            "horizon_days": setting.study.horizon_days,
            "replay_from": str(np.datetime64(start_us, "us")) + "Z",
        }
        with atomic_path(self.about) as temporary:
            temporary.write_text(json.dumps(told, indent=1), encoding="utf-8")
        trained.save(self.model)


def _input(simulated: bool, seed: int, quiet: bool) -> tuple[Setting, EventLog]:
    """The real log where it can be had; otherwise say so and simulate."""
    if not simulated:
        try:
            return BPIC, load("bpic2012")
        except DataUnavailable as error:
            if not quiet:
                err.print(f"{error}\nGoing on with SIMULATED events instead.")
    return SIMULATED, simulate(5_000, 800, seed).log


def _top(log: EventLog, trained: Trained, place: Place) -> list[dict[str, object]]:
    """The hottest open leads at the end of the log, by the live store, with reasons."""
    scorer = Scorer.load(place.model)
    store = OnlineStore(scorer.features)
    store.add(log)
    end_us = int(log.at_us[-1])
    study = trained.about
    kinds = [log.kind.index[k] for k in (*study.converted, *study.ended) if k in log.kind.index]
    closed = set(log.lead.codes[np.isin(log.kind.codes, kinds)].tolist())
    recent = set(log.lead.codes[log.at_us > end_us - 30 * US_PER_DAY].tolist())
    leads = [str(log.lead.names[c]) for c in sorted(recent - closed)]
    scores = scorer.score(store.read(leads, end_us, tenant=str(log.tenant.names[0])))
    order = np.argsort(-scores.probability, kind="stable")[:TOP]
    return [
        {
            "lead": leads[i],
            "probability": float(scores.probability[i]),
            "reasons": [
                {"text": r.text, "family": r.family, "effect": r.effect}
                for r in reasons(scores, int(i), 3)
            ],
        }
        for i in order
    ]


def _show(setting: Setting, log: EventLog, trained: Trained, top: list[dict[str, object]]) -> None:
    kind = "[bold red]SIMULATED[/bold red] events" if setting.simulated else "real events"
    out.print(f"\n[bold]{setting.title}[/bold]: {len(log):,} {kind}, {len(log.lead.names):,} leads")
    out.print(
        f"To foresee: {setting.outcome} within {setting.study.horizon_days:g} days; "
        f"{len(trained.table.names)} features.\n"
    )
    show(trained)
    rows = []
    for one in top:
        why = one["reasons"]
        assert isinstance(why, list)
        text = "\n".join(f"{'+' if r['effect'] > 0 else '-'} {r['text']}" for r in why)
        rows.append([one["lead"], f"{one['probability']:.1%}", text])
    table("Hottest open leads at the end of the log", ["lead", "chance", "because"], rows)
    out.print("\nNext: make serve (the live page), leadlab explain LEAD, leadlab --help")


demo.__doc__ = HELP
