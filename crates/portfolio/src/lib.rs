//! Fuses signals into targets and says why, in integers that add up. It knows no venue and has no veto.
#![forbid(unsafe_code)]

mod backoff;
mod conflict;
mod decisions;
mod direct;
mod fusion;
mod lots;
mod reasons;
mod sizing;

pub use conflict::{REGIME_WEIGHTS, Role, regime_weight};
pub use decisions::{Decision, Decisions, SignalRef};
pub use direct::{DirectAllocator, DirectSize};
pub use fusion::{FusionAllocator, FusionParameters, Stages, Stance, Why};
pub use lots::{SizeError, nano_nav_of, size_in_lots};
pub use reasons::{Cause, Reason, top_reasons};
pub use sizing::{RiskColumns, VolatilitySizing};
