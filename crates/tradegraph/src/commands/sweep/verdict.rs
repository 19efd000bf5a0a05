//! How much of the best member is luck: what is printed beside it.

use super::Arguments;
use crate::sweeps::Outcome;
use serde::Serialize;
use tradegraph_quant::performance::{PurgedSplits, RiskFree, backtest_overfitting, returns, sample_variance, sharpe};

/// One fold of the walk-forward.
#[derive(Clone, Debug, Serialize)]
pub struct Fold {
    /// First day on which it was tested.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Member that was best before: index in the order of the sweep.
    pub chosen: usize,
    /// Its yearly Sharpe ratio before.
    pub before: f64,
    /// Its yearly Sharpe ratio in the fold.
    pub after: Option<f64>,
}

/// The search as a whole.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// Member with the highest Sharpe ratio.
    pub best: Option<usize>,
    /// Yearly ratio of equal weights without costs.
    pub equal_weight: Option<f64>,
    /// Median yearly ratio of all members.
    pub median_sharpe: Option<f64>,
    /// Trials that the ratio is deflated by: the members, and what was tried before on the data.
    pub trials: usize,
    /// Yearly ratio that the best of so many trials without skill is expected to show.
    pub luck: Option<f64>,
    /// Probability, 0 to 1, that the best member's true ratio is above that.
    pub deflated_sharpe: Option<f64>,
    /// Probability of backtest overfitting, 0 to 1.
    pub overfitting: Option<f64>,
    /// Why it is absent.
    pub overfitting_absent: Option<String>,
    /// Yearly ratio of always going on with what was best so far.
    pub walk_forward: Option<f64>,
    /// Why it is absent.
    pub walk_forward_absent: Option<String>,
    /// Its folds.
    pub folds: Vec<Fold>,
}

/// Blocks for the overfitting: sixteen, or fewer for few days.
fn blocks(rows: usize) -> usize {
    [16, 12, 8, 6, 4].into_iter().find(|b| rows / b >= 10).unwrap_or(2)
}

impl Verdict {
    /// Looks at all members; `trials` counts them and earlier ones.
    pub fn of(all: &[Outcome], trials: usize, a: &Arguments) -> Verdict {
        let days = all.first().and_then(|o| o.days_per_year).unwrap_or(252.0);
        // A member that lost everything has no returns; it is ranked last and cannot be chosen.
        let rows: Vec<(usize, Vec<f64>)> =
            all.iter().enumerate().filter_map(|(k, o)| Some((k, returns(&o.net)?))).collect();
        let length = rows.iter().map(|(_, r)| r.len()).max().unwrap_or_default();
        let rows: Vec<(usize, Vec<f64>)> = rows.into_iter().filter(|(_, r)| r.len() == length).collect();
        let ratio = |r: &[f64]| sharpe(r, RiskFree::Zero, days);
        let ratios: Vec<(usize, _)> = rows.iter().filter_map(|(k, r)| Some((*k, ratio(r)?))).collect();
        let mut sorted: Vec<f64> = ratios.iter().map(|(_, s)| s.annual).collect();
        sorted.sort_by(f64::total_cmp);
        let mut out = Verdict {
            trials,
            median_sharpe: sorted.get(sorted.len() / 2).copied(),
            equal_weight: all.first().and_then(|o| o.benchmark_sharpe),
            ..Verdict::default()
        };
        // Of equal ones the first.
        let best = ratios.iter().rev().max_by(|(_, a), (_, b)| a.annual.total_cmp(&b.annual));
        if let Some((k, s)) = best {
            out.best = Some(*k);
            let each: Vec<f64> = ratios.iter().map(|(_, s)| s.per_period).collect();
            let deflated = sample_variance(&each).and_then(|v| s.deflated(trials, v));
            out.luck = deflated.map(|d| d.benchmark * days.sqrt());
            out.deflated_sharpe = deflated.map(|d| d.probability);
        }
        let trials: Vec<&[f64]> = rows.iter().map(|(_, r)| r.as_slice()).collect();
        match backtest_overfitting(&trials, blocks(length)) {
            Ok(o) => out.overfitting = Some(o.probability),
            Err(e) => out.overfitting_absent = Some(e.to_string()),
        }
        out.walk(all, &rows, length, days, a);
        out
    }

