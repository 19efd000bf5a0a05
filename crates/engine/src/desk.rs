//! `Desk`: everything that a run knows, but for the council's graph. The nodes of the graph work on it.

use crate::config::{AllocatorConfig, RecordLevel, RunConfig};
use crate::coordinator::Negotiation;
use crate::equity::EquityCurve;
use crate::exits::Exits;
use crate::records::{FinancingRecord, put_breaker, put_financing};
use crate::signals::SignalBook;
use crate::timeline::settlement;
use std::sync::Arc;
use tradegraph_agents::Agent;
use tradegraph_columns::RollingHash;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_controls::{Change, Gate, RiskCaps, TargetCut};
use tradegraph_domain::{AgentId, Date, Order, Seq, Timestamp, VenueReport};
use tradegraph_execution::{Exchange, Orders};
use tradegraph_learning::{Hedger, HedgerParameters, Lesson, Moves, Results, Scoreboard, Statement};
use tradegraph_ledger::{Financing, Ledger, LedgerError};
use tradegraph_market::{Actions, Adjustments, FeatureId, Panel};
use tradegraph_portfolio::{Decisions, DirectAllocator, FusionAllocator};

/// How signals become targets.
#[derive(Debug)]
pub(crate) enum Allocator {
    Direct(DirectAllocator),
    Fusion(Box<FusionAllocator>),
}

/// The decisions of a block, prepared together: when each comes and which rows it sees.
#[derive(Debug, Default)]
pub(crate) struct Points {
    pub(crate) ts: Vec<Timestamp>,
    /// Rows that become known between the block's start and the decision, for each feed.
    pub(crate) ahead: Vec<u32>,
    /// Whether an opinion differs from the decision before.
    pub(crate) changed: Vec<bool>,
    /// Decisions that were made.
    pub(crate) at: usize,
    /// One decision after each row of the one feed.
    pub(crate) row_by_row: bool,
    /// By decision, how its work was shared if there was too little for all; empty without a budget.
    pub(crate) shared: Vec<Option<Negotiation>>,
    /// Agents that panicked, each at a decision with what it said.
    pub(crate) stopped: Vec<(usize, AgentId, String)>,
    /// How work was shared in the decision before the block.
    pub(crate) shared_before: Option<Negotiation>,
}

impl Points {
    pub(crate) fn clear(&mut self) {
        self.ts.clear();
        self.ahead.clear();
        self.changed.clear();
        self.at = 0;
        self.row_by_row = false;
        self.shared.clear();
        self.stopped.clear();
    }

    /// How the work of decision `at` was shared, if there was too little for all.
    #[inline]
    pub(crate) fn negotiation(&self, at: usize) -> Option<&Negotiation> {
        self.shared.get(at)?.as_ref()
    }

    /// How the work of the decision of row `k` of the signal book was shared: row 0 is the one before the block.
    pub(crate) fn negotiation_of_row(&self, k: usize) -> Option<&Negotiation> {
        k.checked_sub(1).map_or(self.shared_before.as_ref(), |at| self.negotiation(at))
    }

    /// Whether an agent keeps its last opinion in decision `at`.
    #[inline]
    pub(crate) fn waits(&self, at: usize, agent: AgentId) -> bool {
        self.negotiation(at).is_some_and(|n| n.waits(agent))
    }
}

/// What applying an event gives to the outside.
#[derive(Debug, Default)]
pub struct Effects {
    /// Records for the journal, in order.
    pub records: Encoder,
    /// Orders for a venue outside, with their approval used up; empty with the simulated exchange. They leave when
    /// the records of their event are durable.
    pub sends: Vec<Order>,
    /// What the simulated exchange said and the engine has not consumed yet.
    pub(crate) reports: Vec<VenueReport>,
    /// What the learning optimizer learned and the engine has not applied yet.
    pub(crate) lesson: Option<Lesson>,
}

