"""How good is what we know of a lead: a score of 0 to 100, in four parts, with the findings.

==============  ===================================================================================
part            what it is
==============  ===================================================================================
completeness    share of the expected fields that are filled, each with its weight
validity        share of the filled fields that can be right: e-mail, phone, prices, times ...
consistency     share of the applicable comparisons that hold: price range in order, no activity
                before creation, an agent where a stage asks for one, nobody else with the same
                e-mail or phone
freshness       2^(-age / half-life), age counted from the last activity or else the creation
==============  ===================================================================================

The score is the weighted mean of the parts. A part of which nothing can be said (no field filled,
nothing to compare) counts as 0 for validity and freshness, and as 100 for consistency.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.schema.lead import Lead
from leadlab.schema.times import NAT, moment_us, read_times

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
PARTS = ("completeness", "validity", "consistency", "freshness")
DAY_US = 86_400_000_000
_EMAIL = r"[^@\s\"(),:;<>\[\\\]]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
_UNREACHABLE = r"(?i).*@(?:example\.(?:com|net|org)|.*\.(?:test|invalid|example))"
_FIELDS = MappingProxyType(
    {
        "name": 1.0,
        "email": 2.0,
        "phone": 2.0,
        "source": 1.0,
        "stage": 1.0,
        "agent": 1.0,
        "created_at": 1.0,
        "price_max_usd": 1.0,
        "timeframe_days": 0.5,
    }
)


@dataclass(frozen=True)
class Weights:
    """What counts how much; all of it visible, all of it yours to change.

    Attributes
    ----------
    completeness, validity, consistency, freshness : float
        Weights of the parts; at least one above 0.
    fields : mapping of str to float
        Expected fields and their weights within completeness.
    half_life_days : float
        Age at which freshness has fallen to 50.

    Examples
    --------
    >>> Weights().completeness
    0.35
    """

    completeness: float = 0.35
    validity: float = 0.25
    consistency: float = 0.2
    freshness: float = 0.2
    fields: Mapping[str, float] = field(default_factory=lambda: _FIELDS)
    half_life_days: float = 30.0

    def __post_init__(self) -> None:
        parts = [getattr(self, part) for part in PARTS]
        if min(parts) < 0 or sum(parts) <= 0:
            raise BadInput("weights are at least 0, one of them above", where="Weights", got=parts)
        if not self.fields or min(self.fields.values()) <= 0:
            raise BadInput("an expected field has a weight above 0", got=dict(self.fields))
        if not self.half_life_days > 0:
            raise BadInput("a half-life is above 0", got=self.half_life_days)


@dataclass(frozen=True)
class Quality:
    """Quality of one lead.

    Attributes
    ----------
    score, completeness, validity, consistency, freshness : float
        0 to 100.
    findings : tuple of str
        What is wrong or missing, in words.
    """

    score: float
    completeness: float
    validity: float
    consistency: float
    freshness: float
    findings: tuple[str, ...]


@dataclass(eq=False)
class _Sheet:
    """The leads' columns, and the findings as they are made; lives for one scoring."""

    frame: pd.DataFrame
    at_us: int
    found: dict[str, Mask] = field(default_factory=dict)

    def text(self, name: str) -> pd.Series:
        """A column as text; blank is missing."""
        if name not in self.frame.columns:
            return pd.Series(np.full(len(self.frame), np.nan), dtype="str")
        column = self.frame[name].reset_index(drop=True)
        return column.astype(object).map(str, na_action="ignore").astype("str").str.strip()

    def filled(self, name: str) -> Mask:
        """True where a column says something."""
        column = self.text(name)
        return (column.notna() & (column != "")).to_numpy(bool)

    def number(self, name: str) -> F64:
        """A column as numbers; NaN where it is none."""
        return pd.to_numeric(self.text(name), errors="coerce").to_numpy(np.float64)

    def time(self, name: str) -> tuple[F64, Mask]:
        """A column of times in microseconds (NaN where none), and whether each can be right."""
        if name not in self.frame.columns:
            return np.full(len(self.frame), np.nan), np.zeros(len(self.frame), dtype=bool)
        column = self.frame[name].reset_index(drop=True)
        us, problems = read_times(column, tz="UTC", now_us=self.at_us - DAY_US)
        bad = np.zeros(len(us), dtype=bool)
        for problem in problems:
            bad |= problem.rows
        return np.where(bad | (us == NAT), np.nan, us), ~bad

    def note(self, words: str, rows: Mask) -> None:
        if rows.any():
            self.found[words] = rows


