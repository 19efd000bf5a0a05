//! The tables of `oracles/`, computed by other libraries, against ours.

use super::*;
use std::collections::BTreeMap;

/// One number that both sides computed.
pub(super) struct Compared {
    /// The metric without its arguments.
    pub(super) metric: String,
    /// The library.
    pub(super) source: String,
    /// Relative, or of what is near 0 against 0.001.
    pub(super) error: f64,
}

/// Everything in the tables, asserted to agree.
pub(super) fn compare() -> Vec<Compared> {
    let cases = Case::all();
    let returns = rows(include_str!("../../../oracles/performance.csv"), 4)
        .map(|r| check(r[0], r[1], r[2], r[3], |m| cases[r[0]].value(m)));
    let trials = Trials::read();
    let overfitting = rows(include_str!("../../../oracles/performance_overfitting.csv"), 3)
        .map(|r| check("trials", r[0], r[1], r[2], |m| trials.value(m)));
    returns.chain(overfitting).collect()
}

#[test]
fn every_statistic_equals_its_oracle() {
    let compared = compare();
    assert_eq!(compared.len(), 1_460 + 651);
}

enum Value {
    Number(Option<f64>),
    Text(String),
}

fn check(case: &str, metric: &str, expected: &str, source: &str, value: impl Fn(&Metric<'_>) -> Value) -> Compared {
    let m = Metric::parse(metric);
    let error = match value(&m) {
        Value::Text(actual) => {
            assert_eq!(actual, expected, "{case} {metric}");
            0.0
        }
        Value::Number(actual) => match (actual, number(expected)) {
            (Some(a), Some(e)) => {
                let probability = ["cdf", "inverse", "probabilistic_sharpe", "deflated"].contains(&m.name);
                let size = e.abs().max(if probability { f64::MIN_POSITIVE } else { 1e-3 });
                let error = (a - e).abs() / size;
                assert!(error < 1e-9, "{case} {metric}: {a} instead of {e}");
                error
            }
            (a, e) => {
                assert_eq!(a, e, "{case} {metric}");
                0.0
            }
        },
    };
    Compared { metric: m.name.to_owned(), source: source.to_owned(), error }
}

/// `name(arguments).part` or `name(arguments)@index`.
struct Metric<'a> {
    name: &'a str,
    arguments: Vec<&'a str>,
    part: &'a str,
}

impl<'a> Metric<'a> {
    fn parse(text: &'a str) -> Self {
        let (name, rest) = text.split_once('(').unwrap_or((text, ""));
        let (arguments, part) = rest.rsplit_once(')').unwrap_or_default();
        Metric { name, arguments: arguments.split_whitespace().collect(), part: part.trim_start_matches(['.', '@']) }
    }

    fn at(&self, i: usize) -> f64 {
        self.arguments[i].parse().unwrap()
    }

    fn count(&self, i: usize) -> usize {
        self.arguments[i].parse().unwrap()
    }

    /// The index of `name@index`, or of `name(arguments).part@index`.
    fn index(&self) -> usize {
        self.part.rsplit('@').next().unwrap().parse().unwrap()
    }
}

/// Rows of an oracle table without comments and header; all have `columns` cells.
fn rows(table: &str, columns: usize) -> impl Iterator<Item = Vec<&str>> {
    let data = table.lines().filter(|l| !l.starts_with('#')).skip(1);
    data.map(move |l| l.split(',').collect()).inspect(move |r: &Vec<&str>| assert_eq!(r.len(), columns, "{r:?}"))
}

fn number(text: &str) -> Option<f64> {
    if text.is_empty() { None } else { Some(text.parse().unwrap()) }
}

#[derive(Default)]
struct Case {
    periods_per_year: f64,
    rate: f64,
    benchmark_sharpe: f64,
    days: Vec<i32>,
    benchmark: Vec<f64>,
    returns: Vec<f64>,
    equity: Vec<f64>,
}

