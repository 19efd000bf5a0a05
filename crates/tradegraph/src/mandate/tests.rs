//! Every example of the documentation is read; every kind of mistake is named with its place.

use super::*;
use clap::ValueEnum;
use tradegraph_agents::{LongTermParameters, MeanReversionParameters, MomentumParameters};
use tradegraph_domain::FeedId;
use tradegraph_engine::AgentConfig;

const DOCS: &str = include_str!("../../../../docs/mandate.md");

/// A mandate that is right, with one piece of it replaced.
fn with(from: &str, to: &str) -> Result<Mandate, Failure> {
    let good = "name = \"x\"\n[account]\ncash = \"1000\"\n[[data]]\nsource = \"sample:us20\"\n[agents.rule]\nlong = \"c > 1\"\nfeatures.c = { kind = \"close\" }\n[allocator]\nkind = \"direct\"\nquantity = \"1\"\n";
    assert!(good.contains(from), "{from}");
    Ok(Mandate::parse("m.toml", &good.replace(from, to))?)
}

fn check(from: &str, to: &str, expected: &str) {
    let failure = with(from, to).expect_err(to);
    let whole = format!("{} | {}", failure.what, failure.next.unwrap_or_default());
    assert_eq!(failure.kind, Kind::Input);
    assert!(whole.starts_with("m.toml:"), "{whole}");
    assert!(whole.contains(expected), "\n{to}\n gave {whole}\n not  {expected}");
}