def _completeness(sheet: _Sheet, weights: Weights) -> F64:
    total = np.zeros(len(sheet.frame))
    for name, weight in weights.fields.items():
        filled = sheet.filled(name)
        total += weight * filled
        sheet.note(f"no {_words(name)}", ~filled)
    return 100 * total / sum(weights.fields.values())


def _words(name: str) -> str:
    return name.removesuffix("_usd").removesuffix("_at").replace("_", " ")


def _validity(sheet: _Sheet) -> F64:
    email, phone = sheet.text("email"), sheet.text("phone")
    digits = phone.str.replace(r"\D", "", regex=True)
    written = phone.str.fullmatch(r"\+?[\d\s().\-/]+(?:\s*(?:x|ext\.?)\s*\d{1,6})?")
    same_digit = digits.str.fullmatch(r"(\d)\1*")
    checks: list[tuple[str, Mask, str]] = [
        ("email", _true(email.str.fullmatch(_EMAIL)) & ~_true(email.str.fullmatch(_UNREACHABLE)),
         "e-mail cannot be right"),
        ("phone", _true(written) & digits.str.len().between(7, 15).to_numpy(bool)
         & ~_true(same_digit), "phone cannot be right"),
        ("created_at", sheet.time("created_at")[1], "created at no possible time"),
        ("last_activity_at", sheet.time("last_activity_at")[1], "last active at no possible time"),
    ]  # fmt: skip
    for name, least, most in (
        ("price_min_usd", 0, 1e9),
        ("price_max_usd", 1_000, 1e9),
        ("bedrooms_min", 0, 50),
        ("timeframe_days", 0, 3_650),
    ):
        number = sheet.number(name)
        sound = (number >= least) & (number <= most)
        checks.append((name, sound, f"{_words(name)} cannot be right"))
    good = np.zeros(len(sheet.frame))
    seen = np.zeros(len(sheet.frame))
    for name, sound, words in checks:
        filled = sheet.filled(name)
        seen += filled
        good += filled & sound
        sheet.note(words, filled & ~sound)
    return np.divide(100 * good, seen, out=np.zeros(len(good)), where=seen > 0)


def _true(answers: pd.Series) -> Mask:
    return answers.fillna(False).to_numpy(bool)


def _shared(sheet: _Sheet, name: str) -> tuple[Mask, Mask]:
    """Which leads have `name`, and with whom of the same tenant they share it."""
    filled = sheet.filled(name)
    key = sheet.text(name).str.lower()
    if name == "phone":
        key = key.str.replace(r"\D", "", regex=True).str[-10:]
    table = pd.DataFrame({"tenant": sheet.text("tenant").fillna(""), "key": key})
    return filled, table.duplicated(keep=False).to_numpy(bool) & filled


def _consistency(sheet: _Sheet) -> F64:
    low, high = sheet.number("price_min_usd"), sheet.number("price_max_usd")
    created, active = sheet.time("created_at")[0], sheet.time("last_activity_at")[0]
    stage = sheet.text("stage").str.lower()
    working = _true(stage.isin(["showing", "offer", "under contract", "closed"]))
    with np.errstate(invalid="ignore"):
        comparisons = [
            (~np.isnan(low + high), low > high, "lowest price above the highest"),
            (~np.isnan(created + active), active < created, "active before it was created"),
            (working, ~sheet.filled("agent"), "no agent in a stage that needs one"),
            (*_shared(sheet, "email"), "another lead has the same e-mail"),
            (*_shared(sheet, "phone"), "another lead has the same phone"),
        ]
    wrong = np.zeros(len(sheet.frame))
    seen = np.zeros(len(sheet.frame))
    for applies, fails, words in comparisons:
        seen += applies
        wrong += applies & fails
        sheet.note(words, applies & fails)
    return 100 - np.divide(100 * wrong, seen, out=np.zeros(len(wrong)), where=seen > 0)


