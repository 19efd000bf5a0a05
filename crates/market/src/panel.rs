//! `Panel`: the market as columns. It holds the history of each feed, the features of a block of consecutive slices,
//! and what is known now. `View` is how agents see one moment of it.
//!
//! A feed may be prepared ahead for a block of slices, because features depend on the market alone; `advance` moves
//! the present forward one row at a time, and a `View` shows the row that is known and what the kernels made of the
//! rows before it, never a later one.

mod doubt;
mod inputs;

use crate::actions::Adjustments;
use crate::batch::Batch;
use crate::features::{FeatureId, FeatureKind, FeatureSpec, Kernels, Rows, chunk_widths};
use crate::universe::Universe;
use doubt::Doubt;
use inputs::{Factors, InputRows, Market};
use std::sync::Arc;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{Block, CHUNK, ColRef, Status};
use tradegraph_domain::{FeedId, InstrumentId, Price, Timestamp, mul_div_half_even};
use tradegraph_quant::indicators::{Inputs, Out};

/// Cells of a block: small enough that the columns of a few features stay in the second-level cache.
const BLOCK_CELLS: usize = 8_192;
/// Slices of a block at most.
const BLOCK_ROWS: usize = 1_024;

/// Which column a feature is.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    specs: Vec<FeatureSpec>,
}

impl Bindings {
    /// Handle of a feature, if the panel computes it.
    #[must_use]
    pub fn find(&self, spec: &FeatureSpec) -> Option<FeatureId> {
        self.specs.iter().position(|s| s == spec).map(|at| FeatureId(at as u16))
    }
}

#[derive(Debug)]
struct Feed {
    batch: Arc<Batch>,
    /// Places of this feed's features among the panel's columns.
    columns: Vec<usize>,
    kernels: Vec<Kernels>,
    /// Fields of the bars that a feature reads.
    reads: Inputs,
    /// Factors of corporate actions, if there are any.
    factors: Option<Box<Factors>>,
    /// The market's return, if a feature reads it.
    market: Option<Box<Market>>,
    /// Instruments with bars of doubtful quality, if the batch has any.
    doubt: Option<Doubt>,
    /// The block holds rows `from..to`; row `from − 1` is carried in block row 0.
    from: usize,
    to: usize,
    /// Of a block of one row the first two rows have changed places: the carried row stays where it is.
    swapped: bool,
    /// Rows that are known: 0..known.
    known: usize,
}

impl Feed {
    /// Where row `at` of the block is in the columns.
    #[inline]
    fn place(&self, at: usize) -> usize {
        at ^ usize::from(self.swapped)
    }
}

/// The market as columns.
#[derive(Debug)]
pub struct Panel {
    universe: Arc<Universe>,
    feeds: Vec<Feed>,
    specs: Vec<FeatureSpec>,
    columns: Vec<Block<f64>>,
    /// What kernels read of the block that is being prepared.
    inputs: Box<InputRows>,
    last_price: Vec<i64>,
    last_seen: Vec<Timestamp>,
    /// Every instrument was seen at this moment or later.
    all_seen: Timestamp,
    block_rows: usize,
}

impl Panel {
    /// A panel before the first bar. `needs` may repeat features.
    #[must_use]
    pub fn new(universe: Arc<Universe>, batches: Vec<Arc<Batch>>, needs: &[FeatureSpec]) -> Self {
        Panel::with_adjustments(universe, batches, Vec::new(), needs)
    }

