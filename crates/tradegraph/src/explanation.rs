//! `Explanation`: one decision to the last unit, in plain sentences, for people and for programs.

use crate::failure::{Failure, Kind};
use crate::trades::{FillRow, OrderStory};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};
use tradegraph_agents::Agent;
use tradegraph_controls::{AccountKind, Breaker, Limits, SessionRule};
use tradegraph_domain::{
    AgentId, Lots, NANO, Nanos, OrderKind, Price, Quantity, Regime, Resolution, Side, Step, Unit, WaterfallUnit,
    format_nano,
};
use tradegraph_engine::records::DecisionRecord;
use tradegraph_engine::{AgentClaim, AllocatorConfig, Negotiation, RunConfig, build_agents};
use tradegraph_portfolio::{Cause, top_reasons};

/// One line of the waterfall.
#[derive(Clone, Debug)]
struct Line {
    what: String,
    amount: i64,
    total: i64,
}

/// One decision with its reasons.
#[derive(Clone, Debug)]
pub struct Explanation {
    order: u64,
    symbol: String,
    headline: String,
    /// A stop that no agent asked for.
    protects: bool,
    unit: WaterfallUnit,
    lines: Vec<Line>,
    quantity: Option<String>,
    /// What was wanted and what was held, as a sentence; none where NAV is unknown or the unit is lots.
    stance: Option<String>,
    /// The strongest reasons, strongest first, as sentences.
    pub reasons: Vec<String>,
    /// The market's regime and how contradicting opinions became one, as sentences.
    council: Vec<String>,
    limits: Vec<String>,
    refusal: Option<String>,
    fills: Vec<String>,
    ended: Option<String>,
    adds_up: bool,
    json: Value,
}

