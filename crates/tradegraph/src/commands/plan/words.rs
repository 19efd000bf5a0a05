//! What a plan says on the terminal: plain words, the bad news first.

use super::{Basis, Plan, Scenario};
use crate::figures::money;

/// `37.3 %`; small numbers keep two digits that mean something.
pub(super) fn percent(x: f64) -> String {
    let p = 100.0 * x;
    match p.abs() {
        a if a >= 10_000.0 => format!("{} %", grouped(p.round())),
        a if a >= 1.0 || a == 0.0 => format!("{p:.1} %"),
        a if a >= 0.1 => format!("{p:.2} %"),
        _ => format!("{p:.3} %"),
    }
}

pub(super) fn grouped(x: f64) -> String {
    money(&format!("{x:.0}")).trim_end_matches(".00").to_owned()
}

/// A multiple of the start as an amount.
fn amount(x: f64) -> String {
    money(&format!("{x:.2}"))
}

/// A probability in words; what was never counted is "less than".
pub(super) fn chance(reached: f64, at_most: f64) -> String {
    if reached <= 0.0 {
        return format!("none of the futures; less than {} at 95 % confidence", percent(at_most));
    }
    if reached < 0.1 {
        return format!("{} (1 in {})", percent(reached), grouped((1.0 / reached).round()));
    }
    percent(reached)
}

impl Plan {
    /// What it asks for, in sentences.
    pub(super) fn asks(&self) -> Vec<String> {
        let r = &self.required;
        let mut out = vec![format!(
            "{} → {} in {} month{} is {} times the money: {} a month, {} a year, {} every trading day, after all costs and \
             without one slip",
            amount(self.start),
            amount(self.target),
            self.months,
            if self.months == 1 { "" } else { "s" },
            if r.multiple >= 100.0 { grouped(r.multiple) } else { format!("{:.1}", r.multiple) },
            percent(r.per_month),
            percent(r.per_year),
            percent(r.per_day),
        )];
        if let Some(after) = r.per_month_after_a_loss {
            out.push(format!("one month of -20 % and each other month must make {}", percent(after)));
        }
        if let Some(years) = r.years_at_ten_percent {
            out.push(format!(
                "at 10 % a year, about what US stocks made since 1928 (Damodaran, New York University), it takes {years:.0} \
                 year{}; the best long record known, Renaissance's Medallion fund, made 63 % a year before fees from 1988 to \
                 2018 (Cornell, Journal of Portfolio Management 46 (2020) 156)",
                if years.round() == 1.0 { "" } else { "s" }
            ));
        }
        if let Some(sharpe) = r.sharpe {
            out.push(format!(
                "to expect it, even with perfect sizing (full Kelly), takes a Sharpe ratio of {sharpe:.2} a year, at a volatility \
                 of {} a year; whoever sizes so loses half of the account at some time with a probability of one half",
                percent(sharpe)
            ));
        }
        out.push(self.judgement());
        out
    }

    /// One sentence for people who read one sentence.
    fn judgement(&self) -> String {
        let r = self.required.per_year;
        if r > 0.633 {
            "nobody is known to have grown money at this rate for long: take it as a wish, not as a plan".to_owned()
        } else if r > 0.2 {
            "very few have grown money at this rate for long: most who try take risks that end the account".to_owned()
        } else if r > 0.1 {
            "more than stocks have paid: it needs skill or risk, and most funds do not have the skill after costs"
                .to_owned()
        } else {
            "within what diversified stocks have paid over decades; bad decades happened too".to_owned()
        }
    }

