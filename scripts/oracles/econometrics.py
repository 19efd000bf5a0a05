"""Writes crates/quant/oracles/econometrics_series.csv (inputs) and econometrics.csv (expected values).

Usage: python scripts/oracles/econometrics.py SAMPLES_FOLDER
Needs statsmodels 0.15.0, mpmath, arch 8.0.0, hmmlearn 0.3.3, ruptures 1.1.10, nolds 0.6.1, scikit-learn 1.9.1, numpy, scipy.
SAMPLES_FOLDER is the project's samples folder.

Inputs: a line a series, `name,value,…`. Expected: `function,series,arguments,quantity,source,expected`; the series are
separated by `;`, each with the half-open window of rows that was used, `name[from:to]`; arguments are separated by `;`.
"""
import csv
import itertools
import sys
import warnings
from pathlib import Path

import nolds
import numpy as np
import ruptures
import statsmodels.api as sm
from arch import arch_model
from arch.unitroot import VarianceRatio
from arch.univariate import EWMAVariance, ZeroMean
from hmmlearn.hmm import GaussianHMM
from scipy import stats
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.stats.stattools import jarque_bera
from statsmodels.tsa.statespace.kalman_filter import KalmanFilter
from statsmodels.tsa.stattools import adfuller, acf, coint, kpss, pacf
from statsmodels.tsa.vector_ar.vecm import coint_johansen
from sklearn.decomposition import PCA
from hmmlearn import _hmmc

warnings.simplefilter("ignore")
ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "crates/quant/oracles"
SM = "statsmodels"
TRENDS = ["n", "c", "ct", "ctt"]


def noise(n, seed):
    """Normal numbers that every version of numpy makes: a linear congruence and the normal quantile."""
    state, out = seed, []
    for _ in range(n):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append((state >> 11) / 2.0**53)
    return stats.norm.ppf(np.clip(np.array(out), 1e-12, 1 - 1e-12))


def inputs(samples):
    with open(samples / "equities/us20_adjclose_1990_2022.csv", newline="") as f:
        rows = list(csv.DictReader(f))[-600:]
    series = {name.lower(): np.log([float(r[name]) for r in rows]) for name in ["XOM", "CVX", "KO", "PEP", "JPM", "BAC", "UNH", "JNJ"]}
    with open(samples / "indices/sp500_close_1990_2022.csv", newline="") as f:
        close = np.array([float(r["close"]) for r in csv.DictReader(f)])
    returns = 100.0 * np.diff(np.log(close))
    series["sp500_2008"] = returns[4200:5200]
    series["sp500_2020"] = returns[-1000:]
    e = noise(600, 7)
    series["walk"] = np.cumsum(e)
    ar = [0.0]
    for x in noise(600, 11):
        ar.append(0.9 * ar[-1] + x)
    series["ar"] = np.array(ar[1:])
    series["noise"] = noise(600, 13)
    level = np.repeat([0.0, 2.0, -1.0, 1.5, 1.5], 120)
    series["steps"] = level + 0.7 * noise(600, 17)
    series["cointegrated"] = 0.5 + 1.7 * series["walk"] + series["ar"]
    return {k: np.round(v, 12) for k, v in series.items()}


class Table:
    def __init__(self, series):
        self.series, self.rows = series, []

    def window(self, name):
        base, _, rest = name.partition("[")
        x = self.series[base]
        if rest:
            a, b = rest[:-1].split(":")
            x = x[int(a) : int(b)]
        return x

    def add(self, function, names, arguments, source, **quantities):
        for quantity, value in quantities.items():
            for at, v in enumerate(np.atleast_1d(np.asarray(value, dtype=float)).ravel()):
                name = quantity if np.ndim(value) == 0 else f"{quantity}.{at}"
                self.rows.append([function, ";".join(names), ";".join(map(str, arguments)), name, source, repr(float(v))])


WINDOWS = ["[0:60]", "[100:350]", ""]
PRICES = ["xom", "cvx", "ko", "pep", "jpm", "bac", "unh", "jnj", "walk", "ar", "cointegrated"]


