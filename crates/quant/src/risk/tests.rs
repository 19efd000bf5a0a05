//! Against the tables of `scripts/oracles/risk.py`; what must hold for any input; refusals.

use super::*;
use crate::allocation::tests::{Table, book, check_page, sample};
use crate::allocation::{Symmetric, sample_covariance};
use crate::performance::{excess_kurtosis, sample_variance, skewness};
use proptest::prelude::*;

fn numbers(text: &str) -> Vec<f64> {
    text.split(' ').map(|x| x.parse().unwrap()).collect()
}

/// Ours, in the order of the table's positions.
fn ours(measure: &str, arguments: &str) -> Vec<f64> {
    let cells = sample();
    let returns = book(&cells);
    let pnl: Vec<f64> = returns.rows().map(|r| r.iter().map(|x| x * 0.05).sum()).collect();
    let both = |t: Tail| vec![t.var, t.es];
    let exposures: Vec<f64> = (0..20).map(|i| f64::from(i) * 1000.0 - 7000.0).collect();
    let covariance = sample_covariance(returns).unwrap();
    let contributed = || {
        let model = if arguments == "normal" { Parametric::Normal } else { Parametric::Student { dof: 5.0 } };
        contributions(&exposures, &returns.means(), &covariance, model, 0.01).unwrap()
    };
    match measure {
        "historical" => both(historical(&pnl, arguments.parse().unwrap()).unwrap()),
        "normal" => both(normal(0.001, 0.02, arguments.parse().unwrap()).unwrap()),
        "student_t" => {
            let a = numbers(arguments);
            both(student_t(0.001, 0.02, a[0], a[1]).unwrap())
        }
        "cornish_fisher" => {
            let a = numbers(arguments);
            both(cornish_fisher(0.001, 0.02, a[0], a[1], a[2]).unwrap())
        }
        "contribution_total" => vec![contributed().total.var],
        "contribution_component" => contributed().component.iter().map(|c| c.var).collect(),
        "kupiec" => {
            let a = numbers(arguments);
            let t = kupiec(a[0] as usize, a[1] as usize, a[2]).unwrap();
            vec![t.statistic, t.p_value]
        }
        "christoffersen" => {
            let var = crate::performance::value_at_risk(&pnl, 0.06).unwrap();
            let exceeded: Vec<bool> = pnl.iter().map(|p| -p > var).collect();
            let c = christoffersen(&exceeded, 0.05).unwrap();
            let (i, b) = (c.independence, c.conditional);
            vec![var, i.statistic, i.p_value, b.statistic, b.p_value]
        }
        "drawdown" => {
            let mut equity = vec![1.0];
            pnl.iter().for_each(|r| equity.push(equity[equity.len() - 1] * (1.0 + r)));
            let d = drawdown_measures(&equity, 0.05).unwrap();
            vec![d.max, d.average, d.at_risk, d.conditional, d.ulcer]
        }
        "filtered" => {
            let path = weighted_volatilities(&pnl, 0.94, 30).unwrap();
            both(filtered_historical(&pnl, &path, 0.0, 0.05).unwrap())
        }
        "propagated" => propagated_shocks(&covariance, &[(0, -0.1), (5, 0.03)]).unwrap(),
        other => panic!("{other}: not computed here"),
    }
}

/// One bar a model.
fn plot() -> String {
    let cells = sample();
    let pnl: Vec<f64> = book(&cells).rows().map(|r| r.iter().map(|x| x * 0.05).sum()).collect();
    let mean = pnl.iter().sum::<f64>() / pnl.len() as f64;
    let deviation = sample_variance(&pnl).unwrap().sqrt();
    let (s, k) = (skewness(&pnl).unwrap(), excess_kurtosis(&pnl).unwrap());
    let path = weighted_volatilities(&pnl, 0.94, 30).unwrap();
    let models = [
        ("normal", normal(mean, deviation, 0.05)),
        ("Student's t, 5", student_t(mean, deviation, 5.0, 0.05)),
        ("Cornish–Fisher", cornish_fisher(mean, deviation, s, k, 0.05)),
        ("historical", historical(&pnl, 0.05)),
        ("filtered", filtered_historical(&pnl, &path, 0.0, 0.05)),
    ];
    let lines = models.map(|(name, tail)| {
        let es = tail.unwrap().es * 1e4;
        format!("{name:<16}{} {es:.0}", "#".repeat((es / 10.0).round() as usize))
    });
    lines.join("\n")
}