/// Explains an order of a run.
pub fn explain(config: &RunConfig, story: &OrderStory) -> Result<Explanation, Failure> {
    let Some(d) = &story.decision else {
        return Err(Failure::new(Kind::NotFound, "the journal holds no such decision"));
    };
    let instrument = config.universe.get(d.order.instrument);
    let symbol = instrument.map_or_else(|| format!("instrument {}", d.order.instrument.0), |x| x.symbol.clone());
    let kind = match d.order.kind {
        OrderKind::Market => "at the market".to_owned(),
        OrderKind::Limit(p) => format!("at {p} or better"),
        OrderKind::Stop(p) => format!("at the market once it trades at {p}"),
        OrderKind::StopLimit { stop, limit } => format!("at {limit} or better once it trades at {stop}"),
    };
    let verdict = if d.refusal.is_some() { "REFUSED" } else { "sent" };
    let headline = format!(
        "order {} · {} · {} {} {symbol} {kind} · {verdict}",
        d.order.id.0,
        d.ts,
        d.order.side.name(),
        d.order.quantity
    );
    let agents = build_agents(config).map_err(|e| Failure::new(Kind::Input, e.to_string()))?;
    let w = &d.waterfall;
    let mut total = 0_i64;
    let mut lines = Vec::new();
    for b in &w.base {
        total = total.saturating_add(b.amount);
        let factor =
            agents.iter().find(|x| x.id() == b.agent).and_then(|x| x.factors().get(usize::from(b.factor.0)).copied());
        lines.push(Line {
            what: format!("{} · {}", name(config, b.agent), factor.unwrap_or("?")),
            amount: b.amount,
            total,
        });
    }
    for s in &w.steps {
        total = total.saturating_add(s.amount);
        lines.push(Line { what: format!("{} ({})", s.step.name(), s.step.sentence()), amount: s.amount, total });
    }
    let recorded = !w.base.is_empty() || !w.steps.is_empty();
    let shared = story.negotiation.as_ref();
    let reasons = reasons(config, &agents, d, shared);
    let lot = instrument.map_or(Quantity::ZERO, |x| x.lot);
    let quantity = recorded.then(|| {
        let line = &w.lots;
        let units = |n: i64| Lots(n).quantity(lot).map_or_else(|_| "?".to_owned(), |q| q.to_string());
        format!(
            "target {} − held {} − on order {} = order {} (one lot is {lot})",
            units(line.target),
            units(line.position),
            units(line.open),
            units(line.order)
        )
    });
    let held = Lots(w.lots.position.saturating_add(w.lots.open)).quantity(lot).ok();
    let held = held.and_then(|q| d.price.notional_nano(q).ok());
    let held =
        held.and_then(|v| v.checked_mul(NANO.into())?.checked_div(d.nav_nano)).and_then(|n| i64::try_from(n).ok());
    let stance = held.filter(|_| recorded && w.unit == WaterfallUnit::NanoNav).map(|held| {
        let (wanted, held) = (amount(w.last, w.unit), amount(held, w.unit));
        let rest = if d.order.side == Side::Buy { "buys what is missing" } else { "sells the rest" };
        format!("wanted: {wanted} in {symbol}; held and on order: {held}; so it {rest}")
    });
    let mut council = Vec::new();
    if w.regime != Regime::Unknown {
        council.push(format!("the market's regime: {}", w.regime.name()));
    }
    if w.resolution != Resolution::Agreement {
        council.push(format!(
            "the agents disagreed, resolved by \"{}\": {}",
            w.resolution.name(),
            w.resolution.sentence()
        ));
    }
    if let Some(n) = shared {
        council.push("the budget of work was too small for all strategies, so they bid for it:".to_owned());
        council.extend(n.explain(|a| format!("  {}", name(config, a))));
    }
    let refusal = d.refusal.map(|r| {
        let show = |n: i128| match r.unit {
            Unit::NavNano => nav_share(n),
            Unit::Count => n.to_string(),
            Unit::MoneyNano => format!("{} {}", format_nano(n), config.base),
            Unit::QuantityNano | Unit::PriceNano => format_nano(n),
            Unit::Nanos => format!("{} s", format_nano(n)),
        };
        format!("{}: the limit is {}, the order came to {}", r.rule.code(), show(r.limit), show(r.actual))
    });
    let fills: Vec<String> = story.fills.iter().map(|f| fill_line(f, config)).collect();
    let adds_up = !recorded || w.balances();
    let json = json!({
        "order": d.order.id.0, "time": d.ts.to_string(), "event": d.seq, "symbol": symbol,
        "side": d.order.side.name(), "quantity": d.order.quantity.to_string(),
        "stop": d.order.kind.stop().map(|p| p.to_string()), "limit": d.order.kind.limit().map(|p| p.to_string()),
        "price": d.price.to_string(), "nav": format_nano(d.nav_nano),
        "outcome": verdict.to_lowercase(),
        "refusal": d.refusal.map(|r| json!({
            "rule": r.rule.code(), "limit": r.limit.to_string(), "actual": r.actual.to_string(),
            "unit": format!("{:?}", r.unit) })),
        "unit": unit_name(w.unit),
        "waterfall": lines.iter().map(|l| json!({ "what": l.what, "amount": l.amount, "total": l.total })).collect::<Vec<_>>(),
        "target": w.last, "adds_up": adds_up,
        "lots": { "target": w.lots.target, "position": w.lots.position, "open": w.lots.open, "order": w.lots.order,
                  "size": lot.to_string() },
        "stance": stance, "reasons": reasons, "regime": w.regime.name(),
        "conflict": json!({ "rule": w.resolution.name(), "why": w.resolution.sentence() }),
        "negotiation": shared.map(|n| negotiation_json(n, config)),
        "limits": limits(config),
        "fills": story.fills.iter().map(fill_json).collect::<Vec<_>>(),
        "ended": story.ended,
    });
    Ok(Explanation {
        order: d.order.id.0,
        headline,
        protects: !recorded && d.order.kind.stop().is_some(),
        symbol,
        unit: w.unit,
        lines,
        quantity,
        stance,
        reasons,
        council,
        limits: limits(config),
        refusal,
        fills,
        ended: story.ended.clone(),
        adds_up,
        json,
    })
}

/// The name of an agent's node.
fn name(config: &RunConfig, a: AgentId) -> &'static str {
    config.node(a).unwrap_or("?")
}

