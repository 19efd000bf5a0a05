//! The page: its parts as HTML around the template.

use super::analysis::Analysis;
use super::{Subject, charts, council, decision, sections};
use crate::figures::{Curve, count, growth, money, percent};
use crate::trades::action_text;
use std::fmt::Write;
use tradegraph_domain::{InstrumentId, format_nano};
use tradegraph_market::quality::Check;

const TEMPLATE: &str = include_str!("page.html");
pub(super) const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Fills that the table shows, newest first.
const ROWS: usize = 100;

/// Text that is safe between tags and in attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Plotly alone, without the formula renderer that its crate would put beside it.
pub(super) fn plotly() -> String {
    let sources = plotly::Plot::offline_js_sources();
    let first = sources.split("</script>").next().unwrap_or_default();
    first.split_once('>').map(|(_, js)| js.to_owned()).unwrap_or_default()
}

/// The whole page.
pub fn html(s: &Subject<'_>, a: &Analysis, assumptions: &[String]) -> String {
    // A `<` inside a script could end it; as an escape it cannot.
    let example = decision::example(s);
    let mut plots = charts::traces(s, a);
    if let Some(plots) = plots.as_object_mut() {
        plots.insert("decision".to_owned(), decision::trace(example.as_ref()));
    }
    let data = plots.to_string().replace('<', "\\u003c");
    let f = s.figures;
    let period = match (&f.from, &f.to) {
        (Some(a), Some(b)) => format!("{a} to {b}"),
        _ => "no day on the curve".to_owned(),
    };
    let symbols = s.prepared.config.universe.len();
    let instruments = if symbols == 1 { "1 instrument".to_owned() } else { format!("{symbols} instruments") };
    let lines = |items: Vec<String>| items.iter().map(|i| format!("<li>{}</li>", escape(i))).collect::<String>();
    // The texts that come from outside are put in last, so that no placeholder in them is replaced.
    let parts = [
        ("{{style}}", STYLE.to_owned()),
        ("{{script}}", SCRIPT.to_owned()),
        ("{{period}}", escape(&period)),
        ("{{instruments}}", instruments),
        ("{{cards}}", cards(s)),
        ("{{diagnosis}}", sections::diagnosis(a)),
        ("{{months}}", sections::months(a)),
        ("{{rolling}}", sections::rolling(a)),
        ("{{comparison}}", sections::comparison(s, a)),
        ("{{evidence}}", sections::evidence(a)),
        ("{{exposure_hidden}}", if s.curves.gross.is_empty() { "hidden" } else { "" }.to_owned()),
        ("{{costs}}", sections::costs(s)),
        ("{{trips}}", sections::trips(s, a)),
        ("{{worst}}", sections::worst(a)),
        ("{{price_hidden}}", if symbols == 1 { "" } else { "hidden" }.to_owned()),
        (
            "{{price_name}}",
            escape(&s.prepared.config.universe.iter().next().map_or(String::new(), |(_, x)| x.symbol.clone())),
        ),
        ("{{refusals}}", refusals(s)),
        ("{{council}}", council::section(s)),
        ("{{decision}}", decision::section(s, example.as_ref())),
        ("{{dividends_head}}", if has_actions(s) { "<th>dividends</th>" } else { "" }.to_owned()),
        ("{{per_instrument}}", per_instrument(s)),
        ("{{fills_note}}", fills_note(s)),
        ("{{fills}}", fills(s)),
        ("{{actions}}", actions(s)),
        ("{{quality}}", quality(s)),
        ("{{assumptions}}", lines(assumptions.to_vec())),
        ("{{facts}}", facts(s)),
        // Inside a page the element needs no name of its language.
        ("{{council_picture}}", s.run.state().svg().replace(" xmlns=\"http://www.w3.org/2000/svg\"", "")),
        ("{{mandate}}", escape(&s.prepared.binding.mandate)),
        ("{{title}}", escape(&s.prepared.mandate.name)),
        ("{{run}}", escape(s.id.as_str())),
        ("{{data}}", data),
        ("{{plotly}}", plotly()),
    ];
    fill(TEMPLATE, &parts)
}

