"""Loads all that a served process needs, so that forks of this one start at once."""

from __future__ import annotations

from leadlab.stream.lane import Lane
from leadlab.stream.plan import Plan
from tests.faults import served
from tests.stream.scenes import entries_of, tenants

__all__ = ["served"]

Lane(Plan()).take(entries_of([(event, event.at_us) for event in tenants(("acme", "best"))]))
