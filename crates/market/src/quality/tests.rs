//! The checks on the sample data and on small series made for each.

use super::*;
use crate::calendar::CalendarId;
use tradegraph_domain::{Date, Nanos, Timestamp};

const DAILY: Rules =
    Rules { calendar: CalendarId::Xnys, period: BarPeriod::Session, may_be_negative: false, bounds: None };

struct Series {
    starts: Vec<Timestamp>,
    open: Vec<i64>,
    high: Vec<i64>,
    low: Vec<i64>,
    close: Vec<i64>,
    volume: Vec<f64>,
}

impl Series {
    fn columns(&self) -> BarColumns<'_> {
        BarColumns {
            starts: &self.starts,
            open: &self.open,
            high: &self.high,
            low: &self.low,
            close: &self.close,
            volume: &self.volume,
        }
    }

    /// Columns of a sample by their names; rows where `keep` says so.
    fn read(csv: &str, calendar: CalendarId, columns: [&str; 5], symbol: Option<&str>) -> Series {
        let mut lines = csv.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let place = |name: &str| names.iter().position(|n| *n == name);
        let mut s = Series { starts: vec![], open: vec![], high: vec![], low: vec![], close: vec![], volume: vec![] };
        for line in lines {
            let cells: Vec<&str> = line.split(',').collect();
            if symbol.is_some_and(|s| cells[place("symbol").unwrap()] != s) {
                continue;
            }
            s.starts.push(match place("date") {
                Some(at) => {
                    let date = Date::parse(cells[at]).unwrap();
                    calendar.session(date).map_or(date.midnight(), |s| s.open)
                }
                None => {
                    let (date, time) = cells[place("ts").unwrap()].split_once('T').unwrap();
                    let seconds: Vec<i64> = time.trim_end_matches('Z').split(':').map(|p| p.parse().unwrap()).collect();
                    let seconds = seconds[0] * 3_600 + seconds[1] * 60 + seconds[2];
                    Timestamp(Date::parse(date).unwrap().midnight().0 + seconds * Nanos::SECOND.0)
                }
            });
            let price = |name: &str| place(name).map(|at| Price::parse(cells[at]).map_or(MISSING, Price::nano));
            s.open.extend(price(columns[0]));
            s.high.extend(price(columns[1]));
            s.low.extend(price(columns[2]));
            s.close.extend(price(columns[3]));
            s.volume.extend(place(columns[4]).map(|at| cells[at].parse::<f64>().unwrap_or(f64::NAN)));
        }
        s
    }
}

const OHLCV: [&str; 5] = ["open", "high", "low", "close", "volume"];

const US20: &str = include_str!("../../../../samples/equities/us20_adjclose_1990_2022.csv");
const US4_RAW: &str = include_str!("../../../../samples/equities/us4_ohlcv_unadjusted_2000_2013.csv");
const BTC: &str = include_str!("../../../../samples/crypto/btcusd_15m_2021.csv");

fn closes(csv: &str, name: &str, calendar: CalendarId) -> Findings {
    let rules = Rules { calendar, ..DAILY };
    check_bars(&Series::read(csv, calendar, ["-", "-", "-", name, "-"], None).columns(), &rules)
}

fn nano(prices: &[f64]) -> Vec<i64> {
    prices.iter().map(|p| (p * 1e9).round() as i64).collect()
}

/// Hourly bars that open where the one before closed, with a little noise that no check minds.
fn hourly(n: usize) -> Series {
    let close: Vec<f64> = (0..n).map(|k| 100.0 + (k as f64 * 0.7).sin() + (k as f64 * 0.11).cos()).collect();
    let open: Vec<f64> = (0..n).map(|k| close[k.saturating_sub(1)]).collect();
    let extreme = |f: fn(f64, f64) -> f64| -> Vec<f64> { close.iter().zip(&open).map(|(a, b)| f(*a, *b)).collect() };
    Series {
        starts: (0..n).map(|k| Timestamp(k as i64 * Nanos::HOUR.0)).collect(),
        high: nano(&extreme(f64::max)),
        low: nano(&extreme(f64::min)),
        open: nano(&open),
        close: nano(&close),
        volume: vec![1.0; n],
    }
}

const HOURLY: Rules = Rules {
    calendar: CalendarId::AlwaysOpen,
    period: BarPeriod::Fixed(Nanos::HOUR),
    may_be_negative: false,
    bounds: None,
};

fn found(series: &Series) -> Vec<(Check, u64)> {
    let f = check_bars(&series.columns(), &HOURLY);
    Check::ALL.iter().zip(f.counts).filter(|(_, n)| *n > 0).map(|(c, n)| (c.0, n)).collect()
}

