"""Writes crates/quant/oracles/indicators.csv: bars, and what TA-Lib, pandas, numpy and nolds make of them; and
indicators_variants.csv beside it: TA-Lib's functions with more parameters than an indicator has by name.

Usage: python scripts/oracles/indicators.py DATA_FOLDER   (needs TA-Lib 0.8.2, pandas, numpy, nolds 0.6.3)
DATA_FOLDER holds equities/us4_ohlcv_2013_2023.csv and crypto/btcusd_1d_2020_2021.csv.
A column is named as the indicator, its parameters and its line are named in the registry of the crate. Every period
starts each function afresh on the whole series; unstable period 0, default compatibility where nothing else is said.
"""
import csv
import sys
from pathlib import Path

import nolds
import numpy as np
import pandas as pd
import talib

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "crates/quant/oracles/indicators.csv"
FIELDS = ["open", "high", "low", "close", "volume", "other"]


class Bars:
    """Arrays of one length: open, high, low, close, volume, and a second series."""

    def __init__(self, columns):
        self.__dict__.update({name: np.asarray(columns[name], dtype=float) for name in FIELDS})

    def __len__(self):
        return len(self.close)


def read(path, n, other, where=lambda row: True):
    with open(path, newline="") as f:
        rows = [r for r in csv.DictReader(f) if where(r)][:n]
    columns = {name: [float(r[name]) for r in rows] for name in FIELDS[:5]}
    return Bars({**columns, "other": other if other is not None else columns["open"]})


def wave(n, missing=0):
    """A trend with two swings, integers over 64: the same bits on every machine. The first bars may be missing."""
    i = np.arange(n)
    close = (6400 + 5 * i + 64 * ((i * i) % 97) - 32 * ((i * 7) % 31)) / 64.0
    open_ = (6400 + 5 * i + 64 * (((i + 1) * i) % 89) - 32 * ((i * 5) % 29)) / 64.0
    columns = {
        "open": open_,
        "high": np.maximum(open_, close) + ((i * 11) % 64) / 64.0,
        "low": np.minimum(open_, close) - ((i * 13) % 64) / 64.0,
        "close": close,
        "volume": 1000.0 + 8 * ((i * i * 3) % 101),
        "other": (6400 + 64 * ((i * i) % 61) + 32 * ((i * 7) % 31)) / 64.0,
    }
    for column in columns.values():
        column[:missing] = np.nan
    return Bars(columns)


def constant(n, x):
    return Bars({**{name: np.full(n, x) for name in FIELDS}, "volume": np.full(n, 1e6)})


def first(x, n):
    """pandas' average that starts at the first value."""
    return pd.Series(x).ewm(span=n, adjust=False).mean().to_numpy(copy=True)


def late(x, bars):
    """x without the first bars that it has."""
    out = x.copy()
    out[np.flatnonzero(~np.isnan(x))[:bars]] = np.nan
    return out


def windows(n, function, *series, skip=0):
    """`function` of the last n values of each series, from the n-th bar on after `skip` bars and missing ones."""
    out = np.full(len(series[0]), np.nan)
    for i in range(n - 1 + skip, len(out)):
        cut = [s[i - n + 1 : i + 1] for s in series]
        if not any(np.isnan(c).any() for c in cut):
            out[i] = function(*cut)
    return out


def log_returns(x):
    return np.concatenate([[np.nan], np.log(x[1:] / x[:-1])])


def z_score(x):
    return (x[-1] - x.mean()) / x.std() if np.ptp(x) > 0 else np.nan


def momentum(x, n, skip):
    out = np.full(len(x), np.nan)
    out[n:] = x[n - skip : len(x) - skip] / x[: len(x) - n] - 1.0
    return out


def correlation(b, n):
    """TA-Lib's, without the 0 that it gives where a side is constant."""
    flat = windows(n, lambda x, y: float(np.ptp(x) == 0 or np.ptp(y) == 0), b.close, b.other)
    return np.where(flat == 1.0, np.nan, talib.CORREL(b.close, b.other, n))


def beta(b, n):
    slope = lambda x, y: np.cov(x, y)[0, 1] / np.var(y, ddof=1) if np.ptp(y) > 0 else np.nan
    return windows(n, slope, b.close, b.other)


def hurst(b, n, corrected):
    """Rescaled range of the last n returns, in runs of n, n/2, n/4, ..., at least 8, from the newest on."""
    lengths = [n >> k for k in range(20) if n >> k >= 8]
    one = lambda r: nolds.hurst_rs(r[::-1], lengths, fit="poly", corrected=corrected, unbiased=False)
    return windows(n, lambda r: one(r) if np.ptp(r) > 0 else np.nan, log_returns(b.close))


