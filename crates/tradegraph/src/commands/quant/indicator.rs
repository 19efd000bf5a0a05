//! `tradegraph quant indicator`: one indicator over every instrument of the data.

use super::series::Source;
use super::shown;
use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::home::write_whole;
use crate::mandate::fault::nearest;
use crate::report::Sheet;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};
use std::path::PathBuf;
use tradegraph_quant::indicators::{Bars, INDICATORS, Indicator};

/// What can be typed behind `quant indicator`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Its name, as `quant indicators` lists it
    name: String,
    #[command(flatten)]
    source: Source,
    /// A parameter, as `n=14`; may be given again
    #[arg(long, value_name = "NAME=NUMBER")]
    set: Vec<String>,
    /// Bars that are printed, the newest
    #[arg(long, value_name = "N", default_value_t = 10)]
    rows: usize,
    /// All values as a CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// A page with a plot
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Runs the command.
pub fn run(context: &Context, a: &Arguments) -> Result<(), Failure> {
    let Some(indicator) = Indicator::find(&a.name) else {
        let near = nearest(&a.name, INDICATORS.iter().map(|i| i.name));
        let near = near.map(|n| format!("; nearest: '{n}'")).unwrap_or_default();
        let what = format!("there is no indicator '{}'{near}", a.name);
        return Err(Failure::new(Kind::NotFound, what).next("tradegraph quant indicators"));
    };
    let parameters = parameters(indicator, &a.set)?;
    let series = a.source.read(context)?;
    let mut columns = Vec::new();
    for (i, symbol) in series.symbols.iter().enumerate() {
        let [open, high, low, close, volume] = series.bars(i);
        let bars = Bars { open: &open, high: &high, low: &low, close: &close, volume: &volume, ..Bars::default() };
        let values = indicator.series(&parameters, &bars);
        for (line, values) in indicator.lines.iter().zip(values) {
            let name = if line.name.is_empty() { symbol.clone() } else { format!("{symbol} {}", line.name) };
            columns.push((name, values));
        }
    }
    if columns.iter().all(|(_, v)| v.iter().all(|x| x.is_nan())) {
        let what = format!("'{}' has no value on these bars: they lack a column that it reads, or are too few", a.name);
        return Err(Failure::new(Kind::Input, what).next("look at the bars: tradegraph data show, or another --set"));
    }
    let called: Vec<String> =
        indicator.parameters.iter().zip(&parameters).map(|(p, x)| format!("{}={x}", p.name)).collect();
    let title = format!("{} {}", indicator.name, called.join(" "));
    let first = series.rows().saturating_sub(a.rows);
    let when: Vec<String> = (0..series.rows()).map(|k| series.when(k)).collect();
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(std::iter::once("bar").chain(columns.iter().map(|(n, _)| n.as_str())));
    for (k, when) in when.iter().enumerate().skip(first) {
        let cells = columns.iter().map(|(_, v)| v.get(k).map_or_else(String::new, |x| shown(*x)));
        table.add_row(std::iter::once(when.clone()).chain(cells));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    context.out.say(&title);
    context.out.say(&table.to_string());
    if let Some(path) = &a.csv {
        write_whole(path, csv(&when, &columns).as_bytes())?;
        context.out.say(&format!("csv   {}", path.display()));
    }
    if let Some(path) = &a.html {
        let page = page(&title, &when, &columns);
        write_whole(path, page.as_bytes())?;
        context.out.say(&format!("page  {}", path.display()));
    }
    // A value that is not there yet is null.
    let lines: Vec<Value> = columns.iter().map(|(n, v)| json!({ "name": n, "values": v })).collect();
    context.out.result(&json!({ "indicator": indicator.name, "parameters": called, "bars": when, "lines": lines }));
    Ok(())
}

/// Shows all indicators.
pub fn list(context: &Context) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["name", "parameters", "lines"]);
    let mut all = Vec::new();
    for i in INDICATORS {
        let parameters: Vec<String> = i.parameters.iter().map(|p| format!("{}={}", p.name, p.default)).collect();
        let lines: Vec<&str> = i.lines.iter().map(|l| l.name).filter(|n| !n.is_empty()).collect();
        table.add_row([i.name.to_owned(), parameters.join(" "), lines.join(", ")]);
        let parameters: Vec<Value> = i
            .parameters
            .iter()
            .map(|p| json!({ "name": p.name, "default": p.default, "least": p.least, "most": p.most }))
            .collect();
        all.push(json!({ "name": i.name, "parameters": parameters, "lines": lines }));
    }
    context.out.say(&table.to_string());
    context.out.result(&json!({ "indicators": all }));
}

/// The parameters in order: what was set, else the usual ones.
fn parameters(indicator: &Indicator, set: &[String]) -> Result<Vec<f64>, Failure> {
    let usage = |what: String| Failure::new(Kind::Usage, what);
    let mut values: Vec<f64> = indicator.parameters.iter().map(|p| p.default).collect();
    for text in set {
        let (name, value) =
            text.split_once('=').ok_or_else(|| usage(format!("--set '{text}': NAME=NUMBER is wanted")))?;
        let Some(at) = indicator.parameters.iter().position(|p| p.name == name) else {
            let known: Vec<&str> = indicator.parameters.iter().map(|p| p.name).collect();
            let known =
                if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
            return Err(usage(format!("'{}' has no parameter '{name}': {known}", indicator.name)));
        };
        let number: f64 = value.parse().map_err(|_| usage(format!("--set '{text}': '{value}' is no number")))?;
        if let Some((p, slot)) = indicator.parameters.get(at).zip(values.get_mut(at)) {
            if !(p.least..=p.most).contains(&number) || (p.whole && number.fract() != 0.0) {
                let kind = if p.whole { "a whole number" } else { "a number" };
                return Err(usage(format!("--set '{text}': {name} is {kind} from {} to {}", p.least, p.most)));
            }
            *slot = number;
        }
    }
    Ok(values)
}

/// A text as a cell of a CSV file.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn csv(when: &[String], columns: &[(String, Vec<f64>)]) -> String {
    let line =
        |first: &str, cells: Vec<String>| std::iter::once(first.to_owned()).chain(cells).collect::<Vec<_>>().join(",");
    let mut out = line("bar", columns.iter().map(|(n, _)| cell(n)).collect());
    for (k, when) in when.iter().enumerate() {
        let value = |v: &Vec<f64>| v.get(k).filter(|x| !x.is_nan()).map_or_else(String::new, f64::to_string);
        out.push('\n');
        out += &line(when, columns.iter().map(|(_, v)| value(v)).collect());
    }
    out + "\n"
}

fn page(title: &str, when: &[String], columns: &[(String, Vec<f64>)]) -> String {
    let mut sheet = Sheet::default();
    let colours = ["--accent", "--second", "--third", "--fourth", "--up", "--down", "--soft"];
    let traces: Vec<Value> = columns
        .iter()
        .zip(colours.iter().cycle())
        .map(|((name, values), colour)| {
            json!({ "type": "scatter", "mode": "lines", "name": name, "x": when, "y": values,
                "line": { "width": 1.4, "color": colour } })
        })
        .collect();
    sheet.plot(
        title,
        "One value a bar; none before enough bars were seen.",
        &traces,
        &json!({ "hovermode": "x unified" }),
    );
    sheet.html("indicator", title, &format!("{} bars", when.len()))
}
