"""A validation drawn: each part by itself, all of them in a cell or app, or as one HTML file."""

from leadlab.ui.validation.curves import discrimination_view, gain_view
from leadlab.ui.validation.dependence import dependence_view
from leadlab.ui.validation.drift import drift_view
from leadlab.ui.validation.exposure import exposure_view
from leadlab.ui.validation.figures import figures_view
from leadlab.ui.validation.importance import importance_view
from leadlab.ui.validation.label_free import label_free_view
from leadlab.ui.validation.page import page, save_page, view
from leadlab.ui.validation.reliability import reliability_view
from leadlab.ui.validation.segments import periods_view, segments_view

__all__ = [
    "dependence_view",
    "discrimination_view",
    "drift_view",
    "exposure_view",
    "figures_view",
    "gain_view",
    "importance_view",
    "label_free_view",
    "page",
    "periods_view",
    "reliability_view",
    "save_page",
    "segments_view",
    "view",
]
