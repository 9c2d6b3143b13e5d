"""CraigslistBargain: two people negotiate a price; who said what, its act, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leadlab.errors import BrokenFile, DataUnavailable

TURNS, ACTS = "craigslist_bargain_turns.parquet", "craigslist_dialogue_acts.parquet"
TURN_COLUMNS = ("split", "dialogue_id", "category", "list_price", "turn", "role", "action",
                "utterance", "offer_price", "outcome_reward", "final_price", "time")  # fmt: skip
ACT_COLUMNS = ("dialogue_no", "turn", "utterance", "intent", "matched_split")


@dataclass(frozen=True, eq=False)
class Negotiations:
    """Two tables of one study, both in order of dialogue and turn.

    Attributes
    ----------
    turns : DataFrame
        One row a turn: ``split`` ("train", "dev"), ``dialogue_id``, ``category``, ``list_price``
        (USD), ``turn``, ``role`` ("buyer", "seller"), ``action`` ("message", "offer", "accept",
        "reject", "quit"), ``utterance`` (of messages), ``offer_price`` (of offers), ``time`` (s).
        ``outcome_reward`` (1: they came to terms) and ``final_price`` are known at the end only.
    acts : DataFrame
        One row an utterance: ``dialogue_no``, ``turn``, ``utterance`` (cut into tokens, lower
        case), ``intent`` (its act), ``matched_split`` (of the dialogue in ``turns``, missing where
        it is not among them).
    """

    turns: pd.DataFrame
    acts: pd.DataFrame


def read(path: str | Path) -> Negotiations:
    """Read both tables from their folder.

    Parameters
    ----------
    path : str or Path
        Folder of ``craigslist_bargain_turns.parquet`` and ``craigslist_dialogue_acts.parquet``.

    Returns
    -------
    Negotiations
        14,552 turns and 44,841 utterances for the published files.

    Raises
    ------
    DataUnavailable
        A file is missing.
    BrokenFile
        Not these tables, or a part of them.

    Examples
    --------
    >>> read("nowhere")
    Traceback (most recent call last):
    leadlab.errors.DataUnavailable: no such table (where: nowhere...)

    References
    ----------
    He, H., Chen, D., Balakrishnan, A. and Liang, P. (2018). Decoupling strategy and generation in
    negotiation dialogues. EMNLP.
    """
    folder = Path(path)
    turns = _table(folder / TURNS, TURN_COLUMNS).sort_values(["dialogue_id", "turn"])
    acts = _table(folder / ACTS, ACT_COLUMNS).sort_values(["dialogue_no", "turn"])
    return Negotiations(turns.reset_index(drop=True), acts.reset_index(drop=True))


def _table(file: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not file.is_file():
        raise DataUnavailable("no such table", where=str(file))
    try:
        frame = pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise BrokenFile("the table cannot be read", where=str(file), got=error) from error
    lacking = [name for name in columns if name not in frame]
    if lacking or not len(frame):
        got = f"no {', '.join(lacking)}" if lacking else "no rows"
        raise BrokenFile("not the table of CraigslistBargain", where=str(file), got=got)
    return frame
