#!/usr/bin/env python3
"""Every bar of the foundation beside its peers, in turn, in one run: a table for docs/performance.md.

usage: foundation.py --binary target/release/tradegraph --peers DIR --scratch DIR [--rounds 5] [--only F1,F4] [--write FILE]

--peers is the folder of the peers' scripts, --scratch what their set-up made (its README says how): `data` (columns), `venv`
and `venv-rb` (Python). A peer that is not set up is left out and said so. Rows run one after another; within a row every
command runs once a round, so that a slow moment of the machine meets all of them, and the ratio is taken round by round.
--write puts the table between two marks of a Markdown file, at its end if it has none. --build adds F9, a clean release build of ten minutes.
"""
import argparse, json, os, shutil, statistics, subprocess, sys, tempfile, time

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--binary", required=True)
p.add_argument("--peers", required=True)
p.add_argument("--scratch", required=True)
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--repeats", type=int, default=1000, help="runs of F5 in one process")
p.add_argument("--only", default="", help="rows, separated by commas")
p.add_argument("--build", action="store_true")
p.add_argument("--write")
a = p.parse_args()
binary, data = os.path.abspath(a.binary), os.path.join(a.scratch, "data")
venv, venv_rb = (os.path.join(a.scratch, v, "bin", "python") for v in ("venv", "venv-rb"))
MARKS = "<!-- foundation: made by scripts/bench/foundation.py -->\n", "<!-- end of foundation -->\n"
loads = []


def say(text):
    print(text, file=sys.stderr, flush=True)


def lines(command, env=None):
    """The JSON lines that a command prints, or None if it cannot be run."""
    out = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "BENCH_DATA": data, **(env or {})})
    loads.append(os.getloadavg()[0])
    found = [json.loads(l) for l in out.stdout.splitlines() if l.startswith("{")]
    if not found:
        say(f"left out, no result: {' '.join(command)}\n{out.stderr[-300:]}")
    return found or None


def ours(*arguments):
    return [binary, "bench", *arguments]


def peer(script, python=venv):
    return [python, os.path.join(a.peers, script)]


def spread(values, digits):
    shown = lambda x: f"{x:,.{digits}f}"
    return f"{shown(statistics.median(values))} ({shown(min(values))}–{shown(max(values))})"


rows = []


def row(bar, what, engine, values, unit, digits, goal="", ratio="", notes=""):
    rows.append((bar, what, engine, f"{spread(values, digits)} {unit}", ratio, goal, notes))
    say("  ".join(rows[-1]))


def rates(bar, what, commands, key, unit, scale, digits, goal, notes=lambda first: ""):
    """A row for each command: ours first; the ratio says how many times faster ours is."""
    seen = {name: [] for name, _, _ in commands}
    for _ in range(a.rounds):
        for name, command, env in commands:
            if seen[name] is not None:
                found = lines(command, env)
                seen[name] = None if found is None else seen[name] + [found[0]]
    first = [r[key] / scale for r in seen[commands[0][0]]]
    for at, (name, _, _) in enumerate(commands):
        if seen[name] is None:
            continue
        values = [r[key] / scale for r in seen[name]]
        ratio = "1" if at == 0 else f"{statistics.median(x / y for x, y in zip(first, values)):.1f} ×"
        row(bar, what, name, values, unit, digits, goal if at == 0 else "", ratio, notes(seen[name][0]))


def result(r):
    orders, equity = r.get("orders", r.get("trades")), r.get("equity", r.get("end_value"))
    return f"{orders:,} orders, equity {float(equity):,.2f}" if orders is not None and equity is not None else ""


def wanted(bar):
    return not a.only or bar in a.only.split(",")


variants = ["reasons-sqlite", "reasons-memory", "hashes-memory"]
names = ["tradegraph, journal in SQLite, reasons", "tradegraph, journal in memory", "tradegraph, hashes only"]
own = lambda w: [(n, ours(w, "--data", data, "--reps", "1", "--only", v), None) for n, v in zip(names, variants)]
if wanted("F1"):
    peers = [("vectorbt, Rust engine", peer("w1_vectorbt.py"), {"ENGINE": "rust"}),
             ("raptorbt on arrays", peer("w1_raptorbt.py", venv_rb), None)]
    rates("F1", "one instrument, 1 M minute bars", own("w1") + peers, "rate_cpu", "M bars/s", 1e6, 1, "40", result)
if wanted("F2"):
    peers = [("vectorbt, Rust engine", peer("w2_vectorbt.py"), {"ENGINE": "rust"})]
    rates("F2", "500 instruments × 2,520 days", own("w2") + peers, "rate_cpu", "M instrument-bars/s", 1e6, 1, "80", result)
if wanted("F3"):
    council = [("tradegraph, journal in memory", ours("council", "--data", data, "--reps", "1", "--only", "reasons-memory"), None)]
    rates("F3", "the same by the whole council", council, "rate_cpu", "M instrument-bars/s", 1e6, 1, "10", result)
