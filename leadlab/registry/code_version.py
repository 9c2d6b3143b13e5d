"""Which code a model was made with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import leadlab


def code_version() -> dict[str, str | None]:
    """Version of leadlab, and the git commit where its source is under git.

    The commit ends in ``-dirty`` where a tracked file differed from it. It is None for an installed
    package, also where that lies inside somebody else's checkout.

    Examples
    --------
    >>> sorted(code_version())
    ['commit', 'leadlab']
    """
    folder = Path(leadlab.__file__).parent
    tracked = _git(folder, "ls-files", "--error-unmatch", "__init__.py")
    described = ("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    commit = _git(folder, *described) if tracked else None
    return {"leadlab": leadlab.__version__, "commit": commit}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
