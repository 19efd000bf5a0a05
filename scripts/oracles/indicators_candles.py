"""Writes crates/quant/oracles/indicators_candles.csv: bars, and the candlestick patterns that TA-Lib sees in them.

Usage: python scripts/oracles/indicators_candles.py DATA_FOLDER [BARS]   (needs TA-Lib 0.8.2, numpy)
DATA_FOLDER holds equities/us4_ohlcv_2013_2023.csv, of which BARS bars an instrument are taken (default 700).
A pattern is named as in the registry of the crate, without `candle_`.
"""
import csv
import random
import sys
from pathlib import Path

import numpy as np
import talib
from talib import abstract

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "crates/quant/oracles/indicators_candles.csv"

# Name of the pattern: TA-Lib's function and all values but 0 that it can have.
BULL, BEAR, BOTH = (100,), (-100,), (100, -100)
PATTERNS = {
    "abandoned_baby": (talib.CDLABANDONEDBABY, BOTH),
    "advance_block": (talib.CDLADVANCEBLOCK, BEAR),
    "belt_hold": (talib.CDLBELTHOLD, BOTH),
    "breakaway": (talib.CDLBREAKAWAY, BOTH),
    "closing_marubozu": (talib.CDLCLOSINGMARUBOZU, BOTH),
    "concealing_baby_swallow": (talib.CDLCONCEALBABYSWALL, BULL),
    "counterattack": (talib.CDLCOUNTERATTACK, BOTH),
    "dark_cloud_cover": (talib.CDLDARKCLOUDCOVER, BEAR),
    "doji": (talib.CDLDOJI, BULL),
    "doji_star": (talib.CDLDOJISTAR, BOTH),
    "dragonfly_doji": (talib.CDLDRAGONFLYDOJI, BULL),
    "engulfing": (talib.CDLENGULFING, (100, 80, -80, -100)),
    "evening_doji_star": (talib.CDLEVENINGDOJISTAR, BEAR),
    "evening_star": (talib.CDLEVENINGSTAR, BEAR),
    "gap_side_side_white": (talib.CDLGAPSIDESIDEWHITE, BOTH),
    "gap_three_methods": (talib.CDLXSIDEGAP3METHODS, BOTH),
    "gravestone_doji": (talib.CDLGRAVESTONEDOJI, BULL),
    "hammer": (talib.CDLHAMMER, BULL),
    "hanging_man": (talib.CDLHANGINGMAN, BEAR),
    "harami": (talib.CDLHARAMI, (100, 80, -80, -100)),
    "harami_cross": (talib.CDLHARAMICROSS, (100, 80, -80, -100)),
    "high_wave": (talib.CDLHIGHWAVE, BOTH),
    "hikkake": (talib.CDLHIKKAKE, (200, 100, -100, -200)),
    "hikkake_modified": (talib.CDLHIKKAKEMOD, (200, 100, -100, -200)),
    "homing_pigeon": (talib.CDLHOMINGPIGEON, BULL),
    "identical_three_crows": (talib.CDLIDENTICAL3CROWS, BEAR),
    "in_neck": (talib.CDLINNECK, BEAR),
    "inverted_hammer": (talib.CDLINVERTEDHAMMER, BULL),
    "kicking": (talib.CDLKICKING, BOTH),
    "kicking_by_length": (talib.CDLKICKINGBYLENGTH, BOTH),
    "ladder_bottom": (talib.CDLLADDERBOTTOM, BULL),
    "long_legged_doji": (talib.CDLLONGLEGGEDDOJI, BULL),
    "long_line": (talib.CDLLONGLINE, BOTH),
    "marubozu": (talib.CDLMARUBOZU, BOTH),
    "mat_hold": (talib.CDLMATHOLD, BULL),
    "matching_low": (talib.CDLMATCHINGLOW, BULL),
    "morning_doji_star": (talib.CDLMORNINGDOJISTAR, BULL),
    "morning_star": (talib.CDLMORNINGSTAR, BULL),
    "on_neck": (talib.CDLONNECK, BEAR),
    "piercing": (talib.CDLPIERCING, BULL),
    "rickshaw_man": (talib.CDLRICKSHAWMAN, BULL),
    "rise_fall_three_methods": (talib.CDLRISEFALL3METHODS, BOTH),
    "separating_lines": (talib.CDLSEPARATINGLINES, BOTH),
    "shooting_star": (talib.CDLSHOOTINGSTAR, BEAR),
    "short_line": (talib.CDLSHORTLINE, BOTH),
    "spinning_top": (talib.CDLSPINNINGTOP, BOTH),
    "stalled_pattern": (talib.CDLSTALLEDPATTERN, BEAR),
    "stick_sandwich": (talib.CDLSTICKSANDWICH, BULL),
    "takuri": (talib.CDLTAKURI, BULL),
    "tasuki_gap": (talib.CDLTASUKIGAP, BOTH),
    "three_black_crows": (talib.CDL3BLACKCROWS, BEAR),
    "three_inside": (talib.CDL3INSIDE, BOTH),
    "three_line_strike": (talib.CDL3LINESTRIKE, BOTH),
    "three_outside": (talib.CDL3OUTSIDE, BOTH),
    "three_stars_in_south": (talib.CDL3STARSINSOUTH, BULL),
    "three_white_soldiers": (talib.CDL3WHITESOLDIERS, BULL),
    "thrusting": (talib.CDLTHRUSTING, BEAR),
    "tristar": (talib.CDLTRISTAR, BOTH),
    "two_crows": (talib.CDL2CROWS, BEAR),
    "unique_three_river": (talib.CDLUNIQUE3RIVER, BULL),
    "upside_gap_two_crows": (talib.CDLUPSIDEGAP2CROWS, BEAR),
}


