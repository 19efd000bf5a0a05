"""The mandates that all engines run: series, rules, costs."""
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
CASH = 10_000_000
RATE, HALF_SPREAD = 0.0010, 0.0002  # 10 and 2 basis points: round numbers, large enough to be seen


@dataclass(frozen=True)
class Series:
    """One instrument of a sample. `step` is the length of its bars, or None for sessions of a day."""
    name: str
    source: str
    symbol: str
    file: str
    quantity: int
    lot: int
    step: str | None

    def bars(self):
        """Open, high, low, close by start. Rows that the file has twice or cut off are left out, as its notice says."""
        table = pd.read_csv(SAMPLES / self.file)
        if "symbol" in table:
            table = table[table.symbol == self.symbol]
        start = pd.to_datetime(table["ts" if self.step else "date"], utc=True)
        table = table.set_index(start)[["open", "high", "low", "close"]].astype(float)
        if self.step:
            table = table[table.index == table.index.floor(self.step)]
        return table[~table.index.duplicated()]


SERIES = [
    Series("AAPL 1d", "us4-2013", "AAPL", "equities/us4_ohlcv_2013_2023.csv", 1_000, 1, None),
    Series("NFLX 1d", "us4-2013", "NFLX", "equities/us4_ohlcv_2013_2023.csv", 1_000, 1, None),
    Series("SP500 1d", "sp500-ohlcv", "SP500", "indices/sp500_ohlcv_1999_2018.csv", 1_000, 1, None),
    Series("BTCUSD 1d", "btc-1d", "BTCUSD", "crypto/btcusd_1d_2020_2021.csv", 20, 1, None),
    Series("BTCUSD 15m", "btc-15m", "BTCUSD", "crypto/btcusd_15m_2021.csv", 20, 1, "15min"),
    Series("EURUSD 1h", "eurusd-1h", "EURUSD", "fx/eurusd_1h_ask_2017.csv", 1_000_000, 1_000, "1h"),
]


@dataclass(frozen=True)
class Rule:
    """Conditions of a mandate, and the same in Python over arrays. `weight` is a share of the account, else a fixed
    quantity is traded."""
    name: str
    features: dict
    long: str
    short: str | None = None
    exit: str | None = None
    weight: float | None = None
    ties: dict = field(default_factory=dict)  # bars at which both sides are equal, and whether it is left there

    def conditions(self, indicators, bars):
        """Arrays of bool for long, short and exit; False where a feature has no value yet."""
        values = {"close": bars.close.to_numpy()}
        values |= {name: indicators.of(spec, bars) for name, spec in self.features.items() if spec["kind"] != "close"}
        known = ~np.isnan(np.column_stack([values[name] for name in self.features])).any(axis=1)

        def holds(text):
            with np.errstate(invalid="ignore"):
                return known & eval(text, {}, values) if text else np.zeros(len(bars), bool)  # noqa: S307 (text of this file)

        long, short = holds(self.long), holds(self.short)
        leave = holds(self.exit) if self.exit else known & ~long & ~short
        for bar, so in self.ties.items():
            leave[bar] = so
        return long, short & ~long, leave & ~long & ~short

    def nearest(self, indicators, bars, bar):
        """How near the two sides of a comparison of the exit come at a bar, as a share of one."""
        values = {"close": bars.close.to_numpy()}
        values |= {name: indicators.of(spec, bars) for name, spec in self.features.items() if spec["kind"] != "close"}
        left, right = (eval(side, {}, values)[bar] for side in re.split("[<>]", self.exit or self.long))  # noqa: S307
        return abs(left - right) / abs(left)


RULES = [
    Rule("sma", {"fast": {"kind": "sma", "n": 10}, "slow": {"kind": "sma", "n": 30}}, "fast > slow"),
    Rule("ema", {"fast": {"kind": "ema", "n": 10, "seed": "first"}, "slow": {"kind": "ema", "n": 30, "seed": "first"}},
         "fast > slow"),
    Rule("ema reversed", {"fast": {"kind": "ema", "n": 12}, "slow": {"kind": "ema", "n": 50}}, "fast > slow",
         short="fast < slow"),
    Rule("rsi", {"rsi": {"kind": "rsi", "n": 14}}, "rsi < 35", exit="rsi > 55"),
    Rule("bollinger", {"close": {"kind": "close"}, "lower": {"kind": "bollinger", "n": 20, "width": 2, "line": "lower"},
                       "middle": {"kind": "bollinger", "n": 20, "width": 2, "line": "middle"}},
         "close < lower", exit="close > middle", weight=0.5),
    Rule("breakout", {"close": {"kind": "close"}, "upper": {"kind": "donchian", "n": 20, "line": "upper"},
                      "middle": {"kind": "donchian", "n": 20, "line": "middle"},
                      "lower": {"kind": "donchian", "n": 20, "line": "lower"}},
         "close > upper - 0.1 * (upper - lower)", exit="close < middle", weight=0.5),
]


@dataclass(frozen=True)
class Case:
    series: Series
    rule: Rule
    costs: bool

    @property
    def name(self):
        return f"{self.series.name}, {self.rule.name}, {'costs' if self.costs else 'free'}"

    @property
    def rate(self):
        return RATE if self.costs else 0.0

    @property
    def half_spread(self):
        return HALF_SPREAD if self.costs else 0.0

    def size(self, equity, close):
        """Units to hold on entry; a weight is of the account at the close that decides, in whole lots toward zero."""
        if self.rule.weight is None:
            return self.series.quantity
        lot = self.series.lot
        return int(np.floor(self.rule.weight * equity / (close * lot))) * lot

    def mandate(self):
        def of(spec):
            return "{ " + ", ".join(f'{k} = "{v}"' if isinstance(v, str) else f"{k} = {v}" for k, v in spec.items()) + " }"

        rule = self.rule
        # An index level is no instrument; here it stands for a fund at the same price.
        kind = [f"[instruments.{self.series.symbol}]", 'class = "etf"'] if self.series.symbol == "SP500" else []
        size = f'weight = "{rule.weight:.0%}"' if rule.weight else f"quantity = {self.series.quantity}"
        lines = ['name = "comparison"', "[account]", f'cash = "{CASH}"', "[[data]]", f'source = "sample:{self.series.source}"',
                 f'symbols = ["{self.series.symbol}"]', "[instruments]", f'lot = "{self.series.lot}"', *kind,
                 "[agents.rule]", f'long = "{rule.long}"']
        lines += [f'short = "{rule.short}"'] if rule.short else []
        lines += [f'exit = "{rule.exit}"'] if rule.exit else []
        lines += ["[agents.rule.features]"] + [f"{name} = {of(spec)}" for name, spec in rule.features.items()]
        lines += ["[allocator]", 'kind = "direct"', size] + (["allow_short = true"] if rule.short else [])
        lines += ["[costs]", 'commission = "10bp"', 'half_spread = "2bp"'] if self.costs else []
        return "\n".join(lines) + "\n"


CASES = [Case(s, r, c) for s in SERIES for r in RULES for c in (False, True)]
