"""Apps compose views; what they show comes from nowhere but the pipeline."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APPS = sorted((ROOT / "apps").glob("*.py"))
VIEWS = sorted((ROOT / "leadlab" / "ui").rglob("*.py"))


@pytest.mark.parametrize("path", APPS, ids=lambda path: path.name)
def test_an_app_is_a_thin_composition(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 150


@pytest.mark.parametrize("path", [*APPS, *VIEWS], ids=lambda path: path.name)
def test_no_figure_is_drawn_by_chance(path: Path) -> None:
    names = {
        token.string
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
        if token.type == tokenize.NAME
    }
    assert names.isdisjoint({"random", "rng", "default_rng", "RandomState", "randint", "shuffle"})


def test_the_page_asks_for_nothing_beyond_its_server() -> None:
    for path in (ROOT / "leadlab" / "ui" / "look").iterdir():
        assert "//" not in path.read_text().replace("// ", ""), path.name
