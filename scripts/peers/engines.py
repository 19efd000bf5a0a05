"""The same rule in each engine: decided at a close, filled at the next open. Each function gives the engine's own fills
and its own equity at every close."""
import contextlib
import io
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd

import indicators
from cases import CASH
from ours import Fill


def backtesting_py(case, bars, spread=False, finalize=False):
    """Its `spread` moves the price of entries only, so the half-spread is paid with the commission, on both sides, unless
    `spread` asks for the engine's own way. `finalize` sells what is held at the last close."""
    from backtesting import Backtest, Strategy
    long, short, leave = case.rule.conditions(indicators.BacktestingPy(), bars)
    half, side = case.half_spread, 0

    def fee(size, price):
        rate = case.rate if spread else half + case.rate * (1 + side * half)
        return abs(size) * price * rate

    class OneRule(Strategy):
        def init(self):
            pass

        def next(self):
            nonlocal side
            at, held = len(self.data) - 1, self.position.size
            if long[at] and held <= 0:
                side = 1
                self.buy(size=case.size(self.equity, self.data.Close[-1]) - held)
            elif short[at] and held >= 0:
                side = -1
                self.sell(size=case.size(self.equity, self.data.Close[-1]) + held)
            elif leave[at] and held:
                side = -np.sign(held)
                self.position.close()

    table = bars.rename(columns=str.capitalize)
    table.index = table.index.tz_localize(None)
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):  # a progress bar and advice
        warnings.simplefilter("ignore")
        test = Backtest(table, OneRule, cash=CASH, spread=half if spread else 0.0, commission=fee,
                        finalize_trades=finalize)
        done = test.run()
    fills = []
    for t in [*done._strategy.closed_trades, *done._strategy.trades]:
        side = np.sign(t.size)
        fills.append(Fill(t.entry_bar, t.size, t.entry_price, fee(t.size, t.entry_price)))
        if t.exit_bar is not None:
            side = -side
            fills.append(Fill(t.exit_bar, -t.size, t.exit_price, fee(t.size, t.exit_price)))
    return fills, done._equity_curve.Equity.to_numpy()


def vectorbt(case, bars, at_close=False, kit=indicators.Vectorbt):
    """Signals are moved by a bar and filled at its open; `at_close` fills them where they arise, as the engine does untold."""
    import vectorbt as vbt
    long, short, leave = case.rule.conditions(kit(), bars)
    if not at_close:
        long, short, leave = (np.concatenate([[False], x[:-1]]) for x in (long, short, leave))
    common = dict(close=bars.close, price=bars.close if at_close else bars.open, fees=case.rate, slippage=case.half_spread, init_cash=CASH, freq="1D")
    if case.rule.weight is None:
        # A side is left at an exit, or at once for the other side.
        done = vbt.Portfolio.from_signals(entries=long, exits=leave, short_entries=short, short_exits=leave,
                                          size=case.series.quantity, upon_opposite_entry="reverse", **common)
    else:
        held, size = False, np.full(len(bars), np.nan)
        for at in range(len(bars)):
            if long[at] and not held:
                held, size[at] = True, case.rule.weight
            elif leave[at] and held:
                held, size[at] = False, 0.0
        done = vbt.Portfolio.from_orders(size=size, size_type="targetpercent", val_price=bars.close.shift(1).bfill(),
                                         size_granularity=case.series.lot, **common)
    fills = [Fill(int(o["idx"]), o["size"] if o["side"] == 0 else -o["size"], o["price"], o["fees"])
             for o in done.orders.records.to_dict("records")]
    return fills, done.value().to_numpy()


