//! What reads values from bytes finds no way to read an approval.
use tradegraph_controls::Approved;
use tradegraph_domain::Order;

trait FromBytes: Sized {
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

fn needs_bytes<T: FromBytes>(bytes: &[u8]) -> Option<T> {
    T::from_bytes(bytes)
}

fn forge(bytes: &[u8]) -> Option<Approved<Order>> {
    needs_bytes::<Approved<Order>>(bytes)
}

fn main() {}
