//! Seeded markets, configurations, a recording journal and an independent merge of events, shared by the integration
//! tests and the unit tests of the back-test and the timeline (which include this file by its path).
#![allow(dead_code, reason = "each includer uses a part")]

use super::engine::records::{Binding, DecisionRecord, FORMAT, Record, decode};
use super::engine::{
    AgentBid, AgentConfig, AllocatorConfig, BackTest, CommitGroup, ComputeBudget, Journal, JournalError, Outcome,
    RecordLevel, RunConfig, RunFailure, Schedule, Snapshot,
};
use std::sync::Arc;
use tradegraph_agents::{LongTermParameters, MeanReversionParameters, MomentumParameters, RuleSpec};
use tradegraph_columns::Status;
use tradegraph_controls::{Limits, RiskCaps};
use tradegraph_domain::{
    ActionKind, AssetClass, BarPeriod, BarSpec, Basis, BatchRef, Bps, Commission, CorporateAction, Currency, Date,
    EventClass, FeedId, Fill, Instrument, InstrumentId, Interval, Money, NANO, Nanos, Payload, Price, Quantity,
    ScheduleId, SourceKey, Timestamp, TradingStatus,
};
use tradegraph_execution::Frictions;
use tradegraph_learning::HedgerParameters;
use tradegraph_market::quality::{Check, Marks};
use tradegraph_market::{Actions, Batch, BatchParts, EmaSeed, FeatureKind, FeatureSpec, Universe};
use tradegraph_portfolio::{DirectSize, FusionParameters, Role, Stages, VolatilitySizing};

/// 2024-03-01T00:00Z.
pub const START: Timestamp = Timestamp(1_709_251_200_000_000_000);
pub const MINUTE: i64 = Nanos::MINUTE.0;

/// SplitMix64.
pub struct Draws(pub u64);

impl Draws {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform on −n..=n.
    pub fn within(&mut self, n: i64) -> i64 {
        (self.next() % (2 * n as u64 + 1)) as i64 - n
    }
}

/// A seeded random walk of several instruments.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    pub seed: u64,
    pub n: usize,
    pub rows: usize,
    pub start: Timestamp,
    pub period: i64,
    pub has_open: bool,
    /// Of a thousand bars, how many are missing.
    pub missing: u64,
    /// Largest move of a bar in 1e-6.
    pub move_ppm: i64,
}

impl Default for Walk {
    fn default() -> Self {
        let (seed, n, rows, period) = (1, 3, 300, MINUTE);
        Walk { seed, n, rows, start: START, period, has_open: true, missing: 0, move_ppm: 8_000 }
    }
}

impl Walk {
    pub fn parts(self) -> BatchParts {
        let mut draws = Draws(self.seed);
        let cells = self.rows * self.n;
        let mut price: Vec<i64> = (0..self.n).map(|i| (20 + 7 * (i as i64 % 11)) * NANO).collect();
        let at = |k: usize| Timestamp(self.start.0 + self.period * k as i64);
        let mut p = BatchParts {
            spec: BarSpec { period: BarPeriod::Fixed(Nanos(self.period)), basis: Basis::Raw, has_open: self.has_open },
            width: self.n,
            starts: (0..self.rows).map(at).collect(),
            ends: (1..=self.rows).map(at).collect(),
            open: vec![],
            high: vec![],
            low: vec![],
            close: vec![],
            volume: (0..cells).map(|_| 0.0).collect(),
            status: vec![],
        };
        for k in 0..cells {
            let last = &mut price[k % self.n];
            // Ticks of 1e-4, to the nearest: no drift.
            let cents = |x: i64| ((x + 50_000) / 100_000).max(1) * 100_000;
            let open = cents(*last + *last / 1_000_000 * draws.within(self.move_ppm / 4));
            let close = cents(open + open / 1_000_000 * draws.within(self.move_ppm));
            let wick = 1_000_000 * draws.within(9).abs();
            let missing = draws.next() % 1000 < self.missing;
            if self.has_open {
                p.open.push(open);
                p.high.push(open.max(close) + wick);
                p.low.push((open.min(close) - wick).max(100_000));
            }
            p.close.push(close);
            p.volume[k] = (1 + draws.next() % 2_000) as f64;
            p.status.push(if missing { Status::NoData } else { Status::Ok });
            *last = close;
        }
        p
    }

