use super::*;
use proptest::prelude::*;
use tradegraph_domain::OrderId;

const A: InstrumentId = InstrumentId(0);
const B: InstrumentId = InstrumentId(1);

fn usd(units: i64) -> Money {
    Money::from_units(units, Currency::USD).unwrap()
}

fn fill(exec: u64, i: InstrumentId, side: Side, quantity: &str, price: &str, fee: &str) -> Fill {
    Fill {
        exec: ExecId(exec),
        order: OrderId(exec),
        instrument: i,
        side,
        quantity: Quantity::parse(quantity).unwrap(),
        price: Price::parse(price).unwrap(),
        fee_nano: Quantity::parse(fee).unwrap().nano(),
    }
}

fn account() -> Ledger {
    let mut l = Ledger::new(Currency::USD, &[Currency::USD, Currency::USD]);
    l.deposit(usd(10_000)).unwrap();
    l
}

fn post(l: &mut Ledger, f: Fill) -> (FillBooked, Vec<ClosedLot>) {
    let mut closed = vec![];
    let booked = l.post_fill(&f, Timestamp(f.exec.0 as i64), None, |c| closed.push(c)).unwrap();
    assert!(l.is_sound() || l.nav().is_err());
    (booked, closed)
}

fn nano(text: &str) -> i128 {
    tradegraph_domain::parse_nano(text, tradegraph_domain::Rounding::Exact).unwrap()
}

#[test]
fn hand_worked_first_in_first_out() {
    // Buy 10 at 100 and 10 at 110, sell 15 at 120: cost of what is sold is 10 × 100 + 5 × 110 = 1,550, gain 250.
    let mut l = account();
    post(&mut l, fill(1, A, Side::Buy, "10", "100", "1"));
    post(&mut l, fill(2, A, Side::Buy, "10", "110", "1"));
    let (booked, closed) = post(&mut l, fill(3, A, Side::Sell, "15", "120", "2"));
    assert_eq!(booked.realised_nano, nano("250"));
    assert_eq!(
        closed.iter().map(|c| (c.quantity.to_string(), c.cost_nano, c.gain_nano)).collect::<Vec<_>>(),
        vec![("10".into(), nano("1000"), nano("200")), ("5".into(), nano("550"), nano("50")),]
    );
    assert_eq!(l.position(A).to_string(), "5");
    l.mark_row(&[130 * NANO, 0], &[Status::Ok, Status::NoData], false).unwrap();
    // Cash 10,000 − 1,000 − 1,100 + 1,800 − 4 = 9,696; 5 × 130 = 650.
    assert_eq!(l.nav(), Ok(nano("10346")));
    assert_eq!(l.nav_recomputed(), l.nav());
    assert_eq!(l.fees_of(A), nano("4"));
}

#[test]
fn hand_worked_short_and_flip_through_zero() {
    // Sell short 10 at 50, buy 15 at 40: gain (50 − 40) × 10 = 100, long 5 at 40.
    let mut l = account();
    post(&mut l, fill(1, A, Side::Sell, "10", "50", "0"));
    assert_eq!(l.position(A).to_string(), "-10");
    let (booked, closed) = post(&mut l, fill(2, A, Side::Buy, "15", "40", "0"));
    assert_eq!(booked.realised_nano, nano("100"));
    assert_eq!(closed.len(), 1);
    assert_eq!(
        l.lots(A).map(|l| (l.quantity.to_string(), l.cost_nano)).collect::<Vec<_>>(),
        vec![("5".into(), nano("200"))]
    );
    l.mark_row(&[40 * NANO, 0], &[Status::Ok, Status::NoData], false).unwrap();
    assert_eq!(l.nav(), Ok(nano("10100")));
}

#[test]
fn each_execution_posts_once() {
    let mut l = account();
    let f = fill(7, A, Side::Buy, "1", "100", "0");
    post(&mut l, f);
    assert_eq!(l.post_fill(&f, Timestamp(9), None, |_| ()), Err(LedgerError::SeenBefore(ExecId(7))));
    assert_eq!(l.position(A).to_string(), "1");
}

#[test]
fn what_does_not_fit_leaves_the_books_alone() {
    let mut l = account();
    let mut f = fill(1, A, Side::Buy, "1", "9000000000", "0");
    f.quantity = Quantity::from_nano(i128::MAX);
    assert!(matches!(l.post_fill(&f, Timestamp(1), None, |_| ()), Err(LedgerError::Overflow(_))));
    assert_eq!(l.nav(), Ok(nano("10000")));
    assert!(l.is_sound());
    let unknown = fill(2, InstrumentId(9), Side::Buy, "1", "1", "0");
    assert!(matches!(l.post_fill(&unknown, Timestamp(1), None, |_| ()), Err(LedgerError::UnknownInstrument(_))));
}

#[test]
fn a_position_of_ten_thousand_billion_tokens() {
    let mut l = account();
    post(&mut l, fill(1, A, Side::Buy, "10000000000000", "0.00000001", "0"));
    l.mark_row(&[20, 0], &[Status::Ok, Status::NoData], false).unwrap();
    assert_eq!(l.nav(), Ok(nano("110000")));
    let (booked, _) = post(&mut l, fill(2, A, Side::Sell, "3333333333333", "0.00000002", "0"));
    assert_eq!(booked.notional_nano, nano("66666.66666666"));
    assert!(l.is_sound());
}

#[test]
fn a_position_without_a_price_has_no_value() {
    let mut l = account();
    post(&mut l, fill(1, B, Side::Buy, "1", "10", "0"));
    assert_eq!(l.nav(), Err(NavMissing::Price(B)));
    l.mark_row(&[0, 11 * NANO], &[Status::NoData, Status::Ok], false).unwrap();
    assert_eq!(l.nav(), Ok(nano("10001")));
}

