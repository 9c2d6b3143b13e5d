"""Compile declared features into the flat arrays that the kernel reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from leadlab.errors import BadInput
from leadlab.features import opcodes as op
from leadlab.features.arrays import NEVER, NONE, Plan
from leadlab.features.clock import zone_table
from leadlab.features.feature import Events, Feature, Number
from leadlab.features.quantity import bare, bare_number, quantity, selections, windows

EVER = -1
"""Window index of what never leaves."""
MOST_DISTINCTS = 256
MOST_CONDITIONS = 60
"""As many as the kernel's keys and bits can tell apart."""

_SELF = Events()
_ANY_ORDER = [op.LAST_AT, op.FIRST_AT, op.ADD_COUNT, op.ADD_SUM]


@dataclass(frozen=True, eq=False)
class Compiled:
    """A plan with the names its columns go by.

    Attributes
    ----------
    plan : Plan
        Flat arrays for the kernel.
    names : list of str
        Output columns.
    kinds : dict of str to int
        Kind codes of the plan; 0 is any other kind.
    conditions : list of (field, text)
        Field conditions, in the order of their bits.
    numbers, fields : list of str
        Number columns ("" for those the kernel derives) and text columns of a tape.
    categories : dict of (field, text) to int
        Codes of texts that features name.
    extremes, distincts : int
        How many queues of extremes, and how many distinct counts.
    queue_cells, distinct_fields : list of int
        State cell of each queue's back, and text column of each distinct count.
    any_order : bool
        Whether every cell is the same in any order of arrival, so that late events can be patched
        into a row where they would else have it made again.
    calendar : bool
        Whether any selection looks at weekends, nights or working hours.
    """

    plan: Plan
    names: list[str]
    kinds: dict[str, int]
    conditions: list[tuple[str, str]]
    numbers: list[str]
    fields: list[str]
    categories: dict[tuple[str, str], int]
    extremes: int
    distincts: int
    queue_cells: list[int]
    distinct_fields: list[int]
    any_order: bool
    calendar: bool


def compile_features(features: Iterable[Feature], tz: str) -> Compiled:
    """Compile features of one entity."""
    return _Compiler(tuple(features), tz).compile()