/// Replaces each placeholder of the template once, in one pass.
pub(super) fn fill(template: &str, parts: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(6 << 20);
    let mut rest = template;
    while let Some(at) = rest.find("{{") {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let end = tail.find("}}").map_or(tail.len(), |e| e + 2);
        let (name, after) = tail.split_at(end);
        match parts.iter().find(|(n, _)| *n == name) {
            Some((_, text)) => out.push_str(text),
            None => out.push_str(name),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn ratio(c: &Curve) -> String {
    match (c.sharpe, c.sharpe_error) {
        (Some(s), Some(e)) => format!("{s:.2} <small>± {e:.2}</small>"),
        _ => "–".to_owned(),
    }
}

fn cards(s: &Subject<'_>) -> String {
    let f = s.figures;
    let card = |label: &str, value: String, note: String| {
        format!("<div class=\"card\"><span>{label}</span><b>{value}</b><em>{note}</em></div>")
    };
    let end = f.nav_end.as_deref().map_or("unknown".to_owned(), money);
    let behind = match (f.net.cagr, f.benchmark.cagr) {
        (Some(a), Some(b)) => format!("equal weight {}: {:+.1} points", percent(Some(b)), (a - b) * 100.0),
        _ => format!("equal weight {}", growth(&f.benchmark)),
    };
    let (label, value) = match f.net.cagr {
        Some(_) => ("Growth a year, net", f.net.cagr),
        None => ("Growth in all, net", f.net.total_return),
    };
    let low = match &f.net.drawdown_dates {
        [Some(peak), Some(low), _] => format!("{peak} to {low}"),
        _ => String::new(),
    };
    [
        card(label, percent(value), behind),
        card("Sharpe ratio", ratio(&f.net), "± one standard error, against zero".to_owned()),
        card("Deepest fall", percent(f.net.max_drawdown), low),
        card("Account at the end", end, format!("{} from {}", f.currency, money(&f.cash_start))),
        card(
            "Costs a year",
            f.cost_per_year.map_or("–".to_owned(), |x| format!("{:.2} %", x * 100.0)),
            f.costs
                .text()
                .unwrap_or_else(|| format!("fees {} + half-spreads {} (estimate)", money(&f.fees), money(&f.spread))),
        ),
        card(
            "Orders",
            count(f.orders),
            format!(
                "{} refused · {} of the account invested on average · trials: {}",
                count(f.refused),
                percent(f.invested_average),
                f.trials
            ),
        ),
    ]
    .concat()
}

fn refusals(s: &Subject<'_>) -> String {
    let trips: String = s.figures.breakers.iter().map(|b| format!("<li>{}</li>", escape(b))).collect();
    let trips = if trips.is_empty() { trips } else { format!("<p>Breakers that tripped:</p><ul>{trips}</ul>") };
    if s.figures.refused == 0 {
        return format!("{trips}<p>The gate refused no order.</p>");
    }
    let rows: String =
        s.figures.refused_by.iter().map(|(rule, n)| format!("<li><code>{}</code> {n}</li>", escape(rule))).collect();
    let unlisted =
        s.figures.refused_by.is_empty().then(|| format!("<li>{} (rules not recorded)</li>", s.figures.refused));
    format!("{trips}<p>Orders that the gate refused, by rule:</p><ul>{rows}{}</ul>", unlisted.unwrap_or_default())
}

fn has_actions(s: &Subject<'_>) -> bool {
    !s.prepared.config.actions.is_empty()
}

fn per_instrument(s: &Subject<'_>) -> String {
    let books = s.run.state().desk().books();
    let mut counts = vec![0_u64; s.prepared.config.universe.len()];
    for f in &s.log.fills {
        if let Some(slot) = counts.get_mut(f.fill.instrument.index()) {
            *slot += 1;
        }
    }
    let amount = |nano: i128| money(&format_nano(nano));
    let mut rows: Vec<(i128, String)> = Vec::new();
    for (id, x) in s.prepared.config.universe.iter() {
        let position = books.position(id);
        let cost: i128 = books.lots(id).map(|l| l.cost_nano).sum();
        let value = books.mark(id).and_then(|p| p.notional_nano(position).ok());
        let open = value.map(|v| v.saturating_sub(cost));
        let realised = books.realised_of(id);
        let dividends = books.dividends_of(id);
        let total = realised.saturating_add(open.unwrap_or_default()).saturating_add(dividends);
        let total = total.saturating_sub(books.fees_of(id));
        let dividends = if has_actions(s) { format!("<td>{}</td>", amount(dividends)) } else { String::new() };
        let mut row = String::new();
        let _ = write!(
            row,
            "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td>{dividends}<td>{}</td><td class=\"{}\">{}</td></tr>",
            escape(&x.symbol),
            counts.get(id.index()).copied().unwrap_or_default(),
            amount(realised),
            open.map_or("–".to_owned(), amount),
            amount(books.fees_of(id)),
            if total < 0 { "down" } else { "up" },
            amount(total),
        );
        rows.push((total, row));
    }
    rows.sort_by_key(|(total, _)| std::cmp::Reverse(*total));
    rows.into_iter().take(500).map(|(_, row)| row).collect()
}

/// Corporate actions of what was held, newest first.
fn actions(s: &Subject<'_>) -> String {
    if !has_actions(s) {
        return String::new();
    }
    let symbol = |i: InstrumentId| s.prepared.config.universe.get(i).map_or("?", |x| x.symbol.as_str());
    let rows: String = s
        .log
        .actions
        .iter()
        .rev()
        .take(ROWS)
        .map(|a| {
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                a.action.ex,
                escape(symbol(a.action.instrument)),
                escape(&action_text(a)),
                a.booked.before,
                a.booked.after,
                money(&format_nano(a.booked.cash_nano)),
            )
        })
        .collect();
    format!(
        "<section><h2>Corporate actions</h2><p>{} splits, dividends, renames and delistings of what was held; dividends \
         received less paid: {}.</p><div class=\"scroll\"><table class=\"fills\"><thead><tr><th>ex-date</th><th>symbol</th>\
         <th>what</th><th>held before</th><th>after</th><th>cash</th></tr></thead><tbody>{rows}</tbody></table></div></section>",
        s.log.actions.len(),
        money(&s.figures.dividends),
    )
}

/// Instruments whose bars failed a check, most first.
fn quality(s: &Subject<'_>) -> String {
    let mut failed: Vec<_> = s.figures.data.iter().flat_map(|d| d.quality.iter().map(move |f| (d, f))).collect();
    if failed.is_empty() {
        return "<p>No bar failed a quality check that bears on the result.</p>".to_owned();
    }
    failed.sort_by_key(|(_, f)| std::cmp::Reverse(f.bars));
    let hidden = failed.len().saturating_sub(ROWS);
    let rows: String = failed
        .iter()
        .take(ROWS)
        .map(|(d, f)| {
            let what = Check::ALL.iter().find(|(_, name, ..)| *name == f.check).map_or("", |(.., text)| text);
            format!(
                "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{what}</td></tr>",
                escape(&f.symbol),
                f.bars,
                f.check,
                f.severity,
            )
            .replace("<tr>", &format!("<tr title=\"{}\">", escape(&d.source)))
        })
        .collect();
    let more =
        if hidden > 0 { format!("<p>{hidden} more are in <code>report.json</code>.</p>") } else { String::new() };
    format!(
        "<p>A <em>fault</em> leaves its bar out. A <em>doubt</em> keeps it and cuts the confidence of the council's \
         signals on the instrument for the next bars; the reasons of a decision show by how much.</p>\
         <div class=\"scroll\"><table class=\"quality\"><thead><tr><th>Instrument</th><th>Bars</th><th>Check</th><th>Effect</th>\
         <th>What it means</th></tr></thead><tbody>{rows}</tbody></table></div>{more}"
    )
}

fn fills_note(s: &Subject<'_>) -> String {
    let shown = s.log.fills.len().min(ROWS);
    if s.log.n_fills as usize <= shown {
        format!("All {} fills, newest first.", s.log.n_fills)
    } else {
        format!("The newest {shown} of {} fills; <code>report.json</code> has more.", s.log.n_fills)
    }
}

fn fills(s: &Subject<'_>) -> String {
    let symbol = |i: InstrumentId| s.prepared.config.universe.get(i).map_or("?", |x| x.symbol.as_str());
    s.log
        .fills
        .iter()
        .rev()
        .take(ROWS)
        .map(|f| {
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{}\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                f.ts,
                f.fill.order.0,
                escape(symbol(f.fill.instrument)),
                f.fill.side.name(),
                f.fill.side.name(),
                f.fill.quantity,
                f.fill.price,
                format_nano(f.fill.fee_nano),
                if f.realised_nano == 0 { String::new() } else { money(&format_nano(f.realised_nano)) },
            )
        })
        .collect()
}

fn facts(s: &Subject<'_>) -> String {
    let text = |key: &str| s.summary.get(key).and_then(|v| v.as_str()).unwrap_or("?").to_owned();
    let mut rows = vec![
        ("Run", s.id.to_string()),
        ("Program", text("binary")),
        ("State hash", text("state_hash")),
        ("Rolling hash", text("rolling_hash")),
    ];
    rows.extend(
        s.figures.data.iter().map(|d| ("Data", format!("{} · {} rows · {} · {}", d.source, d.rows, d.basis, d.batch))),
    );
    rows.iter().map(|(k, v)| format!("<tr><th>{k}</th><td><code>{}</code></td></tr>", escape(v))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_text() {
        assert_eq!(escape("<b a='1'>&\""), "&lt;b a=&#39;1&#39;&gt;&amp;&quot;");
        let parts = [("{{a}}", "{{b}}".to_owned()), ("{{b}}", "x".to_owned())];
        assert_eq!(fill("1{{a}}2{{b}}3{{c}}4{{", &parts), "1{{b}}2x3{{c}}4{{");
    }

    #[test]
    fn plotly_comes_alone() {
        let js = plotly();
        assert!(js.contains("plotly.js v") && !js.contains("</script") && js.len() > 3_000_000 && js.len() < 5_500_000);
    }
}
