"""Kernels that cut code points into words and hash their n-grams.

All that they share lies in this file, so that the compiled code's cache knows of every change.
Keys are 64-bit FNV-1a hashes over code points, begun differently for words, pairs of words and
parts of words; 0 marks an empty place of a table.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from leadlab.jit import kernel

SHORTEST, LONGEST = 2, 5
"""Code points in a part of a word, its edges counted."""
_PRIME = np.uint64(0x100000001B3)
_WORD, _PAIR, _PART = (
    np.uint64(0xCBF29CE484222325),
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0x84222325CBF29CE4),
)
_DENIED = np.uint64(0x9AE16A3B2F90404F)
_EDGE = np.uint64(32)
_SHIFT = np.uint64(29)
_ONE = np.uint64(1)
REACH = 4
"""Words that a negation reaches, unless a sign or "but" comes first."""
ROOM = 8
"""n-grams of a text are at most so many a code point, and so many more."""


def word_hash(word: str) -> int:
    """FNV-1a over the code points of a word, as the kernels begin it.

    Examples
    --------
    >>> hex(word_hash(""))
    '0xcbf29ce484222325'
    """
    h = int(_WORD)
    for sign in word:
        h = ((h ^ ord(sign)) * int(_PRIME)) & 0xFFFFFFFFFFFFFFFF
    return h


NEGATIONS = (
    "not", "no", "never", "nor", "neither", "without", "cannot", "nothing", "hardly", "barely",
    "lack", "lacks", "lacking", "less", "dont", "doesnt", "didnt", "isnt", "wasnt", "arent",
    "cant", "couldnt", "wont", "wouldnt",
)  # fmt: skip
"""Words that deny what follows; those that end in n't do too."""
_NEGATIONS = np.array([word_hash(word) for word in NEGATIONS], np.uint64)
_BUT = np.uint64(word_hash("but"))


@kernel(forceinline=True)
def _is_letter(c: Any) -> Any:
    """Whether a code point makes up words: letters, digits, marks; other signs stand alone."""
    if c < 128:
        return 48 <= c <= 57 or 97 <= c <= 122 or 65 <= c <= 90
    if c < 0xC0:
        return c in (0xAA, 0xB5, 0xBA)
    return not (
        c in (0xD7, 0xF7)
        or 0x2000 <= c <= 0x203E
        or 0x2041 <= c <= 0x206F
        or 0x20A0 <= c <= 0x20CF
        or 0x2190 <= c <= 0x2BFF
        or 0x3000 <= c <= 0x3004
        or 0x3008 <= c <= 0x3020
        or 0xD800 <= c <= 0xF8FF
        or 0xFE00 <= c <= 0xFE6F
        or 0xFFF0 <= c <= 0xFFFF
        or 0x1F000 <= c <= 0x1FAFF
        or c >= 0xE0000
    )


@kernel(forceinline=True)
def _is_space(c: Any) -> Any:
    """Whether a code point parts words and is none itself: blanks and control characters."""
    return (
        c <= 32
        or 127 <= c <= 160
        or 0x2000 <= c <= 0x200F
        or 0x2028 <= c <= 0x202F
        or 0x205F <= c <= 0x206F
        or c == 0x3000
        or 0xFE00 <= c <= 0xFE0F
        or c == 0xFEFF
    )


@kernel()
def tokens(codes: Any, start: Any, stop: Any, begins: Any, ends: Any) -> Any:
    """Cut ``codes[start:stop]``: write where each token begins and ends, return how many.

    A token is a run of letters (an apostrophe between two of them belongs to it) or one sign.
    """
    found, i = 0, start
    while i < stop:
        if _is_space(codes[i]):
            i += 1
            continue
        begins[found] = i
        if _is_letter(codes[i]):
            i += 1
            while i < stop and (
                _is_letter(codes[i])
                or (codes[i] == 39 and i + 1 < stop and _is_letter(codes[i + 1]))
            ):
                i += 1
        else:
            i += 1
        ends[found] = i
        found += 1
    return found


@kernel(forceinline=True)
def _step(h: Any, c: Any) -> Any:
    return (h ^ c) * _PRIME


@kernel(forceinline=True)
def _finished(h: Any, part: Any) -> Any:
    """Spread the bits; the lowest says whether it is a part of a word. Never 0."""
    h ^= h >> _SHIFT
    h *= _WORD
    h ^= h >> _SHIFT
    h = (h | _ONE) if part else (h & ~_ONE)
    return h if h != np.uint64(0) else np.uint64(2)


@kernel(forceinline=True)
def _denies(codes: Any, a: Any, b: Any, h: Any) -> Any:
    """Whether the word ``codes[a:b]`` of hash `h` denies what follows."""
    found = b - a >= 3 and codes[b - 3] == 110 and codes[b - 2] == 39 and codes[b - 1] == 116
    for known in _NEGATIONS:
        found = found or h == known
    return found


