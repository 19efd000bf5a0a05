"""Writes crates/quant/oracles/risk_returns.csv (inputs), risk.csv and allocation.csv (expected values).

Usage: python scripts/oracles/risk.py SAMPLES_FOLDER
Needs numpy, scipy, skfolio 1.12.2, mpmath, scikit-learn 1.9.1, PyPortfolioOpt 1.6.0, cvxpy 1.9.3 with clarabel.
SAMPLES_FOLDER holds equities/us20_adjclose_1990_2022.csv. Both families use the same returns: 20 names, 300 days to
2022-12-28, rounded to six digits. The others: measure, arguments, position, expected, source.
"""
import csv
import math
import sys
import warnings
from fractions import Fraction
from pathlib import Path

import cvxpy as cp
import mpmath as mp
import numpy as np
import pypfopt
import scipy.cluster.hierarchy as sch
import scipy.stats as st
from scipy.integrate import quad
from sklearn.covariance import ledoit_wolf, oas
from sklearn.decomposition import PCA
from skfolio import measures
from skfolio.optimization import RiskBudgeting
from skfolio.prior import EmpiricalPrior

warnings.filterwarnings("ignore")
OUT = Path(__file__).resolve().parents[2] / "crates/quant/oracles"
rows = []


def put(measure, arguments, values, source):
    for i, v in enumerate(np.ravel(values)):
        rows.append([measure, arguments, i, repr(float(v)), source])


def read(folder):
    with open(folder / "equities/us20_adjclose_1990_2022.csv", newline="") as f:
        lines = list(csv.reader(f))
    closes = np.array([[float(c) for c in line[1:]] for line in lines[-301:]])
    return lines[0][1:], np.round(closes[1:] / closes[:-1] - 1, 6)


def tail_of(pnl, tail):
    """skfolio's shortfall; its value at risk takes the next row where 1 - beta is rounded up, so that is sorted here"""
    var = -np.sort(pnl)[math.ceil(Fraction(str(tail)) * len(pnl)) - 1]
    return [var, measures.cvar(pnl, beta=1 - tail)]