    /// A panel whose features see through corporate actions: `adjustments` has the factors of each feed, in the order
    /// of `batches`; a feed beyond its end has none. Kernels read price × total factor and volume ÷ split factor, each
    /// as of its row; lines in units of prices or volumes are turned back by the factors of their row.
    #[must_use]
    pub fn with_adjustments(
        universe: Arc<Universe>,
        batches: Vec<Arc<Batch>>,
        adjustments: Vec<Adjustments>,
        needs: &[FeatureSpec],
    ) -> Self {
        let n = universe.len();
        let mut specs: Vec<FeatureSpec> = needs.to_vec();
        specs.sort_unstable();
        specs.dedup();
        let block_rows = if n > CHUNK { 1 } else { (BLOCK_CELLS / n.max(1)).clamp(1, BLOCK_ROWS) };
        let adjustments = adjustments.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let feeds: Vec<Feed> = batches
            .into_iter()
            .zip(adjustments)
            .enumerate()
            .map(|(feed, (batch, adjustments))| {
                let columns: Vec<usize> =
                    specs.iter().enumerate().filter(|(_, s)| usize::from(s.feed.0) == feed).map(|(at, _)| at).collect();
                let kinds: Vec<FeatureKind> = columns.iter().map(|at| specs[*at].kind).collect();
                let has = inputs::fields_of(&batch);
                let reads = kinds.iter().map(|k| k.inputs()).filter(|i| has.has(*i)).fold(Inputs::CLOSE, Inputs::and);
                Feed {
                    kernels: chunk_widths(n).map(|w| Kernels::new(&kinds, w, block_rows, has)).collect(),
                    reads,
                    factors: adjustments.filter(|a| !a.is_empty()).map(|a| Box::new(Factors::new(&a, n))),
                    doubt: Doubt::new(&batch),
                    market: reads.has(Inputs::OTHER).then(|| Box::new(Market::new(n))),
                    batch,
                    columns,
                    from: 0,
                    to: 0,
                    swapped: false,
                    known: 0,
                }
            })
            .collect();
        let reads = feeds.iter().fold(Inputs::CLOSE, |all, f| all.and(f.reads));
        let adjusted = feeds.iter().any(|f| f.factors.is_some());
        Panel {
            columns: specs.iter().map(|_| Block::new(block_rows + 1, n)).collect(),
            inputs: Box::new(InputRows::new(block_rows * n, reads, adjusted)),
            last_price: vec![0; n],
            last_seen: vec![Timestamp::MIN; n],
            all_seen: Timestamp::MIN,
            universe,
            feeds,
            specs,
            block_rows,
        }
    }

    /// The instruments.
    #[must_use]
    pub fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    /// Number of instruments.
    #[inline]
    #[must_use]
    pub fn width(&self) -> usize {
        self.last_price.len()
    }

    /// Which column each feature is.
    #[must_use]
    pub fn bindings(&self) -> Bindings {
        Bindings { specs: self.specs.clone() }
    }

    /// The history of a feed.
    #[inline]
    #[must_use]
    pub fn batch(&self, feed: FeedId) -> Option<&Arc<Batch>> {
        self.feeds.get(usize::from(feed.0)).map(|f| &f.batch)
    }

    /// Number of feeds.
    #[must_use]
    pub fn n_feeds(&self) -> usize {
        self.feeds.len()
    }

    /// Slices that can be prepared at once.
    #[must_use]
    pub fn block_rows(&self) -> usize {
        self.block_rows
    }

    /// Prepares at most so many slices at once, for runners that want smaller blocks. It changes no result.
    pub fn limit_block(&mut self, rows: usize) {
        self.block_rows = self.block_rows.min(rows.max(1));
    }

    /// Rows of a feed that are known.
    #[inline]
    #[must_use]
    pub fn known(&self, feed: FeedId) -> usize {
        self.feeds.get(usize::from(feed.0)).map_or(0, |f| f.known)
    }

