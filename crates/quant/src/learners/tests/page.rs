//! `docs/learners.md`, written from what the comparison with other libraries found.

use super::*;
use crate::execution::tests::compare::{Worst, golden, number, numbers, rows};
use crate::execution::tests::plot::svg;

const HEAD: &str = include_str!("page_head.md");
const TAIL: &str = include_str!("page_tail.md");

/// The distance of vectors, relative to the largest of what is expected.
fn apart(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let size = theirs.iter().fold(1e-12_f64, |a, v| a.max(v.abs()));
    ours.iter()
        .zip(theirs)
        .map(|(a, b)| (a - b).abs() / size)
        .fold(0.0, |a, e| if e.is_nan() { e } else { f64::max(a, e) })
}

fn different(ours: &[f64], theirs: &[f64]) -> f64 {
    f64::from(u8::from(ours != theirs))
}

fn regressions(worst: &mut Worst) {
    for r in rows(include_str!("../../../oracles/learners_ridge.csv")) {
        let (d, penalty, memory) = (number(r[0]) as usize, number(r[1]), number(r[2]));
        let mut ridge = OnlineRidge::new(d, penalty, memory).unwrap();
        for (x, y) in numbers(r[3]).chunks_exact(d).zip(numbers(r[4])) {
            ridge.update(x, y).unwrap();
        }
        let at = r[..3].join(",");
        worst.note("OnlineRidge, weights", "scikit-learn", apart(ridge.weights(), &numbers(r[6])), 1e-9, &at);
        let width = ridge.uncertainty(&numbers(r[5])).unwrap();
        worst.relative("OnlineRidge, uncertainty", "numpy", (width, number(r[7])), 1e-300, 1e-8, &at);
    }
    for r in rows(include_str!("../../../oracles/learners_logistic.csv")) {
        let d = number(r[0]) as usize;
        let mut logit = OnlineLogistic::new(d, number(r[1]), number(r[2])).unwrap();
        let mut before = Vec::new();
        for (x, y) in numbers(r[3]).chunks_exact(d).zip(numbers(r[4])) {
            before.push(logit.update(x, y > 0.5).unwrap());
        }
        let at = r[..3].join(",");
        // river rounds probabilities of logits beyond 18 to 0 and 1 in its gradient.
        let theirs = numbers(r[5]);
        let cut = theirs.iter().any(|p| !(1.6e-8..=1.0 - 1.6e-8).contains(p));
        let (peer, bound) = if cut { ("river, logits beyond 18", 1e-6) } else { ("river", 1e-10) };
        let probabilities = before.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        worst.note("OnlineLogistic, probabilities", peer, probabilities, bound, &at);
        worst.note("OnlineLogistic, weights", peer, apart(logit.weights(), &numbers(r[6])), bound, &at);
        worst.relative("OnlineLogistic, intercept", peer, (logit.intercept(), number(r[7])), 1e-3, bound, &at);
    }
}

fn gradients(worst: &mut Worst) {
    for r in rows(include_str!("../../../oracles/learners_gradient.csv")) {
        let (mut w, slopes) = (numbers(r[2]), numbers(r[3]));
        let what = if r[0] == "portfolio" {
            exponentiated_portfolio(&mut w, &slopes, number(r[1])).unwrap();
            "exponentiated_portfolio"
        } else {
            exponentiated_gradient(&mut w, &slopes, number(r[1])).unwrap();
            "exponentiated_gradient"
        };
        worst.note(what, "mpmath", apart(&w, &numbers(r[4])), 1e-14, r[2]);
        worst.note(what, "cvxpy (relative entropy)", apart(&w, &numbers(r[5])), 1e-3, r[2]);
    }
}

