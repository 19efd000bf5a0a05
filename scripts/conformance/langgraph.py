"""Runs graphs that are described as data on LangGraph and writes down what it does.

    python3 -m venv v && v/bin/pip install langgraph langgraph-checkpoint-sqlite
    v/bin/python scripts/conformance/langgraph.py crates/graph/tests/it/langgraph.json

The test `langgraph` of crates/graph reads the file, runs the same graphs here and compares values, tasks of each
step, questions, states and histories. Rerun it after a change of the cases or to compare with another version; a second argument is the number of random
graphs (120).

A node is a list of operations, a router a rule; both are carried out by `Case` below and by the test. A case is a
graph and a list of actions on it; the expected list has one entry an action.
"""

from __future__ import annotations

import json
import operator
import os
import random
import sys
import time
from collections import Counter
from importlib.metadata import version
from typing import Annotated, Any, TypedDict

os.environ["LANGSMITH_TRACING"] = "false"
sys.path.pop(0)  # this file has the name of the package that it imports

from langgraph.cache.memory import InMemoryCache
from langgraph.channels import AnyValue, EphemeralValue, LastValueAfterFinish, Topic, UntrackedValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError, InvalidUpdateError, NodeError
from langgraph.graph import END, START, StateGraph
from langgraph.types import CachePolicy, Command, Overwrite, RetryPolicy, Send, StateUpdate, interrupt

KINDS = {
    "last": Any,
    "add": Annotated[list, operator.add],
    "sum": Annotated[int, operator.add],
    "any": Annotated[Any, AnyValue],
    "topic": Annotated[list, Topic(Any, False)],
    "topic_of_all": Annotated[list, Topic(Any, True)],
    "ephemeral": Annotated[Any, EphemeralValue(Any, True)],
    "ephemeral_unguarded": Annotated[Any, EphemeralValue(Any, False)],
    "untracked": Annotated[Any, UntrackedValue(Any)],
    "after_finish": Annotated[Any, LastValueAfterFinish(Any)],
}


def end(name: str) -> str:
    return {"START": START, "END": END}.get(name, name)