#[test]
fn mistakes_are_named_with_their_place() {
    with("name", "name").unwrap();
    for (from, to, expected) in [
        ("[account]", "[acount]", "m.toml:2:2: unknown key 'acount' in a mandate; the nearest known key is 'account'"),
        ("cash", "csah", "m.toml:3:1: unknown key 'account.csah' in [account]; the nearest known key is 'cash'"),
        ("quantity = ", "quantety = ", "the nearest known key is 'quantity'"),
        (
            "quantity = ",
            "zzzzzzzzzzzz = ",
            "unknown key 'allocator.zzzzzzzzzzzz' in [allocator] | [allocator] knows: kind",
        ),
        ("[agents.rule]", "[agents.rul]", "the nearest known key is 'rule'"),
        ("[agents.rule]", "[agents.options_trader]\n[agents.rule]", "does not exist yet"),
        ("[agents.rule]", "[agents.momentum_trader]\nswing = 0.4\n[agents.rule]", "must be 0.5 to 20, or off"),
        (
            "[agents.rule]",
            "[agents.momentum_trader]\nswing = 0\n[agents.rule]",
            "a number of average true ranges from 0.5",
        ),
        ("[agents.rule]", "[agents.momentum_trader]\nswing = 2.505\n[agents.rule]", "two decimals are the finest step"),
        (
            "[agents.rule]",
            "[agents.mean_reversion_trader]\nwindows = 3\n[agents.rule]",
            "the nearest known key is 'window'",
        ),
        ("[agents.rule]", "[agents.mean_reversion_trader]\nexit = 2\n[agents.rule]", "must be below `width`"),
        ("[agents.rule]", "[agents.mean_reversion_trader]\nwidth = 5.01\n[agents.rule]", "deviations from 0.5 to 5"),
        ("[agents.rule]", "[agents.mean_reversion_trader]\nextension = \"161%\"\n[agents.rule]", "nearest: \"161.8%\""),
        ("[agents.rule]", "[agents.mean_reversion_trader]\nswing = \"off\"\n[agents.rule]", "a number of average true"),
        ("[agents.rule]", "[agents.mean_reversion_trader]\ntrend = 0\n[agents.rule]", "a whole number from 10 to 1000"),
        (
            "[agents.rule]",
            "[agents.long_term_investor]\nmomentum = 20\n[agents.rule]",
            "'skip' must be below `momentum`",
        ),
        ("[agents.rule]", "[agents.long_term_investor]\nband = 0.1\n[agents.rule]", "give the unit"),
        ("[agents.rule]", "[agents.long_term_investor]\nband = \"1.5%\"\n[agents.rule]", "in whole per cent"),
        (
            "[agents.rule]",
            "[agents.long_term_investor]\nmomentum_weight = 0\nlow_volatility_weight = 0\nreversal_weight = 0\n[agents.rule]",
            "must be above 0 if the other two are 0",
        ),
        ("kind = \"close\"", "kind = \"close\", n = 3", "unknown key 'agents.rule.features.c.n'"),
        ("kind = \"close\"", "kind = \"emma\"", "nearest: \"ema\""),
        ("kind = \"close\"", "kind = \"ema\"", "'agents.rule.features.c.n' is missing"),
        ("kind = \"close\"", "kind = \"ema\", n = 0", "a whole number from 1 to 10000, found 0"),
        ("kind = \"close\"", "kind = \"macd\", fast = 30", "a macd needs slow (26) above fast (30)"),
        ("c > 1", "d > 1", "'d' at character 1 is no feature of this agent; it has c"),
        ("c > 1", "c >", "was expected at character 4"),
        ("long", "exit", "a rule needs `long` or `short`"),
        ("cash = \"1000\"", "cash = \"ten\"", "'account.cash' must be an amount above 0, up to 1e21, found \"ten\""),
        ("cash = \"1000\"", "cash = 0", "found 0"),
        ("cash = \"1000\"", "cash = \"0.0000000001\"", "nine decimals are the finest step"),
        ("cash = \"1000\"", "cash = true", "found true"),
        ("cash = \"1000\"", "cash = \"1e40\"", "an amount above 0"),
        ("cash = \"1000\"", "cash = nan", "an amount above 0"),
        ("cash = \"1000\"", "cash = \"1\"\ncurrency = \"usd\"", "a currency code"),
        ("cash = \"1000\"", "cash = \"1\"\nsettlement = \"T+9\"", "one of \"immediate\""),
        ("cash = \"1000\"", "cash = \"1\"\nkind = \"margn\"", "nearest: \"margin\""),
        ("cash = \"1000\"", "cash = \"1\"\nkind = \"cash\"", "needs `settlement`"),
        ("cash = \"1000\"", "cash = \"1\"\nkind = \"margin\"\ncurrency = \"EUR\"", "the account must be in USD"),
        ("[agents.rule]", "[limits]\nnett = \"50%\"\n[agents.rule]", "the nearest known key is 'net'"),
        ("[agents.rule]", "[limits]\nnet = 0.5\n[agents.rule]", "give the unit"),
        ("[agents.rule]", "[limits]\nsession = \"shut\"\n[agents.rule]", "one of \"off\", \"waiting\", \"open\""),
        ("[agents.rule]", "[limits]\norders = 0\n[agents.rule]", "from 1 to 65536, found 0"),
        (
            "[agents.rule]",
            "[limits]\norders_per = \"1h\"\n[agents.rule]",
            "is the period of `orders`, which is not set",
        ),
        ("[agents.rule]", "[limits]\nduplicates = \"off\"\nduplicates_per = \"1h\"\n[agents.rule]", "which is not set"),
        ("[agents.rule]", "[limits]\nprice_age = \"5\"\n[agents.rule]", "a length of time such as"),
        ("[agents.rule]", "[breakers]\ndaily_lost = \"5%\"\n[agents.rule]", "the nearest known key is 'daily_loss'"),
        ("[agents.rule]", "[breakers]\ndrawdown = \"0%\"\n[agents.rule]", "a share such as \"5%\", above 0"),
        (
            "[agents.rule]",
            "[breakers]\ndrawdown_action = \"halt\"\n[agents.rule]",
            "belongs to `drawdown`, which is not set",
        ),
        (
            "[agents.rule]",
            "[breakers]\ndrawdown = \"5%\"\ndrawdown_action = \"stop\"\n[agents.rule]",
            "one of \"reduce-only\", \"halt\"",
        ),
        ("[agents.rule]", "[breakers]\nrejects = 20\n[agents.rule]", "from 0 to 19, found 20"),
        (
            "[agents.rule]",
            "[breakers]\nvolatility = \"5%\"\nvolatility_bars = 0\n[agents.rule]",
            "from 1 to 10000, found 0",
        ),
        ("[agents.rule]", "[instruments]\nlocate = -1\n[agents.rule]", "units of 0 or more"),
        ("quantity = \"1\"", "quantity = \"1\"\nallow_short = true\n[account.x]", "unknown key 'account.x'"),
        ("sample:us20", "sample:us2", "nearest: 'sample:us20'"),
        ("source = \"sample:us20\"", "path = \"x.csv\"", "needs `calendar = \"XNYS\"` or \"24/7\""),
        ("source = \"sample:us20\"", "source = \"sample:us20\"\npath = \"x\"", "exclude each other"),
        ("source = \"sample:us20\"", "calendar = \"XNYS\"", "needs `source"),
        ("sample:us20\"", "sample:us20\"\ncalendar = \"XNYZ\"", "nearest: \"XNYS\""),
        ("sample:us20\"", "sample:us20\"\nfrom = \"2020-02-30\"", "a date such as"),
        ("sample:us20\"", "sample:us20\"\nfrom = \"2020-01-02\"\nto = \"2020-01-01\"", "is before `from`"),
        ("sample:us20\"", "sample:us20\"\nsymbols = []", "is empty"),
        ("sample:us20\"", "sample:us20\"\nsymbols = \"AAPL\"", "must be a list"),
        ("sample:us20\"", "sample:us20\"\nperiod = \"1x\"", "a length of time"),
        ("sample:us20\"", "sample:us20\"\n[[data]]\nsource = \"sample:us20\"", "two entries called 'us20'"),
        ("[[data]]", "[data]", "'data' must be a list"),
        ("quantity = \"1\"", "weight = \"0.1\"", "give the unit"),
        ("quantity = \"1\"", "weight = \"-1%\"", "'allocator.weight' must be a share"),
        ("quantity = \"1\"", "weight = \"1%\"\nquantity = 1", "exclude each other"),
        ("quantity = \"1\"", "", "needs `quantity"),
        ("quantity = \"1\"", "quantity = 1\nband = \"1%\"", "unknown key 'allocator.band'"),
        ("quantity = \"1\"", "quantity = 1\nallow_short = 1", "must be true or false"),
        ("quantity = \"1\"", "quantity = 1\n[compute]\nbudget = \"1ms\"", "'compute' needs a council"),
        ("quantity = \"1\"", "quantity = 1\n[compute]\nbudget = \"1 day\"", "work such as"),
        ("quantity = \"1\"", "quantity = 1\n[compute]\nbudget = \"0ns\"", "found \"0ns\""),
        ("quantity = \"1\"", "quantity = 1\n[compute.rule]\ncost = \"5ns\"", "'compute.budget' is missing"),
        (
            "quantity = \"1\"",
            "quantity = 1\n[compute]\nbudget = \"1ms\"\n[compute.rule]\npriority = 101",
            "from -100 to 100",
        ),
        (
            "quantity = \"1\"",
            "quantity = 1\n[compute]\nbudget = \"1ms\"\n[compute.momentum_trader]",
            "unknown key 'compute.momentum_trader'",
        ),
        ("quantity = \"1\"", "quantity = 1\n[schedule]\non = \"noon\"", "\"close XNYS\""),
        ("quantity = \"1\"", "quantity = 1\n[schedule]\non = \"bars us4\"", "the entries are: us20"),
        ("quantity = \"1\"", "quantity = 1\n[schedule]\nevery = \"0h\"", "a length of time"),
        ("quantity = \"1\"", "quantity = 1\n[costs]\ncommission = \"60%\"", "from 0 to \"50%\""),
        ("quantity = \"1\"", "quantity = 1\n[costs]\nbroker = \"ibkr-fixd\"", "nearest: \"ibkr-fixed\""),
        (
            "quantity = \"1\"",
            "quantity = 1\n[costs]\nbroker = \"alpaca\"\nminimum = 1",
            "'costs.minimum' and `broker` exclude each other",
        ),
        ("quantity = \"1\"", "quantity = 1\n[costs]\nimpact = 11", "a factor above 0, up to 10"),
        ("quantity = \"1\"", "quantity = 1\n[financing]\nborow = \"1%\"", "nearest known key is 'borrow'"),
        ("quantity = \"1\"", "quantity = 1\n[financing]\nborrow = \"-1%\"", "a yearly rate"),
        ("quantity = \"1\"", "quantity = 1\n[financing]\nborrow_of = { AAPL = 1 }", "give the unit"),
        ("quantity = \"1\"", "quantity = 1\n[financing]\nmargin_spread = \"1%\"", "`benchmark`, which is missing"),
        ("quantity = \"1\"", "quantity = 1\n[financing]\nbenchmark = { 2020-01-01 = \"1%\" }", "is used by nothing"),
        (
            "quantity = \"1\"",
            "quantity = 1\n[financing]\ncash_spread = \"1%\"\nbenchmark = { soon = \"1%\" }",
            "a date as its key",
        ),
        (
            "quantity = \"1\"",
            "quantity = 1\n[financing]\nmargin = \"1%\"\nmargin_spread = \"1%\"",
            "exclude each other",
        ),
        ("quantity = \"1\"", "quantity = 1\n[exits]\nstop_loss = \"95%\"", "a share of the average cost"),
        ("quantity = \"1\"", "quantity = 1\n[exits]\ncooldown = \"1d\"", "'exits.stop_loss' is missing"),
        ("quantity = \"1\"", "quantity = 1\n[limits]\ncollar = \"0%\"", "above 0"),
        ("quantity = \"1\"", "quantity = 1\n[limits]\nopen_orders = 1.5", "a whole number"),
        ("quantity = \"1\"", "quantity = 1\n[risk]\nmax_postion = \"1%\"", "'max_position'"),
        ("quantity = \"1\"", "quantity = 1\n[record]\nlevel = \"all\"", "one of \"reasons\""),
        ("quantity = \"1\"", "quantity = 1\n[instruments]\nlott = 1", "nearest known key is 'lot'"),
        ("quantity = \"1\"", "quantity = 1\n[instruments.AAPL]\nlot = 0", "a quantity above 0"),
        ("quantity = \"1\"", "quantity = 1\nquantity = 2", "this is not TOML"),
        ("name = \"x\"", "", "'name' is missing"),
        ("name = \"x\"", "name = \"\"", "1 to 64 printable characters"),
        ("name = \"x\"", "name = \"x\"\nseed = -1", "a whole number from 0"),
    ] {
        check(from, to, expected);
    }
}

