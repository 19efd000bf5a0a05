//! `docs/execution-mathematics.md`, written from what the comparison with other libraries found.

use super::compare::{Worst, golden, number, numbers, rows};
use super::*;

const HEAD: &str = include_str!("page_head.md");
const TAIL: &str = include_str!("page_tail.md");
const LIQUIDATION: &str = include_str!("../../../oracles/execution_liquidation.csv");
const VOLUME: &str = include_str!("../../../oracles/execution_volume_curve.csv");
const IMPACT: &str = include_str!("../../../oracles/execution_impact.csv");
const SCHEDULE: &str = include_str!("../../../oracles/execution_schedule.csv");

fn liquidations(worst: &mut Worst) {
    for r in rows(LIQUIDATION) {
        let v: Vec<f64> = r[1..12].iter().map(|x| number(x)).collect();
        let [quantity, n, period, volatility, fixed_cost, temporary, permanent, lambda, kappa, expected, variance] =
            v[..]
        else {
            panic!("{r:?}")
        };
        let market = Market { volatility, fixed_cost, temporary, permanent };
        let order = Liquidation::new(quantity, n as usize, period, market).unwrap();
        let mut x = vec![0.0; n as usize + 1];
        order.holdings(lambda, &mut x).unwrap();
        let cost = order.cost(&x).unwrap();
        let at = r[..9].join(",");
        worst.relative("urgency", "mpmath", (order.urgency(lambda).unwrap(), kappa), 1e-300, 1e-14, &at);
        for (ours, (exact, solved)) in x.iter().zip(numbers(r[12]).iter().zip(numbers(r[13]))) {
            worst.relative("holdings", "mpmath", (*ours, *exact), quantity.max(1e-300), 5e-14, &at);
            worst.relative("holdings", "cvxpy (Clarabel)", (*ours, solved), quantity.max(1e-300), 1e-6, &at);
        }
        worst.relative("expected cost", "mpmath", (cost.expected, expected), 1e-300, 1e-13, &at);
        // The variance of a trade at once is what rounds off.
        worst.relative(
            "variance",
            "mpmath",
            (cost.variance, variance),
            1e-12 * volatility * volatility * quantity * quantity * period + 1e-300,
            1e-12,
            &at,
        );
    }
}

fn curves(worst: &mut Worst) -> Vec<f64> {
    let mut curves = VolumeCurves::new(24, 10).unwrap();
    let mut last = vec![0.0; 24];
    for (k, r) in rows(VOLUME).enumerate() {
        let volumes = numbers(r[0]);
        for (centre, name, expected) in [(Centre::Mean, "mean", r[1]), (Centre::Median, "median", r[2])] {
            let mut out = vec![0.0; volumes.len()];
            let found = curves.curve(centre, &mut out);
            assert_eq!(found.is_err(), expected.is_empty(), "session {k}");
            for (ours, theirs) in out.iter().zip(numbers(expected)) {
                let kind = if volumes.len() < 24 { ", half day" } else { "" };
                worst.relative(&format!("volume curve, {name}{kind}"), "pandas", (*ours, theirs), 1e-300, 1e-13, r[0]);
            }
            if out.len() == 24 {
                last = out;
            }
        }
        curves.push(&volumes).unwrap();
    }
    last
}

fn impacts(worst: &mut Worst) {
    for r in rows(IMPACT) {
        let (costs, volatilities, participations) = (numbers(r[0]), numbers(r[1]), numbers(r[2]));
        let v: Vec<f64> = r[3..].iter().map(|x| number(x)).collect();
        let fixed = fit_impact(&costs, &volatilities, &participations, SQUARE_ROOT).unwrap();
        for (name, ours, theirs) in [
            ("fit_impact, factor", fixed.impact.factor, v[0]),
            ("fit_impact, standard error", fixed.factor_error, v[1]),
            ("fit_impact, residual", fixed.residual, v[2]),
        ] {
            worst.relative(name, "statsmodels", (ours, theirs), 1e-300, 1e-12, r[0]);
        }
        let free = fit_exponent(&costs, &volatilities, &participations).unwrap();
        for (name, ours, theirs) in [
            ("fit_exponent, factor", free.impact.factor, v[3]),
            ("fit_exponent, exponent", free.impact.exponent, v[4]),
            ("fit_exponent, error of the factor", free.factor_error, v[5]),
            ("fit_exponent, error of the exponent", free.exponent_error, v[6]),
        ] {
            worst.relative(name, "scipy curve_fit", (ours, theirs), 1e-300, 1e-6, r[0]);
        }
    }
}

fn schedules(worst: &mut Worst) {
    for r in rows(SCHEDULE) {
        let (weights, parts) = (numbers(r[1]), numbers(r[2]));
        let mut out = vec![0; weights.len()];
        schedule(r[0].parse().unwrap(), &weights, &mut out).unwrap();
        let apart = out.iter().zip(&parts).map(|(a, b)| (*a as f64 - b).abs()).fold(0.0, f64::max);
        worst.note("schedule, lots", "exact fractions", apart, 0.0, r[1]);
    }
}

/// Holdings, frontier, curve and law, for the page.
fn plots(curve: &[f64]) {
    let order = paper();
    let line = |lambda: f64| {
        let mut x = [0.0; 6];
        order.holdings(lambda, &mut x).unwrap();
        x.iter().enumerate().map(|(k, x)| (k as f64, *x)).collect()
    };
    let held = [("λ = 0", line(0.0)), ("λ = 1e-7", line(1e-7)), ("λ = 1e-6", line(1e-6)), ("λ = 1e-5", line(1e-5))];
    golden("pictures/execution_holdings.svg", &plot::svg("The best trajectory", "days", "shares held", &held));
    let lambdas: Vec<f64> = (0..60).map(|k| libm::pow(10.0, -8.0 + 0.05 * f64::from(k))).collect();
    let mut costs = vec![Cost::default(); lambdas.len()];
    order.frontier(&lambdas, &mut costs).unwrap();
    let points = costs.iter().map(|c| (c.variance.sqrt(), c.expected)).collect();
    let frontier = [("λ from 1e-8 to 9e-6", points)];
    golden(
        "pictures/execution_frontier.svg",
        &plot::svg("The efficient frontier", "standard deviation of the cost", "expected cost", &frontier),
    );
    let points = curve.iter().enumerate().map(|(k, x)| (k as f64, 100.0 * x)).collect();
    golden(
        "pictures/execution_volume.svg",
        &plot::svg("Share of a day's volume", "hour (UTC)", "per cent", &[("BTC-USD, 2021", points)]),
    );
    let law = |exponent| {
        let law = Impact { factor: 1.0, exponent };
        (0..=50).map(|k| 0.004 * f64::from(k)).map(|p| (p, 1e4 * law.cost(0.02, p).unwrap())).collect()
    };
    let lines = [("δ = 0.5", law(0.5)), ("δ = 0.6", law(0.6)), ("δ = 1", law(1.0))];
    golden(
        "pictures/execution_impact.svg",
        &plot::svg("Impact at a volatility of 2 %", "share of the day's volume", "basis points", &lines),
    );
}

/// `UPDATE_GOLDEN=1` writes the page and its plots anew.
#[test]
fn the_page_says_what_the_comparison_found() {
    let mut worst = Worst::default();
    liquidations(&mut worst);
    let curve = curves(&mut worst);
    impacts(&mut worst);
    schedules(&mut worst);
    plots(&curve);
    golden("execution-mathematics.md", &format!("{HEAD}{}{TAIL}", worst.table()));
}
