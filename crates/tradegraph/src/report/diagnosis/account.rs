//! Data, limits and how the account was used.

use super::{Facts, Found, Severity::*};

pub fn suspect_data(f: &Facts) -> Found {
    if f.fills == 0 {
        return None;
    }
    let share = f.suspect_fills as f64 / f.fills as f64;
    let numbers = vec![("suspect_fills", f.suspect_fills as f64), ("share", share)];
    if f.suspect_fills == 0 {
        return Some((Good, "No fill came at or right after a doubtful bar.".to_owned(), numbers, "Nothing to do."));
    }
    Some((
        if share >= 0.02 { Warning } else { Note },
        format!("{} of {} fills came at or right after a bar that failed a quality check.", f.suspect_fills, f.fills),
        numbers,
        "Look at these bars (Quality of the data): a wrong price makes a trade that nobody could have had.",
    ))
}

pub fn survivorship(f: &Facts) -> Found {
    f.survivorship.then(|| {
        (
            Warning,
            "The instruments were chosen because they still existed at the end of the data.".to_owned(),
            vec![("instruments", f.instruments as f64)],
            "Compare with equal weight of the same instruments only; growth itself is too high.",
        )
    })
}

pub fn flat_for_long(f: &Facts) -> Found {
    let (days, all) = f.underwater?;
    let years = days / 365.25;
    (years >= 1.0 && days >= all / 4.0).then(|| {
        (
            if days >= all / 2.0 { Warning } else { Note },
            format!("The account stood below an earlier high for {years:.1} years at a stretch."),
            vec![("years_below", years), ("share_of_time", days / all)],
            "Ask whether you would have stayed: rules that are given up at the bottom earn nothing.",
        )
    })
}

pub fn drawdown_against_limits(f: &Facts) -> Found {
    let fall = f.drawdown?;
    match f.drawdown_limit {
        Some(limit) if fall >= 0.8 * limit => Some((
            Warning,
            format!("The deepest fall, {:.1} %, came close to the breaker at {:.1} %.", fall * 100.0, limit * 100.0),
            vec![("drawdown", fall), ("limit", limit)],
            "History is rarely the worst case: take less risk, or expect the breaker to stop the account.",
        )),
        None if fall >= 0.2 => Some((
            Note,
            format!("The account fell by {:.1} % and no breaker watches the drawdown.", fall * 100.0),
            vec![("drawdown", fall)],
            "Set a drawdown breaker under [limits] at the loss at which you would stop.",
        )),
        _ => None,
    }
}

pub fn breakers_tripped(f: &Facts) -> Found {
    (f.breakers > 0).then(|| {
        (
            Warning,
            format!("Breakers tripped {} times.", f.breakers),
            vec![("trips", f.breakers as f64)],
            "From there on the account could not trade as it wanted: see which ones under Trading activity.",
        )
    })
}

pub fn agents_stopped(f: &Facts) -> Found {
    let first = f.stopped.first()?;
    let more = if f.stopped.len() > 1 { format!(", and {} more", f.stopped.len() - 1) } else { String::new() };
    Some((
        Warning,
        format!("An agent failed: {first}{more}. It had no opinion from then on."),
        vec![("agents", f.stopped.len() as f64)],
        "What comes after is the result of another council: mend the agent and run it again.",
    ))
}

pub fn refusals(f: &Facts) -> Found {
    let share = f.refused as f64 / (f.orders + f.refused).max(1) as f64;
    (f.refused > 0 && share >= 0.05).then(|| {
        let most = f.refused_most.as_ref().map_or(String::new(), |(rule, n)| format!(", {n} by {rule}"));
        (
            if share >= 0.2 { Warning } else { Note },
            format!("The gate refused {:.0} % of the orders{most}.", share * 100.0),
            vec![("refused", f.refused as f64), ("share", share)],
            "Council and limits disagree: lower the weights to what the limits allow, so that sizes are meant.",
        )
    })
}

pub fn concentration(f: &Facts) -> Found {
    let largest = f.largest.filter(|l| f.instruments > 2 && *l >= 0.3)?;
    Some((
        if largest >= 0.5 { Warning } else { Note },
        format!("One position was {:.0} % of the account at its largest.", largest * 100.0),
        vec![("largest_position", largest)],
        "Set risk.max_position: one piece of news should not decide a year.",
    ))
}

pub fn leverage(f: &Facts) -> Found {
    let (_, most) = f.gross.filter(|(_, most)| *most > 1.1)?;
    Some((
        Note,
        format!("Positions came to {:.0} % of the account at most: more than was there.", most * 100.0),
        vec![("gross_at_most", most)],
        "Make sure that [financing] has your broker's rates, and that limits.gross is what you mean.",
    ))
}

pub fn idle_cash(f: &Facts) -> Found {
    let (average, _) = f.gross.filter(|(average, _)| *average < 0.3)?;
    Some((
        Note,
        format!("Only {:.0} % of the account was invested on average.", average * 100.0),
        vec![("invested", average)],
        "Growth is measured on all of it: raise the weights, or give idle cash its rate under [financing].",
    ))
}
