//! The page's tables of what was analysed: diagnosis, months, evidence, costs, round trips, worst stretches.

use super::Subject;
use super::analysis::Analysis;
use super::evidence::Bounds;
use super::page::escape;
use super::trips::Trip;
use super::windows::Window;
use crate::figures::money;
use tradegraph_domain::format_nano;

/// Round trips that the table shows: the best and the worst.
const TRIPS: usize = 10;
/// A month of this return has the full colour.
const FULL_COLOUR: f64 = 0.08;

fn percent(x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), |x| format!("{:.1} %", x * 100.0))
}

fn plain(x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), |x| format!("{x:.2}"))
}

fn way(x: f64) -> &'static str {
    if x < 0.0 { "down" } else { "up" }
}

/// The remarks.
pub fn diagnosis(a: &Analysis) -> String {
    let items: String = a
        .remarks
        .iter()
        .map(|r| {
            let word = r.severity.name();
            format!(
                "<li class=\"{word}\"><span class=\"badge\">{word}</span><div><b>{}</b><p>{}</p></div></li>",
                escape(&r.says),
                escape(r.advice)
            )
        })
        .collect();
    if items.is_empty() {
        "<p>There is too little to say anything of.</p>".to_owned()
    } else {
        format!("<ul class=\"remarks\">{items}</ul>")
    }
}

