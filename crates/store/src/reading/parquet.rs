//! Parquet files of others (pandas, polars, Spark, DuckDB), column by column in batches, without arrow.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::{SourceError, Value};

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Bool,
    Integer,
    /// Integers of 64 bits without a sign.
    Unsigned,
    Float,
    /// Integer × 10^-scale.
    Decimal(u32),
    Date,
    /// Units in a nanosecond count, and whether they are UTC.
    Stamp {
        nanos: i64,
        utc: bool,
    },
    Text,
}

/// One column of a batch: the values that are there, and where there are none.
#[derive(Debug)]
pub(crate) struct RawColumn {
    meaning: Meaning,
    values: Values,
    /// Index into `values` of each row, `MISSING` where there is none; empty if every row has one.
    at: Vec<u32>,
}

const MISSING: u32 = u32::MAX;

#[derive(Debug)]
enum Values {
    Bool(Vec<bool>),
    Int(Vec<i64>),
    Float32(Vec<f32>),
    Float(Vec<f64>),
    Bytes(Vec<ByteArray>),
}

impl RawColumn {
    #[inline]
    pub(crate) fn value(&self, row: usize) -> Value<'_> {
        let at = if self.at.is_empty() { row } else { self.at.get(row).map_or(usize::MAX, |a| *a as usize) };
        match &self.values {
            Values::Bool(v) => v.get(at).map_or(Value::Missing, |b| Value::Text(if *b { b"true" } else { b"false" })),
            Values::Float32(v) => v.get(at).map_or(Value::Missing, |f| Value::Float32(*f)),
            Values::Float(v) => v.get(at).map_or(Value::Missing, |f| Value::Float(*f)),
            Values::Int(v) => match (v.get(at), self.meaning) {
                (None, _) => Value::Missing,
                (Some(n), Meaning::Decimal(scale)) => Value::Decimal(i128::from(*n), scale),
                (Some(n), Meaning::Date) => Value::Date(*n),
                (Some(n), Meaning::Stamp { nanos, utc }) => Value::Stamp { units: *n, nanos, utc },
                (Some(n), Meaning::Unsigned) => Value::Decimal(i128::from(*n as u64), 0),
                (Some(n), _) => Value::Integer(*n),
            },
            Values::Bytes(v) => match (v.get(at), self.meaning) {
                (None, _) => Value::Missing,
                (Some(b), Meaning::Decimal(scale)) => {
                    big_endian(b.data()).map_or(Value::Text(b.data()), |n| Value::Decimal(n, scale))
                }
                (Some(b), _) => Value::Text(b.data()),
            },
        }
    }
}

/// A two's complement number of at most 16 bytes, the largest byte first.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let fill = if bytes.first()? & 0x80 == 0 { 0 } else { 0xFF };
    let mut wide = [fill; 16];
    let start = 16_usize.checked_sub(bytes.len())?;
    wide.get_mut(start..)?.copy_from_slice(bytes);
    Some(i128::from_be_bytes(wide))
}

/// An open file and how far it was read.
pub(crate) struct Table {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    columns: Vec<(usize, Meaning)>,
    pub names: Vec<String>,
    group: usize,
    open: Vec<ColumnReader>,
    left: usize,
    pub rows: u64,
}

/// Rows of a batch.
const BATCH: usize = 1 << 16;

impl Table {
    /// Opens a file; columns named in `ignore` may be of any type.
    pub(crate) fn open(path: &Path, ignore: &[String]) -> Result<Table, SourceError> {
        let file = File::open(path).map_err(|source| SourceError::Read { path: path.to_owned(), source })?;
        let reader = guarded(path, || SerializedFileReader::new(file))?;
        let mut columns = Vec::new();
        let mut names = Vec::new();
        let metadata = reader.metadata().file_metadata();
        let schema = metadata.schema_descr();
        for root in schema.root_schema().get_fields().iter().filter(|f| f.is_group()) {
            if !ignore.iter().any(|i| i == root.name()) {
                let (column, what) = (root.name().to_owned(), "nested".to_owned());
                return Err(SourceError::Column { path: path.to_owned(), column, what });
            }
        }
        for (at, column) in schema.columns().iter().enumerate() {
            if column.path().parts().len() > 1 || ignore.iter().any(|i| i == column.name()) {
                continue;
            }
            let refuse =
                |what: String| SourceError::Column { path: path.to_owned(), column: column.name().to_owned(), what };
            if column.max_rep_level() > 0 {
                return Err(refuse("a list".to_owned()));
            }
            columns.push((at, meaning(column).map_err(refuse)?));
            names.push(column.name().to_owned());
        }
        let rows = u64::try_from(metadata.num_rows()).unwrap_or_default();
        let path = path.to_owned();
        Ok(Table { path, reader, columns, names, group: 0, open: Vec::new(), left: 0, rows })
    }

