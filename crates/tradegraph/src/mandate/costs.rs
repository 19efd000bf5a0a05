//! `[costs]` and `[financing]`: what trading and nights cost; `[exits]`: stops that protect positions.

use super::fault::{Fault, nearest};
use super::reader::{Item, Section};
use tradegraph_domain::{Bps, Commission, Date, NANO, Nanos, SCHEDULES, schedule};
use tradegraph_engine::{ExitRules, Financing, Rate};
use tradegraph_execution::Frictions;

/// Keys of a commission of one's own; a broker's schedule takes their place.
const OWN: [&str; 3] = ["commission", "per_unit", "minimum"];

pub(super) fn costs(section: Option<Section<'_>>) -> Result<Frictions, Fault> {
    let Some(section) = section else { return Ok(Frictions::default()) };
    let known = ["broker", "commission", "per_unit", "minimum", "half_spread", "participation", "impact"];
    let section = section.knows(&known)?;
    let rate = |key| match section.get(key) {
        Some(item) => item.share(0..=NANO / 2, "a share of the notional such as \"1bp\", from 0 to \"50%\""),
        None => Ok(0),
    };
    let amount = |key| match section.get(key) {
        Some(item) => {
            let value = item.decimal(0..=i128::from(1_000_000 * NANO), "an amount of 0 or more, up to 1000000")?;
            Ok(i64::try_from(value).unwrap_or(i64::MAX))
        }
        None => Ok(0),
    };
    let commission = match section.get("broker") {
        Some(broker) => {
            if let Some(item) = OWN.iter().find_map(|key| section.get(key)) {
                return Err(item.fault("and `broker` exclude each other: the broker's schedule says it"));
            }
            named(&broker)?
        }
        None => Commission {
            rate: Bps::from_nano_fraction(rate("commission")?),
            per_unit_nano: amount("per_unit")?,
            minimum_nano: amount("minimum")?,
            schedule: None,
        },
    };
    let participation_nano = match section.get("participation") {
        Some(item) if !item.is_off() => {
            Some(item.share(1..=NANO, "a share of the volume such as \"5%\", above 0, up to \"100%\", or \"off\"")?)
        }
        _ => None,
    };
    let impact_nano = match section.get("impact") {
        Some(item) if !item.is_off() => {
            let factor = item.decimal(1..=i128::from(10 * NANO), "a factor above 0, up to 10, or \"off\"")?;
            i64::try_from(factor).ok()
        }
        _ => None,
    };
    Ok(Frictions {
        commission,
        half_spread: Bps::from_nano_fraction(rate("half_spread")?),
        participation_nano,
        impact_nano,
    })
}

fn named(broker: &Item<'_>) -> Result<Commission, Fault> {
    let name = broker.text()?;
    schedule(name).map(Commission::of).ok_or_else(|| {
        let names = || SCHEDULES.iter().map(|s| s.name);
        let near = nearest(name, names()).map(|n| format!("; nearest: \"{n}\"")).unwrap_or_default();
        let all: Vec<_> = names().collect();
        broker.fault(format!("is no broker's schedule: \"{name}\"{near}")).next(format!(
            "choose one of {}, or write the commission yourself: commission, per_unit, minimum",
            all.join(", ")
        ))
    })
}

/// What `[financing]` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinancingPart {
    /// Yearly fee for borrowed stock, at 1e-9.
    pub borrow_nano: i64,
    /// Instruments with a fee of their own.
    pub borrow_of: Vec<(String, i64)>,
    /// On borrowed cash.
    pub margin: Rate,
    /// On idle cash.
    pub cash: Rate,
}

impl FinancingPart {
    /// In the engine's terms, for these instruments.
    pub fn terms(&self, symbols: &[String]) -> Financing {
        let fee = |symbol: &String| {
            self.borrow_of.iter().find(|(s, _)| s == symbol).map_or(self.borrow_nano, |(_, fee)| *fee)
        };
        let borrow_nano = symbols.iter().map(fee).collect();
        Financing { borrow_nano, margin: self.margin.clone(), cash: self.cash.clone() }
    }
}

