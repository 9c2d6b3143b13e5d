"""Banking77: questions of bank customers, each of one of 77 intents."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from leadlab.data.table import not_this_table, read_table
from leadlab.errors import BrokenFile, DataUnavailable

TITLE = "Banking77"
COLUMNS = ("text", "category")


def read(path: str | Path) -> pd.DataFrame:
    r"""Read the folder of ``train.csv``, ``test.csv`` and ``categories.json``.

    Parameters
    ----------
    path : str or Path
        Folder.

    Returns
    -------
    DataFrame
        13,083 rows for the published files: ``split`` ("train" or "test"), ``text``, ``intent``.

    Raises
    ------
    DataUnavailable
        A file is missing.
    BrokenFile
        Not these tables, or a part of them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("train.csv", "test.csv"):
    ...         _ = (Path(folder) / name).write_text("text,category\nWhere is my card?,card\n")
    ...     _ = (Path(folder) / "categories.json").write_text('["card"]')
    ...     table = read(folder)
    >>> table["split"].tolist(), table["intent"].tolist()
    (['train', 'test'], ['card', 'card'])
    """
    folder = Path(path)
    listing = folder / "categories.json"
    if not listing.is_file():
        raise DataUnavailable("no such table", where=str(listing))
    try:
        known = tuple(json.loads(listing.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise BrokenFile("the list of intents cannot be read", where=str(listing)) from error
    parts = []
    for split in ("train", "test"):
        file = folder / f"{split}.csv"
        frame = read_table(file, TITLE, COLUMNS, {}, dtype=str, keep_default_na=False)
        if not frame["category"].isin(known).all():
            raise not_this_table(file, TITLE, "an intent that is not listed")
        parts.append(pd.DataFrame({"split": split, **frame[list(COLUMNS)]}))
    return pd.concat(parts, ignore_index=True).rename(columns={"category": "intent"})
