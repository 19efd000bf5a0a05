//! What the kernels of a panel read: rows of a feed as floats, adjusted for corporate actions where there are any, and
//! the market's return.

use super::run_all;
use crate::actions::{Adjustment, Adjustments};
use crate::batch::Batch;
use crate::features::{Rows, chunk_widths};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{CHUNK, Status, all_ok, sum8, wide};
use tradegraph_quant::indicators::{Bars, Columns, Inputs, Kernel, LogReturn, Scale};

/// Fields that the bars of a batch have. The market's return can be made of any closes.
pub(super) fn fields_of(batch: &Batch) -> Inputs {
    let mut has = Inputs::CLOSE.and(Inputs::OTHER);
    if batch.spec().has_open {
        has = has.and(Inputs::OPEN).and(Inputs::HIGH).and(Inputs::LOW);
    }
    if batch.parts().volume.is_empty() { has } else { has.and(Inputs::VOLUME) }
}

/// The factors of a feed as of the last row that was prepared.
#[derive(Clone, Debug)]
pub(super) struct Factors {
    steps: Vec<Adjustment>,
    /// The first step that is not taken.
    next: usize,
    total: Vec<f64>,
    split: Vec<f64>,
}

impl Factors {
    pub(super) fn new(adjustments: &Adjustments, n: usize) -> Self {
        Factors { steps: adjustments.steps().to_vec(), next: 0, total: vec![1.0; n], split: vec![1.0; n] }
    }

    /// Takes the steps of rows below `row`, from the first on.
    pub(super) fn start_at(&mut self, row: usize) {
        self.next = 0;
        self.total.fill(1.0);
        self.split.fill(1.0);
        self.take_until(row);
    }

    /// Takes the further steps of rows below `row`.
    fn take_until(&mut self, row: usize) {
        while let Some(step) = self.steps.get(self.next).filter(|s| (s.row as usize) < row) {
            let i = step.instrument.index();
            if let (Some(total), Some(split)) = (self.total.get_mut(i), self.split.get_mut(i)) {
                (*total, *split) = (step.total, step.split);
            }
            self.next += 1;
        }
    }
}

/// Rows of one block as floats, row after row. A field that no feature reads is empty.
#[derive(Debug, Default)]
pub(super) struct InputRows {
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
    /// Closes as they were traded, where they differ from `close`.
    raw: Vec<f64>,
    /// Factors as of each row.
    total: Vec<f64>,
    split: Vec<f64>,
    returns: Vec<f64>,
    returned: Vec<Status>,
    market: Vec<f64>,
}

impl InputRows {
    pub(super) fn new(cells: usize, reads: Inputs, adjusted: bool) -> Self {
        let room = |needed: bool| vec![0.0; if needed { cells } else { 0 }];
        let with_market = reads.has(Inputs::OTHER);
        InputRows {
            open: room(reads.has(Inputs::OPEN)),
            high: room(reads.has(Inputs::HIGH)),
            low: room(reads.has(Inputs::LOW)),
            close: room(true),
            volume: room(reads.has(Inputs::VOLUME)),
            raw: room(adjusted),
            total: room(adjusted),
            split: room(adjusted),
            returns: room(with_market),
            returned: vec![Status::NoData; if with_market { cells } else { 0 }],
            market: room(with_market),
        }
    }

    /// Takes rows `from..to` of a batch; a feed's factors go along.
    pub(super) fn fill(&mut self, batch: &Batch, from: usize, to: usize, reads: Inputs, factors: Option<&mut Factors>) {
        let n = batch.width();
        let (cells, parts) = (from * n..to * n, batch.parts());
        floats(&mut self.close, &parts.close[cells.clone()]);
        for (field, buffer, nanos) in [
            (Inputs::OPEN, &mut self.open, &parts.open),
            (Inputs::HIGH, &mut self.high, &parts.high),
            (Inputs::LOW, &mut self.low, &parts.low),
        ] {
            if reads.has(field) {
                floats(buffer, &nanos[cells.clone()]);
            }
        }
        if reads.has(Inputs::VOLUME) {
            self.volume[..cells.len()].copy_from_slice(&parts.volume[cells.clone()]);
        }
        let Some(factors) = factors else { return };
        for row in 0..to - from {
            factors.take_until(from + row + 1);
            self.total[row * n..(row + 1) * n].copy_from_slice(&factors.total);
            self.split[row * n..(row + 1) * n].copy_from_slice(&factors.split);
        }
        let used = cells.len();
        self.raw[..used].copy_from_slice(&self.close[..used]);
        for (field, buffer) in [
            (Inputs::OPEN, &mut self.open),
            (Inputs::HIGH, &mut self.high),
            (Inputs::LOW, &mut self.low),
            (Inputs::CLOSE, &mut self.close),
        ] {
            if reads.has(field) {
                buffer[..used].iter_mut().zip(&self.total).for_each(|(price, total)| *price *= total);
            }
        }
        if reads.has(Inputs::VOLUME) {
            self.volume[..used].iter_mut().zip(&self.split).for_each(|(volume, split)| *volume /= split);
        }
    }