fn calibrations(worst: &mut Worst) {
    for r in rows(include_str!("../../../oracles/learners_isotonic.csv")) {
        let f = Isotonic::fit(&numbers(r[0]), &numbers(r[1]), &numbers(r[2])).unwrap();
        let ours: Vec<f64> = numbers(r[3]).iter().map(|x| f.value(*x)).collect();
        worst.note("Isotonic", "scikit-learn", apart(&ours, &numbers(r[4])), 1e-12, r[0]);
    }
    for r in rows(include_str!("../../../oracles/learners_platt.csv")) {
        let x = numbers(r[1]);
        let happened: Vec<bool> = numbers(r[2]).iter().map(|y| *y > 0.5).collect();
        let ours = Platt::fit(&x, &happened).unwrap();
        let exact = Platt { slope: number(r[3]), offset: number(r[4]) };
        let peer = Platt { slope: number(r[5]), offset: number(r[6]) };
        let of = |p: Platt| x.iter().map(|x| p.probability(*x)).collect::<Vec<_>>();
        worst.note("Platt, probabilities", "mpmath", apart(&of(ours), &of(exact)), 1e-10, r[1]);
        if peer.slope.is_finite() {
            worst.note("Platt, probabilities", "scikit-learn", apart(&of(ours), &of(peer)), 1e-6, r[1]);
            worst.note("(scikit-learn itself)", "mpmath", apart(&of(peer), &of(exact)), 1e-6, r[1]);
        }
    }
}

fn drifts(worst: &mut Worst) {
    let mut alarms = 0;
    for r in rows(include_str!("../../../oracles/learners_drift.csv")) {
        let (x, p) = (numbers(r[1]), numbers(r[2]));
        let adwin = r[0] == "adwin";
        let mut window = Adwin::new(0.002, 32, 5, 10).unwrap();
        let mut test = PageHinkley::new(30, 0.005, 50.0, 1.0).unwrap();
        if adwin {
            window = Adwin::new(p[0], p[1] as u64, p[2] as u64, p[3] as u64).unwrap();
        } else {
            test = PageHinkley::new(p[0] as u64, p[1], p[2], p[3]).unwrap();
        }
        let mut found = Vec::new();
        for (k, v) in x.iter().enumerate() {
            if if adwin { window.update(*v) } else { test.update(*v) }.unwrap() {
                found.push(k as f64);
            }
        }
        alarms += found.len();
        let name = if adwin { "Adwin" } else { "PageHinkley" };
        let count = if adwin { window.width() } else { test.count() } as f64;
        worst.note(&format!("{name}, alarms"), "river", different(&found, &numbers(r[3])), 0.0, r[2]);
        worst.note(&format!("{name}, observations kept"), "river", different(&[count], &[number(r[4])]), 0.0, r[2]);
        if adwin {
            worst.relative("Adwin, mean", "river", (window.mean(), number(r[5])), 1e-3, 1e-11, r[2]);
            worst.relative(
                "Adwin, variance of the window",
                "river",
                (window.variance() * count, number(r[6])),
                1e-3 * count,
                1e-11,
                r[2],
            );
        }
    }
    assert!(alarms > 50, "the table has too few changes: {alarms}");
}

fn bandits(worst: &mut Worst) {
    const DRAWS: u32 = 200_000;
    for r in rows(include_str!("../../../oracles/learners_thompson.csv")) {
        let prior = (number(r[1]), number(r[2]));
        let mut first = 0_u32;
        if r[0] == "beta" {
            let mut bandit = BetaThompson::new(2, prior, 1.0, 17).unwrap();
            for (k, n) in numbers(r[4]).iter().enumerate() {
                (0..*n as u32).for_each(|_| bandit.update(k / 2, k % 2 == 0).unwrap());
            }
            (0..DRAWS).for_each(|_| first += u32::from(bandit.choose() == 0));
        } else {
            let mut bandit = GaussianThompson::new(2, prior, number(r[3]), 1.0, 17).unwrap();
            for (arm, rewards) in r[4].split('|').enumerate() {
                numbers(rewards).iter().for_each(|x| bandit.update(arm, *x).unwrap());
            }
            let (mean, variance) = bandit.posterior(0).unwrap();
            worst.relative("GaussianThompson, mean", "scipy quadrature", (mean, number(r[6])), 1e-3, 1e-9, r[4]);
            worst.relative(
                "GaussianThompson, variance",
                "scipy quadrature",
                (variance, number(r[7])),
                1e-3,
                1e-8,
                r[4],
            );
            (0..DRAWS).for_each(|_| first += u32::from(bandit.choose() == 0));
        }
        // Four standard errors of 200,000 draws and of the table's own four million.
        let share = f64::from(first) / f64::from(DRAWS);
        let what = if r[0] == "beta" { "BetaThompson, share of an arm" } else { "GaussianThompson, share of an arm" };
        worst.note(what, "scipy, numpy", (share - number(r[5])).abs(), 5e-3, r[4]);
    }
    for r in rows(include_str!("../../../oracles/learners_linucb.csv")) {
        let (arms, d) = (number(r[0]) as usize, number(r[1]) as usize);
        let mut bandit = LinUcb::new(arms, d, number(r[2]), number(r[3]), 1.0).unwrap();
        let (contexts, mut chosen) = (numbers(r[4]), Vec::new());
        for (x, rewards) in contexts.chunks_exact(d).zip(numbers(r[5]).chunks_exact(arms)) {
            let arm = bandit.choose(x).unwrap();
            bandit.update(arm, x, rewards[arm]).unwrap();
            chosen.push(arm as f64);
        }
        let bounds: Vec<f64> = (0..arms).map(|k| bandit.bound(k, &contexts[..d]).unwrap()).collect();
        worst.note("LinUcb, choices", "numpy", different(&chosen, &numbers(r[6])), 0.0, r[0]);
        worst.note("LinUcb, bounds", "numpy", apart(&bounds, &numbers(r[7])), 1e-11, r[0]);
    }
}

