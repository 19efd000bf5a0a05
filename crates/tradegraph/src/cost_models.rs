//! The models of costs that a mandate has in force: parameters, source, and on which side each errs.

use crate::explanation::percent_of;
use crate::mandate::Mandate;
use serde::Serialize;
use tradegraph_domain::{NANO, format_nano};
use tradegraph_engine::Rate;
use tradegraph_execution::{RETURNS_MIN, TRAILING_BARS};

/// One model.
#[derive(Clone, Debug, Serialize)]
pub struct CostModel {
    /// Its name.
    pub model: &'static str,
    /// What the mandate set.
    pub parameters: String,
    /// The state of the numbers.
    pub as_of: String,
    /// Where they are from.
    pub source: String,
    /// On which side it errs.
    pub errs: String,
}

impl CostModel {
    /// One sentence for people.
    pub fn sentence(&self) -> String {
        format!(
            "Costs, {}: {} ({}; {}). It errs so: {}.",
            self.model, self.parameters, self.source, self.as_of, self.errs
        )
    }
}

/// Those in force, in the order of a trade's life.
pub fn cost_models(mandate: &Mandate) -> Vec<CostModel> {
    let f = &mandate.frictions;
    let model = |model, parameters: String, source: &str, errs: &str| CostModel {
        model,
        parameters,
        as_of: "the same for all years".to_owned(),
        source: source.to_owned(),
        errs: errs.to_owned(),
    };
    let own = "the mandate";
    let mut out = vec![match f.commission.schedule {
        Some(s) => CostModel {
            model: "commission",
            parameters: s.title.to_owned(),
            as_of: s.as_of.to_owned(),
            source: s.source.to_owned(),
            errs: s.errs.to_owned(),
        },
        None => model(
            "commission",
            format!(
                "{} of the notional, {} per unit, at least {} a fill",
                percent_of(f.commission.rate.nano_fraction()),
                format_nano(f.commission.per_unit_nano.into()),
                format_nano(f.commission.minimum_nano.into()),
            ),
            own,
            "trading was much dearer before 2001",
        ),
    }];
    let half = format!("{} of the price, by market orders and stops", percent_of(f.half_spread.nano_fraction()));
    out.push(model("half-spread", half, own, "too little in fast markets and, for most shares, before 2001"));
    if let Some(factor) = f.impact_nano {
        out.push(model(
            "square-root impact",
            format!(
                "{} × volatility of a bar × √(units / volume of a bar), both of the last {TRAILING_BARS} bars; none before \
                 {RETURNS_MIN} returns are known or without volume",
                format_nano(factor.into())
            ),
            "Almgren, Thum, Hauptmann and Li 2005; Tóth et al. 2011",
            "conservative within an order, whose units all pay for its last; optimistic between orders, since nothing of \
             the impact remains",
        ));
    }
    if let Some(nights) = &mandate.financing {
        let mut fee = format!("{} a year of the value of short positions", percent_of(nights.borrow_nano));
        for (symbol, own) in &nights.borrow_of {
            fee.push_str(&format!(", {symbol} {}", percent_of(*own)));
        }
        let errs = "every share can be borrowed at that fee and none is called back: optimistic";
        out.push(model("borrow fee", fee, own, errs));
        let errs = "one rate for any amount, reckoned from the trade date, paid on the first of the next month";
        out.push(model("margin interest", rate(&nights.margin), own, errs));
        let errs = "the proceeds of short sales earn nothing: conservative; reckoned from the trade date";
        out.push(model("interest on cash", rate(&nights.cash), own, errs));
    }
    out
}

fn rate(r: &Rate) -> String {
    let yearly = |nano: i64| format!("{} %", format_nano(i128::from(nano) * 100));
    match r.benchmark.as_slice() {
        [] => format!("{} a year, ACT/360", yearly(r.spread_nano)),
        [(date, first), rest @ ..] => format!(
            "the benchmark of the mandate ({} from {date}, {} changes) and {} more a year, at least 0, ACT/360",
            yearly(*first),
            rest.len(),
            yearly(r.spread_nano.clamp(-NANO, NANO)),
        ),
    }
}
