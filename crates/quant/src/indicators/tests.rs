//! All indicators: against TA-Lib and numpy, all forms against each other, edges, snapshots.

use super::*;
use proptest::prelude::*;

/// Every kernel behind one shape, so that each property is written once.
enum Kernel {
    Ema(Ema),
    Rsi(Rsi),
    Macd(Macd),
    Sma(Sma),
    Momentum(Momentum),
    RealisedVol(RealisedVol),
}

const KINDS: usize = 7;

impl Kernel {
    fn new(kind: usize, n_instruments: usize, n: usize) -> Kernel {
        match kind {
            0 => Kernel::Ema(Ema::new(n_instruments, n, Seed::Sma)),
            1 => Kernel::Ema(Ema::new(n_instruments, n, Seed::First)),
            2 => Kernel::Rsi(Rsi::new(n_instruments, n)),
            3 => Kernel::Macd(Macd::new(n_instruments, n, n + 3, 3)),
            4 => Kernel::Sma(Sma::new(n_instruments, n)),
            5 => Kernel::Momentum(Momentum::new(n_instruments, n)),
            _ => Kernel::RealisedVol(RealisedVol::new(n_instruments, n)),
        }
    }

    /// Three lines of cells; kernels with one line repeat it.
    fn update(&mut self, close: &[f64], present: &[Status]) -> Vec<(f64, Status)> {
        let n = close.len();
        let mut v = vec![f64::NAN; 3 * n];
        let mut s = vec![Status::Suspect; 3 * n];
        let (v0, rest) = v.split_at_mut(n);
        let (v1, v2) = rest.split_at_mut(n);
        let (s0, rest) = s.split_at_mut(n);
        let (s1, s2) = rest.split_at_mut(n);
        match self {
            Kernel::Ema(k) => k.update(close, present, v0, s0),
            Kernel::Rsi(k) => k.update(close, present, v0, s0),
            Kernel::Macd(k) => {
                k.update(close, present, &mut [(v0, s0), (v1, s1), (v2, s2)]);
                return v.into_iter().zip(s).collect();
            }
            Kernel::Sma(k) => k.update(close, present, v0, s0),
            Kernel::Momentum(k) => k.update(close, present, v0, s0),
            Kernel::RealisedVol(k) => k.update(close, present, v0, s0),
        }
        v.truncate(n);
        v.into_iter().zip(s).collect()
    }

    fn save(&self) -> Vec<u8> {
        let mut to = Encoder::new();
        match self {
            Kernel::Ema(k) => k.save(&mut to),
            Kernel::Rsi(k) => k.save(&mut to),
            Kernel::Macd(k) => k.save(&mut to),
            Kernel::Sma(k) => k.save(&mut to),
            Kernel::Momentum(k) => k.save(&mut to),
            Kernel::RealisedVol(k) => k.save(&mut to),
        }
        to.into_bytes()
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let mut from = Decoder::new(bytes);
        match self {
            Kernel::Ema(k) => k.load(&mut from),
            Kernel::Rsi(k) => k.load(&mut from),
            Kernel::Macd(k) => k.load(&mut from),
            Kernel::Sma(k) => k.load(&mut from),
            Kernel::Momentum(k) => k.load(&mut from),
            Kernel::RealisedVol(k) => k.load(&mut from),
        }?;
        from.finish()
    }

    /// The batch form, three lines for MACD.
    fn batch(kind: usize, close: &[f64], n: usize) -> Vec<Vec<f64>> {
        match kind {
            0 => vec![ema(close, n, Seed::Sma)],
            1 => vec![ema(close, n, Seed::First)],
            2 => vec![rsi(close, n)],
            3 => {
                let m = macd(close, n, n + 3, 3);
                vec![m.macd, m.signal, m.hist]
            }
            4 => vec![sma(close, n)],
            5 => vec![momentum(close, n)],
            _ => vec![realised_vol(close, n)],
        }
    }
}

fn bits(cells: &[(f64, Status)]) -> Vec<(u64, Status)> {
    cells.iter().map(|(v, s)| (v.to_bits(), *s)).collect()
}

