//! The comparison with statsmodels, arch, hmmlearn and others: tables made by `scripts/oracles/econometrics.py`.

use super::super::*;
use crate::performance::autocorrelations;

/// What was compared, with whom, and the worst distance.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) what: String,
    pub(super) source: String,
    pub(super) rows: usize,
    pub(super) error: f64,
    pub(super) at: String,
}

/// Series by name.
pub(super) struct Inputs(Vec<(&'static str, Vec<f64>)>);

impl Inputs {
    pub(super) fn read() -> Inputs {
        let line = |l: &'static str| {
            let (name, values) = l.split_once(',').unwrap();
            (name, values.split(',').map(|v| v.parse().unwrap()).collect())
        };
        Inputs(include_str!("../../../oracles/econometrics_series.csv").lines().map(line).collect())
    }

    /// `name` or `name[from:to]`.
    pub(super) fn get(&self, name: &str) -> Vec<f64> {
        let (base, window) = name.split_once('[').unwrap_or((name, ""));
        let whole = &self.0.iter().find(|(n, _)| *n == base).unwrap_or_else(|| panic!("no series {name}")).1;
        match window.trim_end_matches(']').split_once(':') {
            Some((a, b)) => whole[a.parse().unwrap()..b.parse().unwrap()].to_vec(),
            None => whole.clone(),
        }
    }
}

pub(super) type Values = Vec<(String, f64)>;

fn one(to: &mut Values, name: &str, value: f64) {
    to.push((name.to_owned(), value));
}

fn many(to: &mut Values, name: &str, values: &[f64]) {
    to.extend(values.iter().enumerate().map(|(at, v)| (format!("{name}.{at}"), *v)));
}

fn trend(text: &str) -> Trend {
    match text {
        "n" => Trend::None,
        "c" => Trend::Constant,
        "ct" => Trend::Linear,
        _ => Trend::Quadratic,
    }
}

fn lags(text: &str) -> Lags {
    match text {
        "aic" => Lags::Aic { most: None },
        "bic" => Lags::Bic { most: None },
        fixed => Lags::Fixed(fixed.parse().unwrap()),
    }
}

fn differences(x: &[f64]) -> Vec<f64> {
    x.windows(2).map(|w| w[1] - w[0]).collect()
}

/// All that a function gives for its series and arguments, under the names of the table.
fn compute(function: &str, series: &[Vec<f64>], a: &[&str]) -> Values {
    let mut v = Values::new();
    let number = |at: usize| a[at].parse::<f64>().unwrap();
    match function {
        "tails" => {
            one(&mut v, "chi_squared", chi_squared_above(number(0), number(1)));
            one(&mut v, "student", student_two_sided(number(0), number(1)));
            one(&mut v, "f", f_above(number(0), number(1), 7.0));
        }
        "ols" => {
            let columns: Vec<&[f64]> = series[1..].iter().map(Vec::as_slice).collect();
            let ols = Ols::fit(&series[0], &columns, trend(a[0])).unwrap();
            let (lags, small_sample) = (number(2) as usize, a[3] == "1");
            let inference = ols.inference(match a[1] {
                "nonrobust" => Covariance::Classic,
                "HC0" => Covariance::Hc0,
                "HC1" => Covariance::Hc1,
                "HC2" => Covariance::Hc2,
                "HC3" => Covariance::Hc3,
                _ => Covariance::NeweyWest { lags, small_sample },
            });
            let inference = inference.unwrap();
            many(&mut v, "coefficient", &ols.coefficients);
            many(&mut v, "error", &inference.errors);
            many(&mut v, "p", &inference.p);
            one(&mut v, "rss", ols.rss);
            one(&mut v, "r_squared", ols.r_squared);
        }
        "adf" => {
            let r = adf(&series[0], trend(a[0]), lags(a[1])).unwrap();
            one(&mut v, "statistic", r.statistic);
            one(&mut v, "p", r.p);
            one(&mut v, "lags", r.lags as f64);
            one(&mut v, "rows", r.rows as f64);
            many(&mut v, "critical", &r.critical);
        }
        "kpss" => {
            let bandwidth = match a[1] {
                "legacy" => Bandwidth::Schwert,
                "auto" => Bandwidth::Automatic,
                fixed => Bandwidth::Fixed(fixed.parse().unwrap()),
            };
            let r = kpss(&series[0], trend(a[0]), bandwidth).unwrap();
            one(&mut v, "statistic", r.statistic);
            one(&mut v, "p", r.p);
            one(&mut v, "lags", r.lags as f64);
        }
        "engle_granger" => {
            let others: Vec<&[f64]> = series[1..].iter().map(Vec::as_slice).collect();
            let r = engle_granger(&series[0], &others, trend(a[0]), lags(a[1])).unwrap();
            one(&mut v, "statistic", r.statistic);
            one(&mut v, "p", r.p);
            many(&mut v, "critical", &r.critical);
            if let [y, x] = series {
                let mut screen = PairScreen::new(2, y.len(), trend(a[0]), lags(a[1])).unwrap();
                let mut seen = 0;
                screen
                    .run(&[y, x], |y, _, test| {
                        if y == 0 {
                            let test = test.unwrap();
                            assert_eq!(test.lags, r.lags);
                            one(&mut v, "screen.statistic", test.statistic);
                            one(&mut v, "screen.p", test.p);
                            assert!((test.hedge / r.coefficients.last().unwrap() - 1.0).abs() < 1e-9);
                            seen += 1;
                        }
                    })
                    .unwrap();
                assert_eq!(seen, 1);
            }
        }
        "serial" => {
            let x = if a[0] == "difference" { differences(&series[0]) } else { series[0].clone() };
            many(&mut v, "acf", &autocorrelations(&x, 15).unwrap());
            many(&mut v, "pacf", &partial_autocorrelations(&x, 15).unwrap());
            let tests = ljung_box(&x, 15, 0).unwrap();
            many(&mut v, "ljung_box", &tests.iter().map(|t| t.statistic).collect::<Vec<_>>());
            many(&mut v, "ljung_box_p", &tests.iter().map(|t| t.p).collect::<Vec<_>>());
            let test = jarque_bera(&x).unwrap();
            one(&mut v, "jarque_bera", test.statistic);
            one(&mut v, "jarque_bera_p", test.p);
        }
        other => panic!("nothing computes {other}"),
    }
    v
}

/// Probabilities, correlations and the like count absolutely; others relatively, near 0 against a thousandth.
fn distance(quantity: &str, ours: f64, expected: f64) -> f64 {
    if ours == expected {
        return 0.0;
    }
    let absolute = ["p", "screen.p", "acf", "pacf", "ljung_box_p", "jarque_bera_p"].contains(&quantity);
    let scale = if absolute { 1.0 } else { expected.abs().max(1e-3) };
    let error = (ours - expected).abs() / scale;
    if error.is_nan() { f64::INFINITY } else { error }
}

pub(super) fn compare() -> Vec<Compared> {
    let inputs = Inputs::read();
    let mut compared: Vec<Compared> = Vec::new();
    let (mut key, mut values) = (String::new(), Values::new());
    for line in include_str!("../../../oracles/econometrics.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [function, names, arguments, quantity, source, expected] = cells[..] else { panic!("{line}") };
        let this = format!("{function},{names},{arguments}");
        if this != key {
            let series: Vec<Vec<f64>> = names.split(';').filter(|n| !n.is_empty()).map(|n| inputs.get(n)).collect();
            values = compute(function, &series, &arguments.split(';').collect::<Vec<_>>());
            key = this;
        }
        let expected: f64 = expected.parse().unwrap();
        let mut checked = 0;
        for name in [quantity.to_owned(), format!("screen.{quantity}")] {
            if let Some((_, ours)) = values.iter().find(|(n, _)| *n == name) {
                let kind = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('.');
                let error = distance(kind, *ours, expected);
                let what = format!("{function} {kind}");
                let at = format!("{line} ours {ours:e}");
                checked += 1;
                match compared.iter_mut().find(|c| c.what == what && c.source == source) {
                    Some(c) => {
                        c.rows += 1;
                        if error > c.error {
                            (c.error, c.at) = (error, at);
                        }
                    }
                    None => compared.push(Compared { what, source: source.to_owned(), rows: 1, error, at }),
                }
            }
        }
        assert!(checked > 0, "{line}: not computed");
    }
    compared
}

#[test]
fn show() {
    for c in compare() {
        println!("{:40} {:12} {:6} {:.1e} {}", c.what, c.source, c.rows, c.error, c.at);
    }
}
