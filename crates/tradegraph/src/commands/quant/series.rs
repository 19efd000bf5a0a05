//! The series that a command computes over.

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::mandate::{Mandate, load};
use std::path::Path;
use std::sync::Arc;
use tradegraph_domain::Timestamp;
use tradegraph_market::Batch;

/// Which series.
#[derive(clap::Args, Debug)]
pub struct Source {
    /// The data: `sample:NAME`, `catalog:NAME` or a CSV file
    #[arg(value_name = "SERIES")]
    source: String,
    /// Only these symbols
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    symbols: Vec<String>,
    /// From this day on
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<String>,
    /// Up to this day
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<String>,
    /// `adj_close` for prices with splits and dividends put in, where the data have them
    #[arg(long, value_name = "COLUMN")]
    price: Option<String>,
    /// Of a file: whose sessions its dates are
    #[arg(long, value_name = "CALENDAR", default_value = "24/7")]
    calendar: String,
}

/// Bars that were read.
pub struct Series {
    pub symbols: Vec<String>,
    batch: Arc<Batch>,
}

impl Source {
    /// Reads them.
    pub fn read(&self, context: &Context) -> Result<Series, Failure> {
        let mut data = match self.source.split_once(':') {
            Some(("sample" | "catalog", _)) => format!("source = {:?}\n", self.source),
            _ => format!("path = {:?}\ncalendar = {:?}\nbasis = \"raw\"\n", self.source, self.calendar),
        };
        if !self.symbols.is_empty() {
            data += &format!("symbols = {:?}\n", self.symbols);
        }
        for (key, value) in [("from", &self.from), ("to", &self.to), ("price", &self.price)] {
            if let Some(value) = value {
                data += &format!("{key} = {value:?}\n");
            }
        }
        let text = format!(
            "name = \"quant\"\n[account]\ncash = \"1\"\n[schedule]\non = \"bars\"\n[agents.rule]\nlong = \"close > 0\"\n\
             [agents.rule.features]\nclose = {{ kind = \"close\" }}\n[allocator]\nkind = \"direct\"\nquantity = \"1\"\n\
             [[data]]\n{data}"
        );
        let mandate =
            Mandate::parse("the command line", &text).map_err(|e| Failure::new(Kind::Usage, e.what().to_owned()))?;
        let loaded = load(&mandate, Path::new("."), context.home.catalog()?.as_ref())?;
        if !loaded.problems.is_empty() {
            context.out.warn(&format!(
                "{} rows of {} could not be read and are left out",
                loaded.problems.len(),
                self.source
            ));
        }
        match loaded.feeds.into_iter().next() {
            Some(feed) if feed.batch.rows() > 0 => Ok(Series { symbols: feed.symbols, batch: feed.batch }),
            _ => Err(Failure::new(Kind::Input, format!("{} has no bar in that time", self.source))),
        }
    }
}

impl Series {
    /// Bars.
    pub fn rows(&self) -> usize {
        self.batch.rows()
    }

    /// When bar `k` ended.
    pub fn end(&self, k: usize) -> Timestamp {
        self.batch.interval(k).end
    }

    /// A day where bars are days, else a time.
    pub fn when(&self, k: usize) -> String {
        let daily = self.rows() < 2 || self.end(1).0 - self.end(0).0 >= 20 * 3_600_000_000_000;
        if daily { self.batch.interval(k).start.date().to_string() } else { self.end(k).to_string() }
    }

    /// One column of an instrument, NaN where it has no bar.
    fn column(&self, of: impl Fn(&Batch, usize) -> Option<f64>) -> Vec<f64> {
        (0..self.rows()).map(|k| of(&self.batch, k).unwrap_or(f64::NAN)).collect()
    }

    /// Open, high, low, close and volume of instrument `i`, NaN where it has no bar.
    pub fn bars(&self, i: usize) -> [Vec<f64>; 5] {
        [
            self.column(|b, k| Some(b.open(k, i)?.to_f64())),
            self.column(|b, k| Some(b.high(k, i)?.to_f64())),
            self.column(|b, k| Some(b.low(k, i)?.to_f64())),
            self.closes(i),
            self.column(|b, k| b.volume(k, i)),
        ]
    }

    /// Closes of instrument `i`, NaN where it has no bar.
    pub fn closes(&self, i: usize) -> Vec<f64> {
        self.column(|b, k| Some(b.close(k, i)?.to_f64()))
    }

    /// Rows in which every instrument has a close, and the closes of those rows, by instrument.
    pub fn common(&self) -> (Vec<usize>, Vec<Vec<f64>>) {
        let all: Vec<Vec<f64>> = (0..self.symbols.len()).map(|i| self.closes(i)).collect();
        let whole = |k: &usize| all.iter().all(|c| c.get(*k).is_some_and(|x| x.is_finite()));
        let rows: Vec<usize> = (0..self.rows()).filter(whole).collect();
        let closes = all.iter().map(|c| rows.iter().filter_map(|k| c.get(*k).copied()).collect()).collect();
        (rows, closes)
    }

    /// Simple returns between common rows, one row of all instruments a bar.
    pub fn returns(&self) -> Result<Vec<f64>, Failure> {
        let (rows, closes) = self.common();
        if rows.len() < 3 {
            let what = format!("{} bars are common to all {} series: three are needed", rows.len(), self.symbols.len());
            return Err(Failure::new(Kind::Input, what).next("choose with --symbols, --from and --to"));
        }
        let mut out = Vec::with_capacity((rows.len() - 1) * closes.len());
        for k in 1..rows.len() {
            for (symbol, c) in self.symbols.iter().zip(&closes) {
                match (c.get(k - 1), c.get(k)) {
                    (Some(before), Some(now)) if *before > 0.0 => out.push(now / before - 1.0),
                    _ => {
                        return Err(Failure::new(
                            Kind::Input,
                            format!("{symbol}: a price that is not above 0 has no return"),
                        ));
                    }
                }
            }
        }
        Ok(out)
    }
}