#[test]
fn equals_ta_lib() {
    let table = include_str!("../../oracles/indicators.csv");
    let mut lines = table.lines().filter(|l| !l.starts_with('#'));
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect()).collect();
    let mut compared = 0;
    for series in ["aapl", "btcusd", "wave", "constant", "short"] {
        let rows: Vec<_> = rows.iter().filter(|r| r[0] == series).collect();
        let close: Vec<f64> = rows.iter().map(|r| r[1].parse().unwrap()).collect();
        assert!(close.len() >= 10, "{series}");
        let slow = macd(&close, 12, 26, 9);
        let quick = macd(&close, 8, 5, 3);
        for (c, name) in names.iter().enumerate().skip(2) {
            let actual = match *name {
                "ema_2" => ema(&close, 2, Seed::Sma),
                "ema_12" => ema(&close, 12, Seed::Sma),
                "ema_50" => ema(&close, 50, Seed::Sma),
                "ema_first_12" => ema(&close, 12, Seed::First),
                "rsi_2" => rsi(&close, 2),
                "rsi_14" => rsi(&close, 14),
                "macd" => slow.macd.clone(),
                "macd_signal" => slow.signal.clone(),
                "macd_hist" => slow.hist.clone(),
                "macd_5_8_3" => quick.macd.clone(),
                "macd_5_8_3_signal" => quick.signal.clone(),
                "sma_5" => sma(&close, 5),
                "sma_20" => sma(&close, 20),
                "momentum_10" => momentum(&close, 10),
                "vol_20" => realised_vol(&close, 20),
                other => panic!("no such column: {other}"),
            };
            assert_eq!(actual.len(), close.len());
            let mut worst = 0.0_f64;
            for (i, (a, row)) in actual.iter().zip(&rows).enumerate() {
                assert_eq!(a.is_nan(), row[c].is_empty(), "{series} {name} bar {i}");
                if !a.is_nan() {
                    let e: f64 = row[c].parse().unwrap();
                    // Differences of averages cross zero: relative to a millionth of the close at least.
                    let error = (a - e).abs() / e.abs().max(1e-6 * close[i].abs());
                    assert!(error <= 1e-9, "{series} {name} bar {i}: {a} instead of {e}");
                    worst = worst.max(error);
                    compared += 1;
                }
            }
            println!("{series} {name}: worst relative error {worst:.1e}");
        }
    }
    assert!(compared > 13_000, "only {compared} cells were compared");
}

#[test]
fn edges_of_every_kernel() {
    for kind in 0..KINDS {
        for n in [0, 1, 2, 5] {
            assert!(Kernel::batch(kind, &[], n)[0].is_empty());
            let one = Kernel::batch(kind, &[7.0], n);
            // Only averages over one close have a value on the first bar.
            let at_once = n <= 1 && matches!(kind, 0 | 1 | 4);
            assert_eq!(one[0][0].is_nan(), !at_once, "kind {kind} n {n}");
            let mut nobody = Kernel::new(kind, 0, n);
            assert!(nobody.update(&[], &[]).is_empty());
        }
        let mut k = Kernel::new(kind, 1, 3);
        assert_eq!(k.update(&[0.0], &[Status::Stale])[0], (0.0, Status::NoData));
        assert_eq!(k.update(&[5.0], &[Status::Ok])[0], (0.0, Status::WarmUp));
        assert_eq!(k.update(&[9.0], &[Status::Halted])[0], (0.0, Status::WarmUp));
    }
}

#[test]
fn a_constant_series_gives_exact_values() {
    for x in [12.34, 0.1, 1e-9, 6e9] {
        let close = [x; 100];
        let last = |series: Vec<f64>| series[99];
        assert_eq!(last(ema(&close, 1, Seed::Sma)), x);
        assert_eq!(last(ema(&close, 9, Seed::First)), x);
        assert_eq!(last(rsi(&close, 14)), 0.0);
        assert_eq!(last(momentum(&close, 10)), 0.0);
        assert_eq!(last(realised_vol(&close, 20)), 0.0);
        assert!((last(sma(&close, 7)) / x - 1.0).abs() < 1e-15);
        assert_eq!(last(ema(&close, 9, Seed::Sma)), x);
        let lines = macd(&close, 12, 26, 9);
        assert_eq!([last(lines.macd), last(lines.signal), last(lines.hist)], [0.0; 3]);
    }
}