    pub fn batch(self) -> Batch {
        Batch::new(self.parts()).unwrap()
    }
}

/// Closes given in whole units, one minute apart; opens, highs and lows as asked.
pub fn bars(opens_and_closes: &[(i64, i64)]) -> Batch {
    let n = opens_and_closes.len();
    let at = |k: usize| Timestamp(START.0 + MINUTE * k as i64);
    let column = |f: fn(&(i64, i64)) -> i64| opens_and_closes.iter().map(|x| f(x) * NANO).collect::<Vec<_>>();
    Batch::new(BatchParts {
        spec: BarSpec { period: BarPeriod::Fixed(Nanos::MINUTE), basis: Basis::Raw, has_open: true },
        width: 1,
        starts: (0..n).map(at).collect(),
        ends: (1..=n).map(at).collect(),
        open: column(|x| x.0),
        high: column(|x| x.0.max(x.1)),
        low: column(|x| x.0.min(x.1)),
        close: column(|x| x.1),
        volume: vec![1_000.0; n],
        status: vec![Status::Ok; n],
    })
    .unwrap()
}

pub fn instrument(i: usize) -> Instrument {
    Instrument {
        symbol: format!("S{i:05}"),
        class: AssetClass::Equity,
        currency: Currency::USD,
        venue: "TEST".into(),
        tick: Price::ZERO,
        lot: Quantity::from_units(1).unwrap(),
        multiplier: Quantity::ONE,
        status: TradingStatus::Active,
    }
}

pub fn usd(units: i64) -> Money {
    Money::from_units(units, Currency::USD).unwrap()
}

pub fn units(n: i64) -> Quantity {
    Quantity::from_units(n).unwrap()
}

pub fn ema(feed: u16, n: u16, seed: EmaSeed) -> FeatureSpec {
    FeatureSpec { kind: FeatureKind::Ema { n, seed }, feed: FeedId(feed) }
}

pub fn close(feed: u16) -> FeatureSpec {
    FeatureSpec { kind: FeatureKind::Close, feed: FeedId(feed) }
}

/// Long while a fast average is above a slow one.
pub fn crossing(feed: u16) -> RuleSpec {
    RuleSpec {
        features: vec![("fast".into(), ema(feed, 3, EmaSeed::First)), ("slow".into(), ema(feed, 8, EmaSeed::First))],
        long: Some("fast > slow".into()),
        short: None,
        exit: None,
    }
}

/// Long while the close is above a level.
pub fn above(level: &str) -> RuleSpec {
    let features = vec![("close".into(), close(0))];
    RuleSpec { features, long: Some(format!("close > {level}")), short: None, exit: None }
}

pub fn momentum(feed: u16) -> AgentConfig {
    let parameters = MomentumParameters { fast: 4, slow: 12, rsi: 5, volatility: 8, ..Default::default() };
    AgentConfig::Momentum { feed: FeedId(feed), parameters }
}

pub fn mean_reversion(feed: u16) -> AgentConfig {
    let parameters = MeanReversionParameters {
        window: 6,
        width_pct: 120,
        exit_pct: 10,
        hold: 5,
        trend: 15,
        extension_pm: 1272,
        swing_pct: 100,
    };
    AgentConfig::MeanReversion { feed: FeedId(feed), parameters }
}

pub fn long_term(feed: u16) -> AgentConfig {
    let parameters = LongTermParameters {
        momentum: 12,
        skip: 3,
        volatility: 9,
        reversal: 3,
        rebalance: 4,
        band_pct: 15,
        weights_pct: [100, 60, 40],
    };
    AgentConfig::LongTerm { feed: FeedId(feed), parameters }
}

