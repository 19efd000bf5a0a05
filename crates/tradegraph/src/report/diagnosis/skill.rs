//! Is there skill in it, or luck, the market, or a peek at the future?

use super::{Facts, Found, Severity::*};

pub fn sharpe_not_different_from_zero(f: &Facts) -> Found {
    let (p, sharpe, error) = (f.probabilistic?, f.sharpe?, f.sharpe_error?);
    let numbers = vec![("probability_above_zero", p), ("sharpe", sharpe), ("error", error)];
    let says = format!(
        "A Sharpe ratio of {sharpe:.2} ± {error:.2} is above zero with a probability of {:.1} %.",
        (p * 1_000.0).floor() / 10.0
    );
    if p >= 0.95 {
        return Some((Good, says, numbers, "Nothing to do; the number of trials is another matter."));
    }
    let advice =
        "Take the result as no evidence of an edge: test on more years or more instruments before trusting it.";
    Some((Warning, says, numbers, advice))
}

pub fn deflated_sharpe_low(f: &Facts) -> Found {
    let p = f.deflated.filter(|_| f.trials > 1)?;
    if p >= 0.95 {
        return None;
    }
    Some((
        if p < 0.8 { Warning } else { Note },
        format!(
            "After {} different mandates on these data, the ratio is above what the luckiest of them would show with a \
             probability of {:.0} % only.",
            f.trials,
            (p * 100.0).floor()
        ),
        vec![("deflated_probability", p), ("trials", f.trials as f64)],
        "Stop tuning on these data. Keep one mandate and try it once on data that no trial has seen.",
    ))
}

pub fn short_record(f: &Facts) -> Found {
    let years = f.years?;
    let needed = f.minimum_years.unwrap_or(0.0).max(3.0);
    (years < needed).then(|| {
        (
            Note,
            format!("The record is {years:.1} years long; a ratio like this one needs {needed:.1}."),
            vec![("years", years), ("years_needed", needed)],
            "Use a longer history, or wait: a paper account costs nothing.",
        )
    })
}

pub fn benchmark_did_better(f: &Facts) -> Found {
    let (own, theirs) = (f.growth?, f.benchmark_growth?);
    let (sharpe, sharpe_theirs) = (f.sharpe?, f.benchmark_sharpe?);
    let numbers =
        vec![("growth", own), ("benchmark_growth", theirs), ("sharpe", sharpe), ("benchmark_sharpe", sharpe_theirs)];
    let says = format!(
        "Growth of {:.1} % against {:.1} % of equal weight, Sharpe ratio {sharpe:.2} against {sharpe_theirs:.2}.",
        own * 100.0,
        theirs * 100.0
    );
    match (own < theirs, sharpe < sharpe_theirs) {
        (true, true) => Some((
            Warning,
            format!("Equal weight did better, also for the risk taken. {says}"),
            numbers,
            "Holding the same instruments would have been simpler and better: ask what the trading is for.",
        )),
        (true, false) => Some((
            Note,
            format!("Equal weight earned more, at a higher risk. {says}"),
            numbers,
            "Compare at equal risk: a larger account share would have closed the gap, with deeper falls.",
        )),
        (false, false) => Some((
            Good,
            format!("It did better than equal weight in growth and for the risk. {says}"),
            numbers,
            "Nothing to do.",
        )),
        (false, true) => None,
    }
}

pub fn beta_explains_it(f: &Facts) -> Found {
    let (beta, r, alpha, error) = (f.beta?, f.r_squared?, f.alpha?, f.alpha_error?);
    (r >= 0.5 && alpha.abs() < 2.0 * error).then(|| {
        (
            Warning,
            format!(
                "Equal weight explains {:.0} % of what the account did (beta {beta:.2}); the rest, {:.1} ± {:.1} % a year, is \
                 within its error.",
                r * 100.0,
                alpha * 100.0,
                error * 100.0
            ),
            vec![("beta", beta), ("r_squared", r), ("alpha", alpha), ("alpha_error", error)],
            "This much of the market can be held more cheaply. Look for signals that do not follow it.",
        )
    })
}

pub fn one_sided(f: &Facts) -> Found {
    let ((gross, _), net, benchmark) = (f.gross?, f.net?, f.benchmark_growth?);
    (gross > 0.05 && net >= 0.9 * gross && benchmark > 0.0).then(|| {
        (
            Note,
            format!("The account was long almost only (net {:.0} % of gross), and the instruments rose.", net / gross * 100.0),
            vec![("net_over_gross", net / gross), ("benchmark_growth", benchmark)],
            "A rising market pays every buyer. Look at the falls in the table of worst stretches before giving skill the credit.",
        )
    })
}

