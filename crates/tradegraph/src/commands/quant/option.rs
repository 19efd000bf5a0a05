//! `tradegraph quant option`: one option, from a volatility to its price and Greeks, or from a price to its volatility.

use super::{share, shown};
use crate::cli::Context;
use crate::failure::{Failure, Kind};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Map, Value, json};
use tradegraph_quant::options::{
    American, AmericanScheme, Bachelier, European, Right, implied_normal_vol, implied_vol,
};

/// What can be typed behind `quant option`.
#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("known").required(true))]
pub struct Arguments {
    /// `call` or `put`
    #[arg(value_parser = ["call", "put"])]
    right: String,
    /// Price of the underlying; of the future with black76 and bachelier
    #[arg(long, value_name = "PRICE", allow_hyphen_values = true)]
    spot: f64,
    /// Strike
    #[arg(long, value_name = "PRICE", allow_hyphen_values = true)]
    strike: f64,
    /// Time to expiry in days of a year of 365
    #[arg(long, value_name = "DAYS", conflicts_with = "years", required_unless_present = "years")]
    days: Option<f64>,
    /// Time to expiry in years
    #[arg(long, value_name = "YEARS")]
    years: Option<f64>,
    /// Rate of a year, continuous
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = share, allow_hyphen_values = true)]
    rate: f64,
    /// Dividend yield of a year, continuous (or the foreign rate of a currency)
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = share, allow_hyphen_values = true)]
    dividend: f64,
    /// Volatility of a year; in units of the price with bachelier, as 2.5
    #[arg(long, value_name = "SHARE", group = "known")]
    volatility: Option<String>,
    /// The premium, to find the volatility
    #[arg(long, value_name = "PRICE", group = "known")]
    premium: Option<f64>,
    /// Formula
    #[arg(long, default_value = "bsm", value_parser = ["bsm", "black76", "bachelier"])]
    model: String,
    /// It can be exercised at any time
    #[arg(long, conflicts_with = "premium")]
    american: bool,
}

/// Runs the command.
pub fn run(context: &Context, a: &Arguments) -> Result<(), Failure> {
    let usage = |what: &str| Failure::new(Kind::Usage, what.to_owned());
    let years = a.years.or(a.days.map(|d| d / 365.0)).unwrap_or_default();
    if !(0.0..=1000.0).contains(&years) {
        return Err(usage("the time to expiry is from 0 to 1000 years"));
    }
    if a.american && a.model == "bachelier" {
        return Err(usage("bachelier prices European options only"));
    }
    let right = if a.right == "call" { Right::Call } else { Right::Put };
    let volatility = match &a.volatility {
        None => None,
        Some(text) if a.model == "bachelier" => Some(
            text.parse::<f64>().map_err(|_| usage("--volatility is in units of the price, as 2.5, with bachelier"))?,
        ),
        Some(text) => Some(share(text).map_err(|e| usage(&format!("--volatility '{text}': {e}")))?),
    };
    // What discounts the premium, and the forward price that it is about.
    let bond = (-a.rate * years).exp();
    let forward = if a.model == "bsm" { a.spot * ((a.rate - a.dividend) * years).exp() } else { a.spot };
    let (volatility, given) = match (volatility, a.premium) {
        (Some(v), _) => (v, None),
        (None, Some(premium)) => {
            let found = match a.model.as_str() {
                "bachelier" => implied_normal_vol(right, premium / bond, forward, a.strike, years),
                _ => implied_vol(right, premium / bond, forward, a.strike, years),
            };
            if found.is_nan() {
                let intrinsic = right.payoff(forward, a.strike) * bond;
                let most = if right == Right::Call { forward * bond } else { a.strike * bond };
                let what = format!(
                    "no volatility gives a premium of {premium}: it must be from {} to below {}",
                    shown(intrinsic),
                    shown(most)
                );
                return Err(Failure::new(Kind::Input, what).next("look at the side, the rate and the time"));
            }
            (found, Some(premium))
        }
        (None, None) => return Err(usage("--volatility or --premium is needed")),
    };
    let mut rows: Vec<(&str, &str, f64)> = Vec::new();
    if given.is_some() {
        rows.push(("volatility", "implied, of a year", volatility));
    }
    if a.model == "bachelier" {
        let g = Bachelier { right, forward, strike: a.strike, years, vol: volatility }.greeks();
        rows.extend([
            ("price", "discounted", g.price * bond),
            ("delta", "by the forward", g.delta * bond),
            ("gamma", "of the delta by the forward", g.gamma * bond),
            ("vega", "by the volatility, per 1.00 of the price", g.vega * bond),
        ]);
    } else {
        let carry = if a.model == "bsm" { a.rate - a.dividend } else { 0.0 };
        let option =
            European { right, underlying: a.spot, strike: a.strike, years, rate: a.rate, carry, vol: volatility };
        if a.american {
            let price = |spot: f64, vol: f64| {
                American { right, underlying: spot, strike: a.strike, years, rate: a.rate, carry, vol }
                    .price(&AmericanScheme::accurate())
            };
            let (h, dv) = (a.spot * 1e-3, 1e-4);
            let [mid, up, down] = [0.0, h, -h].map(|x| price(a.spot + x, volatility));
            rows.extend([
                ("price", "", mid),
                ("european", "without the right to exercise early", option.price()),
                ("delta", "by the underlying (difference over 0.1 %)", (up - down) / (2.0 * h)),
                ("gamma", "of the delta", (up - 2.0 * mid + down) / (h * h)),
                (
                    "vega",
                    "per 1.00 of volatility",
                    (price(a.spot, volatility + dv) - price(a.spot, volatility - dv)) / (2.0 * dv),
                ),
            ]);
        } else {
            let g = option.greeks();
            rows.extend([
                ("price", "", g.price),
                ("delta", "by the underlying", g.delta),
                ("gamma", "of the delta by the underlying", g.gamma),
                ("vega", "per 1.00 of volatility", g.vega),
                ("theta", "per year that passes", g.theta),
                ("theta/day", "per day that passes", g.theta / 365.0),
                ("rho", "per 1.00 of the rate", if a.model == "bsm" { g.rho } else { g.discount_rho }),
                ("vanna", "of the delta by the volatility", g.vanna),
                ("volga", "of the vega by the volatility", g.volga),
                ("charm", "of the delta per year that passes", g.charm),
                ("speed", "of the gamma by the underlying", g.speed),
                ("zomma", "of the gamma by the volatility", g.zomma),
                ("color", "of the gamma per year that passes", g.color),
            ]);
        }
    }
    if rows.iter().any(|(_, _, x)| x.is_nan()) {
        return Err(Failure::new(
            Kind::Input,
            "these numbers make no option: prices must be above 0, volatility and time 0 or more",
        ));
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    for (name, what, x) in &rows {
        table.add_row([(*name).to_owned(), shown(*x), (*what).to_owned()]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let style = if a.american { "American" } else { "European" };
    context.out.say(&format!("{style} {} by {}, forward {}, {} years", a.right, a.model, shown(forward), shown(years)));
    context.out.say(&table.to_string());
    let mut value: Map<String, Value> = rows.iter().map(|(name, _, x)| ((*name).to_owned(), json!(x))).collect();
    value.insert("volatility".to_owned(), json!(volatility));
    value.insert("forward".to_owned(), json!(forward));
    value.insert("years".to_owned(), json!(years));
    context.out.result(&Value::Object(value));
    Ok(())
}
