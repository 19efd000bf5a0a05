//! The `[agents]` part of a mandate.

use super::DataPart;
use super::fault::{Fault, nearest};
use super::feed_named;
use super::reader::{Item, Section};
use tradegraph_agents::{AGENTS, LongTermParameters, MeanReversionParameters, MomentumParameters, Rule, RuleSpec};
use tradegraph_domain::{AgentId, FeedId, NANO};
use tradegraph_engine::{AgentConfig, BuildError, Key, OwnAgent, OwnConfig};
use tradegraph_market::{EmaSeed, FeatureKind, FeatureSpec, IndicatorSpec, MacdLine};
use tradegraph_portfolio::Role;
use tradegraph_quant::indicators::{INDICATORS, Indicator};

/// One agent with its weight in the council.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentPart {
    /// The agent.
    pub config: AgentConfig,
    /// 1e-9.
    pub weight_nano: i64,
}

impl AgentPart {
    /// The name by which the mandate means it.
    pub fn node(&self) -> &'static str {
        match &self.config {
            AgentConfig::Own(own) => own.agent.node,
            ours => AGENTS.get(usize::from(ours.id().0)).map_or("", |s| s.node),
        }
    }

    /// What kind of strategy an own agent is; `None` for ours.
    pub fn own_role(&self) -> Option<Role> {
        if let AgentConfig::Own(own) = &self.config { Some(own.agent.role) } else { None }
    }
}

/// What an unknown name may mean.
const OWN_AGENTS: &str =
    "an agent of your own is part of the program that `tradegraph new agent` wrote for it: run that one";

/// Most bars that a feature may look back.
const MAX_BARS: i64 = 10_000;

/// Reads all agents.
pub fn agents(section: &Section<'_>, data: &[DataPart], own: &[OwnAgent]) -> Result<Vec<AgentPart>, Fault> {
    let known: Vec<&str> = AGENTS.iter().map(|s| s.node).chain(own.iter().map(|o| o.node)).collect();
    let section = section.clone().knows(&known).map_err(|mut fault| {
        let next = fault.next.take().map_or_else(String::new, |next| format!("{next}; "));
        fault.next(format!("{next}{OWN_AGENTS}"))
    })?;
    let mut out: Vec<AgentPart> = Vec::new();
    for (key, item) in section.entries() {
        let name = key.get_ref().as_ref();
        let config = match name {
            "momentum_trader" => momentum(&item.section()?, data)?,
            "mean_reversion_trader" => mean_reversion(&item.section()?, data)?,
            "long_term_investor" => long_term(&item.section()?, data)?,
            "rule" => rule(&item, data)?,
            _ if let Some(agent) = own.iter().find(|o| o.node == name) => {
                let place = out.iter().filter(|a| a.own_role().is_some()).count();
                own_agent(&item.section()?, data, agent, place)?
            }
            _ => {
                let built: Vec<_> = AGENTS.iter().filter(|s| s.file.is_some()).map(|s| s.node).collect();
                return Err(item
                    .fault("is an agent of the council that does not exist yet")
                    .next(format!("agents that exist: {}", built.join(", "))));
            }
        };
        let weight_nano = match item.section()?.get("weight") {
            Some(w) => w.decimal(0..=i128::from(10 * NANO), "a number from 0 to 10")?,
            None => i128::from(NANO),
        };
        out.push(AgentPart { config, weight_nano: i64::try_from(weight_nano).unwrap_or(NANO) });
    }
    if out.is_empty() {
        return Err(
            section.fault("[agents] is empty: name at least one agent, [agents.momentum_trader] or [agents.rule]")
        );
    }
    Ok(out)
}

fn feed(section: &Section<'_>, data: &[DataPart]) -> Result<FeedId, Fault> {
    let at = match section.get("data") {
        Some(item) => feed_named(&item, item.text()?, data)?,
        None => 0,
    };
    Ok(FeedId(u16::try_from(at).unwrap_or_default()))
}

fn bars(section: &Section<'_>, key: &str, low: i64, high: i64, default: Option<u16>) -> Result<u16, Fault> {
    match (section.get(key), default) {
        (Some(item), _) => Ok(u16::try_from(item.integer(low..=high)?).unwrap_or(u16::MAX)),
        (None, Some(default)) => Ok(default),
        (None, None) => section.need(key).map(|_| 0),
    }
}