def middle(b, n):
    return (talib.MAX(b.high, n) + talib.MIN(b.low, n)) / 2


def pivots(b):
    high, low, close = (np.concatenate([[np.nan], x[:-1]]) for x in (b.high, b.low, b.close))
    p = (high + low + close) / 3
    return p, 2 * p - low, 2 * p - high, p + (high - low), p - (high - low)


def trend(b, n, width):
    """TA-Lib's whole numbers, without the 0 before the first."""
    stop, trend = talib.SUPERTREND(b.high, b.low, b.close, n, width)
    return np.where(np.isnan(stop), np.nan, trend.astype(float))


def late_zeros(x, close, bars):
    """TA-Lib's whole numbers, without the zeros before the first: `bars` after the first close."""
    out = x.astype(float)
    out[: np.flatnonzero(~np.isnan(close))[0] + bars] = np.nan
    return out


def sar(b, *parameters):
    """TA-Lib's stop, and its sign, which is the trend."""
    signed = talib.SAREXT(b.high, b.low, *parameters)
    return np.abs(signed), np.sign(signed)


def relative_vigor(b, n):
    """Ehlers' formula by convolutions; both lines from the signal's first value on."""
    weights = lambda x: np.convolve(x, [1 / 6, 2 / 6, 2 / 6, 1 / 6], mode="full")[: len(x)]
    ok = ~np.isnan(b.close)
    body, spread = weights((b.close - b.open)[ok]), weights((b.high - b.low)[ok])
    total = lambda x: np.convolve(x, np.ones(n), mode="full")[: len(x)]
    body[:3], spread[:3] = 0.0, 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        value = total(body) / total(spread)
    value[: n + 2] = np.nan
    signal = np.full(len(value), np.nan)
    for t in range(n + 5, len(value)):
        signal[t] = np.dot(value[t - 3 : t + 1], [1 / 6, 2 / 6, 2 / 6, 1 / 6])
    value[np.isnan(signal)] = np.nan
    out = np.full((2, len(ok)), np.nan)
    out[:, ok] = value, signal
    return out


# Turning points that supports and confluence remember.
MEMORY = 20


def turns(b, width, n):
    """Turning points (bar, price, sign, bar of confirmation), each found by one scan from the one before."""
    ok = np.flatnonzero(~np.isnan(b.high))
    begin = ok[0] if n == 0 else ok[0] + n
    reach = np.abs(b.high) * width / 100 if n == 0 else width * talib.ATR(b.high, b.low, b.close, n)
    reach_low = np.abs(b.low) * width / 100 if n == 0 else reach

    def end_of_leg(sign, start):
        """Extreme of the leg from `start` on in the direction of sign, and the first later bar that is away enough."""
        own, other, away = (b.high, b.low, reach) if sign > 0 else (-b.low, -b.high, reach_low)
        running = np.maximum.accumulate(own[start:])
        at = start + np.array([np.argmax(own[start : t + 1]) for t in range(start, len(own))], dtype=int)
        fall = running - other[start:]
        ended = (fall > 0) & (fall >= away[at]) & (at < np.arange(start, len(own)))
        if not ended.any():
            return None
        t = int(np.argmax(ended))
        return int(at[t]), float(sign * running[t]), sign, start + t

    if begin >= len(b):
        return []
    firsts = [x for x in (end_of_leg(-1, begin), end_of_leg(1, begin)) if x]
    found = sorted(firsts, key=lambda x: x[3])[:1]
    while found and (after := end_of_leg(-found[-1][2], found[-1][3])):
        found.append(after)
    return found


def by_bar(b, function, lines, width, n):
    """`function` of each bar and the turning points known at it, newest first; nothing where it gives None."""
    found = turns(b, width, n)
    out = np.full((lines, len(b)), np.nan)
    for t in range(len(b)):
        known = [x for x in found if x[3] <= t][::-1]
        values = function(t, known) if known else None
        if values is not None:
            out[:, t] = values
    return out


def swings(b, width, n):
    def lines(t, known):
        bar, price, sign, confirmed = known[0]
        extreme = b.low[confirmed : t + 1].min() if sign > 0 else b.high[confirmed : t + 1].max()
        return price, sign, t - bar, t - confirmed, extreme

    return by_bar(b, lines, 5, width, n)