def regressions(t):
    for (y, x1, x2), w, trend in itertools.product(
        [("xom", "cvx", "jpm"), ("ko", "pep", "jnj"), ("cointegrated", "walk", "noise")], ["[0:60]", "[100:350]", ""], TRENDS
    ):
        names = [y + w, x1 + w, x2 + w]
        Y, X = t.window(names[0]), np.column_stack([t.window(n) for n in names[1:]])
        X = sm.tsa.add_trend(X, trend, prepend=True) if trend != "n" else X
        model = sm.OLS(Y, X)
        r = model.fit()
        t.add("ols", names, [trend, "nonrobust", 0, 0], SM, coefficient=r.params, rss=r.ssr, r_squared=r.rsquared)
        for cov, options in [("nonrobust", {}), ("HC0", {}), ("HC1", {}), ("HC2", {}), ("HC3", {}),
                             ("HAC", dict(maxlags=0)), ("HAC", dict(maxlags=5)), ("HAC", dict(maxlags=12, use_correction=True))]:
            r = model.fit(cov_type=cov, cov_kwds=options) if options else model.fit(cov_type=cov)
            lags = options.get("maxlags", 0)
            small = int(options.get("use_correction", False))
            t.add("ols", names, [trend, cov, lags, small], SM, error=r.bse, p=r.pvalues)


def unit_roots(t):
    for name, w, trend in itertools.product(PRICES, WINDOWS, TRENDS):
        x = t.window(name + w)
        for lags in [0, 1, 5, "aic", "bic"]:
            kw = dict(maxlag=lags, autolag=None) if isinstance(lags, int) else dict(autolag=lags.upper())
            s, p, used, rows, critical = adfuller(x, regression=trend, **kw)[:5]
            t.add("adf", [name + w], [trend, lags], SM, statistic=s, p=p, lags=used, rows=rows)
            if lags == 1:
                t.add("adf", [name + w], [trend, lags], SM, critical=[critical[k] for k in ("1%", "5%", "10%")])
    for name, w, trend, lags in itertools.product(PRICES + ["noise"], WINDOWS, ["c", "ct"], [0, 7, "legacy", "auto"]):
        s, p, used, critical = kpss(t.window(name + w), regression=trend, nlags=lags)[:4]
        t.add("kpss", [name + w], [trend, lags], SM, statistic=s, p=p, lags=used)


def cointegration(t):
    pairs = list(itertools.permutations(["xom", "cvx", "ko", "pep", "walk", "cointegrated"], 2))
    for (y, x), w, trend in itertools.product(pairs, ["[100:350]", ""], TRENDS):
        for lags in [0, 1, 3, "aic", "bic"] if trend in ("c", "ct") else [1, "aic"]:
            kw = dict(maxlag=lags, autolag=None) if isinstance(lags, int) else dict(autolag=lags)
            s, p, critical = coint(t.window(y + w), t.window(x + w), trend=trend, **kw)
            t.add("engle_granger", [y + w, x + w], [trend, lags], SM, statistic=s, p=p)
            if trend != "n" and lags == 1:
                t.add("engle_granger", [y + w, x + w], [trend, lags], SM, critical=critical)
    for names, trend in itertools.product([("xom", "cvx", "jpm"), ("ko", "pep", "jnj", "unh"), ("cointegrated", "walk", "noise"), ("xom", "cvx", "ko", "pep", "jpm", "bac")], ["c", "ct"]):
        s, p, critical = coint(t.window(names[0]), np.column_stack([t.window(n) for n in names[1:]]), trend=trend, maxlag=1, autolag=None)
        t.add("engle_granger", names, [trend, 1], SM, statistic=s, p=p, critical=critical)


def serial(t):
    for name, w in itertools.product(["xom", "ar", "noise", "sp500_2008"], ["[0:60]", "[100:350]", ""]):
        x = t.window(name + w)
        x = np.diff(x) if name == "xom" else x
        lb = acorr_ljungbox(x, lags=15)
        t.add("serial", [name + w], ["difference" if name == "xom" else ""], SM, acf=acf(x, nlags=15)[1:], pacf=pacf(x, nlags=15, method="ldbiased")[1:],
              ljung_box=lb["lb_stat"].to_numpy(), ljung_box_p=lb["lb_pvalue"].to_numpy(),
              jarque_bera=jarque_bera(x)[0], jarque_bera_p=jarque_bera(x)[1])


def tails(t):
    for x, df in itertools.product([0.01, 0.5, 1.0, 3.0, 10.0, 40.0, 120.0], [1, 2, 3, 10, 35, 200]):
        t.add("tails", [], [x, df], "scipy", chi_squared=stats.chi2.sf(x, df), student=2 * stats.t.sf(x, df), f=stats.f.sf(x, df, 7))


