//! The Parquet file of a data set: columns out by row groups, with the manifest in the footer, and in again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};

use super::column::{Column, StoredType, Texts, Values};
use super::error::{DatasetError, io};
use super::manifest::{ColumnInfo, Manifest};
use crate::disk::{Disk, DiskFile};

pub(crate) const MANIFEST_KEY: &str = "tradegraph.dataset";
pub(crate) const SUM_KEY: &str = "tradegraph.dataset.blake3";
/// Rows of a row group: a few MB of columns in memory.
pub(crate) const GROUP_ROWS: usize = 1 << 17;
/// Bytes of text after which a row group ends earlier.
pub(crate) const GROUP_TEXT: usize = 1 << 25;

/// A file that is being written.
pub(crate) struct Writer {
    path: PathBuf,
    file: SerializedFileWriter<Box<dyn DiskFile>>,
    rows: u64,
}

impl Writer {
    /// `exact` says that every price has at most 18 digits.
    pub(crate) fn create(
        disk: &dyn Disk,
        path: &Path,
        columns: &[Column],
        exact: bool,
    ) -> Result<Writer, DatasetError> {
        let file = disk.create(path).map_err(io("written", path))?;
        let made = schema(columns, exact).and_then(|schema| {
            let properties = Arc::new(properties(columns)?);
            SerializedFileWriter::new(file, schema, properties)
        });
        let file = made.map_err(|e| failed(path, e))?;
        Ok(Writer { path: path.to_owned(), file, rows: 0 })
    }

    /// Writes the rows of a group.
    pub(crate) fn group(&mut self, columns: &[Column]) -> Result<(), DatasetError> {
        let rows = columns.first().map_or(0, Column::len);
        if rows == 0 {
            return Ok(());
        }
        self.rows += rows as u64;
        let ones = vec![1_i16; rows];
        let written = self.file.next_row_group().and_then(|mut group| {
            columns.iter().try_for_each(|column| write(&mut group, column, &ones))?;
            group.close()
        });
        written.map(|_| ()).map_err(|e| failed(&self.path, e))
    }

    /// Rows written.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes a footer without a manifest, for files that leave the catalog.
    pub(crate) fn finish_plain(mut self) -> Result<(), DatasetError> {
        let path = self.path.clone();
        self.file.finish().map_err(|e| failed(&path, e))?;
        self.file.inner_mut().sync().map_err(io("written", &path))
    }

    /// Writes the footer with the manifest and waits until all of it is on the disk.
    pub(crate) fn finish(mut self, manifest: &Manifest) -> Result<(), DatasetError> {
        let json =
            serde_json::to_string(manifest).map_err(|e| failed(&self.path, ParquetError::External(Box::new(e))))?;
        let sum = blake3::hash(json.as_bytes()).to_hex().to_string();
        self.file.append_key_value_metadata(KeyValue::new(MANIFEST_KEY.to_owned(), json));
        self.file.append_key_value_metadata(KeyValue::new(SUM_KEY.to_owned(), sum));
        self.finish_plain()
    }
}

/// A failure of the disk is one of the system; everything else is one of the encoder.
fn failed(path: &Path, e: ParquetError) -> DatasetError {
    if let ParquetError::External(inner) = e {
        return match inner.downcast::<std::io::Error>() {
            Ok(source) => DatasetError::Io { doing: "written", path: path.to_owned(), source: *source },
            Err(other) => DatasetError::Encode { path: path.to_owned(), source: ParquetError::External(other) },
        };
    }
    DatasetError::Encode { path: path.to_owned(), source: e }
}