impl Effects {
    /// Takes over what an event produced. Most events produce nothing.
    #[inline]
    pub(crate) fn absorb(&mut self, from: &mut Effects) {
        if !from.records.as_bytes().is_empty() {
            self.records.append(from.records.as_bytes());
            from.records.clear();
        }
        if !from.sends.is_empty() {
            self.sends.append(&mut from.sends);
        }
    }
}

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Times that the council's account part ran, since the run began or was resumed; no part of the state.
    pub cycles: u64,
    /// Orders that were sent.
    pub orders: u64,
    /// Fills that were booked.
    pub fills: u64,
    /// Orders that the gate refused.
    pub refused: u64,
    /// Orders that the venue ended before they were filled.
    pub cancelled: u64,
    /// Fills of a second delivery, which were not booked again.
    pub duplicates: u64,
    /// Decisions that could not be made or sized because a price, a rate or NAV was missing.
    pub unpriced: u64,
    /// Breakers that tripped.
    pub breakers: u64,
}

/// Something that must not happen. The run stops; the books are as before the event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The books refused an execution, a corporate action or a payment.
    #[error("event {seq}: it could not be booked: {error}")]
    Books {
        /// Event.
        seq: u64,
        /// Why.
        error: LedgerError,
    },
    /// An event names a corporate action that the run's table does not have.
    #[error("event {seq}: there is no corporate action {at}")]
    NoAction {
        /// Event.
        seq: u64,
        /// Its place.
        at: u32,
    },
    /// The council's graph stopped.
    #[error("event {seq}: the council stopped: {what}")]
    Council {
        /// Event.
        seq: u64,
        /// Why.
        what: String,
    },
}

/// Everything that a run knows.
#[derive(Debug)]
pub struct Desk {
    pub(crate) ts: Timestamp,
    pub(crate) seq: Seq,
    pub(crate) panel: Panel,
    pub(crate) actions: Arc<Actions>,
    pub(crate) books: Ledger,
    pub(crate) gate: Gate,
    pub(crate) orders: Orders,
    /// The simulated exchange; `None` when the venue is outside.
    pub(crate) exchange: Option<Exchange>,
    pub(crate) allocator: Allocator,
    pub(crate) caps: RiskCaps,
    pub(crate) signals: SignalBook,
    pub(crate) points: Points,
    pub(crate) decisions: Decisions,
    /// What the risk manager makes of them: room that is kept.
    pub(crate) cuts: Vec<TargetCut>,
    pub(crate) moves: Moves,
    pub(crate) scoreboard: Scoreboard,
    pub(crate) results: Results,
    pub(crate) hedger: Hedger,
    /// Money paid into the account, at 1e-9 of the base currency.
    pub(crate) paid_in: i128,
    pub(crate) equity: EquityCurve,
    pub(crate) hash: RollingHash,
    pub(crate) out: Effects,
    pub(crate) counts: Counts,
    pub(crate) fault: Option<Fault>,
    pub(crate) record: RecordLevel,
    /// Columns that each agent reads, for the evidence of a decision.
    pub(crate) evidence: Vec<(AgentId, Vec<FeatureId>)>,
    /// One zero a feed: the rows ahead of the present.
    pub(crate) present: Vec<u32>,
    /// True before the first decision: every opinion counts as a change.
    pub(crate) signals_are_new: bool,
    /// Protective stops.
    pub(crate) exits: Option<Exits>,
    settlement_days: Option<u8>,
    settles: (Date, Option<Date>),
    financing: Option<Financing>,
}

