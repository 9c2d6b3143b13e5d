"""Panel's state, and hubs, are the process's: each test begins and ends with none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from panel.io.state import state

from leadlab.config import Settings
from leadlab.ui.hub import Hub, reset_hubs, shared_hub
from tests.ui.recorded import make_home, wait_until


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    reset_hubs()
    state.reset()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_home(tmp_path_factory.mktemp("recorded"), n_leads=250, days=150)


@pytest.fixture
def hub(home: Settings) -> Hub:
    """A hub that plays, with its first board."""
    one = shared_hub(home)
    one.start()
    assert one.settled(60)
    wait_until(lambda: one.picture.board is not None)
    return one