def walk(n, seed):
    """Bars on a grid of 1/16, whose sums are exact: bodies and shadows of a few lengths, often none."""
    rng = random.Random(seed)
    bars, close, color = np.empty((4, n)), 6400, 1
    for i in range(n):
        gap = rng.choice([0, 0, 0, 1, -1, 4, -4, 16, -16, 30, -30, 45])
        color = color if rng.random() < 0.6 else -color
        body = rng.choice([0, 1, 3, 8, 12, 16, 24, 40, 64])
        up, down = (rng.choice([0, 0, 0, 1, 4, 12, 30]) for _ in range(2))
        open_ = close + (gap if rng.random() < 0.5 else -color * rng.choice([0, body // 2, body, 2 * body, 70]))
        open_ += (6400 - open_) // 400
        close = open_ + color * body
        bars[:, i] = open_, max(open_, close) + up, min(open_, close) - down, close
    return bars / 16.0


def drawn():
    """Windows of a long walk in which each pattern is seen with each of its values, three of each, one after the other."""
    bars = walk(1_500_000, 11)
    wanted = []
    for name, (function, values) in PATTERNS.items():
        found = function(*bars)
        assert set(np.unique(found)) == {0, *values}, (name, np.unique(found))
        for value in values:
            wanted += [(i - 16, i + 5) for i in np.flatnonzero(found[:-5] == value)[-3:]]
    return np.concatenate([bars[:, a:b] for a, b in wanted], axis=1)


def equities(data, symbol, n):
    with open(Path(data) / "equities/us4_ohlcv_2013_2023.csv", newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["symbol"] == symbol][:n]
    return np.array([[float(r[c]) for r in rows] for c in ("open", "high", "low", "close")])


def main(data, n=700):
    series = {symbol.lower(): equities(data, symbol, n) for symbol in ("AAPL", "AMZN", "META", "NFLX")}
    series |= {f"first_{bars}": series["aapl"][:, :bars] for bars in (1, 2, 3, 7, 11, 12, 15)}
    late = series["amzn"][:, :40].copy()
    late[:, :9] = np.nan
    series |= {"late": late, "drawn": drawn()}
    seen = {(name, v): 0 for name, (_, values) in PATTERNS.items() for v in values}
    with open(OUT, "w", newline="\n") as f:
        f.write(f"# TA-Lib {talib.__version__}, numpy {np.__version__}; made by scripts/oracles/indicators_candles.py\n")
        f.write("# The first value of a pattern in a series is always there, later ones if they are not 0\n")
        f.write("series,open,high,low,close,patterns\n")
        for label, bars in series.items():
            begin = int(np.argmax(~np.isnan(bars[0])))
            cells = [[] for _ in bars[0]]
            for name, (function, _) in PATTERNS.items():
                first = begin + abstract.Function(function.__name__).lookback
                for i, value in enumerate(function(*bars)):
                    assert i >= first or value == 0
                    if i == first or value != 0:
                        cells[i].append(f"{name}:{value}")
                    if value != 0:
                        seen[name, value] += 1
            for i, found in enumerate(cells):
                prices = ["" if np.isnan(x) else repr(float(x)) for x in bars[:, i]]
                f.write(",".join([label, *prices, " ".join(found)]) + "\n")
    print({k: v for k, v in seen.items() if v < 4})


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
