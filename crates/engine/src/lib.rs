//! One deterministic `step`; wires the council graph; journal trait, snapshots, recovery as pure code. There is no
//! mode here: a back-test, a replay and a live run differ in who supplies events and who carries out effects.
#![forbid(unsafe_code)]

mod actions;
mod backtest;
mod config;
mod coordinator;
mod council;
mod desk;
mod equity;
mod exits;
mod journal;
mod own;
mod packed;
pub mod records;
mod signals;
mod state;
mod timeline;

pub use backtest::{BackTest, BranchError, Opinion, Outcome, Progress, RunFailure, WhyNot};
pub use config::{
    AgentConfig, AllocatorConfig, ConfigError, ExitRules, RecordLevel, RunConfig, Schedule, build_agents,
};
pub use coordinator::{AgentBid, AgentClaim, ComputeBudget, Negotiation};
pub use desk::{Counts, Desk, Effects, Fault};
pub use equity::EquityPoint;
pub use journal::{CommitGroup, Journal, JournalError, MemoryJournal, Snapshot};
pub use own::{BuildError, Key, Misfit, OwnAgent, OwnConfig, RegistryError, Setup, check_node, check_own};
pub use state::{State, StateError, step};
pub use tradegraph_ledger::{Financed, Financing, Rate};
