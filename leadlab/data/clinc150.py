"""CLINC150: requests in 150 intents, and requests outside all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from leadlab.data.table import not_this_table
from leadlab.errors import BrokenFile, DataUnavailable

TITLE, FILE = "CLINC150", "data_full.json"
PARTS = {
    "train": ("train", "oos_train"),
    "validation": ("val", "oos_val"),
    "test": ("test", "oos_test"),
}
OUTSIDE = "oos"


def read(path: str | Path) -> pd.DataFrame:
    """Read the folder of ``data_full.json``.

    Parameters
    ----------
    path : str or Path
        Folder.

    Returns
    -------
    DataFrame
        23,700 rows for the published file: ``split`` ("train", "validation" or "test"), ``text``,
        ``intent`` ("oos" where none of the 150 is meant).

    Raises
    ------
    DataUnavailable
        No such file.
    BrokenFile
        Not this file, or a part of it.

    Examples
    --------
    >>> import tempfile
    >>> rows = {name: [["hi", "oos" if "oos" in name else "greeting"]]
    ...         for names in PARTS.values() for name in names}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / FILE).write_text(json.dumps(rows))
    ...     table = read(folder)
    >>> table["split"].tolist()
    ['train', 'train', 'validation', 'validation', 'test', 'test']
    """
    file = Path(path) / FILE
    if not file.is_file():
        raise DataUnavailable("no such table", where=str(file))
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BrokenFile("the table cannot be read", where=str(file), got=error) from error
    parts = []
    for split, names in PARTS.items():
        for name in names:
            rows = found.get(name) if isinstance(found, dict) else None
            if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
                raise not_this_table(file, TITLE, f"no list of texts and intents {name}")
            frame = pd.DataFrame(rows, columns=["text", "intent"], dtype=str)
            if (frame["intent"].eq(OUTSIDE) != name.startswith(OUTSIDE)).any():
                raise not_this_table(file, TITLE, f"an intent that does not belong in {name}")
            parts.append(frame.assign(split=split))
    return pd.concat(parts, ignore_index=True)[["split", "text", "intent"]]


def _is_row(row: object) -> bool:
    return isinstance(row, list) and len(row) == 2 and all(isinstance(one, str) for one in row)
