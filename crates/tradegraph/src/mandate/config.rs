//! From a mandate and its bars to the engine's terms.

use super::agents::AgentPart;
use super::fault::nearest;
use super::{AllocatorPart, Feed, InstrumentPart, Mandate, SchedulePart};
use crate::failure::{Failure, Kind};
use std::sync::Arc;
use tradegraph_agents::AGENTS;
use tradegraph_controls::{Groups, Limits};
use tradegraph_domain::{AssetClass, Basis, FeedId, Instrument, Price, Quantity, TradingStatus};
use tradegraph_engine::{AllocatorConfig, ConfigError, RunConfig, Schedule};
use tradegraph_market::calendar::CalendarId;
use tradegraph_market::{Actions, Universe};
use tradegraph_portfolio::{FusionParameters, Role};

/// The bars of a run in the order of the mandate.
pub type Feeds = Vec<Feed>;

impl Mandate {
    /// The configuration of a run of this mandate over these bars.
    pub fn config(&self, feeds: &Feeds, actions: &Arc<Actions>) -> Result<RunConfig, Failure> {
        let symbols = feeds.first().map(|f| f.symbols.as_slice()).unwrap_or_default();
        for (symbol, _) in &self.overrides {
            if !symbols.contains(symbol) {
                let near = nearest(symbol, symbols.iter().map(String::as_str));
                let near = near.map(|n| format!("; the nearest symbol is '{n}'")).unwrap_or_default();
                let what =
                    format!("[instruments.{symbol}]: '{symbol}' is not in the data of mandate '{}'{near}", self.name);
                return Err(Failure::new(Kind::Input, what));
            }
        }
        let fees = self.financing.iter().flat_map(|part| &part.borrow_of);
        if let Some((symbol, _)) = fees.into_iter().find(|(s, _)| !symbols.contains(s)) {
            let near = nearest(symbol, symbols.iter().map(String::as_str));
            let near = near.map(|n| format!("; the nearest symbol is '{n}'")).unwrap_or_default();
            let what =
                format!("financing.borrow_of.{symbol}: '{symbol}' is not in the data of mandate '{}'{near}", self.name);
            return Err(Failure::new(Kind::Input, what));
        }
        let instruments =
            symbols.iter().enumerate().map(|(i, s)| self.instrument(i, s, feeds)).collect::<Result<_, _>>()?;
        let universe = Universe::new(instruments).map_err(|e| Failure::new(Kind::Input, e.to_string()))?;
        let limits = self.gate_limits(&universe, feeds);
        let agents: Vec<_> = self.agents.iter().map(|a| a.config.clone()).collect();
        let n_agents = agents.iter().map(|a| usize::from(a.id().0) + 1).max().unwrap_or_default();
        let mut weights_nano = vec![0; n_agents];
        for part in &self.agents {
            if let Some(slot) = weights_nano.get_mut(usize::from(part.config.id().0)) {
                *slot = part.weight_nano;
            }
        }
        let config = RunConfig {
            name: self.name.clone(),
            seed: self.seed,
            base: self.base,
            cash: self.cash,
            universe: Arc::new(universe),
            feeds: feeds.iter().map(|f| Arc::clone(&f.batch)).collect(),
            actions: Arc::clone(actions),
            schedules: vec![match &self.schedule {
                SchedulePart::Bars(at) => Schedule::OnBars(FeedId(u16::try_from(*at).unwrap_or_default())),
                SchedulePart::Close(calendar) => Schedule::OnClose(*calendar),
                SchedulePart::Every(length) => Schedule::Every(*length),
            }],
            agents,
            compute: self.compute.clone(),
            allocator: match &self.allocator {
                AllocatorPart::Direct(size) => AllocatorConfig::Direct { size: *size, allow_short: self.allow_short },
                AllocatorPart::Council(part) => AllocatorConfig::Fusion {
                    parameters: FusionParameters {
                        weights_nano,
                        roles: AGENTS
                            .iter()
                            .map(|a| role(a.node))
                            .chain(self.agents.iter().filter_map(AgentPart::own_role))
                            .collect(),
                        max_weight_nano: part.max_weight,
                        gross_nano: part.gross,
                        band_nano: part.band,
                        doubt_nano: part.doubt,
                        allow_short: self.allow_short,
                        stages: part.stages,
                        sizing: part.sizing(feeds),
                        cost: if part.cost_band { self.cost_of_a_trade() } else { 0.0 },
                        max_positions: part.max_positions,
                        min_order_nano: part.min_order_nano,
                    },
                    learning: part.learning,
                },
            },
            caps: self.caps,
            limits,
            frictions: self.frictions,
            financing: self.financing.as_ref().map(|part| part.terms(symbols)),
            exits: self.exits,
            settlement_days: self.settlement_days,
            record: self.record,
            snapshot_rows: self.snapshot_rows,
            block_rows: None,
        };
        let next = "give [compute] a larger budget, or the agent a smaller cost or a higher priority";
        config.check().map_err(|e| {
            let starves = matches!(e, ConfigError::NeverRuns { .. });
            let failure = Failure::new(Kind::Input, format!("mandate '{}': {e}", self.name));
            if starves { failure.next(next) } else { failure }
        })?;
        Ok(config)
    }

