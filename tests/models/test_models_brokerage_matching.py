"""The matching protocol on a small brokerage: without hindsight, and above its baselines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leadlab.data.brokerage import Brokerage, simulate
from leadlab.errors import BadInput
from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.pairs import Buyer
from leadlab.models.matching.population import Popularity
from leadlab.models.matching.ranker import Ranker
from leadlab.models.matching.signals import deeds
from leadlab.models.matching.stated import stated_preferences
from leadlab.models.matching.taste import Taste
from leadlab.models.protocols.brokerage_matching import evaluate_brokerage_matching


@pytest.fixture(scope="module")
def made() -> Brokerage:
    return simulate(600, 300, seed=5)


def test_it_beats_popularity_and_the_form_and_learns(made: Brokerage) -> None:
    steps: list[str] = []
    found = evaluate_brokerage_matching(made, tell=steps.append)
    ours, names = found.metrics, found.baselines_by_name
    assert set(names) == {"popularity", "content", "content, popularity", "random"}
    for name in names:
        assert ours["ndcg10_hidden"] > names[name]["ndcg10_hidden"], name
    assert ours["hidden_over_popularity"] > 1.5 and ours["hidden_above_content"] > 0
    learned = [ours[f"ndcg10_hidden_after_{k}"] for k in (0, 10, 30)]
    assert learned[0] < learned[1] and learned[0] < learned[2]
    assert len(steps) == 7 and found.counts["test_leads"] > 50
    assert all(0 <= v <= 1 for k, v in ours.items() if k.startswith("ndcg10"))


def test_a_ranking_knows_nothing_of_what_came_later(made: Brokerage) -> None:
    """The log cut off at the moment of asking gives the very same order."""
    homes, wants = Catalogue.prepare(made.listings), stated_preferences(made.stated)
    done = deeds(made.log, homes)
    split_us = int(np.median(done.at_us))
    lead = next(r for r in done.by_lead() if len(r) > 20 and done.at_us[r[10]] > split_us)
    asked_us, name = int(done.at_us[lead[10]]), str(done.leads[done.lead[lead[0]]])

    def order(source: Brokerage) -> np.ndarray:
        known = deeds(source.log, homes)
        past = known.take(known.at_us < split_us)
        popularity = Popularity.of(known.take(known.at_us < asked_us), homes)
        ranker = Ranker(most=200, rounds=5).fit(past, homes, wants, popularity=popularity)
        own = known.take((known.leads[known.lead] == name) & (known.at_us < asked_us))
        return ranker.rank(Buyer(wants[name], Taste.of(own.home, own.weight), asked_us), homes)

    cut = replace(made, log=made.log.between(made.settings.start_us, asked_us))
    np.testing.assert_array_equal(order(made), order(cut))
    whole = Popularity.of(done, homes).as_of(asked_us)
    before = Popularity.of(done.take(done.at_us < asked_us), homes).as_of(asked_us)
    np.testing.assert_array_equal(whole, before)


def test_too_small_a_log_is_refused() -> None:
    with pytest.raises(BadInput):
        evaluate_brokerage_matching(simulate(30, 20, seed=1))
