//! `SignalBook`: the opinions of all agents over a block of decisions. Row 0 is the last decision before the block.

use tradegraph_agents::Agent;
use tradegraph_columns::Status;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{AgentId, SignalColumn};
use tradegraph_portfolio::SignalRef;

#[derive(Debug)]
struct Rows {
    agent: AgentId,
    n_factors: usize,
    factors: Vec<f64>,
    confidence: Vec<f64>,
    status: Vec<Status>,
}

/// Instruments up to which rows are compared as a whole.
pub(crate) const NARROW: usize = 16;

/// Marks the rows of `width` cells that differ from the row before them. No early exit: with one instrument this is
/// one pass over a column.
fn mark_changes<T>(cells: &[T], width: usize, changed: &mut [bool], difference: impl Fn(&T, &T) -> u64) {
    let end = (changed.len() + 1) * width;
    let (before, now) = (&cells[..end - width], &cells[width..end]);
    if width == 1 {
        for ((flag, a), b) in changed.iter_mut().zip(before).zip(now) {
            *flag |= difference(a, b) != 0;
        }
        return;
    }
    for ((flag, a), b) in changed.iter_mut().zip(before.chunks_exact(width)).zip(now.chunks_exact(width)) {
        *flag |= a.iter().zip(b).fold(0, |acc, (a, b)| acc | difference(a, b)) != 0;
    }
}

/// Opinions of all agents, decision after decision.
#[derive(Debug)]
pub(crate) struct SignalBook {
    rows: Vec<Rows>,
    /// Places of the agents that have factors; the others never have an opinion.
    live: Vec<usize>,
    n: usize,
}

impl SignalBook {
    /// Room for the agents and one decision; `reserve` makes more.
    pub(crate) fn new(agents: &[&dyn Agent], n_instruments: usize) -> Self {
        let rows = agents
            .iter()
            .map(|a| Rows {
                agent: a.id(),
                n_factors: a.factors().len(),
                factors: vec![],
                confidence: vec![],
                status: vec![],
            })
            .collect::<Vec<Rows>>();
        let live = (0..rows.len()).filter(|at| rows[*at].n_factors > 0).collect();
        let mut book = SignalBook { rows, live, n: n_instruments };
        book.reserve(1);
        book
    }

    /// Places of the agents that can have an opinion, in their order.
    #[inline]
    pub(crate) fn live(&self) -> &[usize] {
        &self.live
    }

    /// Makes room for a block of `points` decisions.
    pub(crate) fn reserve(&mut self, points: usize) {
        let cells = (points + 1) * self.n;
        for r in &mut self.rows {
            if r.status.len() < cells {
                r.status.resize(cells, Status::NoData);
                r.confidence.resize(cells, 0.0);
                r.factors.resize(cells * r.n_factors, 0.0);
            }
        }
    }

    /// Row `k` of an agent (by its place in the book), to write.
    #[inline]
    pub(crate) fn row_mut(&mut self, agent: usize, k: usize) -> SignalColumn<'_> {
        let n = self.n;
        let r = &mut self.rows[agent];
        let m = n * r.n_factors;
        SignalColumn::new(
            &mut r.factors[k * m..(k + 1) * m],
            &mut r.confidence[k * n..(k + 1) * n],
            &mut r.status[k * n..(k + 1) * n],
        )
    }

    /// Rows 1 to `points` of an agent with one factor, as one long column.
    pub(crate) fn rows_mut(&mut self, agent: usize, points: usize) -> Option<SignalColumn<'_>> {
        let cells = self.n..(points + 1) * self.n;
        let r = self.rows.get_mut(agent).filter(|r| r.n_factors == 1)?;
        Some(SignalColumn::new(&mut r.factors[cells.clone()], &mut r.confidence[cells.clone()], &mut r.status[cells]))
    }

    /// Row `k` of an agent, to read.
    #[inline]
    pub(crate) fn row(&self, agent: usize, k: usize) -> SignalRef<'_> {
        let n = self.n;
        let r = &self.rows[agent];
        let m = n * r.n_factors;
        SignalRef {
            agent: r.agent,
            factors: &r.factors[k * m..(k + 1) * m],
            confidence: &r.confidence[k * n..(k + 1) * n],
            status: &r.status[k * n..(k + 1) * n],
        }
    }

    /// For rows 1 to `points`: whether an opinion differs from the row before it. In wide universes every row counts
    /// as changed: the allocator compares cell by cell anyway, and some opinion always moves.
    pub(crate) fn changes(&self, points: usize, changed: &mut Vec<bool>) {
        let n = self.n;
        changed.clear();
        changed.resize(points, n > NARROW);
        if n > NARROW {
            return;
        }
        for r in self.live.iter().map(|at| &self.rows[*at]) {
            mark_changes(&r.factors, n * r.n_factors, changed, |a, b| a.to_bits() ^ b.to_bits());
            mark_changes(&r.confidence, n, changed, |a, b| a.to_bits() ^ b.to_bits());
            mark_changes(&r.status, n, changed, |a, b| u64::from(*a as u8 ^ *b as u8));
        }
    }

    /// Row `k` of an agent becomes what the row before it is.
    pub(crate) fn keep(&mut self, agent: usize, k: usize) {
        let n = self.n;
        let Some((r, before)) = self.rows.get_mut(agent).zip(k.checked_sub(1)) else { return };
        let m = n * r.n_factors;
        r.factors.copy_within(before * m..k * m, k * m);
        r.confidence.copy_within(before * n..k * n, k * n);
        r.status.copy_within(before * n..k * n, k * n);
    }

    /// Makes row `k` the one before the next block.
    pub(crate) fn carry(&mut self, k: usize) {
        let n = self.n;
        for at in &self.live {
            let r = &mut self.rows[*at];
            let m = n * r.n_factors;
            r.factors.copy_within(k * m..(k + 1) * m, 0);
            r.confidence.copy_within(k * n..(k + 1) * n, 0);
            r.status.copy_within(k * n..(k + 1) * n, 0);
        }
    }

    /// Writes row `k`, the last decision, canonically.
    pub(crate) fn save(&self, k: usize, to: &mut Encoder) {
        for agent in &self.live {
            let row = self.row(*agent, k);
            to.f64s(row.factors);
            to.f64s(row.confidence);
            to.statuses(row.status);
        }
    }

    /// Reads what `save` wrote into row 0.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let n = self.n;
        for at in &self.live {
            let r = &mut self.rows[*at];
            let m = n * r.n_factors;
            from.f64s_into(&mut r.factors[..m])?;
            from.f64s_into(&mut r.confidence[..n])?;
            from.statuses_into(&mut r.status[..n])?;
        }
        Ok(())
    }
}
