//! Against the tables of `scripts/oracles/risk.py`; what must hold for any input; refusals.

use super::*;
use proptest::prelude::*;
use std::fmt::Write;

/// 300 days of 20 shares, row by row.
pub(crate) fn sample() -> Vec<f64> {
    let text = include_str!("../../oracles/risk_returns.csv");
    text.lines().skip(1).flat_map(|l| l.split(',').map(|c| c.parse::<f64>().unwrap())).collect()
}

pub(crate) fn book(cells: &[f64]) -> Returns<'_> {
    Returns::new(cells, 20).unwrap()
}

struct Group {
    measure: String,
    arguments: String,
    source: String,
    expected: Vec<f64>,
}

/// Expected values by measure and arguments.
pub(crate) struct Table(Vec<Group>);

impl Table {
    pub(crate) fn read(text: &str) -> Table {
        let mut groups: Vec<Group> = Vec::new();
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').map(|c| c.trim_matches('"')).collect();
            let value: f64 = cells[3].parse().unwrap();
            match groups.last_mut() {
                Some(g) if g.measure == cells[0] && g.arguments == cells[1] => g.expected.push(value),
                _ => groups.push(Group {
                    measure: cells[0].to_owned(),
                    arguments: cells[1].to_owned(),
                    source: line.splitn(5, ',').nth(4).unwrap().trim_matches('"').to_owned(),
                    expected: vec![value],
                }),
            }
        }
        Table(groups)
    }

    /// Every row against ours, as lines of the page.
    pub(crate) fn compare(&self, bounds: &[(&str, f64)], ours: impl Fn(&str, &str) -> Vec<f64>) -> String {
        let mut page = "| what | compared with | rows | worst |\n|---|---|---|---|\n".to_owned();
        let known = |g: &Group| bounds.iter().any(|b| b.0 == g.measure);
        assert!(self.0.iter().all(known), "a measure of the table has no bound");
        for (measure, bound) in bounds {
            let (mut rows, mut worst, mut source) = (0, 0.0_f64, "");
            for g in self.0.iter().filter(|g| g.measure == *measure) {
                let found = ours(measure, &g.arguments);
                assert_eq!(found.len(), g.expected.len(), "{measure} {}", g.arguments);
                let size = g.expected.iter().fold(1e-300_f64, |m, e| m.max(e.abs()));
                for (at, (a, e)) in found.iter().zip(&g.expected).enumerate() {
                    let error = (a - e).abs() / size;
                    assert!(error <= *bound, "{measure} {} at {at}: {a} instead of {e}", g.arguments);
                    worst = worst.max(error);
                }
                (rows, source) = (rows + found.len(), g.source.as_str());
            }
            assert!(rows > 0, "{measure}: nothing compared");
            let shown = if worst == 0.0 { "exact".to_owned() } else { format!("{worst:.0e}") };
            writeln!(page, "| {} | {source} | {rows} | {shown} |", measure.replace('_', " ")).unwrap();
        }
        page
    }
}