#[test]
fn each_fault_is_found_and_nothing_else() {
    assert_eq!(found(&hourly(200)), []);
    let with = |change: &dyn Fn(&mut Series)| {
        let mut s = hourly(200);
        change(&mut s);
        found(&s)
    };
    assert_eq!(with(&|s| s.close[100] = 0), [(Check::Impossible, 1), (Check::Range, 1)]);
    assert_eq!(with(&|s| std::mem::swap(&mut s.high[100], &mut s.low[100])), [(Check::Range, 1)]);
    assert_eq!(with(&|s| s.high[100] = s.low[100] - 1), [(Check::Range, 1)]);
    assert_eq!(with(&|s| s.open[100] = MISSING), [(Check::Missing, 1)]);
    assert_eq!(with(&|s| s.volume[100] = 0.0), [(Check::NoVolume, 1)]);
    assert_eq!(with(&|s| s.starts[100] = s.starts[99]), [(Check::Gap, 1), (Check::Duplicate, 1)]);
    assert_eq!(with(&|s| s.starts[100] = Timestamp(s.starts[10].0 + 1)), [(Check::Gap, 1), (Check::Disorder, 1)]);
    let times = |factor: i64| {
        move |s: &mut Series| {
            for column in [&mut s.open, &mut s.high, &mut s.low, &mut s.close] {
                column[100] *= factor;
            }
        }
    };
    assert_eq!(with(&times(100)), [(Check::Outlier, 2), (Check::Spike, 1)]);
    let later = |s: &mut Series| s.starts[100..].iter_mut().for_each(|t| t.0 += 9 * Nanos::HOUR.0);
    assert_eq!(with(&later), [(Check::Gap, 1)]);
    let split = |s: &mut Series| {
        for column in [&mut s.open, &mut s.high, &mut s.low, &mut s.close] {
            column[100..].iter_mut().for_each(|p| *p /= 4);
        }
    };
    assert_eq!(with(&split), [(Check::Outlier, 1), (Check::Split, 1)]);
    let unit = |s: &mut Series| s.volume[120..].iter_mut().for_each(|v| *v = 1_000.0);
    assert_eq!(with(&unit), [(Check::VolumeUnit, 1)]);
    let still = |s: &mut Series| {
        let price = s.close[100];
        for column in [&mut s.open, &mut s.high, &mut s.low, &mut s.close] {
            column[101..].fill(price);
        }
    };
    assert_eq!(with(&still), [(Check::Stale, 40)]);
    // An empty row is no bar.
    let holiday = |s: &mut Series| {
        for column in [&mut s.open, &mut s.high, &mut s.low, &mut s.close] {
            column[100] = MISSING;
        }
    };
    assert_eq!(with(&holiday), [(Check::Gap, 1)]);
    let bounds = Rules { bounds: Some((Price::from_nano(0), Price::from_nano(101_500_000_000))), ..HOURLY };
    let n = hourly(200).high.iter().filter(|h| **h > 101_500_000_000).count();
    assert!(check_bars(&hourly(200).columns(), &bounds).count(Check::Bounds) >= n as u64);
    assert!(n > 0);
}

#[test]
fn what_the_panel_uses_does_not_look_ahead() {
    let s = Series::read(US4_RAW, CalendarId::Xnys, OHLCV, Some("AAPL"));
    let all = mark(&s.columns(), &DAILY);
    for n in [1, 63, 64, 149, 500, 1_255] {
        let c = s.columns();
        let cut = BarColumns {
            starts: &c.starts[..n],
            open: &c.open[..n],
            high: &c.high[..n],
            low: &c.low[..n],
            close: &c.close[..n],
            volume: &c.volume[..n],
        };
        assert_eq!(mark(&cut, &DAILY), all[..n]);
    }
    assert!(all[148].has(Check::Outlier) && all[1_254].has(Check::Outlier));
}

#[test]
fn splits_that_were_not_applied() {
    let of = |symbol| {
        let s = Series::read(US4_RAW, CalendarId::Xnys, OHLCV, Some(symbol));
        let f = check_bars(&s.columns(), &DAILY);
        let splits = f.examples.into_iter().filter(|e| e.check == Check::Split);
        splits.map(|e| s.starts[e.row.unwrap()].date().to_string()).collect::<Vec<_>>()
    };
    // AAPL fell by half on 2000-09-29 too, on a warning of its profits: the ratio alone cannot tell.
    assert_eq!(of("AAPL"), ["2000-09-29", "2005-02-28"]);
    assert_eq!(of("MSFT"), ["2003-02-18"]);
    assert!(of("GOOG").is_empty() && of("FB").is_empty());
}

