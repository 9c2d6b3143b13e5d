"""A fitted reader as files: one set of n-grams, arrays without pickle, the rest in JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from leadlab.errors import NotFitted
from leadlab.models.conversation.heads import TARGETS, Heads
from leadlab.models.conversation.rules import SORTS
from leadlab.models.conversation.stack import Stack
from leadlab.models.conversation.text_classifier import TextClassifier
from leadlab.models.files.described import reading

if TYPE_CHECKING:
    from leadlab.models.conversation.reader import ConversationReader

R = TypeVar("R", bound="ConversationReader")
FORMAT, ARRAYS, DESCRIBED = "leadlab-conversation/1", "words.npz", "conversation.json"
SHARED = "ngram"
"""Arrays whose names begin so are alike in all classifiers and kept once."""


def to_files(reader: ConversationReader) -> dict[str, bytes]:
    """``words.npz`` and ``conversation.json``.

    Raises
    ------
    NotFitted
        Before `fit`.
    """
    if not hasattr(reader, "heads_"):
        raise NotFitted("cannot store a reader that is not trained yet", hint="Call fit.")
    arrays: dict[str, Any] = {}
    described: dict[str, Any] = {}
    for number, target in enumerate(TARGETS):
        files = reader.heads_.many.classifiers[target].to_files()
        with np.load(io.BytesIO(files["text.npz"]), allow_pickle=False) as found:
            for name in found.files:
                arrays[name if name.startswith(SHARED) else f"{number}-{name}"] = found[name]
        described[target] = json.loads(files["text.json"])
        described[target]["stack"] = reader.heads_.stacks[target].to_json()
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    content = {
        "format": FORMAT,
        "seed": reader.seed,
        "key_words": list(SORTS),
        "trained_on": dict(reader.trained_on_),
        "card": reader.card(),
        "targets": described,
    }
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
    return {ARRAYS: out.getvalue(), DESCRIBED: text.encode()}


def from_files(kind: type[R], files: Mapping[str, bytes]) -> R:
    """The inverse of `to_files`.

    Raises
    ------
    BrokenFile
        If a file is missing, cut short, altered or of another kind.
    """
    with reading("a conversation reader"):
        return _restored(kind, files)


def _restored(kind: type[R], files: Mapping[str, bytes]) -> R:
    content = json.loads(files[DESCRIBED])
    if content["format"] != FORMAT:
        raise ValueError(f"a file of another kind: {str(content['format'])[:60]!r}")
    with np.load(io.BytesIO(files[ARRAYS]), allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    if tuple(content["key_words"]) != SORTS:
        raise ValueError("trained with other sorts of key words")
    classifiers, stacks = {}, {}
    for number, target in enumerate(TARGETS):
        described = content["targets"][target]
        stacks[target] = Stack.from_json(described.pop("stack"))
        own = f"{number}-"
        part = {
            name.removeprefix(own): array
            for name, array in arrays.items()
            if name.startswith((own, SHARED))
        }
        out = io.BytesIO()
        np.savez(out, allow_pickle=False, **part)
        text = json.dumps(described).encode()
        classifiers[target] = TextClassifier.from_files(
            {"text.npz": out.getvalue(), "text.json": text}
        )
    reader = kind(seed=int(content["seed"]))
    reader.heads_ = Heads(classifiers, stacks)
    reader.trained_on_ = {str(k): int(n) for k, n in content["trained_on"].items()}
    return reader
