"""Trying again: how often, after which errors, and with which pauses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlab.errors import BadInput
from leadlab.stream.retry import retry


class Flaky:
    """Fails so many times, then answers."""

    def __init__(self, times: int, error: Exception) -> None:
        self.times, self.error, self.calls = times, error, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return "done"


@given(st.integers(0, 9), st.integers(1, 9), st.integers(0, 2**32))
def test_it_tries_as_often_as_allowed_with_pauses_in_bounds(times, tries, seed) -> None:
    flaky, pauses, error = Flaky(times, ConnectionError("x")), [], ConnectionError
    options = {"on": (OSError,), "tries": tries, "first_s": 0.1, "most_s": 0.7}
    rng = np.random.default_rng(seed)
    if times < tries:
        assert retry(flaky, rng=rng, sleep=pauses.append, **options) == "done"
    else:
        with pytest.raises(error) as raised:
            retry(flaky, rng=rng, sleep=pauses.append, **options)
        assert raised.value is flaky.error
    assert flaky.calls == min(times + 1, tries)
    drawn = np.random.default_rng(seed)
    longest = [min(0.7, 0.1 * 2**k) for k in range(flaky.calls - 1)]
    assert pauses == [drawn.uniform(0, most) for most in longest]


def test_pauses_are_spread_over_the_whole_range() -> None:
    firsts: list[float] = []
    for seed in range(400):
        pauses: list[float] = []
        rng = np.random.default_rng(seed)
        retry(Flaky(1, OSError()), on=(OSError,), rng=rng, first_s=1.0, sleep=pauses.append)
        firsts += pauses
    assert min(firsts) < 0.05 and max(firsts) > 0.95 and 0.4 < np.mean(firsts) < 0.6


def test_an_error_that_is_not_named_goes_through_at_once() -> None:
    flaky = Flaky(1, KeyError("ours"))
    with pytest.raises(KeyError):
        retry(flaky, on=(OSError,), rng=np.random.default_rng(0), sleep=pytest.fail)
    assert flaky.calls == 1


def test_very_many_tries_keep_their_pauses_finite() -> None:
    pauses: list[float] = []
    rng = np.random.default_rng(0)
    retry(Flaky(1500, OSError()), on=(OSError,), rng=rng, tries=2000, sleep=pauses.append)
    assert len(pauses) == 1500 and max(pauses) <= 5.0


@pytest.mark.parametrize("wrong", [{"tries": 0}, {"first_s": -1}, {"first_s": 9, "most_s": 1}])
def test_unusable_pauses_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        retry(lambda: 1, on=(OSError,), rng=np.random.default_rng(0), **wrong)
