//! Features: columns that depend on the market alone. An agent names a `FeatureSpec`; equal specs are one column.
//! The formulas live in `quant`; here they are bound to a feed and computed for a block of slices in one pass.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{Block, CHUNK, Status};
use tradegraph_domain::FeedId;
use tradegraph_quant::indicators::{EmaBank, Macd, Momentum, RealisedVol, Rsi, Seed, Sma};

/// What a feature computes from the closes of its feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeatureKind {
    /// The close itself.
    Close,
    /// Exponential moving average over `n` bars.
    Ema {
        /// Bars.
        n: u16,
        /// Start value.
        seed: EmaSeed,
    },
    /// Simple moving average over `n` bars.
    Sma {
        /// Bars.
        n: u16,
    },
    /// Relative strength index over `n` bars, on [0, 100].
    Rsi {
        /// Bars.
        n: u16,
    },
    /// A line of the moving average convergence/divergence.
    Macd {
        /// Bars of the fast average.
        fast: u16,
        /// Bars of the slow average.
        slow: u16,
        /// Bars of the signal line.
        signal: u16,
        /// Which line.
        line: MacdLine,
    },
    /// Close over the close `n` bars before, less 1.
    Momentum {
        /// Bars.
        n: u16,
    },
    /// Standard deviation of the last `n` log returns, per bar.
    RealisedVol {
        /// Bars.
        n: u16,
    },
}

/// Start value of an exponential average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EmaSeed {
    /// The mean of the first n closes (TA-Lib's).
    Sma,
    /// The first close.
    First,
}

/// Lines of a MACD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MacdLine {
    /// Fast average less slow average.
    Macd = 0,
    /// Average of the MACD line.
    Signal = 1,
    /// MACD line less signal line.
    Histogram = 2,
}

/// A feature of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeatureSpec {
    /// What it computes.
    pub kind: FeatureKind,
    /// From which bars.
    pub feed: FeedId,
}

/// Handle of a feature's column in a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeatureId(pub(crate) u16);

/// Periods of a MACD: fast, slow, signal.
type MacdKey = (u16, u16, u16);

/// Sets in one bank: enough to overlap their latency, few enough for buffers on the stack.
const BANK: usize = 8;

/// The kernels of one feed over one chunk of instruments, with the columns that each writes.
#[derive(Debug)]
enum Kernel {
    Close(usize),
    Emas(EmaBank, Vec<usize>),
    Sma(Sma, usize),
    Rsi(Rsi, usize),
    Macd(Box<Macd>, [Option<usize>; 3], [Block<f64>; 3]),
    Momentum(Momentum, usize),
    RealisedVol(RealisedVol, usize),
}

/// All kernels of one feed over a range of instruments.
#[derive(Debug)]
pub(crate) struct Kernels {
    kernels: Vec<Kernel>,
}

impl Kernels {
    /// Kernels for `n` instruments; `columns` are this feed's features with their places among its columns.
    pub(crate) fn new(kinds: &[FeatureKind], n: usize, rows: usize) -> Self {
        let mut kernels = Vec::new();
        let emas: Vec<(usize, (usize, Seed))> = kinds
            .iter()
            .enumerate()
            .filter_map(|(at, k)| match k {
                FeatureKind::Ema { n, seed } => {
                    let seed = if *seed == EmaSeed::Sma { Seed::Sma } else { Seed::First };
                    Some((at, (usize::from(*n), seed)))
                }
                _ => None,
            })
            .collect();
        for bank in emas.chunks(BANK) {
            let sets: Vec<_> = bank.iter().map(|(_, set)| *set).collect();
            kernels.push(Kernel::Emas(EmaBank::new(n, &sets), bank.iter().map(|(at, _)| *at).collect()));
        }
        // The lines of one MACD come from one kernel.
        let mut macds: Vec<(MacdKey, [Option<usize>; 3])> = Vec::new();
        for (at, kind) in kinds.iter().enumerate() {
            match *kind {
                FeatureKind::Close => kernels.push(Kernel::Close(at)),
                FeatureKind::Ema { .. } => {}
                FeatureKind::Sma { n: bars } => kernels.push(Kernel::Sma(Sma::new(n, bars.into()), at)),
                FeatureKind::Rsi { n: bars } => kernels.push(Kernel::Rsi(Rsi::new(n, bars.into()), at)),
                FeatureKind::Momentum { n: bars } => kernels.push(Kernel::Momentum(Momentum::new(n, bars.into()), at)),
                FeatureKind::RealisedVol { n: bars } => {
                    kernels.push(Kernel::RealisedVol(RealisedVol::new(n, bars.into()), at));
                }
                FeatureKind::Macd { fast, slow, signal, line } => {
                    let key = (fast, slow, signal);
                    let place = macds.iter().position(|(k, _)| *k == key).unwrap_or_else(|| {
                        macds.push((key, [None; 3]));
                        macds.len() - 1
                    });
                    macds[place].1[line as usize] = Some(at);
                }
            }
        }
        for ((fast, slow, signal), places) in macds {
            let macd = Macd::new(n, fast.into(), slow.into(), signal.into());
            let spare = [Block::new(rows, n), Block::new(rows, n), Block::new(rows, n)];
            kernels.push(Kernel::Macd(Box::new(macd), places, spare));
        }
        Kernels { kernels }
    }

