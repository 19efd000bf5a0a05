//! How sure the result is: the chance that the Sharpe ratio is luck, intervals, and the ratios beside both benchmarks.

use crate::figures::{Curves, Figures};
use crate::mandate::FinancingPart;
use serde::Serialize;
use tradegraph_domain::Date;
use tradegraph_quant::performance::{
    Bootstrap, Capture, IntervalMethod, Regression, RiskFree, Scheme, Sharpe, cagr, calmar, capture,
    downside_deviation, excess_kurtosis, expected_shortfall, hit_rate, information_ratio, interval, max_drawdown,
    omega, optimal_block_length, regression, returns, sample_variance, sharpe, skewness, sortino, tail_ratio,
    tracking_error, ulcer_index, value_at_risk, volatility,
};

/// Samples of a bootstrap: the error of a bound at 2.5 % is about 0.5 points of probability.
const REPLICATIONS: usize = 1_000;
/// Ratios of other mandates below which their variance says nothing.
const LEAST_TRIALS: usize = 3;

/// A confidence interval at 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bounds {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// What the Sharpe ratio is worth. Ratios are annualised, probabilities from 0 to 1.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Evidence {
    /// What returns are measured against.
    pub risk_free: String,
    /// Sharpe ratio of the returns in excess of it.
    pub sharpe: Option<f64>,
    /// Its standard error.
    pub sharpe_error: Option<f64>,
    /// Probability that the true ratio is above zero.
    pub probabilistic: Option<f64>,
    /// Different mandates on these data, this one included.
    pub trials: usize,
    /// Standard deviation of their ratios.
    pub trials_deviation: Option<f64>,
    /// True if too few of their ratios are known, so that the ratio's own standard error stands for it.
    pub trials_assumed: bool,
    /// The ratio that the best of so many trials is expected to show by luck alone.
    pub lucky: Option<f64>,
    /// Probability that the true ratio is above that one.
    pub deflated: Option<f64>,
    /// Years after which a ratio like this one is above zero with 95 %.
    pub minimum_years: Option<f64>,
    /// Years on the curve.
    pub years: Option<f64>,
    /// Of the ratio, by bootstrap.
    pub sharpe_interval: Option<Bounds>,
    /// Of the growth a year, by bootstrap.
    pub growth_interval: Option<Bounds>,
    /// Mean rows of a block of the bootstrap.
    pub block: f64,
}

/// The rate of each return of a curve, and its name. ACT/360 as nights are financed; nothing where none is named.
pub fn risk_free(financing: Option<&FinancingPart>, dates: &[Date]) -> (Vec<f64>, String) {
    let steps = dates.len().saturating_sub(1);
    let benchmark = financing.map(|f| if f.cash.benchmark.is_empty() { &f.margin } else { &f.cash });
    let Some(rate) = benchmark.filter(|r| !r.benchmark.is_empty()) else {
        return (vec![0.0; steps], "zero: the mandate names no benchmark rate".to_owned());
    };
    let at = |day: Date| {
        let row = rate.benchmark.partition_point(|(from, _)| *from <= day).checked_sub(1);
        row.and_then(|r| rate.benchmark.get(r)).map_or(0.0, |(_, nano)| *nano as f64 / 1e9)
    };
    let of = |(a, b): (&Date, &Date)| at(*a) * f64::from(b.0.saturating_sub(a.0)) / 360.0;
    let rates = dates.iter().zip(dates.iter().skip(1)).map(of).collect();
    (rates, "financing.benchmark of the mandate, ACT/360".to_owned())
}

impl Evidence {
    /// From the account's curve. `seed` is that of the bootstrap.
    pub fn of(figures: &Figures, curves: &Curves, financing: Option<&FinancingPart>, seed: u64) -> Evidence {
        let (rates, name) = risk_free(financing, &curves.dates);
        let mut e = Evidence { risk_free: name, trials: figures.trials, ..Evidence::default() };
        let (Some(per_year), Some(steps)) = (figures.days_per_year, returns(&curves.net)) else { return e };
        e.years = Some(steps.len() as f64 / per_year);
        let Some(ratio) = sharpe(&steps, RiskFree::Series(&rates), per_year) else { return e };
        let root = per_year.sqrt();
        (e.sharpe, e.sharpe_error) = (Some(ratio.annual), Some(ratio.error_annual));
        e.probabilistic = ratio.probability_above(0.0);
        e.minimum_years = ratio.minimum_track_record(0.0, 0.95).map(|rows| rows / per_year);
        e.deflate(&ratio, figures, root);
        let over: Vec<f64> = steps.iter().zip(&rates).map(|(r, f)| r - f).collect();
        e.block = optimal_block_length(&over).map_or(1.0, |b| b.stationary.max(1.0));
        let plan = Bootstrap { scheme: Scheme::Stationary { mean_length: e.block }, replications: REPLICATIONS, seed };
        let bounds = |x: &[f64], statistic: &dyn Fn(&[f64]) -> Option<f64>| {
            let found = interval(x, statistic, &plan, IntervalMethod::Percentile, 0.95).ok()?;
            Some(Bounds { low: found.low, high: found.high })
        };
        e.sharpe_interval = bounds(&over, &|x| sharpe(x, RiskFree::Zero, per_year).map(|s| s.annual));
        if figures.net.cagr.is_some() {
            e.growth_interval = bounds(&steps, &|x| {
                let growth = x.iter().fold(1.0, |level, r| level * (1.0 + r));
                cagr(&[1.0, growth], per_year / x.len() as f64)
            });
        }
        e
    }

