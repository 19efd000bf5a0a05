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

/// Every `k`-th row of so many numbers.
fn every(k: usize, width: usize, x: &[f64]) -> Vec<f64> {
    x.chunks_exact(width).step_by(k).flatten().copied().collect()
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
        "half_life" => {
            let r = half_life(&series[0]).unwrap();
            one(&mut v, "half_life", r.half_life);
            one(&mut v, "reversion", r.reversion);
            one(&mut v, "error", r.error);
            one(&mut v, "mean", r.mean);
            one(&mut v, "residual", r.residual);
        }
        "variance_ratio" => {
            let r = variance_ratio(&series[0], number(0) as usize, a[1] == "1").unwrap();
            one(&mut v, "ratio", r.ratio);
            one(&mut v, "statistic", r.statistic);
            one(&mut v, "p", r.p);
        }
        "hurst" => one(&mut v, "dfa", detrended_fluctuation(&differences(&series[0])).unwrap().exponent),
        "rescaled_range" => one(&mut v, "exponent", rescaled_range(&differences(&series[0])).unwrap().exponent),
        "garch" | "garch_at" => {
            let shocks = if a[2] == "t" { Shocks::Student } else { Shocks::Normal };
            let model = GarchModel { asymmetric: a[0] == "1", mean: a[1] == "Constant", shocks };
            if function == "garch_at" {
                let [mean, constant, arch, asymmetry, garch, degrees] = std::array::from_fn(|k| number(3 + k));
                let p = GarchParameters { mean, constant, arch, asymmetry, garch, degrees };
                let mut variances = vec![0.0; series[0].len()];
                one(&mut v, "log_likelihood", garch_log_likelihood(&series[0], model, &p, &mut variances).unwrap());
                many(&mut v, "variance", &every(50, 1, &variances));
            } else {
                let r = garch(&series[0], model).unwrap();
                let p = r.parameters;
                one(&mut v, "log_likelihood", r.log_likelihood);
                many(&mut v, "parameter", &[p.mean, p.constant, p.arch, p.asymmetry, p.garch]);
                one(&mut v, "degrees", p.degrees);
                let mut next = [0.0; 3];
                p.forecast(r.next, &mut next);
                many(&mut v, "next", &next);
            }
        }
        "ewma" => {
            let mut out = vec![0.0; series[0].len()];
            ewma_variances(&series[0], number(0), &mut out).unwrap();
            many(&mut v, "variance", &every(10, 1, &out));
        }
        "johansen" => {
            let series: Vec<&[f64]> = series.iter().map(Vec::as_slice).collect();
            let trend = [Trend::None, Trend::Constant, Trend::Linear][(number(0) + 1.0) as usize];
            let r = johansen(&series, trend, number(1) as usize).unwrap();
            many(&mut v, "eigenvalue", &r.eigenvalues);
            many(&mut v, "trace", &r.trace);
            many(&mut v, "largest", &r.largest);
            many(&mut v, "trace_critical", r.trace_critical.as_flattened());
            many(&mut v, "largest_critical", r.largest_critical.as_flattened());
            many(&mut v, "combination", &r.combinations.concat());
        }
        "pca" => {
            let moves: Vec<Vec<f64>> = series.iter().map(|x| differences(x)).collect();
            let moves: Vec<&[f64]> = moves.iter().map(Vec::as_slice).collect();
            let r = Pca::fit(&moves, a[0] == "1").unwrap();
            many(&mut v, "variance", &r.variances);
            many(&mut v, "share", &r.shares);
            many(&mut v, "component", &r.components.concat());
        }
        "kalman" => {
            let mut k = KalmanHedge::new([number(0); 2], [number(1); 2], number(2)).unwrap();
            let [y, x] = series else { panic!("two series") };
            let rows: Vec<(KalmanStep, f64, f64)> = x
                .iter()
                .zip(y)
                .map(|(x, y)| {
                    let step = k.update(*x, *y).unwrap();
                    (step, k.intercept, k.hedge)
                })
                .collect();
            let column = |f: fn(&(KalmanStep, f64, f64)) -> f64| every(25, 1, &rows.iter().map(f).collect::<Vec<_>>());
            one(&mut v, "log_likelihood", rows.iter().map(|r| r.0.log_density).sum());
            many(&mut v, "hedge", &column(|r| r.2));
            many(&mut v, "intercept", &column(|r| r.1));
            many(&mut v, "innovation", &column(|r| r.0.innovation));
            many(&mut v, "variance", &column(|r| r.0.variance));
            many(&mut v, "error", &k.errors());
        }
        "hmm" => {
            let (n, steps, x) = (number(0) as usize, number(1) as usize, &series[0]);
            let other = 0.05 / (n - 1) as f64;
            let transition: Vec<f64> = (0..n * n).map(|at| if at / n == at % n { 0.95 } else { other }).collect();
            let variances = &[0.3, 2.0, 9.0][..n];
            let start = Hmm::new(1, &vec![1.0 / n as f64; n], &transition, &vec![0.0; n], variances).unwrap();
            let search = HmmSearch { steps, least_gain: f64::NEG_INFINITY, variance_prior: 0.01 };
            let fit = start.fit(x, search).unwrap();
            let m = &fit.model;
            many(&mut v, "start", m.start());
            many(&mut v, "transition", m.transition());
            many(&mut v, "mean", m.means());
            many(&mut v, "variance", m.variances());
            many(&mut v, "history", &fit.log_likelihoods);
            let p = m.probabilities(x).unwrap();
            one(&mut v, "log_likelihood", p.log_likelihood);
            many(&mut v, "filtered", &every(40, n, &p.filtered));
            many(&mut v, "smoothed", &every(40, n, &p.smoothed));
            let path: Vec<f64> = m.likeliest_path(x).unwrap().iter().map(|s| *s as f64).collect();
            many(&mut v, "path", &every(20, 1, &path));
            let mut live = HmmFilter::new(m.clone());
            for (row, filtered) in x.iter().zip(p.filtered.chunks_exact(n)) {
                assert_eq!(live.update(&[*row]).unwrap(), filtered, "live and batch");
            }
        }
        "level_changes" => {
            let cuts = level_changes(&series[0], number(0), number(1) as usize).unwrap();
            one(&mut v, "count", cuts.len() as f64);
            many(&mut v, "at", &cuts.iter().map(|c| *c as f64).collect::<Vec<_>>());
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
    let absolute =
        ["p", "screen.p", "acf", "pacf", "ljung_box_p", "jarque_bera_p", "filtered", "smoothed", "start", "transition"]
            .contains(&quantity);
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

/// Where the search of the likelihood ends, arch's does not end higher.
#[test]
fn no_likelihood_is_below_arch() {
    let inputs = Inputs::read();
    let rows = include_str!("../../../oracles/econometrics.csv").lines().filter(|l| l.starts_with("garch,"));
    let mut n = 0;
    for line in rows.filter(|l| l.contains("log_likelihood")) {
        let cells: Vec<&str> = line.split(',').collect();
        let ours = compute("garch", &[inputs.get(cells[1])], &cells[2].split(';').collect::<Vec<_>>());
        let ours = ours.iter().find(|(name, _)| name == "log_likelihood").unwrap().1;
        let theirs: f64 = cells[5].parse().unwrap();
        assert!(ours > theirs - 2e-6, "{line}: {ours}");
        n += 1;
    }
    assert_eq!(n, 32);
}