/// The strongest reasons of a decision, strongest first, as sentences with their data.
pub fn reasons(
    config: &RunConfig,
    agents: &[Box<dyn Agent>],
    d: &DecisionRecord,
    shared: Option<&Negotiation>,
) -> Vec<String> {
    let data = |a: AgentId| -> Vec<Option<f64>> {
        let mut values: Vec<Option<f64>> = Vec::new();
        for e in d.evidence.iter().filter(|e| e.agent == a) {
            let need = usize::from(e.need);
            values.resize(values.len().max(need + 1), None);
            if let Some(slot) = values.get_mut(need) {
                *slot = e.value;
            }
        }
        values
    };
    let sentence = |a: AgentId, factor: u16| {
        let agent = agents.iter().find(|x| x.id() == a)?;
        Some(agent.explain(usize::from(factor), &data(a)))
    };
    let w = &d.waterfall;
    let reasons = top_reasons(w).into_iter().map(|r| {
        let amount = amount(r.amount, w.unit);
        match r.cause {
            Cause::Agent(a) if shared.is_some_and(|n| n.waits(a)) => {
                format!("{} asked for {amount}: an older opinion, kept because it stood back", name(config, a))
            }
            Cause::Agent(a) => {
                let mut own: Vec<_> = w.base.iter().filter(|b| b.agent == a).collect();
                own.sort_by_key(|b| std::cmp::Reverse(b.amount.unsigned_abs()));
                let because: Vec<String> = own.iter().filter_map(|b| sentence(a, b.factor.0)).collect();
                format!("{} asked for {amount}: {}", name(config, a), because.join("; "))
            }
            Cause::Step(Step::Conflict) => format!("conflict changed it by {amount}: {}", w.resolution.sentence()),
            Cause::Step(Step::Regime) => {
                format!("regime changed it by {amount}: the market is in the regime \"{}\"", w.regime.name())
            }
            Cause::Step(s) => format!("{} changed it by {amount}: {}", s.name(), s.sentence()),
        }
    });
    reasons.collect()
}

fn unit_name(unit: WaterfallUnit) -> &'static str {
    match unit {
        WaterfallUnit::NanoNav => "nano-NAV",
        WaterfallUnit::Lots => "lots",
    }
}

/// 1e-9 of NAV as per cent, exactly.
fn nav_share(nano: i128) -> String {
    format!("{} % of NAV", format_nano(nano.saturating_mul(100)))
}

fn amount(n: i64, unit: WaterfallUnit) -> String {
    let sign = if n > 0 { "+" } else { "" };
    match unit {
        WaterfallUnit::NanoNav => format!("{sign}{:.2} % of the account", n as f64 / 1e7),
        WaterfallUnit::Lots => format!("{sign}{n} lots"),
    }
}

fn exact(n: i64, unit: WaterfallUnit) -> String {
    let sign = if n >= 0 { "+" } else { "-" };
    let n = i128::from(n).abs();
    match unit {
        // Seven decimals of a per cent are 1e-9 of NAV.
        WaterfallUnit::NanoNav => format!("{sign}{}.{:07} %", n / 10_000_000, n % 10_000_000),
        WaterfallUnit::Lots => format!("{sign}{n}"),
    }
}

fn fill_line(f: &FillRow, config: &RunConfig) -> String {
    let realised = if f.realised_nano == 0 {
        String::new()
    } else {
        format!(", realised {} {}", format_nano(f.realised_nano), config.base)
    };
    let fee = format_nano(f.fill.fee_nano);
    format!(
        "{}: {} {} at {}, fee {fee} {}{realised}",
        f.ts,
        f.fill.side.name(),
        f.fill.quantity,
        f.fill.price,
        config.base
    )
}

/// Who bid for the work of a decision, for programs.
pub fn negotiation_json(n: &Negotiation, config: &RunConfig) -> Value {
    let claim = |c: &AgentClaim| {
        json!({
            "agent": name(config, c.agent), "runs": c.runs, "rank": c.rank, "priority": c.priority, "value": c.value,
            "cost_ns": c.cost_ns, "missed": c.missed, "left_ns": c.left_ns,
        })
    };
    json!({ "budget_ns": n.budget_ns, "claims": n.claims.iter().map(claim).collect::<Vec<_>>() })
}

fn fill_json(f: &FillRow) -> Value {
    json!({
        "time": f.ts.to_string(), "side": f.fill.side.name(), "quantity": f.fill.quantity.to_string(),
        "price": f.fill.price.to_string(), "fee": format_nano(f.fill.fee_nano),
        "realised": format_nano(f.realised_nano),
    })
}

