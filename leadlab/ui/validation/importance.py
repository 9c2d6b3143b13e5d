"""What a model leans on, by permutation and by Shapley values."""

from __future__ import annotations

from typing import Any

from leadlab.models.validation.importance import Importance
from leadlab.ui.validation.drawing import (
    INKS,
    drawn,
    empty,
    ranked,
    ranked_axes,
    section,
    side_by_side,
)

TITLE = "What the model leans on"
SHOWN = 12


def importance_view(part: Importance | None, shapley: Importance | None = None) -> Any:
    """The strongest families with intervals; both measures side by side where both are there."""
    found = [one for one in (part, shapley) if one is not None and len(one.figures)]
    if not found:
        return empty(TITLE, "no importance was measured")
    rest = max(0, len(found[0].figures) - SHOWN)
    ways = (f"{one.method} on {one.rows:,} rows" for one in found)
    say = f"By {' and by '.join(ways)}. Columns of one family are taken "
    say += "together. This is what the model uses, not what causes anything"
    say += f"; {rest} weaker families are not drawn." if rest else "."
    charts = [_chart(one, INKS[i]) for i, one in enumerate(found)]
    return section(TITLE, say, side_by_side(*charts))


def _chart(part: Importance, colour: str) -> Any:
    top = part.figures.head(SHOWN)
    names = [str(name) for name in top["name"]]
    spans = [top[one].tolist() for one in ("value", "low", "high")]
    unit = part.unit[:1].upper() + part.unit[1:]
    return drawn(ranked(names, *spans, colours=colour), unit, "", **ranked_axes(names))
