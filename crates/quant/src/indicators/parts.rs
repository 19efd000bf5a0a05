//! What indicators are built of: columns of state that take one datum of one instrument, or a row of all.

/// The part of a `Study` that hands on to the fields that are its parameters and state.
macro_rules! state {
    () => {
        fn save(&self, _: &mut tradegraph_columns::codec::Encoder) {}

        fn load(
            &mut self,
            _: &mut tradegraph_columns::codec::Decoder<'_>,
        ) -> Result<(), tradegraph_columns::codec::DecodeError> {
            Ok(())
        }
    };
    ($($field:tt),+ $(,)?) => {
        fn passed(&mut self) {
            $(crate::indicators::parts::Part::passed(&mut self.$field);)+
        }

        fn save(&self, to: &mut tradegraph_columns::codec::Encoder) {
            $(crate::indicators::parts::Part::save(&self.$field, to);)+
        }

        fn load(
            &mut self,
            from: &mut tradegraph_columns::codec::Decoder<'_>,
        ) -> Result<(), tradegraph_columns::codec::DecodeError> {
            $(crate::indicators::parts::Part::load(&mut self.$field, from)?;)+
            Ok(())
        }
    };
}
pub(crate) use state;

mod co_moments;
mod cycle;
mod extreme;
mod mean;
mod moments;
mod sum;
mod weighted;
mod window;

pub(super) use co_moments::{CoMoments, CoSums};
pub(super) use cycle::{Cycle, LONGEST};
pub(super) use extreme::Extreme;
pub(super) use mean::Mean;
pub(super) use moments::Moments;
pub(super) use sum::Sum;
pub(super) use weighted::Weighted;
pub(crate) use window::Window;

use super::{expect_u64, load_counts, save_counts};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// State or a parameter of an indicator.
pub(crate) trait Part {
    /// Called after a pass of steps over the instruments.
    fn passed(&mut self) {}

    fn save(&self, to: &mut Encoder);

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError>;
}

/// A period: what is loaded must be the same.
impl Part for u32 {
    fn save(&self, to: &mut Encoder) {
        to.u64(u64::from(*self));
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        expect_u64(from, "period", u64::from(*self))
    }
}

/// A parameter: what is loaded must be the same.
impl Part for f64 {
    fn save(&self, to: &mut Encoder) {
        to.f64(*self);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        expect_u64(from, "parameter", self.to_bits())
    }
}

/// One value an instrument.
impl Part for Vec<f64> {
    fn save(&self, to: &mut Encoder) {
        to.f64s(self);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        from.f64s_into(self)
    }
}

/// One count of data an instrument.
impl Part for Vec<u32> {
    fn save(&self, to: &mut Encoder) {
        save_counts(to, self);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        load_counts(from, self, u32::MAX / 2)
    }
}

impl Part for super::Rsi {
    fn save(&self, to: &mut Encoder) {
        super::Rsi::save(self, to);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        super::Rsi::load(self, from)
    }
}

/// Parts of one kind, one after the other.
impl<P: Part, const N: usize> Part for [P; N] {
    fn passed(&mut self) {
        self.iter_mut().for_each(Part::passed);
    }

    fn save(&self, to: &mut Encoder) {
        self.iter().for_each(|part| part.save(to));
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.iter_mut().try_for_each(|part| part.load(from))
    }
}

impl Part for super::Ema {
    fn save(&self, to: &mut Encoder) {
        super::Ema::save(self, to);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        super::Ema::load(self, from)
    }
}
