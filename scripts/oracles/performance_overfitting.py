"""Writes crates/quant/oracles/performance_trials.csv (inputs) and performance_overfitting.csv (expected values): splits,
overfitting, bootstraps, tests of many trials, and the normal distribution.

Usage: python scripts/oracles/performance_overfitting.py DATA_FOLDER
Needs arch 8.0.0, skfolio 1.12.2, phacker 0.1.0, mpmath 1.4.1, numpy, scipy.
DATA_FOLDER holds equities/us4_ohlcv_2013_2023.csv.

The libraries draw no random numbers here: both sides use xoshiro256** from the same seed, the libraries turn those
numbers into samples, and so everything but rounding must be equal.
"""
import csv
import sys
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import arch.bootstrap.base as base
import mpmath
import numpy as np
from arch.bootstrap import SPA, CircularBlockBootstrap, MovingBlockBootstrap, StationaryBootstrap, optimal_block_length
from arch.bootstrap._samplers_python import stationary_bootstrap_sample_python
from phacker.cscv import cscv_reference
from scipy import stats
from skfolio.model_selection import CombinatorialPurgedCV

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "crates/quant/oracles"
MASK = 2**64 - 1


class Xoshiro:
    """xoshiro256** after splitmix64, Lemire's integers and 53-bit uniforms."""

    def __init__(self, seed):
        self.state = []
        for _ in range(4):
            seed = (seed + 0x9E3779B97F4A7C15) & MASK
            z = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
            self.state.append(z ^ (z >> 31))

    def bits(self):
        turn = lambda v, k: ((v << k) | (v >> (64 - k))) & MASK
        s = self.state
        out = (turn((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = turn(s[3], 45)
        return out

    def uniform(self):
        return (self.bits() >> 11) / 2**53

    def below(self, n):
        while True:
            product = self.bits() * n
            if (product & MASK) >= (2**64 - n) % n:
                return product >> 64


def sample(random, scheme, length, n):
    """One sample by arch's own code, fed with our numbers: a start is drawn only where a block begins."""
    if scheme == "stationary":
        u, starts = np.ones(n), np.zeros(n, dtype=np.int64)
        starts[0] = random.below(n)
        for i in range(1, n):
            u[i] = random.uniform()
            if u[i] <= 1 / length:
                starts[i] = random.below(n)
        return stationary_bootstrap_sample_python(starts, u, 1 / length)
    kind = CircularBlockBootstrap if scheme == "circular" else MovingBlockBootstrap
    bootstrap = kind(length, np.zeros(n), seed=0)
    original = base._get_random_integers
    base._get_random_integers = lambda _, upper, size=1: np.array([random.below(upper) for _ in range(size)])
    try:
        return bootstrap.update_indices()
    finally:
        base._get_random_integers = original


KINDS = {"stationary": StationaryBootstrap, "circular": CircularBlockBootstrap, "moving": MovingBlockBootstrap}


def samples(scheme, length, n, reps, seed):
    random = Xoshiro(seed)
    return [sample(random, scheme, length, n) for _ in range(reps)]


def fixed(bootstrap, drawn):
    feed = iter(drawn)
    bootstrap.update_indices = lambda: next(feed)
    return bootstrap


def trials_of(data):
    """Returns of crossing averages of AAPL, long or short, 240 days; the last columns of the table are the returns of
    holding and a trial that rarely trades."""
    with open(data / "equities/us4_ohlcv_2013_2023.csv", newline="") as f:
        close = np.array([float(r["close"]) for r in csv.DictReader(f) if r["symbol"] == "AAPL"])[:401]
    average = lambda n: np.convolve(close, np.ones(n) / n)[: len(close)]
    change = close[1:] / close[:-1] - 1
    columns = []
    for fast, slow in [(1, 5), (1, 10), (2, 10), (3, 15), (5, 20), (5, 40), (10, 30), (10, 60), (20, 80)]:
        side = np.where(average(fast) > average(slow), 1.0, -1.0)
        columns.append((side[:-1] * change)[-240:])
    rare = np.where(np.arange(240) % 40 == 7, change[-240:], 0.0)
    return np.column_stack([*columns, rare]), change[-240:]


def studentised(difference, length, drawn):
    """Hansen (2005): statistics over their standard errors, not below 0."""
    n = len(difference)
    mean = difference.mean(axis=0)
    d = difference - mean
    p = 1 / length
    variance = (d**2).mean(axis=0)
    for i in range(1, n):
        kappa = (n - i) / n * (1 - p) ** i + i / n * (1 - p) ** (n - i)
        variance += 2 * kappa * (d[:-i] * d[i:]).sum(axis=0) / n
    scale = np.sqrt(n / variance)
    seen = max(0.0, (mean * scale).max())
    keep = mean >= -np.sqrt(variance / n * 2 * np.log(np.log(n)))
    result = {"statistic": (mean * scale).max()}
    for name, centre in ("lower", np.maximum(mean, 0)), ("consistent", np.where(keep, mean, 0)), ("upper", mean):
        most = [max(0.0, ((difference[rows].mean(axis=0) - centre) * scale).max()) for rows in drawn]
        result[name] = np.mean(np.array(most) > seen)
    return result


def sharpe(x):
    return np.array([x.mean() / x.std(ddof=1)])


def mean(x):
    return np.array([x.mean()])


def trough(x):
    """Deepest fall of the compounded returns."""
    equity = np.concatenate([[1.0], np.cumprod(1 + x)])
    return np.array([(1 - equity / np.maximum.accumulate(equity)).max()])


def expected(trials, hold):
    rows = []
    rows_, columns = np.indices(trials.shape)
    mixed = trials + ((rows_ * (7 + 2 * columns) * 37) % 101 - 50) / 20000
    for name, matrix in ("all", trials), ("four", trials[:, :4]), ("mixed", mixed):
        for blocks in (2, 6, 8):
            inside, outside, logits, tied = selections(matrix, blocks)
            probability, source = np.mean(logits <= 0), "scipy"
            if not tied:
                # phacker gives equal ratios the lowest of their ranks, we their mean.
                (probability, logits), source = cscv_reference(matrix, blocks), "phacker"
            key = f"overfitting({name} {blocks})"
            rows.append((f"{key}.probability", probability, source))
            rows += [(f"{key}.logit@{k}", v, source) for k, v in enumerate(logits)]
            rows.append((f"{key}.probability_of_loss", np.mean(outside < 0), "formula"))
            if blocks > 2:
                line = stats.linregress(inside, outside)
                rows += [(f"{key}.slope", line.slope, "scipy"), (f"{key}.intercept", line.intercept, "scipy")]
    for args in [(12, 3, 2, 0, 0), (12, 3, 2, 1, 0), (13, 3, 2, 0, 1), (100, 6, 2, 3, 2), (61, 5, 3, 4, 3), (240, 10, 8, 5, 12)]:
        n, folds, test, purge, embargo = args
        cv = CombinatorialPurgedCV(n_folds=folds, n_test_folds=test, purged_size=purge, embargo_size=embargo)
        paths = cv.get_path_ids()
        for k, (train, tests) in enumerate(cv.split(np.zeros((n, 1)))):
            value = f"{ranges(train)} | {' '.join(ranges(t) for t in tests)} | {' '.join(str(p) for p in paths[k])}"
            rows.append((f"splits({' '.join(map(str, args))})@{k}", value, "skfolio"))
        rows.append((f"splits({' '.join(map(str, args))}).n_splits", cv.n_splits, "skfolio"))
        rows.append((f"splits({' '.join(map(str, args))}).n_paths", cv.n_test_paths, "skfolio"))
    schemes = [("stationary", 1.0), ("stationary", 6.5), ("stationary", 90.0), ("circular", 1), ("circular", 7), ("moving", 7), ("moving", 40)]
    for scheme, length in schemes:
        drawn = samples(scheme, length, 40, 3, 11)
        rows.append((f"draws({scheme} {length} 40 3 11)", " ".join(str(i) for s in drawn for i in s), "arch"))
    names = [f"t{i}" for i in range(trials.shape[1])]
    for name, x in [*zip(names, trials.T), ("hold", hold), ("squares", hold**2)]:
        found = optimal_block_length(x)
        rows.append((f"block_length({name}).stationary", found["stationary"].iloc[0], "arch"))
        rows.append((f"block_length({name}).circular", found["circular"].iloc[0], "arch"))
    for benchmark, b in ("hold", hold), ("zero", np.zeros(len(hold))), ("low", np.full(len(hold), -0.002)):
        for scheme, length, reps, seed in ("stationary", 8, 400, 1), ("circular", 5, 400, 2), ("moving", 12, 300, 3):
            drawn = samples(scheme, length, len(b), reps, seed)
            key = f"superior({benchmark} {scheme} {length} {reps} {seed}"
            spa = SPA(-b, -trials, block_size=length, reps=reps, bootstrap=scheme.replace("moving", "moving block"), seed=0)
            fixed(spa.bootstrap, drawn)
            spa.compute()
            rows += [(f"{key} mean).{p}", v, "arch") for p, v in spa.pvalues.items()]
            rows.append((f"{key} mean).statistic", (trials - b[:, None]).mean(axis=0).max(), "numpy"))
            for p, v in studentised(trials - b[:, None], length, drawn).items():
                rows.append((f"{key} studentised).{p}", v, "formula"))
    statistics = {"mean": mean, "sharpe": sharpe, "trough": trough}
    for scheme, length, reps, seed in ("stationary", 9, 500, 4), ("circular", 1, 300, 5), ("moving", 10, 300, 6):
        drawn = samples(scheme, length, len(hold), reps, seed)
        for name, statistic in statistics.items():
            for method in "percentile", "basic", "bca":
                for level in 0.9, 0.99:
                    bootstrap = fixed(KINDS[scheme](length, hold, seed=0), drawn)
                    low, high = bootstrap.conf_int(statistic, reps=reps, method=method, size=level)[:, 0]
                    key = f"interval({name} {scheme} {length} {reps} {seed} {method} {level})"
                    rows += [(f"{key}.low", low, "arch"), (f"{key}.high", high, "arch")]
    mpmath.mp.dps = 60
    for z in [-37.5, -30.0, -20.0, -12.5, -8.0, -5.0, -3.7, -2.0, -1.0, -0.3, -1e-9, 0.0, 0.7, 1.6448536269514722, 3.0, 8.0]:
        rows.append((f"cdf({z})", float(mpmath.ncdf(mpmath.mpf(z))), "mpmath"))
    for p in [1e-300, 1e-200, 1e-100, 1e-40, 1e-16, 1e-12, 1e-11, 1e-9, 1e-6, 0.001, 0.025, 0.05, 0.0749, 0.0751, 0.2, 0.4,
              0.4999999, 0.5000001, 0.51, 0.7, 0.92, 0.93, 0.975, 0.999, 0.999999, 1 - 2**-40, 1 - 2**-53]:
        rows.append((f"inverse({p!r})", float(quantile(mpmath.mpf(p))), "mpmath"))
    return rows


def quantile(p):
    if p > 0.5:
        return -quantile(1 - p)
    start = mpmath.mpf(float(stats.norm.ppf(float(p))))
    return mpmath.findroot(lambda z: mpmath.log(mpmath.ncdf(z)) - mpmath.log(p), start)


def selections(matrix, blocks):
    """Ratios in and out of sample of the trial selected in each split, the logits of its mean rank, and whether any of
    them was shared."""
    parts = np.array_split(np.arange(len(matrix)), blocks)
    ratio = lambda rows: sharpes(matrix[np.concatenate([parts[i] for i in rows])])
    inside, outside, logits, tied = [], [], [], False
    for chosen in combinations(range(blocks), blocks // 2):
        before, after = ratio(chosen), ratio([i for i in range(blocks) if i not in chosen])
        best = before.argmax()
        rank = stats.rankdata(after)[best] / (matrix.shape[1] + 1)
        tied |= np.sum(after == after[best]) > 1
        inside.append(before[best])
        outside.append(after[best])
        logits.append(np.log(rank / (1 - rank)))
    return np.array(inside), np.array(outside), np.array(logits), tied


def sharpes(x):
    return x.mean(axis=0) / x.std(axis=0, ddof=1)


def ranges(rows):
    """Runs of rows as start-end, the end excluded."""
    runs = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1) if len(rows) else []
    return " ".join(f"{r[0]}-{r[-1] + 1}" for r in runs)


def main(data):
    trials, hold = trials_of(Path(data))
    packages = ["arch", "skfolio", "phacker", "mpmath", "scipy", "numpy"]
    made = "made by scripts/oracles/performance_overfitting.py"
    with open(OUT / "performance_trials.csv", "w", newline="\n") as f:
        f.write(f"# {trials_of.__doc__.split(';')[0].strip()}; {made}\n".replace("\n    ", " "))
        f.write(",".join([f"t{i}" for i in range(trials.shape[1])] + ["hold"]) + "\n")
        for row, h in zip(trials, hold):
            f.write(",".join(repr(float(v)) for v in [*row, h]) + "\n")
    with open(OUT / "performance_overfitting.csv", "w", newline="\n") as f:
        f.write(f"# {', '.join(f'{p} {version(p)}' for p in packages)}; {made}; tolerance 1e-9 relative\n")
        f.write("# Trials: performance_trials.csv. formula: written out in the script after the source that the function names\n")
        f.write("what,value,source\n")
        for what, value, source in expected(trials, hold):
            f.write(f"{what},{value if isinstance(value, (str, int)) else repr(float(value))},{source}\n")


if __name__ == "__main__":
    main(sys.argv[1])
