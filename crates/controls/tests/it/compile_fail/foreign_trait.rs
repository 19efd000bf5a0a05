//! Nobody outside can teach an approval a trait of another crate.
use tradegraph_controls::Approved;
use tradegraph_domain::Order;

impl TryFrom<&[u8]> for Approved<Order> {
    type Error = ();

    fn try_from(_: &[u8]) -> Result<Self, ()> {
        Err(())
    }
}

fn main() {}
