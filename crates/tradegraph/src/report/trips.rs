//! Round trips: what one position earned from flat to flat, and how far it went against and for the account meanwhile.
//!
//! A fill that turns a position around ends one trip and begins the next. Results are the ledger's own: realised gains
//! less fees, with dividends; all trips together are the account's result but for interest and borrow fees.

use crate::figures::rows_in_time;
use crate::mandate::Feeds;
use crate::trades::{FillRow, TradeLog};
use serde::Serialize;
use tradegraph_domain::{ActionKind, Quantity, Timestamp};
use tradegraph_engine::records::ActionRecord;

/// One round trip. Fractions are of `capital`.
#[derive(Clone, Debug, Serialize)]
pub struct Trip {
    /// Place of the instrument in the universe.
    #[serde(skip)]
    pub instrument: usize,
    /// True for a long position.
    pub long: bool,
    /// First fill.
    #[serde(skip)]
    pub from: Timestamp,
    /// Last fill; of an open position the last bar.
    #[serde(skip)]
    pub to: Timestamp,
    /// True if the position is still there; its result counts the last price.
    pub open: bool,
    /// Fills.
    pub fills: u32,
    /// Largest |position| × price at a fill.
    pub capital: f64,
    /// Gains and dividends less fees at 1e-9, of an open position with what the last price would give.
    #[serde(skip)]
    pub result_nano: i128,
    /// The fees among them at 1e-9.
    #[serde(skip)]
    pub fees_nano: i128,
    /// `result` over `capital`.
    pub gain: f64,
    /// Maximum adverse excursion: the lowest running result before fees, 0 or below.
    pub adverse: f64,
    /// Maximum favourable excursion: the highest, 0 or above.
    pub favourable: f64,
    /// Held this long.
    pub days: f64,
}

/// An open position on its way.
#[derive(Clone, Debug)]
struct Open {
    trip: Trip,
    position: Quantity,
    /// Cash paid for it (below 0) and received, in units of the currency.
    cash: f64,
    lowest: f64,
    highest: f64,
}

impl Open {
    fn new(row: &FillRow) -> Open {
        let trip = Trip {
            instrument: row.fill.instrument.index(),
            long: row.fill.side.signed(row.fill.quantity).signum() > 0,
            from: row.ts,
            to: row.ts,
            open: true,
            fills: 0,
            capital: 0.0,
            result_nano: 0,
            fees_nano: 0,
            gain: 0.0,
            adverse: 0.0,
            favourable: 0.0,
            days: 0.0,
        };
        Open { trip, position: Quantity::ZERO, cash: 0.0, lowest: 0.0, highest: 0.0 }
    }

    /// The running result at a price.
    fn at(&mut self, price: f64) {
        let result = self.cash + self.position.to_f64() * price;
        self.lowest = self.lowest.min(result);
        self.highest = self.highest.max(result);
    }

    /// A part of a fill that does not cross zero.
    fn take(&mut self, row: &FillRow, units: Quantity, fees_nano: i128, realised_nano: i128) {
        let price = row.fill.price.to_f64();
        self.position = Quantity::from_nano(self.position.nano().saturating_add(units.nano()));
        self.cash -= units.to_f64() * price;
        self.at(price);
        let t = &mut self.trip;
        t.to = row.ts;
        t.fills += 1;
        t.fees_nano = t.fees_nano.saturating_add(fees_nano);
        t.result_nano = t.result_nano.saturating_add(realised_nano).saturating_sub(fees_nano);
        t.capital = t.capital.max(self.position.to_f64().abs() * price);
    }

    fn end(mut self, to: Timestamp, open: bool) -> Trip {
        let t = &mut self.trip;
        (t.to, t.open) = (to, open);
        t.days = (to.0.saturating_sub(t.from.0)) as f64 / 86_400e9;
        if t.capital > 0.0 {
            t.gain = t.result_nano as f64 / 1e9 / t.capital;
            (t.adverse, t.favourable) = (self.lowest / t.capital, self.highest / t.capital);
        }
        self.trip
    }
}

/// The round trips of a run in the order of their ends, open ones last; `None` if its fills are too many to be kept.
///
/// `open_nano` is what the lots of an instrument have gained at the last price, at 1e-9.
pub fn trips(feeds: &Feeds, log: &TradeLog, open_nano: &dyn Fn(usize) -> i128) -> Option<Vec<Trip>> {
    if log.fills.len() as u64 != log.n_fills {
        return None;
    }
    let width = feeds.first().map_or(0, |f| f.symbols.len());
    let mut walk = Walk { log, fill: 0, action: 0, at: vec![None; width], out: Vec::new() };
    let mut last = Timestamp(0);
    for (ts, f, k) in rows_in_time(feeds) {
        // A fill at the end of a bar is one at the open of the next, or one within the bar, which then counts whole.
        walk.until(ts);
        let Some(batch) = feeds.get(f).map(|feed| &feed.batch) else { continue };
        for (i, open) in walk.at.iter_mut().enumerate() {
            if let Some(open) = open {
                let prices = [batch.close(k, i), batch.low(k, i), batch.high(k, i)];
                prices.into_iter().flatten().for_each(|p| open.at(p.to_f64()));
            }
        }
        last = ts;
    }
    walk.until(Timestamp::MAX);
    let Walk { at, mut out, .. } = walk;
    out.sort_by_key(|t| t.to);
    for (i, open) in at.into_iter().enumerate() {
        if let Some(mut open) = open {
            open.trip.result_nano = open.trip.result_nano.saturating_add(open_nano(i));
            out.push(open.end(last, true));
        }
    }
    Some(out)
}

