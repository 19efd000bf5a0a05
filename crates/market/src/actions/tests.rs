//! Derivation on the sample data and on numbers made by the definitions; factors worked by hand.

use super::*;
use crate::batch::tests::closes;
use crate::calendar::CalendarId;
use proptest::prelude::*;
use tradegraph_domain::{Date, Nanos};

const I: InstrumentId = InstrumentId(0);
const J: InstrumentId = InstrumentId(1);
const XNYS: CalendarId = CalendarId::Xnys;

fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn action(ts: i64, instrument: InstrumentId, kind: ActionKind) -> CorporateAction {
    CorporateAction { ts: Timestamp(ts), instrument, kind, ex: Date(0) }
}

fn dividend(amount: &str) -> ActionKind {
    ActionKind::Dividend { amount: price(amount), pay: Date(0) }
}

/// The series of a symbol in the sample of unadjusted closes.
fn sample(symbol: &str) -> Vec<AdjustedClose> {
    let text = include_str!("../../../../samples/equities/us4_ohlcv_unadjusted_2000_2013.csv");
    let of = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[0] == symbol).then(|| AdjustedClose {
            date: day(cells[1]),
            raw: price(cells[5]),
            adjusted: price(cells[7]),
        })
    };
    text.lines().skip(1).filter_map(of).collect()
}

fn shown(actions: &[CorporateAction]) -> Vec<String> {
    let one = |a: &CorporateAction| match a.kind {
        ActionKind::Split { new, old } => format!("{} {new}:{old}", a.ex),
        ActionKind::Dividend { amount, .. } => format!("{} {amount}", a.ex),
        other => format!("{} {}", a.ex, other.name()),
    };
    actions.iter().map(one).collect()
}

/// What the companies announced: Microsoft's and Apple's dividends and splits of 2000-03 to 2013-03 by ex-date (the
/// $3.08 are a special of $3.00 and a regular of $0.08). Google and Facebook paid nothing and did not split.
#[test]
fn every_action_of_the_sample_is_found_to_the_cent() {
    let announced = [
        (
            "MSFT",
            "2003-02-18 2:1, 2003-02-19 0.08, 2003-10-15 0.16, 2004-08-23 0.08, 2004-11-15 3.08, 2005-02-15 0.08, \
             2005-05-16 0.08, 2005-08-15 0.08, 2005-11-15 0.08, 2006-02-15 0.09, 2006-05-15 0.09, 2006-08-15 0.09, \
             2006-11-14 0.1, 2007-02-13 0.1, 2007-05-15 0.1, 2007-08-14 0.1, 2007-11-13 0.11, 2008-02-19 0.11, \
             2008-05-13 0.11, 2008-08-19 0.11, 2008-11-18 0.13, 2009-02-17 0.13, 2009-05-19 0.13, 2009-08-18 0.13, \
             2009-11-17 0.13, 2010-02-16 0.13, 2010-05-18 0.13, 2010-08-17 0.13, 2010-11-16 0.16, 2011-02-15 0.16, \
             2011-05-17 0.16, 2011-08-16 0.16, 2011-11-15 0.2, 2012-02-14 0.2, 2012-05-15 0.2, 2012-08-14 0.2, \
             2012-11-13 0.23, 2013-02-19 0.23",
        ),
        ("AAPL", "2000-06-21 2:1, 2005-02-28 2:1, 2012-08-09 2.65, 2012-11-07 2.65, 2013-02-07 2.65"),
        ("GOOG", ""),
        ("FB", ""),
    ];
    for (symbol, expected) in announced {
        let days = sample(symbol);
        let found = derive(Derivation::Wiki, I, XNYS, &days);
        let expected: Vec<&str> = expected.split(", ").filter(|s| !s.is_empty()).collect();
        assert_eq!(shown(&found.actions), expected, "{symbol}");
        assert_eq!(found.doubts, vec![], "{symbol}");
        assert!(found.actions.iter().all(|a| XNYS.session(a.ex).map(|s| s.open) == Some(a.ts)));
        // FB prints four decimals at 18 dollars, the others more than a price keeps.
        assert!(found.noise < if symbol == "FB" { 6e-6 } else { 2e-9 }, "{symbol}: {}", found.noise);
        assert!(Actions::new(found.actions, vec![]).is_ok());
    }
}

