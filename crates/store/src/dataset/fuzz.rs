//! Spoilt files, as many as asked for: whatever the bytes are, an import ends with an error or with every row counted.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use super::{Datasets, ImportOptions, ImportReport};

/// Which reader is fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parser {
    /// CSV.
    Csv,
    /// CSV in gzip.
    CsvGzip,
    /// Messages.
    Jsonl,
    /// Parquet.
    Parquet,
}

impl Parser {
    /// All parsers with their names for users.
    pub const ALL: [(Parser, &'static str); 4] =
        [(Parser::Csv, "csv"), (Parser::CsvGzip, "csv.gz"), (Parser::Jsonl, "jsonl"), (Parser::Parquet, "parquet")];
}

/// What came of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fuzzed {
    /// Files tried.
    pub cases: u64,
    /// Files of which rows were kept.
    pub imported: u64,
    /// Files that were refused.
    pub refused: u64,
    /// Rows kept of all files.
    pub kept: u64,
    /// Rows in quarantine of all files.
    pub quarantined: u64,
}

/// Small files of every kind that text can have.
const TEXTS: [&str; 10] = [
    "symbol,date,open,high,low,close,volume,adj_close\nAAPL,2013-01-02,19.77,19.82,19.34,19.6,560518000,16.7\nMSFT,2013-01-02,5,6,4,5,1,5\nAAPL,2013-01-03,19.5,19.6,19.3,19.3,352965200,16.5\n",
    "ts,open,high,low,close,volume,note\n2017-01-01T22:00:00Z,1.05236,1.05253,1.05221,1.05227,143539993.3,a\n2017-01-01T23:00:00Z,1.05227,1.05426,1.05226,1.05282,253139999.4,1\n1483315200,1,1,1,1,1,007\n",
    "date;eur;usd\n1990-01-02;0,264;4,125\n1990-01-03;0,266;4,0\n1990-01-04;;\"4,1\"\n",
    "month,cpi\n1919-01,5.35\n1919-02,5.4\n",
    "year,quarter,gdp\n1959,1,2710.3\n1959,2,2778.8\n",
    "symbol,ts,text\nAAPL,2015-01-01T00:00:00Z,\"two\nlines, and \"\"marks\"\"\"\nMSFT,2015-01-01T00:00:01Z,plain\n",
    "venue,recv_ns,exch_ms,bid,bid_size,ask,ask_size\nx,1723161254087891268,1723161255342,1.5,2,1.6,3\nx,1723161254087891269,,1.5,2,1.6,3\n",
    "quotedate,underlying,strike,expiration,type,bid,ask\n2017-01-03,SPX,300,2017-03-17,call,1945.3,1950.1\n2017-01-03,SPX,300,2017-03-17,P,0,0.05\n",
    "symbol,ex_date,kind,ratio,amount,to\nAAPL,2020-08-31,split,4:1,,\nAAPL,2020-11-06,dividend,,0.205,\nFB,2022-06-09,rename,,,META\n",
    "symbol,tick,lot,currency\nES,0.25,1,USD\nNQ,0.25,1,USD\n",
];

const MESSAGES: &str = "1723161253937085768 {\"stream\":\"a\",\"data\":{\"u\":1}}\n1723161254036059768 {\"e\":\"trade\",\"p\":\"1.5\"}\n{\"ts\":1723161254036059769,\"x\":[1,2]}\n";

/// Tries `n` files made from `seed`.
///
/// # Errors
/// The seed and the number of the first file that broke a promise, and how, in one sentence.
pub fn fuzz(seed: u64, parser: Parser, n: u64) -> Result<Fuzzed, String> {
    let folder = std::env::temp_dir().join(format!("tradegraph-fuzz-{}-{parser:?}-{seed}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let outcome = run(seed, parser, n, &folder.join("spoilt"));
    // Leftovers in the temporary folder do no harm.
    let _ = std::fs::remove_dir_all(&folder);
    outcome
}

fn run(seed: u64, parser: Parser, n: u64, path: &PathBuf) -> Result<Fuzzed, String> {
    let failed = |e: &dyn std::fmt::Display| format!("seed {seed}: {e}");
    let originals: Vec<Vec<u8>> = match parser {
        Parser::Csv | Parser::CsvGzip => TEXTS.iter().map(|t| t.as_bytes().to_vec()).collect(),
        Parser::Jsonl => vec![MESSAGES.as_bytes().to_vec()],
        Parser::Parquet => tables(path).map_err(|e| failed(&e))?,
    };
    let home = path.with_extension("home");
    let datasets = Datasets::of(&home, Arc::new(crate::FileSystem));
    let mut total = Fuzzed::default();
    for case in 0..n {
        let mut draw = Draw(seed ^ case.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut bytes = originals[draw.below(originals.len())].clone();
        if parser == Parser::CsvGzip && draw.below(2) == 0 {
            spoil(&mut bytes, &mut draw);
        }
        if parser == Parser::CsvGzip {
            bytes = gzip(&bytes).map_err(|e| failed(&e))?;
        }
        spoil(&mut bytes, &mut draw);
        std::fs::write(path, &bytes).map_err(|e| failed(&e))?;
        let options = ImportOptions {
            replace: true,
            snapshot: tradegraph_domain::Date::from_ymd(2024, 1, 1),
            ..ImportOptions::default()
        };
        // One in sixteen goes all the way to the disk.
        let whole = case % 16 == 0;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            if whole {
                datasets.import(path, &options, &mut |_| {})
            } else {
                Datasets::inspect(path, &options, &mut |_| {})
            }
        }));
        total.cases += 1;
        match outcome {
            Err(_) => return Err(format!("seed {seed}, file {case}: the import panicked")),
            Ok(Err(e)) if e.to_string().is_empty() => {
                return Err(format!("seed {seed}, file {case}: an error without words"));
            }
            Ok(Err(_)) => total.refused += 1,
            Ok(Ok(report)) => {
                promises(&report, whole.then_some(&datasets)).map_err(|e| format!("seed {seed}, file {case}: {e}"))?;
                total.imported += 1;
                total.kept += report.manifest.rows.kept;
                total.quarantined += report.manifest.rows.quarantined;
            }
        }
    }
    Ok(total)
}

fn promises(report: &ImportReport, written: Option<&Datasets>) -> Result<(), String> {
    let rows = report.manifest.rows;
    if rows.kept + rows.quarantined + rows.filtered != rows.read {
        return Err(format!("{} rows were read, {} kept, {} quarantined", rows.read, rows.kept, rows.quarantined));
    }
    let reported = report.manifest.problems.values().sum::<u64>();
    if rows.quarantined > reported {
        return Err(format!("{} rows are in quarantine for {reported} problems", rows.quarantined));
    }
    if let Some(datasets) = written {
        let dataset = datasets.open(report.id).map_err(|e| e.to_string())?;
        dataset.verify().map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// Random numbers that a seed determines (splitmix64, Steele, Lea and Flood 2014).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// Bytes that matter to one of the parsers.
const TELLING: &[u8] = b"0123456789.,-;\n\r\"eE+:TZ \t|{}[]\0\xFF\xC3NaNinf";

fn spoil(bytes: &mut Vec<u8>, draw: &mut Draw) {
    for _ in 0..draw.below(8) {
        if bytes.is_empty() {
            return;
        }
        let at = draw.below(bytes.len());
        match draw.below(8) {
            0 => bytes[at] = draw.next() as u8,
            1 => bytes.insert(at, TELLING[draw.below(TELLING.len())]),
            2 => {
                bytes.remove(at);
            }
            3 => bytes.truncate(at),
            4 => {
                let copy = bytes[at..(at + draw.below(64)).min(bytes.len())].to_vec();
                let to = draw.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            5 => bytes[at] ^= 1 << draw.below(8),
            _ => bytes[at] = TELLING[draw.below(TELLING.len())],
        }
    }
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes)?;
    packed.finish()
}

/// The texts as Parquet files.
fn tables(path: &PathBuf) -> Result<Vec<Vec<u8>>, super::DatasetError> {
    let io = |source| super::DatasetError::Io { doing: "written", path: path.clone(), source };
    let datasets = Datasets::of(&path.with_extension("tables"), Arc::new(crate::FileSystem));
    let mut files = Vec::new();
    for (at, text) in TEXTS.iter().enumerate() {
        std::fs::write(path, text).map_err(io)?;
        let options = ImportOptions { name: Some(at.to_string()), ..ImportOptions::default() };
        let report = datasets.import(path, &options, &mut |_| {})?;
        datasets.open(report.id)?.export_parquet(path)?;
        files.push(std::fs::read(path).map_err(io)?);
        files.push(std::fs::read(datasets.path(report.id)).map_err(io)?);
    }
    Ok(files)
}
