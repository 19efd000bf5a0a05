//! What a `Send` carries: a target and an argument that only it sees.

use crate::channel::ChannelValue;
use std::any::Any;
use std::sync::Arc;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// A type that can be sent.
pub trait Packed: ChannelValue + Clone + Send + Sync + 'static {}

impl<A: ChannelValue + Clone + Send + Sync + 'static> Packed for A {}

/// A packed argument of any type.
pub(crate) trait Arg: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn save(&self, to: &mut Encoder);
}

impl<A: Packed> Arg for A {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn save(&self, to: &mut Encoder) {
        ChannelValue::save(self, to);
    }
}

pub(crate) type Loader = fn(&mut Decoder<'_>) -> Result<Arc<dyn Arg>, DecodeError>;

pub(crate) fn load_packed<A: Packed>(from: &mut Decoder<'_>) -> Result<Arc<dyn Arg>, DecodeError> {
    A::load(from).map(|arg| Arc::new(arg) as Arc<dyn Arg>)
}

/// A packet on its way to the node of a rank.
#[derive(Clone)]
pub(crate) struct Packet {
    pub(crate) to: u16,
    pub(crate) arg: Arc<dyn Arg>,
}
