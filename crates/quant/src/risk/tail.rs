//! The tail of observed profits and losses.

use super::{RiskError, all_finite, in_tail};

/// Value at risk and expected shortfall, in the units of the P&L; a loss is positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tail {
    /// The loss that is exceeded with the probability of the tail.
    pub var: f64,
    /// The mean loss within the tail, at or above `var`.
    pub es: f64,
}

/// How many of `n` equally likely rows lie in the tail, with the share of the row at its border.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Border {
    /// Rows wholly inside.
    pub(super) whole: usize,
    /// Share of the next worse row, at least 0 and below 1.
    pub(super) share: f64,
    /// `n · tail`.
    pub(super) rows: f64,
}

impl Border {
    pub(super) fn of(n: usize, tail: f64) -> Border {
        let rows = n as f64 * tail;
        let nearest = rows.round();
        // 0.07 × 100 is 7, whatever the product rounds to.
        let rows = if (rows - nearest).abs() <= 1e-9 * nearest { nearest } else { rows };
        let whole = rows.floor();
        Border { whole: whole as usize, share: rows - whole, rows }
    }

    /// The value at risk is the loss of this row, counted from the worst.
    pub(super) fn at(&self) -> usize {
        if self.share > 0.0 { self.whole } else { self.whole - 1 }
    }

    /// Rows of which any share lies in the tail.
    pub(super) fn touched(&self) -> usize {
        self.at() + 1
    }

    /// Weight of row `k`, counted from the worst, in the expected shortfall.
    pub(super) fn weight(&self, k: usize) -> f64 {
        if k < self.whole { 1.0 / self.rows } else { self.share / self.rows }
    }
}

/// Historical simulation: `pnl` in rows of equal probability. The value at risk is the `⌈n · tail⌉`-th worst row, the
/// expected shortfall the mean of the worst `n · tail` rows, that at the border by its share: a coherent measure.
///
/// # Errors
/// No row, a row that is not finite, `tail` out of range. Source: Acerbi and Tasche, Journal of Banking and Finance 26
/// (2002) 1487, definition 2.6; equal to skfolio's `cvar`
/// (its `value_at_risk` takes the next row where the rounding of `1 − beta` says so). `performance::value_at_risk` is linear
/// between rows instead, as numpy's quantile.
pub fn historical(pnl: &[f64], tail: f64) -> Result<Tail, RiskError> {
    in_tail(tail)?;
    if pnl.is_empty() {
        return Err(RiskError::TooFew { what: "P&L", given: 0, least: 1 });
    }
    all_finite("P&L", pnl)?;
    let border = Border::of(pnl.len(), tail);
    let mut worst = pnl.to_vec();
    let at = border.at();
    worst.select_nth_unstable_by(at, f64::total_cmp);
    worst.truncate(border.touched());
    worst.sort_unstable_by(f64::total_cmp);
    let es = worst.iter().enumerate().map(|(k, p)| -border.weight(k) * p).sum::<f64>();
    Ok(Tail { var: -worst[at], es: es.max(-worst[at]) })
}

/// Historical simulation with weights that fall with age: row `t` of `n` weighs `λ^(n − 1 − t)`. The value at risk is the
/// best row with which the weight of the worst ones reaches `tail`; the border counts in the shortfall by its share.
///
/// # Errors
/// As [`historical`], or a decay outside 0 to 1 (0 excluded). Source: Boudoukh, Richardson and Whitelaw, Risk 11 (1998)
/// 64, without their interpolation.
pub fn weighted_historical(pnl: &[f64], decay: f64, tail: f64) -> Result<Tail, RiskError> {
    in_tail(tail)?;
    if decay.is_nan() || decay <= 0.0 || decay > 1.0 {
        return Err(RiskError::Range { what: "decay", value: decay, expected: "above 0 and at most 1" });
    }
    if pnl.is_empty() {
        return Err(RiskError::TooFew { what: "P&L", given: 0, least: 1 });
    }
    all_finite("P&L", pnl)?;
    let mut rows = Vec::with_capacity(pnl.len());
    let (mut weight, mut total) = (1.0, 0.0);
    for p in pnl.iter().rev() {
        rows.push((*p, weight));
        total += weight;
        weight *= decay;
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let wanted = tail * total;
    let (mut inside, mut sum) = (0.0, 0.0);
    let mut border = rows[rows.len() - 1].0;
    for (p, w) in rows {
        if inside + w >= wanted * (1.0 - 1e-12) {
            sum += (wanted - inside) * p;
            border = p;
            break;
        }
        inside += w;
        sum += w * p;
    }
    Ok(Tail { var: -border, es: (-sum / wanted).max(-border) })
}
