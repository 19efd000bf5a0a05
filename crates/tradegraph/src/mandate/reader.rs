//! Reads TOML with places: every value knows its line, every table its keys. A table with a key that it does not know
//! is an error that names the nearest known one, before anything else in the table is looked at.

use crate::mandate::fault::{Fault, nearest};
use std::ops::RangeInclusive;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use tradegraph_domain::{Currency, Date, Nanos, ParseNumber, Rounding, parse_nano};

/// A text with its name, for messages.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// The file as the user named it.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

impl Document<'_> {
    /// What is wrong at a byte.
    pub fn fault(&self, byte: usize, what: impl Into<String>) -> Fault {
        Fault::at(self.file, self.text, byte, what)
    }
}

/// One table of a mandate.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    document: Document<'a>,
    path: String,
    at: usize,
    table: &'a DeTable<'a>,
}

/// One value of a mandate.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    document: Document<'a>,
    /// `allocator.max_weight`
    path: String,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub fn root(document: Document<'a>, table: &'a Spanned<DeTable<'a>>) -> Section<'a> {
        Section { document, path: String::new(), at: 0, table: table.get_ref() }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Refuses keys that are not known.
    pub fn knows(self, known: &[&str]) -> Result<Section<'a>, Fault> {
        match self.table.keys().find(|k| !known.contains(&k.get_ref().as_ref())) {
            None => Ok(self),
            Some(key) => Err(self.unknown(key, known)),
        }
    }

    /// The fault of an unknown key.
    pub fn unknown(&self, key: &Spanned<std::borrow::Cow<'_, str>>, known: &[&str]) -> Fault {
        let place = if self.path.is_empty() { "a mandate".to_owned() } else { format!("[{}]", self.path) };
        let near = match nearest(key.get_ref(), known.iter().copied()) {
            Some(k) => format!("; the nearest known key is '{k}'"),
            None => String::new(),
        };
        self.document
            .fault(key.span().start, format!("unknown key '{}' in {place}{near}", self.path_of(key.get_ref())))
            .next(format!("{place} knows: {}", known.join(", ")))
    }

    /// Keys and values in the order of their keys.
    pub fn entries(&self) -> impl Iterator<Item = (&'a Spanned<std::borrow::Cow<'a, str>>, Item<'a>)> {
        self.table
            .iter()
            .map(|(k, value)| (k, Item { document: self.document, path: self.path_of(k.get_ref()), value }))
    }

    /// A value that may be missing.
    pub fn get(&self, key: &str) -> Option<Item<'a>> {
        let (_, value) = self.table.iter().find(|(k, _)| k.get_ref().as_ref() == key)?;
        Some(Item { document: self.document, path: self.path_of(key), value })
    }

    /// A value that must be there.
    pub fn need(&self, key: &str) -> Result<Item<'a>, Fault> {
        self.get(key).ok_or_else(|| self.fault(format!("'{}' is missing", self.path_of(key))))
    }

    /// A table that may be missing.
    pub fn section(&self, key: &str) -> Result<Option<Section<'a>>, Fault> {
        self.get(key).map(|item| item.section()).transpose()
    }

    /// Something wrong with the table as a whole.
    pub fn fault(&self, what: impl Into<String>) -> Fault {
        self.document.fault(self.at, what)
    }
}

impl<'a> Item<'a> {
    /// What is wrong with this value.
    pub fn fault(&self, what: impl std::fmt::Display) -> Fault {
        self.document.fault(self.value.span().start, format!("'{}' {what}", self.path))
    }

    fn wrong(&self, expected: &str) -> Fault {
        let found = match self.value.get_ref() {
            DeValue::String(s) => format!("\"{}\"", s.chars().take(40).collect::<String>()),
            DeValue::Integer(i) => i.to_string(),
            DeValue::Float(f) => f.to_string(),
            DeValue::Boolean(b) => b.to_string(),
            other => format!("a {}", other.type_str()),
        };
        self.fault(format!("must be {expected}, found {found}"))
    }

