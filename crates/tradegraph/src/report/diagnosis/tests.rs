//! Every check fires on one small change of a healthy run, and no warning or note comes without a change.

use super::*;

/// A run with nothing to remark but what is as it should be.
fn healthy() -> Facts {
    Facts {
        years: Some(10.0),
        sharpe: Some(1.0),
        sharpe_error: Some(0.3),
        probabilistic: Some(0.999),
        trials: 1,
        deflated: Some(0.999),
        minimum_years: Some(2.7),
        growth: Some(0.10),
        benchmark_growth: Some(0.08),
        benchmark_sharpe: Some(0.5),
        alpha: Some(0.06),
        alpha_error: Some(0.02),
        beta: Some(0.4),
        r_squared: Some(0.3),
        months: vec![0.01; 120],
        halves: Some((1.0, 1.0)),
        regimes: vec![("trend".into(), 0.5, 0.5), ("range".into(), 0.5, 0.5)],
        skewness: Some(0.0),
        kurtosis: Some(3.0),
        fill_correlation: Some(0.01),
        fill_pairs: 1_000,
        parameters: 5,
        result: 100.0,
        costs: 5.0,
        turnover: Some(3.0),
        closed: Some(200),
        fills: 400,
        trips: vec![0.5; 200],
        favourable_of_losers: Some(0.01),
        loss: Some(0.03),
        names: vec![("A".into(), 40.0), ("B".into(), 30.0), ("C".into(), 30.0)],
        capacity: Some(1e9),
        capacity_says: String::new(),
        account: 1e5,
        close_only: false,
        orders: 400,
        cancelled: 0,
        refused: 0,
        refused_most: None,
        breakers: 0,
        stopped: vec![],
        losing_agents: vec![],
        agents: 3,
        suspect_fills: 0,
        survivorship: false,
        underwater: Some((300.0, 3_650.0)),
        drawdown: Some(0.12),
        drawdown_limit: Some(0.3),
        gross: Some((0.8, 0.95)),
        net: Some(0.3),
        largest: Some(0.1),
        instruments: 20,
    }
}

