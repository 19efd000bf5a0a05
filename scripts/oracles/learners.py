"""Writes crates/quant/oracles/learners_*.csv: what scikit-learn, river, scipy, cvxpy and numpy make of learners.

Usage: python scripts/oracles/learners.py   (needs scikit-learn 1.9, river 0.26, scipy 1.18, cvxpy 1.9, mpmath 1.4, numpy)
Inputs are doubles printed so that they read back exactly.
"""
import csv
from pathlib import Path

import cvxpy as cp
import mpmath as mp
import numpy as np
from river import drift, linear_model, optim
from scipy import integrate, stats
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import Ridge

mp.mp.dps = 40
OUT = Path(__file__).resolve().parents[2] / "crates/quant/oracles"
rng = np.random.default_rng(1997)


def many(v):
    return ";".join(repr(float(x)) for x in np.ravel(v))


def write(name, head, rows):
    with open(OUT / f"learners_{name}.csv", "w", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(head.split())
        w.writerows([x if isinstance(x, (str, int)) else repr(float(x)) for x in r] for r in rows)
    print(name, len(rows))


def ridge():
    rows = []
    for case in range(60):
        n, d = (1 if case < 4 else int(rng.integers(2, 60))), int(rng.integers(1, 7))
        penalty, memory = 10 ** rng.uniform(-3, 2), rng.choice([1.0, 0.99, 0.95])
        X = rng.normal(0, 10 ** rng.uniform(-1, 1), (n, d))
        if case % 10 == 9:
            X[:, -1] = X[:, 0]
        y = X @ rng.normal(size=d) + rng.normal(0, 0.5, n)
        w = memory ** np.arange(n - 1, -1, -1)
        fit = Ridge(alpha=penalty * memory**n, fit_intercept=False, solver="cholesky").fit(X, y, sample_weight=w)
        q = rng.normal(size=d)
        var = q @ np.linalg.solve((X.T * w) @ X + penalty * memory**n * np.eye(d), q)
        rows.append([d, penalty, memory, many(X), many(y), many(q), many(fit.coef_), var])
    write("ridge", "features penalty memory x y query weights uncertainty", rows)


def logistic():
    rows = []
    for case in range(30):
        n, d = (1 if case == 0 else int(rng.integers(2, 120))), int(rng.integers(1, 5))
        rate, penalty = 10 ** rng.uniform(-3, 0), rng.choice([0.0, 0.01, 0.1])
        X = rng.normal(0, rng.choice([1.0, 20.0]), (n, d))
        y = rng.random(n) < 1 / (1 + np.exp(-X @ rng.normal(size=d)))
        model = linear_model.LogisticRegression(optimizer=optim.SGD(rate), l2=float(penalty), intercept_lr=rate)
        p = []
        for x, t in zip(X, y):
            x = dict(enumerate(map(float, x)))
            p.append(model.predict_proba_one(x)[True])
            model.learn_one(x, bool(t))
        rows.append([d, rate, penalty, many(X), many(y), many(p), many([model.weights[k] for k in range(d)]), model.intercept])
    write("logistic", "features rate penalty x y probabilities weights intercept", rows)


def gradient():
    rows = []
    for case in range(60):
        n = int(rng.integers(1, 8))
        w, rate = rng.dirichlet(np.ones(n)), 10 ** rng.uniform(-2, 0.5)
        portfolio = case % 2
        g = rng.lognormal(0, 0.05, n) if portfolio else rng.normal(size=n)
        slope = [-mp.mpf(x) / mp.fdot(map(mp.mpf, w), map(mp.mpf, g)) for x in g] if portfolio else [mp.mpf(x) for x in g]
        powers = [mp.mpf(a) * mp.exp(-rate * s) for a, s in zip(w, slope)]
        exact = [p / mp.fsum(powers) for p in powers]
        # The same step as what it is the optimum of: near the old weights in relative entropy, and down the gradient.
        v = cp.Variable(n)
        cp.Problem(cp.Minimize(rate * np.array([float(s) for s in slope]) @ v + cp.sum(cp.rel_entr(v, w))), [cp.sum(v) == 1]).solve(solver="CLARABEL")
        rows.append([["slope", "portfolio"][portfolio], rate, many(w), many(g), many(exact), many(v.value)])
    write("gradient", "kind rate weights slopes exact cvxpy", rows)


def isotonic():
    rows = []
    for case in range(60):
        n = [1, 2, 3][case] if case < 3 else int(rng.integers(2, 80))
        x = np.round(rng.normal(size=n), 1) if case % 2 else rng.normal(size=n)
        if case % 10 == 8:
            x[:] = 0.5
        y = (rng.random(n) < 1 / (1 + np.exp(-2 * x))).astype(float) if case % 3 else rng.normal(size=n) + (x if case % 4 else -x)
        w = np.ones(n) if case % 5 else rng.uniform(0.1, 3, n)
        fit = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=w)
        q = np.concatenate([x[:10], rng.normal(0, 2, 15)])
        rows.append([many(x), many(y), many(w), many(q), many(fit.predict(q))])
    write("isotonic", "scores outcomes weights queries values", rows)