fn schema(columns: &[Column], exact: bool) -> parquet::errors::Result<TypePtr> {
    let field = |column: &Column| -> parquet::errors::Result<TypePtr> {
        let (physical, logical) = match column.kind {
            StoredType::Price if exact => (Physical::INT64, Some(LogicalType::decimal(9, 18))),
            StoredType::Price | StoredType::Integer => (Physical::INT64, None),
            StoredType::Number => (Physical::DOUBLE, None),
            StoredType::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
            StoredType::Date => (Physical::INT32, Some(LogicalType::Date)),
            StoredType::Name | StoredType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let builder = Type::primitive_type_builder(&column.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        let builder = if physical == Physical::INT64 && column.kind == StoredType::Price && exact {
            builder.with_precision(18).with_scale(9)
        } else {
            builder
        };
        Ok(Arc::new(builder.build()?))
    };
    let fields: Result<Vec<TypePtr>, _> = columns.iter().map(field).collect();
    Ok(Arc::new(Type::group_type_builder("rows").with_fields(fields?).build()?))
}

fn properties(columns: &[Column]) -> parquet::errors::Result<WriterProperties> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_data_page_row_count_limit(GROUP_ROWS)
        .set_write_batch_size(1 << 13)
        .set_dictionary_enabled(false);
    for column in columns {
        let path = ColumnPath::from(vec![column.name.to_string()]);
        builder = match column.kind {
            StoredType::Price | StoredType::Integer | StoredType::Time | StoredType::Date => {
                builder.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
            }
            StoredType::Number => builder.set_column_encoding(path, Encoding::BYTE_STREAM_SPLIT),
            StoredType::Name => builder.set_column_dictionary_enabled(path, true),
            StoredType::Text => builder.set_column_compression(path, Compression::ZSTD(ZstdLevel::try_new(3)?)),
        };
    }
    Ok(builder.build())
}

fn write(
    group: &mut SerializedRowGroupWriter<'_, Box<dyn DiskFile>>,
    column: &Column,
    ones: &[i16],
) -> parquet::errors::Result<()> {
    let levels: Vec<i16>;
    let levels = if column.is_complete() {
        ones
    } else {
        levels = column.present.iter().map(|p| i16::from(*p)).collect();
        &levels
    };
    match &column.values {
        Values::Price(v) | Values::Integer(v) | Values::Time(v) => put::<Int64Type>(group, v, column, levels),
        Values::Date(v) => put::<Int32Type>(group, v, column, levels),
        Values::Number(v) => put::<DoubleType>(group, v, column, levels),
        Values::Text(t) => {
            let whole = ByteArray::from(t.bytes().to_vec());
            let mut last: Option<(&[u8], ByteArray)> = None;
            let mut values = Vec::with_capacity(t.len());
            for row in 0..t.len() {
                let text = t.get(row);
                match &last {
                    // Names come in runs: a shared copy needs no new one.
                    Some((same, array)) if *same == text => values.push(array.clone()),
                    _ => {
                        let (start, end) = t.span(row);
                        let array = whole.slice(start, end - start);
                        values.push(array.clone());
                        last = Some((text, array));
                    }
                }
            }
            put::<ByteArrayType>(group, &values, column, levels)
        }
    }
}

fn put<D: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Box<dyn DiskFile>>,
    values: &[D::T],
    column: &Column,
    levels: &[i16],
) -> parquet::errors::Result<()> {
    let Some(mut writer) = group.next_column()? else { return Ok(()) };
    if column.is_complete() {
        writer.typed::<D>().write_batch(values, Some(levels), None)?;
    } else {
        let present: Vec<D::T> =
            values.iter().zip(&column.present).filter(|(_, p)| **p).map(|(v, _)| v.clone()).collect();
        writer.typed::<D>().write_batch(&present, Some(levels), None)?;
    }
    writer.close()
}

/// A file that was written.
pub(crate) struct Table {
    path: PathBuf,
    reader: SerializedFileReader<File>,
}

pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> DatasetError {
    DatasetError::Damaged { path: path.to_owned(), what: what.into() }
}

