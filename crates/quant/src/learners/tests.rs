use super::*;
use crate::hedge::hedge;
use crate::performance::Random;
use proptest::prelude::*;
use tradegraph_columns::codec::{Decoder, Encoder};

mod page;

/// What `save` writes, read by `load` to the end; damaged bytes must be refused.
fn again(save: impl Fn(&mut Encoder), mut load: impl FnMut(&mut Decoder<'_>) -> Result<(), DecodeError>) {
    let mut e = Encoder::new();
    save(&mut e);
    let bytes = e.as_bytes();
    assert!(load(&mut Decoder::new(&bytes[..bytes.len() - 1])).is_err());
    let mut from = Decoder::new(bytes);
    load(&mut from).unwrap();
    from.finish().unwrap();
}

fn name<T: std::fmt::Debug>(r: Result<T, LearnerError>) -> &'static str {
    match r {
        Err(
            LearnerError::OutOfRange { name, .. } | LearnerError::Length { name, .. } | LearnerError::Empty { name },
        ) => name,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_out_of_range_is_named() {
    const NAN: f64 = f64::NAN;
    assert_eq!(name(OnlineRidge::new(0, 1.0, 1.0)), "number of features");
    assert_eq!(name(OnlineRidge::new(1, 0.0, 1.0)), "penalty");
    assert_eq!(name(OnlineRidge::new(1, 1e-320, 1.0)), "inverse of the penalty");
    assert_eq!(name(OnlineRidge::new(1, 1.0, 1.1)), "memory");
    let mut ridge = OnlineRidge::new(2, 1.0, 1.0).unwrap();
    ridge.update(&[1.0, 2.0], 3.0).unwrap();
    let before = ridge.clone();
    assert_eq!(name(ridge.update(&[1.0], 1.0)), "features");
    assert_eq!(name(ridge.update(&[1.0, NAN], 1.0)), "feature");
    assert_eq!(name(ridge.update(&[1.0, 1.0], f64::INFINITY)), "outcome");
    assert_eq!(name(ridge.update(&[1e200, 1e200], 1.0)), "size of the features");
    assert_eq!(name(ridge.predict(&[NAN, 1.0])), "feature");
    assert_eq!(ridge.weights(), before.weights(), "a refused observation leaves no trace");
    assert_eq!(ridge.uncertainty(&[1.0, 1.0]), before.uncertainty(&[1.0, 1.0]));

    assert_eq!(name(OnlineLogistic::new(1, 0.0, 0.0)), "rate");
    assert_eq!(name(OnlineLogistic::new(1, 0.1, 10.0)), "penalty");
    let mut logit = OnlineLogistic::new(1, 0.1, 0.0).unwrap();
    assert_eq!(name(logit.update(&[NAN], true)), "feature");
    logit.update(&[1e200], true).unwrap();
    assert_eq!(name(logit.predict(&[1e200])), "weights times features");
    assert_eq!(logit.update(&[0.0], false).unwrap(), logistic(0.05));

    let mut w = [0.5, 0.5];
    assert_eq!(name(exponentiated_gradient(&mut w, &[1.0], 0.1)), "gradient");
    assert_eq!(name(exponentiated_gradient(&mut w, &[1.0, NAN], 0.1)), "slope");
    assert_eq!(name(exponentiated_gradient(&mut w, &[1.0, 1.0], 0.0)), "rate");
    assert_eq!(name(exponentiated_portfolio(&mut w, &[1.0, -1.0], 0.1)), "price relative");
    assert_eq!(name(exponentiated_portfolio(&mut w, &[0.0, 0.0], 0.1)), "return of the portfolio");
    assert_eq!(w, [0.5, 0.5]);
    assert_eq!(name(exponentiated_gradient(&mut [-0.5, 0.5], &[1.0, 1.0], 0.1)), "weight");
    assert_eq!(name(exponentiated_gradient(&mut [], &[], 0.1)), "sum of the weights");

    assert_eq!(name(BetaThompson::new(0, (1.0, 1.0), 1.0, 1)), "number of arms");
    assert_eq!(name(BetaThompson::new(1, (0.0, 1.0), 1.0, 1)), "successes of the prior");
    assert_eq!(name(BetaThompson::new(1, (1.0, NAN), 1.0, 1)), "failures of the prior");
    assert_eq!(name(BetaThompson::new(1, (1.0, 1.0), 0.0, 1)), "memory");
    assert_eq!(name(BetaThompson::new(2, (1.0, 1.0), 1.0, 1).unwrap().update(2, true)), "arm");
    assert_eq!(name(GaussianThompson::new(1, (NAN, 1.0), 1.0, 1.0, 1)), "mean of the prior");
    assert_eq!(name(GaussianThompson::new(1, (0.0, 0.0), 1.0, 1.0, 1)), "variance of the prior");
    assert_eq!(name(GaussianThompson::new(1, (0.0, 1.0), 0.0, 1.0, 1)), "variance of the noise");
    assert_eq!(name(GaussianThompson::new(1, (0.0, 1.0), 1.0, 1.0, 1).unwrap().update(0, NAN)), "reward");

    assert_eq!(name(LinUcb::new(2, 1, -1.0, 1.0, 1.0)), "width");
    let bandit = LinUcb::new(2, 1, 1.0, 1.0, 1.0).unwrap();
    assert_eq!(name(bandit.choose(&[NAN])), "feature");
    assert_eq!(name(bandit.bound(2, &[1.0])), "arm");
    assert_eq!(bandit.choose(&[1.0]), Ok(0), "the first of equal arms");

    assert_eq!(name(Isotonic::fit(&[], &[], &[])), "observations");
    assert_eq!(name(Isotonic::fit(&[1.0], &[1.0, 2.0], &[1.0])), "outcomes");
    assert_eq!(name(Isotonic::fit(&[1.0], &[1.0], &[])), "weights");
    assert_eq!(name(Isotonic::fit(&[NAN], &[1.0], &[1.0])), "score");
    assert_eq!(name(Isotonic::fit(&[1.0], &[NAN], &[1.0])), "outcome");
    assert_eq!(name(Isotonic::fit(&[1.0], &[1.0], &[0.0])), "weight");
    assert!(Isotonic::fit(&[1.0], &[1.0], &[1.0]).unwrap().value(NAN).is_nan());
    assert_eq!(name(Platt::fit(&[], &[])), "observations");
    assert_eq!(name(Platt::fit(&[1.0], &[])), "outcomes");
    assert_eq!(name(Platt::fit(&[f64::INFINITY], &[true])), "score");

    assert_eq!(name(Adwin::new(1.0, 32, 5, 10)), "delta");
    assert_eq!(name(Adwin::new(0.002, 0, 5, 10)), "clock");
    assert_eq!(name(Adwin::new(0.002, 32, 0, 10)), "shortest length");
    assert_eq!(name(Adwin::new(0.002, 32, 5, 10).unwrap().update(NAN)), "observation");
    assert_eq!(name(PageHinkley::new(30, -1.0, 50.0, 1.0)), "tolerance");
    assert_eq!(name(PageHinkley::new(30, 0.0, 0.0, 1.0)), "threshold");
    assert_eq!(name(PageHinkley::new(30, 0.0, 1.0, 0.0)), "fading");
    assert_eq!(name(PageHinkley::new(30, 0.0, 1.0, 1.0).unwrap().update(NAN)), "observation");
    assert_eq!(LearnerError::Empty { name: "observations" }.to_string(), "no observations: give one or more");
}

#[test]
fn hand_worked() {
    // One observation, x = 2, y = 6, penalty 2: w = 12 / (4 + 2); the variance at 1 is 1 / 6.
    let mut ridge = OnlineRidge::new(1, 2.0, 1.0).unwrap();
    assert_eq!(ridge.update(&[2.0], 6.0), Ok(6.0));
    assert!((ridge.weights()[0] - 2.0).abs() < 1e-15 && (ridge.uncertainty(&[1.0]).unwrap() - 1.0 / 6.0).abs() < 1e-16);
    // p = ½ before: with rate 0.2 the weight moves by 0.2 · ½ · 3, the intercept by 0.1.
    let mut logit = OnlineLogistic::new(1, 0.2, 0.0).unwrap();
    assert_eq!(logit.update(&[3.0], true), Ok(0.5));
    assert!((logit.weights()[0] - 0.3).abs() < 1e-16 && (logit.intercept() - 0.1).abs() < 1e-16);
    // A gradient of ln 2 at rate 1 halves a weight: ¼ to ½, that is ⅓ to ⅔.
    let mut w = [0.5, 0.5];
    exponentiated_gradient(&mut w, &[std::f64::consts::LN_2, 0.0], 1.0).unwrap();
    assert!((w[0] - 1.0 / 3.0).abs() < 1e-16);
    exponentiated_gradient(&mut w, &[1e308, -1e308], 1e5).unwrap();
    assert_eq!(w, [0.0, 1.0], "an enormous slope leaves no NaN");
    // 3, 1 pool to 2; the tie at 5 is 4 on average.
    let f = Isotonic::fit(&[1.0, 2.0, 5.0, 5.0], &[3.0, 1.0, 3.0, 5.0], &[1.0; 4]).unwrap();
    assert_eq!(f.points(), (&[1.0, 2.0, 5.0][..], &[2.0, 2.0, 4.0][..]));
    assert_eq!([-9.0, 1.5, 3.5, 5.0, 9.0].map(|x| f.value(x)), [2.0, 2.0, 3.0, 4.0, 4.0]);
    // One success: Platt's target is (1 + 1) / (1 + 2), and one observation is met exactly.
    let one = Platt::fit(&[0.7], &[true]).unwrap();
    assert!((one.probability(0.7) - 2.0 / 3.0).abs() < 1e-12);
    let level = Platt::fit(&[0.0, 0.0, 0.0], &[true, false, false]).unwrap();
    // Targets 2/3, 1/4, 1/4 at one score: their mean.
    assert!(level.slope == 0.0 && (level.probability(0.0) - 7.0 / 18.0).abs() < 1e-12);
}

/// Features that stop varying must not let the covariance grow until one observation throws the weights away.
#[test]
fn forgetting_stops_where_nothing_is_learned() {
    let mut ridge = OnlineRidge::new(2, 1.0, 0.9).unwrap();
    for k in 0..50 {
        let x = f64::from(k % 7) - 3.0;
        ridge.update(&[1.0, x], 2.0 + 0.5 * x).unwrap();
    }
    for _ in 0..100_000 {
        ridge.update(&[1.0, 0.0], 2.0).unwrap();
    }
    let width = ridge.uncertainty(&[0.0, 1.0]).unwrap();
    assert!(width.is_finite() && width < 2e8, "{width}");
    assert!(
        (ridge.weights()[0] - 2.0).abs() < 1e-6 && (ridge.weights()[1] - 0.5).abs() < 1e-3,
        "{:?}",
        ridge.weights()
    );
}

#[test]
fn a_snapshot_goes_on_as_the_original() {
    let mut random = Random::new(5);
    let mut x = || [random.uniform() - 0.5, random.uniform()];
    let (mut ridge, mut logit) = (OnlineRidge::new(2, 1.0, 0.99).unwrap(), OnlineLogistic::new(2, 0.1, 0.01).unwrap());
    let mut beta = BetaThompson::new(3, (1.0, 1.0), 0.99, 11).unwrap();
    let mut gauss = GaussianThompson::new(3, (0.0, 1.0), 0.5, 0.99, 12).unwrap();
    let mut lin = LinUcb::new(3, 2, 1.0, 1.0, 1.0).unwrap();
    let mut window = Adwin::new(0.002, 8, 5, 10).unwrap();
    let mut test = PageHinkley::new(30, 0.005, 2.0, 0.9999).unwrap();
    let fresh = (ridge.clone(), logit.clone(), beta.clone(), gauss.clone(), lin.clone(), window.clone(), test.clone());
    let mut twins = fresh;
    for k in 0..400 {
        if k == 200 {
            again(|e| ridge.save(e), |d| twins.0.load(d));
            again(|e| logit.save(e), |d| twins.1.load(d));
            again(|e| beta.save(e), |d| twins.2.load(d));
            again(|e| gauss.save(e), |d| twins.3.load(d));
            again(|e| lin.save(e), |d| twins.4.load(d));
            again(|e| window.save(e), |d| twins.5.load(d));
            again(|e| test.save(e), |d| twins.6.load(d));
            assert!(window == twins.5 && test == twins.6 && beta == twins.2 && gauss == twins.3);
        }
        let v = x();
        let level = if k < 250 { v[0] } else { v[1] + 3.0 };
        let saved = k >= 200;
        macro_rules! both {
            ($one:expr, $two:expr) => {
                let one = $one;
                assert!(!saved || one == $two, "round {k}");
            };
        }
        both!(ridge.update(&v, level), twins.0.update(&v, level));
        both!(logit.update(&v, v[0] > 0.0), twins.1.update(&v, v[0] > 0.0));
        let arm = beta.choose();
        both!(arm, twins.2.choose());
        both!(beta.update(arm, v[1] > 0.5), twins.2.update(arm, v[1] > 0.5));
        let arm = gauss.choose();
        both!(arm, twins.3.choose());
        both!(gauss.update(arm, v[0]), twins.3.update(arm, v[0]));
        let arm = lin.choose(&v).unwrap();
        both!(arm, twins.4.choose(&v).unwrap());
        both!(lin.update(arm, &v, level), twins.4.update(arm, &v, level));
        both!(window.update(level), twins.5.update(level));
        both!(test.update(level), twins.6.update(level));
    }
    assert!(window.width() < 300, "it saw the change: {}", window.width());
    let f = Isotonic::fit(&[3.0, 1.0, 2.0], &[0.0, 0.0, 1.0], &[1.0; 3]).unwrap();
    again(|e| f.save(e), |d| Isotonic::load(d).map(|g| assert_eq!(f, g)));
    let p = Platt::fit(&[3.0, 1.0, 2.0], &[true, false, false]).unwrap();
    again(|e| p.save(e), |d| Platt::load(d).map(|g| assert_eq!(p, g)));
}

/// Mean regret of Thompson sampling over 40 seeds against the bound of the Gaussian and of the Bernoulli case.
#[test]
fn thompson_sampling_finds_the_best_arm() {
    let means = [0.3, 0.5, 0.45, 0.2];
    let (rounds, mut regret, mut gaussian) = (1_000, 0.0, 0.0);
    for seed in 0..40 {
        let mut world = Random::new(1_000 + seed);
        let mut bandit = BetaThompson::new(4, (1.0, 1.0), 1.0, seed).unwrap();
        let mut normal = GaussianThompson::new(4, (0.0, 1.0), 0.25, 1.0, seed).unwrap();
        for _ in 0..rounds {
            let arm = bandit.choose();
            bandit.update(arm, world.uniform() < means[arm]).unwrap();
            regret += (0.5 - means[arm]) / 40.0;
            let arm = normal.choose();
            normal.update(arm, f64::from(u8::from(world.uniform() < means[arm]))).unwrap();
            gaussian += (0.5 - means[arm]) / 40.0;
        }
    }
    // Agrawal and Goyal, Journal of the ACM 64 (2017) 30: √(n T ln T) for Beta priors, up to a constant; choosing evenly
    // would lose 137.5.
    let bound = (4.0 * 1_000.0 * 1_000_f64.ln()).sqrt();
    assert!(regret < 0.3 * bound && gaussian < 0.3 * bound, "{regret} {gaussian} of {bound}");
}

#[test]
fn a_false_alarm_is_rare_and_a_change_is_seen() {
    let mut random = Random::new(3);
    let mut alarms = 0;
    for _ in 0..100 {
        let mut window = Adwin::new(0.002, 32, 5, 10).unwrap();
        alarms += u32::from((0..2_000).any(|_| window.update(f64::from(u8::from(random.uniform() < 0.5))).unwrap()));
    }
    assert!(alarms <= 5, "{alarms} of 100 streams without a change");
    let mut window = Adwin::new(0.002, 32, 5, 10).unwrap();
    let coin = |random: &mut Random, p: f64| f64::from(u8::from(random.uniform() < p));
    (0..1_000).for_each(|_| _ = window.update(coin(&mut random, 0.2)).unwrap());
    let after = (0..1_000).position(|_| window.update(coin(&mut random, 0.8)).unwrap());
    assert!(after.is_some_and(|n| n < 100), "{after:?}");
    // No variance and no change: the window only grows.
    window.reset();
    assert!((0..500).all(|_| !window.update(0.1).unwrap()));
    assert_eq!(window.width(), 500);
    assert!((window.mean() - 0.1).abs() < 1e-15 && window.variance() < 1e-30);
}

fn simplex(n: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.001_f64..1.0, n).prop_map(|raw| {
        let sum: f64 = raw.iter().sum();
        raw.iter().map(|w| w / sum).collect()
    })
}

proptest! {
    /// The bound of the exponentiated gradient, for squared errors of a mixture of forecasts: against any fixed mixture.
    #[test]
    fn regret_of_the_exponentiated_gradient(
        rounds in prop::collection::vec((prop::collection::vec(-1.0_f64..1.0, 4), -1.0_f64..1.0), 20..200),
        other in simplex(4),
        rate in 0.02..0.5_f64,
    ) {
        let mut w = [0.25; 4];
        let loss = |w: &[f64], x: &[f64], y: f64| (dot(w, x) - y).powi(2);
        let (mut mine, mut fixed, mut squares) = (0.0, 0.0, 0.0);
        let mut corners = [0.0; 4];
        for (x, y) in &rounds {
            mine += loss(&w, x, *y);
            fixed += loss(&other, x, *y);
            for (k, c) in corners.iter_mut().enumerate() {
                *c += (x[k] - y).powi(2);
            }
            let slope = 2.0 * (dot(&w, x) - y);
            let gradient: Vec<f64> = x.iter().map(|v| slope * v).collect();
            let range = gradient.iter().fold(f64::MIN, |a, g| a.max(*g)) - gradient.iter().fold(f64::MAX, |a, g| a.min(*g));
            squares += range * range;
            exponentiated_gradient(&mut w, &gradient, rate).unwrap();
        }
        let bound = 4_f64.ln() / rate + rate * squares / 8.0 + 1e-9;
        prop_assert!(mine - fixed <= bound);
        prop_assert!(corners.iter().all(|c| mine - c <= bound));
    }

    /// Helmbold and others, theorem 4.1: against any portfolio of constant weights.
    #[test]
    fn regret_of_the_exponentiated_portfolio(
        rounds in prop::collection::vec(prop::collection::vec(0.5_f64..1.0, 3), 20..200),
        other in simplex(3),
    ) {
        let (t, n, r) = (rounds.len() as f64, 3.0_f64, 0.5);
        let rate = 2.0 * r * (2.0 * n.ln() / t).sqrt();
        let mut w = [1.0 / n; 3];
        let (mut mine, mut fixed) = (0.0, 0.0);
        for x in &rounds {
            // The theorem's relatives have a largest one of 1.
            let most = x.iter().fold(0.0_f64, |a, v| a.max(*v));
            let x: Vec<f64> = x.iter().map(|v| v / most).collect();
            mine += dot(&w, &x).ln();
            fixed += dot(&other, &x).ln();
            exponentiated_portfolio(&mut w, &x, rate).unwrap();
            prop_assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-14 && w.iter().all(|w| *w > 0.0));
        }
        prop_assert!(fixed - mine <= (t * n.ln() / 2.0).sqrt() / r + 1e-9);
    }

    /// Linear losses: exponentiated gradient and Hedge are one algorithm.
    #[test]
    fn hedge_is_the_exponentiated_gradient_of_linear_losses(w in simplex(5), gains in prop::collection::vec(-1.0_f64..1.0, 5), rate in 0.01..1.0_f64) {
        let (mut a, mut b) = (w.clone(), w);
        hedge(&mut a, &gains.iter().map(|g| Some(*g)).collect::<Vec<_>>(), rate, 0.0);
        exponentiated_gradient(&mut b, &gains.iter().map(|g| -g).collect::<Vec<_>>(), rate).unwrap();
        prop_assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-14));
    }

    #[test]
    fn the_order_of_observations_does_not_matter_to_ridge(rows in prop::collection::vec((prop::array::uniform3(-2.0_f64..2.0), -5.0_f64..5.0), 1..40)) {
        let fit = |rows: &mut dyn Iterator<Item = &([f64; 3], f64)>| {
            let mut ridge = OnlineRidge::new(3, 0.5, 1.0).unwrap();
            rows.for_each(|(x, y)| _ = ridge.update(x, *y).unwrap());
            ridge
        };
        let (a, b) = (fit(&mut rows.iter()), fit(&mut rows.iter().rev()));
        prop_assert!(a.weights().iter().zip(b.weights()).all(|(a, b)| (a - b).abs() < 1e-10));
    }

    /// The pooled function is the projection: no other non-decreasing function through the same scores is nearer.
    #[test]
    fn isotonic_is_the_nearest(rows in prop::collection::vec((0_i32..12, -3.0_f64..3.0, 0.1_f64..2.0), 1..40), steps in prop::collection::vec(0.0_f64..1.0, 13), from in -4.0_f64..2.0) {
        let (x, y): (Vec<f64>, Vec<f64>) = rows.iter().map(|r| (f64::from(r.0), r.1)).unzip();
        let w: Vec<f64> = rows.iter().map(|r| r.2).collect();
        let f = Isotonic::fit(&x, &y, &w).unwrap();
        let miss = |f: &dyn Fn(f64) -> f64| x.iter().zip(&y).zip(&w).map(|((x, y), w)| w * (f(*x) - y).powi(2)).sum::<f64>();
        let other = |x: f64| steps[..=x as usize].iter().sum::<f64>() + from;
        prop_assert!(miss(&|x| f.value(x)) <= miss(&other) + 1e-9);
        let level = x.iter().zip(&w).map(|(x, w)| w * f.value(*x)).sum::<f64>() - y.iter().zip(&w).map(|(y, w)| w * y).sum::<f64>();
        prop_assert!(level.abs() < 1e-9, "it keeps the mean");
        prop_assert!((0..240).map(|k| 0.05 * f64::from(k)).collect::<Vec<_>>().windows(2).all(|p| f.value(p[0]) <= f.value(p[1]) + 1e-12));
    }

    #[test]
    fn platt_keeps_the_mean_of_its_targets(rows in prop::collection::vec((-3.0_f64..3.0, any::<bool>()), 2..60), shift in -5.0_f64..5.0, scale in 0.01_f64..100.0) {
        let (x, y): (Vec<f64>, Vec<bool>) = rows.into_iter().unzip();
        let p = Platt::fit(&x, &y).unwrap();
        let up = y.iter().filter(|y| **y).count() as f64;
        let down = y.len() as f64 - up;
        let targets = up * (up + 1.0) / (up + 2.0) + down / (down + 2.0);
        prop_assert!((x.iter().map(|x| p.probability(*x)).sum::<f64>() - targets).abs() < 1e-6 * y.len() as f64);
        // Another unit of the score changes nothing.
        let moved: Vec<f64> = x.iter().map(|x| scale * (x + shift)).collect();
        let q = Platt::fit(&moved, &y).unwrap();
        prop_assert!(x.iter().zip(&moved).all(|(x, m)| (p.probability(*x) - q.probability(*m)).abs() < 1e-6));
    }

    /// The window's count, sum and variance are those of its newest observations, whatever was cut.
    #[test]
    fn the_window_is_the_newest_observations(x in prop::collection::vec(-1.0_f64..1.0, 1..600), jump in 0.0_f64..3.0, at in 0_usize..600) {
        let x: Vec<f64> = x.iter().enumerate().map(|(k, v)| if k < at { *v } else { v + jump }).collect();
        let mut window = Adwin::new(0.01, 4, 3, 10).unwrap();
        for v in &x {
            window.update(*v).unwrap();
        }
        let n = window.width() as usize;
        let newest = &x[x.len() - n..];
        let mean = newest.iter().sum::<f64>() / n as f64;
        let variance = newest.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
        prop_assert!((window.mean() - mean).abs() < 1e-12 && (window.variance() - variance).abs() < 1e-12);
    }
}