    /// Starts from the first row again.
    pub(crate) fn rewind(&mut self) {
        (self.group, self.left) = (0, 0);
        self.open.clear();
    }

    /// The next rows; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, Vec<RawColumn>)>, SourceError> {
        let path = self.path.clone();
        while self.left == 0 {
            if self.group == self.reader.num_row_groups() {
                return Ok(None);
            }
            let (reader, columns, group) = (&self.reader, &self.columns, self.group);
            (self.left, self.open) = guarded(&path, || {
                let group = reader.get_row_group(group)?;
                let rows = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
                let open: Result<Vec<_>, _> = columns.iter().map(|(at, _)| group.get_column_reader(*at)).collect();
                Ok((rows, open?))
            })?;
            self.group += 1;
        }
        let rows = self.left.min(BATCH);
        let mut batch = Vec::with_capacity(self.columns.len());
        for ((_, meaning), reader) in self.columns.iter().zip(&mut self.open) {
            let column = guarded(&path, || read(reader, rows, *meaning))?;
            let n = if column.at.is_empty() { column.values.len() } else { column.at.len() };
            if n != rows {
                let what = "a column has fewer rows than the file says".to_owned();
                return Err(SourceError::Parquet { path, what });
            }
            batch.push(column);
        }
        self.left -= rows;
        Ok(Some((rows, batch)))
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Values::Bool(v) => v.len(),
            Values::Int(v) => v.len(),
            Values::Float32(v) => v.len(),
            Values::Float(v) => v.len(),
            Values::Bytes(v) => v.len(),
        }
    }
}

