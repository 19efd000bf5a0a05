//! What trading costs at the simulated exchange, each a small model with a name, and the trailing windows that two of
//! them look at.
//!
//! - *Commission*: the mandate's own, or a broker's schedule (`tradegraph_domain::SCHEDULES`), which bills orders.
//! - *Half-spread*: market orders and stops pay it. The same at all times, which is too little in a fast market.
//! - *Participation*: fills take at most a share of volume.
//! - *Square-root impact*: I = Y · σ · √(Q / V), as a share of the price (Almgren, Thum, Hauptmann, Li 2005; Tóth et al.
//!   2011). σ and V are those of the trailing bars: with variance and volume both in proportion to time, σ √(Q / V) is the
//!   same for bars of any length. The bar's own volume and range are never looked at. Conservative: the whole order
//!   pays the impact of its last unit, and nothing comes back; optimistic: what one fill moves is gone at the next.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{Bps, Commission, NANO};
use tradegraph_market::Batch;

/// Bars of the trailing windows.
pub const TRAILING_BARS: usize = 20;
/// Returns without which there is no volatility, and so no impact.
pub const RETURNS_MIN: u32 = 5;

/// What trading costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Frictions {
    /// The broker's fee.
    pub commission: Commission,
    /// Half the spread, paid by market orders and stops.
    pub half_spread: Bps,
    /// Largest share of volume that fills may take, at 1e-9; `None` for no limit.
    pub participation_nano: Option<i64>,
    /// Y of the square-root impact, at 1e-9 (1 is 1,000,000,000); `None` for no impact.
    pub impact_nano: Option<i64>,
}

impl Frictions {
    /// True if fills come with their costs by kind.
    #[must_use]
    pub const fn itemises(&self) -> bool {
        self.commission.schedule.is_some() || self.impact_nano.is_some()
    }
}

/// What one fill cost, at 1e-9 of the instrument's currency. Commission and regulators' fees are the fill's fee; spread
/// and impact are in its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FillCosts {
    /// What broker, exchanges and clearing take.
    pub commission_nano: i128,
    /// What regulators take.
    pub regulatory_nano: i128,
    /// Half the spread.
    pub spread_nano: i128,
    /// What the order moved the market.
    pub impact_nano: i128,
}

/// Volumes and returns of the last bars of each instrument, as far as the models in force need them.
#[derive(Clone, Debug)]
pub(crate) struct Trailing {
    /// Empty without participation and impact.
    volumes: Vec<[f64; TRAILING_BARS]>,
    n_volumes: Vec<u32>,
    /// Empty without impact.
    returns: Vec<[f64; TRAILING_BARS]>,
    n_returns: Vec<u32>,
    closes: Vec<f64>,
}

impl Trailing {
    pub(crate) fn new(frictions: &Frictions, n_instruments: usize) -> Self {
        let impact = if frictions.impact_nano.is_some() { n_instruments } else { 0 };
        let n = if frictions.participation_nano.is_some() { n_instruments } else { impact };
        Trailing {
            volumes: vec![[0.0; TRAILING_BARS]; n],
            n_volumes: vec![0; n],
            returns: vec![[0.0; TRAILING_BARS]; impact],
            n_returns: vec![0; impact],
            closes: vec![0.0; impact],
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.volumes.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.volumes.len()
    }

    /// Mean volume of the last bars; zero before the first.
    #[inline]
    pub(crate) fn volume(&self, i: usize) -> f64 {
        mean(self.volumes.get(i), self.n_volumes.get(i))
    }

    /// Impact on `units` units as a share of the price at 1e-9, at most the whole price; none before the windows hold
    /// enough, and where there is no volume.
    pub(crate) fn impact_nano(&self, factor_nano: i64, i: usize, units: f64) -> i64 {
        let volume = self.volume(i);
        let n = self.n_returns.get(i).copied().unwrap_or_default();
        let Some(window) = self.returns.get(i).filter(|_| n >= RETURNS_MIN && volume > 0.0) else { return 0 };
        // The mean of a few returns says nothing: squares are taken from zero.
        let squares: f64 = window.iter().map(|r| r * r).sum();
        let sigma = (squares / f64::from(n.min(TRAILING_BARS as u32))).sqrt();
        let share = factor_nano as f64 * sigma * (units / volume).sqrt();
        // No number compares as no impact; the cast saturates.
        (share.round_ties_even() as i64).clamp(0, NANO)
    }

    /// Notes complete bars.
    #[inline]
    pub(crate) fn note(&mut self, batch: &Batch, row: usize) {
        for (i, (window, n)) in self.volumes.iter_mut().zip(&mut self.n_volumes).enumerate() {
            if let Some(volume) = batch.volume(row, i) {
                push(window, n, volume);
            }
        }
        let windows = self.returns.iter_mut().zip(&mut self.n_returns).zip(&mut self.closes);
        for (i, ((window, n), last)) in windows.enumerate() {
            let Some(close) = batch.close(row, i).map(|c| c.to_f64()) else { continue };
            if *last > 0.0 {
                push(window, n, close / *last - 1.0);
            }
            *last = close;
        }
    }

    /// What a unit was becomes `ratio` units.
    pub(crate) fn split(&mut self, i: usize, ratio: f64) {
        self.volumes.get_mut(i).into_iter().flatten().for_each(|v| *v *= ratio);
        if let Some(close) = self.closes.get_mut(i) {
            *close /= ratio;
        }
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        for (v, n) in self.volumes.iter().zip(&self.n_volumes).chain(self.returns.iter().zip(&self.n_returns)) {
            to.u32(*n);
            v.iter().for_each(|x| to.f64(*x));
        }
        self.closes.iter().for_each(|c| to.f64(*c));
    }

    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let volumes = self.volumes.iter_mut().zip(&mut self.n_volumes);
        for (v, n) in volumes.chain(self.returns.iter_mut().zip(&mut self.n_returns)) {
            *n = from.u32("trailing bars")?;
            for x in v {
                *x = from.f64("trailing bar")?;
            }
        }
        for c in &mut self.closes {
            *c = from.f64("trailing close")?;
        }
        Ok(())
    }
}

fn push(window: &mut [f64; TRAILING_BARS], n: &mut u32, value: f64) {
    let at = (*n as usize).checked_rem(TRAILING_BARS).unwrap_or_default();
    if let Some(slot) = window.get_mut(at) {
        *slot = value;
    }
    *n = n.saturating_add(1);
}

#[inline]
fn mean(window: Option<&[f64; TRAILING_BARS]>, n: Option<&u32>) -> f64 {
    let n = n.copied().unwrap_or_default().min(TRAILING_BARS as u32);
    let sum: f64 = window.map_or(0.0, |w| w.iter().sum());
    if n == 0 { 0.0 } else { sum / f64::from(n) }
}
