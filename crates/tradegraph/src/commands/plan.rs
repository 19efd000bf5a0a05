//! `tradegraph plan`: what a target asks for, and how likely it is with what was measured. It says the bad news first.

mod page;
mod words;

use crate::cli::Context;
use crate::commands::again::again;
use crate::failure::{Failure, Kind};
use crate::home::{cannot, write_whole};
use serde::Serialize;
use serde_json::json;
use std::path::PathBuf;
use tradegraph_quant::fan::{Fan, Returns, Venture, simulate};
use tradegraph_quant::growth::{Bet, periods_needed, required_growth, required_sharpe};
use tradegraph_quant::performance::{
    RiskFree, Scheme, hit_rate, kelly_leverage, optimal_block_length, payoff, returns, sample_variance,
};
use tradegraph_quant::ruin::{Brownian, STEP_SHIFT, gamblers_ruin};

/// Trading days of a year, where no run says how many its curve has.
const DAYS: f64 = 252.0;

/// What can be typed behind `plan`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// What the account begins with
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub start: f64,
    /// What it shall become
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub target: f64,
    /// Time for it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=600))]
    pub months: u16,
    /// Measured results: the daily returns of a finished run
    #[arg(long, value_name = "RUN", conflicts_with_all = ["mean", "volatility"])]
    pub run: Option<String>,
    /// Assumed results: expected return a year, as 12%
    #[arg(long, value_name = "SHARE", value_parser = share, allow_hyphen_values = true, requires = "volatility")]
    pub mean: Option<f64>,
    /// Assumed volatility a year, as 15%
    #[arg(long, value_name = "SHARE", value_parser = share, requires = "mean")]
    pub volatility: Option<f64>,
    /// Ruin: the loss at which the account stops
    #[arg(long, value_name = "SHARE", default_value = "50%", value_parser = loss)]
    pub ruin: f64,
    /// A bet: probability to win, as 55%
    #[arg(long, value_name = "SHARE", value_parser = loss, requires = "payoff")]
    pub win: Option<f64>,
    /// A bet: what a win pays for one lost, as 1.5
    #[arg(long, value_name = "NUMBER", value_parser = amount, requires = "win")]
    pub payoff: Option<f64>,
    /// A bet: the stake, as a share of the start
    #[arg(long, value_name = "SHARE", default_value = "2%", value_parser = loss)]
    pub stake: f64,
    /// Futures that are simulated
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=200_000))]
    pub paths: u32,
    /// Seed of the simulation
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Where the page goes [default: plans/ of the home]
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

fn amount(text: &str) -> Result<f64, String> {
    let number: f64 = text.replace([',', '_'], "").parse().map_err(|_| "is not a number".to_owned())?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err("must be above 0".to_owned()) }
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').ok_or("a share is written with %, as 12%")?;
    let number: f64 = number.trim().parse().map_err(|_| "is not a number".to_owned())?;
    if number.is_finite() && number > -100.0 && number <= 100_000.0 {
        Ok(number / 100.0)
    } else {
        Err("must be above -100 % and at most 100000 %".to_owned())
    }
}

fn loss(text: &str) -> Result<f64, String> {
    share(text).and_then(|x| if x > 0.0 && x < 1.0 { Ok(x) } else { Err("must be between 0 % and 100 %".to_owned()) })
}

/// What the target asks for, whoever trades.
#[derive(Clone, Debug, Serialize)]
pub struct Required {
    /// Target over start.
    pub multiple: f64,
    /// Growth a month, fraction.
    pub per_month: f64,
    /// Growth a year, fraction.
    pub per_year: f64,
    /// Growth a trading day, fraction.
    pub per_day: f64,
    /// Growth a month in the rest if one month loses a fifth; absent for one month.
    pub per_month_after_a_loss: Option<f64>,
    /// The least yearly Sharpe ratio with which it can be expected.
    pub sharpe: Option<f64>,
    /// Years at 10 % a year.
    pub years_at_ten_percent: Option<f64>,
}

/// What futures are made of.
#[derive(Clone, Debug, Serialize)]
pub struct Basis {
    /// `measured` or `assumed`.
    pub kind: &'static str,
    /// The run.
    pub run: Option<String>,
    /// Days that were measured.
    pub days: Option<usize>,
    /// Years of them.
    pub years: Option<f64>,
    /// Days a year.
    pub days_per_year: f64,
    /// Different mandates tried on its data.
    pub trials: Option<usize>,
    /// Mean daily return.
    pub mean: f64,
    /// Its standard error.
    pub mean_error: Option<f64>,
    /// Standard deviation of a day.
    pub deviation: f64,
    /// Growth a month that comes of it, compounded.
    pub growth_per_month: f64,
    /// Mean length of a block of the bootstrap, in days.
    pub block: Option<f64>,
    /// Leverage with the largest expected log growth.
    pub kelly_leverage: Option<f64>,
}

