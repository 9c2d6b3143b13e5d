"""What other packages register by entry point, found by name and kept behind a fence.

Reading what there is imports nothing. Whatever a plug-in raises when it is loaded or called becomes
one `BrokenPlugin` that names the package, so that one broken package does not bring down the rest.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import TracebackType
from typing import Any

from leadlab.errors import BrokenPlugin, LeadlabError, UnknownName

OWN = "leadlab"


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point.

    Attributes
    ----------
    name : str
        As registered.
    target : str
        ``module:object``.
    package : str
        Distribution that registers it, with its version.
    """

    name: str
    target: str
    package: str

    def __str__(self) -> str:
        return f"'{self.name}' of {self.package} ({self.target})"


class Fence(AbstractContextManager["Fence"]):
    """Turn whatever foreign code raises into one `BrokenPlugin`; errors of leadlab pass.

    Parameters
    ----------
    what : str
        What could not be done.
    plugin : Plugin
        Whose code runs.

    Examples
    --------
    >>> with Fence("cannot load a model kind", Plugin("x", "m:X", "other 1.0")):
    ...     {}["no"]
    Traceback (most recent call last):
        ...
    leadlab.errors.BrokenPlugin: cannot load a model kind (where: 'x' of other 1.0 (m:X); ...
    """

    def __init__(self, what: str, plugin: Plugin) -> None:
        self.what, self.plugin = what, plugin

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception) or isinstance(error, LeadlabError):
            return
        raise BrokenPlugin(
            self.what,
            where=str(self.plugin),
            got=f"{type(error).__name__}: {str(error)[:200]}",
            hint=f"Mend or remove {self.plugin.package}; nothing else is affected.",
        ) from error


def plugins(group: str) -> tuple[Plugin, ...]:
    """All that is registered in a group, by name; nothing is imported.

    Examples
    --------
    >>> [p.name for p in plugins("leadlab.models") if p.name == "conversion"]
    ['conversion']
    """
    found = {_plugin(e) for e in entry_points(group=group)}
    return tuple(sorted(found, key=lambda p: (p.name, not _own(p), p.package)))


def _plugin(entry: EntryPoint) -> Plugin:
    dist = entry.dist
    package = f"{dist.metadata['Name']} {dist.version}" if dist else "a package without metadata"
    return Plugin(entry.name, entry.value, package)


def _own(plugin: Plugin) -> bool:
    return plugin.package.split(" ")[0] == OWN


def plugin(group: str, what: str, name: str) -> Plugin:
    """The one that bears a name; leadlab's own where it has one.

    Parameters
    ----------
    group : str
        Entry-point group.
    what : str
        What it is, for the error: "model kind".
    name : str

    Raises
    ------
    UnknownName
        If nothing bears it; close names are offered.
    BrokenPlugin
        If two packages claim it.
    """
    known = plugins(group)
    claims = [p for p in known if p.name == name]
    if not claims:
        raise UnknownName(what, name, [p.name for p in known], where=f"entry points '{group}'")
    if len(claims) > 1 and not _own(claims[0]):
        raise BrokenPlugin(
            f"two packages claim one {what}",
            where=f"'{name}'",
            got=" and ".join(p.package for p in claims),
            hint="Remove one of them.",
        )
    return claims[0]


def load_plugin(chosen: Plugin) -> Any:
    """Import what an entry point names.

    Raises
    ------
    BrokenPlugin
        If that raises anything.
    """
    with Fence("cannot load what a package registers", chosen):
        return EntryPoint(chosen.name, chosen.target, "leadlab").load()
