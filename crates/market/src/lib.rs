//! What is known of the market now and nothing later: batches of history, calendars, the panel of columns with its
//! features, and the `View` through which agents see it. No orders, no positions, no look-ahead.
#![forbid(unsafe_code)]

pub mod actions;
mod batch;
pub mod calendar;
mod features;
mod panel;
pub mod quality;
pub mod reference;
mod universe;

pub use actions::{ActionError, Actions, ActionsId, Adjustment, Adjustments};
pub use batch::{Batch, BatchError, BatchId, BatchParts};
pub use features::{Band, EmaSeed, FeatureId, FeatureKind, FeatureSpec, IndicatorError, IndicatorSpec, MacdLine};
pub use panel::{Bindings, Panel, View};
pub use reference::Reference;
pub use universe::{DuplicateSymbol, Universe};
