//! What is refused, by name; hand-worked and published numbers.

use super::super::*;
use EconometricsError as Error;

fn wave(n: usize) -> Vec<f64> {
    (0..n).map(|k| (k as f64 * 0.7).sin() + 0.01 * ((k * 37) % 11) as f64).collect()
}

/// Every function of one series.
fn of_one(x: &[f64]) -> Vec<(&'static str, Result<(), Error>)> {
    let model = GarchModel { asymmetric: true, mean: true, shocks: Shocks::Normal };
    vec![
        ("ols", Ols::fit(x, &[], Trend::Constant).map(drop)),
        ("adf", adf(x, Trend::Constant, Lags::Aic { most: None }).map(drop)),
        ("adf fixed", adf(x, Trend::None, Lags::Fixed(1)).map(drop)),
        ("kpss", kpss(x, Trend::Linear, Bandwidth::Automatic).map(drop)),
        ("pacf", partial_autocorrelations(x, 3).map(drop)),
        ("ljung_box", ljung_box(x, 3, 0).map(drop)),
        ("jarque_bera", jarque_bera(x).map(drop)),
        ("half_life", half_life(x).map(drop)),
        ("variance_ratio", variance_ratio(x, 2, true).map(drop)),
        ("rescaled_range", rescaled_range(x).map(drop)),
        ("dfa", detrended_fluctuation(x).map(drop)),
        ("garch", garch(x, model).map(drop)),
        ("hmm", Hmm::of_volatility(x, 2).map(drop)),
        ("engle_granger", engle_granger(x, &[x], Trend::Constant, Lags::Fixed(1)).map(drop)),
        ("johansen", johansen(&[x], Trend::Constant, 1).map(drop)),
        ("pca", Pca::fit(&[x], false).map(drop)),
        (
            "screen",
            PairScreen::new(2, x.len(), Trend::Constant, Lags::Fixed(1)).and_then(|mut s| s.run(&[x, x], |_, _, _| ())),
        ),
    ]
}

#[test]
fn short_constant_and_broken_series_are_refused_by_name() {
    for n in [0, 1] {
        for (name, r) in of_one(&vec![1.5; n]) {
            assert!(matches!(r, Err(Error::TooFew { .. })), "{name} of {n}: {r:?}");
        }
    }
    for level in [0.0, 1.0, 0.1, 1e9, -1e-9] {
        for (name, r) in of_one(&[level; 300]) {
            let inner = match &r {
                Err(Error::Series { at: 0, cause }) => Err((**cause).clone()),
                other => other.clone(),
            };
            assert!(matches!(inner, Err(Error::NoVariance { .. })), "{name} of {level}: {r:?}");
        }
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut x = wave(300);
        x[211] = bad;
        for (name, r) in of_one(&x) {
            let inner = match &r {
                Err(Error::Series { at: 0, cause }) => Err((**cause).clone()),
                other => other.clone(),
            };
            assert!(matches!(inner, Err(Error::NotFinite { row: 211, .. })), "{name}: {r:?}");
        }
        let mut out = vec![0.0; 300];
        assert!(matches!(ewma_variances(&x, 0.94, &mut out), Err(Error::NotFinite { row: 211, .. })));
        assert!(matches!(level_changes(&x, 1.0, 1), Err(Error::NotFinite { row: 211, .. })));
        let mut k = KalmanHedge::new([1.0; 2], [0.0; 2], 1.0).unwrap();
        let before = k;
        assert!(k.update(bad, 1.0).is_err() && k.update(1.0, bad).is_err() && k == before);
        let mut c = Cusum::new(0.0, 0.5, 5.0).unwrap();
        assert!(c.update(bad).is_err() && Cusum::new(bad, 0.5, 5.0).is_err());
    }
}

