//! What an agent of your own is written with. An agent gets a view of the market at one moment and gives one opinion about
//! every instrument; it knows no orders, no account, no clock, no file, and cannot see a later bar.
//!
//! An opinion is the sum of the agent's factors, on [−1, 1]: at 1 it asks for the mandate's `max_weight` of the account,
//! below 0 for a short position. The confidence on [0, 1] scales it. What is recorded, explained, scored and learned is the
//! same for every agent. Two rules keep replays exact: no randomness, and `libm` instead of `f64::exp` and the like.

pub use tradegraph_agents::Agent;
pub use tradegraph_columns::Status;
pub use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
pub use tradegraph_domain::{AgentId, FeedId, ModelVersion, SignalColumn};
pub use tradegraph_engine::{Key, Misfit, OwnAgent, Setup};
pub use tradegraph_market::{Bindings, EmaSeed, FeatureId, FeatureKind, FeatureSpec, IndicatorSpec, MacdLine, View};
pub use tradegraph_portfolio::Role;

use std::sync::Arc;
use tradegraph_domain::{
    AssetClass, BarPeriod, BarSpec, Basis, Currency, Date, Instrument, InstrumentId, Nanos, Price, Quantity,
    TradingStatus,
};
use tradegraph_engine::{BuildError, OwnConfig};
use tradegraph_market::{Batch, BatchParts, Panel, Universe};

/// Why a rehearsal cannot begin.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RehearsalError {
    /// The agent cannot be made.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The agent does not have this key.
    #[error("there is no key '{0}'")]
    Key(String),
    /// Rows of different lengths, or a price that is none.
    #[error("the prices cannot be used: {0}")]
    Prices(String),
}

/// An agent's opinions over prices of your choice, for its tests: the panel computes its features as in a run, and the agent
/// decides after every bar.
///
/// `closes` are daily closes without opens, highs, lows and volume; rows are days, oldest first, one price an instrument.
/// `values` replace defaults of the agent's keys. The result has the shape of `closes`: the sum of the factors, or `None`
/// where the agent has no opinion.
///
/// # Errors
/// `RehearsalError` for an agent that cannot be made or prices that are none.
pub fn rehearse(
    agent: &OwnAgent,
    values: &[(&str, f64)],
    closes: &[Vec<f64>],
) -> Result<Vec<Vec<Option<f64>>>, RehearsalError> {
    let width = closes.first().map_or(0, Vec::len);
    let batch = Arc::new(batch(width, closes)?);
    let mut numbers: Vec<f64> = agent.keys.iter().map(|k| k.default).collect();
    for (key, value) in values {
        let at = agent.keys.iter().position(|k| k.name == *key);
        let slot = at.and_then(|at| numbers.get_mut(at)).ok_or_else(|| RehearsalError::Key((*key).to_owned()))?;
        *slot = *value;
    }
    let mut actor = OwnConfig::new(0, *agent, FeedId(0), numbers).build(width)?;
    let instrument = |i: usize| Instrument {
        symbol: format!("I{i}"),
        class: AssetClass::Equity,
        currency: Currency::USD,
        venue: "simulated".to_owned(),
        tick: Price::ZERO,
        lot: Quantity::ONE,
        multiplier: Quantity::ONE,
        status: TradingStatus::Active,
    };
    let universe =
        Universe::new((0..width).map(instrument).collect()).map_err(|e| RehearsalError::Prices(e.to_string()))?;
    let mut panel = Panel::new(Arc::new(universe), vec![Arc::clone(&batch)], actor.needs());
    actor.bind(&panel.bindings());
    let n_factors = actor.factors().len();
    let (mut factors, mut confidence, mut status) =
        (vec![0.0; width * n_factors], vec![0.0; width], vec![Status::NoData; width]);
    let mut out = Vec::with_capacity(closes.len());
    for row in 0..batch.rows() {
        panel.prepare(FeedId(0), row + 1, None);
        panel.advance(FeedId(0), row);
        let view = panel.view(batch.interval(row).end, &[0]);
        actor.decide(&view, &mut SignalColumn::new(&mut factors, &mut confidence, &mut status));
        let value = |i: usize| factors.iter().skip(i).step_by(width).fold(0.0, |sum, f| sum + f);
        let opinion = |(i, s): (usize, &Status)| (*s == Status::Ok).then(|| value(i));
        out.push(status.iter().enumerate().map(opinion).collect());
    }
    Ok(out)
}

