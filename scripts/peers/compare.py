"""Runs the same rules in tradegraph and in other engines and compares every trade and the curve of the account.

Usage: python scripts/peers/compare.py TRADEGRAPH_BINARY [WORDS…]
Writes crates/tradegraph/tests/it/comparison.json, which a test holds against the program, and prints the tables of
docs/comparison.md; the word `tables` alone prints those of the committed file. With other words, only cases whose name
has all of them are run and nothing is written.
"""
import json
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

import engines
import indicators
import ours
import variants
from cases import CASES, CASH

OUT = Path(__file__).resolve().parents[2] / "crates/tradegraph/tests/it/comparison.json"
DAY = 86_400_000_000_000
CASH_TOLERANCE = 1e-6  # of a fill's value
TIE = 1e-12  # of a number: what rounding leaves


def merged(fills):
    """Fills in time, those of one bar as one: some engines close and open where others turn around."""
    by_bar = {}
    for f in sorted(fills, key=lambda f: f.bar):
        by_bar.setdefault(int(f.bar), []).append(f)
    out = []
    for bar, fs in by_bar.items():
        quantity = sum(f.quantity for f in fs)
        out.append(ours.Fill(bar, quantity, sum(f.quantity * f.price for f in fs) / quantity if quantity else 0.0,
                             sum(f.fee for f in fs)))
    return out


def paid(f):
    """What a fill took from the account, its fee and spread included."""
    return f.quantity * f.price + f.fee


def listed(fills):
    return " ".join(f"{f.bar}{f.quantity:+.0f}" for f in fills)


def at_days_end(own, equity, fills):
    """The peer's account at the ends of our days (UTC; what happens at midnight belongs to the day that ends): at the last
    close of the day, after an order that filled since."""
    by_bar, out = {f.bar: f for f in fills}, []
    for day in own.days:
        midnight = ((date.fromisoformat(day) - date(1970, 1, 1)).days + 1) * DAY
        last = int(np.searchsorted(own.ends, midnight, side="right")) - 1
        if last < 0:
            value = CASH
        else:
            value = equity[last]
            f = by_bar.get(last + 1)
            if f and own.starts[last + 1] <= midnight:
                value += f.quantity * own.ohlc[last, 3] - paid(f)
        out.append(value)
    return np.array(out)


def tie(case, bars, own_fills, fills):
    """The bar before the first fill that differs, if both sides of the rule's exit are equal there to the last digits."""
    a, b = ({f.bar: f.quantity for f in fs} for fs in (own_fills, fills))
    first = min((bar for bar in a.keys() | b.keys() if a.get(bar) != b.get(bar)), default=0)
    if first and case.rule.nearest(indicators.TaLib(), bars, first - 1) < TIE:
        return first - 1


def compare(case, binary, peers):
    bars = case.series.bars()
    own = ours.run(binary, case.mandate())
    if not np.array_equal(own.ohlc, bars.to_numpy()):
        raise SystemExit(f"{case.name}: tradegraph and this script read other bars")
    own_fills = merged(own.fills)
    mine = {(f.bar, f.quantity): f for f in own_fills}

    def agreeing(fills):
        pairs = [(mine[f.bar, f.quantity], f) for f in fills if (f.bar, f.quantity) in mine]
        return pairs, sum(bool(abs(paid(a) - paid(b)) <= CASH_TOLERANCE * abs(a.quantity * a.price)) for a, b in pairs)

    results = {}
    for name, (run, _) in peers.items():
        fills, equity = run(case, bars)
        fills, result = merged(fills), {}
        at = tie(case, bars, own_fills, fills)
        if at is not None:
            result["tie"] = {"bar": at, "agreeing_without": agreeing(fills)[1]}
            decided = any(f.bar == at + 1 for f in own_fills)
            fills, equity = run(replace(case, rule=replace(case.rule, ties={at: decided})), bars)
            fills = merged(fills)
        pairs, n = agreeing(fills)
        result |= {
            "fills": len(fills),
            "agreeing": n,
            "fill": float(f"{max((abs(paid(a) - paid(b)) for a, b in pairs), default=0.0):.3g}"),
            "curve": float(f"{np.abs(at_days_end(own, equity, fills) - own.curve).max():.3g}"),
            "end": round(float(equity[-1]), 6),
        }
        results[name] = result
        if listed(fills) != listed(own_fills):
            print(f"  {case.name}: {name} differs, first at {sorted(set(listed(fills).split()) ^ set(listed(own_fills).split()))[:4]}")
            result["other_fills"] = listed(fills)
    same = [n for n, r in results.items() if "other_fills" not in r]
    return {"name": case.name, "rule": case.rule.name, "series": case.series.name, "costs": case.costs,
            "mandate": case.mandate(), "bars": len(bars), "fills": listed(own_fills) if same else "", "peers": results}