#[test]
fn prices_without_a_return() {
    let close = [1.0, 2.0, 0.0, -2.0, 4.0, 8.0, 4.0, 2.0];
    let got = momentum(&close, 1);
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
}

#[test]
#[should_panic(expected = "every slice must have 2 cells")]
fn a_slice_of_another_length_is_a_bug() {
    Ema::new(2, 3, Seed::Sma).update(&[1.0], &[Status::Ok], &mut [0.0], &mut [Status::Ok]);
}

/// K slices of N instruments: closes and which of them are there.
#[derive(Clone, Debug)]
struct Market {
    n: usize,
    k: usize,
    close: Vec<f64>,
    present: Vec<Status>,
}

impl Market {
    fn row(&self, t: usize) -> (&[f64], &[Status]) {
        let cells = t * self.n..(t + 1) * self.n;
        (&self.close[cells.clone()], &self.present[cells])
    }
}

/// Markets whose data are whole, or mostly there, or begin late; some closes are 0 or negative.
fn market() -> impl Strategy<Value = Market> {
    (1_usize..6, 1_usize..60, 0_usize..4).prop_flat_map(|(n, k, gaps)| {
        let close = prop_oneof![20 => 1.0_f64..200.0, 1 => -5.0_f64..0.0, 1 => Just(0.0), 3 => Just(50.0)];
        let cell = (close, 0_u32..10);
        prop::collection::vec(cell, n * k).prop_map(move |cells| {
            let there = |at: usize, dice: u32| match gaps {
                0 => true,
                1 => dice > 0,
                2 => at / n >= 7 * (at % n),
                _ => dice > 3,
            };
            let status = |there: bool| if there { Status::Ok } else { Status::Stale };
            let present = cells.iter().enumerate().map(|(at, (_, d))| status(there(at, *d)));
            let present: Vec<Status> = present.collect();
            // Where nothing is there the payload must not matter: NaN would show.
            let close = cells.iter().zip(&present);
            let close = close.map(|((x, _), p)| if *p == Status::Ok { *x } else { f64::NAN });
            Market { n, k, close: close.collect(), present }
        })
    })
}

