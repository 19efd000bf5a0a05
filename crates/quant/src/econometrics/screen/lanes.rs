//! Numbers side by side: eight pairs at once, or one.

use std::ops::{Add, Mul, Sub};

#[derive(Clone, Copy, Debug)]
pub(super) struct Lanes<const L: usize>(pub(super) [f64; L]);

impl<const L: usize> Lanes<L> {
    #[inline(always)]
    pub(super) fn all(x: f64) -> Self {
        Lanes([x; L])
    }

    #[inline(always)]
    pub(super) fn map(mut self, f: impl Fn(f64) -> f64) -> Self {
        // `array::map` is not inlined, and a call has not the instructions of its caller.
        for x in &mut self.0 {
            *x = f(*x);
        }
        self
    }
}

macro_rules! operator {
    ($($trait:ident $function:ident $op:tt),*) => { $(
        impl<const L: usize> $trait for Lanes<L> {
            type Output = Self;
            #[inline(always)]
            fn $function(mut self, other: Self) -> Self {
                for (a, b) in self.0.iter_mut().zip(other.0) {
                    *a $op b;
                }
                self
            }
        }
    )* };
}

operator!(Add add +=, Sub sub -=, Mul mul *=);
