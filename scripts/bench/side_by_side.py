#!/usr/bin/env python3
"""Times the same rule here and in other engines, in turn, in one run, and prints medians and ratios.

usage: side_by_side.py WORKLOAD --ours 'COMMAND' --peer 'NAME=COMMAND' [--peer ...] [--rounds 5] [--json]

Every command prints JSON lines with "rate_cpu" (units of work a CPU second) and, where it has them, "orders" and
"equity"; the first line of a command counts. Commands run one after another, round by round, so that a slow moment of
the machine meets all of them; the ratio is taken round by round and its median is printed.
"""
import argparse, json, os, shlex, statistics, subprocess, sys


def measure(command):
    out = subprocess.run(shlex.split(command), capture_output=True, text=True)
    for line in out.stdout.splitlines():
        if line.startswith("{"):
            return json.loads(line)
    sys.exit(f"no JSON line from: {command}\n{out.stdout}{out.stderr}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("workload")
    p.add_argument("--ours", required=True)
    p.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    commands = {"tradegraph": a.ours, **dict(x.split("=", 1) for x in a.peer)}
    seen = {name: [] for name in commands}
    for k in range(a.rounds):
        for name, command in commands.items():
            seen[name].append(measure(command))
            print(f"round {k + 1}/{a.rounds} {name}: {seen[name][-1]['rate_cpu'] / 1e6:.2f} M/s", file=sys.stderr)
    ours = [r["rate_cpu"] for r in seen["tradegraph"]]
    rows = []
    for name, runs in seen.items():
        rates = [r["rate_cpu"] for r in runs]
        rows.append({
            "workload": a.workload, "engine": name, "version": runs[0].get("version"),
            "rate_cpu_median": statistics.median(rates), "rate_cpu_min": min(rates), "rate_cpu_max": max(rates),
            "ours_over_it": statistics.median(o / r for o, r in zip(ours, rates)),
            "orders": runs[0].get("orders", runs[0].get("trades")), "equity": runs[0].get("equity", runs[0].get("end_value")),
            "load": os.getloadavg()[0],
        })
    for r in rows:
        if a.json:
            print(json.dumps(r))
        else:
            print(f"{r['workload']}  {r['engine']:24} {r['rate_cpu_median'] / 1e6:9.2f} M/s  "
                  f"({r['rate_cpu_min'] / 1e6:.2f}–{r['rate_cpu_max'] / 1e6:.2f})  ours is {r['ours_over_it']:6.2f} × it  "
                  f"orders {r['orders']}  equity {r['equity']}")


main()
