"""Commutes along roads: shortest times over a table of road segments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput, UnknownName
from leadlab.models.matching.catalogue import EARTH_KM, Catalogue

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
ACCESS_KMH = 5.0
"""From a home to the nearest node, on foot."""
FARTHEST_KM = 2.0
"""From a home, beyond which no node is its own."""


@dataclass(frozen=True, eq=False)
class Roads:
    """A network of roads.

    Attributes
    ----------
    latitude, longitude : float array, shape (n,)
        Of the nodes, degrees.
    start, end : int array, shape (m,)
        Nodes of each segment, driven from start to end.
    minutes : float array, shape (m,)
    """

    latitude: F64
    longitude: F64
    start: I64
    end: I64
    minutes: F64

    @classmethod
    def of(cls, nodes: pd.DataFrame, edges: pd.DataFrame) -> Roads:
        """Read a network from tables.

        Parameters
        ----------
        nodes : DataFrame
            ``node``, ``latitude``, ``longitude``.
        edges : DataFrame
            ``start``, ``end``, ``minutes``; and ``oneway``, where not all are driven both ways.

        Raises
        ------
        UnknownName
            A column is missing.
        BadInput
            A segment leads to no node, or takes no time or less.

        Examples
        --------
        >>> nodes = pd.DataFrame({"node": ["a", "b"], "latitude": [0, 0], "longitude": [0, 0.01]})
        >>> edges = pd.DataFrame({"start": ["a"], "end": ["b"], "minutes": [3.0]})
        >>> Roads.of(nodes, edges).minutes.tolist()
        [3.0, 3.0]
        """
        for table, columns, name in (
            (nodes, ("node", "latitude", "longitude"), "nodes"),
            (edges, ("start", "end", "minutes"), "edges"),
        ):
            for column in columns:
                if column not in table:
                    raise UnknownName("column", column, map(str, table.columns), where=name)
        index = pd.Index(nodes["node"])
        start = index.get_indexer(edges["start"]).astype(np.int64)
        end = index.get_indexer(edges["end"]).astype(np.int64)
        minutes = edges["minutes"].to_numpy(np.float64)
        wrong = (start < 0) | (end < 0) | ~(minutes > 0) | ~np.isfinite(minutes)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise BadInput("no such road", where=f"edges, row {row}",
                           got=edges.iloc[row].to_dict())  # fmt: skip
        both = ~edges["oneway"].to_numpy(bool) if "oneway" in edges else np.ones(len(edges), bool)
        return cls(
            nodes["latitude"].to_numpy(np.float64),
            nodes["longitude"].to_numpy(np.float64),
            np.concatenate([start, end[both]]),
            np.concatenate([end, start[both]]),
            np.concatenate([minutes, minutes[both]]),
        )

    def minutes_to(self, homes: Catalogue, work: tuple[float, float]) -> F64:
        """Minutes from each home to a place of work along the roads; NaN where there is no way.

        The way from a home to its nearest node, 2 km at most, is walked.

        Examples
        --------
        See `tests/models/test_models_matching_places.py`, beside a search by hand.
        """
        from scipy.sparse import csr_array  # noqa: PLC0415  (only a routed commute needs them)
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415

        target, off_km = self._nearest(np.array([work]))
        n = len(self.latitude)
        order = np.argsort(-self.minutes, kind="stable")
        quickest = pd.DataFrame(
            {"a": self.end[order], "b": self.start[order], "t": self.minutes[order]}
        ).drop_duplicates(["a", "b"], keep="last")
        graph = csr_array((quickest["t"], (quickest["a"], quickest["b"])), shape=(n, n))
        time = np.asarray(dijkstra(graph, indices=int(target[0])), np.float64)
        at = np.column_stack([homes.number["latitude"], homes.number["longitude"]])
        known = ~np.isnan(at).any(axis=1)
        found = np.full(len(homes), np.nan)
        if known.any():
            node, km = self._nearest(at[known].astype(np.float64))
            walked = (km + off_km[0]) * 60 / ACCESS_KMH
            found[known] = np.where(km <= FARTHEST_KM, time[node] + walked, np.nan)
        return np.where(np.isfinite(found), found, np.nan)

    def intersections_per_km2(self, homes: Catalogue, radius_km: float = 0.8) -> F64:
        """Nodes at which three roads or more meet, to the square kilometre around each home."""
        from sklearn.neighbors import BallTree  # noqa: PLC0415  (takes long to import)

        pairs = np.unique(np.sort(np.column_stack([self.start, self.end]), axis=1), axis=0)
        degree = np.bincount(pairs.ravel(), minlength=len(self.latitude))
        meets = degree >= 3
        at = np.column_stack([homes.number["latitude"], homes.number["longitude"]])
        known = ~np.isnan(at).any(axis=1)
        found = np.full(len(homes), np.nan)
        found[known] = 0.0
        if meets.any() and known.any():
            points = np.radians(np.column_stack([self.latitude, self.longitude])[meets])
            tree = BallTree(points, metric="haversine")
            asked = np.radians(at[known].astype(np.float64))
            counts = tree.query_radius(asked, radius_km / EARTH_KM, count_only=True)
            found[known] = counts / (np.pi * radius_km**2)
        return found

    def _nearest(self, points: F64) -> tuple[I64, F64]:
        """Nearest node of each point (latitude, longitude), and how far it is, km."""
        from sklearn.neighbors import BallTree  # noqa: PLC0415  (takes long to import)

        nodes = np.radians(np.column_stack([self.latitude, self.longitude]))
        distance, node = BallTree(nodes, metric="haversine").query(np.radians(points), k=1)
        return node[:, 0].astype(np.int64), distance[:, 0] * EARTH_KM