/// A direct run of the crossing rule with costs.
pub fn config(feeds: Vec<Batch>) -> RunConfig {
    let n = feeds[0].width();
    let (rate, half_spread) = (Bps::from_units(1), Bps::from_units(2));
    let commission = Commission { rate, ..Commission::default() };
    RunConfig {
        name: "test".into(),
        seed: 7,
        base: Currency::USD,
        cash: usd(10_000),
        universe: Arc::new(Universe::new((0..n).map(instrument).collect()).unwrap()),
        feeds: feeds.into_iter().map(Arc::new).collect(),
        actions: Arc::default(),
        schedules: vec![Schedule::OnBars(FeedId(0))],
        agents: vec![AgentConfig::Rule(crossing(0))],
        compute: None,
        allocator: AllocatorConfig::Direct { size: DirectSize::Quantity(units(10)), allow_short: false },
        caps: RiskCaps { position: None, gross: None },
        limits: Limits { commission, half_spread, ..Limits::default() },
        frictions: Frictions { commission, half_spread, ..Frictions::default() },
        financing: None,
        exits: None,
        settlement_days: Some(1),
        record: RecordLevel::Reasons,
        snapshot_rows: 100_000,
        block_rows: None,
    }
}

/// Weights of all agents 1, every stage on; the other parameters in percent of NAV.
pub fn fusion(max_weight: i64, gross: i64, band: i64, allow_short: bool) -> FusionParameters {
    let percent = NANO / 100;
    let spec = |kind| FeatureSpec { kind, feed: FeedId(0) };
    FusionParameters {
        weights_nano: vec![NANO; 7],
        roles: vec![Role::Other, Role::Trend, Role::Reversion, Role::Other, Role::Other, Role::Core],
        max_weight_nano: max_weight * percent,
        gross_nano: gross * percent,
        band_nano: band * percent,
        doubt_nano: 500_000_000,
        allow_short,
        stages: Stages { to_edge: true, ..Stages::ALL },
        sizing: Some(VolatilitySizing {
            volatility: spec(FeatureKind::RealisedVol { n: 10 }),
            correlation: spec(FeatureKind::MarketCorrelation { n: 10 }),
            instrument: Some(0.01),
            portfolio: Some(0.004),
        }),
        cost: 0.0002,
        max_positions: None,
        min_order_nano: 0,
    }
}

/// `fusion` as an allocator that learns every ten decisions.
pub fn staged(max_weight: i64, gross: i64, band: i64, allow_short: bool) -> AllocatorConfig {
    let learning = HedgerParameters { every: 10, ..HedgerParameters::default() };
    AllocatorConfig::Fusion { parameters: fusion(max_weight, gross, band, allow_short), learning }
}

/// The same with every stage off: weighted sums within the limits.
pub fn fused(max_weight: i64, gross: i64, band: i64, allow_short: bool) -> AllocatorConfig {
    let all = fusion(max_weight, gross, band, allow_short);
    let parameters = FusionParameters { stages: Stages::NONE, sizing: None, cost: 0.0, ..all };
    AllocatorConfig::Fusion { parameters, learning: HedgerParameters::default() }
}

/// The council with momentum and the crossing rule.
pub fn council(feeds: Vec<Batch>) -> RunConfig {
    let c = config(feeds);
    let agents = vec![momentum(0), AgentConfig::Rule(crossing(0))];
    RunConfig { agents, allocator: fused(30, 90, 2, false), ..c }
}

/// Every agent that exists, over one feed.
pub fn council_of_all(feed: u16) -> Vec<AgentConfig> {
    vec![momentum(feed), mean_reversion(feed), long_term(feed), AgentConfig::Rule(crossing(feed))]
}

