use super::*;
use proptest::prelude::*;

mod oracle;
mod page;
mod published;

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

#[test]
fn drawdowns_in_order() {
    let fall = |depth, start, trough, recovery| Drawdown { depth, start, trough, recovery };
    let check = |equity: &[f64], expected: &[Drawdown]| assert_eq!(super::drawdowns(equity).unwrap(), expected);
    check(&[1.0, 2.0, 2.0], &[]);
    check(&[4.0, 3.0, 4.0, 3.0], &[fall(0.25, 0, 1, Some(2)), fall(0.25, 2, 3, None)]);
    check(&[4.0, 3.0, 2.0, 3.0, 5.0, 4.5], &[fall(0.5, 0, 2, Some(4)), fall(0.1, 4, 5, None)]);
    let longest = |equity: &[f64], days: &[i32]| longest_drawdown(equity, days);
    let days = [0, 1, 10, 12];
    let expected = Underwater { start: 0, end: 2, days: 10, recovered: true };
    assert_eq!(longest(&[4.0, 3.0, 4.0, 3.0], &days), Some(expected));
    assert_eq!(
        longest(&[4.0, 5.0, 4.0, 4.5], &days),
        Some(Underwater { start: 1, end: 3, days: 11, recovered: false })
    );
    assert_eq!(longest(&[4.0, 5.0, 6.0, 7.0], &days), None);
    assert_eq!(longest(&[4.0, 3.0, 4.0, 3.0], &days[1..]), None);
    assert_eq!(longest(&[4.0, 3.0, 4.0, 3.0], &[3, 2, 1, 0]), None);
}

#[test]
fn returns_of_months() {
    // 1999-12-30, 12-31, 2000-02-29 and 2000-03-01, found with Python's datetime.
    let days = [10_955, 10_956, 11_016, 11_017];
    let table = calendar_returns(&days, &[1.0, 2.0, 3.0, 1.5]).unwrap();
    assert_eq!((table[0].year, table[0].months[11], table[0].total), (1999, Some(1.0), 1.0));
    assert_eq!((table[1].year, table[1].months[1], table[1].months[2]), (2000, Some(0.5), Some(-0.5)));
    assert_eq!((table.len(), table[1].total, table[1].months[0]), (2, -0.25, None));
    // Before 1970: 1969-12-31 and 1600-02-29.
    let month = |day| calendar_returns(&[day, day], &[1.0, 1.5]).map(|t| (t[0].year, t[0].months.map(|m| m.is_some())));
    assert_eq!(month(-1).map(|(y, m)| (y, m[11])), Some((1969, true)));
    assert_eq!(month(-135_081).map(|(y, m)| (y, m[1])), Some((1600, true)));
    for (days, equity) in
        [(&days[..1], &[1.0][..]), (&days[..2], &[0.0, 1.0]), (&days[..2], &[1.0]), (&[2, 1], &[1.0, 1.0])]
    {
        assert_eq!(calendar_returns(days, equity), None, "{days:?} {equity:?}");
    }
    assert_eq!(calendar_returns(&[1, 40, 80], &[1.0, f64::NAN, 1.0]), None);
}

/// Every statistic of returns, for what holds of all of them.
fn all_of(x: &[f64]) -> Vec<Option<f64>> {
    let rf = RiskFree::Zero;
    vec![
        volatility(x, 252.0),
        sample_variance(x),
        sharpe(x, rf, 252.0).map(|s| s.annual),
        probabilistic_sharpe(x, rf, 0.0),
        sharpe(x, rf, 252.0).and_then(|s| s.minimum_track_record(-9.0, 0.95)),
        sortino(x, rf, 252.0),
        downside_deviation(x, rf, 252.0),
        omega(x, rf),
        skewness(x),
        excess_kurtosis(x),
        tail_ratio(x),
        value_at_risk(x, 0.05),
        expected_shortfall(x, 0.05),
        hit_rate(x),
        payoff(x),
        profit_factor(x),
        kelly_bet(x),
        kelly_leverage(x, rf),
        regression(x, x, rf, 252.0).map(|r| r.beta),
        information_ratio(x, &vec![0.0; x.len()], 252.0).map(|r| r.annual),
        tracking_error(x, &vec![0.0; x.len()], 252.0),
        capture(x, x, 252.0).and_then(|c| c.up),
        autocorrelations(x, 1).and_then(|a| a.first().copied()),
        serial_sharpe(x, rf, 1, 0, 1).map(|s| s.error),
        optimal_block_length(x).map(|b| b.stationary),
    ]
}

