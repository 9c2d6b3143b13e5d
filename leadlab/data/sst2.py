"""SST-2: phrases and sentences of film reviews, for or against."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from leadlab.data.table import read_table

TITLE = "SST-2"
FILES = {"train": "sst2_train.tsv", "dev": "sst2_dev.tsv"}


def read(path: str | Path) -> pd.DataFrame:
    r"""Read the folder of ``sst2_train.tsv`` and ``sst2_dev.tsv``.

    Training rows are phrases, most of them parts of a sentence that is a row too.

    Parameters
    ----------
    path : str or Path
        Folder.

    Returns
    -------
    DataFrame
        68,221 rows for the published files: ``split`` ("train" or "dev"), ``text``, ``positive``
        (0 or 1).

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
    ...     for name in FILES.values():
    ...         _ = (Path(folder) / name).write_text("sentence\tlabel\na fine \"film\t1\n")
    ...     table = read(folder)
    >>> table["text"].tolist(), table["positive"].tolist()
    (['a fine "film', 'a fine "film'], [1, 1])
    """
    parts = []
    for split, name in FILES.items():
        frame = read_table(
            Path(path) / name,
            TITLE,
            ("sentence", "label"),
            {"label": ("0", "1")},
            sep="\t",
            quoting=csv.QUOTE_NONE,
            dtype=str,
            keep_default_na=False,
        )
        text, positive = frame["sentence"].str.strip(), frame["label"].astype("int64")
        parts.append(pd.DataFrame({"split": split, "text": text, "positive": positive}))
    return pd.concat(parts, ignore_index=True)