/// A number in hundredths that an integer keeps exactly.
fn hundredths(section: &Section<'_>, key: &str, most: u16, expected: &str, default: u16) -> Result<u16, Fault> {
    let Some(item) = section.get(key) else { return Ok(default) };
    let step = i128::from(NANO / 100);
    let nano = item.decimal(0..=i128::from(most) * step, expected)?;
    match u16::try_from(nano / step) {
        Ok(n) if nano % step == 0 => Ok(n),
        _ => Err(item.fault(format!("must be {expected}")).next("two decimals are the finest step")),
    }
}

/// What stands there unless it is `"off"`, which is 0.
fn unless_off(section: &Section<'_>, key: &str, read: impl FnOnce() -> Result<u16, Fault>) -> Result<u16, Fault> {
    if section.get(key).is_some_and(|item| item.is_off()) { Ok(0) } else { read() }
}

fn swing(section: &Section<'_>, default: u16) -> Result<u16, Fault> {
    let expected = "a number of average true ranges from 0.5 to 20";
    match (hundredths(section, "swing", 2_000, expected, default)?, section.get("swing")) {
        (0, Some(item)) => Err(item.fault(format!("must be {expected}"))),
        (n, _) => Ok(n),
    }
}

/// The fault of a parameter that is out of its range or does not fit another one.
fn misfit(section: &Section<'_>, (key, range): (&'static str, &'static str)) -> Fault {
    match section.get(key) {
        Some(item) => item.fault(format!("must be {range}")),
        None => section.fault(format!("'{key}' must be {range}")),
    }
}

fn momentum(section: &Section<'_>, data: &[DataPart]) -> Result<AgentConfig, Fault> {
    let section = section.clone().knows(&["fast", "slow", "rsi", "volatility", "swing", "weight", "data"])?;
    let d = MomentumParameters::default();
    let parameters = MomentumParameters {
        fast: bars(&section, "fast", 2, 250, Some(d.fast))?,
        slow: bars(&section, "slow", 3, 500, Some(d.slow))?,
        rsi: bars(&section, "rsi", 2, 100, Some(d.rsi))?,
        volatility: bars(&section, "volatility", 5, 500, Some(d.volatility))?,
        swing_pct: unless_off(&section, "swing", || swing(&section, d.swing_pct))?,
    };
    parameters.check().map_err(|e| misfit(&section, e))?;
    Ok(AgentConfig::Momentum { feed: feed(&section, data)?, parameters })
}

fn mean_reversion(section: &Section<'_>, data: &[DataPart]) -> Result<AgentConfig, Fault> {
    let section =
        section.clone().knows(&["window", "width", "exit", "hold", "trend", "extension", "swing", "weight", "data"])?;
    let d = MeanReversionParameters::default();
    let extension = || match section.get("extension") {
        None => Ok(d.extension_pm),
        Some(item) => {
            let words = [(1272, "127.2%"), (1414, "141.4%"), (1618, "161.8%"), (2618, "261.8%"), (0, "off")];
            item.one_of(&words)
        }
    };
    let parameters = MeanReversionParameters {
        window: bars(&section, "window", 5, 500, Some(d.window))?,
        width_pct: hundredths(&section, "width", 500, "a number of deviations from 0.5 to 5", d.width_pct)?,
        exit_pct: hundredths(&section, "exit", 400, "a number of deviations from 0 to 4", d.exit_pct)?,
        hold: bars(&section, "hold", 1, 1_000, Some(d.hold))?,
        trend: unless_off(&section, "trend", || bars(&section, "trend", 10, 1_000, Some(d.trend)))?,
        extension_pm: extension()?,
        swing_pct: swing(&section, d.swing_pct)?,
    };
    parameters.check().map_err(|e| misfit(&section, e))?;
    Ok(AgentConfig::MeanReversion { feed: feed(&section, data)?, parameters })
}

