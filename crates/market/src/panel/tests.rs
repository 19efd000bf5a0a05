use super::*;
use crate::actions::Actions;
use crate::batch::BatchParts;
use crate::batch::tests::closes;
use crate::features::{Band, EmaSeed, IndicatorError, IndicatorSpec, MacdLine};
use crate::quality::{Check, Marks};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tradegraph_domain::{ActionKind, AssetClass, CorporateAction, Currency, Date, Instrument, Quantity, TradingStatus};
use tradegraph_quant::indicators::{INDICATORS, Indicator};

pub(crate) fn universe(n: usize) -> Arc<Universe> {
    let instrument = |i| Instrument {
        symbol: format!("S{i:05}"),
        class: AssetClass::Equity,
        currency: Currency::USD,
        venue: "TEST".into(),
        tick: Price::ZERO,
        lot: Quantity::from_units(1).unwrap(),
        multiplier: Quantity::ONE,
        status: TradingStatus::Active,
    };
    Arc::new(Universe::new((0..n).map(instrument).collect()).unwrap())
}

const FEED: FeedId = FeedId(0);

fn by_name(name: &str, parameters: &[f64], line: &str) -> FeatureKind {
    FeatureKind::Indicator(IndicatorSpec::new(name, parameters, line).unwrap())
}

/// Every kind of feature.
fn needs() -> Vec<FeatureSpec> {
    let macd = |seed, line| FeatureKind::Macd { fast: 2, slow: 3, signal: 2, seed, line };
    let bands = |line| FeatureKind::Bollinger { n: 4, width_pct: 150, line };
    [
        FeatureKind::Close,
        FeatureKind::Ema { n: 3, seed: EmaSeed::First },
        FeatureKind::Ema { n: 2, seed: EmaSeed::Sma },
        FeatureKind::Sma { n: 2 },
        FeatureKind::Rsi { n: 3 },
        macd(EmaSeed::Sma, MacdLine::Histogram),
        macd(EmaSeed::Sma, MacdLine::Macd),
        macd(EmaSeed::First, MacdLine::Signal),
        bands(Band::Upper),
        bands(Band::Middle),
        bands(Band::Lower),
        FeatureKind::ZScore { n: 4 },
        FeatureKind::Atr { n: 3 },
        FeatureKind::RollingHigh { n: 3 },
        FeatureKind::RollingLow { n: 3 },
        FeatureKind::Momentum { n: 2, skip: 0 },
        FeatureKind::Momentum { n: 5, skip: 2 },
        FeatureKind::RealisedVol { n: 3 },
        FeatureKind::AverageVolume { n: 3 },
        FeatureKind::MarketCorrelation { n: 4 },
        by_name("macd", &[2.0, 4.0, 2.0, 1.0], "signal"),
        by_name("average_volume", &[2.0], ""),
        by_name("confluence", &[1.0, 3.0, 5.0, 9.0], "boost"),
        by_name("confluence", &[1.0, 3.0, 5.0, 9.0], "level"),
        by_name("fibonacci_extensions", &[4.0, 0.0], "on_1618"),
        FeatureKind::Close,
    ]
    .map(|kind| FeatureSpec { kind, feed: FEED })
    .to_vec()
}

fn all_features(panel: &Panel, ahead: &[u32]) -> Vec<Result<u64, Status>> {
    let view = panel.view(Timestamp(0), ahead);
    let ids = (0..panel.specs.len()).map(|at| FeatureId(at as u16));
    ids.flat_map(|id| view.feature(id).iter().map(|c| c.map(f64::to_bits)).collect::<Vec<_>>()).collect()
}

const NANO: i64 = 1_000_000_000;

/// Bars around closes of whole units; 0 is a missing bar.
fn bars(rows: &[Vec<i64>]) -> BatchParts {
    let refs: Vec<&[i64]> = rows.iter().map(Vec::as_slice).collect();
    let mut parts = closes(&refs).parts().clone();
    parts.spec.has_open = true;
    let wiggle = |at: usize, c: i64| c + NANO * (at as i64 * 7_919 % 9) / 2;
    parts.high = parts.close.iter().enumerate().map(|(at, c)| wiggle(at, *c)).collect();
    parts.low = parts.close.iter().enumerate().map(|(at, c)| 2 * c - wiggle(at + 5, *c)).collect();
    parts.open = parts.low.clone();
    parts.volume = (0..parts.close.len()).map(|at| (at * 104_729 % 997) as f64).collect();
    parts
}

