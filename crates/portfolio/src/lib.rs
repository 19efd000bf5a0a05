//! Fuses signals into targets and says why, in integers that add up. It knows no venue and has no veto.
#![forbid(unsafe_code)]

mod backoff;
mod decisions;
mod direct;
mod fusion;
mod lots;
mod reasons;

pub use decisions::{Decision, Decisions, SignalRef};
pub use direct::{DirectAllocator, DirectSize};
pub use fusion::{FusionAllocator, FusionParameters};
pub use lots::{SizeError, nano_nav_of, size_in_lots};
pub use reasons::{Cause, Reason, top_reasons};
