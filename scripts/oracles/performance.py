"""Writes crates/quant/oracles/performance_returns.csv (inputs) and performance.csv (expected values).

Usage: python scripts/oracles/performance.py DATA_FOLDER   (needs empyrical-reloaded 0.7.1, numpy, scipy)
DATA_FOLDER holds equities/us4_ohlcv_2013_2023.csv and crypto/btcusd_1d_2020_2021.csv.
"""
import csv
import sys
from importlib.metadata import version
from pathlib import Path

import empyrical as ep
import numpy as np
from scipy import stats

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "crates/quant/oracles"


def returns_of(path, where=lambda row: True):
    with open(path, newline="") as f:
        close = np.array([float(r["close"]) for r in csv.DictReader(f) if where(r)])[:301]
    return close[1:] / close[:-1] - 1.0


def cases(data):
    i = np.arange(48)
    return {
        # name: returns, periods a year, risk-free a bar, benchmark Sharpe a bar
        "aapl": (returns_of(data / "equities/us4_ohlcv_2013_2023.csv", lambda r: r["symbol"] == "AAPL"), 252, 0.0, 0.0),
        "btcusd": (returns_of(data / "crypto/btcusd_1d_2020_2021.csv"), 365, 0.0001, 0.05),
        "monthly": (((i * i) % 23 - 9) / 512.0, 12, 1 / 512, 0.0),
        "losing": (((i * 5) % 11 - 8) / 256.0, 12, 0.0, -0.1),
        "two": (np.array([0.25, -0.125]), 4, 0.0, 0.0),
    }


def expected(r, ppy, rf, benchmark):
    x = r - rf
    n = len(r)
    equity = np.concatenate([[1.0], np.cumprod(1.0 + r)])
    peak = np.maximum.accumulate(equity)
    trough = int(np.argmax(1.0 - equity / peak))
    start = int(np.flatnonzero(equity[: trough + 1] == peak[trough])[-1])
    back = np.flatnonzero(equity[trough:] >= peak[trough])
    sr = x.mean() / x.std(ddof=1)
    skew, kurt = stats.skew(x), stats.kurtosis(x, fisher=False)
    error = np.sqrt((1 - skew * sr + (kurt - 1) / 4 * sr**2) / (n - 1))
    return {
        "total_return": ep.cum_returns_final(r),
        "cagr": ep.annual_return(r, annualization=ppy),
        "volatility": ep.annual_volatility(r, annualization=ppy),
        "sharpe_annual": ep.sharpe_ratio(r, risk_free=rf, annualization=ppy),
        "sortino": ep.sortino_ratio(r, required_return=rf, annualization=ppy),
        "drawdown_depth": -ep.max_drawdown(r),
        "drawdown_start": start,
        "drawdown_trough": trough,
        "drawdown_recovery": trough + int(back[0]) if len(back) else "",
        "skewness": skew,
        "kurtosis": kurt,
        "sharpe_error": error,
        "probabilistic_sharpe": stats.norm.cdf((sr - benchmark) / error),
        "hit_rate": np.sum(r > 0) / np.sum(r != 0),
    }


def main(data):
    source = f"empyrical-reloaded {version('empyrical-reloaded')}, scipy {version('scipy')}, numpy {np.__version__}"
    made = "made by scripts/oracles/performance.py"
    with open(OUT / "performance_returns.csv", "w", newline="\n") as f, open(OUT / "performance.csv", "w", newline="\n") as g:
        f.write(f"# Inputs of performance.csv, {made}: returns of the first 301 closes of AAPL and BTC-USD, and formulas\n")
        f.write("case,periods_per_year,risk_free_per_period,benchmark_per_period,return\n")
        g.write(f"# {source}; {made}; tolerance 1e-9 relative\n")
        g.write("# sharpe_error, probabilistic_sharpe: Bailey and Lopez de Prado (2012) with scipy's moments and normal\n")
        g.write("case,metric,value\n")
        for name, (r, ppy, rf, benchmark) in cases(Path(data)).items():
            for x in r:
                f.write(f"{name},{ppy},{rf!r},{benchmark!r},{float(x)!r}\n")
            for metric, value in expected(r, ppy, rf, benchmark).items():
                g.write(f"{name},{metric},{value if isinstance(value, (int, str)) else repr(float(value))}\n")


if __name__ == "__main__":
    main(sys.argv[1])