impl Desk {
    pub(crate) fn new(config: &RunConfig, agents: &[&dyn Agent]) -> Result<Self, LedgerError> {
        let n = config.universe.len();
        let mut needs: Vec<_> = agents.iter().flat_map(|a| a.needs().iter().copied()).collect();
        if config.compute.is_some() {
            needs.extend(config.closes());
        }
        let mut hedger = Hedger::new(HedgerParameters::default(), vec![]);
        if let AllocatorConfig::Fusion { parameters, learning } = &config.allocator {
            needs.extend(FusionAllocator::needs(parameters));
            let live = agents.iter().filter(|a| !a.factors().is_empty()).map(|a| a.id()).collect();
            hedger = Hedger::new(*learning, live);
        }
        let (universe, feeds) = (Arc::clone(&config.universe), config.feeds.clone());
        let mut panel = if config.actions.is_empty() {
            Panel::new(universe, feeds, &needs)
        } else {
            let adjustments = feeds.iter().map(|b| Adjustments::new(&config.actions, b)).collect();
            Panel::with_adjustments(universe, feeds, adjustments, &needs)
        };
        if let Some(rows) = config.block_rows {
            panel.limit_block(rows as usize);
        }
        let bindings = panel.bindings();
        let evidence =
            agents.iter().map(|a| (a.id(), a.needs().iter().filter_map(|s| bindings.find(s)).collect())).collect();
        let currencies: Vec<_> = config.universe.iter().map(|(_, x)| x.currency).collect();
        let mut books = Ledger::new(config.base, &currencies);
        books.deposit(config.cash)?;
        if config.financing.is_some() {
            books = books.with_financing();
        }
        let gate = Gate::new(config.limits.clone(), n);
        if gate.lends() {
            books.lend();
        }
        Ok(Desk {
            ts: Timestamp::MIN,
            seq: Seq(0),
            actions: Arc::clone(&config.actions),
            books,
            gate,
            orders: Orders::new(n),
            exchange: Some(Exchange::new(config.frictions, n)),
            allocator: match &config.allocator {
                AllocatorConfig::Direct { size, allow_short } => {
                    Allocator::Direct(DirectAllocator::new(*size, *allow_short, n))
                }
                AllocatorConfig::Fusion { parameters, .. } => {
                    let mut a = FusionAllocator::new(parameters.clone(), n);
                    a.bind(&bindings);
                    Allocator::Fusion(Box::new(a))
                }
            },
            caps: config.caps,
            signals: SignalBook::new(agents, n),
            points: Points::default(),
            decisions: Decisions::default(),
            cuts: Vec::new(),
            moves: Moves::new(n),
            scoreboard: Scoreboard::new(agents.len()),
            results: Results::new(agents.len()),
            hedger,
            paid_in: config.cash.nano(),
            equity: EquityCurve::new(),
            hash: RollingHash::new(config.seed),
            out: Effects::default(),
            counts: Counts::default(),
            fault: None,
            record: config.record,
            evidence,
            present: vec![0; panel.n_feeds()],
            panel,
            signals_are_new: true,
            exits: config.exits.map(|rules| Exits::new(rules, n)),
            settlement_days: config.settlement_days,
            settles: (Date(i32::MIN), None),
            financing: config.financing.clone(),
        })
    }

    /// The books.
    #[must_use]
    pub fn books(&self) -> &Ledger {
        &self.books
    }

    /// The market.
    #[must_use]
    pub fn panel(&self) -> &Panel {
        &self.panel
    }

    /// Open orders.
    #[must_use]
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// The controls.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// How often each agent was right.
    #[must_use]
    pub fn scoreboard(&self) -> &Scoreboard {
        &self.scoreboard
    }

    /// The account's result line by line; `None` without a net asset value.
    #[must_use]
    pub fn statement(&self) -> Option<Statement> {
        self.books.nav().ok().map(|nav| self.results.statement(nav, self.paid_in))
    }

    /// The council's allocator; `None` for a direct mandate.
    #[must_use]
    pub fn fusion(&self) -> Option<&FusionAllocator> {
        match &self.allocator {
            Allocator::Fusion(a) => Some(a),
            Allocator::Direct(_) => None,
        }
    }

    /// Counts so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Settlement date of a trade at the present, looked up once a day.
    #[inline]
    pub(crate) fn settlement_date(&mut self) -> Option<Date> {
        self.settlement_days?;
        let today = self.ts.date();
        if self.settles.0 != today {
            self.settles = (today, settlement(self.ts, self.settlement_days));
        }
        self.settles.1
    }

    /// Closes the days that lie before `ts`: NAV goes on the curve, the nights since are accrued, due cash settles.
    #[cold]
    pub(crate) fn roll_day(&mut self, ts: Timestamp) {
        let nav = self.books.nav().ok();
        let from = self.equity.day();
        self.equity.roll(ts, nav);
        if let (Some(from), Some(to)) = (from, self.equity.day()) {
            self.finance(from, to);
        }
        if let Err(error) = self.books.settle_through(ts.date()) {
            self.fault = Some(Fault::Books { seq: self.seq.0, error });
        }
        self.gate.advance(ts);
        self.gate.begin_day(nav);
    }

