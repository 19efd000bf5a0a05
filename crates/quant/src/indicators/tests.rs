//! All indicators: against TA-Lib and numpy, all forms against each other, edges, snapshots. Every test goes through
//! the registry, so a new indicator is tested by its line there and its columns in the oracle table.

use super::*;
use proptest::prelude::*;

type Cell = (f64, Status);

/// Parameters for property tests: the least ones plus `size` bars, the default of what is no count.
fn small(indicator: &Indicator, size: usize) -> Vec<f64> {
    let value = |(at, p): (usize, &Parameter)| match p.whole {
        true => (p.least + ((size + 2 * at) % 9) as f64).min(p.most),
        false => p.default,
    };
    indicator.parameters.iter().enumerate().map(value).collect()
}

/// A column's name in the oracle table: `name(parameters).line`.
fn column(header: &str) -> (&'static Indicator, Vec<f64>, usize) {
    let (name, rest) = header.split_once('(').unwrap();
    let (parameters, line) = rest.split_once(')').unwrap();
    let indicator = Indicator::find(name).unwrap_or_else(|| panic!("no indicator {name}"));
    let line = line.trim_start_matches('.');
    let at = indicator.lines.iter().position(|l| l.name == line).unwrap_or_else(|| panic!("no line {header}"));
    let parameters: Vec<f64> = parameters.split_whitespace().map(|p| p.parse().unwrap()).collect();
    assert_eq!(parameters.len(), indicator.parameters.len(), "{header}");
    (indicator, parameters, at)
}

#[test]
fn equals_ta_lib() {
    let table = include_str!("../../oracles/indicators.csv");
    let mut lines = table.lines().filter(|l| !l.starts_with('#'));
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect()).collect();
    let mut worst: Vec<(f64, usize)> = vec![(0.0, 0); names.len()];
    for name in ["aapl", "btcusd", "wave", "late", "constant", "short"] {
        let rows: Vec<_> = rows.iter().filter(|r| r[0] == name).collect();
        assert!(rows.len() >= 10, "{name}");
        let input = |c: usize| -> Vec<f64> { rows.iter().map(|r| r[c].parse().unwrap_or(f64::NAN)).collect() };
        let fields: Vec<Vec<f64>> = (1..7).map(input).collect();
        let bars = Bars {
            open: &fields[0],
            high: &fields[1],
            low: &fields[2],
            close: &fields[3],
            volume: &fields[4],
            other: &fields[5],
            ..Bars::default()
        };
        for (c, header) in names.iter().enumerate().skip(7) {
            let (indicator, parameters, line) = column(header);
            let Scale { price, volume } = indicator.lines[line].scale;
            // Differences cross zero: an error is relative to the value, or to a millionth of the line's largest or of
            // its unit.
            let largest = rows.iter().filter_map(|r| r[c].parse::<f64>().ok()).fold(0.0, |a: f64, b| a.max(b.abs()));
            let unit = |i: usize| bars.close[i].abs().powi(price.into()) * bars.volume[i].powi(volume.into());
            let floor = |i: usize| 1e-6 * largest.max(unit(i));
            let actual = &indicator.series(&parameters, &bars)[line];
            assert_eq!(actual.len(), rows.len());
            for (i, (a, row)) in actual.iter().zip(&rows).enumerate() {
                assert_eq!(a.is_nan(), row[c].is_empty(), "{name} {header} bar {i}: {a} instead of '{}'", row[c]);
                if !a.is_nan() {
                    let e: f64 = row[c].parse().unwrap();
                    let error = (a - e).abs() / e.abs().max(floor(i));
                    assert!(error <= 1e-9, "{name} {header} bar {i}: {a} instead of {e}");
                    worst[c] = (worst[c].0.max(error), worst[c].1 + 1);
                }
            }
        }
    }
    for (header, (error, compared)) in names.iter().zip(&worst).skip(7) {
        println!("{header}: {compared} values, worst relative error {error:.1e}");
        assert!(*compared > 100, "{header}: only {compared} values were compared");
    }
    for indicator in INDICATORS.iter().filter(|i| !i.name.starts_with(CANDLE)) {
        for line in indicator.lines {
            let has = |h: &&&str| column(h).0.name == indicator.name && h.ends_with(&format!(").{}", line.name));
            let only = |h: &&&str| line.name.is_empty() && column(h).0.name == indicator.name;
            assert!(
                names.iter().skip(7).any(|h| has(&h) || only(&h)),
                "no oracle for {} {}",
                indicator.name,
                line.name
            );
        }
    }
}

