//! Cells of a source to values of a stored column.

use tradegraph_domain::Price;

use super::column::{Column, Values};
use super::fault::{Fault, NumberFault, number_fault};
use super::kinds::ColumnType;
use super::options::DateForm;
use super::plan::wider;
use super::time::{self, Instants};
use crate::reading::Value;
use crate::reading::cells;
use crate::reading::parquet::RawColumn;
use crate::reading::split::{Cell, Rows, undoubled};

/// The cells of one source column of a block.
pub(crate) trait Cells: Sized {
    fn value(&self, row: usize) -> Value<'_>;

    /// The same cells with the blanks at their ends, for free text.
    fn exact(self) -> Self {
        self
    }
}

/// A column of a block of text.
#[derive(Clone, Copy)]
pub(crate) struct TextCells<'a> {
    pub bytes: &'a [u8],
    pub cells: &'a [Cell],
    pub width: usize,
    pub at: usize,
    pub exact: bool,
}

impl<'a> TextCells<'a> {
    pub(crate) fn of(bytes: &'a [u8], rows: &'a Rows, width: usize, at: usize) -> TextCells<'a> {
        TextCells { bytes, cells: &rows.cells, width, at, exact: false }
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> Value<'a> {
        let Some(cell) = self.cells.get(row * self.width + self.at) else { return Value::Missing };
        let whole = cell.of(self.bytes);
        let text = match whole {
            [first, .., last] if *first > b' ' && *last > b' ' => whole,
            _ => whole.trim_ascii(),
        };
        if text.is_empty() {
            return Value::Missing;
        }
        let text = if self.exact { whole } else { text };
        if cell.is_doubled() { Value::Doubled(text) } else { Value::Text(text) }
    }
}

impl Cells for TextCells<'_> {
    #[inline]
    fn value(&self, row: usize) -> Value<'_> {
        self.get(row)
    }

    fn exact(self) -> Self {
        TextCells { exact: true, ..self }
    }
}

impl Cells for &RawColumn {
    #[inline]
    fn value(&self, row: usize) -> Value<'_> {
        match RawColumn::value(self, row) {
            Value::Text([]) => Value::Missing,
            value => value,
        }
    }
}

/// How numbers of a source are written.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    pub decimal_comma: bool,
    pub missing: Vec<Vec<u8>>,
    /// Prices × 10^this are prices in the currency.
    pub exponent: i8,
}

impl Numbers {
    #[inline]
    pub(crate) fn is_missing(&self, value: Value<'_>) -> bool {
        match value {
            Value::Missing => true,
            _ if self.missing.is_empty() => false,
            Value::Text(b) => self.missing.iter().any(|m| m == b),
            Value::Float(f) => f.is_nan() && self.missing.iter().any(|m| m.eq_ignore_ascii_case(b"nan")),
            Value::Float32(f) => f.is_nan() && self.missing.iter().any(|m| m.eq_ignore_ascii_case(b"nan")),
            _ => false,
        }
    }

