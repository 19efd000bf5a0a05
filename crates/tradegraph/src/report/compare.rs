//! Two runs side by side, from their stored reports: figures, remarks and the curve of their difference.

use super::page::{escape, fill, plotly};
use crate::failure::{Failure, Kind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// One side.
#[derive(Clone, Debug)]
pub struct Side {
    /// The run's id.
    pub id: String,
    /// Its `report.json`.
    pub report: Value,
}

/// Reads the report of a run from its folder.
pub fn read(id: &str, folder: &Path) -> Result<Side, Failure> {
    let path = folder.join("report.json");
    let next = format!("write it again: tradegraph report {id}");
    let bytes = std::fs::read(&path)
        .map_err(|e| Failure::new(Kind::NotFound, format!("{}: {e}", path.display())).next(next.clone()))?;
    let report = serde_json::from_slice(&bytes)
        .map_err(|e| Failure::new(Kind::Differs, format!("{}: {e}", path.display())).next(next))?;
    Ok(Side { id: id.to_owned(), report })
}

/// Name, place in `report.json`, and whether it is read in per cent.
const LINES: &[(&str, &str, bool)] = &[
    ("Growth a year (CAGR)", "/summary/net/cagr", true),
    ("Total return", "/summary/net/total_return", true),
    ("Volatility a year", "/summary/net/volatility", true),
    ("Sharpe ratio", "/evidence/sharpe", false),
    ("its standard error", "/evidence/sharpe_error", false),
    ("above zero with", "/evidence/probabilistic", true),
    ("above the luckiest trial with", "/evidence/deflated", true),
    ("Mandates on these data when it was written", "/evidence/trials", false),
    ("Deepest fall", "/summary/net/max_drawdown", true),
    ("Costs a year", "/summary/cost_per_year", true),
    ("Turnover a year", "/summary/turnover_per_year", false),
    ("Invested on average", "/summary/invested_average", true),
    ("Orders", "/summary/orders", false),
    ("Refused", "/summary/refused", false),
    ("Closed round trips", "/trips/closed", false),
    ("Win rate", "/trips/win_rate", true),
    ("Profit factor", "/trips/profit_factor", false),
    ("Equal weight, growth a year", "/summary/benchmark/cagr", true),
];

fn number(side: &Side, place: &str) -> Option<f64> {
    side.report.pointer(place).and_then(Value::as_f64)
}

/// Growth from the first common day, of each run and of A over B: days and values.
fn curves(a: &Side, b: &Side) -> (Vec<String>, Vec<f64>, Vec<f64>) {
    let of = |side: &Side| -> BTreeMap<String, f64> {
        let list = |key: &str| side.report.pointer(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let days = list("/curves/date");
        let values = list("/curves/nav");
        days.iter().zip(&values).filter_map(|(d, v)| Some((d.as_str()?.to_owned(), v.as_f64()?))).collect()
    };
    let (of_a, of_b) = (of(a), of(b));
    let (mut days, mut x, mut y) = (vec![], vec![], vec![]);
    for (day, value) in of_a {
        if let Some(other) = of_b.get(&day) {
            days.push(day);
            x.push(value);
            y.push(*other);
        }
    }
    let grown = |values: Vec<f64>| {
        let first = values.first().copied().unwrap_or(1.0);
        values.into_iter().map(|v| v / first).collect::<Vec<f64>>()
    };
    (days, grown(x), grown(y))
}

/// The comparison for programs.
pub fn json_of(a: &Side, b: &Side) -> Value {
    let (days, x, y) = curves(a, b);
    let lines = LINES.iter().map(|(name, place, _)| {
        let (left, right) = (number(a, place), number(b, place));
        let difference = left.zip(right).map(|(l, r)| l - r);
        json!({ "name": name, "place": place, "a": left, "b": right, "difference": difference })
    });
    json!({
        "a": a.id, "b": b.id,
        "same_mandate": mandate(a) == mandate(b),
        "figures": lines.collect::<Vec<_>>(),
        "curves": {
            "date": days, "a": x, "b": y,
            "a_over_b": x.iter().zip(&y).map(|(x, y)| x / y - 1.0).collect::<Vec<f64>>(),
        },
    })
}

fn mandate(side: &Side) -> &str {
    side.report.get("mandate_text").and_then(Value::as_str).unwrap_or_default()
}

fn table(a: &Side, b: &Side) -> String {
    let mut out = String::new();
    for (name, place, percent) in LINES {
        let (left, right) = (number(a, place), number(b, place));
        if left.is_none() && right.is_none() {
            continue;
        }
        // Counts have no decimals, and a rounded zero has no sign.
        let whole = [left, right].into_iter().flatten().all(|x| x.fract() == 0.0);
        let decimals = if whole && !percent { 0 } else { 2 };
        let show = |x: Option<f64>, signed: bool| {
            let Some(x) = x.map(|x| if *percent { x * 100.0 } else { x }) else { return "–".to_owned() };
            let x = if x.abs() < 0.005 { 0.0 } else { x };
            match (signed, percent) {
                (true, _) => format!("{x:+.decimals$}"),
                (false, true) => format!("{x:.decimals$} %"),
                (false, false) => format!("{x:.decimals$}"),
            }
        };
        let difference = left.zip(right).map(|(l, r)| l - r);
        let _ = write!(
            out,
            "<tr><th>{name}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
            show(left, false),
            show(right, false),
            show(difference, true)
        );
    }
    out
}

/// Lines of the mandates that only one of them has.
fn differences(a: &Side, b: &Side) -> String {
    let only = |of: &Side, other: &Side, sign: &str| -> String {
        let theirs: Vec<&str> = mandate(other).lines().map(str::trim).collect();
        let lines =
            mandate(of).lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#') && !theirs.contains(l));
        lines.map(|l| format!("{sign} {l}\n")).collect()
    };
    let text = only(a, b, "A") + &only(b, a, "B");
    if text.is_empty() {
        "<p>The mandates are the same.</p>".to_owned()
    } else {
        format!("<pre>{}</pre>", escape(&text))
    }
}

/// The comparison for people.
pub fn html(a: &Side, b: &Side) -> String {
    let (days, x, y) = curves(a, b);
    // Six digits are finer than any screen.
    let short = |values: Vec<f64>| values.into_iter().map(super::charts::short).collect::<Vec<f64>>();
    let over = short(x.iter().zip(&y).map(|(x, y)| x / y - 1.0).collect());
    let data = json!({ "date": days, "a": short(x), "b": short(y), "over": over });
    let name = |s: &Side| s.report.pointer("/summary/mandate").and_then(Value::as_str).unwrap_or("?").to_owned();
    let parts = [
        ("{{style}}", super::page::STYLE.to_owned()),
        ("{{table}}", table(a, b)),
        ("{{name_a}}", escape(&name(a))),
        ("{{name_b}}", escape(&name(b))),
        ("{{a}}", escape(&a.id)),
        ("{{b}}", escape(&b.id)),
        ("{{differences}}", differences(a, b)),
        ("{{data}}", data.to_string().replace('<', "\\u003c")),
        ("{{script}}", include_str!("compare.js").to_owned()),
        ("{{plotly}}", plotly()),
    ];
    fill(include_str!("compare.html"), &parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(id: &str, nav: [f64; 3], cagr: f64, mandate: &str) -> Side {
        let days = if id == "a" {
            ["2020-01-01", "2020-01-02", "2020-01-03"]
        } else {
            ["2020-01-02", "2020-01-03", "2020-01-06"]
        };
        let report = json!({
            "summary": { "net": { "cagr": cagr }, "mandate": "<m>" }, "mandate_text": mandate,
            "curves": { "date": days, "nav": nav },
        });
        Side { id: id.to_owned(), report }
    }

    #[test]
    fn runs_are_compared_from_their_first_common_day() {
        let a = side("a", [100.0, 200.0, 220.0], 0.1, "x = 1\ny = 2");
        let b = side("b", [50.0, 50.0, 60.0], 0.04, "x = 1\ny = 3");
        let found = json_of(&a, &b);
        assert_eq!(found["curves"]["date"], json!(["2020-01-02", "2020-01-03"]));
        assert_eq!((&found["curves"]["a"], &found["curves"]["b"]), (&json!([1.0, 1.1]), &json!([1.0, 1.0])));
        let over = found["curves"]["a_over_b"][1].as_f64().unwrap();
        assert!((over - 0.1).abs() < 1e-12);
        assert!((found["figures"][0]["difference"].as_f64().unwrap() - 0.06).abs() < 1e-12);
        assert_eq!(differences(&a, &b), "<pre>A y = 2\nB y = 3\n</pre>");
        let page = html(&a, &b);
        assert!(
            page.contains("10.00 %")
                && page.contains("+6.00")
                && page.contains("&lt;m&gt;")
                && !page.contains("{{data")
        );
    }
}
