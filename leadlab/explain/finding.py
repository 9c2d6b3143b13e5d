"""What an insight handler gives: a typed statement, with the events that it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from leadlab.errors import BadInput


@dataclass(frozen=True, slots=True)
class Evidence:
    """One event of the log that a finding rests on.

    Attributes
    ----------
    id, kind : str
    at_us : int
        Microseconds since 1970-01-01 UTC.
    """

    id: str
    kind: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that somebody should know about a lead now.

    Attributes
    ----------
    kind : str
        What sort: "urgency", "churn risk", "objection", ...
    text : str
        A sentence with values and units.
    priority : float
        0 to 100; orders what is shown.
    confidence : float
        0 to 1, that what the text says is so: 1 where the log states it, the probability where a
        model foresees it, the strength of what was measured where a message was read.
    evidence : tuple of Evidence
        Events of the lead, none later than the moment.
    focus : str
        What to do first.

    Raises
    ------
    BadInput
        If a text is empty or a figure is outside its range.

    Examples
    --------
    >>> Finding("urgency", "A request waits.", 120.0, 1.0)
    Traceback (most recent call last):
        ...
    leadlab.errors.BadInput: a figure outside its range (where: priority; got: 120.0; ...
    """

    kind: str
    text: str
    priority: float
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    focus: str = ""

    def __post_init__(self) -> None:
        for name in ("kind", "text"):
            said = getattr(self, name)
            if not isinstance(said, str) or not said.strip():
                raise BadInput("a finding needs words", where=name, got=repr(said)[:60])
        for name, most in (("priority", 100), ("confidence", 1)):
            figure = getattr(self, name)
            if not isinstance(figure, int | float) or not 0 <= figure <= most:
                raise BadInput(
                    "a figure outside its range", where=name, got=figure, expected=f"0 to {most}"
                )
        if not isinstance(self.evidence, tuple) or not all(
            isinstance(one, Evidence) for one in self.evidence
        ):
            raise BadInput("evidence is a tuple of Evidence", got=repr(self.evidence)[:60])
