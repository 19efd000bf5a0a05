//! Costs, trades and fills.

use super::{Facts, Found, Severity::*};

pub fn costs_eat_the_edge(f: &Facts) -> Found {
    let gross = f.result + f.costs;
    if f.costs <= 0.0 || gross <= 0.0 {
        return None;
    }
    let share = f.costs / gross;
    let says = format!("Costs took {:.0} % of what was earned before them.", share * 100.0);
    let numbers = vec![("share_of_gross_result", share), ("costs", f.costs), ("result", f.result)];
    let advice = "Trade less: a wider band, a slower schedule, or an order that waits for its price.";
    match share {
        s if s >= 0.5 => Some((Warning, says, numbers, advice)),
        s if s >= 0.25 => Some((Note, says, numbers, advice)),
        s if s < 0.1 => Some((Good, says, numbers, "Nothing to do, as long as the costs are those of your broker.")),
        _ => None,
    }
}

pub fn no_costs(f: &Facts) -> Found {
    (f.fills > 0 && f.costs <= 0.0).then(|| {
        (
            Warning,
            format!("{} fills cost nothing at all.", f.fills),
            vec![("fills", f.fills as f64), ("costs", f.costs)],
            "Give [costs] a commission and a half-spread: no broker trades for nothing.",
        )
    })
}

pub fn turnover(f: &Facts) -> Found {
    let turnover = f.turnover.filter(|t| *t >= 20.0)?;
    Some((
        if turnover >= 100.0 { Warning } else { Note },
        format!(
            "The account was traded {turnover:.0} times a year: a basis point of cost more takes {:.1} % a year.",
            turnover / 100.0
        ),
        vec![("turnover_per_year", turnover)],
        "Test with twice the half-spread; if the result does not stand it, it will not stand a real market.",
    ))
}

pub fn few_trades(f: &Facts) -> Found {
    let closed = f.closed.filter(|n| *n < 30)?;
    Some((
        if closed < 10 { Warning } else { Note },
        format!("Only {closed} round trips were closed."),
        vec![("closed_trades", closed as f64)],
        "Win rate and profit factor of so few say little: add instruments or years.",
    ))
}

pub fn one_trade_makes_the_return(f: &Facts) -> Found {
    let best = f.trips.iter().copied().max_by(f64::total_cmp)?;
    (f.trips.len() > 1 && f.result > 0.0 && best >= 0.5 * f.result).then(|| {
        (
            Warning,
            format!("One round trip made {:.0} % of the result.", best / f.result * 100.0),
            vec![("best_trade", best), ("share", best / f.result)],
            "Judge the rules without that trade; what is left is what they do on other days.",
        )
    })
}

pub fn one_name_makes_the_return(f: &Facts) -> Found {
    let (name, best) = f.names.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (f.names.len() > 2 && f.result > 0.0 && *best >= 0.5 * f.result).then(|| {
        (
            Note,
            format!(
                "{name} alone made {:.0} % of the result of {} instruments.",
                best / f.result * 100.0,
                f.names.len()
            ),
            vec![("best_instrument", *best), ("share", best / f.result)],
            "Run it once without that instrument; choosing it beforehand was not part of the test.",
        )
    })
}

pub fn losers_ran(f: &Facts) -> Found {
    let (favourable, loss) = (f.favourable_of_losers?, f.loss?);
    (loss > 0.0 && favourable >= loss).then(|| {
        (
            Note,
            format!(
                "Trades that ended with a loss had been {:.1} % ahead on average, and lost {:.1} %.",
                favourable * 100.0,
                loss * 100.0
            ),
            vec![("favourable_of_losers", favourable), ("mean_loss", loss)],
            "Exits give back gains: test a stop that follows the price.",
        )
    })
}

pub fn capacity(f: &Facts) -> Found {
    if f.fills == 0 {
        return None;
    }
    let Some(capacity) = f.capacity else {
        let advice = "Give data with volume to learn how large an account these rules can carry.";
        return Some((Note, format!("Capacity is {}.", f.capacity_says), vec![], advice));
    };
    let times = capacity / f.account;
    let numbers = vec![("capacity", capacity), ("times_the_account", times)];
    let says = format!("The market would carry an account {times:.1} times as large at most.");
    let advice = "Trade more liquid instruments or more slowly, and set [costs] impact and participation.";
    match times {
        t if t < 2.0 => Some((Warning, says, numbers, advice)),
        t if t < 10.0 => Some((Note, says, numbers, advice)),
        _ => None,
    }
}

pub fn fills_at_closes(f: &Facts) -> Found {
    (f.close_only && f.fills > 0).then(|| {
        (
            Note,
            "Orders filled at closes: a series of closes has no other price.".to_owned(),
            vec![("fills", f.fills as f64)],
            "A real order fills away from the close. Use data with opens, highs and lows where there are some.",
        )
    })
}

pub fn unfilled_orders(f: &Facts) -> Found {
    let share = f.cancelled as f64 / f.orders.max(1) as f64;
    (f.orders >= 20 && share >= 0.1).then(|| {
        (
            Note,
            format!("{:.0} % of the orders ended before they were filled.", share * 100.0),
            vec![("unfilled_share", share), ("orders", f.orders as f64)],
            "The account held less than the council wanted: widen limits or participation, or order less at a time.",
        )
    })
}

pub fn agents_that_only_cost(f: &Facts) -> Found {
    if f.losing_agents.is_empty() {
        return None;
    }
    let names: Vec<&str> = f.losing_agents.iter().map(|(n, _)| n.as_str()).collect();
    let lost: f64 = f.losing_agents.iter().map(|(_, r)| r).sum();
    Some((
        Note,
        format!("{} of {} agents earned less than their costs: {}.", names.len(), f.agents, names.join(", ")),
        vec![("losing_agents", names.len() as f64), ("their_result", lost)],
        "Fork the run without them: an agent may still pay by what it keeps others from doing.",
    ))
}