impl Case {
    fn all() -> BTreeMap<&'static str, Case> {
        let mut cases: BTreeMap<&str, Case> = BTreeMap::new();
        for row in rows(include_str!("../../../oracles/performance_returns.csv"), 7) {
            let case = cases.entry(row[0]).or_default();
            [case.periods_per_year, case.rate, case.benchmark_sharpe] = [1, 2, 3].map(|c| number(row[c]).unwrap());
            case.days.push(row[4].parse().unwrap());
            case.benchmark.extend(number(row[5]));
            let Some(change) = number(row[6]) else {
                case.equity.push(1.0);
                continue;
            };
            case.returns.push(change);
            case.equity.push(case.equity.last().unwrap() * (1.0 + change));
        }
        cases
    }

    fn value(&self, m: &Metric<'_>) -> Value {
        let Case { periods_per_year: ppy, days, benchmark: b, returns: x, equity, .. } = self;
        let (ppy, rf, n) = (*ppy, RiskFree::PerPeriod(self.rate), x.len() as f64);
        let ratio = || sharpe(x, rf, ppy).unwrap();
        let fall = || max_drawdown(equity).unwrap();
        let line = || regression(x, b, rf, ppy).unwrap();
        let moments = || Moments::of(x).unwrap();
        Value::Number(match m.name {
            "total_return" => total_return(equity),
            "cagr" => cagr(equity, ppy),
            "volatility" => volatility(x, ppy),
            "sharpe_annual" => Some(ratio().annual),
            "sharpe_error" => Some(ratio().error_per_period),
            "probabilistic_sharpe" => probabilistic_sharpe(x, rf, self.benchmark_sharpe),
            "minimum_track_record" => ratio().minimum_track_record(self.benchmark_sharpe, m.at(0)),
            "deflated" => {
                let deflated = ratio().deflated(m.count(0), m.at(1)).unwrap();
                Some(if m.part == "benchmark" { deflated.benchmark } else { deflated.probability })
            }
            "rolling_sharpe" => rolling_sharpe(x, rf, m.count(0), ppy).unwrap()[m.index()],
            "autocorrelation" => autocorrelations(&excess(x, rf).unwrap(), m.count(0)).unwrap().last().copied(),
            "serial" => serial_sharpe(x, rf, m.count(0), m.count(1), m.count(2)).map(|s| match m.part {
                "scale" => s.scale,
                "aggregated" => s.aggregated,
                "error" => s.error,
                other => panic!("no such part: {other}"),
            }),
            "sortino" => sortino(x, rf, ppy),
            "downside_deviation" => downside_deviation(x, rf, ppy),
            "omega" if m.arguments.is_empty() => omega(x, rf),
            "omega" => omega(x, RiskFree::PerYear { rate: m.at(0), periods_per_year: ppy }),
            "calmar" => calmar(equity, ppy),
            "drawdown_depth" => Some(fall().depth),
            "drawdown_start" => Some(fall().start as f64),
            "drawdown_trough" => Some(fall().trough as f64),
            "drawdown_recovery" => fall().recovery.map(|r| r as f64),
            "longest_drawdown" => longest_drawdown(equity, days).map(|u| f64::from(u.days)),
            "skewness" => skewness(x),
            "kurtosis" => excess_kurtosis(x).map(|k| k + 3.0),
            "tail_ratio" => tail_ratio(x),
            "value_at_risk" => value_at_risk(x, m.at(0)),
            "expected_shortfall" => expected_shortfall(x, m.at(0)),
            "quantile" => quantile(x, m.at(0)),
            "hit_rate" => hit_rate(x),
            "payoff" => payoff(x),
            "profit_factor" => profit_factor(x),
            "kelly_bet" => kelly_bet(x),
            "kelly_leverage" => kelly_leverage(x, rf),
            "beta" if x.len() > 2 => Some(line().beta),
            // Two points have a slope and no error.
            "beta" => Some((x[1] - x[0]) / (b[1] - b[0])),
            "regression alpha" => Some(line().alpha_per_period),
            "regression alpha_error" => Some(line().alpha_error_per_period),
            "regression beta" => Some(line().beta),
            "regression beta_error" => Some(line().beta_error),
            "regression r_squared" => line().r_squared,
            "tracking_error" => tracking_error(x, b, ppy),
            "information_ratio" => information_ratio(x, b, ppy).map(|i| i.per_period),
            "up_capture" => capture(x, b, ppy).unwrap().up,
            "down_capture" => capture(x, b, ppy).unwrap().down,
            "month" | "year" => {
                let table = calendar_returns(days, equity).unwrap();
                let year = table.iter().find(|y| y.year == m.at(0) as i32).unwrap();
                if m.name == "year" { Some(year.total) } else { year.months[m.count(1) - 1] }
            }
            // What other libraries call the same, from what ours say.
            "empyrical alpha" if x.len() > 2 => Some(libm::pow(1.0 + line().alpha_per_period, ppy) - 1.0),
            "empyrical alpha" => {
                let beta = (x[1] - x[0]) / (b[1] - b[0]);
                let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
                Some(libm::pow(1.0 + mean(x) - beta * mean(b), ppy) - 1.0)
            }
            "quantstats alpha" => Some(line().alpha_annual),
            "quantstats skew" => skewness(x).map(|g| g * (n * (n - 1.0)).sqrt() / (n - 2.0)),
            "quantstats kurtosis" => {
                excess_kurtosis(x).map(|g| ((n + 1.0) * g + 6.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0)))
            }
            "quantstats value at risk" => {
                Some(moments().mean + moments().variance.sqrt() * normal::inverse(1.0 - (1.0 - m.at(0))))
            }
            "quantstats expected shortfall" => {
                let border = quantile(x, 1.0 - (1.0 - m.at(0))).unwrap();
                let tail: Vec<f64> = x.iter().copied().filter(|r| *r <= border).collect();
                Some(-tail.iter().sum::<f64>() / tail.len() as f64)
            }
            "quantstats ulcer index" => ulcer_index(equity).map(|u| u * (n / (n - 1.0)).sqrt()),
            "quantstats drawdown days" => {
                let below = |d: &Drawdown| {
                    let last = d.recovery.map_or(equity.len(), |r| r) - 1;
                    days[last] - days[d.start + 1] + 1
                };
                super::super::drawdowns(equity).unwrap().iter().map(below).max().map(f64::from)
            }
            other => panic!("no such metric: {other}"),
        })
    }
}