fn plots() {
    let mut random = Random::new(2);
    let mut ridges = [1.0, 0.98].map(|memory| (OnlineRidge::new(1, 1.0, memory).unwrap(), Vec::new()));
    for k in 0..600 {
        let (x, noise) = (2.0 * random.uniform() - 1.0, random.uniform() - 0.5);
        let slope = if k < 300 { 1.0 } else { -0.5 };
        for (ridge, line) in &mut ridges {
            ridge.update(&[x], slope * x + noise).unwrap();
            line.push((f64::from(k), ridge.weights()[0]));
        }
    }
    let [(_, all), (_, some)] = ridges;
    golden(
        "pictures/learners_ridge.svg",
        &svg("A slope that changes", "observations", "slope", &[("memory 1", all), ("memory 0.98", some)]),
    );

    let means = [0.3, 0.5, 0.45];
    let mut regret = vec![[0.0; 2]; 500];
    for seed in 0..20 {
        let (mut world, mut beta) = (Random::new(100 + seed), BetaThompson::new(3, (1.0, 1.0), 1.0, seed).unwrap());
        let mut lin = LinUcb::new(3, 1, 1.0, 1.0, 1.0).unwrap();
        let mut sums = [0.0; 2];
        for mean in &mut regret {
            let arm = beta.choose();
            beta.update(arm, world.uniform() < means[arm]).unwrap();
            sums[0] += 0.5 - means[arm];
            let arm = lin.choose(&[1.0]).unwrap();
            lin.update(arm, &[1.0], f64::from(u8::from(world.uniform() < means[arm]))).unwrap();
            sums[1] += 0.5 - means[arm];
            mean.iter_mut().zip(sums).for_each(|(mean, sum)| *mean += sum / 20.0);
        }
    }
    let line = |k: usize| regret.iter().enumerate().map(|(n, r)| (n as f64, r[k])).collect();
    let (thompson, upper) = (line(0), line(1));
    let even = (0..500).map(|k| (f64::from(k), 0.25 / 3.0 * f64::from(k + 1))).collect();
    golden(
        "pictures/learners_bandit.svg",
        &svg("Regret", "rounds", "successes lost", &[("Thompson", thompson), ("LinUCB", upper), ("evenly", even)]),
    );

    let scores: Vec<f64> = (0..200).map(|_| random.uniform()).collect();
    let happened: Vec<bool> = scores.iter().map(|x| random.uniform() < x * x).collect();
    let outcomes: Vec<f64> = happened.iter().map(|h| f64::from(u8::from(*h))).collect();
    let (isotonic, platt) =
        (Isotonic::fit(&scores, &outcomes, &[1.0; 200]).unwrap(), Platt::fit(&scores, &happened).unwrap());
    let line = |f: &dyn Fn(f64) -> f64| (0..=100).map(|k| 0.01 * f64::from(k)).map(|x| (x, f(x))).collect();
    let lines = [
        ("truth", line(&|x| x * x)),
        ("Isotonic", line(&|x| isotonic.value(x))),
        ("Platt", line(&|x| platt.probability(x))),
    ];
    golden("pictures/learners_calibration.svg", &svg("Calibration", "score", "probability", &lines));

    let x: Vec<f64> = (0..300).map(|_| random.uniform()).collect();
    let truth = |x: f64| if x < 0.3 { 0.0 } else { 1.0 - x };
    let y: Vec<f64> = x.iter().map(|x| truth(*x) + 0.4 * (random.uniform() - 0.5)).collect();
    let grid: Vec<f64> = (0..=200).map(|k| 0.005 * f64::from(k)).collect();
    let fitted = |n| {
        let parameters = BoostingParameters { trees: n, ..BoostingParameters::default() };
        let values = BoostedTrees::fit(&parameters, &x, &y, &[]).unwrap().predict(&grid).unwrap();
        grid.iter().copied().zip(values).collect::<Vec<_>>()
    };
    let lines =
        [("truth", grid.iter().map(|x| (*x, truth(*x))).collect()), ("5 trees", fitted(5)), ("50 trees", fitted(50))];
    golden("pictures/learners_boosting.svg", &svg("A step and a slope", "feature", "value", &lines));

    let mut window = Adwin::new(0.002, 32, 5, 10).unwrap();
    let (mut mean, mut truth) = (Vec::new(), Vec::new());
    for k in 0..1_500 {
        let p = if k < 700 { 0.3 } else { 0.6 };
        window.update(f64::from(u8::from(random.uniform() < p))).unwrap();
        if k >= 50 {
            mean.push((f64::from(k), window.mean()));
            truth.push((f64::from(k), p));
        }
    }
    golden(
        "pictures/learners_drift.svg",
        &svg("A coin that changes", "tosses", "mean", &[("ADWIN", mean), ("truth", truth)]),
    );
}

