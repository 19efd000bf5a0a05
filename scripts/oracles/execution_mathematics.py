"""Writes crates/quant/oracles/execution_*.csv: what cvxpy, pandas, scipy and statsmodels make of execution mathematics.

Usage: python scripts/oracles/execution_mathematics.py   (needs cvxpy 1.9, pandas, scipy 1.17, statsmodels 0.15, mpmath 1.4)
Inputs are doubles printed so that they read back exactly.
"""
import csv
import math
from fractions import Fraction
from pathlib import Path

import cvxpy as cp
import mpmath as mp
import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.optimize import curve_fit

mp.mp.dps = 40
ROOT = Path(__file__).resolve().parents[2]
rng = np.random.default_rng(20000)


def write(name, head, rows):
    with open(ROOT / f"crates/quant/oracles/execution_{name}.csv", "w", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(head)
        w.writerows([x if isinstance(x, (str, int)) else repr(float(x)) for x in r] for r in rows)
    print(name, len(rows))


def closed_form(X, N, tau, sigma, eps, eta, gamma, lam):
    """Almgren and Chriss (2000), eq. 16 to 20, in 40 digits: kappa, expected cost, variance, holdings."""
    X, tau, sigma, eps, eta, gamma, lam = map(mp.mpf, (X, tau, sigma, eps, eta, gamma, lam))
    T, eff = N * tau, eta - gamma * tau / 2
    if lam == 0 or sigma == 0:
        x = [X * (N - k) / N for k in range(N + 1)]
        E = gamma * X**2 / 2 + eps * X + eff * X**2 / T
        return mp.mpf(0), E, sigma**2 * X**2 * T / 3 * (1 - mp.mpf(1) / N) * (1 - mp.mpf(1) / (2 * N)), x
    k = mp.acosh(lam * sigma**2 / eff * tau**2 / 2 + 1) / tau
    x = [X * mp.sinh(k * (T - j * tau)) / mp.sinh(k * T) for j in range(N + 1)]
    E = gamma * X**2 / 2 + eps * X + eff * X**2 * mp.tanh(k * tau / 2) * (tau * mp.sinh(2 * k * T) + 2 * T * mp.sinh(k * tau)) / (2 * tau**2 * mp.sinh(k * T) ** 2)
    V = sigma**2 * X**2 / 2 * (tau * mp.sinh(k * T) * mp.cosh(k * (T - tau)) - T * mp.sinh(k * tau)) / (mp.sinh(k * T) ** 2 * mp.sinh(k * tau))
    return k, E, V, x


def quadratic(X, N, tau, sigma, eps, eta, gamma, lam):
    """The same discrete problem without any formula of its solution: E + lambda V over the trades, by Clarabel."""
    eff = eta - gamma * tau / 2
    n = cp.Variable(N)
    held = 1 - cp.cumsum(n)
    a, b = eff / tau, lam * sigma**2 * tau
    s = max(a, b)
    cp.Problem(cp.Minimize(a / s * cp.sum_squares(n) + b / s * cp.sum_squares(held)), [cp.sum(n) == 1]).solve(
        solver="CLARABEL", tol_gap_abs=1e-14, tol_gap_rel=1e-14, tol_feas=1e-14)
    return X * np.concatenate([[1.0], 1 - np.cumsum(n.value)])


def liquidation():
    paper = [(1e6, 5, 1.0, 0.95, 0.0625, 2.5e-6, 2.5e-7, lam) for lam in (0.0, 1e-12, 1e-9, 1e-7, 1e-6, 2e-6, 1e-5, 1e-4)]
    cases = [(*c, "paper") for c in paper]
    for _ in range(120):
        N = int(rng.integers(1, 40))
        tau, eta = 10 ** rng.uniform(-2, 1), 10 ** rng.uniform(-8, -4)
        sigma, gamma = 10 ** rng.uniform(-2, 1), rng.uniform(0, 1.5) * eta / tau
        urgency = 10 ** rng.uniform(-4, 1.2)
        cases.append((10 ** rng.uniform(1, 7), N, tau, sigma, rng.uniform(0, 0.1), eta, gamma, (urgency / (N * tau)) ** 2 * (eta - gamma * tau / 2) / sigma**2, "random"))
    cases += [(1000.0, 1, 1.0, 1.0, 0.0, 1e-5, 0.0, 1e-6, "edge"), (1000.0, 10, 1.0, 0.0, 0.01, 1e-5, 0.0, 1e-6, "edge"),
              (1000.0, 30, 1.0, 1.0, 0.01, 1e-5, 0.0, 1e3, "edge"), (0.0, 5, 1.0, 1.0, 0.01, 1e-5, 0.0, 1e-3, "edge"), (1.0, 200, 0.01, 1.0, 0.0, 1e-3, 0.0, 1e-13, "edge")]
    rows = []
    for *c, kind in cases:
        k, E, V, x = closed_form(*c)
        q = quadratic(*c) if c[0] > 0 else [0.0] * (c[1] + 1)
        rows.append([kind, c[0], c[1], *c[2:], k, E, V, ";".join(repr(float(v)) for v in x), ";".join(repr(float(v)) for v in q)])
    write("liquidation", "kind quantity periods period volatility fixed temporary permanent risk_aversion kappa expected variance holdings cvxpy".split(), rows)


def volumes():
    """Bitcoin by hour of 63 days; every seventh day is cut to 12 hours to stand for a half day. Window of 10."""
    bars = pd.read_csv(ROOT / "samples/crypto/btcusd_15m_2021.csv", parse_dates=["ts"]).set_index("ts")
    hours = bars["volume"].resample("1h").sum()
    days = [d.to_numpy() for _, d in hours.groupby(hours.index.date) if len(d) == 24 and (d > 0).any()][:63]
    full, half, rows = [], [], []
    for i, day in enumerate(days):
        short = i % 7 == 6
        volume = day[:12] if short else day
        history = half if short else full
        cells = []
        for how in ("mean", "median"):
            frame = pd.DataFrame(history).tail(10)
            curve = getattr(frame, how)() if len(history) >= (3 if short else 1) else None
            if curve is None and short and full:
                # The close of a full day ends a half day that has no history.
                curve = getattr(pd.DataFrame(full).tail(10), how)().iloc[[*range(11), 23]]
            cells.append("" if curve is None else ";".join(repr(float(v)) for v in curve / curve.sum()))
        rows.append([";".join(repr(float(v)) for v in volume), *cells])
        history.append(volume / volume.sum())
    write("volume_curve", ["volumes", "mean", "median"], rows)


def impacts():
    rows = []
    for case in range(40):
        n = int(rng.integers(6, 60))
        p = np.exp(rng.normal(-4, 1.2, n))
        vol = np.exp(rng.normal(-4, 0.4, n))
        Y, delta, noise = rng.uniform(0.3, 1.5), rng.uniform(0.35, 0.8), rng.choice([0.003, 0.02, 0.05])
        cost = vol * (Y * p**delta + rng.normal(0, noise, n))
        y = cost / vol
        fixed = sm.OLS(y, p**0.5).fit()
        best, cov = curve_fit(lambda x, a, b: a * x**b, p, y, p0=[Y, delta], ftol=1e-15, xtol=1e-15, gtol=1e-15, maxfev=10000,
                              jac=lambda x, a, b: np.stack([x**b, a * x**b * np.log(x)], axis=1))
        e = np.sqrt(np.diag(cov))
        rows.append([*(";".join(repr(float(v)) for v in c) for c in (cost, vol, p)), fixed.params[0], fixed.bse[0], math.sqrt(fixed.mse_resid), best[0], best[1], e[0], e[1]])
    write("impact", "costs volatilities participations factor factor_error residual free_factor free_exponent free_factor_error free_exponent_error".split(), rows)


def schedules():
    """Largest remainders in exact fractions."""
    rows = []
    for case in range(200):
        n = int(rng.integers(1, 30))
        lots = int(rng.choice([0, 1, 7, 100, 12_345, 10**9])) if case % 2 else int(rng.integers(0, 500))
        w = rng.integers(0, 17, n) / 16 if case % 3 == 0 else rng.exponential(1.0, n) * 10 ** rng.uniform(-3, 6)
        if not w.any():
            w[0] = 1.0
        exact = [lots * Fraction(float(x)) / sum(Fraction(float(v)) for v in w) for x in w]
        part = [math.floor(x) for x in exact]
        order = sorted(range(n), key=lambda i: (part[i] - exact[i], i))
        for i in order[: lots - sum(part)]:
            part[i] += 1
        rows.append([lots, ";".join(repr(float(v)) for v in w), ";".join(map(str, part))])
    write("schedule", ["lots", "weights", "parts"], rows)


liquidation()
volumes()
impacts()
schedules()
