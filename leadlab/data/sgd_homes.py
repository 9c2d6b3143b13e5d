"""Schema-Guided Dialogue: dialogues with an assistant in which homes are sought."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from leadlab.data.table import not_this_table
from leadlab.errors import BrokenFile, DataUnavailable

TITLE = "SGD Homes"
KEY = ["split", "dialogue_id", "turn"]
COLUMNS = (*KEY, "speaker", "utterance", "service", "active_intent", "act_types")
SPEAKERS = ("USER", "SYSTEM")


def read(path: str | Path) -> pd.DataFrame:
    """Read ``sgd_homes_turns.parquet``.

    A row is the part of a turn that concerns one service; a turn with two services has two rows
    with one utterance. A dialogue is known by split and id together: ids repeat.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    DataFrame
        21,343 rows for the published file, by split, dialogue and turn; among the columns
        ``split`` ("train" or "dev"), ``dialogue_id``, ``turn``, ``speaker`` ("USER" or "SYSTEM"),
        ``utterance``, ``service``, ``active_intent`` (of user rows) and ``act_types``.

    Raises
    ------
    DataUnavailable
        No such file.
    BrokenFile
        Not this table, or a part of it.

    Examples
    --------
    >>> import tempfile
    >>> row = ["train", "1", 0, "USER", "A flat, please.", "Homes_1", "FindApartment", "INFORM"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "sgd_homes_turns.parquet"
    ...     pd.DataFrame([row], columns=COLUMNS).to_parquet(file)
    ...     table = read(file)
    >>> table["utterance"].tolist()
    ['A flat, please.']
    """
    file = Path(path)
    if not file.is_file():
        raise DataUnavailable("no such table", where=str(file))
    try:
        frame = pd.read_parquet(file)
    except (ValueError, OSError) as error:
        raise BrokenFile("the table cannot be read", where=str(file), got=error) from error
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise not_this_table(file, TITLE, f"no column {', '.join(missing)}")
    if not frame["speaker"].isin(SPEAKERS).all() or frame["utterance"].isna().any():
        raise not_this_table(file, TITLE, "a turn without its speaker or its words")
    if (frame["speaker"].eq("USER") & frame["active_intent"].isna()).any():
        raise not_this_table(file, TITLE, "a user's turn without an intent")
    return frame.sort_values([*KEY, "service"], kind="stable").reset_index(drop=True)
