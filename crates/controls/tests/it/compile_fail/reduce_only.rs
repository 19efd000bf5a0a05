//! Only the gate says that an order reduces.
use tradegraph_controls::ReduceOnly;
use tradegraph_domain::Order;

fn forge(order: Order) -> ReduceOnly {
    ReduceOnly(order)
}

fn main() {}