    fn walk(&mut self, all: &[Outcome], rows: &[(usize, Vec<f64>)], length: usize, days: f64, a: &Arguments) {
        let (folds, purge) = (usize::from(a.folds), usize::from(a.purge));
        let splits = match PurgedSplits::new(length, folds, 1, purge, 0) {
            Ok(splits) => splits,
            Err(e) => {
                self.walk_forward_absent = Some(e.to_string());
                return;
            }
        };
        let dates = all.first().map(|o| o.dates.as_slice()).unwrap_or_default();
        let mut joined: Vec<f64> = Vec::new();
        for split in splits {
            let Some(test) = split.test.first() else { continue };
            // Forward: what comes after the test is not known at it.
            let Some(train) = split.train.iter().find(|r| r.end <= test.start) else { continue };
            let of = |r: &[f64], range: &std::ops::Range<usize>| {
                r.get(range.clone()).and_then(|part| sharpe(part, RiskFree::Zero, days)).map(|s| s.annual)
            };
            let known = rows.iter().filter_map(|(k, r)| Some((*k, r, of(r, train)?)));
            let Some((chosen, r, before)) =
                known.reduce(|best, next| if next.2.total_cmp(&best.2).is_gt() { next } else { best })
            else {
                continue;
            };
            joined.extend(r.get(test.clone()).unwrap_or_default());
            // A return belongs to the day at its end.
            let day = |row: usize| dates.get(row + 1).cloned().unwrap_or_default();
            let fold = Fold { from: day(test.start), to: day(test.end - 1), chosen, before, after: of(r, test) };
            self.folds.push(fold);
        }
        self.walk_forward = sharpe(&joined, RiskFree::Zero, days).map(|s| s.annual);
        if self.walk_forward.is_none() {
            self.walk_forward_absent = Some("no member traded before any fold".to_owned());
        }
    }

    /// In sentences, for people.
    pub fn lines(&self, best: &str, sharpe: Option<f64>) -> Vec<String> {
        let number = |x: Option<f64>| x.map_or("unknown".to_owned(), |x| format!("{x:.2}"));
        let share = |x: f64| format!("{:.0} %", 100.0 * x);
        let mut out = vec![format!(
            "best          {best}: Sharpe {} a year on the data that chose it; the median of all is {}, equal weight without costs {}",
            number(sharpe),
            number(self.median_sharpe),
            number(self.equal_weight)
        )];
        out.push(match (self.luck, self.deflated_sharpe) {
            (Some(luck), Some(p)) => format!(
                "deflated      the best of {} trials without skill is expected at {luck:.2}; the probability that this one's true \
                 ratio is above that is {}{}",
                self.trials,
                share(p),
                if p < 0.95 { ": not shown to be more than luck" } else { "" }
            ),
            _ => "deflated      unknown: it takes two members whose ratios differ".to_owned(),
        });
        out.push(match (self.overfitting, &self.overfitting_absent) {
            (Some(p), _) => format!(
                "overfitting   with a probability of {} what is best in one half of the days is below the median in the other \
                 (picking blindly has 50 %){}",
                share(p),
                if p >= 0.5 { ": choosing by the past does not help here" } else { "" }
            ),
            (None, why) => format!("overfitting   unknown: {}", why.as_deref().unwrap_or("no members")),
        });
        out.push(match (self.walk_forward, &self.walk_forward_absent) {
            (Some(s), _) => format!(
                "walk-forward  Sharpe {s:.2} a year when each of {} folds goes on with what was best before it: this is what \
                 choosing was worth",
                self.folds.len()
            ),
            (None, why) => format!("walk-forward  unknown: {}", why.as_deref().unwrap_or("no members")),
        });
        out
    }
}