    fn deflate(&mut self, ratio: &Sharpe, figures: &Figures, root: f64) {
        let mut known = figures.trial_sharpes.clone();
        known.push(ratio.annual);
        let variance = sample_variance(&known).filter(|v| known.len() >= LEAST_TRIALS && *v > 0.0);
        self.trials_assumed = variance.is_none() && self.trials > 1;
        let variance = variance.unwrap_or(ratio.error_annual * ratio.error_annual);
        let deflated = ratio.deflated(self.trials.max(1), variance / (root * root));
        self.trials_deviation = (self.trials > 1).then_some(variance.sqrt());
        (self.lucky, self.deflated) = (deflated.map(|d| d.benchmark * root), deflated.map(|d| d.probability));
    }
}

/// One ratio of the account and its benchmarks.
#[derive(Clone, Debug, Serialize)]
pub struct Ratio {
    /// Its name.
    pub name: &'static str,
    /// True if it is a fraction that people read in per cent.
    pub percent: bool,
    /// The account.
    pub account: Option<f64>,
    /// Equal weight.
    pub equal_weight: Option<f64>,
    /// Buy and hold.
    pub buy_and_hold: Option<f64>,
}

/// How the account moves with equal weight.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Against {
    /// Slope.
    pub beta: Option<f64>,
    /// Jensen's alpha a year, a fraction, not compounded.
    pub alpha: Option<f64>,
    /// Its standard error.
    pub alpha_error: Option<f64>,
    /// Share of the variance that equal weight explains.
    pub r_squared: Option<f64>,
    /// Volatility of the difference.
    pub tracking_error: Option<f64>,
    /// Sharpe ratio of the difference.
    pub information_ratio: Option<f64>,
    /// Growth while equal weight rose, as a multiple of its own.
    pub up_capture: Option<f64>,
    /// The same while it fell.
    pub down_capture: Option<f64>,
}

