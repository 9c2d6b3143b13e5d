"""One small recording of real parts for all of these tests."""

from __future__ import annotations

from typing import Any

import pytest
from numpy.typing import NDArray

from leadlab.ui.recording import Recording, read_recording
from tests.stream.serving import CAME, feed, kept, plan_of, service_of, switched
from tests.ui.recorded import make_home


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return read_recording(make_home(tmp_path_factory.mktemp("recorded"), n_leads=250, days=150))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[NDArray[Any], list[str]]:
    """Rows of a run that nothing happened to; the model was changed behind arrival 200."""
    home = tmp_path_factory.mktemp("undisturbed")
    service = service_of(home)
    service.start()
    feed(service, 0, 200)
    service.settled()
    service.promote(plan_of("two"))
    switched(service, "two")
    feed(service, 200, len(CAME))
    service.stop()
    rows, names = kept(home)
    assert set(names) == {"one", "two"}
    return rows, names
