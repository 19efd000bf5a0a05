//! `State` and `step`: the story of a run, in order.

use crate::actions::take_effect;
use crate::config::{ConfigError, RecordLevel, RunConfig, build_agents};
use crate::council::Council;
use crate::desk::{Allocator, Desk, Effects, Fault};
use crate::exits;
use crate::own::BuildError;
use crate::records::{
    put_agent_stopped, put_cancelled, put_command, put_costs, put_fill, put_lesson, put_negotiation, put_rejected,
    put_results,
};
use crate::signals::NARROW;
use crate::timeline::{Tick, TickPayload};
use tradegraph_agents::Agent;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{BatchRef, Event, FeedId, Fill, InstrumentId, Payload, Seq, Timestamp, VenueReport};
use tradegraph_execution::{Applied, Exchange, OrderState};
use tradegraph_graph::{CompileError, LoadError};
use tradegraph_learning::Lesson;
use tradegraph_ledger::LedgerError;

/// Why a state could not be made or restored.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A configuration that cannot be run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A rule that cannot run.
    #[error(transparent)]
    Agent(#[from] BuildError),
    /// A council that is wired wrongly.
    #[error("the council does not compile: {0}")]
    Council(#[from] CompileError),
    /// An account that cannot be opened.
    #[error("the account cannot be opened: {0}")]
    Account(#[from] LedgerError),
    /// A snapshot of another run or a damaged one.
    #[error("the snapshot does not fit this run: {0}")]
    Snapshot(#[from] DecodeError),
    /// A snapshot whose bytes do not have its hash.
    #[error("the snapshot after event {seq} is damaged: its bytes do not have its hash")]
    Damaged {
        /// Its last event.
        seq: u64,
    },
    /// The council's part of a snapshot.
    #[error("the snapshot does not fit this council: {0}")]
    CouncilSnapshot(#[from] LoadError),
}

/// All of a run: the desk and the council that works on it.
#[derive(Debug)]
pub struct State {
    pub(crate) desk: Desk,
    council: Council,
}

impl State {
    /// The state before the first event.
    ///
    /// # Errors
    /// `StateError` for a configuration or a rule that cannot run, or cash that does not fit.
    pub fn new(config: &RunConfig) -> Result<Self, StateError> {
        config.check()?;
        let mut agents = build_agents(config)?;
        let desk = Desk::new(config, &agents.iter().map(|a| a.as_ref() as &dyn Agent).collect::<Vec<_>>())?;
        let bindings = desk.panel.bindings();
        agents.iter_mut().for_each(|a| a.bind(&bindings));
        Ok(State { desk, council: Council::new(config, agents, &bindings)? })
    }

    /// Everything but the graph.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Why the run stopped, if it did.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.desk.fault.as_ref()
    }

    /// The number of the next event.
    #[inline]
    #[must_use]
    pub fn next_seq(&self) -> Seq {
        Seq(self.desk.seq.0 + 1)
    }

    /// The council as a Mermaid drawing.
    #[must_use]
    pub fn mermaid(&self) -> String {
        self.council.mermaid()
    }

    /// The council as a picture, an `<svg>` element that stands alone or inside a page.
    #[must_use]
    pub fn svg(&self) -> String {
        self.council.svg()
    }

    /// Prepares a block of events that will come: features and opinions, which depend on the market alone, in one
    /// pass. It changes no result; a `step` without it prepares its own moment.
    pub(crate) fn prepare(&mut self, ticks: &[Tick], pool: Option<&rayon::ThreadPool>) {
        let desk = &mut self.desk;
        let n_feeds = desk.present.len();
        desk.open_points();
        let mut ahead = vec![0_u32; n_feeds];
        for t in ticks {
            match t.payload {
                TickPayload::Bars(feed, _) => ahead[usize::from(feed.0)] += 1,
                TickPayload::Open(..) | TickPayload::Action(_) => {}
                TickPayload::Decide(_) => {
                    desk.points.ts.push(t.ts);
                    match ahead.as_slice() {
                        [one] => desk.points.ahead.push(*one),
                        many => desk.points.ahead.extend_from_slice(many),
                    }
                }
            }
        }
        for (feed, rows) in (0_u16..).zip(&ahead) {
            let feed = FeedId(feed);
            desk.panel.prepare(feed, desk.panel.known(feed) + *rows as usize, pool);
        }
        self.opinions();
    }

    /// `prepare` for the next rows of the one feed, with a decision after each.
    pub(crate) fn prepare_rows(&mut self, rows: std::ops::Range<u32>, pool: Option<&rayon::ThreadPool>) {
        let desk = &mut self.desk;
        desk.open_points();
        desk.panel.prepare(FeedId(0), rows.end as usize, pool);
        let Some(batch) = desk.panel.batch(FeedId(0)) else { return };
        desk.points.ts.extend_from_slice(batch.ends(rows.start as usize, rows.end as usize));
        desk.points.ahead.extend(1..=rows.end - rows.start);
        desk.points.row_by_row = true;
        self.opinions();
    }

    /// Passes over events from row `from` on, after its open if `opened`, by which nothing can happen: no order rests
    /// and no wish is open, so that opens and bars trade nothing, and while every opinion is as before, the allocator,
    /// which looks at nothing else, would decide nothing. The state is the one that `step` would have reached.
    #[inline]
    pub(crate) fn skip_quiet(&mut self, from: usize, opened: bool, to: usize) -> Skipped {
        let mut skipped = Skipped { row: from, opened, bars: false };
        let desk = &mut self.desk;
        let quiet = matches!(&desk.allocator, Allocator::Direct(a) if !a.has_unmet())
            && desk.exchange.as_ref().is_some_and(Exchange::is_idle)
            && !desk.gate.watches_bars()
            && desk.fault.is_none();
        let Some(batch) = desk.panel.batch(FeedId(0)).filter(|_| quiet) else { return skipped };
        // Narrow universes only; and prices have 63 bits: no row in between can overflow the value of such positions.
        let width = desk.books.width();
        let small = |i| desk.books.position(InstrumentId(i as u32)).nano().unsigned_abs() < 1 << 60;
        if width > NARROW || !(0..width).all(small) {
            return skipped;
        }
        let changed = desk.points.changed.get(desk.points.at..).unwrap_or_default();
        for (row, changed) in (from..to).zip(changed) {
            if desk.equity.is_past(batch.interval(row).end) || !batch.is_complete(row) {
                break;
            }
            if batch.spec().has_open && !skipped.opened {
                desk.hash.light(open_word(FeedId(0), row as u32));
                desk.seq.0 += 1;
            }
            desk.hash.light(bars_word(FeedId(0), row as u32));
            desk.seq.0 += 1;
            if *changed {
                (skipped.row, skipped.bars) = (row, true);
                break;
            }
            desk.seq.0 += 1;
            (skipped.row, skipped.opened) = (row + 1, false);
        }
        let last = if skipped.bars { skipped.row } else { skipped.row.wrapping_sub(1) };
        if skipped.bars || skipped.row > from {
            desk.ts = batch.interval(last).end;
            desk.points.at += skipped.row - from;
            mark(desk, FeedId(0), last);
        }
        skipped
    }

    /// Runs the market part of the council over the desk's points.
    fn opinions(&mut self) {
        let desk = &mut self.desk;
        let points = desk.points.ts.len();
        desk.signals.reserve(points);
        if let Err(e) = self.council.prepare(desk) {
            desk.fault = Some(Fault::Council { seq: desk.seq.0, what: e.to_string() });
        }
        let desk = &mut self.desk;
        desk.signals.changes(points, &mut desk.points.changed);
        if let Some(first) = desk.points.changed.first_mut() {
            *first |= desk.signals_are_new;
            desk.signals_are_new = false;
        }
    }

    /// The canonical bytes of the state.
    pub fn save(&self, to: &mut Encoder) {
        self.desk.save(to);
        self.council.save(to);
    }

    /// blake3 of the canonical bytes.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut e = Encoder::new();
        self.save(&mut e);
        *blake3::hash(e.as_bytes()).as_bytes()
    }

    /// Reads what `save` wrote into the state of the same configuration.
    ///
    /// # Errors
    /// `StateError` if the bytes are damaged or of another configuration.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), StateError> {
        self.desk.load(from)?;
        self.council.load(from)?;
        Ok(())
    }
}

/// Where `skip_quiet` stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// The row that is next.
    pub(crate) row: usize,
    /// Its open has passed.
    pub(crate) opened: bool,
    /// Its bars have passed too, and only the decision is left.
    pub(crate) bars: bool,
}

