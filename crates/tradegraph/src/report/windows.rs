//! The worst stretches of a curve, beside what the benchmark did meanwhile.

use serde::Serialize;
use tradegraph_domain::Date;
use tradegraph_quant::performance::drawdowns;

/// A stretch of a curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Window {
    /// Days on the curve; of a fall, from its peak to its lowest point.
    pub days: usize,
    /// The day before it.
    pub from: String,
    /// Its last day.
    pub to: String,
    /// Return of the account, a fraction.
    pub account: f64,
    /// Return of the benchmark from and to the same days.
    pub benchmark: f64,
    /// Of a fall: the day on which the peak was reached again.
    pub recovered: Option<String>,
}

/// Lengths of the worst stretches in days on the curve.
const LENGTHS: [usize; 5] = [1, 5, 21, 63, 252];

fn window(dates: &[Date], net: &[f64], benchmark: &[f64], from: usize, to: usize) -> Option<Window> {
    let growth = |x: &[f64]| Some(x.get(to)? / x.get(from)? - 1.0);
    Some(Window {
        days: to - from,
        from: dates.get(from)?.to_string(),
        to: dates.get(to)?.to_string(),
        account: growth(net)?,
        benchmark: growth(benchmark)?,
        recovered: None,
    })
}

/// The stretch of each length in which the account lost most; of equal ones the first. Lengths beyond the curve and
/// stretches without a loss are left out.
pub fn worst(dates: &[Date], net: &[f64], benchmark: &[f64]) -> Vec<Window> {
    let mut out = Vec::new();
    for length in LENGTHS {
        let mut lowest: Option<(f64, usize)> = None;
        for (from, (a, b)) in net.iter().zip(net.iter().skip(length)).enumerate() {
            let growth = b / a - 1.0;
            if *a > 0.0 && growth < lowest.map_or(0.0, |(g, _)| g) {
                lowest = Some((growth, from));
            }
        }
        out.extend(lowest.and_then(|(_, from)| window(dates, net, benchmark, from, from + length)));
    }
    out
}

/// The deepest falls, deepest first, at most `n`.
pub fn falls(dates: &[Date], net: &[f64], benchmark: &[f64], n: usize) -> Vec<Window> {
    let mut all = drawdowns(net).unwrap_or_default();
    all.sort_by(|a, b| b.depth.total_cmp(&a.depth));
    let of = |fall: &tradegraph_quant::performance::Drawdown| {
        let recovered = fall.recovery.and_then(|r| dates.get(r)).map(ToString::to_string);
        window(dates, net, benchmark, fall.start, fall.trough).map(|w| Window { recovered, ..w })
    };
    all.iter().take(n).filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_days_and_falls_are_found() {
        let dates: Vec<Date> = (0..9).map(Date).collect();
        let net = [100.0, 110.0, 99.0, 104.0, 78.0, 79.0, 110.0, 121.0, 114.95];
        let flat = [50.0, 50.0, 55.0, 55.0, 44.0, 44.0, 44.0, 44.0, 44.0];
        let worst = worst(&dates, &net, &flat);
        // One day: 104 to 78; five days: 99 to 121 and so on, the worst from 110 to 110 is none, 100 to 79 is.
        assert_eq!(
            worst.iter().map(|w| (w.days, w.account)).collect::<Vec<_>>(),
            [(1, -0.25), (5, 79.0 / 100.0 - 1.0)]
        );
        assert_eq!((worst[0].from.as_str(), worst[0].to.as_str()), ("1970-01-04", "1970-01-05"));
        assert!((worst[0].benchmark + 0.2).abs() < 1e-12);
        let falls = falls(&dates, &net, &flat, 5);
        assert_eq!(falls.len(), 2);
        assert!((falls[0].account - (78.0 / 110.0 - 1.0)).abs() < 1e-12 && (falls[1].account + 0.05).abs() < 1e-12);
        assert_eq!((falls[0].recovered.as_deref(), falls[1].recovered.as_deref()), (Some("1970-01-07"), None));
    }
}