/// Averages over given periods, and stops with all their parameters, which have no name in the registry.
#[test]
fn variants_equal_ta_lib() {
    let table = include_str!("../../oracles/indicators_variants.csv");
    let mut lines = table.lines().filter(|l| !l.starts_with('#'));
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect()).collect();
    let mut compared = 0;
    for rows in rows.chunk_by(|a, b| a[0] == b[0]) {
        let input = |c: usize| -> Vec<f64> { rows.iter().map(|r| r[c].parse().unwrap_or(f64::NAN)).collect() };
        let [high, low, close, other] = [input(1), input(2), input(3), input(4)];
        let bars = Bars { high: &high, low: &low, close: &close, other: &other, ..Bars::default() };
        for (c, name) in names.iter().enumerate().skip(5) {
            let (function, parameters) = name.split_once(' ').unwrap();
            let p: Vec<f64> = parameters.split(' ').map(|p| p.parse().unwrap()).collect();
            let actual = if function == "mavp" {
                let [mean] = VariableAverage::columns(1, p[0] as usize, p[1] as usize).series(&bars);
                mean
            } else {
                let pace = |at: usize| Pace { first: p[at], step: p[at + 1], most: p[at + 2] };
                let [stop, trend] = ParabolicSarExtended::columns(1, p[0], p[1], pace(2), pace(5)).series(&bars);
                stop.iter().zip(trend).map(|(stop, trend)| stop * trend).collect()
            };
            for (i, (a, row)) in actual.iter().zip(rows).enumerate() {
                assert_eq!(a.is_nan(), row[c].is_empty(), "{} {name} bar {i}: {a} instead of '{}'", row[0], row[c]);
                if !a.is_nan() {
                    let e: f64 = row[c].parse().unwrap();
                    assert!((a - e).abs() <= 1e-9 * e.abs(), "{} {name} bar {i}: {a} instead of {e}", row[0]);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 2_000, "only {compared}");
}

/// The price that stands still has no phase; the cycle of a sine is found, and its crossings are a mode of their own.
#[test]
fn the_cycle_of_a_sine() {
    let flat = HilbertPhase::columns(1).series(&Bars::closes(&[12.34; 200]));
    assert!(flat[0][150..].iter().all(|x| x.is_nan()));
    for period in [10.0, 18.0, 30.0] {
        let close: Vec<f64> =
            (0..400).map(|t| 100.0 + libm::sin(f64::from(t) * std::f64::consts::TAU / period)).collect();
        let bars = Bars::closes(&close);
        let [found] = HilbertPeriod::columns(1).series(&bars);
        assert!((found[399] / period - 1.0).abs() < 0.05, "{} for {period}", found[399]);
        let [line] = HilbertTrendline::columns(1).series(&bars);
        assert!((line[399] - 100.0).abs() < 0.05, "{}", line[399]);
        let [mode] = HilbertTrendMode::columns(1).series(&bars);
        assert!(mode[200..].iter().all(|m| *m == 0.0));
    }
}

const CANDLE: &str = "candle_";

/// Exactly, from the same bar on, each pattern with each value that it can have.
#[test]
fn candle_patterns_equal_ta_lib() {
    let table = include_str!("../../oracles/indicators_candles.csv");
    let rows: Vec<Vec<&str>> =
        table.lines().filter(|l| !l.starts_with('#')).skip(1).map(|l| l.split(',').collect()).collect();
    let patterns: Vec<&Indicator> = INDICATORS.iter().filter(|i| i.name.starts_with(CANDLE)).collect();
    assert_eq!(patterns.len(), 61);
    let mut seen = vec![std::collections::BTreeMap::new(); patterns.len()];
    let mut compared = 0;
    for rows in rows.chunk_by(|a, b| a[0] == b[0]) {
        let input = |c: usize| -> Vec<f64> { rows.iter().map(|r| r[c].parse().unwrap_or(f64::NAN)).collect() };
        let [open, high, low, close] = [input(1), input(2), input(3), input(4)];
        let bars = Bars { open: &open, high: &high, low: &low, close: &close, ..Bars::default() };
        for (pattern, seen) in patterns.iter().zip(&mut seen) {
            let defaults: Vec<f64> = pattern.parameters.iter().map(|p| p.default).collect();
            let [actual] = &pattern.series(&defaults, &bars)[..] else { panic!("one line") };
            let mut none = f64::NAN;
            for (i, (row, actual)) in rows.iter().zip(actual).enumerate() {
                let cell = |found: &str| -> Option<f64> {
                    let (name, value) = found.split_once(':').unwrap();
                    (name == &pattern.name[CANDLE.len()..]).then(|| value.parse().unwrap())
                };
                let expected = row[5].split_whitespace().find_map(cell);
                none = if expected.is_some() { 0.0 } else { none };
                let expected = expected.unwrap_or(none);
                let equal = expected == *actual || (expected.is_nan() && actual.is_nan());
                assert!(equal, "{} {} bar {i}: {actual} instead of {expected}", row[0], pattern.name);
                if expected.abs() > 0.0 {
                    *seen.entry(expected as i32).or_insert(0) += 1;
                }
                compared += 1;
            }
        }
    }
    let values: usize = seen.iter().map(|s| s.len()).sum();
    println!("{compared} cells, {values} values of {} patterns", patterns.len());
    assert_eq!(values, 98, "{seen:?}");
    for (pattern, seen) in patterns.iter().zip(&seen) {
        assert!(seen.values().all(|n| *n >= 3), "{} only {seen:?}", pattern.name);
    }
}

#[test]
fn the_registry_describes_its_kernels() {
    for pair in INDICATORS.windows(2) {
        assert!(pair[0].name < pair[1].name, "{} is out of order", pair[1].name);
    }
    for indicator in INDICATORS {
        let kernel = (indicator.kernel)(2, &small(indicator, 3));
        assert_eq!(kernel.lines(), indicator.lines.len(), "{}", indicator.name);
        // What a feature of the panel has room for.
        assert!(indicator.lines.len() <= 8 && indicator.parameters.len() <= 4, "{}", indicator.name);
        for p in indicator.parameters {
            assert!(p.least <= p.default && p.default <= p.most, "{} {}", indicator.name, p.name);
        }
    }
}

#[test]
fn edges_of_every_kernel() {
    for indicator in INDICATORS {
        for size in [0, 1, 5] {
            let parameters = small(indicator, size);
            assert!(indicator.series(&parameters, &Bars::default()).iter().all(Vec::is_empty));
            (indicator.kernel)(0, &parameters).update_block(
                &Bars::default(),
                &[],
                3,
                &mut empty(indicator.lines.len()),
            );
        }
        let mut k = (indicator.kernel)(1, &small(indicator, 4));
        let whole = Market::of(
            1,
            3,
            vec![[5.0, 6.0, 4.0, 5.5, 100.0, 7.0]; 3],
            vec![Status::Stale, Status::Ok, Status::Halted],
        );
        let cells = whole.run(k.as_mut(), 0, 3);
        assert_eq!(cells[0][0], (0.0, Status::NoData), "{}", indicator.name);
        assert!(matches!(cells[1][0].1, Status::WarmUp | Status::Ok), "{}", indicator.name);
        assert_eq!(cells[2], cells[1], "{}", indicator.name);
    }
}

fn empty(lines: usize) -> Vec<Out<'static>> {
    (0..lines).map(|_| Out::default()).collect()
}

#[test]
fn a_constant_series_gives_exact_values() {
    for x in [12.34, 0.1, 1e-9, 6e9] {
        let close = [x; 100];
        let last = |series: Vec<f64>| series[99];
        assert_eq!(last(ema(&close, 1, Seed::Sma)), x);
        assert_eq!(last(ema(&close, 9, Seed::First)), x);
        assert_eq!(last(rsi(&close, 14)), 0.0);
        assert_eq!(last(momentum(&close, 10, 3)), 0.0);
        assert_eq!(last(realised_vol(&close, 20)), 0.0);
        assert!((last(sma(&close, 7)) / x - 1.0).abs() < 1e-15);
        assert_eq!(last(ema(&close, 9, Seed::Sma)), x);
        for seed in [Seed::Sma, Seed::First] {
            let lines = macd(&close, 12, 26, 9, seed);
            assert_eq!([last(lines.macd), last(lines.signal), last(lines.hist)], [0.0; 3]);
        }
        let bands = bollinger(&close, 20, 2.0);
        assert_eq!([last(bands.upper), last(bands.middle), last(bands.lower)], [x; 3]);
        assert_eq!(last(atr(&close, &close, &close, 14)), 0.0);
        assert!(last(z_score(&close, 20)).is_nan());
        assert!(last(correlation(&close, &[1.0, 2.0].repeat(50), 20)).is_nan());
    }
}

#[test]
fn prices_without_a_return() {
    let close = [1.0, 2.0, 0.0, -2.0, 4.0, 8.0, 4.0, 2.0];
    let got = momentum(&close, 1, 0);
    let none = |v: &[f64]| v.iter().map(|x| x.is_nan()).collect::<Vec<_>>();
    assert_eq!(none(&got), [true, false, false, true, true, false, false, false]);
    assert_eq!(got[5..], [1.0, -0.5, -0.5]);
    // Two returns are there again at bar 6: ln 2 and −ln 2, whose sample deviation is √2 ln 2.
    let vol = realised_vol(&close, 2);
    assert_eq!(none(&vol), [true, true, true, true, true, true, false, false]);
    assert!((vol[6] - std::f64::consts::SQRT_2 * std::f64::consts::LN_2).abs() < 1e-15);
    assert_eq!(vol[7], 0.0);
}

#[test]
fn a_spike_leaves_nothing_behind() {
    let mut close = vec![1.0; 40];
    close[3] = 1e12;
    assert_eq!(sma(&close, 5)[39], 1.0);
    assert_eq!(realised_vol(&close, 5)[39], 0.0);
    // Flat again as soon as the spike has left the window, not only when sums are taken afresh.
    assert_eq!(bollinger(&close, 5, 2.0).upper[8], 1.0);
    assert!(z_score(&close, 5)[8].is_nan());
}

#[test]
fn a_series_correlates_with_itself() {
    let x: Vec<f64> = (0..50).map(|i| f64::from(i * i % 17)).collect();
    let turned: Vec<f64> = x.iter().map(|x| 3.0 - 2.0 * x).collect();
    for (a, b) in correlation(&x, &x, 9).iter().zip(correlation(&x, &turned, 9)).skip(8) {
        assert!((a - 1.0).abs() < 1e-14 && (b + 1.0).abs() < 1e-14);
    }
}

#[test]
#[should_panic(expected = "every slice must have 2 cells")]
fn a_slice_of_another_length_is_a_bug() {
    Ema::new(2, 3, Seed::Sma).update(&[1.0], &[Status::Ok], &mut [0.0], &mut [Status::Ok]);
}

#[test]
#[should_panic(expected = "every slice must have 2 cells")]
fn a_missing_field_is_a_bug() {
    let (mut v, mut s) = ([0.0; 2], [Status::Ok; 2]);
    Atr::columns(2, 3).update(&Bars::closes(&[1.0, 2.0]), &[Status::Ok; 2], &mut [(&mut v, &mut s)]);
}

/// K slices of N instruments: bars and which of them are there.
#[derive(Clone, Debug)]
struct Market {
    n: usize,
    k: usize,
    fields: [Vec<f64>; 6],
    present: Vec<Status>,
}

impl Market {
    fn of(n: usize, k: usize, bars: Vec<[f64; 6]>, present: Vec<Status>) -> Market {
        // Where nothing is there the payload must not matter: NaN would show.
        let cell = |(bar, p): (&[f64; 6], &Status), f: usize| if *p == Status::Ok { bar[f] } else { f64::NAN };
        let fields = std::array::from_fn(|f| bars.iter().zip(&present).map(|x| cell(x, f)).collect());
        Market { n, k, fields, present }
    }

    fn bars(&self) -> Bars<'_> {
        let [open, high, low, close, volume, other] = &self.fields;
        Bars { open, high, low, close, volume, other, ..Bars::default() }
    }

    /// Rows `from..to` in one block: a list of cells for each line.
    fn run(&self, kernel: &mut dyn Kernel, from: usize, to: usize) -> Vec<Vec<Cell>> {
        let (from, to) = (from * self.n, to * self.n);
        let lines = kernel.lines();
        let mut values = vec![vec![f64::NAN; to - from]; lines];
        let mut status = vec![vec![Status::Suspect; to - from]; lines];
        let mut out: Vec<Out<'_>> = values.iter_mut().zip(&mut status).map(|(v, s)| (&mut v[..], &mut s[..])).collect();
        let rows = (to - from) / self.n;
        kernel.update_block(&self.bars().cells(from, to), &self.present[from..to], rows, &mut out);
        // A list of rows would do as well; cells by row and line are what the tests ask for.
        (0..to - from).map(|at| (0..lines).map(|l| (values[l][at], status[l][at])).collect()).collect()
    }

    /// All rows, one at a time.
    fn slices(&self, kernel: &mut dyn Kernel) -> Vec<Vec<Cell>> {
        (0..self.k).flat_map(|t| self.run(kernel, t, t + 1)).collect()
    }
}