fn long_term(section: &Section<'_>, data: &[DataPart]) -> Result<AgentConfig, Fault> {
    let section = section.clone().knows(&[
        "momentum",
        "skip",
        "volatility",
        "reversal",
        "rebalance",
        "band",
        "momentum_weight",
        "low_volatility_weight",
        "reversal_weight",
        "weight",
        "data",
    ])?;
    let weights = ["momentum_weight", "low_volatility_weight", "reversal_weight"];
    let d = LongTermParameters::default();
    let mut weights_pct = d.weights_pct;
    for (key, to) in weights.into_iter().zip(&mut weights_pct) {
        *to = hundredths(&section, key, 1_000, "a number from 0 to 10", *to)?;
    }
    let band = |item: Item<'_>| {
        let expected = "a share of a full opinion from \"0%\" to \"100%\" in whole per cent";
        let nano = item.share(0..=NANO, expected)?;
        let exact = nano % (NANO / 100) == 0;
        let pct = u16::try_from(nano / (NANO / 100)).ok().filter(|_| exact);
        pct.ok_or_else(|| item.fault(format!("must be {expected}")))
    };
    let parameters = LongTermParameters {
        momentum: bars(&section, "momentum", 2, 1_000, Some(d.momentum))?,
        skip: bars(&section, "skip", 0, 250, Some(d.skip))?,
        volatility: bars(&section, "volatility", 5, 1_000, Some(d.volatility))?,
        reversal: bars(&section, "reversal", 1, 250, Some(d.reversal))?,
        rebalance: bars(&section, "rebalance", 1, 1_000, Some(d.rebalance))?,
        band_pct: section.get("band").map_or(Ok(d.band_pct), band)?,
        weights_pct,
    };
    parameters.check().map_err(|e| misfit(&section, e))?;
    Ok(AgentConfig::LongTerm { feed: feed(&section, data)?, parameters })
}

/// An agent of the program's own: its keys are numbers with ranges.
fn own_agent(section: &Section<'_>, data: &[DataPart], agent: &OwnAgent, place: usize) -> Result<AgentConfig, Fault> {
    let known: Vec<&str> = agent.keys.iter().map(|k| k.name).chain(["weight", "data"]).collect();
    let section = section.clone().knows(&known)?;
    let value = |k: &Key| match section.get(k.name) {
        None => Ok(k.default),
        Some(item) if k.whole => Ok(item.integer(k.least as i64..=k.most as i64)? as f64),
        Some(item) => {
            let nano = |x: f64| (x * 1e9).round() as i128;
            let expected = format!("a number from {} to {}", k.least, k.most);
            Ok(item.decimal(nano(k.least)..=nano(k.most), &expected)? as f64 / 1e9)
        }
    };
    let values = agent.keys.iter().map(value).collect::<Result<_, Fault>>()?;
    let own = OwnConfig::new(place, *agent, feed(&section, data)?, values);
    // Made once here so that the place of a misfit is known; the engine makes it again for its universe.
    own.build(0).map_err(|e| match &e {
        BuildError::Own { misfit, .. } => match section.get(&misfit.key) {
            Some(item) => item.fault(format!("must be {}", misfit.expected)),
            None => section.fault(e.to_string()),
        },
        _ => section.fault(e.to_string()),
    })?;
    Ok(AgentConfig::Own(own))
}

fn rule(item: &Item<'_>, data: &[DataPart]) -> Result<AgentConfig, Fault> {
    let section = item.section()?.knows(&["long", "short", "exit", "features", "weight", "data"])?;
    let feed = feed(&section, data)?;
    let text = |key| section.get(key).map(|i| i.text().map(str::to_owned)).transpose();
    let mut spec = RuleSpec { features: vec![], long: text("long")?, short: text("short")?, exit: text("exit")? };
    for (key, feature) in section.need("features")?.section()?.entries() {
        let name = key.get_ref().as_ref();
        let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || ["and", "or", "not"].contains(&name) {
            return Err(feature.fault("must be a name of letters, digits and '_' that is not and, or, not"));
        }
        let spec_of = FeatureSpec { kind: kind(&feature.section()?)?, feed };
        spec.features.push((name.to_owned(), spec_of));
    }
    if spec.features.len() > 64 {
        return Err(item.fault("has more than 64 features"));
    }
    // Compiled once here so that the place is known; the engine compiles it again for its universe.
    Rule::new(AgentId(0), 0, &spec).map_err(|e| {
        let key = match &e {
            tradegraph_agents::RuleError::Condition { key, .. } => section.get(key),
            tradegraph_agents::RuleError::Empty => None,
        };
        key.unwrap_or_else(|| item.clone()).fault(format!("cannot run: {e}"))
    })?;
    Ok(AgentConfig::Rule(spec))
}

#[derive(Clone, Copy)]
enum Kind {
    Close,
    Ema,
    Sma,
    Rsi,
    Macd,
    Momentum,
    RealisedVol,
}