/// Check, what is changed, and the severity that it must then have.
type Row = (&'static str, fn(&mut Facts), Severity);

const ROWS: &[Row] = &[
    ("sharpe-not-different-from-zero", |f| f.probabilistic = Some(0.94), Severity::Warning),
    ("deflated-sharpe-low", |f| (f.trials, f.deflated) = (12, Some(0.9)), Severity::Note),
    ("deflated-sharpe-low", |f| (f.trials, f.deflated) = (12, Some(0.5)), Severity::Warning),
    ("short-record", |f| f.years = Some(2.9), Severity::Note),
    ("short-record", |f| f.minimum_years = Some(10.5), Severity::Note),
    ("benchmark-did-better", |f| (f.growth, f.sharpe) = (Some(0.07), Some(0.4)), Severity::Warning),
    ("benchmark-did-better", |f| f.growth = Some(0.07), Severity::Note),
    ("beta-explains-it", |f| (f.r_squared, f.alpha) = (Some(0.8), Some(0.03)), Severity::Warning),
    ("one-sided", |f| f.net = Some(0.79), Severity::Note),
    // Six of 120 months with 0.2 each beside 114 of nothing.
    ("few-months-make-the-return", |f| f.months = [vec![0.2; 6], vec![0.0; 114]].concat(), Severity::Warning),
    ("few-months-make-the-return", |f| f.months = [vec![0.2; 6], vec![0.001; 114]].concat(), Severity::Note),
    ("fading", |f| f.halves = Some((1.2, 0.3)), Severity::Note),
    ("fading", |f| f.halves = Some((1.2, -0.1)), Severity::Warning),
    (
        "regime-dependence",
        |f| f.regimes = vec![("trend".into(), 0.3, 1.2), ("range".into(), 0.7, -0.2)],
        Severity::Note,
    ),
    ("fat-left-tail", |f| (f.skewness, f.kurtosis) = (Some(-1.5), Some(12.0)), Severity::Note),
    ("look-ahead-smell", |f| f.fill_correlation = Some(0.25), Severity::Warning),
    ("too-good", |f| f.sharpe = Some(4.2), Severity::Warning),
    ("many-parameters", |f| f.parameters = 21, Severity::Note),
    ("costs-eat-the-edge", |f| f.costs = 150.0, Severity::Warning),
    ("costs-eat-the-edge", |f| f.costs = 40.0, Severity::Note),
    ("no-costs", |f| f.costs = 0.0, Severity::Warning),
    ("turnover", |f| f.turnover = Some(30.0), Severity::Note),
    ("turnover", |f| f.turnover = Some(300.0), Severity::Warning),
    ("few-trades", |f| (f.closed, f.parameters) = (Some(29), 1), Severity::Note),
    ("few-trades", |f| (f.closed, f.parameters) = (Some(9), 0), Severity::Warning),
    ("one-trade-makes-the-return", |f| f.trips.push(55.0), Severity::Warning),
    ("one-name-makes-the-return", |f| f.names.push(("D".into(), 60.0)), Severity::Note),
    ("losers-ran", |f| f.favourable_of_losers = Some(0.04), Severity::Note),
    ("capacity", |f| f.capacity = Some(1.5e5), Severity::Warning),
    ("capacity", |f| f.capacity = Some(5e5), Severity::Note),
    ("capacity", |f| (f.capacity, f.capacity_says) = (None, "not known: no volume".into()), Severity::Note),
    ("fills-at-closes", |f| f.close_only = true, Severity::Note),
    ("unfilled-orders", |f| f.cancelled = 41, Severity::Note),
    ("agents-that-only-cost", |f| f.losing_agents = vec![("x_trader".into(), -3.0)], Severity::Note),
    ("suspect-data", |f| f.suspect_fills = 1, Severity::Note),
    ("suspect-data", |f| f.suspect_fills = 8, Severity::Warning),
    ("survivorship", |f| f.survivorship = true, Severity::Warning),
    ("flat-for-long", |f| f.underwater = Some((1_000.0, 3_650.0)), Severity::Note),
    ("flat-for-long", |f| f.underwater = Some((2_000.0, 3_650.0)), Severity::Warning),
    ("drawdown-against-limits", |f| f.drawdown = Some(0.25), Severity::Warning),
    ("drawdown-against-limits", |f| (f.drawdown, f.drawdown_limit) = (Some(0.21), None), Severity::Note),
    ("breakers-tripped", |f| f.breakers = 1, Severity::Warning),
    ("agents-stopped", |f| f.stopped = vec!["mine at noon: index out of bounds".to_owned()], Severity::Warning),
    ("refusals", |f| f.refused = 30, Severity::Note),
    ("refusals", |f| f.refused = 110, Severity::Warning),
    ("concentration", |f| f.largest = Some(0.35), Severity::Note),
    ("concentration", |f| f.largest = Some(0.55), Severity::Warning),
    ("leverage", |f| f.gross = Some((0.8, 1.5)), Severity::Note),
    ("idle-cash", |f| (f.gross, f.net) = (Some((0.2, 0.3)), Some(0.1)), Severity::Note),
];

#[test]
fn a_healthy_run_has_only_good_remarks() {
    let remarks = diagnose(&healthy());
    let names: Vec<_> = remarks.iter().map(|r| r.check).collect();
    let good = ["sharpe-not-different-from-zero", "benchmark-did-better", "costs-eat-the-edge", "suspect-data"];
    assert_eq!(names, good);
    assert!(remarks.iter().all(|r| r.severity == Severity::Good), "{remarks:?}");
}

#[test]
fn each_check_fires_alone_on_what_it_is_for() {
    for (name, change, severity) in ROWS {
        let mut facts = healthy();
        change(&mut facts);
        let fired: Vec<Remark> = diagnose(&facts).into_iter().filter(|r| r.severity != Severity::Good).collect();
        let [remark] = fired.as_slice() else { panic!("{name}: {fired:#?}") };
        assert_eq!((remark.check, remark.severity), (*name, *severity), "{remark:?}");
        assert!(remark.says.ends_with('.') && remark.advice.len() > 20, "{remark:?}");
        assert!(remark.evidence.iter().all(|(_, x)| x.is_finite()), "{remark:?}");
    }
}

#[test]
fn every_check_has_a_row_and_a_line_in_the_docs() {
    let docs = include_str!("../../../../../docs/report.md");
    for (name, _) in CHECKS {
        assert!(ROWS.iter().any(|(row, ..)| row == name), "{name} is never seen to fire");
        assert!(docs.contains(&format!("| `{name}` |")), "docs/report.md lacks {name}");
    }
    assert!(CHECKS.len() >= 20);
}

#[test]
fn nothing_is_said_of_what_is_not_known() {
    let unknown = Facts::default();
    assert_eq!(diagnose(&unknown), vec![]);
}