class Case:
    def __init__(self, graph: dict) -> None:
        self.runs: Counter[str] = Counter()
        self.spaces: dict[str, str] = {}
        self.saver = InMemorySaver()
        checkpointer = None if graph.get("saver") is False else self.saver
        self.graph = self.build(graph, checkpointer)
        self.limit = graph.get("limit", 25)
        self.channels = graph["channels"]
        # `sync` does not work with a subgraph that has no checkpointer, nor without a checkpointer.
        plain = checkpointer is None or '"nothing"' in json.dumps(graph)
        self.durability = None if plain else "sync"

    def build(self, graph: dict, checkpointer: Any) -> Any:
        state = TypedDict("State", {k: KINDS[v] for k, v in graph["channels"].items()}, total=False)
        g = StateGraph(state)
        for name, spec in graph["nodes"].items():
            if "graph" in spec:
                keep = {"run": None, "thread": True, "nothing": False}[spec["keep"]]
                g.add_node(name, self.build(spec["graph"], keep))
                continue
            options: dict[str, Any] = {"defer": spec.get("defer", False)}
            if "retry" in spec:
                options["retry_policy"] = RetryPolicy(
                    initial_interval=0.001, max_attempts=spec["retry"], jitter=False, retry_on=ValueError
                )
            if "handler" in spec:
                options["error_handler"] = self.handler(spec["handler"])
            if "cache" in spec:
                options["cache_policy"] = CachePolicy()
            g.add_node(name, self.node(name, spec.get("ops", [])), **options)
        for a, b in graph.get("edges", []):
            g.add_edge(end(a), end(b))
        for members, to in graph.get("joins", []):
            g.add_edge(members, to)
        for route in graph.get("routes", []):
            targets = {t: end(t) for t in route["targets"]}
            g.add_conditional_edges(end(route["from"]), self.router(route["rule"]), targets)
        return g.compile(
            checkpointer=checkpointer,
            interrupt_before=graph.get("before"),
            interrupt_after=graph.get("after"),
            cache=InMemoryCache(),
        )

    def handler(self, ops: list) -> Any:
        def run(state: Any, error: NodeError) -> Any:
            self.error = f"h:{error.node}:{type(error.error).__name__}"
            return self.carry_out("handler", ops, state)

        return run

    def node(self, name: str, ops: list) -> Any:
        def run(state: Any) -> Any:
            self.runs[name] += 1
            return self.carry_out(name, ops, state)

        return run

    def carry_out(self, name: str, ops: list, state: Any) -> Any:
        answers: list = []

        def value(v: Any) -> Any:
            if not isinstance(v, dict):
                return v
            if "arg" in v:
                return [state]
            if "read" in v:
                return state[v["read"]] + v["plus"]
            if "len" in v:
                return [f"{name}@{len(state.get(v['len'], []))}"]
            if "see" in v:
                return [f"{name} sees {json.dumps(state.get(v['see']))}"]
            if "answers" in v:
                return answers
            if "error" in v:
                return [self.error]
            if "turns" in v:
                # Nodes that share a switch: its values in turn.
                return v["values"][(sum(self.runs[n] for n in v["turns"]) - 1) % len(v["values"])]
            if "runs" in v:
                return [f"{name}{self.runs[name]}"]
            raise ValueError(v)

        commands: list = []
        for op in ops:
            kind = op["op"]
            if kind == "write":
                commands.append(Command(update={op["chan"]: value(op["value"])}))
            elif kind == "overwrite":
                commands.append(Command(update={op["chan"]: Overwrite(value(op["value"]))}))
            elif kind == "goto":
                commands.append(Command(goto=[end(t) for t in op["to"]]))
            elif kind == "plan":
                # LangGraph's planner: the next entry of the plan, once it is in the state.
                done = len(state["done"])
                steps = op["steps"]
                commands.append(Command(update={"done": [done]}, goto=steps[done] if done < len(steps) else []))
            elif kind == "send":
                commands.append(Command(goto=[Send(op["to"], op["arg"])]))
            elif kind == "parent":
                update = {op["chan"]: op["value"]} if "chan" in op else None
                return Command(graph=Command.PARENT, update=update, goto=op["goto"])
            elif kind == "ask":
                skips = "when" in op and state.get(op["when"]["chan"]) != op["when"]["equals"]
                answers.append(op["when"]["or"] if skips else interrupt(op["value"]))
            elif kind == "ask_until":
                question = op["value"]
                while (answer := interrupt(question)) < op["least"]:
                    question = op["again"]
                commands.append(Command(update={op["chan"]: answer}))
            elif kind == "fail":
                if self.runs[name] <= op["times"]:
                    time.sleep(0.05)  # what fails last does not stop its siblings
                    raise ValueError("fails")
            else:
                raise ValueError(kind)
        return commands or None

    def router(self, rule: Any) -> Any:
        def choose(state: Any) -> Any:
            at = rule
            while isinstance(at, dict):
                if "over" in at:
                    at = at["then"] if state[at["chan"]] > at["over"] else at["else"]
                elif "equals" in at:
                    at = at["then"] if state.get(at["chan"]) == at["equals"] else at["else"]
                else:
                    at = at["choices"][len(state.get(at["len"], [])) % len(at["choices"])]
            return [Send(x["send"], x["arg"]) if isinstance(x, dict) else x for x in at]

        return choose

    def config(self, action: dict) -> dict:
        config: dict = {"configurable": {"thread_id": action.get("thread", "1")}, "recursion_limit": self.limit}
        at = action.get("at")
        if at == "fork":
            config["configurable"] = self.fork["configurable"]
        elif at is not None:
            if isinstance(at, dict) and ("ns" in at or "path" in at):
                self.enter(config, at)
            history = list(self.graph.get_state_history(config))
            if isinstance(at, dict):
                # As the public tests look for it: by what runs next, and perhaps by a question that waits.
                history = [s for s in history if s.next == (at["next"],) and (s.interrupts or not at.get("asks"))]
                at = at.get("nth", 0)
            config["configurable"] = history[at].config["configurable"]
        return config

    def enter(self, config: dict, place: dict) -> None:
        """The namespace of the subgraph by its nodes, as the state shows it, or as its thread keeps it; `@` is the last that was
        named so, and `@a|b` the last of these nodes."""
        ns = place.get("ns", "")
        ns = self.spaces[ns[1:]] if ns.startswith("@") else ns
        for name in place.get("path", []):
            found = self.graph.get_state({"configurable": config["configurable"] | {"checkpoint_ns": ns}})
            ns = next(t.state["configurable"]["checkpoint_ns"] for t in found.tasks if t.name == name)
        names = "|".join(part.split(":")[0] for part in ns.split("|"))
        config["configurable"]["checkpoint_ns"] = self.spaces[""] = self.spaces[names] = ns

    def act(self, action: dict) -> dict:
        kind = action["do"]
        config = self.config(action)
        out: dict[str, Any] = {}
        try:
            if kind in ("invoke", "proceed", "answer", "answer_by", "command"):
                given: Any = None
                if kind == "invoke":
                    given = action["input"]
                elif kind == "answer":
                    given = Command(resume=action["value"], update=action.get("update"))
                elif kind == "answer_by":
                    asks = self.graph.get_state(config).interrupts
                    given = Command(resume={a.id: action["values"][a.value] for a in asks if a.value in action["values"]})
                elif kind == "command":
                    given = Command(update=action.get("update"), goto=action.get("goto", []))
                tasks: dict[int, list] = {}
                # In the mode `async` a barrier's members are saved by a thread while the next step adds to them.
                durability = action.get("durability", self.durability)
                updates: list = []
                modes = ["debug", "values", "updates"]
                for ns, mode, payload in self.graph.stream(given, config, stream_mode=modes, durability=durability, subgraphs=True):
                    if mode == "updates":
                        path = [part.split(":")[0] for part in ns]
                        updates += [[path, node, self.written(u)] for node, u in payload.items() if node != "__interrupt__"]
                    elif ns:
                        continue
                    elif mode == "values":
                        out["values"] = {k: v for k, v in payload.items() if k != "__interrupt__"}
                    elif payload["type"] == "task":
                        if payload["payload"]["name"] == START:
                            continue
                        tasks.setdefault(payload["step"], []).append(payload["payload"]["name"])
                if self.graph.checkpointer and "values" in out:
                    # A last step that only clears channels is not streamed.
                    last = self.graph.get_state({"configurable": {"thread_id": action.get("thread", "1")}}).values
                    kept = {k for k, kind in self.channels.items() if k in last or kind == "untracked"}
                    out["values"] = {k: v for k, v in out["values"].items() if k in kept}
                if action.get("stream"):
                    out["updates"] = updates
                # LangGraph lists packets first, then nodes in the order of their definition.
                out["tasks"] = [[step, sorted(names)] for step, names in sorted(tasks.items())]
            elif kind == "state":
                out = self.shown(self.graph.get_state(config))
            elif kind == "history":
                out["history"] = [self.shown(s) for s in self.graph.get_state_history(config)]
            elif kind == "subgraphs":
                out["subgraphs"] = self.subgraphs(self.graph.get_state(config, subgraphs=True))
            elif kind == "within":
                self.enter(config, action)
                out["state"] = self.shown(self.graph.get_state(config))
                out["history"] = [self.shown(s) for s in self.graph.get_state_history(config)]
            elif kind == "update":
                if "ns" in action or "path" in action:
                    self.enter(config, action)
                as_node = action.get("as")
                self.fork = self.graph.update_state(config, action["values"], as_node=as_node and end(as_node))
            elif kind == "bulk":
                steps = [[StateUpdate(u["values"], u["as"]) for u in step] for step in action["steps"]]
                self.graph.bulk_update_state(config, steps)
            elif kind == "copy":
                if "ns" in action or "path" in action:
                    self.enter(config, action)
                self.fork = self.graph.update_state(config, None, as_node="__copy__")
            else:
                raise KeyError(kind)
        except GraphRecursionError:
            out = {"error": "limit"}
        except InvalidUpdateError as e:
            out = {"error": "ambiguous" if "Ambiguous" in str(e) else "conflict"}
        except ValueError:
            out = {"error": "failed"}
        except RuntimeError:
            out = {"error": "ambiguous"}
        out["runs"] = dict(sorted(self.runs.items()))
        return out

    def written(self, update: Any) -> dict:
        """What a node wrote, channel by channel."""
        out: dict = {}
        for one in update if isinstance(update, list) else [update or {}]:
            for chan, value in one.items():
                out.setdefault(chan, []).append(value)
        return out

    def subgraphs(self, s: Any) -> list:
        one = lambda t: {
            "node": t.name,
            "state": None if t.state.metadata is None else self.shown(t.state),
            "subgraphs": self.subgraphs(t.state),
        }
        return sorted(map(one, (t for t in s.tasks if t.state is not None)), key=lambda t: t["node"])

    def shown(self, s: Any) -> dict:
        return {
            "step": s.metadata["step"],
            "source": s.metadata["source"],
            "next": sorted("START" if n == START else n for n in s.next),
            "asks": sorted(i.value for i in s.interrupts),
            "values": s.values,
        }


# ------------------------------------------------------------------------------------------------------------- cases


def w(value: Any, chan: str = "v") -> dict:
    return {"op": "write", "chan": chan, "value": value}


def named(*names: str, **more: Any) -> dict:
    """Nodes that append their names to v, and others."""
    return {n: {"ops": [w([n])]} for n in names} | more


def chain(*names: str) -> list:
    return [list(pair) for pair in zip(("START",) + names, names)]


V = {"v": "add"}
I = {"do": "invoke", "input": {"v": ["i"]}}
GO = {"do": "proceed"}
STATE = {"do": "state"}
HISTORY = {"do": "history"}


def answer(value: Any, **more: Any) -> dict:
    return {"do": "answer", "value": value} | more


def ask(*questions: str, chan: str = "v") -> dict:
    return {"ops": [{"op": "ask", "value": q} for q in questions] + [w({"answers": 1}, chan)]}


