"""Models that can be written to files and read back, by kind.

A model class that has what `Storable` asks for is made known by an entry point, leadlab's own
classes included, so that a user's package adds kinds without a change here::

    [project.entry-points."leadlab.models"]
    my_kind = "my_package.my_model:MyModel"
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol, Self, runtime_checkable

from leadlab.errors import BrokenPlugin
from leadlab.models.files.plugins import Fence, Plugin, load_plugin, plugin, plugins

GROUP = "leadlab.models"
_ASKED = ("kind", "to_files", "from_files")


@runtime_checkable
class Storable(Protocol):
    """A fitted model as named files, without pickle.

    ``kind`` is the name of its entry point. ``to_files`` gives plain file names (no folders) with
    their bytes, in formats that hold data and no code; ``from_files`` is its inverse and may raise
    any error on files that it cannot read. Checksums are the caller's work. A model may also say
    ``feature_names_in_``, ``plan_hash_`` and ``get_params()``, which are then kept and compared.
    """

    kind: ClassVar[str]

    def to_files(self) -> Mapping[str, bytes]:
        """Contents by file name."""

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """The same model again."""


def kinds() -> dict[str, Plugin]:
    """Kinds that are registered, and by whom; nothing is imported.

    Examples
    --------
    >>> kinds()["conversion"].target
    'leadlab.models.conversion:ConversionModel'
    """
    return {p.name: p for p in reversed(plugins(GROUP))}


def model_class(kind: str) -> type[Storable]:
    """The class of a kind.

    Raises
    ------
    UnknownName
        If no package registers the kind.
    BrokenPlugin
        If its package cannot be imported, or what it names is no `Storable` of that kind.

    Examples
    --------
    >>> model_class("conversion").__name__
    'ConversionModel'
    """
    chosen = plugin(GROUP, "model kind", kind)
    found = load_plugin(chosen)
    lacking = [name for name in _ASKED if not hasattr(found, name)]
    if not isinstance(found, type) or lacking:
        raise BrokenPlugin(
            "a registered model is no Storable",
            where=str(chosen),
            got=f"lacks {', '.join(lacking)}" if lacking else type(found).__name__,
            expected="a class with kind, to_files and from_files",
        )
    model: type[Storable] = found
    if model.kind != kind:
        raise BrokenPlugin(
            "a model is registered under another kind than its own",
            where=str(chosen),
            got=model.kind,
            expected=kind,
        )
    return model


def revive(kind: str, files: Mapping[str, bytes]) -> Storable:
    """Rebuild a model of a kind.

    Raises
    ------
    UnknownName, BrokenPlugin
        As `model_class`; and where ``from_files`` raises anything.
    """
    found = model_class(kind)
    with Fence("a model kind cannot read its own files", plugin(GROUP, "model kind", kind)):
        return found.from_files(files)


def files_of(model: Storable) -> dict[str, bytes]:
    """Files of a model of a registered kind.

    Raises
    ------
    BrokenPlugin
        If the model's class is not the one registered for its kind, or ``to_files`` raises
        anything but an error of leadlab.
    """
    chosen = plugin(GROUP, "model kind", model.kind)
    found = model_class(model.kind)
    if type(model) is not found:
        raise BrokenPlugin(
            "a model's kind is registered for another class",
            where=str(chosen),
            got=f"{type(model).__module__}:{type(model).__name__}",
        )
    with Fence("a model kind cannot write its files", chosen):
        return {str(name): bytes(data) for name, data in model.to_files().items()}