    /// What a trade costs at least as a fraction of its value: the rate and half the spread.
    fn cost_of_a_trade(&self) -> f64 {
        let f = &self.frictions;
        (f.commission.rate.nano_fraction() as f64 + f.half_spread.nano_fraction() as f64) / 1e9
    }

    /// The gate's limits with what they need of each instrument and feed.
    fn gate_limits(&self, universe: &Universe, feeds: &Feeds) -> Limits {
        let mut limits = self.limits.clone();
        let own = |symbol: &str| self.overrides.iter().find(|(s, _)| s == symbol).map(|(_, part)| part);
        let sector = |x: &Instrument| {
            let own = own(&x.symbol).and_then(|p| p.sector.clone());
            own.or_else(|| self.instruments.sector.clone())
        };
        let all = || universe.iter().map(|(_, x)| x);
        let sectors: Vec<Option<String>> = all().map(sector).collect();
        let currencies: Vec<String> = all().map(|x| x.currency.to_string()).collect();
        limits.sector = Groups::named(sectors.iter().map(Option::as_deref), limits.sector.nano_nav);
        limits.currency = Groups::named(currencies.iter().map(|c| Some(c.as_str())), limits.currency.nano_nav);
        limits.venue = Groups::named(all().map(|x| Some(x.venue.as_str())), limits.venue.nano_nav);
        if let Some(located) = &mut limits.locate {
            let units = |x: &Instrument| own(&x.symbol).and_then(|p| p.locate).or(self.instruments.locate);
            *located = all().map(|x| units(x).unwrap_or(Quantity::ZERO)).collect();
        }
        let calendar = |f: &Feed| CalendarId::parse(f.calendar);
        limits.breakers.calendars = feeds.iter().map(calendar).collect();
        limits.calendars = (0..universe.len()).map(|i| feeds.get(feed_of(i, feeds)).and_then(calendar)).collect();
        limits
    }

    fn instrument(&self, i: usize, symbol: &str, feeds: &Feeds) -> Result<Instrument, Failure> {
        let own = self.overrides.iter().find(|(s, _)| s == symbol).map(|(_, part)| part);
        let of = |read: fn(&InstrumentPart) -> Option<AssetClass>| own.and_then(read).or(read(&self.instruments));
        // The entry of [[data]] that has bars of it says what it is.
        let at = feed_of(i, feeds);
        let part = self.data.get(at);
        let class = of(|p| p.class).or(part.map(|p| p.class)).unwrap_or(AssetClass::Equity);
        let raw = feeds.get(at).is_none_or(|f| f.batch.spec().basis == Basis::Raw);
        // Shares of adjusted series are shares of another size: fractions of them stand for whole ones.
        let lot = match (class, raw) {
            (AssetClass::Crypto, _) => Quantity::from_nano(10),
            (_, true) => Quantity::from_nano(1_000_000_000),
            (_, false) => Quantity::from_nano(1_000),
        };
        let currency = own.and_then(|p| p.currency).or(self.instruments.currency).unwrap_or(self.base);
        if currency != self.base {
            let what = format!("'{symbol}' is priced in {currency} but the account is in {}", self.base);
            return Err(Failure::new(Kind::Input, what)
                .next("give the account the currency of its instruments: this version has no currency rates"));
        }
        Ok(Instrument {
            symbol: symbol.to_owned(),
            class,
            currency,
            venue: own
                .and_then(|p| p.venue.clone())
                .or(self.instruments.venue.clone())
                .unwrap_or_else(|| "simulated".to_owned()),
            tick: own.and_then(|p| p.tick).or(self.instruments.tick).unwrap_or(Price::ZERO),
            lot: own.and_then(|p| p.lot).or(self.instruments.lot).unwrap_or(lot),
            multiplier: Quantity::ONE,
            status: TradingStatus::Active,
        })
    }
}

/// What kind of strategy a node of the council is.
fn role(node: &str) -> Role {
    match node {
        "momentum_trader" => Role::Trend,
        "mean_reversion_trader" => Role::Reversion,
        "long_term_investor" => Role::Core,
        _ => Role::Other,
    }
}

/// The first feed with bars of an instrument.
fn feed_of(i: usize, feeds: &Feeds) -> usize {
    feeds.iter().position(|f| (0..f.batch.rows()).any(|k| f.batch.close(k, i).is_some())).unwrap_or_default()
}
