"""``leadlab read``: what a message says, and the words that carried it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from leadlab.cli.console import out, print_json, steps, table
from leadlab.cli.options import AsJson
from leadlab.config import Settings
from leadlab.data.phrases.labelled import labelled_texts
from leadlab.data.phrases.public import public_texts
from leadlab.errors import BadInput, EmptyInput, LeadlabError, UnknownName
from leadlab.models.conversation.masking import SEES
from leadlab.models.conversation.reader import ConversationReader
from leadlab.models.conversation.reading import Reading
from leadlab.models.files.model_file import read_model, save_model

HELP = """Read a message: intent, sentiment, urgency, objections, facts, and the words that said so.

The model is trained once, on texts of leadlab's own and on what public sets are here, and kept at
home. Without it (--rules, or a model file that is broken) visible rules answer. What tells who
somebody is comes masked.

Example: `leadlab read "Can we see the house on Friday? We can go up to $450k"`
"""
FILE = "conversation.leadlab"
TEXTS = 8_000
STEPS = 12


def read(
    text: Annotated[str | None, typer.Argument(help="The message.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="One message a line; - is standard input.")
    ] = None,
    rules: Annotated[bool, typer.Option("--rules", help="Key words only, no model.")] = False,
    role: Annotated[
        str, typer.Option(help="Who reads, which says what is masked: " + ", ".join(SEES) + ".")
    ] = "analyst",
    retrain: Annotated[bool, typer.Option("--retrain", help="Train the model anew.")] = False,
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Read one message, or a file of them."""
    if role not in SEES:
        raise UnknownName("role", role, SEES)
    messages = _messages(text, file)
    reader = ConversationReader(without="rules were asked for")
    if not rules:
        reader = trained_reader(Settings.from_environment(), seed, retrain=retrain, quiet=as_json)
    readings = reader.read_many(messages, words=True)
    card = reader.card() if hasattr(reader, "heads_") else "No model: key words only."
    if as_json:
        told = [one.to_json(said, role) for one, said in zip(readings, messages, strict=True)]
        print_json({"card": card, "messages": told})
        return
    for one, said in zip(readings, messages, strict=True):
        _show(one.to_json(said, role), one)
    out.print(f"[dim]{card}[/dim]", highlight=False)


def _messages(text: str | None, file: Path | None) -> list[str]:
    if (text is None) == (file is None):
        raise BadInput("one message or one file of them", expected="TEXT or --file")
    if file is None:
        return [text or ""]
    try:
        content = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput("the file cannot be read", where=str(file), got=error.strerror) from error
    except UnicodeDecodeError as error:
        raise BadInput("the file is not UTF-8", where=str(file), got=error.reason) from error
    lines = content.split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    if not lines:
        raise EmptyInput("no message in the file", where=str(file))
    return [line.removesuffix("\r") for line in lines]


def trained_reader(
    settings: Settings, seed: int, *, retrain: bool = False, quiet: bool = False
) -> ConversationReader:
    """The reader kept at home, trained first where there is none.

    A file that cannot be read is left where it is; the reader then goes by rules and says why.
    """
    place = settings.models / FILE
    if place.is_file() and not retrain:
        try:
            kept, _ = read_model(place)
        except LeadlabError as error:
            because = f"the model at home cannot be read ({type(error).__name__}); use --retrain"
            return ConversationReader(without=because)
        if isinstance(kept, ConversationReader):
            return kept
        return ConversationReader(without=f"the model at home is of kind {kept.kind}")
    with steps(STEPS, quiet=quiet) as tell:
        tell("put texts together")
        own, public = labelled_texts(TEXTS, seed), public_texts(settings, seed=seed)
        frame = pd.concat([own, public], ignore_index=True) if len(public) else own
        reader = ConversationReader(seed=seed).fit(frame, tell)
    place.parent.mkdir(parents=True, exist_ok=True)
    save_model(place, reader)
    return reader


def _show(told: dict[str, Any], reading: Reading) -> None:
    words = told["words"]

    def why(what: str) -> str:
        return ", ".join(f"{word} ({effect:+.1f})" for word, effect in words.get(what, []))

    rows = [
        ["intent", f"{reading.intent} ({reading.probability:.0%})", why("intent")],
        ["sentiment", f"{reading.sentiment:+.2f} (confidence {reading.confidence:.0%})",
         why("sentiment")],
        ["urgency", f"{reading.urgency:.0%}", why("urgency")],
        ["buying intent", f"{reading.buying_intent:.0%}", "a formula of the others"],
    ]  # fmt: skip
    for kind in reading.raised:
        what = f"objection {kind}"
        rows.append([what, f"{reading.objections[kind]:.0%}", why(what)])
    rows += [
        [fact["name"], f"{fact['value']} {fact['unit']}".strip(), f"“{fact['text']}”"]
        for fact in told["facts"]
    ]
    rows.append(["language", reading.language, ""])
    rows.append(["method", reading.method, "; ".join(filter(None, (reading.because,
                                                                   *reading.notes)))])  # fmt: skip
    shown = told["text"] if len(told["text"]) <= 400 else told["text"][:400] + " ..."
    table(_escaped(shown), ["", "reading", "because"], [[_escaped(c) for c in r] for r in rows])


def _escaped(text: str) -> str:
    """A message is shown as it is: no mark-up of the terminal's, no control characters."""
    return "".join(c if c.isprintable() else " " for c in text).replace("[", r"\[")


read.__doc__ = HELP
