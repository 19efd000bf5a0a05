//! The account day by day beside its benchmarks: NAV, exposures, what was traded.

use crate::mandate::Feeds;
use crate::trades::TradeLog;
use tradegraph_domain::{ActionKind, Basis, CorporateAction, Date, Timestamp};
use tradegraph_engine::Outcome;
use tradegraph_market::Actions;

/// The day, NAV and benchmarks of each point. The last four are empty if the fills are too many to be kept.
#[derive(Clone, Debug, Default)]
pub struct Curves {
    /// UTC dates.
    pub dates: Vec<Date>,
    /// NAV.
    pub net: Vec<f64>,
    /// Equal weights, from the same start.
    pub benchmark: Vec<f64>,
    /// Bought once at equal amounts and held, from the same start.
    pub held: Vec<f64>,
    /// False if the prices of some instrument lack its dividends and none were given.
    pub has_dividends: bool,
    /// Σ |position| as a fraction of NAV.
    pub gross: Vec<f64>,
    /// Σ position as a fraction of NAV.
    pub exposure: Vec<f64>,
    /// The largest |position| as a fraction of NAV.
    pub largest: Vec<f64>,
    /// Notional traded that day as a fraction of NAV.
    pub traded: Vec<f64>,
}

impl Curves {
    /// The account's curve and the benchmarks on the same days.
    pub fn of(outcome: &Outcome, feeds: &Feeds, actions: &Actions, log: &TradeLog, start_nano: i128) -> Curves {
        let start = start_nano as f64 / 1e9;
        let mut curves = Curves {
            dates: outcome.equity.iter().map(|p| p.date).collect(),
            net: outcome.equity.iter().map(|p| p.nav_nano as f64 / 1e9).collect(),
            has_dividends: !actions.is_empty()
                || feeds.iter().all(|f| f.batch.spec().basis == Basis::TotalReturn || f.calendar != "XNYS"),
            ..Curves::default()
        };
        let by_day = benchmarks(feeds, actions);
        let (mut at, mut level) = (0, (1.0, 1.0));
        for date in &curves.dates {
            while let Some((_, value)) = by_day.get(at).filter(|(d, _)| d <= date) {
                level = *value;
                at += 1;
            }
            curves.benchmark.push(start * level.0);
            curves.held.push(start * level.1);
        }
        // Bars within a day move both on the first day: the start is then a point of its own, the evening before.
        let moved = |values: &[f64]| values.first().is_some_and(|v| v.to_bits() != start.to_bits());
        if let (Some(first), true) = (curves.dates.first().copied(), moved(&curves.net) || moved(&curves.benchmark)) {
            curves.dates.insert(0, Date(first.0.saturating_sub(1)));
            [&mut curves.net, &mut curves.benchmark, &mut curves.held].into_iter().for_each(|c| c.insert(0, start));
        }
        if log.fills.len() as u64 == log.n_fills {
            curves.exposures(feeds, actions, log);
        }
        curves
    }

    /// Positions at the last closes of each day, from the fills.
    fn exposures(&mut self, feeds: &Feeds, actions: &Actions, log: &TradeLog) {
        let width = feeds.first().map_or(0, |f| f.symbols.len());
        let (mut held, mut last) = (vec![0.0_f64; width], vec![0.0_f64; width]);
        let rows = rows_in_time(feeds);
        let (mut row, mut fill, mut action) = (0, 0, 0);
        for (date, nav) in self.dates.iter().zip(&self.net) {
            while let Some((_, f, k)) = rows.get(row).filter(|(ts, _, _)| day_of(*ts) <= *date) {
                for (i, slot) in last.iter_mut().enumerate() {
                    if let Some(close) = feeds.get(*f).and_then(|feed| feed.batch.close(*k, i)) {
                        *slot = close.to_f64();
                    }
                }
                row += 1;
            }
            let mut traded = 0.0;
            while let Some(next) = log.fills.get(fill).filter(|x| day_of(x.ts) <= *date) {
                // An action comes before the fills of its day.
                while let Some(a) = actions.items().get(action).filter(|a| a.ts <= next.ts) {
                    act(a, &mut held);
                    action += 1;
                }
                let units = next.fill.side.signed(next.fill.quantity).to_f64();
                traded += (units * next.fill.price.to_f64()).abs();
                if let Some(slot) = held.get_mut(next.fill.instrument.index()) {
                    *slot += units;
                }
                fill += 1;
            }
            while let Some(a) = actions.items().get(action).filter(|a| day_of(a.ts) <= *date) {
                act(a, &mut held);
                action += 1;
            }
            let value = || held.iter().zip(&last).map(|(q, p)| q * p);
            let share = |x: f64| if *nav > 0.0 { x / nav } else { 0.0 };
            self.gross.push(share(value().map(f64::abs).sum()));
            self.exposure.push(share(value().sum()));
            self.largest.push(share(value().map(f64::abs).fold(0.0, f64::max)));
            self.traded.push(share(traded));
        }
    }
}

