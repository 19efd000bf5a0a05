//! Contradicting opinions about one instrument, and the readable table of rules that resolves them.
//!
//! After all weights, what pulls up and what pulls down are two sums. If both matter, the first rule of the table that
//! applies makes one value of them:
//!
//! | rule | applies | result |
//! |---|---|---|
//! | agreement | the weaker side is less than a hundredth of the largest position | the sum |
//! | caution | the regime is a crisis | nothing is wanted |
//! | trend expert | the market trends and a trend follower is on the side that it backs with at least half of the other side | that side alone |
//! | range expert | the market goes nowhere and a mean-reversion trader likewise | that side alone |
//! | confidence | one side is at least twice as strong | that side alone |
//! | weighted average | otherwise | the sum |

use tradegraph_domain::{Regime, Resolution};

/// What kind of strategy an agent is: which regimes suit it and when it is the expert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Follows trends.
    Trend,
    /// Bets on the return to a mean.
    Reversion,
    /// Holds for long.
    Core,
    /// Anything else.
    #[default]
    Other,
}

/// Weight of each role by regime at 1e-9: trend calm, trend volatile, range calm, range volatile, crisis. Trend following
/// earns in trends and loses in ranges, reversion the other way round; everybody is smaller in a crisis, when what held on
/// average does not. The numbers are a choice, symmetric and round on purpose, and were not fitted to returns.
pub const REGIME_WEIGHTS: [(Role, &str, [i64; 5]); 4] = [
    (Role::Trend, "trend followers", [1_250_000_000, 1_000_000_000, 750_000_000, 500_000_000, 500_000_000]),
    (Role::Reversion, "mean reversion", [750_000_000, 500_000_000, 1_250_000_000, 1_000_000_000, 250_000_000]),
    (Role::Core, "long-term core", [1_000_000_000, 1_000_000_000, 1_000_000_000, 1_000_000_000, 500_000_000]),
    (Role::Other, "others", [1_000_000_000, 1_000_000_000, 1_000_000_000, 1_000_000_000, 500_000_000]),
];

/// The weight of a role in a regime at 1e-9; 1 while the regime is unknown.
#[must_use]
pub fn regime_weight(role: Role, regime: Regime) -> i64 {
    let column = match regime {
        Regime::Unknown => return tradegraph_domain::NANO,
        Regime::TrendCalm => 0,
        Regime::TrendVolatile => 1,
        Regime::RangeCalm => 2,
        Regime::RangeVolatile => 3,
        Regime::Crisis => 4,
    };
    REGIME_WEIGHTS.iter().find(|(r, ..)| *r == role).map_or(tradegraph_domain::NANO, |(_, _, w)| w[column])
}

/// The two sides of the opinions about one instrument, in 1e-9 of NAV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sides {
    /// Sum of what pulls up, at least 0.
    pub(crate) up: i64,
    /// Sum of what pulls down, at most 0.
    pub(crate) down: i64,
    /// What the trend followers want together.
    pub(crate) trend: i64,
    /// What the mean-reversion traders want together.
    pub(crate) reversion: i64,
}

impl Sides {
    #[inline]
    pub(crate) fn add(&mut self, role: Role, value: i64) {
        if value >= 0 {
            self.up = self.up.saturating_add(value);
        } else {
            self.down = self.down.saturating_add(value);
        }
        match role {
            Role::Trend => self.trend = self.trend.saturating_add(value),
            Role::Reversion => self.reversion = self.reversion.saturating_add(value),
            Role::Core | Role::Other => {}
        }
    }

