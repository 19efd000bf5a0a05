//! The curve and the round trips beside a report, as CSV and Parquet. Absent columns are those of runs with too many fills.

use super::Subject;
use super::analysis::Analysis;
use crate::failure::{Failure, Kind};
use crate::home::write_whole;
use std::fmt::Write;
use std::path::Path;
use tradegraph_domain::{Date, Timestamp};
use tradegraph_store::dataset::{TableColumn, write_parquet};

type Table = Vec<(&'static str, TableColumn)>;

/// Writes `equity` and `trades`, each as `.csv` and `.parquet`.
pub fn write(folder: &Path, s: &Subject<'_>, a: &Analysis) -> Result<(), Failure> {
    let mut tables = vec![("equity", equity(s))];
    tables.extend(a.trips.as_deref().map(|_| ("trades", trades(s, a))));
    for (name, table) in tables {
        write_whole(&folder.join(format!("{name}.csv")), csv(&table).as_bytes())?;
        write_parquet(&folder.join(format!("{name}.parquet")), &table)
            .map_err(|e| Failure::new(Kind::Failed, e.to_string()).next("free some space and try again"))?;
    }
    Ok(())
}

fn equity(s: &Subject<'_>) -> Table {
    let c = s.curves;
    let number = |x: &Vec<f64>| TableColumn::Number(x.clone());
    let mut table = vec![
        ("date", TableColumn::Date(c.dates.iter().map(|d| d.0).collect())),
        ("nav", number(&c.net)),
        ("equal_weight", number(&c.benchmark)),
        ("buy_and_hold", number(&c.held)),
    ];
    if !c.gross.is_empty() {
        table.extend([
            ("gross", number(&c.gross)),
            ("net", number(&c.exposure)),
            ("largest", number(&c.largest)),
            ("traded", number(&c.traded)),
        ]);
    }
    table
}

fn trades(s: &Subject<'_>, a: &Analysis) -> Table {
    let all = a.trips.as_deref().unwrap_or_default();
    let symbols: Vec<&str> = s.prepared.config.universe.iter().map(|(_, x)| x.symbol.as_str()).collect();
    let number = |of: &dyn Fn(&super::trips::Trip) -> f64| TableColumn::Number(all.iter().map(of).collect());
    let word = |of: &dyn Fn(&super::trips::Trip) -> String| TableColumn::Name(all.iter().map(of).collect());
    vec![
        ("symbol", word(&|t| symbols.get(t.instrument).copied().unwrap_or("?").to_owned())),
        ("side", word(&|t| if t.long { "long" } else { "short" }.to_owned())),
        ("open", TableColumn::Integer(all.iter().map(|t| t.open.into()).collect())),
        ("from", TableColumn::Time(all.iter().map(|t| t.from.0).collect())),
        ("to", TableColumn::Time(all.iter().map(|t| t.to.0).collect())),
        ("days", number(&|t| t.days)),
        ("fills", TableColumn::Integer(all.iter().map(|t| t.fills.into()).collect())),
        ("capital", number(&|t| t.capital)),
        ("result", number(&|t| t.result_nano as f64 / 1e9)),
        ("fees", number(&|t| t.fees_nano as f64 / 1e9)),
        ("gain", number(&|t| t.gain)),
        ("adverse", number(&|t| t.adverse)),
        ("favourable", number(&|t| t.favourable)),
    ]
}

/// A field as CSV has it: in quotation marks if it needs them, and never a formula of a spreadsheet.
fn field(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn csv(table: &Table) -> String {
    let names: Vec<&str> = table.iter().map(|(n, _)| *n).collect();
    let mut out = names.join(",") + "\n";
    let rows = table.first().map_or(0, |(_, c)| match c {
        TableColumn::Date(v) => v.len(),
        TableColumn::Name(v) => v.len(),
        TableColumn::Number(v) => v.len(),
        TableColumn::Integer(v) | TableColumn::Time(v) => v.len(),
    });
    for row in 0..rows {
        for (at, (_, column)) in table.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            // A shortest decimal that reads back as the same double.
            let _ = match column {
                TableColumn::Number(v) => v.get(row).map_or(Ok(()), |x| write!(out, "{x}")),
                TableColumn::Integer(v) => v.get(row).map_or(Ok(()), |x| write!(out, "{x}")),
                TableColumn::Date(v) => v.get(row).map_or(Ok(()), |x| write!(out, "{}", Date(*x))),
                TableColumn::Time(v) => v.get(row).map_or(Ok(()), |x| write!(out, "{}", Timestamp(*x))),
                TableColumn::Name(v) => v.get(row).map_or(Ok(()), |x| write!(out, "{}", field(x))),
            };
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_becomes_csv() {
        let table = vec![
            ("name", TableColumn::Name(vec!["a,\"b\"".into(), "=1+1".into()])),
            ("date", TableColumn::Date(vec![0, 1])),
            ("x", TableColumn::Number(vec![0.1, -2.5e-7])),
        ];
        assert_eq!(csv(&table), "name,date,x\n\"a,\"\"b\"\"\",1970-01-01,0.1\n'=1+1,1970-01-02,-0.00000025\n");
    }
}
