//! What holds for every series.

use super::super::*;
use crate::performance::Random;
use proptest::prelude::*;

/// Normal numbers of a seed.
fn noise(n: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..n).map(|_| crate::vmath::normal_inverse(random.uniform().clamp(1e-12, 1.0 - 1e-12))).collect()
}

fn walk(n: usize, seed: u64) -> Vec<f64> {
    let mut sum = 0.0;
    noise(n, seed)
        .into_iter()
        .map(|e| {
            sum += e;
            sum
        })
        .collect()
}

fn near(a: f64, b: f64, slack: f64) -> bool {
    (a - b).abs() <= slack * (1.0 + b.abs())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn residuals_are_orthogonal(seed in any::<u64>(), n in 12_usize..200, k in 1_usize..4) {
        let y = walk(n, seed);
        let columns: Vec<Vec<f64>> = (1..=k as u64).map(|j| noise(n, seed ^ j.wrapping_mul(977))).collect();
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let ols = Ols::fit(&y, &columns, Trend::Linear).unwrap();
        let size = y.iter().fold(1.0_f64, |m, v| m.max(v.abs())) * n as f64;
        prop_assert!(ols.residuals.iter().sum::<f64>().abs() < 1e-11 * size);
        for c in columns {
            let product: f64 = c.iter().zip(&ols.residuals).map(|(a, b)| a * b).sum();
            prop_assert!(product.abs() < 1e-10 * size);
        }
        prop_assert!((0.0..=1.0).contains(&ols.r_squared));
        let leverage: f64 = (0..n).map(|row| ols.leverage(row)).sum();
        prop_assert!(near(leverage, (k + 2) as f64, 1e-9), "leverages sum to the coefficients");
    }

    #[test]
    fn unit_root_tests_know_no_unit(seed in any::<u64>(), scale in 1e-4_f64..1e4, shift in -100.0_f64..100.0) {
        let x = walk(200, seed);
        let moved: Vec<f64> = x.iter().map(|v| scale * v).collect();
        for lags in [Lags::Fixed(2), Lags::Aic { most: Some(8) }] {
            let (a, b) = (adf(&x, Trend::None, lags).unwrap(), adf(&moved, Trend::None, lags).unwrap());
            prop_assert!(near(a.statistic, b.statistic, 1e-9) && a.lags == b.lags);
        }
        let moved: Vec<f64> = x.iter().map(|v| scale * (v + shift)).collect();
        let (a, b) = (adf(&x, Trend::Constant, Lags::Fixed(1)).unwrap(), adf(&moved, Trend::Constant, Lags::Fixed(1)).unwrap());
        prop_assert!(near(a.statistic, b.statistic, 1e-7));
        let (a, b) = (kpss(&x, Trend::Constant, Bandwidth::Schwert).unwrap(), kpss(&moved, Trend::Constant, Bandwidth::Schwert).unwrap());
        prop_assert!(near(a.statistic, b.statistic, 1e-8));
    }

    #[test]
    fn a_screen_is_its_single_tests(seed in any::<u64>(), n in 2_usize..19, rows in 40_usize..90, lag in 0_usize..4) {
        let series: Vec<Vec<f64>> = (0..n as u64).map(|k| walk(rows, seed ^ k.wrapping_mul(0x9e37))).collect();
        let series: Vec<&[f64]> = series.iter().map(Vec::as_slice).collect();
        for (trend, lags) in [(Trend::Constant, Lags::Fixed(lag)), (Trend::Linear, Lags::Aic { most: Some(5) }), (Trend::None, Lags::Bic { most: None })] {
            let mut screen = PairScreen::new(n, rows, trend, lags).unwrap();
            let mut found = Vec::new();
            screen.run(&series, |y, x, test| found.push((y, x, test))).unwrap();
            prop_assert_eq!(found.len(), n * (n - 1));
            for (y, x, test) in &found {
                let (test, single) = (test.unwrap(), engle_granger(series[*y], &[series[*x]], trend, lags).unwrap());
                prop_assert!(near(test.statistic, single.statistic, 1e-9) && test.lags == single.lags, "{:?} {:?}", test, single.statistic);
                prop_assert!((test.p - single.p).abs() < 1e-9);
            }
            // A second run over the same memory gives the same bits.
            let mut again = Vec::new();
            screen.run(&series, |y, x, test| again.push((y, x, test))).unwrap();
            prop_assert_eq!(found, again);
        }
    }

    #[test]
    fn filters_do_not_know_the_future(seed in any::<u64>(), cut in 20_usize..150, other in any::<u64>()) {
        let x = noise(200, seed);
        let mut y = x.clone();
        y[cut..].copy_from_slice(&noise(200 - cut, other));
        let hmm = Hmm::new(1, &[0.5; 2], &[0.95, 0.05, 0.1, 0.9], &[0.0, 0.1], &[0.5, 3.0]).unwrap();
        let (a, b) = (hmm.probabilities(&x).unwrap(), hmm.probabilities(&y).unwrap());
        prop_assert_eq!(&a.filtered[..2 * cut], &b.filtered[..2 * cut]);
        for row in a.filtered.chunks_exact(2).chain(a.smoothed.chunks_exact(2)) {
            prop_assert!(near(row.iter().sum(), 1.0, 1e-12));
        }
        prop_assert_eq!(&a.filtered[398..], &a.smoothed[398..], "the last row has no future");
        let (mut u, mut v) = ([0.0; 200], [0.0; 200]);
        ewma_variances(&x, 0.9, &mut u).unwrap();
        ewma_variances(&y, 0.9, &mut v).unwrap();
        // Beyond the first 75 rows, which start the recursion, the past alone counts.
        if cut >= 75 {
            prop_assert_eq!(&u[..=cut], &v[..=cut]);
        }
    }

    #[test]
    fn fitting_raises_the_likelihood(seed in any::<u64>()) {
        let x: Vec<f64> = noise(300, seed).iter().enumerate().map(|(k, e)| if (k / 50) % 2 == 0 { 0.5 * e } else { 2.0 * e }).collect();
        let search = HmmSearch { steps: 30, least_gain: 1e-6, variance_prior: 0.0 };
        let fit = Hmm::of_volatility(&x, 2).unwrap().fit(&x, search).unwrap();
        prop_assert!(fit.log_likelihoods.windows(2).all(|w| w[1] >= w[0] - 1e-9 * w[0].abs()));
        let m = &fit.model;
        prop_assert!(m.transition().chunks_exact(2).all(|row| near(row.iter().sum(), 1.0, 1e-12)));
    }

    #[test]
    fn components_rebuild_the_variance(seed in any::<u64>(), k in 1_usize..7) {
        let common = noise(60, seed);
        let series: Vec<Vec<f64>> = (0..k as u64)
            .map(|j| noise(60, seed ^ (j + 3).wrapping_mul(131)).iter().zip(&common).map(|(e, c)| e + j as f64 * c).collect())
            .collect();
        let series: Vec<&[f64]> = series.iter().map(Vec::as_slice).collect();
        let p = Pca::fit(&series, false).unwrap();
        let whole: f64 = series.iter().map(|x| crate::performance::sample_variance(x).unwrap()).sum();
        prop_assert!(near(p.variances.iter().sum(), whole, 1e-12) && near(p.shares.iter().sum(), 1.0, 1e-12));
        prop_assert!(p.variances.windows(2).all(|w| w[0] >= w[1]));
        for (i, a) in p.components.iter().enumerate() {
            for (j, b) in p.components.iter().enumerate() {
                let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                prop_assert!((product - f64::from(i == j)).abs() < 1e-12);
            }
        }
        let mut scores = vec![0.0; k];
        let row: Vec<f64> = series.iter().map(|x| x[17]).collect();
        p.scores(&row, &mut scores).unwrap();
        let means: Vec<f64> = series.iter().map(|x| x.iter().sum::<f64>() / 60.0).collect();
        for (at, x) in row.iter().enumerate() {
            let back: f64 = means[at] + scores.iter().zip(&p.components).map(|(s, c)| s * c[at]).sum::<f64>();
            prop_assert!(near(back, *x, 1e-10), "all components rebuild the row");
        }
    }

    #[test]
    fn changes_are_the_least_cost(seed in any::<u64>(), least in 1_usize..4, penalty in 0.1_f64..5.0) {
        // Against every placement of up to two changes.
        let x: Vec<f64> = noise(24, seed).iter().enumerate().map(|(k, e)| e + if k > 10 { 1.5 } else { 0.0 }).collect();
        let cost = |cuts: &[usize]| {
            let mut ends = vec![0];
            ends.extend(cuts);
            ends.push(x.len());
            let pieces = ends.windows(2).map(|w| {
                let piece = &x[w[0]..w[1]];
                let mean = piece.iter().sum::<f64>() / piece.len() as f64;
                piece.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>()
            });
            pieces.sum::<f64>() + penalty * cuts.len() as f64
        };
        let found = level_changes(&x, penalty, least).unwrap();
        let ours = cost(&found);
        prop_assert!(ours <= cost(&[]) + 1e-9);
        for a in least..=24 - least {
            prop_assert!(ours <= cost(&[a]) + 1e-9);
            for b in a + least..=24 - least {
                prop_assert!(ours <= cost(&[a, b]) + 1e-9);
            }
        }
        let mut ends = vec![0];
        ends.extend(&found);
        ends.push(24);
        prop_assert!(ends.windows(2).all(|w| w[1] - w[0] >= least));
    }
}

