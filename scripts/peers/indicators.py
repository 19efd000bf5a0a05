"""Indicators of each engine, by the names of a mandate. An engine uses its own where the definition is that of the
mandate's, else TA-Lib; `SOURCES` is what it used."""
from collections import defaultdict

import numpy as np
import talib

SOURCES = defaultdict(dict)  # engine → kind → where it is from


class TaLib:
    """All from TA-Lib, for engines that bring none, but the average that begins with the first close: pandas."""
    engine = "backtesting.py"

    def of(self, spec, bars):
        spec = {"seed": "sma"} | spec if spec["kind"] == "ema" else spec
        own = self.own(spec, bars)
        values, source = own if own is not None else self.usual(spec, bars)
        SOURCES[self.engine]["ema, first close" if spec.get("seed") == "first" else spec["kind"]] = source
        return np.asarray(values, float)

    def own(self, spec, bars):
        return None

    def usual(self, spec, bars):
        close, n = bars.close.to_numpy(), spec["n"]
        match spec["kind"]:
            case "sma":
                return talib.SMA(close, n), "TA-Lib"
            case "ema" if spec["seed"] == "first":
                return bars.close.ewm(span=n, adjust=False, min_periods=n).mean(), "pandas"
            case "ema":
                return talib.EMA(close, n), "TA-Lib"
            case "rsi":
                return talib.RSI(close, n), "TA-Lib"
            case "bollinger":
                return dict(zip(["upper", "middle", "lower"], talib.BBANDS(close, n, spec["width"], spec["width"])))[spec["line"]], "TA-Lib"
            case "donchian":
                upper, lower = talib.MAX(bars.high.to_numpy(), n), talib.MIN(bars.low.to_numpy(), n)
                return {"upper": upper, "lower": lower, "middle": (upper + lower) / 2}[spec["line"]], "TA-Lib"


class BacktestingPy(TaLib):
    """backtesting.py has one indicator, the simple average of its tests."""

    def own(self, spec, bars):
        from backtesting.test import SMA
        if spec["kind"] == "sma":
            return SMA(bars.close, spec["n"]), "own"


class Pandas(TaLib):
    """bt computes on pandas frames; so do its users."""
    engine = "bt"

    def own(self, spec, bars):
        n = spec["n"]
        match spec["kind"]:
            case "sma":
                return bars.close.rolling(n).mean(), "pandas"
            case "bollinger":
                middle = bars.close.rolling(n).mean()
                width = spec["width"] * bars.close.rolling(n).std(ddof=0)
                return {"lower": middle - width, "middle": middle, "upper": middle + width}[spec["line"]], "pandas"
            case "donchian":
                upper, lower = bars.high.rolling(n).max(), bars.low.rolling(n).min()
                return {"upper": upper, "lower": lower, "middle": (upper + lower) / 2}[spec["line"]], "pandas"


class Vectorbt(TaLib):
    engine = "vectorbt"

    def own(self, spec, bars):
        import vectorbt as vbt
        n = spec["n"]
        match spec["kind"]:
            case "sma":
                return vbt.MA.run(bars.close, n).ma, "own"
            case "ema" if spec["seed"] == "first":
                return vbt.MA.run(bars.close, n, ewm=True).ma, "own"
            case "bollinger":
                return getattr(vbt.BBANDS.run(bars.close, n, alpha=spec["width"]), spec["line"]), "own"


class Nautilus(TaLib):
    """Streaming: fed bar by bar, as its engine does."""
    engine = "nautilus_trader"

    def own(self, spec, bars):
        from nautilus_trader.indicators import (BollingerBands, DonchianChannel, ExponentialMovingAverage,
                                                SimpleMovingAverage)
        n, close = spec["n"], bars.close.tolist()
        match spec["kind"]:
            case "sma":
                kernel, line, inputs = SimpleMovingAverage(n), "value", zip(close)
            case "ema" if spec["seed"] == "first":
                kernel, line, inputs = ExponentialMovingAverage(n), "value", zip(close)
            case "bollinger":
                kernel, line, inputs = BollingerBands(n, spec["width"]), spec["line"], zip(close, close, close)
            case "donchian":
                kernel, line, inputs = DonchianChannel(n), spec["line"], zip(bars.high.tolist(), bars.low.tolist())
            case _:
                return None
        values = []
        for row in inputs:
            kernel.update_raw(*row)
            values.append(getattr(kernel, line) if kernel.initialized else np.nan)
        return values, "own"
