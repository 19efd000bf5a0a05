//! Values with an encoding, so that channels of them can be saved.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// A value that a saved channel can hold.
pub trait ChannelValue: Sized {
    /// Appends the value.
    fn save(&self, to: &mut Encoder);

    /// Reads what [`ChannelValue::save`] wrote.
    ///
    /// # Errors
    /// Bytes that are no such value.
    fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError>;
}

macro_rules! plain {
    ($($t:ident),*) => { $(
        impl ChannelValue for $t {
            fn save(&self, to: &mut Encoder) {
                to.$t(*self);
            }
            fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                from.$t(stringify!($t))
            }
        }
    )* };
}

plain!(u8, u16, u32, u64, i32, i64, i128, f64, bool);

impl ChannelValue for String {
    fn save(&self, to: &mut Encoder) {
        to.str(self);
    }
    fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        from.str("text").map(str::to_owned)
    }
}

impl<T: ChannelValue> ChannelValue for Option<T> {
    fn save(&self, to: &mut Encoder) {
        to.bool(self.is_some());
        if let Some(value) = self {
            value.save(to);
        }
    }
    fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        if from.bool("option")? { T::load(from).map(Some) } else { Ok(None) }
    }
}

impl<T: ChannelValue> ChannelValue for Vec<T> {
    fn save(&self, to: &mut Encoder) {
        to.len(self.len());
        for value in self {
            value.save(to);
        }
    }
    fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let n = from.len("list")?;
        (0..n).map(|_| T::load(from)).collect()
    }
}