def reversion(t):
    for name, w in itertools.product(["ar", "steps", "noise"], ["[0:60]", "[100:350]", ""]):
        x = t.window(name + w)
        fit = sm.OLS(np.diff(x), sm.add_constant(x[:-1])).fit()
        c, rho = fit.params
        if -1 < rho < 0:
            t.add("half_life", [name + w], [], SM, half_life=-np.log(2) / np.log(1 + rho), reversion=rho, error=fit.bse[1], mean=-c / rho, residual=np.sqrt(fit.mse_resid))
    for name, w, q, robust in itertools.product(PRICES, ["[0:60]", "[100:350]", ""], [2, 4, 8, 16], [True, False]):
        r = VarianceRatio(t.window(name + w), lags=q, trend="c", robust=robust)
        t.add("variance_ratio", [name + w], [q, int(robust)], "arch", ratio=r.vr, statistic=r.stat, p=r.pvalue)
    for name, w in itertools.product(PRICES, ["[0:301]", "[100:350]", ""]):
        d = np.diff(t.window(name + w))
        ns = nolds.logarithmic_n(4, 0.1 * len(d), 1.2)
        t.add("hurst", [name + w], [], "nolds", dfa=nolds.dfa(d, nvals=ns, overlap=False, order=1, fit_exp="poly"))
    for name in PRICES:
        # Lengths that divide the rows are cut alike from either end.
        r = nolds.hurst_rs(np.diff(t.window(name + "[0:241]")), nvals=[240, 120, 60, 30, 15], fit="poly", corrected=True, unbiased=False)
        t.add("rescaled_range", [name + "[0:241]"], [], "nolds", exponent=r)


def precise(t):
    """Where statsmodels inverts ill-conditioned products: the same formulas with 50 digits."""
    import mpmath as mp

    mp.mp.dps = 50
    matrix = lambda columns: mp.matrix([[mp.mpf(float(v)) for v in row] for row in zip(*columns)])
    gram_solve = lambda X, y: (X.T * X) ** -1 * (X.T * y)

    def residuals(X, y):
        return y - X * gram_solve(X, y)

    def dickey_fuller(x, trend, lags):
        n = len(x)
        d = [x[i + 1] - x[i] for i in range(n - 1)]
        rows = range(lags, n - 1)
        columns = [[mp.mpf((r - lags + 1) ** k) for r in rows] for k in range(trend)]
        columns += [[d[r - k] for r in rows] for k in range(1, lags + 1)] + [[x[r] for r in rows]]
        X, y = mp.matrix([list(row) for row in zip(*columns)]), mp.matrix([d[r] for r in rows])
        e = residuals(X, y)
        s2 = (e.T * e)[0] / (X.rows - X.cols)
        last = X.cols - 1
        return gram_solve(X, y)[last] / mp.sqrt(s2 * ((X.T * X) ** -1)[last, last])

    for name, trend, lags in itertools.product(["jnj", "ko[100:350]"], [0, 1, 2, 3], [1, 5]):
        x = [mp.mpf(float(v)) for v in t.window(name)]
        t.add("adf", [name], [TRENDS[trend], lags], "mpmath", statistic=float(dickey_fuller(x, trend, lags)))
    for (y, x), trend in itertools.product([("pep", "xom"), ("ko", "walk"), ("cointegrated[100:350]", "walk[100:350]")], [0, 1, 2, 3]):
        Y, X = t.window(y), t.window(x)
        columns = [np.arange(1, len(Y) + 1.0) ** k for k in range(trend)] + [X]
        e = residuals(matrix(columns), matrix([Y]))
        t.add("engle_granger", [y, x], [TRENDS[trend], 1], "mpmath", statistic=float(dickey_fuller(list(e), 0, 1)))
    for names, trend in itertools.product([["cointegrated[0:120]", "walk[0:120]", "ko[0:120]", "pep[0:120]", "unh[0:120]"], ["xom", "cvx"]], [0, 1]):
        levels = [t.window(n) for n in names]
        X = matrix(levels)
        centre = (lambda M: mp.matrix([[M[i, j] - mp.fsum(M[:, j]) / M.rows for j in range(M.cols)] for i in range(M.rows)])) if trend else (lambda M: M)
        X = centre(X)
        d = mp.matrix([[X[i + 1, j] - X[i, j] for j in range(X.cols)] for i in range(X.rows - 1)])
        z, d0, level = centre(d[: d.rows - 1, :]), centre(d[1:, :]), centre(X[1 : X.rows - 1, :])
        r0, rk = residuals(z, d0), residuals(z, level)
        n = r0.rows
        s00, skk, sk0 = r0.T * r0 / n, rk.T * rk / n, rk.T * r0 / n
        e = sorted((mp.re(v) for v in mp.eig(skk ** -1 * (sk0 * s00 ** -1 * sk0.T), left=False, right=False)), reverse=True)
        trace = [float(-n * mp.fsum(mp.log(1 - v) for v in e[r:])) for r in range(len(e))]
        t.add("johansen", names, [trend - 1, 1], "mpmath", eigenvalue=[float(v) for v in e], trace=trace)
    for (y, x), (start, drift, obs) in itertools.product([("xom[100:350]", "cvx[100:350]"), ("ko", "pep")], [(100.0, 1e-7, 1e-2), (1.0, 1e-5, 1e-3)]):
        b, P, hedge, intercept, errors = mp.matrix(2, 1), mp.eye(2) * start, [], [], []
        for u, v in zip(t.window(x), t.window(y)):
            h = mp.matrix([[1, mp.mpf(float(u))]])
            f = (h * P * h.T)[0] + mp.mpf(obs)
            e = mp.mpf(float(v)) - (h * b)[0]
            b, P = b + P * h.T * (e / f), P - P * h.T * h * P / f + mp.eye(2) * mp.mpf(drift)
            intercept.append(float(b[0])), hedge.append(float(b[1])), errors.append(float(e))
        t.add("kalman", [y, x], [start, drift, obs], "mpmath", hedge=hedge[::25], intercept=intercept[::25], innovation=errors[::25])


