"""Writes crates/agents/oracles/*.csv: what the agents say about real prices, computed without their code.

Usage: python scripts/oracles/agents.py   (needs TA-Lib 0.8.2, pandas, numpy, and what indicators.py beside it needs)
Prices are those of samples/equities. Formulas are those of docs/agents.md; opinions of mean reversion are found by scanning
for their first bar and their last, not bar by bar; ranks are those of pandas.
"""
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import talib

sys.path.insert(0, str(Path(__file__).parent))
import indicators  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "crates/agents/oracles"
BARS = 460
# Swings of three average true ranges of 14 bars; half a per cent; 60 bars.
SWING = (3, 14)


def squash(x):
    return x / (1 + np.abs(x))


def agreement(factors):
    total = np.sum(np.abs(factors), axis=0)
    return np.where(total > 0, np.abs(np.sum(factors, axis=0)) / np.where(total > 0, total, 1), 0)


def deviation(x, n):
    return pd.Series(np.log(x)).diff().rolling(n).std(ddof=1).to_numpy()


def momentum(b, fast=20, slow=100, rsi=14, volatility=60):
    long, scale = talib.EMA(b.close, slow), talib.EMA(b.close, slow) * deviation(b.close, volatility)
    spread = (slow - fast) / (2 * np.sqrt(slow + fast))
    cross = 0.5 * squash((talib.EMA(b.close, fast) - long) / (scale * spread))
    breakout = (talib.RSI(b.close, rsi) - 50) / 200
    macd = 0.25 * squash(talib.MACD(b.close, 12, 26, 9)[2] / scale)
    trend = cross + breakout + macd
    boost = np.nan_to_num(indicators.confluence(b, *SWING, 0.005, 60)[0])
    side = np.nan_to_num(indicators.swings(b, *SWING)[1])
    fibonacci = np.where(side * np.sign(trend) > 0, trend * boost, 0)
    limit = np.clip(trend + fibonacci, -1, 1) - (trend + fibonacci)
    known = ~np.isnan(trend)
    return [np.where(known, x, np.nan) for x in [cross, breakout, macd, fibonacci, limit, agreement([cross, breakout, macd])]]


def mean_reversion(b, window=20, width=2, end=0, hold=20, trend=100):
    rolling = pd.Series(b.close).rolling(window)
    z = ((b.close - rolling.mean()) / rolling.std(ddof=0)).to_numpy()
    drift = pd.Series(b.close).pct_change(trend).to_numpy() / (deviation(b.close, trend) * np.sqrt(trend))
    levels = indicators.fibonacci(b, *SWING)[[9, 13]]
    left = (b.close >= levels.max(axis=0)) | (b.close <= levels.min(axis=0))
    side = np.zeros(len(b))
    known = ~np.isnan(z) & ~np.isnan(drift)
    t = 0
    while True:
        starts = np.flatnonzero(known & ~left & (np.abs(z) >= width))
        starts = starts[starts >= t]
        if len(starts) == 0:
            break
        start = starts[0]
        sign = -np.sign(z[start])
        after = np.arange(start + 1, len(b))
        back = after[sign * z[after] >= -end]
        t = back[0] if len(back) else len(b)
        stopped = after[left[after] | (after - start >= hold)]
        side[start : min([t, *stopped[:1]])] = sign
    bollinger = side / 2
    score = side / 2 * np.clip(np.abs(z) / width, 0, 1)
    against = np.clip(-side * drift / 2, 0, 1)
    factors = [bollinger, score, -(bollinger + score) * against]
    return [np.where(known, x, np.nan) for x in [*factors, agreement(factors)]]


def long_term(closes, rebalance=21, band=0.1, weights=(0.4, 0.4, 0.2)):
    """Rows of factors for every instrument; closes has a column an instrument."""
    returns = np.log(closes).diff()
    good = [closes.shift(21) / closes.shift(252) - 1, -returns.rolling(252).std(ddof=1), -(closes / closes.shift(21) - 1)]
    m = closes.shape[1]
    held, rows = None, {}
    for t in range(252, len(closes)):
        if (t - 252) % rebalance == 0:
            new = np.array([w * (2 * g.iloc[t].rank(method="average") - (m + 1)) / m for w, g in zip(weights, good)])
            keep = np.zeros(m, bool) if held is None else np.abs(new.sum(axis=0) - held.sum(axis=0)).round(9) < band
            held = new if held is None else np.where(keep, held, new)
        if (t - 252) % rebalance in (0, 10):
            rows[t] = held.copy()
    return rows


def cells(values):
    return ["" if np.isnan(x) else f"{x:.13g}" for x in values]


def write(name, head, lines):
    OUT.mkdir(exist_ok=True)
    with open(OUT / name, "w", newline="\n") as f:
        f.write(f"# TA-Lib {talib.__version__}, pandas {pd.__version__}, numpy {np.__version__}; made by scripts/oracles/agents.py\n")
        f.write("# An empty cell means no opinion; tolerance 1e-9 absolute\n" + head + "\n")
        f.writelines(",".join(line) + "\n" for line in lines)


def main():
    ohlcv = ROOT / "samples/equities/us4_ohlcv_2013_2023.csv"
    lines = []
    for symbol in ["AAPL", "NFLX"]:
        b = indicators.read(ohlcv, BARS, None, lambda r: r["symbol"] == symbol)
        for t, row in enumerate(zip(*momentum(b), *mean_reversion(b))):
            lines.append([symbol, str(t), *cells(row)])
    head = "symbol,bar,ema cross,rsi breakout,macd,fibonacci confluence,limit,confidence,bollinger,z-score,trend,confidence"
    write("us4.csv", head, lines)
    closes = pd.read_csv(ROOT / "samples/equities/us20_adjclose_1990_2022.csv", index_col=0).iloc[:BARS]
    rows = long_term(closes)
    lines = [[str(t), closes.columns[i], *cells(row[:, i])] for t, row in rows.items() for i in range(row.shape[1])]
    write("us20.csv", "bar,symbol,momentum 12-1,low volatility,short-term reversal", lines)


if __name__ == "__main__":
    main()
