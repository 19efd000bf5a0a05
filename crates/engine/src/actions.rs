//! A corporate action takes effect: the books, the orders, the venue, the controls and the allocator change together.
//!
//! Agents keep no level of a price: a rule with an exit keeps its side, every other opinion is made anew of features,
//! which the panel adjusts. So there is nothing of theirs to change.

use crate::config::RecordLevel;
use crate::desk::{Allocator, Desk, Fault};
use crate::records::{ActionRecord, put_action};
use tradegraph_domain::{ActionKind, CorporateAction, Price, Quantity, Split};
use tradegraph_ledger::{ActionBooked, LedgerError};

/// What the rolling hash takes of an action.
fn action_word(at: u32) -> u64 {
    u64::from(at) | (4 << 48)
}

/// Action `at` of the run's table takes effect, and goes on record with what it did.
#[cold]
pub(crate) fn take_effect(desk: &mut Desk, at: u32) {
    desk.hash.light(action_word(at));
    let Some(action) = desk.actions.get(at).copied() else {
        desk.fault = Some(Fault::NoAction { seq: desk.seq.0, at });
        return;
    };
    let i = action.instrument;
    let n_orders = desk.orders.open().filter(|o| o.order.instrument == i).count() as u32;
    let (done, n_orders) = match action.kind {
        ActionKind::Split { new, old } => (split(desk, &action, Split { new, old }), n_orders),
        ActionKind::Dividend { amount, .. } => (dividend(desk, &action, amount), 0),
        ActionKind::Rename { .. } => {
            let held = desk.books.position(i);
            (Ok(ActionBooked { before: held, after: held, ..ActionBooked::default() }), 0)
        }
        ActionKind::Delisting { price } => (delist(desk, &action, price), n_orders),
    };
    let booked = match done {
        Ok(booked) => booked,
        Err(error) => {
            desk.fault = Some(Fault::Books { seq: desk.seq.0, error });
            return;
        }
    };
    if desk.record >= RecordLevel::Outcomes {
        let symbol = match action.kind {
            ActionKind::Rename { name } => desk.actions.name(name).unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let from = desk.out.records.as_bytes().len();
        let record = ActionRecord { seq: desk.seq.0, ts: desk.ts, action, symbol, booked, n_orders };
        put_action(&mut desk.out.records, &record);
        desk.hash_records(from);
    }
}

/// Everything in units and prices of the instrument is in new units from here on.
fn split(desk: &mut Desk, action: &CorporateAction, split: Split) -> Result<ActionBooked, LedgerError> {
    let i = action.instrument;
    let (lot, tick) = desk.panel.universe().get(i).map_or((Quantity::ONE, Price::ZERO), |x| (x.lot, x.tick));
    desk.orders.split(i, split, lot, tick)?;
    if let Some(exchange) = &mut desk.exchange {
        exchange.split(i, split, lot, tick, &mut desk.out.reports)?;
    }
    let booked = desk.books.split(i, split, lot, desk.ts, |_| ())?;
    desk.panel.rescale(i, split.new, split.old);
    if let Allocator::Direct(a) = &mut desk.allocator {
        a.split(i, split);
    }
    desk.moves.reprice(i.index(), |p| split.price(Price::from_nano(p)).map_or(0, Price::nano));
    Ok(booked)
}

fn dividend(desk: &mut Desk, action: &CorporateAction, amount: Price) -> Result<ActionBooked, LedgerError> {
    let ActionKind::Dividend { pay, .. } = action.kind else { return Ok(ActionBooked::default()) };
    let booked = desk.books.dividend(action.instrument, amount, action.ex, pay)?;
    // An opinion is judged by what its holder gets: the price falls by what is paid.
    desk.moves.reprice(action.instrument.index(), |p| p.saturating_sub(amount.nano()).max(0));
    Ok(booked)
}

/// Open orders end, the position is cash, and nothing of the instrument is wanted or allowed any more.
fn delist(desk: &mut Desk, action: &CorporateAction, price: Price) -> Result<ActionBooked, LedgerError> {
    let i = action.instrument;
    let booked = desk.books.delist(i, price, desk.ts, |_| ())?;
    if let Some(exchange) = &mut desk.exchange {
        exchange.delist(i, &mut desk.out.reports);
    }
    desk.gate.delist(i);
    match &mut desk.allocator {
        Allocator::Direct(a) => a.retire(i),
        Allocator::Fusion(a) => a.retire(i),
    }
    Ok(booked)
}