/// Applies one event, then everything that the simulated exchange says about it, in order. The story of a run.
#[inline]
pub fn step(state: &mut State, event: &Event, out: &mut Effects) {
    apply(state, event);
    loop {
        while !state.desk.out.reports.is_empty() {
            consume_reports(state);
        }
        if state.desk.exits.is_none() || state.desk.fault.is_some() || !exits::settle(&mut state.desk) {
            break;
        }
    }
    if let Some(lesson) = state.desk.out.lesson.take() {
        learned(&mut state.desk, &lesson);
    }
    out.absorb(&mut state.desk.out);
}

/// What the council learned is an event of its own: it goes on record and counts from the next decision on.
#[cold]
fn learned(desk: &mut Desk, lesson: &Lesson) {
    if desk.fault.is_some() {
        return;
    }
    desk.seq.0 += 1;
    let from = desk.out.records.as_bytes().len();
    if let Allocator::Fusion(a) = &mut desk.allocator {
        for (agent, weight, _) in &lesson.agents {
            a.set_learned(*agent, *weight);
        }
    }
    if desk.record >= RecordLevel::Outcomes {
        put_lesson(&mut desk.out.records, desk.seq.0, desk.ts, lesson);
        if let (Ok(nav), Some(statement)) = (desk.books.nav(), desk.statement()) {
            put_results(&mut desk.out.records, desk.seq.0, desk.ts, nav, &statement);
        }
    }
    desk.hash_records(from);
}