/// One way to see the future, and what becomes of the account in it.
#[derive(Clone, Debug, Serialize)]
pub struct Scenario {
    /// What is taken for granted.
    pub name: &'static str,
    /// Mean daily return in it.
    pub mean: f64,
    /// Share of futures that reach the target in time.
    pub reached: f64,
    /// The highest probability that fits what was counted, at 95 %.
    pub reached_at_most: f64,
    /// Share that is ruined before.
    pub ruined: f64,
    /// Share that is ruined at any time until the deadline.
    pub ruined_ever: f64,
    /// Share that ends below the start.
    pub below_start: f64,
    /// Median at the end, as a multiple of the start.
    pub median: f64,
    /// The same two by formula, for independent days; absent where a day can lose everything.
    pub formula_reached: Option<f64>,
    /// Probability of ruin before the target by formula.
    pub formula_ruined: Option<f64>,
}

/// A bet with two outcomes and what it is worth.
#[derive(Clone, Debug, Serialize)]
pub struct Odds {
    /// Where it is from.
    pub name: String,
    /// Probability to win.
    pub win: f64,
    /// Win for one lost.
    pub payoff: f64,
    /// Expected value for one staked.
    pub expected_value: f64,
    /// Kelly's fraction.
    pub kelly: f64,
    /// Expected log growth a bet at Kelly's fraction; 0 if that is not above 0.
    pub growth: f64,
    /// Bets until the target at that growth.
    pub bets: Option<f64>,
    /// Fixed stakes, as a share of the start; for bets that pay one for one.
    pub stake: Option<f64>,
    /// Probability of ruin before the target with them: gambler's ruin.
    pub ruin: Option<f64>,
}

/// All of a plan.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    start: f64,
    target: f64,
    months: u16,
    ruin_loss: f64,
    paths: u32,
    seed: u64,
    required: Required,
    basis: Option<Basis>,
    scenarios: Vec<Scenario>,
    odds: Vec<Odds>,
    #[serde(skip)]
    fan: Option<Fan>,
}

/// Runs the command.
pub fn run(context: &Context, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.target <= arguments.start {
        let what = format!("the target {} is not above the start {}", arguments.target, arguments.start);
        return Err(Failure::new(Kind::Usage, what).next("a plan is for a target that must be earned"));
    }
    let plan = plan(context, arguments)?;
    plan.lines().iter().for_each(|line| context.out.say(line));
    let mut value = serde_json::to_value(&plan).unwrap_or_default();
    if let (Some(fan), Some(object)) = (&plan.fan, value.as_object_mut()) {
        object.insert(
            "fan".to_owned(),
            json!({ "days": fan.periods, "quantiles": tradegraph_quant::fan::QUANTILES, "levels": fan.quantiles }),
        );
    }
    if plan.fan.is_some() {
        let path = where_to(context, arguments, &value.to_string())?;
        write_whole(&path, plan.page().as_bytes())?;
        context.out.say(&format!("page          {}", path.display()));
        if let Some(object) = value.as_object_mut() {
            object.insert("page".to_owned(), json!(path.display().to_string()));
        }
    }
    context.out.result(&value);
    Ok(())
}

fn where_to(context: &Context, arguments: &Arguments, content: &str) -> Result<PathBuf, Failure> {
    if let Some(path) = &arguments.html {
        return Ok(path.clone());
    }
    let folder = context.home.path().join("plans");
    std::fs::create_dir_all(&folder).map_err(|e| cannot("made", &folder, &e))?;
    let hash = blake3::hash(content.as_bytes()).to_hex();
    let path = folder.join(format!("plan-{}.html", hash.chars().take(8).collect::<String>()));
    Ok(std::path::absolute(&path).unwrap_or(path))
}

