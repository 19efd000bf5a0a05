"""Writes crates/quant/oracles/options_*.csv: what mpmath (50 digits), QuantLib and lets_be_rational make of options.

Usage: python scripts/oracles/options.py   (needs mpmath 1.4, QuantLib 1.44, py_lets_be_rational 1.1, numpy)
Inputs are doubles printed so that they read back exactly; mpmath works on these doubles. A value that is a pair
`high low` is high + low, so that an error below one unit in the last place can be seen.
"""
import csv
import math
import random
from pathlib import Path

import mpmath as mp
import QuantLib as ql
from py_lets_be_rational import implied_volatility_from_a_transformed_rational_guess as rational_vol

mp.mp.dps = 50
OUT = Path(__file__).resolve().parents[2] / "crates/quant/oracles"
GREEKS = "price delta gamma vega theta rho carry_rho discount_rho vanna volga charm speed zomma color".split()


def pair(x):
    high = float(x)
    return repr(high), repr(float(x - mp.mpf(high))) if math.isfinite(high) else "0.0"


def write(name, head, rows):
    with open(OUT / f"options_{name}.csv", "w", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(head)
        w.writerows(rows)
    print(name, len(rows))


def erfcx(x):
    with mp.workdps(60 if x < 30 else 90):
        return mp.exp(mp.mpf(x) ** 2) * mp.erfc(x) if x < 1e3 else (1 - 1 / (2 * mp.mpf(x) ** 2)) / (x * mp.sqrt(mp.pi))


def inverse(p):
    """Newton on the logarithm of the probability; p is a double."""
    z = -mp.sqrt(2) * mp.erfinv(1 - 2 * mp.mpf(p)) if p > 1e-30 else -mp.sqrt(-2 * mp.log(p))
    for _ in range(80):
        step = mp.log(cdf(z) / p) * cdf(z) / phi(z)
        z -= step
        if abs(step) < mp.mpf(10) ** -30:
            break
    return z


def vmath(rng):
    rows = []

    def put(name, f, points):
        rows.extend([name, repr(x), *pair(f(x))] for x in points)

    put("exp", lambda x: mp.exp(mp.mpf(x)), [rng.uniform(-708, 709) for _ in range(300)] + [rng.uniform(-1, 1) for _ in range(300)]
        + [0.0, 1e-300, -1e-17, 0.34657359027997264, 709.78, -708.39])
    put("ln", lambda x: mp.log(mp.mpf(x)), [math.exp(rng.uniform(-700, 700)) for _ in range(300)] + [rng.uniform(0.5, 2) for _ in range(400)]
        + [5e-324, 2.2e-308, 1.7e308, 1.0000000000000002, 0.9999999999999999])
    put("erfc", lambda x: mp.erfc(mp.mpf(x)), [rng.uniform(-6, 26.5) for _ in range(400)] + [rng.uniform(-1, 1) for _ in range(200)])
    put("erfcx", erfcx, [rng.uniform(-26, 30) for _ in range(400)] + [rng.uniform(-1, 1) for _ in range(200)]
        + [10 ** rng.uniform(1, 3) for _ in range(50)] + [1e10, 1e100])
    put("normal_cdf", lambda x: mp.erfc(-mp.mpf(x) / mp.sqrt(2)) / 2, [rng.uniform(-37.4, 8) for _ in range(500)] + [rng.uniform(-1, 1) for _ in range(200)])
    put("normal_inverse", inverse, [rng.random() for _ in range(300)] + [10 ** rng.uniform(-300, -1) for _ in range(200)]
        + [1 - 10 ** rng.uniform(-15, -1) for _ in range(100)] + [0.075, 0.925, 1e-300, 0.9999999999999999])
    write("vmath", ["function", "x", "high", "low"], rows)
    ratios = []
    for _ in range(400):
        a = math.exp(rng.uniform(-20, 20))
        b = a * (1 + rng.choice([1e-15, 1e-9, 1e-3, 0.3, 1.0, 50.0]) * rng.random())
        a, b = rng.choice([(a, b), (b, a)])
        ratios.append([repr(a), repr(b), *pair(mp.log(mp.mpf(a) / mp.mpf(b)))])
    write("ratio", ["a", "b", "high", "low"], ratios)


def phi(z):
    return mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi)


