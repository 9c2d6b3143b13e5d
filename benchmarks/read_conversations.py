"""Messages read one at a time and in batches, on one core.

``python benchmarks/read_conversations.py [--json] [--quick]``

The reader is trained on leadlab's own texts; the messages read are others of these. One message:
intent, sentiment, urgency, objections and buying intent with the words that carried each; then with
facts and personal data besides. Batch: the figures of all models in columns; then whole readings
without facts. The peer gives one of the ten answers only, the intent: scikit-learn's
TfidfVectorizer over words and parts of words, and LogisticRegression.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from record import best_of, finish, record
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from leadlab.data.phrases.labelled import labelled_texts
from leadlab.models.conversation.reader import ConversationReader

TARGET_MS, TARGET_PER_S = 1.0, 20_000.0


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    n, asked, repeats = (1_000, 200, 2) if quick else (8_000, 2_000, 5)
    train, texts = labelled_texts(n, seed=0), labelled_texts(20_000, seed=9)["text"].tolist()
    reader = ConversationReader().fit(train)
    parts = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2)
    vectors = make_union(TfidfVectorizer(ngram_range=(1, 2), min_df=2), parts)
    peer = make_pipeline(vectors, LogisticRegression(max_iter=200))
    peer.fit(train["text"], train["intent"])
    found = []
    ways: dict[str, Callable[[str], object]] = {
        "message read with its words": lambda text: reader.read(text, facts=False),
        "message read with its words and facts": reader.read,
    }
    beside = spent_ms(lambda text: peer.predict_proba([text]), texts[: asked // 4])
    for name, way in ways.items():
        spent = spent_ms(way, texts[:asked])
        for label, q in (("p50", 50), ("p99", 99)):
            value = float(np.percentile(spent, q))
            found.append(record(f"{name}, {label}", value, "ms", "target", TARGET_MS))
        value, other = float(np.median(spent)), float(np.median(beside))
        found.append(record(f"{name}, p50", value, "ms", "scikit-learn, intent alone", other))
    batches = {
        "messages scored in a batch": lambda: reader.scores(texts),
        "messages read in a batch, no facts": lambda: reader.read_many(texts, facts=False),
    }
    few = texts[:2_000]
    other = len(few) / best_of(lambda: peer.predict_proba(few), 2)
    for name, batch in batches.items():
        rate = len(texts) / best_of(batch, repeats)
        found.append(record(name, rate, "1/s", "target", TARGET_PER_S, "higher"))
        found.append(record(name, rate, "1/s", "scikit-learn, intent alone", other, "higher"))
    return found


def spent_ms(way: Callable[[str], object], texts: list[str]) -> Any:
    """Milliseconds of each text, the first twenty done before."""
    for text in texts[:20]:
        way(text)
    spent = np.empty(len(texts))
    for i, text in enumerate(texts):
        start = time.perf_counter_ns()
        way(text)
        spent[i] = (time.perf_counter_ns() - start) / 1e6
    return spent


if __name__ == "__main__":
    sys.exit(finish(run, __doc__))