const BOUNDS: &[(&str, f64)] = &[
    ("historical", 1e-12),
    ("normal", 1e-13),
    ("student_t", 1e-11),
    ("cornish_fisher", 1e-11),
    ("contribution_total", 1e-12),
    // Differences of the oracle lose digits.
    ("contribution_component", 1e-6),
    ("kupiec", 1e-9),
    ("christoffersen", 1e-9),
    ("drawdown", 1e-11),
    ("filtered", 1e-11),
    ("propagated", 1e-11),
];

#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads and writes the docs")]
fn every_measure_equals_its_oracle() {
    let table = Table::read(include_str!("../../oracles/risk.csv"));
    let mut page = include_str!("tests/page_head.md").replace("PLOT", &plot());
    page.push_str(&table.compare(BOUNDS, ours));
    page.push_str(include_str!("tests/page_tail.md"));
    check_page("risk.md", &page);
}

/// Bangia and others' own example of 1999 has no table; the closed sums by hand.
#[test]
fn liquidity_by_hand() {
    // ½ (1,000 · (0.01 + 3 · 0.002) + 500 · 0.02) = 13.
    let cost = spread_cost(&[1000.0, -500.0], &[0.01, 0.02], &[0.002, 0.0], 3.0).unwrap();
    assert!((cost - 13.0).abs() < 1e-12);
    // Four bars: √((1 + 9/16 + 4/16 + 1/16)) = √1.875.
    let factor = liquidation_factor(4000.0, 10_000.0, 0.1).unwrap();
    assert!((factor - 1.875_f64.sqrt()).abs() < 1e-15);
    assert!((liquidation_factor(-10.0, 10_000.0, 0.1).unwrap() - 1.0).abs() < 1e-15);
}

#[test]
fn stress_by_hand() {
    let loss = stress_loss(&[100.0, -50.0], &[1.0, 0.5, 2.0, 0.0], &[-0.1, 0.2]).unwrap();
    // −(100 (−0.1 + 0.1) − 50 · (−0.2)) = −10.
    assert!((loss + 10.0).abs() < 1e-12);
    let pnl = [1.0, -2.0, -3.0, 1.0, -4.0, -4.0, 2.0];
    assert_eq!(worst_windows(&pnl, 2, 5).unwrap(), [(4, 8.0), (1, 5.0)]);
}

/// The weighted border by hand: weights 1, ½, ¼ from the last; a tail of 0.5 holds the worst two thirds of 1.75.
#[test]
fn weighted_history_by_hand() {
    let t = weighted_historical(&[-4.0, 3.0, -1.0], 0.5, 0.5).unwrap();
    // wanted 0.875: all of −4 (¼), then 0.625 of −1.
    assert!((t.var - 1.0).abs() < 1e-15 && (t.es - (1.0 + 0.625) / 0.875).abs() < 1e-15);
    let even = weighted_historical(&[-4.0, 3.0, -1.0, 0.5], 1.0, 0.5).unwrap();
    assert_eq!(even, historical(&[-4.0, 3.0, -1.0, 0.5], 0.5).unwrap());
}