def measures_of(R):
    pnl = R @ np.full(20, 0.05)
    for tail in (0.01, 0.025, 0.033, 0.05, 0.1):
        put("historical", tail, tail_of(pnl, tail), "skfolio 1.12.2")
    mp.mp.dps = 40
    for tail in (1e-4, 0.01, 0.05, 0.3, 0.6):
        z = mp.sqrt(2) * mp.erfinv(2 * mp.mpf(tail) - 1)
        put("normal", tail, [-0.001 - 0.02 * z, -0.001 + 0.02 * mp.npdf(z) / mp.mpf(tail)], "mpmath")
    for dof in (2.5, 4, 7.3, 30, 1000):
        for tail in (1e-4, 0.01, 0.05, 0.3):
            x = st.t.ppf(tail, dof)
            density = lambda t: mp.gamma((mp.mpf(dof) + 1) / 2) / mp.gamma(mp.mpf(dof) / 2) / mp.sqrt(dof * mp.pi) * (1 + t * t / dof) ** (-(mp.mpf(dof) + 1) / 2)
            cdf = lambda t: mp.betainc(mp.mpf(dof) / 2, 0.5, 0, dof / (dof + t * t), regularized=True) / 2
            x = mp.findroot(lambda t: cdf(t) - mp.mpf(tail), mp.mpf(x))
            scale = 0.02 * mp.sqrt((mp.mpf(dof) - 2) / dof)
            es = scale * density(x) / mp.mpf(tail) * (dof + x * x) / (mp.mpf(dof) - 1)
            put("student_t", f"{dof} {tail}", [-0.001 - scale * x, -0.001 + es], "mpmath")
    # the expansion itself by quadrature, not by the closed integral
    for s, k, tail in ((0.0, 0.0, 0.01), (-0.4, 1.2, 0.01), (-0.4, 1.2, 0.05), (0.3, 2.0, 0.025), (-0.8, 3.0, 0.01)):
        q = lambda z: z + (z * z - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s * s / 36
        z = st.norm.ppf(tail)
        es = quad(lambda t: -q(t) * st.norm.pdf(t), -40, z, epsabs=1e-14, epsrel=1e-13, limit=500)[0] / tail
        put("cornish_fisher", f"{s} {k} {tail}", [-0.001 - 0.02 * q(z), -0.001 + 0.02 * es], "scipy quadrature")
    # contributions by numeric derivative of the whole
    x, C, m = np.arange(20) * 1000.0 - 7000.0, np.cov(R, rowvar=False), R.mean(axis=0)
    for model, dof in (("normal", 0), ("student", 5)):
        z = st.norm.ppf(0.01) if model == "normal" else st.t.ppf(0.01, dof) * np.sqrt((dof - 2) / dof)
        total = lambda y: -z * np.sqrt(y @ C @ y) - m @ y
        put("contribution_total", model, total(x), "numpy")
        put("contribution_component", model, [x[i] * (total(x + h) - total(x - h)) / 2 for i in range(20) for h in [np.eye(20)[i]]], "numpy, differences")
    for hits, bars, tail in ((0, 250, 0.01), (4, 250, 0.01), (12, 250, 0.01), (10, 1000, 0.01), (60, 1000, 0.05)):
        log = lambda p: (bars - hits) * np.log1p(-p) + (hits * np.log(p) if hits else 0)
        ratio = 2 * (log(hits / bars) - log(tail))
        put("kupiec", f"{hits} {bars} {tail}", [ratio, st.chi2.sf(ratio, 1)], "scipy")
    var95 = -np.quantile(pnl, 0.06)
    hit = (-pnl > var95).astype(int)
    n = np.zeros((2, 2))
    for a, b in zip(hit, hit[1:]):
        n[a, b] += 1
    xl = lambda c, p: c * np.log(p) if c else 0.0
    ll = sum(xl(n[a, b], n[a, b] / n[a].sum()) for a in (0, 1) for b in (0, 1)) - sum(xl(n[:, b].sum(), n[:, b].sum() / n.sum()) for b in (0, 1))
    uc = 2 * (xl(300 - hit.sum(), 1 - hit.sum() / 300) + xl(hit.sum(), hit.sum() / 300) - xl(300 - hit.sum(), 0.95) - xl(hit.sum(), 0.05))
    put("christoffersen", "", [var95, 2 * ll, st.chi2.sf(2 * ll, 1), uc + 2 * ll, st.chi2.sf(uc + 2 * ll, 2)], "scipy")
    equity = np.concatenate([[1], np.cumprod(1 + pnl)])
    fall = 1 - equity[1:] / np.maximum.accumulate(equity)[1:]
    k = np.sort(fall)[::-1]
    put("drawdown", 0.05, [fall.max(), fall.mean(), k[14], k[:15].mean(), np.sqrt((fall**2).mean())], "numpy, n·tail whole")
    # the exponentially weighted path and filtered history
    v = np.mean(pnl[:30] ** 2)
    path = [v]
    for r in pnl:
        v = 0.94 * v + 0.06 * r * r
        path.append(v)
    s = np.sqrt(path)
    z = pnl / s[:-1] * s[-1]
    put("filtered", 0.05, tail_of(z, 0.05), "skfolio 1.12.2")
    C2 = C[:, [0, 5]] @ np.linalg.solve(C[np.ix_([0, 5], [0, 5])], [-0.1, 0.03])
    put("propagated", "", C2, "numpy")


def allocation(names, R):
    import pandas as pd
    C, m = np.cov(R, rowvar=False), R.mean(axis=0)
    put("sample", "", C, "numpy")
    lw, s = ledoit_wolf(R)
    put("ledoit_wolf", "", np.append(s, lw), "sklearn 1.9.1")
    c, s = oas(R)
    put("oas", "", np.append(s, c), "sklearn 1.9.1")
    D = pd.DataFrame(R, columns=names)
    cs = pypfopt.risk_models.CovarianceShrinkage(D, returns_data=True, frequency=1)
    c = cs.ledoit_wolf("constant_correlation").to_numpy()
    put("constant_correlation", "", np.append(cs.delta, c), "PyPortfolioOpt 1.6.0")
    e = D.ewm(alpha=0.06, adjust=True).cov(bias=True).iloc[-20:].to_numpy()
    put("weighted", 0.94, e, "pandas")
    p = PCA(3).fit(R)
    common = p.components_.T * p.explained_variance_ @ p.components_
    put("factors", 3, np.append(p.explained_variance_ratio_, common[np.triu_indices(20, 1)]), "sklearn 1.9.1")
    # Higham 2002, example of section 4; and its answer by semidefinite programming
    G = np.array([[2, -1, 0, 0], [-1, 2, -1, 0], [0, -1, 2, -1], [0, 0, -1, 2.0]])
    X = cp.Variable((4, 4), PSD=True)
    cp.Problem(cp.Minimize(cp.sum_squares(X - G)), [cp.diag(X) == 1]).solve(solver="CLARABEL", tol_gap_abs=1e-13, tol_gap_rel=1e-13, tol_feas=1e-13)
    put("higham", "", X.value, "cvxpy 1.9.3")
    rb = RiskBudgeting(prior_estimator=EmpiricalPrior(), risk_budget=None, solver_params=dict(tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)).fit(D)
    put("risk_parity", "", rb.weights_, "skfolio 1.12.2")
    # budgets 1, 2, ... by a general optimiser on the convex form
    b = np.arange(1, 21) / 210
    x = cp.Variable(20)
    L = np.linalg.cholesky(C * 1e4)
    cp.Problem(cp.Minimize(cp.sum_squares(L.T @ x) / 2 - b @ cp.log(x))).solve(solver="CLARABEL", tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    put("risk_budgets", "", x.value / x.value.sum(), "cvxpy 1.9.3")
    # PyPortfolioOpt 1.6.0 reads a name that this scipy no longer has.
    sch._LINKAGE_METHODS = {k: 0 for k in ("single", "complete", "average", "ward")}
    for linkage in ("single", "complete", "average", "ward"):
        h = pypfopt.HRPOpt(returns=D)
        w = h.optimize(linkage_method=linkage)
        put("hierarchical", linkage, [w[n] for n in names], "PyPortfolioOpt 1.6.0")
    tight = dict(solver="CLARABEL", tol_gap_abs=1e-13, tol_gap_rel=1e-13, tol_feas=1e-12)
    w0 = np.arange(1, 21) / 210

    def best(name, objective, limits, arguments=""):
        w = cp.Variable(20)
        pr = cp.Problem(cp.Maximize(objective(w)), [cp.sum(w) == 1] + limits(w))
        pr.solve(**tight)
        put(name, arguments, np.append(pr.value, w.value), "cvxpy 1.9.3 + clarabel")

    L = np.linalg.cholesky(C)
    utility = lambda w: m @ w - 5 * cp.sum_squares(L.T @ w)
    long = lambda w: [w >= 0, w <= 0.2]
    best("utility", utility, long, "bounds")
    best("utility", utility, lambda w: long(w) + [cp.norm1(w - w0) <= 0.3], "turnover")
    best("utility", lambda w: utility(w) - 2e-4 * cp.norm1(w - w0), long, "costs")
    best("utility", lambda w: utility(w) - 1e-4 * cp.norm1(w - w0), lambda w: long(w) + [cp.norm1(w - w0) <= 0.3, cp.sum(w[:5]) <= 0.15, cp.sum(w[10:]) >= 0.5], "groups")
    best("utility", utility, lambda w: [w >= -0.1, w <= 0.3], "short")
    best("least_variance", lambda w: -1e4 * cp.sum_squares(L.T @ w), long)
    e = m - 1e-5
    y, k = cp.Variable(20), cp.Variable(nonneg=True)
    cp.Problem(cp.Minimize(cp.sum_squares(L.T @ y) * 1e2), [e @ y == 0.1, cp.sum(y) == k, y >= 0, y <= 0.3 * k]).solve(**tight)
    w = y.value / k.value
    put("sharpe", "", np.append(e @ w / np.sqrt(w @ C @ w), w), "cvxpy 1.9.3 + clarabel")
    for arguments, extra in (("free", None), ("return", 5e-4)):
        w, a, u = cp.Variable(20), cp.Variable(), cp.Variable(300, nonneg=True)
        s = [cp.sum(w) == 1, w >= 0, w <= 0.3, u >= -R @ w - a] + ([m @ w >= extra] if extra else [])
        pr = cp.Problem(cp.Minimize(a + cp.sum(u) / (0.05 * 300)), s)
        pr.solve(**tight)
        put("cvar", arguments, pr.value, "cvxpy 1.9.3 + clarabel")
    mm = np.where(np.arange(20) % 2, 2, 0.5)
    best("growth", lambda w: cp.sum(cp.log(1 + (R * mm + 1e-3) @ w)) / 300, lambda w: [w >= 0, w <= 0.3])
    market = w0
    P = np.zeros((2, 20)); P[0, 0] = 1; P[1, 3], P[1, 4] = 1, -1
    q = np.array([0.002, 0.0005])
    pi = 3 * C @ market
    bl = pypfopt.BlackLittermanModel(C, pi=pi, P=P, Q=q, tau=0.05)
    put("black_litterman_means", "", bl.bl_returns(), "PyPortfolioOpt 1.6.0")
    put("black_litterman_covariance", "", bl.bl_cov(), "PyPortfolioOpt 1.6.0")
    put("kelly", "", 0.5 * np.linalg.solve(C, m - 1e-5), "numpy")


names, R = read(Path(sys.argv[1]))
with open(OUT / "risk_returns.csv", "w", newline="") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow(names)
    out.writerows([[repr(float(v)) for v in r] for r in R])
measures_of(R)
with open(OUT / "risk.csv", "w", newline="") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow(["measure", "arguments", "position", "expected", "source"])
    out.writerows(rows)
rows.clear()
allocation(names, R)
# What stands before the weights or the matrix is of another size: a measure of its own.
FIRST = {"ledoit_wolf": ("intensity", 1), "oas": ("intensity", 1), "constant_correlation": ("intensity", 1), "factors": ("explained", 3)}
FIRST |= {m: ("value", 1) for m in ("utility", "least_variance", "sharpe", "growth")}
for r in rows:
    name, n = FIRST.get(r[0], ("", 0))
    if r[2] < n:
        r[0] += "_" + name
with open(OUT / "allocation.csv", "w", newline="") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow(["measure", "arguments", "position", "expected", "source"])
    out.writerows(rows)
