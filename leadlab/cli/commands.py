"""Every command: where its code lies, and its line in ``leadlab --help``.

The code of a command is imported when the command is called, since together they take seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

STYLE: dict[str, Any] = {
    "rich_markup_mode": "markdown",
    "pretty_exceptions_enable": False,
    "add_completion": False,
}


@dataclass(frozen=True, slots=True)
class Command:
    """A command that has not been imported.

    Attributes
    ----------
    place : str
        ``module:name`` below `leadlab.cli`, of a function or of a group of commands.
    line : str
        The first line of its help.
    """

    place: str
    line: str


COMMANDS = {
    "demo": Command(
        "demo:demo",
        "Take a real log, build features, train, evaluate, and show the top leads with reasons.",
    ),
    "simulate": Command(
        "simulate:simulate",
        "Simulate a brokerage: leads, agents, homes and messages, with the truth kept beside them.",
    ),
    "check": Command(
        "check:check",
        "Flag columns of a lead table that may have been filled in after the outcome.",
    ),
    "train": Command("train:train", "Train a conversion model and judge it on later leads."),
    "evaluate": Command(
        "evaluate:evaluate",
        "Run a published protocol on a public data set; the same seed gives the same figures.",
    ),
    "score": Command(
        "score:score",
        "Score every lead of a log as of a moment, hottest first, with the strongest reason.",
    ),
    "explain": Command(
        "explain:explain",
        "Say why a lead is scored as it is: reasons for and against, and what moved the score"
        " last.",
    ),
    "churn": Command(
        "churn:churn", "List the leads that may fall silent, and what to do about it."
    ),
    "read": Command(
        "read:read",
        "Read a message: intent, sentiment, urgency, objections, facts, and the words that said"
        " so.",
    ),
    "health": Command(
        "health:health",
        "Assess leads from 0 to 100: five parts, six levels, momentum, and the model's chance.",
    ),
    "next": Command(
        "next_action:next_action",
        "Rank what to do about a lead, and draw one recommendation.",
    ),
    "match": Command(
        "match:find_homes",
        "Find homes for a lead or for preferences in a file, with reasons.",
    ),
    "validate": Command(
        "validate:validate",
        "Judge a model on the leads of a log that came after its training.",
    ),
    "drift": Command(
        "drift:drift",
        "Compare a newer log with an older one as a model sees them: inputs, gaps, scores.",
    ),
    "value": Command(
        "value:value",
        "Value a home: an estimate with a range, neither an appraisal nor guaranteed.",
    ),
    "serve": Command(
        "serve:serve",
        "Take events, score each at once, and serve scores, reasons and alerts.",
    ),
    "worker": Command(
        "worker:worker",
        "Take a share of the events that come through Redis; journal, score and explain them.",
    ),
    "replay": Command(
        "replay:replay",
        "Score a recorded stretch of the journal again by another model, and show what differs.",
    ),
    "alerts": Command(
        "alerts:app",
        "Alerts: checking rules, seeing what was raised, saying that it is taken care of.",
    ),
    "token": Command(
        "token:app",
        "Tokens and API keys for the live service, and the keys that sign tokens.",
    ),
    "data": Command("data:app", "Public data sets: what there is, fetching them, checking them."),
    "registry": Command(
        "registry:app",
        "Versions of models: adding, comparing, putting in use, and the way back.",
    ),
}


def loaded(name: str) -> Any:
    """The command of that name with its options, or the group with its commands.

    Raises
    ------
    KeyError
        If there is none.

    Examples
    --------
    >>> sorted(loaded("data").commands)
    ['get', 'list', 'verify']
    """
    module, _, attribute = COMMANDS[name].place.partition(":")
    found = getattr(import_module(f"leadlab.cli.{module}"), attribute)
    around = typer.Typer(**STYLE)
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name)(found)
    return typer.main.get_group(around).commands[name]


class LazyGroup(TyperGroup):
    """Lists the commands by their lines; the one that is called is imported."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that the arguments begin with; a close name is offered otherwise."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, loaded(name) if name in COMMANDS else listed, rest


def add_all(app: typer.Typer) -> None:
    """Give `app`, whose class is `LazyGroup`, every command by name and line."""
    for name, command in COMMANDS.items():
        app.command(name, help=command.line)(_called_by_name)


def _called_by_name() -> None:
    """Stand for a command in the list; `LazyGroup` calls the command itself."""