    /// Computes the features of the next rows of a feed, up to `to` and at most a block. Rows that were prepared and
    /// are not known yet are kept; nothing happens if `to` was reached before. `pool` serves universes of more than
    /// one chunk.
    pub fn prepare(&mut self, feed: FeedId, to: usize, pool: Option<&rayon::ThreadPool>) {
        let Some(f) = self.feeds.get_mut(usize::from(feed.0)) else { return };
        let to = to.min(f.batch.rows()).min(f.known + self.block_rows);
        // Only a block whose rows are all known may be replaced.
        if f.to > f.known || to <= f.to {
            return;
        }
        let (n, from, carried) = (self.last_price.len(), f.to, f.to - f.from);
        let k = to - from;
        let cells = k * n;
        self.inputs.fill(&f.batch, from, to, f.reads, f.factors.as_deref_mut());
        let present = f.batch.statuses(from, to);
        if let Some(market) = &mut f.market {
            market.fill(&mut self.inputs, present, k, pool);
        }
        let last = f.place(carried);
        f.swapped = k == 1 && last == 1;
        if last > 0 && !f.swapped {
            for at in &f.columns {
                let (values, status) = self.columns[*at].parts_mut();
                values.copy_within(last * n..(last + 1) * n, 0);
                status.copy_within(last * n..(last + 1) * n, 0);
            }
        }
        let first = f.place(1) * n;
        let (inputs, adjusted) = (&self.inputs, f.factors.is_some());
        let rows = |from: usize, to: usize| inputs.rows(f.reads, adjusted, present, from, to);
        // Up to one chunk of instruments a block of slices; above, one slice in chunks of a fixed size: which thread takes
        // which chunk changes nothing.
        match (f.kernels.as_mut_slice(), pool) {
            (many @ [_, _, ..], Some(_)) => {
                let mut outs: Vec<Vec<Out<'_>>> = many.iter().map(|_| Vec::new()).collect();
                for (at, column) in self.columns.iter_mut().enumerate() {
                    if f.columns.contains(&at) {
                        let (values, status) = column.parts_mut();
                        let cells = first..first + n;
                        let chunks = values[cells.clone()].chunks_mut(CHUNK).zip(status[cells].chunks_mut(CHUNK));
                        chunks.zip(&mut outs).for_each(|(cells, out)| out.push(cells));
                    }
                }
                let chunk = |c: usize| rows(c * CHUNK, ((c + 1) * CHUNK).min(n));
                let work = many.iter_mut().zip(outs).enumerate().map(|(c, (kernels, out))| (kernels, out, chunk(c)));
                run_all(pool, work, |(kernels, mut out, rows): (&mut Kernels, Vec<Out<'_>>, Rows<'_>)| {
                    kernels.update(&rows, 1, &mut out);
                });
            }
            (all, _) => {
                let size = if all.len() > 1 { CHUNK } else { cells };
                for (c, kernels) in all.iter_mut().enumerate() {
                    let (from, to) = (c * size, ((c + 1) * size).min(cells));
                    with_outputs(&mut self.columns, &f.columns, first + from..first + to, |out| {
                        kernels.update(&rows(from, to), k, out);
                    });
                }
            }
        }
        if adjusted {
            for at in &f.columns {
                let values = &mut self.columns[*at].parts_mut().0[first..first + cells];
                self.inputs.turn_back(values, self.specs[*at].kind.scale());
            }
        }
        (f.from, f.to) = (from, to);
    }

    /// Makes the next row of a feed known. The row is prepared if it was not.
    #[inline]
    pub fn advance(&mut self, feed: FeedId, row: usize) {
        let Some(f) = self.feeds.get(usize::from(feed.0)) else { return };
        if row >= f.batch.rows() {
            return;
        }
        if row >= f.to {
            self.prepare(feed, row + 1, None);
        }
        let f = &mut self.feeds[usize::from(feed.0)];
        f.known = row + 1;
        if let Some(doubt) = &mut f.doubt {
            doubt.take(&f.batch, row);
        }
        let ts = f.batch.interval(row).end;
        let prices = f.batch.closes(row, row + 1);
        if f.batch.is_complete(row) {
            copy_row(&mut self.last_price, prices);
            self.all_seen = self.all_seen.max(ts);
            return;
        }
        let status = f.batch.statuses(row, row + 1);
        for (((last, seen), p), s) in self.last_price.iter_mut().zip(&mut self.last_seen).zip(prices).zip(status) {
            if *s == Status::Ok {
                (*last, *seen) = (*p, ts);
            }
        }
    }

    /// Turns the last price of an instrument into the units after a split of `new` for `old`, half-even, so that it can
    /// be compared with what trades between the ex-date's open and its first bar. A price that does not fit, or a ratio
    /// with a zero, changes nothing.
    pub fn rescale(&mut self, i: InstrumentId, new: u32, old: u32) {
        let Some(last) = self.last_price.get_mut(i.index()).filter(|_| new > 0) else { return };
        let turned = mul_div_half_even(i128::from(*last), i128::from(old), i128::from(new));
        if let Some(price) = turned.and_then(|p| i64::try_from(p).ok()).filter(|_| old > 0) {
            *last = price;
        }
    }

