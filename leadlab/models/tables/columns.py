"""Columns of a lead table into numbers: what is a number, a category, a date, and what is new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from leadlab.errors import BadInput, EmptyInput

NUMBER, CATEGORY, DATE, EMPTY = "number", "category", "date", "empty"
MISSING = "(missing)"
RARE = "(rare)"
_ISO_DATE = r"\d{4}-\d{2}-\d{2}(?:[ T].*)?"
_DATE_PARTS = ("days", "month", "weekday", "hour")


def table_frame(X: Any) -> pd.DataFrame:
    """The table itself, if it is a DataFrame with rows and columns of distinct names.

    Raises
    ------
    EmptyInput
        If there is no row or no column.
    BadInput
        If it is no DataFrame, or two columns bear one name.

    Examples
    --------
    >>> table_frame(pd.DataFrame({"a": [1]})).shape
    (1, 1)
    """
    if not isinstance(X, pd.DataFrame):
        raise BadInput("a table of leads is a DataFrame", where="X", got=type(X).__name__)
    if not len(X) or not len(X.columns):
        raise EmptyInput("a table without rows or columns", where="X", got=X.shape)
    twice = X.columns[X.columns.duplicated()]
    if len(twice):
        raise BadInput("two columns of one name", where="X", got=str(twice[0]))
    return X


def kind_of(column: pd.Series[Any]) -> str:
    """What a column holds: "number", "category", "date", or "empty" where nothing is known.

    Texts are categories, except where all are ISO dates; yes/no is a number.

    Examples
    --------
    >>> kind_of(pd.Series(["2026-01-31", None])), kind_of(pd.Series(["a"])), kind_of(pd.Series([1]))
    ('date', 'category', 'number')
    """
    known = column.dropna()
    if not len(known):
        return EMPTY
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return DATE
    if pd.api.types.is_numeric_dtype(column.dtype) and not isinstance(
        column.dtype, pd.CategoricalDtype
    ):
        return NUMBER
    if known.map(type).isin([bool, np.bool_]).all():
        return NUMBER
    texts = known.astype(str)
    if texts.str.fullmatch(_ISO_DATE).all():
        times = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
        if times.notna().all():
            return DATE
    return CATEGORY


@dataclass
class ColumnWork:
    """The column work of one table, by scikit-learn.

    Numbers stay as they are, NaN where unknown; with `complete` they are imputed by the median
    beside a yes/no column "was unknown", and scaled. Categories become one yes/no column a level;
    levels of fewer than `rare` training rows, and beyond the `most` commonest, share one column;
    missing is a level. A level that training never saw counts as a rare one, or as none where no
    level was rare, and `unseen` tells. Dates become days since the first one in training, month,
    weekday and, where it varies, hour (UTC). A column that is all missing in training is set
    aside.

    Attributes
    ----------
    rare, most : int
    complete : bool
        For learners that take no NaN.
    kinds : dict of str to str
        Of each column, in order.
    first_day : dict of str to float
        First training date of each date column, in days since 1970.
    parts : dict of str to list of str
        Parts in use of each date column.
    transformer : ColumnTransformer

    Examples
    --------
    >>> train = pd.DataFrame({"source": ["web", "web", "ad", None], "visits": [1, 2, None, 4]})
    >>> work = ColumnWork(rare=1).fit(train)
    >>> work.names
    ['visits', 'source: (missing)', 'source: ad', 'source: web']
    >>> new = pd.DataFrame({"source": ["radio"], "visits": [2]})
    >>> work.encode(new).tolist(), work.unseen(new)
    ([[2.0, 0.0, 0.0, 0.0]], {'source': {'radio': 1}})
    """

    rare: int = 20
    most: int = 50
    complete: bool = False
    kinds: dict[str, str] = field(default_factory=dict)
    first_day: dict[str, float] = field(default_factory=dict)
    parts: dict[str, list[str]] = field(default_factory=dict)
    transformer: ColumnTransformer | None = None

    def fit(self, X: pd.DataFrame) -> Self:
        """Learn kinds, levels and scales.

        Raises
        ------
        EmptyInput, BadInput
            If it is no table, a number is infinite, or every column is all missing.
        """
        frame = table_frame(X)
        self.kinds = {str(name): kind_of(frame[name]) for name in frame.columns}
        if set(self.kinds.values()) == {EMPTY}:
            raise BadInput("every column is all missing", where="X", got=", ".join(self.kinds))
        for name in self._of(DATE):
            days, hours = _days(frame[name]), _parts(frame[name])["hour"]
            self.first_day[name] = float(days.min())
            self.parts[name] = [p for p in _DATE_PARTS if p != "hour" or hours.nunique() > 1]
        tidy = self._tidy(frame)
        numbers = [name for name in tidy.columns if name not in self._of(CATEGORY)]
        self.transformer = ColumnTransformer(
            [
                ("number", _number_work(self.complete), numbers),
                ("category", _category_work(self.rare, self.most), self._of(CATEGORY)),
            ]
        )
        self.transformer.fit(tidy)
        return self

    def encode(self, X: pd.DataFrame) -> NDArray[np.float32]:
        """Numbers for the learner, shape (n, len(names)).

        Raises
        ------
        BadInput
            If a column is missing, unknown, of another type, or holds an infinite number; all such
            columns are named.
        """
        assert self.transformer is not None
        frame = self._same_columns(X)
        return np.asarray(self.transformer.transform(self._tidy(frame)), np.float32)

    @property
    def names(self) -> list[str]:
        """Names of what `encode` gives."""
        return [name for name, _ in self._outputs()]

    @property
    def sources(self) -> list[str]:
        """Table column that each of `names` comes from."""
        return [source for _, source in self._outputs()]

    def unseen(self, X: pd.DataFrame) -> dict[str, dict[str, int]]:
        """Rows of each level that training never saw, by column; "(missing)" may be one."""
        frame = self._same_columns(X)
        found = {}
        for name, known in self._levels().items():
            texts = _texts(frame[name])
            new = texts[~texts.isin(known)].value_counts()
            if len(new):
                found[name] = {str(level): int(n) for level, n in new.items()}
        for name in self._of(EMPTY):
            if frame[name].notna().any():
                found[name] = {"(any value)": int(frame[name].notna().sum())}
        return found

    def rare_levels(self) -> dict[str, list[str]]:
        """Levels of each category that share one column."""
        encoder = self._encoder()
        if encoder is None:
            return {}
        shared = zip(self._of(CATEGORY), encoder.infrequent_categories_, strict=True)
        return {name: list(map(str, found)) for name, found in shared if found is not None}

    def to_json(self) -> dict[str, Any]:
        """Everything but the transformer, in plain values."""
        kept = ("rare", "most", "complete", "kinds", "first_day", "parts")
        return {name: getattr(self, name) for name in kept}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], transformer: ColumnTransformer) -> Self:
        """The same column work again."""
        return cls(**content, transformer=transformer)

    def _of(self, kind: str) -> list[str]:
        return [name for name, found in self.kinds.items() if found == kind]

    def _encoder(self) -> OneHotEncoder | None:
        assert self.transformer is not None
        return self.transformer.named_transformers_["category"] if self._of(CATEGORY) else None

    def _levels(self) -> dict[str, list[str]]:
        encoder = self._encoder()
        if encoder is None:
            return {}
        return dict(zip(self._of(CATEGORY), map(list, encoder.categories_), strict=True))

    def _outputs(self) -> list[tuple[str, str]]:
        numbers = [(name, name) for name in self._of(NUMBER)]
        for name in self._of(DATE):
            numbers += [(f"{name}: {part}", name) for part in self.parts[name]]
        found = list(numbers)
        if self.complete and numbers:
            assert self.transformer is not None
            imputer = self.transformer.named_transformers_["number"][0]
            found += [
                (f"{numbers[i][0]}: {MISSING}", numbers[i][1]) for i in imputer.indicator_.features_
            ]
        rare = self.rare_levels()
        for name, levels in self._levels().items():
            shared = set(rare.get(name, ()))
            kept = [level for level in levels if level not in shared]
            found += [(f"{name}: {level}", name) for level in [*kept, *[RARE][: len(shared)]]]
        return found

    def _tidy(self, frame: pd.DataFrame) -> pd.DataFrame:
        """One type a column: float64 or text."""
        columns: dict[str, Any] = {n: _numbers(frame[n], n) for n in self._of(NUMBER)}
        for name in self._of(DATE):
            parts = {"days": _days(frame[name]) - self.first_day[name]}
            parts |= _parts(frame[name])
            columns |= {f"{name}: {part}": parts[part] for part in self.parts[name]}
        columns |= {name: _texts(frame[name]) for name in self._of(CATEGORY)}
        return pd.DataFrame(columns, index=frame.index)

    def _same_columns(self, X: pd.DataFrame) -> pd.DataFrame:
        frame = table_frame(X)
        here = set(map(str, frame.columns))
        missing, extra = [n for n in self.kinds if n not in here], here - set(self.kinds)
        if missing:
            raise BadInput("columns are missing", where="X", got=f"no {', '.join(missing)}")
        if extra:
            raise BadInput(
                "columns that the model does not know", where="X", got=", ".join(sorted(extra))
            )
        wrong = []
        for name, kind in self.kinds.items():
            found = kind_of(frame[name])
            if EMPTY not in (kind, found) and found != kind:
                wrong.append(f"{name} is a {found} instead of a {kind}")
        if wrong:
            raise BadInput("columns of another type than at training", where="X", got=str(wrong))
        return frame


def _number_work(complete: bool) -> Any:
    if not complete:
        return "passthrough"
    return make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())


def _category_work(rare: int, most: int) -> OneHotEncoder:
    return OneHotEncoder(
        min_frequency=rare,
        max_categories=most,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
        dtype=np.float32,
    )


def _numbers(column: pd.Series[Any], name: str) -> pd.Series[float]:
    values = pd.to_numeric(column, errors="coerce").astype("float64")
    if np.isinf(values).any():
        raise BadInput("an infinite number", where=f"column {name!r}", hint="Use NaN for unknown.")
    return values


def _texts(column: pd.Series[Any]) -> pd.Series[str]:
    return column.astype(object).where(column.notna(), MISSING).map(str).astype(object)


def _times(column: pd.Series[Any]) -> pd.Series[pd.Timestamp]:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pd.to_datetime(column, utc=True)
    texts = column.astype(object).where(column.notna(), None)
    return pd.to_datetime(texts, format="ISO8601", utc=True)


def _days(column: pd.Series[Any]) -> pd.Series[float]:
    since = _times(column) - pd.Timestamp(0, tz="UTC")
    return since.dt.total_seconds() / 86_400


def _parts(column: pd.Series[Any]) -> dict[str, pd.Series[float]]:
    times = _times(column).dt
    return {
        "month": times.month.astype("float64"),
        "weekday": times.day_of_week.astype("float64"),
        "hour": times.hour.astype("float64"),
    }
