"""Room on the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from leadlab.errors import StoreFailed
from leadlab.stream.disk import DiskFull, check_room


def test_room_is_told_and_its_want_raised_with_a_next_step(tmp_path: Path) -> None:
    total = shutil.disk_usage(tmp_path).total
    assert 0 < check_room(tmp_path, 1) <= total
    with pytest.raises(DiskFull, match=r"nearly full.*MiB free.*expected.*retention") as raised:
        check_room(tmp_path, total + 1)
    assert isinstance(raised.value, StoreFailed) and raised.value.exit_code == 9


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match="cannot tell"):
        check_room(tmp_path / "gone")
