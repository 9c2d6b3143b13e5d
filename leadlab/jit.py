"""Compiled kernels whose cache knows all the code that they were made of.

Numba caches a compiled function by the time and size of the one file that defines it. A kernel here
inlines functions and constants of other files; were one of those to change, the old code would be
loaded and be wrong in silence. So the cache lies in a folder named after the content of all files
that kernels are made of: other content, other folder.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import config

_PACKAGE = Path(__file__).parent
_SOURCES = (
    "features/*.py",
    "explain/*.py",
    "models/conversation/ngram_kernel.py",
    "stream/known_ids.py",
    "stream/settle.py",
)
"""Files that kernels are made of."""


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function to be compiled by Numba without the GIL, and cached.

    Parameters
    ----------
    **options
        Of `numba.njit`, besides ``cache`` and ``nogil``.

    Examples
    --------
    >>> from leadlab.features.batch import group
    >>> import numpy as np
    >>> order, starts = group(np.array([1, 0, 1], np.int32), 2)
    >>> order.tolist(), starts.tolist()
    ([1, 0, 2], [0, 1, 3])
    """

    def compiled(function: Callable[..., Any]) -> Any:
        before = config.CACHE_DIR
        config.CACHE_DIR = str(cache_folder())
        try:
            return njit(cache=True, nogil=True, **options)(function)
        finally:
            config.CACHE_DIR = before

    return compiled


@cache
def cache_folder() -> Path:
    """Folder of the present code: under NUMBA_CACHE_DIR, beside the package, or in the home."""
    digest = hashlib.sha256()
    for pattern in _SOURCES:
        for file in sorted(_PACKAGE.glob(pattern)):
            digest.update(file.read_bytes())
    folder = Path(config.CACHE_DIR) if config.CACHE_DIR else _PACKAGE / "__pycache__"
    if not os.access(folder if folder.exists() else folder.parent, os.W_OK):
        folder = Path.home() / ".cache" / "leadlab"
    return folder / f"kernels-{digest.hexdigest()[:16]}"
