"""The text classifier: its reasons add up, its files hold it, and it says what it cannot know."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from leadlab.errors import BadInput, BrokenFile, EmptyInput, NotFitted, UnknownName
from leadlab.models.conversation.many_targets import ManyTargets
from leadlab.models.conversation.ngrams import NGrams
from leadlab.models.conversation.text_classifier import TextClassifier
from leadlab.models.conversation.text_figures import simple_texts, text_figures
from leadlab.models.metrics import ece

SAYS = {
    "price": ["how much is it", "what is the price", "too dear", "does it cost a lot", "price"],
    "tour": ["show me the house", "can we see it", "a visit today", "when can we come", "tour"],
    "loan": ["the bank said no", "is a loan possible", "rates are high", "my lender asks", "loan"],
}
FILLERS = ["hello", "thanks", "please", "as I said", "today", "well", "my wife asks:", "so"]
WORDS = sorted({word for says in SAYS.values() for say in says for word in say.split()})


def written(n=240, seed=0, noise=0.15):
    rng = np.random.default_rng(seed)
    names = rng.choice(list(SAYS), n)
    told = np.where(rng.random(n) < noise, rng.choice(list(SAYS), n), names)
    texts = [f"{rng.choice(FILLERS)} {rng.choice(SAYS[t])} {rng.choice(FILLERS)}" for t in told]
    return texts, names


@pytest.fixture(scope="module")
def three():
    return TextClassifier(least=1, negation=True, parts=0.5).fit(*written())


@pytest.fixture(scope="module")
def two():
    texts, names = written(seed=1)
    return TextClassifier(solver="logistic").fit(texts, names == "price")


any_text = st.one_of(
    st.text(max_size=60), st.lists(st.sampled_from([*WORDS, "not", "?"])).map(" ".join)
)


@settings(max_examples=60, deadline=None)
@given(any_text)
def test_effects_of_words_sum_to_the_margin_which_is_the_log_odds(three, two, text):
    for model in (three, two):
        p = model.predict_proba([text])[0]
        base = model.intercept_ - model.intercept_.mean()
        k = len(model.classes_)
        for i, label in enumerate(model.classes_):
            margin = model.margin(text, label)
            effects = [effect for _, effect in model.why(text, label, top=None)]
            assert sum(effects) + base[i] * k / (k - 1) == pytest.approx(margin, abs=1e-4)
            others = np.log(np.delete(p, i)).mean()
            assert margin == pytest.approx(np.log(p[i]) - others, abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.lists(any_text, min_size=1, max_size=6))
def test_a_batch_is_its_texts_one_by_one(three, texts):
    together = three.predict_proba(texts)
    alone = np.vstack([three.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=1), 1)
    assert three.predict(texts).tolist() == [three.predict([text])[0] for text in texts]
    np.testing.assert_array_equal(three.predict_proba(texts[::-1]), together[::-1])


def test_why_names_the_word_that_decides(three):
    assert three.why("so what does the tour look like", "tour", top=1)[0][0] == "tour"
    with_top = three.why("please a tour", top=2)
    assert with_top == three.why("please a tour", top=None)[:2]
    assert three.why("\x00") == []
    assert {words for words, _ in three.why("the price", "price", top=None)} <= {
        "the", "price", "the price"}  # fmt: skip


def test_held_out_probabilities_hold():
    """A seventh of the labels is wrong: an honest model is not surer than that."""
    model = TextClassifier(least=1).fit(*written(900))
    texts, names = written(900, seed=5)
    P = model.predict_proba(texts)
    right = model.predict(texts) == names
    assert 0.8 < right.mean() < 0.97
    assert ece(right, P.max(axis=1)) < 0.06
    assert model.held_out_.shape == (900, 3)


def test_the_same_seed_gives_the_same_model_and_clones_are_alike(three):
    again = clone(three).fit(*written())
    np.testing.assert_array_equal(again.weights_, three.weights_)
    assert again.get_params() == three.get_params()


@pytest.mark.parametrize("kind", [str, int, bool])
def test_files_hold_all_that_the_model_says(kind, three):
    texts, names = written(seed=2)
    y = {str: names, int: np.unique(names, return_inverse=True)[1], bool: names == "loan"}[kind]
    model = TextClassifier(c=(0.3, 1.0), least=1, folds=3, negation=True).fit(texts, y)
    model.set_scope(texts, y, lost=0.1)
    files = model.to_files()
    back = TextClassifier.from_files(files)
    np.testing.assert_array_equal(back.predict_proba(texts), model.predict_proba(texts))
    np.testing.assert_array_equal(back.outside(texts), model.outside(texts))
    assert back.why(texts[0]) == model.why(texts[0])
    assert back.classes_.dtype == model.classes_.dtype
    assert back.get_params() == model.get_params()
    assert back.to_files() == files


def with_array(files, **changed):
    with np.load(io.BytesIO(files["text.npz"])) as found:
        arrays = {name: found[name] for name in found.files}
    out = io.BytesIO()
    np.savez(out, **(arrays | changed))
    return files | {"text.npz": out.getvalue()}


def with_json(files, **changed):
    described = json.loads(files["text.json"]) | changed
    return files | {"text.json": json.dumps(described).encode()}


@pytest.mark.parametrize(
    "harm",
    [
        lambda f: {"text.npz": f["text.npz"]},
        lambda f: {"text.json": f["text.json"]},
        lambda f: f | {"text.npz": f["text.npz"][:300]},
        lambda f: f | {"text.npz": b"no zip"},
        lambda f: f | {"text.json": f["text.json"][:40]},
        lambda f: f | {"text.json": b"[]"},
        lambda f: with_json(f, format="leadlab-churn/1"),
        lambda f: with_json(f, settings={"harm": 1}),
        lambda f: with_array(f, weights=np.zeros((2, 2), np.float32)),
        lambda f: with_array(f, classes=np.array(["a", 1, None], dtype=object)),
        lambda f: with_array(f, classes=np.array(["a", "b"])),
        lambda f: with_array(f, intercept=np.zeros(2)),
    ],
)
def test_harmed_files_are_refused(harm, three):
    with pytest.raises(BrokenFile, match="text classifier"):
        TextClassifier.from_files(harm(three.to_files()))


def test_scope_is_set_on_texts_within_and_refuses_strange_ones():
    model = TextClassifier(least=1).fit(*written(noise=0))
    with pytest.raises(NotFitted, match="scope"):
        model.outside(["hello"])
    texts, names = written(300, seed=3, noise=0)
    model.set_scope(texts, names, lost=0.02)
    assert model.outside(texts).mean() <= 0.05
    assert model.outside(["qwx zzv", "", "😀"]).all()
    stricter = model.scope_
    assert model.set_scope(texts, names, lost=0.0).scope_ <= stricter
    with pytest.raises(BadInput, match="share"):
        model.set_scope(texts, names, lost=1.0)
    with pytest.raises(BadInput, match="rightly"):
        model.set_scope(["price"], ["loan"])


def test_calibration_looks_at_counted_rows_only():
    """Rows that are always right would make the model sure of the others, were they looked at."""
    texts, names = written(400, noise=0.4)
    clear, theirs = ["price"] * 200 + ["tour"] * 200 + ["loan"] * 200, np.repeat(list(SAYS), 200)
    counted = np.repeat([True, False], [400, 600])
    every, y = texts + clear, np.concatenate([names, theirs])
    alone = TextClassifier(least=1).fit(every, y, counted=counted)
    all_of_them = TextClassifier(least=1).fit(every, y)
    assert alone.calibration_.temperature > all_of_them.calibration_.temperature
    with pytest.raises(BadInput, match="counted"):
        TextClassifier(least=1).fit(every, y, counted=np.zeros(1000, bool))


def test_groups_stay_on_one_side():
    """Labels that only a group's own word gives away cannot be learnt from other groups."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(60), 5)
    label = rng.integers(0, 2, 60)[group]
    texts = [f"code{g}{'xyz'[g % 3] * 3}" for g in group]
    kept = TextClassifier(least=1, parts=0.0).fit(texts, label, groups=group)
    free = TextClassifier(least=1, parts=0.0).fit(texts, label)
    assert free.held_out_log_loss_ < 0.3 < kept.held_out_log_loss_


