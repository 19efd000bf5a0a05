"""What engines do when they are left to their own ways, each difference by itself: the causes that users meet when they
compare results, with the amount that the cause predicts where it can be worked out."""
import numpy as np

import engines
import indicators
from cases import CASES, HALF_SPREAD, RATE


class VectorbtOwn(indicators.Vectorbt):
    """RSI of plain means."""
    engine = "variants"

    def own(self, spec, bars):
        import vectorbt as vbt
        return (vbt.RSI.run(bars.close, spec["n"]).rsi, "own") if spec["kind"] == "rsi" else super().own(spec, bars)


class NautilusOwn(indicators.Nautilus):
    """Averages seeded by the first close, and bands of the typical price."""
    engine = "variants"

    def own(self, spec, bars):
        from nautilus_trader.indicators import BollingerBands
        if spec["kind"] == "ema":
            spec = spec | {"seed": "first"}
        if spec["kind"] != "bollinger":
            return super().own(spec, bars)
        kernel, values = BollingerBands(spec["n"], spec["width"]), []
        for high, low, close in bars[["high", "low", "close"]].to_numpy().tolist():
            kernel.update_raw(high, low, close)
            values.append(getattr(kernel, spec["line"]) if kernel.initialized else np.nan)
        return values, "own"


def exits_without_spread(own):
    """Half a spread on each sale that ends a position, after the commission on it."""
    return sum(-f.quantity * f.price / (1 - HALF_SPREAD) * HALF_SPREAD * (1 - RATE) for f in own.fills if f.quantity < 0)


def last_sale(own):
    """The rest is sold when no bar is left to fill on, and the engine takes the open of the last one again: what the price
    moved since, and what the harness has it pay (its fee does not know this sale: it is that of the last side, a purchase)."""
    held = sum(f.quantity for f in own.fills)
    first, last = own.ohlc[-1, 0], own.ohlc[-1, 3]
    return held * (first - last) - held * first * (HALF_SPREAD + RATE * (1 + HALF_SPREAD))


VARIANTS = [
    ("AAPL 1d, sma, costs", "backtesting.py", "its own `spread`", dict(spread=True), exits_without_spread),
    ("NFLX 1d, rsi, costs", "backtesting.py", "`finalize_trades`", dict(finalize=True), last_sale),
    ("AAPL 1d, sma, free", "vectorbt", "fills at the close that decides", dict(at_close=True), None),
    ("AAPL 1d, rsi, free", "vectorbt", "its own RSI", dict(kit=VectorbtOwn), None),
    ("AAPL 1d, ema reversed, free", "nautilus_trader", "its own seed of the averages", dict(kit=NautilusOwn), None),
    ("AAPL 1d, bollinger, free", "nautilus_trader", "its own bands", dict(kit=NautilusOwn), None),
    ("AAPL 1d, sma, costs", "nautilus_trader", "an account in cents", dict(cents=True), None),
]


def run(binary, peers, own_of, merged):
    """Rows: case, engine, what, fills, those at the bar and quantity of ours, end of theirs less ours, predicted."""
    rows = []
    for name, engine, what, settings, predict in VARIANTS:
        if engine not in peers:
            continue
        case = next(c for c in CASES if c.name == name)
        own = own_of(binary, case.mandate())
        fills, equity = engines.ENGINES[engine][0](case, case.series.bars(), **settings)
        fills, mine = merged(fills), {(f.bar, f.quantity) for f in merged(own.fills)}
        rows.append([name, engine, what, len(fills), len(mine), sum((f.bar, f.quantity) in mine for f in fills),
                     float(equity[-1] - own.end), float(predict(own)) if predict else None])
    return rows