proptest! {
    #[test]
    fn streaming_equals_batch_to_the_bit(m in market(), kind in 0..KINDS, n in 1_usize..9) {
        let mut kernel = Kernel::new(kind, m.n, n);
        let slices: Vec<_> = (0..m.k).map(|t| kernel.update(m.row(t).0, m.row(t).1)).collect();
        for i in 0..m.n {
            let series: Vec<f64> = m.close.iter().skip(i).step_by(m.n).copied().collect();
            for (line, batch) in Kernel::batch(kind, &series, n).iter().enumerate() {
                for (t, expected) in batch.iter().enumerate() {
                    let (value, status) = slices[t][line * m.n + i];
                    prop_assert!(value.is_finite());
                    prop_assert_eq!(status == Status::Ok, !expected.is_nan());
                    let expected = if expected.is_nan() { 0.0 } else { *expected };
                    prop_assert_eq!(value.to_bits(), expected.to_bits());
                }
            }
        }
    }

    #[test]
    fn a_missing_datum_repeats_the_cell(m in market(), kind in 0..KINDS, n in 1_usize..9) {
        let mut kernel = Kernel::new(kind, m.n, n);
        let mut before: Option<Vec<(f64, Status)>> = None;
        for t in 0..m.k {
            let (close, present) = m.row(t);
            let now = kernel.update(close, present);
            for (at, cell) in now.iter().enumerate() {
                if present[at % m.n] != Status::Ok {
                    let last = before.as_ref().map_or((0.0, Status::NoData), |b| b[at]);
                    prop_assert_eq!(bits(&[*cell]), bits(&[last]));
                }
            }
            before = Some(now);
        }
    }

    #[test]
    fn a_snapshot_continues_to_the_bit(
        m in market(), kind in 0..KINDS, n in 1_usize..9, cut in 0_usize..60,
    ) {
        let mut kernel = Kernel::new(kind, m.n, n);
        let cut = cut.min(m.k);
        for t in 0..cut {
            kernel.update(m.row(t).0, m.row(t).1);
        }
        let bytes = kernel.save();
        let mut copy = Kernel::new(kind, m.n, n);
        prop_assert_eq!(copy.load(&bytes), Ok(()));
        prop_assert_eq!(&copy.save(), &bytes);
        for t in cut..m.k {
            let (close, present) = m.row(t);
            prop_assert_eq!(bits(&kernel.update(close, present)), bits(&copy.update(close, present)));
        }
        prop_assert!(Kernel::new(kind, m.n, n + 10).load(&bytes).is_err(), "another period");
        prop_assert!(Kernel::new(kind, m.n + 1, n).load(&bytes).is_err(), "another width");
        for short in 0..bytes.len() {
            prop_assert!(Kernel::new(kind, m.n, n).load(&bytes[..short]).is_err());
        }
    }

    #[test]
    fn a_bank_equals_its_members_to_the_bit(
        m in market(),
        sets in prop::collection::vec((1_usize..12, prop::bool::ANY), 0..7),
        cut in 0_usize..60,
    ) {
        let sets: Vec<(usize, Seed)> =
            sets.iter().map(|(n, sma)| (*n, if *sma { Seed::Sma } else { Seed::First })).collect();
        let mut expected: Vec<Vec<(f64, Status)>> = Vec::new();
        for (n, seed) in &sets {
            let mut one = Kernel::Ema(Ema::new(m.n, *n, *seed));
            expected.push((0..m.k).flat_map(|t| one.update(m.row(t).0, m.row(t).1)).collect());
        }
        // Two blocks of any lengths, with a snapshot between them.
        let cut = cut.min(m.k);
        let mut bank = EmaBank::new(m.n, &sets);
        let mut got = vec![Vec::new(); sets.len()];
        for (from, to) in [(0, cut), (cut, m.k)] {
            let cells = from * m.n..to * m.n;
            let mut values = vec![vec![f64::NAN; cells.len()]; sets.len()];
            let mut status = vec![vec![Status::Suspect; cells.len()]; sets.len()];
            let mut out: Vec<Out<'_>> =
                values.iter_mut().zip(&mut status).map(|(v, s)| (&mut v[..], &mut s[..])).collect();
            bank.update_block(&m.close[cells.clone()], &m.present[cells], to - from, &mut out);
            for ((got, v), s) in got.iter_mut().zip(values).zip(status) {
                got.extend(v.into_iter().zip(s));
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
    fn blocks_of_rsi_and_macd_equal_their_slices(m in market(), n in 1_usize..9, cut in 0_usize..60) {
        let cut = cut.min(m.k);
        for kind in [2, 3] {
            let mut slices = Kernel::new(kind, m.n, n);
            let mut blocks = Kernel::new(kind, m.n, n);
            // The second block may begin past warm-up, where a single instrument takes its own path.
            for (from, to) in [(0, cut), (cut, m.k)] {
                let cells = (to - from) * m.n;
                let (mut v, mut s) = (vec![f64::NAN; 3 * cells], vec![Status::Suspect; 3 * cells]);
                let (v0, rest) = v.split_at_mut(cells);
                let (v1, v2) = rest.split_at_mut(cells);
                let (s0, rest) = s.split_at_mut(cells);
                let (s1, s2) = rest.split_at_mut(cells);
                let mut out: [Out<'_>; 3] = [(v0, s0), (v1, s1), (v2, s2)];
                let close = &m.close[from * m.n..to * m.n];
                let present = &m.present[from * m.n..to * m.n];
                match &mut blocks {
                    Kernel::Rsi(k) => k.update_block(close, present, to - from, &mut out[0]),
                    Kernel::Macd(k) => k.update_block(close, present, to - from, &mut out),
                    _ => unreachable!(),
                }
                for t in from..to {
                    let row = slices.update(m.row(t).0, m.row(t).1);
                    for (at, cell) in row.iter().enumerate() {
                        let flat = at / m.n * cells + (t - from) * m.n + at % m.n;
                        prop_assert_eq!(bits(&[(v[flat], s[flat])]), bits(&[*cell]));
                    }
                }
                prop_assert_eq!(blocks.save(), slices.save());
            }
        }
    }

    #[test]
    fn rsi_stays_in_its_range(close in prop::collection::vec(-1e6_f64..1e6, 0..80), n in 1_usize..9) {
        prop_assert!(rsi(&close, n).iter().all(|v| v.is_nan() || (0.0..=100.0).contains(v)));
    }
}