#[test]
fn steps_of_rounded_prices() {
    // Eighths of a dollar before adjustment make steps of 0.277 at 3.3, and closes that jump between two of them.
    let rrc = closes(US20, "RRC", CalendarId::Xnys);
    assert_eq!((rrc.count(Check::Rounding), rrc.count(Check::Stale), rrc.count(Check::Outlier)), (489, 456, 93));
    // Closes of 0.3 in three decimals.
    assert!(closes(US20, "AAPL", CalendarId::Xnys).count(Check::Rounding) > 2_000);
    for clean in ["XOM", "JNJ", "GE", "KO", "PG"] {
        assert_eq!(closes(US20, clean, CalendarId::Xnys).count(Check::Rounding), 0, "{clean}");
    }
}

#[test]
fn traps_of_the_samples() {
    let rules = Rules { period: BarPeriod::Fixed(Nanos(15 * Nanos::MINUTE.0)), ..HOURLY };
    let btc = check_bars(&Series::read(BTC, CalendarId::AlwaysOpen, OHLCV, None).columns(), &rules);
    assert_eq!((btc.count(Check::Duplicate), btc.count(Check::NoVolume), btc.count(Check::Gap)), (32, 2_078, 9));
    let gold = include_str!("../../../../samples/commodities/gold_usd_1970_2020.csv");
    let gold = closes(gold, "price", CalendarId::Weekdays);
    assert!(gold.count(Check::Gap) >= 10); // quarters at first
    let vix = include_str!("../../../../samples/indices/vix_close_2014_2019.csv");
    let vix = closes(vix, "close", CalendarId::Xnys);
    // Empty rows are holidays; the close of 2018-02-05 is real and far away.
    assert_eq!((vix.count(Check::Missing), vix.count(Check::OffSession), vix.count(Check::Outlier)), (0, 0, 1));
}

#[test]
fn a_clock_that_is_another_countrys() {
    let eur = include_str!("../../../../samples/fx/eurusd_1h_ask_2017.csv");
    let mut s = Series::read(eur, CalendarId::Fx, OHLCV, None);
    let rules = Rules { calendar: CalendarId::Fx, ..HOURLY };
    assert_eq!(check_bars(&s.columns(), &rules).count(Check::TimeZone), 0);
    s.starts.iter_mut().for_each(|t| t.0 -= 5 * Nanos::HOUR.0);
    let f = check_bars(&s.columns(), &rules);
    assert_eq!(f.count(Check::TimeZone), 1);
    let text = &f.examples.iter().find(|e| e.check == Check::TimeZone).unwrap().detail;
    assert!(text.contains("shifted by +5 h"), "{text}");
}

#[test]
fn quotes_and_clocks() {
    let n = 200;
    let ts: Vec<Timestamp> = (0..n).map(|k| Timestamp(k * Nanos::SECOND.0)).collect();
    let bid: Vec<i64> = (0..n).map(|k| 1_100_000_000 + k % 7 * 10_000).collect();
    let ask: Vec<i64> = bid.iter().map(|b| b + 20_000).collect();
    let check = |ts: &[Timestamp], bid: &[i64], ask: &[i64], size: &[f64]| {
        let f = check_quotes(&QuoteColumns { ts, bid, ask, bid_size: size, ask_size: &[] }, false);
        Check::ALL.iter().zip(f.counts).filter(|(_, n)| *n > 0).map(|(c, n)| (c.0, n)).collect::<Vec<_>>()
    };
    assert_eq!(check(&ts, &bid, &ask, &[]), []);
    let with = |row: usize, b: i64, a: i64| {
        let (mut bid, mut ask) = (bid.clone(), ask.clone());
        (bid[row], ask[row]) = (b, a);
        check(&ts, &bid, &ask, &[])
    };
    assert_eq!(with(100, 1_100_000_001, 1_100_000_000), [(Check::Crossed, 1)]);
    assert_eq!(with(100, 1_100_000_000, 1_100_000_000), [(Check::Locked, 1)]);
    assert_eq!(with(100, -1, 1_100_000_000), [(Check::Impossible, 1)]);
    assert_eq!(with(100, MISSING, 1_100_000_000), [(Check::Missing, 1)]);
    assert_eq!(with(100, MISSING, MISSING), []);
    assert_eq!(with(100, 2_200_000_000, 2_200_020_000), [(Check::Outlier, 2)]);
    let mut late = ts.clone();
    late[100] = Timestamp(5);
    assert_eq!(check(&late, &bid, &ask, &[]), [(Check::Disorder, 1)]);
    let mut pause = ts.clone();
    pause[100..].iter_mut().for_each(|t| t.0 += 600 * Nanos::SECOND.0);
    assert_eq!(check(&pause, &bid, &ask, &[]), [(Check::Stale, 1)]);
    let sizes = vec![-1.0; n as usize];
    assert_eq!(check(&ts, &bid, &ask, &sizes), [(Check::Bounds, n as u64)]);

    let mut f = Findings::new(0);
    let happened: Vec<_> = ts.iter().map(|t| Timestamp(t.0 + 1_270_000_000)).collect();
    check_clock(&ts, &happened, &mut f);
    assert_eq!(
        f.examples[0].detail,
        "200 of 200 rows were received before they happened; the median delay is -1.270 s"
    );
}

