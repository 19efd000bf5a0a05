use super::*;

fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

/// A table as text: a header, then rows from line 2 on.
fn table(text: &str) -> Result<(Reference, Vec<TableError>), TableError> {
    let mut lines = text.lines().map(|l| l.split(',').map(|c| c.trim().to_owned()).collect::<Vec<_>>());
    let header = lines.next().unwrap();
    Reference::from_table(&header, (2..).zip(lines))
}

fn good(text: &str) -> Reference {
    let (reference, problems) = table(text).unwrap();
    assert_eq!(problems, vec![]);
    reference
}

fn problem(row: &str) -> String {
    let (_, problems) = table(&format!("{HEADER}\n{GOOD}\n{row}")).unwrap();
    assert_eq!(problems.len(), 1, "{row}: {problems:?}");
    problems[0].to_string()
}

const HEADER: &str = "id,symbol,venue,class,currency,tick,lot,multiplier,calendar,from,until,expiry,strike,right";
const GOOD: &str = "1,FB,usa,equity,USD,0.01,1,1,XNYS,2012-05-18,,,,";

#[test]
fn every_column_is_read() {
    let all = "symbol,venue,class,currency,tick,lot,multiplier,calendar,from,until,underlying,expiry,strike,right,price_magnifier,strike_multiplier,minimum_order_size,description\n\
               ZC 450C,cbot,futureoption,USD,0.00125,1,5000,24/7,2024-01-02,2024-07-01,ZC,2024-06-21,450.5,call,100,5,0.9374679444554743,Corn";
    let reference = good(all);
    let l = &reference.listings()[0];
    let q = |t: &str| Quantity::parse(t).unwrap();
    let expected = Instrument {
        symbol: "ZC 450C".into(),
        class: AssetClass::Option,
        currency: Currency::USD,
        venue: "cbot".into(),
        tick: Price::parse("0.00125").unwrap(),
        lot: q("1"),
        multiplier: q("5000"),
        status: TradingStatus::Delisted,
    };
    assert_eq!((&l.instrument, l.kind.as_str()), (&expected, "futureoption"));
    assert_eq!(
        (l.calendar, l.underlying.as_deref(), l.expiry),
        (Some(CalendarId::AlwaysOpen), Some("ZC"), Some(day("2024-06-21")))
    );
    assert_eq!((l.strike, l.right), (Some(Price::parse("450.5").unwrap()), Some(OptionRight::Call)));
    assert_eq!((l.price_magnifier, l.strike_multiplier, l.minimum_order), (q("100"), q("5"), Some(q("0.937467944"))));
    assert_eq!((l.description.as_str(), l.until), ("Corn", Some(day("2024-07-01"))));
    // What a table does not say.
    let short = good(
        "symbol,market,type,quote_currency\nEURUSD,oanda,forex,USD\nBTCUSDT,binance,cryptofuture,USDT\nSPX,usa,index,USD\nFDAX,eurex,future,EUR",
    );
    let shown: Vec<_> = short
        .listings()
        .iter()
        .map(|l| (l.instrument.class, l.calendar, l.instrument.lot, l.instrument.tick))
        .collect();
    let row = |class, calendar| (class, calendar, Quantity::ONE, Price::ZERO);
    assert_eq!(
        shown,
        vec![
            row(AssetClass::Fx, Some(CalendarId::Fx)),
            row(AssetClass::Perpetual, Some(CalendarId::AlwaysOpen)),
            row(AssetClass::Index, Some(CalendarId::Xnys)),
            row(AssetClass::Future, None),
        ]
    );
}

/// Facebook became Meta on 2022-06-09; before, until 2022-01, META was an exchange-traded fund of another issuer.
#[test]
fn a_symbol_names_what_it_named_on_the_day() {
    let rows = [
        GOOD,
        "2,META,usa,equity,USD,0.01,1,1,XNYS,2021-06-30,2022-01-31,,,",
        "1,META,usa,equity,USD,0.01,1,1,XNYS,2022-06-09,,,,",
    ];
    // In any order of rows.
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let reference = good(&format!("{HEADER}\n{}", order.map(|k: usize| rows[k]).join("\n")));
        let find = |symbol, date| reference.find(symbol, "usa", day(date), None).map(|l| l.names[0].symbol.clone());
        let unknown = |symbol: &str, date| {
            Err(LookupError::Unknown { symbol: symbol.into(), venue: "usa".into(), date: day(date) })
        };
        assert_eq!(find("FB", "2012-05-17"), unknown("FB", "2012-05-17"));
        assert_eq!(find("FB", "2012-05-18"), Ok("FB".into()));
        assert_eq!(find("FB", "2022-06-08"), Ok("FB".into()));
        assert_eq!(find("FB", "2022-06-09"), unknown("FB", "2022-06-09"));
        assert_eq!(find("META", "2021-12-31"), Ok("META".into()), "the fund");
        assert_eq!(find("META", "2022-01-31"), unknown("META", "2022-01-31"));
        assert_eq!(find("META", "2022-06-09"), Ok("FB".into()), "the company");
        let company = reference.find("META", "usa", day("2023-01-03"), Some("equity")).unwrap();
        assert_eq!(company.instrument.symbol, "META");
        assert_eq!(company.instrument_on(day("2020-01-02")).symbol, "FB");
        assert_eq!(company.instrument_on(day("2000-01-03")).status, TradingStatus::Delisted);
        let fund = reference.find("META", "usa", day("2021-12-31"), None).unwrap();
        assert_eq!(fund.instrument.status, TradingStatus::Delisted);
        assert_eq!(fund.instrument_on(day("2021-12-31")).status, TradingStatus::Active);
    }
}