fn trees(worst: &mut Worst) {
    for r in rows(include_str!("../../../oracles/learners_boosting.csv")) {
        let target = if r[0] == "1" { BoostingTarget::Probability } else { BoostingTarget::Value };
        let parameters = BoostingParameters {
            target,
            trees: number(r[1]) as usize,
            rate: number(r[2]),
            depth: number(r[3]) as usize,
            penalty: number(r[4]),
            least_weight: number(r[5]),
            bins: 1_000,
            ..BoostingParameters::default()
        };
        let columns = numbers(r[6]);
        let fitted = BoostedTrees::fit(&parameters, &columns, &numbers(r[7]), &numbers(r[8])).unwrap();
        let what = match target {
            BoostingTarget::Value => "BoostedTrees, values",
            BoostingTarget::Probability => "BoostedTrees, probabilities",
        };
        let found = fitted.predict(&columns).unwrap();
        let (theirs, at) = (numbers(r[9]), r[..6].join(","));
        if columns.iter().any(|x| x.is_nan()) {
            // Where missing values go when both sides gain alike is each library's own habit; how well they fit is not.
            let y = numbers(r[7]);
            let loss = |p: &[f64]| -> f64 {
                let one = |(p, y): (&f64, &f64)| -libm::log(if *y > 0.5 { *p } else { 1.0 - *p });
                p.iter().zip(&y).map(one).sum::<f64>() / y.len() as f64
            };
            let apart = (loss(&found) / loss(&theirs) - 1.0).abs();
            worst.note("BoostedTrees, log loss with missing values", "XGBoost, exact splits", apart, 0.1, &at);
        } else {
            worst.note(what, "XGBoost, exact splits", apart(&found, &theirs), 1e-5, &at);
        }
    }
}

/// `UPDATE_GOLDEN=1` writes the page and its plots anew.
#[test]
fn the_page_says_what_the_comparison_found() {
    let mut worst = Worst::default();
    regressions(&mut worst);
    gradients(&mut worst);
    bandits(&mut worst);
    calibrations(&mut worst);
    drifts(&mut worst);
    trees(&mut worst);
    plots();
    golden("learners.md", &format!("{HEAD}{}{TAIL}", worst.table()));
}
