//! Worked figures, and what must hold for any prices. The registry's tests compare all lines with an independent
//! implementation, and all forms with each other.

use super::*;
use crate::indicators::{Bars, Kernel, Out};
use proptest::prelude::*;
use tradegraph_columns::Status;
use tradegraph_columns::codec::{Decoder, Encoder};

const ZONE: Zone = Zone { memory: 6, tolerance: 0.02, half_life: 10.0 };

#[test]
fn levels_of_a_leg_worked_by_hand() {
    let up = [176.4, 161.8, 150.0, 138.2, 121.4, 227.2, 241.4, 261.8, 361.8, 72.8, 58.6, 38.2, -61.8];
    let down = [123.6, 138.2, 150.0, 161.8, 178.6, 72.8, 58.6, 38.2, -61.8, 227.2, 241.4, 261.8, 361.8];
    for (actual, expected) in [(levels(100.0, 200.0), up), (levels(200.0, 100.0), down)] {
        for (a, e) in actual.iter().zip(expected) {
            assert!((a - e).abs() < 1e-12, "{a} instead of {e}");
        }
    }
}

/// Ten per cent: 100 falls to 90 (bar 2), which 99 (bar 4) confirms; 120 (bar 6) is confirmed by 108 (bar 8), and not by its
/// own bar's low of 100, whose place in the bar is not known.
#[test]
fn swings_worked_by_hand() {
    let high = [100.0, 97.0, 95.0, 98.5, 99.0, 110.0, 120.0, 119.0, 115.0, 112.0];
    let low = [98.0, 93.0, 90.0, 91.0, 95.0, 99.0, 100.0, 109.0, 108.0, 104.0];
    let found = swings(&Bars::ranges(&high, &low, &low), Reversal::Percent(10.0));
    let expected = [
        Swing { price: 100.0, is_high: true, bar: 0, confirmed: 2 },
        Swing { price: 90.0, is_high: false, bar: 2, confirmed: 4 },
        Swing { price: 120.0, is_high: true, bar: 6, confirmed: 8 },
    ];
    assert_eq!(found, expected);
    // A bar without datum has an index but no place in the count.
    let gap = |x: &[f64]| [&x[..3], &[f64::NAN], &x[3..]].concat();
    let found = swings(&Bars::ranges(&gap(&high), &gap(&low), &gap(&low)), Reversal::Percent(10.0));
    assert_eq!(found.iter().map(|s| (s.bar, s.confirmed)).collect::<Vec<_>>(), [(0, 2), (2, 5), (7, 9)]);
}

#[test]
fn a_price_that_stands_still_has_no_swings() {
    let flat = [5.0; 50];
    for reversal in [Reversal::Percent(1.0), Reversal::Ranges { n: 3, width: 1.0 }] {
        assert!(swings(&Bars::ranges(&flat, &flat, &flat), reversal).is_empty());
    }
}

#[test]
fn meetings_worked_by_hand() {
    let zone = Zone { memory: 6, tolerance: 0.005, half_life: 20.0 };
    let pivot = |price, age| Pivot { price, is_high: true, age };
    let check = |price, earlier: &[Pivot], level: f64, score: f64| {
        let m = meeting(price, 100.0, 200.0, earlier.iter().copied(), &zone);
        assert!((m.level - level).abs() < 1e-9 && (m.score - score).abs() < 1e-9, "{m:?}");
        assert!((m.boost() - 0.2 * score).abs() < 1e-9);
    };
    check(150.0, &[pivot(150.0, 0.0)], 150.0, 0.5);
    check(150.0, &[pivot(150.7, 0.0), pivot(149.3, 0.0)], 150.0, 0.75);
    check(150.0, &[pivot(150.0, 20.0)], 150.0, 1.0 - 1.0 / 2.0_f64.sqrt());
    // Half of the tolerance of 0.75 away, and further than that.
    check(150.375, &[pivot(150.0, 0.0)], 150.0, 0.25);
    check(150.8, &[pivot(150.0, 0.0)], 150.0, 0.0);
    check(150.0, &[pivot(150.8, 0.0)], 150.0, 0.0);
    check(150.0, &[], 150.0, 0.0);
}

