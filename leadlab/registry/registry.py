"""Models by name: their versions, which one is in use, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from leadlab.errors import UnknownName
from leadlab.features.feature_set import FeatureSet
from leadlab.models.files.feature_plan import plan_hash
from leadlab.models.files.model_file import About, members_of, versions
from leadlab.models.files.stored import Storable
from leadlab.registry.card import Card
from leadlab.registry.code_version import code_version
from leadlab.registry.decisions import Decision, Decisions
from leadlab.registry.difference import Difference, difference
from leadlab.registry.listed import Listed, listed
from leadlab.registry.loaded import Loaded, about_version, columns_of, loaded
from leadlab.registry.marker import Marker
from leadlab.registry.settings import settings_of
from leadlab.registry.spelling import is_model_name, model_name, moment, version_name
from leadlab.registry.stages import STAGES, State, promoted, rolled_back, without_challenger
from leadlab.registry.store import Store, open_store
from leadlab.registry.verification import Verification, leftovers, verification
from leadlab.registry.version import Version
from leadlab.registry.versions import Versions


class Registry:
    """Versions of models in a folder or an S3-compatible store.

    Nothing is ever written twice: a version is a manifest with a number of its own, a decision
    (promotion, roll-back, removal) is an entry in a numbered log, and a number is taken by one
    writer only. So readers and writers need no lock, and a crash leaves the registry as it was.

    Checksums show damage and mix-ups; they are no signature. Whoever may write to the store can
    replace a model, so let only those write whom you trust.

    Parameters
    ----------
    address : str or Path
        A folder, or ``s3://bucket/prefix``; see `leadlab.registry.store.open_store`.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from leadlab.models.conversion import ConversionModel
    >>> X = np.arange(40.0).reshape(-1, 1)
    >>> model = ConversionModel(rounds=3, min_child_weight=1).fit(X, X[:, 0] > 20)
    >>> card = Card("An example.", "40 rows.", "None.", "All.", "No groups.")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     registry = Registry(folder)
    ...     one = registry.register("hot", model, card=card, created_at="2026-01-01T00:00:00Z")
    ...     _ = registry.promote("hot", one.number, "champion", at="2026-01-02T00:00:00Z")
    ...     registry.load("hot").version.name
    'hot@1'
    """

    def __init__(self, address: str | Path) -> None:
        self.store: Store = open_store(address)
        self._marker = Marker(self.store)

    @property
    def address(self) -> str:
        """Where it is."""
        return self.store.address

    def register(
        self,
        name: str,
        model: Storable,
        about: About | None = None,
        *,
        card: Card,
        created_at: str,
        parents: Sequence[str] = (),
        who: str | None = None,
    ) -> Version:
        """Keep a fitted model as the next version, whole or not at all.

        Parameters
        ----------
        name : str
            Small letters, digits, ".", "_", "-".
        model : Storable
            Of a registered kind.
        about : About, optional
            What it was trained on: fingerprint of the data, feature plan, figures.
        card : Card
        created_at : str
            ISO 8601 with its zone.
        parents : sequence of str
            Versions of this registry that it was made from, "name@number".
        who : str, optional

        Raises
        ------
        BadInput
            If a name or moment cannot be used, or the feature plan is not the model's.
        UnknownName
            If a parent is not here.
        StoreFailed
            If it could not be written; then nothing changed.
        """
        own, content = self._versions(name), about or About()
        moment(created_at, "created_at")
        members = members_of(model, content)
        self._marker.check_writable()
        for parent in parents:
            self.version(*version_name(parent))
        fixed: dict[str, Any] = {
            "model": name,
            "kind": model.kind,
            "data_hash": content.fingerprint,
            "plan_hash": "" if content.features is None else plan_hash(content.features),
            "features": columns_of(model, content),
            "settings": settings_of(model),
            "metrics": dict(content.metrics),
            "card": card,
            "code": code_version(),
            "libraries": {**versions(), **content.versions},
            "parents": tuple(parents),
            "created_at": created_at,
            "who": who,
        }
        return own.add(
            members, lambda n, folder, sums: Version(number=n, folder=folder, files=sums, **fixed)
        )

    def names(self) -> list[str]:
        """Names of all models that have a version."""
        self._marker.check()
        paths = [one.path.split("/") for one in self.store.find("models")]
        found = {parts[1] for parts in paths if len(parts) == 4 and parts[2] == "versions"}
        return sorted(name for name in found if is_model_name(name))

    def listed(self, name: str | None = None) -> list[Listed]:
        """All versions of one model, or of all; those that cannot be used say why.

        Raises
        ------
        UnknownName
            If no model bears the name.
        """
        names = [self._known_name(name)] if name else self.names()
        return [
            line
            for one in names
            for line in listed(self._versions(one), self._decisions(one).state())
        ]

    def version(self, name: str, which: int | str = "champion") -> Version:
        """What is known of one version.

        Parameters
        ----------
        name : str
        which : int or str
            Its number, or "champion" or "challenger".

        Raises
        ------
        UnknownName
            If there is no such model, version or stage, or nobody holds the stage.
        BrokenFile, NewerFormat
            If its manifest cannot be used.
        """
        return self._versions(self._known_name(name)).read(self._number(name, which))

    def load(
        self, name: str, which: int | str = "champion", *, plan: FeatureSet | None = None
    ) -> Loaded:
        """The model of a version, every file held to its checksum.

        Parameters
        ----------
        name, which
            As in `version`.
        plan : FeatureSet, optional
            What the caller will compute; refused if the model was trained with another.

        Raises
        ------
        UnknownName, BrokenFile, NewerFormat, BrokenPlugin
            If there is no such version, or it cannot be used.
        BadInput
            If the plan is another, with the differences.
        """
        return loaded(self._versions(name), self.version(name, which), plan)

    def promote(
        self,
        name: str,
        number: int,
        stage: str,
        *,
        at: str,
        who: str | None = None,
        why: str | None = None,
        after: int | None = None,
    ) -> Decision:
        """Make a version champion or challenger, or archive it.

        Parameters
        ----------
        name : str
        number : int
        stage : str
            "champion", "challenger" or "archived".
        at : str
            ISO 8601 with its zone.
        who, why : str, optional
            For the history.
        after : int, optional
            Number of the last decision that the caller knows of: refused if there is a later one.

        Raises
        ------
        UnknownName, BrokenFile
            If there is no such version, or it cannot be used.
        BadInput
            If the version has the stage, or is a champion to be put aside.
        Overtaken
            If somebody else decided first; nothing is changed.
        """
        if stage not in STAGES:
            raise UnknownName("stage", stage, STAGES)
        if stage != "archived":
            self._whole(self.version(name, number))
        else:
            self.version(name, number)

        def decide(state: State) -> tuple[State, int]:
            return promoted(state, number, stage), number

        return self._decide(name, decide, "promote", at, who, why, after)

    def roll_back(
        self,
        name: str,
        *,
        at: str,
        who: str | None = None,
        why: str | None = None,
        after: int | None = None,
    ) -> Decision:
        """Bring back the champion before; again, the one before that.

        Raises
        ------
        BadInput
            If there was none.
        Overtaken
            As `promote`.
        """

        def decide(state: State) -> tuple[State, int]:
            found = rolled_back(state)
            self._whole(self.version(name, found.champions[-1]))
            return found, found.champions[-1]

        return self._decide(name, decide, "roll back", at, who, why, after)

    def remove_challenger(
        self,
        name: str,
        *,
        at: str,
        who: str | None = None,
        why: str | None = None,
        after: int | None = None,
    ) -> Decision:
        """Put the challenger aside; it stays a version.

        Raises
        ------
        BadInput
            If there is none.
        Overtaken
            As `promote`.
        """

        def decide(state: State) -> tuple[State, int]:
            return without_challenger(state), state.challenger or 0

        return self._decide(name, decide, "remove challenger", at, who, why, after)

    def history(self, name: str) -> list[Decision]:
        """Every decision, first to last, each held to the one before.

        Raises
        ------
        UnknownName
            If no model bears the name.
        BrokenFile
            If the history was altered.
        """
        return self._decisions(self._known_name(name)).all()

    def diff(self, name: str, before: int | str, after: int | str) -> Difference:
        """What changed from one version to another.

        Raises
        ------
        UnknownName, BrokenFile, NewerFormat
            As `version`.
        """
        old, new = self.version(name, before), self.version(name, after)
        own = self._versions(name)
        plans = [about_version(own, one).features for one in (old, new)]
        return difference(old, new, *plans)

    def verify(self, name: str | None = None) -> Verification:
        """Hold every file to its checksum and every decision to the one before.

        Leftovers of writers that died are told of; they are no problem.
        """
        names = [self._known_name(name)] if name else self.names()
        return verification(self.store, names, everything=name is None)

    def clean(self, *, before: str) -> list[str]:
        """Remove leftovers that were last written before a moment.

        Parameters
        ----------
        before : str
            ISO 8601 with its zone; leave those alone that a writer may be busy with, an hour or so.

        Returns
        -------
        list of str
            Paths that were removed.
        """
        self._marker.check()
        limit_s = moment(before, "before").timestamp()
        old = [one.path for one in leftovers(self.store) if one.changed_s < limit_s]
        for path in old:
            self.store.delete(path)
        return old

    def _decide(
        self,
        name: str,
        decide: Callable[[State], tuple[State, int]],
        action: str,
        at: str,
        who: str | None,
        why: str | None,
        after: int | None,
    ) -> Decision:
        moment(at, "at")
        log = self._decisions(self._known_name(name))
        self._marker.check_writable()
        return log.append(decide, action=action, at=at, who=who, why=why, after=after)

    def _versions(self, name: str) -> Versions:
        return Versions(self.store, model_name(name))

    def _decisions(self, name: str) -> Decisions:
        return Decisions(self.store, f"models/{name}/decisions")

    def _known_name(self, name: str) -> str:
        self._marker.check()
        if not self._versions(name).numbers():
            raise UnknownName("model", name, self.names(), where=self.address)
        return name

    def _number(self, name: str, which: int | str) -> int:
        if isinstance(which, str) and which.isdecimal():
            which = int(which)
        if isinstance(which, int):
            return which
        if which not in ("champion", "challenger"):
            raise UnknownName("stage", which, ("champion", "challenger"), where=name)
        state = self._decisions(name).state()
        number = state.champion if which == "champion" else state.challenger
        if number is None:
            held = [s for s in ("champion", "challenger") if getattr(state, s) is not None]
            raise UnknownName(f"stage of {name}: nobody is", which, held, where=self.address)
        return number

    def _whole(self, version: Version) -> None:
        """Refuse to put a version in use whose files are not what was written."""
        own = self._versions(version.model)
        for file in version.files:
            own.file(version, file)