    /// What futures are made of, in sentences.
    pub(super) fn rests(&self) -> Vec<String> {
        let Some(b) = &self.basis else { return vec![] };
        let mut out = Vec::new();
        if let (Some(run), Some(days), Some(years), Some(error)) = (&b.run, b.days, b.years, b.mean_error) {
            out.push(format!(
                "run {run}: {days} days ({years:.1} years), mean {} a day with a standard error of {}, deviation {}; it grew by \
                 {} a month",
                percent(b.mean),
                percent(error),
                percent(b.deviation),
                percent(b.growth_per_month)
            ));
            if let Some(block) = b.block {
                out.push(format!(
                    "futures draw its days in blocks of {block:.1} days on average, so that streaks stay together"
                ));
            }
            let n = b.trials.unwrap_or(1);
            if n > 1 {
                out.push(format!(
                    "{n} mandates were tried on its data: a result picked from {n} is luck in part, and these numbers do not \
                     take that off (tradegraph sweep does)"
                ));
            }
            out.push("a simulation of past prices: fills, costs and crowds of the future can be worse".to_owned());
        } else {
            out.push(format!(
                "assumed, not measured: mean {} a day, deviation {}, days independent and log-normal; real days have fatter tails",
                percent(b.mean),
                percent(b.deviation)
            ));
        }
        out.push(format!(
            "nobody trades on after a loss of {}; {} futures, seed {}",
            percent(self.ruin_loss),
            grouped(f64::from(self.paths)),
            self.seed
        ));
        out
    }

    /// A share that was counted; of none, what may still be.
    pub(super) fn share(&self, x: f64) -> String {
        if x > 0.0 { percent(x) } else { format!("less than {}", percent(super::at_most(0.0, self.paths as usize))) }
    }

    fn scenario(&self, s: &Scenario) -> Vec<String> {
        let formula = match (s.formula_reached, s.formula_ruined) {
            (Some(a), Some(b)) => format!(" (formula for independent days: {} and {})", percent(a), percent(b)),
            _ => String::new(),
        };
        vec![
            format!("  {}: the target is reached by {}", s.name, chance(s.reached, s.reached_at_most)),
            format!(
                "    ruined first {}, ruined at all {}, below the start at the end {}, median {}{formula}",
                self.share(s.ruined),
                self.share(s.ruined_ever),
                percent(s.below_start),
                amount(self.start * s.median),
            ),
        ]
    }

    fn against(&self, b: &Basis) -> String {
        let (need, have) = (self.required.per_month, b.growth_per_month);
        let of = if b.run.is_some() { "the run made" } else { "the assumption makes" };
        match tradegraph_quant::growth::periods_needed(self.start, self.target, have) {
            Some(months) => format!(
                "needed {} a month, {of} {}: at that rate the target is {} years away",
                percent(need),
                percent(have),
                grouped((months / 12.0).ceil())
            ),
            None => format!(
                "needed {} a month, {of} {}: at that rate the target is never reached",
                percent(need),
                percent(have)
            ),
        }
    }

    /// Everything, line by line.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut part = |name: &str, lines: Vec<String>| {
            for (at, line) in lines.into_iter().enumerate() {
                out.push(format!("{:<14}{line}", if at == 0 { name } else { "" }));
            }
        };
        part("target", self.asks());
        if let Some(b) = &self.basis {
            part("compare", vec![self.against(b)]);
            part("futures", self.scenarios.iter().flat_map(|s| self.scenario(s)).collect());
            let kelly = b.kelly_leverage.map(|k| {
                if k > 0.0 {
                    format!(
                        "{k:.1} times the account as traded, if mean and deviation were known; they are not, so half of it or less"
                    )
                } else {
                    "0: the mean is not above 0, so every stake is too much".to_owned()
                }
            });
            part("Kelly", kelly.into_iter().collect());
        }
        for o in &self.odds {
            let mut lines = vec![format!(
                "{}: won with {}, pays {:.2} for 1: expected value {:+.4} for 1 staked; Kelly's fraction {}",
                o.name,
                percent(o.win),
                o.payoff,
                o.expected_value,
                if o.kelly > 0.0 { percent(o.kelly) } else { "0: do not bet".to_owned() }
            )];
            if let Some(bets) = o.bets {
                lines.push(format!("at Kelly's fraction the target is {} bets away on average", grouped(bets.ceil())));
            }
            if let (Some(stake), Some(ruin)) = (o.stake, o.ruin) {
                lines.push(format!(
                    "stakes of {} of the start each: ruined before the target with {} (gambler's ruin, without a deadline)",
                    percent(stake),
                    percent(ruin)
                ));
            }
            part("bet", lines);
        }
        part("rests on", self.rests());
        if self.basis.is_none() {
            part(
                "next",
                vec!["give --run RUN, or --mean and --volatility, for the probability to get there".to_owned()],
            );
        }
        out
    }
}
