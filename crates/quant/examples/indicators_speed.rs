//! Speed of six indicators (EMA 20, RSI 14, MACD, Bollinger bands, ATR 14, ADX 14), one JSON line a workload:
//! `cargo run --release -p tradegraph-quant --example indicators_speed -- FOLDER [VALUES]`
//!
//! The folder holds raw little-endian doubles: `w4_high.bin`, `w4_low.bin`, `w4_close.bin`, 10,000 series of 1,000 bars one
//! after the other, and `stream_close.bin`, rows of 50,000 closes whose highs and lows are 0.1 % away. A folder VALUES
//! receives the last value of every line of every series for a comparison with others. Processor seconds, medians of 5.
//! `scripts/bench/indicators.py` runs it beside other libraries.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used)]

use cpu_time::ProcessTime;
use tradegraph_columns::{CHUNK, Status};
use tradegraph_quant::indicators::{Bars, Indicator, Kernel, Out};

const NAMES: [&str; 6] = ["ema", "rsi", "macd", "bollinger", "atr", "adx"];
const BARS: usize = 1_000;
const SYMBOLS: usize = 50_000;
/// Rows of the stream before the first that is timed: all indicators are past warm-up.
const WARM: usize = 60;
const REPEATS: usize = 5;

fn median(mut run: impl FnMut() -> f64) -> f64 {
    let mut seconds: Vec<f64> = (0..REPEATS).map(|_| run()).collect();
    seconds.sort_by(f64::total_cmp);
    seconds[REPEATS / 2]
}

fn six() -> impl Iterator<Item = (&'static Indicator, Vec<f64>)> {
    NAMES.iter().map(|name| {
        let indicator = Indicator::find(name).unwrap();
        (indicator, indicator.parameters.iter().map(|p| p.default).collect())
    })
}

fn read(folder: &str, name: &str) -> Vec<f64> {
    let bytes = std::fs::read(format!("{folder}/{name}.bin")).unwrap();
    bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
}

/// The six over one chunk of instruments, with room for what they write.
struct Six {
    instruments: usize,
    kernels: Vec<Box<dyn Kernel>>,
    lines: Vec<Vec<(Vec<f64>, Vec<Status>)>>,
    present: Vec<Status>,
}

impl Six {
    fn new(instruments: usize, rows: usize) -> Six {
        let cells = instruments * rows;
        let kernels: Vec<Box<dyn Kernel>> = six().map(|(i, p)| (i.kernel)(instruments, &p)).collect();
        let room = |lines| vec![(vec![0.0; cells], vec![Status::NoData; cells]); lines];
        Six {
            instruments,
            lines: kernels.iter().map(|k| room(k.lines())).collect(),
            kernels,
            present: vec![Status::Ok; cells],
        }
    }

    /// New kernels of as many instruments; what they write comes to the same place.
    fn restart(&mut self, instruments: usize) {
        self.instruments = instruments;
        self.kernels = six().map(|(i, p)| (i.kernel)(instruments, &p)).collect();
    }

    fn update(&mut self, bars: &Bars<'_>, rows: usize) {
        let cells = bars.len();
        for (kernel, lines) in self.kernels.iter_mut().zip(&mut self.lines) {
            let mut out: [Out<'_>; 3] = Default::default();
            let n = lines.len();
            for (to, (v, s)) in out.iter_mut().zip(lines) {
                *to = (&mut v[..cells], &mut s[..cells]);
            }
            kernel.update_block(bars, &self.present[..cells], rows, &mut out[..n]);
        }
    }

    /// The last row of every line.
    fn last(&self, rows: usize) -> Vec<Vec<f64>> {
        let cells = (rows - 1) * self.instruments..rows * self.instruments;
        self.lines.iter().flatten().map(|(v, _)| v[cells.clone()].to_vec()).collect()
    }
}

fn write(folder: Option<&String>, name: &str, lines: &[Vec<f64>]) {
    if let Some(folder) = folder {
        let bytes: Vec<u8> = lines.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
        std::fs::write(format!("{folder}/{name}.bin"), bytes).unwrap();
    }
}

/// Chunks of instruments as the product has them, with the rows of a chunk one after the other.
fn chunked(row_major: &[f64], width: usize, chunk: usize) -> Vec<Vec<f64>> {
    let cut = |from: usize| {
        let to = (from + chunk).min(width);
        row_major.chunks_exact(width).flat_map(|row| row[from..to].iter().copied()).collect()
    };
    (0..width).step_by(chunk).map(cut).collect()
}

fn transposed(series: &[f64], n: usize) -> Vec<f64> {
    (0..BARS).flat_map(|t| (0..n).map(move |i| series[i * BARS + t])).collect()
}

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let values = std::env::args().nth(2);
    let [high, low, close] = ["w4_high", "w4_low", "w4_close"].map(|name| read(&folder, name));
    let n = close.len() / BARS;
    let points = (n * BARS * NAMES.len()) as f64;