/// Highs, lows and closes.
type Prices = [Vec<f64>; 3];

fn prices() -> impl Strategy<Value = Prices> {
    let bar = (-6_i32..7, 0_u32..6, 0_u32..6);
    (20_i32..200, prop::collection::vec(bar, 1..80)).prop_map(|(start, bars)| {
        let mut close = f64::from(start);
        let mut prices: Prices = Default::default();
        for (step, up, down) in bars {
            let open = close;
            close = (close + f64::from(step) / 2.0).max(1.0);
            prices[0].push(open.max(close) + f64::from(up) / 4.0);
            prices[1].push((open.min(close) - f64::from(down) / 4.0).max(0.5));
            prices[2].push(close);
        }
        prices
    })
}

fn reversal() -> impl Strategy<Value = Reversal> {
    prop_oneof![
        (0.5_f64..15.0).prop_map(Reversal::Percent),
        (1_usize..6, 0.2_f64..3.0).prop_map(|(n, width)| Reversal::Ranges { n, width }),
    ]
}

/// Every kernel of the module for `n` instruments.
fn kernels(n: usize, reversal: Reversal) -> [Box<dyn Kernel>; 6] {
    [
        Box::new(Swings::columns(n, reversal, 4)),
        Box::new(Retracements::columns(n, reversal)),
        Box::new(Extensions::columns(n, reversal)),
        Box::new(Supports::columns(n, reversal, Side::Support, ZONE)),
        Box::new(Supports::columns(n, reversal, Side::Resistance, ZONE)),
        Box::new(Confluence::columns(n, reversal, ZONE)),
    ]
}

/// Bars `from..to` through a kernel of one instrument: bits and statuses, a list a line.
fn run(kernel: &mut dyn Kernel, prices: &Prices, from: usize, to: usize) -> Vec<Vec<(u64, Status)>> {
    let k = to - from;
    let mut values = vec![vec![0.0; k]; kernel.lines()];
    let mut status = vec![vec![Status::NoData; k]; kernel.lines()];
    let mut out: Vec<Out<'_>> = values.iter_mut().zip(&mut status).map(|(v, s)| (&mut v[..], &mut s[..])).collect();
    let [high, low, close] = prices.each_ref().map(|p| &p[from..to]);
    kernel.update_block(&Bars::ranges(high, low, close), &vec![Status::Ok; k], k, &mut out);
    values.iter().zip(&status).map(|(v, s)| v.iter().map(|v| v.to_bits()).zip(s.iter().copied()).collect()).collect()
}

fn bars(prices: &Prices) -> Bars<'_> {
    Bars::ranges(&prices[0], &prices[1], &prices[2])
}