#[test]
fn nan_and_nothing_have_no_value() {
    let mut x: Vec<f64> = (0..40).map(|i| f64::from(i * 7 % 11) / 64.0 - 0.07).collect();
    assert!(all_of(&x).iter().all(Option::is_some), "{:?}", all_of(&x));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        x[17] = bad;
        assert!(all_of(&x).iter().all(Option::is_none), "{bad}: {:?}", all_of(&x));
        assert_eq!(rolling_sharpe(&x, RiskFree::Zero, 5, 252.0), None);
    }
    assert!(all_of(&[]).iter().all(Option::is_none), "{:?}", all_of(&[]));
    // One return has a size, no spread.
    let one: Vec<usize> = all_of(&[-0.5]).iter().enumerate().filter(|(_, v)| v.is_some()).map(|(i, _)| i).collect();
    assert_eq!(one, [5, 6, 7, 10, 11, 12, 13, 15]);
    // Nor has a constant.
    let flat = all_of(&[0.25; 30]);
    for i in [2, 3, 4, 8, 9, 17, 18, 19, 22, 23, 24] {
        assert_eq!(flat[i], None, "statistic {i}");
    }
    assert_eq!(rolling_sharpe(&[0.5, 0.5, 0.25], RiskFree::Zero, 2, 1.0).unwrap()[..2], [None, None]);
    for window in [0, 1, 4] {
        assert_eq!(rolling_sharpe(&[0.5, 0.5, 0.25], RiskFree::Zero, window, 1.0), None);
    }
}

#[test]
fn only_losses() {
    let x: Vec<f64> = (1..30).map(|i| f64::from(i) / -512.0).collect();
    let equity: Vec<f64> = std::iter::once(1.0)
        .chain(x.iter().scan(1.0, |e, r| {
            *e *= 1.0 + r;
            Some(*e)
        }))
        .collect();
    assert_eq!((hit_rate(&x), payoff(&x), profit_factor(&x), kelly_bet(&x)), (Some(0.0), None, Some(0.0), None));
    assert_eq!(omega(&x, RiskFree::Zero), Some(0.0));
    assert_eq!(capture(&x, &x, 252.0).unwrap().up, None);
    let s = sharpe(&x, RiskFree::Zero, 252.0).unwrap();
    assert_eq!(s.minimum_track_record(0.0, 0.95), None);
    assert!(
        s.annual < 0.0 && calmar(&equity, 252.0).unwrap() < 0.0 && sortino(&x, RiskFree::Zero, 252.0).unwrap() < 0.0
    );
    let fall = max_drawdown(&equity).unwrap();
    assert_eq!((fall.start, fall.trough, fall.recovery), (0, 29, None));
    // Only wins: no denominator.
    let wins: Vec<f64> = x.iter().map(|r| -r).collect();
    assert_eq!((sortino(&wins, RiskFree::Zero, 252.0), omega(&wins, RiskFree::Zero)), (None, None));
    assert_eq!((profit_factor(&wins), payoff(&wins), calmar(&[1.0, 2.0], 1.0)), (None, None, None));
    assert_eq!(
        (ulcer_index(&[1.0, 2.0]), ulcer_index(&[1.0]), downside_deviation(&wins, RiskFree::Zero, 1.0)),
        (Some(0.0), None, Some(0.0))
    );
}

