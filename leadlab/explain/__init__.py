"""Every score, explained exactly: contributions, reasons, and what moved it."""

from leadlab.explain.column_scores import ColumnScores
from leadlab.explain.finding import Evidence, Finding
from leadlab.explain.foreign import explain_classifier
from leadlab.explain.insights import Insight, Insights, insights
from leadlab.explain.known import Known
from leadlab.explain.reasons import Change, Reason, changes, reasons
from leadlab.explain.scorer import Scorer
from leadlab.explain.scores import Scores
from leadlab.explain.trees import Explanation, TreeShapley

__all__ = [
    "Change",
    "ColumnScores",
    "Evidence",
    "Explanation",
    "Finding",
    "Insight",
    "Insights",
    "Known",
    "Reason",
    "Scorer",
    "Scores",
    "TreeShapley",
    "changes",
    "explain_classifier",
    "insights",
    "reasons",
]
