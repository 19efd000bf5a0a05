"""Prints the polynomials of crates/quant/src/vmath, found with 60 digits: Chebyshev interpolation, then powers.

Usage: python scripts/oracles/options_coefficients.py   (needs mpmath)
Each line of the output is one coefficient, the lowest power first, rounded to a double.
"""
import mpmath as mp

mp.mp.dps = 60
NODES = 64


def powers(f, low, high, degree):
    """Coefficients of the polynomial of this degree that is nearest to f over [low, high], up to rounding of the last."""
    middle, half = (mp.mpf(low) + high) / 2, (mp.mpf(high) - low) / 2
    angles = [mp.pi * (j + mp.mpf(1) / 2) / NODES for j in range(NODES)]
    values = [f(middle + half * mp.cos(a)) for a in angles]
    series = [2 * mp.fsum(v * mp.cos(i * a) for v, a in zip(values, angles)) / NODES for i in range(NODES)]
    series[0] /= 2
    t = [[mp.mpf(1)], [-middle / half, 1 / half]]
    for _ in range(2, degree + 1):
        shifted = [mp.mpf(0)] + [2 * c / half for c in t[-1]]
        for i, c in enumerate(t[-1]):
            shifted[i] -= 2 * c * middle / half
        for i, c in enumerate(t[-2]):
            shifted[i] -= c
        t.append(shifted)
    out = [mp.fsum(series[i] * t[i][j] for i in range(j, degree + 1)) for j in range(degree + 1)]
    left = mp.fsum(abs(c) for c in series[degree + 1 :])
    return out, left


def show(name, f, low, high, degree):
    coefficients, left = powers(f, low, high, degree)
    print(f"{name}: degree {degree} over [{mp.nstr(mp.mpf(low), 6)}, {mp.nstr(mp.mpf(high), 6)}], left out {mp.nstr(left, 2)}")
    for c in coefficients:
        print(f"    {float(c)!r},")


def exponential(r):
    """(e^r − 1 − r) / r²"""
    if abs(r) < mp.mpf(10) ** -20:
        return mp.mpf(1) / 2
    return mp.fsum(r**i / mp.factorial(i + 2) for i in range(60))


def logarithm(z):
    """(2 atanh(√z) / √z − 2) / z"""
    return mp.fsum(2 * z**i / (2 * i + 3) for i in range(80))


def erfcx(x):
    if x < 20:
        return mp.exp(x * x) * mp.erfc(x)
    return 2 / mp.sqrt(mp.pi) * mp.quad(lambda t: mp.exp(-t * t - 2 * x * t), [0, 1 / x, 4 / x, 16 / x, 80 / x])


def scaled_erfc(tau):
    """(x + 4) erfcx(x) with τ = 1 − 7 / (x + 4), which takes x from −1/2 to ∞ to τ from −1 to 1."""
    return 1 / mp.sqrt(mp.pi) if tau >= 1 else erfcx(7 / (1 - tau) - 4) * 7 / (1 - tau)


if __name__ == "__main__":
    half_ln2 = mp.log(2) / 2
    show("exp", exponential, -half_ln2 * mp.mpf("1.0001"), half_ln2 * mp.mpf("1.0001"), 9)
    edge = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)
    show("ln", logarithm, 0, edge**2 * mp.mpf("1.0001"), 7)
    show("erfcx", scaled_erfc, -1, 1, 25)
    show("erfcx, roughly", scaled_erfc, -1, 1, 11)