    /// Computes `k` slices. `columns` has one (values, statuses) pair a feature, each `k` × instruments.
    pub(crate) fn update(
        &mut self,
        close: &[f64],
        present: &[Status],
        k: usize,
        columns: &mut [(&mut [f64], &mut [Status])],
    ) {
        for kernel in &mut self.kernels {
            match kernel {
                Kernel::Close(at) => {
                    let (values, status) = &mut columns[*at];
                    values.copy_from_slice(close);
                    status.copy_from_slice(present);
                }
                Kernel::Emas(bank, places) => emas(bank, places, close, present, k, columns),
                Kernel::Sma(sma, at) => {
                    slices(close, present, k, &mut columns[*at], |c, p, v, s| sma.update(c, p, v, s))
                }
                Kernel::Rsi(rsi, at) => {
                    let (values, status) = &mut columns[*at];
                    rsi.update_block(close, present, k, &mut (values, status));
                }
                Kernel::Momentum(m, at) => {
                    slices(close, present, k, &mut columns[*at], |c, p, v, s| m.update(c, p, v, s))
                }
                Kernel::RealisedVol(m, at) => {
                    slices(close, present, k, &mut columns[*at], |c, p, v, s| m.update(c, p, v, s))
                }
                Kernel::Macd(macd, places, spare) => {
                    let mut out = spare.each_mut().map(|block| {
                        let (values, status) = block.parts_mut();
                        (&mut values[..close.len()], &mut status[..close.len()])
                    });
                    macd.update_block(close, present, k, &mut out);
                    for (place, (values, status)) in places.iter().zip(&out) {
                        if let Some(at) = place {
                            columns[*at].0.copy_from_slice(values);
                            columns[*at].1.copy_from_slice(status);
                        }
                    }
                }
            }
        }
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        for kernel in &self.kernels {
            match kernel {
                Kernel::Close(_) => {}
                Kernel::Emas(k, _) => k.save(to),
                Kernel::Sma(k, _) => k.save(to),
                Kernel::Rsi(k, _) => k.save(to),
                Kernel::Macd(k, _, _) => k.save(to),
                Kernel::Momentum(k, _) => k.save(to),
                Kernel::RealisedVol(k, _) => k.save(to),
            }
        }
    }

    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        for kernel in &mut self.kernels {
            match kernel {
                Kernel::Close(_) => {}
                Kernel::Emas(k, _) => k.load(from)?,
                Kernel::Sma(k, _) => k.load(from)?,
                Kernel::Rsi(k, _) => k.load(from)?,
                Kernel::Macd(k, _, _) => k.load(from)?,
                Kernel::Momentum(k, _) => k.load(from)?,
                Kernel::RealisedVol(k, _) => k.load(from)?,
            }
        }
        Ok(())
    }
}

/// Runs a bank over its columns, which are not neighbours; the buffers are borrowed into an array on the stack.
fn emas(
    bank: &mut EmaBank,
    places: &[usize],
    close: &[f64],
    present: &[Status],
    k: usize,
    columns: &mut [(&mut [f64], &mut [Status])],
) {
    let mut out: [(&mut [f64], &mut [Status]); BANK] = Default::default();
    let mut filled = 0;
    for (at, (values, status)) in columns.iter_mut().enumerate() {
        if places.contains(&at) {
            out[filled] = (values, status);
            filled += 1;
        }
    }
    bank.update_block(close, present, k, &mut out[..filled]);
}

/// Runs a kernel that takes one slice at a time.
fn slices(
    close: &[f64],
    present: &[Status],
    k: usize,
    (values, status): &mut (&mut [f64], &mut [Status]),
    mut update: impl FnMut(&[f64], &[Status], &mut [f64], &mut [Status]),
) {
    let n = close.len() / k.max(1);
    for row in 0..if n == 0 { 0 } else { k } {
        let cells = row * n..(row + 1) * n;
        update(&close[cells.clone()], &present[cells.clone()], &mut values[cells.clone()], &mut status[cells]);
    }
}

/// Instruments of each chunk: all in one up to `CHUNK`, else chunks of that size.
pub(crate) fn chunk_widths(n: usize) -> impl Iterator<Item = usize> {
    (0..n.div_ceil(CHUNK).max(1)).map(move |c| (n - c * CHUNK).min(CHUNK))
}