if wanted("F4"):
    seen = [lines(ours("cycle"))[0] for _ in range(a.rounds)]
    row("F4", "one decision, 50,000 instruments", "tradegraph, three agents", [r["cpu_ms_median"] for r in seen], "ms", 1, "10")
    row("F4", "the slowest of 40 such", "tradegraph, three agents", [r["cpu_ms_p99"] for r in seen], "ms", 1, "20")
if wanted("F5"):
    found = lines(ours("repeat", "--data", data, "--reps", str(a.repeats)))[0]
    row("F5", "memory of F3", "tradegraph", [found["peak_rss_mb"]], "MB", 0, "150")
    row("F5", f"growth from run 10 to run {a.repeats}", "tradegraph", [found["growth_mb"]], "MB", 2, "1")
    found = lines(peer("w2_vectorbt.py"), {"ENGINE": "rust"})
    if found:
        row("F5", "memory of F2", "vectorbt, Rust engine", [found[0]["peak_rss_mb"]], "MB", 0)
if wanted("F6"):
    with tempfile.TemporaryDirectory() as home:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "import_peers.py")
        commands = [("tradegraph data import, every cell checked", [binary, "--home", home, "bench", "import", "--reps", "1"], None)]
        commands += [(n, [venv, script, a.scratch, n], None) for n in ("pandas", "pyarrow")]
        rates("F6", "CSV of 2 M bars to columns", commands, "rows_per_cpu_second", "M rows/s", 1e6, 1, "3")
        back = [lines(commands[0][1])[0]["values_read_back_per_cpu_second"] / 1e6 for _ in range(a.rounds)]
        row("F6", "read back", "tradegraph", back, "M values/s", 0, "50")
if wanted("F7"):
    mine, theirs = [], []
    for _ in range(a.rounds):
        mine.append(lines(ours("journal", "--data", data, "--reps", "1")))
        theirs.append(lines(peer("w9_sqlite.py"), {"BENCH_DIR": tempfile.gettempdir()}))
    for at, what in enumerate(["a record of 200 B a durable commit", "256 records a durable commit"]):
        values = [r[at]["rate"] for r in mine]
        row("F7", what, "tradegraph's journal, chained hashes", values, "records/s", 0, "as SQLite", "1")
        if all(theirs):
            peers = [r[at]["rate"] for r in theirs]
            ratio = statistics.median(x / y for x, y in zip(values, peers))
            row("F7", what, "SQLite alone, WAL, FULL", peers, "records/s", 0, "", f"{ratio:.1f} ×")
    row("F7", "a stored run again, compared", "tradegraph replay", [r[2]["rate_cpu"] / 1e6 for r in mine], "M events/s", 1, "2")
if wanted("F8"):
    took, size, shown = [], [], []
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    for _ in range(a.rounds):
        with tempfile.TemporaryDirectory() as home:
            begin = time.perf_counter()
            out = subprocess.run([binary, "--home", home, "--json"], capture_output=True, text=True, check=True)
            took.append(time.perf_counter() - begin)
            report = json.loads(out.stdout)["report"]
            size.append(os.path.getsize(report) / 1e6)
            if browser:
                flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--user-data-dir={home}/b"]
                blank, page = f"{home}/blank.html", f"{home}/timed.html"
                open(blank, "w").write("<title>blank</title>")
                timer = "<script>addEventListener('load',()=>{document.title=performance.now()})</script></head>"
                open(page, "w").write(open(report).read().replace("</head>", timer, 1))
                dom = subprocess.run([browser, *flags, "--dump-dom", f"file://{page}"], capture_output=True, text=True).stdout
                shown.append(float(dom.split("<title>")[1].split("</title>")[0]) / 1000)
    row("F8", "the demonstration, binary to report", "tradegraph", took, "s", 2, "10")
    row("F8", "its report", "tradegraph", size, "MB", 1, "8")
    if shown:
        row("F8", "its report opened in Chromium", "tradegraph", shown, "s", 2, "2")
if a.build and wanted("F9"):
    with tempfile.TemporaryDirectory() as target:
        begin = time.perf_counter()
        subprocess.run(["cargo", "build", "--release", "--locked", "--target-dir", target], check=True, capture_output=True)
        row("F9", "clean release build, two cores", "cargo", [(time.perf_counter() - begin) / 60], "min", 1, "10")

head = ["bar", "what", "engine", "median (range)", "ours is", "goal", "result"]
table = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(r) + " |" for r in rows]
load = f"{a.rounds} rounds; load average while it ran {min(loads):.1f} to {max(loads):.1f}." if loads else ""
text = "\n".join(table) + f"\n\n{load}\n"
print(text)
if a.write:
    page = open(a.write).read()
    # A page without the marks gets the table at its end.
    before, _, rest = page.partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    open(a.write, "w").write(before + MARKS[0] + "\n" + text + "\n" + MARKS[1] + after)