/// Read by the other source's rule, the dividends of the sample are not round: the derivation is the source's own.
#[test]
fn the_wrong_source_gives_other_amounts() {
    let found = derive(Derivation::Yahoo, I, XNYS, &sample("AAPL"));
    // 619.86 × (1 − 1 / 1.0042691669…) = 2.635036.
    let amounts = shown(&found.actions);
    assert!(amounts[2].starts_with("2012-08-09 2.635"), "{amounts:?}");
}

/// A series that a source would print: closes, then actions at days, adjusted from the last day backwards.
fn printed(
    source: Derivation,
    closes: &[f64],
    splits: &[(usize, f64)],
    dividends: &[(usize, f64)],
    decimals: i32,
) -> Vec<AdjustedClose> {
    let days: Vec<Date> =
        XNYS.sessions(day("2010-01-04"), day("2012-12-31")).map(|s| s.date).take(closes.len()).collect();
    let mut factor = 1.0;
    let mut out = vec![];
    for k in (0..closes.len()).rev() {
        let grid = 10_f64.powi(decimals);
        let adjusted = (closes[k] * factor * grid).round() / grid;
        let raw = Price::from_f64_half_even(closes[k]).unwrap();
        out.push(AdjustedClose { date: days[k], raw, adjusted: Price::from_f64_half_even(adjusted).unwrap() });
        if k == 0 {
            break;
        }
        for (at, ratio) in splits.iter().filter(|(at, _)| *at == k) {
            assert!(*at > 0);
            factor /= ratio;
        }
        for (_, amount) in dividends.iter().filter(|(at, _)| *at == k) {
            factor *= match source {
                Derivation::Wiki => 1.0 / (1.0 + amount / closes[k]),
                Derivation::Yahoo => 1.0 - amount / closes[k - 1],
            };
        }
    }
    out.reverse();
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// What a source prints by its own definition is read back: cents to the cent, splits as they were, and noise of
    /// the printed decimals makes no action.
    #[test]
    fn what_was_printed_is_read_back(
        yahoo in any::<bool>(),
        decimals in 5..10_i32,
        moves in prop::collection::vec(-0.04_f64..0.04, 120),
        cents in prop::collection::vec(1_u32..300, 3),
        split in prop_oneof![Just((2_u32, 1_u32)), Just((3, 2)), Just((7, 1)), Just((20, 1)), Just((1, 10)), Just((1, 2))],
    ) {
        let source = if yahoo { Derivation::Yahoo } else { Derivation::Wiki };
        let ratio = f64::from(split.0) / f64::from(split.1);
        let mut close: f64 = 120.0;
        let mut closes = vec![];
        for (k, m) in moves.iter().enumerate() {
            close *= 1.0 + m;
            if k == 60 {
                close /= ratio;
            }
            close = (close.clamp(1.0, 4_000.0) * 100.0).round() / 100.0;
            closes.push(close);
        }
        // A jump at the clamp would be no split.
        prop_assume!(closes.iter().all(|c| *c > 1.0 && *c < 4_000.0));
        let dividends: Vec<(usize, f64)> = [20, 40, 90].into_iter().zip(cents.iter().map(|c| f64::from(*c) / 100.0)).collect();
        // Of up to a tenth of the price.
        prop_assume!(dividends.iter().all(|(k, d)| *d < 0.1 * closes[*k]));
        let days = printed(source, &closes, &[(60, ratio)], &dividends, decimals);
        let found = derive(source, I, XNYS, &days);
        prop_assert_eq!(&found.doubts, &vec![]);
        prop_assert_eq!(found.actions.len(), 4, "{:?}", shown(&found.actions));
        let mut rest = found.actions.iter().filter(|a| a.kind.split().is_none());
        for (k, amount) in &dividends {
            let a = rest.next().unwrap();
            prop_assert_eq!(a.ex, days[*k].date);
            let ActionKind::Dividend { amount: read, .. } = a.kind else { panic!("{a:?}") };
            // To the cent where the noise allows it, else within the noise.
            let error = 2.0 * found.noise * closes[*k].max(closes[*k - 1]);
            prop_assert!((read.to_f64() - amount).abs() <= error, "{} against {amount}", read);
            if error < 0.0005 {
                prop_assert_eq!(read, Price::from_f64_half_even(*amount).unwrap());
            }
        }
        let a = found.actions.iter().find(|a| a.kind.split().is_some()).unwrap();
        prop_assert_eq!((a.ex, a.kind), (days[60].date, ActionKind::Split { new: split.0, old: split.1 }));
    }
}