/// Fills and corporate actions on their way through time.
struct Walk<'a> {
    log: &'a TradeLog,
    fill: usize,
    action: usize,
    at: Vec<Option<Open>>,
    out: Vec<Trip>,
}

impl Walk<'_> {
    /// Takes what happened before a moment; an action comes before the fills of its moment.
    fn until(&mut self, ts: Timestamp) {
        loop {
            let fill = self.log.fills.get(self.fill).filter(|x| x.ts < ts);
            let action = self.log.actions.get(self.action).filter(|a| a.ts < ts);
            match (fill, action) {
                (fill, Some(a)) if fill.is_none_or(|x| a.ts <= x.ts) => {
                    self.action += 1;
                    self.act(a);
                }
                (Some(row), _) => {
                    self.fill += 1;
                    if let Some(slot) = self.at.get_mut(row.fill.instrument.index()) {
                        book(slot, row, &mut self.out);
                    }
                }
                _ => break,
            }
        }
    }

    fn act(&mut self, a: &ActionRecord) {
        let Some(slot) = self.at.get_mut(a.action.instrument.index()) else { return };
        let Some(mut open) = slot.take() else { return };
        let dividend = matches!(a.action.kind, ActionKind::Dividend { .. });
        let gain = a.booked.realised_nano.saturating_add(if dividend { a.booked.cash_nano } else { 0 });
        open.trip.result_nano = open.trip.result_nano.saturating_add(gain);
        open.cash += a.booked.cash_nano as f64 / 1e9;
        open.position = a.booked.after;
        if open.position.is_zero() {
            open.at(0.0);
            self.out.push(open.end(a.ts, false));
        } else {
            *slot = Some(open);
        }
    }
}

fn book(slot: &mut Option<Open>, row: &FillRow, out: &mut Vec<Trip>) {
    let mut open = slot.take().unwrap_or_else(|| Open::new(row));
    let units = row.fill.side.signed(row.fill.quantity);
    let after = Quantity::from_nano(open.position.nano().saturating_add(units.nano()));
    let crosses = open.position.signum() * after.signum() < 0;
    if !crosses {
        open.take(row, units, row.fill.fee_nano, row.realised_nano);
        if after.is_zero() {
            out.push(open.end(row.ts, false));
        } else {
            *slot = Some(open);
        }
        return;
    }
    // The fee is split by units; the gain belongs to what is closed.
    let share = |part: Quantity| {
        let whole = units.nano().abs().max(1);
        row.fill.fee_nano.saturating_mul(part.nano().abs()).checked_div(whole).unwrap_or_default()
    };
    let fee = share(after);
    open.take(row, open.position.negated(), row.fill.fee_nano.saturating_sub(fee), row.realised_nano);
    out.push(open.end(row.ts, false));
    let mut next = Open::new(row);
    next.take(row, after, fee, 0);
    *slot = Some(next);
}

/// What the closed trips came to. Fractions; absent where they are not defined.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TripFigures {
    /// Trips that ended.
    pub closed: usize,
    /// Positions still open.
    pub open: usize,
    /// Share of the closed trips with a gain after fees, of those that did not come out even.
    pub win_rate: Option<f64>,
    /// Sum of gains over sum of losses, in money.
    pub profit_factor: Option<f64>,
    /// Mean gain over mean loss, in money.
    pub payoff: Option<f64>,
    /// Mean result of a closed trip, in money.
    pub expectancy: Option<f64>,
    /// Median days held.
    pub days_median: Option<f64>,
    /// Mean adverse excursion of trips that gained.
    pub adverse_of_winners: Option<f64>,
    /// Mean favourable excursion of trips that lost.
    pub favourable_of_losers: Option<f64>,
}

