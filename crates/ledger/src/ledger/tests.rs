use super::*;
use proptest::prelude::*;
use tradegraph_domain::{OrderId, Split};

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
    l.settle_through(Date(1)).unwrap();
    assert_eq!(unsettled(&l), nano("-1000"));
    l.settle_through(Date(2)).unwrap();
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

const TWO_FOR_ONE: Split = Split { new: 2, old: 1 };

fn marked(price: i64) -> Ledger {
    let mut l = account();
    l.mark_row(&[price * NANO, 0], &[Status::Ok, Status::NoData], false).unwrap();
    l
}

#[test]
fn hand_worked_split_with_a_rest() {
    // 3 for 2 at 30: 50 + 51 shares become 75 + 76.5; half a share leaves the oldest lot at 20. Its cost is 0.5 of 75
    // parts of 50 × 24 = 1,200, that is 8; the gain is 10 − 8 = 2.
    let mut l = marked(30);
    post(&mut l, fill(1, A, Side::Buy, "50", "24", "0"));
    post(&mut l, fill(2, A, Side::Buy, "51", "27", "0"));
    let before = l.nav();
    let mut closed = vec![];
    let booked = l.split(A, Split { new: 3, old: 2 }, Quantity::ONE, Timestamp(9), |c| closed.push(c)).unwrap();
    assert_eq!((booked.before.to_string(), booked.after.to_string()), ("101".into(), "151".into()));
    assert_eq!((booked.cash_nano, booked.realised_nano), (nano("10"), nano("2")));
    assert_eq!(
        closed.iter().map(|c| (c.quantity.to_string(), c.cost_nano)).collect::<Vec<_>>(),
        vec![("0.5".into(), nano("8"))]
    );
    let lots: Vec<_> = l.lots(A).map(|l| (l.quantity.to_string(), l.cost_nano)).collect();
    assert_eq!(lots, vec![("74.5".into(), nano("1192")), ("76.5".into(), nano("1377"))]);
    assert_eq!(l.mark(A), Some(Price::parse("20").unwrap()));
    assert_eq!(l.nav(), before);
    assert!(l.is_sound());
}

#[test]
fn a_position_too_small_for_a_lot_leaves_as_a_whole() {
    // 1 for 10 at 2: 7 shares are 0.7 of one, worth 0.7 × 20 = 14; they cost 21.
    for (side, cash) in [(Side::Buy, "14"), (Side::Sell, "-14")] {
        let mut l = marked(2);
        post(&mut l, fill(1, A, side, "7", "3", "0"));
        let before = l.nav();
        let booked = l.split(A, Split { new: 1, old: 10 }, Quantity::ONE, Timestamp(9), |_| ()).unwrap();
        assert_eq!((booked.cash_nano, l.position(A), l.lots(A).count()), (nano(cash), Quantity::ZERO, 0));
        assert_eq!(booked.realised_nano, if side == Side::Buy { nano("-7") } else { nano("7") });
        assert_eq!(l.nav(), before);
        assert!(l.is_sound());
    }
}

#[test]
fn a_rest_without_a_price_stays() {
    let mut l = account();
    post(&mut l, fill(1, A, Side::Buy, "3", "10", "0"));
    let booked = l.split(A, Split { new: 1, old: 2 }, Quantity::ONE, Timestamp(9), |_| ()).unwrap();
    assert_eq!((booked.after.to_string(), booked.cash_nano), ("1.5".into(), 0));
    assert_eq!(l.nav(), Err(NavMissing::Price(A)));
}

#[test]
fn reservations_of_open_orders_are_split_and_keep_their_cash() {
    let mut l = marked(30);
    let quantity = Quantity::parse("5").unwrap();
    let id = l
        .hold(Hold { instrument: A, side: Side::Buy, quantity, cash_nano: nano("150"), exposure_nano: nano("150") })
        .unwrap();
    let other = l.hold(Hold { instrument: B, side: Side::Sell, quantity, cash_nano: 0, exposure_nano: 0 }).unwrap();
    l.split(A, Split { new: 3, old: 2 }, Quantity::ONE, Timestamp(9), |_| ()).unwrap();
    assert_eq!(l.holds().get(id).map(|h| h.quantity.to_string()), Some("7".into()));
    assert_eq!(l.holds().get(other).map(|h| h.quantity), Some(quantity));
    assert_eq!(
        (l.holds().buying(A).to_string(), l.holds().selling(B), l.free_cash(A)),
        ("7".into(), quantity, nano("9850"))
    );
    l.release(id);
    assert_eq!((l.holds().buying(A), l.free_cash(A), l.holds().exposure()), (Quantity::ZERO, nano("10000"), 0));
}

