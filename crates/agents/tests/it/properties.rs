//! What must hold for any prices.

use crate::fixture::{Bar, agents, all, batch, opinions, walks};
use proptest::prelude::*;
use tradegraph_columns::Status;

/// Cells to the bit.
fn bits(rows: &[Vec<crate::fixture::Opinion>]) -> Vec<Result<Vec<u64>, Status>> {
    let cell = |(f, c): &(Vec<f64>, f64)| f.iter().chain([c]).map(|x| x.to_bits()).collect();
    rows.iter().flatten().map(|o| o.as_ref().map(cell).map_err(|why| *why)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Rows after t do not exist for an opinion at t, whatever the blocks, and a restart in between is not seen.
    #[test]
    fn the_future_blocks_and_restarts_change_nothing(
        (rows, other) in (walks(3, 90, true), walks(3, 90, false)),
        t in 20_usize..89,
        block in 1_usize..40,
        restart in 0_usize..89,
        closes in any::<bool>(),
    ) {
        let mixed: Vec<Vec<Bar>> = rows[..=t].iter().chain(&other[t + 1..]).cloned().collect();
        let (rows, mixed) = (batch(&rows, closes), batch(&mixed, closes));
        for (name, make) in agents() {
            let expected = all(&*make, &rows);
            prop_assert_eq!(bits(&expected), bits(&opinions(&*make, &rows, block, restart)), "{}", name);
            prop_assert_eq!(bits(&expected[..=t]), bits(&opinions(&*make, &mixed, block, restart)[..=t]), "{}", name);
        }
    }

    /// Values on [−1, 1], confidence on [0, 1], and opinions that are there.
    #[test]
    fn opinions_are_within_their_bounds(rows in walks(4, 80, true), closes in any::<bool>()) {
        let rows = batch(&rows, closes);
        for (name, make) in agents() {
            let mut n = 0;
            for (factors, confidence) in all(&*make, &rows).into_iter().flatten().flatten() {
                let value: f64 = factors.iter().fold(0.0, |sum, f| sum + f);
                prop_assert!(value.abs() <= 1.0 && (0.0..=1.0).contains(&confidence), "{}: {:?}", name, factors);
                n += 1;
            }
            prop_assert!(n > 100, "{}: {}", name, n);
        }
    }

    /// A series without highs and lows has every opinion but the Fibonacci ones.
    #[test]
    fn closes_alone_are_enough(rows in walks(2, 70, false)) {
        let (whole, closes) = (batch(&rows, false), batch(&rows, true));
        for (name, make) in agents() {
            let (whole, closes) = (all(&*make, &whole), all(&*make, &closes));
            for (w, c) in whole.iter().flatten().zip(closes.iter().flatten()) {
                prop_assert_eq!(w.is_ok(), c.is_ok(), "{}", name);
                if let (Ok((w, _)), Ok((c, _)), "momentum") = (w, c, name) {
                    prop_assert!(w[..3] == c[..3] && c[3] == 0.0, "{:?} {:?}", w, c);
                    let (trend, boosted) = (c[0] + c[1] + c[2], w[3]);
                    prop_assert!(boosted * trend >= 0.0 && boosted.abs() <= 0.2 * trend.abs());
                }
            }
        }
    }

    /// The order of the instruments is no part of a rank; an instrument of no movement takes part in it.
    #[test]
    fn instruments_may_change_places(rows in walks(5, 40, false), shift in 1_usize..5) {
        let turned: Vec<Vec<Bar>> = rows.iter().map(|r| (0..5).map(|i| r[(i + shift) % 5]).collect()).collect();
        let (rows, turned) = (batch(&rows, true), batch(&turned, true));
        for (name, make) in agents() {
            for (a, b) in all(&*make, &rows).iter().zip(all(&*make, &turned)) {
                let b: Vec<_> = (0..5).map(|i| b[(i + 5 - shift) % 5].clone()).collect();
                prop_assert_eq!(a, &b, "{}", name);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Once warm, it does not matter how long the history is: windows to rounding, exponential averages of at most 14 bars
    /// (those of the true range) to 1e-9 after 300. Mean reversion forgets at the mean.
    #[test]
    fn more_history_changes_nothing_once_warm(rows in walks(2, 700, false), cut in 1_usize..60) {
        let (long, short) = (batch(&rows, false), batch(&rows[cut..], false));
        for (name, make) in agents().into_iter().filter(|(name, _)| *name != "long term") {
            let (long, short) = (all(&*make, &long), all(&*make, &short));
            for (row, (l, s)) in long[cut..].iter().zip(&short).enumerate().skip(500) {
                for (l, s) in l.iter().zip(s) {
                    match (l, s) {
                        (Ok((l, _)), Ok((s, _))) => {
                            let same = l.iter().zip(s).all(|(l, s)| (l - s).abs() < 1e-9);
                            prop_assert!(same, "{} row {}: {:?} {:?}", name, row, l, s);
                        }
                        (l, s) => prop_assert_eq!(l, s),
                    }
                }
            }
        }
    }
}

/// The ranks of an instrument that has gone are free again, at the first ranking after as many rows as lie between two.
#[test]
fn an_instrument_without_bars_leaves_the_ranks() {
    let price = |k: i64, i: i64| 1_000_000_000 * (100 + (k * (i + 3) * 7) % (11 + i) + k * i / 4);
    let row = |k: i64| (0..4).map(|i| (i < 3 || k < 40).then(|| [price(k, i); 3])).collect::<Vec<Bar>>();
    let rows: Vec<Vec<Bar>> = (0..60).map(row).collect();
    let (_, make) = agents().pop().unwrap();
    let said = all(&*make, &batch(&rows, true));
    let three: Vec<Vec<Bar>> = rows.iter().map(|r| r[..3].to_vec()).collect();
    let alone = all(&*make, &batch(&three, true));
    assert!(said[39][3].is_ok());
    assert_eq!(said[59][3], Err(Status::Stale));
    // With three in the ranks the scores are thirds of their weights again.
    let thirds =
        |rows: &Vec<crate::fixture::Opinion>| rows[..3].iter().map(|o| o.as_ref().unwrap().0[0]).collect::<Vec<_>>();
    assert!(said[59].iter().zip(&alone[59]).take(3).all(|(a, b)| a.is_ok() && b.is_ok()));
    let mut momentum = thirds(&said[59]);
    momentum.sort_by(f64::total_cmp);
    assert!(momentum.iter().zip([-1.0 / 3.0, 0.0, 1.0 / 3.0]).all(|(a, e)| (a - e).abs() < 1e-15), "{momentum:?}");
}

/// A state of another number of instruments, or of no side that exists, is refused by name.
#[test]
fn foreign_states_are_refused() {
    use tradegraph_columns::codec::{Decoder, Encoder};
    for (name, make) in agents().into_iter().skip(1) {
        let mut to = Encoder::new();
        make(3).save(&mut to);
        let bytes = to.into_bytes();
        let error = make(4).load(&mut Decoder::new(&bytes)).unwrap_err().to_string();
        assert!(error.contains(&name.replace("long term", "long-term")), "{error}");
        assert!(make(3).load(&mut Decoder::new(&bytes[..bytes.len() - 1])).is_err(), "{name}");
    }
    let (_, make) = agents().swap_remove(1);
    let mut to = Encoder::new();
    to.len(1);
    to.u8(3);
    to.u32(0);
    assert!(make(1).load(&mut Decoder::new(&to.into_bytes())).is_err());
}