    /// Reads a text by a reader of plain decimals; the slow ways come after it failed.
    #[inline]
    fn text<T>(&self, bytes: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Result<T, Fault> {
        if !self.decimal_comma
            && let Some(v) = read(bytes)
        {
            return Ok(v);
        }
        self.slow_text(bytes, read)
    }

    #[cold]
    fn slow_text<T>(&self, bytes: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Result<T, Fault> {
        let trimmed = bytes.trim_ascii();
        let found = if !self.decimal_comma {
            read(trimmed)
        } else if trimmed.contains(&b'.') {
            None
        } else {
            let dotted: Vec<u8> = trimmed.iter().map(|b| if *b == b',' { b'.' } else { *b }).collect();
            read(&dotted)
        };
        found.ok_or_else(|| {
            let fault = match number_fault(trimmed, self.decimal_comma) {
                // A number, but not one that fits.
                NumberFault::Other if cells::number(trimmed).is_some() => NumberFault::OutOfRange,
                fault => fault,
            };
            Fault::Number(fault)
        })
    }

    #[inline]
    fn price(&self, value: Value<'_>) -> Result<i64, Fault> {
        let nano = match value {
            Value::Text(b) => self.text(b, |b| cells::price(b).ok())?,
            Value::Float(v) => price_of_float(v)?,
            Value::Float32(v) => price_of_text(&v.to_string(), v.is_finite(), v.is_nan())?,
            Value::Integer(n) => n.checked_mul(1_000_000_000).ok_or(Fault::Number(NumberFault::OutOfRange))?,
            Value::Decimal(n, scale) => decimal(n, scale)?,
            _ => return Err(Fault::Number(NumberFault::Other)),
        };
        if self.exponent == 0 { Ok(nano) } else { shift(nano, self.exponent) }
    }

    #[inline]
    fn number(&self, value: Value<'_>) -> Result<f64, Fault> {
        let v = match value {
            Value::Text(b) => self.text(b, cells::number)?,
            Value::Float(v) => v,
            Value::Float32(v) => v.to_string().parse().unwrap_or(f64::from(v)),
            Value::Integer(n) => n as f64,
            Value::Decimal(..) => value.to_string().parse().map_err(|_| Fault::Number(NumberFault::Other))?,
            _ => return Err(Fault::Number(NumberFault::Other)),
        };
        if v.is_finite() {
            return Ok(v + 0.0);
        }
        Err(Fault::Number(if v.is_nan() { NumberFault::Marker } else { NumberFault::Infinite }))
    }

    #[inline]
    fn integer(&self, value: Value<'_>) -> Result<i64, Fault> {
        match value {
            Value::Integer(n) => Ok(n),
            Value::Text(b) => self.text(b, |b| cells::integer(b).or_else(|| whole(cells::number(b)?))).map_err(|e| {
                let fraction = cells::number(b.trim_ascii()).is_some_and(|v| v.fract() != 0.0);
                if fraction { Fault::Number(NumberFault::Fraction) } else { e }
            }),
            Value::Float(v) => whole(v).ok_or(Fault::Number(NumberFault::Fraction)),
            Value::Float32(v) => whole(f64::from(v)).ok_or(Fault::Number(NumberFault::Fraction)),
            Value::Decimal(n, 0) => i64::try_from(n).map_err(|_| Fault::Number(NumberFault::OutOfRange)),
            _ => Err(Fault::Number(NumberFault::Other)),
        }
    }
}

/// The integer that a float is, below 2^53.
fn whole(v: f64) -> Option<i64> {
    (v.fract() == 0.0 && v.abs() < 9_007_199_254_740_992.0).then_some(v as i64)
}

/// The price whose decimal is the shortest one that names this float. A float within 2^53 / 64 of its 1e-9 multiple
/// is within 1/64 of the decimal's, so rounding the product finds it; all others are printed and read.
#[inline]
pub(crate) fn price_of_float(v: f64) -> Result<i64, Fault> {
    let scaled = v * 1e9;
    let rounded = scaled.round();
    if scaled.abs() < 140_737_488_355_328.0 && (scaled - rounded).abs() < 0.45 {
        return Ok(rounded as i64);
    }
    price_of_text(&v.to_string(), v.is_finite(), v.is_nan())
}

fn price_of_text(text: &str, finite: bool, nan: bool) -> Result<i64, Fault> {
    if !finite {
        return Err(Fault::Number(if nan { NumberFault::Marker } else { NumberFault::Infinite }));
    }
    Price::parse(text).map(Price::nano).map_err(|_| Fault::Number(NumberFault::OutOfRange))
}

fn decimal(n: i128, scale: u32) -> Result<i64, Fault> {
    let text = format!("{n}e-{scale}");
    Price::parse(&text).map(Price::nano).map_err(|_| Fault::Number(NumberFault::OutOfRange))
}

/// × 10^exponent, half-even.
fn shift(nano: i64, exponent: i8) -> Result<i64, Fault> {
    decimal(i128::from(nano), 9)?;
    let text = format!("{nano}e{}", i32::from(exponent) - 9);
    Price::parse(&text).map(Price::nano).map_err(|_| Fault::Number(NumberFault::OutOfRange))
}

/// What one conversion needs to know.
pub(crate) struct Rule<'a> {
    pub kind: ColumnType,
    pub numbers: &'a Numbers,
    pub dates: DateForm,
    /// For unknown columns: the type that all cells keep to; lowered instead of a fault.
    pub lower: Option<&'a mut ColumnType>,
}

/// Appends `rows` values; a cell that cannot be read is missing and reported.
pub(crate) fn append<C: Cells>(
    column: &mut Column,
    cells: &C,
    rows: usize,
    rule: Rule<'_>,
    instants: &mut Instants,
    fault: &mut impl FnMut(usize, Fault),
) {
    let Rule { kind, numbers, dates, lower } = rule;
    if let Some(lowest) = lower {
        for row in 0..rows {
            let value = cells.value(row);
            if !numbers.is_missing(value) {
                *lowest = wider(*lowest, value, numbers.decimal_comma);
            }
        }
        if *lowest != kind {
            // This pass is given up; the next one stores the column as what it is.
            for _ in 0..rows {
                push_default(column);
            }
            return;
        }
    }
    let present = &mut column.present;
    macro_rules! fill {
        ($out:expr, $empty:expr, $read:expr) => {{
            let out = $out;
            out.reserve(rows);
            for row in 0..rows {
                let value = cells.value(row);
                let found = if numbers.is_missing(value) {
                    None
                } else {
                    match $read(value) {
                        Ok(v) => Some(v),
                        Err(e) => {
                            fault(row, e);
                            None
                        }
                    }
                };
                match found {
                    Some(v) => {
                        if !present.is_empty() {
                            present.push(true);
                        }
                        out.push(v);
                    }
                    None => {
                        present.resize(out.len(), true);
                        present.push(false);
                        out.push($empty);
                    }
                }
            }
        }};
    }
    match &mut column.values {
        Values::Price(out) => fill!(out, 0, |v| numbers.price(v)),
        Values::Number(out) => fill!(out, 0.0, |v| numbers.number(v)),
        Values::Integer(out) => fill!(out, 0, |v| numbers.integer(v)),
        Values::Time(out) => fill!(out, 0, |v| instants.read(v).map(Option::unwrap_or_default)),
        Values::Date(out) => fill!(out, 0, |v| time::date(dates, v).map(Option::unwrap_or_default)),
        Values::Text(out) => {
            for row in 0..rows {
                let value = cells.value(row);
                let found = if numbers.is_missing(value) { Ok(false) } else { text(value, kind, out) };
                match found {
                    Ok(true) => {
                        if !present.is_empty() {
                            present.push(true);
                        }
                    }
                    Ok(false) | Err(_) => {
                        if let Err(e) = found {
                            fault(row, e);
                        }
                        present.resize(out.len(), true);
                        present.push(false);
                        out.push(b"");
                    }
                }
            }
        }
    }
}

fn push_default(column: &mut Column) {
    match &mut column.values {
        Values::Price(v) | Values::Integer(v) | Values::Time(v) => v.push(0),
        Values::Date(v) => v.push(0),
        Values::Number(v) => v.push(0.0),
        Values::Text(t) => t.push(b""),
    }
    column.settle();
}

/// Appends a text; false if it is empty.
#[inline]
fn text(value: Value<'_>, kind: ColumnType, out: &mut super::column::Texts) -> Result<bool, Fault> {
    let owned;
    let bytes = match value {
        Value::Text(b) => b,
        Value::Doubled(b) => {
            owned = undoubled(b);
            &owned
        }
        other => {
            owned = other.to_string().into_bytes();
            &owned
        }
    };
    match kind {
        ColumnType::Choice(words) => {
            let small = String::from_utf8_lossy(bytes).trim().to_lowercase().replace([' ', '-'], "_");
            let found = words.iter().find(|(word, also)| *word == small || also.contains(&small.as_str()));
            let (word, _) = found.ok_or_else(|| Fault::Choice {
                known: words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "),
            })?;
            out.push(word.as_bytes());
        }
        ColumnType::Json => {
            serde_json::from_slice::<serde::de::IgnoredAny>(bytes).map_err(|e| Fault::Json(e.to_string()))?;
            out.push(bytes);
        }
        _ => {
            // Text of files was checked block by block; that of Parquet is checked here.
            std::str::from_utf8(bytes).map_err(|_| Fault::NotUtf8)?;
            let bytes = if kind == ColumnType::Name { bytes.trim_ascii() } else { bytes };
            if bytes.is_empty() {
                return Ok(false);
            }
            out.push(bytes);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A float becomes the price that its shortest decimal is.
        #[test]
        fn floats_become_the_price_that_they_print(v in prop_oneof![-2e5_f64..2e5, -9e9_f64..9e9, (-1_000_000_000_i64..1_000_000_000).prop_map(|n| n as f64 / 1e4)]) {
            prop_assert_eq!(price_of_float(v).ok(), Price::parse(&v.to_string()).ok().map(Price::nano));
        }
    }

    #[test]
    fn numbers_of_every_source() {
        let n = Numbers { decimal_comma: false, missing: vec![b"NaN".to_vec()], exponent: 0 };
        let pence = Numbers { exponent: -2, ..n.clone() };
        let comma = Numbers { decimal_comma: true, ..n.clone() };
        assert_eq!(n.price(Value::Text(b" 1.5 ")), Ok(1_500_000_000));
        assert_eq!(n.price(Value::Float32(0.1)), Ok(100_000_000));
        assert_eq!(n.price(Value::Decimal(12_345, 2)), Ok(123_450_000_000));
        assert_eq!(n.price(Value::Float(f64::NAN)), Err(Fault::Number(NumberFault::Marker)));
        assert_eq!(n.price(Value::Float(1e300)), Err(Fault::Number(NumberFault::OutOfRange)));
        assert_eq!(n.price(Value::Text(b"99999999999")), Err(Fault::Number(NumberFault::OutOfRange)));
        assert_eq!(pence.price(Value::Text(b"123.45")), Ok(1_234_500_000));
        assert_eq!(comma.price(Value::Text(b"-1,25")), Ok(-1_250_000_000));
        assert_eq!(comma.number(Value::Text(b"1.234,5")), Err(Fault::Number(NumberFault::Thousands)));
        assert_eq!(n.integer(Value::Text(b"12.0")), Ok(12));
        assert_eq!(n.integer(Value::Text(b"12.5")), Err(Fault::Number(NumberFault::Fraction)));
        assert_eq!(n.integer(Value::Float(1e300)), Err(Fault::Number(NumberFault::Fraction)));
        assert!(n.is_missing(Value::Float(f64::NAN)) && n.is_missing(Value::Text(b"NaN")));
    }
}
