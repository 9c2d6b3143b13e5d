"""The part of scoring that goes event by event: what moved, and where each lead now stands."""

from __future__ import annotations

from typing import Any

import numpy as np

from leadlab.jit import kernel


@kernel(forceinline=True, _nrt=False)
def _strongest(effects: Any, which: Any, size: Any) -> None:
    """The largest of `effects` by size, -1 and 0 where there are fewer."""
    for i in range(len(which)):
        which[i], size[i] = -1, 0.0
    for f in range(len(effects)):
        x = effects[f]
        if abs(x) < 1e-9:
            continue
        at = len(which)
        while at > 0 and (which[at - 1] < 0 or abs(x) > abs(size[at - 1])):
            at -= 1
        if at == len(which):
            continue
        for i in range(len(which) - 1, at, -1):
            which[i], size[i] = which[i - 1], size[i - 1]
        which[at], size[at] = f, x


@kernel()
def settle(
    contributions: Any, family: Any, rows: Any, book: Any, effects: Any, seen: Any,
    reason: Any, effect: Any, mover: Any, moved: Any, kind: Any, agent: Any, ending: Any,
) -> None:  # fmt: skip
    """Enter results into the book in order, and say what each owes to the one before.

    Parameters
    ----------
    contributions : float array, shape (n, n_features)
    family : int array, shape (n_features,)
        Family of each feature.
    rows : structured array of `OUTCOME`, shape (n,)
        `previous` and `tier_before` are filled in.
    book : structured array of `LEAD`
        By place; changed.
    effects, seen : float32 array, shape (places, n_families); bool array, shape (places,)
        Families' effects at each lead's last result; changed.
    reason, effect, mover, moved : arrays, shape (n, TOP)
        Filled in.
    kind, agent : int32 array, shape (n,)
        Codes of the engine; -1 for no agent.
    ending : bool array
        By code of kind: the event ends the lead.
    """
    now = np.zeros(effects.shape[1], np.float32)
    gone = np.zeros(effects.shape[1], np.float32)
    for k in range(len(rows)):
        now[:] = 0.0
        for j in range(len(family)):
            now[family[j]] += contributions[k, j]
        s = rows["place"][k]
        _strongest(now, reason[k], effect[k])
        known = seen[s]
        for f in range(len(now)):
            gone[f] = now[f] - effects[s, f] if known else 0.0
            effects[s, f] = now[f]
        _strongest(gone, mover[k], moved[k])
        one = book[s]
        rows["previous"][k] = one["probability"] if known else np.nan
        rows["tier_before"][k] = one["tier"] if known else -1
        seen[s] = True
        one["previous"] = rows["previous"][k]
        one["previous_us"] = one["as_of_us"]
        one["probability"] = rows["probability"][k]
        one["low"] = rows["low"][k]
        one["high"] = rows["high"][k]
        one["churn"] = rows["churn"][k]
        one["tier"] = rows["tier"][k]
        one["model"] = rows["model"][k]
        one["fallback"] = rows["fallback"][k]
        one["as_of_us"] = rows["as_of_us"][k]
        one["arrived_us"] = rows["arrived_us"][k]
        one["offset"] = rows["offset"][k]
        one["events"] += 1
        if rows["at_us"][k] >= one["event_us"]:
            one["event_us"] = rows["at_us"][k]
            one["kind"] = kind[k]
        if agent[k] >= 0:
            one["agent"] = agent[k]
        rows["agent"][k] = one["agent"] + 1
        if ending[kind[k]]:
            one["ended"] = kind[k]
        one["now"] = one["probability"]
        one["now_churn"] = one["churn"]
        one["now_us"] = one["as_of_us"]