/// Corporate actions: (row, instrument, kind).
fn actions(batch: &Batch, items: &[(usize, u32, ActionKind)]) -> Adjustments {
    let of = |(row, i, kind): &(usize, u32, ActionKind)| {
        let ts = batch.interval(*row).start;
        CorporateAction { ts, instrument: InstrumentId(*i), kind: *kind, ex: ts.date() }
    };
    Adjustments::new(&Actions::new(items.iter().map(of).collect(), vec![]).unwrap(), batch)
}

const fn split(new: u32, old: u32) -> ActionKind {
    ActionKind::Split { new, old }
}

/// Splits and dividends, at most one of a kind a row and instrument.
fn some_actions(n: u32) -> impl Strategy<Value = Vec<(usize, u32, ActionKind)>> {
    let kind = prop_oneof![
        (1_u32..4, 1_u32..4).prop_map(|(new, old)| split(new, old)),
        (1_i64..3).prop_map(|d| ActionKind::Dividend { amount: Price::from_nano(d * NANO), pay: Date(0) }),
    ];
    prop::collection::btree_map((0_usize..30, 0..n), kind, 0..6)
        .prop_map(|map| map.into_iter().map(|((row, i), kind)| (row, i, kind)).collect())
}

/// Splits of new for old by row and instrument.
type Splits = BTreeMap<(usize, u32), (u32, u32)>;

/// How many of the last row's units one unit of this cell is.
fn later(items: &Splits, row: usize, i: usize) -> (i64, i64) {
    let of = items.iter().filter(|((at, who), _)| *at > row && *who as usize == i).map(|(_, ratio)| *ratio);
    of.fold((1, 1), |(new, old), (n, o)| (new * i64::from(n), old * i64::from(o)))
}

/// What was traded, if these are the bars of three instruments in the units of the last row: exact for closes of whole
/// units and wiggles of halves, since 10⁹ / 2 can be halved eight times.
fn before_splits(adjusted: &BatchParts, items: &Splits) -> BatchParts {
    let mut raw = adjusted.clone();
    for at in 0..raw.close.len() {
        let (new, old) = later(items, at / 3, at % 3);
        for column in [&mut raw.open, &mut raw.high, &mut raw.low, &mut raw.close] {
            assert_eq!(column[at] * new % old, 0);
            column[at] = column[at] * new / old;
        }
        raw.volume[at] *= old as f64 / new as f64;
    }
    raw
}

/// Every feature after every row, one row at a time.
fn one_by_one(mut panel: Panel, pool: Option<&rayon::ThreadPool>) -> Vec<Vec<Result<u64, Status>>> {
    (0..panel.batch(FEED).unwrap().rows())
        .map(|row| {
            panel.prepare(FEED, row + 1, pool);
            panel.advance(FEED, row);
            all_features(&panel, &[0])
        })
        .collect()
}