def cdf(z):
    return mp.erfc(-z / mp.sqrt(2)) / 2


def black_scholes(cp, S, K, T, r, b, v):
    """All derivatives of Haug's generalised formula, in closed form."""
    S, K, T, r, b, v = map(mp.mpf, (S, K, T, r, b, v))
    x = mp.log(S / K) + b * T
    share, bond = mp.exp((b - r) * T), mp.exp(-r * T)
    T, v = max(T, mp.mpf(10) ** -80), max(v, mp.mpf(10) ** -40)
    s = v * mp.sqrt(T)
    d1, d2 = x / s + s / 2, x / s - s / 2
    price = cp * (S * share * cdf(cp * d1) - K * bond * cdf(cp * d2))
    delta = cp * share * cdf(cp * d1)
    gamma = share * phi(d1) / (S * s)
    vega = S * share * phi(d1) * mp.sqrt(T)
    theta = -S * share * phi(d1) * v / (2 * mp.sqrt(T)) - (b - r) * S * delta - cp * r * K * bond * cdf(cp * d2)
    return [price, delta, gamma, vega, theta, cp * T * K * bond * cdf(cp * d2), T * S * delta, -T * price,
            -share * phi(d1) * d2 / v, vega * d1 * d2 / v,
            -(share * phi(d1) * (b / s - d2 / (2 * T)) + (b - r) * delta),
            -gamma * (1 + d1 / s) / S, gamma * (d1 * d2 - 1) / v,
            gamma * (r - b + b * d1 / s + (1 - d1 * d2) / (2 * T))]


def quantlib(cp, S, K, T, r, b, v):
    """BlackCalculator: price, delta, gamma, vega, theta, rho (of the rate with the yield held)."""
    c = ql.BlackCalculator(ql.PlainVanillaPayoff(ql.Option.Call if cp > 0 else ql.Option.Put, K), S * math.exp(b * T), v * math.sqrt(T), math.exp(-r * T))
    return [c.value(), c.delta(S), c.gamma(S), c.vega(T), c.theta(S, T), c.rho(T)]


def european(rng):
    cases = []
    for _ in range(700):
        S = rng.uniform(10, 500)
        cases.append(("usual", rng.choice([1, -1]), S, S * math.exp(rng.gauss(0, 0.3)), rng.uniform(0.01, 3), rng.uniform(-0.03, 0.1), rng.uniform(-0.05, 0.1), rng.uniform(0.05, 1.2)))
    for S, K in [(100.0, 100.0), (100.0, 90.0), (90.0, 100.0)]:
        for T, v in [(0.0, 0.2), (1.0, 0.0), (0.0, 0.0), (1e-6, 0.2), (1.0, 1e-6), (1.0, 40.0), (30.0, 3.0), (0.003, 0.1)]:
            for r, b in [(0.05, 0.05), (-0.02, 0.0), (0.0, 0.0), (0.03, -0.04)]:
                if not (S == K and (T == 0 or v == 0)):
                    cases.extend(("edge", cp, S, K, T, r, b, v) for cp in (1, -1))
    for _ in range(300):
        S = 10 ** rng.uniform(-6, 6)
        v, T = rng.uniform(0.05, 1), rng.uniform(0.01, 2)
        x = rng.choice([-1, 1]) * rng.uniform(2, 30) * v * math.sqrt(T)
        cases.append(("wing", rng.choice([1, -1]), S, S * math.exp(x), T, rng.uniform(-0.02, 0.05), rng.uniform(-0.02, 0.05), v))
    for K in (1e-12, 1e-6, 1e6, 1e12):
        for v in (0.2, 1.0, 5.0):
            cases.extend(("strike", cp, 100.0, K, 1.0, 0.02, 0.01, v) for cp in (1, -1))
    rows = []
    for kind, *c in cases:
        rows.append([kind, "mpmath", *map(repr, c), *[repr(float(g)) for g in black_scholes(*c)]])
        if kind == "usual":
            rows.append([kind, "quantlib", *map(repr, c), *map(repr, quantlib(*c)), *[""] * 8])
    write("european", ["kind", "source", "cp", "spot", "strike", "years", "rate", "carry", "vol", *GREEKS], rows)


def undiscounted(cp, F, K, s):
    x = mp.log(F / K)
    return cp * (F * cdf(cp * (x / s + s / 2)) - K * cdf(cp * (x / s - s / 2)))


