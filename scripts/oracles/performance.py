"""Writes crates/quant/oracles/performance_returns.csv (inputs) and performance.csv (expected values).

Usage: python scripts/oracles/performance.py DATA_FOLDER
Needs empyrical-reloaded 0.7.1, quantstats 0.0.86, statsmodels 0.15.0, risklabai 3.2.0, pandas, numpy, scipy.
DATA_FOLDER holds equities/us4_ohlcv_2013_2023.csv and crypto/btcusd_1d_2020_2021.csv.
"""
import csv
import importlib.util
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import empyrical as ep
import numpy as np
import pandas as pd
import quantstats.stats as qs
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.sandwich_covariance import S_hac_simple
from statsmodels.tools.numdiff import approx_fprime_cs
from statsmodels.tsa.stattools import acf

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "crates/quant/oracles"


def risklabai():
    """Its one file, without the learning libraries that the whole package imports."""
    folder = importlib.util.find_spec("RiskLabAI").submodule_search_locations[0]
    path = f"{folder}/backtest/probabilistic_sharpe_ratio.py"
    spec = importlib.util.spec_from_file_location("probabilistic_sharpe_ratio", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PSR = risklabai()


def closes(path, where=lambda row: True, day="date"):
    with open(path, newline="") as f:
        rows = [r for r in csv.DictReader(f) if where(r)][:301]
    return [r[day][:10] for r in rows], np.array([float(r["close"]) for r in rows])


def change(close):
    return close[1:] / close[:-1] - 1.0


def months(start, n):
    return pd.date_range(start, periods=n + 1, freq="ME")


def cases(data):
    """name: returns, benchmark's returns, dates (one more: that of the start), periods a year, risk-free rate a bar,
    benchmark Sharpe ratio a bar"""
    i = np.arange(48)
    us4 = data / "equities/us4_ohlcv_2013_2023.csv"
    aapl_days, aapl = closes(us4, lambda r: r["symbol"] == "AAPL")
    amzn_days, amzn = closes(us4, lambda r: r["symbol"] == "AMZN")
    assert aapl_days == amzn_days
    btc_days, btc = closes(data / "crypto/btcusd_1d_2020_2021.csv")
    other = lambda r: 0.5 * r + ((np.arange(len(r)) * 29) % 31 - 15) / 2048
    monthly, losing = ((i * i) % 23 - 9) / 512.0, ((i * 5) % 11 - 8) / 256.0
    trend = [0.0]
    for k in range(150):
        trend.append(0.6 * trend[-1] + ((k * 37) % 41 - 19) / 1024)
    trend = np.array(trend[1:])
    losses = -((np.arange(24) * 7) % 13 + 1) / 256.0
    two = np.array([0.25, -0.125])
    return {
        "aapl": (change(aapl), change(amzn), pd.DatetimeIndex(aapl_days), 252, 0.0, 0.0),
        "btcusd": (change(btc), other(change(btc)), pd.DatetimeIndex(btc_days), 365, 0.0001, 0.05),
        "monthly": (monthly, other(monthly), months("2014-12-31", 48), 12, 1 / 512, 0.0),
        "losing": (losing, other(losing), months("1998-10-31", 48), 12, 0.0, -0.1),
        "trend": (trend, other(trend), months("1999-12-31", 150), 12, 0.0, 0.0),
        "losses": (losses, other(losses), pd.bdate_range("2023-12-13", periods=25), 252, 0.0, 0.0),
        "two": (two, np.array([0.125, -0.125]), months("2020-01-31", 2), 4, 0.0, 0.0),
    }


EP, QS, SM, SP = "empyrical", "quantstats", "statsmodels", "scipy"
FORMULA = "formula"


def expected(r, b, days, ppy, rf, benchmark):
    x = r - rf
    n = len(r)
    dated = pd.Series(r, index=days[1:])
    equity = np.concatenate([[1.0], np.cumprod(1.0 + r)])
    peak = np.maximum.accumulate(equity)
    trough = int(np.argmax(1.0 - equity / peak))
    start = int(np.flatnonzero(equity[: trough + 1] == peak[trough])[-1])
    back = np.flatnonzero(equity[trough:] >= peak[trough])
    sr = x.mean() / x.std(ddof=1)
    skew, kurt = stats.skew(x), stats.kurtosis(x, fisher=False)
    error = np.sqrt((1 - skew * sr + (kurt - 1) / 4 * sr**2) / (n - 1))
    psr = lambda at: PSR.probabilistic_sharpe_ratio(sr, at, n, skew, kurt)
    spread = error**2 * (n - 1)
    rows = [
        ("total_return", ep.cum_returns_final(r), EP),
        ("cagr", ep.annual_return(r, annualization=ppy), EP),
        ("volatility", ep.annual_volatility(r, annualization=ppy), EP),
        ("sharpe_annual", ep.sharpe_ratio(r, risk_free=rf, annualization=ppy), EP),
        ("sharpe_annual", qs.sharpe(pd.Series(x, index=days[1:]), periods=ppy), QS),
        ("sharpe_error", error, "formula with scipy's moments"),
        ("probabilistic_sharpe", psr(benchmark), "risklabai"),
        ("sortino", ep.sortino_ratio(r, required_return=rf, annualization=ppy), EP),
        ("sortino", qs.sortino(pd.Series(x, index=days[1:]), periods=ppy), QS),
        ("downside_deviation", ep.downside_risk(r, rf, annualization=ppy), EP),
        ("calmar", ep.calmar_ratio(r, annualization=ppy), EP),
        ("calmar", qs.calmar(dated, periods=ppy), QS),
        ("omega", ep.omega_ratio(r, risk_free=rf, annualization=1), EP),
        ("omega(0.05)", ep.omega_ratio(r, required_return=0.05, annualization=ppy), EP),
        ("omega(0.05)", qs.omega(dated, required_return=0.05, periods=ppy), QS),
        ("drawdown_depth", -ep.max_drawdown(r), EP),
        ("drawdown_depth", -qs.max_drawdown(dated), QS),
        ("drawdown_start", start, FORMULA),
        ("drawdown_trough", trough, FORMULA),
        ("drawdown_recovery", trough + int(back[0]) if len(back) else None, FORMULA),
        ("longest_drawdown", longest(equity, days), FORMULA),
        ("quantstats ulcer index", qs.ulcer_index(dated), QS),
        ("skewness", skew, SP),
        ("kurtosis", kurt, SP),
        ("tail_ratio", ep.tail_ratio(r), EP),
        ("tail_ratio", qs.tail_ratio(dated), QS),
        ("hit_rate", qs.win_rate(dated), QS),
        ("payoff", qs.payoff_ratio(dated), QS),
        ("profit_factor", qs.profit_factor(dated), QS),
        ("kelly_bet", qs.kelly_criterion(dated), QS),
        ("kelly_leverage", x.mean() / x.var(ddof=1), "numpy"),
        ("beta", ep.beta(r, b, rf), EP),
        ("beta", qs.greeks(dated, pd.Series(b, index=days[1:]))["beta"], QS),
        ("empyrical alpha", ep.alpha(r, b, rf, annualization=ppy), EP),
        ("tracking_error", np.std(r - b, ddof=1) * np.sqrt(ppy), "numpy"),
        ("information_ratio", ep.excess_sharpe(r, b), EP),
        ("information_ratio", qs.information_ratio(dated, pd.Series(b, index=days[1:])), QS),
    ]
    days_below = qs.drawdown_details(qs.to_drawdown_series(dated))["days"].max()
    # A series that is below its start from the first row on has no drawdown there.
    if not np.isnan(days_below):
        rows.append(("quantstats drawdown days", int(days_below), QS))
    if n > 2:
        # pandas' corrections need three and four values.
        rows += [
            ("quantstats skew", qs.skew(dated), QS),
            ("quantstats kurtosis", qs.kurtosis(dated), QS),
            ("quantstats alpha", qs.greeks(pd.Series(x, index=days[1:]), pd.Series(b - rf, index=days[1:]), ppy)["alpha"], QS),
        ]
        line = sm.OLS(x, sm.add_constant(b - rf)).fit()
        for name, values in ("alpha", line.params[0]), ("beta", line.params[1]):
            rows.append((f"regression {name}", values, SM))
        rows += [("regression alpha_error", line.bse[0], SM), ("regression beta_error", line.bse[1], SM)]
        rows.append(("regression r_squared", line.rsquared, SM))
    for side, bars in ("up", b > 0), ("down", b < 0):
        value = None
        if bars.any():
            value = ep.annual_return(r[bars], annualization=ppy) / ep.annual_return(b[bars], annualization=ppy)
        rows.append((f"{side}_capture", value, EP))
    if ppy == 252:
        rows.append(("up_capture", ep.up_capture(r, b) if (b > 0).any() else None, EP))
    for tail in 0.01, 0.05, 0.25:
        rows.append((f"value_at_risk({tail})", -ep.value_at_risk(r, tail), EP))
        rows.append((f"expected_shortfall({tail})", -ep.conditional_value_at_risk(r, tail), EP))
        historical = -qs.conditional_value_at_risk(dated, confidence=1 - tail, method="historical")
        rows.append((f"quantstats expected shortfall({tail})", historical, QS))
        rows.append((f"quantstats value at risk({tail})", qs.value_at_risk(dated, confidence=1 - tail), QS))
    for p in 0.0, 0.1, 0.37, 1.0:
        rows.append((f"quantile({p})", np.quantile(r, p), "numpy"))
    for confidence in 0.9, 0.95:
        lead = sr - benchmark
        value = 1 + spread * (stats.norm.ppf(confidence) / lead) ** 2 if lead > 0 else None
        rows.append((f"minimum_track_record({confidence})", value, "formula with scipy's normal"))
    for trials, variance in (2, 0.01), (40, 0.0036):
        # Sharpe ratios with this population variance.
        half = np.sqrt(variance)
        at = PSR.benchmark_sharpe_ratio([half, -half] * (trials // 2))
        rows.append((f"deflated({trials} {variance}).benchmark", at, "risklabai"))
        rows.append((f"deflated({trials} {variance}).probability", psr(at), "risklabai"))
    for window in (w for w in (2, 20) if w <= n):
        rolling = ep.roll_sharpe_ratio(r, window=window, risk_free=rf, annualization=ppy)
        for k in range(0, len(rolling), 7):
            rows.append((f"rolling_sharpe({window})@{window - 1 + k}", rolling[k], EP))
    if n > 20:
        for k, value in enumerate(acf(x, nlags=12, adjusted=False, fft=False)[1:], 1):
            rows.append((f"autocorrelation({k})", value, SM))
        for q, lags, bandwidth in (1, 0, 0), (1, 0, 5), (12, 11, 5), (12, 3, 8), (20, 1, 4):
            for part, value in serial(x, q, lags, bandwidth).items():
                rows.append((f"serial({q} {lags} {bandwidth}).{part}", value, SM))
    table = ep.aggregate_returns(dated, "monthly")
    rows += [(f"month({y} {m})", v, EP) for (y, m), v in table.items()]
    eoy = qs.monthly_returns(dated)
    rows += [(f"month({y} {m})", v, QS) for (y, m) in table.index for v in [eoy.loc[str(y)].iloc[m - 1]]]
    rows += [(f"year({y})", v, EP) for y, v in ep.aggregate_returns(dated, "yearly").items()]
    return rows


def longest(equity, days):
    """By looking at every row: days until equity is back at least where it was, if it fell below in between."""
    spans = []
    for i in range(len(equity) - 1):
        if equity[i] == equity[: i + 1].max() and equity[i + 1] < equity[i]:
            back = np.flatnonzero(equity[i + 1 :] >= equity[i])
            end = i + 1 + back[0] if len(back) else len(equity) - 1
            spans.append((days[end] - days[i]).days)
    return max(spans) if spans else None


def serial(x, q, lags, bandwidth):
    """Lo (2002): the ratio of q bars by statsmodels' autocorrelations; its error by the delta method, with derivatives by
    complex steps and statsmodels' Newey-West matrix of the moment conditions."""
    n = len(x)
    d = x - x.mean()
    gamma = [(d[k:] * d[: n - k]).sum() / n for k in range(lags + 1)]
    weights = 2.0 * (q - np.arange(1, lags + 1))
    rho = acf(x, nlags=max(lags, 1), adjusted=False, fft=False)[1 : lags + 1]
    inside = q + (weights * rho).sum()
    if inside <= 0:
        return dict.fromkeys(("scale", "aggregated", "error"))
    scale = q / np.sqrt(inside)

    def ratio(theta):
        mean, variance, covariances = theta[0], theta[1], theta[2:]
        eta = q / np.sqrt(q + (weights * covariances / variance).sum())
        return np.array([eta * mean / np.sqrt(variance)])

    theta = np.array([x.mean(), *gamma])
    slopes = np.ravel(approx_fprime_cs(theta, ratio))
    products = [np.concatenate([np.zeros(k), d[k:] * d[: n - k]]) - gamma[k] for k in range(lags + 1)]
    conditions = np.column_stack([d, *products])
    covariance = S_hac_simple(conditions, nlags=bandwidth) / n
    return {
        "scale": scale,
        "aggregated": scale * x.mean() / x.std(ddof=1),
        "error": np.sqrt(slopes @ covariance @ slopes / n),
    }


def text(value):
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return ""
    return str(int(value)) if isinstance(value, (int, np.integer)) else repr(float(value))


def main(data):
    warnings.simplefilter("ignore")
    packages = ["empyrical-reloaded", "quantstats", "statsmodels", "risklabai", "scipy", "pandas", "numpy"]
    source = ", ".join(f"{p} {version(p)}" for p in packages)
    made = "made by scripts/oracles/performance.py"
    with open(OUT / "performance_returns.csv", "w", newline="\n") as f, open(OUT / "performance.csv", "w", newline="\n") as g:
        f.write(f"# Inputs of performance.csv, {made}: returns of the first 301 closes of AAPL (beside AMZN) and BTC-USD, and\n")
        f.write("# formulas; day: since 1970-01-01; the first row of a case is where its equity of 1 starts\n")
        f.write("case,periods_per_year,risk_free_per_period,benchmark_per_period,day,benchmark,return\n")
        g.write(f"# {source}; {made}; tolerance 1e-9 relative\n")
        g.write("# An empty value: undefined. formula: written out in the script after the source that the function names\n")
        g.write("case,metric,value,source\n")
        for name, (r, b, days, ppy, rf, benchmark) in cases(Path(data)).items():
            numbers = (days - pd.Timestamp(0)).days
            f.write(f"{name},{ppy},{rf!r},{benchmark!r},{numbers[0]},,\n")
            for day, y, x in zip(numbers[1:], b, r):
                f.write(f"{name},{ppy},{rf!r},{benchmark!r},{day},{float(y)!r},{float(x)!r}\n")
            for metric, value, origin in expected(r, b, days, ppy, rf, benchmark):
                g.write(f"{name},{metric},{text(value)},{origin}\n")


if __name__ == "__main__":
    main(sys.argv[1])
