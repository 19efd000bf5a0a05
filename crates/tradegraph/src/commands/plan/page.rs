//! A plan as a page: the fan of futures with target and ruin, and the probabilities beside it.

use super::Plan;
use super::words::{chance, grouped, percent};
use crate::report::Sheet;
use serde_json::{Value, json};
use tradegraph_quant::fan::Fan;

impl Plan {
    /// The page.
    pub(super) fn page(&self) -> String {
        let mut sheet = Sheet::default();
        let first = self.scenarios.first();
        let cards = [
            ("Needed a month", percent(self.required.per_month), format!("{} a year", percent(self.required.per_year))),
            (
                "Made a month",
                self.basis.as_ref().map_or("–".to_owned(), |b| percent(b.growth_per_month)),
                self.basis.as_ref().map_or(String::new(), |b| b.run.clone().unwrap_or("assumed".to_owned())),
            ),
            (
                "Reaches the target",
                first.map_or("–".to_owned(), |s| {
                    if s.reached > 0.0 { percent(s.reached) } else { format!("< {}", percent(s.reached_at_most)) }
                }),
                first.map_or(String::new(), |s| s.name.to_owned()),
            ),
            (
                "Ruined first",
                first.map_or("–".to_owned(), |s| self.share(s.ruined)),
                format!("a loss of {}", percent(self.ruin_loss)),
            ),
        ];
        sheet.cards(&cards);
        sheet.notes("What the target asks for", &self.asks());
        if let Some(fan) = &self.fan {
            let name = first.map_or("", |s| s.name);
            let text = format!(
                "{name}: half of the futures are in the dark band, 90 % in the middle one, 98 % in the light one. \
                 Logarithmic axis: equal distances are equal growth. A ruined account stays where it fell."
            );
            let axis = json!({ "yaxis": { "type": "log", "tickformat": "~s", "hoverformat": ",.0f" },
                "xaxis": { "title": { "text": "months" } }, "hovermode": "x unified" });
            sheet.plot("Futures", &text, &self.bands(fan), &axis);
        }
        let head =
            ["", "target reached", "formula", "ruined first", "formula", "ruined at all", "below the start", "median"];
        let rows: Vec<Vec<String>> = self
            .scenarios
            .iter()
            .map(|s| {
                let formula = |p: Option<f64>| p.map_or("–".to_owned(), percent);
                vec![
                    s.name.to_owned(),
                    if s.reached > 0.0 {
                        chance(s.reached, s.reached_at_most)
                    } else {
                        format!("less than {}", percent(s.reached_at_most))
                    },
                    formula(s.formula_reached),
                    self.share(s.ruined),
                    formula(s.formula_ruined),
                    self.share(s.ruined_ever),
                    percent(s.below_start),
                    grouped(self.start * s.median),
                ]
            })
            .collect();
        let text = "Counted in the simulation; the formula is the first passage of Brownian motion, for days that do not \
                    depend on each other. \"Less than\": none of the futures did, at 95 % confidence.";
        sheet.table("How likely it is", text, &head.map(str::to_owned), &rows);
        sheet.notes("What this rests on", &self.rests());
        let lead = format!("{} to {} in {} months", grouped(self.start), grouped(self.target), self.months);
        sheet.html("reality check", "Plan", &lead)
    }

    /// Three bands, the median, and the two ends.
    fn bands(&self, fan: &Fan) -> Vec<Value> {
        let last = fan.periods.last().copied().unwrap_or(1).max(1) as f64;
        let months: Vec<f64> = fan.periods.iter().map(|p| short(*p as f64 / last * f64::from(self.months))).collect();
        // On a logarithmic axis nothing is drawn at 0.
        let floor = 1e-4 * self.start;
        let line = |k: usize| -> Vec<f64> {
            fan.quantiles
                .get(k)
                .map(|l| l.iter().map(|x| short((x * self.start).max(floor))).collect())
                .unwrap_or_default()
        };
        let mut out = Vec::new();
        for (low, high, opacity, name) in [(0, 6, "18", "98 %"), (1, 5, "2e", "90 %"), (2, 4, "4d", "half")] {
            let none = json!({ "width": 0 });
            out.push(json!({ "x": months, "y": line(low), "mode": "lines", "line": none, "showlegend": false,
                "name": format!("{name}, low"), "type": "scatter" }));
            out.push(json!({ "x": months, "y": line(high), "mode": "lines", "line": none, "fill": "tonexty",
                "fillcolor": format!("--accent/{opacity}"), "name": name, "type": "scatter" }));
        }
        out.push(json!({ "x": months, "y": line(3), "mode": "lines", "name": "median", "type": "scatter",
            "line": { "color": "--accent", "width": 2 } }));
        let ends = [("target", self.target, "--up"), ("ruin", self.start * (1.0 - self.ruin_loss), "--down")];
        for (name, level, colour) in ends {
            out.push(
                json!({ "x": [0, self.months], "y": [level, level], "mode": "lines", "name": name, "type": "scatter",
                "line": { "color": colour, "width": 1.4, "dash": "dash" } }),
            );
        }
        out
    }
}

/// Six digits are finer than any screen.
fn short(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}