def volatility(t):
    for name, o, mean, dist in itertools.product(["sp500_2008", "sp500_2020", "sp500_2008[0:500]", "sp500_2020[300:1000]"], [0, 1], ["Zero", "Constant"], ["normal", "t"]):
        x = t.window(name)
        model = arch_model(x, mean=mean, vol="GARCH", p=1, o=o, q=1, dist=dist, rescale=False)
        r = model.fit(disp="off", tol=1e-14, options=dict(maxiter=5000))
        r = min([r, model.fit(disp="off", starting_values=r.params, tol=1e-15, options=dict(maxiter=5000))], key=lambda f: -f.loglikelihood)
        p = dict(r.params)
        args = [o, mean, dist]
        v = np.asarray(r.conditional_volatility) ** 2
        given = [p.get("mu", 0.0), p["omega"], p["alpha[1]"], p.get("gamma[1]", 0.0), p["beta[1]"], p.get("nu", np.inf)]
        # At arch's own parameters the likelihood and the variances are a comparison of formulas; at the maximum, of searches.
        t.add("garch_at", [name], args + [repr(float(g)) for g in given], "arch", log_likelihood=r.loglikelihood, variance=v[::50])
        t.add("garch", [name], args, "arch", log_likelihood=r.loglikelihood, parameter=given[:5], next=r.forecast(horizon=3).variance.to_numpy()[-1])
        if dist == "t":
            t.add("garch", [name], args, "arch", degrees=p["nu"])
    for name, lam in itertools.product(["sp500_2008", "sp500_2020[0:50]", "sp500_2020"], [0.94, 0.97]):
        m = ZeroMean(t.window(name), volatility=EWMAVariance(lam), rescale=False).fit(disp="off")
        t.add("ewma", [name], [lam], "arch", variance=np.asarray(m.conditional_volatility)[::10] ** 2)


def systems(t):
    for names, w, order, lags in itertools.product([("xom", "cvx"), ("xom", "cvx", "jpm"), ("xom", "walk", "noise", "ko"), ("cointegrated", "walk", "ko", "pep", "unh")], ["[0:120]", "[100:350]", ""], [-1, 0, 1], [0, 1, 3]):
        j = coint_johansen(np.column_stack([t.window(n + w) for n in names]), order, lags)
        vectors = [v * np.sign(v[np.argmax(np.abs(v))]) for v in j.evec.T]
        t.add("johansen", [n + w for n in names], [order, lags], SM, eigenvalue=j.eig, trace=j.lr1, largest=j.lr2, combination=np.array(vectors))
        if not w and lags == 0:
            t.add("johansen", [n + w for n in names], [order, lags], SM, trace_critical=j.cvt, largest_critical=j.cvm)
    for w in ["[0:60]", "[100:350]", ""]:
        names = [n + w for n in ["xom", "cvx", "ko", "pep", "jpm", "bac", "unh", "jnj"]]
        X = np.diff(np.column_stack([t.window(n) for n in names]), axis=0)
        for standardise in [0, 1]:
            Z = (X - X.mean(0)) / X.std(0, ddof=1) if standardise else X
            p = PCA(svd_solver="full").fit(Z)
            c = np.array([v * np.sign(v[np.argmax(np.abs(v))]) for v in p.components_])
            t.add("pca", names, [standardise], "scikit-learn", variance=p.explained_variance_, share=p.explained_variance_ratio_, component=c)
    for (y, x), w, (start, drift, obs) in itertools.product([("xom", "cvx"), ("ko", "pep"), ("cointegrated", "walk")], ["[100:350]", ""], [(1.0, 1e-5, 1e-3), (100.0, 1e-7, 1e-2), (10.0, 0.0, 1.0)]):
        Y, X = t.window(y + w), t.window(x + w)
        k = KalmanFilter(k_endog=1, k_states=2)
        k.bind(Y.copy())
        k["design"] = np.vstack([np.ones(len(X)), X])[None, :, :]
        k["obs_cov"], k["transition"], k["selection"], k["state_cov"] = [[obs]], np.eye(2), np.eye(2), np.eye(2) * drift
        k.initialize_known(np.zeros(2), np.eye(2) * start)
        f = k.filter()
        t.add("kalman", [y + w, x + w], [start, drift, obs], SM, log_likelihood=f.llf, hedge=f.filtered_state[1, ::25], intercept=f.filtered_state[0, ::25],
              innovation=f.forecasts_error[0, ::25], variance=f.forecasts_error_cov[0, 0, ::25], error=np.sqrt(np.diag(f.predicted_state_cov[:, :, -1])))


