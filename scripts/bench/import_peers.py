#!/usr/bin/env python3
"""pandas and pyarrow read a CSV of 2,000,000 minute bars and write it as Parquet: one JSON line each.

usage: import_peers.py FOLDER    the file is made there if it is not there yet, of the form that `tradegraph bench import` uses
"""
import json, os, random, sys, time

ROWS = 2_000_000
folder = sys.argv[1]
file = os.path.join(folder, "import-peers.csv")
out = os.path.join(folder, "import-peers.parquet")


def make():
    import datetime
    rng, price = random.Random(1), 10_000_000
    start = datetime.datetime(2010, 1, 1, tzinfo=datetime.timezone.utc)
    text = lambda p: f"{p // 10_000}.{p % 10_000:04}"
    with open(file, "w") as f:
        f.write("ts,open,high,low,close,volume\n")
        for k in range(ROWS):
            close = max(price + rng.randrange(2_001) - 1_000, 1_000)
            high, low = max(price, close) + rng.randrange(512), min(price, close) - rng.randrange(512)
            ts = (start + datetime.timedelta(minutes=k)).strftime("%Y-%m-%dT%H:%M:%SZ")
            f.write(f"{ts},{text(price)},{text(high)},{text(low)},{text(close)},{rng.randrange(65_536)}\n")
            price = close


def measure(name, version, read, write):
    cpu = time.process_time()
    write(read())
    cpu = time.process_time() - cpu
    print(json.dumps({"workload": "IMPORT", "peer": name, "version": version, "rows_per_cpu_second": ROWS / cpu}), flush=True)


if not os.path.exists(file):
    make()
if len(sys.argv) < 3 or sys.argv[2] == "pandas":
    import pandas
    measure("pandas", pandas.__version__, lambda: pandas.read_csv(file, parse_dates=["ts"]), lambda t: t.to_parquet(out, compression="zstd"))
if len(sys.argv) < 3 or sys.argv[2] == "pyarrow":
    import pyarrow, pyarrow.csv, pyarrow.parquet
    measure("pyarrow", pyarrow.__version__, lambda: pyarrow.csv.read_csv(file), lambda t: pyarrow.parquet.write_table(t, out, compression="zstd"))