#[test]
fn numbers_are_exact() {
    let cash = |text: &str| with("\"1000\"", text).map(|m| m.cash.nano()).map_err(|e| e.what);
    assert_eq!(cash("\"0.000000001\""), Ok(1));
    assert_eq!(cash("0.3"), Ok(300_000_000)); // through f64 it would be 299,999,999.99999994
    assert_eq!(cash("\"1_000_000.5\""), Ok(1_000_000_500_000_000));
    assert_eq!(cash("9007199254740993"), Ok(9_007_199_254_740_993_000_000_000)); // 2^53 + 1
    let share = |text: &str| match with("quantity = \"1\"", &format!("weight = \"{text}\"")).unwrap().allocator {
        AllocatorPart::Direct(DirectSize::WeightNano(n)) => n,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (share("10%"), share("0.29 %"), share("1bp"), share("2.5bps")),
        (100_000_000, 2_900_000, 100_000, 250_000)
    );
}

/// What the documented example of an account with every limit asks for reaches the gate.
#[test]
fn every_limit_reaches_the_gate() {
    use tradegraph_controls::{AccountKind, Action, Breaker, SessionRule};
    use tradegraph_market::calendar::CalendarId;
    let text = DOCS.split("```toml\n").find(|t| t.starts_with("name = \"guarded\"")).unwrap();
    let mandate = Mandate::parse("guarded", text.split("\n```").next().unwrap()).unwrap();
    let loaded = load(&mandate, Path::new("."), None).unwrap();
    let l = mandate.config(&loaded.feeds, &loaded.actions).unwrap().limits;
    let percent = |n: i64| Some(n * NANO / 100);
    assert_eq!((l.net_nano_nav, l.leverage_nano_nav), (percent(100), percent(110)));
    assert_eq!((l.sector.of, l.sector.nano_nav), (vec![0, 1], percent(60)));
    assert_eq!((l.currency.of, l.venue.of), (vec![0, 0], vec![0, 0]));
    assert_eq!((l.price_age, l.session), (Some(Nanos(5 * Nanos::DAY.0)), SessionRule::Waiting));
    assert_eq!(l.locate, Some(vec![Quantity::ZERO, Quantity::from_units(100).unwrap()]));
    assert_eq!(l.calendars, vec![Some(CalendarId::Xnys); 2]);
    assert_eq!(l.account, AccountKind::Margin);
    let (w, b) = (&l.windows, &l.breakers);
    assert_eq!(w.orders.map(|w| (w.most, w.per)), Some((20, Nanos::DAY)));
    assert_eq!(w.notional_nano.map(|w| (w.most / i128::from(NANO), w.per)), Some((200_000, Nanos::DAY)));
    assert_eq!(w.duplicates.map(|w| (w.most, w.per)), Some((3, Nanos::HOUR)));
    assert_eq!(b.daily_loss, Some(Breaker { most: NANO / 20, action: Action::ReduceOnly }));
    assert_eq!(b.drawdown, Some(Breaker { most: NANO / 4, action: Action::Halt }));
    assert_eq!((b.volatility.map(|v| v.most), b.volatility_bars, b.daily_loss_resets), (percent(15), 20, true));
    assert_eq!((b.stale_bars.map(|s| s.most), b.rejects.map(|r| r.most), b.rejects_of), (Some(3), Some(5), 20));
    assert_eq!(b.calendars, vec![Some(CalendarId::Xnys)]);
}