/// Work for so many of the agents of a council in each decision; momentum is served first.
pub fn compute_for(n: u64, c: &RunConfig) -> ComputeBudget {
    let bid = |a: &AgentConfig| AgentBid {
        agent: a.id(),
        weight_nano: NANO,
        cost_ns: 10,
        priority: i32::from(matches!(a, AgentConfig::Momentum { .. })),
    };
    ComputeBudget { cycle_ns: n * 10 * c.universe.len() as u64, bids: c.agents.iter().map(bid).collect() }
}

/// Every agent and every stage.
pub fn whole_council(feeds: Vec<Batch>) -> RunConfig {
    let c = council(feeds);
    let limits = Limits { allow_short: true, ..c.limits.clone() };
    RunConfig { agents: council_of_all(0), allocator: staged(30, 90, 1, true), limits, ..c }
}

/// The same with work for two of the four.
pub fn short_of_work(feeds: Vec<Batch>) -> RunConfig {
    let c = whole_council(feeds);
    RunConfig { compute: Some(compute_for(2, &c)), ..c }
}

/// Configurations over the same data that take every road through the engine.
pub fn roads(feeds: Vec<Batch>) -> Vec<(&'static str, RunConfig)> {
    let c = config(feeds.clone());
    let short = AllocatorConfig::Direct { size: DirectSize::Quantity(units(10)), allow_short: true };
    let limits = Limits { allow_short: true, ..c.limits.clone() };
    let both = RuleSpec {
        short: Some("fast < slow * 0.999".into()),
        exit: Some("fast < slow and slow < fast * 1.01".into()),
        ..crossing(0)
    };
    let weight = AllocatorConfig::Direct { size: DirectSize::WeightNano(400_000_000), allow_short: false };
    let participation = Frictions { participation_nano: Some(10_000_000), ..c.frictions };
    let momentum_agent = vec![momentum(0)];
    let caps = RiskCaps { position: Some(NANO / 5), gross: Some(NANO / 2) };
    // One instrument alone has no rank: the long term says nothing then.
    let ranked = (feeds[0].width() > 1)
        .then(|| ("council of the long term", RunConfig { agents: vec![long_term(0)], ..council(feeds.clone()) }));
    let all = vec![
        ("direct", c.clone()),
        (
            "direct short with exit",
            RunConfig {
                agents: vec![AgentConfig::Rule(both)],
                allocator: short.clone(),
                limits: limits.clone(),
                ..c.clone()
            },
        ),
        ("direct weight", RunConfig { allocator: weight, ..c.clone() }),
        ("direct without cash", RunConfig { cash: usd(202), ..c.clone() }),
        ("direct two agents", RunConfig { agents: vec![momentum(0), AgentConfig::Rule(crossing(0))], ..c.clone() }),
        (
            "direct momentum short",
            RunConfig { agents: momentum_agent, allocator: short, limits: limits.clone(), ..c.clone() },
        ),
        ("direct participation", RunConfig { frictions: participation, ..c }),
        ("council", council(feeds.clone())),
        ("council with every stage", whole_council(feeds.clone())),
        ("council short of work", short_of_work(feeds.clone())),
        (
            "council short capped",
            RunConfig { allocator: fused(30, 90, 2, true), caps, limits, ..council(feeds.clone()) },
        ),
        ("council participation", RunConfig { frictions: participation, ..council(feeds.clone()) }),
        ("council of mean reversion", RunConfig { agents: vec![mean_reversion(0)], ..council(feeds.clone()) }),
        (
            "council of all",
            RunConfig {
                agents: council_of_all(0),
                allocator: fused(30, 90, 2, true),
                limits: Limits { allow_short: true, ..council(feeds.clone()).limits },
                ..council(feeds.clone())
            },
        ),
        ("council with doubtful bars", council(feeds.into_iter().map(doubtful).collect())),
    ];
    all.into_iter().chain(ranked).collect()
}

