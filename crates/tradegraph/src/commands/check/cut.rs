//! Bars with another future, with none, or with another beginning.

use crate::failure::{Failure, Kind};
use tradegraph_columns::Status;
use tradegraph_domain::Timestamp;
use tradegraph_market::{ActionError, Actions, Batch, BatchParts};
use tradegraph_quant::performance::Random;

fn build(parts: BatchParts) -> Result<Batch, Failure> {
    Batch::new(parts).map_err(|e| Failure::new(Kind::Failed, format!("the changed bars: {e}")))
}

/// Everything that is known only after `t` multiplied by chance, bar by bar, from a half to one and a half. A bar that has
/// begun keeps its open.
pub fn perturbed(bars: &Batch, t: Timestamp, seed: u64) -> Result<Batch, Failure> {
    let mut parts = bars.parts().clone();
    let mut random = Random::new(seed ^ t.0.unsigned_abs());
    let first = parts.ends.partition_point(|end| *end <= t);
    for cell in first * parts.width..parts.status.len() {
        let factor = 0.5 + random.uniform();
        if parts.status.get(cell) != Some(&Status::Ok) {
            continue;
        }
        // Rounding is monotone: the order of low, open, close and high stays.
        let scale = |v: &mut i64| *v = (*v as f64 * factor).round() as i64;
        let begun = parts.starts.get(cell / parts.width).is_some_and(|start| *start <= t);
        let open = parts.open.get(cell).copied().filter(|_| begun);
        for column in [&mut parts.open, &mut parts.high, &mut parts.low, &mut parts.close] {
            if let Some(v) = column.get_mut(cell) {
                scale(v);
            }
        }
        if let Some(v) = parts.volume.get_mut(cell) {
            *v *= factor;
        }
        if let (Some(open), Some(o), Some(h), Some(l)) =
            (open, parts.open.get_mut(cell), parts.high.get_mut(cell), parts.low.get_mut(cell))
        {
            (*o, *h, *l) = (open, (*h).max(open), (*l).min(open));
        }
    }
    build(parts)
}

/// Nothing after `t`; a bar that has begun stays, since its open is known.
pub fn truncated(bars: &Batch, t: Timestamp) -> Result<Batch, Failure> {
    let rows = bars.parts().starts.partition_point(|start| *start < t);
    rows_of(bars, 0, rows)
}

/// Nothing that began before `t`.
pub fn begun_at(bars: &Batch, t: Timestamp) -> Result<Batch, Failure> {
    rows_of(bars, bars.parts().starts.partition_point(|start| *start < t), bars.rows())
}

fn rows_of(bars: &Batch, from: usize, to: usize) -> Result<Batch, Failure> {
    let p = bars.parts();
    let part = |column: &[i64]| column.get(from * p.width..to * p.width).map(<[i64]>::to_vec).unwrap_or_default();
    build(BatchParts {
        spec: p.spec,
        width: p.width,
        starts: p.starts.get(from..to).map(<[_]>::to_vec).unwrap_or_default(),
        ends: p.ends.get(from..to).map(<[_]>::to_vec).unwrap_or_default(),
        open: part(&p.open),
        high: part(&p.high),
        low: part(&p.low),
        close: part(&p.close),
        volume: p.volume.get(from * p.width..to * p.width).map(<[_]>::to_vec).unwrap_or_default(),
        status: p.status.get(from * p.width..to * p.width).map(<[_]>::to_vec).unwrap_or_default(),
    })
}

/// The actions that a test of their time keeps.
pub fn actions(all: &Actions, keep: impl Fn(Timestamp) -> bool) -> Result<Actions, Failure> {
    let items = all.items().iter().filter(|a| keep(a.ts)).copied().collect();
    let names = (0..).map_while(|at| all.name(at).map(str::to_owned)).collect();
    Actions::new(items, names).map_err(|e: ActionError| Failure::new(Kind::Failed, format!("the changed actions: {e}")))
}
