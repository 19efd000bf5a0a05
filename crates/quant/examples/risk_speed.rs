//! Speed and accuracy of risk measures and optimisers, one JSON line a workload:
//! `cargo run --release -p tradegraph-quant --example risk_speed -- DATA_FOLDER [REPEATS [PYTHON PEERS_FOLDER]]`
//!
//! The folder holds the columns `w6_*.bin` that the peers' scripts read. With an interpreter and the folder of the peers'
//! scripts, those run too, right after ours. Medians of wall-clock and processor time.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use cpu_time::ProcessTime;
use std::process::Command;
use std::time::Instant;
use tradegraph_quant::allocation::*;
use tradegraph_quant::risk::*;

fn column(folder: &str, name: &str) -> Vec<f64> {
    let bytes = std::fs::read(format!("{folder}/w6_{name}.bin")).unwrap();
    bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
}

fn measured(workload: &str, repeats: usize, inner: usize, mut run: impl FnMut(), accuracy: impl FnOnce() -> String) {
    run();
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..repeats {
        let (w, c) = (Instant::now(), ProcessTime::now());
        (0..inner).for_each(|_| run());
        wall.push(w.elapsed().as_secs_f64() / inner as f64);
        cpu.push(c.elapsed().as_secs_f64() / inner as f64);
    }
    wall.sort_by(f64::total_cmp);
    cpu.sort_by(f64::total_cmp);
    let (wall, cpu) = (wall[repeats / 2] * 1e3, cpu[repeats / 2] * 1e3);
    println!(
        "{{\"workload\":\"{workload}\",\"peer\":\"ours\",\"ms_wall\":{wall:.4},\"ms_cpu\":{cpu:.4},{}}}",
        accuracy()
    );
}

/// Total, shortfall and components by the plain definition.
fn plain(returns: &[f64], exposures: &[f64], tail_rows: usize) -> (f64, f64, Vec<f64>) {
    let n = exposures.len();
    let pnl: Vec<f64> = returns.chunks_exact(n).map(|r| r.iter().zip(exposures).map(|(r, e)| r * e).sum()).collect();
    let mut order: Vec<usize> = (0..pnl.len()).collect();
    order.sort_by(|a, b| pnl[*a].total_cmp(&pnl[*b]));
    let es = -order[..tail_rows].iter().map(|s| pnl[*s]).sum::<f64>() / tail_rows as f64;
    let component = |i: usize| -exposures[i] * order[..tail_rows].iter().map(|s| returns[s * n + i]).sum::<f64>();
    (-pnl[order[tail_rows - 1]], es, (0..n).map(|i| component(i) / tail_rows as f64).collect())
}

