//! A sweep as a table on the terminal and as a page with a map of two keys.

use super::Sweep;
use crate::figures::{count, percent};
use crate::report::Sheet;
use crate::sweeps::Outcome;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};

const HEAD: [&str; 6] = ["Sharpe", "growth in all", "growth a year", "volatility", "drawdown", "orders"];

fn cells(o: &Outcome) -> Vec<String> {
    vec![
        o.sharpe.map_or("–".to_owned(), |x| format!("{x:.2}")),
        percent(o.total_return),
        percent(o.cagr),
        percent(o.volatility),
        percent(o.max_drawdown),
        count(o.orders),
    ]
}

impl Sweep {
    /// Members by falling ratio; those without one last.
    fn ranked(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.outcomes.len()).collect();
        let ratio = |k: &usize| self.outcomes.get(*k).and_then(|o| o.sharpe).unwrap_or(f64::NEG_INFINITY);
        order.sort_by(|a, b| ratio(b).total_cmp(&ratio(a)).then(a.cmp(b)));
        order
    }

    fn row(&self, k: usize) -> Vec<String> {
        let values = self.members.list.get(k).map(|m| m.values.clone()).unwrap_or_default();
        values.into_iter().chain(self.outcomes.get(k).map(cells).unwrap_or_default()).collect()
    }

    fn head(&self) -> Vec<String> {
        self.members.axes.iter().map(|a| a.key.clone()).chain(HEAD.map(str::to_owned)).collect()
    }

    /// The best rows, and the worst one, since a search is all of its members.
    pub(super) fn table(&self, rows: usize) -> String {
        let order = self.ranked();
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.head());
        for k in order.iter().take(rows) {
            table.add_row(self.row(*k));
        }
        if let Some(last) = order.last().filter(|_| order.len() > rows) {
            let mut dots = vec![String::new(); self.head().len()];
            if let Some(cell) = dots.first_mut() {
                *cell = format!("… {} more", order.len() - rows - 1);
            }
            table.add_row(dots);
            table.add_row(self.row(*last));
        }
        for at in self.members.axes.len()..self.head().len() {
            if let Some(column) = table.column_mut(at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string()
    }

    /// The page.
    pub(super) fn page(&self) -> String {
        let mut sheet = Sheet::default();
        let v = &self.verdict;
        let number = |x: Option<f64>| x.map_or("–".to_owned(), |x| format!("{x:.2}"));
        let share = |x: Option<f64>| x.map_or("–".to_owned(), |x| format!("{:.0} %", 100.0 * x));
        let (best, sharpe) = self.best();
        sheet.cards(&[
            ("Best Sharpe ratio", number(sharpe), format!("{best}; the median is {}", number(v.median_sharpe))),
            ("More than luck", share(v.deflated_sharpe), format!("deflated by {} trials", v.trials)),
            ("Overfitting", share(v.overfitting), "probability; picking blindly has 50 %".to_owned()),
            ("Walk-forward Sharpe", number(v.walk_forward), "going on with what was best before".to_owned()),
        ]);
        sheet.notes("How much of it is luck", &self.lines());
        if let Some((heading, traces, layout)) = self.map() {
            let text =
                "Sharpe ratio a year; the median where further keys differ. A lone peak is luck, a plateau may not be.";
            sheet.plot(&heading, text, &traces, &layout);
        }
        let rows: Vec<Vec<String>> = self.ranked().into_iter().map(|k| self.row(k)).collect();
        sheet.table("All members", "Best first. Net of costs.", &self.head(), &rows);
        let lead = format!("{} members, {} trials on this data in all", self.outcomes.len(), v.trials);
        sheet.html("sweep", &self.name, &lead)
    }

    /// A heat map of the first two keys that vary; of one key, a line.
    fn map(&self) -> Option<(String, Vec<Value>, Value)> {
        let distinct = |at: usize| -> Vec<String> {
            let mut all: Vec<String> = self.members.list.iter().filter_map(|m| m.values.get(at).cloned()).collect();
            all.sort_by(|a, b| by_number(a, b));
            all.dedup();
            all
        };
        let varying: Vec<(usize, Vec<String>)> =
            (0..self.members.axes.len()).map(|at| (at, distinct(at))).filter(|(_, all)| all.len() > 1).collect();
        let name = |at: usize| self.members.axes.get(at).map_or("", |a| a.key.as_str());
        let median = |keep: &dyn Fn(&[String]) -> bool| -> Option<f64> {
            let pairs = self.members.list.iter().zip(&self.outcomes);
            let mut all: Vec<f64> = pairs.filter(|(m, _)| keep(&m.values)).filter_map(|(_, o)| o.sharpe).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied()
        };
        let (x, xs) = varying.first()?;
        let title = |at: usize| json!({ "text": name(at) });
        let Some((y, ys)) = varying.get(1) else {
            let values: Vec<Option<f64>> = xs.iter().map(|v| median(&|m| m.get(*x) == Some(v))).collect();
            let trace = json!({ "type": "scatter", "mode": "lines+markers", "x": xs, "y": values,
                "line": { "color": "--accent" }, "name": "Sharpe" });
            let layout = json!({ "xaxis": { "type": "category", "title": title(*x) }, "yaxis": { "title": { "text": "Sharpe" } } });
            return Some((name(*x).to_owned(), vec![trace], layout));
        };
        let z: Vec<Vec<Option<f64>>> = ys
            .iter()
            .map(|b| xs.iter().map(|a| median(&|m| m.get(*x) == Some(a) && m.get(*y) == Some(b))).collect())
            .collect();
        let trace = json!({ "type": "heatmap", "x": xs, "y": ys, "z": z, "colorscale": "Viridis", "hoverongaps": false,
            "colorbar": { "title": { "text": "Sharpe" } } });
        let layout = json!({ "xaxis": { "type": "category", "title": title(*x) },
            "yaxis": { "type": "category", "title": title(*y) } });
        Some((format!("{} and {}", name(*x), name(*y)), vec![trace], layout))
    }
}

/// Numbers by size, whatever is behind them; other texts by their letters.
fn by_number(a: &str, b: &str) -> std::cmp::Ordering {
    let number = |t: &str| t.trim_end_matches(|c: char| !c.is_ascii_digit() && c != '.').parse::<f64>().ok();
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x.total_cmp(&y).then(a.cmp(b)),
        _ => a.cmp(b),
    }
}
