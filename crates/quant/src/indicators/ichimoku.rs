//! Ichimoku: middles of three ranges.

use super::parts::state;
use super::{Bar, Columns, Donchian, Inputs, Status, Study};

/// Middles of the highest high and lowest low of three windows: lines conversion (over `short` bars), base (over `middle`),
/// span_a (the mean of both) and span_b (over `long`). Charts draw the spans ahead by `middle` bars; here they are those of
/// the bar that makes them.
///
/// - Shape: one value a bar; none before bar `long − 1`: all lines begin together. Units: those of the prices; periods in
///   bars, at least 1, shortest first (default of the field: 9, 26, 52).
/// - Source: Elliott, Ichimoku Charts (2007), chapter 2.
#[derive(Clone, Debug)]
pub struct Ichimoku {
    short: Donchian,
    middle: Donchian,
    long: Donchian,
}

impl Ichimoku {
    /// A kernel without data. Holds twice the sum of the periods, an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, short: usize, middle: usize, long: usize) -> Columns<Ichimoku, 4> {
        let mut periods = [short, middle, long];
        periods.sort_unstable();
        let [short, middle, long] = periods.map(|n| Donchian::new(n_instruments, n));
        Columns::of(Ichimoku { short, middle, long }, n_instruments)
    }
}

impl Study<4> for Ichimoku {
    const INPUTS: Inputs = Inputs::HIGH.and(Inputs::LOW);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 4], Status> {
        let [conversion, base, span_b] = [&mut self.short, &mut self.middle, &mut self.long]
            .map(|d| d.range(i, bar.high, bar.low).map(|(high, low)| (high + low) / 2.0));
        let (conversion, base, span_b) = (conversion?, base?, span_b?);
        Ok([conversion, base, (conversion + base) / 2.0, span_b])
    }

    state!(short, middle, long);
}