def _freshness(sheet: _Sheet, weights: Weights) -> F64:
    created, active = sheet.time("created_at")[0], sheet.time("last_activity_at")[0]
    age_days = (sheet.at_us - np.where(np.isnan(active), created, active)) / DAY_US
    sheet.note("no time of any activity", np.isnan(age_days))
    with np.errstate(invalid="ignore"):
        sheet.note("silent for more than 90 days", age_days > 90)
    fresh = 100 * np.exp2(-np.maximum(age_days, 0) / weights.half_life_days)
    return np.where(np.isnan(fresh), 0.0, fresh)


def score_leads(
    leads: pd.DataFrame, *, at: dt.datetime | str, weights: Weights | None = None
) -> pd.DataFrame:
    """Score a table of leads, one a row, with the columns of `leadlab.schema.lead.Lead`.

    Parameters
    ----------
    leads : DataFrame, n rows
        A missing column is missing in all rows; further columns do not matter.
    at : datetime or ISO 8601
        The moment of judgement: ages are counted back from it, and later times cannot be right.
    weights : Weights, optional

    Returns
    -------
    DataFrame, n rows, with the index of `leads`
        ``score``, the four parts (all 0 to 100) and ``findings``, a tuple of sentences.

    Examples
    --------
    >>> leads = pd.DataFrame({"email": ["ann@mail.org", "ann(at)mail"],
    ...                       "created_at": ["2026-03-01", "2026-03-01"]})
    >>> scored = score_leads(leads, at="2026-03-31")
    >>> scored["validity"].tolist(), scored["freshness"].tolist()
    ([100.0, 50.0], [50.0, 50.0])
    >>> "e-mail cannot be right" in scored["findings"][1]
    True
    """
    weights = weights or Weights()
    sheet = _Sheet(leads, moment_us(at))
    parts = {
        "completeness": _completeness(sheet, weights),
        "validity": _validity(sheet),
        "consistency": _consistency(sheet),
        "freshness": _freshness(sheet, weights),
    }
    total = sum(getattr(weights, part) for part in PARTS)
    score = sum(getattr(weights, part) * parts[part] for part in PARTS) / total
    table = pd.DataFrame({"score": score, **parts}, index=leads.index)
    table["findings"] = pd.Series(_sentences(sheet), index=leads.index, dtype=object)
    return table


def _sentences(sheet: _Sheet) -> list[tuple[str, ...]]:
    """Gather each lead's findings from the table of all."""
    words = np.array(list(sheet.found), dtype=object)
    if len(words) == 0:
        return [()] * len(sheet.frame)
    lead, which = np.nonzero(np.column_stack(list(sheet.found.values())))
    ends = np.searchsorted(lead, np.arange(1, len(sheet.frame)))
    return [tuple(part) for part in np.split(words[which], ends)] if len(sheet.frame) else []


def score_lead(lead: Lead, *, at: dt.datetime | str, weights: Weights | None = None) -> Quality:
    """Score one lead; who else has its e-mail or phone is not known here.

    Examples
    --------
    >>> quality = score_lead(Lead(id="ann", email="ann@mail.org"), at="2026-03-31")
    >>> quality.validity, quality.findings[:2]
    (100.0, ('no name', 'no phone'))
    """
    row = score_leads(pd.DataFrame([lead.model_dump()]), at=at, weights=weights).iloc[0]
    return Quality(
        score=float(row["score"]),
        completeness=float(row["completeness"]),
        validity=float(row["validity"]),
        consistency=float(row["consistency"]),
        freshness=float(row["freshness"]),
        findings=row["findings"],
    )
