"""Reading messages against scikit-learn: one message and batches, one thread.

``python benchmarks/read_messages.py [--json] [--quick]``

Messages are SIMULATED (`leadlab.data.brokerage`), half of them to train on, half to read.  Nine
targets (intent, seven objections, tone) are read at once: ours by `ManyTargets`, from text to
probabilities; the peer is scikit-learn's union of two TfidfVectorizers (words 1-2; parts of words
2-5, ``char_wb``; sublinear, at least 2 texts) and one linear product with as many outputs, which
is all that LinearSVC does when it is asked.  The peer's weights are one LinearSVC for the intents
and zeros for the others: work is measured, not skill.  A batch holds all messages.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from record import best_of, finish, record
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from leadlab.data.brokerage import simulate
from leadlab.data.brokerage.messages import OBJECTIONS
from leadlab.models.conversation.many_targets import ManyTargets
from leadlab.models.conversation.ngrams import NGrams
from leadlab.models.conversation.text_classifier import TextClassifier

Read = Callable[[list[str]], Any]
PEER = "scikit-learn TfidfVectorizer"


def ours(texts: list[str], targets: dict[str, np.ndarray]) -> ManyTargets:
    """All targets over one set of n-grams."""
    shared = NGrams().fit(texts)
    return ManyTargets(
        {name: TextClassifier(folds=2).fit(texts, y, ngrams=shared) for name, y in targets.items()}
    )


def theirs(texts: list[str], targets: dict[str, np.ndarray], outputs: int) -> Read:
    """The union of words and parts of words, and one product."""
    cut = [
        TfidfVectorizer(sublinear_tf=True, min_df=2, dtype=np.float32, **settings).fit(texts)
        for settings in (
            {"ngram_range": (1, 2)},
            {"analyzer": "char_wb", "ngram_range": (2, 5)},
        )
    ]
    X = hstack([one.transform(texts) for one in cut]).tocsr()
    line = LinearSVC(random_state=0).fit(X.astype(np.float64), targets["intent"])
    weights = np.zeros((X.shape[1], outputs), np.float32)
    weights[:, : len(line.classes_)] = line.coef_.T

    def read(asked: list[str]) -> np.ndarray:
        return np.asarray(hstack([one.transform(asked) for one in cut]).tocsr() @ weights)

    return read


def one_by_one(read: Read, texts: list[str]) -> np.ndarray:
    """p50 and p99 of single messages, in microseconds."""
    taken = np.empty(len(texts))
    for i, text in enumerate(texts):
        start = time.perf_counter()
        read([text])
        taken[i] = time.perf_counter() - start
    return np.percentile(taken * 1e6, [50, 99])


def run(quick: bool) -> list[dict[str, Any]]:
    """Measure; records as in `benchmarks/record.py`."""
    world = simulate(1_500 if quick else 6_000, 500, 0, texts=True)
    said = world.truth.messages
    half = len(said) // 2
    texts = said["text"].tolist()
    targets = {"intent": said["intent"].to_numpy(str), "tone": (said["sentiment"] > 0).to_numpy()}
    targets |= {name: said["objections"].str.contains(name).to_numpy() for name in OBJECTIONS}
    known, asked = {name: y[:half] for name, y in targets.items()}, texts[half:]
    model = ours(texts[:half], known)
    outputs = sum(len(one.classes_) for one in model.classifiers.values())
    peer = theirs(texts[:half], known, outputs)
    mine: Read = model.predict_proba
    mine(asked[:100])
    length = float(np.mean([len(text) for text in asked]))
    title = f"9 targets, {outputs} outputs, {length:.0f} characters on average"
    few = asked[: 300 if quick else 2_000]
    found = [
        record(f"read one message, {title}, {name}", a, "us", PEER, b)
        for name, a, b in zip(
            ("p50", "p99"), one_by_one(mine, few), one_by_one(peer, few), strict=True
        )
    ]
    rates = [len(asked) / best_of(partial(read, asked), 3) for read in (mine, peer)]
    name = f"read messages in one batch, {title}"
    return [*found, record(name, rates[0], "messages/s", PEER, rates[1], better="higher")]


if __name__ == "__main__":
    with threadpool_limits(1):
        sys.exit(finish(run, __doc__))
