//! What a result rests on, said plainly.

use super::Subject;
use crate::cost_models::CostModel;
use crate::explanation::{limits, percent_of};
use crate::mandate::Source;
use tradegraph_domain::Basis;

/// One sentence each.
pub fn list(s: &Subject<'_>) -> Vec<String> {
    let mandate = &s.prepared.mandate;
    let mut out = vec![
        "A back-test shows how rules would have traded on past prices. It does not show what they will earn."
            .to_owned(),
        match s.figures.trials {
            1 => "Trials: this is the only mandate that was run on these data in this home.".to_owned(),
            n => format!(
                "Trials: {n} different mandates were run on overlapping data in this home. The best of many is lucky in part; nothing here is corrected for that."
            ),
        },
    ];
    for (part, feed) in mandate.data.iter().zip(&s.prepared.feeds) {
        if let Source::Sample(name) = part.source {
            let sample = crate::samples::sample(name);
            out.extend(sample.and_then(|x| x.caveat).map(|c| format!("Data {name}: {c}.")));
        }
        match feed.batch.spec().basis {
            Basis::Raw if !s.prepared.config.actions.is_empty() => out.push(format!(
                "Data {}: prices as traded; splits and dividends are booked on their ex-dates, dividends without tax.",
                part.name
            )),
            Basis::Raw => out.push(format!("Data {}: prices as traded; no dividends or splits were given, so none are booked.", part.name)),
            Basis::SplitAdjusted => {
                out.push(format!("Data {}: split-adjusted prices; dividends are left out, quantities are of today's shares.", part.name));
            }
            Basis::TotalReturn => out.push(format!(
                "Data {}: total-return prices: every dividend is reinvested at no cost and no tax, quantities are of adjusted shares and fractional.",
                part.name
            )),
        }
    }
    let close_only = s.prepared.feeds.iter().any(|f| !f.batch.spec().has_open);
    let with_open = s.prepared.feeds.iter().any(|f| f.batch.spec().has_open);
    if close_only {
        out.push(
            "Fills: series of closes have no open; orders decided at one close fill at the next close.".to_owned(),
        );
    }
    if with_open {
        out.push("Fills: orders decided at a close fill at the next open of their instrument.".to_owned());
    }
    let f = &mandate.frictions;
    out.extend(s.figures.cost_models.iter().map(CostModel::sentence));
    out.push(match f.participation_nano {
        Some(p) => format!("Fills take at most {} of the volume of a bar.", percent_of(p)),
        None => "Fills are not limited by volume.".to_owned(),
    });
    if f.impact_nano.is_none() {
        out.push("Orders do not move the market.".to_owned());
    }
    out.push("There is no latency, no queue and no outage. Taxes are left out.".to_owned());
    if mandate.financing.is_none() {
        out.push("Cash earns no interest, borrowed cash and borrowed stock cost nothing.".to_owned());
    }
    out.push(match mandate.settlement_days {
        None => "Cash settles at once.".to_owned(),
        Some(n) => format!("Cash settles {n} business days after a trade (XNYS)."),
    });
    let off: Vec<String> =
        limits(&s.prepared.config).iter().filter_map(|l| l.strip_suffix(": off").map(str::to_owned)).collect();
    if !off.is_empty() {
        out.push(format!("Limits that are off: {}.", off.join("; ")));
    }
    out.push("Equal weight: the same instruments, equal weights restored at every bar, without any cost. It is a hard benchmark to beat after costs.".to_owned());
    out.push("Sharpe ratio: against zero, annualised by the days on the curve. Its error (Lo 2002; Bailey and López de Prado 2012) assumes returns without serial correlation.".to_owned());
    out
}
