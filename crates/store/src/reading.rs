//! Files to blocks of rows, for `import_csv` and for datasets: one splitter, one set of cell parsers.
//!
//! Everything streams: a block is at most a few MB, whatever the size of the file. Left out: what a column means.

pub(crate) mod bytes;
pub(crate) mod cells;
pub(crate) mod dialect;
pub(crate) mod jsonl;
pub(crate) mod parquet;
pub(crate) mod split;

pub use bytes::SourceError;

/// One cell of a source, before anybody knows what it means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Missing,
    Text(&'a [u8]),
    /// A text whose quotation marks are doubled.
    Doubled(&'a [u8]),
    Integer(i64),
    Float32(f32),
    Float(f64),
    /// Integer × 10^-scale.
    Decimal(i128, u32),
    /// Days since 1970-01-01.
    Date(i64),
    Stamp {
        units: i64,
        nanos: i64,
        utc: bool,
    },
}

impl std::fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Missing => Ok(()),
            Value::Text(b) => f.write_str(&String::from_utf8_lossy(b)),
            Value::Doubled(b) => f.write_str(&String::from_utf8_lossy(&split::undoubled(b))),
            Value::Integer(n) => write!(f, "{n}"),
            Value::Float32(v) => write!(f, "{v}"),
            Value::Float(v) => write!(f, "{v}"),
            Value::Decimal(n, 0) => write!(f, "{n}"),
            Value::Decimal(n, scale) => write!(f, "{n}e-{scale}"),
            Value::Date(days) => match i32::try_from(*days) {
                Ok(days) => write!(f, "{}", tradegraph_domain::Date(days)),
                Err(_) => write!(f, "day {days}"),
            },
            Value::Stamp { units, nanos, utc } => match units.checked_mul(*nanos) {
                Some(n) => {
                    let text = tradegraph_domain::Timestamp(n).to_string();
                    f.write_str(if *utc { &text } else { text.trim_end_matches('Z') })
                }
                None => write!(f, "{units}"),
            },
        }
    }
}
