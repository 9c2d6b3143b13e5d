"""Places from every format, walks and ways beside searches by hand."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadlab.errors import BadInput, BrokenFile, EmptyInput, UnknownName
from leadlab.models.matching.catalogue import Catalogue
from leadlab.models.matching.factors.table import score
from leadlab.models.matching.geometry import km_between
from leadlab.models.matching.match import match
from leadlab.models.matching.places import Places, places, read_places
from leadlab.models.matching.preferences import Preferences
from leadlab.models.matching.routes import Roads
from leadlab.models.matching.walkability import CATEGORIES, decay, walkability


def homes_at(points: list[tuple[float, float] | tuple[None, None]]) -> Catalogue:
    at = np.array(points, float)
    keys = [f"L{i}" for i in range(len(points))]
    return Catalogue.prepare(
        pd.DataFrame({"listing_key": keys, "latitude": at[:, 0], "longitude": at[:, 1]})
    )


def around(n: int = 60, seed: int = 0) -> Places:
    rng = np.random.default_rng(seed)
    kinds = [k for names, _ in CATEGORIES.values() for k in names] + ["school", "place_of_worship"]
    return Places(
        39.7 + 0.01 * rng.normal(size=n),
        -105 + 0.01 * rng.normal(size=n),
        np.array(rng.choice(kinds, n), dtype=object),
    )


def test_distances_from_the_sphere_are_those_of_haversine() -> None:
    rng = np.random.default_rng(0)
    points = list(zip(rng.uniform(-89, 89, 50), rng.uniform(-179, 179, 50), strict=True))
    homes = homes_at([*points, (39.70001, -105.0), (None, None)])
    km = homes.km_to(39.7, -105.0)
    at = zip(homes.number["latitude"][:51], homes.number["longitude"][:51], strict=True)
    hand = [km_between((float(a), float(b)), (39.7, -105.0)) for a, b in at]
    np.testing.assert_allclose(km[:51], hand, rtol=1e-4, atol=2e-3)
    assert np.isnan(km[51])


def test_walkability_is_what_a_search_by_hand_finds() -> None:
    homes, near = homes_at([(39.7, -105.0), (39.71, -105.01), (39.9, -105.0)]), around()
    by_hand = []
    for a, b in zip(homes.number["latitude"], homes.number["longitude"], strict=True):
        total = 0.0
        for kinds, weights in CATEGORIES.values():
            km = sorted(
                km_between((float(a), float(b)), (x, y))
                for x, y, k in zip(near.latitude, near.longitude, near.category, strict=True)
                if k in kinds
            )
            total += sum(w * decay(np.array([d]))[0] for w, d in zip(weights, km, strict=False))
        by_hand.append(total / sum(sum(w) for _, w in CATEGORIES.values()))
    np.testing.assert_allclose(walkability(homes, near), by_hand, atol=1e-6)
    assert by_hand[0] > 0.3 and by_hand[2] == 0


def test_one_place_more_never_makes_it_worse_and_schools_do_not_count() -> None:
    homes, near = homes_at([(39.7, -105.0)]), around()
    base = walkability(homes, near)[0]
    for kind, counts in (("supermarket", True), ("school", False), ("place_of_worship", False)):
        more = Places(
            np.append(near.latitude, 39.7), np.append(near.longitude, -105.0),
            np.append(near.category, kind),
        )  # fmt: skip
        assert walkability(homes, more)[0] >= base
        assert counts or walkability(homes, more)[0] == base
    assert walkability(homes, near, intersections_per_km2=np.array([0.0]))[0] == pytest.approx(
        0.95 * base
    )
    only = Places(np.array([39.7]), np.array([-105.0]), np.array(["school"], object))
    with pytest.raises(EmptyInput, match="school"):
        walkability(homes, only)
    with pytest.raises(BadInput):
        walkability(homes, near, intersections_per_km2=np.ones(3))


def test_the_same_places_from_every_format(tmp_path: Path) -> None:
    near = around(20)
    frame = pd.DataFrame(
        {"lat": near.latitude, "lon": near.longitude, "fclass": near.category.astype(str)}
    )
    names = {"latitude": "lat", "longitude": "lon", "category": "fclass"}
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    wkb = [
        struct.pack("<BI2d", 1, 1, x, y) for x, y in zip(frame["lon"], frame["lat"], strict=True)
    ]
    pd.DataFrame({"category": frame["fclass"], "geometry": wkb}).to_parquet(tmp_path / "g.parquet")
    features = [
        {"type": "Feature", "properties": {"name": "x", "shop": kind},
         "geometry": {"type": "Point", "coordinates": [x, y]}}
        for kind, x, y in zip(frame["fclass"], frame["lon"], frame["lat"], strict=True)
    ]  # fmt: skip
    (tmp_path / "a.geojson").write_text(json.dumps({"features": features}))
    found = [
        read_places(tmp_path / "a.csv", **names),
        read_places(tmp_path / "a.parquet", **names),
        read_places(tmp_path / "g.parquet"),
        read_places(tmp_path / "a.geojson"),
    ]
    for one in found:
        np.testing.assert_allclose(one.latitude, near.latitude)
        np.testing.assert_allclose(one.longitude, near.longitude)
        assert one.category.tolist() == near.category.tolist()


def test_areas_are_where_their_corners_are_and_what_has_no_place_is_counted(tmp_path: Path) -> None:
    square = [[[-105.1, 39.6], [-104.9, 39.6], [-104.9, 39.8], [-105.1, 39.8]]]
    features = [
        {"properties": {"leisure": "park"}, "geometry": {"type": "Polygon", "coordinates": square}},
        {"properties": {"leisure": "park"}, "geometry": None},
        {"properties": None, "geometry": {"type": "Point", "coordinates": [1, 2]}},
    ]
    (tmp_path / "a.geojson").write_text(json.dumps({"features": features}))
    found = read_places(tmp_path / "a.geojson")
    assert (found.latitude[0], found.longitude[0], found.left_out) == (
        pytest.approx(39.7), pytest.approx(-105.0), 2,
    )  # fmt: skip


def test_files_that_hold_no_places_are_refused(tmp_path: Path) -> None:
    for name, content in (("a.geojson", "{"), ("b.geojson", "{}"), ("c.parquet", "no")):
        (tmp_path / name).write_text(content)
        with pytest.raises(BrokenFile, match=name):
            read_places(tmp_path / name)
    with pytest.raises(BadInput, match="no file of places"):
        read_places(tmp_path / "none.csv")
    with pytest.raises(UnknownName, match="latitude"):
        places(pd.DataFrame({"lat": [1], "longitude": [1], "category": ["cafe"]}))


def grid(side: int = 5) -> Roads:
    """A grid of streets 0.01 degrees apart, 2 minutes each; the last row is driven one way."""
    nodes = pd.DataFrame(
        [(f"{i},{j}", 39.7 + 0.01 * i, -105 + 0.01 * j) for i in range(side) for j in range(side)],
        columns=["node", "latitude", "longitude"],
    )
    edges = [
        (f"{i},{j}", f"{i + a},{j + b}", 2.0, i == side - 1 and b == 1)
        for i in range(side)
        for j in range(side)
        for a, b in ((1, 0), (0, 1))
        if i + a < side and j + b < side
    ]
    return Roads.of(nodes, pd.DataFrame(edges, columns=["start", "end", "minutes", "oneway"]))


def test_minutes_along_a_grid_are_those_counted_by_hand() -> None:
    homes = homes_at([(39.7, -105.0), (39.73, -104.98), (39.74, -105.0), (41.0, -105.0),
                      (None, None)])  # fmt: skip
    found = grid().minutes_to(homes, (39.74, -104.96))
    np.testing.assert_allclose(found[:3], [16, 6, 8], atol=0.05)
    assert np.isnan(found[3:]).all()
    back = grid().minutes_to(homes, (39.74, -105.0))
    assert back[2] == pytest.approx(0, abs=0.05)
    to_the_corner = grid().minutes_to(homes_at([(39.74, -104.96)]), (39.74, -105.0))
    np.testing.assert_allclose(to_the_corner, [12], atol=0.05)


def test_a_routed_commute_takes_the_place_of_the_distance() -> None:
    homes, work = homes_at([(39.7, -105.0), (39.73, -104.98), (41.0, -105.0)]), (39.74, -104.96)
    wants = Preferences(work=work, commute_max_min=8)
    before = homes.powers
    routed = homes.with_number("commute_minutes", grid().minutes_to(homes, work))
    assert routed.powers is before
    assert score(routed, wants).values[0].tolist() == pytest.approx(
        [0, 1, np.nan], nan_ok=True, abs=0.02
    )
    told = {one.listing: one.reasons[0].text for one in match(routed, wants).homes}
    assert told["L0"] == "about 16 minutes to work by road, instead of at most 8"
    assert told["L2"] == "commute: unknown"
    assert "km/h" in match(homes, wants).homes[0].reasons[0].text


def test_crossings_are_counted_where_three_roads_meet() -> None:
    homes = homes_at([(39.72, -104.98), (None, None)])
    found = grid().intersections_per_km2(homes, radius_km=0.2)
    assert found[0] == pytest.approx(1 / (np.pi * 0.04)) and np.isnan(found[1])
    assert grid().intersections_per_km2(homes_at([(39.7, -105.0)]), radius_km=0.2)[0] == 0


def test_roads_that_lead_nowhere_are_refused() -> None:
    nodes = pd.DataFrame({"node": ["a", "b"], "latitude": [0, 0], "longitude": [0, 1]})
    for end, minutes in (("c", 1.0), ("b", 0.0), ("b", float("nan"))):
        edges = pd.DataFrame({"start": ["a"], "end": [end], "minutes": [minutes]})
        with pytest.raises(BadInput, match="row 0"):
            Roads.of(nodes, edges)
    with pytest.raises(UnknownName, match="minutes"):
        Roads.of(nodes, pd.DataFrame({"start": ["a"], "end": ["b"]}))
