//! `Approved<T>`: proof that the gate said yes. It can be built in this crate only, cannot be copied, and is used up
//! by sending.

use tradegraph_domain::Order;
use tradegraph_ledger::HoldId;

/// A thing that the gate approved. Its fields are private, and it is neither `Clone` nor `Default` nor readable from
/// bytes: what is stored is the plain order and its `Approval`, and `Gate::readmit` decides anew after a restore.
#[derive(Debug)]
#[must_use = "an approved order holds cash until it is sent or released"]
pub struct Approved<T> {
    item: T,
    approval: Approval,
}

/// The record of an approval: plain data, worth nothing by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    /// What the order reserves in the ledger.
    pub hold: HoldId,
}

/// An order that can only bring a position nearer to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReduceOnly(pub(crate) Order);

impl ReduceOnly {
    /// The order.
    #[must_use]
    pub fn order(&self) -> &Order {
        &self.0
    }
}

impl<T> Approved<T> {
    pub(crate) fn new(item: T, hold: HoldId) -> Self {
        Approved { item, approval: Approval { hold } }
    }

    /// What was approved.
    pub fn get(&self) -> &T {
        &self.item
    }

    /// Uses the approval up: for the sender.
    pub fn into_parts(self) -> (T, Approval) {
        (self.item, self.approval)
    }
}

impl Approved<ReduceOnly> {
    /// The same approval as one for a plain order.
    pub fn into_order(self) -> Approved<Order> {
        Approved { item: self.item.0, approval: self.approval }
    }
}