fn rows() -> impl Strategy<Value = Vec<Vec<i64>>> {
    prop::collection::vec(prop::collection::vec(prop_oneof![4 => 1_i64..500, 1 => Just(0)], 3), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Blocks of any size, and a snapshot in between, show the same features as one row at a time; a view inside a
    /// block shows what was known at its row.
    #[test]
    fn blocks_change_nothing(
        rows in rows(),
        cuts in prop::collection::vec(1_usize..7, 30),
        restore_at in 0_usize..10,
        whole_bars in prop::bool::ANY,
        items in some_actions(3),
    ) {
        let refs: Vec<&[i64]> = rows.iter().map(Vec::as_slice).collect();
        let batch = Arc::new(if whole_bars { Batch::new(bars(&rows)).unwrap() } else { closes(&refs) });
        let items: Vec<_> = items.into_iter().filter(|(row, ..)| *row < rows.len()).collect();
        let fresh = || {
            let adjustments = vec![actions(&batch, &items)];
            Panel::with_adjustments(universe(3), vec![batch.clone()], adjustments, &needs())
        };
        let mut one = fresh();
        let expected: Vec<_> = (0..rows.len()).map(|row| {
            one.advance(FEED, row);
            (all_features(&one, &[0]), one.last(InstrumentId(1)))
        }).collect();

        let mut blocks = fresh();
        let mut row = 0;
        for (i, cut) in cuts.iter().enumerate() {
            let to = (row + cut).min(rows.len());
            blocks.prepare(FEED, to, None);
            if let Some(known) = row.checked_sub(1) {
                prop_assert_eq!(&all_features(&blocks, &[0]), &expected[known].0, "what is known stays");
            }
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
                blocks = fresh();
                let mut d = Decoder::new(e.as_bytes());
                blocks.load(&mut d).unwrap();
                d.finish().unwrap();
            }
        }
    }

    /// Raw prices with their splits give the features of the split-adjusted series: scale-free ones as they are, levels
    /// in the units of their row.
    #[test]
    fn splits_are_seen_through(
        cells in prop::collection::vec((1_i64..400, 0_u32..8), 3 * 40),
        items in prop::collection::btree_map(
            (1_usize..40, 0_u32..3), prop_oneof![Just((2, 1)), Just((3, 1)), Just((3, 2)), Just((1, 4))], 0..4),
    ) {
        // No close is that of the bar before, so that no move is rounding alone.
        let mut last = [0; 3];
        let mut row_of = |row: &[(i64, u32)]| -> Vec<i64> {
            let next = |(last, (c, dice)): (&mut i64, &(i64, u32))| {
                if *dice == 0 {
                    return 0;
                }
                *last = if c == last { c + 1 } else { *c };
                *last
            };
            last.iter_mut().zip(row).map(next).collect()
        };
        let rows: Vec<Vec<i64>> = cells.chunks(3).map(&mut row_of).collect();
        let adjusted = bars(&rows);
        let later = |row, i| later(&items, row, i);
        let raw = before_splits(&adjusted, &items);
        let raw = Arc::new(Batch::new(raw).unwrap());
        let splits: Vec<_> = items.iter().map(|((row, i), (new, old))| (*row, *i, split(*new, *old))).collect();
        let steps = vec![actions(&raw, &splits)];
        let from_raw = one_by_one(Panel::with_adjustments(universe(3), vec![raw], steps, &needs()), None);
        let reference = Panel::new(universe(3), vec![Arc::new(Batch::new(adjusted).unwrap())], &needs());
        let specs = reference.specs.clone();
        for (row, (got, want)) in from_raw.iter().zip(one_by_one(reference, None)).enumerate() {
            for (at, (got, want)) in got.iter().zip(&want).enumerate() {
                let (kind, i) = (specs[at / 3].kind, at % 3);
                let (new, old) = later(row, i);
                if kind == FeatureKind::Close {
                    // It is in the units of its bar, which a row without a bar repeats.
                    continue;
                }
                let (scale, ratio) = (kind.scale(), new as f64 / old as f64);
                let unit = ratio.powi(scale.price.into()) / ratio.powi(scale.volume.into());
                match (got.map(f64::from_bits), want.map(f64::from_bits)) {
                    (Ok(got), Ok(want)) => {
                        let want = want * unit;
                        let off = (got - want).abs();
                        prop_assert!(off <= 1e-12 * want.abs().max(unit), "{:?} row {}: {} is not {}", kind, row, got, want);
                    }
                    (got, want) => prop_assert_eq!(got, want, "{:?} row {}", kind, row),
                }
            }
        }
    }
}

