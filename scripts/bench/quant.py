#!/usr/bin/env python3
"""Options, risk, optimisers and pair screening (bars Q3 to Q10) here and in other libraries, in turn, in one run: a table.

usage: quant.py --examples target/release/examples --peers DIR --scratch DIR [--rounds 5] [--only Q3,Q4] [--write FILE]

First: cargo build --release -p tradegraph-quant --examples. --peers is the folder of the peers' scripts, --scratch what their
set-up made (its README says how): `data` with the columns w5_*, w6_* and w7_*, the Python `venv` and `rs-peers`. A peer that is
not set up is left out and said so. Every command runs once a round, so that a slow moment of the machine meets all of them;
ratios are taken round by round, of processor time, everything on one thread unless the row says otherwise. Q1 and Q2 have a script of
their own, indicators.py. --write puts the table between two marks of a Markdown file, at its end if it has none.
"""
import argparse, json, os, statistics, subprocess, sys

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--examples", required=True)
p.add_argument("--peers", required=True)
p.add_argument("--scratch", required=True)
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--only", default="")
p.add_argument("--write")
a = p.parse_args()
data = os.path.join(os.path.abspath(a.scratch), "data")
python = os.path.join(a.scratch, "venv", "bin", "python")
MARKS = "<!-- quant: made by scripts/bench/quant.py -->\n", "<!-- end of quant -->\n"
loads = []


def say(text):
    print(text, file=sys.stderr, flush=True)


