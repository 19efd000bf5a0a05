//! The fields of an approval are private.
use tradegraph_controls::{Approval, Approved};
use tradegraph_domain::Order;

fn forge(order: Order, approval: Approval) -> Approved<Order> {
    Approved { item: order, approval }
}

fn main() {}