def leg_levels(a, z):
    share = np.array([23.6, 38.2, 50, 61.8, 78.6, -27.2, -41.4, -61.8, -161.8, 127.2, 141.4, 161.8, 261.8]) / 100
    return z + share * (a - z)


def fibonacci(b, width, n):
    return by_bar(b, lambda t, k: [k[1][1], k[0][1], *leg_levels(k[1][1], k[0][1])] if len(k) > 1 else None, 15, width, n)


def weight(level, t, pivots, tolerance, half_life):
    near = [x for x in pivots if abs(x[1] - level) <= tolerance * abs(level)]
    return len(near), sum(0.5 ** ((t - x[0]) / half_life) for x in near)


def nearest(b, sign, width, n, tolerance, half_life):
    def lines(t, known):
        known = known[:MEMORY]
        beyond = [x[1] for x in known if sign * x[1] >= sign * b.close[t]]
        if not beyond:
            return None
        level = min(beyond, key=lambda p: abs(p - b.close[t]))
        return level, *weight(level, t, known, tolerance, half_life)

    return by_bar(b, lines, 3, width, n)


def confluence(b, width, n, tolerance, half_life):
    def lines(t, known):
        if len(known) < 2:
            return None
        levels = leg_levels(known[1][1], known[0][1])
        scores = []
        for level in levels:
            far = abs(b.close[t] - level) / (tolerance * abs(level))
            strength = weight(level, t, known[2:MEMORY], tolerance, half_life)[1]
            scores.append(max(0, 1 - far) * (1 - 0.5**strength))
        best = int(np.argmax(scores)) if max(scores) > 0 else int(np.argmin(np.abs(b.close[t] - levels)))
        return 0.2 * scores[best], scores[best], levels[best]

    return by_bar(b, lines, 3, width, n)


