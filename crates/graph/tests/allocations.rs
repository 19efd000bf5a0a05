//! Heap allocations per run once warm: none in the kernel. A binary of its own, because the counter is the process's
//! allocator.
#![allow(unsafe_code)]
#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use tradegraph_graph::{At, Channel, Compiled, GraphBuilder, Limits, NodeId, START};

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is handed to the system's allocator unchanged; counting touches a thread-local without a
// destructor, which does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise about the layout is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `at` came from `System.alloc` with this layout, by the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as for `dealloc`; the size is the caller's.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations of the calls after a thousand that warm up.
fn check(name: &str, mut run: impl FnMut()) {
    (0..1_000).for_each(|_| run());
    let before = COUNT.get();
    (0..1_000).for_each(|_| run());
    assert_eq!(COUNT.get() - before, 0, "{name}");
}

/// The council of eleven with the channels of the LangGraph benchmark; `full` adds a deadline, a deferred node and gotos.
fn council(full: bool) -> (Compiled<u64>, NodeId) {
    let mut g = GraphBuilder::<u64>::new("council");
    let route = g.channel("route", Channel::last(0_u8));
    let tick = g.channel("tick", Channel::last(0_u64));
    let log = g.channel("log", Channel::reduce(0_u64, |all: &mut u64, one: u64| *all = all.wrapping_mul(31) + one));
    let names = ["i", "s", "m", "r", "o", "x", "l", "a", "k", "e", "z"];
    let ids = names.map(|name| {
        g.node_fn(name, move |n: &mut u64, io| {
            *n += 1;
            io.write(log, *io.get(tick)?)?;
            match name {
                "i" => Ok(io.write(tick, *n)?),
                "a" => Ok(io.write(route, (*n % 2) as u8)?),
                _ => Ok(()),
            }
        })
    });
    let [i, s, m, r, o, x, l, a, k, e, z] = ids;
    g.edge(START, i).edge(i, s).edge(i, r).edge(i, o).edge(i, l).edge(s, x).join(&[i, s], m).join(&[m, r, o, x, l], a);
    g.route(a, &[("execute", e), ("risk", k)], move |state| Ok(usize::from(*state.get(route)?)));
    g.edge(k, e).edge(e, z);
    if full {
        g.node_mut(z).deferred();
        g.node_mut(e).deadline_ns(1_000).goes_to(&[z]);
    }
    (g.compile(Limits::default()).unwrap(), a)
}

#[test]
fn nothing_is_allocated_per_run_once_warm() {
    let mut n = 0;
    let (mut graph, allocator) = council(false);
    check("plain run", || _ = graph.run(&mut n).unwrap());
    let paused = graph.run_until(&mut n, allocator).unwrap();
    check("run to a pause", || drop(graph.run_until(&mut n, allocator).unwrap()));
    check("resume", || _ = graph.resume(&mut n, &paused).unwrap());
    let (mut graph, _) = council(true);
    check("full run", || _ = graph.run(&mut n).unwrap());
    let (mut graph, _) = council(false);
    let at = At::thread("t");
    check("run on a thread without a saver", || drop(graph.invoke(&mut n, &at, |_| Ok(())).unwrap()));
}
