"""n-grams of the kernel against a plain reading of the rules, on texts of any kind."""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlab.errors import BadInput, EmptyInput, NotFitted
from leadlab.models.conversation import ngrams as module
from leadlab.models.conversation.ngram_kernel import NEGATIONS, REACH
from leadlab.models.conversation.ngrams import NGrams, plain

LETTER = "[a-z0-9éωя中]"
CUT = re.compile(rf"{LETTER}+(?:'{LETTER}+)*|[^\s\x00\x07]")
PIECES = ["a", "b", "ab", "abcdef", "7", "É", "Ω", "я", "中中", " ", "  ", "\n", "\x00", "'", ".",
          "?", "😀", "don't", "n't", " not ", " no ", " but ", "’", "x" * 9]  # fmt: skip
texts_of_pieces = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def naive(text, negation):
    """Counts of n-grams by name, parts of words marked."""
    words = CUT.findall(plain(text))
    found = Counter()
    left = 0
    for at, word in enumerate(words):
        is_word = re.match(LETTER, word) is not None
        found["word", word] += 1
        if at:
            found["pair", words[at - 1], word] += 1
        left = 0 if not is_word or word == "but" else left
        if not is_word:
            continue
        if negation and left:
            found["denied", word] += 1
            left -= 1
        if word in NEGATIONS or word.endswith("n't"):
            left = REACH
        padded = f" {word} "
        for size in range(2, 6):
            for first in range(len(padded) - size + 1):
                found["part", padded[first : first + size]] += 1
    return found


def naive_rows(train, asked, *, least, idf, parts, negation):
    often = Counter(gram for text in train for gram in naive(text, negation))
    rows = []
    for text in asked:
        row = {}
        for gram, count in naive(text, negation).items():
            if often[gram] >= least:
                weight = math.log((1 + len(train)) / (1 + often[gram])) + 1 if idf else 1.0
                row[gram] = (1 + math.log(count)) * weight * (parts if gram[0] == "part" else 1)
        size = math.sqrt(sum(value**2 for value in row.values())) or 1.0
        rows.append({gram: value / size for gram, value in row.items()})
    return rows


@settings(max_examples=60, deadline=None)
@given(
    st.lists(texts_of_pieces, min_size=1, max_size=6),
    st.lists(texts_of_pieces, min_size=1, max_size=4),
    st.sampled_from([1, 2]),
    st.booleans(),
    st.sampled_from([1.0, 0.4]),
    st.booleans(),
)
def test_the_kernel_says_what_the_rules_say(train, asked, least, idf, parts, negation):
    """Products of all rows with each other are the same, whatever the columns are called."""
    model = NGrams(least=least, idf=idf, parts=parts, negation=negation)
    rows = naive_rows(train, asked, least=least, idf=idf, parts=parts, negation=negation)
    try:
        model.fit(train)
    except EmptyInput:
        assert not any(rows)
        return
    X = model.transform(asked)
    expected = [[sum(a[g] * b.get(g, 0) for g in a) for b in rows] for a in rows]
    np.testing.assert_allclose((X @ X.T).toarray(), expected, atol=1e-5)
    assert [int(n) for n in np.diff(X.indptr)] == [len(row) for row in rows]
    assert X.dtype == np.float32


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_any_text_is_read_and_a_batch_is_its_texts_one_by_one(texts):
    model = NGrams(least=1).fit([*texts, "a word"])
    together = model.transform(texts).toarray()
    alone = np.vstack([model.transform([text]).toarray() for text in texts])
    np.testing.assert_array_equal(together, alone)
    lengths = np.linalg.norm(together, axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-5) | (lengths == 0))


@settings(max_examples=30, deadline=None)
@given(st.lists(texts_of_pieces, min_size=2, max_size=8), st.randoms())
def test_the_order_of_training_texts_does_not_matter(texts, random):
    shuffled = random.sample(texts, len(texts))
    first, second = (NGrams(least=1).fit([*some, "word"]) for some in (texts, shuffled))
    np.testing.assert_array_equal(first.keys_, second.keys_)
    np.testing.assert_array_equal(first.weights_, second.weights_)


def test_many_texts_are_counted_through_growing_tables(monkeypatch):
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("abcdefgh "), 400)) for _ in range(150)]
    whole = NGrams(least=2).fit(texts)
    often = Counter(gram for text in texts for gram in naive(text, negation=False))
    assert len(whole.keys_) == sum(count >= 2 for count in often.values())
    monkeypatch.setattr(module, "BLOCK", 7)
    cut = NGrams(least=2).fit(texts)
    np.testing.assert_array_equal(whole.keys_, cut.keys_)
    np.testing.assert_array_equal(whole.weights_, cut.weights_)


ODD = ["", " \n\t", "\x00\x01", "😀" * 50, "a" * 100_000, "a " * 50_000, "<b>price</b>", "\ud800",
       "ﷺ" * 30, "цена дома", "価格はいくらですか", "e\u0301" * 40, "\u202eprice",
       "İ" * 20]  # fmt: skip


def test_odd_texts_have_finite_rows():
    X = NGrams(least=1).fit(ODD).transform(ODD)
    assert np.isfinite(X.data).all()
    empty = [not size for size in np.diff(X.indptr)]
    assert empty == [not text.strip(" \n\t\x00\x01") for text in ODD]


def test_spellings_of_one_word_are_one():
    model = NGrams(least=1).fit(["it's ＣＡＦÉ"])
    first, second = model.transform(["It’s cafe\u0301", "IT'S café"]).toarray()
    np.testing.assert_array_equal(first, second)
    assert np.linalg.norm(first) == pytest.approx(1)


def test_owners_name_the_word_of_each_known_gram():
    model = NGrams(least=1).fit(["not far"])
    words, columns, owners = model.owners("Not so far!")
    assert words == ["not", "so", "far", "!"]
    assert set(owners.tolist()) == {0, 2}
    assert len(columns) == len(owners)
    assert -2 in model.owners("not far")[2].tolist()


@pytest.mark.parametrize("texts", ["one text", [None], ["a", 3], [b"a"]])
def test_what_is_no_list_of_texts_is_refused(texts):
    with pytest.raises(BadInput, match=r"text"):
        NGrams().fit(texts)


def test_nothing_to_learn_and_nothing_learnt():
    with pytest.raises(EmptyInput, match="no n-gram"):
        NGrams().fit([])
    with pytest.raises(EmptyInput, match="no n-gram"):
        NGrams(least=2).fit(["alone", "different"][:1])
    with pytest.raises(NotFitted):
        NGrams().transform(["a"])
    assert NGrams(least=1).fit(["a"]).transform([]).shape[0] == 0