pub fn few_months_make_the_return(f: &Facts) -> Found {
    let total: f64 = f.months.iter().sum();
    if f.months.len() < 24 || total <= 0.0 {
        return None;
    }
    let n = f.months.len().div_ceil(20);
    let mut months = f.months.clone();
    months.sort_by(|a, b| b.total_cmp(a));
    let best: f64 = months.iter().take(n).sum();
    (best >= 0.8 * total).then(|| {
        (
            if best >= total { Warning } else { Note },
            format!(
                "The best {n} of {} months make {:.0} % of the whole growth.",
                f.months.len(),
                best / total * 100.0
            ),
            vec![("best_months", n as f64), ("share", best / total)],
            "See what happened in these months; without a repeatable cause the return is theirs, not the rules'.",
        )
    })
}

pub fn fading(f: &Facts) -> Found {
    let (first, second) = f.halves?;
    (first > 0.5 && second < 0.5 * first).then(|| {
        (
            if second <= 0.0 { Warning } else { Note },
            format!("The Sharpe ratio of the first half was {first:.2}, that of the second {second:.2}."),
            vec![("first_half", first), ("second_half", second)],
            "The edge may have been found by others, or fitted to the first half: judge by the second one.",
        )
    })
}

pub fn regime_dependence(f: &Facts) -> Found {
    let total: f64 = f.regimes.iter().map(|(.., r)| r).sum();
    let (best, share, gain) = f.regimes.iter().max_by(|a, b| a.2.total_cmp(&b.2))?;
    let lost: f64 = f.regimes.iter().map(|(.., r)| r.min(0.0)).sum();
    (total > 0.0 && f.regimes.len() > 1 && *gain >= 0.8 * total && *share < 0.6 && lost < 0.0).then(|| {
        (
            Note,
            format!(
                "{:.0} % of the growth came while the market was in '{best}', {:.0} % of the time; others lost.",
                gain / total * 100.0,
                share * 100.0
            ),
            vec![("share_of_growth", gain / total), ("share_of_time", *share)],
            "Let the council act less where it lost, or expect long stretches without a gain.",
        )
    })
}

pub fn fat_left_tail(f: &Facts) -> Found {
    let (skewness, kurtosis) = (f.skewness?, f.kurtosis?);
    (skewness < -1.0 && kurtosis > 5.0).then(|| {
        (
            Note,
            format!("Losses come seldom and large: skewness {skewness:.1}, excess kurtosis {kurtosis:.0}."),
            vec![("skewness", skewness), ("excess_kurtosis", kurtosis)],
            "The Sharpe ratio flatters such returns. Size by the expected shortfall, and cap single positions.",
        )
    })
}

pub fn look_ahead_smell(f: &Facts) -> Found {
    let correlation = f.fill_correlation.filter(|c| f.fill_pairs >= 50 && *c > 0.2)?;
    // 5 standard errors of a correlation of nothing.
    (correlation * (f.fill_pairs as f64).sqrt() > 5.0).then(|| {
        (
            Warning,
            format!(
                "Prices moved the traded way right after fills: correlation {correlation:.2} over {} fills.",
                f.fill_pairs
            ),
            vec![("correlation", correlation), ("fills", f.fill_pairs as f64)],
            "Check that no series carries a stamp earlier than the moment at which it was known: this looks like a peek.",
        )
    })
}

pub fn too_good(f: &Facts) -> Found {
    let sharpe = f.sharpe.filter(|s| *s > 3.0)?;
    Some((
        Warning,
        format!("A Sharpe ratio of {sharpe:.1} is rarely real outside of market making."),
        vec![("sharpe", sharpe)],
        "Suspect the data first (wrong adjustments, stale prices, stamps too early), then the costs.",
    ))
}

pub fn many_parameters(f: &Facts) -> Found {
    let trades = f.closed? as f64;
    let parameters = f.parameters as f64;
    (f.parameters > 0 && trades < 10.0 * parameters).then(|| {
        (
            Note,
            format!("{} numbers are set for {trades:.0} closed trades.", f.parameters),
            vec![("parameters", parameters), ("trades", trades)],
            "Ten trades a number is little enough: drop parameters or test on more instruments.",
        )
    })
}
