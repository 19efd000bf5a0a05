//! Average volume: what usually trades, by which orders are sized.

use super::parts::{Mean, state};
use super::{Bar, Bars, Columns, Inputs, Status, Study, period_of};

/// Mean of the last `n` volumes of one series.
///
/// - Shape: one value a bar, oldest first; NaN before bar `n − 1`.
/// - Units: those of `volume`; `n` in bars, at least 1.
/// - Source: TA-Lib 0.8 `TA_SMA` of the volume.
#[must_use]
pub fn average_volume(volume: &[f64], n: usize) -> Vec<f64> {
    let bars = Bars { volume, ..Bars::default() };
    let [values] = AverageVolume::columns(1, n.min(volume.len() + 1)).series(&bars);
    values
}

/// One average volume for all instruments. Definition: [`average_volume`].
#[derive(Clone, Debug)]
pub struct AverageVolume(Mean);

impl AverageVolume {
    /// A kernel without data; `n` is the period in bars, at least 1. Holds `n` volumes an instrument.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<AverageVolume, 1> {
        Columns::of(AverageVolume(Mean::new(n_instruments, period_of(n, 1))), n_instruments)
    }
}

impl Study<1> for AverageVolume {
    const INPUTS: Inputs = Inputs::VOLUME;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        Ok([self.0.step(i, bar.volume)?])
    }

    fn row(&mut self, bars: &Bars<'_>, [line]: &mut [&mut [f64]; 1]) -> bool {
        self.0.row(bars.volume, line)
    }

    state!(0);
}
