"""The breaker against a model of its rules, call by call, and under many threads."""

from __future__ import annotations

import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from leadlab.errors import BadInput, StoreFailed
from leadlab.stream.breaker import Breaker, LeftAlone


class Gone(Exception):
    pass


class Underway:
    """A call that has begun and ends when it is told to."""

    def __init__(self, breaker: Breaker, turn: int) -> None:
        self.turn = turn
        self._begun, self._end = threading.Event(), threading.Event()
        self._how: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(breaker,))
        self._thread.start()
        assert self._begun.wait(20)

    def _run(self, breaker: Breaker) -> None:
        def call() -> None:
            self._begun.set()
            assert self._end.wait(20)
            if self._how is not None:
                raise self._how

        try:
            breaker.call(call)
        except (Gone, KeyError) as error:
            assert error is self._how

    def end(self, how: Exception | None) -> None:
        self._how = how
        self._end.set()
        self._thread.join(20)


class BreakerMachine(RuleBasedStateMachine):
    """A second telling of the rules, with calls that overlap."""

    @initialize(failures=st.integers(1, 3), half_open=st.integers(1, 2))
    def begin(self, failures: int, half_open: int) -> None:
        self.now_s, self.failures, self.half_open = 0.0, failures, half_open
        self.breaker = Breaker("it", failures, 10, half_open, on=(Gone,), clock=lambda: self.now_s)
        self.underway: list[Underway] = []
        self.is_open, self.open_until_s, self.in_a_row, self.turn = False, 0.0, 0, 0
        self.refused = self.worked = self.failed = self.opened = 0

    @property
    def expected(self) -> str:
        if not self.is_open:
            return "closed"
        return "open" if self.now_s < self.open_until_s else "half-open"

    @rule(seconds=st.sampled_from([0.5, 4.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @precondition(lambda self: len(self.underway) < 4)
    @rule()
    def start(self) -> None:
        trying = sum(call.turn == self.turn for call in self.underway)
        full = self.expected == "half-open" and trying >= self.half_open
        if self.expected == "open" or full:
            with pytest.raises(LeftAlone):
                self.breaker.call(lambda: pytest.fail("called though left alone"))
            self.refused += 1
        else:
            self.underway.append(Underway(self.breaker, self.turn))

    @precondition(lambda self: self.underway)
    @rule(which=st.integers(0, 3), how=st.sampled_from([None, Gone(), KeyError("ours")]))
    def end(self, which: int, how: Exception | None) -> None:
        call = self.underway.pop(which % len(self.underway))
        call.end(how)
        self.worked += how is None
        self.failed += isinstance(how, Gone)
        if call.turn != self.turn or isinstance(how, KeyError):
            return
        if how is None:
            self.in_a_row = 0
            self.turn += self.is_open
            self.is_open = False
            return
        self.in_a_row += 1
        if self.is_open or self.in_a_row >= self.failures:
            self.is_open, self.open_until_s = True, self.now_s + 10
            self.in_a_row, self.turn, self.opened = 0, self.turn + 1, self.opened + 1

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "breaker"):
            assert self.breaker.state == self.expected
            assert self.breaker.opened == self.opened
            assert self.breaker.counts == {
                "worked": self.worked, "failed": self.failed, "refused": self.refused,
            }  # fmt: skip

    def teardown(self) -> None:
        for call in getattr(self, "underway", []):
            call.end(None)


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_no_more_calls_than_allowed_try_at_once() -> None:
    now_s = 0.0
    breaker = Breaker("it", 1, 1, 2, on=(Gone,), clock=lambda: now_s)

    def fail() -> None:
        raise Gone

    with pytest.raises(Gone):
        breaker.call(fail)
    now_s = 2.0
    gate, inside, refused = threading.Event(), threading.Semaphore(0), threading.Semaphore(0)

    def hold() -> None:
        inside.release()
        gate.wait(20)

    def caller() -> None:
        try:
            breaker.call(hold)
        except LeftAlone:
            refused.release()

    threads = [threading.Thread(target=caller) for _ in range(16)]
    for thread in threads:
        thread.start()
    assert all(inside.acquire(timeout=20) for _ in range(2))
    assert all(refused.acquire(timeout=20) for _ in range(14))
    gate.set()
    for thread in threads:
        thread.join(20)
    assert breaker.state == "closed"
    assert breaker.counts == {"worked": 2, "failed": 1, "refused": 14}


def test_being_left_alone_is_said_in_words() -> None:
    breaker = Breaker("redis", 1, 30, on=(Gone,), clock=lambda: 5.0)

    def fail() -> None:
        raise Gone

    with pytest.raises(Gone):
        breaker.call(fail)
    with pytest.raises(StoreFailed, match=r"where: redis.*tried again in 30 s"):
        breaker.call(fail)


@pytest.mark.parametrize(
    "wrong", [{"failures": 0}, {"half_open": 0}, {"reset_s": -1}, {"reset_s": float("nan")}]
)
def test_unusable_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Breaker("it", **wrong)
