"""How the live service is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Status:
    """How the service is.

    Attributes
    ----------
    state : "starting", "recovering", "live", "stopped" or "failed"
    failure : str
        Why it failed.
    troubles : dict of str to str
        Last trouble of each sink that has one.
    trouble_count : int
    recovered_from : str
        Checkpoint that was read, or "journal".
    replayed : int
        Entries taken again at the start.
    checkpoints : int
    """

    state: str = "starting"
    failure: str = ""
    troubles: dict[str, str] = field(default_factory=dict)
    trouble_count: int = 0
    recovered_from: str = ""
    replayed: int = 0
    checkpoints: int = 0

    def trouble(self, name: str, error: BaseException) -> None:
        """Count what went wrong, and keep what was said."""
        self.troubles[name] = f"{type(error).__name__}: {error}"[:300]
        self.trouble_count += 1
