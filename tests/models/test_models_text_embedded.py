"""The adapter of embedding models: any encoder serves, and a bad one is told."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from leadlab.errors import BadInput, ConfigError, NotFitted
from leadlab.models.conversation.embedded import EmbeddedClassifier


def words(texts):
    rows = np.zeros((len(texts), 64))
    for row, text in zip(rows, texts, strict=True):
        for word in text.lower().split():
            row[hashlib.sha256(word.encode()).digest()[0] % 64] += 1
    return rows


def test_any_encoder_serves():
    texts = ["please show me the house", "what does the loan cost"] * 10
    model = EmbeddedClassifier(words).fit(texts, ["see", "pay"] * 10)
    assert model.predict(["show the house please", "cost of the loan"]).tolist() == ["see", "pay"]
    assert model.predict_proba(texts).sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "encode",
    [
        lambda texts: np.zeros((1, 3)),
        lambda texts: np.zeros(len(texts)),
        lambda t: [[np.nan]] * len(t),
    ],
    ids=["too few rows", "no table", "not finite"],
)
def test_an_encoder_that_gives_something_else_is_told(encode):
    with pytest.raises(BadInput, match="encoder"):
        EmbeddedClassifier(encode).fit(["a", "b"], [0, 1])


def test_before_it_is_trained_and_without_a_folder_or_package(tmp_path, monkeypatch):
    with pytest.raises(NotFitted):
        EmbeddedClassifier(words).predict(["a"])
    with pytest.raises(BadInput, match="no folder"):
        EmbeddedClassifier.of_folder(tmp_path / "none")
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(ConfigError, match="sentence-transformers"):
        EmbeddedClassifier.of_folder(tmp_path)
