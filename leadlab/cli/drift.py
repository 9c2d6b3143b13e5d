"""``leadlab drift``: whether newer events still look like those that a model knows."""

from __future__ import annotations

from typing import Annotated

import typer

from leadlab.cli import source
from leadlab.cli.console import out, print_json, steps, table
from leadlab.cli.options import AsJson, Kind, Lead, Value, When
from leadlab.cli.score import Model, check_kinds, scorer_of
from leadlab.errors import EmptyInput
from leadlab.features import build
from leadlab.models.validation.drift import Drift
from leadlab.models.validation.drift import drift as compare
from leadlab.models.validation.validation import leads_of

HELP = """Compare a newer log with an older one as a model sees them: inputs, gaps, scores.

Needs no outcomes. PSI is given beside what chance alone reaches; p-values are corrected for the
number of features.

Example: `leadlab drift january.parquet february.parquet --model mine.leadlab`
"""


def drift(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The older log. " + source.HELP)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The newer log, alike.")],
    model: Model = None,
    top: Annotated[int, typer.Option(help="Features to show.")] = 15,
    lead: Lead = "lead",
    kind: Kind = "kind",
    at: When = "at",
    value: Value = None,
    as_json: AsJson = False,
) -> None:
    """Read both, build features, compare."""
    with steps(4, quiet=as_json) as tell:
        tell("load the model")
        scorer = scorer_of(model)
        tables = []
        for name in (old, new):
            tell(f"read and build {name}"[:38])
            events = source.event_log(name, lead, kind, at, value)
            if not len(events):
                raise EmptyInput("nothing to compare", where=name, got="0 events")
            check_kinds(events, scorer)
            tables.append(build(events, scorer.features, "each event"))
        tell("compare")
        before, after = tables
        scores = (scorer.model.predict_proba(one)[:, 1] for one in tables)
        found = compare(
            before,
            after,
            scores=(next(scores), next(scores)),
            groups=(leads_of(before), leads_of(after)),
        )
    if as_json:
        print_json({"model": scorer.version, **found.to_json()})
        return
    show(found, top)


def show(found: Drift, top: int) -> None:
    """The features that moved most."""
    columns = [
        "name",
        "psi",
        "floor",
        "psi_p_adjusted",
        "p_adjusted",
        "missing_before",
        "missing_after",
        "verdict",
    ]
    rows = [[r[c] for c in columns] for r in found.figures.head(top).to_dict("records")]
    titles = ["feature", "PSI", "noise", "its p", "KS p", "missing", "then", "verdict"]
    note = (
        f"{found.rows_before:,} landmarks of {found.leads_before:,} leads, then "
        f"{found.rows_after:,} of {found.leads_after:,}. Noise: PSI that chance alone reaches in 5%"
        " of cases; p-values are adjusted for the number of features."
    )
    table("What moved", titles, rows, note)
    out.print(f"\n{found.verdict}")


drift.__doc__ = HELP
