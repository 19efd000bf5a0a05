//! No conversion makes an approval: not from the plain data that snapshots hold.
use tradegraph_controls::{Approval, Approved};
use tradegraph_domain::Order;

fn forge(stored: (Order, Approval)) -> Approved<Order> {
    stored.into()
}

fn main() {}