/// Returns of trials, a column each; the last is the benchmark.
struct Trials {
    columns: Vec<Vec<f64>>,
}

impl Trials {
    fn read() -> Self {
        let mut columns = vec![Vec::new(); 11];
        for row in rows(include_str!("../../../oracles/performance_trials.csv"), 11) {
            columns.iter_mut().zip(row).for_each(|(column, cell)| column.extend(number(cell)));
        }
        Trials { columns }
    }

    fn column(&self, name: &str) -> Vec<f64> {
        let hold = &self.columns[10];
        match name {
            "hold" => hold.clone(),
            "zero" => vec![0.0; hold.len()],
            "low" => vec![-0.002; hold.len()],
            "squares" => hold.iter().map(|r| r * r).collect(),
            trial => self.columns[trial.strip_prefix('t').unwrap().parse::<usize>().unwrap()].clone(),
        }
    }

    fn value(&self, m: &Metric<'_>) -> Value {
        Value::Number(match m.name {
            "overfitting" => self.overfitting(m),
            "splits" => return splits(m),
            "draws" => {
                let (n, times) = (m.count(2), m.count(3));
                let mut random = Random::new(m.count(4) as u64);
                let mut out = vec![0; n];
                let mut drawn = Vec::new();
                for _ in 0..times {
                    scheme(m.arguments[0], m.at(1)).draw(&mut random, &mut out).unwrap();
                    drawn.extend(out.iter().map(usize::to_string));
                }
                return Value::Text(drawn.join(" "));
            }
            "block_length" => {
                let lengths = optimal_block_length(&self.column(m.arguments[0])).unwrap();
                Some(if m.part == "stationary" { lengths.stationary } else { lengths.circular })
            }
            "superior" => {
                let superiority = if m.arguments[5] == "mean" { Superiority::Mean } else { Superiority::Studentised };
                let benchmark = self.column(m.arguments[0]);
                let trials: Vec<&[f64]> = self.columns[..10].iter().map(Vec::as_slice).collect();
                let found = superior_ability(&trials, &benchmark, &plan(m, 1), superiority).unwrap();
                Some(match m.part {
                    "statistic" => found.statistic,
                    "lower" => found.lower,
                    "consistent" => found.consistent,
                    "upper" => found.upper,
                    other => panic!("no such part: {other}"),
                })
            }
            "interval" => {
                let statistic = |x: &[f64]| match m.arguments[0] {
                    "mean" => Some(sum8(x) / x.len() as f64),
                    "sharpe" => sharpe(x, RiskFree::Zero, 1.0).map(|s| s.per_period),
                    "trough" => {
                        let mut equity = vec![1.0];
                        x.iter().for_each(|r| equity.push(equity[equity.len() - 1] * (1.0 + r)));
                        max_drawdown(&equity).map(|d| d.depth)
                    }
                    other => panic!("no such statistic: {other}"),
                };
                let method = match m.arguments[5] {
                    "percentile" => IntervalMethod::Percentile,
                    "basic" => IntervalMethod::Basic,
                    _ => IntervalMethod::Bca,
                };
                let found = interval(&self.columns[10], statistic, &plan(m, 1), method, m.at(6)).unwrap();
                Some(if m.part == "low" { found.low } else { found.high })
            }
            "cdf" => Some(normal::cdf(m.at(0))),
            "inverse" => Some(normal::inverse(m.at(0))),
            other => panic!("no such metric: {other}"),
        })
    }

