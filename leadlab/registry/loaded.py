"""A version made into a model again, if files, manifest and feature plan belong together."""

from __future__ import annotations

import json
from dataclasses import dataclass

from leadlab.errors import BadInput, BrokenFile
from leadlab.features.feature_set import FeatureSet
from leadlab.models.files.feature_plan import plan_hash, same_plan
from leadlab.models.files.model_file import ABOUT, About, about_of, model_of
from leadlab.models.files.stored import Storable
from leadlab.registry.version import Version
from leadlab.registry.versions import Versions


@dataclass(frozen=True, eq=False)
class Loaded:
    """A version, ready for use.

    Attributes
    ----------
    model : Storable
    about : About
        What it was trained on.
    version : Version
    """

    model: Storable
    about: About
    version: Version

    @property
    def plan(self) -> FeatureSet | None:
        """The features to compute for it; None for a model of a bare matrix."""
        return None if self.about.features is None else FeatureSet.from_json(self.about.features)


def loaded(own: Versions, version: Version, plan: FeatureSet | None) -> Loaded:
    """Read the files of a version and rebuild its model.

    Raises
    ------
    BrokenFile
        If a file is not what was written, or they are not of the manifest's model.
    BadInput
        If `plan` is not the one that the model was trained with, with the differences.
    """
    where = f"{own.store.address}: {version.name}"
    if plan is not None:
        trained = about_version(own, version).features
        if trained is None:
            raise BadInput("the model has no feature plan", where=where, got="a plan")
        same_plan(trained, plan.to_json(), where=where)
    members = {file: own.file(version, file) for file in version.files}
    model, about = model_of(members, where=where)
    found = "" if about.features is None else plan_hash(about.features)
    if (model.kind, found) != (version.kind, version.plan_hash) or (
        columns_of(model, about) != version.features
    ):
        raise BrokenFile(
            "files and manifest are of different models",
            where=where,
            got=f"{model.kind}, plan {found[:12] or 'none'}",
            expected=f"{version.kind}, plan {version.plan_hash[:12] or 'none'}",
        )
    return Loaded(model, about, version)


def about_version(own: Versions, version: Version) -> About:
    """What a version was trained on, without its model.

    Raises
    ------
    BrokenFile
        If the file that says so cannot be used.
    """
    try:
        return about_of(json.loads(own.file(version, ABOUT)))
    except (KeyError, TypeError, ValueError) as error:
        where = f"{own.store.address}: {version.name}"
        raise BrokenFile(f"no {ABOUT}", where=where, got=str(error)[:100]) from error


def columns_of(model: Storable, about: About) -> tuple[str, ...]:
    """Columns of a model, in order: those of its plan, or else of its training matrix."""
    if about.features is not None:
        return tuple(str(f["name"]) for f in about.features["features"])
    return tuple(str(n) for n in getattr(model, "feature_names_in_", ()))