/// The same bars with marks of quality: here a doubt, there a fault.
pub fn doubtful(batch: Batch) -> Batch {
    let (cells, width) = (batch.rows() * batch.width(), batch.width());
    let mark = |cell: usize| match (cell / width * 7 + cell % width * 13) % 61 {
        17 => Marks::NONE.with(Check::Outlier),
        40 => Marks::NONE.with(Check::Crossed).with(Check::Gap),
        _ => Marks::NONE,
    };
    batch.with_marks((0..cells).map(mark).collect()).unwrap()
}

/// An action of instrument `i` at a moment.
pub fn action(ts: Timestamp, i: u32, kind: ActionKind) -> CorporateAction {
    CorporateAction { ts, instrument: InstrumentId(i), kind, ex: ts.date() }
}

/// The same run with actions of every kind: at the opens of rows, inside bars, several at one moment, before the first
/// bar and after the last. The prices know nothing of them. The last instrument of several is delisted at two thirds.
pub fn with_actions(c: RunConfig) -> RunConfig {
    let batch = &c.feeds[0];
    let (rows, n) = (batch.rows(), batch.width() as u32);
    let open = |part: usize, of: usize| batch.interval(rows * part / of).start;
    let inside = |part: usize, of: usize| Timestamp(open(part, of).0 + 1_000_000_000);
    let split = |new, old| ActionKind::Split { new, old };
    let cash = |text: &str, days| ActionKind::Dividend {
        amount: Price::parse(text).unwrap(),
        pay: Date(START.date().0 + days),
    };
    let other = n.min(2) - 1;
    let mut all = vec![
        action(Timestamp(open(0, 1).0 - 1), 0, split(5, 1)),
        action(open(1, 5), 0, split(2, 1)),
        action(open(1, 4), other, cash("0.25", 0)),
        action(inside(1, 3), 0, split(3, 2)),
        action(inside(1, 3), other, cash("0.10", 0)),
        action(open(2, 5), 0, split(1, 4)),
        action(open(2, 5), 0, cash("0.37", 2)),
        action(open(1, 2), 0, ActionKind::Rename { name: 0 }),
        action(inside(3, 5), other, split(7, 3)),
        action(Timestamp(batch.interval(rows - 1).end.0), 0, split(5, 1)),
    ];
    if n > 1 {
        all.push(action(open(2, 3), n - 1, ActionKind::Delisting { price: Price::parse("12.34").unwrap() }));
    }
    RunConfig { actions: Arc::new(Actions::new(all, vec!["NEW".into()]).unwrap()), ..c }
}

/// A journal that keeps everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorder {
    pub groups: Vec<CommitGroup>,
    pub snapshots: Vec<Snapshot>,
}

impl Journal for Recorder {
    fn append(&mut self, group: CommitGroup) -> Result<(), JournalError> {
        let expected = self.groups.len() as u64;
        if group.index != expected {
            return Err(JournalError::OutOfOrder { found: group.index, expected });
        }
        self.groups.push(group);
        Ok(())
    }

    fn snapshot(&mut self, snapshot: Snapshot) -> Result<(), JournalError> {
        self.snapshots.push(snapshot);
        Ok(())
    }

    fn durable_seq(&self) -> u64 {
        0
    }

    fn flush(&mut self) -> Result<u64, JournalError> {
        Ok(0)
    }

    fn read(&mut self, index: u64) -> Result<Option<CommitGroup>, JournalError> {
        Ok(self.groups.get(index as usize).cloned())
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, JournalError> {
        Ok(self.snapshots.last().cloned())
    }
}

impl Recorder {
    pub fn bytes(&self) -> Vec<u8> {
        self.groups.iter().flat_map(|g| g.records.clone()).collect()
    }

