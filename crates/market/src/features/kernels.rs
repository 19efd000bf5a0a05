//! The kernels of a feed, bound to its columns and run over a block of slices in one pass.

use super::{FeatureKind, MOST_LINES};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{Block, CHUNK, Status};
use tradegraph_quant::indicators::{Bars, EmaBank, Inputs, Kernel as Formula, Out, Seed};

/// What the kernels of a feed read: rows of one chunk of instruments. A field that no feature reads is empty.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rows<'a> {
    /// Closes as they were traded.
    pub(crate) raw: &'a [f64],
    /// Adjusted bars.
    pub(crate) bars: Bars<'a>,
    pub(crate) present: &'a [Status],
    /// Log returns as closes, beside the market's.
    pub(crate) returns: Bars<'a>,
    pub(crate) returned: &'a [Status],
}

/// Sets in one bank: enough to overlap their latency, few enough for buffers on the stack.
const BANK: usize = 8;

/// The kernels of one feed over one chunk of instruments, with the columns that each writes.
#[derive(Debug)]
enum Kernel {
    Close(usize),
    Emas(EmaBank, Vec<usize>),
    Lines(Lines),
}

/// A kernel, the column of each of its lines, and room for the lines that nobody reads.
#[derive(Debug)]
struct Lines {
    formula: Box<dyn Formula>,
    places: [Option<usize>; MOST_LINES],
    spare: Vec<Block<f64>>,
}

/// All kernels of one feed over a range of instruments.
#[derive(Debug)]
pub(crate) struct Kernels {
    kernels: Vec<Kernel>,
    /// Columns whose inputs the feed does not have.
    absent: Vec<usize>,
}

impl Kernels {
    /// Kernels for `n` instruments and blocks of at most `rows`; `kinds` are this feed's features with their places
    /// among its columns, `has` the fields of its bars.
    pub(crate) fn new(kinds: &[FeatureKind], n: usize, rows: usize, has: Inputs) -> Self {
        let (mut kernels, mut absent) = (Vec::new(), Vec::new());
        let emas: Vec<(usize, (usize, Seed))> = kinds
            .iter()
            .enumerate()
            .filter_map(|(at, k)| match k {
                FeatureKind::Ema { n, seed } => Some((at, (usize::from(*n), Seed::from(*seed)))),
                _ => None,
            })
            .collect();
        for bank in emas.chunks(BANK) {
            let sets: Vec<_> = bank.iter().map(|(_, set)| *set).collect();
            kernels.push(Kernel::Emas(EmaBank::new(n, &sets), bank.iter().map(|(at, _)| *at).collect()));
        }
        let mut families: Vec<(FeatureKind, [Option<usize>; MOST_LINES])> = Vec::new();
        for (at, kind) in kinds.iter().enumerate() {
            match kind {
                FeatureKind::Close => kernels.push(Kernel::Close(at)),
                FeatureKind::Ema { .. } => {}
                kind if !has.has(kind.inputs()) => absent.push(at),
                kind => {
                    let place = families.iter().position(|(f, _)| *f == kind.family()).unwrap_or_else(|| {
                        families.push((kind.family(), [None; MOST_LINES]));
                        families.len() - 1
                    });
                    families[place].1[kind.line()] = Some(at);
                }
            }
        }
        for (family, places) in families {
            if let Some(formula) = family.kernel(n) {
                let unread = places[..formula.lines()].iter().filter(|p| p.is_none()).count();
                let spare = (0..unread).map(|_| Block::new(rows, n)).collect();
                kernels.push(Kernel::Lines(Lines { formula, places, spare }));
            }
        }
        Kernels { kernels, absent }
    }

    /// Computes `k` slices. `columns` has one (values, statuses) pair a feature, each `k` × instruments.
    pub(crate) fn update(&mut self, rows: &Rows<'_>, k: usize, columns: &mut [Out<'_>]) {
        for at in &self.absent {
            columns[*at].1.fill(Status::NotApplicable);
        }
        for kernel in &mut self.kernels {
            match kernel {
                Kernel::Close(at) => {
                    let (values, status) = &mut columns[*at];
                    values.copy_from_slice(rows.raw);
                    status.copy_from_slice(rows.present);
                }
                Kernel::Emas(bank, places) => emas(bank, places, rows.bars.close, rows.present, k, columns),
                Kernel::Lines(lines) => lines.update(rows, k, columns),
            }
        }
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        for kernel in &self.kernels {
            match kernel {
                Kernel::Close(_) => {}
                Kernel::Emas(k, _) => k.save(to),
                Kernel::Lines(k) => k.formula.save(to),
            }
        }
    }

    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        for kernel in &mut self.kernels {
            match kernel {
                Kernel::Close(_) => {}
                Kernel::Emas(k, _) => k.load(from)?,
                Kernel::Lines(k) => k.formula.load(from)?,
            }
        }
        Ok(())
    }
}

impl Lines {
    fn update(&mut self, rows: &Rows<'_>, k: usize, columns: &mut [Out<'_>]) {
        let n_lines = self.formula.lines();
        let mut out: [Out<'_>; MOST_LINES] = Default::default();
        for (at, (values, status)) in columns.iter_mut().enumerate() {
            if let Some(line) = self.places.iter().position(|p| *p == Some(at)) {
                out[line] = (values, status);
            }
        }
        let unread = out[..n_lines].iter_mut().zip(&self.places).filter(|(_, place)| place.is_none());
        for ((o, _), spare) in unread.zip(&mut self.spare) {
            let (values, status) = spare.parts_mut();
            *o = (&mut values[..rows.present.len()], &mut status[..rows.present.len()]);
        }
        if self.formula.inputs().has(Inputs::OTHER) {
            self.formula.update_block(&rows.returns, rows.returned, k, &mut out[..n_lines]);
        } else {
            self.formula.update_block(&rows.bars, rows.present, k, &mut out[..n_lines]);
        }
    }
}

/// Runs a bank over its columns, which are not neighbours; the buffers are borrowed into an array on the stack.
fn emas(bank: &mut EmaBank, places: &[usize], close: &[f64], present: &[Status], k: usize, columns: &mut [Out<'_>]) {
    let mut out: [Out<'_>; BANK] = Default::default();
    let mut filled = 0;
    for (at, (values, status)) in columns.iter_mut().enumerate() {
        if places.contains(&at) {
            out[filled] = (values, status);
            filled += 1;
        }
    }
    bank.update_block(close, present, k, &mut out[..filled]);
}

/// Instruments of each chunk: all in one up to `CHUNK`, else chunks of that size.
pub(crate) fn chunk_widths(n: usize) -> impl Iterator<Item = usize> {
    (0..n.div_ceil(CHUNK).max(1)).map(move |c| (n - c * CHUNK).min(CHUNK))
}
