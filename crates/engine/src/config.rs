//! `RunConfig`: a mandate in the engine's terms. The binary reads TOML into it; nothing here reads a file.

use crate::coordinator::ComputeBudget;
use crate::own::{BuildError, OwnConfig};
use std::sync::Arc;
use tradegraph_agents::{
    AGENTS, Absent, Agent, LongTerm, LongTermParameters, MeanReversion, MeanReversionParameters, Momentum,
    MomentumParameters, Rule, RuleSpec,
};
use tradegraph_controls::{Limits, RiskCaps};
use tradegraph_domain::{AgentId, Basis, Currency, FeedId, InstrumentId, Money, Nanos, Quantity};
use tradegraph_execution::Frictions;
use tradegraph_learning::HedgerParameters;
use tradegraph_ledger::Financing;
use tradegraph_market::calendar::CalendarId;
use tradegraph_market::{Actions, Batch, FeatureKind, FeatureSpec, Universe};
use tradegraph_portfolio::{DirectSize, FusionParameters};

/// When the council decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// When bars of a feed become known.
    OnBars(FeedId),
    /// When a session of an exchange closes.
    OnClose(CalendarId),
    /// At every multiple of a length of time since 1970-01-01T00:00Z.
    Every(Nanos),
}

/// One agent of the council with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum AgentConfig {
    /// The momentum agent over a feed.
    Momentum {
        /// Its bars.
        feed: FeedId,
        /// Its parameters.
        parameters: MomentumParameters,
    },
    /// The mean-reversion agent over a feed.
    MeanReversion {
        /// Its bars.
        feed: FeedId,
        /// Its parameters.
        parameters: MeanReversionParameters,
    },
    /// The long-term core over a feed.
    LongTerm {
        /// Its bars.
        feed: FeedId,
        /// Its parameters.
        parameters: LongTermParameters,
    },
    /// A rule.
    Rule(RuleSpec),
    /// A strategy of the user's own.
    Own(OwnConfig),
}

impl AgentConfig {
    /// The agent's place in `AGENTS`, which is also its id; own agents come behind them.
    #[must_use]
    pub fn id(&self) -> AgentId {
        let node = match self {
            AgentConfig::Momentum { .. } => "momentum_trader",
            AgentConfig::MeanReversion { .. } => "mean_reversion_trader",
            AgentConfig::LongTerm { .. } => "long_term_investor",
            AgentConfig::Rule(_) => "rule",
            AgentConfig::Own(own) => return own.id,
        };
        AgentId(AGENTS.iter().position(|s| s.node == node).unwrap_or_default() as u16)
    }

    /// Makes the agent.
    ///
    /// # Errors
    /// `BuildError` for a rule or an own agent that cannot run.
    pub fn build(&self, n_instruments: usize) -> Result<Box<dyn Agent>, BuildError> {
        Ok(match self {
            AgentConfig::Momentum { feed, parameters } => Box::new(Momentum::new(self.id(), *feed, *parameters)),
            AgentConfig::MeanReversion { feed, parameters } => {
                Box::new(MeanReversion::new(self.id(), *feed, n_instruments, *parameters))
            }
            AgentConfig::LongTerm { feed, parameters } => {
                Box::new(LongTerm::new(self.id(), *feed, n_instruments, *parameters))
            }
            AgentConfig::Rule(spec) => Box::new(Rule::new(self.id(), n_instruments, spec)?),
            AgentConfig::Own(own) => own.build(n_instruments)?,
        })
    }
}

/// All agents of a council in the order of their ids: those of the mandate, and absent ones for the other places of
/// `AGENTS`.
///
/// # Errors
/// `BuildError` for a rule or an own agent that cannot run.
pub fn build_agents(config: &RunConfig) -> Result<Vec<Box<dyn Agent>>, BuildError> {
    let n = config.universe.len();
    (0..config.n_agents())
        .map(|at| {
            let id = AgentId(at as u16);
            match config.agents.iter().find(|a| a.id() == id) {
                Some(a) => a.build(n),
                None => Ok(Box::new(Absent::new(id)) as Box<dyn Agent>),
            }
        })
        .collect()
}

/// How signals become targets.
#[derive(Clone, Debug, PartialEq)]
pub enum AllocatorConfig {
    /// A fixed quantity or weight, without fusion; the council holds live nodes only.
    Direct {
        /// How much.
        size: DirectSize,
        /// Whether targets may be negative.
        allow_short: bool,
    },
    /// The council's fusion, all nodes present.
    Fusion {
        /// How opinions become targets.
        parameters: FusionParameters,
        /// How the council learns weights; they count if the stage is on.
        learning: HedgerParameters,
    },
}

/// What a run records in its journal. Hashes cover what is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordLevel {
    /// Nothing but the binding and state hashes.
    Hashes,
    /// Fills, decisions and refusals, without reasons.
    Outcomes,
    /// Everything: the default.
    Reasons,
}

/// Stops that protect positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitRules {
    /// How far the stop is from the average cost of a position, at 1e-9 of it.
    pub stop_loss_nano: i64,
    /// After a stop filled, nothing is added on its side of the position for so long.
    pub cooldown: Nanos,
}

