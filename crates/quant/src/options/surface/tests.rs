use super::*;
use crate::options::{European, Right};
use crate::vmath::normal_cdf;
use proptest::prelude::*;

fn grid() -> Vec<f64> {
    (-150..=150).map(|i| f64::from(i) * 0.01).collect()
}

fn quotes(slice: &impl Slice, points: &[f64]) -> Vec<Point> {
    points.iter().map(|k| Point { k: *k, variance: slice.variance(*k).0, weight: 1.0 }).collect()
}

/// Gatheral and Jacquier (2014), section 5.1: Axel Vogt's slice has positive variance and a butterfly below nothing.
const VOGT: Svi = Svi { a: -0.0410, b: 0.1331, rho: 0.3060, m: 0.3586, sigma: 0.4153 };

#[test]
fn vogts_butterfly_is_found() {
    let grid = grid();
    let found: Vec<Breach> = butterflies(&VOGT, &grid).collect();
    assert!(!found.is_empty() && found.iter().all(|b| b.by < 0.0 && b.k > 0.5 && b.k < 1.3), "{found:?}");
    assert!(grid.iter().all(|k| VOGT.variance(*k).0 > 0.0));
    // The density of the price, by differences of prices: its sign is g's.
    for k in [0.0, 0.4, 0.8, 1.0, 1.4] {
        let price = |x: f64| {
            let strike = libm::exp(x);
            let vol = VOGT.variance(x).0.sqrt();
            European::on_future(Right::Call, 1.0, strike, 1.0, 0.0, vol).price()
        };
        let h = 1e-3;
        // ∂²C/∂K² ∝ C_kk − C_k.
        let density =
            (price(k + h) - 2.0 * price(k) + price(k - h)) / (h * h) - (price(k + h) - price(k - h)) / (2.0 * h);
        assert!((density > 0.0) == (durrleman(&VOGT, k) > 0.0), "{k}: {density}");
    }
}

#[test]
fn calendars_are_found() {
    let later = Svi { a: VOGT.a + 0.01, rho: 0.1, ..VOGT };
    let grid = [-1.0, 0.0, 1.0, 2.0];
    let found: Vec<Breach> = calendars(&VOGT, &later, &grid).collect();
    for k in grid {
        let by = later.variance(k).0 - VOGT.variance(k).0;
        assert_eq!(found.iter().any(|b| b.k == k && b.by == by), by < 0.0);
    }
    assert!(!found.is_empty() && found.len() < grid.len());
}

#[test]
fn a_slice_is_found_again() {
    let points: Vec<f64> = (-10..=10).map(|i| f64::from(i) * 0.1).collect();
    for svi in [VOGT, Svi { a: 0.02, b: 0.1, rho: -0.6, m: 0.05, sigma: 0.2 }] {
        let found = fit_svi(&quotes(&svi, &points)).unwrap();
        for k in &points {
            assert!((found.variance(*k).0 / svi.variance(*k).0 - 1.0).abs() < 1e-5, "{found:?}");
        }
        assert!((found.rho - svi.rho).abs() < 1e-3 && (found.m - svi.m).abs() < 1e-3, "{found:?}");
    }
}

#[test]
fn a_surface_is_found_again() {
    let real = Ssvi { rho: -0.4, eta: 0.9, gamma: 0.4 };
    let ks: Vec<f64> = (-6..=6).map(|i| f64::from(i) * 0.1).collect();
    let thetas = [0.01, 0.03, 0.08];
    let quoted: Vec<Vec<Point>> = thetas.iter().map(|t| quotes(&real.slice(*t), &ks)).collect();
    let expiries: Vec<(f64, &[Point])> = thetas.iter().copied().zip(quoted.iter().map(Vec::as_slice)).collect();
    let found = fit_ssvi(&expiries).unwrap();
    assert!((found.rho - real.rho).abs() < 1e-4 && (found.eta - real.eta).abs() < 1e-3, "{found:?}");
    assert!((found.gamma - real.gamma).abs() < 1e-3, "{found:?}");
}