    /// Turns values of a line, made of adjusted bars, into the units of their rows.
    pub(super) fn turn_back(&self, values: &mut [f64], scale: Scale) {
        for _ in 0..scale.price {
            values.iter_mut().zip(&self.total).for_each(|(v, total)| *v /= total);
        }
        for _ in scale.price..0 {
            values.iter_mut().zip(&self.total).for_each(|(v, total)| *v *= total);
        }
        for _ in 0..scale.volume {
            values.iter_mut().zip(&self.split).for_each(|(v, split)| *v *= split);
        }
        for _ in scale.volume..0 {
            values.iter_mut().zip(&self.split).for_each(|(v, split)| *v /= split);
        }
    }

    /// Cells `from..to` for kernels that read these fields.
    pub(super) fn rows<'a>(
        &'a self,
        reads: Inputs,
        adjusted: bool,
        present: &'a [Status],
        from: usize,
        to: usize,
    ) -> Rows<'a> {
        let field = |read: bool, x: &'a [f64]| if read { &x[from..to] } else { &[] };
        let with_market = reads.has(Inputs::OTHER);
        let close = field(true, &self.close);
        Rows {
            raw: if adjusted { field(true, &self.raw) } else { close },
            bars: Bars {
                open: field(reads.has(Inputs::OPEN), &self.open),
                high: field(reads.has(Inputs::HIGH), &self.high),
                low: field(reads.has(Inputs::LOW), &self.low),
                close,
                volume: field(reads.has(Inputs::VOLUME), &self.volume),
                other: &[],
                log_return: if with_market && all_ok(&self.returned[from..to]) { &self.returns[from..to] } else { &[] },
            },
            present: &present[from..to],
            returns: Bars {
                close: field(with_market, &self.returns),
                other: field(with_market, &self.market),
                ..Bars::default()
            },
            returned: if with_market { &self.returned[from..to] } else { &[] },
        }
    }
}

wide! {
    /// Prices at 1e-9 as floats.
    fn floats<'a>(to: &'a mut [f64], nanos: &'a [i64]) {
        for (x, p) in to.iter_mut().zip(nanos) {
            *x = *p as f64 / 1e9;
        }
    }
}

/// Log returns of the instruments of a feed and of their market.
#[derive(Debug)]
pub(super) struct Market {
    /// One for each chunk of instruments.
    returns: Vec<Columns<LogReturn, 1>>,
}

impl Market {
    pub(super) fn new(n: usize) -> Self {
        Market { returns: chunk_widths(n).map(LogReturn::columns).collect() }
    }

    /// Computes the returns of `k` rows of closes and, for each row, their mean in a fixed order of additions.
    pub(super) fn fill(
        &mut self,
        inputs: &mut InputRows,
        present: &[Status],
        k: usize,
        pool: Option<&rayon::ThreadPool>,
    ) {
        let (cells, n) = (present.len(), present.len() / k.max(1));
        let (values, status) = (&mut inputs.returns[..cells], &mut inputs.returned[..cells]);
        let close = &inputs.close[..cells];
        match self.returns.as_mut_slice() {
            [one] => one.update_block(&Bars::closes(close), present, k, &mut [(&mut *values, &mut *status)]),
            many => {
                let out = values.chunks_mut(CHUNK).zip(status.chunks_mut(CHUNK));
                let work = many.iter_mut().zip(close.chunks(CHUNK)).zip(present.chunks(CHUNK)).zip(out);
                run_all(pool, work, |(((returns, close), present), out)| {
                    returns.update(&Bars::closes(close), present, &mut [out]);
                });
            }
        }
        for ((value, status), present) in values.iter_mut().zip(&mut *status).zip(present) {
            // An instrument without a bar repeats its last return, which is none of this row.
            if *present != Status::Ok {
                (*value, *status) = (0.0, *present);
            }
        }
        if n == 0 {
            return;
        }
        let rows = values.chunks_exact(n).zip(status.chunks_exact(n));
        for ((values, status), market) in rows.zip(inputs.market.chunks_exact_mut(n)) {
            let count = status.iter().filter(|s| **s == Status::Ok).count();
            market.fill(if count == 0 { 0.0 } else { sum8(values) / count as f64 });
        }
    }

    pub(super) fn save(&self, to: &mut Encoder) {
        self.returns.iter().for_each(|r| r.save(to));
    }

    pub(super) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.returns.iter_mut().try_for_each(|r| r.load(from))
    }
}