def lines(command, env=None):
    """The JSON lines that a command prints; none if it cannot be run."""
    env = {**os.environ, "BENCH_DATA": data, "OPENBLAS_NUM_THREADS": "1", **(env or {})}
    # These make OpenBLAS choose kernels for another processor.
    env = {k: v for k, v in env.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    try:
        out = subprocess.run(command, capture_output=True, text=True, env=env)
    except OSError as e:
        say(f"left out: {e}")
        return []
    loads.append(os.getloadavg()[0])
    found = [json.loads(l) for l in out.stdout.splitlines() if l.startswith("{")]
    if not found:
        say(f"left out, no result: {' '.join(command)}\n{out.stderr[-300:]}")
    return found


def example(name):
    return [os.path.join(a.examples, name), data, "3"] if name != "econometrics_speed" else [os.path.join(a.examples, name), data]


def peer(script):
    return [python, os.path.join(a.peers, script)]


rust = os.path.join(a.scratch, "rs-peers", "target", "release", "bench-peers")
# A command is run once a round, whatever rows read its lines.
COMMANDS = {
    "options": (example("options_speed"), {}),
    "risk": (example("risk_speed"), {}),
    "pairs": (example("econometrics_speed"), {}),
    "rust iv": ([rust, data, "iv"], {}),
    "rust greeks": ([rust, data, "greeks"], {}),
    "quantlib": (peer("w5_vectorized.py"), {"PEER": "quantlib_scalar"}),
    "american": (peer("w5_american.py"), {}),
    "var": (peer("w6_risk.py"), {"PEER": "var"}),
    "lw": (peer("w6_risk.py"), {"PEER": "lw"}),
    "scs": (peer("w6_opt.py"), {"PEER": "scs"}),
    "clarabel": (peer("w6_opt.py"), {"PEER": "clarabel"}),
    "skfolio": (peer("w6_opt.py"), {"PEER": "skfolio"}),
    "lag1": (peer("w7_coint.py"), {"PEER": "lag1"}),
    "aic": (peer("w7_coint.py"), {"PEER": "aic"}),
}
M, K = ("M/s", lambda r: r["rate_cpu"] / 1e6, True), ("k/s", lambda r: r["rate_cpu"] / 1e3, True)
own_ms = ("ms", lambda r: r["ms_cpu"], False)
each_ms = ("ms", lambda r: r["cpu_seconds"] / r["n"] * 1e3, False)

# Bar, what, library, command, workload of its line, peer of its line ("" for ours), measure, goal.
ROWS = [
    ("Q3", "a million implied volatilities", "tradegraph", "options", "W5-iv", "ours", M, "30"),
    ("Q3", "", "implied-vol, Rust", "rust iv", "W5-iv", "implied-vol(hybrid)", M, ""),
    ("Q3", "", "QuantLib", "quantlib", "W5-iv", "quantlib_scalar", M, ""),
    ("Q4", "price and five Greeks", "tradegraph", "options", "W5-greeks5", "ours", M, "120"),
    ("Q4", "", "the same formulas in plain Rust", "rust greeks", "W5-greeks5", "rust-scalar(own baseline)", M, ""),
    ("Q4", "", "QuantLib", "quantlib", "W5-greeks5", "quantlib_scalar", M, ""),
    ("Q5", "American puts", "tradegraph", "options", "W5-american", "ours", K, "1,000"),
    ("Q5", "", "QuantLib, QdFp fast", "american", "W5-american", "quantlib-qdfp_fast", K, ""),
    ("Q6", "VaR, ES, components, 5,000 × 1,000", "tradegraph", "risk", "Q6-var-f64", "ours", own_ms, "0.35 on two cores"),
    ("Q6", "", "tradegraph, scenarios in single precision", "risk", "Q6-var-f32", "ours", own_ms, ""),
    ("Q6", "", "numpy", "var", "W6-var", "numpy", each_ms, ""),
    ("Q6", "the same after one fill", "tradegraph", "risk", "Q6-fill-f64", "ours", own_ms, "0.010"),
    ("Q7", "Ledoit–Wolf, 500 × 1,000", "tradegraph", "risk", "Q7-ledoit-wolf", "ours", own_ms, "5"),
    ("Q7", "", "scikit-learn", "lw", "W6-ledoitwolf", "sklearn", each_ms, ""),
    ("Q8", "mean-variance, 500 names, cold", "tradegraph", "risk", "Q8-mean-variance-cold", "ours", own_ms, "25"),
    ("Q8", "", "cvxpy, SCS", "scs", "W6-mv", "cvxpy+scs", each_ms, ""),
    ("Q8", "", "cvxpy, Clarabel", "clarabel", "W6-mv", "cvxpy+clarabel", each_ms, ""),
    ("Q8", "the same, warm", "tradegraph", "risk", "Q8-mean-variance-warm", "ours", own_ms, "5"),
    ("Q9", "risk parity, 500 names", "tradegraph", "risk", "Q9-risk-parity", "ours", own_ms, "5"),
    ("Q9", "", "skfolio", "skfolio", "W6-riskparity", "skfolio", each_ms, ""),
    ("Q10", "Engle–Granger, one lag, p-values", "tradegraph", "pairs", "W7-lag1", "ours", K, "10,000"),
    ("Q10", "", "statsmodels", "lag1", "W7", "statsmodels-lag1", K, ""),
    ("Q10", "the same, lags by Akaike's criterion", "tradegraph", "pairs", "W7-aic", "ours", K, "50"),
    ("Q10", "", "statsmodels", "aic", "W7", "statsmodels-aic", K, ""),
]
NOTES = {"max_abs_vol_err": "error of the volatility", "max_abs_price_err": "of the price", "max_err_of_strike_vs_accurate": "of the strike",
         "max_rel_err": "relative", "max_rel_budget_err": "of the budgets", "obj": "objective", "shrinkage": "shrinkage",
         "max_abs_t_vs_single": "of t, against one test at a time", "max_weight_diff_from_cold": "of a weight, against cold"}


def spread(values, digits):
    shown = lambda x: f"{x:,.{digits}f}"
    return f"{shown(statistics.median(values))} ({shown(min(values))}–{shown(max(values))})"


def digits(x):
    return 4 if x < 0.01 else 3 if x < 1 else 2 if x < 10 else 1 if x < 100 else 0


def note(found, workload, who):
    """What a command says of its accuracy, from any line of the workload."""
    for line in found:
        for key, text in NOTES.items():
            if line["workload"] == workload and line.get("peer", who) == who and key in line:
                value = float(line[key])
                shown = f"{value:.9f}".rstrip("0") if key in ("obj", "shrinkage") else f"{value:.0e}"
                return f"{text} {shown}" if key in ("obj", "shrinkage") else f"{shown} {text}"
    return ""


def main():
    rows = [r for r in ROWS if not a.only or r[0] in a.only.split(",")]
    needed = list(dict.fromkeys(r[3] for r in rows))
    seen = {at: [] for at in range(len(rows))}
    notes = {}
    for k in range(a.rounds):
        found = {name: lines(*COMMANDS[name]) for name in needed}
        for at, (_, _, _, command, workload, who, (_, of, _), _) in enumerate(rows):
            line = next((l for l in found[command] if l["workload"] == workload and l.get("peer") == who), None)
            if line is not None:
                seen[at].append(of(line))
                notes[at] = note(found[command], workload, who)
        say(f"round {k + 1} of {a.rounds}, load {os.getloadavg()[0]:.1f}")
    table = ["| bar | what | library | median (range) | ours is | goal | accuracy |", "|---|---|---|---|---|---|---|"]
    first = None
    for at, (bar, what, library, _, _, _, (unit, _, more), goal) in enumerate(rows):
        first = at if what else first
        if not seen[at]:
            continue
        ratio = "1"
        if at != first:
            both = zip(seen[first], seen[at])
            times = statistics.median(x / y if more else y / x for x, y in both)
            ratio = f"{times:,.1f} ×" if times < 100 else f"{times:,.0f} ×"
        value = spread(seen[at], digits(statistics.median(seen[at])))
        table.append(f"| {bar} | {what} | {library} | {value} {unit} | {ratio} | {goal} | {notes[at]} |")
    page = "\n".join(table) + f"\n\n{a.rounds} rounds; load average while it ran {min(loads):.1f} to {max(loads):.1f}.\n"
    print(page)
    if a.write:
        text = open(a.write).read()
        begin, end = MARKS
        if begin not in text:
            text = text.rstrip("\n") + "\n\n" + begin + end
        head, rest = text.split(begin)
        open(a.write, "w").write(head + begin + "\n" + page + "\n" + end + rest.split(end)[1])


main()