#[test]
fn simulation_converges_on_the_formula_and_repeats_its_seed() {
    let cells = sample();
    let returns = book(&cells);
    let covariance = sample_covariance(returns).unwrap();
    let (x, m) = (vec![50.0; 20], returns.means());
    for (shocks, model) in
        [(Shocks::Normal, Parametric::Normal), (Shocks::Student { dof: 6 }, Parametric::Student { dof: 6.0 })]
    {
        let drawn = simulate(&x, &m, &covariance, shocks, 200_001, 9).unwrap();
        assert_eq!(drawn, simulate(&x, &m, &covariance, shocks, 200_001, 9).unwrap());
        assert_ne!(drawn, simulate(&x, &m, &covariance, shocks, 200_001, 10).unwrap());
        let (found, exact) =
            (historical(&drawn, 0.01).unwrap(), contributions(&x, &m, &covariance, model, 0.01).unwrap().total);
        // Four standard errors of a 1 % quantile of 200,000 draws are about 2 %, those of the mean beyond 3 %.
        assert!((found.var / exact.var - 1.0).abs() < 0.02, "{found:?} {exact:?}");
        assert!((found.es / exact.es - 1.0).abs() < 0.03, "{found:?} {exact:?}");
    }
}

#[test]
fn fills_keep_the_book_right() {
    let cells = sample();
    let mut moved = ScenarioBook::new(cells.clone(), 20, 0.033).unwrap();
    let mut exposures = [0.0; 20];
    for k in 0..100_000_usize {
        let (i, size) = (k * 7 % 20, ((k * 31 % 101) as f64 - 50.0) * 1.7);
        exposures[i] += size;
        moved.add(i, size).unwrap();
    }
    assert_eq!(moved.exposures(), exposures);
    let mut anew = ScenarioBook::new(cells, 20, 0.033).unwrap();
    let tail = anew.set_exposures(moved.exposures()).unwrap();
    assert_eq!(tail, historical(anew.pnl(), 0.033).unwrap());
    assert!((moved.tail().var / tail.var - 1.0).abs() < 1e-12 && (moved.tail().es / tail.es - 1.0).abs() < 1e-12);
    for i in 0..20 {
        assert!((moved.component_es(i) - anew.component_es(i)).abs() < 1e-12 * tail.es, "{i}");
    }
    // Single precision: cells rounded by 6e-8.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let mut shared = ScenarioBook::new(sample(), 20, 0.033).unwrap();
    assert_eq!(shared.set_exposures_in(&pool, moved.exposures()).unwrap(), tail);
    assert_eq!(shared.pnl(), anew.pnl());
    assert!(shared.set_exposures_in(&pool, &[f64::NAN; 20]).is_err());
    assert_eq!(shared.pnl(), anew.pnl());
    let mut single = ScenarioBook::new(sample().iter().map(|r| *r as f32).collect(), 20, 0.033).unwrap();
    let rounded = single.set_exposures(moved.exposures()).unwrap();
    assert!((rounded.es / tail.es - 1.0).abs() < 1e-6);
}

#[test]
fn refusals_name_the_reason() {
    let bad = [f64::NAN, 1.0];
    assert_eq!(historical(&[], 0.1), Err(RiskError::TooFew { what: "P&L", given: 0, least: 1 }));
    assert_eq!(historical(&bad, 0.1), Err(RiskError::NotFinite { what: "P&L", row: 0 }));
    for tail in [0.0, 1.0] {
        assert_eq!(historical(&[1.0], tail), Err(RiskError::Tail { tail }));
    }
    assert!(historical(&[1.0], f64::NAN).is_err());
    // One observation is its own tail; equal ones tie.
    assert_eq!(historical(&[-3.0], 0.01).unwrap(), Tail { var: 3.0, es: 3.0 });
    assert_eq!(historical(&[2.0; 9], 0.3).unwrap(), Tail { var: -2.0, es: -2.0 });
    assert!(matches!(student_t(0.0, 1.0, 2.0, 0.01), Err(RiskError::Range { .. })));
    assert!(matches!(cornish_fisher(0.0, 1.0, 2.0, 0.0, 0.01), Err(RiskError::NotMonotone { .. })));
    let flat = Symmetric::new(2, vec![0.0; 4]).unwrap();
    assert_eq!(contributions(&[1.0, 2.0], &[0.0; 2], &flat, Parametric::Normal, 0.01), Err(RiskError::NoRisk));
    assert!(matches!(simulate(&[1.0; 2], &[0.0; 2], &flat, Shocks::Normal, 9, 1), Err(RiskError::Covariance(_))));
    assert!(matches!(christoffersen(&[true], 0.01), Err(RiskError::TooFew { .. })));
    assert!(matches!(drawdown_measures(&[1.0, 0.0], 0.1), Err(RiskError::Range { .. })));
    assert!(matches!(filtered_historical(&[0.1], &[0.0, 0.1], 0.0, 0.1), Err(RiskError::Range { .. })));
    assert!(ScenarioBook::new(vec![1.0, f64::INFINITY], 1, 0.1).is_err());
    let text = RiskError::Tail { tail: 2.0 }.to_string();
    assert!(text.contains('2') && text.contains("0.01 for 99 %"));
    // Nothing exceeded, everything exceeded.
    assert!(kupiec(0, 250, 0.01).unwrap().p_value < 0.03 && kupiec(250, 250, 0.01).unwrap().p_value < 1e-100);
}