fn plan(context: &Context, a: &Arguments) -> Result<Plan, Failure> {
    let measured = a.run.as_deref().map(|run| again(context, run)).transpose()?;
    let days_per_year = measured.as_ref().and_then(|m| m.figures.days_per_year).unwrap_or(DAYS);
    let required = required(a, days_per_year)?;
    let mut plan = Plan {
        start: a.start,
        target: a.target,
        months: a.months,
        ruin_loss: a.ruin,
        paths: a.paths,
        seed: a.seed,
        required,
        basis: None,
        scenarios: vec![],
        odds: vec![],
        fan: None,
    };
    if let (Some(win), Some(payoff)) = (a.win, a.payoff) {
        plan.odds.push(odds("the bet", win, payoff, a, Some(a.stake))?);
    }
    if let Some(m) = measured {
        let days = returns(&m.curves.net).filter(|r| r.len() >= 60).ok_or_else(|| {
            Failure::new(Kind::Failed, format!("run '{}' has too few days to measure, or lost everything", m.id))
                .next("60 days with an account above 0 are needed")
        })?;
        let odds = hit_rate(&days).zip(payoff(&days)).map(|(w, p)| odds("a day of the run", w, p, a, None));
        plan.odds.extend(odds.transpose()?);
        measure(&mut plan, a, &m, &days, days_per_year)?;
    } else if let (Some(mean), Some(volatility)) = (a.mean, a.volatility) {
        assume(&mut plan, a, mean, volatility)?;
    }
    Ok(plan)
}

fn required(a: &Arguments, days_per_year: f64) -> Result<Required, Failure> {
    let months = f64::from(a.months);
    let undefined = || Failure::new(Kind::Usage, "the target is out of all proportion to the start");
    let of = |periods: f64| required_growth(a.start, a.target, periods).ok_or_else(undefined);
    Ok(Required {
        multiple: a.target / a.start,
        per_month: of(months)?,
        per_year: of(months / 12.0)?,
        per_day: of(months / 12.0 * days_per_year)?,
        per_month_after_a_loss: required_growth(0.8 * a.start, a.target, months - 1.0),
        sharpe: required_sharpe((a.target / a.start).ln() * 12.0 / months),
        years_at_ten_percent: periods_needed(a.start, a.target, 0.1),
    })
}

fn odds(name: &str, win: f64, payoff: f64, a: &Arguments, stake: Option<f64>) -> Result<Odds, Failure> {
    let bet =
        Bet::new(win, payoff, 1.0).ok_or_else(|| Failure::new(Kind::Usage, "a bet needs a chance and a payoff"))?;
    let kelly = bet.kelly();
    let growth = if kelly > 0.0 { bet.log_growth(kelly) } else { 0.0 };
    // Whole stakes that fit between start and ruin, and between start and target.
    let even = stake.filter(|_| (payoff - 1.0).abs() < 1e-12);
    let ruin = even.and_then(|stake| {
        // A whole number of stakes is one although its division is not.
        let stakes = |share: f64| (share / stake - 1e-9).ceil();
        let (down, up) = (stakes(a.ruin), stakes(a.target / a.start - 1.0));
        let goal = (up < f64::from(u32::MAX / 2)).then_some((down + up) as u32);
        gamblers_ruin(win, down as u32, goal)
    });
    Ok(Odds {
        name: name.to_owned(),
        win,
        payoff,
        expected_value: bet.expected_value(),
        kelly,
        growth,
        bets: Some((a.target / a.start).ln() / growth).filter(|n| n.is_finite()),
        stake: even,
        ruin,
    })
}

/// Futures from the days of a run.
fn measure(
    plan: &mut Plan,
    a: &Arguments,
    m: &crate::commands::again::Again,
    days: &[f64],
    days_per_year: f64,
) -> Result<(), Failure> {
    let n = days.len() as f64;
    let mean = days.iter().sum::<f64>() / n;
    let deviation = sample_variance(days).unwrap_or_default().sqrt();
    let error = deviation / n.sqrt();
    let block = optimal_block_length(days).map_or(1.0, |b| b.stationary.max(1.0));
    let last = m.curves.net.last().zip(m.curves.net.first()).map_or(1.0, |(b, a)| b / a);
    plan.basis = Some(Basis {
        kind: "measured",
        run: Some(m.id.clone()),
        days: Some(days.len()),
        years: Some(n / days_per_year),
        days_per_year,
        trials: Some(m.figures.trials),
        mean,
        mean_error: Some(error),
        deviation,
        growth_per_month: last.powf(days_per_year / 12.0 / n) - 1.0,
        block: Some(block),
        kelly_leverage: kelly_leverage(days, RiskFree::Zero),
    });
    let scheme = Scheme::Stationary { mean_length: block };
    let cases = [("as measured", 0.0), ("one standard error worse", error), ("no skill: a mean of 0", mean)];
    for (at, (name, less)) in cases.into_iter().enumerate() {
        let source = Returns::Measured { returns: days, scheme, less };
        let log: Option<Vec<f64>> = days.iter().map(|r| Some((r - less).ln_1p()).filter(|x| x.is_finite())).collect();
        let formula = log.and_then(|log| {
            Brownian::new(log.iter().sum::<f64>() / n, sample_variance(&log).unwrap_or_default().sqrt())
        });
        future(plan, a, (name, mean - less), source, formula, at == 0)?;
    }
    Ok(())
}

