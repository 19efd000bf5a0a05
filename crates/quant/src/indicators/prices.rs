//! Indicators of one bar alone, or of the bar before: prices of a bar, balance of power, pivots.

use super::parts::state;
use super::{Bar, Columns, Inputs, Status, Study, typical};

/// Prices that stand for a bar: lines average `(open + high + low + close) / 4`, median `(high + low) / 2`, typical
/// `(high + low + close) / 3`, weighted `(high + low + 2 close) / 4`.
///
/// - Shape: one value a bar. Units: those of the prices.
/// - Source: TA-Lib 0.8 `TA_AVGPRICE`, `TA_MEDPRICE`, `TA_TYPPRICE`, `TA_WCLPRICE`.
#[derive(Clone, Debug)]
pub struct Prices;

impl Prices {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<Prices, 4> {
        Columns::of(Prices, n_instruments)
    }
}

impl Study<4> for Prices {
    const INPUTS: Inputs = Inputs::RANGE.and(Inputs::OPEN);

    fn step(&mut self, _: usize, bar: &Bar) -> Result<[f64; 4], Status> {
        let Bar { open, high, low, close, .. } = *bar;
        Ok([(open + high + low + close) / 4.0, (high + low) / 2.0, typical(bar), (high + low + 2.0 * close) / 4.0])
    }

    state!();
}

/// Balance of power: `(close − open) / (high − low)`.
///
/// - Shape: one value a bar. Range: −1 to 1; 0 for a bar without a range.
/// - Source: Livshin, Technical Analysis of Stocks & Commodities 19 (2001); TA-Lib 0.8 `TA_BOP`.
#[derive(Clone, Debug)]
pub struct BalanceOfPower;

impl BalanceOfPower {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<BalanceOfPower, 1> {
        Columns::of(BalanceOfPower, n_instruments)
    }
}

impl Study<1> for BalanceOfPower {
    const INPUTS: Inputs = Inputs::RANGE.and(Inputs::OPEN);

    fn step(&mut self, _: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let range = bar.high - bar.low;
        Ok([if range > 0.0 { (bar.close - bar.open) / range } else { 0.0 }])
    }

    state!();
}

/// Floor traders' pivots of the bar before, with `p = (high + low + close) / 3` of it: lines pivot p, r1 `2 p − low`, s1
/// `2 p − high`, r2 `p + (high − low)`, s2 `p − (high − low)`.
///
/// - Shape: one value a bar, from the second on. Units: those of the prices.
/// - Source: Person, A Complete Guide to Technical Trading Tactics (2004), chapter 6.
#[derive(Clone, Debug)]
pub struct Pivots {
    high: Vec<f64>,
    low: Vec<f64>,
    pivot: Vec<f64>,
    begun: Vec<u32>,
}

impl Pivots {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<Pivots, 5> {
        let zeros = || vec![0.0; n_instruments];
        Columns::of(
            Pivots { high: zeros(), low: zeros(), pivot: zeros(), begun: vec![0; n_instruments] },
            n_instruments,
        )
    }
}

impl Study<5> for Pivots {
    const INPUTS: Inputs = Inputs::RANGE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 5], Status> {
        let high = std::mem::replace(&mut self.high[i], bar.high);
        let low = std::mem::replace(&mut self.low[i], bar.low);
        let p = std::mem::replace(&mut self.pivot[i], typical(bar));
        match std::mem::replace(&mut self.begun[i], 1) {
            0 => Err(Status::WarmUp),
            _ => Ok([p, 2.0 * p - low, 2.0 * p - high, p + (high - low), p - (high - low)]),
        }
    }

    state!(high, low, pivot, begun);
}

/// Heikin-Ashi bars: lines open (middle of the open and close of the bar before, at the first bar of its own prices), high,
/// low, close (mean of the four prices).
///
/// - Shape: one value a bar, from the first on. Units: those of the prices.
/// - Source: Valcu, Technical Analysis of Stocks & Commodities 22 (February 2004); TA-Lib 0.8 `TA_HA`.
#[derive(Clone, Debug)]
pub struct HeikinAshi {
    open: Vec<f64>,
    close: Vec<f64>,
    begun: Vec<u32>,
}

impl HeikinAshi {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize) -> Columns<HeikinAshi, 4> {
        let zeros = || vec![0.0; n_instruments];
        Columns::of(HeikinAshi { open: zeros(), close: zeros(), begun: vec![0; n_instruments] }, n_instruments)
    }
}

impl Study<4> for HeikinAshi {
    const INPUTS: Inputs = Inputs::RANGE.and(Inputs::OPEN);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 4], Status> {
        let first = std::mem::replace(&mut self.begun[i], 1) == 0;
        let (from, to) = if first { (bar.open, bar.close) } else { (self.open[i], self.close[i]) };
        let (open, close) = ((from + to) / 2.0, (bar.open + bar.high + bar.low + bar.close) / 4.0);
        (self.open[i], self.close[i]) = (open, close);
        let (top, bottom) = if open > close { (open, close) } else { (close, open) };
        let high = if bar.high > top { bar.high } else { top };
        let low = if bar.low < bottom { bar.low } else { bottom };
        Ok([open, high, low, close])
    }

    state!(open, close, begun);
}
