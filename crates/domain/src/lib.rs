//! The nouns of trading with their units, and what the crates of the next floors exchange.
//!
//! Every amount is an integer at one scale, 1e-9 (`NANO`): prices in 64 bits, quantities and money in 128.
//! Arithmetic that does not fit is an error value, never a wrap. There is no logic here beyond arithmetic and
//! validation, no float money, and no input or output.
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

mod action;
mod commission;
mod council;
mod decimal;
mod event;
mod instrument;
mod money;
mod order;
mod price;
mod quantity;
mod reason;
mod refusal;
mod schedule;
mod series;
mod signal;
mod time;

pub use action::{ActionKind, CorporateAction, Split};
pub use commission::Commission;
pub use council::{Regime, Resolution};
pub use decimal::{
    NANO, Overflow, ParseNumber, Rounding, div_nano_half_even, format_nano, mul_div_half_even, mul_nano, parse_nano,
};
pub use event::{BatchRef, Event, EventClass, FeedId, Interval, Payload, ScheduleId, Seq, SourceKey};
pub use instrument::{AssetClass, Instrument, InstrumentId, TradingStatus};
pub use money::{Bps, Currency, Money, MoneyError};
pub use order::{
    CancelReason, ClientOrderId, ExecId, Fill, Order, OrderId, OrderKind, RejectReason, Side, TimeInForce, VenueReport,
};
pub use price::Price;
pub use quantity::{Lots, Quantity};
pub use reason::{BaseEntry, LotLine, Step, StepEntry, Waterfall, WaterfallUnit};
pub use refusal::{Refusal, Rule, RuleRow, Unit};
pub use schedule::{Billed, Fees, Regulatory, SCHEDULES, Schedule, Tier, schedule};
pub use series::{BarPeriod, BarSpec, Basis};
pub use signal::{AgentId, FactorId, ModelVersion, SignalColumn, TargetColumn};
pub use time::{Date, Nanos, Timestamp};