# Name of the column: the function of the bars.
COLUMNS = {
    "acceleration_bands(10).upper": lambda b: talib.ACCBANDS(b.high, b.low, b.close, 10)[0],
    "acceleration_bands(10).middle": lambda b: talib.ACCBANDS(b.high, b.low, b.close, 10)[1],
    "acceleration_bands(10).lower": lambda b: talib.ACCBANDS(b.high, b.low, b.close, 10)[2],
    "accumulation()": lambda b: talib.AD(b.high, b.low, b.close, b.volume),
    "adx(7)": lambda b: talib.ADX(b.high, b.low, b.close, 7),
    "adxr(7).adx": lambda b: late(talib.ADX(b.high, b.low, b.close, 7), 6),
    "adxr(7).adxr": lambda b: talib.ADXR(b.high, b.low, b.close, 7),
    "aroon(10).up": lambda b: talib.AROON(b.high, b.low, 10)[1],
    "aroon(10).down": lambda b: talib.AROON(b.high, b.low, 10)[0],
    "aroon(10).oscillator": lambda b: talib.AROONOSC(b.high, b.low, 10),
    "atr(1)": lambda b: talib.ATR(b.high, b.low, b.close, 1),
    "atr(5)": lambda b: talib.ATR(b.high, b.low, b.close, 5),
    "atr(14)": lambda b: talib.ATR(b.high, b.low, b.close, 14),
    "average_deviation(10)": lambda b: talib.AVGDEV(b.close, 10),
    "average_volume(5)": lambda b: talib.SMA(b.volume, 5),
    "average_volume(20)": lambda b: talib.SMA(b.volume, 20),
    "awesome(5 12)": lambda b: talib.AO(b.high, b.low, 5, 12),
    "balance_of_power()": lambda b: talib.BOP(b.open, b.high, b.low, b.close),
    "beta(5)": lambda b: beta(b, 5),
    "beta(20)": lambda b: beta(b, 20),
    "bollinger(5 1.5).upper": lambda b: talib.BBANDS(b.close, 5, 1.5, 1.5)[0],
    "bollinger(5 1.5).lower": lambda b: talib.BBANDS(b.close, 5, 1.5, 1.5)[2],
    "bollinger(20 2).upper": lambda b: talib.BBANDS(b.close, 20, 2, 2)[0],
    "bollinger(20 2).middle": lambda b: talib.BBANDS(b.close, 20, 2, 2)[1],
    "bollinger(20 2).lower": lambda b: talib.BBANDS(b.close, 20, 2, 2)[2],
    "cci(10)": lambda b: talib.CCI(b.high, b.low, b.close, 10),
    "chaikin_money_flow(10)": lambda b: talib.CMF(b.high, b.low, b.close, b.volume, 10),
    "chaikin_oscillator(3 10)": lambda b: talib.ADOSC(b.high, b.low, b.close, b.volume, 3, 10),
    "chaikin_volatility(10 6)": lambda b: talib.CVI(b.high, b.low, 10, 6),
    "cmo(10)": lambda b: talib.CMO(b.close, 10),
    "confluence(3 0 0.5 30).boost": lambda b: confluence(b, 3, 0, 0.005, 30)[0],
    "confluence(3 0 0.5 30).score": lambda b: confluence(b, 3, 0, 0.005, 30)[1],
    "confluence(3 0 0.5 30).level": lambda b: confluence(b, 3, 0, 0.005, 30)[2],
    "confluence(3 0 0.5 30).from": lambda b: fibonacci(b, 3, 0)[0],
    "confluence(3 0 0.5 30).to": lambda b: fibonacci(b, 3, 0)[1],
    "confluence(1.5 7 2 15).boost": lambda b: confluence(b, 1.5, 7, 0.02, 15)[0],
    "confluence(1.5 7 2 15).score": lambda b: confluence(b, 1.5, 7, 0.02, 15)[1],
    "confluence(1.5 7 2 15).level": lambda b: confluence(b, 1.5, 7, 0.02, 15)[2],
    "confluence(1.5 7 2 15).from": lambda b: fibonacci(b, 1.5, 7)[0],
    "confluence(1.5 7 2 15).to": lambda b: fibonacci(b, 1.5, 7)[1],
    "coppock(5 6 9)": lambda b: talib.COPPOCK(b.close, 5, 6, 9),
    "correlation(5)": lambda b: correlation(b, 5),
    "correlation(20)": lambda b: correlation(b, 20),
    "cycle_average(3 20)": lambda b: talib.MAVP(b.close, talib.HT_DCPERIOD(b.close), 3, 20),
    "dema(5)": lambda b: talib.DEMA(b.close, 5),
    "dema(14)": lambda b: talib.DEMA(b.close, 14),
    "deviation(10).deviation": lambda b: talib.STDDEV(b.close, 10),
    "deviation(10).variance": lambda b: talib.VAR(b.close, 10),
    "directional(7).plus": lambda b: talib.PLUS_DI(b.high, b.low, b.close, 7),
    "directional(7).minus": lambda b: talib.MINUS_DI(b.high, b.low, b.close, 7),
    "directional(7).dx": lambda b: talib.DX(b.high, b.low, b.close, 7),
    "donchian(9).upper": lambda b: talib.DONCHIAN(b.high, b.low, 9)[0],
    "donchian(9).middle": lambda b: talib.MIDPRICE(b.high, b.low, 9),
    "donchian(9).lower": lambda b: talib.DONCHIAN(b.high, b.low, 9)[2],
    "dpo(2)": lambda b: talib.DPO(b.close, 2),
    "dpo(11)": lambda b: talib.DPO(b.close, 11),
    "dpo(20)": lambda b: talib.DPO(b.close, 20),
    "efficiency_ratio(10)": lambda b: talib.ER(b.close, 10),
    "elder_ray(13).bull": lambda b: talib.ERI(b.high, b.low, b.close, 13)[0],
    "elder_ray(13).bear": lambda b: talib.ERI(b.high, b.low, b.close, 13)[1],
    "ema(2 0)": lambda b: talib.EMA(b.close, 2),
    "ema(12 0)": lambda b: talib.EMA(b.close, 12),
    "ema(50 0)": lambda b: talib.EMA(b.close, 50),
    "ema(12 1)": lambda b: late(first(b.close, 12), 11),
    "fibonacci_extensions(4 0).on_1272": lambda b: fibonacci(b, 4, 0)[7],
    "fibonacci_extensions(4 0).on_1414": lambda b: fibonacci(b, 4, 0)[8],
    "fibonacci_extensions(4 0).on_1618": lambda b: fibonacci(b, 4, 0)[9],
    "fibonacci_extensions(4 0).on_2618": lambda b: fibonacci(b, 4, 0)[10],
    "fibonacci_extensions(4 0).beyond_1272": lambda b: fibonacci(b, 4, 0)[11],
    "fibonacci_extensions(4 0).beyond_1414": lambda b: fibonacci(b, 4, 0)[12],
    "fibonacci_extensions(4 0).beyond_1618": lambda b: fibonacci(b, 4, 0)[13],
    "fibonacci_extensions(4 0).beyond_2618": lambda b: fibonacci(b, 4, 0)[14],
    "fibonacci_retracements(4 0).from": lambda b: fibonacci(b, 4, 0)[0],
    "fibonacci_retracements(4 0).to": lambda b: fibonacci(b, 4, 0)[1],
    "fibonacci_retracements(4 0).back_236": lambda b: fibonacci(b, 4, 0)[2],
    "fibonacci_retracements(4 0).back_382": lambda b: fibonacci(b, 4, 0)[3],
    "fibonacci_retracements(4 0).back_500": lambda b: fibonacci(b, 4, 0)[4],
    "fibonacci_retracements(4 0).back_618": lambda b: fibonacci(b, 4, 0)[5],
    "fibonacci_retracements(4 0).back_786": lambda b: fibonacci(b, 4, 0)[6],
    "force_index(7)": lambda b: talib.EFI(b.close, b.volume, 7),
    "heikin_ashi().open": lambda b: talib.HA(b.open, b.high, b.low, b.close)[0],
    "heikin_ashi().high": lambda b: talib.HA(b.open, b.high, b.low, b.close)[1],
    "heikin_ashi().low": lambda b: talib.HA(b.open, b.high, b.low, b.close)[2],
    "heikin_ashi().close": lambda b: talib.HA(b.open, b.high, b.low, b.close)[3],
    "hilbert_period()": lambda b: talib.HT_DCPERIOD(b.close),
    "hilbert_phase()": lambda b: talib.HT_DCPHASE(b.close),
    "hilbert_phasor().in_phase": lambda b: talib.HT_PHASOR(b.close)[0],
    "hilbert_phasor().quadrature": lambda b: talib.HT_PHASOR(b.close)[1],
    "hilbert_sine().sine": lambda b: talib.HT_SINE(b.close)[0],
    "hilbert_sine().lead": lambda b: talib.HT_SINE(b.close)[1],
    "hilbert_trend_mode()": lambda b: late_zeros(talib.HT_TRENDMODE(b.close), b.close, 63),
    "hilbert_trendline()": lambda b: talib.HT_TRENDLINE(b.close),
    "hma(9)": lambda b: talib.HMA(b.close, 9),
    "hma(20)": lambda b: talib.HMA(b.close, 20),
    "hurst(16).corrected": lambda b: hurst(b, 16, True),
    "hurst(64).corrected": lambda b: hurst(b, 64, True),
    "hurst(64).plain": lambda b: hurst(b, 64, False),
    "hurst(107).corrected": lambda b: hurst(b, 107, True),
    "hurst(107).plain": lambda b: hurst(b, 107, False),
    "ichimoku(5 9 18).conversion": lambda b: late(middle(b, 5), 13),
    "ichimoku(5 9 18).base": lambda b: late(middle(b, 9), 9),
    "ichimoku(5 9 18).span_a": lambda b: late((middle(b, 5) + middle(b, 9)) / 2, 9),
    "ichimoku(5 9 18).span_b": lambda b: middle(b, 18),
    "intraday_momentum(10)": lambda b: talib.IMI(b.open, b.close, 10),
    "kama(10)": lambda b: talib.KAMA(b.close, 10),
    "kdj(9 3 3).k": lambda b: talib.KDJ(b.high, b.low, b.close, 9, 3, 13, 3, 13)[0],
    "kdj(9 3 3).d": lambda b: talib.KDJ(b.high, b.low, b.close, 9, 3, 13, 3, 13)[1],
    "kdj(5 4 2).j": lambda b: talib.KDJ(b.high, b.low, b.close, 5, 4, 13, 2, 13)[2],
    "keltner(10 5 1.5).upper": lambda b: talib.KC(b.high, b.low, b.close, 10, 5, 1.5)[0],
    "keltner(10 5 1.5).middle": lambda b: talib.KC(b.high, b.low, b.close, 10, 5, 1.5)[1],
    "keltner(5 10 2).lower": lambda b: talib.KC(b.high, b.low, b.close, 5, 10, 2.0)[2],
    "linear_regression(10).value": lambda b: talib.LINEARREG(b.close, 10),
    "linear_regression(10).slope": lambda b: talib.LINEARREG_SLOPE(b.close, 10),
    "linear_regression(10).intercept": lambda b: talib.LINEARREG_INTERCEPT(b.close, 10),
    "linear_regression(10).forecast": lambda b: talib.TSF(b.close, 10),
    "macd(12 26 9 0).macd": lambda b: talib.MACD(b.close, 12, 26, 9)[0],
    "macd(12 26 9 0).signal": lambda b: talib.MACD(b.close, 12, 26, 9)[1],
    "macd(12 26 9 0).histogram": lambda b: talib.MACD(b.close, 12, 26, 9)[2],
    "macd(8 5 3 0).macd": lambda b: talib.MACD(b.close, 5, 8, 3)[0],
    "macd(8 5 3 0).signal": lambda b: talib.MACD(b.close, 5, 8, 3)[1],
    "macd(5 8 3 1).macd": lambda b: late(first(b.close, 5) - first(b.close, 8), 9),
    "macd(5 8 3 1).signal": lambda b: late(first(first(b.close, 5) - first(b.close, 8), 3), 9),
    "mama(0.5 0.05).mama": lambda b: talib.MAMA(b.close, 0.5, 0.05)[0],
    "mama(0.5 0.05).fama": lambda b: talib.MAMA(b.close, 0.5, 0.05)[1],
    "mama(0.3 0.1).mama": lambda b: talib.MAMA(b.close, 0.3, 0.1)[0],
    "mass_index(5 10)": lambda b: talib.MASSI(b.high, b.low, 5, 10),
    "midpoint(9)": lambda b: talib.MIDPOINT(b.close, 9),
    "momentum(10 0)": lambda b: talib.ROCP(b.close, 10),
    "momentum(60 5)": lambda b: momentum(b.close, 60, 5),
    "money_flow_index(10)": lambda b: talib.MFI(b.high, b.low, b.close, b.volume, 10),
    "natr(10)": lambda b: talib.NATR(b.high, b.low, b.close, 10),
    "negative_volume_index()": lambda b: talib.NVI(b.close, b.volume),
    "on_balance_volume()": lambda b: talib.OBV(b.close, b.volume),
    "parabolic_sar(0.02 0.2)": lambda b: talib.SAR(b.high, b.low, 0.02, 0.2),
    "parabolic_sar(0.1 0.3)": lambda b: talib.SAR(b.high, b.low, 0.1, 0.3),
    "parabolic_sar_extended(0.02 0.02 0.2 0).stop": lambda b: sar(b, 0, 0, 0.02, 0.02, 0.2, 0.02, 0.02, 0.2)[0],
    "parabolic_sar_extended(0.02 0.05 0.1 0.01).stop": lambda b: sar(b, 0, 0.01, 0.02, 0.02, 0.1, 0.05, 0.05, 0.1)[0],
    "parabolic_sar_extended(0.02 0.05 0.1 0.01).trend": lambda b: sar(b, 0, 0.01, 0.02, 0.02, 0.1, 0.05, 0.05, 0.1)[1],
    "percent_rank(20)": lambda b: talib.PERCENTRANK(b.close, 20),
    "pivots().pivot": lambda b: pivots(b)[0],
    "pivots().r1": lambda b: pivots(b)[1],
    "pivots().s1": lambda b: pivots(b)[2],
    "pivots().r2": lambda b: pivots(b)[3],
    "pivots().s2": lambda b: pivots(b)[4],
    "positive_volume_index()": lambda b: talib.PVI(b.close, b.volume),
    "ppo(5 12)": lambda b: talib.PPO(b.close, 5, 12, 1),
    "price_volume_trend()": lambda b: talib.PVT(b.close, b.volume),
    "prices().average": lambda b: talib.AVGPRICE(b.open, b.high, b.low, b.close),
    "prices().median": lambda b: talib.MEDPRICE(b.high, b.low),
    "prices().typical": lambda b: talib.TYPPRICE(b.high, b.low, b.close),
    "prices().weighted": lambda b: talib.WCLPRICE(b.high, b.low, b.close),
    "pvo(5 12)": lambda b: talib.PVO(b.volume, 5, 12, 1),
    "qstick(8)": lambda b: talib.QSTICK(b.open, b.close, 8),
    "rate_of_change(10).change": lambda b: talib.MOM(b.close, 10),
    "rate_of_change(10).percent": lambda b: talib.ROC(b.close, 10),
    "realised_vol(20)": lambda b: windows(20, lambda r: np.std(r, ddof=1), log_returns(b.close)),
    "relative_vigor(1).value": lambda b: relative_vigor(b, 1)[0],
    "relative_vigor(10).value": lambda b: relative_vigor(b, 10)[0],
    "relative_vigor(10).signal": lambda b: relative_vigor(b, 10)[1],
    "relative_volume(10)": lambda b: talib.RVOL(b.volume, 10),
    "resistance(3 0 1 30).level": lambda b: nearest(b, 1, 3, 0, 0.01, 30)[0],
    "resistance(3 0 1 30).touches": lambda b: nearest(b, 1, 3, 0, 0.01, 30)[1],
    "resistance(3 0 1 30).strength": lambda b: nearest(b, 1, 3, 0, 0.01, 30)[2],
    "rma(14)": lambda b: talib.RMA(b.close, 14),
    "rolling_high(1)": lambda b: b.high,
    "rolling_high(7)": lambda b: talib.MAX(b.high, 7),
    "rolling_high(20)": lambda b: talib.MAX(b.high, 20),
    "rolling_low(7)": lambda b: talib.MIN(b.low, 7),
    "rolling_low(20)": lambda b: talib.MIN(b.low, 20),
    "rsi(2)": lambda b: talib.RSI(b.close, 2),
    "rsi(14)": lambda b: talib.RSI(b.close, 14),
    "sma(5)": lambda b: talib.SMA(b.close, 5),
    "sma(20)": lambda b: talib.SMA(b.close, 20),
    "stochastic(9 3 4).k": lambda b: talib.STOCH(b.high, b.low, b.close, 9, 3, 0, 4, 0)[0],
    "stochastic(9 3 4).d": lambda b: talib.STOCH(b.high, b.low, b.close, 9, 3, 0, 4, 0)[1],
    "stochastic_fast(9 3).k": lambda b: talib.STOCHF(b.high, b.low, b.close, 9, 3, 0)[0],
    "stochastic_fast(9 3).d": lambda b: talib.STOCHF(b.high, b.low, b.close, 9, 3, 0)[1],
    "stochastic_momentum(9 8 3 4).value": lambda b: talib.SMI(b.high, b.low, b.close, 9, 3, 8, 4)[0],
    "stochastic_momentum(9 8 3 4).signal": lambda b: talib.SMI(b.high, b.low, b.close, 9, 3, 8, 4)[1],
    "stochastic_rsi(10 5 3).k": lambda b: talib.STOCHRSI(b.close, 10, 5, 3, 0)[0],
    "stochastic_rsi(10 5 3).d": lambda b: talib.STOCHRSI(b.close, 10, 5, 3, 0)[1],
    "super_trend(7 1.5).stop": lambda b: talib.SUPERTREND(b.high, b.low, b.close, 7, 1.5)[0],
    "super_trend(7 1.5).trend": lambda b: trend(b, 7, 1.5),
    "support(3 0 1 30).level": lambda b: nearest(b, -1, 3, 0, 0.01, 30)[0],
    "support(3 0 1 30).touches": lambda b: nearest(b, -1, 3, 0, 0.01, 30)[1],
    "support(3 0 1 30).strength": lambda b: nearest(b, -1, 3, 0, 0.01, 30)[2],
    "swings(4 0).pivot": lambda b: swings(b, 4, 0)[0],
    "swings(4 0).side": lambda b: swings(b, 4, 0)[1],
    "swings(4 0).age": lambda b: swings(b, 4, 0)[2],
    "swings(4 0).confirmed": lambda b: swings(b, 4, 0)[3],
    "swings(4 0).extreme": lambda b: swings(b, 4, 0)[4],
    "swings(1.5 7).pivot": lambda b: swings(b, 1.5, 7)[0],
    "swings(1.5 7).side": lambda b: swings(b, 1.5, 7)[1],
    "swings(1.5 7).age": lambda b: swings(b, 1.5, 7)[2],
    "swings(1.5 7).confirmed": lambda b: swings(b, 1.5, 7)[3],
    "swings(1.5 7).extreme": lambda b: swings(b, 1.5, 7)[4],
    "t3(5 0.7)": lambda b: talib.T3(b.close, 5, 0.7),
    "tema(5)": lambda b: talib.TEMA(b.close, 5),
    "trima(9)": lambda b: talib.TRIMA(b.close, 9),
    "trima(10)": lambda b: talib.TRIMA(b.close, 10),
    "trix(5)": lambda b: talib.TRIX(b.close, 5),
    "true_range()": lambda b: talib.TRANGE(b.high, b.low, b.close),
    "true_strength(9 5)": lambda b: talib.TSI(b.close, 9, 5),
    "ultimate(4 8 16)": lambda b: talib.ULTOSC(b.high, b.low, b.close, 4, 8, 16),
    "vhf(10)": lambda b: talib.VHF(b.close, 10),
    "vortex(10).plus": lambda b: talib.VORTEX(b.high, b.low, b.close, 10)[0],
    "vortex(10).minus": lambda b: talib.VORTEX(b.high, b.low, b.close, 10)[1],
    "vwap()": lambda b: talib.VWAP(b.high, b.low, b.close, b.volume),
    "vwma(10)": lambda b: talib.VWMA(b.close, b.volume, 10),
    "williams_accumulation()": lambda b: talib.WAD(b.high, b.low, b.close),
    "williams_r(10)": lambda b: talib.WILLR(b.high, b.low, b.close, 10),
    "wma(10)": lambda b: talib.WMA(b.close, 10),
    "z_score(5)": lambda b: windows(5, z_score, b.close),
    "z_score(20)": lambda b: windows(20, z_score, b.close),
    "zlema(10)": lambda b: talib.ZLEMA(b.close, 10),
}