/// Consumes what the exchange said, each report as an event of its own.
fn consume_reports(state: &mut State) {
    let desk = &mut state.desk;
    let mut reports = std::mem::take(&mut desk.out.reports);
    for report in &reports {
        if desk.fault.is_some() {
            break;
        }
        desk.seq.0 += 1;
        venue(desk, report);
    }
    if desk.out.reports.is_empty() {
        reports.clear();
        desk.out.reports = reports; // keeps the memory
    }
}

#[inline]
fn apply(state: &mut State, event: &Event) {
    let desk = &mut state.desk;
    if desk.fault.is_some() {
        return;
    }
    desk.seq = event.seq;
    desk.ts = event.ts;
    let new_day = desk.equity.is_past(event.ts);
    if new_day {
        desk.roll_day(event.ts);
    }
    if new_day && desk.gate.has_changes() {
        desk.record_breakers();
    }
    match &event.payload {
        Payload::Bars(at) => bars(desk, *at),
        Payload::Decide(_) => decide(state),
        Payload::Open(at) => open(desk, *at),
        Payload::Venue(report) => venue(desk, report),
        Payload::Action(at) => take_effect(desk, *at),
        Payload::Halt => command(desk, true),
        Payload::Resume => command(desk, false),
    }
}

/// Bars are complete: they become known, positions are valued, and the exchange trades what they touched.
#[inline]
fn bars(desk: &mut Desk, at: BatchRef) {
    let row = at.row as usize;
    desk.hash.light(bars_word(at.feed, at.row));
    mark(desk, at.feed, row);
    if desk.gate.watches_bars() {
        observe(desk);
    }
    let Some(batch) = desk.panel.batch(at.feed) else { return };
    if let Some(exchange) = &mut desk.exchange {
        exchange.on_bars(batch, row, desk.panel.universe(), &desk.books, &mut desk.out.reports);
    }
}

/// The breakers look at the account after a row of bars. Without a net asset value there is nothing to measure, and
/// nothing that adds risk passes.
fn observe(desk: &mut Desk) {
    if let Ok(nav) = desk.books.nav() {
        desk.gate.advance(desk.ts);
        desk.gate.observe(nav);
        if desk.gate.has_changes() {
            desk.record_breakers();
        }
    }
}

/// A row becomes known and positions are valued by it.
#[inline]
fn mark(desk: &mut Desk, feed: FeedId, row: usize) {
    desk.panel.advance(feed, row);
    let Some(batch) = desk.panel.batch(feed) else { return };
    let marked = desk.books.mark_row(batch.closes(row, row + 1), batch.statuses(row, row + 1), batch.is_complete(row));
    if let Err(error) = marked {
        desk.fault = Some(Fault::Books { seq: desk.seq.0, error });
    }
}