def platt():
    rows = []
    for case in range(40):
        n, size = (1 if case == 0 else int(rng.integers(2, 150))), 10 ** rng.uniform(-3, 2)
        x = rng.normal(rng.uniform(-1, 1), 1, n) * size
        y = rng.random(n) < 1 / (1 + np.exp(-rng.uniform(0, 3) * x / size))
        kind = "usual"
        if case % 10 == 5:
            y, kind = x > 0, "separable"
        if case % 10 == 6:
            y, kind = np.ones(n, bool), "one class"
        up, down = int(y.sum()), int(n - y.sum())
        t = [mp.mpf(up + 1) / (up + 2) if v else mp.mpf(1) / (down + 2) for v in y]
        z = [mp.mpf(float(v)) / size for v in x]
        if n == 1 or kind == "one class":
            # Any curve through the targets: the level one, at which the fit begins.
            a, b = mp.mpf(0), mp.log(mp.mpf(up + 1) / (down + 1))
        else:
            def gradient(a, b):
                e = [1 / (1 + mp.exp(-a * u - b)) - v for u, v in zip(z, t)]
                return mp.fdot(e, z), mp.fsum(e)
            a, b = mp.mpf(0), mp.log(mp.mpf(up + 1) / (down + 1))
            for _ in range(60):  # Newton with a step that is halved while the gradient grows
                g = gradient(a, b)
                p = [1 / (1 + mp.exp(-a * u - b)) for u in z]
                d = [v * (1 - v) for v in p]
                aa, ab, bb = mp.fsum(v * u * u for v, u in zip(d, z)), mp.fdot(d, z), mp.fsum(d)
                det = aa * bb - ab * ab
                da, db = (bb * g[0] - ab * g[1]) / det, (aa * g[1] - ab * g[0]) / det
                s = mp.mpf(1)
                while mp.norm(gradient(a - s * da, b - s * db)) > mp.norm(g) and s > mp.mpf(2) ** -40:
                    s /= 2
                a, b = a - s * da, b - s * db
                if max(abs(da), abs(db)) < mp.mpf(10) ** -30:
                    break
            assert mp.norm(gradient(a, b)) < mp.mpf(10) ** -20, (case, n)
        A, B = _sigmoid_calibration(x, y.astype(float)) if kind == "usual" and 0 < up < n else (np.nan, np.nan)
        rows.append([kind, many(x), many(y), a / size, b, -A, -B])
    write("platt", "kind scores outcomes slope offset sklearn_slope sklearn_offset", rows)


def drifts():
    rows = []
    for case in range(24):
        parts = [np.round(rng.normal(rng.uniform(-1, 1), rng.choice([0.0, 0.1, 0.5]), int(rng.integers(50, 500))), 3) for _ in range(3)]
        if case % 3 == 0:
            parts = [(rng.random(int(rng.integers(100, 600))) < q).astype(float) for q in rng.random(3)]
        x = np.concatenate(parts)
        delta, clock, shortest, grace = float(rng.choice([0.002, 0.05])), int(rng.choice([1, 32])), int(rng.choice([1, 5])), 10
        # The window itself, which goes on after a change; `update` of the wrapper would empty it.
        window = drift.ADWIN(delta=delta, clock=clock, min_window_length=shortest, grace_period=grace)._helper
        found = [i for i, v in enumerate(x) if window.update(float(v))]
        rows.append(["adwin", many(x), f"{delta};{clock};{shortest};{grace}", many(found), window.get_width(), window.get_total() / window.get_width(), window.get_variance()])
        tolerance, threshold, fading = float(rng.choice([0.005, 0.05])), float(rng.choice([5.0, 20.0])), float(rng.choice([1.0, 0.9999]))
        test = drift.PageHinkley(min_instances=30, delta=tolerance, threshold=threshold, alpha=fading)
        found = []
        for i, v in enumerate(x):
            test.update(float(v))
            if test.drift_detected:
                found.append(i)
        rows.append(["page_hinkley", many(x), f"30;{tolerance};{threshold};{fading}", many(found), int(test._x_mean.n), test._x_mean.get(), 0.0])
    write("drift", "kind x parameters found width mean variance", rows)