@kernel()
def grams(
    codes: Any,
    start: Any,
    stop: Any,
    negation: Any,
    begins: Any,
    ends: Any,
    keys: Any,
    owner: Any,
) -> Any:
    """Write the key of each n-gram of one text, return how many.

    ``owner`` gets the token: t for words and parts of them, -1 - t for the pair of t - 1 and t.
    Parts of a word are taken with a blank on either side, the word itself is its own key. With
    `negation`, a word that is denied has one key more.
    """
    many = tokens(codes, start, stop, begins, ends)
    found = 0
    before = np.uint64(0)
    reach = 0
    for t in range(many):
        a, b = begins[t], ends[t]
        h = _WORD
        for i in range(a, b):
            h = _step(h, np.uint64(codes[i]))
        keys[found], owner[found] = _finished(h, False), t
        found += 1
        if t:
            pair = _step(_step(_PAIR, before), h)
            keys[found], owner[found] = _finished(pair, False), -1 - t
            found += 1
        before = h
        if not _is_letter(codes[a]) or h == _BUT:
            reach = 0
        if not _is_letter(codes[a]):
            continue
        if negation:
            if reach > 0:
                keys[found], owner[found] = _finished(_step(_DENIED, h), False), t
                found += 1
                reach -= 1
            if _denies(codes, a, b, h):
                reach = REACH
        for i in range(a - 1, b):
            h = _PART
            for j in range(i, min(i + LONGEST, b + 1)):
                h = _step(h, _EDGE if j == a - 1 or j == b else np.uint64(codes[j]))
                if j - i + 1 >= SHORTEST:
                    keys[found], owner[found] = _finished(h, True), t
                    found += 1
    return found


@kernel()
def room(codes: Any, starts: Any) -> Any:
    """Most code points of a text, and most n-grams of all texts together."""
    longest = 0
    for r in range(len(starts) - 1):
        longest = max(longest, starts[r + 1] - starts[r])
    return longest, ROOM * len(codes) + ROOM * len(starts)


@kernel(forceinline=True)
def place(table: Any, key: Any) -> Any:
    """Position of `key` in a table of a power of two, or of the empty place where it belongs."""
    mask = np.uint64(len(table) - 1)
    at = (key >> _ONE) & mask
    while table[at] != key and table[at] != np.uint64(0):
        at = (at + np.uint64(1)) & mask
    return at


@kernel()
def count(
    codes: Any,
    starts: Any,
    longest: Any,
    negation: Any,
    row: Any,
    table: Any,
    often: Any,
    latest: Any,
    used: Any,
) -> Any:
    """Count, in a table of keys, the texts that hold each n-gram; `latest` is its latest row.

    Texts are numbered from `row` on. Returns how many texts were taken in before the table grew
    too full for the next.
    """
    begins, ends = np.empty(longest, np.int64), np.empty(longest, np.int64)
    keys, owner = (
        np.empty(ROOM * longest + ROOM, np.uint64),
        np.empty(ROOM * longest + ROOM, np.int64),
    )
    for r in range(len(starts) - 1):
        many = grams(codes, starts[r], starts[r + 1], negation, begins, ends, keys, owner)
        if 2 * (used[0] + many) > len(table):
            return r
        for k in range(many):
            at = place(table, keys[k])
            if table[at] == np.uint64(0):
                table[at] = keys[k]
                used[0] += 1
            if latest[at] != row + r:
                latest[at] = row + r
                often[at] += 1
    return len(starts) - 1


@kernel()
def move(table: Any, often: Any, latest: Any, larger: Any, more: Any, later: Any) -> None:
    """Copy a table of counts into a larger, empty one."""
    for old in range(len(table)):
        if table[old] != np.uint64(0):
            at = place(larger, table[old])
            larger[at], more[at], later[at] = table[old], often[old], latest[old]


@kernel()
def fill(keys: Any, table: Any, columns: Any) -> None:
    """Put keys into an empty table, each with its position as its column."""
    for column in range(len(keys)):
        at = place(table, keys[column])
        table[at] = keys[column]
        columns[at] = column


@kernel()
def owners(codes: Any, negation: Any, table: Any, columns: Any, begins: Any, ends: Any) -> Any:
    """Column (-1 where unknown) and owner of each n-gram of one text, and its number of tokens."""
    keys, owner = (
        np.empty(ROOM * len(codes) + ROOM, np.uint64),
        np.empty(ROOM * len(codes) + ROOM, np.int64),
    )
    many = grams(codes, 0, len(codes), negation, begins, ends, keys, owner)
    found = np.empty(many, np.int64)
    for k in range(many):
        at = place(table, keys[k])
        found[k] = columns[at] if table[at] == keys[k] else -1
    last = 0
    for k in range(many):
        last = max(last, owner[k] + 1)
    return found, owner[:many], last


@kernel()
def weigh(
    codes: Any,
    starts: Any,
    longest: Any,
    negation: Any,
    table: Any,
    columns: Any,
    weights: Any,
    indptr: Any,
    indices: Any,
    data: Any,
) -> None:
    """Write rows of ``(1 + log count) weight``, each of length 1, columns in order of appearance.

    n-grams that the table does not know are left out.
    """
    begins, ends = np.empty(longest, np.int64), np.empty(longest, np.int64)
    keys, owner = (
        np.empty(ROOM * longest + ROOM, np.uint64),
        np.empty(ROOM * longest + ROOM, np.int64),
    )
    size = 16
    while size < 2 * len(keys):
        size *= 2
    spot = np.empty(size, np.int32)
    found = 0
    for r in range(len(starts) - 1):
        first = found
        many = grams(codes, starts[r], starts[r + 1], negation, begins, ends, keys, owner)
        size = 16
        while size < 2 * many:
            size *= 2
        spot[:size] = -1
        for k in range(many):
            at = place(table, keys[k])
            if table[at] != keys[k]:
                continue
            column = columns[at]
            s = (column * 40503) & (size - 1)
            while spot[s] >= 0 and indices[spot[s]] != column:
                s = (s + 1) & (size - 1)
            if spot[s] >= 0:
                data[spot[s]] += np.float32(1)
            else:
                spot[s] = found
                indices[found] = column
                data[found] = np.float32(1)
                found += 1
        total = 0.0
        for k in range(first, found):
            value = (1.0 + np.log(data[k])) * weights[indices[k]]
            total += value * value
            data[k] = value
        if total > 0:
            scale = 1.0 / np.sqrt(total)
            for k in range(first, found):
                data[k] *= scale
        indptr[r + 1] = found