    pub fn records(&self) -> Vec<Record> {
        decode(&self.bytes()).unwrap()
    }
}

pub fn binding(config: &RunConfig) -> Binding {
    let batches = config.feeds.iter().map(|b| b.id()).collect();
    let actions = Some(config.actions.id());
    Binding {
        mandate: "test".into(),
        seed: config.seed,
        batches,
        symbols: vec![],
        actions,
        binary: "test".into(),
        format: FORMAT,
    }
}

pub fn try_run(config: &RunConfig, pool: Option<Arc<rayon::ThreadPool>>) -> Result<(Outcome, Recorder), RunFailure> {
    let mut journal = Recorder::default();
    let outcome = BackTest::new(config.clone(), pool)?.run(&binding(config), &mut journal, &mut |_| ())?;
    Ok((outcome, journal))
}

pub fn run(config: &RunConfig) -> (Outcome, Recorder) {
    try_run(config, None).unwrap()
}

/// Counts of the account's part of the council are no part of a result.
pub fn result(mut outcome: Outcome) -> Outcome {
    outcome.counts.cycles = 0;
    outcome
}

pub fn decisions(records: &[Record]) -> Vec<DecisionRecord> {
    let one = |r: &Record| if let Record::Decision(d) = r { Some((**d).clone()) } else { None };
    records.iter().filter_map(one).collect()
}

pub fn fills(records: &[Record]) -> Vec<(u64, Timestamp, Fill)> {
    let one = |r: &Record| if let Record::Fill { seq, ts, fill, .. } = r { Some((*seq, *ts, *fill)) } else { None };
    records.iter().filter_map(one).collect()
}

/// All events of a configuration, sorted naively by their keys.
pub fn naive(config: &RunConfig) -> Vec<(SourceKey, Interval, Payload)> {
    let mut all = vec![];
    let first = config.feeds.iter().map(|b| b.interval(0).start).min().unwrap();
    let last = config.feeds.iter().map(|b| b.interval(b.rows() - 1).end).max().unwrap();
    let mut push = |ts, rank: usize, seq: usize, about, payload: Payload| {
        let key = SourceKey { ts, class: payload.class(), source_rank: rank as u16, source_seq: seq as u64 };
        all.push((key, about, payload));
    };
    for (rank, batch) in config.feeds.iter().enumerate() {
        for row in 0..batch.rows() {
            let about = batch.interval(row);
            let at = BatchRef { feed: FeedId(rank as u16), row: row as u32 };
            push(about.end, rank, row, about, Payload::Bars(at));
            if batch.spec().has_open {
                push(about.start, rank, row, about, Payload::Open(at));
            }
        }
    }
    for (rank, schedule) in config.schedules.iter().enumerate() {
        let moments: Vec<Timestamp> = match schedule {
            Schedule::OnBars(feed) => {
                let batch = config.feeds.get(usize::from(feed.0));
                batch.map(|b| b.ends(0, b.rows()).to_vec()).unwrap_or_default()
            }
            Schedule::Every(step) => {
                let from = first.0.div_euclid(step.0) - 1;
                (from..).map(|k| Timestamp(k * step.0)).skip_while(|t| *t < first).take_while(|t| *t <= last).collect()
            }
            Schedule::OnClose(calendar) => {
                let (from, to) = (first.date(), last.date());
                let days = calendar.sessions(tradegraph_domain::Date(from.0 - 2), to);
                days.map(|s| s.close).filter(|t| first <= *t && *t <= last).collect()
            }
        };
        for ts in moments {
            push(ts, rank, 0, Interval { start: ts, end: ts }, Payload::Decide(ScheduleId(rank as u16)));
        }
    }
    for (k, action) in config.actions.items().iter().enumerate() {
        if first <= action.ts && action.ts < last {
            push(action.ts, 0, k, Interval { start: action.ts, end: action.ts }, Payload::Action(k as u32));
        }
    }
    all.sort_by_key(|(key, _, _)| *key);
    all
}

/// True for the classes of a moment before its opens.
pub fn is_before_open(class: EventClass) -> bool {
    class < EventClass::Open
}