fn var<T: Cell>(label: &str, cells: Vec<T>, returns: &[f64], exposures: &[f64], repeats: usize) {
    let (n, scenarios) = (exposures.len(), returns.len() / exposures.len());
    let (var, es, parts) = plain(returns, exposures, scenarios / 40);
    let mut book = ScenarioBook::new(cells, n, 0.025).unwrap();
    let mut components = vec![0.0; n];
    let mut error = 0.0;
    measured(
        &format!("Q6-var-{label}"),
        repeats,
        20,
        || {
            let tail = book.set_exposures(exposures).unwrap();
            book.components_es(&mut components);
            error = (tail.var / var - 1.0).abs().max((tail.es / es - 1.0).abs());
        },
        || String::new() + "\"threads\":1",
    );
    let worst = components.iter().zip(&parts).map(|(a, b)| (a - b).abs() / es).fold(0.0, f64::max);
    println!("{{\"workload\":\"Q6-var-{label}\",\"max_rel_err\":{error:e},\"max_component_err_of_es\":{worst:e}}}");

    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let one = book.tail();
    measured(
        &format!("Q6-var-{label}-pool"),
        repeats,
        20,
        || {
            let tail = book.set_exposures_in(&pool, exposures).unwrap();
            book.components_es(&mut components);
            assert_eq!(tail, one);
        },
        || "\"threads\":2".to_owned(),
    );
    let mut pnl = vec![0.0; scenarios];
    book.pnl_of(exposures, 0, &mut pnl);
    measured(
        &format!("Q6-rest-{label}"),
        repeats,
        20,
        || {
            book.set_exposures_with(exposures, &pnl).unwrap();
            book.components_es(&mut components);
        },
        || "\"note\":\"ranking, tail and components, after the P&L pass\"".to_owned(),
    );

    let mut k = 0_usize;
    let mut moved = exposures.to_vec();
    measured(
        &format!("Q6-fill-{label}"),
        repeats,
        1000,
        || {
            let (position, size) = (k * 7919 % n, 1e4 * ((k % 13) as f64 - 6.0));
            moved[position] += size;
            book.add(position, size).unwrap();
            k += 1;
        },
        || "\"threads\":1".to_owned(),
    );
    let (var, es, parts) = plain(returns, &moved, scenarios / 40);
    let tail = book.tail();
    book.components_es(&mut components);
    let worst = components.iter().zip(&parts).map(|(a, b)| (a - b).abs() / es).fold(0.0, f64::max);
    let error = (tail.var / var - 1.0).abs().max((tail.es / es - 1.0).abs());
    println!(
        "{{\"workload\":\"Q6-fill-{label}\",\"fills\":{k},\"max_rel_err\":{error:e},\"max_component_err_of_es\":{worst:e}}}"
    );
}

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let repeats = std::env::args().nth(2).map_or(9, |r| r.parse().unwrap());
    let get = |name| column(&folder, name);

    let (returns, exposures) = (get("scen"), get("pos"));
    var("f64", returns.clone(), &returns, &exposures, repeats);
    var("f32", returns.iter().map(|r| *r as f32).collect(), &returns, &exposures, repeats);

    let x = get("ret");
    let x = Returns::new(&x, 500).unwrap();
    let mut shrunk = ledoit_wolf(x).unwrap();
    measured(
        "Q7-ledoit-wolf",
        repeats,
        5,
        || shrunk = ledoit_wolf(x).unwrap(),
        || format!("\"shrinkage\":{:.12}", ledoit_wolf(x).unwrap().intensity),
    );
    let c = shrunk.covariance;

    let (means, mut from) = (get("mu"), get("w0"));
    let total: f64 = from.iter().sum();
    from.iter_mut().for_each(|w| *w /= total);
    let mut limits = Constraints::within(500, 0.0, 0.05);
    limits.trading = Some(Trading { from: from.clone(), turnover: Some(0.2), costs: vec![0.0; 500] });
    let value = |w: &[f64]| w.iter().zip(&means).map(|(w, m)| w * m).sum::<f64>() - 5.0 * c.quadratic(w);
    let mut w = Vec::new();
    measured(
        "Q8-mean-variance-cold",
        repeats,
        3,
        || w = maximise_utility(&means, &c, 10.0, &limits, None).unwrap(),
        || "\"names\":500".to_owned(),
    );
    let traded: f64 = w.iter().zip(&from).map(|(w, f)| (w - f).abs()).sum();
    println!("{{\"workload\":\"Q8-mean-variance-cold\",\"obj\":{:.12},\"turnover\":{traded:.9}}}", value(&w));
    let nudged: Vec<f64> = means.iter().enumerate().map(|(i, m)| m + 2e-5 * ((i % 7) as f64 - 3.0)).collect();
    let cold = maximise_utility(&nudged, &c, 10.0, &limits, None).unwrap();
    let mut warm = Vec::new();
    measured(
        "Q8-mean-variance-warm",
        repeats,
        3,
        || warm = maximise_utility(&nudged, &c, 10.0, &limits, Some(&w)).unwrap(),
        || "\"note\":\"means moved by up to 6e-5\"".to_owned(),
    );
    let apart = warm.iter().zip(&cold).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    println!("{{\"workload\":\"Q8-mean-variance-warm\",\"max_weight_diff_from_cold\":{apart:e}}}");
    let bounds = Constraints::within(500, 0.0, 0.05);
    measured(
        "minimum-variance",
        repeats,
        3,
        || w = minimise_variance(&c, &bounds, None).unwrap(),
        || "\"names\":500".to_owned(),
    );
    println!("{{\"workload\":\"minimum-variance\",\"variance\":{:e}}}", c.quadratic(&w));

    let equal = vec![1.0; 500];
    measured("Q9-risk-parity", repeats, 3, || w = risk_parity(&c, &equal).unwrap(), || "\"names\":500".to_owned());
    let shares = risk_contributions(&w, &c).unwrap();
    let spread = shares.iter().map(|s| (s * 500.0 - 1.0).abs()).fold(0.0, f64::max);
    println!("{{\"workload\":\"Q9-risk-parity\",\"max_rel_budget_err\":{spread:e}}}");

    let (Some(python), Some(peers)) = (std::env::args().nth(3), std::env::args().nth(4)) else { return };
    for (script, peer) in [
        ("w6_risk", "var"),
        ("w6_risk", "lw"),
        ("w6_opt", "clarabel"),
        ("w6_opt", "scs"),
        ("w6_opt", "rp_ccd"),
        ("w6_opt", "skfolio"),
    ] {
        let run = Command::new(&python).arg(format!("{peers}/{script}.py")).arg(&folder).env("PEER", peer).status();
        if !run.is_ok_and(|s| s.success()) {
            println!("{{\"workload\":\"{script}\",\"peer\":\"{peer}\",\"error\":\"did not run\"}}");
        }
    }
}
