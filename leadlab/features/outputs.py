"""From a state row to feature values."""

from __future__ import annotations

from typing import Any

import numpy as np

from leadlab.features import opcodes as op
from leadlab.features.arrays import NEVER, NONE
from leadlab.features.clock import US_PER_DAY, US_PER_HOUR, US_PER_YEAR
from leadlab.jit import kernel


@kernel(forceinline=True, _nrt=False)
def _local(plan: Any, t: Any) -> Any:
    """Local time in microseconds."""
    zone = np.searchsorted(plan.zone_starts_us, t, side="right") - 1
    return t + plan.zone_offsets_us[max(zone, 0)]


@kernel(forceinline=True, _nrt=False)
def _write_plain(
    plan: Any, tape: Any, t: Any, ints: Any, longs: Any, floats: Any, row: Any
) -> None:
    """Nodes that read one cell, one loop an op so that each is free of branches."""
    nodes = plan.nodes
    r = plan.ranges
    for j in range(r[op.COUNT], r[op.COUNT + 1]):
        row[j] = ints[nodes[j, 1]]
    for j in range(r[op.TOTAL], r[op.TOTAL + 1]):
        row[j] = floats[nodes[j, 1]] + floats[nodes[j, 1] + 1]
    for j in range(r[op.MEAN], r[op.MEAN + 1]):
        n = ints[nodes[j, 2]]
        total = floats[nodes[j, 1]] + floats[nodes[j, 1] + 1]
        row[j] = total / n if n > 0 else np.nan
    for j in range(r[op.NUMBER], r[op.NUMBER + 1]):
        row[j] = floats[nodes[j, 1]]
    for j in range(r[op.SINCE], r[op.SINCE + 1]):
        since = longs[nodes[j, 1]]
        unit = plan.constants[nodes[j, 3]]
        row[j] = (t - since) / unit if since != NEVER else np.nan
    for j in range(r[op.EXTREME], r[op.EXTREME + 1]):
        e = ints[nodes[j, 1]]
        row[j] = tape.numbers[e, nodes[j, 2]] if e != NONE else np.nan
    for j in range(r[op.CODE_IS], r[op.CODE_IS + 1]):
        row[j] = 1.0 if ints[nodes[j, 1]] == nodes[j, 2] else 0.0
    for j in range(r[op.DECAYED], r[op.DECAYED + 1]):
        since = longs[nodes[j, 2]]
        fade = 2.0 ** ((since - t) * plan.constants[nodes[j, 3]]) if since != NEVER else 0.0
        row[j] = floats[nodes[j, 1]] * fade
    for j in range(r[op.HOUR], r[op.HOUR + 1]):
        row[j] = (_local(plan, t) % US_PER_DAY) / US_PER_HOUR
    for j in range(r[op.WEEKDAY], r[op.WEEKDAY + 1]):
        row[j] = (_local(plan, t) // US_PER_DAY + 3) % 7
    for j in range(r[op.SEASON], r[op.SEASON + 1]):
        row[j] = (_local(plan, t) % US_PER_YEAR) / US_PER_DAY


@kernel(forceinline=True, _nrt=False)
def write(
    plan: Any, tape: Any, t: Any, ints: Any, longs: Any, floats: Any, row: Any, out: Any
) -> None:
    """Write the outputs of a state row that stands at time `t`."""
    _write_plain(plan, tape, t, ints, longs, floats, row)
    for j in range(plan.ranges[op.FIRST_OF_PARTS], len(plan.nodes)):
        code, extra = plan.nodes[j, 0], plan.nodes[j, 3]
        a, b = row[plan.nodes[j, 1]], row[plan.nodes[j, 2]]
        if code == op.RATIO:
            row[j] = a / b if b != 0.0 else np.nan
        elif code == op.DIFFERENCE:
            row[j] = a - b
        elif code == op.TREND:
            row[j] = 2.0 * a - b
        else:
            row[j] = a / min(max(b, 1.0), plan.constants[extra])
    for j in range(len(plan.outputs)):
        out[j] = row[plan.outputs[j]]
