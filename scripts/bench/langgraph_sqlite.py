#!/usr/bin/env python3
"""A cycle of eleven trivial nodes committed to SQLite by LangGraph's own saver; beside `--example checkpoints`.

usage: pip install langgraph langgraph-checkpoint-sqlite; langgraph_sqlite.py [--cycles 300] [DIR]

The graph is that of crates/graph/examples/bench/trading.rs. One JSON line a setting: microseconds of one invoke on one
thread, in which every cycle begins its lists anew (so that states do not grow), the file in DIR.
"""
import argparse, json, operator, os, sqlite3, statistics, tempfile, time
from importlib.metadata import version
from typing import Annotated, TypedDict

os.environ["LANGSMITH_TRACING"] = "false"
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Overwrite


class State(TypedDict, total=False):
    log: Annotated[list, operator.add]
    signals: Annotated[list, operator.add]
    orders: Annotated[list, operator.add]
    route: str


NAMES = ["ingestor", "sentiment", "momentum", "mean_reversion", "options", "short_seller", "long_term",
         "portfolio_allocator", "risk_manager", "execution_engine", "learning"]


def node(number):
    def run(state):
        if number == 8:
            return {"orders": [len(state["signals"])]}
        return {"log": [number], **({"signals": [number]} if 2 <= number <= 7 else {})}
    return run


def trading():
    g = StateGraph(State)
    for number, name in enumerate(NAMES, 1):
        g.add_node(name, node(number))
    g.add_edge(START, "ingestor")
    for n in ["sentiment", "mean_reversion", "options", "long_term"]:
        g.add_edge("ingestor", n)
    g.add_edge("sentiment", "short_seller")
    g.add_edge(["ingestor", "sentiment"], "momentum")
    g.add_edge(["momentum", "mean_reversion", "options", "short_seller", "long_term"], "portfolio_allocator")
    g.add_conditional_edges("portfolio_allocator", lambda s: s["route"],
                            {"risk_check": "risk_manager", "execute": "execution_engine", "learn": "learning"})
    g.add_edge("risk_manager", "execution_engine")
    g.add_edge("execution_engine", "learning")
    g.add_edge("learning", END)
    return g


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cycles", type=int, default=300)
    p.add_argument("dir", nargs="?")
    a = p.parse_args()
    for synchronous in ["NORMAL", "FULL"]:
        for durability in ["async", "exit", "sync"]:
            with tempfile.TemporaryDirectory(dir=a.dir) as folder:
                path = os.path.join(folder, "checkpoints.sqlite")
                saver = SqliteSaver(sqlite3.connect(path, check_same_thread=False))
                saver.setup()
                saver.conn.execute(f"PRAGMA synchronous = {synchronous}")
                graph = trading().compile(checkpointer=saver)
                config = {"configurable": {"thread_id": "desk"}, "recursion_limit": 100}
                anew = {k: Overwrite([]) for k in ["log", "signals", "orders"]} | {"route": "risk_check"}
                times = []
                for cycle in range(a.cycles + a.cycles // 10):
                    start = time.perf_counter_ns()
                    out = graph.invoke(anew, config, durability=durability)
                    times.append((time.perf_counter_ns() - start) / 1e3)
                assert sorted(out["log"]) == [1, 2, 3, 4, 5, 6, 7, 9, 10, 11], out
                rows = saver.conn.execute("SELECT count(*) FROM checkpoints").fetchone()[0]
                saver.conn.close()
                times = sorted(times[a.cycles // 10:])
                at = lambda share: round(times[int((len(times) - 1) * share)], 1)
                print(json.dumps({
                    "scenario": f"langgraph_{synchronous.lower()}_{durability}", "version": version("langgraph"),
                    "median_us": round(statistics.median(times), 1), "p10_us": at(0.1), "p90_us": at(0.9),
                    "cycles": len(times), "checkpoints": rows,
                }), flush=True)


main()