    fn overfitting(&self, m: &Metric<'_>) -> Option<f64> {
        let mut trials = self.columns[..if m.arguments[0] == "four" { 4 } else { 10 }].to_vec();
        if m.arguments[0] == "mixed" {
            for (column, trial) in trials.iter_mut().enumerate() {
                for (row, cell) in trial.iter_mut().enumerate() {
                    *cell += ((row * (7 + 2 * column) * 37 % 101) as f64 - 50.0) / 20_000.0;
                }
            }
        }
        let trials: Vec<&[f64]> = trials.iter().map(Vec::as_slice).collect();
        let found = backtest_overfitting(&trials, m.count(1)).unwrap();
        match m.part {
            "probability" => Some(found.probability),
            "probability_of_loss" => Some(found.probability_of_loss),
            "slope" => found.slope,
            "intercept" => found.intercept,
            _ => Some(found.logits[m.index()]),
        }
    }
}

fn splits(m: &Metric<'_>) -> Value {
    let splits = PurgedSplits::new(m.count(0), m.count(1), m.count(2), m.count(3), m.count(4)).unwrap();
    match m.part {
        "n_splits" => return Value::Number(Some(splits.n_splits() as f64)),
        "n_paths" => return Value::Number(Some(splits.n_paths() as f64)),
        _ => {}
    }
    let split = splits.into_iter().nth(m.index()).unwrap();
    let ranges = |ranges: &[std::ops::Range<usize>]| {
        ranges.iter().map(|r| format!("{}-{}", r.start, r.end)).collect::<Vec<_>>().join(" ")
    };
    let path: Vec<String> = split.path.iter().map(usize::to_string).collect();
    Value::Text(format!("{} | {} | {}", ranges(&split.train), ranges(&split.test), path.join(" ")))
}

fn scheme(name: &str, length: f64) -> Scheme {
    match name {
        "stationary" => Scheme::Stationary { mean_length: length },
        "circular" => Scheme::Circular { length: length as usize },
        "moving" => Scheme::Moving { length: length as usize },
        other => panic!("no such scheme: {other}"),
    }
}

/// Scheme, length, replications and seed from the given argument on.
fn plan(m: &Metric<'_>, from: usize) -> Bootstrap {
    Bootstrap {
        scheme: scheme(m.arguments[from], m.at(from + 1)),
        replications: m.count(from + 2),
        seed: m.count(from + 3) as u64,
    }
}