#[test]
fn a_fingerprint_sees_decisions_only() {
    let print = |from: &str, to: &str| with(from, to).unwrap().fingerprint();
    let base = print("name", "name");
    assert_eq!(base, print("name = \"x\"", "# a comment\nname = \"y\""));
    assert_ne!(base, print("\"1000\"", "\"1001\""));
    assert_ne!(base, print("c > 1", "c > 2"));
}

#[test]
fn every_example_of_the_documentation_runs() {
    let examples: Vec<&str> = DOCS.split("```toml\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
    assert!(examples.len() >= 2);
    let profiles = crate::commands::init::Profile::value_variants().iter().map(|p| p.mandate());
    let own = crate::samples::MANDATES.iter().map(|(_, text)| *text);
    for text in examples.into_iter().chain(profiles).chain(own) {
        let mandate = Mandate::parse("example", text).unwrap();
        let loaded = load(&mandate, Path::new("."), None).unwrap();
        mandate.config(&loaded.feeds, &loaded.actions).unwrap();
    }
}

#[test]
fn every_key_and_sample_is_documented() {
    for sample in crate::samples::SAMPLES {
        let row = format!("| `sample:{}` | {} |", sample.name, sample.about);
        assert!(DOCS.contains(&row), "docs/mandate.md lacks {row}");
    }
    // The keys that the reader knows are those in its lists of names.
    let sources = [include_str!("../mandate.rs"), include_str!("agents.rs"), include_str!("limits.rs")].concat();
    let mut keys = 0;
    for list in sources.split("&[\"").skip(1).chain(sources.split("= [\n").skip(1)) {
        for word in list.split(']').next().unwrap().split(',').map(|w| w.trim().trim_matches('"')) {
            if !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                assert!(
                    DOCS.contains(&format!("`{word}`")) || DOCS.contains(&format!("[{word}")),
                    "docs/mandate.md lacks {word}"
                );
                keys += 1;
            }
        }
    }
    assert!(keys > 40, "{keys}");
}