    /// True if a bar of the instrument failed a quality check in the last bars of a feed (20, its own included): what
    /// is concluded from them deserves less trust.
    #[inline]
    #[must_use]
    pub fn is_doubtful(&self, i: InstrumentId) -> bool {
        self.feeds.iter().any(|f| f.doubt.as_ref().is_some_and(|d| d.holds(i.index(), f.known)))
    }

    /// True if a feed has marks of quality checks at all.
    #[inline]
    #[must_use]
    pub fn has_doubts(&self) -> bool {
        self.feeds.iter().any(|f| f.doubt.is_some())
    }

    /// The last price of an instrument and when it became known.
    #[inline]
    #[must_use]
    pub fn last(&self, i: InstrumentId) -> Option<(Price, Timestamp)> {
        let seen = (*self.last_seen.get(i.index())?).max(self.all_seen);
        (seen > Timestamp::MIN).then(|| (Price::from_nano(self.last_price[i.index()]), seen))
    }

    /// What is known when `ahead[feed]` further rows of each feed are known: the present for zeros. Rows must be
    /// prepared.
    #[inline]
    #[must_use]
    pub fn view<'a>(&'a self, ts: Timestamp, ahead: &'a [u32]) -> View<'a> {
        View { panel: self, ts, ahead }
    }

    /// A feature over the next `rows` prepared rows of its feed, row after row: for kernels whose every cell depends on
    /// the same cell alone. Empty if they are not prepared.
    #[must_use]
    pub fn ahead(&self, id: FeatureId, rows: usize) -> ColRef<'_, f64> {
        let at = usize::from(id.0);
        match (self.specs.get(at).and_then(|s| self.feeds.get(usize::from(s.feed.0))), self.columns.get(at)) {
            (Some(f), Some(column)) if f.known + rows <= f.to => {
                let from = f.place(f.known + 1 - f.from);
                column.rows_ref(from, from + rows)
            }
            _ => ColRef::new(&[], &[]),
        }
    }

    /// Writes what is known canonically. Blocks that were prepared further than what is known cannot be saved, since
    /// kernels are ahead of the present: the engine saves at the ends of blocks.
    ///
    /// # Panics
    /// In debug builds, if a feed is prepared beyond what is known.
    pub fn save(&self, to: &mut Encoder) {
        for f in &self.feeds {
            debug_assert_eq!(f.to, f.known, "a snapshot inside a block");
            to.len(f.known);
            f.kernels.iter().for_each(|k| k.save(to));
            f.market.iter().for_each(|m| m.save(to));
            for at in &f.columns {
                let row = self.columns[*at].row(f.place(f.known - f.from));
                row.iter().for_each(|cell| to.f64(cell.unwrap_or_default()));
                to.statuses(row.statuses());
            }
        }
        to.i64s(&self.last_price);
        self.last_seen.iter().for_each(|t| to.i64(t.0));
        to.i64(self.all_seen.0);
    }

    /// Reads what `save` wrote into a panel of the same feeds and features.
    ///
    /// # Errors
    /// `DecodeError` if the bytes do not fit this panel.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        for f in &mut self.feeds {
            let known = from.u64("known rows")?;
            let rows = f.batch.rows() as u64;
            if known > rows {
                return Err(DecodeError::Mismatch { what: "known rows", found: known, expected: rows });
            }
            f.known = known as usize;
            (f.from, f.to, f.swapped) = (f.known, f.known, false);
            for k in &mut f.kernels {
                k.load(from)?;
            }
            if let Some(market) = &mut f.market {
                market.load(from)?;
            }
            if let Some(factors) = &mut f.factors {
                factors.start_at(f.known);
            }
            if let Some(doubt) = &mut f.doubt {
                doubt.start_at(&f.batch, f.known);
            }
            for at in &f.columns {
                let n = self.last_price.len();
                let (values, status) = self.columns[*at].parts_mut();
                for v in &mut values[..n] {
                    *v = from.f64("feature")?;
                }
                from.statuses_into(&mut status[..n])?;
            }
        }
        from.i64s_into(&mut self.last_price)?;
        for t in &mut self.last_seen {
            *t = Timestamp(from.i64("last seen")?);
        }
        self.all_seen = Timestamp(from.i64("last seen")?);
        Ok(())
    }
}

