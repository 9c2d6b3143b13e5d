"""Figures expected without outcomes, beside the realised ones."""

from __future__ import annotations

from typing import Any

from leadlab.models.validation.unlabelled import LabelFree
from leadlab.ui.validation.drawing import empty, number, section, spanned, table, told
from leadlab.ui.validation.figures import NAMES
from leadlab.ui.wording import safe

TITLE = "What could be expected without outcomes"


def label_free_view(part: LabelFree | None, why: str = "it was not estimated") -> Any:
    """A table of expected and realised figures, and the assumption."""
    if part is None or not len(part.figures):
        return empty(TITLE, why)
    rows, outside = [], []
    for one in part.figures.to_dict("records"):
        name = NAMES.get(str(one["metric"]), str(one["metric"]))
        word = {True: "inside", False: "!outside", None: "no outcomes"}[one["within"]]
        if one["within"] is False:
            outside.append(name)
        expected = spanned(one["expected"], one["low"], one["high"])
        rows.append([safe(name), expected, number(one["realised"]), word])
    known = part.figures["realised"].notna().any()
    say = part.assumption
    if known and outside:
        say += f" Here outcomes are known, and {', '.join(outside)} fell outside: it did not hold."
    elif known:
        say += " Here outcomes are known, and every figure fell inside its interval."
    figures = told(table(["figure", "expected", "realised", "95% interval"], rows, words=(3,)))
    return section(TITLE, say, figures, loud=bool(outside))
