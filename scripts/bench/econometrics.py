"""The peer of `econometrics_speed`: Engle-Granger tests of pairs by statsmodels.

Usage: python scripts/bench/econometrics.py DATA_FOLDER lag1|aic
Prints the pairs a processor second, then `y x statistic p` for each pair.
"""
import sys
import time
import warnings

import numpy as np
from statsmodels.tsa.stattools import coint

warnings.filterwarnings("ignore")
prices = np.fromfile(f"{sys.argv[1]}/w7_px.bin", dtype="<f8").reshape(200, 1000)
lags = dict(autolag="aic") if sys.argv[2] == "aic" else dict(maxlag=1, autolag=None)
n = 200 if sys.argv[2] == "aic" else 2000
pairs = [p for p in np.random.default_rng(1).integers(0, 200, (2 * n, 2)) if p[0] != p[1]][:n]
start = time.process_time()
found = [coint(prices[y], prices[x], trend="c", **lags)[:2] for y, x in pairs]
print(n / (time.process_time() - start))
for (y, x), (t, p) in zip(pairs, found):
    print(y, x, repr(float(t)), repr(float(p)))
