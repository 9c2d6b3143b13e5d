"""What features give: one row a lead and moment, one column a feature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.features.feature_set import FeatureSet
from leadlab.schema.log import Coded


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Feature values as they were known at given moments.

    Attributes
    ----------
    values : float32 array, shape (n, len(features))
        NaN where unknown.
    features : FeatureSet
        The columns.
    tenant, lead : Coded, length n
        Whose row.
    as_of_us : int64 array, shape (n,)
        Moment of the row: everything up to and including it is in, nothing later.
    """

    values: NDArray[np.float32]
    features: FeatureSet
    tenant: Coded
    lead: Coded
    as_of_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.as_of_us)

    @property
    def names(self) -> list[str]:
        """Feature names in order."""
        return self.features.names

    def column(self, name: str) -> NDArray[np.float32]:
        """One feature of every row."""
        return self.values[:, self.names.index(self.features[name].name)]

    def take(self, rows: NDArray[np.generic]) -> FeatureTable:
        """Rows by position or mask."""
        return FeatureTable(
            self.values[rows],
            self.features,
            self.tenant.take(rows),
            self.lead.take(rows),
            self.as_of_us[rows],
        )

    def to_frame(self) -> pd.DataFrame:
        """Tenant, lead and as_of (UTC), then the features."""
        keys = pd.DataFrame(
            {
                "tenant": self.tenant.values(),
                "lead": self.lead.values(),
                "as_of": pd.to_datetime(self.as_of_us, unit="us", utc=True),
            }
        )
        values = pd.DataFrame(np.asarray(self.values), columns=self.names)
        return pd.concat([keys, values], axis=1)