/// The ratios of the three curves; empty without a year of days.
pub fn ratios(figures: &Figures, curves: &Curves, rates: &[f64]) -> Vec<Ratio> {
    let Some(per_year) = figures.days_per_year else { return vec![] };
    type Of<'a> = &'a dyn Fn(&[f64], &[f64]) -> Option<f64>;
    let free = RiskFree::Series(rates);
    let long = figures.net.cagr.is_some();
    let list: [(&str, bool, Of<'_>); 17] = [
        ("Growth a year (CAGR)", true, &|e, _| cagr(e, per_year).filter(|_| long)),
        ("Total return", true, &|e, _| tradegraph_quant::performance::total_return(e)),
        ("Volatility a year", true, &|_, r| volatility(r, per_year)),
        ("Sharpe ratio", false, &|_, r| sharpe(r, free, per_year).map(|s| s.annual)),
        ("Sortino ratio", false, &|_, r| sortino(r, free, per_year)),
        ("Calmar ratio", false, &|e, _| calmar(e, per_year).filter(|_| long)),
        ("Omega ratio", false, &|_, r| omega(r, free)),
        ("Deepest fall", true, &|e, _| max_drawdown(e).map(|d| d.depth)),
        ("Ulcer index", true, &|e, _| ulcer_index(e)),
        ("Downside deviation a year", true, &|_, r| downside_deviation(r, free, per_year)),
        ("Value at risk of a day, 95 %", true, &|_, r| value_at_risk(r, 0.05)),
        ("Expected shortfall of a day, 95 %", true, &|_, r| expected_shortfall(r, 0.05)),
        ("Best day", true, &|_, r| r.iter().copied().max_by(f64::total_cmp)),
        ("Days that gained", true, &|_, r| hit_rate(r)),
        ("Tail ratio", false, &|_, r| tail_ratio(r)),
        ("Skewness", false, &|_, r| skewness(r)),
        ("Excess kurtosis", false, &|_, r| excess_kurtosis(r)),
    ];
    let all = [&curves.net, &curves.benchmark, &curves.held].map(|e| (e, returns(e)));
    let rows = list.into_iter().map(|(name, percent, of)| {
        let [account, equal_weight, buy_and_hold] = all.each_ref().map(|(e, r)| r.as_ref().and_then(|r| of(e, r)));
        Ratio { name, percent, account, equal_weight, buy_and_hold }
    });
    rows.collect()
}

/// The account against equal weight.
pub fn against(figures: &Figures, curves: &Curves, rates: &[f64]) -> Against {
    let of = || {
        let per_year = figures.days_per_year?;
        let (own, theirs) = (returns(&curves.net)?, returns(&curves.benchmark)?);
        let line: Option<Regression> = regression(&own, &theirs, RiskFree::Series(rates), per_year);
        let sides: Option<Capture> = capture(&own, &theirs, per_year);
        Some(Against {
            beta: line.map(|l| l.beta),
            alpha: line.map(|l| l.alpha_annual),
            alpha_error: line.map(|l| l.alpha_error_per_period * per_year),
            r_squared: line.and_then(|l| l.r_squared),
            tracking_error: tracking_error(&own, &theirs, per_year),
            information_ratio: information_ratio(&own, &theirs, per_year).map(|s| s.annual),
            up_capture: sides.and_then(|s| s.up),
            down_capture: sides.and_then(|s| s.down),
        })
    };
    of().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradegraph_engine::Rate;

    fn check(known: &[f64], trials: usize, assumed: bool, deviation: f64) {
        let mut figures = Figures { trials, trial_sharpes: known.to_vec(), ..Figures::default() };
        figures.days_per_year = Some(252.0);
        let mut e = Evidence { trials, ..Evidence::default() };
        let ratio = Sharpe::from_moments(1_250, 0.1, -3.0, 10.0, 252.0).unwrap();
        e.deflate(&ratio, &figures, 252.0_f64.sqrt());
        assert_eq!(e.trials_assumed, assumed);
        assert!((e.trials_deviation.unwrap() - deviation).abs() < 1e-5, "{e:?}");
    }

    #[test]
    fn the_spread_of_trials_is_known_or_assumed() {
        // The own ratio is 0.1 √252 = 1.58745; with 0 and 0.5 the sample deviation of three is √(1.31751 / 2).
        check(&[0.0, 0.5], 3, false, 0.811_64);
        // One other ratio is too few: the own error √((1 + 0.3 + 9/4 · 0.01) / 1249) √252 stands for it.
        check(&[0.5], 2, true, ((1.0 + 0.3 + 0.0225) / 1_249.0_f64).sqrt() * 252.0_f64.sqrt());
    }

    #[test]
    fn the_published_deflated_ratio_comes_out() {
        // Bailey and López de Prado, Journal of Portfolio Management 40 (2014), numerical example: annual ratio 2.5 of
        // 1,250 days (250 a year), variance of 100 trials' annual ratios 0.5, skewness −3, kurtosis 10: 0.9004.
        let ratio = Sharpe::from_moments(1_250, 2.5 / 250.0_f64.sqrt(), -3.0, 10.0, 250.0).unwrap();
        let found = ratio.deflated(100, 0.5 / 250.0).unwrap();
        assert!((found.probability - 0.9004).abs() < 5e-5, "{found:?}");
        assert!((found.benchmark - 0.1132).abs() < 5e-5, "{found:?}");
    }

    #[test]
    fn a_named_rate_accrues_by_calendar_days() {
        let dates = [Date(0), Date(1), Date(4)];
        let part = FinancingPart {
            borrow_nano: 0,
            borrow_of: vec![],
            margin: Rate::default(),
            cash: Rate { benchmark: vec![(Date(0), 36_000_000), (Date(2), 72_000_000)], spread_nano: -1 },
        };
        let (rates, name) = risk_free(Some(&part), &dates);
        // 3.6 % / 360 is a ten-thousandth a day; the rate of the day on which a night begins holds for the step.
        assert!((rates[0] - 1e-4).abs() < 1e-15 && (rates[1] - 3e-4).abs() < 1e-15 && name.contains("ACT/360"));
        assert_eq!(risk_free(None, &dates).0, [0.0, 0.0]);
    }
}