def test_many_targets_say_what_each_says():
    texts, names = written()
    shared = NGrams().fit(texts)
    ones = {
        "what": TextClassifier().fit(texts, names, ngrams=shared),
        "price": TextClassifier(solver="logistic").fit(texts, names == "price", ngrams=shared),
    }
    found = ManyTargets(ones).predict_proba([*texts, "", "?"])
    for name, one in ones.items():
        np.testing.assert_allclose(found[name], one.predict_proba([*texts, "", "?"]), atol=1e-6)
    other = TextClassifier().fit(*written(seed=9))
    with pytest.raises(BadInput, match="share"):
        ManyTargets({**ones, "other": other})
    with pytest.raises(EmptyInput):
        ManyTargets({})


@pytest.mark.parametrize(
    ("texts", "y", "what"),
    [
        ([], [], "no texts"),
        (["a", "b"], ["x"], "one class a text"),
        (["a b", "a b"], ["x", "x"], "one class only"),
        (["a b", "a b", "a b"], ["x", "x", "y"], "fewer than two groups"),
        (["a b", "a b"], [0.5, 1.5], "another kind"),
        (["a b", "a b"], [None, "x"], "another kind"),
        (["a b", 3], ["x", "y"], "must be a str"),
        ("a b", ["x"], "list is needed"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(texts, y, what):
    with pytest.raises(BadInput, match=what):
        TextClassifier(least=1).fit(texts, y)


def test_misuse_is_told(three):
    with pytest.raises(NotFitted):
        TextClassifier().predict(["a"])
    with pytest.raises(NotFitted):
        TextClassifier().to_files()
    with pytest.raises(UnknownName, match="solver"):
        TextClassifier(solver="svn").fit(*written())
    with pytest.raises(UnknownName, match="class 'prize'"):
        three.why("a price", "prize")
    with pytest.raises(BadInput, match="list is needed"):
        three.predict("a price")


def test_figures_by_hand():
    P = [[0.7, 0.3], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5], [0.9, 0.1]]
    found = text_figures(["a", "b", "b", "c", "a"], P, ["a", "b"])
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["accuracy_of_surest_80"] == pytest.approx(3 / 4)
    logs = -np.log([0.7, 0.4, 0.8, 1e-15, 0.9])
    assert found["log_loss"] == pytest.approx(logs.mean())
    with pytest.raises(BadInput, match="one row a text"):
        text_figures(["a"], P, ["a", "b"])
    simple = simple_texts(["x y", "x", "z"], ["a", "a", "b"], ["x", "z"], ["a", "b"])
    assert simple["majority"]["accuracy"] == 0.5
    assert simple["naive bayes"]["accuracy"] == 1.0