/// All rows of all feeds in the order of time: end, feed, row.
pub fn rows_in_time(feeds: &Feeds) -> Vec<(Timestamp, usize, usize)> {
    let mut rows = Vec::new();
    for (f, feed) in feeds.iter().enumerate() {
        rows.extend((0..feed.batch.rows()).map(|k| (feed.batch.interval(k).end, f, k)));
    }
    rows.sort_unstable();
    rows
}

/// The day of a moment; midnight belongs to the day that ends, as on the account's curve.
fn day_of(ts: Timestamp) -> Date {
    Timestamp(ts.0.saturating_sub(1)).date()
}

/// What an action does to units held.
fn act(action: &CorporateAction, held: &mut [f64]) {
    let Some(units) = held.get_mut(action.instrument.index()) else { return };
    match action.kind {
        ActionKind::Split { new, old } => *units *= f64::from(new) / f64::from(old),
        ActionKind::Delisting { .. } => *units = 0.0,
        ActionKind::Dividend { .. } | ActionKind::Rename { .. } => {}
    }
}

/// Value by day, from 1, without costs, dividends reinvested: equal weights in all instruments that have a price,
/// restored at every bar; and equal amounts for all instruments, each invested at its first price and held.
fn benchmarks(feeds: &Feeds, actions: &Actions) -> Vec<(Date, (f64, f64))> {
    let width = feeds.first().map_or(0, |f| f.symbols.len());
    let mut last: Vec<Option<f64>> = vec![None; width];
    let mut equal = 1.0;
    let mut grown = vec![1.0_f64; width];
    let mut action = 0;
    // Cash paid on a unit since its last price.
    let mut paid = vec![0.0_f64; width];
    let mut out: Vec<(Date, (f64, f64))> = Vec::new();
    for (ts, f, k) in rows_in_time(feeds) {
        let Some(feed) = feeds.get(f) else { continue };
        let n_priced = last.iter().flatten().count();
        let mut sum = 0.0;
        while let Some(a) = actions.items().get(action).filter(|a| a.ts < ts) {
            action += 1;
            let i = a.instrument.index();
            let (Some(slot), Some(paid), Some(grown)) = (last.get_mut(i), paid.get_mut(i), grown.get_mut(i)) else {
                continue;
            };
            match a.kind {
                ActionKind::Split { new, old } => {
                    *slot = slot.map(|p| p * f64::from(old) / f64::from(new));
                    *paid *= f64::from(old) / f64::from(new);
                }
                ActionKind::Dividend { amount, .. } => *paid += amount.to_f64(),
                ActionKind::Delisting { price } => {
                    if let Some(before) = slot.take().filter(|b| *b > 0.0) {
                        let step = (price.to_f64() + *paid) / before - 1.0;
                        sum += step;
                        *grown *= 1.0 + step;
                    }
                    *paid = 0.0;
                }
                ActionKind::Rename { .. } => {}
            }
        }
        for (i, ((slot, paid), grown)) in last.iter_mut().zip(&mut paid).zip(&mut grown).enumerate() {
            if let Some(close) = feed.batch.close(k, i).map(|p| p.to_f64()) {
                if let Some(before) = slot.filter(|b| *b > 0.0) {
                    let step = (close + *paid) / before - 1.0;
                    sum += step;
                    *grown *= 1.0 + step;
                }
                (*slot, *paid) = (Some(close), 0.0);
            }
        }
        if n_priced > 0 {
            equal *= 1.0 + sum / n_priced as f64;
        }
        let value = (equal, grown.iter().sum::<f64>() / width.max(1) as f64);
        let date = day_of(ts);
        match out.last_mut() {
            Some((d, v)) if *d == date => *v = value,
            _ => out.push((date, value)),
        }
    }
    out
}
