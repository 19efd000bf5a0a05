//! T3: an exponential average smoothed six times, with the lag taken out by a volume factor.

use super::parts::Part;
use super::{Bar, Columns, DecodeError, Decoder, Ema, Encoder, Inputs, Seed, Status, Study};

/// `c₁ e₆ + c₂ e₅ + c₃ e₄ + c₄ e₃` of the close, where `eₖ` is the exponential average over `n` bars taken k times and,
/// with v the volume factor, `c₁ = −v³`, `c₂ = 3 (v² + v³)`, `c₃ = −6 v² − 3 (v + v³)`, `c₄ = 1 + 3 v + v³ + 3 v²`.
///
/// - Shape: one value a bar; none before bar `6 (n − 1)`.
/// - Units: those of the prices; `n` in bars, at least 1; v from 0 to 1 (default of the field: 0.7).
/// - Source: Tillson, Technical Analysis of Stocks & Commodities 16 (1998); TA-Lib 0.8 `TA_T3`.
#[derive(Clone, Debug)]
pub struct T3 {
    factor: f64,
    weights: [f64; 4],
    averages: [Ema; 6],
}

impl T3 {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize, factor: f64) -> Columns<T3, 1> {
        let v = factor;
        let (v2, v3) = (v * v, v * v * v);
        let weights = [-v3, 3.0 * (v2 + v3), -6.0 * v2 - 3.0 * (v + v3), 1.0 + 3.0 * v + v3 + 3.0 * v2];
        let averages = std::array::from_fn(|_| Ema::new(n_instruments, n, Seed::Sma));
        Columns::of(T3 { factor, weights, averages }, n_instruments)
    }
}

impl Study<1> for T3 {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let mut x = bar.close;
        let mut of = [0.0; 6];
        for (e, average) in of.iter_mut().zip(&mut self.averages) {
            x = average.step(i, x)?;
            *e = x;
        }
        let [c1, c2, c3, c4] = self.weights;
        Ok([c1 * of[5] + c2 * of[4] + c3 * of[3] + c4 * of[2]])
    }

    fn save(&self, to: &mut Encoder) {
        Part::save(&self.factor, to);
        self.averages.iter().for_each(|e| e.save(to));
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        Part::load(&mut self.factor, from)?;
        self.averages.iter_mut().try_for_each(|e| e.load(from))
    }
}