def implied_exactly(cp, premium, F, K, guess):
    """The s at which the formula gives exactly this double, by Newton on the logarithm of the time value."""
    premium, F, K = map(mp.mpf, (premium, F, K))
    if cp * (F - K) > 0:
        premium, cp = premium - cp * (F - K), -cp
    s = mp.mpf(guess)
    for _ in range(60):
        value = undiscounted(cp, F, K, s)
        vega = F * phi(mp.log(F / K) / s + s / 2)
        step = mp.log(value / premium) * value / vega
        s -= max(min(step, s / 2), -s)
        if abs(step) < s * mp.mpf(10) ** -35:
            return s, value / vega
    return None, None


def implied(rng):
    rows = []
    cases = [("usual", rng.gauss(0, 0.3), rng.uniform(0.01, 1.5)) for _ in range(700)]
    cases += [("atm", rng.choice([0.0, 10 ** rng.uniform(-12, -2)]), 10 ** rng.uniform(-5, 0.3)) for _ in range(200)]
    cases += [("wing", rng.choice([-1, 1]) * 10 ** rng.uniform(-2, 1), None) for _ in range(700)]
    cases += [("high", rng.gauss(0, 0.5), rng.uniform(1.5, 12)) for _ in range(150)]
    for kind, x, s in cases:
        if s is None:
            s = abs(x) / rng.uniform(2, 37.5)
        F = 10 ** rng.uniform(-3, 4)
        K, cp, T = F * math.exp(x), rng.choice([1, -1]), rng.uniform(0.01, 3)
        if kind == "wing":
            cp = 1 if K > F else -1
        premium = float(undiscounted(cp, mp.mpf(F), mp.mpf(K), mp.mpf(s)))
        bound = F if cp > 0 else K
        if not premium > max(cp * (F - K), 0.0) * (1 + 1e-9) or premium >= bound * (1 - 1e-9) or premium < 1e-300:
            continue
        found, scale = implied_exactly(cp, premium, F, K, s)
        if found is None:
            continue
        out_of_money = premium - max(cp * (F - K), 0.0)
        # How far one rounding of the premium, of the forward and of the strike moves s: what a double can determine.
        margin = float((premium + abs(F - K) * (cp * (F - K) > 0)) / out_of_money * abs(scale)) if out_of_money else 0
        root = mp.sqrt(mp.mpf(T))
        rows.append([kind, repr(cp), repr(premium), repr(F), repr(K), repr(T), *pair(found / root), repr(margin / math.sqrt(T)),
                     repr(rational_vol(premium, F, K, T, cp))])
    write("implied", ["kind", "cp", "premium", "forward", "strike", "years", "high", "low", "per_rounding", "lets_be_rational"], rows)


def normal_model(rng):
    """Bachelier: premium, delta, gamma, vega by mpmath; the volatility that a premium implies is the input."""
    rows = []
    for i in range(500):
        F = rng.uniform(-50, 150)
        T, v = rng.uniform(0.01, 3), 10 ** rng.uniform(-2, 2)
        s = v * math.sqrt(T)
        K, cp = F + s * rng.choice([0.0, 1e-6, rng.gauss(0, 1.5), rng.uniform(-30, 30)]), rng.choice([1, -1])
        if abs(F - K) > 6 * s:
            cp = 1 if K > F else -1
        d = (mp.mpf(F) - K) / (mp.mpf(v) * mp.sqrt(mp.mpf(T)))
        price = cp * (mp.mpf(F) - K) * cdf(cp * d) + mp.mpf(v) * mp.sqrt(mp.mpf(T)) * phi(d)
        rows.append([repr(cp), repr(F), repr(K), repr(T), repr(v), repr(float(price)), repr(float(cp * cdf(cp * d))),
                     repr(float(phi(d) / (mp.mpf(v) * mp.sqrt(mp.mpf(T))))), repr(float(mp.sqrt(mp.mpf(T)) * phi(d)))])
    write("bachelier", ["cp", "forward", "strike", "years", "vol", "price", "delta", "gamma", "vega"], rows)