/// Futures from assumed numbers.
fn assume(plan: &mut Plan, a: &Arguments, mean: f64, volatility: f64) -> Result<(), Failure> {
    let deviation = volatility / DAYS.sqrt();
    let daily = |mean: f64| (mean.ln_1p() / DAYS).exp_m1();
    plan.basis = Some(Basis {
        kind: "assumed",
        run: None,
        days: None,
        years: None,
        days_per_year: DAYS,
        trials: None,
        mean: daily(mean),
        mean_error: None,
        deviation,
        growth_per_month: ((mean.ln_1p() - 0.5 * volatility * volatility) / 12.0).exp_m1(),
        block: None,
        kelly_leverage: Some(daily(mean) / (deviation * deviation)).filter(|x| x.is_finite()),
    });
    let cases = [("as assumed", mean), ("half the mean", 0.5 * mean), ("no skill: a mean of 0", 0.0)];
    for (at, (name, mean)) in cases.into_iter().enumerate() {
        let source = Returns::LogNormal { mean: daily(mean), deviation };
        let drift = mean.ln_1p() / DAYS - 0.5 * deviation * deviation;
        future(plan, a, (name, daily(mean)), source, Brownian::new(drift, deviation), at == 0)?;
    }
    Ok(())
}

fn future(
    plan: &mut Plan,
    a: &Arguments,
    (name, mean): (&'static str, f64),
    source: Returns<'_>,
    formula: Option<Brownian>,
    first: bool,
) -> Result<(), Failure> {
    let days_per_year = plan.basis.as_ref().map_or(DAYS, |b| b.days_per_year);
    let periods = (f64::from(a.months) / 12.0 * days_per_year).round().max(1.0) as usize;
    let venture = Venture { target: a.target / a.start, ruin: 1.0 - a.ruin, periods };
    let paths = a.paths as usize;
    let points = usize::from(a.months).clamp(12, 120);
    let fan = simulate(venture, source, paths, points, a.seed)
        .map_err(|e| Failure::new(Kind::Failed, format!("the futures of '{name}': {e}")).next("give fewer --paths"))?;
    let shifted = formula.map(|b| {
        let shift = STEP_SHIFT * b.deviation;
        (b, venture.target.ln() + shift, shift - (1.0 - a.ruin).ln(), periods as f64)
    });
    plan.scenarios.push(Scenario {
        name,
        mean,
        reached: fan.reached,
        reached_at_most: at_most(fan.reached, paths),
        ruined: fan.ruined,
        ruined_ever: fan.ruined_ever,
        below_start: fan.below_start,
        median: fan.quantiles.get(3).and_then(|line| line.last()).copied().unwrap_or_default(),
        formula_reached: shifted.and_then(|(b, up, down, time)| b.rises_first(up, down, time)),
        formula_ruined: shifted.and_then(|(b, up, down, time)| b.falls_first(up, down, time)),
    });
    if first {
        plan.fan = Some(fan);
    }
    Ok(())
}

/// The upper end of the one-sided 95 % interval of a share that was counted: Wilson's; of none in `n`, `3 / n`. Sources:
/// Wilson, Journal of the American Statistical Association 22 (1927) 209; Hanley and Lippman-Hand, Journal of the American
/// Medical Association 249 (1983) 1743.
fn at_most(share: f64, n: usize) -> f64 {
    let (n, z) = (n.max(1) as f64, 1.644_853_626_951_472_2);
    if share <= 0.0 {
        return (3.0 / n).min(1.0);
    }
    let centre = share + z * z / (2.0 * n);
    let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    ((centre + spread) / (1.0 + z * z / n)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_seen_may_still_be() {
        assert!((at_most(0.0, 10_000) - 0.0003).abs() < 1e-12);
        // statsmodels.stats.proportion.proportion_confint(100, 1000, alpha=0.1, method="wilson")[1]
        assert!((at_most(0.1, 1_000) - 0.116_700_013_484_075_38).abs() < 1e-12, "{}", at_most(0.1, 1_000));
    }

    #[test]
    fn shares_are_written_with_their_sign() {
        assert_eq!(share("12%"), Ok(0.12));
        assert!(share("0.12").is_err() && share("x%").is_err() && share("-100%").is_err());
        assert!(loss("100%").is_err() && loss("0%").is_err() && amount("0").is_err());
        assert_eq!(amount("10,000,000"), Ok(1e7));
    }
}