    /// True for a table.
    pub fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    /// A table.
    pub fn section(&self) -> Result<Section<'a>, Fault> {
        let table = self.value.get_ref().as_table().ok_or_else(|| self.wrong("a table"))?;
        Ok(Section { document: self.document, path: self.path.clone(), at: self.value.span().start, table })
    }

    /// A list.
    pub fn list(&self) -> Result<Vec<Item<'a>>, Fault> {
        let array = self.value.get_ref().as_array().ok_or_else(|| self.wrong("a list"))?;
        let item = |(i, value)| Item { document: self.document, path: format!("{}[{i}]", self.path), value };
        Ok(array.iter().enumerate().map(item).collect())
    }

    /// Text.
    pub fn text(&self) -> Result<&'a str, Fault> {
        self.value.get_ref().as_str().ok_or_else(|| self.wrong("text in quotation marks"))
    }

    /// Text of 1 to 64 printable characters.
    pub fn name(&self) -> Result<String, Fault> {
        let text = self.text()?;
        let good = (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if good { Ok(text.to_owned()) } else { Err(self.wrong("1 to 64 printable characters")) }
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(&self, words: &[(T, &str)]) -> Result<T, Fault> {
        let text = self.text()?;
        words.iter().find(|(_, w)| *w == text).map(|(t, _)| *t).ok_or_else(|| {
            let all: Vec<_> = words.iter().map(|(_, w)| format!("\"{w}\"")).collect();
            let near = nearest(text, words.iter().map(|(_, w)| *w)).map(|w| format!("; nearest: \"{w}\""));
            self.wrong(&format!("one of {}", all.join(", "))).next(format!("choose one{}", near.unwrap_or_default()))
        })
    }

    /// True or false.
    pub fn boolean(&self) -> Result<bool, Fault> {
        self.value.get_ref().as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    /// A whole number within a range.
    pub fn integer(&self, range: RangeInclusive<i64>) -> Result<i64, Fault> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let value = match self.value.get_ref() {
            DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix()).ok(),
            _ => None,
        };
        value.filter(|v| range.contains(v)).ok_or_else(|| self.wrong(&expected))
    }

    /// The characters of a number, in quotation marks or not, without its separators.
    fn digits(&self, expected: &str) -> Result<String, Fault> {
        match self.value.get_ref() {
            DeValue::String(s) => Ok(s.trim().replace('_', "")),
            DeValue::Integer(i) if i.radix() == 10 => Ok(i.as_str().to_owned()),
            DeValue::Float(f) => Ok(f.as_str().to_owned()),
            _ => Err(self.wrong(expected)),
        }
    }

    /// A decimal number at 1e-9, exactly.
    pub fn decimal(&self, range: RangeInclusive<i128>, expected: &str) -> Result<i128, Fault> {
        let digits = self.digits(expected)?;
        let value = parse_nano(&digits, Rounding::Exact).map_err(|e| self.number(expected, e))?;
        if range.contains(&value) { Ok(value) } else { Err(self.wrong(expected)) }
    }

    fn number(&self, expected: &str, e: ParseNumber) -> Fault {
        let fault = self.wrong(expected);
        match e {
            ParseNumber::TooFine => fault.next("nine decimals are the finest step"),
            _ => fault,
        }
    }

    /// A share at 1e-9: `"10%"` or `"5bp"`; a bare number says neither and is refused.
    pub fn share(&self, range: RangeInclusive<i64>, expected: &str) -> Result<i64, Fault> {
        let text = self.digits(expected)?;
        // Per cent are hundredths, basis points ten-thousandths.
        let (number, parts) = if let Some(n) = text.strip_suffix('%') {
            (n, 100)
        } else if let Some(n) = text.strip_suffix("bps").or_else(|| text.strip_suffix("bp")) {
            (n, 10_000)
        } else {
            let fault = self.wrong(expected);
            return Err(fault.next("give the unit: \"10%\" is a tenth, \"5bp\" are 5 basis points"));
        };
        let nano = parse_nano(number.trim(), Rounding::Exact).map_err(|e| self.number(expected, e))?;
        let exact = if nano % parts == 0 { i64::try_from(nano / parts).ok() } else { None };
        let value = exact.ok_or_else(|| self.number(expected, ParseNumber::TooFine))?;
        if range.contains(&value) { Ok(value) } else { Err(self.wrong(expected)) }
    }

    /// True for `"off"`.
    pub fn is_off(&self) -> bool {
        self.value.get_ref().as_str() == Some("off")
    }

    /// Counted work: `"40ns"`, `"20us"`, `"2ms"`, `"1s"`.
    pub fn work(&self) -> Result<u64, Fault> {
        let expected = "work such as \"40ns\", \"20us\", \"2ms\" or \"1s\" (1 ns to 3600 s)";
        let text = self.text()?;
        let units = [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];
        let parsed = units.iter().find_map(|(suffix, unit)| {
            let n: u64 = text.strip_suffix(suffix)?.parse().ok()?;
            n.checked_mul(*unit).filter(|ns| (1..=3_600_000_000_000).contains(ns))
        });
        parsed.ok_or_else(|| self.wrong(expected))
    }

    /// A length of time: `"30s"`, `"1m"`, `"15m"`, `"1h"`, `"1d"`.
    pub fn duration(&self) -> Result<Nanos, Fault> {
        let expected = "a length of time such as \"30s\", \"15m\", \"1h\" or \"1d\" (1 s to 366 days)";
        let text = self.text()?;
        let units = [("s", Nanos::SECOND), ("m", Nanos::MINUTE), ("h", Nanos::HOUR), ("d", Nanos::DAY)];
        let parsed = units.iter().find_map(|(suffix, unit)| {
            let n: i64 = text.strip_suffix(suffix)?.parse().ok()?;
            n.checked_mul(unit.0).filter(|ns| (Nanos::SECOND.0..=366 * Nanos::DAY.0).contains(ns)).map(Nanos)
        });
        parsed.ok_or_else(|| self.wrong(expected))
    }

    /// A date: `"2020-01-31"`, or a TOML date.
    pub fn date(&self) -> Result<Date, Fault> {
        let written = match self.value.get_ref() {
            DeValue::Datetime(d) => d.to_string(),
            _ => self.text()?.to_owned(),
        };
        Date::parse(&written).ok_or_else(|| self.wrong("a date such as \"2020-01-31\""))
    }

    /// A currency code.
    pub fn currency(&self) -> Result<Currency, Fault> {
        Currency::parse(self.text()?).ok_or_else(|| self.wrong("a currency code of 1 to 8 capital letters or digits"))
    }
}