    /// One value of both sides, and the rule that made it. Sides below `least` do not matter.
    #[inline]
    pub(crate) fn resolve(&self, regime: Regime, least: i64) -> (i64, Resolution) {
        let sum = self.up.saturating_add(self.down);
        let (up, down) = (self.up.unsigned_abs(), self.down.unsigned_abs());
        if up.min(down) < least.unsigned_abs() {
            return (sum, Resolution::Agreement);
        }
        let backed = |expert: i64| {
            let (side, other) = if expert >= 0 { (self.up, down) } else { (self.down, up) };
            (expert != 0 && expert.unsigned_abs() >= other / 2).then_some(side)
        };
        let expert = match regime {
            Regime::Crisis => return (0, Resolution::Caution),
            Regime::TrendCalm | Regime::TrendVolatile => backed(self.trend).map(|v| (v, Resolution::TrendExpert)),
            Regime::RangeCalm | Regime::RangeVolatile => backed(self.reversion).map(|v| (v, Resolution::RangeExpert)),
            Regime::Unknown => None,
        };
        if let Some(resolved) = expert {
            return resolved;
        }
        if up >= down.saturating_mul(2) {
            (self.up, Resolution::Confidence)
        } else if down >= up.saturating_mul(2) {
            (self.down, Resolution::Confidence)
        } else {
            (sum, Resolution::WeightedAverage)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradegraph_domain::Step;

    /// The table: who says what, in which regime, what comes out and by which rule.
    #[test]
    fn the_table_of_rules() {
        use Regime::{Crisis, RangeCalm, TrendVolatile, Unknown};
        use Resolution::{Agreement, Caution, Confidence, RangeExpert, TrendExpert, WeightedAverage};
        use Role::{Core, Other, Reversion, Trend};
        type Row = (&'static [(Role, i64)], Regime, i64, Resolution);
        let rows: [Row; 13] = [
            (&[(Trend, 50), (Reversion, 20)], RangeCalm, 70, Agreement),
            (&[(Trend, 50), (Reversion, -9)], TrendVolatile, 41, Agreement),
            (&[(Trend, 50), (Reversion, -40)], Crisis, 0, Caution),
            (&[(Trend, 50), (Reversion, -40)], TrendVolatile, 50, TrendExpert),
            (&[(Trend, -50), (Reversion, 40), (Core, 50)], TrendVolatile, -50, TrendExpert),
            (&[(Trend, 50), (Reversion, -40)], RangeCalm, -40, RangeExpert),
            (&[(Trend, 50), (Core, 20), (Reversion, -36)], RangeCalm, -36, RangeExpert),
            // The expert whispers: it does not override.
            (&[(Trend, 90), (Reversion, -40)], RangeCalm, 90, Confidence),
            (&[(Core, 100), (Other, -40)], TrendVolatile, 100, Confidence),
            (&[(Core, 40), (Other, -100)], Unknown, -100, Confidence),
            (&[(Core, 50), (Other, -40)], TrendVolatile, 10, WeightedAverage),
            (&[(Trend, 50), (Reversion, -40)], Unknown, 10, WeightedAverage),
            // Experts that cancel each other are none.
            (&[(Trend, 50), (Trend, -50)], TrendVolatile, 0, WeightedAverage),
        ];
        for (who, regime, value, rule) in rows {
            let mut sides = Sides::default();
            who.iter().for_each(|(role, v)| sides.add(*role, *v));
            assert_eq!(sides.resolve(regime, 10), (value, rule), "{who:?} in {regime:?}");
        }
    }

    /// `docs/council.md` shows the tables that the code uses. `UPDATE_GOLDEN=1` writes them anew.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test reads and writes the docs")]
    fn the_docs_show_these_tables() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/council.md");
        let page = std::fs::read_to_string(path).unwrap();
        let mut expected = page.clone();
        let stages: String = Step::ALL.iter().map(|(_, name, text)| format!("| {name} | {text} |\n")).collect();
        let names: Vec<&str> = Regime::ALL.iter().skip(1).map(|(_, name)| *name).collect();
        let weights: String = REGIME_WEIGHTS
            .iter()
            .map(|(_, who, w)| format!("| {who} | {} |\n", w.map(|w| format!("{}", w as f64 / 1e9)).join(" | ")))
            .collect();
        let rules: String = Resolution::ALL.iter().map(|(_, name, text)| format!("| {name} | {text} |\n")).collect();
        for (marker, heading, rows) in [
            ("STAGES", "| stage | what it does |\n|---|---|\n".to_owned(), stages),
            ("REGIMES", format!("| | {} |\n|---|---|---|---|---|---|\n", names.join(" | ")), weights),
            ("RULES", "| rule | when and what |\n|---|---|\n".to_owned(), rules),
        ] {
            let table = format!("{heading}{rows}");
            expected = match expected.split_once(&heading) {
                Some((before, after)) => {
                    let rest = after.trim_start_matches(|c| c != '\n').split_once("\n\n").map_or("", |(_, r)| r);
                    format!("{before}{table}\n{rest}")
                }
                None => expected.replace(&format!("{marker}\n"), &table),
            };
        }
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &expected).unwrap();
        } else {
            assert_eq!(page, expected, "UPDATE_GOLDEN=1 cargo test -p tradegraph-portfolio writes it");
        }
    }

    #[test]
    fn every_role_and_regime_has_a_weight() {
        for (role, _, weights) in REGIME_WEIGHTS {
            for ((regime, _), w) in Regime::ALL.iter().skip(1).zip(weights) {
                assert_eq!(regime_weight(role, *regime), w);
            }
            assert_eq!(regime_weight(role, Regime::Unknown), 1_000_000_000);
        }
    }
}
