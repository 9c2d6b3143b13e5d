"""What is on the table when somebody speaks in a negotiation: the numbers said until then."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

_NUMBER = re.compile(r"\d{1,3}(?:\s?,\s?\d{3}){1,2}(?!\d)|\d{1,7}(?:\.\d{1,2})?")
_SIZES = (3, 8, 16)


def numbers(text: str) -> list[float]:
    """Numbers of an utterance, "k" as thousands.

    Examples
    --------
    >>> numbers("would you take 3 , 800 or 4k ? it is a 2009")
    [3800.0, 4000.0, 2009.0]
    """
    found = []
    for match in _NUMBER.finditer(text):
        value = float(re.sub(r"[\s,]", "", match[0]))
        grand = text[match.end() : match.end() + 1].lower() == "k"
        found.append(value * 1000 if grand and value < 1000 else value)
    return found


def on_the_table(dialogue: Sequence[int], utterances: Sequence[str]) -> pd.DataFrame:
    """What is known of each utterance from itself and those before it.

    Parameters
    ----------
    dialogue : sequence of int, shape (n,)
        Rows of one dialogue stand together, in order.
    utterances : sequence of str, shape (n,)

    Returns
    -------
    DataFrame of 0 and 1, n rows
        Whether it names a number; whether that is the first of the dialogue, a new one, one said
        before, the other's or the writer's own last one, above or below the last one; whether it
        asks; the same of the utterance before; place in the dialogue; length.

    Examples
    --------
    >>> said = ["hi", "i can do $80", "no , 100", "ok 80 is my limit"]
    >>> table = on_the_table([0] * 4, said)
    >>> table["first number"].tolist(), table["own last"].tolist(), table["above last"].tolist()
    ([0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0])
    """
    rows = []
    earlier: list[list[float]] = []
    before = None
    for name, text in zip(dialogue, utterances, strict=True):
        if name != before:
            earlier, before = [], name
        rows.append(_row(text, earlier))
        earlier.append(numbers(text))
    return pd.DataFrame(rows).astype(np.int8)


def _row(text: str, earlier: Sequence[Sequence[float]]) -> dict[str, bool]:
    said = numbers(text)
    known = {number for some in earlier for number in some}
    last = next((some[-1] for some in reversed(earlier) if some), None)
    own = next((some[-1] for some in earlier[-2::-2] if some), None)
    other = next((some[-1] for some in earlier[-1::-2] if some), None)
    words, turn = len(text.split()), len(earlier)
    asks, any_number = "?" in text, bool(said)
    return {
        "number": any_number,
        "several numbers": len(said) > 1,
        "first number": any_number and not known,
        "new number": any_number and bool(known) and not set(said) & known,
        "said before": bool(set(said) & known),
        "other's last": other in said,
        "own last": own in said,
        "above last": any_number and last is not None and said[-1] > last,
        "below last": any_number and last is not None and said[-1] < last,
        "number, asks": any_number and asks,
        "no number, asks": asks and not any_number,
        "no number yet": not any_number and not known,
        "no number, but before": not any_number and bool(known),
        "number before it": bool(earlier and earlier[-1]),
        **{f"turn {k}": turn == k for k in range(4)},
        "odd turn": turn % 2 == 1,
        "late": turn >= 8,
        **{f"over {k} words": words > k for k in _SIZES},
    }