/// `UPDATE_GOLDEN=1` writes the page anew.
#[allow(clippy::disallowed_methods, reason = "a test reads and writes the docs")]
pub(crate) fn check_page(name: &str, page: &str) {
    let path = format!("{}/../../docs/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        std::fs::write(&path, page).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text == page, "docs/{name} is not what the test computes: run it with UPDATE_GOLDEN=1");
}

fn present() -> Vec<f64> {
    (1..=20).map(|i| f64::from(i) / 210.0).collect()
}

fn group(label: &str, names: std::ops::Range<usize>, low: f64, high: f64) -> super::Group {
    let loadings = (0..20).map(|i| if names.contains(&i) { 1.0 } else { 0.0 }).collect();
    super::Group { label: label.to_owned(), loadings, low, high }
}

fn problem(kind: &str) -> (Constraints, f64) {
    let mut limits = Constraints::within(20, 0.0, 0.2);
    let trading = |turnover, cost| Some(Trading { from: present(), turnover, costs: vec![cost; 20] });
    let mut cost = 0.0;
    match kind {
        "bounds" => {}
        "turnover" => limits.trading = trading(Some(0.3), 0.0),
        "costs" => (limits.trading, cost) = (trading(None, 2e-4), 2e-4),
        "groups" => {
            (limits.trading, cost) = (trading(Some(0.3), 1e-4), 1e-4);
            limits.groups =
                vec![group("first", 0..5, f64::NEG_INFINITY, 0.15), group("last", 10..20, 0.5, f64::INFINITY)];
        }
        "short" => limits = Constraints::within(20, -0.1, 0.3),
        other => panic!("{other}"),
    }
    (limits, cost)
}

fn dotted(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn utility(w: &[f64], m: &[f64], c: &Symmetric, cost: f64) -> f64 {
    let traded: f64 = w.iter().zip(present()).map(|(w, f)| (w - f).abs()).sum();
    dotted(w, m) - 5.0 * c.quadratic(w) - cost * traded
}

/// The value of an optimum, then the weights.
fn with_value(value: f64, w: Vec<f64>) -> Vec<f64> {
    std::iter::once(value).chain(w).collect()
}

/// Measures whose first values are of another size, and have rows of their own in the table.
const FIRST: &[(&str, &str, usize)] = &[
    ("ledoit_wolf", "_intensity", 1),
    ("oas", "_intensity", 1),
    ("constant_correlation", "_intensity", 1),
    ("factors", "_explained", 3),
    ("utility", "_value", 1),
    ("least_variance", "_value", 1),
    ("sharpe", "_value", 1),
    ("growth", "_value", 1),
];

fn ours(measure: &str, arguments: &str) -> Vec<f64> {
    for (main, suffix, n) in FIRST {
        if measure.strip_suffix(suffix) == Some(main) {
            return whole(main, arguments)[..*n].to_vec();
        }
        if measure == *main {
            return whole(main, arguments)[*n..].to_vec();
        }
    }
    whole(measure, arguments)
}

fn whole(measure: &str, arguments: &str) -> Vec<f64> {
    let cells = sample();
    let r = book(&cells);
    let c = sample_covariance(r).unwrap();
    let m = r.means();
    let shrunk = |s: Shrunk| with_value(s.intensity, s.covariance.values().to_vec());
    let views = || {
        let mut one = vec![0.0; 20];
        one[0] = 1.0;
        let mut two = vec![0.0; 20];
        (two[3], two[4]) = (1.0, -1.0);
        let view = |portfolio, expected| View { portfolio, expected, uncertainty: None };
        let prior = implied_returns(&c, &present(), 3.0).unwrap();
        black_litterman(&c, &prior, 0.05, &[view(one, 0.002), view(two, 0.0005)]).unwrap()
    };
    match measure {
        "sample" => c.values().to_vec(),
        "ledoit_wolf" => shrunk(ledoit_wolf(r).unwrap()),
        "oas" => shrunk(oracle_approximating(r).unwrap()),
        "constant_correlation" => shrunk(ledoit_wolf_constant_correlation(r).unwrap()),
        "weighted" => weighted_covariance(r, 0.94, true).unwrap().values().to_vec(),
        "factors" => {
            let f = principal_factors(&c, 3).unwrap();
            let upper = (0..20).flat_map(|i| (i + 1..20).map(move |j| (i, j)));
            f.explained.iter().copied().chain(upper.map(|(i, j)| f.covariance.at(i, j))).collect()
        }
        "higham" => {
            let g = [2.0, -1.0, 0.0, 0.0, -1.0, 2.0, -1.0, 0.0, 0.0, -1.0, 2.0, -1.0, 0.0, 0.0, -1.0, 2.0];
            nearest_correlation(&Symmetric::new(4, g.to_vec()).unwrap()).unwrap().values().to_vec()
        }
        "risk_parity" => risk_parity(&c, &[1.0; 20]).unwrap(),
        "risk_budgets" => risk_parity(&c, &present()).unwrap(),
        "hierarchical" => {
            let linkage = match arguments {
                "single" => Linkage::Single,
                "complete" => Linkage::Complete,
                "average" => Linkage::Average,
                _ => Linkage::Ward,
            };
            hierarchical_risk_parity(&c, linkage).unwrap()
        }
        "utility" => {
            let (limits, cost) = problem(arguments);
            let w = maximise_utility(&m, &c, 10.0, &limits, None).unwrap();
            with_value(utility(&w, &m, &c, cost), w)
        }
        "least_variance" => {
            let w = minimise_variance(&c, &Constraints::within(20, 0.0, 0.2), None).unwrap();
            with_value(-1e4 * c.quadratic(&w), w)
        }
        "sharpe" => {
            let w = maximise_sharpe(&m, &c, 1e-5, &Constraints::within(20, 0.0, 0.3)).unwrap();
            with_value((dotted(&w, &m) - 1e-5) / c.quadratic(&w).sqrt(), w)
        }
        "cvar" => {
            let least = if arguments == "return" { Some(5e-4) } else { None };
            vec![minimise_cvar(r, 0.05, least, &Constraints::within(20, 0.0, 0.3)).unwrap().es]
        }
        "growth" => {
            let scaled: Vec<f64> =
                cells.iter().enumerate().map(|(k, x)| x * if k % 2 == 1 { 2.0 } else { 0.5 } + 1e-3).collect();
            let r = book(&scaled);
            let w = maximise_growth(r, &Constraints::within(20, 0.0, 0.3)).unwrap();
            let value = r.rows().map(|r| (1.0 + dotted(r, &w)).ln()).sum::<f64>() / 300.0;
            with_value(value, w)
        }
        "black_litterman_means" => views().means,
        "black_litterman_covariance" => views().covariance.values().to_vec(),
        "kelly" => kelly_weights(&m, &c, 1e-5, 0.5, f64::INFINITY).unwrap(),
        other => panic!("{other}: not computed here"),
    }
}

const BOUNDS: &[(&str, f64)] = &[
    ("sample", 1e-13),
    ("ledoit_wolf", 1e-12),
    ("ledoit_wolf_intensity", 1e-11),
    ("oas", 1e-12),
    ("oas_intensity", 1e-11),
    ("constant_correlation", 1e-11),
    ("constant_correlation_intensity", 1e-10),
    ("weighted", 1e-12),
    ("factors", 1e-11),
    ("factors_explained", 1e-11),
    ("higham", 1e-6),
    ("risk_parity", 1e-5),
    ("risk_budgets", 1e-5),
    ("hierarchical", 1e-11),
    ("utility_value", 1e-8),
    ("utility", 1e-5),
    ("least_variance_value", 1e-9),
    ("least_variance", 1e-5),
    ("sharpe_value", 1e-8),
    ("sharpe", 1e-4),
    ("cvar", 1e-7),
    ("growth_value", 1e-8),
    ("growth", 1e-4),
    ("black_litterman_means", 1e-10),
    ("black_litterman_covariance", 1e-10),
    ("kelly", 1e-9),
];

/// One bar a portfolio.
fn plot() -> String {
    let cells = sample();
    let c = sample_covariance(book(&cells)).unwrap();
    let limits = Constraints::long_only(20);
    let portfolios = [
        ("equal weights", vec![0.05; 20]),
        ("minimum variance", minimise_variance(&c, &limits, None).unwrap()),
        ("risk parity", risk_parity(&c, &[1.0; 20]).unwrap()),
        ("hierarchical", hierarchical_risk_parity(&c, Linkage::Single).unwrap()),
        ("minimum CVaR", minimise_cvar(book(&cells), 0.05, None, &limits).unwrap().weights),
    ];
    let lines = portfolios.map(|(name, w)| {
        let vol = (c.quadratic(&w) * 252.0).sqrt() * 100.0;
        format!("{name:<18}{} {vol:.1}", "#".repeat((vol * 2.0).round() as usize))
    });
    lines.join("\n")
}

#[test]
fn every_portfolio_equals_its_oracle() {
    let mut page = include_str!("tests/page_head.md").replace("PLOT", &plot());
    page.push_str(&Table::read(include_str!("../../oracles/allocation.csv")).compare(BOUNDS, ours));
    page.push_str(include_str!("tests/page_tail.md"));
    check_page("optimisers.md", &page);
}

#[test]
fn few_names_find_what_trying_all_finds() {
    let cells = sample();
    let all = sample_covariance(book(&cells)).unwrap();
    let c = Symmetric::from_fn(9, |i, j| all.at(i, j));
    let limits = Constraints::long_only(9);
    let solve = |l: &Constraints| minimise_variance(&c, l, None);
    let found = few_names(&limits, 3, 9, solve, |w| c.quadratic(w)).unwrap();
    assert!(found.iter().filter(|w| **w != 0.0).count() <= 3);
    let mut best = f64::INFINITY;
    for mask in 0..512_u32 {
        if mask.count_ones() == 3 {
            let mut only = limits.clone();
            (0..9).filter(|i| mask >> i & 1 == 0).for_each(|i| only.high[i] = 0.0);
            best = best.min(c.quadratic(&solve(&only).unwrap()));
        }
    }
    assert!((c.quadratic(&found) / best - 1.0).abs() < 1e-9);
    let tight = Constraints::within(9, 0.0, 0.25);
    let none = few_names(&tight, 3, 9, solve, |w| c.quadratic(w));
    assert_eq!(none, Err(AllocationError::Infeasible(Infeasible::Names { most: 3, needed: 4 })));
}

#[test]
fn contradictions_are_named() {
    let cells = sample();
    let r = book(&cells);
    let (c, m) = (sample_covariance(r).unwrap(), r.means());
    let try_with = |change: &dyn Fn(&mut Constraints)| {
        let mut limits = Constraints::within(20, 0.0, 0.2);
        change(&mut limits);
        match maximise_utility(&m, &c, 5.0, &limits, None) {
            Err(AllocationError::Infeasible(which)) => which,
            other => panic!("{other:?}"),
        }
    };
    let found = try_with(&|l| l.low[3] = 0.5);
    assert_eq!(found, Infeasible::Bounds { name: 3, low: 0.5, high: 0.2 });
    assert!(matches!(try_with(&|l| l.budget = 5.0), Infeasible::Budget { .. }));
    let found = try_with(&|l| l.groups.push(group("one name", 2..3, 0.5, 1.0)));
    assert!(
        matches!(&found, Infeasible::Group { label, short, .. } if label == "one name" && (short - 0.3).abs() < 1e-9)
    );
    // Each alone can be met, both together not: 0.6 + 0.6 > 1.
    let found =
        try_with(&|l| l.groups.extend([group("low half", 0..10, 0.6, 1.0), group("high half", 10..20, 0.6, 1.0)]));
    assert!(matches!(&found, Infeasible::Group { short, .. } if *short > 0.09), "{found:?}");
    let trading = |turnover| {
        Some(Trading {
            from: vec![0.25, 0.25, 0.25, 0.25].into_iter().chain([0.0; 16]).collect(),
            turnover,
            costs: vec![0.0; 20],
        })
    };
    let found = try_with(&|l| l.trading = trading(Some(0.1)));
    assert!(matches!(found, Infeasible::Turnover { needed, .. } if (needed - 0.4).abs() < 1e-12), "{found:?}");
    let found = try_with(&|l| {
        l.trading = trading(Some(0.5));
        l.groups.push(group("last", 10..20, 0.9, 1.0));
    });
    assert!(matches!(&found, Infeasible::Group { .. } | Infeasible::Turnover { .. }), "{found:?}");
    let found = minimise_cvar(r, 0.05, Some(1.0), &Constraints::long_only(20));
    assert!(matches!(found, Err(AllocationError::Infeasible(Infeasible::Return { best, .. })) if best < 0.01));
    assert!(Infeasible::Turnover { limit: 0.1, needed: 0.4 }.to_string().contains("at least 0.4"));
}

#[test]
fn refusals_name_the_reason() {
    assert_eq!(
        Returns::new(&[1.0, f64::NAN], 2).unwrap_err(),
        AllocationError::NotFinite { what: "returns", row: 0, column: 1 }
    );
    let one = Returns::new(&[0.1, 0.2], 2).unwrap();
    assert_eq!(sample_covariance(one), Err(AllocationError::TooFewRows { rows: 1, least: 2 }));
    assert!(ledoit_wolf(one).is_err());
    let flat = Symmetric::new(2, vec![1.0, 0.0, 0.0, 0.0]).unwrap();
    assert_eq!(risk_parity(&flat, &[1.0; 2]), Err(AllocationError::NoVariance { name: 1 }));
    assert!(hierarchical_risk_parity(&flat, Linkage::Single).is_err());
    let singular = Symmetric::new(2, vec![1.0; 4]).unwrap();
    assert_eq!(singular.cholesky().unwrap_err(), AllocationError::Singular { name: 1 });
    // Two names that are one: any split is an optimum.
    let w = minimise_variance(&singular, &Constraints::long_only(2), None).unwrap();
    assert!((singular.quadratic(&w) - 1.0).abs() < 1e-9);
    assert!(kelly_weights(&[0.1; 2], &singular, 0.0, 1.0, 1.0).is_err());
    assert!(Symmetric::new(2, vec![1.0, 0.5, 0.4, 1.0]).is_err());
    let unit = Symmetric::new(2, vec![1.0, 0.0, 0.0, 1.0]).unwrap();
    let limits = Constraints::long_only(2);
    assert_eq!(maximise_sharpe(&[-0.1, -0.2], &unit, 0.0, &limits), Err(AllocationError::NoExcessReturn));
    assert!(maximise_utility(&[0.1; 2], &unit, 0.0, &limits, None).is_err());
    assert!(maximise_utility(&[0.1; 3], &unit, 1.0, &limits, None).is_err());
    // Ties go to equal weights, and hierarchies of ties are still portfolios.
    assert_eq!(risk_parity(&unit, &[1.0; 2]).unwrap(), [0.5, 0.5]);
    assert_eq!(hierarchical_risk_parity(&unit, Linkage::Average).unwrap(), [0.5, 0.5]);
    // One name.
    let alone = Symmetric::new(1, vec![0.04]).unwrap();
    assert_eq!(minimise_variance(&alone, &Constraints::long_only(1), None).unwrap(), [1.0]);
    assert_eq!(hierarchical_risk_parity(&alone, Linkage::Ward).unwrap(), [1.0]);
}

/// A covariance of `n` names from `4 n` random bars, and random means.
fn market() -> impl Strategy<Value = (Symmetric, Vec<f64>, u64)> {
    (2..14_usize).prop_flat_map(|n| {
        let cells = prop::collection::vec(-1.0..1.0_f64, 4 * n * n);
        let means = prop::collection::vec(-0.3..0.5_f64, n);
        (cells, means, any::<u64>()).prop_map(move |(cells, means, seed)| {
            (sample_covariance(Returns::new(&cells, n).unwrap()).unwrap(), means, seed)
        })
    })
}

/// A random long-only portfolio.
fn drawn(random: &mut crate::performance::Random, n: usize) -> Vec<f64> {
    let w: Vec<f64> = (0..n).map(|_| -libm::log(1.0 - random.uniform())).collect();
    let total: f64 = w.iter().sum();
    w.iter().map(|x| x / total).collect()
}

#[test]
fn cold_starts_end_where_the_interior_point_method_does() {
    let (bars, n) = (300, 120);
    let mut random = crate::performance::Random::new(11);
    let market: Vec<f64> = (0..bars).map(|_| 0.02 * (random.uniform() - 0.5)).collect();
    let cell = |t: usize, noise: f64| market[t] + 0.03 * (noise - 0.5);
    let cells: Vec<f64> = (0..bars * n).map(|k| cell(k / n, random.uniform())).collect();
    let c = ledoit_wolf(Returns::new(&cells, n).unwrap()).unwrap().covariance;
    let means: Vec<f64> = (0..n).map(|_| 1e-3 * (random.uniform() - 0.4)).collect();
    let mut from: Vec<f64> = (0..n).map(|_| random.uniform()).collect();
    let total: f64 = from.iter().sum();
    from.iter_mut().for_each(|w| *w /= total);
    let trading = |turnover, cost| Some(Trading { from: from.clone(), turnover, costs: vec![cost; n] });
    for trading in [None, trading(Some(0.2), 0.0), trading(None, 1e-4)] {
        for (low, high) in [(0.0, 0.05), (-0.02, 0.05)] {
            for aversion in [1.0, 30.0, 1e3] {
                let mut limits = Constraints { trading: trading.clone(), ..Constraints::within(n, low, high) };
                let cost = |w: &[f64]| {
                    trading
                        .as_ref()
                        .map_or(0.0, |t| w.iter().zip(&t.from).map(|(w, f)| (w - f).abs()).sum::<f64>() * t.costs[0])
                };
                let value = |w: &[f64]| dotted(w, &means) - 0.5 * aversion * c.quadratic(w) - cost(w);
                let cold = maximise_utility(&means, &c, aversion, &limits, None).unwrap();
                let warm = maximise_utility(&means, &c, aversion, &limits, Some(&cold)).unwrap();
                assert!(cold.iter().zip(&warm).all(|(a, b)| (a - b).abs() < 1e-12));
                limits.groups.push(super::Group { label: "all".into(), loadings: vec![1.0; n], low: 0.0, high: 2.0 });
                let interior = maximise_utility(&means, &c, aversion, &limits, None).unwrap();
                let (ours, theirs) = (value(&cold), value(&interior));
                assert!((ours - theirs).abs() < 1e-9, "{ours} {theirs}");
                assert!(ours > theirs - 1e-12, "{ours} {theirs}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn optima_are_no_worse_than_any_portfolio((c, m, seed) in market(), limit in 0.05..1.5_f64, cost in 0.0..0.1_f64, aversion in 0.1..20.0_f64) {
        let n = m.len();
        let mut random = crate::performance::Random::new(seed);
        let from = drawn(&mut random, n);
        let mut limits = Constraints::long_only(n);
        limits.trading = Some(Trading { from: from.clone(), turnover: Some(limit), costs: vec![cost; n] });
        let traded = |w: &[f64]| w.iter().zip(&from).map(|(w, f)| (w - f).abs()).sum::<f64>();
        let value = |w: &[f64]| dotted(w, &m) - 0.5 * aversion * c.quadratic(w) - cost * traded(w);
        let w = maximise_utility(&m, &c, aversion, &limits, None).unwrap();
        prop_assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-9 && traded(&w) < limit + 1e-9);
        prop_assert!(w.iter().all(|x| (0.0..=1.0).contains(x)));
        let best = value(&w);
        for _ in 0..200 {
            let to = drawn(&mut random, n);
            let share = (limit / traded(&to)).min(1.0) * random.uniform();
            let other: Vec<f64> = from.iter().zip(&to).map(|(f, t)| f + share * (t - f)).collect();
            prop_assert!(value(&other) <= best + 1e-9);
            let near: Vec<f64> = w.iter().zip(&other).map(|(w, o)| w + 1e-3 * (o - w)).collect();
            prop_assert!(value(&near) <= best + 1e-10);
        }
        let again = maximise_utility(&m, &c, aversion, &limits, Some(&w)).unwrap();
        prop_assert!((value(&again) - best).abs() < 1e-10);
        // Clarabel, by way of a group that binds nothing.
        limits.groups.push(super::Group { label: "all".into(), loadings: vec![1.0; n], low: 0.0, high: 2.0 });
        let interior = maximise_utility(&m, &c, aversion, &limits, None).unwrap();
        prop_assert!((value(&interior) - best).abs() < 1e-7, "{} {best}", value(&interior));
    }

    #[test]
    fn budgets_are_met_and_scale_does_not_matter((c, m, _) in market(), k in 1e-6..1e6_f64) {
        let budgets: Vec<f64> = m.iter().map(|m| m.abs() + 0.05).collect();
        let total: f64 = budgets.iter().sum();
        let w = risk_parity(&c, &budgets).unwrap();
        for (share, b) in risk_contributions(&w, &c).unwrap().iter().zip(&budgets) {
            prop_assert!((share - b / total).abs() < 1e-9);
        }
        let scaled = Symmetric::from_fn(c.n(), |i, j| k * c.at(i, j));
        for (a, b) in risk_parity(&scaled, &budgets).unwrap().iter().zip(&w) {
            prop_assert!((a - b).abs() < 1e-8);
        }
        let h = hierarchical_risk_parity(&c, Linkage::Single).unwrap();
        prop_assert!((h.iter().sum::<f64>() - 1.0).abs() < 1e-12 && h.iter().all(|x| *x > 0.0));
        for (a, b) in hierarchical_risk_parity(&scaled, Linkage::Single).unwrap().iter().zip(&h) {
            prop_assert!((a - b).abs() < 1e-9);
        }
    }

    #[test]
    fn the_best_ratio_is_best((c, m, seed) in market()) {
        let n = m.len();
        prop_assume!(m.iter().any(|m| *m > 0.01));
        let w = maximise_sharpe(&m, &c, 0.0, &Constraints::long_only(n)).unwrap();
        let ratio = |w: &[f64]| dotted(w, &m) / c.quadratic(w).sqrt();
        let mut random = crate::performance::Random::new(seed);
        for _ in 0..100 {
            prop_assert!(ratio(&drawn(&mut random, n)) <= ratio(&w) * (1.0 + 1e-9));
        }
    }

    #[test]
    fn repaired_matrices_have_no_negative_eigenvalue(cells in prop::collection::vec(-1.0..1.0_f64, 36)) {
        let m = Symmetric::from_fn(6, |i, j| if i == j { 1.0 } else { cells[i * 6 + j] });
        let clipped = clip_eigenvalues(&m, 1e-8).unwrap();
        prop_assert!(*clipped.eigen().unwrap().0.last().unwrap() > 0.0);
        let nearest = nearest_correlation(&m).unwrap();
        prop_assert!(*nearest.eigen().unwrap().0.last().unwrap() > -1e-9);
        let distance = |a: &Symmetric| a.values().iter().zip(m.values()).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        prop_assert!(distance(&nearest) <= distance(&clipped) + 1e-9);
        for i in 0..6 {
            prop_assert!((nearest.at(i, i) - 1.0).abs() < 1e-15 && (clipped.at(i, i) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn sums_of_products_are_those_of_plain_loops(rows in 2..300_usize, n in 1..60_usize, seed in any::<u64>()) {
        let mut random = crate::performance::Random::new(seed);
        let cells: Vec<f64> = (0..rows * n).map(|_| random.uniform()).collect();
        let c = sample_covariance(Returns::new(&cells, n).unwrap()).unwrap();
        let mean = |i: usize| (0..rows).map(|t| cells[t * n + i]).sum::<f64>() / rows as f64;
        for (i, j) in [(0, 0), (n - 1, n / 2), (n - 1, 0)] {
            let plain: f64 = (0..rows).map(|t| (cells[t * n + i] - mean(i)) * (cells[t * n + j] - mean(j))).sum();
            prop_assert!((c.at(i, j) - plain / (rows - 1) as f64).abs() < 1e-13);
        }
    }
}