/// Markets whose data are whole, or mostly there, or begin late; some prices are 0, negative or stand still.
fn market() -> impl Strategy<Value = Market> {
    (1_usize..6, 1_usize..60, 0_usize..4, 0_u32..4).prop_flat_map(|(n, k, gaps, odd)| {
        let price = prop_oneof![
            20 => 1.0_f64..200.0,
            odd => -5.0_f64..0.0,
            odd => Just(0.0),
            3 => Just(50.0)
        ];
        let bar = (price.clone(), price, 0.0_f64..3.0, 0.0_f64..3.0, prop_oneof![9 => 0.0_f64..1e6, 1 => Just(0.0)]);
        let cell = (bar, 1.0_f64..99.0, 0_u32..10);
        prop::collection::vec(cell, n * k).prop_map(move |cells| {
            let there = |at: usize, dice: u32| match gaps {
                0 => true,
                1 => dice > 0,
                2 => at / n >= 7 * (at % n),
                _ => dice > 3,
            };
            let status = |there: bool| if there { Status::Ok } else { Status::Stale };
            let present = cells.iter().enumerate().map(|(at, (_, _, d))| status(there(at, *d))).collect();
            let bar = |((open, close, up, down, volume), other, _): &((f64, f64, f64, f64, f64), f64, u32)| {
                [*open, open.max(*close) + up, open.min(*close) - down, *close, *volume, *other]
            };
            Market::of(n, k, cells.iter().map(bar).collect(), present)
        })
    })
}