fn batch(width: usize, closes: &[Vec<f64>]) -> Result<Batch, RehearsalError> {
    let wrong = |what: String| RehearsalError::Prices(what);
    if width == 0 || u32::try_from(width).map(InstrumentId).is_err() {
        return Err(wrong("there is no instrument".to_owned()));
    }
    let mut close = Vec::with_capacity(width * closes.len());
    for (day, row) in closes.iter().enumerate() {
        if row.len() != width {
            return Err(wrong(format!("day {day} has {} prices, day 0 has {width}", row.len())));
        }
        for x in row {
            let price = Price::from_f64_half_even(*x).ok().filter(|p| p.nano() > 0);
            close.push(price.ok_or_else(|| wrong(format!("day {day} has the price {x}")))?.nano());
        }
    }
    let first = Date::from_ymd(2020, 1, 1).unwrap_or_default().0;
    let day = |k: usize| Date(first.saturating_add(i32::try_from(k).unwrap_or(i32::MAX))).midnight();
    let rows = closes.len();
    let cells = width * rows;
    let parts = BatchParts {
        spec: BarSpec { period: BarPeriod::Fixed(Nanos::DAY), basis: Basis::TotalReturn, has_open: false },
        width,
        starts: (0..rows).map(day).collect(),
        ends: (1..=rows).map(day).collect(),
        open: vec![],
        high: vec![],
        low: vec![],
        close,
        volume: vec![],
        status: vec![Status::Ok; cells],
    };
    Batch::new(parts).map_err(|e| wrong(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Drift {
        id: AgentId,
        needs: [FeatureSpec; 1],
        column: Option<FeatureId>,
    }

    impl Agent for Drift {
        fn id(&self) -> AgentId {
            self.id
        }
        fn version(&self) -> ModelVersion {
            ModelVersion(1)
        }
        fn needs(&self) -> &[FeatureSpec] {
            &self.needs
        }
        fn factors(&self) -> &[&'static str] {
            &["drift", "half of it"]
        }
        fn bind(&mut self, bindings: &Bindings) {
            self.column = bindings.find(&self.needs[0]);
        }
        fn decide(&mut self, view: &View<'_>, out: &mut SignalColumn<'_>) {
            let drift = view.feature(self.column.unwrap());
            for i in 0..out.len() {
                match drift.get(i) {
                    Ok(x) => out.set(i, &[x, x / 2.0], 1.0),
                    Err(why) => out.set_none(i, why),
                }
            }
        }
        fn explain(&self, _: usize, _: &[Option<f64>]) -> String {
            "it drifted".to_owned()
        }
    }

    fn drift(setup: &Setup<'_>) -> Result<Box<dyn Agent>, Misfit> {
        let kind = FeatureKind::Momentum { n: setup.whole("n")?, skip: 0 };
        Ok(Box::new(Drift { id: setup.id, needs: [FeatureSpec { kind, feed: setup.feed }], column: None }))
    }

    const KEY: Key = Key { name: "n", default: 2.0, least: 1.0, most: 9.0, whole: true };
    const DRIFT: OwnAgent = OwnAgent { node: "drift", about: "follows", role: Role::Trend, keys: &[KEY], build: drift };

    /// A return of 10 % over one bar and of 21 % over two, and half of it on top.
    #[test]
    fn a_rehearsal_is_what_the_agent_says_bar_by_bar() {
        let closes = [vec![100.0, 8.0], vec![110.0, 8.0], vec![121.0, 4.0]];
        let one = rehearse(&DRIFT, &[("n", 1.0)], &closes).unwrap();
        assert_eq!(one[0], [None, None]);
        let near = |x: Option<f64>, expected: f64| assert!((x.unwrap() - expected).abs() < 1e-12, "{x:?} {expected}");
        near(one[1][0], 0.15);
        near(one[1][1], 0.0);
        near(one[2][1], -0.75);
        let two = rehearse(&DRIFT, &[], &closes).unwrap();
        assert_eq!(two[1], [None, None]);
        near(two[2][0], 0.315);
        let says =
            |values: &[(&str, f64)], closes: &[Vec<f64>]| rehearse(&DRIFT, values, closes).unwrap_err().to_string();
        assert_eq!(says(&[("m", 1.0)], &closes), "there is no key 'm'");
        assert_eq!(says(&[("n", 0.5)], &closes), "agents.drift: 'n' must be a whole number from 0 to 65535");
        assert!(says(&[], &[vec![1.0], vec![]]).contains("day 1 has 0 prices"));
        assert!(says(&[], &[vec![-1.0]]).contains("day 0 has the price -1"));
    }
}