#[test]
fn arguments_out_of_range() {
    let x = [0.5, -0.25, 0.125, -0.5];
    let rf = RiskFree::Zero;
    for p in [-0.1, 1.1, f64::NAN] {
        assert_eq!((quantile(&x, p), value_at_risk(&x, p), expected_shortfall(&x, p)), (None, None, None));
    }
    let s = sharpe(&x, rf, 1.0).unwrap();
    for confidence in [0.5, 1.0, f64::NAN] {
        assert_eq!(s.minimum_track_record(-1.0, confidence), None);
    }
    assert_eq!((expected_maximum_sharpe(0, 1.0), expected_maximum_sharpe(1, 1.0)), (None, Some(0.0)));
    for variance in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!((expected_maximum_sharpe(5, variance), s.deflated(5, variance)), (None, None));
    }
    assert_eq!(Sharpe::from_moments(1, 0.1, 0.0, 3.0, 12.0), None);
    assert_eq!(Sharpe::from_moments(9, f64::NAN, 0.0, 3.0, 12.0), None);
    for (q, lags, bandwidth) in [(0, 0, 0), (1, 1, 0), (9, 4, 0), (1, 0, 4)] {
        assert_eq!(serial_sharpe(&x, rf, q, lags, bandwidth), None);
    }
    assert_eq!((autocorrelations(&x, 4), autocorrelations(&x, 0)), (None, Some(vec![])));
    assert_eq!(regression(&x, &x[1..], rf, 1.0), None);
    assert_eq!(regression(&x, &[0.5; 4], rf, 1.0), None);
    assert_eq!(regression(&x[..2], &x[..2], rf, 1.0), None);
    assert_eq!(regression(&[0.5; 4], &x, rf, 1.0).unwrap().r_squared, None);
    assert_eq!(capture(&x, &x[1..], 1.0), None);
}

#[test]
fn bootstraps_say_what_is_wrong() {
    let x: Vec<f64> = (0..20).map(|i| f64::from(i * i % 7) - 3.0).collect();
    let plan = Bootstrap { scheme: Scheme::Circular { length: 2 }, replications: 50, seed: 1 };
    let mean = |x: &[f64]| Some(x.iter().sum::<f64>());
    let fails = |x: &[f64], statistic: &dyn Fn(&[f64]) -> Option<f64>, plan, method, level, expected| {
        assert_eq!(interval(x, statistic, &plan, method, level), Err(expected));
    };
    use IntervalMethod::{Bca, Percentile};
    for level in [0.0, 1.0] {
        fails(&x, &mean, plan, Percentile, level, BootstrapError::Level { level });
    }
    fails(&x[..1], &mean, plan, Percentile, 0.9, BootstrapError::TooFewRows { rows: 1, least: 2 });
    fails(&[0.5, f64::NAN], &mean, plan, Percentile, 0.9, BootstrapError::NotFinite { row: 1 });
    fails(&x, &mean, Bootstrap { replications: 0, ..plan }, Percentile, 0.9, BootstrapError::NoReplications);
    let long = Bootstrap { scheme: Scheme::Moving { length: 21 }, ..plan };
    fails(&x, &mean, long, Percentile, 0.9, BootstrapError::BlockLength { length: 21.0, rows: 20 });
    fails(&x, &|_| None, plan, Percentile, 0.9, BootstrapError::Undefined { replication: None });
    let only_whole = |s: &[f64]| (s == x).then_some(1.0);
    fails(&x, &only_whole, plan, Percentile, 0.9, BootstrapError::Undefined { replication: Some(0) });
    fails(&x, &|_| Some(1.0), plan, Bca, 0.9, BootstrapError::OneSided { share_below: 0.0 });

    let trials = |trials: &[&[f64]], expected| {
        let benchmark = vec![0.0; 20];
        assert_eq!(superior_ability(trials, &benchmark, &plan, Superiority::Studentised), Err(expected));
    };
    trials(&[], BootstrapError::NoTrials);
    trials(&[&x, &x[1..]], BootstrapError::Shape { trial: 1, rows: 19, expected: 20 });
    trials(&[&x, &[0.5; 20]], BootstrapError::NoVariance { trial: 1 });
    trials(&[&[f64::INFINITY; 20]], BootstrapError::NotFinite { row: 0 });
    let two = superior_ability(&[&x[..2]], &[0.0; 2], &plan, Superiority::Mean);
    assert_eq!(two, Err(BootstrapError::TooFewRows { rows: 2, least: 3 }));
    // A trial equal to the benchmark is nothing to beat: no sample exceeds it.
    assert_eq!(reality_check(&[&x], &x, &plan), Ok(0.0));
}