#[test]
fn trades_and_values() {
    let n = 200_i64;
    let ts: Vec<Timestamp> = (0..n).map(|k| Timestamp(k / 2 * Nanos::SECOND.0)).collect();
    let price: Vec<i64> = (0..n).map(|k| 100_000_000_000 + k % 5 * 10_000_000).collect();
    let (size, id): (Vec<f64>, Vec<i64>) = (vec![1.0; n as usize], (0..n).collect());
    type Change = fn(&mut [Timestamp], &mut [i64], &mut [f64], &mut [i64]);
    let check = |change: Change| {
        let (mut ts, mut price, mut size, mut id) = (ts.clone(), price.clone(), size.clone(), id.clone());
        change(&mut ts, &mut price, &mut size, &mut id);
        let f = check_trades(&TradeColumns { ts: &ts, price: &price, size: &size, id: &id });
        Check::ALL.iter().zip(f.counts).filter(|(_, n)| *n > 0).map(|(c, n)| (c.0, n)).collect::<Vec<_>>()
    };
    assert_eq!(check(|_, _, _, _| {}), []);
    assert_eq!(check(|_, p, _, _| p[100] = 0), [(Check::Impossible, 1)]);
    assert_eq!(check(|_, p, _, _| p[100] = MISSING), [(Check::Missing, 1)]);
    assert_eq!(check(|_, p, _, _| p[100] *= 2), [(Check::Outlier, 2)]);
    assert_eq!(check(|_, _, s, _| s[100] = -1.0), [(Check::Bounds, 1)]);
    assert_eq!(check(|_, _, _, i| i[100] = 7), [(Check::Duplicate, 1)]);
    assert_eq!(check(|t, _, _, _| t[100] = Timestamp(0)), [(Check::Disorder, 1)]);

    let days: Vec<Timestamp> = (0..n).map(|k| Timestamp(k * Nanos::DAY.0)).collect();
    let level: Vec<f64> = (0..n).map(|k| 2.0 + (k as f64 * 0.9).sin()).collect();
    let counts = |f: Findings| {
        Check::ALL.iter().zip(f.counts).filter(|(_, n)| *n > 0).map(|(c, n)| (c.0, n)).collect::<Vec<_>>()
    };
    assert_eq!(counts(check_values(&days, &level)), []);
    let with = |row: usize, v: f64| {
        let mut level = level.clone();
        level[row] = v;
        counts(check_values(&days, &level))
    };
    assert_eq!(with(100, f64::NAN), [(Check::Gap, 1)]);
    assert_eq!(with(100, 90.0), [(Check::Outlier, 2)]);
    let mut twice = days.clone();
    twice[100] = twice[99];
    assert_eq!(counts(check_values(&twice, &level)), [(Check::Gap, 1), (Check::Duplicate, 1)]);
}

#[test]
fn volumes_of_one_asset_in_two_units() {
    let pairs = compare_volumes(&[
        ("BTCUSDT", 17_212.0, 110.0),
        ("BTCUSD", 17_230.0, 1.9e6),
        ("EURUSD", 1.06, 1.0),
        ("BTCBUSD", 17_190.0, 95.0),
        ("GOLD", 17_200.0, 1e9),
    ]);
    assert_eq!(pairs.iter().map(|p| (p.0, p.1)).collect::<Vec<_>>(), [(0, 1), (1, 3)]);
}

#[test]
fn the_table_is_in_the_order_of_the_numbers() {
    for (at, (check, ..)) in Check::ALL.iter().enumerate() {
        assert_eq!(*check as usize, at);
    }
    let names: std::collections::BTreeSet<_> = Check::ALL.iter().map(|(_, name, ..)| *name).collect();
    assert_eq!(names.len(), Check::ALL.len());
    let marks = Marks::NONE.with(Check::Gap).with(Check::Crossed);
    assert_eq!(marks.iter().collect::<Vec<_>>(), [Check::Crossed, Check::Gap]);
    assert_eq!(marks.severity(), Some(Severity::Fault));
    assert_eq!(Marks::NONE.severity(), None);
}