/// What the rolling hash takes of a row of bars.
#[inline]
fn bars_word(feed: FeedId, row: u32) -> u64 {
    u64::from(row) | (u64::from(feed.0) << 32) | (1 << 48)
}

/// What the rolling hash takes of a row of opens.
#[inline]
fn open_word(feed: FeedId, row: u32) -> u64 {
    u64::from(row) | (u64::from(feed.0) << 32) | (2 << 48)
}

/// Bars begin: the exchange trades at their opens. The decision at this moment has been made without them.
#[inline]
fn open(desk: &mut Desk, at: BatchRef) {
    desk.hash.light(open_word(at.feed, at.row));
    if let Some(exchange) = &mut desk.exchange
        && exchange.has_orders()
        && let Some(batch) = desk.panel.batch(at.feed)
    {
        exchange.on_open(batch, at.row as usize, desk.panel.universe(), &desk.books, &mut desk.out.reports);
    }
}

/// The council decides, if anything that it looks at has changed.
#[inline]
fn decide(state: &mut State) {
    if state.desk.points.at >= state.desk.points.ts.len() {
        // Nobody prepared this moment: prepare it alone.
        let desk = &mut state.desk;
        desk.open_points();
        desk.points.ts.push(desk.ts);
        desk.points.ahead.resize(desk.present.len(), 0);
        state.opinions();
    }
    let desk = &mut state.desk;
    if desk.gate.watches_bars() {
        desk.gate.advance(desk.ts);
        desk.gate.observe_data(&desk.panel);
        if desk.gate.has_changes() {
            desk.record_breakers();
        }
    }
    let at = desk.points.at;
    if !(desk.points.shared.is_empty() && desk.points.stopped.is_empty()) && desk.record >= RecordLevel::Outcomes {
        desk.record_strategies(at);
    }
    let run = match &desk.allocator {
        Allocator::Fusion(_) => true,
        Allocator::Direct(a) => desk.points.changed.get(at).copied().unwrap_or(true) || a.has_unmet(),
    };
    if run {
        cycle(state);
    }
    state.desk.points.at += 1;
}

fn cycle(state: &mut State) {
    let desk = &mut state.desk;
    desk.counts.cycles += 1;
    let from = desk.out.records.as_bytes().len();
    if let Err(e) = state.council.decide(desk) {
        desk.fault = Some(Fault::Council { seq: desk.seq.0, what: e.to_string() });
    }
    desk.hash_records(from);
}

/// What a venue says. A fill is booked whatever state its order is in; each execution posts once.
#[inline]
fn venue(desk: &mut Desk, report: &VenueReport) {
    let from = desk.out.records.as_bytes().len();
    let applied = match report {
        VenueReport::Fill(fill) if desk.books.has_booked(fill.exec) => {
            desk.counts.duplicates += 1;
            return;
        }
        _ => desk.orders.apply(report),
    };
    if let VenueReport::Accepted(_) | VenueReport::Rejected(..) = report {
        desk.gate.advance(desk.ts);
        desk.gate.observe_answer(matches!(report, VenueReport::Rejected(..)));
    }
    match report {
        VenueReport::Accepted(order) => desk.hash.word(order.0 | (3 << 56)),
        VenueReport::Fill(fill) => book(desk, fill, applied),
        VenueReport::Cancelled(order, reason) => {
            desk.counts.cancelled += 1;
            ended(desk, applied);
            if desk.record >= RecordLevel::Outcomes {
                put_cancelled(&mut desk.out.records, desk.seq.0, desk.ts, *order, *reason);
            }
        }
        VenueReport::Rejected(order, reason) => {
            desk.counts.cancelled += 1;
            ended(desk, applied);
            if desk.record >= RecordLevel::Outcomes {
                put_rejected(&mut desk.out.records, desk.seq.0, desk.ts, *order, *reason);
            }
        }
    }
    desk.hash_records(from);
    if desk.gate.has_changes() {
        desk.record_breakers();
    }
}

