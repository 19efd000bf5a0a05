"""Runs a mandate with tradegraph and reads what it wrote."""
import csv
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FILLS = """SELECT (SELECT count(*) FROM market_data m WHERE m.start_ns < t.ts_ns) AS bar, side, quantity, price, commission,
    ts_ns FROM trades t ORDER BY exec_id"""
BARS = "SELECT start_ns, ts_ns, open, high, low, close FROM market_data ORDER BY start_ns"


@dataclass
class Fill:
    """`bar` counts from 0; the fill is at its open. `quantity` is negative for sales."""
    bar: int
    quantity: float
    price: float
    fee: float


@dataclass
class Ours:
    fills: list
    starts: np.ndarray  # ns of each bar
    ends: np.ndarray
    ohlc: np.ndarray
    days: list  # of the curve, UTC
    curve: np.ndarray
    end: float


def run(binary, mandate):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "mandate.toml").write_text(mandate)
        environment = {k: v for k, v in os.environ.items() if k != "TRADEGRAPH_HOME"}

        def tradegraph(*arguments):
            out = subprocess.run([binary, *arguments, "--json"], cwd=folder, env=environment, capture_output=True, text=True)
            if out.returncode:
                raise SystemExit(f"tradegraph {' '.join(arguments)}: {out.stdout}{out.stderr}")
            return json.loads(out.stdout)

        done = tradegraph("backtest", "mandate.toml")
        fills = tradegraph("sql", FILLS, "--limit", "100000")["rows"]
        bars = np.array(tradegraph("sql", BARS, "--limit", "100000")["rows"], dtype=object)
        with open(Path(folder, "tradegraph-data", "runs", done["run"], "equity.csv")) as file:
            rows = list(csv.DictReader(file))
        starts = bars[:, 0].astype(np.int64)
        for bar, *_, ts in fills:
            if starts[bar] != ts:
                raise SystemExit(f"a fill at {ts} is at no open")
        return Ours(
            [Fill(bar, q if side == "buy" else -q, price, fee) for bar, side, q, price, fee, _ in fills],
            starts, bars[:, 1].astype(np.int64), bars[:, 2:].astype(float),
            [r["date"] for r in rows], np.array([float(r["nav"]) for r in rows]), float(rows[-1]["nav"]))
