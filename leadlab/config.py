"""Settings, read from the environment once and frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leadlab.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Settings:
    """Where leadlab keeps and finds things.

    Attributes
    ----------
    home : Path
        Downloads, models and snapshots (``LEADLAB_HOME``, default ``.leadlab`` here).
    data_dir : Path or None
        A local copy of the public data sets (``LEADLAB_DATA_DIR``).
    registry_address : str or None
        Versions of models: a folder or ``s3://bucket/prefix`` (``LEADLAB_REGISTRY``).

    Examples
    --------
    >>> Settings.from_environment({"LEADLAB_HOME": "/tmp/lab"}).models.as_posix()
    '/tmp/lab/models'
    """

    home: Path
    data_dir: Path | None = None
    registry_address: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read ``LEADLAB_*`` from `environ` (the process's own when not given)."""
        env = os.environ if environ is None else environ
        data_dir = env.get("LEADLAB_DATA_DIR")
        if data_dir and not Path(data_dir).is_dir():
            raise ConfigError(
                "LEADLAB_DATA_DIR names no folder",
                got=data_dir,
                expected="an existing folder with one sub-folder per data set",
                hint="Unset it to download instead.",
            )
        home = env.get("LEADLAB_HOME") or ".leadlab"
        registry = env.get("LEADLAB_REGISTRY") or None
        return cls(Path(home), Path(data_dir) if data_dir else None, registry)

    @property
    def models(self) -> Path:
        """Folder of trained models."""
        return self.home / "models"

    @property
    def downloads(self) -> Path:
        """Folder of downloaded data sets."""
        return self.home / "data"

    @property
    def registry(self) -> str:
        """Address of the registry of models; a folder at home when none was set."""
        return self.registry_address or str(self.home / "registry")
