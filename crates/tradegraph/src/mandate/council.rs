//! The `[allocator]` part of a mandate whose kind is "council": the stages between opinions and targets.

use super::fault::Fault;
use super::reader::Section;
use super::{Feeds, MAX_SHARE};
use tradegraph_domain::{BarPeriod, Date, FeedId, NANO};
use tradegraph_learning::HedgerParameters;
use tradegraph_market::calendar::CalendarId;
use tradegraph_market::{FeatureKind, FeatureSpec};
use tradegraph_portfolio::{Stages, VolatilitySizing};

/// What the mandate says about the council's fusion. Shares are at 1e-9.
#[derive(Clone, Debug, PartialEq)]
pub struct CouncilPart {
    /// Of one instrument at full conviction.
    pub max_weight: i64,
    /// Of all together.
    pub gross: i64,
    /// Smallest change that is made.
    pub band: i64,
    /// What an opinion about an instrument with doubtful bars is worth.
    pub doubt: i64,
    /// Which stages are on.
    pub stages: Stages,
    /// Whether the band is widened to where trading pays.
    pub cost_band: bool,
    /// How the council learns.
    pub learning: HedgerParameters,
    /// Annual volatility above which an instrument gets less.
    pub instrument_volatility: Option<i64>,
    /// Annual volatility that the portfolio is not to exceed.
    pub portfolio_volatility: Option<i64>,
    /// Bars that volatility and correlation are measured over.
    pub volatility_bars: u16,
    /// Most instruments held at once.
    pub max_positions: Option<u32>,
    /// Smallest value of an order, at 1e-9 of the base currency.
    pub min_order_nano: i128,
}

/// Keys of this part beside `kind` and `allow_short`.
pub const KEYS: [&str; 18] = [
    "kind",
    "allow_short",
    "max_weight",
    "gross",
    "band",
    "doubt",
    "scale",
    "calibrate",
    "regimes",
    "conflicts",
    "rebalance",
    "cost_band",
    "learn",
    "learn_every",
    "learn_rate",
    "learn_floor",
    "instrument_volatility",
    "portfolio_volatility",
];

/// Reads the part.
pub fn council(section: &Section<'_>) -> Result<CouncilPart, Fault> {
    let mut known = KEYS.to_vec();
    known.extend(["volatility_bars", "max_positions", "min_order"]);
    let section = section.clone().knows(&known)?;
    let share = |key: &str, default: i64| match section.get(key) {
        Some(item) => item.share(0..=MAX_SHARE, "a share of the account such as \"10%\", up to \"10000%\""),
        None => Ok(default),
    };
    let on = |key: &str| section.get(key).map_or(Ok(true), |b| b.boolean());
    let volatility = |key: &str| match section.get(key) {
        Some(item) if !item.is_off() => item
            .share(
                NANO / 1_000..=10 * NANO,
                "an annual volatility such as \"20%\", from \"0.1%\" to \"1000%\", or \"off\"",
            )
            .map(Some),
        _ => Ok(None),
    };
    let d = HedgerParameters::default();
    let every = match section.get("learn_every") {
        Some(item) => u32::try_from(item.integer(1..=1_000_000)?).unwrap_or(d.every),
        None => d.every,
    };
    let rate = match section.get("learn_rate") {
        Some(item) => item.decimal(1_000_000..=i128::from(5 * NANO), "a number from 0.001 to 5")? as f64 / 1e9,
        None => d.rate,
    };
    let floor = match section.get("learn_floor") {
        Some(item) => {
            item.share(0..=NANO, "a share of the equal weight such as \"30%\", from 0 to \"100%\"")? as f64 / 1e9
        }
        None => d.floor,
    };
    Ok(CouncilPart {
        max_weight: share("max_weight", NANO / 10)?,
        gross: share("gross", NANO)?,
        band: share("band", NANO / 100)?,
        doubt: share("doubt", NANO / 2)?,
        stages: Stages {
            scale: on("scale")?,
            calibrate: on("calibrate")?,
            regimes: on("regimes")?,
            conflicts: on("conflicts")?,
            learn: on("learn")?,
            to_edge: match section.get("rebalance") {
                Some(item) => item.one_of(&[(false, "target"), (true, "edge")])?,
                None => false,
            },
        },
        cost_band: on("cost_band")?,
        learning: HedgerParameters { every, rate, floor },
        instrument_volatility: volatility("instrument_volatility")?,
        portfolio_volatility: volatility("portfolio_volatility")?,
        volatility_bars: match section.get("volatility_bars") {
            Some(item) => u16::try_from(item.integer(5..=500)?).unwrap_or(60),
            None => 60,
        },
        max_positions: match section.get("max_positions") {
            Some(item) if !item.is_off() => u32::try_from(item.integer(1..=1_000_000)?).ok(),
            _ => None,
        },
        min_order_nano: match section.get("min_order") {
            Some(item) if !item.is_off() => {
                item.decimal(1..=10_i128.pow(18), "an amount above 0, up to 1e9, or \"off\"")?
            }
            _ => 0,
        },
    })
}

impl CouncilPart {
    /// Sizes by risk over the first feed; `None` if the mandate has no volatility.
    pub fn sizing(&self, feeds: &Feeds) -> Option<VolatilitySizing> {
        if self.instrument_volatility.is_none() && self.portfolio_volatility.is_none() {
            return None;
        }
        let per_year = feeds.first().map_or(252.0, |f| {
            bars_per_year(CalendarId::parse(f.calendar).unwrap_or(CalendarId::AlwaysOpen), f.batch.spec().period)
        });
        let per_bar = |annual: Option<i64>| annual.map(|a| a as f64 / 1e9 / per_year.sqrt());
        let spec = |kind| FeatureSpec { kind, feed: FeedId(0) };
        let n = self.volatility_bars;
        Some(VolatilitySizing {
            volatility: spec(FeatureKind::RealisedVol { n }),
            correlation: spec(FeatureKind::MarketCorrelation { n }),
            instrument: per_bar(self.instrument_volatility),
            portfolio: per_bar(self.portfolio_volatility),
        })
    }
}

/// Bars of a calendar in a year: its sessions of 2016 to 2019 by their length.
pub fn bars_per_year(calendar: CalendarId, period: BarPeriod) -> f64 {
    let day = |y: i32| Date::from_ymd(y, 1, 1);
    let (Some(from), Some(to)) = (day(2016), day(2020)) else { return 252.0 };
    let (mut sessions, mut nanos) = (0.0, 0.0);
    for s in calendar.sessions(from, Date(to.0 - 1)) {
        sessions += 1.0;
        nanos += (s.close.0 - s.open.0) as f64;
    }
    match period {
        BarPeriod::Session => sessions / 4.0,
        BarPeriod::Fixed(length) => nanos / 4.0 / (length.0 as f64).max(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradegraph_domain::Nanos;

    #[test]
    fn a_year_has_its_bars() {
        let minute = BarPeriod::Fixed(Nanos(60_000_000_000));
        let close = |calendar, period, expected: f64| {
            let got = bars_per_year(calendar, period);
            assert!((got / expected - 1.0).abs() < 0.005, "{calendar:?} {period:?}: {got}");
        };
        close(CalendarId::Xnys, BarPeriod::Session, 251.6);
        close(CalendarId::Xnys, minute, 251.6 * 390.0);
        close(CalendarId::AlwaysOpen, BarPeriod::Session, 365.25);
        close(CalendarId::AlwaysOpen, minute, 365.25 * 1440.0);
        close(CalendarId::Fx, BarPeriod::Session, 261.0);
    }
}
