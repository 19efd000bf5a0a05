//! A parent's approval turns into one authority.
use tradegraph_controls::{Approved, Authority, Band};
use tradegraph_domain::{Order, Timestamp};

fn twice(parent: Approved<Order>, band: Band) -> [Authority; 2] {
    [Authority::new(parent, band, Timestamp::MAX), Authority::new(parent, band, Timestamp::MAX)]
}

fn main() {}
