//! One approval, one order.
use tradegraph_controls::Approved;
use tradegraph_domain::Order;

fn twice(approved: &Approved<Order>) -> Approved<Order> {
    *approved
}

fn main() {}
