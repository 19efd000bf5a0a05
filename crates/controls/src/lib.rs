//! Pre-trade risk rules: the only place that can say no, and the only one that can build an `Approved<_>`.
//! Nothing here proposes or enlarges a trade.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::arithmetic_side_effects
    )
)]

mod approval;
mod authority;
mod gate;
mod limits;
mod targets;

pub use approval::{Approval, Approved, ReduceOnly};
pub use authority::{Authority, Band};
pub use gate::Gate;
pub use limits::Limits;
pub use targets::{RiskCaps, TargetCut};
