//! There is no approval that nobody gave.
use tradegraph_controls::Approved;
use tradegraph_domain::Order;

fn needs_default<T: Default>() -> T {
    T::default()
}

fn forge() -> Approved<Order> {
    needs_default::<Approved<Order>>()
}

fn main() {}