/// Books an execution and frees what its order held for it.
#[inline]
fn book(desk: &mut Desk, fill: &Fill, applied: Applied) {
    let settles = desk.settlement_date();
    let before = desk.books.position(fill.instrument);
    let realised_nano = match desk.books.post_fill(fill, desk.ts, settles, |_| ()) {
        Ok(booked) => {
            desk.gate.advance(desk.ts);
            desk.gate.observe_fill(fill.instrument, before, booked.position);
            booked.realised_nano
        }
        Err(error) => {
            desk.fault = Some(Fault::Books { seq: desk.seq.0, error });
            return;
        }
    };
    match applied {
        Applied::Open(open) => desk.books.fill_hold(open.hold, fill.quantity),
        Applied::Ended(open) => desk.books.release(open.hold),
        Applied::Anomaly => {}
    }
    if let Allocator::Fusion(a) = &desk.allocator {
        desk.results.charge(fill.fee_nano, fill.instrument.index(), a.asked());
    }
    if let Some(exits) = &mut desk.exits {
        exits.filled(fill.instrument, fill.order, fill.side, desk.ts);
        exits.touch(fill.instrument);
        if let Applied::Ended(open) = applied {
            exits.forget(fill.instrument, open.order.id);
        }
    }
    desk.counts.fills += 1;
    let costs = desk.exchange.as_mut().and_then(|x| x.take_costs(fill.exec));
    if desk.record >= RecordLevel::Outcomes {
        let anomaly = applied == Applied::Anomaly;
        put_fill(&mut desk.out.records, desk.seq.0, desk.ts, fill, realised_nano, anomaly);
        if let Some(costs) = costs {
            put_costs(&mut desk.out.records, desk.seq.0, fill.exec, &costs);
        }
    }
}

/// An order ended before it was filled: what it held is free and the wish is unmet.
fn ended(desk: &mut Desk, applied: Applied) {
    if let Applied::Ended(open) = applied {
        desk.books.release(open.hold);
        if let Some(exits) = &mut desk.exits {
            let (i, id) = (open.order.instrument, open.order.id);
            let ours = exits.owns(i, id);
            if !(ours && open.state == OrderState::Rejected) {
                exits.touch(i);
            }
            exits.forget(i, id);
            if ours {
                return;
            }
        }
        match &mut desk.allocator {
            Allocator::Direct(a) => a.unmet(open.order.instrument),
            Allocator::Fusion(a) => a.unmet(open.order.instrument),
        }
    }
}

/// A person halts trading, or lifts the halt and every tripped breaker.
fn command(desk: &mut Desk, halt: bool) {
    if halt {
        desk.gate.halt();
    } else {
        desk.gate.lift_halt();
    }
    let from = desk.out.records.as_bytes().len();
    put_command(&mut desk.out.records, desk.seq.0, desk.ts, halt);
    desk.hash_records(from);
}

impl Desk {
    /// Starts a new block of points; the last opinions of the old one become the row before it.
    pub(crate) fn open_points(&mut self) {
        let last = self.points.ts.len();
        if last > 0 {
            self.signals.carry(last);
            self.points.shared_before = self.points.shared.pop().flatten();
        }
        self.points.clear();
    }

    /// Puts on record which strategies stood back in decision `at`, and which panicked.
    #[cold]
    fn record_strategies(&mut self, at: usize) {
        let (seq, ts, records) = (self.seq.0, self.ts, &mut self.out.records);
        let from = records.as_bytes().len();
        if let Some(n) = self.points.negotiation(at) {
            put_negotiation(records, seq, ts, n);
        }
        for (_, agent, what) in self.points.stopped.iter().filter(|(k, ..)| *k == at) {
            put_agent_stopped(records, seq, ts, *agent, what);
        }
        self.hash_records(from);
    }

    /// Folds the records that an event made into the rolling hash.
    #[inline]
    pub(crate) fn hash_records(&mut self, from: usize) {
        let bytes = self.out.records.as_bytes();
        if let Some(new) = bytes.get(from..).filter(|b| !b.is_empty()) {
            self.hash.bytes(new);
        }
    }

    /// Closes the last day of the run.
    pub(crate) fn finish(&mut self) {
        let nav = self.books.nav().ok();
        self.equity.close(nav);
        if let (Some(nav), Some(statement), true, true) =
            (nav, self.statement(), self.fusion().is_some(), self.record >= RecordLevel::Outcomes)
        {
            let from = self.out.records.as_bytes().len();
            put_results(&mut self.out.records, self.seq.0, self.ts, nav, &statement);
            self.hash_records(from);
        }
    }

    /// The time of the last event.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.ts
    }
}