/// The waterfall drawn: a bar a line from the total before it to the total after it, all on one scale with zero marked.
fn bars(lines: &[Line]) -> Vec<String> {
    const WIDTH: i128 = 32;
    let totals = || lines.iter().map(|l| i128::from(l.total));
    let (low, high) = (totals().fold(0, i128::min), totals().fold(0, i128::max));
    let cell = |n: i128| (n - low) * WIDTH / (high - low).max(1);
    let mut before = 0;
    let draw = |line: &Line| {
        let after = i128::from(line.total);
        let (from, to) = (cell(before.min(after)), cell(before.max(after)));
        before = after;
        let mark = |at| match at {
            _ if line.amount != 0 && at >= from && (at < to || at == from) => '█',
            _ if at == cell(0) => '│',
            _ => ' ',
        };
        (0..=WIDTH).map(mark).collect()
    };
    lines.iter().map(draw).collect()
}

/// The limits that held for the order, in words.
pub fn limits(config: &RunConfig) -> Vec<String> {
    let share = |name: &str, cap: Option<i64>| match cap {
        Some(n) => format!("{name}: {}", nav_share(i128::from(n))),
        None => format!("{name}: off"),
    };
    let l: &Limits = &config.limits;
    let mut out = vec![
        share("risk manager's cap on one position", config.caps.position),
        share("risk manager's cap on gross exposure", config.caps.gross),
        share("gate: position", l.position_nano_nav),
        share("gate: gross exposure", l.gross_nano_nav),
    ];
    if let AllocatorConfig::Fusion { parameters: p, .. } = &config.allocator {
        out.insert(0, share("allocator: largest weight", Some(p.max_weight_nano)));
        out.insert(1, share("allocator: gross", Some(p.gross_nano)));
    }
    out.push(match l.order_quantity {
        Some(q) => format!("gate: quantity of an order: {q}"),
        None => "gate: quantity of an order: off".to_owned(),
    });
    out.push(match l.order_notional_nano {
        Some(n) => format!("gate: notional of an order: {} {}", format_nano(n), config.base),
        None => "gate: notional of an order: off".to_owned(),
    });
    out.push(match l.open_orders {
        Some(n) => format!("gate: open orders: {n}"),
        None => "gate: open orders: off".to_owned(),
    });
    out.push(match l.collar {
        Some(c) => format!("gate: collar: {} from the last price", percent_of(c.nano_fraction())),
        None => "gate: collar: off".to_owned(),
    });
    out.push(format!("gate: short positions: {}", if l.allow_short { "allowed" } else { "forbidden" }));
    out.push("gate: cash after all holds: always on".to_owned());
    out.extend(more_limits(l));
    out
}

/// The limits that are on beyond those above, and which are off.
fn more_limits(l: &Limits) -> Vec<String> {
    let share = |n: i64| nav_share(i128::from(n));
    let period = |n: Nanos| format!("{} s", n.0 / Nanos::SECOND.0);
    let (w, b) = (&l.windows, &l.breakers);
    let breaker = |b: Option<Breaker<i64>>| b.map(|b| format!("{}, then {}", percent_of(b.most), b.action.name()));
    let session = match l.session {
        SessionRule::Off => None,
        SessionRule::Waiting => Some("orders that can wait for the next open pass while a market is shut".to_owned()),
        SessionRule::OpenOnly => Some("no order passes while its market is shut".to_owned()),
    };
    let account = match l.account {
        AccountKind::Unrestricted => None,
        AccountKind::Cash => Some("cash account: buys are paid with settled cash".to_owned()),
        AccountKind::Margin => Some("margin account: Regulation T and FINRA Rule 4210 of the order's date".to_owned()),
    };
    let all = [
        ("gate: net exposure", l.net_nano_nav.map(share)),
        ("gate: leverage", l.leverage_nano_nav.map(share)),
        ("gate: one sector", l.sector.nano_nav.map(share)),
        ("gate: one currency", l.currency.nano_nav.map(share)),
        ("gate: one venue", l.venue.nano_nav.map(share)),
        ("gate: age of the last price", l.price_age.map(period)),
        ("gate: sessions", session),
        ("gate: units located for shorts", l.locate.as_ref().map(|_| "by instrument".to_owned())),
        ("gate: orders in a period", w.orders.map(|w| format!("{} in {}", w.most, period(w.per)))),
        (
            "gate: notional in a period",
            w.notional_nano.map(|w| format!("{} in {}", format_nano(w.most), period(w.per))),
        ),
        ("gate: the same order", w.duplicates.map(|w| format!("{} in {}", w.most, period(w.per)))),
        ("breaker: daily loss", breaker(b.daily_loss)),
        ("breaker: drawdown", breaker(b.drawdown)),
        ("breaker: volatility", breaker(b.volatility).map(|t| format!("{t}, over {} bars", b.volatility_bars))),
        ("breaker: stale data", b.stale_bars.map(|s| format!("{} bars, then {}", s.most, s.action.name()))),
        ("breaker: rejections", b.rejects.map(|r| format!("{} of {}, then {}", r.most, b.rejects_of, r.action.name()))),
        ("account", account),
    ];
    let mut out: Vec<String> =
        all.iter().filter_map(|(name, on)| on.as_ref().map(|on| format!("{name}: {on}"))).collect();
    let off: Vec<&str> = all.iter().filter(|(_, on)| on.is_none()).map(|(name, _)| *name).collect();
    if !off.is_empty() {
        out.push(format!("off: {}", off.join("; ")));
    }
    out
}

