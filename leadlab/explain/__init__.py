"""Every score, explained exactly: contributions, reasons, and what moved it."""

from leadlab.explain.insights import Insight, Insights, insights
from leadlab.explain.reasons import Change, Reason, changes, reasons
from leadlab.explain.scorer import Scorer
from leadlab.explain.scores import Scores
from leadlab.explain.trees import Explanation, TreeShapley

__all__ = [
    "Change",
    "Explanation",
    "Insight",
    "Insights",
    "Reason",
    "Scorer",
    "Scores",
    "TreeShapley",
    "changes",
    "insights",
    "reasons",
]
