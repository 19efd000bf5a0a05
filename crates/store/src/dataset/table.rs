//! A table of a report as Parquet, for notebooks.

use std::path::Path;

use super::column::{Column, StoredType, Values};
use super::error::DatasetError;
use super::export::whole;
use super::file::{GROUP_ROWS, Writer};
use crate::disk::FileSystem;

/// One column, a value a row; all columns of a table have the same number of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum TableColumn {
    /// Doubles.
    Number(Vec<f64>),
    /// Whole numbers.
    Integer(Vec<i64>),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// Nanoseconds since 1970 UTC.
    Time(Vec<i64>),
    /// Texts, few different ones.
    Name(Vec<String>),
}

impl TableColumn {
    fn column(&self, name: &str, rows: std::ops::Range<usize>) -> Column {
        fn part<T: Clone>(values: &[T], rows: std::ops::Range<usize>) -> Vec<T> {
            values.get(rows).unwrap_or_default().to_vec()
        }
        let (kind, values) = match self {
            TableColumn::Number(v) => (StoredType::Number, Values::Number(part(v, rows))),
            TableColumn::Integer(v) => (StoredType::Integer, Values::Integer(part(v, rows))),
            TableColumn::Date(v) => (StoredType::Date, Values::Date(part(v, rows))),
            TableColumn::Time(v) => (StoredType::Time, Values::Time(part(v, rows))),
            TableColumn::Name(v) => {
                let mut column = Column::new(name, StoredType::Name);
                if let Values::Text(texts) = &mut column.values {
                    v.get(rows).unwrap_or_default().iter().for_each(|t| texts.push(t.as_bytes()));
                }
                return column;
            }
        };
        Column { name: name.into(), kind, values, present: vec![] }
    }

    fn len(&self) -> usize {
        match self {
            TableColumn::Number(v) => v.len(),
            TableColumn::Integer(v) | TableColumn::Time(v) => v.len(),
            TableColumn::Date(v) => v.len(),
            TableColumn::Name(v) => v.len(),
        }
    }
}

/// Writes a table as Parquet to a file, completely or not at all. Rows are those of the shortest column.
///
/// # Errors
/// `DatasetError::Io` or `Encode` naming the file.
pub fn write_parquet(path: &Path, columns: &[(&str, TableColumn)]) -> Result<(), DatasetError> {
    let rows = columns.iter().map(|(_, c)| c.len()).min().unwrap_or_default();
    let part = |rows: std::ops::Range<usize>| -> Vec<Column> {
        columns.iter().map(|(name, c)| c.column(name, rows.clone())).collect()
    };
    whole(path, |temporary| {
        let mut writer = Writer::create(&FileSystem, temporary, &part(0..0), true)?;
        for from in (0..rows).step_by(GROUP_ROWS) {
            writer.group(&part(from..rows.min(from + GROUP_ROWS)))?;
        }
        writer.finish_plain()
    })
}