/// 1e-9 as per cent, exactly.
pub fn percent_of(nano: i64) -> String {
    format!("{} %", Price::from_nano(nano.saturating_mul(100)))
}

impl Explanation {
    /// For programs.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The order in one line.
    pub fn headline(&self) -> &str {
        &self.headline
    }

    /// What was wanted and held, and the reasons as numbered lines.
    pub fn reason_lines(&self) -> Vec<String> {
        let stance = self.stance.iter().map(|s| format!("  {s}"));
        stance.chain(self.reasons.iter().zip(1..).map(|(r, n)| format!("  {n}. {r}"))).collect()
    }

    /// Everything, for people.
    pub fn text(&self) -> String {
        let mut out = vec![self.headline.clone(), String::new()];
        if let Some(refusal) = &self.refusal {
            out.push(format!("Refused by {refusal}"));
            out.push(String::new());
        }
        if self.protects {
            out.push("A protective stop of [exits]: it closes the position if its price is touched.".to_owned());
        } else if self.lines.is_empty() {
            out.push("The run did not record reasons ([record] level = \"reasons\" does).".to_owned());
        } else {
            out.push("How the target came about:".to_owned());
            out.push(self.table());
            let check = if self.adds_up { "adds up exactly" } else { "DOES NOT ADD UP: please report this" };
            out.push(format!(
                "  ({check}; amounts in {})",
                match self.unit {
                    WaterfallUnit::NanoNav => "per cent of the account, to 1e-9 of it",
                    WaterfallUnit::Lots => "lots",
                }
            ));
            out.extend(self.quantity.iter().map(|q| format!("\nQuantity of {}: {q}", self.symbol)));
            out.push("\nThe strongest reasons:".to_owned());
            out.extend(self.reason_lines());
            out.extend(self.council.iter().map(|c| format!("  · {c}")));
        }
        out.push("\nLimits that held:".to_owned());
        out.extend(self.limits.iter().map(|l| format!("  {l}")));
        out.push("\nFills:".to_owned());
        if self.fills.is_empty() {
            out.push(format!("  none for order {}", self.order));
        }
        out.extend(self.fills.iter().map(|f| format!("  {f}")));
        out.extend(self.ended.iter().map(|e| format!("  {e}")));
        out.join("\n")
    }

    /// The way from opinions to the target; none if it was not recorded.
    pub fn waterfall_table(&self) -> Option<String> {
        (!self.lines.is_empty()).then(|| self.table())
    }

    fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["stage", "change", "so far", ""]);
        for (line, bar) in self.lines.iter().zip(bars(&self.lines)) {
            table.add_row([line.what.clone(), exact(line.amount, self.unit), exact(line.total, self.unit), bar]);
        }
        for at in 1..3 {
            if let Some(column) = table.column_mut(at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string()
    }
}