#[test]
fn what_is_no_action_is_a_doubt_or_nothing() {
    let of = |rows: &[(&str, &str, &str)]| {
        let days: Vec<_> =
            rows.iter().map(|(d, r, a)| AdjustedClose { date: day(d), raw: price(r), adjusted: price(a) }).collect();
        let found = derive(Derivation::Wiki, I, XNYS, &days);
        (shown(&found.actions), found.doubts.iter().map(|d| d.kind).collect::<Vec<_>>())
    };
    let none: Vec<String> = vec![];
    // The factor is 2:1 and the raw close does not fall: the raw closes are adjusted already, or it is an error.
    assert_eq!(
        of(&[("2012-01-03", "100", "50"), ("2012-01-04", "101", "101")]),
        (none.clone(), vec![DoubtKind::TooLarge])
    );
    // 2:1 and a dividend of 3 % together.
    assert_eq!(
        of(&[("2012-01-03", "100", "48.5"), ("2012-01-04", "50", "50")]),
        (none.clone(), vec![DoubtKind::TooLarge])
    );
    assert_eq!(
        of(&[("2012-01-03", "100", "100"), ("2012-01-04", "100", "99.5")]),
        (none.clone(), vec![DoubtKind::Falls])
    );
    assert_eq!(of(&[("2012-01-03", "100", "100"), ("2012-01-04", "0", "0")]), (none.clone(), vec![DoubtKind::NoPrice]));
    // A Saturday.
    assert_eq!(
        of(&[("2012-01-06", "100", "50"), ("2012-01-07", "50", "50")]),
        (none.clone(), vec![DoubtKind::NoSession])
    );
    // Within half a unit of the last printed decimal of both: noise.
    assert_eq!(of(&[("2012-01-03", "100", "33.33"), ("2012-01-04", "100.01", "33.34")]), (none, vec![]));
    // A special dividend of a tenth: near 10 for 9, which is no small-integer ratio.
    let special = of(&[("2004-11-12", "29.97", "26.94"), ("2004-11-15", "27.39", "27.39")]);
    assert_eq!(special.1, vec![]);
    assert!(special.0[0].starts_with("2004-11-15 3.08"), "{special:?}");
}

#[test]
fn columns_are_taken_as_printed() {
    let row = |date: &str, dividend: &str, factor: &str| PrintedAction {
        date: day(date),
        dividend: price(dividend),
        split_factor: price(factor),
    };
    let of = |rows: &[PrintedAction]| from_columns(I, XNYS, rows).map(|a| shown(&a)).map_err(|e| e.to_string());
    let rows = [
        row("2017-02-01", "0.25915900000000003", "1.0"),
        row("2017-02-02", "0", "1"),
        row("2017-02-03", "0.5", "1.5"),
        row("2017-02-06", "0", "0.333333"),
        row("2017-02-07", "0", "0.1"),
        row("2017-02-08", "0", "0.0"),
    ];
    let expected = ["2017-02-01 0.259159", "2017-02-03 3:2", "2017-02-03 0.5", "2017-02-06 1:3", "2017-02-07 1:10"];
    assert_eq!(of(&rows), Ok(expected.map(String::from).to_vec()));
    let no = |r| of(&[r]).unwrap_err();
    assert_eq!(no(row("2017-02-01", "-0.1", "1")), "2017-02-01: a dividend of -0.1 is none");
    assert_eq!(no(row("2017-02-01", "0", "-2")), "2017-02-01: a split factor of -2 is no ratio of whole numbers");
    assert_eq!(
        no(row("2017-02-01", "0", "1.00000051")),
        "2017-02-01: a split factor of 1.00000051 is no ratio of whole numbers"
    );
    assert_eq!(no(row("2017-02-04", "0.1", "1")), "2017-02-04: there is no session of XNYS on this date");
}