fn kind(section: &Section<'_>) -> Result<FeatureKind, Fault> {
    let kinds = [
        (Kind::Close, "close"),
        (Kind::Ema, "ema"),
        (Kind::Sma, "sma"),
        (Kind::Rsi, "rsi"),
        (Kind::Macd, "macd"),
        (Kind::Momentum, "momentum"),
        (Kind::RealisedVol, "realised_vol"),
    ];
    let item = section.need("kind")?;
    let Some((kind, _)) = kinds.iter().find(|(_, name)| item.text().is_ok_and(|t| t == *name)) else {
        return indicator(section, &item);
    };
    let known: &[&str] = match kind {
        Kind::Close => &["kind"],
        Kind::Ema => &["kind", "n", "seed"],
        Kind::Macd => &["kind", "fast", "slow", "signal", "seed", "line"],
        Kind::Momentum => &["kind", "n", "skip"],
        _ => &["kind", "n"],
    };
    let section = section.clone().knows(known)?;
    let n = |low| bars(&section, "n", low, MAX_BARS, None);
    let seed = || match section.get("seed") {
        Some(seed) => seed.one_of(&[(EmaSeed::Sma, "sma"), (EmaSeed::First, "first")]),
        None => Ok(EmaSeed::Sma),
    };
    Ok(match kind {
        Kind::Close => FeatureKind::Close,
        Kind::Ema => FeatureKind::Ema { n: n(1)?, seed: seed()? },
        Kind::Sma => FeatureKind::Sma { n: n(1)? },
        Kind::Rsi => FeatureKind::Rsi { n: n(2)? },
        Kind::Momentum => {
            let (n, skip) = (n(1)?, bars(&section, "skip", 0, MAX_BARS, Some(0))?);
            if skip >= n {
                return Err(section.fault(format!("a momentum needs skip ({skip}) below n ({n})")));
            }
            FeatureKind::Momentum { n, skip }
        }
        Kind::RealisedVol => FeatureKind::RealisedVol { n: n(2)? },
        Kind::Macd => {
            let fast = bars(&section, "fast", 1, MAX_BARS, Some(12))?;
            let slow = bars(&section, "slow", 2, MAX_BARS, Some(26))?;
            if slow <= fast {
                return Err(section.fault(format!("a macd needs slow ({slow}) above fast ({fast})")));
            }
            let lines = [(MacdLine::Macd, "macd"), (MacdLine::Signal, "signal"), (MacdLine::Histogram, "histogram")];
            FeatureKind::Macd {
                fast,
                slow,
                signal: bars(&section, "signal", 1, MAX_BARS, Some(9))?,
                seed: seed()?,
                line: section.get("line").map_or(Ok(MacdLine::Histogram), |l| l.one_of(&lines))?,
            }
        }
    })
}

/// Any indicator of the library by its name: parameters by theirs, each with its usual value.
fn indicator(section: &Section<'_>, kind: &Item<'_>) -> Result<FeatureKind, Fault> {
    let name = kind.text()?;
    let Some(found) = Indicator::find(name) else {
        let near = nearest(name, INDICATORS.iter().map(|i| i.name).chain(["close"]));
        let near = near.map(|n| format!("; nearest: \"{n}\"")).unwrap_or_default();
        return Err(kind
            .fault(format!("is no indicator: '{name}'"))
            .next(format!("docs/indicators.md lists them{near}")));
    };
    let mut known = vec!["kind", "line"];
    known.extend(found.parameters.iter().map(|p| p.name));
    let section = section.clone().knows(&known)?;
    let mut parameters = Vec::new();
    for p in found.parameters {
        parameters.push(match section.get(p.name) {
            None => p.default,
            Some(item) if p.whole => item.integer(p.least as i64..=p.most as i64)? as f64,
            Some(item) => {
                let nano = |x: f64| (x * 1e9) as i128;
                let expected = format!("a number from {} to {}", p.least, p.most);
                item.decimal(nano(p.least)..=nano(p.most), &expected)? as f64 / 1e9
            }
        });
    }
    let lines: Vec<&str> = found.lines.iter().map(|l| l.name).collect();
    let line = match section.get("line") {
        Some(item) if lines.contains(&item.text()?) => item.text()?.to_owned(),
        Some(item) => return Err(item.fault(format!("is no line of {name}: it has {}", lines.join(", ")))),
        None => lines.first().map(|l| (*l).to_owned()).unwrap_or_default(),
    };
    let spec = IndicatorSpec::new(name, &parameters, &line).map_err(|e| section.fault(e.to_string()))?;
    Ok(FeatureKind::Indicator(spec))
}