#[test]
fn random_walks_are_random_walks() {
    let n = 200;
    let (mut ratio, mut refused, mut unit, mut level) = (0.0, 0, 0, 0);
    for seed in 0..n {
        let x = walk(500, seed);
        let r = variance_ratio(&x, 5, true).unwrap();
        ratio += r.ratio / n as f64;
        refused += usize::from(r.p < 0.05);
        unit += usize::from(adf(&x, Trend::Constant, Lags::Fixed(1)).unwrap().p < 0.05);
        level += usize::from(kpss(&noise(500, seed), Trend::Constant, Bandwidth::Automatic).unwrap().p < 0.05);
    }
    // Standard error of the mean ratio: √(2 · 9 · 4 / 15 / 500 / 200) = 0.007; of a count of 10: 3.1.
    assert!((ratio - 1.0).abs() < 0.028, "{ratio}");
    for count in [refused, unit, level] {
        assert!((1..=22).contains(&count), "{refused} {unit} {level} of {n} at 5 %");
    }
}

#[test]
fn garch_finds_what_made_the_series() {
    let truth =
        GarchParameters { mean: 0.05, constant: 0.05, arch: 0.05, asymmetry: 0.1, garch: 0.85, degrees: f64::INFINITY };
    let mut variance = truth.variance();
    let returns: Vec<f64> = noise(8_000, 3)
        .into_iter()
        .map(|z| {
            let r = truth.mean + variance.sqrt() * z;
            variance = truth.next(variance, r);
            r
        })
        .collect();
    let model = GarchModel { asymmetric: true, mean: true, shocks: Shocks::Normal };
    let p = garch(&returns, model).unwrap().parameters;
    assert!((p.arch - 0.05).abs() < 0.02 && (p.asymmetry - 0.1).abs() < 0.03 && (p.garch - 0.85).abs() < 0.03, "{p:?}");
    assert!((p.variance() / truth.variance() - 1.0).abs() < 0.15);
    // Returns in other units: the same model but for the units.
    let percent: Vec<f64> = returns.iter().map(|r| 10.0 * r).collect();
    let q = garch(&percent, model).unwrap().parameters;
    assert!((p.arch - q.arch).abs() < 1e-4 && (p.garch - q.garch).abs() < 1e-4, "{p:?} {q:?}");
    let student = garch(&returns, GarchModel { shocks: Shocks::Student, ..model }).unwrap();
    assert!(student.parameters.degrees > 30.0, "normal shocks: {}", student.parameters.degrees);
}
