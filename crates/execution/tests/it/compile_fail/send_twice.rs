//! Sending uses an approval up.
use tradegraph_controls::Approved;
use tradegraph_domain::Order;
use tradegraph_execution::Orders;

fn twice(orders: &mut Orders, approved: Approved<Order>) {
    orders.send(approved);
    orders.send(approved);
}

fn main() {}
