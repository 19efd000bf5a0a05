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

/// Opinions of all agents, decision after decision.
#[derive(Debug)]
pub(crate) struct SignalBook {
    rows: Vec<Rows>,
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
            .collect();
        let mut book = SignalBook { rows, n: n_instruments };
        book.reserve(1);
        book
    }

    /// Number of agents.
    pub(crate) fn n_agents(&self) -> usize {
        self.rows.len()
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

    /// True if an opinion in row `k` differs from the row before it.
    #[inline]
    pub(crate) fn changed(&self, k: usize) -> bool {
        let n = self.n;
        self.rows.iter().any(|r| {
            let m = n * r.n_factors;
            r.status[(k - 1) * n..k * n] != r.status[k * n..(k + 1) * n]
                || r.factors[(k - 1) * m..k * m] != r.factors[k * m..(k + 1) * m]
                || r.confidence[(k - 1) * n..k * n] != r.confidence[k * n..(k + 1) * n]
        })
    }

    /// Makes row `k` the one before the next block.
    pub(crate) fn carry(&mut self, k: usize) {
        let n = self.n;
        for r in &mut self.rows {
            let m = n * r.n_factors;
            r.factors.copy_within(k * m..(k + 1) * m, 0);
            r.confidence.copy_within(k * n..(k + 1) * n, 0);
            r.status.copy_within(k * n..(k + 1) * n, 0);
        }
    }

    /// Writes row `k`, the last decision, canonically.
    pub(crate) fn save(&self, k: usize, to: &mut Encoder) {
        for agent in 0..self.rows.len() {
            let row = self.row(agent, k);
            to.f64s(row.factors);
            to.f64s(row.confidence);
            to.statuses(row.status);
        }
    }

    /// Reads what `save` wrote into row 0.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let n = self.n;
        for r in &mut self.rows {
            let m = n * r.n_factors;
            from.f64s_into(&mut r.factors[..m])?;
            from.f64s_into(&mut r.confidence[..n])?;
            from.statuses_into(&mut r.status[..n])?;
        }
        Ok(())
    }
}