def fan(a: str, *to: str) -> list:
    return [[a, t] for t in to]


def case(id: str, nodes: dict, edges: list, actions: list | None = None, channels: dict | None = None, **more: Any) -> dict:
    graph = {"channels": channels or V, "nodes": nodes, "edges": edges} | more
    return {"id": id, "graph": graph, "actions": actions or [I, STATE, HISTORY]}


FIVE = fan("a", "b", "c") + [["c", "c2"]]


def sub(*ops: dict, keep: str = "run", channels: dict | None = None, **more: Any) -> dict:
    inner = {"channels": channels or V, "nodes": {"s": {"ops": list(ops)}}, "edges": [["START", "s"]]} | more
    return {"graph": inner, "keep": keep}


def route(source: str, rule: Any, *targets: str) -> dict:
    return {"from": source, "rule": rule, "targets": list(targets)}


def send(to: str, arg: Any) -> dict:
    return {"send": to, "arg": arg}


WORKER = {"ops": [w({"arg": 1})]}
COUNTED = {n: {"ops": [w({"runs": 1})]} for n in "abc"}


def cases(random_graphs: int) -> list:
    last2 = {"v": "add", "x": "last"}
    out = [
        case("C01", {"a": {"ops": [w(1, "x")]}, "b": {"ops": [w(2, "x")]}}, fan("START", "a", "b"), [I, STATE], last2),
        case("C05", {"a": {"ops": [w(7, "u")]}, "b": {"ops": [w({"see": "u"})]}}, chain("a", "b"), None, {"v": "add", "u": "untracked"}),
        case("C06 ephemeral", {"a": {"ops": [w(5, "e")]}, "b": {"ops": [w({"see": "e"})]}, "c": {"ops": [w({"see": "e"})]}}, chain("a", "b", "c"), None, {"v": "add", "e": "ephemeral"}),
        case("C06 guard", {"a": {"ops": [w(1, "e")]}, "b": {"ops": [w(2, "e")]}}, fan("START", "a", "b"), [I], {"v": "add", "e": "ephemeral"}),
        case("C06 no guard", {"a": {"ops": [w(1, "e")]}, "b": {"ops": [w(2, "e")]}, "c": {"ops": [w({"see": "e"})]}}, fan("START", "a", "b") + fan("a", "c"), None, {"v": "add", "e": "ephemeral_unguarded"}),
        case("C03 topic", {"a": {"ops": [w("x", "t"), w(["y", "z"], "t")]}, "b": {"ops": [w({"see": "t"}), w("w", "t")]}, "c": {"ops": [w({"see": "t"})]}, "d": {"ops": [w({"see": "t"})]}}, chain("a", "b", "c", "d"), None, {"v": "add", "t": "topic"}),
        case("C03 accumulating", {"a": {"ops": [w("x", "t"), w(["y", "z"], "t")]}, "b": {"ops": [w({"see": "t"})]}, "c": {"ops": [w("w", "t")]}}, chain("a", "b", "c"), None, {"v": "add", "t": "topic_of_all"}),
        case("any value", {"a": {"ops": [w(1, "y")]}, "b": {"ops": [w(1, "y")]}, "c": {"ops": [w({"see": "y"})]}, "d": {"ops": [w({"see": "y"})]}}, fan("START", "a", "b") + [["a", "c"], ["c", "d"]], None, {"v": "add", "y": "any"}),
        case("after finish", {"a": {"ops": [w(1, "f")]}, "b": {"ops": [w({"see": "f"})]}, "d": {"ops": [w({"see": "f"})], "defer": True}}, chain("a", "b", "d"), None, {"v": "add", "f": "after_finish"}),
        case("C07", {"a": {"ops": [w({"see": "v"})]}}, chain("a")),
        case("C08", named("a", b={"ops": [{"op": "overwrite", "chan": "v", "value": ["b"]}]}), chain("a", "b")),
        case("C09", named("a", "c", "d", b={"ops": [{"op": "overwrite", "chan": "v", "value": ["b"]}]}), chain("a") + fan("a", "b", "c") + [["b", "d"], ["c", "d"]]),
        case("C09 two", {n: {"ops": [{"op": "overwrite", "chan": "v", "value": [n]}]} for n in "bc"}, fan("START", "b", "c"), [I]),
        case("C10", named("two", one={"ops": [w(["one.0"]), w(["one.1"])]}), chain("one", "two")),
        case("C11", {"a": {"ops": [w(["step1"]), w("s", "x")]}, "b": {"ops": [w({"see": "x"}), w({"len": "v"})]}}, chain("a", "b"), None, last2),
        case("C12", named("b", "a", "B", "9", "10"), fan("START", "b", "a", "B", "9", "10")),
        case(
            "C13",
            {"a": {"ops": [w(["a"]), w(5, "x")]}} | named("b", "yes", "no"),
            fan("START", "a", "b"),
            None,
            last2,
            routes=[
                route("a", {"chan": "v", "equals": ["i", "a"], "then": {"chan": "x", "equals": 5, "then": ["yes"], "else": ["no"]}, "else": ["no"]}, "yes", "no"),
                route("b", {"chan": "v", "equals": ["i", "b"], "then": ["END"], "else": ["no"]}, "no", "END"),
            ],
        ),
        case("C14", named("a", "b", "c", "d"), chain("a") + fan("a", "b", "c") + [["b", "d"], ["c", "d"]]),
        case("C15", named("a", "b", "c", "c2", "d"), chain("a") + FIVE + [["b", "d"], ["c2", "d"]]),
        case("C16", named("a", "b", "c", "c2", "d"), chain("a") + FIVE, joins=[[["b", "c2"], "d"]]),
        case("C17", named("a", "b", "c", "c2", "d"), chain("a") + FIVE + [["b", "d"]], joins=[[["b", "c2"], "d"]]),
        case("C18", named("a", "b", "c", "c2", d={"ops": [w(["d"])], "defer": True}), chain("a") + FIVE + [["b", "d"], ["c2", "d"]]),
        case("C18 join", named("a", "b", "c", "c2", "z", d={"ops": [w(["d"])], "defer": True}), chain("a") + FIVE + [["c2", "z"]], joins=[[["b", "c"], "d"]]),
        case("C18 two deferred", named("a", "b", "c", e={"ops": [w(["e"])], "defer": True}, d={"ops": [w(["d"])], "defer": True}), chain("a", "b", "c") + [["a", "d"], ["d", "e"], ["b", "e"]]),
        case("C18 beside packets", named("a", d={"ops": [w(["d"])], "defer": True}, w=WORKER), chain("a") + [["a", "d"]], routes=[route("a", [send("w", 1), send("w", 2)], "w")]),
        case("C19", named("a", "b", "c", "c2", "d"), chain("a") + [["a", "c"], ["c", "c2"]], joins=[[["b", "c2"], "d"]], routes=[route("a", ["b"], "b")]),
        case("C20 END", named("a"), [], None, routes=[route("START", ["END"], "a", "END")]),
        case("C20 nothing", named("a", "b"), chain("a"), None, routes=[route("a", [], "b")]),
        case("C21 short", named("a", "b", "c"), chain("a", "b", "c"), [I, STATE], limit=3),
        case("C21 enough", named("a", "b", "c"), chain("a", "b", "c"), [I, STATE], limit=4),
        case("C22", named("r", "p", "end", w=WORKER), chain("r") + [["p", "end"], ["w", "end"]], routes=[route("r", [send("w", 3), "p", send("w", 1), send("w", 2)], "w", "p")]),
        case(
            "C23",
            named("0", "1", "3", **{"1.1": {"ops": [w(["1.1"])]}, "2": {"ops": [w({"arg": 1})]}, "3.1": {"ops": [w(["3.1"])]}}),
            chain("0") + fan("0", "1", "1.1") + [["2", "3"]],
            None,
            routes=[route("1", [send("2", "1"), send("2", "2"), "3.1"], "2", "3.1"), route("1.1", [send("2", "3"), send("2", "4")], "2")],
        ),
        case("C25", {"a": {"ops": [w(["a"]), {"op": "goto", "to": ["b"]}]}} | named("b"), chain("a")),
        case("C25 END", {"a": {"ops": [w(["a"]), {"op": "goto", "to": ["END"]}]}} | named("b"), chain("a") + [["b", "END"]], unreachable=["b"]),
        case("C26", {"a": {"ops": [w(["a"]), {"op": "goto", "to": ["c"]}]}} | named("b", "c"), chain("a", "b")),
        case(
            "C27",
            {"planner": {"ops": [{"op": "plan", "steps": ["s1", ["s2", "s3"], "s4"]}]}} | named("s1", "s2", "s3", "s4"),
            chain("planner") + [[s, "planner"] for s in ("s1", "s2", "s3", "s4")],
            [{"do": "invoke", "input": {"v": [], "done": []}}, STATE, HISTORY],
            {"v": "add", "done": "add"},
        ),
        case("Command with packets", {"a": {"ops": [w(["a"]), {"op": "send", "to": "w", "arg": 1}, {"op": "goto", "to": ["b"]}, {"op": "send", "to": "w", "arg": 2}]}, "w": WORKER} | named("b"), chain("a")),
        case("packets from packets", named("a", w={"ops": [w({"arg": 1}), {"op": "send", "to": "x", "arg": "deep"}]}, x=WORKER), chain("a"), routes=[route("a", [send("w", 2), send("w", 1)], "w")]),
        case("C28", named("p", "q", sub=sub(w(["child"]), w(9, "hidden"), channels={"v": "add", "hidden": "last"})), chain("p", "sub", "q")),
        case("C28 scalar", {"p": {"ops": [w(1, "x")]}, "sub": sub(w({"read": "x", "plus": 5}, "x"), channels={"x": "last"}), "q": {"ops": [w({"read": "x", "plus": 100}, "x")]}}, chain("p", "sub", "q"), None, last2),
        case("C28 nested twice", named("p", mid={"graph": {"channels": V, "nodes": named("m", deep=sub(w(["d"]))), "edges": chain("m", "deep")}, "keep": "run"}), chain("p", "mid")),
    ]
    for keep in ("run", "thread", "nothing"):
        q = {"do": "invoke", "input": {"v": ["q"], "n": 0}}
        out.append(case(f"C29 {keep}", {"sub": sub(w([1], "mine"), w({"see": "mine"}), keep=keep, channels={"v": "add", "mine": "add"})}, chain("sub"), [q, STATE, q, STATE], V | {"n": "last"}))
        asking = {"channels": V, "nodes": named("pre", q=ask("ask")), "edges": chain("pre", "q")}
        out.append(case(f"C30 {keep}", named("after", sub={"graph": asking, "keep": keep}), chain("sub", "after"), [I, STATE, answer("A"), STATE, I, answer("B"), STATE]))
        two = {"channels": V, "nodes": {"q": ask("one", "two")}, "edges": chain("q")}
        if keep != "nothing":
            out.append(case(f"C30 two questions {keep}", {"sub": {"graph": two, "keep": keep}}, chain("sub"), [I, answer("A"), STATE, answer("B"), STATE]))
    side = {"graph": {"channels": V, "nodes": {"q": ask("deep")}, "edges": chain("q")}, "keep": "run"}
    out += [
        case("C30 beside another", {"sub": side, "top": ask("flat")}, fan("START", "sub", "top"), [I, STATE, answer("x"), {"do": "answer_by", "values": {"deep": "D", "flat": "F"}}, STATE]),
        case("parent command", named("p", "x", "y", sub=sub(w(["lost"]), {"op": "parent", "chan": "v", "value": ["up"], "goto": "x"})), chain("p", "sub") + [["x", "y"]]),
        case("parent command drops siblings", named("x", sub={"graph": {"channels": V, "nodes": named("k", c={"ops": [{"op": "parent", "goto": "x"}]}), "edges": fan("START", "k", "c")}, "keep": "run"}), chain("sub")),
        case("C31", named("a", "b", "qa"), chain("a", "b", "qa"), [I, STATE, {"do": "update", "values": {"v": ["edit"]}}, STATE, GO, STATE, HISTORY], before=["qa"]),
        case("C31 after", named("a", "b", "c"), chain("a", "b", "c"), [I, STATE, GO, STATE, HISTORY], after=["a", "b"]),
        case("C31 both", named("a", "b", "c"), chain("a", "b", "c"), [I, STATE, GO, STATE, GO, STATE], before=["b"], after=["b"]),
        case("C31 in a fan", named("a", "b", "c", "d"), chain("a") + fan("a", "b", "c") + [["b", "d"], ["c", "d"]], [I, STATE, GO, STATE], before=["c"]),
        case("C31 input instead", named("a", "b"), chain("a", "b"), [I, I, STATE, GO, STATE, HISTORY], before=["b"]),
        case("C32", {"n": {"ops": [w(["lost"], "z")] + ask("q1", "q2")["ops"]}} | named("end"), chain("n", "end"), [I, STATE, answer("A", update={"v": ["u"]}), STATE, answer("B"), STATE, HISTORY], {"v": "add", "z": "add"}),
        case("C33", {"a": ask("qa"), "b": ask("qb")} | named("end"), fan("START", "a", "b") + [["a", "end"]], [I, STATE, answer("x"), {"do": "answer_by", "values": {"qa": "A"}}, STATE, answer("B"), STATE, HISTORY]),
        case("C33 with a finished sibling", {"a": ask("qa")} | named("ok", "end"), fan("START", "a", "ok") + [["a", "end"], ["ok", "end"]], [I, STATE, answer("A"), STATE]),
        case("C33 packets that ask", named("r", w={"ops": [{"op": "ask", "value": "w"}, w({"answers": 1}), w({"arg": 1})]}), chain("r"), [I, STATE, answer("A"), STATE], routes=[route("r", [send("w", 1)], "w")]),
        case("C34", {"n": ask("q") | {"retry": 3, "handler": [w(["handled"])]}}, chain("n"), [I, STATE, answer("A"), STATE]),
        case("C35", {"ok": {"ops": [w({"read": "x", "plus": 20}, "x")]}, "bad": {"ops": [{"op": "fail", "times": 1}, w(300, "x")]}}, fan("START", "ok", "bad"), [{"do": "invoke", "input": {"x": 1, "v": []}}, STATE, GO, STATE, HISTORY], {"v": "add", "x": "sum"}),
        case("C35 twice", named("ok", bad={"ops": [{"op": "fail", "times": 2}, w(["bad"])]}), fan("START", "ok", "bad"), [I, GO, STATE, GO, STATE]),
        case("C36 sync", named("a", "b", "c"), chain("a", "b", "c"), [I | {"durability": "sync"}, HISTORY]),
        case("C36 async", named("a", "b", "c"), chain("a", "b", "c"), [I | {"durability": "async"}, HISTORY]),
        case("C36 exit", named("a", "b", "c"), chain("a", "b", "c"), [I | {"durability": "exit"}, HISTORY, I | {"durability": "exit"}, HISTORY]),
        case("C36 exit, asked", {"n": ask("q")} | named("a", "ok"), chain("a", "n") + [["a", "ok"]], [I | {"durability": "exit"}, STATE, HISTORY, answer("A") | {"durability": "exit"}, STATE, HISTORY]),
        case("C37", COUNTED, chain("a", "b", "c"), [I, HISTORY, GO | {"at": 2}, STATE, HISTORY, GO | {"at": 0}, HISTORY]),
        case("C37 from the input", COUNTED, chain("a", "b", "c"), [I, GO | {"at": 4}, STATE, HISTORY]),
        case("C37 without an id", COUNTED, chain("a", "b", "c"), [I, GO, STATE, HISTORY]),
        case("C37 a question again", {"n": ask("q")} | named("a", "z"), chain("a", "n", "z"), [I, answer("A"), HISTORY, GO | {"at": 2}, STATE, answer("B"), STATE, HISTORY]),
        case("C38", named("a", "b"), chain("a", "b"), [I, {"do": "update", "values": {"v": ["x"]}, "at": 1, "as": "a"}, STATE, GO, STATE, HISTORY]),
        case("C38 inferred", named("a", "b"), chain("a", "b"), [I, {"do": "update", "values": {"v": ["x"]}, "at": 1}, GO, STATE, HISTORY]),
        case("C38 ambiguous", named("a", "b"), fan("START", "a", "b"), [I, {"do": "update", "values": {"v": ["x"]}}, STATE]),
        case("C38 as another", named("a", "b", "c"), chain("a", "b", "c"), [I, {"do": "update", "values": {"v": ["x"]}, "as": "b"}, STATE, GO, STATE]),
        case("C38 with a router", named("a", "b", "c"), chain("a"), [I, {"do": "update", "values": {"v": ["x"]}, "as": "a"}, STATE, GO, STATE], routes=[route("a", {"len": "v", "choices": [["b"], ["c"]]}, "b", "c")]),
        case("C38 into a join", named("a", "b", "c", "d"), chain("a") + fan("a", "b", "c"), [I, {"do": "update", "values": {"v": ["x"]}, "as": "b"}, STATE, {"do": "update", "values": {"v": ["y"]}, "as": "c"}, STATE, GO, STATE], joins=[[["b", "c"], "d"]]),
        case("C38 as START", named("a", "b"), chain("a", "b"), [I, {"do": "update", "values": {"v": ["x"]}, "as": "START"}, STATE, GO, STATE, HISTORY]),
        case("C38 on a fresh thread", named("a", "b"), chain("a", "b"), [{"do": "update", "values": {"v": ["x"]}, "as": "a"}, STATE, GO, STATE, HISTORY]),
        case("C38 clears with END", named("a", "b"), chain("a", "b"), [I, {"do": "update", "values": None, "as": "END"}, STATE, HISTORY], before=["b"]),
        case("copy", COUNTED, chain("a", "b", "c"), [I, {"do": "copy", "at": 2}, STATE, GO, STATE, HISTORY]),
        case("bulk", named("a", "b", "c"), chain("a", "b", "c"), [{"do": "bulk", "steps": [[{"values": {"v": ["x"]}, "as": "a"}], [{"values": {"v": ["y"]}, "as": "b"}]]}, STATE, HISTORY, GO, STATE]),
        case("bulk of two nodes", named("a", "b", "c"), fan("START", "a", "b") + [["a", "c"]], [I, {"do": "bulk", "steps": [[{"values": {"v": ["y"]}, "as": "b"}, {"values": {"v": ["x"]}, "as": "a"}]]}, STATE, GO, STATE]),
        case("C39", {"f": {"ops": [{"op": "fail", "times": 2}, w({"runs": 1})], "retry": 3}}, chain("f"), [I, STATE]),
        case("C39 exhausted", {"f": {"ops": [{"op": "fail", "times": 9}], "retry": 3, "handler": [w({"error": 1}), {"op": "goto", "to": ["z"]}]}} | named("after", "z"), chain("f", "after"), [I, STATE]),
        case("C39 beside a sibling", {"f": {"ops": [{"op": "fail", "times": 9}], "handler": [w({"error": 1})]}} | named("a", "g", "z"), fan("START", "a", "f", "g") + [["g", "z"]]),
        case("C40 cache", {"n": {"ops": [w({"runs": 1})], "cache": True}}, chain("n"), [I | {"thread": "1"}, I | {"thread": "2"}, {"do": "invoke", "input": {"v": ["other"]}, "thread": "3"}]),
        case("C40 threads", named("a"), chain("a"), [I | {"thread": "1"}, I | {"thread": "2"}, I | {"thread": "1"}, STATE | {"thread": "1"}, STATE | {"thread": "2"}, HISTORY | {"thread": "1"}]),
        case("no saver", named("a", "b"), chain("a", "b"), [I, I], saver=False),
        case("command goto", named("a", "b", "c"), chain("a", "b"), [I, {"do": "command", "goto": ["c"], "update": {"v": ["u"]}}, STATE], before=["b"], unreachable=["c"]),
        case("loop until long", named("a", "b"), chain("a"), None, routes=[route("a", {"len": "v", "choices": [["b"], ["a"], ["a"]]}, "a", "b")]),
        case("packets and a join", named("r", "p", "j", w=WORKER), chain("r") + [["w", "END"]], routes=[route("r", [send("w", 1), send("w", 2), "p"], "w", "p")], joins=[[["w", "p"], "j"]]),
        case("a failed step is taken up with packets", named("r", w={"ops": [{"op": "fail", "times": 1}, w({"arg": 1})]}), chain("r"), [I, STATE, GO, STATE], routes=[route("r", [send("w", 1), send("w", 2)], "w")]),
    ]
    return out + public() + [fuzz(seed) for seed in range(random_graphs)]


