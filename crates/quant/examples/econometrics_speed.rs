//! Speed and accuracy of the econometrics, one JSON line a workload:
//! `cargo run --release -p tradegraph-quant --example econometrics_speed -- DATA_FOLDER [PYTHON]`
//!
//! The folder holds `w7_px.bin`, 200 series of 1,000 prices, raw little-endian doubles. With a Python that has
//! statsmodels, `scripts/bench/econometrics.py` is run beside it: its rates are printed, and its statistics for some of the
//! pairs are compared with ours. Medians of processor seconds.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use cpu_time::ProcessTime;
use std::io::Write;
use std::process::{Command, Stdio};
use tradegraph_quant::econometrics::*;

const SERIES: usize = 200;
const ROWS: usize = 1_000;

fn median(repeats: usize, mut run: impl FnMut()) -> f64 {
    run();
    let mut seconds: Vec<f64> = (0..repeats)
        .map(|_| {
            let start = ProcessTime::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[repeats / 2]
}

/// A peer's statistics of some pairs: its rate, then `y x statistic p` a line.
fn peer(python: &str, folder: &str, lags: &str) -> (f64, Vec<[f64; 4]>) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/bench/econometrics.py");
    let out = Command::new(python).args([script, folder, lags]).stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let mut lines = text.lines();
    let rate = lines.next().unwrap().parse().unwrap();
    let row = |l: &str| {
        let mut cells = l.split_whitespace().map(|c| c.parse().unwrap());
        std::array::from_fn(|_| cells.next().unwrap())
    };
    (rate, lines.map(row).collect())
}

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let python = std::env::args().nth(2);
    let bytes = std::fs::read(format!("{folder}/w7_px.bin")).unwrap();
    let prices: Vec<f64> = bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    let series: Vec<&[f64]> = prices.chunks_exact(ROWS).collect();
    assert_eq!(series.len(), SERIES);

    for (name, lags, repeats) in [("lag1", Lags::Fixed(1), 21), ("aic", Lags::Aic { most: None }, 5)] {
        let mut screen = PairScreen::new(SERIES, ROWS, Trend::Constant, lags).unwrap();
        let mut found = vec![(f64::NAN, f64::NAN); SERIES * SERIES];
        let (mut n, mut hits) = (0, 0);
        let seconds = median(repeats, || {
            (n, hits) = (0, 0);
            screen
                .run(&series, |y, x, test| {
                    n += 1;
                    if let Some(t) = test {
                        found[y * SERIES + x] = (t.statistic, t.p);
                        hits += usize::from(t.p < 0.05);
                    }
                })
                .unwrap();
        });
        let rate = n as f64 / seconds;
        // Against our own single tests, which form every spread and factor every regression.
        let worst = (0..200).fold((0.0_f64, 0.0_f64), |worst, k| {
            let (y, x) = (k, (k * 37 + 1) % SERIES);
            if y == x {
                return worst;
            }
            let single = engle_granger(series[y], &[series[x]], Trend::Constant, lags).unwrap();
            let (t, p) = found[y * SERIES + x];
            (worst.0.max((t - single.statistic).abs()), worst.1.max((p - single.p).abs()))
        });
        print!(
            "{{\"workload\":\"W7-{name}\",\"peer\":\"ours\",\"n\":{n},\"cpu_seconds\":{seconds:.6},\"rate_cpu\":{rate:.0},\
             \"hits_5pct\":{hits},\"max_abs_t_vs_single\":{:.1e},\"max_abs_p_vs_single\":{:.1e}",
            worst.0, worst.1
        );
        if let Some(python) = &python {
            let (peer_rate, rows) = peer(python, &folder, name);
            let (mut t_off, mut p_off) = (0.0_f64, 0.0_f64);
            for [y, x, t, p] in &rows {
                let (ours_t, ours_p) = found[*y as usize * SERIES + *x as usize];
                t_off = t_off.max((t - ours_t).abs());
                p_off = p_off.max((p - ours_p).abs());
            }
            print!(
                ",\"statsmodels_rate_cpu\":{peer_rate:.1},\"times_faster\":{:.0},\"compared\":{},\
                 \"max_abs_t_vs_statsmodels\":{t_off:.1e},\"max_abs_p_vs_statsmodels\":{p_off:.1e}",
                rate / peer_rate,
                rows.len()
            );
        }
        println!("}}");
        std::io::stdout().flush().unwrap();
    }
}
