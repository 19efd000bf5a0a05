#!/usr/bin/env python3
"""Six indicators (EMA, RSI, MACD, Bollinger bands, ATR, ADX) here and in other libraries, in turn, in one run: a table.

usage: PYTHON indicators.py --binary target/release/examples/indicators_speed --peers DIR --scratch DIR [--rounds 5]
                            [--write FILE]

PYTHON has numpy and TA-Lib. --peers is the folder of the peers' scripts, --scratch what their set-up made (its README says
how): `data` with the columns w4_*, and the Pythons `venv` and `venv-nt`. A peer that is not set up is left out and said so.
Q1 is a batch over 10,000 series of 1,000 bars, Q2 one new bar of each of 50,000 symbols. Every command runs once a round, so
that a slow moment of the machine meets all of them; ratios are taken round by round. Before, every last value of ours
is compared with TA-Lib's. --write puts the table between two marks of a Markdown file, at its end if it has none.
"""
import argparse, json, os, statistics, subprocess, sys, tempfile

import numpy as np
import talib

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--binary", required=True)
p.add_argument("--peers", required=True)
p.add_argument("--scratch", required=True)
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--write")
a = p.parse_args()
data = os.path.join(os.path.abspath(a.scratch), "data")
venv, venv_nt = (os.path.join(a.scratch, v, "bin", "python") for v in ("venv", "venv-nt"))
MARKS = "<!-- indicators: made by scripts/bench/indicators.py -->\n", "<!-- end of indicators -->\n"
SYMBOLS, BARS = 50_000, 1_000
loads = []


def say(text):
    print(text, file=sys.stderr, flush=True)


def lines(command, env=None):
    """The JSON lines that a command prints, or None if it cannot be run."""
    try:
        env = {**os.environ, "BENCH_DATA": data, **(env or {})}
        out = subprocess.run(command, capture_output=True, text=True, env=env)
    except OSError as e:
        say(f"left out: {e}")
        return None
    loads.append(os.getloadavg()[0])
    found = [json.loads(l) for l in out.stdout.splitlines() if l.startswith("{")]
    if not found:
        say(f"left out, no result: {' '.join(command)}\n{out.stderr[-300:]}")
    return found or None


def stream_file():
    """Closes of the stream: the walk that the peers' script draws, 110 bars of it."""
    path = os.path.join(data, "stream_close.bin")
    if not os.path.exists(path):
        rng = np.random.default_rng(9)
        first = rng.uniform(20, 200, SYMBOLS)
        (first * np.exp(np.cumsum(rng.normal(0, 1e-3, (110, SYMBOLS)), axis=0))).tofile(path)
    return np.fromfile(path).reshape(-1, SYMBOLS)


def ta_lib(high, low, close):
    """The last value of each line."""
    six = talib.EMA(close, 20), talib.RSI(close, 14), *talib.MACD(close), *talib.BBANDS(close, 20)
    return [x[-1] for x in (*six, talib.ATR(high, low, close, 14), talib.ADX(high, low, close, 14))]


def worst(ours, series):
    """The largest difference of any last value, relative to it or to a millionth of the price."""
    largest = 0.0
    for at, (high, low, close) in series:
        expected = np.array(ta_lib(high, low, close))
        floor = np.maximum(np.abs(expected), 1e-6 * close[-1])
        largest = max(largest, float(np.max(np.abs(ours[:, at] - expected) / floor)))
    return largest


def accuracy():
    """Ours against TA-Lib: all series of the batch, every hundredth symbol of the stream."""
    closes = stream_file()
    with tempfile.TemporaryDirectory() as folder:
        if lines([a.binary, data, folder]) is None:
            sys.exit(f"{a.binary} does not run: cargo build --release -p tradegraph-quant --example indicators_speed")
        ours = {n: np.fromfile(os.path.join(folder, n + ".bin")).reshape(10, -1) for n in ("series", "block", "stream")}
    high, low, close = (np.fromfile(f"{data}/w4_{k}.bin").reshape(-1, BARS) for k in ("high", "low", "close"))
    batch = [(i, (high[i], low[i], close[i])) for i in range(len(close))]
    walk = lambda i: np.ascontiguousarray(closes[:, i])
    stream = [(i, (walk(i) * 1.001, walk(i) * 0.999, walk(i))) for i in range(0, SYMBOLS, 100)]
    found = {name: worst(ours[name], stream if name == "stream" else batch) for name in ours}
    say(f"worst relative differences from TA-Lib {talib.__version__}: {found}")
    return found