proptest! {
    #[test]
    fn tails(pnl in prop::collection::vec(-100.0..100.0_f64, 1..60), tail in 0.001..0.999_f64, k in 0.1..50.0_f64) {
        let t = historical(&pnl, tail).unwrap();
        prop_assert!(t.es >= t.var);
        let scaled: Vec<f64> = pnl.iter().map(|p| p * k).collect();
        let s = historical(&scaled, tail).unwrap();
        prop_assert!((s.var - k * t.var).abs() <= 1e-9 && (s.es - k * t.es).abs() <= 1e-9);
        let moved: Vec<f64> = pnl.iter().map(|p| p + k).collect();
        let m = historical(&moved, tail).unwrap();
        prop_assert!((m.es - t.es + k).abs() <= 1e-9);
    }

    /// Subadditive: the reason to prefer the shortfall.
    #[test]
    fn shortfall_rewards_diversification(a in prop::collection::vec(-9.0..9.0_f64, 40), b in prop::collection::vec(-9.0..9.0_f64, 40), tail in 0.01..0.9_f64) {
        let both: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
        let es = |x: &[f64]| historical(x, tail).unwrap().es;
        prop_assert!(es(&both) <= es(&a) + es(&b) + 1e-9);
    }

    #[test]
    fn components_add_up(cells in prop::collection::vec(-0.1..0.1_f64, 120), x in prop::collection::vec(-5.0..5.0_f64, 4), tail in 0.02..0.5_f64) {
        let mut book = ScenarioBook::new(cells, 4, tail).unwrap();
        let t = book.set_exposures(&x).unwrap();
        let mut parts = vec![0.0; 4];
        book.components_es(&mut parts);
        prop_assert!((parts.iter().sum::<f64>() - t.es).abs() < 1e-12);
        book.components_var(0, &mut parts).unwrap();
        prop_assert!((parts.iter().sum::<f64>() - t.var).abs() < 1e-12);
        if book.components_var(2, &mut parts).is_ok() {
            prop_assert!((parts.iter().sum::<f64>() - t.var).abs() < 1e-10);
        }
        let change = book.incremental(2, 1.5).unwrap();
        let after = book.add(2, 1.5).unwrap();
        prop_assert!((after.es - t.es - change.es).abs() < 1e-12 && (after.var - t.var - change.var).abs() < 1e-12);
    }

    #[test]
    fn the_t_quantile_undoes_its_probability(p in 1e-6..0.999_f64, dof in 0.5..200.0_f64) {
        let back = student_cdf(student_inverse(p, dof), dof);
        prop_assert!((back / p - 1.0).abs() < 1e-10, "{back}");
        let z = student_inverse(p, dof);
        prop_assert!((student_cdf(-z, dof) + student_cdf(z, dof) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn parametric_order(tail in 0.001..0.5_f64, dof in 2.1..50.0_f64, s in -0.5..0.5_f64) {
        let (n, t) = (normal(0.0, 1.0, tail).unwrap(), student_t(0.0, 1.0, dof, tail).unwrap());
        prop_assert!(n.es >= n.var && t.es >= t.var);
        if let Ok(c) = cornish_fisher(0.0, 1.0, s, 1.0, tail) {
            prop_assert!(c.es >= c.var);
        }
    }
}
