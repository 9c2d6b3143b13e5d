"""Promotions and roll-backs against a list that is kept by hand."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from leadlab.errors import BadInput
from leadlab.registry.decisions import Decisions
from leadlab.registry.stages import State, promoted, rolled_back, without_challenger
from leadlab.registry.store import Taken

NUMBERS = st.integers(1, 5)


class Memory:
    """A store in a dict, for speed; names are taken once here too."""

    address = "memory"

    def __init__(self):
        self.files = {}

    def create(self, path, data):
        if path in self.files:
            raise Taken(path)
        self.files[path] = data

    def read(self, path, most):
        return self.files.get(path)

    def find(self, folder):
        class One:
            def __init__(self, path):
                self.path = path

        return [One(path) for path in sorted(self.files) if path.startswith(folder + "/")]


class History(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.log = Decisions(Memory(), "models/hot/decisions")
        self.way, self.challenger, self.tried, self.said = [], None, set(), []

    def decide(self, action, decide):
        self.log.append(decide, action=action, at="2026-01-01T00:00:00Z", who=None, why=None)
        self.said.append(action)
        current = {self.way[-1] if self.way else None, self.challenger}
        self.tried -= current
        self.tried.discard(None)

    def refused(self, decide):
        try:
            self.log.append(decide, action="x", at="", who=None, why=None)
        except BadInput:
            return
        raise AssertionError("it should have been refused")

    @rule(number=NUMBERS)
    def champion(self, number):
        def decide(state):
            return promoted(state, number, "champion"), number

        if self.way and self.way[-1] == number:
            self.refused(decide)
            return
        if self.way:
            self.tried.add(self.way[-1])
        self.way.append(number)
        if self.challenger == number:
            self.challenger = None
        self.decide("champion", decide)

    @rule(number=NUMBERS)
    def challenge(self, number):
        def decide(state):
            return promoted(state, number, "challenger"), number

        if self.challenger == number or (self.way and self.way[-1] == number):
            self.refused(decide)
            return
        if self.challenger is not None:
            self.tried.add(self.challenger)
        self.challenger = number
        self.decide("challenger", decide)

    @rule(number=NUMBERS)
    def archive(self, number):
        def decide(state):
            return promoted(state, number, "archived"), number

        if number in self.tried or (self.way and self.way[-1] == number):
            self.refused(decide)
            return
        if self.challenger == number:
            self.challenger = None
        self.tried.add(number)
        self.decide("archived", decide)

    @rule()
    def back(self):
        def decide(state):
            found = rolled_back(state)
            return found, found.champion

        if len(self.way) < 2:
            self.refused(decide)
            return
        self.tried.add(self.way.pop())
        if self.challenger == self.way[-1]:
            self.challenger = None
        self.decide("back", decide)

    @rule()
    def remove(self):
        def decide(state):
            return without_challenger(state), state.challenger or 0

        if self.challenger is None:
            self.refused(decide)
            return
        self.tried.add(self.challenger)
        self.challenger = None
        self.decide("remove", decide)

    @invariant()
    def it_reads_as_kept_by_hand(self):
        state = self.log.state()
        assert list(state.champions) == self.way
        assert state.challenger == self.challenger
        assert set(state.archived) == self.tried
        assert [d.action for d in self.log.all()] == self.said
        assert State.from_json(state.to_json()) == state


History.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestHistory = History.TestCase