#[test]
fn a_dividend_is_due_at_once_and_cash_on_its_day() {
    // 100 shares at 30; 3.08 each: 308 accrued, NAV unchanged by a mark of 26.92.
    for (side, sign) in [(Side::Buy, 1), (Side::Sell, -1)] {
        let mut l = marked(30);
        post(&mut l, fill(1, A, side, "100", "30", "0"));
        let cash = l.free_cash(A);
        let (before, amount) = (l.nav(), Price::parse("3.08").unwrap());
        let booked = l.dividend(A, amount, Date(10), Date(27)).unwrap();
        assert_eq!(booked.cash_nano, sign * nano("308"));
        assert_eq!((l.nav(), l.free_cash(A), l.dividends_of(A)), (before, cash, sign * nano("308")));
        assert_eq!(l.mark(A), Some(Price::parse("26.92").unwrap()));
        l.settle_through(Date(26)).unwrap();
        assert_eq!(l.free_cash(A), cash);
        l.settle_through(Date(27)).unwrap();
        assert_eq!((l.nav(), l.free_cash(A)), (before, cash + sign * nano("308")));
        assert!(l.is_sound());
        // One that is paid on its ex-date.
        l.dividend(A, Price::parse("1").unwrap(), Date(30), Date(30)).unwrap();
        assert_eq!((l.nav(), l.free_cash(A)), (before, cash + sign * nano("408")));
        assert!(l.is_sound());
    }
}

#[test]
fn a_delisting_turns_units_into_cash() {
    for (side, price, cash, gain) in
        [(Side::Buy, "12", "120", "20"), (Side::Buy, "0", "0", "-100"), (Side::Sell, "12", "-120", "-20")]
    {
        let mut l = account();
        post(&mut l, fill(1, A, side, "10", "10", "0"));
        let booked = l.delist(A, Price::parse(price).unwrap(), Timestamp(5), |_| ()).unwrap();
        assert_eq!((booked.cash_nano, booked.realised_nano), (nano(cash), nano(gain)));
        assert_eq!(
            (l.position(A), l.realised_of(A), l.nav()),
            (Quantity::ZERO, nano(gain), Ok(nano("10000") + nano(gain)))
        );
        assert!(l.is_sound());
    }
}

#[test]
fn an_action_that_does_not_fit_leaves_the_books_alone() {
    let mut l = marked(9);
    post(&mut l, fill(1, A, Side::Buy, "1000", "9", "0"));
    let before = l.nav();
    // A mark of 9 × 4e9 is beyond every price.
    assert!(l.split(A, Split { new: 1, old: u32::MAX }, Quantity::ONE, Timestamp(1), |_| ()).is_err());
    assert!(l.split(A, Split { new: 0, old: 1 }, Quantity::ONE, Timestamp(1), |_| ()).is_err());
    let unknown = InstrumentId(7);
    assert_eq!(
        l.split(unknown, TWO_FOR_ONE, Quantity::ONE, Timestamp(1), |_| ()),
        Err(LedgerError::UnknownInstrument(unknown))
    );
    assert!(l.dividend(unknown, Price::ZERO, Date(1), Date(1)).is_err());
    assert!(l.delist(unknown, Price::ZERO, Timestamp(1), |_| ()).is_err());
    assert_eq!((l.nav(), l.position(A).to_string()), (before, "1000".into()));
    assert!(l.is_sound());
}

fn terms() -> Financing {
    Financing {
        borrow_nano: vec![30_000_000, 0],
        margin: Rate::fixed(72_000_000),
        cash: Rate { benchmark: vec![(Date(10), 15_000_000), (Date(40), 25_000_000)], spread_nano: -5_000_000 },
    }
}

fn night(l: &mut Ledger, from: i32, to: i32, pay: i32) -> Vec<Financed> {
    let mut out = vec![];
    l.finance(&terms(), Date(from), Date(to), Date(pay), |c, f| {
        assert_eq!(c, Currency::USD);
        out.push(f);
    })
    .unwrap();
    assert!(l.is_sound());
    out
}

