//! Heap allocations an observation: none in learners, drift tests, curves and schedules that react. A binary of its own,
//! because the counter is the process's allocator.
#![allow(unsafe_code)]
#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use tradegraph_quant::execution::{Centre, Cost, Liquidation, Market, Pov, VolumeCurves, fit_exponent};
use tradegraph_quant::learners::{
    Adwin, BetaThompson, GaussianThompson, Isotonic, LinUcb, OnlineLogistic, OnlineRidge, PageHinkley,
    exponentiated_gradient, exponentiated_portfolio,
};
use tradegraph_quant::performance::Random;

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

/// Allocations of the calls after fifty that warm up.
fn check(name: &str, mut run: impl FnMut(f64)) {
    let mut random = Random::new(1);
    (0..50).for_each(|_| run(random.uniform()));
    let before = COUNT.get();
    (0..500).for_each(|_| run(random.uniform()));
    assert_eq!(COUNT.get() - before, 0, "{name}");
}

#[test]
fn an_observation_allocates_nothing() {
    let counted = COUNT.get();
    drop(Vec::<u8>::with_capacity(1));
    assert_eq!(COUNT.get() - counted, 1, "the counter counts");

    let mut ridge = OnlineRidge::new(3, 1.0, 0.99).unwrap();
    check("ridge", |x| _ = ridge.update(&[1.0, x, x * x], x).unwrap());
    let mut logit = OnlineLogistic::new(2, 0.1, 0.01).unwrap();
    check("logistic", |x| _ = logit.update(&[1.0, x], x > 0.5).unwrap());
    let mut w = [0.25; 4];
    check("gradient", |x| exponentiated_gradient(&mut w, &[x, 1.0, -x, 0.0], 0.1).unwrap());
    check("portfolio", |x| exponentiated_portfolio(&mut w, &[1.0 + x, 1.0, 1.0 - x, 1.0], 0.1).unwrap());
    let mut beta = BetaThompson::new(3, (0.5, 1.0), 0.99, 1).unwrap();
    check("beta", |x| {
        let arm = beta.choose();
        beta.update(arm, x > 0.5).unwrap();
    });
    let mut gauss = GaussianThompson::new(3, (0.0, 1.0), 1.0, 0.99, 1).unwrap();
    check("gaussian", |x| {
        let arm = gauss.choose();
        gauss.update(arm, x).unwrap();
    });
    let mut lin = LinUcb::new(3, 2, 1.0, 1.0, 1.0).unwrap();
    check("linucb", |x| {
        let arm = lin.choose(&[1.0, x]).unwrap();
        lin.update(arm, &[1.0, x], x).unwrap();
    });
    let f = Isotonic::fit(&[0.0, 0.5, 1.0], &[0.0, 1.0, 1.0], &[1.0; 3]).unwrap();
    check("isotonic", |x| _ = std::hint::black_box(f.value(x)));
    let (mut window, mut test) = (Adwin::new(0.01, 4, 5, 10).unwrap(), PageHinkley::new(30, 0.005, 5.0, 1.0).unwrap());
    check("drift", |x| {
        window.update(x).unwrap();
        test.update(x).unwrap();
    });

    let market = Market { volatility: 0.95, fixed_cost: 0.0625, temporary: 2.5e-6, permanent: 2.5e-7 };
    let order = Liquidation::new(1e6, 5, 1.0, market).unwrap();
    let (mut held, mut frontier) = ([0.0; 6], [Cost::default(); 2]);
    check("liquidation", |x| {
        order.holdings(1e-6 * x, &mut held).unwrap();
        order.cost(&held).unwrap();
        order.frontier(&[0.0, 1e-6 * x], &mut frontier).unwrap();
    });
    let (mut curves, mut curve) = (VolumeCurves::new(4, 10).unwrap(), [0.0; 4]);
    check("volume curve", |x| {
        curves.push(&[x, 1.0, 2.0, 1.0 + x]).unwrap();
        curves.push(&[x, 1.0]).unwrap();
        curves.curve(Centre::Median, &mut curve).unwrap();
        curves.curve(Centre::Mean, &mut curve[..2]).unwrap();
    });
    let mut pov = Pov::new(1 << 40, 0.1, 0.2).unwrap();
    check("participation", |x| _ = pov.next(1e4 * x).unwrap());
    check("fit", |x| _ = fit_exponent(&[0.1, 0.2 + 0.01 * x, 0.4], &[1.0; 3], &[0.01, 0.04, 0.16]));
}