#[test]
fn straight_lines_and_copies_are_refused() {
    let line: Vec<f64> = (0..200).map(f64::from).collect();
    assert!(matches!(
        adf(&line, Trend::Linear, Lags::Fixed(1)),
        Err(Error::Collinear { .. } | Error::NoVariance { .. })
    ));
    assert!(matches!(kpss(&line, Trend::Linear, Bandwidth::Fixed(0)), Err(Error::NoVariance { .. })));
    assert!(matches!(variance_ratio(&line, 4, true), Err(Error::NoVariance { .. })));
    let (x, other) = (wave(200), (0..200).map(|k| ((k * k) % 31) as f64).collect::<Vec<_>>());
    let twice: Vec<f64> = x.iter().map(|v| 3.0 - 2.0 * v).collect();
    assert_eq!(
        Ols::fit(&other, &[&x, &twice], Trend::Constant),
        Err(Error::Collinear { what: "regression", column: 2 })
    );
    assert!(matches!(Ols::fit(&other, &[&[4.0; 200]], Trend::Constant), Err(Error::Collinear { column: 1, .. })));
    assert!(matches!(engle_granger(&x, &[&twice], Trend::Constant, Lags::Fixed(1)), Err(Error::Collinear { .. })));
    assert!(matches!(johansen(&[&x, &other, &twice], Trend::Constant, 1), Err(Error::Collinear { .. })));
    // In a screen the others go on.
    let mut screen = PairScreen::new(3, 200, Trend::Constant, Lags::Fixed(1)).unwrap();
    let mut found = Vec::new();
    screen.run(&[&x, &other, &twice], |y, x, test| found.push((y, x, test.is_some()))).unwrap();
    found.sort_unstable();
    let expected = [(0, 1, true), (0, 2, false), (1, 0, true), (1, 2, true), (2, 0, false), (2, 1, true)];
    assert_eq!(found, expected);
}

#[test]
fn parameters_out_of_range_are_refused() {
    let x = wave(100);
    assert!(matches!(variance_ratio(&x, 1, true), Err(Error::OutOfRange { got: 1.0, .. })));
    assert!(variance_ratio(&x, 99, true).is_err() && variance_ratio(&x, 98, true).is_ok());
    assert!(matches!(kpss(&x, Trend::None, Bandwidth::Schwert), Err(Error::OutOfRange { .. })));
    assert!(matches!(adf(&x, Trend::Constant, Lags::Fixed(60)), Err(Error::TooFew { got: 100, need: 124, .. })));
    let ols = Ols::fit(&x, &[], Trend::Linear).unwrap();
    assert!(ols.inference(Covariance::NeweyWest { lags: 100, small_sample: false }).is_err());
    let spike: Vec<f64> = (0..100).map(|k| f64::from(k == 7)).collect();
    let ols = Ols::fit(&x, &[&spike], Trend::Constant).unwrap();
    assert!(matches!(ols.inference(Covariance::Hc3), Err(Error::OutOfRange { .. })), "one row is its own column");
    for lambda in [0.0, 1.0, f64::NAN, -0.5] {
        assert!(ewma_variances(&x, lambda, &mut [0.0; 100]).is_err());
    }
    assert!(ewma_variances(&x, 0.94, &mut [0.0; 99]).is_err() && ewma_variances(&[], 0.94, &mut []).is_err());
    assert!(
        level_changes(&x, -1.0, 1).is_err()
            && level_changes(&x, 1.0, 0).is_err()
            && level_changes(&x, 1.0, 101).is_err()
    );
    assert!(
        KalmanHedge::new([0.0, 1.0], [0.0; 2], 1.0).is_err() && KalmanHedge::new([1.0; 2], [-1.0, 0.0], 1.0).is_err()
    );
    assert!(Hmm::new(1, &[0.5, 0.6], &[0.5; 4], &[0.0; 2], &[1.0; 2]).is_err(), "probabilities sum to 1");
    assert!(Hmm::new(1, &[0.5; 2], &[0.5; 4], &[0.0; 2], &[1.0, 0.0]).is_err(), "variances are above 0");
    assert!(p_value(-3.0, Trend::Constant, 0).is_nan() && p_value(-3.0, Trend::Constant, 7).is_nan());
    let text = adf(&x, Trend::Constant, Lags::Fixed(60)).unwrap_err().to_string();
    assert_eq!(text, "Dickey–Fuller test: 100 rows, at least 124 are needed: take a longer series or fewer lags");
}