fn bits(cells: &[Vec<Cell>]) -> Vec<Vec<(u64, Status)>> {
    cells.iter().map(|row| row.iter().map(|(v, s)| (v.to_bits(), *s)).collect()).collect()
}

fn save(kernel: &dyn Kernel) -> Vec<u8> {
    let mut to = Encoder::new();
    kernel.save(&mut to);
    to.into_bytes()
}

fn load(kernel: &mut dyn Kernel, bytes: &[u8]) -> Result<(), DecodeError> {
    let mut from = Decoder::new(bytes);
    kernel.load(&mut from)?;
    from.finish()
}

/// Rows that are wider than vectors, tiles and what remains of them, against single instruments.
#[test]
fn wide_rows_equal_batch_to_the_bit() {
    let (n, k) = (523, 70);
    let mut seed = 11_u64;
    let mut draw = || {
        // Knuth's linear congruential generator; the high bits, in (−1, 1).
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    let mut last: Vec<f64> = (0..n).map(|i| 20.0 + i as f64).collect();
    let mut bars = Vec::new();
    for _ in 0..k {
        for (i, p) in last.iter_mut().enumerate() {
            let open = *p;
            // Some prices stand still.
            *p *= if i % 10 == 3 { 1.0 } else { 1.0 + 0.03 * draw() };
            let (up, down) = (0.2 * draw().abs(), 0.2 * draw().abs());
            bars.push([open, open.max(*p) + up, open.min(*p) - down, *p, 1e6 * draw().abs(), draw()]);
        }
    }
    let m = Market::of(n, k, bars, vec![Status::Ok; n * k]);
    for indicator in INDICATORS {
        let parameters = small(indicator, 3);
        let mut kernel = (indicator.kernel)(n, &parameters);
        let cells =
            [m.run(kernel.as_mut(), 0, 30), m.run(kernel.as_mut(), 30, 31), m.run(kernel.as_mut(), 31, k)].concat();
        for i in [0, 1, 2, 3, 7, 8, 33, 63, 64, 65, 127, 255, 256, 303, 511, 512, 513, 519, 520, 521, 522] {
            let of: [Vec<f64>; 6] = m.fields.each_ref().map(|f| f.iter().skip(i).step_by(n).copied().collect());
            let [open, high, low, close, volume, other] = &of;
            let bars = Bars { open, high, low, close, volume, other, ..Bars::default() };
            for (line, batch) in indicator.series(&parameters, &bars).iter().enumerate() {
                for (t, expected) in batch.iter().enumerate() {
                    let (value, status) = cells[t * n + i][line];
                    assert_eq!(status == Status::Ok, !expected.is_nan(), "{} bar {t} of {i}", indicator.name);
                    let expected = if expected.is_nan() { 0.0 } else { *expected };
                    assert_eq!(value.to_bits(), expected.to_bits(), "{} bar {t} of {i}", indicator.name);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn streaming_equals_batch_to_the_bit(m in market(), size in 0_usize..9) {
        for indicator in INDICATORS {
            let parameters = small(indicator, size);
            let cells = m.slices((indicator.kernel)(m.n, &parameters).as_mut());
            for i in 0..m.n {
                let of: [Vec<f64>; 6] = m.fields.each_ref().map(|f| f.iter().skip(i).step_by(m.n).copied().collect());
                let [open, high, low, close, volume, other] = &of;
                let bars = Bars { open, high, low, close, volume, other, ..Bars::default() };
                for (line, batch) in indicator.series(&parameters, &bars).iter().enumerate() {
                    for (t, expected) in batch.iter().enumerate() {
                        let (value, status) = cells[t * m.n + i][line];
                        prop_assert!(value.is_finite());
                        prop_assert_eq!(status == Status::Ok, !expected.is_nan());
                        let expected = if expected.is_nan() { 0.0 } else { *expected };
                        prop_assert_eq!(value.to_bits(), expected.to_bits(), "{} bar {}: {} {}", indicator.name, t, value, expected);
                    }
                }
            }
        }
    }

    #[test]
    fn blocks_equal_slices_to_the_bit(
        m in market(), size in 0_usize..9, cut in 0_usize..60,
    ) {
        for indicator in INDICATORS {
            let mut one = (indicator.kernel)(m.n, &small(indicator, size));
            let mut blocks = (indicator.kernel)(m.n, &small(indicator, size));
            // The second block may begin past warm-up, where kernels take paths of their own.
            let cut = cut.min(m.k);
            let mut cells = m.run(blocks.as_mut(), 0, cut);
            cells.extend(m.run(blocks.as_mut(), cut, m.k));
            prop_assert_eq!(bits(&cells), bits(&m.slices(one.as_mut())), "{}", indicator.name);
            prop_assert_eq!(save(blocks.as_ref()), save(one.as_ref()));
        }
    }

    #[test]
    fn a_missing_bar_repeats_the_cell(m in market(), size in 0_usize..9) {
        for indicator in INDICATORS {
            let cells = m.slices((indicator.kernel)(m.n, &small(indicator, size)).as_mut());
            for (at, cell) in cells.iter().enumerate() {
                if m.present[at] != Status::Ok {
                    let none = vec![(0.0, Status::NoData); cell.len()];
                    let last = if at < m.n { &none } else { &cells[at - m.n] };
                    prop_assert_eq!(bits(std::slice::from_ref(cell)), bits(std::slice::from_ref(last)));
                }
            }
        }
    }

    #[test]
    fn a_snapshot_continues_to_the_bit(
        m in market(), size in 0_usize..9, cut in 0_usize..60,
    ) {
        for indicator in INDICATORS {
            let parameters = small(indicator, size);
            let fresh = |n: usize| (indicator.kernel)(n, &parameters);
            let (mut kernel, cut) = (fresh(m.n), cut.min(m.k));
            m.run(kernel.as_mut(), 0, cut);
            let bytes = save(kernel.as_ref());
            let mut copy = fresh(m.n);
            prop_assert_eq!(load(copy.as_mut(), &bytes), Ok(()));
            prop_assert_eq!(&save(copy.as_ref()), &bytes);
            prop_assert_eq!(bits(&m.run(kernel.as_mut(), cut, m.k)), bits(&m.run(copy.as_mut(), cut, m.k)));
            prop_assert!(load(fresh(m.n + 1).as_mut(), &bytes).is_err(), "another width");
            if let Some(first) = parameters.first() {
                let other: Vec<f64> = std::iter::once(first + 20.0).chain(parameters[1..].iter().copied()).collect();
                prop_assert!(load((indicator.kernel)(m.n, &other).as_mut(), &bytes).is_err(), "another parameter");
            }
            for short in (0..bytes.len()).step_by(7) {
                prop_assert!(load(fresh(m.n).as_mut(), &bytes[..short]).is_err());
            }
        }
    }

    /// What a line says of its scale is what happens when all prices double and all volumes are quartered.
    #[test]
    fn lines_scale_as_they_say(m in market(), size in 0_usize..9) {
        for indicator in INDICATORS {
            let mut scaled = m.clone();
            for (f, field) in scaled.fields.iter_mut().enumerate() {
                let factor = match f {
                    4 => 0.25,
                    _ => 2.0,
                };
                field.iter_mut().for_each(|x| *x *= factor);
            }
            let parameters = small(indicator, size);
            let before = m.slices((indicator.kernel)(m.n, &parameters).as_mut());
            let after = scaled.slices((indicator.kernel)(m.n, &parameters).as_mut());
            for (before, after) in before.iter().zip(&after) {
                for ((b, a), line) in before.iter().zip(after).zip(indicator.lines) {
                    let factor = 2.0_f64.powi(line.scale.price.into()) * 0.25_f64.powi(line.scale.volume.into());
                    prop_assert_eq!(b.1, a.1, "{}", indicator.name);
                    let expected = b.0 * factor;
                    let close = (a.0 - expected).abs() <= 1e-12 * expected.abs().max(1e-12);
                    prop_assert!(close, "{}.{}: {} instead of {}", indicator.name, line.name, a.0, expected);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn a_bank_equals_its_members_to_the_bit(
        m in market(),
        sets in prop::collection::vec((1_usize..12, prop::bool::ANY), 0..7),
        cut in 0_usize..60,
    ) {
        let sets: Vec<(usize, Seed)> =
            sets.iter().map(|(n, sma)| (*n, if *sma { Seed::Sma } else { Seed::First })).collect();
        let members = sets.iter().map(|(n, seed)| m.slices(&mut Ema::new(m.n, *n, *seed)));
        let expected: Vec<Vec<Vec<Cell>>> = members.collect();
        // Two blocks of any lengths, with a snapshot between them.
        let cut = cut.min(m.k);
        let mut bank = EmaBank::new(m.n, &sets);
        let mut got: Vec<Vec<Vec<Cell>>> = vec![Vec::new(); sets.len()];
        for (from, to) in [(0, cut), (cut, m.k)] {
            let cells = from * m.n..to * m.n;
            let mut values = vec![vec![f64::NAN; cells.len()]; sets.len()];
            let mut status = vec![vec![Status::Suspect; cells.len()]; sets.len()];
            let mut out: Vec<Out<'_>> =
                values.iter_mut().zip(&mut status).map(|(v, s)| (&mut v[..], &mut s[..])).collect();
            bank.update_block(&m.fields[3][cells.clone()], &m.present[cells], to - from, &mut out);
            for ((got, v), s) in got.iter_mut().zip(values).zip(status) {
                got.extend(v.into_iter().zip(s).map(|cell| vec![cell]));
            }
            let mut bytes = Encoder::new();
            bank.save(&mut bytes);
            let mut copy = EmaBank::new(m.n, &sets);
            prop_assert_eq!(copy.load(&mut Decoder::new(bytes.as_bytes())), Ok(()));
            bank = copy;
        }
        for (got, expected) in got.iter().zip(&expected) {
            prop_assert_eq!(bits(got), bits(expected));
        }
    }

    #[test]
    fn rsi_stays_in_its_range(close in prop::collection::vec(-1e6_f64..1e6, 0..80), n in 1_usize..9) {
        prop_assert!(rsi(&close, n).iter().all(|v| v.is_nan() || (0.0..=100.0).contains(v)));
    }

    #[test]
    fn z_score_and_correlation_stay_in_their_ranges(m in market(), n in 2_usize..9) {
        let most = (n as f64 - 1.0).sqrt() * (1.0 + 1e-9);
        prop_assert!(z_score(&m.fields[3], n).iter().all(|v| v.is_nan() || v.abs() <= most));
        prop_assert!(correlation(&m.fields[3], &m.fields[5], n).iter().all(|v| v.is_nan() || v.abs() <= 1.0));
    }
}
