//! Heap allocations of a decision cycle of the whole council once warm: none without orders. A binary of its own, because
//! the counter is the process's allocator.
#![allow(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "a test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use tradegraph_domain::{BatchRef, Event, FeedId, Interval, NANO, Payload, ScheduleId, Timestamp};
use tradegraph_engine as engine;
use tradegraph_engine::{AllocatorConfig, Effects, RunConfig, State, step};
use tradegraph_learning::HedgerParameters;

#[path = "it/fixture.rs"]
mod fixture;

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

/// Twice what the regime needs, whose first record makes the buffer of records.
const WARM: usize = 120;
const COUNTED: usize = 60;

/// Three agents with every stage on, over minutes of one day; changes below `band` per cent of NAV are not made. Lessons come
/// every so many decisions.
fn council(n: usize, band: i64, every: u32) -> RunConfig {
    let walk = fixture::Walk { n, rows: WARM + COUNTED, missing: 0, ..Default::default() };
    let mut config = fixture::config(vec![walk.batch()]);
    config.cash = fixture::usd(100_000_000);
    config.agents = vec![fixture::momentum(0), fixture::mean_reversion(0), fixture::long_term(0)];
    let learning = HedgerParameters { every, ..HedgerParameters::default() };
    config.allocator = AllocatorConfig::Fusion { parameters: fixture::fusion(5, 100, band, false), learning };
    config.caps = tradegraph_controls::RiskCaps { position: Some(NANO / 20), gross: Some(NANO) };
    config
}

/// Allocations of each counted cycle, and the orders sent in it.
fn cycles(config: &RunConfig) -> Vec<(u64, u64)> {
    let mut state = State::new(config).unwrap();
    let (mut out, mut all) = (Effects::default(), vec![]);
    all.reserve(COUNTED);
    for row in 0..WARM + COUNTED {
        let about = config.feeds[0].interval(row);
        let at = BatchRef { feed: FeedId(0), row: row as u32 };
        let (before, orders) = (COUNT.get(), state.desk().counts().orders);
        let mut tell = |ts: Timestamp, about: Interval, payload| {
            let seq = state.next_seq();
            step(&mut state, &Event { seq, ts, about, payload }, &mut out);
        };
        tell(about.start, about, Payload::Open(at));
        tell(about.end, about, Payload::Bars(at));
        tell(about.end, Interval { start: about.end, end: about.end }, Payload::Decide(ScheduleId(0)));
        out.records.clear();
        if row >= WARM {
            all.push((COUNT.get() - before, state.desk().counts().orders - orders));
        }
    }
    assert!(state.fault().is_none());
    assert_eq!(state.desk().counts().cycles, (WARM + COUNTED) as u64);
    all
}

/// What still allocates: a lesson (five lists, every so many decisions) and buffers that reach a new largest size, such as the
/// waterfalls of a decision with more reasons than any before it.
#[test]
fn orders_allocate_only_where_something_grows() {
    let all = cycles(&council(60, 1, u32::MAX));
    let (allocations, orders) = all.iter().fold((0, 0), |(a, o), (x, y)| (a + x, o + y));
    assert!(orders > 500 && allocations < orders / 20, "{allocations} allocations, {orders} orders");
}

#[test]
fn a_cycle_without_orders_allocates_nothing() {
    // A universe compared as a whole, one of one chunk, and one of two chunks.
    for n in [10, 300, 9_000] {
        for (row, cycle) in cycles(&council(n, 100, u32::MAX)).into_iter().enumerate() {
            assert_eq!(cycle, (0, 0), "{n} instruments, cycle {row}: allocations and orders");
        }
    }
}
