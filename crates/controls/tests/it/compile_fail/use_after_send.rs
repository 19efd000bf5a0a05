//! Sending uses an approval up.
use tradegraph_controls::{Approval, Approved};
use tradegraph_domain::Order;

fn twice(approved: Approved<Order>) -> [(Order, Approval); 2] {
    [approved.into_parts(), approved.into_parts()]
}

fn main() {}