def edit(*names: str, **more: Any) -> dict:
    return {"do": "update", "values": {"v": list(names)}} | more


def before(name: str, nth: int = 0, **more: Any) -> dict:
    """The newest checkpoint, or the nth, after which `name` alone runs."""
    return {"at": {"next": name, "nth": nth} | more}


def side_by(name: str) -> dict:
    inner = {"channels": V, "nodes": named("first", last=ask(f"{name}?")), "edges": chain("first", "last")}
    return {"graph": inner, "keep": "run"}


def public() -> list:
    """Public tests of LangGraph by their names: graphs and actions follow theirs, the words are ours."""
    fork = GO | {"at": "fork"}
    asks = {"ask": ask("q")} | named("a", "b")
    asking = chain("a", "ask", "b")
    done = [I, answer("hello")]
    inner = {"channels": V, "nodes": named("step_a", "step_b"), "edges": chain("step_a", "step_b")}
    inner_asks = {"channels": V, "nodes": {"ask": ask("q")} | named("step_a", "step_b"), "edges": chain("step_a", "ask", "step_b")}
    plain = (named("p", "post", sub={"graph": inner, "keep": "run"}), chain("p", "sub", "post"))

    def nested(keep: str) -> tuple:
        return named("p", "post", sub={"graph": inner_asks, "keep": keep}), chain("p", "sub", "post")

    def twice(keep: str) -> tuple:
        two = {n: {"ops": [{"op": "ask", "value": f"q{n}"}, w({"see": "mine"}), w({"answers": 1}, "mine")]} for n in ("x", "y")}
        child = {"channels": {"mine": "add", "v": "add"}, "nodes": two, "edges": chain("x", "y")}
        return named("p", sub={"graph": child, "keep": keep}), chain("p", "sub")

    both = [I, answer("a1"), answer("b1"), I, answer("a2"), answer("b2"), STATE]
    stop = {"channels": V | {"w": "last"}, "nodes": {"i1": {"ops": [w(["i1"]), w("seen", "w")]}} | named("i2"), "edges": chain("i1", "i2"), "before": ["i2"]}
    subs = {"do": "subgraphs"}

    def within(*path: str, ns: str = "") -> dict:
        return {"do": "within", "ns": ns, "path": list(path)}

    lines = {"channels": V | {"x": "last"}, "nodes": named("deep_2", deep_1={"ops": [w(["deep_1"]), w(7, "x")]}), "edges": chain("deep_1", "deep_2"), "before": ["deep_2"]}
    middle = {"channels": V, "nodes": named("m", deep={"graph": lines, "keep": "run"}), "edges": chain("m", "deep")}
    around = {"channels": V, "nodes": {"deep": {"graph": lines, "keep": "run"}}, "edges": chain("deep")}
    leave, shows = {"durability": "exit"}, {"stream": True}
    market = {"ops": [{"op": "ask", "value": "why", "when": {"chan": "m", "equals": "DE", "or": "all good"}}, w({"answers": 1})], "retry": 3}
    de, us = ({"do": "invoke", "input": {"v": ["i"], "m": m}} for m in ("DE", "US"))
    switch = {"ops": [w({"turns": ["one", "two"], "values": [2, 1]}, "n"), w({"turns": ["one", "two"], "values": [True, False]}, "o")]}
    swaps = {a: {"chan": "n", "over": 3, "then": ["END"], "else": {"chan": "o", "equals": True, "then": [b], "else": [a]}} for a, b in (("one", "two"), ("two", "one"))}
    flow = [I, subs, within("sub"), GO | before("sub"), subs, answer("new"), subs, STATE]
    return [
        case("test_nested_graph_state", named("o1", "o2", inner={"graph": stop, "keep": "run"}), chain("o1", "inner", "o2"), [I | leave, STATE, subs, within("inner"), HISTORY, GO | leave, STATE, subs, HISTORY, within(ns="@inner")]),
        case("subgraph states, changed on the way", named("o1", "o2", inner={"graph": stop, "keep": "run"}), chain("o1", "inner", "o2"), [I, STATE, subs, within("inner"), edit("u", **{"as": "o1"}), subs, GO, subs, within("inner"), GO, subs, STATE]),
        case("test_doubly_nested_graph_state", named("p", "q", sub={"graph": around, "keep": "run"}), chain("p", "sub", "q"), [I | leave | shows, STATE, within("sub"), within("sub", "deep"), subs, GO | leave | shows, STATE, subs, HISTORY, within(ns="@sub"), within(ns="@sub|deep")]),
        case("subgraph states two levels down", named("p", "q", sub={"graph": middle, "keep": "run"}), chain("p", "sub", "q"), [I, subs, within("sub"), within("sub", "deep"), GO, subs, STATE]),
        case("test_get_state_with_subgraphs_returns_subgraph_state", {"sub": {"graph": {"channels": V, "nodes": {"process": ask("go on?")}, "edges": chain("process")}, "keep": "run"}}, chain("sub"), [I, subs, within("sub"), answer("yes"), subs]),
        case("subgraph states by thread", *nested("thread"), flow + [within(ns="sub"), I, subs, within(ns="sub"), answer("again"), within(ns="sub")]),
        case("subgraph states of one that keeps nothing", *nested("nothing"), [I, subs, answer("a"), subs]),
        case("subgraph states beside another", {"s1": side_by("s1"), "s2": side_by("s2"), "ok": sub(w(["ok"]))}, fan("START", "s1", "s2", "ok"), [I, subs, within("s2"), {"do": "answer_by", "values": {"s1?": "A"}}, subs, answer("B"), subs]),
        case("subgraph states at a breakpoint before it", *plain, [I, subs, STATE, GO, subs], before=["sub"]),
        *namespaces(nested, plain, within),
        case("test_multiple_forks_from_same_checkpoint", named("a", "b"), chain("a", "b"), [I, edit("f1") | before("b", -1), fork, edit("f2") | before("b", -1), fork, STATE, HISTORY]),
        case("test_replay_from_before_interrupt_refires", asks, asking, done + [GO | before("ask", -1), STATE, HISTORY]),
        case("test_replay_from_interrupt_checkpoint_refires", asks, asking, done + [GO | before("ask", asks=True), STATE, HISTORY]),
        case("test_replay_interrupt_stable_across_replays", asks, asking, done + [GO | before("ask", -1)] * 3 + [STATE, HISTORY]),
        case("test_fork_from_before_interrupt_refires", asks, asking, done + [edit("forked") | before("ask", -1), fork, answer("world", at="fork"), STATE, HISTORY]),
        case("test_fork_from_interrupt_checkpoint_refires", asks, asking, done + [edit("forked") | before("ask", asks=True), fork, answer("different", at="fork"), STATE, HISTORY]),
        case(
            "test_sequential_interrupts_fork_from_middle",
            {"i1": ask("q1"), "i2": ask("q2")} | named("a", "b"),
            chain("a", "i1", "i2", "b"),
            [I, answer("x1"), answer("x2"), edit("mid") | before("i2", -1), fork, answer("new", at="fork"), GO | before("i1", -1), STATE, HISTORY],
        ),
        case("test_multiple_interrupts_in_one_node", {"ask": ask("q1", "q2")} | named("after"), chain("ask", "after"), [I, answer("x1", at=0), answer("x2", at=0), GO | before("ask", -1), STATE, HISTORY]),
        case("test_subgraph_replay_from_before", *plain, [I, GO | before("sub"), STATE, HISTORY]),
        case("test_subgraph_fork_from_before", *plain, [I, edit("forked") | before("sub"), fork, STATE, HISTORY]),
        case("test_subgraph_interrupt_replay_from_parent", *nested("thread"), done + [GO | before("sub", -1), STATE, HISTORY]),
        case("test_subgraph_interrupt_fork_from_parent", *nested("thread"), done + [edit("forked") | before("sub", -1), fork, STATE, HISTORY]),
        case("test_subgraph_interrupt_replay_from_interrupt_checkpoint", *nested("thread"), done + [GO | before("sub", asks=True), STATE, HISTORY]),
        case("test_subgraph_interrupt_fork_no_sub_checkpointer", *nested("run"), done + [edit("forked") | before("sub", -1), fork, STATE, HISTORY]),
        case("test_subgraph_interrupt_fork_from_interrupt_checkpoint", *nested("thread"), done + [edit("forked") | before("sub", asks=True), fork, STATE, HISTORY]),
        case("test_subgraph_interrupt_full_flow_no_sub_checkpointer", *nested("run"), done + [edit("forked") | before("sub", -1), fork, answer("new", at="fork"), STATE, HISTORY]),
        case("test_copy_fork_retriggers_interrupt", asks, asking, done + [{"do": "copy"} | before("ask", -1), fork, answer("new", at="fork"), STATE, HISTORY]),
        case("test_copy_fork_creates_sibling_checkpoint", named("a", "b"), chain("a", "b"), [I, {"do": "copy"} | before("b"), STATE, edit("x") | before("b", -1), STATE, HISTORY]),
        case("test_update_state_with_none_values", asks, asking, done + [{"do": "update", "values": None} | before("ask", -1), fork, STATE, HISTORY]),
        case("test_stateful_subgraph_retains_state_on_parent_replay", *twice("thread"), both + [GO | before("sub"), STATE]),
        case("test_stateful_subgraph_retains_state_on_parent_fork", *twice("thread"), both + [edit("forked") | before("sub"), fork, STATE]),
        case("test_stateless_subgraph_starts_fresh_on_parent_replay", *twice("run"), both + [GO | before("sub"), STATE]),
        case("test_interruption_without_state_updates", {n: {} for n in ("s1", "s2", "s3")}, chain("s1", "s2", "s3"), [I, STATE, GO, STATE, GO, STATE, HISTORY], after=["s1", "s2", "s3"]),
        case("test_simple_multi_edge", {"up": {}, "side": {}, "down": {}} | named("other"), chain("up") + fan("up", "side", "other"), None, joins=[[["up", "side"], "down"]]),
        case("test_interrupt_loop", {"node": {"ops": [{"op": "ask_until", "value": "how old?", "again": "invalid", "least": 18, "chan": "x"}]}}, chain("node"), [I, answer(-1), STATE, answer(10), answer(18), STATE], {"v": "add", "x": "last"}),
        case(
            "test_run_from_checkpoint_id_retains_previous_writes",
            {"one": switch, "two": switch},
            chain("one"),
            [{"do": "invoke", "input": {"n": 1}}, HISTORY, GO | {"at": 1}, STATE, HISTORY],
            {"n": "sum", "o": "last"},
            routes=[route(a, rule, "one", "two", "END") for a, rule in swaps.items()],
        ),
        case("test_nested_graph_interrupts_parallel", {"inner": {"graph": stop, "keep": "run"}} | named("outer_1", "outer_2"), fan("START", "inner", "outer_1"), [I, STATE, GO, STATE, HISTORY], joins=[[["inner", "outer_1"], "outer_2"]]),
        case("test_dynamic_interrupt", {"n": market}, chain("n"), [de | {"thread": "2"}, answer("this is great") | {"thread": "2"}, STATE | {"thread": "2"}, HISTORY | {"thread": "2"}, de, STATE, {"do": "update", "values": None, "as": "END"}, STATE, HISTORY, us | {"thread": "3"}, STATE | {"thread": "3"}], V | {"m": "last"}),
        case("dynamic interrupt without a saver", {"n": market}, chain("n"), [us, de], V | {"m": "last"}, saver=False),
    ]