fn boosted(target: BoostingTarget) -> (BoostedTrees, Vec<f64>) {
    let mut random = Random::new(11);
    let columns: Vec<f64> = (0..3 * 120).map(|k| if k % 17 == 5 { f64::NAN } else { random.uniform() }).collect();
    let y = (0..120).map(|i| {
        let score = columns[i] + columns[240 + i] * 0.5;
        if target == BoostingTarget::Value { score } else { f64::from(u8::from(score > 0.7)) }
    });
    let y: Vec<f64> = y.map(|y| if y.is_nan() { 0.0 } else { y }).collect();
    let parameters = BoostingParameters { target, rows: 0.8, columns: 0.7, trees: 30, ..BoostingParameters::default() };
    (BoostedTrees::fit(&parameters, &columns, &y, &[]).unwrap(), columns)
}

#[test]
fn boosted_trees_give_reasons_that_add_up_and_are_saved_whole() {
    for target in [BoostingTarget::Value, BoostingTarget::Probability] {
        let (trees, columns) = boosted(target);
        let (values, parts) = (trees.predict(&columns).unwrap(), trees.contributions(&columns).unwrap());
        for (value, parts) in values.iter().zip(parts.chunks_exact(4)) {
            let sum: f64 = parts.iter().sum();
            let expected = if target == BoostingTarget::Value { sum } else { logistic(sum) };
            // The library weighs the paths to a leaf in single precision.
            assert!((value - expected).abs() < 1e-6, "{value} {expected}");
        }
        let share = trees.importance();
        assert!((share.iter().sum::<f64>() - 1.0).abs() < 1e-12 && share[1] < share[0], "{share:?}");
        again(|e| trees.save(e), |d| BoostedTrees::load(d).map(|_| ()));
        let mut e = Encoder::new();
        trees.save(&mut e);
        let loaded = BoostedTrees::load(&mut Decoder::new(e.as_bytes())).unwrap();
        let bits = |v: Vec<f64>| v.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(loaded.predict(&columns).unwrap()), bits(values.clone()));
        // The same seed grows the same trees.
        let mut f = Encoder::new();
        boosted(target).0.save(&mut f);
        assert_eq!(e.as_bytes(), f.as_bytes());
        // A tree that leads nowhere is refused, not followed.
        let text = String::from_utf8_lossy(e.as_bytes()).into_owned();
        for (from, to) in [("\"left_child\":1,", "\"left_child\":0,"), ("\"split_feature\":2", "\"split_feature\":3")] {
            assert!(text.contains(from), "{from}");
            let bytes: Vec<u8> = e.as_bytes().to_vec();
            let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
            let mut damaged = bytes;
            damaged[at..at + from.len()].copy_from_slice(to.as_bytes());
            assert!(BoostedTrees::load(&mut Decoder::new(&damaged)).is_err(), "{to}");
        }
    }
}

