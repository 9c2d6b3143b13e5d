"""A whole validation: as a column for a notebook cell or an app, and as one file to send."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import panel as pn
from bokeh.resources import INLINE
from panel.io.resources import CDN_DIST, DIST_DIR

from leadlab.models.validation.validation import Validation
from leadlab.schema.atomic import atomic_path
from leadlab.ui.theme import look
from leadlab.ui.validation.curves import discrimination_view, gain_view
from leadlab.ui.validation.dependence import dependence_view
from leadlab.ui.validation.drift import drift_view
from leadlab.ui.validation.exposure import exposure_view
from leadlab.ui.validation.figures import figures_view
from leadlab.ui.validation.importance import importance_view
from leadlab.ui.validation.label_free import label_free_view
from leadlab.ui.validation.reliability import reliability_view
from leadlab.ui.validation.segments import periods_view, segments_view


def view(validation: Validation) -> Any:
    """Every part on a card, below each other; what is absent says why.

    Parameters
    ----------
    validation : Validation
        From `leadlab.models.validation.validation.validate`.

    Returns
    -------
    panel Column
    """
    one, absent = validation, validation.absent
    return pn.Column(
        figures_view(one.report),
        discrimination_view(one.discrimination),
        reliability_view(one.reliability),
        gain_view(one.gain),
        segments_view(one.segments, absent.get("segments", "")),
        periods_view(one.periods, absent.get("periods", "")),
        importance_view(one.importance, one.shapley),
        dependence_view(one.dependence),
        drift_view(one.drift, absent.get("drift", "")),
        label_free_view(one.label_free),
        exposure_view(one.exposure, absent.get("exposure", "")),
        sizing_mode="stretch_width",
        margin=0,
        styles={"gap": "16px"},
    )


def page(validation: Validation, title: str = "validation") -> Any:
    """The view as a page of its own, light and dark: serve it, or `save_page`."""
    whole = pn.Template(look("report.html"))
    whole.add_panel("report", view(validation))
    whole.add_variable("tokens", look("tokens.css"))
    whole.add_variable("script", look("page.js"))
    whole.add_variable("heading", title)
    return whole


def save_page(validation: Validation, path: str | Path, title: str = "validation") -> Path:
    """Write the page as one HTML file that needs no network, whole or not at all."""
    to = Path(path)
    with atomic_path(to) as draft:
        page(validation, title).save(str(draft), title=f"leadlab: {title}", resources=INLINE)
        draft.write_text(_without_network(draft.read_text(encoding="utf-8")), encoding="utf-8")
    return to


def _without_network(html: str) -> str:
    """Panel links a few style sheets even in a file that holds all its scripts; put them in."""

    def inside(found: re.Match[str]) -> str:
        content = (DIST_DIR / found[1]).read_bytes()
        return f"data:text/css;base64,{base64.b64encode(content).decode()}"

    return re.sub(re.escape(CDN_DIST) + r"([\w/.-]+\.css)", inside, html)
