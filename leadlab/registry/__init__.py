"""Versions of models: where each came from, which one is in use, and the way back."""

from leadlab.registry.card import Card
from leadlab.registry.comparison import Comparison, compare
from leadlab.registry.decisions import Decision
from leadlab.registry.difference import Difference
from leadlab.registry.listed import Listed
from leadlab.registry.loaded import Loaded
from leadlab.registry.registry import Registry
from leadlab.registry.version import Version

__all__ = [
    "Card",
    "Comparison",
    "Decision",
    "Difference",
    "Listed",
    "Loaded",
    "Registry",
    "Version",
    "compare",
]
