"""Actions that an alert starts: built in, or registered by packages as ``leadlab.actions``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from leadlab.errors import BrokenPlugin
from leadlab.models.files.plugins import Fence, Plugin, load_plugin, plugin, plugins
from leadlab.stream.alerts.answer import Answer

if TYPE_CHECKING:
    from leadlab.stream.alerts.alert import Alert

GROUP = "leadlab.actions"
Action = Callable[["Alert"], str | None]
"""Takes an alert; gives a note for the history, or nothing."""
_LOG = logging.getLogger("leadlab.alerts")


def log_alert(alert: Alert) -> str:
    """Write a line to the log, without the message, which may name people."""
    _LOG.warning("alert %s of rule %s (%s)", alert.id, alert.rule, alert.severity)
    return "logged"


BUILT_IN: dict[str, Action] = {"log": log_alert}


def action_names() -> list[str]:
    """What a rule's ``action`` may name; nothing is imported.

    Examples
    --------
    >>> "log" in action_names()
    True
    """
    return sorted({*BUILT_IN, *(found.name for found in plugins(GROUP))})


class ActionRun:
    """Sends an alert to an action; what the action raises becomes the answer.

    Parameters
    ----------
    name : str

    Raises
    ------
    UnknownName, BrokenPlugin
        If there is no such action, or it cannot be loaded.
    """

    def __init__(self, name: str) -> None:
        if name in BUILT_IN:
            self._plugin = Plugin(name, f"{__name__}:{BUILT_IN[name].__name__}", "leadlab")
            self._action = BUILT_IN[name]
        else:
            self._plugin = plugin(GROUP, "action", name)
            self._action = load_plugin(self._plugin)

    def __call__(self, alert: Alert, key: str) -> Answer:
        """Run it once: an action that failed is not repeated, for it may have done half."""
        try:
            with Fence("the action failed", self._plugin):
                note = self._action(alert)
        except BrokenPlugin as error:
            return Answer(ok=False, again=False, note=str(error))
        return Answer(ok=True, note=note or "done")
