use super::*;
use crate::gate::tests::{X, at, buy, nano, sell};
use crate::limits::Limits;
use proptest::prelude::*;
use tradegraph_ledger::HoldId;

const NOW: Timestamp = Timestamp(5);
const EXPIRES: Timestamp = Timestamp(10);

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn gate() -> Gate {
    Gate::new(Limits::default(), 2)
}

/// 100 X to buy between 95 and 105.
fn authority() -> Authority {
    let parent = Approved::new(buy(X, "100"), HoldId::from_number(7));
    Authority::new(parent, Band { low: price("95"), high: price("105") }, EXPIRES)
}

#[test]
fn children_never_exceed_their_parent() {
    let mut a = authority();
    let first = a.draw(buy(X, "60"), price("100"), NOW, &gate()).unwrap();
    assert_eq!(first.into_parts().1.hold, HoldId::from_number(7), "children share the parent's reservation");
    let no = a.draw(buy(X, "41"), price("100"), NOW, &gate()).unwrap_err();
    assert_eq!(
        (no.rule, no.limit, no.actual, no.unit),
        (Rule::OrderQuantity, nano("40"), nano("41"), Unit::QuantityNano)
    );
    assert!(a.draw(at(buy(X, "40"), "105"), price("100"), NOW, &gate()).is_ok());
    assert_eq!(a.remaining(), Quantity::ZERO);
    a.give_back(Quantity::parse("10").unwrap());
    assert_eq!(a.remaining(), Quantity::parse("10").unwrap());
    a.give_back(Quantity::parse("-5").unwrap());
    assert_eq!(a.remaining(), Quantity::parse("10").unwrap());
    a.give_back(Quantity::parse("1000").unwrap());
    assert_eq!(a.remaining(), Quantity::parse("100").unwrap(), "never more than was approved");
}

#[test]
fn a_split_scales_what_is_left_and_the_band() {
    let q = |text: &str| Quantity::parse(text).unwrap();
    let mut a = authority();
    let _ = a.draw(buy(X, "25"), price("100"), NOW, &gate()).unwrap();
    // 75 of 100 are left: 112 whole shares and a half that is dropped; the band 95 to 105 becomes 63.33… to 70.
    a.split(Split { new: 3, old: 2 }, Quantity::ONE).unwrap();
    assert_eq!(a.remaining(), q("112"));
    assert_eq!(a.draw(at(buy(X, "1"), "63.333333333"), price("66"), NOW, &gate()).unwrap_err().rule, Rule::Collar);
    let _ = a.draw(at(buy(X, "1"), "63.333333334"), price("66"), NOW, &gate()).unwrap();
    let _ = a.draw(at(buy(X, "1"), "70"), price("66"), NOW, &gate()).unwrap();
    a.give_back(q("1000"));
    assert_eq!(a.remaining(), q("149.5"), "never more than was approved: 37.5 drawn and 112 left");
}

#[test]
fn what_an_authority_refuses() {
    let halted = || {
        let mut g = gate();
        g.halt();
        g
    };
    let latched = || {
        let mut g = gate();
        g.set_reduce_only(X, true);
        g
    };
    let other = InstrumentId(1);
    #[rustfmt::skip]
    let rows = [
        ("halted", buy(X, "1"), "100", NOW, halted(), Rule::Halted, 0, 1),
        ("latched", buy(X, "1"), "100", NOW, latched(), Rule::ReduceOnly, 0, nano("1")),
        ("another instrument", buy(other, "1"), "100", NOW, gate(), Rule::NotTradable, 0, 1),
        ("expired", buy(X, "1"), "100", EXPIRES, gate(), Rule::NoPrice, 10, 10),
        ("no quantity", buy(X, "0"), "100", NOW, gate(), Rule::Lot, 1, 0),
        ("negative", buy(X, "-1"), "100", NOW, gate(), Rule::Lot, 1, nano("-1")),
        ("limit above the band", at(buy(X, "1"), "105.01"), "100", NOW, gate(), Rule::Collar, nano("105"), nano("105.01")),
        ("market below the band", buy(X, "1"), "94", NOW, gate(), Rule::Collar, nano("95"), nano("94")),
        ("another side", sell(X, "1"), "100", NOW, gate(), Rule::OrderQuantity, nano("100"), nano("-1")),
        ("too much", buy(X, "101"), "100", NOW, gate(), Rule::OrderQuantity, nano("100"), nano("101")),
    ];
    for (situation, child, last, now, gate, rule, limit, asked) in rows {
        let mut a = authority();
        let no = a.draw(child, price(last), now, &gate).unwrap_err();
        assert_eq!((no.rule, no.limit, no.actual), (rule, limit, asked), "{situation}");
        assert_eq!(a.remaining(), Quantity::parse("100").unwrap(), "{situation}: a refusal draws nothing");
    }
}

proptest! {
    #[test]
    fn open_and_filled_children_never_exceed_the_parent(acts in prop::collection::vec((1_i64..60, 0_i64..60), 1..40)) {
        let mut a = authority();
        let (mut open, mut filled) = (0, 0);
        for (quantity, fills) in acts {
            if a.draw(buy(X, &quantity.to_string()), price("100"), NOW, &gate()).is_ok() {
                open += quantity;
                prop_assert!(open + filled <= 100);
                let fills = fills.min(quantity);
                a.give_back(Quantity::from_units(quantity - fills).unwrap());
                (open, filled) = (open - quantity, filled + fills);
            }
            prop_assert_eq!(a.remaining(), Quantity::from_units(100 - filled).unwrap());
        }
    }
}