/// Short 100 at 50, marked at 60: 6,000 of 15,000 in cash are the lender's. A weekend of 1 % on 9,000 is 0.75, of 3 % on
/// 6,000 is 1.50.
#[test]
fn nights_by_hand() {
    let mut l = account().with_financing();
    post(&mut l, fill(1, A, Side::Sell, "100", "50", "0"));
    l.mark_row(&[60 * NANO, 40 * NANO], &[Status::Ok, Status::Ok], true).unwrap();
    let nav = l.nav().unwrap();
    let of = |b, m, e| Financed { borrow_nano: nano(b), margin_nano: nano(m), earned_nano: nano(e) };
    assert_eq!(night(&mut l, 20, 23, 31), [of("1.5", "0", "0.75")]);
    assert_eq!(l.nav(), Ok(nav - nano("0.75")));
    let balance = |l: &Ledger, a| l.currencies().next().unwrap().1.balance(a);
    assert_eq!((balance(&l, Account::Cash), balance(&l, Account::Accrued)), (nano("15000"), -nano("0.75")));
    // 250 B at 40 leave 5,000, less 6,000: a loan of 1,000 for a night at 7.2 %.
    post(&mut l, fill(2, B, Side::Buy, "250", "40", "0"));
    assert_eq!(night(&mut l, 23, 24, 31), [of("0.5", "0.2", "0")]);
    assert_eq!((balance(&l, Account::Borrow), balance(&l, Account::MarginInterest)), (nano("2"), nano("0.2")));
    assert_eq!(balance(&l, Account::Interest), -nano("0.75"));
    // Nothing is reckoned twice, nothing backwards.
    assert_eq!(night(&mut l, 24, 24, 31), []);
    // Pending accruals are part of a snapshot, and become cash on their day.
    let mut e = Encoder::new();
    l.save(&mut e);
    let mut back = account().with_financing();
    back.load(&mut Decoder::new(e.as_bytes())).unwrap();
    let before = back.nav();
    for l in [&mut l, &mut back] {
        l.settle_through(Date(31)).unwrap();
        assert_eq!((balance(l, Account::Cash), balance(l, Account::Accrued)), (nano("4998.55"), 0));
        assert!(l.is_sound() && l.nav() == before);
    }
}

#[test]
fn a_benchmark_changes_between_nights_and_no_rate_is_negative() {
    let rate = Rate { benchmark: vec![(Date(10), 10_000_000), (Date(12), 20_000_000)], spread_nano: -5_000_000 };
    assert_eq!([9, 10, 11, 12, 99].map(|d| rate.of(Date(d))), [0, 5_000_000, 5_000_000, 15_000_000, 15_000_000]);
    // 9 to 14 at 0, 0.5, 0.5, 1.5 and 1.5 %: 4 % / 360 of 10,000.
    let mut l = account().with_financing();
    let terms = Financing { cash: rate, ..Financing::default() };
    let mut earned = 0;
    l.finance(&terms, Date(9), Date(14), Date(14), |_, f| earned += f.earned_nano).unwrap();
    assert_eq!(earned, 1_111_111_111);
}