#[test]
fn what_boosted_trees_cannot_learn_from_is_named() {
    let fit = |p: BoostingParameters, x: &[f64], y: &[f64], w: &[f64]| name(BoostedTrees::fit(&p, x, y, w));
    let d = BoostingParameters::default();
    let p = BoostingParameters { target: BoostingTarget::Probability, ..d };
    assert_eq!(fit(BoostingParameters { trees: 0, ..d }, &[1.0], &[1.0], &[]), "number of trees");
    assert_eq!(fit(BoostingParameters { rate: 0.0, ..d }, &[1.0], &[1.0], &[]), "rate");
    assert_eq!(fit(BoostingParameters { depth: 17, ..d }, &[1.0], &[1.0], &[]), "depth");
    assert_eq!(fit(BoostingParameters { penalty: f64::NAN, ..d }, &[1.0], &[1.0], &[]), "penalty");
    assert_eq!(fit(BoostingParameters { bins: 1, ..d }, &[1.0], &[1.0], &[]), "number of bins");
    assert_eq!(fit(d, &[], &[], &[]), "observations");
    assert_eq!(fit(d, &[], &[1.0], &[]), "features");
    assert_eq!(fit(d, &[1.0, 2.0, 3.0], &[1.0, 2.0], &[]), "features");
    assert_eq!(fit(d, &[1.0, f64::INFINITY], &[1.0, 2.0], &[]), "feature");
    assert_eq!(fit(d, &[1.0, 2.0], &[1.0, f64::NAN], &[]), "target");
    assert_eq!(fit(p, &[1.0, 2.0], &[1.0, 0.5], &[]), "target");
    assert_eq!(fit(d, &[1.0, 2.0], &[1.0, 2.0], &[1.0, 0.0]), "weight");
    assert_eq!(fit(d, &[1.0, 2.0], &[1.0, 2.0], &[1.0]), "weights");
    // One observation, equal features, one kind of outcome, nothing but missing values: the first guess.
    for x in [vec![1.0], vec![2.0; 5], vec![f64::NAN; 5]] {
        let y = vec![1.0; x.len()];
        assert_eq!(BoostedTrees::fit(&d, &x, &y, &[]).unwrap().predict(&x).unwrap(), y);
        let certain = BoostedTrees::fit(&p, &x, &y, &[]).unwrap().predict(&x).unwrap()[0];
        assert!(certain > 0.6 && certain < 1.0, "{certain}");
        assert_eq!(name(BoostedTrees::fit(&d, &x, &y, &[]).unwrap().predict(&[f64::INFINITY])), "feature");
    }
    let two = BoostedTrees::fit(&d, &[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0], &[]).unwrap();
    assert_eq!((two.n_features(), name(two.predict(&[1.0]))), (2, "features"));
}
