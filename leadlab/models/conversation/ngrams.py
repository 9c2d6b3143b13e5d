"""Words, pairs of words and parts of words as sparse rows, in one pass over the texts."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from leadlab.errors import BadInput, EmptyInput, NotFitted
from leadlab.models.conversation import ngram_kernel as nk

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
SETTINGS = ("least", "idf", "parts", "negation")
BLOCK = 8192
"""Texts that are cut at a time."""


def plain(text: str) -> str:
    """One spelling of a text: compatible forms folded (NFKC), no upper case, ' as apostrophe.

    Examples
    --------
    >>> plain("It’s ＮＩＣＥ, Straße")
    "it's nice, strasse"
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).replace("\u2019", "'")


def _codes(texts: Sequence[str]) -> tuple[NDArray[np.uint32], I64]:
    """Code points of all texts, one behind the other, and where each begins."""
    joined = "".join(texts)
    if joined.isascii():
        cut = np.fromiter(map(len, texts), np.int64, len(texts))
        codes = np.frombuffer(joined.lower().encode("ascii"), np.uint8).astype(np.uint32)
    else:
        spelt = [plain(text) for text in texts]
        cut = np.fromiter(map(len, spelt), np.int64, len(spelt))
        codes = np.frombuffer("".join(spelt).encode("utf-32-le", "surrogatepass"), np.uint32)
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(cut, out=starts[1:])
    return codes, starts


def checked_texts(texts: Any) -> list[str]:
    """A list of str.

    Raises
    ------
    BadInput
        If it is one str, or holds anything else; the first such row is named.
    """
    if isinstance(texts, str):
        raise BadInput("one text where a list is needed", where="texts", hint="Use [text].")
    found = list(texts)
    for row, text in enumerate(found):
        if not isinstance(text, str):
            got = f"{type(text).__name__} in row {row}"
            raise BadInput("a text must be a str", where="texts", got=got)
    return found


def _counted(texts: list[str], negation: bool) -> tuple[NDArray[np.uint64], I64]:
    """Keys of all n-grams, and how many texts hold each."""
    table, often, latest = _empty(1 << 16)
    used = np.zeros(1, np.int64)
    for first in range(0, len(texts), BLOCK):
        codes, starts = _codes(texts[first : first + BLOCK])
        longest, _ = nk.room(codes, starts)
        taken = 0
        while True:
            left = starts[taken:]
            taken += nk.count(
                codes, left, longest, negation, first + taken, table, often, latest, used
            )
            if taken == len(starts) - 1:
                break
            larger = _empty(4 * max(len(table), 2 * longest))
            nk.move(table, often, latest, *larger)
            table, often, latest = larger
    there = table != 0
    return table[there], often[there]


def _empty(size: int) -> tuple[NDArray[np.uint64], I64, I64]:
    size = 1 << (size - 1).bit_length()
    return np.zeros(size, np.uint64), np.zeros(size, np.int64), np.full(size, -1, np.int64)


class NGrams:
    """Rows of words (one and two) and of parts of words (two to five characters).

    A text is folded by `plain` and cut into words: runs of letters and digits, or single signs. Its
    n-grams are the words, the pairs of neighbours, and all parts of each word with a blank on
    either side. A row holds ``(1 + log count) idf`` of each n-gram that `fit` kept, scaled to
    length 1; n-grams that it did not see are left out, so an empty row is a text about which
    nothing is known. The column of an n-gram is found by a 64-bit hash.

    Parameters
    ----------
    least : int
        Texts of the training set in which an n-gram must occur to be kept.
    idf : bool
        Whether rare n-grams weigh more: ``log((1 + n) / (1 + texts with it)) + 1``; 1 otherwise.
    parts : float
        Weight of parts of words beside words and pairs.
    negation : bool
        Whether up to four words after a negation (until a sign or "but") count as denied besides.

    Attributes
    ----------
    keys_ : uint64 array, shape (k,)
        Hash of each column's n-gram, the most frequent first.
    weights_ : float32 array, shape (k,)

    Examples
    --------
    >>> X = NGrams(least=1).fit(["Too dear", "not too dear"]).transform(["dear!", "", "zzz"])
    >>> X.shape[0], [int(n) for n in np.diff(X.indptr)]
    (3, [15, 0, 0])
    """

    def __init__(
        self, *, least: int = 2, idf: bool = True, parts: float = 1.0, negation: bool = False
    ) -> None:
        self.least = least
        self.idf = idf
        self.parts = parts
        self.negation = negation

    @property
    def settings(self) -> dict[str, Any]:
        """What it was made with."""
        return {name: getattr(self, name) for name in SETTINGS}

    def fit(self, texts: Sequence[str]) -> Self:
        """Learn which n-grams there are.

        Raises
        ------
        EmptyInput
            If no n-gram is left.
        BadInput
            As `checked_texts`.
        """
        known = checked_texts(texts)
        keys, counts = _counted(known, self.negation)
        kept = counts >= self.least
        if not kept.any():
            got = f"{len(known)} texts, each n-gram in fewer than {self.least}"
            raise EmptyInput("no n-gram is left", where="texts", got=got)
        keys, counts = keys[kept], counts[kept]
        order = np.lexsort((keys, -counts))
        weights = np.where(keys & 1, self.parts, 1.0)[order]
        if self.idf:
            weights = weights * (np.log((1 + len(known)) / (1 + counts[order])) + 1)
        return self._knowing(keys[order], weights)

    def _knowing(self, keys: NDArray[np.uint64], weights: NDArray[Any]) -> Self:
        self.keys_ = keys
        self.weights_: F32 = weights.astype(np.float32)
        size = 1 << int(2 * len(keys)).bit_length()
        self._table = np.zeros(size, np.uint64)
        self._columns = np.zeros(size, np.int32)
        nk.fill(keys, self._table, self._columns)
        return self

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """Rows of all texts.

        Returns
        -------
        float32 csr_matrix, shape (n, k)
            Columns within a row are in order of appearance.

        Raises
        ------
        NotFitted, BadInput
        """
        if not hasattr(self, "keys_"):
            raise NotFitted("n-grams are not fitted yet", hint="Call fit.")
        codes, starts = _codes(checked_texts(texts))
        longest, most = nk.room(codes, starts)
        indptr = np.zeros(len(starts), np.int64)
        indices, data = np.empty(most, np.int32), np.empty(most, np.float32)
        nk.weigh(
            codes,
            starts,
            longest,
            self.negation,
            self._table,
            self._columns,
            self.weights_,
            indptr,
            indices,
            data,
        )
        many = indptr[-1]
        return csr_matrix((data[:many], indices[:many], indptr), (len(starts) - 1, len(self.keys_)))

    def owners(self, text: str) -> tuple[list[str], I64, I64]:
        """Cut one text: its tokens, and of each known n-gram its column and token.

        Returns
        -------
        tokens : list of str
        column : int array
        owner : int array
            Token t for a word or a part of it; ``-1 - t`` for the pair of tokens t - 1 and t.
        """
        spelt = plain(checked_texts([text])[0])
        codes, _ = _codes([spelt])
        begins, ends = np.empty(len(codes), np.int64), np.empty(len(codes), np.int64)
        column, owner, many = nk.owners(
            codes, self.negation, self._table, self._columns, begins, ends
        )
        known = column >= 0
        words = [spelt[a:b] for a, b in zip(begins[:many], ends[:many], strict=True)]
        return words, column[known], owner[known]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What `fit` learnt."""
        return {"keys": self.keys_, "weights": self.weights_}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """What `to_arrays` and `settings` gave."""
        return cls(**settings)._knowing(arrays["keys"], arrays["weights"])