def namespaces(nested: Any, plain: tuple, within: Any) -> list:
    """Changes of a subgraph's own namespace, and runs from a checkpoint there."""
    fork = GO | {"at": "fork"}
    mine = {"path": ["sub"]}
    last = {"ns": "@"}
    look = {"do": "within", "ns": "@"}
    ends = [within("sub"), STATE, HISTORY]

    def there(name: str, nth: int = 0, **more: Any) -> dict:
        """A checkpoint of the namespace, by what runs next there."""
        return {"at": {"ns": "@", "next": name, "nth": nth} | more}

    out = [
        case("test_subgraph_interrupt_fork_from_subgraph_checkpoint", *nested("thread"), [I, edit("forked") | mine, fork, look, STATE, HISTORY]),
        case("test_subgraph_interrupt_full_flow", *nested("thread"), [I, edit("forked") | mine, fork, look, answer("new", at="fork"), look, STATE, HISTORY]),
    ]
    for keep in ("run", "thread"):
        g = nested(keep)
        out += [
            case(f"namespace {keep}: seen by the next run", *g, [I, edit("u") | mine, *ends, GO, *ends, answer("A"), look, STATE, HISTORY]),
            case(f"namespace {keep}: seen by the answer", *g, [I, edit("u") | mine, answer("A"), look, STATE, HISTORY]),
            case(f"namespace {keep}: as the node that asks", *g, [I, edit("u", **{"as": "ask"}) | mine, *ends, GO, look, STATE, HISTORY]),
            case(f"namespace {keep}: as the last node", *g, [I, edit("u", **{"as": "step_b"}) | mine, *ends, GO, look, STATE, HISTORY]),
            case(f"namespace {keep}: as the first node again", *g, [I, edit("u", **{"as": "step_a"}) | mine, edit("w", **{"as": "step_a"}) | last, *ends, GO, look, STATE]),
            case(f"namespace {keep}: ended", *g, [I, {"do": "update", "values": None, "as": "END"} | mine, *ends, GO, look, STATE, HISTORY]),
            case(f"namespace {keep}: from the fork", *g, [I, edit("u") | mine, fork, look, STATE, HISTORY]),
            case(f"namespace {keep}: answered at the fork", *g, [I, edit("u") | mine, fork, answer("A", at="fork"), look, STATE, HISTORY]),
            case(f"namespace {keep}: answered at the fork at once", *g, [I, edit("u") | mine, answer("A", at="fork"), look, STATE, HISTORY]),
            case(f"namespace {keep}: forked after the end", *g, [I, within("sub"), answer("A"), edit("u") | there("ask", -1), fork, look, STATE, HISTORY]),
            case(f"namespace {keep}: forked from its start", *g, [I, within("sub"), answer("A"), edit("u") | there("step_a", -1), fork, look, STATE, HISTORY]),
            case(f"namespace {keep}: back to its question", *g, [I, within("sub"), answer("A"), GO | there("ask", -1), look, STATE, HISTORY, answer("B"), look, STATE]),
            case(f"namespace {keep}: back to its start", *g, [I, within("sub"), answer("A"), GO | there("step_a", -1), look, STATE]),
            case(f"namespace {keep}: back to its last step", *g, [I, within("sub"), answer("A"), GO | there("step_b", -1), look, STATE, HISTORY]),
            case(f"namespace {keep}: a copy", *g, [I, within("sub"), {"do": "copy"} | there("ask", -1), look, fork, look, STATE]),
            case(f"namespace {keep}: a breakpoint", {"p": {"ops": [w(["p"])]}, "sub": {"graph": {"channels": V, "nodes": named("i1", "i2"), "edges": chain("i1", "i2"), "before": ["i2"]}, "keep": keep}, "q": {"ops": [w(["q"])]}}, chain("p", "sub", "q"), [I, edit("u") | mine, *ends, GO, look, STATE, HISTORY]),
            case(f"namespace {keep}: after the run", *g, [I, within("sub"), answer("A"), edit("u") | last, look, STATE, I, within("sub"), answer("B"), look, STATE]),
        ]
    deep = {"graph": {"channels": V, "nodes": named("d1", d2=ask("deep?")), "edges": chain("d1", "d2")}, "keep": "run"}
    for keep in ("run", "thread"):
        middle = {"graph": {"channels": V, "nodes": named("m", "n", deep=deep | {"keep": keep}), "edges": chain("m", "deep", "n")}, "keep": keep}
        inner = {"path": ["sub", "deep"]}
        g = (named("p", "q", sub=middle), chain("p", "sub", "q"))
        out += [
            case(f"namespace {keep}: two levels down", *g, [I, edit("u") | inner, look, GO, look, STATE, answer("A"), look, STATE]),
            case(f"namespace {keep}: two levels down, from the fork", *g, [I, edit("u") | inner, fork, look, STATE, HISTORY, answer("A"), look, STATE]),
            case(f"namespace {keep}: the middle one", *g, [I, edit("u", **{"as": "m"}) | mine, within("sub"), GO, STATE, answer("A"), STATE]),
            case(f"namespace {keep}: two levels down, back to its start", *g, [I, within("sub", "deep"), answer("A"), GO | there("d1", -1), look, STATE]),
        ]
    alone = sub(w([1], "mine"), w({"see": "mine"}), keep="thread", channels={"v": "add", "mine": "add"})
    q = {"do": "invoke", "input": {"v": ["q"]}}
    out += [
        case("namespace between two runs of the thread", {"sub": alone}, chain("sub"), [q, {"do": "update", "values": {"mine": [9]}, "ns": "sub"}, within(ns="sub"), q, within(ns="sub"), STATE]),
        case("namespace before the first run", {"sub": alone} | named("p"), chain("p", "sub"), [{"do": "update", "values": {"mine": [9]}, "ns": "sub", "as": "s", "thread": "2"}, {"do": "within", "ns": "sub", "thread": "2"}, q | {"thread": "2"}, STATE | {"thread": "2"}]),
        case("namespace kept by thread in one kept by run", {"mid": {"graph": {"channels": V, "nodes": {"deep": alone}, "edges": chain("deep")}, "keep": "run"}}, chain("mid"), [q, q, STATE]),
        case("namespace changed twice in one call's order", *nested("run"), [I, edit("u") | mine, edit("w", **{"as": "ask"}) | last, within("sub"), GO, look, STATE, HISTORY]),
    ]
    return out