class _Compiler:
    """Hands out state cells, actions and nodes; each distinct quantity once."""

    def __init__(self, features: Sequence[Feature], tz: str) -> None:
        self.features, self.tz = features, tz
        chosen = [bare(e) for f in features for e in selections(f)]
        kinds = dict.fromkeys(k for e in chosen for k in e.kinds)
        self.kinds = {kind: code for code, kind in enumerate(kinds, start=1)}
        self.conditions = list(dict.fromkeys(c for e in chosen for c in e.where))
        self.windows = sorted({w for f in features for w in windows(f)})
        self.ints: list[int] = [NONE] * len(self.windows)
        self.longs: list[int] = [NEVER]
        self.floats: list[float] = []
        self.constants: list[float] = []
        self.numbers: list[str] = []
        self.fields: list[str] = []
        self.categories: dict[tuple[str, str], int] = {}
        self.queue_cells: list[int] = []
        self.distinct_fields: list[int] = []
        self.cells: dict[object, tuple[int, ...]] = {}
        self.actions: dict[tuple[int, int], list[tuple[int, int, int, int, int, int]]] = {}
        self.nodes: list[tuple[int, int, int, int]] = []
        self.node_of: dict[object, int] = {}

    def compile(self) -> Compiled:
        outputs = [self._node(feature) for feature in self.features]
        for what, found, most in (
            ("distinct counts", len(self.distinct_fields), MOST_DISTINCTS),
            ("conditions on data fields", len(self.conditions), MOST_CONDITIONS),
        ):
            if found > most:
                raise BadInput(f"too many {what} in one feature set", got=found, expected=most)
        order = sorted(range(len(self.nodes)), key=self._rank)
        place = np.empty(len(order), np.int32)
        place[order] = np.arange(len(order))
        nodes = np.array([self.nodes[j] for j in order], np.int32).reshape(-1, 4)
        of_parts = nodes[:, 0] >= op.FIRST_OF_PARTS
        nodes[of_parts, 1] = place[nodes[of_parts, 1]]
        nodes[of_parts, 2] = place[nodes[of_parts, 2]]
        ranges = np.searchsorted(np.minimum(nodes[:, 0], op.FIRST_OF_PARTS), np.arange(12))
        actions, masks, lists = self._flat_actions()
        starts, offsets = zone_table(self.tz)
        plan = Plan(
            windows_us=np.array(self.windows, np.int64) * 1_000_000,
            actions=actions,
            masks=masks,
            lists=lists,
            constants=np.array([*self.constants, 0.0]),
            nodes=nodes,
            ranges=ranges.astype(np.int32),
            outputs=place[outputs].astype(np.int32),
            zone_starts_us=starts,
            zone_offsets_us=offsets,
            first_ints=np.array([*self.ints, 0], np.int32),
            first_longs=np.array(self.longs, np.int64),
            first_floats=np.array([*self.floats, 0.0]),
        )
        return Compiled(
            plan,
            [f.name for f in self.features],
            self.kinds,
            self.conditions,
            self.numbers,
            self.fields,
            self.categories,
            len(self.queue_cells),
            len(self.distinct_fields),
            self.queue_cells,
            self.distinct_fields,
            bool(np.isin(actions[:, 0], _ANY_ORDER).all()),
            bool((masks & np.uint64(sum(op.CALENDAR.values()))).any()),
        )

    def _rank(self, j: int) -> tuple[int, int]:
        """Plain nodes by op, then those of parts in the order they were made."""
        return min(self.nodes[j][0], op.FIRST_OF_PARTS), j

    def _flat_actions(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        width = len(self.windows) + 1
        flat, lists = [], [0]
        for row in range((len(self.kinds) + 1) * width):
            flat += self.actions.get(divmod(row, width), [])
            lists.append(len(flat))
        table = np.array(flat, np.int64).reshape(-1, 6)
        masks = np.ascontiguousarray(table[:, 5]).astype(np.uint64)
        return table[:, :5].astype(np.int32), masks, np.array(lists, np.int32)

    # -- nodes ---------------------------------------------------------------------------------

    def _node(self, f: Feature) -> int:
        """Node of a feature, made once for equal quantities."""
        key = quantity(f)
        if key not in self.node_of:
            node = self._node_of_parts(f) if f.parts else self._plain_node(f)
            self.node_of[key] = len(self.nodes)
            self.nodes.append(node)
        return self.node_of[key]

    def _node_of_parts(self, f: Feature) -> tuple[int, int, int, int]:
        code = {
            "ratio": op.RATIO, "difference": op.DIFFERENCE, "trend": op.TREND, "rate": op.RATE
        }[f.op]  # fmt: skip
        one, other = (self._node(part) for part in f.parts)
        days = self._constant((f.window_s or 0) / 86400) if f.op == "rate" else 0
        return code, one, other, days

    def _plain_node(self, f: Feature) -> tuple[int, int, int, int]:
        chosen = bare(f.events) if f.events else _SELF
        match f.op:
            case "count":
                return op.COUNT, self._count(chosen, f.window_s), 0, 0
            case "distinct":
                return op.COUNT, self._distinct(chosen, f.window_s, f.attribute or ""), 0, 0
            case "recency" | "tenure":
                cell = self._time(chosen, op.LAST_AT if f.op == "recency" else op.FIRST_AT)
                return op.SINCE, cell, 0, self._constant(86_400e6)
            case "decay":
                cell, at, rate = self._decay(chosen, f.half_life_s or 1)
                return op.DECAYED, cell, at, rate
            case "is_latest":
                cell = self._last_code(f.attribute or "")
                return op.CODE_IS, cell, self._category(f.attribute or "", f.category or ""), 0
            case "latest_code":
                return op.COUNT, self._last_code(f.attribute or ""), 0, 0
            case "hour":
                return op.HOUR, 0, 0, 0
            case "weekday":
                return op.WEEKDAY, 0, 0, 0
            case "season":
                return op.SEASON, 0, 0, 0
        return self._number_node(f)

    def _number_node(self, f: Feature) -> tuple[int, int, int, int]:
        if f.number is None:
            raise AssertionError(f"{f.op} needs a number")  # the vocabulary gives it one
        column = self._column(f.number)
        chosen = bare(f.number.events)
        match f.op:
            case "total" | "mean":
                total, n = self._sum(chosen, column, f.window_s)
                return (op.TOTAL if f.op == "total" else op.MEAN), total, n, 0
            case "latest" | "first":
                code = op.LAST_NUMBER if f.op == "latest" else op.FIRST_NUMBER
                return op.NUMBER, self._float_cell(code, chosen, column, 0), 0, 0
            case "waiting":
                pending = self.cells[("pending", bare_number(f.number))][0]
                return op.SINCE, pending, 0, self._constant(3_600e6)
            case _:
                sign = 1 if f.op == "highest" else -1
                if f.window_s is None:
                    cell = self._float_cell(op.EVER_EXTREME, chosen, column, sign)
                    return op.NUMBER, cell, 0, 0
                return op.EXTREME, self._extreme(chosen, column, f.window_s, sign), column, 0

    # -- cells and the actions that keep them ----------------------------------------------------

    def _act(
        self,
        chosen: Events,
        window: int,
        code: int,
        a: int,
        b: int = 0,
        column: int = 0,
        extra: int = 0,
    ) -> None:
        """Have every event of a selection do something on entering a window (and on leaving it)."""
        w = len(self.windows) if window == EVER else window
        mask = op.CALENDAR.get(chosen.when or "", 0)
        for condition in chosen.where:
            mask |= 1 << (op.FIRST_CONDITION + self.conditions.index(condition))
        codes = [self.kinds[k] for k in chosen.kinds] or range(len(self.kinds) + 1)
        for kind in codes:
            self.actions.setdefault((kind, w), []).append((code, a, b, column, extra, mask))

    def _window(self, seconds: int | None) -> int:
        return EVER if seconds is None else self.windows.index(seconds)

    def _int(self, start: int = 0) -> int:
        self.ints.append(start)
        return len(self.ints) - 1

    def _constant(self, x: float) -> int:
        if x not in self.constants:
            self.constants.append(x)
        return self.constants.index(x)

    def _count(self, chosen: Events, seconds: int | None) -> int:
        key = ("count", chosen, seconds)
        if key not in self.cells:
            self.cells[key] = (self._int(),)
            self._act(chosen, self._window(seconds), op.ADD_COUNT, self.cells[key][0])
        return self.cells[key][0]

    def _sum(self, chosen: Events, column: int, seconds: int | None) -> tuple[int, int]:
        key = ("sum", chosen, column, seconds)
        if key not in self.cells:
            self.floats += [0.0, 0.0]
            self.cells[key] = (len(self.floats) - 2, self._int())
            total, n = self.cells[key]
            self._act(chosen, self._window(seconds), op.ADD_SUM, total, n, column)
        total, n = self.cells[key]
        return total, n

    def _time(self, chosen: Events, code: int) -> int:
        key = (code, chosen)
        if key not in self.cells:
            self.longs.append(NEVER)
            self.cells[key] = (len(self.longs) - 1,)
            self._act(chosen, EVER, code, self.cells[key][0])
        return self.cells[key][0]

    def _float_cell(self, code: int, chosen: Events, column: int, sign: int) -> int:
        key = (code, chosen, column, sign)
        if key not in self.cells:
            self.floats.append(float("nan"))
            self.cells[key] = (len(self.floats) - 1,)
            self._act(chosen, EVER, code, self.cells[key][0], 0, column, sign)
        return self.cells[key][0]

    def _decay(self, chosen: Events, half_life_s: int) -> tuple[int, int, int]:
        key = ("decay", chosen, half_life_s)
        if key not in self.cells:
            self.floats.append(0.0)
            self.longs.append(NEVER)
            rate = self._constant(1.0 / (half_life_s * 1e6))
            cell, at = len(self.floats) - 1, len(self.longs) - 1
            self._act(chosen, EVER, op.DECAY, cell, at, 0, rate)
            self.cells[key] = (cell, at, rate)
        cell, at, rate = self.cells[key]
        return cell, at, rate

    def _extreme(self, chosen: Events, column: int, seconds: int, sign: int) -> int:
        queue_key = ("queue", chosen, column, sign)
        if queue_key not in self.cells:
            self.cells[queue_key] = (len(self.queue_cells),)
            push = op.PUSH_HIGH if sign > 0 else op.PUSH_LOW
            back = self._int(NONE)
            self._act(chosen, EVER, push, back, 0, column, len(self.queue_cells))
            self.queue_cells.append(back)
        key = ("extreme", chosen, column, sign, seconds)
        if key not in self.cells:
            self.cells[key] = (self._int(NONE),)
            code = op.HIGH if sign > 0 else op.LOW
            queue = self.cells[queue_key][0]
            self._act(chosen, self._window(seconds), code, self.cells[key][0], 0, column, queue)
        return self.cells[key][0]

    def _distinct(self, chosen: Events, seconds: int | None, attribute: str) -> int:
        column = self._field(attribute)
        see_key = ("see", chosen, attribute)
        if see_key not in self.cells:
            self.cells[see_key] = (len(self.distinct_fields),)
            self._act(chosen, EVER, op.SEE, 0, 0, column, len(self.distinct_fields))
            self.distinct_fields.append(column)
        key = ("distinct", chosen, attribute, seconds)
        if key not in self.cells:
            self.cells[key] = (self._int(),)
            seen = self.cells[see_key][0]
            cell = self.cells[key][0]
            self._act(chosen, self._window(seconds), op.DISTINCT, cell, 0, column, seen)
        return self.cells[key][0]

    def _last_code(self, attribute: str) -> int:
        key = ("code", attribute)
        if key not in self.cells:
            self.cells[key] = (self._int(NONE),)
            self._act(_SELF, EVER, op.LAST_CODE, self.cells[key][0], 0, self._field(attribute))
        return self.cells[key][0]

    # -- columns of the tape ---------------------------------------------------------------------

    def _field(self, attribute: str) -> int:
        if attribute not in self.fields:
            self.fields.append(attribute)
        return self.fields.index(attribute)

    def _category(self, attribute: str, text: str) -> int:
        """Code of a text: named categories of a field come first in its codes."""
        known = sum(1 for field, _ in self.categories if field == attribute)
        return self.categories.setdefault((attribute, text), known)

    def _column(self, figure: Number) -> int:
        """Column of a number; derived ones get the actions that fill them, before any use."""
        key = ("column", bare_number(figure))
        if key in self.cells:
            return self.cells[key][0]
        if figure.source not in ("gap", "response"):
            if figure.source not in self.numbers:
                self.numbers.append(figure.source)
            return self.numbers.index(figure.source)
        self.numbers.append("")
        column = len(self.numbers) - 1
        self.cells[key] = (column,)
        self.longs.append(NEVER)
        cell = len(self.longs) - 1
        chosen = bare(figure.events)
        if figure.source == "gap":
            self._act(chosen, EVER, op.GAP, cell, 0, column)
            self._act(chosen, EVER, op.LAST_AT, cell)
        else:
            self.cells[("pending", bare_number(figure))] = (cell,)
            self._act(chosen, EVER, op.CLOSE, cell, 0, column)
            self._act(bare(figure.after or _SELF), EVER, op.OPEN, cell)
        return column
