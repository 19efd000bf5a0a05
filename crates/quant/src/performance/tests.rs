use super::*;

/// Rows of an oracle table without comments and header.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let data = table.lines().filter(|l| !l.starts_with('#')).skip(1);
    data.map(|l| l.split(',').collect())
}

fn number(text: &str) -> Option<f64> {
    if text.is_empty() { None } else { Some(text.parse().unwrap()) }
}

fn check(case: &str, metric: &str, expected: Option<f64>) {
    let table = include_str!("../../oracles/performance_returns.csv");
    let inputs: Vec<Vec<&str>> = rows(table).filter(|r| r[0] == case).collect();
    let [ppy, rate, benchmark] = [1, 2, 3].map(|c| number(inputs[0][c]).unwrap());
    let x: Vec<f64> = inputs.iter().map(|r| number(r[4]).unwrap()).collect();
    let mut equity = vec![1.0];
    for r in &x {
        equity.push(equity[equity.len() - 1] * (1.0 + r));
    }
    let rf = RiskFree::PerPeriod(rate);
    let ratio = || sharpe(&x, rf, ppy).unwrap();
    let fall = || max_drawdown(&equity).unwrap();
    let actual = match metric {
        "total_return" => total_return(&equity),
        "cagr" => cagr(&equity, ppy),
        "volatility" => volatility(&x, ppy),
        "sharpe_annual" => Some(ratio().annual),
        "sortino" => sortino(&x, rf, ppy),
        "drawdown_depth" => Some(fall().depth),
        "drawdown_start" => Some(fall().start as f64),
        "drawdown_trough" => Some(fall().trough as f64),
        "drawdown_recovery" => fall().recovery.map(|r| r as f64),
        "skewness" => Some(ratio().skewness),
        "kurtosis" => Some(ratio().kurtosis),
        "sharpe_error" => Some(ratio().error_per_period),
        "probabilistic_sharpe" => probabilistic_sharpe(&x, rf, benchmark),
        "hit_rate" => hit_rate(&x),
        other => panic!("no such metric: {other}"),
    };
    match (actual, expected) {
        (Some(a), Some(e)) => {
            // Ratios of nearly cancelling sums: relative to 1e-3 at least.
            let error = (a - e).abs() / e.abs().max(1e-3);
            assert!(error < 1e-9, "{case} {metric}: {a} instead of {e}");
        }
        (a, e) => assert_eq!(a, e, "{case} {metric}"),
    }
}

#[test]
fn equals_empyrical_and_scipy() {
    let mut n = 0;
    for row in rows(include_str!("../../oracles/performance.csv")) {
        check(row[0], row[1], number(row[2]));
        n += 1;
    }
    assert_eq!(n, 5 * 14);
}

#[test]
fn what_is_undefined_is_none() {
    let rf = RiskFree::Zero;
    for x in [&[][..], &[0.1], &[0.1; 7], &[0.0, 0.0], &[0.1, f64::NAN]] {
        assert_eq!(sharpe(x, rf, 252.0), None, "{x:?}");
        assert_eq!(probabilistic_sharpe(x, rf, 0.0), None, "{x:?}");
        assert_eq!(sortino(x, rf, 252.0), None, "{x:?}");
    }
    assert_eq!(volatility(&[0.1], 252.0), None);
    assert_eq!(volatility(&[0.1; 7], 252.0), Some(0.0));
    assert_eq!(volatility(&[0.1, f64::INFINITY], 252.0), None);
    assert_eq!(hit_rate(&[0.0]), None);
    assert_eq!(hit_rate(&[0.0, 0.1]), Some(1.0));
    for equity in [&[][..], &[1.0], &[0.0, 1.0], &[-1.0, 1.0], &[1.0, f64::NAN]] {
        assert_eq!(total_return(equity), None, "{equity:?}");
        assert_eq!(cagr(equity, 252.0), None, "{equity:?}");
        assert_eq!(returns(equity), None, "{equity:?}");
    }
    assert_eq!(cagr(&[1.0, -1.0], 252.0), None);
    assert_eq!(cagr(&[1.0, 0.0], 252.0), Some(-1.0));
    assert_eq!(cagr(&[1.0, 2.0], 0.0), None);
    assert_eq!(returns(&[1.0, 0.0, 1.0]), None);
    assert_eq!(returns(&[1.0, 1.5, 0.75]), Some(vec![0.5, -0.5]));
}

#[test]
fn risk_free_rates() {
    let x = [0.03, 0.01];
    assert_eq!(excess(&x, RiskFree::Zero), Some(x.to_vec()));
    assert_eq!(excess(&x, RiskFree::Series(&[0.03, 0.0])), Some(vec![0.0, 0.01]));
    assert_eq!(excess(&x, RiskFree::Series(&[0.03])), None);
    assert_eq!(excess(&x, RiskFree::PerYear { rate: -1.0, periods_per_year: 12.0 }), None);
    // 1.01² = 1.0201.
    let half_years = excess(&x, RiskFree::PerYear { rate: 0.0201, periods_per_year: 2.0 }).unwrap();
    assert!((half_years[0] - 0.02).abs() < 1e-15 && half_years[1].abs() < 1e-15);
}

#[test]
fn drawdowns() {
    let check = |equity: &[f64], expected: Option<(f64, usize, usize, Option<usize>)>| {
        let d = max_drawdown(equity).map(|d| (d.depth, d.start, d.trough, d.recovery));
        assert_eq!(d, expected, "{equity:?}");
    };
    check(&[], None);
    check(&[0.0, 1.0], None);
    check(&[1.0, f64::NAN], None);
    check(&[5.0], Some((0.0, 0, 0, Some(0))));
    check(&[1.0, 2.0, 3.0], Some((0.0, 0, 0, Some(0))));
    check(&[4.0, 4.0, 3.0, 3.0, 4.0], Some((0.25, 1, 2, Some(4))));
    check(&[4.0, 3.0, 5.0, 2.5, 4.0], Some((0.5, 2, 3, None)));
    // Of two equal falls the first; its recovery is found although a second fall follows.
    check(&[4.0, 3.0, 4.0, 3.0], Some((0.25, 0, 1, Some(2))));
    check(&[1.0, -1.0], Some((2.0, 0, 1, None)));
}
