"""Labelled texts of public sets that are on this machine, in the columns of our own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from leadlab.config import Settings
from leadlab.data.phrases.labelled import COLUMNS, INTENTS, PARTS
from leadlab.data.registry import load, verify

MOST = {"sst2": 4_000, "clinc150": 1_000}
"""Texts taken of each set, drawn by the seed; more of what is out of scope would crowd the rest."""
LEAST_LETTERS = 25
"""Shorter phrases of SST-2 are parts of sentences that say little."""
FELT = 0.6
"""Sentiment of a text that is only known to be positive; its negative for the others."""
_NEAR = "mortgage|loan|interest|rate|credit|apr|payment|bill|income|rent|insurance|bank|account"
"""Intents of CLINC150 whose name holds one of these may be meant for a brokerage too."""


def public_texts(settings: Settings | None = None, *, seed: int = 0) -> pd.DataFrame:
    """Training texts of the public sets that are here and unaltered; nothing is fetched.

    SST-2 tells of the sentiment alone; requests of CLINC150 are none of a brokerage's business.

    Parameters
    ----------
    settings : Settings, optional
        The environment's when not given.
    seed : int

    Returns
    -------
    DataFrame
        Columns as `leadlab.data.phrases.labelled.labelled_texts`, labels missing where a set says
        nothing; ``source`` is the set. No rows where no set is here.

    Examples
    --------
    >>> from pathlib import Path
    >>> len(public_texts(Settings(Path("/nowhere"))))
    0
    """
    settings = settings or Settings.from_environment()
    rng = np.random.default_rng(seed)
    frames = [pd.DataFrame(columns=list(COLUMNS))]
    for name, taken in _TAKEN.items():
        if any(state.state != "ok" for state in verify(name, settings)):
            continue
        rows = taken(load(name, settings))
        rows = rows.iloc[np.sort(rng.permutation(len(rows))[: MOST[name]])]
        wording = rng.integers(PARTS, size=len(rows))
        frames.append(rows.assign(wording=wording, source=name).reindex(columns=list(COLUMNS)))
    kept = [frame for frame in frames if len(frame)] or frames
    return pd.concat(kept, ignore_index=True)


def _felt(table: pd.DataFrame) -> pd.DataFrame:
    rows = table[(table["split"] == "train") & (table["text"].str.len() >= LEAST_LETTERS)]
    return pd.DataFrame({"text": rows["text"], "sentiment": FELT * (2 * rows["positive"] - 1)})


def _elsewhere(table: pd.DataFrame) -> pd.DataFrame:
    near = table["intent"].str.contains(_NEAR)
    train = table["split"].str.endswith("train")
    return pd.DataFrame({"text": table.loc[train & ~near, "text"], "intent": INTENTS[-1]})


_TAKEN: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {"sst2": _felt, "clinc150": _elsewhere}