/// The decoder is not ours and its input may be anything: its panic is a damaged file, not the end of a run.
fn guarded<T>(path: &Path, work: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T, DatasetError> {
    match crate::guard::guarded(work) {
        Some(result) => result.map_err(|e| damaged(path, e.to_string())),
        None => Err(damaged(path, "the decoder gave up")),
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Table {
    /// Opens a file and reads its manifest.
    pub(crate) fn open(path: &Path) -> Result<(Table, Manifest), DatasetError> {
        let file = File::open(path).map_err(io("read", path))?;
        let reader = guarded(path, || SerializedFileReader::new(file))?;
        let pairs = reader.metadata().file_metadata().key_value_metadata();
        let find = |key: &str| pairs.and_then(|p| p.iter().find(|kv| kv.key == key)).and_then(|kv| kv.value.as_deref());
        let (Some(json), Some(sum)) = (find(MANIFEST_KEY), find(SUM_KEY)) else {
            return Err(damaged(path, "it has no manifest; the catalog did not write it"));
        };
        if blake3::hash(json.as_bytes()).to_hex().as_str() != sum {
            return Err(damaged(path, "its manifest was changed"));
        }
        let manifest: Manifest =
            serde_json::from_str(json).map_err(|e| damaged(path, format!("its manifest cannot be read: {e}")))?;
        if manifest.version != super::VERSION {
            return Err(damaged(path, "it was written by another version"));
        }
        let columns = reader.metadata().file_metadata().schema_descr().columns();
        let same = columns.len() == manifest.columns.len()
            && columns.iter().zip(&manifest.columns).all(|(c, m)| c.name() == m.name);
        if !same {
            return Err(damaged(path, "its columns are not those of its manifest"));
        }
        Ok((Table { path: path.to_owned(), reader }, manifest))
    }

    pub(crate) fn groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    /// Columns of a row group, in the order asked for.
    pub(crate) fn group(&self, group: usize, columns: &[(usize, &ColumnInfo)]) -> Result<Vec<Column>, DatasetError> {
        let path = &self.path;
        let group = guarded(path, || self.reader.get_row_group(group))?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
        let mut found = Vec::with_capacity(columns.len());
        for (at, info) in columns {
            let column = guarded(path, || {
                let reader = group.get_column_reader(*at)?;
                let mut column = Column::new(&info.name, info.kind);
                read(reader, rows, &mut column)?;
                Ok(column)
            })?;
            if column.len() != rows {
                return Err(damaged(path, format!("column '{}' is too short", info.name)));
            }
            found.push(column);
        }
        Ok(found)
    }
}

fn read(reader: ColumnReader, rows: usize, column: &mut Column) -> parquet::errors::Result<()> {
    let Column { values, present, .. } = column;
    match (reader, values) {
        (ColumnReader::Int64ColumnReader(r), Values::Price(v) | Values::Integer(v) | Values::Time(v)) => {
            (*v, *present) = spread(r, rows)?;
        }
        (ColumnReader::Int32ColumnReader(r), Values::Date(v)) => (*v, *present) = spread(r, rows)?,
        (ColumnReader::DoubleColumnReader(r), Values::Number(v)) => (*v, *present) = spread(r, rows)?,
        (ColumnReader::ByteArrayColumnReader(r), Values::Text(t)) => {
            let (arrays, mask) = spread::<ByteArrayType>(r, rows)?;
            let mut texts = Texts::default();
            for (row, array) in arrays.iter().enumerate() {
                let there = mask.is_empty() || mask.get(row).copied().unwrap_or_default();
                let bytes = if there { array.data() } else { b"" };
                std::str::from_utf8(bytes).map_err(|e| ParquetError::General(format!("a text is not UTF-8: {e}")))?;
                texts.push(bytes);
            }
            (*t, *present) = (texts, mask);
        }
        _ => return Err(ParquetError::General("a column has another type than its manifest says".to_owned())),
    }
    Ok(())
}

/// The values of a column with zero where there is none, and the mask of those.
fn spread<D: DataType>(
    mut reader: ColumnReaderImpl<D>,
    rows: usize,
) -> parquet::errors::Result<(Vec<D::T>, Vec<bool>)> {
    let mut values = Vec::with_capacity(rows);
    let mut levels: Vec<i16> = Vec::with_capacity(rows);
    let mut done = 0;
    while done < rows {
        let (n, _, _) = reader.read_records(rows - done, Some(&mut levels), None, &mut values)?;
        if n == 0 {
            break;
        }
        done += n;
    }
    if values.len() >= rows || levels.is_empty() {
        return Ok((values, Vec::new()));
    }
    let mut there = values.into_iter();
    let present: Vec<bool> = levels.iter().map(|l| *l != 0).collect();
    let all = present.iter().map(|p| if *p { there.next().unwrap_or_default() } else { D::T::default() }).collect();
    Ok((all, present))
}
