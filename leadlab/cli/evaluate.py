"""``leadlab evaluate``: published protocols on public and simulated data, in one object."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Annotated

import typer

from leadlab.cli.console import print_json, steps, table
from leadlab.cli.options import AsJson
from leadlab.data import load
from leadlab.errors import UnknownName
from leadlab.models.protocols.evaluation import Evaluation

HELP = """Run a published protocol on a public data set; the same seed gives the same figures.

Example: `leadlab evaluate bpic2012 --json`
"""
BROKERAGE, DAYS = "brokerage", 500
TEXTS = "texts"


@dataclass(frozen=True)
class Protocol:
    """Where a protocol lives, what it reads, and how many steps it tells of.

    Attributes
    ----------
    function : str
        ``module:function``, called as ``function(data, seed=..., tell=...)``; imported when asked
        for, so that one protocol's libraries do not slow another.
    data : str
        What `leadlab.data.load` is asked for; or "brokerage", which is simulated from the seed;
        or "texts", labelled ones of leadlab's own.
    steps : int
    leads : int
        Of the simulated brokerage.
    texts : int
        Labelled texts of leadlab's own; handed over as ``texts=`` where the data are others.
    """

    function: str
    data: str
    steps: int
    leads: int = 0
    texts: int = 0

    def run(self, seed: int, quiet: bool) -> Evaluation:
        """Load the data and run."""
        module, name = self.function.split(":")
        with steps(1 + self.steps, quiet=quiet) as tell:
            tell("read the data")
            data = self._read(seed)
            own = {"texts": _texts(self.texts, seed)} if self.texts and self.data != TEXTS else {}
            function = getattr(importlib.import_module(module), name)
            found = function(data, seed=seed, tell=tell, **own)
        assert isinstance(found, Evaluation)
        return found

    def _read(self, seed: int) -> object:
        if self.data == TEXTS:
            return _texts(self.texts, seed)
        return _simulated(self.leads, seed) if self.data == BROKERAGE else load(self.data)


def _texts(n: int, seed: int) -> object:
    from leadlab.data.phrases.labelled import labelled_texts  # noqa: PLC0415  (where asked for)

    return labelled_texts(n, seed)


def _simulated(leads: int, seed: int) -> object:
    from leadlab.data.brokerage import simulate  # noqa: PLC0415  (only where it is asked for)

    return simulate(leads, DAYS, seed)


PROTOCOLS = {
    "bpic2012": Protocol("leadlab.models.protocols.bpic2012:evaluate_bpic2012", "bpic2012", 11),
    "bpic2012_churn": Protocol(
        "leadlab.models.protocols.bpic2012_churn:evaluate_bpic2012_churn", "bpic2012", 5
    ),
    "brokerage": Protocol(
        "leadlab.models.protocols.brokerage:evaluate_brokerage", BROKERAGE, 4, 200_000
    ),
    "brokerage_churn": Protocol(
        "leadlab.models.protocols.brokerage_churn:evaluate_brokerage_churn", BROKERAGE, 5, 10_000
    ),
    "brokerage_health": Protocol(
        "leadlab.models.protocols.brokerage_health:evaluate_brokerage_health", BROKERAGE, 4, 40_000
    ),
    "brokerage_matching": Protocol(
        "leadlab.models.protocols.brokerage_matching:evaluate_brokerage_matching",
        BROKERAGE,
        7,
        10_000,
    ),
    "cdnow": Protocol("leadlab.models.protocols.cdnow:evaluate_cdnow", "cdnow", 3),
    "hillstrom": Protocol("leadlab.models.protocols.hillstrom:evaluate_hillstrom", "hillstrom", 7),
    "x_education": Protocol(
        "leadlab.models.protocols.shuffled:evaluate_x_education", "x_education", 8
    ),
    "conversation": Protocol(
        "leadlab.models.protocols.conversation:evaluate_conversation", TEXTS, 12, texts=8_000
    ),
    "craigslist_acts": Protocol(
        "leadlab.models.protocols.craigslist_acts:evaluate_craigslist_acts", "craigslist", 4
    ),
    "craigslist_deals": Protocol(
        "leadlab.models.protocols.craigslist_deals:evaluate_craigslist_deals",
        "craigslist",
        3,
        texts=8_000,
    ),
    "king_county": Protocol(
        "leadlab.models.protocols.valuations:evaluate_king_county", "king_county", 3
    ),
    "ames": Protocol("leadlab.models.protocols.valuations:evaluate_ames", "ames", 3),
    "banking77": Protocol("leadlab.models.protocols.intents:evaluate_banking77", "banking77", 3),
    "clinc150": Protocol("leadlab.models.protocols.intents:evaluate_clinc150", "clinc150", 4),
    "sgd_homes": Protocol(
        "leadlab.models.protocols.sgd_homes:evaluate_sgd_homes", "sgd_homes", 4, texts=8_000
    ),
    "sst2": Protocol("leadlab.models.protocols.sst2:evaluate_sst2", "sst2", 4),
    "telco": Protocol("leadlab.models.protocols.shuffled:evaluate_telco", "telco", 12),
    "bank_marketing": Protocol(
        "leadlab.models.protocols.ordered:evaluate_bank_marketing", "bank_marketing", 4
    ),
    "olist_funnel": Protocol(
        "leadlab.models.protocols.ordered:evaluate_olist_funnel", "olist_funnel", 5
    ),
}


def evaluate(
    name: Annotated[str, typer.Argument(help="Data set: " + ", ".join(PROTOCOLS) + ".")],
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Load, run, print."""
    if name not in PROTOCOLS:
        raise UnknownName("protocol", name, PROTOCOLS)
    found = PROTOCOLS[name].run(seed, quiet=as_json)
    if as_json:
        print_json(found.to_json())
        return
    others = found.baselines_by_name
    rows = [
        [metric, value, *(figures.get(metric, float("nan")) for figures in others.values())]
        for metric, value in found.metrics.items()
    ]
    table(found.name, ["figure", "leadlab", *others], rows, found.protocol)


evaluate.__doc__ = HELP