/// Everything that determines a run.
#[derive(Clone, Debug)]
pub struct RunConfig {
    /// Name for people.
    pub name: String,
    /// Seed of all random streams.
    pub seed: u64,
    /// Currency of NAV.
    pub base: Currency,
    /// Cash at the start.
    pub cash: Money,
    /// What can be traded.
    pub universe: Arc<Universe>,
    /// History of each feed, in the order of their ids.
    pub feeds: Vec<Arc<Batch>>,
    /// Corporate actions of the instruments; empty for feeds whose prices contain them.
    pub actions: Arc<Actions>,
    /// When the council decides.
    pub schedules: Vec<Schedule>,
    /// The agents that exist.
    pub agents: Vec<AgentConfig>,
    /// Work that the strategies of one decision may do together; `None` for as much as they want.
    pub compute: Option<ComputeBudget>,
    /// How signals become targets.
    pub allocator: AllocatorConfig,
    /// The risk manager's caps on targets.
    pub caps: RiskCaps,
    /// The gate's limits on orders.
    pub limits: Limits,
    /// What trading costs.
    pub frictions: Frictions,
    /// What nights cost and earn; `None` for nothing.
    pub financing: Option<Financing>,
    /// Stops that protect positions; `None` for none.
    pub exits: Option<ExitRules>,
    /// Business days to settlement on XNYS for equities; `None` settles at once.
    pub settlement_days: Option<u8>,
    /// What is recorded.
    pub record: RecordLevel,
    /// Snapshots and state hashes come at the end of the moment after so many rows of all feeds.
    pub snapshot_rows: u32,
    /// Rows prepared at once; `None` for the panel's own choice. Changes no result.
    pub block_rows: Option<u32>,
}

/// A configuration that cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Position, cash and limits are price × quantity everywhere.
    #[error(
        "'{symbol}' has a contract multiplier of {multiplier}: contracts of more or less than one unit cannot be part of \
         a run, because the books value positions as price × quantity"
    )]
    Multiplier {
        /// The instrument.
        symbol: String,
        /// Its multiplier.
        multiplier: Quantity,
    },
    /// An agent that is sized directly has nobody to share with.
    #[error("work can be shared by a council only: a direct allocator runs every agent")]
    Compute,
    /// An agent that those of higher priority leave too little for.
    #[error(
        "'{agent}' would never run: {needed_ns} ns of work are counted for its opinions and those of agents with a higher \
         priority, the budget of a decision is {budget_ns} ns"
    )]
    NeverRuns {
        /// Its node.
        agent: &'static str,
        /// Work of its opinions and of those served before, in counted nanoseconds.
        needed_ns: u64,
        /// Work of a decision, in counted nanoseconds.
        budget_ns: u64,
    },
    /// Adjusted prices contain what the actions would do again.
    #[error("feed {feed} is {}: corporate actions go with raw prices only", basis.name())]
    Basis {
        /// The feed.
        feed: usize,
        /// Its basis.
        basis: Basis,
    },
    /// An action of an instrument that is not in the universe.
    #[error("corporate action {at} is of instrument {}, the universe has {n} instruments", instrument.0)]
    Action {
        /// Its place in the table.
        at: usize,
        /// Its instrument.
        instrument: InstrumentId,
        /// Instruments of the universe.
        n: usize,
    },
}

impl RunConfig {
    /// Places of the council: `AGENTS`, then the run's own agents.
    #[must_use]
    pub fn n_agents(&self) -> usize {
        self.own().map(|own| usize::from(own.id.0) + 1).fold(AGENTS.len(), usize::max)
    }

    fn own(&self) -> impl Iterator<Item = &OwnConfig> {
        self.agents.iter().filter_map(|a| if let AgentConfig::Own(own) = a { Some(own) } else { None })
    }

    /// The name of an agent's node; `None` if the run has no such place.
    #[must_use]
    pub fn node(&self, id: AgentId) -> Option<&'static str> {
        let ours = AGENTS.get(usize::from(id.0)).map(|s| s.node);
        ours.or_else(|| self.own().find(|own| own.id == id).map(|own| own.agent.node))
    }

    /// The closes of every feed, by which the coordinator knows what the market did.
    pub(crate) fn closes(&self) -> Vec<FeatureSpec> {
        (0..self.feeds.len()).map(|at| FeatureSpec { kind: FeatureKind::Close, feed: FeedId(at as u16) }).collect()
    }

    /// Says what cannot be run.
    ///
    /// # Errors
    /// `ConfigError` naming the instrument, the feed or the action.
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some((_, x)) = self.universe.iter().find(|(_, x)| x.multiplier != Quantity::ONE) {
            return Err(ConfigError::Multiplier { symbol: x.symbol.clone(), multiplier: x.multiplier });
        }
        if let Some(budget) = &self.compute {
            if matches!(self.allocator, AllocatorConfig::Direct { .. }) {
                return Err(ConfigError::Compute);
            }
            if let Some((agent, needed_ns)) = budget.starves(self.universe.len()) {
                let agent = self.node(agent).unwrap_or("unknown");
                return Err(ConfigError::NeverRuns { agent, needed_ns, budget_ns: budget.cycle_ns });
            }
        }
        if self.actions.is_empty() {
            return Ok(());
        }
        let basis = |b: &Batch| b.spec().basis;
        if let Some((feed, b)) = self.feeds.iter().enumerate().find(|(_, b)| basis(b) != Basis::Raw) {
            return Err(ConfigError::Basis { feed, basis: basis(b) });
        }
        let n = self.universe.len();
        match self.actions.items().iter().enumerate().find(|(_, a)| a.instrument.index() >= n) {
            Some((at, a)) => Err(ConfigError::Action { at, instrument: a.instrument, n }),
            None => Ok(()),
        }
    }
}