#[test]
fn ties_are_no_obstacle() {
    // A price that moves by whole ticks and mostly not at all.
    let mut price = 100.0;
    let x: Vec<f64> = (0..400_u32)
        .map(|k| {
            price += [0.0, 0.0, 0.25, 0.0, -0.25][((k * k + k / 7) % 5) as usize];
            price
        })
        .collect();
    let other: Vec<f64> =
        x.iter().enumerate().map(|(k, v)| (0.5 * v * 4.0).floor() / 4.0 + 0.25 * ((k / 9) % 3) as f64).collect();
    for trend in [Trend::None, Trend::Constant, Trend::Linear] {
        assert!(adf(&x, trend, Lags::Aic { most: None }).unwrap().statistic.is_finite());
        assert!(engle_granger(&x, &[&other], trend, Lags::Bic { most: None }).unwrap().statistic.is_finite());
    }
    assert!(kpss(&x, Trend::Constant, Bandwidth::Automatic).unwrap().statistic.is_finite());
    assert!(detrended_fluctuation(&x).unwrap().exponent.is_finite());
}

/// NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.3: twenty group means, target 325, k = 0.3175, h = 4.1959.
#[test]
fn cumulative_sums_of_the_handbook() {
    let x = [
        324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125, 324.525, 325.225, 324.600, 324.625, 325.150,
        328.325, 327.250, 327.825, 328.500, 326.675, 327.775, 326.875, 328.350,
    ];
    let mut c = Cusum::new(325.0, 0.3175, 4.1959).unwrap();
    let mut alarms = Vec::new();
    for (k, x) in x.iter().enumerate() {
        if let Some(shift) = c.update(*x).unwrap() {
            alarms.push((k + 1, shift));
        }
    }
    // The handbook's sums: 3.01 at row 13, 4.94 at row 14 (first above the limit); after the reset 2.51 and 5.69.
    assert_eq!(alarms, [(14, Shift::Up), (16, Shift::Up), (19, Shift::Up)]);
    let mut c = Cusum::new(325.0, 0.3175, 100.0).unwrap();
    let sums: Vec<f64> = x
        .iter()
        .map(|x| {
            c.update(*x).unwrap();
            c.above
        })
        .collect();
    for (row, expected) in [(4, 0.0325), (12, 3.0075), (13, 4.94), (14, 7.4475), (19, 19.0475)] {
        assert!((sums[row] - expected).abs() < 0.06, "row {row}: {} for {expected}", sums[row]);
    }
}

#[test]
fn hand_worked_kalman_step() {
    // Prior variances 1 and 1, x = 2, y = 5, noise 4: variance 1 + 4 + 4 = 9, gains 1/9 and 2/9, innovation 5.
    let mut k = KalmanHedge::new([1.0; 2], [0.0; 2], 4.0).unwrap();
    let step = k.update(2.0, 5.0).unwrap();
    assert!((step.variance - 9.0).abs() < 1e-15 && (step.innovation - 5.0).abs() < 1e-15);
    assert!((k.intercept - 5.0 / 9.0).abs() < 1e-15 && (k.hedge - 10.0 / 9.0).abs() < 1e-15);
    // P − PH'HP/F: 1 − 1/9 and 1 − 4/9.
    assert!(
        (k.errors()[0] - (8.0_f64 / 9.0).sqrt()).abs() < 1e-15
            && (k.errors()[1] - (5.0_f64 / 9.0).sqrt()).abs() < 1e-15
    );
}
