use super::*;
use proptest::prelude::*;
use tradegraph_columns::codec::{Decoder, Encoder};

pub(crate) mod compare;
mod page;
pub(crate) mod plot;

/// The example of the paper, section 4.
pub(super) fn paper() -> Liquidation {
    let market = Market { volatility: 0.95, fixed_cost: 0.0625, temporary: 2.5e-6, permanent: 2.5e-7 };
    Liquidation::new(1e6, 5, 1.0, market).unwrap()
}

#[test]
fn the_example_of_the_paper() {
    let order = paper();
    // By hand: γX²/2 + εX + (η − γτ/2) X²/T = 125,000 + 62,500 + 475,000; σ² τ X² (0.64 + 0.36 + 0.16 + 0.04).
    let slow = order.optimum(0.0).unwrap();
    assert!((slow.expected - 662_500.0).abs() < 1e-6 && (slow.variance / 1.083e12 - 1.0).abs() < 1e-14);
    // All at once: ½γX² + εX + (η − γτ/2) X²/τ, and nothing is held after it.
    let at_once = order.cost(&[1e6, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
    assert!((at_once.expected - 2_562_500.0).abs() < 1e-6 && at_once.variance == 0.0);
    // The paper: κ is about 0.61 a day at λ = 1e-6. The library DROP 4.66 prints half-lives of 51.30, 36.27 and 17.10 and a
    // variance of 1.0812 and 1.0669 (millions squared) for 1e-9, 2e-9 and 9e-9.
    assert!((order.urgency(1e-6).unwrap() - 0.61).abs() < 0.005);
    for (lambda, half_life) in [(1e-9, 51.30), (2e-9, 36.27), (9e-9, 17.10)] {
        assert!((order.half_life(lambda).unwrap() - half_life).abs() < 0.006, "{lambda}");
    }
    for (lambda, variance) in [(1e-9, 1.0812), (9e-9, 1.0669)] {
        assert!((order.optimum(lambda).unwrap().variance / 1e12 - variance).abs() < 6e-5, "{lambda}");
    }
    assert_eq!(order.half_life(0.0), Ok(f64::INFINITY));
    assert_eq!(slow.at_risk(0.5), slow.expected);
    assert!((slow.at_risk(0.95) - slow.expected - 1.644_853_626_951_472_6 * slow.variance.sqrt()).abs() < 1e-6);
}

#[test]
fn what_is_out_of_range_is_named() {
    let good = Market { volatility: 1.0, fixed_cost: 0.0, temporary: 1e-3, permanent: 0.0 };
    let name = |r: Result<Liquidation, ExecutionError>| match r {
        Err(ExecutionError::OutOfRange { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(name(Liquidation::new(f64::NAN, 5, 1.0, good)), "quantity");
    assert_eq!(name(Liquidation::new(1.0, 0, 1.0, good)), "number of periods");
    assert_eq!(name(Liquidation::new(1.0, 5, 0.0, good)), "length of a period");
    assert_eq!(name(Liquidation::new(1.0, 5, 1.0, Market { volatility: -1.0, ..good })), "volatility");
    assert_eq!(name(Liquidation::new(1.0, 5, 1.0, Market { fixed_cost: f64::INFINITY, ..good })), "fixed cost");
    assert_eq!(name(Liquidation::new(1.0, 5, 1.0, Market { temporary: 0.0, ..good })), "temporary impact");
    assert_eq!(name(Liquidation::new(1.0, 5, 1.0, Market { permanent: -1.0, ..good })), "permanent impact");
    let strong = name(Liquidation::new(1.0, 5, 1.0, Market { permanent: 2e-3, ..good }));
    assert_eq!(strong, "temporary impact less half the permanent impact of a period");
    let order = Liquidation::new(1.0, 2, 1.0, good).unwrap();
    assert!(order.urgency(-1.0).is_err() && order.urgency(f64::NAN).is_err() && order.optimum(f64::INFINITY).is_err());
    assert_eq!(order.cost(&[1.0, 0.0]), Err(ExecutionError::Length { name: "holdings", found: 2, expected: 3 }));
    assert!(order.cost(&[0.9, 0.5, 0.0]).is_err() && order.cost(&[1.0, 0.5, 0.1]).is_err());
    assert!(order.cost(&[1.0, f64::NAN, 0.0]).is_err());

    let mut curves = VolumeCurves::new(3, 2).unwrap();
    assert!(VolumeCurves::new(0, 2).is_err() && VolumeCurves::new(3, 0).is_err());
    let mut out = [0.0; 3];
    assert_eq!(
        curves.curve(Centre::Mean, &mut out),
        Err(ExecutionError::TooFew { name: "full sessions", found: 0, least: 1 })
    );
    assert_eq!(curves.push(&[0.0; 3]), Err(ExecutionError::NoVolume));
    assert!(curves.push(&[1.0, f64::NAN, 1.0]).is_err() && curves.push(&[1.0, -1.0, 1.0]).is_err());
    assert!(curves.push(&[]).is_err() && curves.push(&[1.0; 4]).is_err() && curves.push(&[f64::MAX; 3]).is_err());
    assert_eq!(curves, VolumeCurves::new(3, 2).unwrap(), "a refused session leaves no trace");
    assert!(curves.curve(Centre::Mean, &mut []).is_err() && curves.curve(Centre::Mean, &mut [0.0; 4]).is_err());

    assert_eq!(
        fit_impact(&[0.1], &[0.1], &[0.1], 0.5),
        Err(ExecutionError::TooFew { name: "orders", found: 1, least: 2 })
    );
    assert!(fit_impact(&[0.1, 0.2], &[0.1], &[0.1, 0.1], 0.5).is_err());
    assert!(fit_impact(&[0.1, 0.2], &[0.1, 0.0], &[0.1, 0.1], 0.5).is_err());
    assert!(fit_impact(&[0.1, f64::NAN], &[0.1, 0.1], &[0.1, 0.1], 0.5).is_err());
    assert!(fit_impact(&[0.1, 0.1], &[0.1, 0.1], &[0.1, 0.1], f64::NAN).is_err());
    let same = fit_exponent(&[0.1, 0.2, 0.3], &[0.1; 3], &[0.1; 3]);
    assert_eq!(same, Err(ExecutionError::NoExponent), "one participation says nothing of an exponent");
    let shrinks = fit_exponent(&[0.3, 0.2, 0.1, 0.05], &[0.1; 4], &[0.01, 0.05, 0.2, 0.5]);
    assert_eq!(shrinks, Err(ExecutionError::NoExponent));
    let law = Impact { factor: 1.0, exponent: 0.5 };
    assert!(law.cost(-0.1, 0.1).is_err() && law.cost(0.1, f64::NAN).is_err());
    assert_eq!(law.cost(0.02, 0.0), Ok(0.0));

    assert_eq!(schedule(5, &[0.0, 0.0], &mut [0; 2]), Err(ExecutionError::NoVolume));
    assert_eq!(schedule(5, &[], &mut []), Err(ExecutionError::NoVolume));
    assert!(schedule(-1, &[1.0], &mut [0]).is_err() && schedule(1 << 54, &[1.0], &mut [0]).is_err());
    assert!(schedule(1, &[1.0, f64::NAN], &mut [0; 2]).is_err() && schedule(1, &[1.0], &mut [0; 2]).is_err());
    assert!(twap(1, &mut []).is_err() && twap(-1, &mut [0]).is_err());
    for (lots, share, cap) in [(-1, 0.1, 0.1), (1, 0.0, 0.1), (1, 1.0, 1.0), (1, 0.2, 0.1), (1, f64::NAN, 0.1)] {
        assert!(Pov::new(lots, share, cap).is_err(), "{lots} {share} {cap}");
    }
    let mut pov = Pov::new(10, 0.1, 0.2).unwrap();
    let before = pov.clone();
    assert!(pov.next(f64::NAN).is_err() && pov.next(-1.0).is_err() && pov.next(f64::INFINITY).is_err());
    assert_eq!(pov, before);
    let text =
        ExecutionError::OutOfRange { name: "quantity", value: -1.0, range: "finite and not below 0" }.to_string();
    assert_eq!(text, "quantity is -1: it must be finite and not below 0");
}

#[test]
fn half_days_by_hand() {
    let mut curves = VolumeCurves::new(4, 8).unwrap();
    curves.push(&[4.0, 2.0, 0.0, 2.0]).unwrap();
    let mut day = [0.0; 4];
    curves.curve(Centre::Mean, &mut day).unwrap();
    assert_eq!(day, [0.5, 0.25, 0.0, 0.25]);
    // No half day so far: the first bucket and the close, 0.5 and 0.25, brought to 1.
    let mut half = [0.0; 2];
    curves.curve(Centre::Mean, &mut half).unwrap();
    assert_eq!(half, [0.5 / 0.75, 0.25 / 0.75]);
    for _ in 0..3 {
        curves.push(&[1.0, 4.0]).unwrap();
    }
    curves.curve(Centre::Median, &mut half).unwrap();
    assert_eq!(half, [0.2, 0.8]);
    // Half days of another length do not count, and full days are as they were.
    let mut three = [0.0; 3];
    curves.curve(Centre::Mean, &mut three).unwrap();
    assert_eq!(three, [0.5, 0.25, 0.25]);
    curves.curve(Centre::Mean, &mut day).unwrap();
    assert_eq!(day, [0.5, 0.25, 0.0, 0.25]);
    // A curve whose medians are all zero has no shares.
    let mut odd = VolumeCurves::new(3, 3).unwrap();
    for k in 0..3 {
        odd.push(&[f64::from(k == 0), f64::from(k == 1), f64::from(k == 2)]).unwrap();
    }
    assert_eq!(odd.curve(Centre::Median, &mut three), Err(ExecutionError::NoVolume));
    assert_eq!(odd.curve(Centre::Mean, &mut three), Ok(()));
}

#[test]
fn participation_by_hand() {
    // 20 % of all volume is a quarter of the others'; in no period more than half of all, as much as the others.
    let mut pov = Pov::new(100, 0.2, 0.5).unwrap();
    assert_eq!(pov.next(0.0), Ok(0));
    assert_eq!(pov.next(40.0), Ok(10));
    assert_eq!(pov.next(3.0), Ok(0), "a quarter of 43 is 10.75");
    assert_eq!(pov.next(0.5), Ok(0));
    assert_eq!(pov.next(40.5), Ok(11));
    pov.unfilled(9);
    assert_eq!(pov.remaining(), 88);
    assert_eq!(pov.next(4.0), Ok(4), "the cap, not the 10 that are due");
    assert_eq!(pov.next(8.0), Ok(8));
    assert_eq!(pov.next(1e300), Ok(76));
    assert_eq!((pov.next(1e300), pov.remaining()), (Ok(0), 0));
    pov.unfilled(u64::MAX);
    assert_eq!(pov.remaining(), 100);
}

#[test]
fn an_even_schedule_by_hand() {
    let mut out = [0; 4];
    twap(10, &mut out).unwrap();
    assert_eq!(out, [3, 3, 2, 2]);
    let mut by_weight = [0; 4];
    schedule(10, &[0.25; 4], &mut by_weight).unwrap();
    assert_eq!(by_weight, out);
    schedule(1, &[1e-300, 1e300, 1.0, 0.0], &mut out).unwrap();
    assert_eq!(out, [0, 1, 0, 0]);
}

fn restored(curves: &VolumeCurves, buckets: usize, window: usize) -> VolumeCurves {
    let mut e = Encoder::new();
    curves.save(&mut e);
    let mut two = VolumeCurves::new(buckets, window).unwrap();
    let mut from = Decoder::new(e.as_bytes());
    two.load(&mut from).unwrap();
    from.finish().unwrap();
    let damaged = &e.as_bytes()[..e.as_bytes().len() - 1];
    assert!(VolumeCurves::new(buckets, window).unwrap().load(&mut Decoder::new(damaged)).is_err());
    assert!(VolumeCurves::new(buckets + 1, window).unwrap().load(&mut Decoder::new(e.as_bytes())).is_err());
    two
}

fn order_of() -> impl Strategy<Value = (Liquidation, usize)> {
    (1.0..1e6_f64, 1_usize..30, 0.01..5.0_f64, 0.0..5.0_f64, 0.0..0.1_f64, 1e-6..1e-3_f64, 0.0..1.9_f64).prop_map(
        |(quantity, n, period, volatility, fixed_cost, temporary, strength)| {
            let permanent = strength * temporary / period;
            let market = Market { volatility, fixed_cost, temporary, permanent };
            (Liquidation::new(quantity, n, period, market).unwrap(), n)
        },
    )
}

proptest! {
    #[test]
    fn no_other_trajectory_is_better((order, n) in order_of(), exponent in -9.0..2.0_f64, moves in prop::collection::vec(-0.1..0.1_f64, 30)) {
        let lambda = libm::pow(10.0, exponent);
        let mut best = vec![0.0; n + 1];
        order.holdings(lambda, &mut best).unwrap();
        let cost = order.cost(&best).unwrap();
        prop_assert_eq!(cost, order.optimum(lambda).unwrap());
        prop_assert!(best.windows(2).all(|w| w[0] >= w[1]), "it never buys back");
        let mut other = best.clone();
        for (x, m) in other[1..n].iter_mut().zip(&moves) {
            *x += m * order.quantity();
        }
        let worse = order.cost(&other).unwrap();
        let utility = |c: &Cost| c.expected + lambda * c.variance;
        prop_assert!(utility(&worse) >= utility(&cost) * (1.0 - 1e-12));
    }

    #[test]
    fn the_frontier_is_convex_with_slope_lambda((order, n) in order_of(), exponent in -9.0..0.0_f64) {
        let lambdas: Vec<f64> = (0..12).map(|k| libm::pow(10.0, exponent + 0.1 * f64::from(k))).collect();
        let mut points = vec![Cost::default(); 12];
        order.frontier(&lambdas, &mut points).unwrap();
        for (pair, l) in points.windows(2).zip(lambdas.windows(2)) {
            let (de, dv) = (pair[1].expected - pair[0].expected, pair[0].variance - pair[1].variance);
            let slack = 1e-12 * pair[1].expected;
            prop_assert!(de >= -slack && dv >= -1e-12 * pair[0].variance);
            // Between two points of the frontier the slope is between their risk aversions.
            prop_assert!(de >= l[0] * dv - slack && de <= l[1] * dv + slack, "{} {} {:?} of {}", de, dv, l, n);
        }
    }

    #[test]
    fn a_curve_knows_only_sessions_that_are_over(days in prop::collection::vec(prop::collection::vec(0.1..1e6_f64, 2..6), 1..25), window in 1_usize..6) {
        let mut curves = VolumeCurves::new(5, window).unwrap();
        curves.push(&[1.0; 5]).unwrap();
        for (k, day) in days.iter().enumerate() {
            let mut fresh = VolumeCurves::new(5, window).unwrap();
            fresh.push(&[1.0; 5]).unwrap();
            days[..k].iter().for_each(|d| fresh.push(d).unwrap());
            for centre in [Centre::Mean, Centre::Median] {
                let (mut a, mut b, mut c) = (vec![0.0; day.len()], vec![0.0; day.len()], vec![0.0; day.len()]);
                curves.curve(centre, &mut a).unwrap();
                fresh.curve(centre, &mut b).unwrap();
                restored(&curves, 5, window).curve(centre, &mut c).unwrap();
                prop_assert!(a == b && a == c);
                prop_assert!((a.iter().sum::<f64>() - 1.0).abs() < 1e-14 && a.iter().all(|x| *x >= 0.0));
            }
            curves.push(day).unwrap();
        }
    }

    #[test]
    fn a_law_without_noise_is_found(factor in 0.1..3.0_f64, exponent in 0.2..1.2_f64, sizes in prop::collection::vec(-8.0..0.0_f64, 4..30)) {
        let p: Vec<f64> = sizes.iter().enumerate().map(|(k, s)| libm::exp(s - 0.1 * k as f64)).collect();
        let spread = p.iter().fold(f64::MIN, |a, x| a.max(*x)) / p.iter().fold(f64::MAX, |a, x| a.min(*x));
        prop_assume!(spread > 2.0);
        let law = Impact { factor, exponent };
        let volatility: Vec<f64> = (0..p.len()).map(|k| 0.01 + 0.001 * k as f64).collect();
        let cost: Vec<f64> = p.iter().zip(&volatility).map(|(p, v)| law.cost(*v, *p).unwrap()).collect();
        let fit = fit_exponent(&cost, &volatility, &p).unwrap();
        prop_assert!((fit.impact.factor / factor - 1.0).abs() < 1e-6 && (fit.impact.exponent - exponent).abs() < 1e-6, "{:?}", fit);
        let fixed = fit_impact(&cost, &volatility, &p, exponent).unwrap();
        prop_assert!((fixed.impact.factor / factor - 1.0).abs() < 1e-12 && fixed.residual < 1e-12);
    }

    #[test]
    fn schedules_add_up(lots in 0_i64..1 << 53, weights in prop::collection::vec(0.0..1e9_f64, 1..80)) {
        let mut out = vec![0; weights.len()];
        twap(lots, &mut out).unwrap();
        prop_assert_eq!(out.iter().sum::<i64>(), lots);
        prop_assert!(out.iter().max().unwrap() - out.iter().min().unwrap() <= 1);
        prop_assume!(weights.iter().any(|w| *w > 0.0));
        schedule(lots, &weights, &mut out).unwrap();
        prop_assert_eq!(out.iter().sum::<i64>(), lots);
        prop_assert!(out.iter().zip(&weights).all(|(n, w)| (0..=lots).contains(n) && (*w > 0.0 || *n == 0)));
    }

    #[test]
    fn participation_keeps_its_bounds(lots in 0_i64..100_000, share in 0.01..0.5_f64, more in 0.0..0.4_f64, volumes in prop::collection::vec((0.0..5e4_f64, 0.0..1.0_f64), 1..60)) {
        let mut pov = Pov::new(lots, share, share + more).unwrap();
        let (mut total, mut filled) = (0.0, 0);
        for (v, fills) in volumes {
            let mut e = Encoder::new();
            pov.save(&mut e);
            let mut twin = Pov::load(&mut Decoder::new(e.as_bytes())).unwrap();
            prop_assert_eq!(&twin, &pov);
            let sent = pov.next(v).unwrap();
            prop_assert_eq!(twin.next(v), Ok(sent));
            total += v;
            let cap = share + more;
            prop_assert!(sent >= 0 && sent as f64 <= cap / (1.0 - cap) * v);
            let took = (sent as f64 * fills) as i64;
            filled += took;
            pov.unfilled((sent - took) as u64);
            prop_assert!(filled <= lots && filled as f64 <= share / (1.0 - share) * total);
            prop_assert_eq!(pov.remaining(), lots - filled);
        }
    }
}