/// The figures of trips.
pub fn figures(trips: &[Trip]) -> TripFigures {
    use tradegraph_quant::performance::{hit_rate, payoff, profit_factor, quantile};
    let closed: Vec<&Trip> = trips.iter().filter(|t| !t.open).collect();
    let results: Vec<f64> = closed.iter().map(|t| t.result_nano as f64 / 1e9).collect();
    let mean = |x: Vec<f64>| if x.is_empty() { None } else { Some(x.iter().sum::<f64>() / x.len() as f64) };
    let days: Vec<f64> = closed.iter().map(|t| t.days).collect();
    TripFigures {
        closed: closed.len(),
        open: trips.len() - closed.len(),
        win_rate: hit_rate(&results),
        profit_factor: profit_factor(&results),
        payoff: payoff(&results),
        expectancy: mean(results),
        days_median: quantile(&days, 0.5),
        adverse_of_winners: mean(closed.iter().filter(|t| t.result_nano > 0).map(|t| t.adverse).collect()),
        favourable_of_losers: mean(closed.iter().filter(|t| t.result_nano < 0).map(|t| t.favourable).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tradegraph_columns::Status;
    use tradegraph_domain::{BarPeriod, BarSpec, Basis, ExecId, Fill, InstrumentId, Nanos, OrderId, Price, Side};
    use tradegraph_market::{Batch, BatchParts};

    const DAY: i64 = Nanos::DAY.0;

    /// Daily bars of one instrument: (open, high, low, close) in whole units.
    fn feeds(bars: &[[i64; 4]]) -> Feeds {
        let column = |at: usize| bars.iter().map(|b| b[at] * 1_000_000_000).collect::<Vec<_>>();
        let parts = BatchParts {
            spec: BarSpec { period: BarPeriod::Fixed(Nanos::DAY), basis: Basis::Raw, has_open: true },
            width: 1,
            starts: (0..bars.len() as i64).map(|d| Timestamp(d * DAY)).collect(),
            ends: (1..=bars.len() as i64).map(|d| Timestamp(d * DAY)).collect(),
            open: column(0),
            high: column(1),
            low: column(2),
            close: column(3),
            volume: vec![],
            status: vec![Status::Ok; bars.len()],
        };
        let batch = Arc::new(Batch::new(parts).unwrap());
        vec![crate::mandate::Feed { batch, symbols: vec!["X".into()], source: "test".into(), calendar: "always open" }]
    }

    fn fill(day: i64, side: Side, units: i64, price: i64, fee: i128, realised: i128) -> FillRow {
        let fill = Fill {
            exec: ExecId(1),
            order: OrderId(1),
            instrument: InstrumentId(0),
            side,
            quantity: Quantity::from_units(units).unwrap(),
            price: Price::from_nano(price * 1_000_000_000),
            fee_nano: fee * 1_000_000_000,
        };
        FillRow { ts: Timestamp(day * DAY), fill, realised_nano: realised * 1_000_000_000 }
    }

    fn log(fills: Vec<FillRow>) -> TradeLog {
        TradeLog { n_fills: fills.len() as u64, fills, ..TradeLog::default() }
    }

    #[test]
    fn a_trip_knows_its_worst_and_best_moment() {
        // Bought 10 at 100, low 90, high 120, sold at 110: −100 and +200 of 1,000 on the way, +100 − 2 at the end.
        let feeds = feeds(&[[100, 105, 90, 102], [102, 120, 101, 111], [110, 300, 1, 110]]);
        let log = log(vec![fill(0, Side::Buy, 10, 100, 1, 0), fill(2, Side::Sell, 10, 110, 1, 100)]);
        let all = trips(&feeds, &log, &|_| 0).unwrap();
        let [t] = all.as_slice() else { panic!("{all:?}") };
        assert!(t.long && !t.open && t.fills == 2);
        assert_eq!((t.capital, t.result_nano, t.days), (1_000.0, 98_000_000_000, 2.0));
        assert_eq!((t.gain, t.adverse, t.favourable), (0.098, -0.1, 0.2));
    }

    #[test]
    fn a_reversal_ends_one_trip_and_begins_another() {
        // Long 10 from 100, then 25 sold at 110: +100 less 10/25 of the fee of 5; the rest is short 15, closed at 120.
        let feeds = feeds(&[[100, 101, 99, 100], [110, 110, 110, 110], [120, 120, 120, 120]]);
        let fills = vec![
            fill(0, Side::Buy, 10, 100, 0, 0),
            fill(1, Side::Sell, 25, 110, 5, 100),
            fill(2, Side::Buy, 15, 120, 0, -150),
        ];
        let all = trips(&feeds, &log(fills), &|_| 0).unwrap();
        let results: Vec<(bool, i128)> = all.iter().map(|t| (t.long, t.result_nano / 1_000_000_000)).collect();
        assert_eq!(results, [(true, 98), (false, -153)]);
        let f = figures(&all);
        assert_eq!((f.closed, f.open, f.win_rate), (2, 0, Some(0.5)));
        assert_eq!((f.profit_factor, f.expectancy), (Some(98.0 / 153.0), Some(-27.5)));
    }

    #[test]
    fn an_open_position_counts_its_last_price() {
        let feeds = feeds(&[[100, 100, 100, 100], [100, 130, 100, 125]]);
        let all = trips(&feeds, &log(vec![fill(0, Side::Buy, 4, 100, 1, 0)]), &|_| 100_000_000_000).unwrap();
        let [t] = all.as_slice() else { panic!("{all:?}") };
        assert!(t.open && t.days == 2.0);
        assert_eq!((t.result_nano, t.gain, t.favourable), (99_000_000_000, 0.2475, 0.3));
    }
}
