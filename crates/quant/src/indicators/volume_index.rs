//! Volume indices: the price's moves on quiet days, and on busy ones.

use super::parts::state;
use super::{Bar, Columns, Inputs, Status, Study};

/// An index that starts at 1,000 and follows the closes' changes on those bars alone whose volume is below (negative) or
/// above (positive) that of the bar before.
///
/// - Shape: one value a bar, from the first on. Units: points; it stays where the close before is 0, and where it would
///   leave the numbers.
/// - Source: Dysart (1936) in Fosback, Stock Market Logic (1976), chapters 22 and 23; TA-Lib 0.8 `TA_NVI`, `TA_PVI`.
#[derive(Clone, Debug)]
pub struct VolumeIndex {
    /// 1 for rising volumes, −1 for falling ones.
    sign: f64,
    index: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
    begun: Vec<u32>,
}

impl VolumeIndex {
    /// A kernel without data of the index of quiet bars.
    #[must_use]
    pub fn negative(n_instruments: usize) -> Columns<VolumeIndex, 1> {
        VolumeIndex::columns(n_instruments, -1.0)
    }

    /// A kernel without data of the index of busy bars.
    #[must_use]
    pub fn positive(n_instruments: usize) -> Columns<VolumeIndex, 1> {
        VolumeIndex::columns(n_instruments, 1.0)
    }

    fn columns(n_instruments: usize, sign: f64) -> Columns<VolumeIndex, 1> {
        let study = VolumeIndex {
            sign,
            index: vec![1_000.0; n_instruments],
            close: vec![0.0; n_instruments],
            volume: vec![0.0; n_instruments],
            begun: vec![0; n_instruments],
        };
        Columns::of(study, n_instruments)
    }
}

impl Study<1> for VolumeIndex {
    const INPUTS: Inputs = Inputs::CLOSE.and(Inputs::VOLUME);

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let close = std::mem::replace(&mut self.close[i], bar.close);
        let volume = std::mem::replace(&mut self.volume[i], bar.volume);
        let begun = std::mem::replace(&mut self.begun[i], 1) == 1;
        if begun && self.sign * (bar.volume - volume) > 0.0 && close != 0.0 {
            let index = self.index[i] + (bar.close - close) / close * self.index[i];
            self.index[i] = if index.is_finite() { index } else { self.index[i] };
        }
        Ok([self.index[i]])
    }

    state!(sign, index, close, volume, begun);
}
