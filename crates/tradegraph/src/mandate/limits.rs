//! `[limits]` and `[breakers]` of a mandate.

use super::cap;
use super::fault::Fault;
use super::reader::Section;
use tradegraph_controls::{
    Action, Breaker, Breakers, Groups, Limits, MAX_ANSWERS, MAX_BARS, SessionRule, Windows, Within,
};
use tradegraph_domain::{Bps, NANO, Nanos, Quantity};
use tradegraph_execution::Frictions;

/// Orders of one period at most that can be asked for: a window keeps no more.
const MAX_ORDERS: i64 = 65_536;

/// The gate's limits. What needs the universe (sectors, venues, calendars, located units) comes later.
pub(super) fn limits(section: Option<Section<'_>>, allow_short: bool, frictions: &Frictions) -> Result<Limits, Fault> {
    // The collar is on unless the mandate takes it off: an order far from the last price is mostly a mistake.
    let mut limits = Limits {
        allow_short,
        collar: Some(Bps::from_units(500)),
        commission: frictions.commission,
        half_spread: frictions.half_spread,
        ..Limits::default()
    };
    let Some(section) = section else { return Ok(limits) };
    let known = [
        "order_quantity",
        "order_notional",
        "open_orders",
        "position",
        "gross",
        "net",
        "leverage",
        "sector",
        "currency",
        "venue",
        "collar",
        "price_age",
        "session",
        "locate",
        "orders",
        "orders_per",
        "turnover",
        "turnover_per",
        "duplicates",
        "duplicates_per",
    ];
    let section = section.knows(&known)?;
    let amount = |key| match section.get(key) {
        Some(item) if !item.is_off() => item.decimal(1..=10_i128.pow(30), "an amount above 0, or \"off\"").map(Some),
        _ => Ok(None),
    };
    limits.order_quantity = amount("order_quantity")?.map(Quantity::from_nano);
    limits.order_notional_nano = amount("order_notional")?;
    if let Some(item) = section.get("open_orders") {
        let count = if item.is_off() { None } else { Some(item.integer(1..=1_000_000)?) };
        limits.open_orders = count.and_then(|c| u32::try_from(c).ok());
    }
    limits.position_nano_nav = cap(&section, "position")?;
    limits.gross_nano_nav = cap(&section, "gross")?;
    limits.net_nano_nav = cap(&section, "net")?;
    limits.leverage_nano_nav = cap(&section, "leverage")?;
    for (key, groups) in
        [("sector", &mut limits.sector), ("currency", &mut limits.currency), ("venue", &mut limits.venue)]
    {
        *groups = Groups { nano_nav: cap(&section, key)?, ..Groups::default() };
    }
    if let Some(item) = section.get("collar") {
        let expected = "a share of the price such as \"5%\", above 0, up to \"100%\", or \"off\"";
        let share = if item.is_off() { None } else { Some(item.share(1..=NANO, expected)?) };
        limits.collar = share.map(Bps::from_nano_fraction);
    }
    if let Some(item) = section.get("price_age").filter(|i| !i.is_off()) {
        limits.price_age = Some(item.duration()?);
    }
    if let Some(item) = section.get("session") {
        limits.session = item.one_of(&SESSIONS)?;
    }
    if section.get("locate").map(|b| b.boolean()).transpose()? == Some(true) {
        limits.locate = Some(Vec::new());
    }
    limits.windows = windows(&section)?;
    Ok(limits)
}

/// Which orders pass while their market is shut.
pub(super) const SESSIONS: [(SessionRule, &str); 3] =
    [(SessionRule::Off, "off"), (SessionRule::Waiting, "waiting"), (SessionRule::OpenOnly, "open")];

