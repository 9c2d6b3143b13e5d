"""One small recording of real parts for all of these tests."""

from __future__ import annotations

import pytest

from leadlab.ui.recording import Recording, read_recording
from tests.ui.recorded import make_home


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return read_recording(make_home(tmp_path_factory.mktemp("recorded"), n_leads=250, days=150))