#[test]
fn tables_are_sorted_checked_and_hashed() {
    let split = ActionKind::Split { new: 2, old: 1 };
    let (a, b) = (action(5, I, dividend("1")), action(5, I, split));
    let names = || vec!["NEW".to_owned(), "NEWER".to_owned()];
    let table = Actions::new(vec![a, b], names()).unwrap();
    assert_eq!(table.items(), &[b, a], "a split comes before a dividend of its day");
    assert_eq!(table.id(), Actions::new(vec![b, a], names()).unwrap().id());
    assert_ne!(table.id(), Actions::new(vec![b], names()).unwrap().id());
    assert_ne!(table.id(), Actions::new(vec![b, a], vec![]).unwrap().id());
    assert_eq!(Actions::default(), Actions::new(vec![], vec![]).unwrap());
    let why = |items: Vec<CorporateAction>| Actions::new(items, names()).unwrap_err();
    let rename = |name| ActionKind::Rename { name };
    let end = ActionKind::Delisting { price: price("0") };
    assert_eq!(
        why(vec![action(5, I, ActionKind::Split { new: 0, old: 1 })]),
        ActionError::Ratio { at: 0, new: 0, old: 1 }
    );
    assert_eq!(why(vec![a, action(6, I, dividend("0"))]), ActionError::Amount { at: 1, amount: Price::ZERO });
    assert!(matches!(
        why(vec![action(6, I, ActionKind::Delisting { price: price("-1") })]),
        ActionError::Amount { .. }
    ));
    assert_eq!(why(vec![action(5, I, rename(2))]), ActionError::Name { at: 0, name: 2 });
    assert_eq!(why(vec![a, action(5, I, dividend("2"))]), ActionError::Twice { at: 1 });
    assert_eq!(why(vec![action(1, I, end), action(1, J, end), a]), ActionError::AfterDelisting { at: 2 });
    let renames =
        Actions::new(vec![action(5, I, rename(0)), action(9, I, rename(1)), action(7, J, split)], names()).unwrap();
    let at = |ts, i| renames.symbol_at(i, Timestamp(ts));
    assert_eq!(
        [at(4, I), at(5, I), at(8, I), at(9, I), at(9, J)],
        [None, Some("NEW"), Some("NEW"), Some("NEWER"), None]
    );
}

#[test]
fn factors_worked_by_hand() {
    // One bar a minute, known at its end: row k covers minutes k to k + 1.
    let batch = closes(&[&[100, 10], &[96, 0], &[48, 0], &[45, 10], &[46, 9]]);
    let minute = Nanos::MINUTE.0;
    let split = ActionKind::Split { new: 2, old: 1 };
    let steps = |items: Vec<CorporateAction>| {
        let actions = Actions::new(items, vec![]).unwrap();
        let steps = Adjustments::new(&actions, &batch);
        steps.steps().iter().map(|s| (s.row, s.instrument.0, s.split, s.total)).collect::<Vec<_>>()
    };
    assert_eq!(steps(vec![action(2 * minute, I, split)]), vec![(2, 0, 2.0, 2.0)]);
    // Inside a bar: its close is after the split.
    assert_eq!(steps(vec![action(2 * minute + 1, I, split)]), vec![(2, 0, 2.0, 2.0)]);
    // 48 / (48 − 3) on the day after.
    assert_eq!(
        steps(vec![action(2 * minute, I, split), action(3 * minute, I, dividend("3"))]),
        vec![(2, 0, 2.0, 2.0), (3, 0, 2.0, 2.0 * 48.0 / 45.0)]
    );
    // On the day of the split it is for a unit after it: 96 / 2 = 48 before.
    let both = steps(vec![action(2 * minute, I, split), action(2 * minute, I, dividend("3"))]);
    assert_eq!(both, vec![(2, 0, 2.0, 2.0), (2, 0, 2.0, 2.0 * 48.0 / 45.0)]);
    // The split came while there was no bar: the last close is 10 before it, 5 after it.
    let gap = steps(vec![action(minute, J, split), action(3 * minute, J, dividend("1"))]);
    assert_eq!(gap, vec![(1, 1, 2.0, 2.0), (3, 1, 2.0, 2.0 * 5.0 / 4.0)]);
    // Nothing before the first row, after the last, or of an instrument that is not there; too large a dividend.
    assert_eq!(steps(vec![action(0, I, split), action(5 * minute, I, split)]), vec![]);
    assert_eq!(steps(vec![action(minute, InstrumentId(7), split), action(minute, I, dividend("100"))]), vec![]);
}
