"""The weights of health as data: parts, measures and levels in one small JSON file.

The file that comes with the package was set by hand; `leadlab.models.health.learn` gives one of the
same form that was learned from leads whose outcome is known. Both are read, checked and shown in
the same way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd

from leadlab.errors import BadInput, BrokenFile, NewerFormat
from leadlab.models.health.measures import Measure
from leadlab.schema.atomic import atomic_path

FAMILY, READS = "leadlab-health", 1
FILE = "health.json"
PARTS = ("engagement", "qualification", "responsiveness", "fit", "momentum")
LEVELS = (
    "cold lead", "warming up", "engaged", "highly qualified", "ready to close", "hot opportunity",
)  # fmt: skip
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the five parts of health.

    Attributes
    ----------
    name : str
    what : str
        What it says, in words.
    weight : float
        In the score.
    measures : tuple of Measure
        The part is the weighted mean of those that are known.
    """

    name: str
    what: str
    weight: float
    measures: tuple[Measure, ...]

    def __post_init__(self) -> None:
        where = f"part {self.name}"
        if not (self.weight >= 0 and math.isfinite(self.weight)):
            raise BadInput("a weight is a number from 0", where=where, got=self.weight)
        if not self.total > 0:
            raise BadInput("no measure has a weight", where=where)

    @property
    def total(self) -> float:
        """Sum of the measures' weights."""
        return sum(m.weight for m in self.measures)

    @property
    def shares(self) -> tuple[float, ...]:
        """Of each measure in the part; they add up to 1."""
        return tuple(m.weight / self.total for m in self.measures)


@dataclass(frozen=True)
class HealthWeights:
    """What makes a score of features, and a level of a score.

    Attributes
    ----------
    parts : tuple of Part
        Engagement, qualification, responsiveness, fit, momentum.
    cuts : tuple of 5 floats
        Scores from which the second to the sixth level begin, ascending.
    steady : tuple of 2 floats
        Momentum below the first is declining, above the second accelerating.
    origin : str
        Where the weights come from.
    rates : tuple of 6 floats
        Share of each level's rows that converted where the weights were learned; empty where they
        were not.
    rows : tuple of 6 ints
        How many rows each rate rests on.

    Examples
    --------
    >>> weights = HealthWeights.default()
    >>> [part.name for part in weights.parts]
    ['engagement', 'qualification', 'responsiveness', 'fit', 'momentum']
    >>> HealthWeights.from_json(weights.to_json()) == weights
    True
    """

    kind: ClassVar[str] = "health"

    parts: tuple[Part, ...]
    cuts: tuple[float, ...]
    steady: tuple[float, float] = (40.0, 60.0)
    origin: str = ""
    rates: tuple[float, ...] = ()
    rows: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if tuple(part.name for part in self.parts) != PARTS:
            got = ", ".join(part.name for part in self.parts)
            raise BadInput("the parts are fixed", where="parts", got=got, expected=", ".join(PARTS))
        if not sum(part.weight for part in self.parts) > 0:
            raise BadInput("no part has a weight", where="parts")
        if len(self.cuts) != len(LEVELS) - 1 or not _ascending(self.cuts):
            raise BadInput(
                "cannot use these cuts", where="cuts", got=self.cuts,
                expected=f"{len(LEVELS) - 1} scores between 0 and 100, each above the last",
            )  # fmt: skip
        if len(self.steady) != 2 or not _ascending(self.steady):
            raise BadInput("cannot use these ends of steady", where="steady", got=self.steady)
        for name, column in (("rates", self.rates), ("rows", self.rows)):
            if len(column) not in (0, len(LEVELS)):
                raise BadInput("one figure a level", where=name, got=f"{len(column)} figures")

    @classmethod
    def default(cls) -> HealthWeights:
        """Those that come with the package."""
        return _default()

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """A file that `write` wrote, or that somebody edited.

        Raises
        ------
        BrokenFile
            If it is missing or no such file; `BadInput` says which setting cannot be used.
        """
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise BrokenFile("cannot read weights", where=str(path), got=str(error)) from error
        return cls._parsed(content, str(path))

    def write(self, path: str | Path) -> None:
        """Write them to one JSON file."""
        with atomic_path(Path(path)) as temporary:
            temporary.write_bytes(self.to_files()[FILE])

    @classmethod
    def _parsed(cls, content: bytes, where: str) -> Self:
        try:
            told = json.loads(content)
            return cls.from_json(told)
        except (BadInput, BrokenFile):
            raise
        except _UNREADABLE as error:
            got = f"{type(error).__name__}: {error}"[:200]
            raise BrokenFile("no weights of health", where=where, got=got) from error

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": f"{FAMILY}/{READS}",
            "origin": self.origin,
            "parts": [
                {
                    "name": part.name,
                    "what": part.what,
                    "weight": part.weight,
                    "measures": [m.to_json() for m in part.measures],
                }
                for part in self.parts
            ],
            "cuts": list(self.cuts),
            "steady": list(self.steady),
            "rates": list(self.rates),
            "rows": list(self.rows),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        family, _, number = str(told["format"]).partition("/")
        if family != FAMILY or not number.isdigit():
            raise BrokenFile("no weights of health", got=told["format"], expected=FAMILY)
        if int(number) > READS:
            raise NewerFormat("weights of health", written=int(number), reads=READS)
        parts = tuple(
            Part(
                p["name"], p["what"], float(p["weight"]), tuple(Measure(**m) for m in p["measures"])
            )
            for p in told["parts"]
        )
        low, high = map(float, told["steady"])
        return cls(
            parts,
            tuple(map(float, told["cuts"])),
            (low, high),
            str(told.get("origin", "")),
            tuple(map(float, told.get("rates", ()))),
            tuple(map(int, told.get("rows", ()))),
        )

    def to_files(self) -> dict[str, bytes]:
        """As named files; see `leadlab.models.files.stored`."""
        return {FILE: json.dumps(self.to_json(), indent=1, allow_nan=False).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """The inverse of `to_files`."""
        return cls._parsed(files[FILE], FILE)

    @property
    def features(self) -> tuple[str, ...]:
        """Features that any measure reads, each once, and when a lead was first seen."""
        read = [name for part in self.parts for m in part.measures for name in (m.feature, m.over)]
        return tuple(dict.fromkeys(name for name in (*read, "activity_tenure") if name))

    def with_weights(self, parts: list[float], measures: list[list[float]]) -> Self:
        """The same measures with other weights, by part."""
        changed = tuple(
            replace(
                part,
                weight=float(weight),
                measures=tuple(
                    replace(m, weight=float(w)) for m, w in zip(part.measures, own, strict=True)
                ),
            )
            for part, weight, own in zip(self.parts, parts, measures, strict=True)
        )
        return replace(self, parts=changed)

    def to_frame(self) -> pd.DataFrame:
        """One row a measure: part, share of the part in the score, feature, share in its part."""
        total = sum(part.weight for part in self.parts)
        rows = [
            (part.name, part.weight / total, m.feature, share)
            for part in self.parts
            for m, share in zip(part.measures, part.shares, strict=True)
        ]
        return pd.DataFrame(rows, columns=["part", "part_share", "feature", "share_in_part"])


def _ascending(values: tuple[float, ...]) -> bool:
    ends = (0.0, *values, 100.0)
    return all(a < b for a, b in pairwise(ends))


@cache
def _default() -> HealthWeights:
    content = files("leadlab.models.health").joinpath("default.json").read_bytes()
    return HealthWeights._parsed(content, "default.json")
