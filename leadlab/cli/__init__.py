"""The command line; one file a command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run ``leadlab`` and end the process with the command's exit code."""
    from leadlab.cli.app import run  # noqa: PLC0415  (keeps `import leadlab.cli` light)

    sys.exit(run(sys.argv[1:]))
