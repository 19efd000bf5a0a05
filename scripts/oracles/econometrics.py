"""Writes crates/quant/oracles/econometrics_series.csv (inputs) and econometrics.csv (expected values).

Usage: python scripts/oracles/econometrics.py SAMPLES_FOLDER
Needs statsmodels 0.15.0, arch 8.0.0, hmmlearn 0.3.3, ruptures 1.1.10, nolds 0.6.1, scikit-learn 1.9.1, numpy, scipy.
SAMPLES_FOLDER is the project's samples folder.

Inputs: a line a series, `name,value,…`. Expected: `function,series,arguments,quantity,source,expected`; the series are
separated by `;`, each with the half-open window of rows that was used, `name[from:to]`; arguments are separated by `;`.
"""
import csv
import itertools
import sys
import warnings
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.stats.stattools import jarque_bera
from statsmodels.tsa.stattools import adfuller, acf, coint, kpss, pacf

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


def main():
    series = inputs(Path(sys.argv[1]))
    with open(OUT / "econometrics_series.csv", "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerows([k, *map(lambda v: repr(float(v)), x)] for k, x in series.items())
    t = Table(series)
    for family in [tails, regressions, unit_roots, cointegration, serial]:
        family(t)
    with open(OUT / "econometrics.csv", "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["function", "series", "arguments", "quantity", "source", "expected"])
        out.writerows(t.rows)
    print(len(t.rows), "rows")


if __name__ == "__main__":
    main()