proptest! {
    /// What is known at a bar does not depend on later ones, in whatever order they come.
    #[test]
    fn later_bars_change_nothing_before(
        p in prices(), reversal in reversal(), cut in 0_usize..80, order in prop::collection::vec(0_u32..1000, 80),
    ) {
        let (n, cut) = (p[2].len(), cut.min(p[2].len()));
        let mut later: Vec<usize> = (cut..n).collect();
        later.sort_by_key(|t| order[*t]);
        let other = p.each_ref().map(|x| (0..cut).chain(later.iter().copied()).map(|t| x[t]).collect::<Vec<f64>>());
        for (mut a, mut b) in kernels(1, reversal).into_iter().zip(kernels(1, reversal)) {
            for (a, b) in run(a.as_mut(), &p, 0, n).iter().zip(run(b.as_mut(), &other, 0, n)) {
                prop_assert_eq!(&a[..cut], &b[..cut]);
            }
        }
        let known = |p: &Prices| -> Vec<Swing> {
            swings(&bars(p), reversal).into_iter().filter(|s| s.confirmed < cut).collect()
        };
        prop_assert_eq!(known(&p), known(&other));
    }

    #[test]
    fn a_snapshot_continues_to_the_bit(p in prices(), reversal in reversal(), cut in 0_usize..80) {
        let (n, cut) = (p[2].len(), cut.min(p[2].len()));
        for (mut kernel, mut copy) in kernels(1, reversal).into_iter().zip(kernels(1, reversal)) {
            run(kernel.as_mut(), &p, 0, cut);
            let mut bytes = Encoder::new();
            kernel.save(&mut bytes);
            let mut from = Decoder::new(bytes.as_bytes());
            prop_assert_eq!(copy.load(&mut from).and_then(|()| from.finish()), Ok(()));
            prop_assert_eq!(run(kernel.as_mut(), &p, cut, n), run(copy.as_mut(), &p, cut, n));
        }
        let mut bytes = Encoder::new();
        kernels(1, Reversal::Percent(20.0))[0].save(&mut bytes);
        prop_assert!(kernels(1, reversal)[0].load(&mut Decoder::new(bytes.as_bytes())).is_err());
    }

    /// Turning points alternate, each is the extreme between its neighbours' confirmations, comes before its confirmation,
    /// and is left by the reversal.
    #[test]
    fn swings_are_what_they_say(p in prices(), percent in 0.5_f64..15.0) {
        let found = swings(&bars(&p), Reversal::Percent(percent));
        for s in &found {
            let (own, other) = if s.is_high { (&p[0], &p[1]) } else { (&p[1], &p[0]) };
            prop_assert!(s.bar < s.confirmed);
            prop_assert_eq!(s.price, own[s.bar]);
            prop_assert!((s.price - other[s.confirmed]).abs() >= percent / 100.0 * s.price);
        }
        for pair in found.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            prop_assert!(a.is_high != b.is_high && a.confirmed <= b.bar && a.confirmed < b.confirmed);
            let leg = a.confirmed..=b.confirmed;
            let most = p[0][leg.clone()].iter().copied().fold(f64::MIN, f64::max);
            let least = p[1][leg].iter().copied().fold(f64::MAX, f64::min);
            prop_assert_eq!(b.price, if b.is_high { most } else { least });
        }
    }

    /// The lines of the streaming form are the list of the batch form as it is known at each bar.
    #[test]
    fn lines_are_the_swings_known_so_far(p in prices(), reversal in reversal()) {
        let found = swings(&bars(&p), reversal);
        let [pivot, side, age, confirmed, _] = Swings::columns(1, reversal, 2).series(&bars(&p));
        for t in 0..p[2].len() {
            match found.iter().rfind(|s| s.confirmed <= t) {
                None => prop_assert!(pivot[t].is_nan()),
                Some(s) => {
                    let since = [(t - s.bar) as f64, (t - s.confirmed) as f64];
                    prop_assert_eq!([pivot[t], age[t], confirmed[t]], [s.price, since[0], since[1]]);
                    prop_assert_eq!(side[t] > 0.0, s.is_high);
                }
            }
        }
    }

    #[test]
    fn levels_lie_where_they_should(from in 0.01_f64..1e4, to in 0.01_f64..1e4) {
        prop_assume!((from - to).abs() > 1e-6 * from);
        let (low, high) = (from.min(to), from.max(to));
        let all = levels(from, to);
        prop_assert!(all[..5].iter().all(|x| low < *x && *x < high));
        let (above, below) = if to > from { (&all[5..9], &all[9..]) } else { (&all[9..], &all[5..9]) };
        prop_assert!(above.iter().all(|x| *x > high) && below.iter().all(|x| *x < low));
        prop_assert!(all.windows(2).enumerate().all(|(k, w)| k == 4 || k == 8 || (w[0] - w[1]).abs() > 0.0));
    }

    /// Prices in another unit give the same figures in that unit.
    #[test]
    fn swings_scale(p in prices(), reversal in reversal(), power in -8_i32..9) {
        let factor = 2.0_f64.powi(power);
        let scaled = p.each_ref().map(|x| x.iter().map(|x| x * factor).collect::<Vec<f64>>());
        let unit = |s: Swing| Swing { price: s.price * factor, ..s };
        let expected: Vec<Swing> = swings(&bars(&p), reversal).into_iter().map(unit).collect();
        prop_assert_eq!(swings(&bars(&scaled), reversal), expected);
    }

    #[test]
    fn a_boost_stays_in_its_range(p in prices(), reversal in reversal(), tolerance in 0.0_f64..0.3, memory in 0_usize..30) {
        let zone = Zone { memory, tolerance, half_life: 5.0 };
        let [boost, score, ..] = Confluence::columns(1, reversal, zone).series(&bars(&p));
        prop_assert!(boost.iter().all(|b| b.is_nan() || (0.0..=MOST_BOOST).contains(b)));
        prop_assert!(score.iter().all(|s| s.is_nan() || (0.0..=1.0).contains(s)));
        for (side, sign) in [(Side::Support, -1.0), (Side::Resistance, 1.0)] {
            let [level, touches, strength] = Supports::columns(1, reversal, side, zone).series(&bars(&p));
            for (t, close) in p[2].iter().enumerate().filter(|(t, _)| !level[*t].is_nan()) {
                prop_assert!(sign * (level[t] - close) >= 0.0);
                prop_assert!(touches[t] >= 1.0 && strength[t] > 0.0 && strength[t] <= touches[t]);
            }
        }
    }

    /// Rows of several instruments, with and without gaps and restored in between, against [`meeting`] and [`swings`] for each
    /// instrument alone.
    #[test]
    fn rows_are_the_meetings_of_each_instrument(
        all in prop::collection::vec(prices(), 6), reversal in reversal(), memory in 3_usize..45,
        tolerance in 0.0_f64..0.3, gap in prop::option::of((0_usize..6, 0_usize..80)), cut in 0_usize..80,
    ) {
        let zone = Zone { memory, tolerance, half_life: 7.0 };
        let (n, rows) = (all.len(), all.iter().map(|p| p[2].len()).min().unwrap_or(0));
        let mut kernel = Confluence::columns(n, reversal, zone);
        let mut got: Vec<Vec<[f64; 5]>> = vec![vec![]; n];
        for t in 0..rows {
            if t == cut {
                let mut bytes = Encoder::new();
                Kernel::save(&kernel, &mut bytes);
                kernel = Confluence::columns(n, reversal, zone);
                prop_assert_eq!(kernel.load(&mut Decoder::new(bytes.as_bytes())), Ok(()));
            }
            let row = |field: usize| all.iter().map(|p| p[field][t]).collect::<Vec<f64>>();
            let present: Vec<Status> =
                (0..n).map(|i| if gap == Some((i, t)) { Status::NoData } else { Status::Ok }).collect();
            let mut values = [(); 5].map(|()| vec![0.0; n]);
            let mut status = [(); 5].map(|()| vec![Status::NoData; n]);
            let mut lines = values.iter_mut().zip(&mut status).map(|(v, s)| (&mut v[..], &mut s[..]));
            let mut out: [Out<'_>; 5] = std::array::from_fn(|_| lines.next().unwrap_or_default());
            kernel.update(&Bars::ranges(&row(0), &row(1), &row(2)), &present, &mut out);
            for i in (0..n).filter(|i| present[*i] == Status::Ok) {
                let is = status[0][i] == Status::Ok;
                prop_assert!(is || status[0][i] == Status::WarmUp);
                got[i].push(values.each_ref().map(|v| if is { v[i] } else { f64::NAN }));
            }
        }
        for (i, (p, got)) in all.iter().zip(&got).enumerate() {
            let there = |x: &Vec<f64>| (0..rows).filter(|t| gap != Some((i, *t))).map(|t| x[t]).collect::<Vec<f64>>();
            let p = p.each_ref().map(there);
            let found = swings(&bars(&p), reversal);
            for (t, got) in got.iter().enumerate() {
                let known: Vec<&Swing> = found.iter().rev().filter(|s| s.confirmed <= t).take(memory).collect();
                let [to, from, earlier @ ..] = known.as_slice() else {
                    prop_assert!(got.iter().all(|x| x.is_nan()), "{:?}", got);
                    continue;
                };
                let pivot = |s: &&Swing| Pivot { price: s.price, is_high: s.is_high, age: (t - s.bar) as f64 };
                let m = meeting(p[2][t], from.price, to.price, earlier.iter().map(pivot), &zone);
                let expected = [m.boost(), m.score, m.level, from.price, to.price];
                prop_assert_eq!(got.map(f64::to_bits), expected.map(f64::to_bits), "{} {}", i, t);
            }
        }
    }
}