class American:
    """QuantLib on whole days: the years of a row are days / 365."""

    def __init__(self):
        self.today = ql.Date(2, 1, 2026)
        ql.Settings.instance().evaluationDate = self.today
        self.day_count = ql.Actual365Fixed()
        self.S, self.r, self.q, self.v = (ql.SimpleQuote(0.0) for _ in range(4))
        curve = lambda quote: ql.YieldTermStructureHandle(ql.FlatForward(self.today, ql.QuoteHandle(quote), self.day_count))
        vol = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(self.today, ql.NullCalendar(), ql.QuoteHandle(self.v), self.day_count))
        self.process = ql.BlackScholesMertonProcess(ql.QuoteHandle(self.S), curve(self.q), curve(self.r), vol)
        self.precise = ql.QdFpAmericanEngine(self.process, ql.QdFpAmericanEngine.highPrecisionScheme())
        self.fast = ql.QdFpAmericanEngine(self.process, ql.QdFpAmericanEngine.fastScheme())

    def price(self, engine, cp, S, K, days, r, q, v):
        for quote, x in zip((self.S, self.r, self.q, self.v), (S, r, q, v)):
            quote.setValue(x)
        option = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Call if cp > 0 else ql.Option.Put, K), ql.AmericanExercise(self.today, self.today + days))
        option.setPricingEngine(engine)
        return option.NPV()

    def dividends(self, cp, S, K, days, r, v, dividends, american):
        """Finite differences with cash dividends, the spot model: the share drops by the dividend."""
        for quote, x in zip((self.S, self.r, self.q, self.v), (S, r, 0.0, v)):
            quote.setValue(x)
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if cp > 0 else ql.Option.Put, K)
        last = self.today + days
        exercise = ql.AmericanExercise(self.today, last) if american else ql.EuropeanExercise(last)
        option = ql.VanillaOption(payoff, exercise)
        schedule = ql.DividendVector([self.today + d for d, _ in dividends], [c for _, c in dividends])
        option.setPricingEngine(ql.FdBlackScholesVanillaEngine(self.process, schedule, 1000, 1500, 0))
        return option.NPV()


def american(rng):
    engine, rows = American(), []
    grid = [(100.0, 100.0, 365, 0.05, 0.05, 0.25), (100.0, 100.0, 365, 0.05, 0.0, 0.2), (80.0, 100.0, 365 * 3, 0.03, 0.07, 0.3),
            (100.0, 100.0, 2, 0.05, 0.01, 0.2), (36.0, 40.0, 365, 0.06, 0.0, 0.2)]
    cases = [(cp, *g) for g in grid for cp in (1, -1)]
    for _ in range(400):
        S = rng.uniform(20, 200)
        cases.append((rng.choice([1, -1]), S, S * math.exp(rng.gauss(0, 0.2)), rng.randint(5, 1095), rng.uniform(0.002, 0.1), rng.choice([0.0, rng.uniform(0.002, 0.1)]), rng.uniform(0.1, 0.8)))
    for cp, S, K, days, r, q, v in cases:
        if cp > 0 and q == 0.0:
            continue
        row = [engine.price(e, cp, S, K, days, r, q, v) for e in (engine.precise, engine.fast)]
        rows.append([cp, *map(repr, (S, K, days / 365, r, q, v)), *map(repr, row)])
    write("american", ["cp", "spot", "strike", "years", "rate", "yield", "vol", "precise", "fast"], rows)
    rows = []
    for _ in range(30):
        S = rng.uniform(80, 120)
        days, n = rng.randint(60, 500), rng.randint(1, 3)
        paid = sorted((rng.randint(5, days - 5), round(rng.uniform(0.2, 4), 2)) for _ in range(n))
        cp, K, r, v, am = rng.choice([1, -1]), rng.uniform(80, 120), rng.uniform(0.0, 0.08), rng.uniform(0.15, 0.5), rng.random() < 0.7
        value = engine.dividends(cp, S, K, days, r, v, paid, am)
        text = ";".join(f"{d / 365!r}:{c!r}" for d, c in paid)
        rows.append([cp, *map(repr, (S, K, days / 365, r, v)), int(am), text, repr(value)])
    write("dividends", ["cp", "spot", "strike", "years", "rate", "vol", "american", "dividends", "price"], rows)


if __name__ == "__main__":
    vmath(random.Random(1))
    european(random.Random(2))
    implied(random.Random(3))
    normal_model(random.Random(4))
    american(random.Random(5))
