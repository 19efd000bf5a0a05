use super::*;
use proptest::prelude::*;

fn money(text: &str) -> i128 {
    crate::parse_nano(text, crate::Rounding::Exact).unwrap()
}

fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

/// Commission and regulators' fees of one order that fills at once, as a month's first.
fn bill(s: &Schedule, side: Side, units: i64, price: &str, on: &str) -> (i128, i128) {
    let notional = money(price) * i128::from(units);
    let quantity = Quantity::from_units(units).unwrap();
    let (fees, _) = s.fees(side, notional, quantity, day(on), Quantity::ZERO, Billed::default()).unwrap();
    (fees.commission_nano, fees.regulatory_nano)
}

/// The brokers' published examples, and hand-worked rows from the rates of the day.
#[test]
fn published_and_hand_worked_bills() {
    let rows = [
        // Interactive Brokers' page of commissions: the three fixed examples, without regulators' fees (a buy).
        (&IBKR_FIXED, Side::Buy, 100, "25", "2024-06-03", "1", "0"),
        (&IBKR_FIXED, Side::Buy, 1_000, "25", "2024-06-03", "5", "0"),
        (&IBKR_FIXED, Side::Buy, 1_000, "0.25", "2024-06-03", "2.5", "0"),
        // Its comparison page, fixed column: 200,000 at $5 cost 1,000 + 8.00 (SEC) + 7.27 (FINRA) = 1,015.27, and
        // 30,000,000 cost 150,000 + 1,200 + 7.27 = 151,207.27.
        (&IBKR_FIXED, Side::Sell, 200_000, "5", "2023-06-01", "1000", "15.27"),
        (&IBKR_FIXED, Side::Sell, 30_000_000, "5", "2023-06-01", "150000", "1207.27"),
        // Tiered, 100 at $50 in 2026: 0.35, 0.32 venue, 0.35 × 0.000738; sold: 5,000 × 0.0000206 + 0.0195 + 0.00265.
        (&IBKR_TIERED, Side::Buy, 100, "50", "2026-06-01", "0.6702583", "0.00265"),
        (&IBKR_TIERED, Side::Sell, 100, "50", "2026-06-01", "0.6702583", "0.12515"),
        // Alpaca, 100 at $100 sold: its note of 2021 has a section 31 fee of $0.08 at 8.00 per million, rounded up to a
        // cent; here 0.0510 → 0.06 and 0.0119 → 0.02. In 2026: 0.206 → 0.21, 0.0195 → 0.02, 0.00265 → 0.01.
        (&ALPACA, Side::Sell, 100, "100", "2021-04-26", "0", "0.08"),
        (&ALPACA, Side::Sell, 100, "100", "2026-06-01", "0", "0.24"),
        (&ALPACA, Side::Buy, 100, "100", "2026-06-01", "0", "0.01"),
        // The activity fee stops at $9.79; no section 31 fee between 2025-05-14 and 2026-04-03.
        (&ALPACA, Side::Sell, 1_000_000, "1", "2026-01-02", "0", "36.29"),
        (&BINANCE_SPOT, Side::Buy, 2, "50000", "2025-06-01", "100", "0"),
    ];
    for (s, side, units, price, on, commission, regulatory) in rows {
        let name = format!("{} {side:?} {units} at {price} on {on}", s.name);
        assert_eq!(bill(s, side, units, price, on), (money(commission), money(regulatory)), "{name}");
    }
}

/// The comparison page of Interactive Brokers, tiered column, when its FINRA pass-through was 0.00056.
#[test]
fn tiers_are_marginal_as_the_published_comparison_has_them() {
    let page = Schedule { pass_through_nano: 735_000, name: "", ..copy(&IBKR_TIERED) };
    let cents = |nano: i128| (nano + 5_000_000).div_euclid(10_000_000);
    let (commission, regulatory) = bill(&page, Side::Sell, 200_000, "5", "2023-06-01");
    assert_eq!(cents(commission + regulatory), 135_578);
    let (commission, regulatory) = bill(&page, Side::Sell, 30_000_000, "5", "2023-06-01");
    assert_eq!(cents(commission + regulatory), 13_918_810);
}

fn copy(s: &Schedule) -> Schedule {
    Schedule { ..*s }
}

#[test]
fn dates_of_the_rates_are_the_ones_beside_them() {
    let expected = [
        "2020-02-18",
        "2021-02-25",
        "2022-01-01",
        "2022-05-14",
        "2023-01-01",
        "2023-02-27",
        "2024-01-01",
        "2024-05-22",
        "2024-09-01",
        "2025-05-14",
        "2026-01-01",
        "2026-04-04",
    ];
    assert_eq!(US.iter().map(|r| r.from).collect::<Vec<_>>(), expected.map(day).to_vec());
    assert_eq!(IBKR_FIXED.rates(day("1995-01-03")), US.first());
    assert_eq!(IBKR_FIXED.rates(day("2021-02-24")).unwrap().sale_nano, 22_100);
}

#[test]
fn names_are_found_and_every_schedule_says_where_it_is_from() {
    for s in SCHEDULES {
        assert_eq!(schedule(s.name), Some(*s));
        assert!(s.source.starts_with("https://") && !s.as_of.is_empty() && !s.errs.is_empty());
    }
    assert_eq!(schedule("nobody"), None);
}

proptest! {
    /// However an order is cut into fills, the broker's commission is that of the whole, and no part is negative. What
    /// was reserved for it covers it.
    #[test]
    fn fills_of_an_order_are_billed_together(
        parts in prop::collection::vec(1_i64..50_000, 1..8), price in 1_i128..500_000, which in 0_usize..4,
        month in 0_i64..200_000_000, sell in any::<bool>(), day in 15_000_i32..21_000,
    ) {
        let s = SCHEDULES[which];
        let side = if sell { Side::Sell } else { Side::Buy };
        let price = price * 1_000_000;
        let month = Quantity::from_units(month).unwrap();
        let of = |units: i64, month: Quantity, billed| {
            s.fees(side, price * i128::from(units), Quantity::from_units(units).unwrap(), Date(day), month, billed).unwrap()
        };
        let (mut billed, mut sum, mut traded) = (Billed::default(), Fees::default(), month);
        for units in &parts {
            let (fees, after) = of(*units, traded, billed);
            prop_assert!(fees.commission_nano >= 0 && fees.regulatory_nano >= 0);
            sum.commission_nano += fees.commission_nano;
            sum.regulatory_nano += fees.regulatory_nano;
            traded = traded.checked_add(Quantity::from_units(*units).unwrap()).unwrap();
            billed = after;
        }
        let all: i64 = parts.iter().sum();
        let (whole, bill) = of(all, month, Billed::default());
        prop_assert_eq!((billed.own_nano, billed.notional_nano), (bill.own_nano, bill.notional_nano));
        prop_assert!((sum.commission_nano - whole.commission_nano).abs() <= parts.len() as i128);
        prop_assert!(sum.regulatory_nano >= whole.regulatory_nano - parts.len() as i128 * 3 || s.regulatory.is_empty() || sell);
        let most = s.most_nano(price * i128::from(all), Quantity::from_units(all).unwrap()).unwrap();
        prop_assert!(whole.total_nano().unwrap() <= most);
    }
}
