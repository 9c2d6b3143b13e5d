"""Kernels compiled from other code are never taken from the cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadlab import jit


def test_any_change_of_any_file_of_the_kernels_gives_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = set()
    monkeypatch.setattr(jit, "_PACKAGE", tmp_path)
    for file in ("features/opcodes.py", "explain/trees.py", "models/conversation/ngram_kernel.py"):
        (tmp_path / file).parent.mkdir(parents=True)
        for content in ("COUNT = 0", "COUNT = 1"):
            (tmp_path / file).write_text(content)
            folders.add(jit.cache_folder.__wrapped__())
    assert len(folders) == 6
    assert {f.parent for f in folders} == {tmp_path / "__pycache__"}


def test_a_folder_that_may_not_be_written_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jit, "_PACKAGE", tmp_path)
    monkeypatch.setattr(jit.os, "access", lambda *_: False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert jit.cache_folder.__wrapped__().parent == tmp_path / "home" / ".cache" / "leadlab"