def spread(values, digits):
    shown = lambda x: f"{x:,.{digits}f}"
    return f"{shown(statistics.median(values))} ({shown(min(values))}–{shown(max(values))})"


def ours(workload, width=None):
    return lambda found: next(r for r in found if r["workload"] == workload and r.get("width") == width)


def main():
    exact = accuracy()
    ns, ms = "ns a point", "ms a bar"
    tradegraph = [
        ("Q1", "tradegraph, blocks of 256 instruments and 16 rows", ours("Q1-block", 256), "ns_per_point_cpu", ns, "1.7", exact["block"]),
        ("Q1", "tradegraph, blocks of 8,192 instruments and 2 rows", ours("Q1-block", 8192), "ns_per_point_cpu", ns, "", exact["block"]),
        ("Q1", "tradegraph, one series at a time", ours("Q1-series"), "ns_per_point_cpu", ns, "", exact["series"]),
        ("Q2", "tradegraph", ours("Q2"), "ms_per_bar_cpu", ms, "0.25", exact["stream"]),
    ]
    batch, stream = "ns_per_point_indicator_cpu", "ms_per_50k_symbol_bar_cpu"
    peers = [
        ("Q1", "TA-Lib", venv, "w4_batch.py", "talib", batch, ns, "last values only are kept"),
        ("Q1", "vectorbt", venv, "w4_batch.py", "vectorbt", batch, ns, "five of the six, 1,000 series"),
        ("Q2", "TA-Lib's stream functions", venv, "w4_stream.py", "talib_stream", stream, ms, "2,000 symbols, scaled"),
        ("Q2", "nautilus_trader", venv_nt, "w4_stream.py", "nautilus", stream, ms, "five of the six, 2,000 symbols, scaled"),
        ("Q2", "one fused loop in numba", venv, "w4_stream.py", "numba", stream, ms, "no warm-up, no missing bars, sums of squares"),
        ("Q2", "numpy", venv, "w4_stream.py", "numpy", stream, ms, "the same"),
    ]
    seen, versions = {}, {}
    for k in range(a.rounds):
        found = lines([a.binary, data])
        for bar, name, pick, key, *_ in tradegraph:
            seen.setdefault((bar, name), []).append(pick(found)[key])
        for bar, name, python, script, peer, key, *_ in peers:
            if k == 0 or (bar, name) in seen:
                found = lines([python, os.path.join(a.peers, script)], {"PEER": peer})
                if found is not None:
                    seen.setdefault((bar, name), []).append(found[0][key])
                    versions[name] = found[0]["version"]
        say(f"round {k + 1} of {a.rounds}, load {os.getloadavg()[0]:.1f}")
    table = ["| bar | library | median (range) | ours is | goal | |", "|---|---|---|---|---|---|"]
    for bar in ("Q1", "Q2"):
        first = next(seen[(b, name)] for b, name, *_ in tradegraph if b == bar)
        for b, name, _, _, unit, goal, error in tradegraph:
            if b == bar:
                ratio = "1" if seen[(b, name)] is first else ""
                note = f"equal to TA-Lib to {error:.0e}"
                table.append(f"| {bar} | {name} | {spread(seen[(b, name)], 2)} {unit} | {ratio} | {goal} | {note} |")
        for b, name, _, _, _, _, unit, note in peers:
            if b == bar and (b, name) in seen:
                ratio = statistics.median(y / x for x, y in zip(first, seen[(b, name)]))
                value = spread(seen[(b, name)], 2)
                table.append(f"| {bar} | {name} {versions[name]} | {value} {unit} | {ratio:.1f} × | | {note} |")
    load = f"{a.rounds} rounds; load average while it ran {min(loads):.1f} to {max(loads):.1f}.\n"
    page = "\n".join(table) + "\n\n" + load
    print(page)
    if a.write:
        text = open(a.write).read()
        begin, end = MARKS
        if begin not in text:
            text = text.rstrip("\n") + f"\n\n{begin}{end}"
        head, rest = text.split(begin, 1)
        tail = rest.split(end, 1)[1]
        with open(a.write, "w") as f:
            f.write(f"{head}{begin}\n{page}\n{end}{tail}")


main()