pub(super) fn exits(section: Option<Section<'_>>) -> Result<Option<ExitRules>, Fault> {
    let Some(section) = section else { return Ok(None) };
    let section = section.knows(&["stop_loss", "cooldown"])?;
    let expected = "a share of the average cost such as \"8%\", from \"0.1%\" to \"90%\", or \"off\"";
    let item = section.need("stop_loss")?;
    let cooldown = section.get("cooldown").map_or(Ok(Nanos(5 * Nanos::DAY.0)), |c| c.duration())?;
    if item.is_off() {
        return Ok(None);
    }
    Ok(Some(ExitRules { stop_loss_nano: item.share(NANO / 1_000..=NANO / 10 * 9, expected)?, cooldown }))
}

const YEARLY: &str = "a yearly rate such as \"2.5%\", from 0 to \"1000%\"";

pub(super) fn financing(section: Option<Section<'_>>) -> Result<Option<FinancingPart>, Fault> {
    let Some(section) = section else { return Ok(None) };
    let section =
        section.knows(&["borrow", "borrow_of", "benchmark", "margin", "margin_spread", "cash", "cash_spread"])?;
    let yearly = |key| section.get(key).map_or(Ok(0), |item| item.share(0..=10 * NANO, YEARLY));
    let mut borrow_of = Vec::new();
    if let Some(fees) = section.section("borrow_of")? {
        for (symbol, item) in fees.entries() {
            borrow_of.push((symbol.get_ref().clone().into_owned(), item.share(0..=10 * NANO, YEARLY)?));
        }
    }
    let benchmark = section.get("benchmark").map(|item| series(&item)).transpose()?;
    // A rate is either fixed, or the benchmark and a spread.
    let rate = |fixed: &str, spread: &str| match (section.get(fixed), section.get(spread), &benchmark) {
        (Some(_), Some(item), _) => Err(item.fault(format!("and `{fixed}` exclude each other: give one of them"))),
        (Some(item), None, _) => item.share(0..=10 * NANO, YEARLY).map(Rate::fixed),
        (None, Some(item), Some(rows)) => {
            let spread_nano =
                item.share(-NANO..=NANO, "a yearly spread such as \"1.5%\" or \"-0.5%\", up to \"100%\"")?;
            Ok(Rate { benchmark: rows.clone(), spread_nano })
        }
        (None, Some(item), None) => {
            Err(item.fault("is added to `benchmark`, which is missing").next("benchmark = { 2020-01-01 = \"1.55%\" }"))
        }
        (None, None, _) => Ok(Rate::default()),
    };
    let (margin, cash) = (rate("margin", "margin_spread")?, rate("cash", "cash_spread")?);
    if let (Some(item), None, None) =
        (section.get("benchmark"), section.get("margin_spread"), section.get("cash_spread"))
    {
        return Err(item
            .fault("is used by nothing")
            .next("give margin_spread or cash_spread, or leave the benchmark out"));
    }
    Ok(Some(FinancingPart { borrow_nano: yearly("borrow")?, borrow_of, margin, cash }))
}

/// Yearly rates by the date from which each holds.
fn series(item: &Item<'_>) -> Result<Vec<(Date, i64)>, Fault> {
    let mut rows = Vec::new();
    for (key, rate) in item.section()?.entries() {
        let date =
            Date::parse(key.get_ref()).ok_or_else(|| rate.fault("must have a date as its key, such as 2020-01-31"))?;
        rows.push((date, rate.share(-NANO..=10 * NANO, "a yearly rate such as \"2.5%\"")?));
    }
    rows.sort_unstable();
    if rows.is_empty() { Err(item.fault("is empty: give at least one date with its rate")) } else { Ok(rows) }
}
