//! Numbers that papers print.

use super::*;

fn check(actual: Option<f64>, expected: f64, tolerance: f64) {
    assert!(actual.is_some_and(|a| (a - expected).abs() <= tolerance), "{actual:?} instead of {expected}");
}

/// Bailey and López de Prado (2014), section "A numerical example": 100 trials whose annual ratios have variance ½, five
/// years of 250 days, the best at 2.5 a year.
#[test]
fn deflated_sharpe_of_the_paper() {
    let best = Sharpe::from_moments(1250, 2.5 / 250.0_f64.sqrt(), -3.0, 10.0, 250.0).unwrap();
    let deflated = best.deflated(100, 0.5 / 250.0).unwrap();
    check(Some(deflated.benchmark), 0.1132, 5e-5);
    check(Some(deflated.probability), 0.9004, 5e-5);
    // It would have been 95 % after 46 trials only, and after 88 had the returns been normal.
    let normal = Sharpe::from_moments(1250, 2.5 / 250.0_f64.sqrt(), 0.0, 3.0, 250.0).unwrap();
    check(best.deflated(46, 0.5 / 250.0).map(|d| d.probability), 0.95, 1e-3);
    check(normal.deflated(88, 0.5 / 250.0).map(|d| d.probability), 0.95, 1e-3);
}

/// Bailey and López de Prado (2012): two years of monthly returns at 0.458 a month, and the track records that a ratio
/// of 2 a year needs to be above 1 at 95 %.
#[test]
fn track_records_of_the_paper() {
    let fund = |skewness, kurtosis| Sharpe::from_moments(24, 0.458, skewness, kurtosis, 12.0).unwrap();
    check(fund(0.0, 3.0).probability_above(0.0), 0.982, 1e-3);
    check(fund(-2.448, 10.164).probability_above(0.0), 0.913, 1e-3);
    for (periods, years) in [(252.0, 2.73), (52.0, 2.83), (12.0, 3.24)] {
        let root = f64::sqrt(periods);
        let two = Sharpe::from_moments(100, 2.0 / root, 0.0, 3.0, periods).unwrap();
        check(two.minimum_track_record(1.0 / root, 0.95).map(|n| n / periods), years, 6e-3);
    }
}

/// Lo (2002), Table 1: the error of a ratio of normal returns. His √((1 + SR²/2) / n) has n where ours has n − 1.
#[test]
fn standard_errors_of_the_paper() {
    for (ratio, n, expected) in [(0.5, 12, 0.306), (1.0, 60, 0.158), (3.0, 500, 0.105)] {
        let s = Sharpe::from_moments(n + 1, ratio, 0.0, 3.0, 12.0).unwrap();
        check(Some(s.error_per_period), expected, 5e-4);
    }
}