#[test]
fn each_currency_balances_and_a_missing_rate_is_said() {
    let mut l = Ledger::new(Currency::USD, &[Currency::EUR]);
    l.deposit(usd(1_000)).unwrap();
    l.exchange(usd(550), Money::from_units(500, Currency::EUR).unwrap()).unwrap();
    assert_eq!(l.nav(), Err(NavMissing::Rate(Currency::EUR)));
    l.set_rate(Currency::EUR, Price::parse("1.2").unwrap()).unwrap();
    assert_eq!(l.nav(), Ok(nano("1050"))); // 450 + 500 × 1.2
    assert!(l.is_sound());
    let yen = Money::from_units(1, Currency::parse("JPY").unwrap()).unwrap();
    assert_eq!(l.exchange(usd(1), yen), Err(LedgerError::UnknownCurrency(yen.currency())));
    assert!(l.is_sound());
}

#[test]
fn cash_settles_when_due() {
    let mut l = account();
    let f = fill(1, A, Side::Buy, "10", "100", "0");
    l.post_fill(&f, Timestamp(0), Some(Date(2)), |_| ()).unwrap();
    let unsettled = |l: &Ledger| l.currencies().next().unwrap().1.unsettled();
    assert_eq!(unsettled(&l), nano("-1000"));
    l.settle_through(Date(1));
    assert_eq!(unsettled(&l), nano("-1000"));
    l.settle_through(Date(2));
    assert_eq!(unsettled(&l), 0);
}

#[test]
fn holds_post_in_parts_and_void_the_rest() {
    let mut l = account();
    let q = |t: &str| Quantity::parse(t).unwrap();
    let hold =
        Hold { instrument: A, side: Side::Buy, quantity: q("10"), cash_nano: nano("1000"), exposure_nano: nano("990") };
    let id = l.hold(hold).unwrap();
    assert_eq!((l.free_cash(A), l.holds().buying(A)), (nano("9000"), q("10")));
    l.fill_hold(id, q("4"));
    assert_eq!((l.free_cash(A), l.holds().buying(A), l.holds().exposure()), (nano("9400"), q("6"), nano("594")));
    l.release(id);
    l.release(id);
    assert_eq!((l.free_cash(A), l.holds().buying(A), l.holds().len()), (nano("10000"), Quantity::ZERO, 0));
}

#[derive(Clone, Debug)]
enum Act {
    Fill(u32, bool, i64, i64),
    Mark(i64, i64),
    Hold(u32, bool, i64),
    Release(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..2_u32, any::<bool>(), 1_i64..2_000_000_000_000, 1_i64..500_000_000_000).prop_map(|(i, b, q, p)| Act::Fill(i, b, q, p)),
        2 => (1_i64..500_000_000_000, 1_i64..500_000_000_000).prop_map(|(a, b)| Act::Mark(a, b)),
        1 => (0..2_u32, any::<bool>(), 1_i64..1_000_000_000).prop_map(|(i, b, q)| Act::Hold(i, b, q)),
        1 => any::<u8>().prop_map(Act::Release),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// After any sequence: every currency balances, lots sum to positions and costs, NAV equals its recomputation,
    /// realised gains of closed lots sum to the account, and a snapshot restores the same bytes.
    #[test]
    fn the_books_are_sound_after_every_event(acts in prop::collection::vec(act(), 1..60)) {
        let mut l = account();
        l.mark_row(&[NANO, NANO], &[Status::Ok, Status::Ok], true).unwrap();
        let (mut gains, mut holds) = (0_i128, vec![]);
        for (k, act) in acts.iter().enumerate() {
            match act {
                Act::Fill(i, buy, q, p) => {
                    let side = if *buy { Side::Buy } else { Side::Sell };
                    let f = Fill { exec: ExecId(k as u64 + 1), order: OrderId(1), instrument: InstrumentId(*i), side,
                        quantity: Quantity::from_nano(i128::from(*q)), price: Price::from_nano(*p), fee_nano: 7 };
                    l.post_fill(&f, Timestamp(k as i64), None, |c| gains += c.gain_nano).unwrap();
                }
                Act::Mark(a, b) => l.mark_row(&[*a, *b], &[Status::Ok, Status::Ok], true).unwrap(),
                Act::Hold(i, buy, q) => {
                    let side = if *buy { Side::Buy } else { Side::Sell };
                    let h = Hold { instrument: InstrumentId(*i), side, quantity: Quantity::from_nano(i128::from(*q)), cash_nano: 5, exposure_nano: 3 };
                    holds.push(l.hold(h).unwrap());
                }
                Act::Release(n) => if !holds.is_empty() { l.release(holds.remove(usize::from(*n) % holds.len())); }
            }
            prop_assert!(l.is_sound());
            let books = l.currencies().next().unwrap().1;
            prop_assert_eq!(books.balance(Account::Realised), -gains);
        }
        let mut e = Encoder::new();
        l.save(&mut e);
        let mut copy = Ledger::new(Currency::USD, &[Currency::USD, Currency::USD]);
        let mut d = Decoder::new(e.as_bytes());
        copy.load(&mut d).unwrap();
        d.finish().unwrap();
        let mut again = Encoder::new();
        copy.save(&mut again);
        prop_assert_eq!(e.as_bytes(), again.as_bytes());
        prop_assert!(copy.is_sound());
        prop_assert_eq!(copy.nav(), l.nav());
        for cut in 0..e.as_bytes().len() {
            if cut % 37 == 0 {
                let mut short = Ledger::new(Currency::USD, &[Currency::USD, Currency::USD]);
                prop_assert!(short.load(&mut Decoder::new(&e.as_bytes()[..cut])).is_err());
            }
        }
    }
}