#[test]
fn bad_quotes_are_refused() {
    let good = Point { k: 0.0, variance: 0.04, weight: 1.0 };
    assert_eq!(fit_svi(&[good; 4]), Err(FitError::TooFewPoints { have: 4, need: 5 }));
    let bad = [good, good, Point { variance: 0.0, ..good }, good, good];
    assert_eq!(fit_svi(&bad), Err(FitError::BadPoint(2)));
    let few = [good; 3];
    assert_eq!(fit_ssvi(&[(0.04, &few), (0.03, &few)]), Err(FitError::BadTheta(1)));
}

#[test]
fn shape_of_a_surface() {
    let slice = |scale: f64| Svi { a: 0.01 * scale, b: 0.1 * scale, rho: -0.5, m: 0.0, sigma: 0.2 };
    let s = Surface::new(vec![(0.25, slice(1.0)), (1.0, slice(3.0))]).unwrap();
    // a + b σ = 0.03 and 0.09.
    let term: Vec<TermPoint> = s.term_structure().collect();
    assert!((term[0].atm - (0.03_f64 / 0.25).sqrt()).abs() < 1e-15 && (term[1].atm - 0.3).abs() < 1e-15);
    assert!((term[1].forward - (0.06_f64 / 0.75).sqrt()).abs() < 1e-15);
    assert!((s.vol(0.0, 0.625) - (0.06_f64 / 0.625).sqrt()).abs() < 1e-15);
    assert!((s.vol(0.0, 0.1) - term[0].atm).abs() < 1e-15 && (s.vol(0.0, 5.0) - 0.3).abs() < 1e-15);
    // ∂σ/∂k = w′ / (2 √(w T)) with w′ = b ρ.
    assert!((s.skew(1.0) - 0.3 * -0.5 / (2.0 * 0.3)).abs() < 1e-5);
    let q = s.at_delta(0.25, 1.0);
    for (vol, sign) in [(q.put, -1.0), (q.call, 1.0)] {
        // Somewhere on the slice a strike has this volatility and this delta.
        let hit = (-2000..2000).map(|i| f64::from(i) * 1e-3).any(|k| {
            let v = s.vol(k, 1.0);
            (normal_cdf(sign * (-k / v + 0.5 * v)) - 0.25).abs() < 1e-3 && (v - vol).abs() < 1e-3
        });
        assert!(hit, "{q:?}");
    }
    assert!(q.risk_reversal() < 0.0 && q.butterfly() > -0.05);
    assert!(Surface::new(vec![]).is_none() && Surface::new(vec![(1.0, VOGT), (1.0, VOGT)]).is_none());
}

proptest! {
    #[test]
    fn theorem_4_2_holds(rho in -0.95..0.95_f64, share in 0.05..1.0_f64, theta in 0.001..1.0_f64, more in 0.0..1.0_f64) {
        let s = Ssvi { rho, eta: 2.0 * share / (1.0 + rho.abs()), gamma: 0.5 };
        let grid = grid();
        prop_assert!(s.is_free_of_butterflies(theta));
        prop_assert_eq!(butterflies(&s.slice(theta), &grid).count(), 0);
        prop_assert_eq!(calendars(&s.slice(theta), &s.slice(theta + more + 1e-9), &grid).filter(|b| b.by < -1e-15).count(), 0);
    }

    #[test]
    fn slopes_of_slices(k in -1.0..1.0_f64, theta in 0.01..0.5_f64) {
        let h = 1e-5;
        let ssvi = Ssvi { rho: -0.3, eta: 1.0, gamma: 0.4 }.slice(theta);
        let check = |w: &dyn Fn(f64) -> (f64, f64, f64)| {
            let (_, w1, w2) = w(k);
            let (up, down) = (w(k + h), w(k - h));
            ((up.0 - down.0) / (2.0 * h) - w1).abs() < 1e-8 && ((up.1 - down.1) / (2.0 * h) - w2).abs() < 1e-6 * (1.0 + w2)
        };
        prop_assert!(check(&|k| VOGT.variance(k)) && check(&|k| ssvi.variance(k)));
    }
}