#[test]
fn depth_and_rubbish_are_errors() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}1{}", "[".repeat(300), "]".repeat(300)),
        "a.".repeat(50_000),
        format!("{}x = 1", "[a]\n".repeat(3)),
        "\u{0}\u{1}\u{2}".to_owned(),
        String::new(),
    ] {
        assert!(Mandate::parse("m", &text).is_err());
    }
}

#[test]
fn feeds_of_different_instruments_share_one_universe() {
    let text = "name = \"two\"\n[account]\ncash = 1000\n[[data]]\nsource = \"sample:us20\"\nsymbols = [\"KO\", \"XOM\"]\nfrom = \"2020-01-01\"\n[[data]]\nsource = \"sample:btc-1d\"\n[schedule]\non = \"bars us20\"\n[agents.momentum_trader]\n[allocator]\nkind = \"council\"\n";
    let mandate = Mandate::parse("two", text).unwrap();
    let feeds = load(&mandate, Path::new("."), None).unwrap().feeds;
    assert_eq!(feeds[0].symbols, ["KO", "XOM", "BTCUSD"]);
    assert_eq!(feeds[0].symbols, feeds[1].symbols);
    assert!(feeds[0].batch.close(0, 0).is_some() && feeds[0].batch.close(0, 2).is_none());
    assert!(feeds[1].batch.close(0, 0).is_none() && feeds[1].batch.close(0, 2).is_some());
    let config = mandate.config(&feeds, &Default::default()).unwrap();
    let lots: Vec<_> = config.universe.iter().map(|(_, x)| x.lot.nano()).collect();
    assert_eq!(lots, [1_000, 1_000, 10]);
}