/// The decoder is not ours and its input may be anything: its panic is a damaged file, not the end of the program.
fn guarded<T>(path: &Path, work: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T, SourceError> {
    let fault = |what: String| SourceError::Parquet { path: path.to_owned(), what };
    match crate::guard::guarded(work) {
        Some(result) => result.map_err(|e| fault(e.to_string())),
        None => Err(fault("the decoder gave up: the file is damaged".to_owned())),
    }
}

fn read(reader: &mut ColumnReader, rows: usize, meaning: Meaning) -> parquet::errors::Result<RawColumn> {
    let (values, at) = match reader {
        ColumnReader::BoolColumnReader(r) => values(r, rows, Values::Bool)?,
        ColumnReader::Int32ColumnReader(r) => values(r, rows, |v: Vec<i32>| {
            let wide = v.into_iter().map(i64::from);
            Values::Int(if meaning == Meaning::Unsigned {
                wide.map(|n| n & 0xFFFF_FFFF).collect()
            } else {
                wide.collect()
            })
        })?,
        ColumnReader::Int64ColumnReader(r) => values(r, rows, Values::Int)?,
        ColumnReader::Int96ColumnReader(r) => {
            values(r, rows, |v: Vec<parquet::data_type::Int96>| Values::Int(v.iter().map(int96).collect()))?
        }
        ColumnReader::FloatColumnReader(r) => values(r, rows, Values::Float32)?,
        ColumnReader::DoubleColumnReader(r) => values(r, rows, Values::Float)?,
        ColumnReader::ByteArrayColumnReader(r) => values(r, rows, Values::Bytes)?,
        ColumnReader::FixedLenByteArrayColumnReader(r) => {
            values(r, rows, |v: Vec<parquet::data_type::FixedLenByteArray>| {
                Values::Bytes(v.into_iter().map(Into::into).collect())
            })?
        }
    };
    Ok(RawColumn { meaning, values, at })
}

/// Nanoseconds of day and Julian day. A day outside the years of a timestamp saturates and is refused later.
fn int96(stamp: &parquet::data_type::Int96) -> i64 {
    let &[low, high, day] = stamp.data() else { return i64::MAX };
    let nanos = i128::from(u64::from(low) | u64::from(high) << 32);
    let total = (i128::from(day) - 2_440_588) * 86_400_000_000_000 + nanos;
    i64::try_from(total).unwrap_or(i64::MAX)
}

fn values<D: DataType>(
    reader: &mut ColumnReaderImpl<D>,
    rows: usize,
    wrap: impl FnOnce(Vec<D::T>) -> Values,
) -> parquet::errors::Result<(Values, Vec<u32>)> {
    let mut values = Vec::with_capacity(rows);
    let mut levels: Vec<i16> = Vec::new();
    let mut done = 0;
    while done < rows {
        let (n, _, _) = reader.read_records(rows - done, Some(&mut levels), None, &mut values)?;
        if n == 0 {
            break;
        }
        done += n;
    }
    let mut next = 0;
    let mut at = Vec::new();
    if !levels.is_empty() && values.len() < levels.len() {
        at.reserve(levels.len());
        for level in &levels {
            at.push(if *level == 0 { MISSING } else { next });
            next += u32::from(*level != 0);
        }
    }
    Ok((wrap(values), at))
}

fn meaning(column: &ColumnDescriptor) -> Result<Meaning, String> {
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => 1_000_000,
        TimeUnit::MICROS => 1_000,
        TimeUnit::NANOS => 1,
    };
    let scale = u32::try_from(column.type_scale()).unwrap_or_default();
    let refuse = || {
        let logical = column.logical_type_ref().map(|l| format!(" {l:?}")).unwrap_or_default();
        format!("of type {:?}{logical}, which is not read", column.physical_type())
    };
    let decimal = column.converted_type() == ConvertedType::DECIMAL
        || matches!(column.logical_type_ref(), Some(LogicalType::Decimal(_)));
    match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
        (Physical::BOOLEAN, _, _) => Ok(Meaning::Bool),
        (Physical::FLOAT | Physical::DOUBLE, _, _) => Ok(Meaning::Float),
        (Physical::INT96, _, _) => Ok(Meaning::Stamp { nanos: 1, utc: true }),
        (Physical::INT32 | Physical::INT64 | Physical::BYTE_ARRAY, _, _) if decimal => Ok(Meaning::Decimal(scale)),
        (Physical::FIXED_LEN_BYTE_ARRAY, _, _) if decimal && column.type_length() <= 16 => Ok(Meaning::Decimal(scale)),
        (Physical::FIXED_LEN_BYTE_ARRAY, _, _) => Err(refuse()),
        (_, Some(LogicalType::Timestamp(t)), _) => {
            Ok(Meaning::Stamp { nanos: unit(&t.unit), utc: t.is_adjusted_to_u_t_c })
        }
        (_, Some(LogicalType::Date), _) | (_, _, ConvertedType::DATE) => Ok(Meaning::Date),
        (_, Some(LogicalType::Time(_)), _) => Err(refuse()),
        (_, _, ConvertedType::TIMESTAMP_MILLIS) => Ok(Meaning::Stamp { nanos: 1_000_000, utc: true }),
        (_, _, ConvertedType::TIMESTAMP_MICROS) => Ok(Meaning::Stamp { nanos: 1_000, utc: true }),
        (Physical::INT32 | Physical::INT64, Some(LogicalType::Integer(i)), _) if !i.is_signed => Ok(Meaning::Unsigned),
        (Physical::INT32 | Physical::INT64, _, ConvertedType::UINT_64 | ConvertedType::UINT_32) => {
            Ok(Meaning::Unsigned)
        }
        (Physical::INT32 | Physical::INT64, _, _) => Ok(Meaning::Integer),
        (Physical::BYTE_ARRAY, _, _) => Ok(Meaning::Text),
    }
}
