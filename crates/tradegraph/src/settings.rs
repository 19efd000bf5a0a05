//! Keys of a mandate set from the command line.

use crate::failure::{Failure, Kind};

/// Sets a key, a path as `allocator.band`; what is no TOML value is a text.
pub fn set(table: &mut toml::Table, key: &str, value: &str) -> Result<(), Failure> {
    let value = value.trim();
    let parsed = format!("v = {value}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("v"));
    let mut at = table;
    let mut path: Vec<&str> = key.trim().split('.').collect();
    let last = path.pop().unwrap_or_default();
    for part in path {
        let next = at.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        at = next.as_table_mut().ok_or_else(|| {
            let what = format!("'{part}' of '{key}' is no table of the mandate");
            Failure::new(Kind::Input, what).next("docs/mandate.md names every key")
        })?;
    }
    at.insert(last.to_owned(), parsed.unwrap_or_else(|| toml::Value::String(value.to_owned())));
    Ok(())
}