fn windows(section: &Section<'_>) -> Result<Windows, Fault> {
    let per = |limit: &str, key: &str, usual: Nanos| match section.get(key) {
        Some(item) if section.get(limit).is_none_or(|l| l.is_off()) => {
            Err(item.fault(format!("is the period of `{limit}`, which is not set")))
        }
        Some(item) => item.duration(),
        None => Ok(usual),
    };
    let count = |key: &str| match section.get(key) {
        Some(item) if !item.is_off() => Ok(Some(u32::try_from(item.integer(1..=MAX_ORDERS)?).unwrap_or(u32::MAX))),
        _ => Ok(None),
    };
    let turnover = match section.get("turnover") {
        Some(item) if !item.is_off() => Some(item.decimal(1..=10_i128.pow(30), "an amount above 0, or \"off\"")?),
        _ => None,
    };
    let orders_per = per("orders", "orders_per", Nanos::DAY)?;
    let turnover_per = per("turnover", "turnover_per", Nanos::DAY)?;
    let duplicates_per = per("duplicates", "duplicates_per", Nanos::MINUTE)?;
    Ok(Windows {
        orders: count("orders")?.map(|most| Within { most, per: orders_per }),
        notional_nano: turnover.map(|most| Within { most, per: turnover_per }),
        duplicates: count("duplicates")?.map(|most| Within { most, per: duplicates_per }),
    })
}

/// The breakers. The calendars of the feeds come later.
pub(super) fn breakers(section: Option<Section<'_>>) -> Result<Breakers, Fault> {
    let Some(section) = section else { return Ok(Breakers::default()) };
    let known = [
        "daily_loss",
        "daily_loss_action",
        "daily_loss_resets",
        "drawdown",
        "drawdown_action",
        "volatility",
        "volatility_bars",
        "volatility_action",
        "stale_bars",
        "stale_bars_action",
        "rejects",
        "rejects_of",
        "rejects_action",
    ];
    let section = section.knows(&known)?;
    let is_on = |key: &str| section.get(key).is_some_and(|i| !i.is_off());
    // What belongs to a breaker that is off would be believed to do something.
    for (breaker, keys) in [
        ("daily_loss", &["daily_loss_action", "daily_loss_resets"][..]),
        ("drawdown", &["drawdown_action"]),
        ("volatility", &["volatility_action", "volatility_bars"]),
        ("stale_bars", &["stale_bars_action"]),
        ("rejects", &["rejects_action", "rejects_of"]),
    ] {
        if let Some(item) = keys.iter().find_map(|key| section.get(key)).filter(|_| !is_on(breaker)) {
            return Err(item.fault(format!("belongs to `{breaker}`, which is not set")));
        }
    }
    let action = |key: &str| section.get(key).map_or(Ok(Action::default()), |i| i.one_of(&Action::ALL));
    let share = |key: &str, action_key: &str| -> Result<Option<Breaker<i64>>, Fault> {
        let expected = "a share such as \"5%\", above 0, up to \"100%\", or \"off\"";
        match section.get(key) {
            Some(item) if !item.is_off() => {
                Ok(Some(Breaker { most: item.share(1..=NANO, expected)?, action: action(action_key)? }))
            }
            _ => Ok(None),
        }
    };
    let whole = |key: &str, usual: i64, range: std::ops::RangeInclusive<i64>| {
        section.get(key).map_or(Ok(usual), |item| item.integer(range))
    };
    let stale_bars = match section.get("stale_bars") {
        Some(item) if !item.is_off() => {
            let most = u32::try_from(item.integer(1..=10_000)?).unwrap_or(u32::MAX);
            Some(Breaker { most, action: action("stale_bars_action")? })
        }
        _ => None,
    };
    let rejects_of = whole("rejects_of", 20, 1..=i64::from(MAX_ANSWERS))?;
    let rejects = match section.get("rejects") {
        Some(item) if !item.is_off() => {
            let most = item.integer(0..=rejects_of.saturating_sub(1))?;
            Some(Breaker { most: u8::try_from(most).unwrap_or(u8::MAX), action: action("rejects_action")? })
        }
        _ => None,
    };
    Ok(Breakers {
        daily_loss: share("daily_loss", "daily_loss_action")?,
        daily_loss_resets: section.get("daily_loss_resets").map_or(Ok(false), |b| b.boolean())?,
        drawdown: share("drawdown", "drawdown_action")?,
        volatility: share("volatility", "volatility_action")?,
        volatility_bars: u16::try_from(whole("volatility_bars", 20, 1..=i64::from(MAX_BARS))?).unwrap_or(MAX_BARS),
        stale_bars,
        calendars: Vec::new(),
        rejects,
        rejects_of: u8::try_from(rejects_of).unwrap_or(MAX_ANSWERS),
    })
}
