//! What was approved is read, not changed.
use tradegraph_controls::Approved;
use tradegraph_domain::{Order, Quantity};

fn enlarge(approved: &mut Approved<Order>) {
    approved.item.quantity = Quantity::from_nano(i128::MAX);
}

fn main() {}
