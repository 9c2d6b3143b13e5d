"""What a simulation was asked for; with it the same log can be made again."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from leadlab.errors import BadInput, BrokenFile
from leadlab.schema.fields import DEFAULT_TENANT
from leadlab.schema.times import moment_us

SOURCE = "simulated"
START = "2025-01-01"
_START_US = 1_735_689_600_000_000


@dataclass(frozen=True)
class Settings:
    """How many leads arrive in how many days, from when on, and by which seed.

    Attributes
    ----------
    n_leads, days : int
        At least 1.
    seed : int
    tenant : str
    start_us : int
        The first moment, microseconds since 1970 UTC.
    texts : bool
        Whether messages come with a text.
    """

    n_leads: int
    days: int
    seed: int
    tenant: str = DEFAULT_TENANT
    start_us: int = _START_US
    texts: bool = False

    def __post_init__(self) -> None:
        if self.n_leads < 1 or self.days < 1:
            raise BadInput("nothing to simulate", got=f"{self.n_leads} leads, {self.days} days")
        if self.days > 20_000:
            raise BadInput("too long to simulate", where="days", got=self.days, expected="20000")

    def to_json(self) -> dict[str, Any]:
        """For a file.

        Examples
        --------
        >>> Settings.from_json(Settings(5, 3, 0).to_json()) == Settings(5, 3, 0)
        True
        """
        return {"simulated": True, **asdict(self)}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Settings:
        """Read what `to_json` gave.

        Raises
        ------
        BrokenFile
            It is something else.
        """
        try:
            return cls(**{name: value for name, value in told.items() if name != "simulated"})
        except (TypeError, AttributeError) as error:
            raise BrokenFile("no settings of a simulation", got=str(error)) from error


def settings(
    n_leads: int, days: int, seed: int, tenant: str, start: dt.datetime | str, texts: bool
) -> Settings:
    """Take the arguments of `simulate` and `forward`.

    Examples
    --------
    >>> settings(5, 3, 0, "default", "2025-01-01", False) == Settings(5, 3, 0)
    True
    """
    return Settings(n_leads, days, seed, tenant, moment_us(start), texts)