/// Columns whose outputs are listed on the stack: more than any council has needed so far.
const LISTED: usize = 64;

/// Calls `run` with `cells` of the columns at `places`, which ascend.
fn with_outputs(
    columns: &mut [Block<f64>],
    places: &[usize],
    cells: std::ops::Range<usize>,
    run: impl FnOnce(&mut [Out<'_>]),
) {
    let mut next = places.iter().peekable();
    let outputs = columns.iter_mut().enumerate().filter_map(|(at, column)| {
        next.next_if(|place| **place == at)?;
        let (values, status) = column.parts_mut();
        Some((&mut values[cells.clone()], &mut status[cells.clone()]))
    });
    if places.len() > LISTED {
        return run(&mut outputs.collect::<Vec<Out<'_>>>());
    }
    let mut list: [Out<'_>; LISTED] = std::array::from_fn(|_| Default::default());
    list.iter_mut().zip(outputs).for_each(|(slot, output)| *slot = output);
    run(&mut list[..places.len()]);
}

/// Does all pieces of work, in the threads of `pool` if there is one.
fn run_all<W: Send>(pool: Option<&rayon::ThreadPool>, work: impl Iterator<Item = W> + Send, run: impl Fn(W) + Sync) {
    let run = &run;
    match pool {
        Some(pool) => pool.scope(|scope| work.for_each(|w| scope.spawn(move |_| run(w)))),
        None => work.for_each(run),
    }
}

/// Copies a row; one cell without the call that a copy of unknown length costs.
#[inline]
fn copy_row(to: &mut [i64], from: &[i64]) {
    match (to, from) {
        ([to], [from]) => *to = *from,
        (to, from) => to.copy_from_slice(from),
    }
}

/// The market at one moment, as agents see it. There is no way from here to a later row.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    panel: &'a Panel,
    ts: Timestamp,
    ahead: &'a [u32],
}

impl<'a> View<'a> {
    /// The moment.
    #[must_use]
    pub fn ts(&self) -> Timestamp {
        self.ts
    }

    /// Number of instruments.
    #[inline]
    #[must_use]
    pub fn width(&self) -> usize {
        self.panel.width()
    }

    /// The instruments.
    #[must_use]
    pub fn universe(&self) -> &'a Universe {
        &self.panel.universe
    }

    /// Rows of a feed that are known at this moment: what an agent counts bars with.
    #[inline]
    #[must_use]
    pub fn known(&self, feed: FeedId) -> usize {
        let ahead = self.ahead.get(usize::from(feed.0)).copied().unwrap_or_default();
        self.panel.known(feed) + ahead as usize
    }

    /// True if an instrument has had a bar in the last `rows` rows of a feed that are known: features alone do not tell
    /// an instrument that trades no more, since they keep its last cell.
    #[must_use]
    pub fn has_traded(&self, feed: FeedId, i: InstrumentId, rows: usize) -> bool {
        let Some(batch) = self.panel.batch(feed) else { return false };
        let known = self.known(feed).min(batch.rows());
        (known.saturating_sub(rows)..known)
            .rev()
            .any(|row| batch.statuses(row, row + 1).get(i.index()) == Some(&Status::Ok))
    }

    /// A feature of all instruments. An instrument without a bar at this moment keeps its last cell.
    #[inline]
    #[must_use]
    pub fn feature(&self, id: FeatureId) -> ColRef<'a, f64> {
        let at = usize::from(id.0);
        let (Some(spec), Some(column)) = (self.panel.specs.get(at), self.panel.columns.get(at)) else {
            return ColRef::new(&[], &[]);
        };
        column.row(self.block_row(spec.feed))
    }

    /// Row of a feed's block that is known at this moment.
    #[inline]
    fn block_row(&self, feed: FeedId) -> usize {
        let at = usize::from(feed.0);
        let ahead = self.ahead.get(at).copied().unwrap_or_default();
        self.panel.feeds.get(at).map_or(0, |f| f.place(f.known + ahead as usize - f.from))
    }
}

#[cfg(test)]
mod tests;
