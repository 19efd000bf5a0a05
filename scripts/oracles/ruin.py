"""Writes crates/quant/oracles/ruin.csv: first passages of a Brownian motion, 40 digits with mpmath.

One barrier: numerical integral of the density of the passage time. Two barriers: the limit for infinite time less the series
of eigenfunctions. Neither is how the product computes them. Run: python scripts/oracles/ruin.py
"""

import pathlib

import mpmath as mp

mp.mp.dps = 40


def one(drift, deviation, distance, time):
    def density(s):
        return distance / (deviation * mp.sqrt(2 * mp.pi * s**3)) * mp.exp(
            -((distance - drift * s) ** 2) / (2 * deviation**2 * s)
        )

    points = [time * mp.mpf(2) ** -k for k in range(24, -1, -1)]
    # The quadrature stops at an absolute error.
    mp.mp.dps = 120
    value = mp.quad(density, [0, *points])
    mp.mp.dps = 40
    return value


def two(drift, deviation, up, down, time):
    # The terms cancel.
    mp.mp.dps = 120
    width, variance = up + down, deviation**2
    theta = 2 * drift / variance
    ever = down / width if theta == 0 else mp.expm1(-theta * down) / mp.expm1(-theta * width)

    def term(n):
        n = int(n)
        rate = drift**2 / (2 * variance) + (n * mp.pi) ** 2 * variance / (2 * width**2)
        return (-1) ** (n + 1) * n * mp.sin(n * mp.pi * down / width) * mp.exp(-rate * time) / rate

    last = int(mp.ceil(mp.sqrt(400 * 2 * width**2 / (mp.pi**2 * variance * time)))) + 2
    tail = mp.pi * variance / width**2 * mp.exp(drift * up / variance) * mp.fsum(term(n) for n in range(1, last))
    value = ever - tail
    mp.mp.dps = 40
    return value


CASES = """
0 1 1 1 1
0.1 0.2 0.6931 0.6931 2
-0.1 0.2 0.6931 0.6931 2
0.05 0.15 0.4 0.2 1
0.3 0.5 2 0.5 4
-0.3 0.5 2 0.5 4
1.8 2.7 7.6 0.6931 2
0.5 0.3 7.6 0.6931 2
0.02 0.9 0.3 0.3 5
1 0.2 1 0.3 3
0 0.3 0.05 0.5 0.25
0.08 0.16 0.1 0.05 10
""".split()


def main():
    path = pathlib.Path(__file__).parents[2] / "crates/quant/oracles/ruin.csv"
    lines = ["drift,deviation,up,down,time,rises,falls,rises_first,falls_first"]
    for at in range(0, len(CASES), 5):
        texts = CASES[at : at + 5]
        drift, deviation, up, down, time = map(mp.mpf, texts)
        values = [
            one(drift, deviation, up, time),
            one(-drift, deviation, down, time),
            two(drift, deviation, up, down, time),
            two(-drift, deviation, down, up, time),
        ]
        lines.append(",".join([*texts, *(mp.nstr(v, 17) for v in values)]))
    path.write_text("\n".join(lines) + "\n")


main()