def regimes(t):
    for name, n in itertools.product(["sp500_2008", "sp500_2020", "sp500_2020[100:400]"], [2, 3]):
        x = t.window(name)[:, None]
        start, trans = np.full(n, 1 / n), np.full((n, n), 0.05 / (n - 1)) + np.eye(n) * (0.95 - 0.05 / (n - 1))
        means, covs = np.zeros((n, 1)), np.array([0.3, 2.0, 9.0])[:n, None]
        for steps in [1, 5, 60]:
            m = GaussianHMM(n, "diag", init_params="", n_iter=steps, tol=-np.inf, covars_prior=0.01)
            m.startprob_, m.transmat_, m.means_, m._covars_ = start.copy(), trans.copy(), means.copy(), covs.copy()
            m.fit(x)
            ll = m._compute_log_likelihood(x)
            _, forward = _hmmc.forward_log(m.startprob_, m.transmat_, ll)
            filtered = np.exp(forward - np.logaddexp.reduce(forward, axis=1)[:, None])
            t.add("hmm", [name], [n, steps], "hmmlearn", start=m.startprob_, transition=m.transmat_, mean=m.means_, variance=m._covars_, log_likelihood=m.score(x),
                  history=list(m.monitor_.history), filtered=filtered[::40], smoothed=m.predict_proba(x)[::40], path=m.predict(x)[::20])


def changes(t):
    for name, w, penalty in itertools.product(["steps", "sp500_2008", "ar", "walk", "noise"], ["[0:120]", ""], [1.0, 6.0, 30.0]):
        x = t.window(name + w)
        cuts = ruptures.Pelt(model="l2", min_size=1, jump=1).fit(x).predict(penalty)[:-1]
        t.add("level_changes", [name + w], [penalty, 1], "ruptures", count=len(cuts))
        if cuts:
            t.add("level_changes", [name + w], [penalty, 1], "ruptures", at=cuts)
    for name, penalty, least in itertools.product(["steps", "noise", "ar", "walk"], [3.0, 10.0], [3, 10]):
        # With pieces of several rows against the whole dynamic programme, which prunes nothing.
        x = t.window(name + "[100:350]")
        whole = ruptures.Dynp(model="l2", min_size=least, jump=1).fit(x)
        best = (np.inf, [])
        for k in range(0, min(40, len(x) // least - 1)):
            cuts = whole.predict(k) if k else [len(x)]
            cost = whole.cost.sum_of_costs(cuts) + penalty * k
            if cost < best[0]:
                best = (cost, cuts[:-1])
        t.add("level_changes", [name + "[100:350]"], [penalty, least], "ruptures Dynp", count=len(best[1]))
        if best[1]:
            t.add("level_changes", [name + "[100:350]"], [penalty, least], "ruptures Dynp", at=best[1])


def main():
    series = inputs(Path(sys.argv[1]))
    with open(OUT / "econometrics_series.csv", "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerows([k, *map(lambda v: repr(float(v)), x)] for k, x in series.items())
    t = Table(series)
    for family in [tails, regressions, unit_roots, cointegration, serial, reversion, volatility, systems, regimes, changes, precise]:
        family(t)
    with open(OUT / "econometrics.csv", "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["function", "series", "arguments", "quantity", "source", "expected"])
        out.writerows(t.rows)
    print(len(t.rows), "rows")


if __name__ == "__main__":
    main()
