//! Triple exponential moving average, as a level and as a rate of change (TRIX).

use super::parts::state;
use super::{Bar, Columns, Ema, Inputs, Seed, Status, Study};

/// Three exponential averages, each of the one before; all start at a simple mean.
#[derive(Clone, Debug)]
struct Three([Ema; 3]);

impl Three {
    fn new(n_instruments: usize, n: usize) -> Three {
        Three(std::array::from_fn(|_| Ema::new(n_instruments, n, Seed::Sma)))
    }

    fn step(&mut self, i: usize, x: f64) -> Result<[f64; 3], Status> {
        let [once, twice, thrice] = &mut self.0;
        let a = once.step(i, x)?;
        let b = twice.step(i, a)?;
        Ok([a, b, thrice.step(i, b)?])
    }
}

impl super::parts::Part for Three {
    fn save(&self, to: &mut super::Encoder) {
        self.0.iter().for_each(|e| e.save(to));
    }

    fn load(&mut self, from: &mut super::Decoder<'_>) -> Result<(), super::DecodeError> {
        self.0.iter_mut().try_for_each(|e| e.load(from))
    }
}

/// `3 a − 3 b + c` of the close, where a is the exponential average over `n` bars, b that of a and c that of b.
///
/// - Shape: one value a bar; none before bar `3 (n − 1)`.
/// - Units: those of the prices; `n` in bars, at least 1.
/// - Source: Mulloy, Technical Analysis of Stocks & Commodities 12 (1994); TA-Lib 0.8 `TA_TEMA`.
#[derive(Clone, Debug)]
pub struct Tema(Three);

impl Tema {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Tema, 1> {
        Columns::of(Tema(Three::new(n_instruments, n)), n_instruments)
    }
}

impl Study<1> for Tema {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let [a, b, c] = self.0.step(i, bar.close)?;
        Ok([3.0 * a - 3.0 * b + c])
    }

    state!(0);
}

/// Change of the thrice smoothed close from bar to bar, in per cent.
///
/// - Shape: one value a bar; none before bar `3 (n − 1) + 1`.
/// - Units: per cent; `n` in bars, at least 1. Where the average before is 0 the change is taken as 0.
/// - Source: Hutson, Technical Analysis of Stocks & Commodities 1 (1983); TA-Lib 0.8 `TA_TRIX`.
#[derive(Clone, Debug)]
pub struct Trix {
    three: Three,
    previous: Vec<f64>,
    begun: Vec<u32>,
}

impl Trix {
    /// A kernel without data.
    #[must_use]
    pub fn columns(n_instruments: usize, n: usize) -> Columns<Trix, 1> {
        let three = Three::new(n_instruments, n);
        let (previous, begun) = (vec![0.0; n_instruments], vec![0; n_instruments]);
        Columns::of(Trix { three, previous, begun }, n_instruments)
    }
}

impl Study<1> for Trix {
    const INPUTS: Inputs = Inputs::CLOSE;

    fn step(&mut self, i: usize, bar: &Bar) -> Result<[f64; 1], Status> {
        let [.., thrice] = self.three.step(i, bar.close)?;
        let previous = std::mem::replace(&mut self.previous[i], thrice);
        match std::mem::replace(&mut self.begun[i], 1) {
            0 => Err(Status::WarmUp),
            _ => Ok([super::percent(thrice - previous, previous)]),
        }
    }

    state!(three, previous, begun);
}
