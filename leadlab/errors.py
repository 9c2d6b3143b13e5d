"""Every error that leadlab raises on purpose, in one tree.

::

    LeadlabError
    ├── ConfigError        a setting cannot be used                        exit 2
    ├── BadInput           data or an argument cannot be used (ValueError) exit 3
    │   ├── EmptyInput     nothing to work on
    │   └── BadRows        rows were refused and the caller asked for none
    ├── UnknownName        no such feature, lead, data set, kind (KeyError) exit 4
    ├── DataUnavailable    a public data set is not here and cannot be had exit 5
    ├── BrokenFile         a file is cut short, altered or of another kind exit 6
    │   └── NewerFormat    it was written by a later leadlab
    ├── NotFitted          a model was asked before it was trained         exit 7
    ├── Overtaken          somebody else decided first                     exit 8
    ├── StoreFailed        a store could not be read or written (OSError)  exit 9
    ├── BrokenPlugin       another package's entry point cannot be used    exit 10
    ├── NotAllowed         who asks is known, and may not                  exit 11
    │   └── NotProven      who asks did not prove who they are
    ├── TooMuch            more was asked than a limit allows              exit 12
    └── Overloaded         more comes in than can be taken; try again later exit 13
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LeadlabError(Exception):
    """What went wrong, where, what was there, what should have been, and what to do.

    Parameters
    ----------
    what : str
        One sentence without a full stop.
    where : str, optional
        File, row, field or argument.
    got, expected : object, optional
        The offending value and what would have been accepted.
    hint : str, optional
        The next step.

    Examples
    --------
    >>> print(LeadlabError("cannot read the log", where="events.csv", got="0 bytes"))
    cannot read the log (where: events.csv; got: 0 bytes)
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        got: object = None,
        expected: object = None,
        hint: str | None = None,
    ) -> None:
        self.what, self.where, self.got, self.expected, self.hint = what, where, got, expected, hint
        parts = [("where", where), ("got", got), ("expected", expected)]
        detail = "; ".join(f"{name}: {value}" for name, value in parts if value is not None)
        message = f"{what} ({detail})" if detail else what
        super().__init__(f"{message}. {hint}" if hint else message)

    def __str__(self) -> str:
        return str(self.args[0])


class ConfigError(LeadlabError):
    """A setting cannot be used."""

    exit_code = 2


class BadInput(LeadlabError, ValueError):
    """Data or an argument cannot be used."""

    exit_code = 3


class EmptyInput(BadInput):
    """There is nothing to work on."""


class BadRows(BadInput):
    """Rows were refused, and the caller had asked that none be."""


class UnknownName(LeadlabError, KeyError):
    """A name that nothing bears; close names are offered, unless `known` is None.

    Examples
    --------
    >>> print(UnknownName("feature", "visit_cout_7d", ["visit_count_7d", "tenure"]))
    unknown feature 'visit_cout_7d'. Did you mean 'visit_count_7d'?
    """

    exit_code = 4

    def __init__(
        self, kind: str, name: str, known: Iterable[str] | None, *, where: str | None = None
    ):
        choices = sorted(set(known or ()))
        close = difflib.get_close_matches(name, choices, n=3, cutoff=0.6)
        hint: str | None
        if close:
            hint = "Did you mean " + " or ".join(f"'{c}'" for c in close) + "?"
        elif choices:
            shown = ", ".join(choices[:8]) + (", ..." if len(choices) > 8 else "")
            hint = f"Known: {shown}."
        else:
            hint = None if known is None else "None is known yet."
        super().__init__(f"unknown {kind} '{name}'", where=where, hint=hint)
        self.name = name


class DataUnavailable(LeadlabError):
    """A public data set is not on this machine and cannot be fetched."""

    exit_code = 5


class BrokenFile(LeadlabError):
    """A file is cut short, was altered, or is of another kind."""

    exit_code = 6


class NewerFormat(BrokenFile):
    """A file was written by a later leadlab, in a format that this one does not know.

    Examples
    --------
    >>> print(NewerFormat("m.leadlab", written=3, reads=1))
    written by format 3, this reads up to 1 (where: m.leadlab). Upgrade leadlab.
    """

    def __init__(self, where: str, *, written: int, reads: int) -> None:
        what = f"written by format {written}, this reads up to {reads}"
        super().__init__(what, where=where, hint="Upgrade leadlab.")


class NotFitted(LeadlabError):
    """A model was asked for something before it was trained."""

    exit_code = 7


class Overtaken(LeadlabError):
    """Somebody else decided first, so this decision was made on what no longer holds."""

    exit_code = 8


class StoreFailed(LeadlabError, OSError):
    """A store could not be read or written: full, forbidden, unreachable."""

    exit_code = 9


class BrokenPlugin(LeadlabError):
    """What another package registers by entry point cannot be used."""

    exit_code = 10


class Overloaded(LeadlabError):
    """More comes in than can be taken; nothing of it was kept, so it may be sent again later."""

    exit_code = 13


class NotAllowed(LeadlabError):
    """Who asks is known, and may not."""

    exit_code = 11


class NotProven(NotAllowed):
    """Who asks did not prove who they are."""


class TooMuch(LeadlabError):
    """More was asked than a limit allows.

    Parameters
    ----------
    what : str
    retry_after_s : int, optional
        Seconds after which it is worth asking again; None where it never is.
    hint : str, optional

    Examples
    --------
    >>> TooMuch("too many requests", retry_after_s=7).retry_after_s
    7
    """

    exit_code = 12

    def __init__(
        self, what: str, *, retry_after_s: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(what, hint=hint)
        self.retry_after_s = retry_after_s
