"""Sentences on a score that other packages add to its reasons.

A package registers a callable by entry point; it gets the scores and a row, and gives sentences::

    [project.entry-points."leadlab.insights"]
    budget = "my_package.insights:budget"

    def budget(scores, row):
        yield "Asks for more than the area sells at."
"""

from __future__ import annotations

from dataclasses import dataclass

from leadlab.errors import BrokenPlugin
from leadlab.explain.scores import Scores
from leadlab.models.files.plugins import Fence, Plugin, load_plugin, plugin, plugins

GROUP = "leadlab.insights"
MOST = 20
"""Sentences that one handler may add to a score."""


@dataclass(frozen=True, slots=True)
class Insight:
    """A sentence that another package adds.

    Attributes
    ----------
    text : str
    handler : str
        Name of the entry point.
    package : str
        Who says it.
    """

    text: str
    handler: str
    package: str


@dataclass(frozen=True, slots=True)
class Insights:
    """What the handlers said, and which of them were refused.

    Attributes
    ----------
    found : tuple of Insight
    refused : tuple of BrokenPlugin
        One an entry point that could not be loaded, raised, or gave anything but sentences.
    """

    found: tuple[Insight, ...]
    refused: tuple[BrokenPlugin, ...]


def insights(scores: Scores, row: int) -> Insights:
    """What other packages say of one score; a broken one silences only itself.

    Parameters
    ----------
    scores : Scores
        From `leadlab.explain.Scorer.score`.
    row : int
        Which lead.
    """
    found: list[Insight] = []
    refused: list[BrokenPlugin] = []
    for name in sorted({one.name for one in plugins(GROUP)}):
        try:
            handler = plugin(GROUP, "insight handler", name)
            found += [Insight(t, name, handler.package) for t in _said(handler, scores, row)]
        except BrokenPlugin as error:
            refused.append(error)
    return Insights(tuple(found), tuple(refused))


def _said(handler: Plugin, scores: Scores, row: int) -> list[str]:
    call = load_plugin(handler)
    with Fence("an insight handler failed", handler):
        given = call(scores, row)
        if isinstance(given, str):
            raise TypeError("it gave one text instead of several sentences")
        said: list[str] = []
        for text in given:
            if not isinstance(text, str) or not text.strip():
                raise TypeError(f"it gave {text!r:.60} for a sentence")
            if len(said) == MOST:
                raise ValueError(f"it gave more than {MOST} sentences")
            said.append(text.strip())
    return said
