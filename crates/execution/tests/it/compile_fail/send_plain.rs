//! An order that was not approved cannot be sent.
use tradegraph_domain::Order;
use tradegraph_execution::Orders;

fn unchecked(orders: &mut Orders, order: Order) {
    orders.send(order);
}

fn main() {}