    /// Puts breakers that tripped or ended on record.
    #[cold]
    pub(crate) fn record_breakers(&mut self) {
        let from = self.out.records.as_bytes().len();
        for change in self.gate.take_changes() {
            self.counts.breakers += u64::from(matches!(change, Change::Tripped(_)));
            if self.record >= RecordLevel::Outcomes {
                put_breaker(&mut self.out.records, self.seq.0, &change);
            }
        }
        self.hash_records(from);
    }

    /// Accrues the nights between two days, by the balances and marks at the end of the first. A month's accruals are paid
    /// on the first of the next.
    fn finance(&mut self, from: Date, to: Date) {
        let Some(terms) = &self.financing else { return };
        let (year, month, _) = to.ymd();
        let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let pay = Date::from_ymd(year, month, 1).unwrap_or(to);
        let (seq, ts, records) = (self.seq.0, self.ts, &mut self.out.records);
        let (start, outcomes) = (records.as_bytes().len(), self.record >= RecordLevel::Outcomes);
        let done = self.books.finance(terms, from, to, pay, |currency, financed| {
            if outcomes {
                put_financing(records, &FinancingRecord { seq, ts, from, to, pay, currency, financed });
            }
        });
        if let Err(error) = done {
            self.fault = Some(Fault::Books { seq, error });
        }
        self.hash_records(start);
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        to.i64(self.ts.0);
        to.u64(self.seq.0);
        self.hash.lanes().into_iter().for_each(|lane| to.u64(lane));
        self.panel.save(to);
        self.books.save(to);
        self.gate.save(to);
        self.orders.save(to);
        to.bool(self.exchange.is_some());
        if let Some(x) = &self.exchange {
            x.save(to);
        }
        match &self.allocator {
            Allocator::Direct(a) => a.save(to),
            Allocator::Fusion(a) => a.save(to),
        }
        to.bool(self.signals_are_new);
        self.signals.save(self.points.ts.len(), to);
        self.moves.save(to);
        self.scoreboard.save(to);
        self.results.save(to);
        self.hedger.save(to);
        self.equity.save(to);
        let c = &self.counts;
        for n in [c.orders, c.fills, c.refused, c.cancelled, c.duplicates, c.unpriced, c.breakers] {
            to.u64(n);
        }
        if let Some(exits) = &self.exits {
            exits.save(to);
        }
    }

    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.ts = Timestamp(from.i64("time")?);
        self.seq = Seq(from.u64("seq")?);
        self.hash = RollingHash::resume([from.u64("rolling hash")?, from.u64("rolling hash")?]);
        self.panel.load(from)?;
        self.books.load(from)?;
        self.gate.load(from)?;
        self.orders.load(from)?;
        let simulated = from.bool("simulated exchange")?;
        match (&mut self.exchange, simulated) {
            (Some(x), true) => x.load(from)?,
            (None, false) => {}
            (_, found) => {
                let (found, expected) = (u64::from(found), u64::from(!found));
                return Err(DecodeError::Mismatch { what: "simulated exchange", found, expected });
            }
        }
        match &mut self.allocator {
            Allocator::Direct(a) => a.load(from)?,
            Allocator::Fusion(a) => a.load(from)?,
        }
        self.points.clear();
        self.signals_are_new = from.bool("first decision")?;
        self.signals.load(from)?;
        self.moves.load(from)?;
        self.scoreboard.load(from)?;
        self.results.load(from)?;
        self.hedger.load(from)?;
        self.equity.load(from)?;
        let mut n = || from.u64("count");
        self.counts = Counts {
            cycles: self.counts.cycles,
            orders: n()?,
            fills: n()?,
            refused: n()?,
            cancelled: n()?,
            duplicates: n()?,
            unpriced: n()?,
            breakers: n()?,
        };
        if let Some(exits) = &mut self.exits {
            exits.load(from)?;
        }
        Ok(())
    }
}