def fuzz(seed: int) -> dict:
    """A random graph: every node has a parent, so that all can be reached; edges, joins, routes, packets on top."""
    rng = random.Random(seed)
    pool = ["b", "10", "B", "9", "a", "z", "Zed", "a1"]
    names = pool[: rng.randint(2, 7)]
    targets: dict[str, list] = {}
    edges, joins = [], []
    nodes: dict[str, Any] = {}
    for i, n in enumerate(names):
        parent = rng.choice(["START"] + names[:i]) if i else "START"
        if rng.random() < 0.35:
            targets.setdefault(parent, []).append(n)
        else:
            edges.append([parent, n])
        ops = [w({"len": "v"}) for _ in range(rng.choice([0, 1, 1, 2]))]
        if rng.random() < 0.2:
            ops.append(w(n, "x"))
        if rng.random() < 0.3:
            ops += [w(n, "t"), w({"see": "t"})]
        if rng.random() < 0.2:
            ops.append(w(n, "e"))
        if rng.random() < 0.1:
            ops.append({"op": "overwrite", "chan": "v", "value": [f"{n}!"]})
        if rng.random() < 0.2:
            ops.append({"op": "goto", "to": [rng.choice(names)]})
        nodes[n] = {"ops": ops}
        if rng.random() < 0.2:
            nodes[n]["defer"] = True
    for _ in range(rng.randint(0, 3)):
        edges.append([rng.choice(names), rng.choice(names)])
    for _ in range(rng.randint(0, 2)):
        joins.append([sorted(rng.sample(names, rng.randint(1, min(3, len(names))))), rng.choice(names)])
    nodes["w"] = {"ops": [w({"arg": 1})]}
    routes = []
    for source, to in targets.items():
        options: list = [[t] for t in to] + [["END"], to]
        for _ in range(rng.randint(0, 2)):
            options.append([send("w", rng.randint(0, 9)) for _ in range(rng.randint(1, 3))] + rng.sample(to, 1))
        rng.shuffle(options)
        routes.append(route(source, {"len": "v", "choices": options}, *to, "END", "w"))
    unique = [list(e) for e in dict.fromkeys(map(tuple, edges))]
    if not any(e[0] == "START" for e in unique) and "START" not in targets:
        unique.append(["START", names[0]])
    used = any(isinstance(x, dict) for r in routes for c in r["rule"]["choices"] for x in c)
    if not used:
        unique.append([names[0], "w"])
        nodes["w"] = {"ops": [w(["w"])]}
    start = {"do": "invoke", "input": {"v": ["i"]}}
    actions = [start, STATE, HISTORY]
    more: dict[str, Any] = {"joins": joins, "routes": routes, "limit": 9}
    if rng.random() < 0.3:
        more["before"] = [rng.choice(names)]
        actions = [start, STATE, GO, STATE, GO, STATE, HISTORY]
    channels = {"v": "add", "x": "last", "t": "topic", "e": "ephemeral_unguarded"}
    return case(f"fuzz {seed}", nodes, unique, actions, channels, **more)


def main() -> None:
    out = []
    for c in cases(int(sys.argv[2]) if len(sys.argv) > 2 else 120):
        run = Case(c["graph"])
        c["expected"] = [run.act(a) for a in c["actions"]]
        out.append(c)
    ids = [c["id"] for c in out]
    assert len(set(ids)) == len(ids), "two cases have one id"
    text = ",\n".join(json.dumps(c, separators=(",", ":")) for c in out)
    with open(sys.argv[1], "w") as f:
        f.write(f'{{"langgraph":"{version("langgraph")}","cases":[\n{text}\n]}}\n')
    print(len(out), "cases")


if __name__ == "__main__":
    main()
