//! Who runs when a cycle has too little time left for all: nodes bid, the highest priority and then the most value per
//! millisecond runs.

/// The time of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// From the start of a run to its end, in nanoseconds.
    pub cycle_ns: u64,
    /// Kept for the nodes that do not bid, in nanoseconds.
    pub reserve_ns: u64,
}

/// A node's bid in one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The node.
    pub node: String,
    /// What a run of it is expected to be worth; not finite or not positive is worth nothing.
    pub value: f64,
    /// What a run of it is expected to take, in nanoseconds.
    pub cost_ns: u64,
    /// Runs of the graph in which it stood back since it last ran. Each adds the value once more, so that a node that
    /// loses runs less often and not never.
    pub missed: u32,
    /// The node's priority; a higher one is served before any value.
    pub priority: i32,
}

impl Offer {
    fn worth(&self) -> f64 {
        if self.value.is_finite() && self.value > 0.0 { self.value } else { 0.0 }
    }

    /// Value per millisecond, times one more than the runs missed; a free run of any value comes first.
    #[must_use]
    pub fn per_ms(&self) -> f64 {
        self.worth() * (f64::from(self.missed) + 1.0) / (self.cost_ns.max(1) as f64 / 1e6)
    }
}

/// What became of an offer.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The offer.
    pub offer: Offer,
    /// Its place by priority and then by value per millisecond, from 1.
    pub rank: usize,
    /// Whether the node runs.
    pub runs: bool,
    /// Nanoseconds that were left when its turn came.
    pub left_ns: u64,
}

/// A negotiation, with everything that decided it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The run of the graph.
    pub cycle: u64,
    /// The step of the run.
    pub step: i64,
    /// Nanoseconds to be shared.
    pub left_ns: u64,
    /// In the order of the offers.
    pub claims: Vec<Claim>,
}

impl Decision {
    /// One sentence a node, in the order in which they were served.
    #[must_use]
    pub fn explain(&self) -> Vec<String> {
        let mut claims: Vec<&Claim> = self.claims.iter().collect();
        claims.sort_by_key(|c| c.rank);
        let one = |c: &&Claim| {
            let Offer { node, value, cost_ns, missed, priority } = &c.offer;
            let (cost, left) = (*cost_ns as f64 / 1e6, c.left_ns as f64 / 1e6);
            let verb = if c.runs { "runs" } else { "stands back" };
            let waited = if *missed > 0 { format!(", {missed} runs missed") } else { String::new() };
            let first = if *priority == 0 { String::new() } else { format!("priority {priority}, ") };
            let (rank, per_ms) = (c.rank, c.offer.per_ms());
            format!(
                "{rank}. {node} {verb}: {first}worth {value} for {cost} ms{waited}, {per_ms} per ms; {left} ms were left"
            )
        };
        claims.iter().map(one).collect()
    }
}

/// Shares the time that is left: in the order of priority, then of value per millisecond (ties by name), every offer that
/// still fits runs.
#[must_use]
pub fn negotiate(cycle: u64, step: i64, left_ns: u64, offers: Vec<Offer>) -> Decision {
    let mut order: Vec<usize> = (0..offers.len()).collect();
    let key = |at: &usize| offers.get(*at).map_or((0, 0.0, ""), |o| (o.priority, o.per_ms(), o.node.as_str()));
    order.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        b.0.cmp(&a.0).then_with(|| b.1.total_cmp(&a.1)).then_with(|| a.2.cmp(b.2))
    });
    let mut left = left_ns;
    let mut placed: Vec<(usize, usize, bool, u64)> = Vec::with_capacity(order.len());
    for (rank, at) in order.iter().enumerate() {
        let cost_ns = offers.get(*at).map_or(0, |o| o.cost_ns);
        let runs = cost_ns <= left;
        placed.push((*at, rank + 1, runs, left));
        left -= if runs { cost_ns } else { 0 };
    }
    placed.sort_by_key(|(at, ..)| *at);
    let claims = offers.into_iter().zip(placed);
    let claims = claims.map(|(offer, (_, rank, runs, left_ns))| Claim { offer, rank, runs, left_ns }).collect();
    Decision { cycle, step, left_ns, claims }
}
