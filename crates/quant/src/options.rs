//! Options: prices, Greeks, implied volatilities, American exercise, surfaces and strategies.
//!
//! Rates, carries and volatilities are per year, continuous and in units (0.05 is five per cent); times are in years;
//! premiums are in the currency of the underlying for one unit of it. A number outside its range gives NaN, never a
//! guess. Columns are computed in place without allocation, with the bits of the same call on one option, whatever
//! the processor. `docs/options.md` lists every function with its source and its distance from other libraries.
#![allow(clippy::needless_range_loop, reason = "kernels run over the lanes of several arrays at once")]
#![allow(clippy::neg_cmp_op_on_partial_ord, reason = "a negated comparison is true for NaN, which is meant")]

mod american;
mod bachelier;
mod digital;
mod european;
mod grid;
mod implied;
mod normalised;
mod parity;
pub mod strategy;
pub mod surface;

pub use american::{American, AmericanScheme, american_prices};
pub use bachelier::{Bachelier, BachelierGreeks, implied_normal_vol};
pub use european::{European, Greeks, GreeksMut, OptionColumns, greeks, prices};
pub use grid::{CashDividend, Exercise, Grid, escrowed};
pub use implied::{PremiumColumns, implied_vol, implied_vols};
pub use parity::{Parity, american_parity_breach, parity};

/// What the holder may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Buy at the strike.
    Call,
    /// Sell at the strike.
    Put,
}

impl Right {
    /// 1 for a call, −1 for a put.
    #[inline(always)]
    #[must_use]
    pub const fn sign(self) -> f64 {
        match self {
            Right::Call => 1.0,
            Right::Put => -1.0,
        }
    }

    /// What exercise pays at this price of the underlying, 0 or more.
    #[must_use]
    pub fn payoff(self, underlying: f64, strike: f64) -> f64 {
        (self.sign() * (underlying - strike)).max(0.0)
    }
}

/// Options that a kernel holds at once on its stack, eight lanes times eight.
pub(crate) const BLOCK: usize = 64;

/// `(start, length)` of the blocks of `n` options.
#[inline(always)]
pub(crate) fn blocks(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).step_by(BLOCK).map(move |start| (start, BLOCK.min(n - start)))
}

/// A block of a column; what is beyond its end repeats `rest`, which every kernel can work on.
#[inline(always)]
pub(crate) fn load<T: Copy>(column: &[T], start: usize, length: usize, rest: T) -> [T; BLOCK] {
    if let Some(whole) = column[start..].first_chunk() {
        return *whole;
    }
    let mut block = [rest; BLOCK];
    block[..length].copy_from_slice(&column[start..start + length]);
    block
}

/// Writes a block back.
#[inline(always)]
pub(crate) fn store(column: &mut [f64], start: usize, length: usize, block: &[f64; BLOCK]) {
    if let Some(whole) = column[start..].first_chunk_mut() {
        *whole = *block;
    } else {
        column[start..start + length].copy_from_slice(&block[..length]);
    }
}

#[cfg(test)]
mod tests;
