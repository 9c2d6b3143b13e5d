"""The page of metrics as Prometheus' own parser reads it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from leadlab.errors import BadInput
from leadlab.stream.latency import Latency, Stages
from leadlab.stream.metrics import Metrics

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029\r"), max_size=20)
NASTY = 'a"b\\n\nc\\"d}{,= #'


def read(metrics: Metrics) -> dict[tuple[str, tuple], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.text())
        for sample in family.samples
    }


@given(st.dictionaries(st.sampled_from(["a", "b_2", "Stage"]), TEXT | st.just(NASTY)),
       TEXT | st.just(NASTY), st.floats())  # fmt: skip
def test_any_label_value_and_number_comes_back_as_it_was(labels, about, value) -> None:
    metrics = Metrics()
    metrics.gauge("g", about, value, **labels)
    ((name, found), back), *rest = read(metrics).items()
    assert (name, found, rest) == ("g", tuple(sorted(labels.items())), [])
    assert back == value or (math.isnan(back) and math.isnan(value))


def test_the_help_and_kind_are_read_back() -> None:
    metrics = Metrics()
    metrics.count("x_total", NASTY)
    (family,) = text_string_to_metric_families(metrics.text())
    assert (family.documentation, family.type) == (NASTY, "counter")


def test_a_histogram_is_cumulative_and_ends_at_its_count() -> None:
    metrics, latency = Metrics(), Latency()
    metrics.histogram("h_seconds", "How long.", latency, stage='s"1')
    latency.record([0.0001, 0.01, 7200.0])
    found = read(metrics)
    buckets = [(float(dict(k[1])["le"]), v) for k, v in found.items() if k[0] == "h_seconds_bucket"]
    assert buckets == sorted(buckets)
    assert [v for _, v in buckets] == sorted(v for _, v in buckets)
    assert buckets[-1] == (math.inf, 3) and dict(buckets)[0.016384] == 2
    key = (("stage", 's"1'),)
    assert found["h_seconds_count", key] == 3
    assert found["h_seconds_sum", key] == pytest.approx(7200.0101)


def test_every_stage_is_on_the_page() -> None:
    metrics, stages = Metrics(), Stages()
    metrics.stages(stages)
    stages.histograms["total"].record([0.5])
    found = read(metrics)
    assert found["leadlab_stage_seconds_count", (("stage", "total"),)] == 1
    assert sum(name == "leadlab_stage_seconds_count" for name, _ in found) == len(stages.histograms)


def test_tenants_are_bounded_and_counters_lose_nothing() -> None:
    metrics = Metrics(tenants=3)
    for k in range(50):
        metrics.count("c_total", "C.", k, tenant=f"t{k}")
        metrics.gauge("g", "G.", k, tenant=f"t{k}")
        metrics.histogram("h", "H.", Latency(), tenant=f"t{k}")
    metrics.count("c_total", "C.", 1000, tenant="t1")
    found = read(metrics)
    counted = {dict(k)["tenant"]: v for (name, k), v in found.items() if name == "c_total"}
    assert counted == {"t0": 0, "t1": 1001, "t2": 2, "other": sum(range(3, 50))}
    for name in ("g", "h_count"):
        assert {dict(k)["tenant"] for n, k in found if n == name} == {"t0", "t1", "t2"}


def test_a_tenant_that_is_called_other_is_not_told_apart() -> None:
    metrics = Metrics(tenants=1)
    metrics.gauge("g", "G.", 1, tenant="other")
    metrics.gauge("g", "G.", 2, tenant="north")
    assert read(metrics) == {("g", (("tenant", "north"),)): 2}


@pytest.mark.parametrize("wrong", ["9x", "a-b", "", "a b", "a{", "é"])
def test_unusable_names_are_refused(wrong: str) -> None:
    metrics = Metrics()
    with pytest.raises(BadInput):
        metrics.gauge(wrong, "", 1)
    with pytest.raises(BadInput):
        metrics.gauge("g", "", 1, **{wrong: "x"})
    with pytest.raises(BadInput):
        metrics.gauge("g", "", 1, **{"__reserved": "x"})


def test_what_would_make_the_page_a_lie_is_refused() -> None:
    metrics = Metrics()
    metrics.count("c_total", "C.")
    for wrong in (
        lambda: metrics.gauge("c_total", "C.", 1),
        lambda: metrics.count("c_total", "C.", -1),
        lambda: metrics.count("c_total", "C.", float("nan")),
        lambda: metrics.histogram("h", "H.", Latency(), le="1"),
    ):
        with pytest.raises(BadInput):
            wrong()
    assert read(metrics) == {("c_total", ()): 1}