#[derive(Clone, Debug)]
enum Act {
    Finance(i32, i32, i32),
    Fill(u32, bool, i64, i64),
    Mark(i64, i64),
    Hold(u32, bool, i64),
    Release(u8),
    Split(u32, u32, u32, i64),
    Dividend(u32, i64, i32),
    Delist(u32, i64),
    Settle(i32),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..2_u32, any::<bool>(), 1_i64..2_000_000_000_000, 1_i64..500_000_000_000).prop_map(|(i, b, q, p)| Act::Fill(i, b, q, p)),
        2 => (1_i64..500_000_000_000, 1_i64..500_000_000_000).prop_map(|(a, b)| Act::Mark(a, b)),
        1 => (0..2_u32, any::<bool>(), 1_i64..1_000_000_000).prop_map(|(i, b, q)| Act::Hold(i, b, q)),
        1 => any::<u8>().prop_map(Act::Release),
        1 => (0..2_u32, 1..30_u32, 1..30_u32, prop_oneof![Just(1), Just(1_000), Just(NANO)]).prop_map(|(i, new, old, lot)| Act::Split(i, new, old, lot)),
        1 => (0..2_u32, 1_i64..9_000_000_000, 0..40_i32).prop_map(|(i, amount, pay)| Act::Dividend(i, amount, pay)),
        1 => (0..2_u32, 0_i64..500_000_000_000).prop_map(|(i, price)| Act::Delist(i, price)),
        1 => (0..60_i32).prop_map(Act::Settle),
        2 => (0..60_i32, 0..9_i32, 0..60_i32).prop_map(|(from, nights, pay)| Act::Finance(from, nights, pay)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// After any sequence: every currency balances, lots sum to positions and costs, NAV equals its recomputation,
    /// realised gains of closed lots sum to the account, positions are the signed sum of fills and actions, and a
    /// snapshot restores the same bytes. A split or a dividend changes NAV by no more than what is finer than the
    /// ninth decimal of a mark or a position.
    #[test]
    fn the_books_are_sound_after_every_event(acts in prop::collection::vec(act(), 1..60)) {
        let mut l = account().with_financing();
        l.mark_row(&[NANO, NANO], &[Status::Ok, Status::Ok], true).unwrap();
        let (mut gains, mut holds, mut held) = (0_i128, vec![], [0_i128; 2]);
        for (k, act) in acts.iter().enumerate() {
            match act {
                Act::Fill(i, buy, q, p) => {
                    let side = if *buy { Side::Buy } else { Side::Sell };
                    let f = Fill { exec: ExecId(k as u64 + 1), order: OrderId(1), instrument: InstrumentId(*i), side,
                        quantity: Quantity::from_nano(i128::from(*q)), price: Price::from_nano(*p), fee_nano: 7 };
                    held[*i as usize] += side.signed(f.quantity).nano();
                    l.post_fill(&f, Timestamp(k as i64), None, |c| gains += c.gain_nano).unwrap();
                }
                Act::Split(i, new, old, lot) => {
                    let (i, nav, before) = (InstrumentId(*i), l.nav().unwrap(), held[*i as usize]);
                    let split = Split { new: *new, old: *old };
                    let booked = l.split(i, split, Quantity::from_nano(i128::from(*lot)), Timestamp(k as i64), |c| gains += c.gain_nano).unwrap();
                    let after = before * i128::from(*new) / i128::from(*old);
                    held[i.index()] = after - after % i128::from(*lot);
                    prop_assert_eq!(booked.before.nano(), before);
                    prop_assert_eq!(booked.after.nano(), held[i.index()]);
                    let mark = i128::from(l.mark(i).unwrap().nano());
                    let finer = after.abs() / (2 * i128::from(NANO)) + mark / i128::from(NANO) + 3;
                    prop_assert!((l.nav().unwrap() - nav).abs() <= finer, "{} against {finer}", l.nav().unwrap() - nav);
                }
                Act::Dividend(i, amount, pay) => {
                    let (i, nav, amount) = (InstrumentId(*i), l.nav().unwrap(), Price::from_nano(*amount));
                    let above = l.mark(i).unwrap() > amount;
                    let booked = l.dividend(i, amount, Date(20), Date(*pay)).unwrap();
                    prop_assert_eq!(booked.cash_nano, amount.notional_nano(Quantity::from_nano(held[i.index()])).unwrap());
                    let change = l.nav().unwrap() - nav - if above { 0 } else { booked.cash_nano };
                    prop_assert!(change.abs() <= 1, "{change}");
                }
                Act::Delist(i, price) => {
                    let (i, price) = (InstrumentId(*i), Price::from_nano(*price));
                    let booked = l.delist(i, price, Timestamp(k as i64), |c| gains += c.gain_nano).unwrap();
                    prop_assert_eq!(booked.cash_nano, price.notional_nano(Quantity::from_nano(held[i.index()])).unwrap());
                    held[i.index()] = 0;
                }
                Act::Finance(from, nights, pay) => {
                    let (nav, mut net) = (l.nav().unwrap(), 0);
                    l.finance(&terms(), Date(*from), Date(from + nights), Date(*pay), |_, f| {
                        assert!(f.borrow_nano >= 0 && f.margin_nano >= 0 && f.earned_nano >= 0);
                        net += f.earned_nano - f.borrow_nano - f.margin_nano;
                    }).unwrap();
                    prop_assert_eq!(l.nav().unwrap() - nav, net);
                }
                Act::Settle(day) => {
                    let nav = l.nav();
                    l.settle_through(Date(*day)).unwrap();
                    prop_assert_eq!(l.nav(), nav);
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
            prop_assert_eq!([l.position(A).nano(), l.position(B).nano()], held);
            let of = |f: fn(&Ledger, InstrumentId) -> i128| f(&l, A) + f(&l, B);
            prop_assert_eq!(of(Ledger::realised_of), gains);
            prop_assert_eq!(of(Ledger::dividends_of), -books.balance(Account::Dividends));
            let buying: i128 = l.holds().iter().filter(|(_, h)| h.side == Side::Buy).map(|(_, h)| h.quantity.nano()).sum();
            prop_assert_eq!(l.holds().buying(A).nano() + l.holds().buying(B).nano(), buying);
        }
        let mut e = Encoder::new();
        l.save(&mut e);
        let mut copy = Ledger::new(Currency::USD, &[Currency::USD, Currency::USD]).with_financing();
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
                let mut short = Ledger::new(Currency::USD, &[Currency::USD, Currency::USD]).with_financing();
                prop_assert!(short.load(&mut Decoder::new(&e.as_bytes()[..cut])).is_err());
            }
        }
    }
}
