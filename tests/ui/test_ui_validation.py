"""Validations drawn: every part, also where there is nothing to draw, and a file of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import panel as pn
import pytest
from bokeh.document import Document

from leadlab.models.baselines import BaseRate, Logistic
from leadlab.models.validation.dependence import dependence
from leadlab.models.validation.validation import Validation, validate
from leadlab.ui import validation as drawn

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def found() -> Validation:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"calls": rng.normal(size=400), EVIL: rng.normal(size=400)})
    X.loc[::9, "calls"] = np.nan
    y = (X["calls"].fillna(0) + rng.normal(size=400) > 0.8).astype(int)
    model, rate = Logistic().fit(X, y), BaseRate().fit(X, y)
    return validate(
        model,
        X,
        y,
        baselines={"base rate": rate},
        segments={"source": rng.choice(["web", EVIL, "fax"], 400, p=[0.6, 0.37, 0.03])},
        sensitive={"language": rng.choice(["en", "es"], 400)},
        reference=X.iloc[:200] + 1.0,
        at_us=np.arange(400) * 21_600_000_000,
        resamples=10,
    )


def shown(view) -> str:
    """Render a view as a session would, and give its HTML texts."""
    document = Document()
    document.add_root(view.get_root(document))
    document.validate()
    return " ".join(pane.object for pane in view.select(pn.pane.HTML))


def plots(view) -> int:
    return len(list(view.select(pn.pane.HoloViews)))


def test_a_whole_validation_renders_without_foreign_markup(found: Validation) -> None:
    view = drawn.view(found)
    text = shown(view)
    assert plots(view) >= 12
    assert EVIL not in text
    assert "&lt;img" in text
    assert "only" in text, "the small segment says so"
    assert f"{found.report.metrics['roc_auc'].value:.3f}" in text


def test_every_axis_is_labelled(found: Validation) -> None:
    for pane in drawn.view(found).select(pn.pane.HoloViews):
        options = pane.object.opts.get("plot").kwargs
        assert options["xlabel"]
        assert options["ylabel"] or "yticks" in options


def test_absent_parts_say_why(found: Validation) -> None:
    bare = replace(
        found, segments=None, periods=None, drift=None, exposure=None,
        absent={name: f"no {name} here" for name in ("segments", "periods", "drift", "exposure")},
    )  # fmt: skip
    text = shown(drawn.view(bare))
    for name in bare.absent:
        assert f"No {name} here" in text


def test_one_class_draws_reasons_instead_of_curves() -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    model = Logistic().fit(X, X[:, 0] > 0)
    one = validate(model, X, np.zeros(40, int), baselines={}, resamples=5)
    text = shown(drawn.view(one))
    assert "Nothing to show: No row converted" in text
    assert "No baseline was given" in text


def test_no_bootstrap_and_no_columns_still_draw(found: Validation) -> None:
    X = np.random.default_rng(0).normal(size=(80, 1))
    y = (X[:, 0] > 0).astype(int)
    model = Logistic().fit(X, y)
    one = validate(model, X, y, baselines={}, resamples=0)
    assert plots(drawn.view(one)) > 5
    assert (
        "no column was asked for" in shown(drawn.dependence_view(dependence(model, X, []))).lower()
    )
    assert "no importance was measured" in shown(drawn.importance_view(None)).lower()


def test_each_part_is_drawn_by_its_own_function(found: Validation) -> None:
    for view, part in (
        (drawn.figures_view, found.report),
        (drawn.discrimination_view, found.discrimination),
        (drawn.reliability_view, found.reliability),
        (drawn.gain_view, found.gain),
        (drawn.segments_view, found.segments),
        (drawn.periods_view, found.periods),
        (drawn.importance_view, found.importance),
        (drawn.dependence_view, found.dependence),
        (drawn.drift_view, found.drift),
        (drawn.label_free_view, found.label_free),
        (drawn.exposure_view, found.exposure),
    ):
        assert "<h2>" in shown(view(part)), view.__name__


def test_the_file_needs_no_network_and_escapes_its_title(found: Validation, tmp_path: Path) -> None:
    html = drawn.save_page(found, tmp_path / "v.html", "<b>mine</b>").read_text()
    assert "cdn." not in html.split("<body")[0].replace("cdn.jsdelivr", "")
    assert "https://cdn.holoviz.org" not in html
    assert "<b>mine</b>" not in html
    assert list(tmp_path.iterdir()) == [tmp_path / "v.html"]