/// Every key of the agents arrives where it belongs.
#[test]
fn agents_are_read_as_written() {
    let of = |text: &str| with("[agents.rule]", &format!("{text}\n[agents.rule]")).unwrap().agents[0].config.clone();
    let feed = FeedId(0);
    let d = MomentumParameters::default();
    let momentum = |swing_pct| AgentConfig::Momentum { feed, parameters: MomentumParameters { swing_pct, ..d } };
    assert_eq!(of("[agents.momentum_trader]"), momentum(300));
    assert_eq!(of("[agents.momentum_trader]\nswing = 0.55"), momentum(55));
    assert_eq!(of("[agents.momentum_trader]\nswing = \"off\""), momentum(0));
    let d = MeanReversionParameters::default();
    assert_eq!(of("[agents.mean_reversion_trader]"), AgentConfig::MeanReversion { feed, parameters: d });
    let text = "[agents.mean_reversion_trader]\nwindow = 30\nwidth = 1.25\nexit = 0.5\nhold = 9\ntrend = \"off\"\nextension = \"261.8%\"\nswing = 4";
    let parameters = MeanReversionParameters {
        window: 30,
        width_pct: 125,
        exit_pct: 50,
        hold: 9,
        trend: 0,
        extension_pm: 2618,
        swing_pct: 400,
    };
    assert_eq!(of(text), AgentConfig::MeanReversion { feed, parameters });
    let parameters = MeanReversionParameters { extension_pm: 0, trend: 50, ..d };
    let text = "[agents.mean_reversion_trader]\nextension = \"off\"\ntrend = 50";
    assert_eq!(of(text), AgentConfig::MeanReversion { feed, parameters });
    let d = LongTermParameters::default();
    assert_eq!(of("[agents.long_term_investor]"), AgentConfig::LongTerm { feed, parameters: d });
    let text = "[agents.long_term_investor]\nmomentum = 120\nskip = 5\nvolatility = 60\nreversal = 10\nrebalance = 2\nband = \"25%\"\nmomentum_weight = 0.3\nlow_volatility_weight = 2\nreversal_weight = 0";
    let parameters = LongTermParameters {
        momentum: 120,
        skip: 5,
        volatility: 60,
        reversal: 10,
        rebalance: 2,
        band_pct: 25,
        weights_pct: [30, 200, 0],
    };
    assert_eq!(of(text), AgentConfig::LongTerm { feed, parameters });
}

#[test]
fn costs_and_financing_are_what_the_text_says() {
    let text = "quantity = 1\n[costs]\nbroker = \"ibkr-tiered\"\nimpact = 0.8\n[financing]\nborrow = \"0.5%\"\n\
                borrow_of = { AAPL = \"3%\" }\nbenchmark = { 2015-12-17 = \"0.37%\", 2008-12-16 = \"0.12%\" }\n\
                margin_spread = \"1.5%\"\ncash = \"0.1%\"";
    let m = with("quantity = \"1\"", text).unwrap();
    assert_eq!(m.frictions.commission.schedule.map(|s| s.name), Some("ibkr-tiered"));
    assert_eq!((m.frictions.impact_nano, m.limits.commission), (Some(800_000_000), m.frictions.commission));
    let terms = m.financing.unwrap().terms(&["MSFT".to_owned(), "AAPL".to_owned()]);
    assert_eq!(terms.borrow_nano, [5_000_000, 30_000_000]);
    let on = |d: &str| {
        (terms.margin.of(tradegraph_domain::Date::parse(d).unwrap()), terms.cash.of(tradegraph_domain::Date(0)))
    };
    assert_eq!(on("2008-12-15"), (15_000_000, 1_000_000));
    assert_eq!(on("2015-12-16"), (16_200_000, 1_000_000));
    assert_eq!(on("2015-12-17"), (18_700_000, 1_000_000));
}
