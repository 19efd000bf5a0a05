"""Writes crates/quant/oracles/learners_boosting.csv: boosted trees of XGBoost's exact method, which considers every split.

Usage: python scripts/oracles/boosting.py   (needs xgboost 3.4, numpy)
Inputs are doubles printed so that they read back exactly. XGBoost keeps features in single precision: so do these.
"""
import csv
from pathlib import Path

import numpy as np
import xgboost as xgb

OUT = Path(__file__).resolve().parents[2] / "crates/quant/oracles/learners_boosting.csv"
rng = np.random.default_rng(2016)


def many(v):
    return ";".join(repr(float(x)) for x in np.ravel(v))


rows = []
for case in range(40):
    n, d = int(rng.integers(20, 200)), int(rng.integers(1, 6))
    x = rng.normal(size=(n, d)).astype(np.float32)
    missing = case % 4 == 3
    if missing:
        x[rng.random((n, d)) < 0.15] = np.nan
    z = np.nan_to_num(x)
    score = z[:, 0] + (z[:, -1] > 0.3) * 1.5 - 0.5 * z[:, d // 2] ** 2
    probability = case % 2 == 1
    y = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(float) if probability else score + rng.normal(0, 0.3, n)
    weights = rng.uniform(0.5, 2.0, n).astype(np.float32) if case % 5 == 4 else np.ones(n)
    trees, depth = int(rng.integers(1, 40)), int(rng.integers(1, 6))
    rate, penalty, least = float(rng.choice([0.05, 0.1, 0.3])), float(rng.choice([0.0, 1.0, 5.0])), float(rng.choice([1.0, 3.0]))
    up, down = (weights * y).sum() + 1, (weights * (1 - y)).sum() + 1
    first = up / (up + down) if probability else np.average(y, weights=weights)
    booster = xgb.train(
        {"objective": "binary:logistic" if probability else "reg:squarederror", "tree_method": "exact", "max_depth": depth, "eta": rate,
         "lambda": penalty, "min_child_weight": least, "base_score": float(first), "nthread": 1},
        xgb.DMatrix(x, y, weight=weights), trees)
    rows.append([int(probability), trees, rate, depth, penalty, least, many(x.T), many(y), many(weights), many(booster.predict(xgb.DMatrix(x)))])
with open(OUT, "w", newline="") as f:
    w = csv.writer(f, lineterminator="\n")
    w.writerow("probability trees rate depth penalty least columns targets weights predictions".split())
    w.writerows(rows)
