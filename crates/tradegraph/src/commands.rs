//! The commands, one file each.

pub mod again;
pub mod backtest;
pub mod check;
pub mod data;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod finish;
pub mod fork;
pub mod graph;
pub mod init;
pub mod inspect;
pub mod new;
pub mod notice;
pub mod plan;
pub mod quant;
pub mod replay;
pub mod report;
pub mod resume;
pub mod runs;
pub mod sql;
pub mod sweep;
pub mod watch;
