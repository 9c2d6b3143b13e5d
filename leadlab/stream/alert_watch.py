"""Rules over outcomes that were made again: which alerts they would have raised."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from leadlab.stream.alerts import AlertEngine, AlertStore, Rule
from leadlab.stream.alerts.alert import moment
from leadlab.stream.outcome import Outcome
from leadlab.stream.plan import Plan
from leadlab.stream.time_travel import Watch
from leadlab.stream.windows import Windows


@contextmanager
def alert_watch(rules: Sequence[Rule], plan: Plan) -> Iterator[Watch]:
    """Give what names the alerts of outcomes; nothing is kept and nobody is told.

    Windows and what rules remember begin empty, so alerts of the first hours of a stretch may
    differ from those of a service that had run before; those of two models do so alike.

    Examples
    --------
    >>> from leadlab.stream.alerts import default_rules
    >>> with alert_watch(default_rules().rules, Plan()) as watch:
    ...     pass
    """
    windows, latest_us = Windows(conversions=plan.converted), 0
    with (
        tempfile.TemporaryDirectory() as folder,
        AlertStore(Path(folder) / "alerts.db") as store,
    ):
        engine = AlertEngine(rules, store)

        def watch(outcome: Outcome) -> list[str]:
            nonlocal latest_us
            if not len(outcome):
                return []
            windows.add(outcome)
            latest_us = max(latest_us, int(outcome.rows["as_of_us"].max()))
            figures = {tenant: windows.figures(tenant, latest_us) for tenant in windows.tenants}
            return [
                f"{one.rule}: {one.key or one.tenant}, {moment(one.at_us)}"
                for one in engine.take(outcome, figures)
            ]

        yield watch
