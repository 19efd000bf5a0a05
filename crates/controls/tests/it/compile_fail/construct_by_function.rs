//! The function that builds an approval belongs to the crate.
use tradegraph_controls::Approved;
use tradegraph_domain::Order;
use tradegraph_ledger::HoldId;

fn forge(order: Order) -> Approved<Order> {
    Approved::new(order, HoldId::from_number(0))
}

fn main() {}
