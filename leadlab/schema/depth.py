"""How deeply a JSON text is nested, found before anything parses it."""

from __future__ import annotations

import re

import numpy as np

# Atomic: a text is passed over once, whatever it holds. A string that is not closed ends with its
# line, as no JSON string holds a bare line feed; so one bad line of NDJSON hides no other.
_STRING = re.compile(rb'"(?:[^"\\\n]++|\\[^\n])*+"?')
_OTHERS = bytes(sorted(set(range(256)) - set(b"[]{}")))


def too_deep(body: bytes, most: int) -> bool:
    """Tell whether `body` opens more than `most` brackets within one another.

    It takes time linear in the length and no recursion; `body` need not be valid. UTF-8 is assumed.

    Examples
    --------
    >>> too_deep(b'{"a": [1, 2]}', most=2), too_deep(b'{"a": [[1], 2]}', most=2)
    (False, True)
    >>> too_deep(b'["[[[[[[", 1]', most=1)
    False
    """
    brackets = _STRING.sub(b"", body).translate(None, _OTHERS)
    if len(brackets) <= most:
        return False
    code = np.frombuffer(brackets, np.uint8)
    opens = (code == ord("[")) | (code == ord("{"))
    depth = np.cumsum(np.where(opens, 1, -1))
    # A bracket closed too often counts as none: what follows it starts from the ground again.
    ground = np.minimum(np.minimum.accumulate(depth), 0)
    return bool((depth - ground).max() > most)
