"""Writes crates/quant/oracles/indicators.csv: closes and what TA-Lib and numpy make of them.

Usage: python scripts/oracles/indicators.py DATA_FOLDER   (needs TA-Lib 0.8.2, numpy)
DATA_FOLDER holds equities/us4_ohlcv_2013_2023.csv and crypto/btcusd_1d_2020_2021.csv.
Every period starts each function afresh on the whole series; unstable period 0, default compatibility.
"""
import csv
import sys
from pathlib import Path

import numpy as np
import talib

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "crates/quant/oracles/indicators.csv"


def column(path, name, where=lambda row: True):
    with open(path, newline="") as f:
        return np.array([float(r[name]) for r in csv.DictReader(f) if where(r)])


def wave(n):
    """A trend with two swings, integers over 64: the same bits on every machine."""
    i = np.arange(n)
    return (6400 + 5 * i + 64 * ((i * i) % 97) - 32 * ((i * 7) % 31)) / 64.0


def ema_first(close, n):
    """EMA seeded with the first close, printed from bar n-1 on (pandas ewm(adjust=False))."""
    out = np.full(len(close), np.nan)
    e, a = close[0], 2.0 / (n + 1)
    for i, x in enumerate(close):
        if i:
            e = (1.0 - a) * e + a * x
        if i >= n - 1:
            out[i] = e
    return out


def realised_vol(close, n):
    out = np.full(len(close), np.nan)
    r = np.log(close[1:] / close[:-1])
    for i in range(n, len(close)):
        out[i] = np.std(r[i - n : i], ddof=1)
    return out


def main(data):
    data = Path(data)
    series = {
        "aapl": column(data / "equities/us4_ohlcv_2013_2023.csv", "close", lambda r: r["symbol"] == "AAPL")[:400],
        "btcusd": column(data / "crypto/btcusd_1d_2020_2021.csv", "close")[:400],
        "wave": wave(200),
        "constant": np.full(60, 12.34),
        "short": wave(10),
    }
    columns = {
        "ema_2": lambda c: talib.EMA(c, 2),
        "ema_12": lambda c: talib.EMA(c, 12),
        "ema_50": lambda c: talib.EMA(c, 50),
        "ema_first_12": lambda c: ema_first(c, 12),
        "rsi_2": lambda c: talib.RSI(c, 2),
        "rsi_14": lambda c: talib.RSI(c, 14),
        "macd": lambda c: talib.MACD(c, 12, 26, 9)[0],
        "macd_signal": lambda c: talib.MACD(c, 12, 26, 9)[1],
        "macd_hist": lambda c: talib.MACD(c, 12, 26, 9)[2],
        "macd_5_8_3": lambda c: talib.MACD(c, 5, 8, 3)[0],
        "macd_5_8_3_signal": lambda c: talib.MACD(c, 5, 8, 3)[1],
        "sma_5": lambda c: talib.SMA(c, 5),
        "sma_20": lambda c: talib.SMA(c, 20),
        "momentum_10": lambda c: talib.ROCP(c, 10),
        "vol_20": lambda c: realised_vol(c, 20),
    }
    with open(OUT, "w", newline="\n") as f:
        f.write(f"# TA-Lib {talib.__version__} (EMA, RSI, MACD, SMA, ROCP), numpy {np.__version__} (vol: std of log ")
        f.write("returns, ddof=1; ema_first: recursion in Python). Made by scripts/oracles/indicators.py\n")
        f.write("# Tolerance: 1e-9 relative to max(|value|, 1e-6 of the close); an empty cell means no value yet\n")
        f.write("# aapl: first 400 closes of us4_ohlcv_2013_2023.csv; btcusd: of btcusd_1d_2020_2021.csv; wave, constant, short: formulas\n")
        f.write(",".join(["series", "close", *columns]) + "\n")
        for name, close in series.items():
            table = [fn(close) for fn in columns.values()]
            for i, x in enumerate(close):
                cells = ["" if np.isnan(c[i]) else repr(float(c[i])) for c in table]
                f.write(",".join([name, repr(float(x)), *cells]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