/// Returns with a spread, some of them 0.
fn series(least: usize) -> impl Strategy<Value = Vec<f64>> {
    let cell = prop_oneof![Just(0.0), -0.2..0.2_f64];
    prop::collection::vec(cell, least..60).prop_filter("spread", |x| sample_variance(x).is_some_and(|v| v > 1e-8))
}

fn near(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * (1.0 + a.abs()),
        (a, b) => a == b,
    }
}

proptest! {
    #[test]
    fn ratios_have_no_unit_and_sizes_have_one(x in series(4), power in -3_i32..4) {
        // A power of two scales without rounding, so these hold to the bit.
        let c = 2.0_f64.powi(power);
        let scaled: Vec<f64> = x.iter().map(|r| r * c).collect();
        let rf = RiskFree::Zero;
        let same = |f: &dyn Fn(&[f64]) -> Option<f64>| f(&x) == f(&scaled);
        prop_assert!(same(&|x| sharpe(x, rf, 252.0).map(|s| s.annual)));
        prop_assert!(same(&|x| sharpe(x, rf, 252.0).map(|s| s.error_annual)));
        prop_assert!(same(&|x| sortino(x, rf, 252.0)));
        prop_assert!(same(&|x| omega(x, rf)));
        prop_assert!(same(&skewness) && same(&excess_kurtosis) && same(&tail_ratio));
        prop_assert!(same(&hit_rate) && same(&payoff) && same(&profit_factor) && same(&kelly_bet));
        prop_assert!(same(&|x| serial_sharpe(x, rf, 2, 1, 1).map(|s| s.error)));
        let by = |k: f64, f: &dyn Fn(&[f64]) -> Option<f64>| f(&x).map(|v| v * k) == f(&scaled);
        prop_assert!(by(c, &|x| volatility(x, 252.0)) && by(c, &|x| downside_deviation(x, rf, 252.0)));
        prop_assert!(by(c, &|x| value_at_risk(x, 0.1)) && by(c, &|x| expected_shortfall(x, 0.1)));
        prop_assert!(by(c * c, &sample_variance) && by(1.0 / c, &|x| kelly_leverage(x, rf)));
    }

    #[test]
    fn the_order_of_bars_matters_only_in_time(x in series(4), seed in any::<u64>()) {
        let mut random = Random::new(seed);
        let mut mixed = x.clone();
        for i in (1..mixed.len()).rev() {
            mixed.swap(i, random.below(i + 1));
        }
        // The last three look at neighbours in time.
        let n = all_of(&x).len() - 3;
        for (i, (a, b)) in all_of(&x).into_iter().zip(all_of(&mixed)).enumerate().take(n) {
            prop_assert!(near(a, b), "statistic {}: {:?} and {:?}", i, a, b);
        }
    }

    #[test]
    fn bounds(x in series(4), tail in 0.0..0.5_f64) {
        let rf = RiskFree::Zero;
        prop_assert!(excess_kurtosis(&x).unwrap() >= skewness(&x).unwrap().powi(2) - 2.0 - 1e-9);
        prop_assert!(expected_shortfall(&x, tail) >= value_at_risk(&x, tail));
        prop_assert!(value_at_risk(&x, tail) >= value_at_risk(&x, tail + 0.5));
        prop_assert!(hit_rate(&x).is_none_or(|h| (0.0..=1.0).contains(&h)));
        prop_assert!(kelly_bet(&x).is_none_or(|k| k <= 1.0));
        prop_assert!(omega(&x, rf).is_none_or(|o| o >= 0.0));
        prop_assert!(autocorrelations(&x, 3).unwrap().iter().all(|r| r.abs() <= 1.0 + 1e-12));
        let line = regression(&x, &x, rf, 252.0).unwrap();
        prop_assert!((line.beta - 1.0).abs() < 1e-9 && line.r_squared.unwrap() > 1.0 - 1e-9);
        let (low, high) = (x.iter().copied().fold(f64::MAX, f64::min), x.iter().copied().fold(f64::MIN, f64::max));
        prop_assert!((low..=high).contains(&quantile(&x, 2.0 * tail).unwrap()));
    }

    #[test]
    fn a_record_of_the_minimum_length_has_the_confidence(x in series(8), lead in 0.01..0.5_f64, confidence in 0.6..0.999_f64) {
        let s = sharpe(&x, RiskFree::Zero, 1.0).unwrap();
        let benchmark = s.per_period - lead;
        let length = s.minimum_track_record(benchmark, confidence).unwrap();
        prop_assert!(length >= 1.0);
        // Rounded up, it is enough; one bar less is not.
        let at = |n: f64| {
            Sharpe::from_moments(n as usize, s.per_period, s.skewness, s.kurtosis, 1.0)?.probability_above(benchmark)
        };
        prop_assert!(at(length.ceil().max(2.0)).is_none_or(|p| p >= confidence - 1e-12));
        if length.ceil() >= 3.0 {
            prop_assert!(at(length.ceil() - 1.0).unwrap() <= confidence + 1e-12);
        }
        // More trials, less belief.
        let trust = |trials| s.deflated(trials, 0.01).unwrap().probability;
        prop_assert!(trust(1) >= trust(2) && trust(2) >= trust(30) && trust(30) >= trust(1000));
    }

    #[test]
    fn falls_of_a_curve(x in series(1), jumps in prop::collection::vec(0_i32..40, 60)) {
        let equity: Vec<f64> = x.iter().scan(1.0, |e, r| { *e *= 1.0 + r; Some(*e) }).collect();
        let falls = super::drawdowns(&equity).unwrap();
        let worst = max_drawdown(&equity).unwrap();
        prop_assert_eq!(worst.depth, falls.iter().map(|f| f.depth).fold(0.0, f64::max));
        prop_assert!(falls.windows(2).all(|w| w[0].recovery.is_some_and(|r| r <= w[1].start)));
        for fall in &falls {
            prop_assert!(fall.depth > 0.0 && fall.depth < 1.0 && fall.start < fall.trough);
            prop_assert_eq!(fall.depth, (equity[fall.start] - equity[fall.trough]) / equity[fall.start]);
        }
        if equity.len() > 1 {
            let ulcer = ulcer_index(&equity).unwrap();
            prop_assert!((0.0..=worst.depth * (1.0 + 1e-12)).contains(&ulcer));
            let days: Vec<i32> = jumps.iter().scan(0, |d, j| { *d += j; Some(*d) }).take(equity.len()).collect();
            if let Some(longest) = longest_drawdown(&equity, &days) {
                prop_assert!(longest.days <= days[equity.len() - 1] && longest.start < longest.end);
            }
            // The months of a year compound to it, and the years to the whole.
            let table = calendar_returns(&days, &equity).unwrap();
            for year in &table {
                let months: f64 = year.months.iter().flatten().map(|m| 1.0 + m).product();
                prop_assert!((months - 1.0 - year.total).abs() < 1e-9);
            }
            let all: f64 = table.iter().map(|y| 1.0 + y.total).product();
            prop_assert!((all - 1.0 - total_return(&equity).unwrap()).abs() < 1e-9);
        }
    }

    #[test]
    fn intervals_and_tests_keep_their_order(x in series(10), seed in any::<u64>(), length in 1_usize..5) {
        let plan = Bootstrap { scheme: Scheme::Stationary { mean_length: length as f64 }, replications: 60, seed };
        let mean = |x: &[f64]| Some(x.iter().sum::<f64>() / x.len() as f64);
        for method in [IntervalMethod::Percentile, IntervalMethod::Basic] {
            let [wide, narrow] = [0.95, 0.5].map(|level| interval(&x, mean, &plan, method, level).unwrap());
            prop_assert!(wide.low <= narrow.low && narrow.low <= narrow.high && narrow.high <= wide.high);
        }
        let benchmark = vec![0.0; x.len()];
        let worse: Vec<f64> = x.iter().map(|r| r - 0.05).collect();
        for superiority in [Superiority::Mean, Superiority::Studentised] {
            let p = superior_ability(&[&x, &worse], &benchmark, &plan, superiority).unwrap();
            prop_assert!(0.0 <= p.lower && p.lower <= p.consistent && p.consistent <= p.upper && p.upper <= 1.0);
            prop_assert_eq!(p.best, 0);
            let swapped = superior_ability(&[&worse, &x], &benchmark, &plan, superiority).unwrap();
            prop_assert_eq!((swapped.best, swapped.upper, swapped.lower), (1, p.upper, p.lower));
        }
    }
}