def tables(results):
    """Markdown: fills by series and rule (free and with costs they are as many, else both are shown), then what each
    engine agrees on."""
    series, rules, engines_ = (list(dict.fromkeys(x)) for x in (
        (r["series"] for r in results), (r["rule"] for r in results), (n for r in results for n in r["peers"])))
    print("\n| series | bars | " + " | ".join(rules) + " |\n|" + "---|" * (len(rules) + 2))
    for s in series:
        rows = [r for r in results if r["series"] == s]
        cells = [dict.fromkeys(str(len(r["fills"].split())) for r in rows if r["rule"] == rule) for rule in rules]
        print(f"| {s} | {rows[0]['bars']:,} | " + " | ".join(" / ".join(c) for c in cells) + " |")
    for key, values in (("rule", rules), ("series", series)):
        print(f"\n| engine | {key} | fills | agreeing | free: account | costs: fill | costs: account |\n|" + "---|" * 7)
        for name in engines_:
            for value in values:
                rows = [(r["costs"], r["peers"][name]) for r in results if r[key] == value]
                n, agreeing = (sum(p[k] for _, p in rows) for k in ("fills", "agreeing"))
                most = [max((p[k] for costs, p in rows if costs == c), default=0.0)
                        for k, c in (("curve", False), ("fill", True), ("curve", True))]
                print(f"| {name} | {value} | {n:,} | {agreeing:,} | " + " | ".join(f"{m:.1g}" for m in most) + " |")


def main():
    if sys.argv[1:] == ["tables"]:
        return tables(json.loads(OUT.read_text())["cases"])
    binary, words = str(Path(sys.argv[1]).resolve()), sys.argv[2:]
    peers = engines.available()
    if len(peers) < 3:
        raise SystemExit("fewer than three engines: pip install -r scripts/peers/requirements.txt")
    results = []
    for case in CASES:
        if all(w in case.name for w in words):
            results.append(compare(case, binary, peers))
            r = results[-1]
            print(r["name"], "|", len(r["fills"].split()), "fills |", *(
                f"{n} {p['agreeing']}/{p['fills']} fill {p['fill']:g} curve {p['curve']:g} |" for n, p in r["peers"].items()), flush=True)
    tables(results)
    if not words:
        print("\n| case | engine left to | fills, ours | same bar and side | end, theirs less ours | predicted |\n|" + "---|" * 6)
        for name, engine, what, n, ours_n, same, end, predicted in variants.run(binary, peers, ours.run, merged):
            told = "" if predicted is None else f"{predicted:,.6f}"
            print(f"| {name} | {engine}: {what} | {n}, {ours_n} | {same} | {end:,.6f} | {told} |")
        head = {"engines": {n: v for n, (_, v) in peers.items()}, "indicators": {n: indicators.SOURCES[n] for n in peers}, "cases": results}
        OUT.write_text(json.dumps(head, indent=1) + "\n")


if __name__ == "__main__":
    main()
