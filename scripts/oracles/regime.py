"""Writes crates/quant/oracles/regime.csv: returns of a market and the filtered probabilities of its states.

Usage: python scripts/oracles/regime.py
Needs hmmlearn 0.3.3, pandas, numpy. The returns are those of 20 US stocks in equal weights (samples/equities), each
divided by the long-run deviation so far; hmmlearn's forward pass then gives the probabilities. `smoothed_crisis` is what
its `predict_proba` says with the whole series in hand: it knows the future and must not be what we compute.
"""
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from hmmlearn import _hmmc, hmm

ROOT = Path(__file__).resolve().parents[2]
VOLATILITY = np.array([0.7, 1.4, 3.0])
TRANSITION = np.array([[0.985, 0.0135, 0.0015], [0.03, 0.96, 0.01], [0.01, 0.07, 0.92]])
BEFORE = np.array([0.8, 0.18, 0.02])

prices = pd.read_csv(ROOT / "samples/equities/us20_adjclose_1990_2022.csv", index_col="date", parse_dates=True)
market = prices.pct_change().mean(axis=1).dropna()
market = market[market.index >= "2005-01-01"].iloc[:3400].round(6)

long = np.empty(len(market))
level = 0.0
for k, r in enumerate(market):
    square = r * r
    clipped = min(square, 16.0 * level) if level > 0 else square
    level += (clipped - level) / min(k + 1, 500)
    long[k] = level

x = (market.to_numpy() / np.sqrt(long)).reshape(-1, 1)
model = hmm.GaussianHMM(n_components=3, covariance_type="diag", init_params="", params="")
model.startprob_ = BEFORE @ TRANSITION
model.transmat_ = TRANSITION
model.means_ = np.zeros((3, 1))
model.covars_ = (VOLATILITY**2).reshape(-1, 1)
density = model._compute_log_likelihood(x)
_, forward = _hmmc.forward_log(model.startprob_, model.transmat_, density)
filtered = np.exp(forward - np.logaddexp.reduce(forward, axis=1)[:, None])
smoothed = model.predict_proba(x)

out = pd.DataFrame({"date": market.index.strftime("%Y%m%d"), "return": market.to_numpy(), "long": long})
for i, name in enumerate(["calm", "volatile", "crisis"]):
    out[name] = filtered[:, i]
out["smoothed_crisis"] = smoothed[:, 2]
with open(ROOT / "crates/quant/oracles/regime.csv", "w") as file:
    file.write(f"# hmmlearn {version('hmmlearn')}, scripts/oracles/regime.py\n")
    out.to_csv(file, index=False, float_format="%.15g")
