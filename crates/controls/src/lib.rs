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
mod breakers;
mod gate;
mod limits;
pub mod margin;
mod sums;
mod targets;
mod windows;

pub use approval::{Approval, Approved, ReduceOnly};
pub use authority::{Authority, Band};
pub use breakers::{Action, Breaker, Breakers, Change, MAX_ANSWERS, MAX_BARS, Trip};
pub use gate::Gate;
pub use limits::{AccountKind, Groups, Limits, SessionRule};
pub use targets::{RiskCaps, TargetCut};
pub use windows::{MAX_ENTRIES, Windows, Within};