/// Returns by month, a line a year.
pub fn months(a: &Analysis) -> String {
    if a.months.is_empty() {
        return "<p>There are too few days for a table.</p>".to_owned();
    }
    let cell = |x: Option<f64>| match x {
        None => "<td></td>".to_owned(),
        Some(x) => {
            // No minus before a rounded zero.
            let x = (x * 1_000.0).round() / 1_000.0 + 0.0;
            let strength = (x.abs() / FULL_COLOUR).min(1.0) * 55.0;
            let name = if x < 0.0 { "--down" } else { "--up" };
            let style = format!("background:color-mix(in srgb, var({name}) {strength:.0}%, transparent)");
            format!("<td style=\"{style}\">{:.1}</td>", x * 100.0)
        }
    };
    let rows: String = a
        .months
        .iter()
        .rev()
        .map(|y| {
            let months: String = y.months.iter().map(|m| cell(*m)).collect();
            format!(
                "<tr><th>{}</th>{months}<td class=\"total {}\">{:.1}</td></tr>",
                y.year,
                way(y.total),
                y.total * 100.0
            )
        })
        .collect();
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let head: String = names.iter().map(|m| format!("<th>{m}</th>")).collect();
    format!(
        "<div class=\"scroll\"><table class=\"months\"><thead><tr><th></th>{head}<th>year</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

/// The plots of rolling ratios.
pub fn rolling(a: &Analysis) -> String {
    a.rolling.as_ref().map_or(String::new(), |r| {
        format!(
            "<section><h2>Rolling Sharpe ratio and volatility</h2><p>Over the {} days before, annualised. One window's ratio has \
             a standard error of about one where it is a year.</p><div class=\"plot\" id=\"rolling-sharpe\"></div>\
             <div class=\"plot short\" id=\"rolling-volatility\"></div></section>",
            r.window
        )
    })
}

/// Ratios of the account and its benchmarks.
pub fn comparison(s: &Subject<'_>, a: &Analysis) -> String {
    let rows: String = a
        .ratios
        .iter()
        .map(|r| {
            let show = if r.percent { percent } else { plain };
            format!(
                "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
                r.name,
                show(r.account),
                show(r.equal_weight),
                show(r.buy_and_hold)
            )
        })
        .collect();
    let dividends = if s.figures.benchmark_has_dividends { "" } else { ", no dividends" };
    let x = &a.against;
    let error = x.alpha_error.map_or(String::new(), |e| format!(" ± {:.1}", e * 100.0));
    let facts = [
        ("beta", plain(x.beta)),
        ("alpha a year", x.alpha.map_or("–".to_owned(), |v| format!("{:.1}{error} %", v * 100.0))),
        ("explained variance", percent(x.r_squared)),
        ("tracking error", percent(x.tracking_error)),
        ("information ratio", plain(x.information_ratio)),
    ];
    format!(
        "<div class=\"scroll\"><table class=\"numbers ratios\"><thead><tr><th></th><th>account, net</th><th>equal weight, no costs{dividends}</th>\
         <th>buy and hold, no costs{dividends}</th></tr></thead><tbody>{rows}</tbody></table></div>\
         <h3>Against equal weight</h3>{}",
        tiles(&facts)
    )
}

fn tiles(facts: &[(&str, String)]) -> String {
    let tile = |(name, value): &(&str, String)| format!("<div><span>{name}</span><b>{value}</b></div>");
    format!("<div class=\"tiles\">{}</div>", facts.iter().map(tile).collect::<String>())
}

/// How sure it is.
pub fn evidence(a: &Analysis) -> String {
    let e = &a.evidence;
    let bounds = |b: Option<Bounds>, scale: f64, unit: &str| {
        b.map_or("–".to_owned(), |b| format!("{:.2} to {:.2}{unit}", b.low * scale, b.high * scale))
    };
    let chance = |p: Option<f64>| match p {
        Some(p) if p > 0.999 => "above 99.9 %".to_owned(),
        p => percent(p),
    };
    let years = |y: Option<f64>| y.map_or("none would do".to_owned(), |y| format!("{y:.1} years"));
    let mut facts = vec![
        ("Sharpe ratio, 95 % interval", bounds(e.sharpe_interval, 1.0, "")),
        ("growth a year, 95 % interval", bounds(e.growth_interval, 100.0, " %")),
        ("true ratio above zero", chance(e.probabilistic)),
        ("minimum track record", years(e.minimum_years)),
    ];
    if e.trials > 1 {
        facts.push(("the luckiest trial would show", plain(e.lucky)));
        facts.push(("true ratio above that", chance(e.deflated)));
    }
    let trials = match (e.trials, e.trials_deviation) {
        (0 | 1, _) => "This is the only mandate on these data in this home, so nothing is deflated; trials made elsewhere are not \
                       known."
            .to_owned(),
        (n, deviation) => format!(
            "{n} different mandates were tried on these data; the standard deviation of their ratios is {}{}.",
            plain(deviation),
            if e.trials_assumed { ", assumed to be this ratio's own error because too few of theirs are stored" } else { "" }
        ),
    };
    format!(
        "{}<p class=\"small\">Risk-free rate: {}. {trials} Intervals: stationary bootstrap, 1,000 samples, blocks of {:.1} days on \
         average. Probabilities: Bailey and López de Prado (2012, 2014); they take days as independent.</p>",
        tiles(&facts),
        escape(&e.risk_free),
        e.block
    )
}

/// Costs by kind with bars.
pub fn costs(s: &Subject<'_>) -> String {
    let c = &s.figures.costs;
    let kinds = [
        ("commission", &c.commission),
        ("regulators", &c.regulatory),
        ("half-spreads", &c.spread),
        ("impact", &c.impact),
        ("borrowed stock", &c.borrow),
        ("margin interest", &c.margin_interest),
    ];
    let known: Vec<(&str, &str, f64)> = kinds
        .iter()
        .map(|(k, v)| (*k, v.as_str(), v.parse::<f64>().unwrap_or_default()))
        .filter(|k| k.2 != 0.0)
        .collect();
    if known.is_empty() {
        return "<p>Nothing was paid.</p>".to_owned();
    }
    let all: f64 = known.iter().map(|k| k.2).sum();
    let rows: String = known
        .iter()
        .map(|(kind, text, amount)| {
            let share = amount / all * 100.0;
            format!(
                "<tr><th>{kind}</th><td>{}</td><td>{share:.0} %</td><td class=\"bar\"><i style=\"width:{share:.1}%\"></i></td></tr>",
                money(text)
            )
        })
        .collect();
    let earned = if c.interest_earned == "0" {
        String::new()
    } else {
        format!("<p>Idle cash earned {} of interest.</p>", money(&c.interest_earned))
    };
    let estimate =
        if s.figures.itemised { "" } else { "<p>Half-spreads are an estimate: half-spread × notional.</p>" };
    format!(
        "<div class=\"scroll\"><table class=\"numbers costs\"><thead><tr><th></th><th>{}</th><th>share</th><th></th></tr></thead>\
         <tbody>{rows}</tbody></table></div>{earned}{estimate}",
        s.figures.currency
    )
}

/// Round trips.
pub fn trips(s: &Subject<'_>, a: &Analysis) -> String {
    let (Some(all), Some(f)) = (&a.trips, &a.trip_figures) else {
        return "<p>There are too many fills to follow each position.</p>".to_owned();
    };
    if all.is_empty() {
        return "<p>No position was ever opened.</p>".to_owned();
    }
    let facts = [
        ("closed", f.closed.to_string()),
        ("still open", f.open.to_string()),
        ("win rate", percent(f.win_rate)),
        ("profit factor", plain(f.profit_factor)),
        ("mean gain / mean loss", plain(f.payoff)),
        ("mean result", f.expectancy.map_or("–".to_owned(), |x| money(&format!("{x:.2}")))),
        ("median holding", f.days_median.map_or("–".to_owned(), days)),
        ("against winners, mean", percent(f.adverse_of_winners)),
        ("for losers, mean", percent(f.favourable_of_losers)),
    ];
    let mut sorted: Vec<&Trip> = all.iter().collect();
    sorted.sort_by_key(|t| std::cmp::Reverse(t.result_nano));
    let skip = sorted.len().saturating_sub(TRIPS).max(TRIPS);
    let shown = sorted.iter().take(TRIPS).chain(sorted.iter().skip(skip));
    let universe = &s.prepared.config.universe;
    let row = |t: &&Trip| {
        let symbol = universe.iter().nth(t.instrument).map_or("?", |(_, x)| x.symbol.as_str());
        format!(
            "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"{}\">{}</td><td>{:.1} %</td><td>{:.1} %</td><td>{:.1} %</td></tr>",
            escape(symbol),
            if t.long { "long" } else { "short" },
            t.from.date(),
            if t.open { "open".to_owned() } else { t.to.date().to_string() },
            days(t.days),
            way(t.result_nano as f64),
            money(&format_nano(t.result_nano)),
            t.gain * 100.0,
            t.adverse * 100.0,
            t.favourable * 100.0,
        )
    };
    format!(
        "{}<div class=\"plot\" id=\"trips\"></div><div class=\"scroll\"><table class=\"numbers trips\"><thead><tr><th></th><th>side</th>\
         <th>from</th><th>to</th><th>held</th><th>result</th><th>gain</th><th>against (MAE)</th><th>for (MFE)</th></tr></thead>\
         <tbody>{}</tbody></table></div><p class=\"small\">The best and the worst by result; all are in <code>trades.csv</code> and \
         <code>trades.parquet</code>.</p>",
        tiles(&facts),
        shown.map(row).collect::<String>()
    )
}

fn days(x: f64) -> String {
    if x < 2.0 { format!("{:.1} h", x * 24.0) } else { format!("{x:.0} d") }
}

/// Worst stretches and deepest falls.
pub fn worst(a: &Analysis) -> String {
    if a.worst.is_empty() {
        return "<p>The account never lost.</p>".to_owned();
    }
    let row = |w: &Window, last: String| {
        format!(
            "<tr><th>{} day{}</th><td>{}</td><td>{}</td><td class=\"{}\">{:.1} %</td><td class=\"{}\">{:.1} %</td>{last}</tr>",
            w.days,
            if w.days == 1 { "" } else { "s" },
            w.from,
            w.to,
            way(w.account),
            w.account * 100.0,
            way(w.benchmark),
            w.benchmark * 100.0
        )
    };
    let worst: String = a.worst.iter().map(|w| row(w, String::new())).collect();
    let falls: String =
        a.falls.iter().map(|w| row(w, format!("<td>{}</td>", w.recovered.as_deref().unwrap_or("not yet")))).collect();
    let head = "<th></th><th>from</th><th>to</th><th>account</th><th>equal weight</th>";
    format!(
        "<div class=\"scroll\"><table class=\"numbers\"><thead><tr>{head}</tr></thead><tbody>{worst}</tbody></table></div>\
         <h3>Deepest falls</h3><div class=\"scroll\"><table class=\"numbers\"><thead><tr>{head}<th>recovered</th></tr></thead>\
         <tbody>{falls}</tbody></table></div>"
    )
}
