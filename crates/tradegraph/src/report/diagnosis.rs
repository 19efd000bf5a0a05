//! The automatic diagnosis: what a careful reader would say of a run, each remark with its numbers and what to do next.
//!
//! A check is one function from [`Facts`] to a remark and one line of [`CHECKS`]. Checks say nothing where their numbers
//! are unknown. Thresholds are habits of the trade, written where they are used, not laws.

mod account;
mod facts;
mod skill;
mod trading;

pub use facts::Facts;
use serde::Serialize;

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The result may not mean what it seems to.
    Warning,
    /// Worth knowing.
    Note,
    /// As it should be.
    Good,
}

impl Severity {
    /// The word that is shown.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Note => "note",
            Severity::Good => "good",
        }
    }
}

/// One remark.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Remark {
    /// The check that made it.
    pub check: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was found, with its numbers.
    pub says: String,
    /// The numbers by name.
    pub evidence: Vec<(&'static str, f64)>,
    /// What to do about it.
    pub advice: &'static str,
}

/// What a check gives: nothing, or severity, sentence, numbers and advice.
pub(super) type Found = Option<(Severity, String, Vec<(&'static str, f64)>, &'static str)>;

/// A check: its name and its function.
pub type Check = (&'static str, fn(&Facts) -> Found);

/// All checks in the order in which remarks of one severity are shown.
pub const CHECKS: &[Check] = &[
    ("sharpe-not-different-from-zero", skill::sharpe_not_different_from_zero),
    ("deflated-sharpe-low", skill::deflated_sharpe_low),
    ("short-record", skill::short_record),
    ("benchmark-did-better", skill::benchmark_did_better),
    ("beta-explains-it", skill::beta_explains_it),
    ("one-sided", skill::one_sided),
    ("few-months-make-the-return", skill::few_months_make_the_return),
    ("fading", skill::fading),
    ("regime-dependence", skill::regime_dependence),
    ("fat-left-tail", skill::fat_left_tail),
    ("look-ahead-smell", skill::look_ahead_smell),
    ("too-good", skill::too_good),
    ("many-parameters", skill::many_parameters),
    ("costs-eat-the-edge", trading::costs_eat_the_edge),
    ("no-costs", trading::no_costs),
    ("turnover", trading::turnover),
    ("few-trades", trading::few_trades),
    ("one-trade-makes-the-return", trading::one_trade_makes_the_return),
    ("one-name-makes-the-return", trading::one_name_makes_the_return),
    ("losers-ran", trading::losers_ran),
    ("capacity", trading::capacity),
    ("fills-at-closes", trading::fills_at_closes),
    ("unfilled-orders", trading::unfilled_orders),
    ("agents-that-only-cost", trading::agents_that_only_cost),
    ("suspect-data", account::suspect_data),
    ("survivorship", account::survivorship),
    ("flat-for-long", account::flat_for_long),
    ("drawdown-against-limits", account::drawdown_against_limits),
    ("breakers-tripped", account::breakers_tripped),
    ("agents-stopped", account::agents_stopped),
    ("refusals", account::refusals),
    ("concentration", account::concentration),
    ("leverage", account::leverage),
    ("idle-cash", account::idle_cash),
];

/// What all checks say, the most important first.
pub fn diagnose(facts: &Facts) -> Vec<Remark> {
    let mut out: Vec<Remark> = CHECKS
        .iter()
        .filter_map(|(check, of)| {
            let (severity, says, evidence, advice) = of(facts)?;
            Some(Remark { check, severity, says, evidence, advice })
        })
        .collect();
    out.sort_by_key(|r| r.severity);
    out
}

#[cfg(test)]
mod tests;