def thompson():
    """Probability that the first arm is the better one, by quadrature; each arm's outcomes give its posterior."""
    rows = []
    for a, b, c, d in [(0, 0, 0, 0), (7, 3, 2, 4), (1, 20, 3, 30), (40, 30, 50, 45), (0, 4, 0, 3), (200, 100, 3, 2)]:
        first, second = stats.beta(1 + a, 1 + b), stats.beta(1 + c, 1 + d)
        p, _ = integrate.quad(lambda t: first.pdf(t) * second.cdf(t), 0, 1, epsabs=1e-12, limit=200)
        rows.append(["beta", 1.0, 1.0, 1.0, f"{a};{b};{c};{d}", p, 0.0, 0.0])
    for a, b, c, d in [(0, 1, 1, 0), (3, 1, 1, 5)]:
        first, second = stats.beta(0.3 + a, 0.4 + b), stats.beta(0.3 + c, 0.4 + d)
        draws = rng.beta(0.3 + a, 0.4 + b, 4_000_000) > rng.beta(0.3 + c, 0.4 + d, 4_000_000)
        rows.append(["beta", 0.3, 0.4, 1.0, f"{a};{b};{c};{d}", draws.mean(), 0.0, 0.0])
    for n, m in [(1, 1), (3, 8), (10, 4)]:
        mean, var, noise = 0.1, 2.0, 0.5
        x, y = rng.normal(0.3, 0.7, n), rng.normal(0.1, 0.7, m)
        post = []
        for z in (x, y):
            # The posterior by quadrature of prior times likelihood.
            f = lambda u: np.exp(-((u - mean) ** 2) / (2 * var) - ((z - u) ** 2).sum() / (2 * noise) + ((z - z.mean()) ** 2).sum() / (2 * noise))
            at = z.mean()
            i = [integrate.quad(lambda u: u**k * f(u), at - 12, at + 12, points=[at], epsabs=1e-14, limit=500)[0] for k in range(3)]
            post.append((i[1] / i[0], i[2] / i[0] - (i[1] / i[0]) ** 2))
        (m1, v1), (m2, v2) = post
        rows.append(["gaussian", mean, var, noise, many(x) + "|" + many(y), stats.norm.cdf((m1 - m2) / np.sqrt(v1 + v2)), m1, v1])
    write("thompson", "kind prior_a prior_b noise outcomes first_is_better mean variance", rows)


def linucb():
    rows = []
    for case in range(12):
        arms, d, T = int(rng.integers(2, 6)), int(rng.integers(1, 5)), 60
        width, penalty = rng.choice([0.0, 0.5, 2.0]), rng.choice([1.0, 0.3])
        theta = rng.normal(size=(arms, d))
        X = rng.normal(size=(T, d))
        R = X @ theta.T + rng.normal(0, 0.3, (T, arms))
        A, b, chosen = [penalty * np.eye(d) for _ in range(arms)], np.zeros((arms, d)), []
        bound = lambda k, x: np.linalg.solve(A[k], b[k]) @ x + width * np.sqrt(x @ np.linalg.solve(A[k], x))
        for x, r in zip(X, R):
            k = int(np.argmax([bound(j, x) for j in range(arms)]))
            A[k] += np.outer(x, x)
            b[k] += r[k] * x
            chosen.append(k)
        rows.append([arms, d, width, penalty, many(X), many(R), many(chosen), many([bound(k, X[0]) for k in range(arms)])])
    write("linucb", "arms features width penalty contexts rewards chosen bounds", rows)


for table in (ridge, logistic, gradient, isotonic, platt, drifts, thompson, linucb):
    table()
