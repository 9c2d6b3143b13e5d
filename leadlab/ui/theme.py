"""How every view looks: a few tokens and style sheets, light and dark from one source."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import panel as pn

_LOOK = Path(__file__).parent / "look"
HOT, COLD, MS = "#3f7de8", "#8a94a6", "#b5842e"
"""Inks of the chart; a canvas cannot read CSS, so these stand out on light and on dark."""
FAINT, QUIET = "rgba(128, 134, 145, 0.25)", "#7a8290"
"""Lines and labels of a chart outside a page, where nothing sets them to the theme."""


@cache
def look(name: str) -> str:
    """Text of a file in ``look/``."""
    return (_LOOK / name).read_text(encoding="utf-8")


def sheets(*names: str) -> list[str]:
    """Style sheets of a component: the tokens first."""
    return [look("tokens.css"), *(look(f"{name}.css") for name in names)]


def text(html: str = "", **params: Any) -> Any:
    """A pane of HTML in the page's type."""
    params = {"sizing_mode": "stretch_width", **params}
    return pn.pane.HTML(html, margin=0, stylesheets=sheets("text"), **params)


def row(*objects: Any, **params: Any) -> Any:
    """Views side by side where there is room."""
    return pn.Row(*objects, margin=0, stylesheets=sheets("row"), **params)


def card(*objects: Any, **params: Any) -> Any:
    """A column on a card."""
    return pn.Column(
        *objects, sizing_mode="stretch_width", margin=0, stylesheets=sheets("card"), **params
    )
