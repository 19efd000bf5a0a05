//! `Timeline`: history as a stream of events in their one order. Sources are the opens and bars of each feed, the
//! decision schedules and the corporate actions; they merge by (ts, class, source rank, source sequence). Actions before
//! the first bar or from the end of the last one on change nothing and are left out.

use crate::config::Schedule;
use std::ops::Range;
use std::sync::Arc;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{BatchRef, Date, EventClass, FeedId, Interval, Payload, ScheduleId, SourceKey, Timestamp};
use tradegraph_market::calendar::CalendarId;
use tradegraph_market::{Actions, Batch};

/// One event before it has a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick {
    pub(crate) ts: Timestamp,
    pub(crate) payload: TickPayload,
}

/// What a tick is: 8 bytes, so that a block of them stays in the first-level cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TickPayload {
    Bars(FeedId, u32),
    Open(FeedId, u32),
    Decide(ScheduleId),
    Action(u32),
}

impl Tick {
    /// The payload and what it is about.
    #[inline]
    pub(crate) fn event(self, feeds: &[Arc<Batch>]) -> (Interval, Payload) {
        let interval = |feed: FeedId, row: u32| feeds[usize::from(feed.0)].interval(row as usize);
        match self.payload {
            TickPayload::Bars(feed, row) => (interval(feed, row), Payload::Bars(BatchRef { feed, row })),
            TickPayload::Open(feed, row) => (interval(feed, row), Payload::Open(BatchRef { feed, row })),
            TickPayload::Decide(id) => (Interval { start: self.ts, end: self.ts }, Payload::Decide(id)),
            TickPayload::Action(at) => (Interval { start: self.ts, end: self.ts }, Payload::Action(at)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FeedCursor {
    bars: u32,
    opens: u32,
}

/// Ticks of a block at most, but for the end of a moment.
const BLOCK_TICKS: usize = 8_192;

/// Where each source stands.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    feeds: Vec<Arc<Batch>>,
    schedules: Vec<Schedule>,
    cursors: Vec<FeedCursor>,
    /// The next moment of each schedule; for `OnBars` set when the bars come.
    next: Vec<Option<Timestamp>>,
    last: Timestamp,
    actions: Arc<Actions>,
    /// The actions that have not happened.
    pending: Range<u32>,
}

impl Timeline {
    pub(crate) fn new(feeds: Vec<Arc<Batch>>, schedules: Vec<Schedule>, actions: Arc<Actions>) -> Self {
        let first = feeds.iter().map(|b| b.interval(0).start).min().unwrap_or_default();
        let last = feeds.iter().map(|b| b.interval(b.rows() - 1).end).max().unwrap_or_default();
        // A table has fewer than 2^32 actions, or the events of the rest could not name them.
        let before = |ts: Timestamp| actions.items().partition_point(|a| a.ts < ts).min(u32::MAX as usize) as u32;
        let pending = before(first)..before(last);
        let mut t = Timeline {
            cursors: vec![FeedCursor { bars: 0, opens: 0 }; feeds.len()],
            next: vec![None; schedules.len()],
            feeds,
            schedules,
            last,
            pending,
            actions,
        };
        for k in 0..t.schedules.len() {
            t.next[k] = t.after(k, Timestamp(first.0.saturating_sub(1)));
        }
        t
    }

    /// Rows of all feeds, and those that are done.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let done = self.cursors.iter().map(|c| u64::from(c.bars)).sum();
        (done, self.feeds.iter().map(|b| b.rows() as u64).sum())
    }

    /// The first moment of a clock schedule after `ts`, up to the end of the data.
    fn after(&self, k: usize, ts: Timestamp) -> Option<Timestamp> {
        let at = match self.schedules[k] {
            Schedule::OnBars(_) => return None,
            Schedule::Every(step) => {
                let step = step.0.max(1);
                Timestamp(ts.0.div_euclid(step).checked_add(1)?.checked_mul(step)?)
            }
            Schedule::OnClose(calendar) => {
                let mut date = Date(ts.date().0 - 1);
                loop {
                    let session = calendar.next_session(date)?;
                    if session.close > ts {
                        break session.close;
                    }
                    date = session.date;
                }
            }
        };
        (at <= self.last).then_some(at)
    }

    /// Appends the next ticks: up to `rows` rows of one feed, ending after the decisions of a moment.
    pub(crate) fn next_block(&mut self, rows: u32, out: &mut Vec<Tick>) {
        self.next_block_to(Timestamp(i64::MAX), rows, out);
    }

    /// `next_block` without what happens after a moment.
    pub(crate) fn next_block_to(&mut self, until: Timestamp, rows: u32, out: &mut Vec<Tick>) {
        out.clear();
        let mut left = rows;
        while let Some((key, payload)) = self.earliest() {
            // A block ends when every bar of a moment and its decisions are in it; a clock that ticks more often than
            // bars come must not make one without an end.
            let same_moment = key.class <= EventClass::Decide && out.last().is_some_and(|t| t.ts == key.ts);
            if key.ts > until || (left == 0 || out.len() >= BLOCK_TICKS) && !same_moment {
                return;
            }
            self.take(payload, key.ts);
            if matches!(payload, TickPayload::Bars(..)) {
                left = left.saturating_sub(1);
            }
            out.push(Tick { ts: key.ts, payload });
        }
    }

    /// True for one feed that decides on its bars. Its order is open, bars, decide, row after row, because a row starts
    /// no earlier than the row before it ends (batches guarantee it): no merge is needed.
    pub(crate) fn is_row_by_row(&self) -> bool {
        matches!((self.feeds.as_slice(), self.schedules.as_slice()), ([_], [Schedule::OnBars(FeedId(0))]))
    }

    /// Rows that a timeline that goes row by row has up to a moment.
    pub(crate) fn rows_to(&self, until: Timestamp) -> u32 {
        let (Some(batch), Some(c)) = (self.feeds.first(), self.cursors.first()) else { return 0 };
        let ends = batch.ends(0, batch.rows()).partition_point(|end| *end <= until) as u32;
        ends.saturating_sub(c.bars)
    }

    /// The next rows of a timeline that goes row by row.
    pub(crate) fn next_rows(&mut self, rows: u32) -> Range<u32> {
        let (Some(batch), Some(c)) = (self.feeds.first(), self.cursors.first_mut()) else { return 0..0 };
        let range = c.bars..(batch.rows() as u32).min(c.bars.saturating_add(rows));
        (c.bars, c.opens) = (range.end, range.end);
        range
    }

    /// The first row, of a timeline that goes row by row, whose bars become known after the next action.
    pub(crate) fn next_action_row(&self) -> u32 {
        match (self.next_action(), self.feeds.first()) {
            (Some(action), Some(batch)) => batch.ends(0, batch.rows()).partition_point(|end| *end <= action.ts) as u32,
            _ => u32::MAX,
        }
    }

    /// Takes the next action if it happens at `until` or before.
    pub(crate) fn take_action(&mut self, until: Timestamp) -> Option<Tick> {
        let tick = self.next_action().filter(|t| t.ts <= until)?;
        self.pending.start += 1;
        Some(tick)
    }

    fn next_action(&self) -> Option<Tick> {
        let at = self.pending.clone().next()?;
        self.actions.get(at).map(|a| Tick { ts: a.ts, payload: TickPayload::Action(at) })
    }

    /// The head of the merge.
    fn earliest(&self) -> Option<(SourceKey, TickPayload)> {
        let mut best: Option<(SourceKey, TickPayload)> = None;
        let mut offer = |key: SourceKey, payload| {
            if best.is_none_or(|(b, _)| key < b) {
                best = Some((key, payload));
            }
        };
        for (rank, (batch, c)) in (0_u16..).zip(self.feeds.iter().zip(&self.cursors)) {
            let rows = batch.rows() as u32;
            if c.bars < rows {
                let ts = batch.interval(c.bars as usize).end;
                let key = SourceKey { ts, class: EventClass::Market, source_rank: rank, source_seq: c.bars.into() };
                offer(key, TickPayload::Bars(FeedId(rank), c.bars));
            }
            if batch.spec().has_open && c.opens < rows {
                let ts = batch.interval(c.opens as usize).start;
                let key = SourceKey { ts, class: EventClass::Open, source_rank: rank, source_seq: c.opens.into() };
                offer(key, TickPayload::Open(FeedId(rank), c.opens));
            }
        }
        for (rank, next) in (0_u16..).zip(&self.next) {
            if let Some(ts) = *next {
                let key = SourceKey { ts, class: EventClass::Decide, source_rank: rank, source_seq: 0 };
                offer(key, TickPayload::Decide(ScheduleId(rank)));
            }
        }
        if let Some(Tick { ts, payload }) = self.next_action() {
            let source_seq = self.pending.start.into();
            offer(SourceKey { ts, class: EventClass::CorporateAction, source_rank: 0, source_seq }, payload);
        }
        best
    }

    fn take(&mut self, payload: TickPayload, ts: Timestamp) {
        match payload {
            TickPayload::Bars(feed, row) => {
                self.cursors[usize::from(feed.0)].bars = row + 1;
                for (next, s) in self.next.iter_mut().zip(&self.schedules) {
                    if *s == Schedule::OnBars(feed) {
                        *next = Some(ts);
                    }
                }
            }
            TickPayload::Open(feed, row) => self.cursors[usize::from(feed.0)].opens = row + 1,
            TickPayload::Decide(ScheduleId(k)) => self.next[usize::from(k)] = self.after(k.into(), ts),
            TickPayload::Action(at) => self.pending.start = at + 1,
        }
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        for c in &self.cursors {
            to.u32(c.bars);
            to.u32(c.opens);
        }
        for next in &self.next {
            to.bool(next.is_some());
            to.i64(next.unwrap_or_default().0);
        }
        to.u32(self.pending.start);
    }

    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        for (c, batch) in self.cursors.iter_mut().zip(&self.feeds) {
            (c.bars, c.opens) = (from.u32("bars done")?, from.u32("opens done")?);
            let rows = batch.rows() as u32;
            if c.bars > rows || c.opens > rows {
                let found = u64::from(c.bars.max(c.opens));
                return Err(DecodeError::Mismatch { what: "rows done", found, expected: rows.into() });
            }
        }
        for next in &mut self.next {
            let some = from.bool("schedule")?;
            let ts = Timestamp(from.i64("schedule")?);
            *next = some.then_some(ts);
        }
        let (found, all) = (from.u32("actions done")?, self.pending.clone());
        if found < all.start || found > all.end {
            return Err(DecodeError::Mismatch { what: "actions done", found: found.into(), expected: all.end.into() });
        }
        self.pending.start = found;
        Ok(())
    }
}

/// The settlement date of a trade: so many XNYS sessions after its day. `None` settles at once, also outside the
/// years that the calendar covers.
pub(crate) fn settlement(ts: Timestamp, days: Option<u8>) -> Option<Date> {
    CalendarId::Xnys.roll(ts.date(), u32::from(days?))
}

#[cfg(test)]
mod tests;
