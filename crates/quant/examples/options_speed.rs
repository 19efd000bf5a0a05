//! Speed and accuracy of the option kernels, one JSON line a workload:
//! `cargo run --release -p tradegraph-quant --example options_speed -- DATA_FOLDER [REPEATS]`
//!
//! The folder holds the columns `w5_*.bin` that the peers' scripts read, raw little-endian doubles. The median of the
//! runs is printed. American puts are repriced by the slow, accurate scheme for the error column.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use cpu_time::ProcessTime;
use tradegraph_quant::options::*;

fn column(folder: &str, name: &str) -> Vec<f64> {
    let bytes = std::fs::read(format!("{folder}/w5_{name}.bin")).unwrap();
    bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
}

/// Median processor seconds of a run; the machine may be shared.
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

fn emit(workload: &str, n: usize, seconds: f64, accuracy: &str) {
    let rate = n as f64 / seconds;
    println!(
        "{{\"workload\":\"{workload}\",\"peer\":\"ours\",\"n\":{n},\"cpu_seconds\":{seconds:.6},\"rate_cpu\":{rate:.0},{accuracy}}}"
    );
}

fn worst(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |m, e| if e > m || e.is_nan() { e } else { m })
}

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let repeats = std::env::args().nth(2).map_or(9, |r| r.parse().unwrap());
    let get = |name| column(&folder, name);
    let (spot, strike, years, rate, vol) = (get("spot"), get("strike"), get("t"), get("rate"), get("vol"));
    let right: Vec<Right> = get("cp").iter().map(|c| if *c > 0.0 { Right::Call } else { Right::Put }).collect();
    let paid = get("price");
    let n = spot.len();

    let mut out = vec![vec![0.0; n]; 6];
    let options = OptionColumns {
        right: &right,
        underlying: &spot,
        strike: &strike,
        years: &years,
        rate: &rate,
        carry: &rate,
        vol: &vol,
    };
    let [price, delta, gamma, vega, theta, rho] = &mut out[..] else { return };
    let seconds = median(repeats, || {
        greeks(options, &mut GreeksMut { price, delta, gamma, vega, theta, rho });
    });
    emit("W5-greeks5", n, seconds, &format!("\"max_abs_price_err\":{:e}", worst(price, &paid)));

    let few = n.min(2_048);
    let cached = OptionColumns {
        right: &right[..few],
        underlying: &spot[..few],
        strike: &strike[..few],
        years: &years[..few],
        rate: &rate[..few],
        carry: &rate[..few],
        vol: &vol[..few],
    };
    let [price, delta, gamma, vega, theta, rho] = [price, delta, gamma, vega, theta, rho].map(|c| &mut c[..few]);
    let seconds = median(repeats, || {
        for _ in 0..400 {
            greeks(cached, &mut GreeksMut { price, delta, gamma, vega, theta, rho });
        }
    });
    emit("W5-greeks5-in-cache", few * 400, seconds, &format!("\"columns_of\":{few}"));

    let forward: Vec<f64> = (0..n).map(|i| spot[i] * (rate[i] * years[i]).exp()).collect();
    let undiscounted: Vec<f64> = (0..n).map(|i| paid[i] * (rate[i] * years[i]).exp()).collect();
    let premiums =
        PremiumColumns { right: &right, premium: &undiscounted, forward: &forward, strike: &strike, years: &years };
    let found = &mut out[0];
    let seconds = median(repeats, || implied_vols(premiums, found));
    emit("W5-iv", n, seconds, &format!("\"max_abs_vol_err\":{:e}", worst(found, &vol)));

    let puts = vec![Right::Put; n];
    let some = n.min(100_000);
    let american = OptionColumns {
        right: &puts[..some],
        underlying: &spot[..some],
        strike: &strike[..some],
        years: &years[..some],
        rate: &rate[..some],
        carry: &rate[..some],
        vol: &vol[..some],
    };
    let (fast, accurate) = (AmericanScheme::fast(), AmericanScheme::accurate());
    let few = some.min(2_000);
    let exact: Vec<f64> = (0..few)
        .map(|i| {
            American {
                right: Right::Put,
                underlying: spot[i],
                strike: strike[i],
                years: years[i],
                rate: rate[i],
                carry: rate[i],
                vol: vol[i],
            }
            .price(&accurate)
        })
        .collect();
    let found = &mut out[0][..some];
    let seconds = median(repeats, || american_prices(&fast, american, found));
    let relative = (0..few).map(|i| (found[i] - exact[i]).abs() / strike[i]).fold(0.0, f64::max);
    emit("W5-american", some, seconds, &format!("\"max_err_of_strike_vs_accurate\":{relative:e},\"n_err\":{few}"));
    let carry: Vec<f64> = rate.iter().map(|r| r - 0.01).collect();
    let seconds =
        median(repeats, || american_prices(&fast, OptionColumns { carry: &carry[..some], ..american }, found));
    emit("W5-american-dividends", some, seconds, "\"dividend_yield\":0.01");
}
