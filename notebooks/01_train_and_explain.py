# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Train and explain
#
# From an event log to a saved model whose every score is explained. The log is BPI Challenge 2012,
# a bank's loan applications, where it is on this machine or can be downloaded; else **simulated**
# real-estate leads. The question: which open applications will accept their offer within two weeks,
# and why?

# %%
import holoviews as hv
import numpy as np
import pandas as pd
import shap

from leadlab.config import Settings
from leadlab.data import load, simulate
from leadlab.errors import DataUnavailable
from leadlab.explain import Scorer, reasons
from leadlab.features import OnlineStore, automatic, catalogue
from leadlab.models.training import Study, train

hv.extension("bokeh")

# %% [markdown]
# ## The log
# One row an event: who, what, when, by whom. Outcomes are kinds of events too.

# %%
WON = tuple(f"{k}|COMPLETE" for k in ("O_ACCEPTED", "A_APPROVED", "A_REGISTERED", "A_ACTIVATED"))
LOST = ("A_DECLINED|COMPLETE", "A_CANCELLED|COMPLETE")
try:
    log = load("bpic2012")
    study = Study(WON, LOST, horizon_days=14)
    features = automatic(log, max_kinds=16, skip=(*WON, *LOST))
except DataUnavailable as error:
    print(error, "Going on with SIMULATED leads.", sep="\n")
    log = simulate(2_000, 700).log
    study = Study(("Offer Accepted", "Closed"), ("Lost",), horizon_days=30)
    features = catalogue()
print(f"{len(log):,} events of {len(log.lead.names):,} leads")
log.to_frame().head()

# %% [markdown]
# ## Features without hindsight
# Each feature names itself and says its unit and window. A value at a moment holds what was known
# at that moment and nothing later; the same declarations are served live.

# %%
features.describe().sample(8, random_state=0)

# %% [markdown]
# ## Train, and judge on later leads
# Landmarks are the moments after each event. One whose outcome is not known yet is left out, not
# counted as a loss. The test side are the leads that came last; training stops a horizon before.

# %%
trained = train(log, study, features=features)
figures = trained.report.to_frame().pivot(index="model", columns="metric", values="value")
figures[["pr_auc", "roc_auc", "brier", "log_loss", "ece", "lift"]].round(3)

# %% [markdown]
# Do the probabilities hold? Predicted against observed, in ten groups of equal size.

# %%
calibration = trained.report.calibration
diagonal = hv.Curve([(0, 0), (1, 1)]).opts(color="lightgray", line_dash="dashed")
points = hv.Scatter(calibration, "predicted", "observed").opts(size=9, color="#1f6f8b")
(diagonal * points).opts(width=420, height=360, title="Predicted and observed", padding=0.05)

# %% [markdown]
# ## What matters overall
# The exact Shapley values of the test side; a feature's weight is the mean size of what it adds.

# %%
scorer = Scorer(trained.model, features, version="notebook")
test = trained.table.take(trained.split.test)
scores = scorer.score(test)
weight = pd.Series(np.abs(scores.contributions).mean(axis=0), index=features.names)
bars = hv.Bars(weight.nlargest(12)[::-1].rename_axis("feature").reset_index(name="weight"))
bars.opts(invert_axes=True, width=640, height=380, color="#1f6f8b", title="Mean |contribution|")

# %% [markdown]
# The same values by the `shap` package, on a sample: they differ by rounding only.

# %%
sample = np.arange(0, len(test), max(1, len(test) // 200))
theirs = shap.TreeExplainer(trained.model.booster_).shap_values(test.values[sample])
difference = np.abs(theirs - scores.contributions[sample]).max()
assert difference < 1e-4, difference
print(f"{scores.method}: at most {difference:.1e} from shap on {len(sample)} rows")

# %% [markdown]
# ## Why one lead
# The hottest lead of the test side, first as values, then as sentences.

# %%
hottest = int(np.argmax(scores.probability))
why = reasons(scores, hottest, top=6)
print(f"{scores.table.lead.values()[hottest]}: {scores.probability[hottest]:.1%}")
for reason in why:
    print(f"{reason.effect:+.2f}  {reason.text}")

# %%
effects = hv.Bars([(r.family, r.effect) for r in why[::-1]], "about", "effect (log-odds)")
effects.opts(invert_axes=True, width=640, height=300, color="#1f6f8b", title="Why this lead")

# %% [markdown]
# ## Save it, and serve it
# One file holds the trees, the features, the figures and what it was trained on. The online store
# takes the log's events and gives the same values as the training set did.

# %%
path = trained.save(Settings.from_environment().models / "notebook.leadlab")
served = Scorer.load(path)
store = OnlineStore(served.features)
store.add(log)
lead, as_of = test.lead.values()[hottest], test.as_of_us[hottest : hottest + 1]
live = served.score(store.read([lead], as_of, tenant=test.tenant.values()[hottest]))
assert np.array_equal(live.table.values[0], test.values[hottest], equal_nan=True)
print(f"{path}: {live.probability[0]:.1%} for {lead}, live as in the notebook")