#[test]
fn types_and_wildcards() {
    let reference = good(
        "symbol,market,type,quote_currency,contract_multiplier\nBTCUSDT,binance,crypto,USDT,1.0\n\
         BTCUSDT,binance,cryptofuture,USDT,1.0\n[*],usa,option,USD,100.0\n[*],usa,equity,USD,1.0",
    );
    let find = |kind| reference.find("BTCUSDT", "binance", day("2024-01-01"), kind);
    assert_eq!(
        find(None).unwrap_err().to_string(),
        "'BTCUSDT' on binance is of several types (crypto, cryptofuture): name one"
    );
    assert_eq!(find(Some("crypto")).unwrap().instrument.class, AssetClass::Crypto);
    assert_eq!(reference.wildcard("usa", "option").unwrap().instrument.multiplier, Quantity::from_units(100).unwrap());
    assert!(reference.wildcard("usa", "future").is_none());
    assert!(reference.find("[*]", "usa", day("2024-01-01"), None).is_err());
    assert_eq!(reference.listings().len(), 2);
}

#[test]
fn what_is_wrong_is_named_with_line_and_column() {
    #[rustfmt::skip]
    let rows = [
        ("2,X,usa,share,USD,,,,,,,,,", "line 3, column 'class': 'share' is no type of instrument"),
        ("2,X,usa,equity,usd,,,,,,,,,", "line 3, column 'currency': 'usd' is no currency of 1 to 8 capital letters or digits"),
        ("2,,usa,equity,USD,,,,,,,,,", "line 3, column 'symbol': '' is missing"),
        ("2,X,usa,equity,USD,1E-10,,,,,,,,", "line 3, column 'tick': '1E-10' is no price step of zero or above with at most nine decimals"),
        ("2,X,usa,equity,USD,,0,,,,,,,", "line 3, column 'lot': '0' is no number above zero with at most nine decimals"),
        ("2,X,usa,equity,USD,,,-5,,,,,,", "line 3, column 'multiplier': '-5' is no number above zero with at most nine decimals"),
        ("2,X,usa,equity,USD,,,,NYSE,,,,,", "line 3, column 'calendar': 'NYSE' is no calendar"),
        ("2,X,usa,equity,USD,,,,,2012-13-01,,,,", "line 3, column 'from': '2012-13-01' is no date (YYYY-MM-DD)"),
        ("2,X,usa,equity,USD,,,,,2012-01-03,2012-01-03,,,", "line 3, column 'until': '2012-01-03' is not after `from`"),
        ("2,X,usa,option,USD,,,,,,,2012-01-20,5,both", "line 3, column 'right': 'both' is neither 'call' nor 'put'"),
        ("2,X,usa", "line 3 has 3 cells, the header has 14"),
        // The same symbol while line 2 has it; the same instrument with another tick, with two names from one day.
        ("2,FB,usa,equity,USD,0.01,1,1,XNYS,2020-01-02,,,,", "line 3: 'FB' on usa is an instrument of line 2 at the same time"),
        ("1,META,usa,equity,USD,0.05,1,1,XNYS,2022-06-09,,,,", "line 3, column 'tick': not what line 2 says of the same instrument"),
        ("1,META,usa,equity,USD,0.01,1,1,XNYS,2012-05-18,,,,", "line 3, column 'from': not what line 2 says of the same instrument"),
    ];
    for (row, expected) in rows {
        assert_eq!(problem(row), expected);
    }
    let header = |text: &str| table(text).unwrap_err().to_string();
    assert_eq!(header("symbol,venue,class,currncy"), "there is no column 'currncy' in a table of instruments");
    assert_eq!(header("symbol,venue,class"), "a table of instruments needs one column 'currency'");
    assert_eq!(header("symbol,venue,market,class,currency"), "a table of instruments needs one column 'venue'");
    // Another venue, another type and another time are no duplicates; the rest of the table is there.
    let (reference, problems) = table(&format!(
        "{HEADER}\n{GOOD}\n2,FB,xetra,equity,EUR,,,,,,,,,\n3,FB,usa,cfd,USD,,,,,,,,,\n4,FB,usa,equity,USD,,,,,2001-01-02,2012-05-18,,,\n5,FB,usa,equity,USD,,,,,2012-05-17,2012-05-18,,,"
    ))
    .unwrap();
    assert_eq!(reference.listings().len(), 4);
    assert_eq!(
        problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        vec!["line 6: 'FB' on usa is an instrument of line 5 at the same time"]
    );
}
