//! The ratios of a report against other libraries, on the curves of a run of sample:us4-ohlcv (`scripts/oracles/report.py`).

use super::evidence::{against, ratios};
use crate::figures::{Curves, Figures};
use tradegraph_domain::Date;
use tradegraph_quant::performance::{RiskFree, calendar_returns, returns, rolling_sharpe};

const CURVE: &str = include_str!("../../oracles/report_curve.csv");
const EXPECTED: &str = include_str!("../../oracles/report.csv");

/// Relative, or absolute below one.
const TOLERANCE: f64 = 1e-9;

fn curves() -> Curves {
    let mut curves = Curves::default();
    for line in CURVE.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        curves.dates.push(Date::parse(cells[0]).unwrap());
        for (to, cell) in [&mut curves.net, &mut curves.benchmark, &mut curves.held].into_iter().zip(&cells[1..]) {
            to.push(cell.parse().unwrap());
        }
    }
    curves
}

/// Rows of the expected values: name, curve, value. Names may hold commas and are then in quotation marks.
fn expected() -> Vec<(String, String, f64)> {
    let row = |line: &'static str| {
        let (name, rest) = match line.strip_prefix('"') {
            Some(quoted) => quoted.split_once("\",").unwrap(),
            None => line.split_once(',').unwrap(),
        };
        let cells: Vec<&str> = rest.split(',').collect();
        (name.to_owned(), cells[0].to_owned(), cells[1].parse().unwrap())
    };
    EXPECTED.lines().skip(1).map(row).collect()
}

#[test]
fn the_ratios_of_a_run_are_those_of_other_libraries() {
    let curves = curves();
    let days: Vec<i32> = curves.dates.iter().map(|d| d.0).collect();
    let steps = days.len() - 1;
    let per_year = steps as f64 / (f64::from(days[steps] - days[0]) / 365.25);
    let mut figures = Figures { days_per_year: Some(per_year), ..Figures::default() };
    figures.net.cagr = Some(0.0);
    let rates = vec![0.0; steps];
    let rows = ratios(&figures, &curves, &rates);
    let line = serde_json::to_value(against(&figures, &curves, &rates)).unwrap();
    let months = calendar_returns(&days, &curves.net).unwrap();
    let rolling = rolling_sharpe(&returns(&curves.net).unwrap(), RiskFree::Zero, 252, per_year).unwrap();
    let mut compared = 0;
    for (name, curve, value) in expected() {
        let ratio = || rows.iter().find(|r| r.name == name).unwrap_or_else(|| panic!("{name}"));
        let found = match curve.as_str() {
            "nav" => ratio().account,
            "equal_weight" => ratio().equal_weight,
            "buy_and_hold" => ratio().buy_and_hold,
            "against" => line[&name].as_f64(),
            "year" => months.iter().find(|y| y.year.to_string() == name).map(|y| y.total),
            "month" => {
                let (year, month) = name.split_once('-').unwrap();
                let of = months.iter().find(|y| y.year.to_string() == year);
                of.and_then(|y| y.months[month.parse::<usize>().unwrap() - 1])
            }
            "rolling sharpe" => rolling[curves.dates.iter().position(|d| d.to_string() == name).unwrap() - 1],
            other => panic!("{other}"),
        };
        let found = found.unwrap_or_else(|| panic!("{name} of {curve} is missing"));
        assert!((found - value).abs() <= TOLERANCE * value.abs().max(1.0), "{name} of {curve}: {found}, not {value}");
        compared += 1;
    }
    assert_eq!(compared, 3 * 17 + 6 + 129 + 11 + 3);
}