/// Factors that are powers of two round nothing: every line of every indicator is that of the adjusted series to the bit.
#[test]
fn two_for_one_leaves_no_trace_in_any_indicator() {
    let rows: Vec<Vec<i64>> =
        (0..90).map(|k| (0..3).map(|i| 50 + (k * k * 7 + i * 31 + k * i) % 83).collect()).collect();
    let items = Splits::from([((20, 0), (2, 1)), ((33, 1), (1, 4)), ((35, 0), (4, 1)), ((35, 2), (2, 1))]);
    let lines = INDICATORS.iter().flat_map(|of| of.lines.iter().map(move |line| (of, line.name)));
    let defaults = |of: &Indicator| -> Vec<f64> {
        of.parameters.iter().map(|p| if p.whole { p.least.max(p.default.min(8.0)) } else { p.default }).collect()
    };
    let needs: Vec<FeatureSpec> =
        lines.map(|(of, line)| FeatureSpec { kind: by_name(of.name, &defaults(of), line), feed: FEED }).collect();
    let adjusted = bars(&rows);
    let raw = Arc::new(Batch::new(before_splits(&adjusted, &items)).unwrap());
    let splits: Vec<_> = items.iter().map(|((row, i), (new, old))| (*row, *i, split(*new, *old))).collect();
    let steps = vec![actions(&raw, &splits)];
    let got = one_by_one(Panel::with_adjustments(universe(3), vec![raw], steps, &needs), None);
    let reference = Panel::new(universe(3), vec![Arc::new(Batch::new(adjusted).unwrap())], &needs);
    let specs = reference.specs.clone();
    let mut values = vec![0; specs.len()];
    for (row, (got, want)) in got.iter().zip(one_by_one(reference, None)).enumerate() {
        for (at, (got, want)) in got.iter().zip(&want).enumerate() {
            let (new, old) = later(&items, row, at % 3);
            let (scale, ratio) = (specs[at / 3].kind.scale(), new as f64 / old as f64);
            let unit = ratio.powi(scale.price.into()) / ratio.powi(scale.volume.into());
            let want = want.map(|x| (f64::from_bits(x) * unit).to_bits());
            assert_eq!(*got, want, "{:?} row {row}", specs[at / 3].kind);
            values[at / 3] += usize::from(got.is_ok());
        }
    }
    assert!(values.iter().all(|n| *n > 60), "{values:?}");
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
        (0..8).map(|k| (0..n).map(|i| 100 + ((i as i64 * 7_919 + k * 104_729) % 997)).collect()).collect();
    let parts = bars(&rows);
    let items = [(2, 3, split(2, 1)), (3, 8_195, split(3, 1)), (6, 19_999, split(1, 5)), (6, 8_195, split(2, 1))];
    let batch = Arc::new(Batch::new(parts.clone()).unwrap());
    let fresh = |batch: &Arc<Batch>, n, items: &[_]| {
        Panel::with_adjustments(universe(n), vec![batch.clone()], vec![actions(batch, items)], &needs())
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let alone = one_by_one(fresh(&batch, n, &items), None);
    assert!(alone == one_by_one(fresh(&batch, n, &items), Some(&pool)));

    // Ten instruments across the border of two chunks, in a panel of their own.
    let first = 8_190;
    let cut = |column: &[i64]| column.chunks(n).flat_map(|row| row[first..first + 10].to_vec()).collect();
    let few = BatchParts {
        width: 10,
        open: cut(&parts.open),
        high: cut(&parts.high),
        low: cut(&parts.low),
        close: cut(&parts.close),
        volume: parts.volume.chunks(n).flat_map(|row| row[first..first + 10].to_vec()).collect(),
        status: vec![Status::Ok; 10 * rows.len()],
        ..parts
    };
    let few = Arc::new(Batch::new(few).unwrap());
    let panel = fresh(&few, 10, &[(3, 5, split(3, 1)), (6, 5, split(2, 1))]);
    let specs = panel.specs.clone();
    for (all, few) in alone.iter().zip(one_by_one(panel, None)) {
        // The market is another one for ten instruments.
        for (at, spec) in specs.iter().enumerate().filter(|(_, s)| !s.kind.inputs().has(Inputs::OTHER)) {
            assert_eq!(all[at * n + first..][..10], few[at * 10..][..10], "{:?}", spec.kind);
        }
    }
}

#[test]
fn what_a_series_does_not_have_is_not_applicable() {
    let rows: Vec<Vec<i64>> = (0..9).map(|k| vec![10 + k, 20, 30]).collect();
    let refs: Vec<&[i64]> = rows.iter().map(Vec::as_slice).collect();
    let panel = Panel::new(universe(3), vec![Arc::new(closes(&refs))], &needs());
    let specs = panel.specs.clone();
    let last = one_by_one(panel, None).pop().unwrap();
    for (at, spec) in specs.iter().enumerate() {
        let lacks = matches!(
            spec.kind,
            FeatureKind::Atr { .. }
                | FeatureKind::RollingHigh { .. }
                | FeatureKind::RollingLow { .. }
                | FeatureKind::AverageVolume { .. }
        ) || spec.kind == by_name("average_volume", &[2.0], "")
            || spec.kind.inputs().has(Inputs::RANGE);
        assert_eq!(last[at * 3] == Err(Status::NotApplicable), lacks, "{:?}", spec.kind);
    }
    let mut parts = bars(&rows);
    parts.volume.clear();
    let panel = Panel::new(universe(3), vec![Arc::new(Batch::new(parts).unwrap())], &needs());
    let last = one_by_one(panel, None).pop().unwrap();
    for (at, spec) in specs.iter().enumerate() {
        let lacks = spec.kind.inputs().has(Inputs::VOLUME);
        assert_eq!(last[at * 3] == Err(Status::NotApplicable), lacks, "{:?}", spec.kind);
    }
}

#[test]
fn the_market_is_the_mean_of_the_returns_that_are_there() {
    let rows: Vec<Vec<i64>> = vec![
        vec![100, 50, 0],
        vec![110, 0, 10],
        vec![99, 55, 11],
        vec![120, 44, 0],
        vec![108, 60, 12],
        vec![130, 61, 9],
        vec![125, 70, 10],
    ];
    let refs: Vec<&[i64]> = rows.iter().map(Vec::as_slice).collect();
    let need = [FeatureSpec { kind: FeatureKind::MarketCorrelation { n: 3 }, feed: FEED }];
    let got = one_by_one(Panel::new(universe(3), vec![Arc::new(closes(&refs))], &need), None);

    let mut pairs: [Vec<(f64, f64)>; 3] = Default::default();
    let mut last: [Option<f64>; 3] = [None; 3];
    for (row, got) in rows.iter().zip(&got) {
        let there = |(i, c): (usize, &i64)| Some((i, (*c as f64 / last[i]?).ln())).filter(|_| *c > 0);
        let returns: Vec<(usize, f64)> = row.iter().enumerate().filter_map(there).collect();
        let market = returns.iter().map(|(_, r)| r).sum::<f64>() / returns.len() as f64;
        returns.iter().for_each(|(i, r)| pairs[*i].push((*r, market)));
        for (last, c) in last.iter_mut().zip(row) {
            *last = if *c > 0 { Some(*c as f64) } else { *last };
        }
        for (i, pairs) in pairs.iter().enumerate() {
            let Some(from) = pairs.len().checked_sub(3) else {
                assert_eq!(got[i], Err(if last[i].is_some() { Status::WarmUp } else { Status::NoData }));
                continue;
            };
            let w = &pairs[from..];
            let mean = |of: fn(&(f64, f64)) -> f64| w.iter().map(of).sum::<f64>() / 3.0;
            let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
            let sum = |of: &dyn Fn(&(f64, f64)) -> f64| w.iter().map(of).sum::<f64>();
            let xy = sum(&|p| (p.0 - mx) * (p.1 - my));
            let want = xy / (sum(&|p| (p.0 - mx).powi(2)) * sum(&|p| (p.1 - my).powi(2))).sqrt();
            assert!((f64::from_bits(got[i].unwrap()) - want).abs() < 1e-12);
        }
    }
}

/// A dividend of a tenth, two for one: what an agent reads before and after, by hand.
#[test]
fn features_around_actions_by_hand() {
    let close = [[100, 100], [110, 110], [99, 55], [108, 60], [99, 55]];
    let rows: Vec<Vec<i64>> = close.iter().map(|r| r.to_vec()).collect();
    let batch = Arc::new(Batch::new(bars(&rows)).unwrap());
    let dividend = ActionKind::Dividend { amount: Price::from_nano(11 * NANO), pay: Date(0) };
    let items = [(2, 0, dividend), (2, 1, split(2, 1))];
    let spec = |kind| FeatureSpec { kind, feed: FEED };
    let need = [FeatureKind::Momentum { n: 1, skip: 0 }, FeatureKind::Sma { n: 2 }, FeatureKind::Close].map(spec);
    let mut panel = Panel::with_adjustments(universe(2), vec![batch.clone()], vec![actions(&batch, &items)], &need);
    let ids = need.map(|s| panel.bindings().find(&s).unwrap());
    let mut read = |row| {
        panel.advance(FEED, row);
        let [momentum, sma, close] = ids.map(|id| panel.view(Timestamp(0), &[0]).feature(id));
        [0, 1].map(|i| [momentum.get(i), sma.get(i), close.get(i)].map(|x| (x.unwrap_or(f64::NAN) * 1e9).round() / 1e9))
    };
    read(0);
    assert_eq!(read(1), [[0.1, 105.0, 110.0]; 2]);
    // A holder of instrument 0 got 11 and has 99: nothing was lost. The averages are in the units of the row: the close
    // before counts as 99, and as 55.
    assert_eq!(read(2), [[0.0, 99.0, 99.0], [0.0, 55.0, 55.0]]);
    assert_eq!(read(3)[1], [(60.0_f64 / 55.0 * 1e9).round() / 1e9 - 1.0, 57.5, 60.0].map(|x| (x * 1e9).round() / 1e9));
}

#[test]
fn a_feed_without_actions_is_as_it_was() {
    let rows: Vec<Vec<i64>> = (0..9).map(|k| vec![10 + k, 20, 30 - k]).collect();
    let batch = Arc::new(Batch::new(bars(&rows)).unwrap());
    let none = vec![Adjustments::default()];
    let panel = Panel::with_adjustments(universe(3), vec![batch.clone()], none, &needs());
    assert!(panel.feeds[0].factors.is_none());
    // Factors of 1 change no bit either.
    let later = vec![actions(&batch, &[(8, 0, split(2, 1))])];
    let plain = one_by_one(Panel::new(universe(3), vec![batch.clone()], &needs()), None);
    let with_later = one_by_one(Panel::with_adjustments(universe(3), vec![batch], later, &needs()), None);
    assert_eq!(plain[..8], with_later[..8]);
}

#[test]
fn a_split_turns_the_last_price() {
    let row = vec![100, 7, 0];
    let mut panel = Panel::new(universe(3), vec![Arc::new(closes(&[&row]))], &[]);
    panel.advance(FEED, 0);
    let nano = |panel: &Panel, i| panel.last(InstrumentId(i)).map(|(p, _)| p.nano());
    panel.rescale(InstrumentId(0), 2, 1);
    assert_eq!(nano(&panel, 0), Some(50 * NANO));
    panel.rescale(InstrumentId(0), 1, 4);
    assert_eq!(nano(&panel, 0), Some(200 * NANO));
    // A third of 7 rounds down; half of 2.333333333 and half of its half are ties, which go to the even neighbour.
    panel.rescale(InstrumentId(1), 3, 1);
    assert_eq!(nano(&panel, 1), Some(2_333_333_333));
    panel.rescale(InstrumentId(1), 2, 1);
    assert_eq!(nano(&panel, 1), Some(1_166_666_666));
    panel.rescale(InstrumentId(1), 4, 1);
    assert_eq!(nano(&panel, 1), Some(291_666_666));
    // Nothing is known of the third, the fourth does not exist, a ratio with a zero is none.
    panel.rescale(InstrumentId(2), 2, 1);
    panel.rescale(InstrumentId(3), 2, 1);
    panel.rescale(InstrumentId(0), 0, 1);
    panel.rescale(InstrumentId(0), 1, 0);
    panel.rescale(InstrumentId(0), 1, u32::MAX);
    assert_eq!((nano(&panel, 0), nano(&panel, 2), nano(&panel, 3)), (Some(200 * NANO), None, None));
}

#[test]
fn indicators_by_name() {
    let new = IndicatorSpec::new;
    let bands = new("bollinger", &[20.0, 2.5], "lower").unwrap();
    assert_eq!((bands.indicator().name, bands.parameters()), ("bollinger", vec![20.0, 2.5]));
    let message = |e: Result<IndicatorSpec, IndicatorError>| e.unwrap_err().to_string();
    assert_eq!(message(new("bolinger", &[], "")), "there is no indicator 'bolinger'");
    assert_eq!(message(new("bollinger", &[20.0], "lower")), "bollinger takes 2 parameters, not 1");
    assert_eq!(
        message(new("bollinger", &[2.5, 2.0], "lower")),
        "n of bollinger must be a whole number from 2 to 10000"
    );
    assert_eq!(
        message(new("bollinger", &[9.0, f64::NAN], "lower")),
        "width of bollinger must be a number from 0 to 100"
    );
    assert_eq!(message(new("bollinger", &[9.0, 2.0], "")), "bollinger has no line ''");
}

#[test]
fn doubts_are_remembered_for_twenty_bars() {
    let rows: Vec<Vec<i64>> = (0..60).map(|k| vec![100 + k % 3, 50]).collect();
    let slices: Vec<&[i64]> = rows.iter().map(Vec::as_slice).collect();
    let plain = crate::batch::tests::closes(&slices);
    let mut marks = vec![Marks::NONE; 120];
    marks[2 * 10] = Marks::NONE.with(Check::Outlier);
    let batch = Arc::new(plain.clone().with_marks(marks).unwrap());
    let doubtful = |batch: &Arc<Batch>, from: usize| -> Vec<usize> {
        let mut panel = Panel::new(universe(2), vec![batch.clone()], &[]);
        let mut seen = Vec::new();
        for row in 0..60 {
            panel.advance(FeedId(0), row);
            if row + 1 == from {
                let mut to = Encoder::new();
                panel.save(&mut to);
                panel = Panel::new(universe(2), vec![batch.clone()], &[]);
                panel.load(&mut Decoder::new(&to.into_bytes())).unwrap();
            }
            assert!(!panel.is_doubtful(InstrumentId(1)));
            if panel.is_doubtful(InstrumentId(0)) {
                seen.push(row);
            }
        }
        seen
    };
    let expected: Vec<usize> = (10..30).collect();
    for restored in [0, 5, 11, 20, 30, 31] {
        assert_eq!(doubtful(&batch, restored), expected, "{restored}");
    }
    assert!(doubtful(&Arc::new(plain), 0).is_empty());
}

/// Counted in rows of the feed, whatever lies prepared ahead.
#[test]
fn a_view_counts_rows_and_knows_who_trades() {
    let rows: Vec<Vec<i64>> = (0..9).map(|k| vec![10 + k, if k < 4 { 20 } else { 0 }, 0]).collect();
    let refs: Vec<&[i64]> = rows.iter().map(Vec::as_slice).collect();
    let mut panel = Panel::new(universe(3), vec![Arc::new(closes(&refs))], &[]);
    let traded = |view: &View<'_>, rows| [0, 1, 2].map(|i| view.has_traded(FEED, InstrumentId(i), rows));
    assert_eq!(
        (panel.view(Timestamp(0), &[0]).known(FEED), traded(&panel.view(Timestamp(0), &[0]), 3)),
        (0, [false; 3])
    );
    panel.advance(FEED, 0);
    panel.advance(FEED, 1);
    for (ahead, rows, expected) in [
        (0, 1, [true, true, false]),
        (2, 1, [true, true, false]),
        (3, 1, [true, false, false]),
        (3, 2, [true, true, false]),
    ] {
        let at = [ahead];
        let view = panel.view(Timestamp(0), &at);
        assert_eq!((view.known(FEED), traded(&view, rows)), (2 + ahead as usize, expected), "{ahead} {rows}");
    }
    assert!(!panel.view(Timestamp(0), &[0]).has_traded(FeedId(3), InstrumentId(0), 9));
}
