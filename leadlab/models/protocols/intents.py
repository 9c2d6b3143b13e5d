"""Banking77 and CLINC150: what people ask for, and in CLINC150 whether it can be had at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadlab.errors import BadInput
from leadlab.models.conversation.text_classifier import TextClassifier
from leadlab.models.conversation.text_figures import simple_texts, text_figures, word_bayes
from leadlab.models.metrics import roc_auc
from leadlab.models.protocols.evaluation import Evaluation, best_of

Tell = Callable[[str], None]
OUTSIDE = "oos"
LOST = 0.01
"""Of the validation texts that are classified rightly, so many may be taken for out of scope."""
MODEL = (
    "Model: TextClassifier, one linear support vector machine a class over words, pairs of words "
    "and parts of words"
)
BASELINES = (
    "Baselines: the most frequent class; multinomial naive Bayes on counts of words, as "
    "scikit-learn sets it"
)
BANKING = (
    f"Published split, train to test. {MODEL}, its penalty chosen by three folds of the training "
    f"texts (log-loss), its temperature on the same folds. {BASELINES}. accuracy_of_surest_80: "
    "among the 80% of the texts with the highest probability."
)
CLINC = (
    f"Published split of the full set: 150 intents trained on the in-scope training texts. {MODEL} "
    "(penalty 1, not tuned), its temperature by three folds of the training texts. A text counts "
    f"as out of scope where the best score of one class against the rest lies below the {LOST:.0%} "
    "quantile of the in-scope validation texts that are classified rightly; neither the training "
    "nor the validation texts from outside set it (their recall is reported as "
    "validation_oos_recall); but that score was taken, and not the gap to the second best, because "
    "it parted the validation texts better. in_scope_accuracy counts a refused text as wrong. "
    "accuracy, macro_f1, log_loss and ece are of the in-scope test texts before any is refused. "
    f"oos_roc_auc: in-scope against out-of-scope test texts by that score. "
    f"{BASELINES}; it refuses by the same rule on its highest probability."
)


def evaluate_banking77(
    frame: pd.DataFrame, *, seed: int = 0, tell: Tell = lambda step: None
) -> Evaluation:
    """Run the protocol of Banking77.

    Parameters
    ----------
    frame : DataFrame
        ``split`` ("train", "test"), ``text``, ``intent``.
    seed : int
        The same seed gives the same figures.
    tell : callable
        Called with a few words at each step.

    Returns
    -------
    Evaluation
        Figures as `leadlab.models.conversation.text_figures.text_figures` names them.

    Raises
    ------
    BadInput
        If a split is missing.
    """
    (texts, y), (asked, truth) = _side(frame, "train"), _side(frame, "test")
    tell("train on the published training texts")
    model = TextClassifier(c=(0.5, 1.0, 2.0), folds=3, seed=seed).fit(texts, y)
    tell("judge the test texts")
    ours = text_figures(truth, model.predict_proba(asked), model.classes_)
    ours["penalty_chosen"] = model.c_
    tell("baselines")
    others = simple_texts(texts, y, asked, truth)
    counts = {"train": len(y), "test": len(truth), "intents": len(model.classes_)}
    counts["ngrams"] = len(model.ngrams_.keys_)
    return Evaluation("banking77", BANKING, seed, ours, best_of(others), others, counts)


def evaluate_clinc150(
    frame: pd.DataFrame, *, seed: int = 0, tell: Tell = lambda step: None
) -> Evaluation:
    """Run the protocol of CLINC150.

    Parameters
    ----------
    frame : DataFrame
        ``split`` ("train", "validation", "test"), ``text``, ``intent`` ("oos" outside).
    seed : int
    tell : callable

    Returns
    -------
    Evaluation
        ``in_scope_accuracy`` and ``oos_recall`` at one threshold, ``oos_roc_auc``,
        ``validation_oos_recall``, and `text_figures` of the in-scope test texts.

    Raises
    ------
    BadInput
        If a split is missing.
    """
    outside = frame["intent"] == OUTSIDE
    texts, y = _side(frame[~outside], "train")
    checked, known = _side(frame[~outside], "validation")
    asked, truth = _side(frame[~outside], "test")
    strange, _ = _side(frame[outside], "test")
    stranger, _ = _side(frame[outside], "validation")
    tell("train on the in-scope training texts")
    model = TextClassifier(folds=3, seed=seed).fit(texts, y)
    tell("set the threshold on the validation texts")
    model.set_scope(checked, known, lost=LOST)
    tell("judge the test texts")
    inside, beyond = model.scores(asked), model.scores(strange)
    best = np.concatenate([inside.max(axis=1), beyond.max(axis=1)])
    spread = np.ptp(best)
    rank = (best - best.min()) / spread if spread else np.zeros(len(best))
    right = model.predict(asked) == truth
    ours = {
        "in_scope_accuracy": float((right & ~model.outside(asked)).mean()),
        "oos_recall": float(model.outside(strange).mean()),
        "oos_roc_auc": roc_auc(np.repeat([1, 0], [len(asked), len(strange)]), rank),
        "validation_oos_recall": float(model.outside(stranger).mean()),
        **text_figures(truth, model.predict_proba(asked), model.classes_),
    }
    tell("baselines")
    others = simple_texts(texts, y, asked, truth)
    bayes = word_bayes(texts, y)
    sure = bayes.predict_proba(checked).max(axis=1)[bayes.predict(checked) == known]
    least = float(np.quantile(sure, LOST))
    taken = bayes.predict_proba(asked).max(axis=1) >= least
    others["naive bayes"] |= {
        "in_scope_accuracy": float((taken & (bayes.predict(asked) == truth)).mean()),
        "oos_recall": float((bayes.predict_proba(strange).max(axis=1) < least).mean()),
    }
    counts = {"train": len(y), "test": len(truth), "test_oos": len(strange)}
    counts |= {"intents": len(model.classes_), "ngrams": len(model.ngrams_.keys_)}
    return Evaluation("clinc150", CLINC, seed, ours, best_of(others), others, counts)


def _side(frame: pd.DataFrame, split: str) -> tuple[list[str], NDArray[np.str_]]:
    rows = frame[frame["split"] == split]
    if not len(rows):
        raise BadInput("a split without texts", where="split", expected=split)
    return rows["text"].tolist(), rows["intent"].to_numpy(str)