# Parameters of TA-Lib's SAREXT: start, offset, and first, step and most for up and for down.
STOPS = [
    (0, 0, 0.02, 0.02, 0.2, 0.02, 0.02, 0.2),
    (90.5, 0, 0.01, 0.03, 0.12, 0.04, 0.02, 0.3),
    (-150.25, 0.02, 0.05, 0.01, 0.04, 0.5, 0.6, 0.3),
    (0, 0.05, 0, 0.1, 0.2, 0.1, 0, 0.2),
]


def variants(series):
    """Bars, periods that run through 0 to 40 and fractions, averages over them, and stops."""
    with open(OUT.with_name("indicators_variants.csv"), "w", newline="\n") as f:
        f.write(f"# TA-Lib {talib.__version__}; made by scripts/oracles/indicators.py; tolerance 1e-9 relative\n")
        names = ["mavp 2 30", "mavp 5 12", *("sarext " + " ".join(map(str, p)) for p in STOPS)]
        f.write(",".join(["series,high,low,close,periods", *names]) + "\n")
        for name, b in series.items():
            periods = ((np.arange(len(b)) * 37) % 164) / 4.0
            table = [talib.MAVP(b.close, periods, 2, 30), talib.MAVP(b.close, periods, 5, 12)]
            table += [talib.SAREXT(b.high, b.low, *p) for p in STOPS]
            for i in range(len(b)):
                cells = ["" if np.isnan(x[i]) else repr(float(x[i])) for x in (b.high, b.low, b.close, periods)]
                cells += ["" if np.isnan(x[i]) else f"{x[i]:.14g}" for x in table]
                f.write(",".join([name, *cells]) + "\n")