    // One series after the other, a list of values for each line.
    let mut last = vec![Vec::new(); 10];
    let seconds = median(|| {
        last.iter_mut().for_each(Vec::clear);
        let start = ProcessTime::now();
        for i in 0..n {
            let cells = i * BARS..(i + 1) * BARS;
            let bars = Bars::ranges(&high[cells.clone()], &low[cells.clone()], &close[cells]);
            let lines = six().flat_map(|(indicator, parameters)| indicator.series(&parameters, &bars));
            lines.zip(&mut last).for_each(|(line, last)| last.push(line[BARS - 1]));
        }
        start.elapsed().as_secs_f64()
    });
    println!(
        "{{\"workload\":\"Q1-series\",\"series\":{n},\"cpu_seconds\":{seconds:.6},\"ns_per_point_cpu\":{:.3}}}",
        1e9 * seconds / points
    );
    write(values.as_ref(), "series", &last);

    // Rows of instruments, in blocks of so many cells.
    for (width, cells) in [(256, 4_096), (CHUNK, 16_384)] {
        let [high, low, close] = [&high, &low, &close].map(|x| chunked(&transposed(x, n), n, width));
        let mut last = vec![Vec::new(); 10];
        let mut six = Six::new(width, cells / width);
        let seconds = median(|| {
            last.iter_mut().for_each(Vec::clear);
            let mut seconds = 0.0;
            for ((high, low), close) in high.iter().zip(&low).zip(&close) {
                let wide = close.len() / BARS;
                let rows = cells / width;
                let start = ProcessTime::now();
                six.restart(wide);
                let bars = Bars::ranges(high, low, close);
                let mut at = 0;
                while at < BARS {
                    let k = rows.min(BARS - at);
                    six.update(&bars.cells(at * wide, (at + k) * wide), k);
                    at += k;
                }
                seconds += start.elapsed().as_secs_f64();
                let rows = (BARS - 1) % rows + 1;
                six.last(rows).iter().zip(&mut last).for_each(|(line, last)| last.extend(line));
            }
            seconds
        });
        println!(
            "{{\"workload\":\"Q1-block\",\"width\":{width},\"series\":{n},\"cpu_seconds\":{seconds:.6},\
             \"ns_per_point_cpu\":{:.3}}}",
            1e9 * seconds / points
        );
        write(values.as_ref(), "block", &last);
    }

    // One new bar of every symbol a call.
    let close = read(&folder, "stream_close");
    let rows = close.len() / SYMBOLS;
    let (high, low): (Vec<f64>, Vec<f64>) = close.iter().map(|c| (c * 1.001, c * 0.999)).unzip();
    let mut last = Vec::new();
    let seconds = median(|| {
        let mut chunks: Vec<Six> =
            (0..SYMBOLS).step_by(CHUNK).map(|from| Six::new(CHUNK.min(SYMBOLS - from), 1)).collect();
        let mut seconds = 0.0;
        for t in 0..rows {
            let start = ProcessTime::now();
            for (c, six) in chunks.iter_mut().enumerate() {
                let from = t * SYMBOLS + c * CHUNK;
                let cells = from..(from + CHUNK).min((t + 1) * SYMBOLS);
                six.update(&Bars::ranges(&high[cells.clone()], &low[cells.clone()], &close[cells]), 1);
            }
            seconds += if t < WARM { 0.0 } else { start.elapsed().as_secs_f64() };
        }
        last = vec![Vec::new(); 10];
        for six in &chunks {
            six.last(1).iter().zip(&mut last).for_each(|(line, last)| last.extend(line));
        }
        seconds / (rows - WARM) as f64
    });
    println!(
        "{{\"workload\":\"Q2\",\"symbols\":{SYMBOLS},\"bars\":{},\"ms_per_bar_cpu\":{:.4}}}",
        rows - WARM,
        1e3 * seconds
    );
    write(values.as_ref(), "stream", &last);
}
