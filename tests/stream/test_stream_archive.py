"""Arrays read in place equal those that NumPy reads, and no altered byte goes unseen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadlab.errors import BrokenFile
from leadlab.stream import checkpoint
from leadlab.stream.archive import read_arrays
from leadlab.stream.live_engine import LiveEngine
from leadlab.stream.plan import Plan


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "some.npz"
    rng = np.random.default_rng(0)
    rows = np.zeros(5, np.dtype([("a", np.int8), ("b", np.float64)]))
    rows["b"] = rng.normal(size=5)
    np.savez(
        path, longs=np.arange(40), wide=rng.normal(size=(7, 3)).astype(np.float32),
        none=np.empty((0, 4), np.int32), rows=rows, flags=rng.random(9) > 0.5,
    )  # fmt: skip
    return path


def test_arrays_equal_those_that_numpy_reads(written: Path) -> None:
    found = read_arrays(written)
    with np.load(written) as expected:
        assert set(found) == set(expected.files)
        for name in expected.files:
            assert found[name].dtype == expected[name].dtype
            assert np.array_equal(found[name], expected[name])
            assert found[name].flags.writeable
            assert found[name].flags.aligned


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(share=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_an_altered_byte_is_refused_or_harmless(written: Path, share: float, flip: int) -> None:
    content = bytearray(written.read_bytes())
    content[int(share * len(content))] ^= flip
    other = written.with_name("altered.npz")
    other.write_bytes(content)
    before = read_arrays(written)
    try:
        found = read_arrays(other)
    except BrokenFile:
        return
    # What is left is in the archive's own notes, such as a date or a name: never in a number.
    for name in found.keys() & before.keys():
        assert (found[name].dtype, found[name].shape) == (before[name].dtype, before[name].shape)
        assert found[name].tobytes() == before[name].tobytes()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.99])
def test_a_file_cut_short_is_refused(written: Path, share: float) -> None:
    content = written.read_bytes()
    other = written.with_name("short.npz")
    other.write_bytes(content[: int(share * len(content))])
    with pytest.raises(BrokenFile):
        read_arrays(other)


def test_other_layouts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    np.savez_compressed(path, one=np.arange(4))
    with pytest.raises(BrokenFile, match="compressed"):
        read_arrays(path)
    np.savez(path, one=np.asfortranarray(np.eye(3) + np.arange(3)))
    with pytest.raises(BrokenFile, match="laid out"):
        read_arrays(path)


def test_a_checkpoint_that_lacks_an_array_is_refused(tmp_path: Path) -> None:
    path = checkpoint.write(checkpoint.freeze(LiveEngine(Plan()), {"some": b"state"}), tmp_path)
    assert checkpoint.restore(LiveEngine(Plan()), path) == {"some": b"state"}
    kept = read_arrays(path)
    for name in ("sink.some", "0.book.rows"):
        np.savez(path, **{key: array for key, array in kept.items() if key != name})
        with pytest.raises(BrokenFile, match="lacks arrays"):
            checkpoint.restore(LiveEngine(Plan()), path)
