//! Opinions about real prices, against those that `scripts/oracles/agents.py` computes without this code.

use crate::fixture::{Bar, FEED, Opinion, all, batch};
use std::path::Path;
use tradegraph_agents::{
    Agent, LongTerm, LongTermParameters, MeanReversion, MeanReversionParameters, Momentum, MomentumParameters,
};
use tradegraph_domain::{AgentId, Price};

/// Lines of a table below its heading, cut into cells.
#[allow(clippy::disallowed_methods, reason = "a test reads a table")]
fn table(path: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let lines = text.lines().filter(|l| !l.starts_with('#')).skip(1);
    lines.map(|l| l.split(',').map(str::to_owned).collect()).collect()
}

fn nano(cell: &str) -> i64 {
    Price::parse(cell).unwrap().nano()
}

/// How many cells were compared.
fn check(actual: &Opinion, expected: &[String], what: &str) -> usize {
    let expected: Vec<f64> = expected.iter().filter(|c| !c.is_empty()).map(|c| c.parse().unwrap()).collect();
    match actual {
        Err(why) => assert!(expected.is_empty(), "{what}: {why:?}"),
        Ok((factors, confidence)) => {
            let actual: Vec<f64> = factors.iter().copied().chain([*confidence]).collect();
            assert!(!expected.is_empty(), "{what}: {actual:?} instead of none");
            let same = actual.iter().zip(&expected).all(|(a, e)| (a - e).abs() < 1e-9);
            assert!(same, "{what}:\n{actual:?}\n instead of\n{expected:?}");
        }
    }
    expected.len()
}

#[test]
fn momentum_and_mean_reversion_on_us4() {
    let prices = table("../../samples/equities/us4_ohlcv_2013_2023.csv");
    let oracle = table("oracles/us4.csv");
    let mut compared = 0;
    for symbol in ["AAPL", "NFLX"] {
        let bars = prices.iter().filter(|l| l[0] == symbol).take(460);
        let rows: Vec<Vec<Bar>> = bars.map(|l| vec![Some([nano(&l[3]), nano(&l[4]), nano(&l[5])])]).collect();
        let batch = batch(&rows, false);
        let momentum = all(&|_| Box::new(Momentum::new(AgentId(1), FEED, MomentumParameters::default())), &batch);
        let parameters = MeanReversionParameters::default();
        let reversion = all(&move |n| Box::new(MeanReversion::new(AgentId(2), FEED, n, parameters)), &batch);
        let lines: Vec<_> = oracle.iter().filter(|l| l[0] == symbol).collect();
        assert_eq!(lines.len(), 460);
        for ((line, m), r) in lines.into_iter().zip(&momentum).zip(&reversion) {
            compared += check(&m[0], &line[2..8], &format!("momentum of {symbol}, bar {}", line[1]));
            compared += check(&r[0], &line[8..12], &format!("mean reversion of {symbol}, bar {}", line[1]));
        }
    }
    assert_eq!(compared, 2 * (6 * 361 + 4 * 360));
}

#[test]
fn long_term_on_us20() {
    let prices = table("../../samples/equities/us20_adjclose_1990_2022.csv");
    let cell = |c: &String| Some([nano(c); 3]);
    let rows: Vec<Vec<Bar>> = prices.iter().take(460).map(|l| l[1..].iter().map(cell).collect()).collect();
    let batch = batch(&rows, true);
    let parameters = LongTermParameters::default();
    let opinions = all(&move |n| Box::new(LongTerm::new(AgentId(5), FEED, n, parameters)), &batch);
    assert!(opinions[..252].iter().flatten().all(Result::is_err));
    let oracle = table("oracles/us20.csv");
    for (k, line) in oracle.iter().enumerate() {
        let row: usize = line[0].parse().unwrap();
        let expected: Vec<f64> = line[2..].iter().map(|c| c.parse().unwrap()).collect();
        let (factors, _) = opinions[row][k % 20].as_ref().unwrap();
        let same = factors.iter().zip(&expected).all(|(a, e)| (a - e).abs() < 1e-12);
        assert!(same, "row {row}, {}: {factors:?} instead of {expected:?}", line[1]);
    }
    assert_eq!(oracle.len(), 20 * 20);
}

/// What people read, with the figures of a decision.
#[test]
fn explanations_name_their_data() {
    let p = MomentumParameters::default();
    let momentum = Momentum::new(AgentId(1), FEED, p);
    let some = |x: &[f64]| x.iter().map(|x| Some(*x)).collect::<Vec<_>>();
    let data = some(&[11.0, 10.0, 60.0, 0.1, 0.02, 0.1, 10.0, 15.0, 12.5]);
    assert_eq!(
        momentum.explain(3, &data),
        "the price is at 12.5000, a Fibonacci level of the last rise at which it turned before: 10.0 % for an opinion of \
         that direction"
    );
    let without = [&data[..5], &[None; 4]].concat();
    assert_eq!(
        momentum.explain(3, &without),
        "there is no Fibonacci level: the series has no highs and lows, or no complete leg yet"
    );
    let off = Momentum::new(AgentId(1), FEED, MomentumParameters { swing_pct: 0, ..p });
    assert_eq!((off.needs().len(), off.explain(3, &data[..5])), (5, "Fibonacci levels are switched off".into()));

    let p = MeanReversionParameters::default();
    let reversion = MeanReversion::new(AgentId(2), FEED, 1, p);
    let data = some(&[-2.5, 99.0, -0.1, 0.01, 100.0, 120.0]);
    assert_eq!(
        reversion.explain(0, &data),
        "the close 99.0000 went outside its 20-bar Bollinger bands of 2 deviations and is not back; it is left at the \
         mean, at 87.6400 or 132.3600 (161.8 % of the last leg), or after 20 bars"
    );
    assert_eq!(reversion.explain(1, &data), "the close is -2.5000 deviations from its mean of 20 bars");
    assert_eq!(
        reversion.explain(2, &data),
        "the return over 100 bars is -10.00 %, -1.00 deviations: a move that goes with the drift is faded less"
    );
    let plain = MeanReversion::new(AgentId(2), FEED, 1, MeanReversionParameters { trend: 0, extension_pm: 0, ..p });
    assert_eq!(plain.needs().len(), 2);
    assert!(plain.explain(0, &data[..2]).ends_with("it is left at the mean, or after 20 bars"));

    let ranks = LongTerm::new(AgentId(5), FEED, 1, LongTermParameters::default());
    assert_eq!(
        ranks.explain(0, &some(&[0.25, 0.01, -0.05])),
        "its return over 252 bars without the last 21 is 25.00 %; winners are wanted (ranked among the universe every 21 \
         bars)"
    );
}
