//! The dominant cycle of a price, measured by a Hilbert transform: what the Hilbert family of indicators shares.

use super::{Part, Window};
use std::f64::consts::TAU;

/// Ehlers' homodyne discriminator. The price is smoothed by the weights 4, 3, 2, 1 over 10 and detrended by the Hilbert
/// transform; that, three bars late, is the in-phase part, and its own transform the quadrature part of a rotating
/// pointer. The pointer's turn from bar to bar, smoothed, gives the period, which changes by a third up or a half at most,
/// stays within 6 to 50 bars and is smoothed twice. The transform is `(0.0962 x₀ + 0.5769 x₂ − 0.5769 x₄ − 0.0962 x₆) ·
/// (0.075 p + 0.54)` with the period p of the bar before; data before the first that is looked at count as 0.
/// Source: Ehlers, Rocket Science for Traders (2001), chapters 6 and 7, as in TA-Lib 0.8.
#[derive(Clone, Debug)]
pub(in crate::indicators) struct Cycle {
    /// Bar of the first datum that is looked at.
    start: u32,
    prices: Window,
    smooth: Window,
    detrended: Window,
    quadrature: Window,
    i2: Vec<f64>,
    q2: Vec<f64>,
    re: Vec<f64>,
    im: Vec<f64>,
    period: Vec<f64>,
    smooth_period: Vec<f64>,
    /// Data so far, at most `COUNTED`.
    seen: Vec<u32>,
}

/// What a bar shows of the cycle.
#[derive(Clone, Copy, Debug)]
pub(in crate::indicators) struct Pointer {
    /// Bars so far, this one included; not more than `COUNTED`.
    pub(in crate::indicators) bars: u32,
    pub(in crate::indicators) in_phase: f64,
    pub(in crate::indicators) quadrature: f64,
    /// The period smoothed twice, in bars: 0 at first, at most 50.
    pub(in crate::indicators) period: f64,
}

/// The longest period, and so what sums over a cycle need to remember.
pub(in crate::indicators) const LONGEST: u32 = 50;
const COUNTED: u32 = 64;

impl Cycle {
    /// `start` is at least 3. Sums over a cycle of prices ask for a memory of `LONGEST`, the cycle alone for none.
    pub(in crate::indicators) fn new(n_instruments: usize, start: u32, memory: u32) -> Cycle {
        let zeros = || vec![0.0; n_instruments];
        Cycle {
            start,
            prices: Window::new(n_instruments, memory.max(4)),
            smooth: Window::new(n_instruments, memory.max(7)),
            detrended: Window::new(n_instruments, 10),
            quadrature: Window::new(n_instruments, 7),
            i2: zeros(),
            q2: zeros(),
            re: zeros(),
            im: zeros(),
            period: zeros(),
            smooth_period: zeros(),
            seen: vec![0; n_instruments],
        }
    }

    /// One price; nothing before `start`.
    pub(in crate::indicators) fn step(&mut self, i: usize, x: f64) -> Option<Pointer> {
        self.prices.push(i, x);
        let bars = (self.seen[i] + 1).min(COUNTED);
        self.seen[i] = bars;
        if bars <= self.start {
            return None;
        }
        let back = |b| self.prices.back(i, b);
        self.smooth.push(i, (4.0 * back(0) + 3.0 * back(1) + 2.0 * back(2) + back(3)) * 0.1);
        let gain = 0.075 * self.period[i] + 0.54;
        self.detrended.push(i, gain * hilbert(&self.smooth, i, 0));
        self.quadrature.push(i, gain * hilbert(&self.detrended, i, 0));
        let (in_phase, quadrature) = (self.detrended.back(i, 3), self.quadrature.back(i, 0));
        let (ji, jq) = (gain * hilbert(&self.detrended, i, 3), gain * hilbert(&self.quadrature, i, 0));

        let (i1, q1) = (self.i2[i], self.q2[i]);
        let i2 = 0.2 * (in_phase - jq) + 0.8 * i1;
        let q2 = 0.2 * (quadrature + ji) + 0.8 * q1;
        (self.i2[i], self.q2[i]) = (i2, q2);
        let (re, im) = (&mut self.re[i], &mut self.im[i]);
        *re = 0.2 * (i2 * i1 + q2 * q1) + 0.8 * *re;
        *im = 0.2 * (i2 * q1 - q2 * i1) + 0.8 * *im;
        let before = self.period[i];
        let turned = if *im != 0.0 && *re != 0.0 { TAU / libm::atan(*im / *re) } else { before };
        self.period[i] = 0.2 * held(held(turned, 0.67 * before, 1.5 * before), 6.0, f64::from(LONGEST)) + 0.8 * before;
        self.smooth_period[i] = 0.33 * self.period[i] + 0.67 * self.smooth_period[i];
        Some(Pointer { bars, in_phase, quadrature, period: self.smooth_period[i] })
    }

    /// The newest prices of instrument `i`, newest first, as many as `n`.
    pub(in crate::indicators) fn prices(&self, i: usize, n: u32) -> impl Iterator<Item = f64> + '_ {
        (0..n).map(move |b| self.prices.back(i, b))
    }

    /// The newest smoothed prices of instrument `i`, newest first, as many as `n`; 0 before the first.
    pub(in crate::indicators) fn smooth(&self, i: usize, n: u32) -> impl Iterator<Item = f64> + '_ {
        (0..n).map(move |b| self.smooth.back(i, b))
    }
}

impl Part for Cycle {
    state!(start, prices, smooth, detrended, quadrature, i2, q2, re, im, period, smooth_period, seen);
}

/// The transform of a series as it was `lag` data ago, before the gain.
fn hilbert(x: &Window, i: usize, lag: u32) -> f64 {
    let back = |b| x.back(i, lag + b);
    0.0962 * back(0) - 0.0962 * back(6) - 0.5769 * back(4) + 0.5769 * back(2)
}

/// `x` within its bounds, the lower of which counts more.
fn held(x: f64, least: f64, most: f64) -> f64 {
    let x = if x > most { most } else { x };
    if x < least { least } else { x }
}