def main(data):
    equities = Path(data) / "equities/us4_ohlcv_2013_2023.csv"
    amzn = read(equities, 260, None, lambda r: r["symbol"] == "AMZN").close
    series = {
        "aapl": read(equities, 260, amzn, lambda r: r["symbol"] == "AAPL"),
        "btcusd": read(Path(data) / "crypto/btcusd_1d_2020_2021.csv", 200, None),
        "wave": wave(120),
        "late": wave(70, missing=9),
        "constant": constant(60, 12.34),
        "short": wave(10),
    }
    variants({name: series[name] for name in ("aapl", "wave", "late", "short")})
    with open(OUT, "w", newline="\n") as f:
        f.write(f"# TA-Lib {talib.__version__}, pandas {pd.__version__}, numpy {np.__version__}; made by scripts/oracles/indicators.py, where each column's source is\n")
        f.write("# An empty cell means no value; tolerance 1e-9 relative\n")
        f.write("# aapl: AAPL of us4_ohlcv_2013_2023.csv beside AMZN; btcusd: btcusd_1d_2020_2021.csv; the others: formulas\n")
        f.write(",".join(["series", *FIELDS, *COLUMNS]) + "\n")
        for name, b in series.items():
            table = [fn(b) for fn in COLUMNS.values()]
            if name == "constant":
                # What is left of the differences of equal numbers is rounding.
                table = [np.where(np.abs(x) < 1e-12, 0.0, x) for x in table]
            inputs = [getattr(b, field) for field in FIELDS]
            for i in range(len(b)):
                cells = ["" if np.isnan(x[i]) else repr(float(x[i])) for x in inputs]
                cells += ["" if np.isnan(x[i]) else f"{x[i]:.14g}" for x in table]
                f.write(",".join([name, *cells]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
