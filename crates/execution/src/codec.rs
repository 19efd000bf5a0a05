//! Orders in snapshots.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{InstrumentId, Order, OrderId, OrderKind, Price, Quantity, Side, TimeInForce};

pub(crate) fn save_order(to: &mut Encoder, o: &Order) {
    to.u64(o.id.0);
    to.u32(o.instrument.0);
    to.u8(o.side as u8);
    to.u8(o.tif as u8);
    match o.kind {
        OrderKind::Market => to.u8(0),
        OrderKind::Limit(price) => {
            to.u8(1);
            to.i64(price.nano());
        }
        OrderKind::Stop(price) => {
            to.u8(2);
            to.i64(price.nano());
        }
        OrderKind::StopLimit { stop, limit } => {
            to.u8(3);
            to.i64(stop.nano());
            to.i64(limit.nano());
        }
    }
    to.i128(o.quantity.nano());
}

pub(crate) fn load_order(from: &mut Decoder<'_>) -> Result<Order, DecodeError> {
    let invalid = |what, found: u8| DecodeError::Invalid { what, at: 0, found: u64::from(found) };
    let id = OrderId(from.u64("order id")?);
    let instrument = InstrumentId(from.u32("order instrument")?);
    let side = match from.u8("order side")? {
        0 => Side::Buy,
        1 => Side::Sell,
        other => return Err(invalid("order side", other)),
    };
    let tif = match from.u8("time in force")? {
        0 => TimeInForce::Day,
        1 => TimeInForce::GoodTillCancelled,
        2 => TimeInForce::ImmediateOrCancel,
        other => return Err(invalid("time in force", other)),
    };
    let kind = match from.u8("order kind")? {
        0 => OrderKind::Market,
        1 => OrderKind::Limit(Price::from_nano(from.i64("limit price")?)),
        2 => OrderKind::Stop(Price::from_nano(from.i64("stop price")?)),
        3 => {
            let stop = Price::from_nano(from.i64("stop price")?);
            OrderKind::StopLimit { stop, limit: Price::from_nano(from.i64("limit price")?) }
        }
        other => return Err(invalid("order kind", other)),
    };
    let quantity = Quantity::from_nano(from.i128("order quantity")?);
    Ok(Order { id, instrument, side, kind, tif, quantity })
}