def bt(case, bars):
    """bt knows one price a row: each bar becomes two rows, its open and its close; orders are sent at opens."""
    import bt
    long, short, leave = case.rule.conditions(indicators.Pandas(), bars)
    rows = pd.date_range("2000-01-01", periods=2 * len(bars), freq="min")
    prices = pd.DataFrame({"x": bars[["open", "close"]].to_numpy().ravel()}, index=rows)
    at_row = {row: i for i, row in enumerate(rows)}

    class OneRule(bt.Algo):
        def __init__(self):
            super().__init__()
            self.order = 0.0

        def __call__(self, target):
            row = at_row.get(target.now)
            if row is None:
                return True
            if row % 2 == 0:
                if self.order:
                    target.transact(self.order, child="x")
                self.order = 0.0
                return True
            at, held = row // 2, target["x"].position if "x" in target.children else 0.0
            if long[at] and held <= 0:
                self.order = case.size(target.value, prices.x.iloc[row]) - held
            elif short[at] and held >= 0:
                self.order = -case.size(target.value, prices.x.iloc[row]) - held
            elif leave[at]:
                self.order = -held
            return True

    def fee(quantity, price):
        """Of the value at the price with the half-spread; bt hands over the price without it."""
        return abs(quantity) * price * (1 + np.copysign(case.half_spread, quantity)) * case.rate

    test = bt.Backtest(bt.Strategy("rule", [OneRule()], ["x"]), prices, initial_capital=CASH, integer_positions=True,
                       commissions=fee, progress_bar=False, additional_data={"bidoffer": prices * 2 * case.half_spread})
    test.run()
    fills = []
    if (test.strategy.positions != 0).any().any():
        for (when, _), t in test.strategy.get_transactions().iterrows():
            row = at_row[when]
            fills.append(Fill(row // 2, t.quantity, t.price, fee(t.quantity, prices.x.iloc[row])))
    return fills, test.strategy.values.reindex(rows).to_numpy()[1::2]


def nautilus_trader(case, bars, cents=False, kit=indicators.Nautilus):
    """Opens come as quotes, half a spread on either side; bars come at their ends and do not trade. `cents` keeps the account
    in its own dollar of two digits."""
    from decimal import Decimal
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.config import LoggingConfig, RiskEngineConfig
    from nautilus_trader.model.currencies import USD, Currency
    from nautilus_trader.model.data import Bar, BarType, QuoteTick
    from nautilus_trader.model.enums import AccountType, CurrencyType, OmsType, OrderSide
    from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
    from nautilus_trader.model.instruments import Equity
    from nautilus_trader.model.objects import Money, Price, Quantity
    from nautilus_trader.trading.strategy import Strategy

    long, short, leave = case.rule.conditions(kit(), bars)
    digits, venue = 9, Venue("SIM")
    # Its dollar has two digits, to which it would round every amount.
    dollar = USD if cents else Currency("DOLLAR", 8, 0, "a dollar of eight digits", CurrencyType.CRYPTO)
    symbol = Symbol("X")
    share = Equity(InstrumentId(symbol, venue), symbol, dollar, digits, Price(10**-digits, digits), Quantity.from_int(1), 0, 0,
                   maker_fee=Decimal(str(case.rate)), taker_fee=Decimal(str(case.rate)))
    kind = BarType.from_str("X.SIM-1-MINUTE-LAST-EXTERNAL")
    minute, half, size = 60_000_000_000, case.half_spread, Quantity.from_int(10**9)
    data = []
    for at, b in enumerate(bars.itertuples()):
        data.append(QuoteTick(share.id, Price(b.open * (1 - half), digits), Price(b.open * (1 + half), digits), size, size,
                              (2 * at + 1) * minute, (2 * at + 1) * minute))
        data.append(Bar(kind, *(Price(x, digits) for x in (b.open, b.high, b.low, b.close)), size, (2 * at + 2) * minute,
                        (2 * at + 2) * minute))

    class OneRule(Strategy):
        def on_start(self):
            self.order, self.held, self.equity, self.fills = 0, 0, [], []
            self.subscribe_quote_ticks(share.id)
            self.subscribe_bars(kind)

        def on_quote_tick(self, tick):
            if self.order:
                side = OrderSide.BUY if self.order > 0 else OrderSide.SELL
                self.submit_order(self.order_factory.market(share.id, side, Quantity.from_int(abs(self.order))))
            self.order = 0

        def on_order_filled(self, event):
            quantity = int(event.last_qty) if event.is_buy else -int(event.last_qty)
            self.held += quantity
            self.fills.append(Fill(event.ts_event // minute // 2, quantity, float(event.last_px), float(event.commission)))

        def on_bar(self, bar):
            at = len(self.equity)
            value = self.portfolio.account(venue).balance_total(dollar).as_double()
            value += sum(p.unrealized_pnl(bar.close).as_double() for p in self.cache.positions_open())
            self.equity.append(value)
            if long[at] and self.held <= 0:
                self.order = case.size(value, bar.close.as_double()) - self.held
            elif short[at] and self.held >= 0:
                self.order = -case.size(value, bar.close.as_double()) - self.held
            elif leave[at]:
                self.order = -self.held

    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True),
                                                 risk_engine=RiskEngineConfig(bypass=True), run_analysis=False))
    engine.add_venue(venue, OmsType.NETTING, AccountType.MARGIN, [Money(CASH, dollar)], base_currency=dollar,
                     default_leverage=Decimal(10), bar_execution=False)
    engine.add_instrument(share)
    engine.add_data(data)
    strategy = OneRule()
    engine.add_strategy(strategy)
    engine.run()
    result = strategy.fills, np.array(strategy.equity)
    engine.dispose()
    return result


ENGINES = {"backtesting.py": (backtesting_py, "backtesting"), "vectorbt": (vectorbt, "vectorbt"), "bt": (bt, "bt"),
           "nautilus_trader": (nautilus_trader, "nautilus_trader")}


def available():
    """Engines that are installed, with their versions."""
    found = {}
    for name, (run, package) in ENGINES.items():
        try:
            found[name] = (run, version(package))
        except ModuleNotFoundError:
            print(f"{name} is not installed: left out")
    return found
