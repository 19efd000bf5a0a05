use super::*;
use crate::batch::tests::closes;
use crate::features::EmaSeed;
use proptest::prelude::*;
use tradegraph_domain::{AssetClass, Currency, Instrument, Quantity, TradingStatus};

pub(crate) fn universe(n: usize) -> Arc<Universe> {
    let instrument = |i| Instrument {
        symbol: format!("S{i:05}"),
        class: AssetClass::Equity,
        currency: Currency::USD,
        venue: "TEST".into(),
        tick: Price::ZERO,
        lot: Quantity::from_units(1).unwrap(),
        status: TradingStatus::Active,
    };
    Arc::new(Universe::new((0..n).map(instrument).collect()).unwrap())
}

const FEED: FeedId = FeedId(0);

fn needs() -> Vec<FeatureSpec> {
    let spec = |kind| FeatureSpec { kind, feed: FEED };
    vec![
        spec(FeatureKind::Close),
        spec(FeatureKind::Ema { n: 3, seed: EmaSeed::First }),
        spec(FeatureKind::Ema { n: 2, seed: EmaSeed::Sma }),
        spec(FeatureKind::Rsi { n: 3 }),
        spec(FeatureKind::Sma { n: 2 }),
        spec(FeatureKind::Momentum { n: 2 }),
        spec(FeatureKind::RealisedVol { n: 3 }),
        spec(FeatureKind::Macd { fast: 2, slow: 3, signal: 2, line: crate::features::MacdLine::Histogram }),
        spec(FeatureKind::Close),
    ]
}

fn all_features(panel: &Panel, ahead: &[u32]) -> Vec<Result<u64, Status>> {
    let view = panel.view(Timestamp(0), ahead);
    let ids = (0..panel.specs.len()).map(|at| FeatureId(at as u16));
    ids.flat_map(|id| view.feature(id).iter().map(|c| c.map(f64::to_bits)).collect::<Vec<_>>()).collect()
}

fn rows() -> impl Strategy<Value = Vec<Vec<i64>>> {
    prop::collection::vec(prop::collection::vec(prop_oneof![4 => 1_i64..500, 1 => Just(0)], 3), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Blocks of any size, and a snapshot in between, show the same features as one row at a time; a view inside a
    /// block shows what was known at its row.
    #[test]
    fn blocks_change_nothing(rows in rows(), cuts in prop::collection::vec(1_usize..7, 30), restore_at in 0_usize..10) {
        let refs: Vec<&[i64]> = rows.iter().map(Vec::as_slice).collect();
        let batch = Arc::new(closes(&refs));
        let mut one = Panel::new(universe(3), vec![batch.clone()], &needs());
        let expected: Vec<_> = (0..rows.len()).map(|row| {
            one.advance(FEED, row);
            (all_features(&one, &[0]), one.last(InstrumentId(1)))
        }).collect();

        let mut blocks = Panel::new(universe(3), vec![batch.clone()], &needs());
        let mut row = 0;
        for (i, cut) in cuts.iter().enumerate() {
            let to = (row + cut).min(rows.len());
            blocks.prepare(FEED, to, None);
            for (ahead, want) in (1..).zip(&expected[row..to]) {
                prop_assert_eq!(&all_features(&blocks, &[ahead]), &want.0);
            }
            for want in &expected[row..to] {
                blocks.advance(FEED, row);
                prop_assert_eq!(&all_features(&blocks, &[0]), &want.0);
                prop_assert_eq!(&blocks.last(InstrumentId(1)), &want.1);
                row += 1;
            }
            if i == restore_at {
                let mut e = Encoder::new();
                blocks.save(&mut e);
                blocks = Panel::new(universe(3), vec![batch.clone()], &needs());
                let mut d = Decoder::new(e.as_bytes());
                blocks.load(&mut d).unwrap();
                d.finish().unwrap();
            }
        }
    }
}

#[test]
fn equal_specs_are_one_column() {
    let panel = Panel::new(universe(3), vec![Arc::new(closes(&[&[1, 2, 3]]))], &needs());
    assert_eq!(panel.specs.len(), needs().len() - 1);
    assert!(panel.bindings().find(&needs()[3]).is_some());
    assert!(panel.bindings().find(&FeatureSpec { kind: FeatureKind::Rsi { n: 99 }, feed: FEED }).is_none());
}

#[test]
fn threads_change_nothing_above_one_chunk() {
    let n = 20_000;
    let rows: Vec<Vec<i64>> =
        (0..6).map(|k| (0..n).map(|i| 1 + ((i as i64 * 7_919 + k * 104_729) % 997)).collect()).collect();
    let refs: Vec<&[i64]> = rows.iter().map(Vec::as_slice).collect();
    let batch = Arc::new(closes(&refs));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let run = |pool: Option<&rayon::ThreadPool>| {
        let mut panel = Panel::new(universe(n), vec![batch.clone()], &needs());
        let mut seen = vec![];
        for row in 0..rows.len() {
            panel.prepare(FEED, row + 1, pool);
            panel.advance(FEED, row);
            seen.push(all_features(&panel, &[0]));
        }
        seen
    };
    assert!(run(None) == run(Some(&pool)));
}
