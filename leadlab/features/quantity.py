"""What features compute, without the words around it: equal quantities share their cells."""

from __future__ import annotations

from dataclasses import replace

from leadlab.features.feature import Events, Feature, Number


def bare(chosen: Events) -> Events:
    """The selection without its words, so that equal selections share cells."""
    return replace(chosen, noun="", plural="", by="lead")


def bare_number(figure: Number) -> tuple[object, ...]:
    """A number without its words."""
    after = bare(figure.after) if figure.after else None
    return figure.source, bare(figure.events), after


def quantity(f: Feature) -> tuple[object, ...]:
    """What a feature computes, without the words around it."""
    return (
        f.op,
        bare(f.events) if f.events else None,
        bare_number(f.number) if f.number else None,
        f.window_s,
        f.half_life_s,
        f.attribute,
        f.category,
        tuple(quantity(p) for p in f.parts),
    )


def selections(f: Feature) -> list[Events]:
    """Every selection of events that a feature and its parts look at."""
    chosen = [f.events] if f.events else []
    if f.number:
        chosen += [f.number.events] + ([f.number.after] if f.number.after else [])
    return chosen + [e for part in f.parts for e in selections(part)]


def windows(f: Feature) -> set[int]:
    """Lengths in seconds of all windows of a feature and its parts."""
    if f.parts:
        return {w for part in f.parts for w in windows(part)}
    return set() if f.window_s is None else {f.window_s}
