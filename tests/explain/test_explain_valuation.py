"""Reasons of valuations add up to the estimate, and find what was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadlab.explain.valuation import PriceExplainer
from leadlab.models.valuation.made_up import made_up_sales
from leadlab.models.valuation.model import ValuationModel

AT = "2026-01-15"
SALES = made_up_sales(1000, seed=1)


@pytest.fixture(scope="module")
def explainer() -> PriceExplainer:
    return PriceExplainer(ValuationModel(rounds=40).fit(SALES))


def test_contributions_add_up(explainer):
    found = explainer.explain(SALES.tail(50), AT)
    total = np.exp(found.base + found.contributions.sum(axis=1))
    np.testing.assert_allclose(total, found.frame["estimate"], rtol=1e-4)
    assert found.names[-1] == "market level"
    assert "place" in found.names
    assert not {"latitude", "postal_code"} & set(found.names)


def test_reasons_find_what_decides(explainer):
    homes = SALES.tail(1).assign(living_area=4000.0, quality_score=3)
    told = explainer.explain(homes, AT).reasons(0)
    assert told[0].family == "living_area"
    assert told[0].effect > 0.3
    assert told[0].text.startswith("4,000 square feet of living area: +")
    assert [abs(r.effect) for r in told] == sorted((abs(r.effect) for r in told), reverse=True)


def test_a_home_without_estimate_has_no_reasons(explainer):
    homes = pd.DataFrame({"living_area": [0.0, 1500.0]})
    found = explainer.explain(homes, AT)
    assert found.reasons(0) == []
    assert any("unknown" in r.text for r in found.reasons(1, top=20))
