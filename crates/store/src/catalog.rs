//! The catalog: batches as Parquet files, each named by the hash of its content.
//!
//! A file is a table that notebooks read (`symbol, start, end, open, high, low, close, volume, status`, one line a
//! cell, empty where there is no bar; prices are decimals with nine places) with the specification as JSON in the
//! file's key-value metadata. What is read is hashed again: a damaged file is an error, never another batch.
//! Left out: parts of a batch (a run reads it whole), and deleting.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};
use tradegraph_columns::Status;
use tradegraph_domain::{BarPeriod, BarSpec, Basis, Nanos, Timestamp};
use tradegraph_market::quality::Marks;
use tradegraph_market::{Batch, BatchId, BatchParts};

use crate::disk::{Disk, FileSystem, replace};

/// What a batch does not know of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchMeta {
    /// Instruments by position.
    pub symbols: Vec<String>,
    /// Name of the calendar whose sessions the bars are.
    pub calendar: String,
    /// Where the bars came from, for people.
    pub source: String,
}

/// One file of the catalog, without its bars.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogEntry {
    /// Hash of the content and name of the file.
    pub id: BatchId,
    /// Names and origin.
    pub meta: BatchMeta,
    /// What a row is.
    pub spec: BarSpec,
    /// Rows of bars.
    pub rows: usize,
    /// Start of the first row.
    pub from: Timestamp,
    /// End of the last row.
    pub to: Timestamp,
    /// Size of the file.
    pub bytes: u64,
}

/// Why the catalog could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The system refused.
    #[error("{}: the file cannot be {doing}: {source}", path.display())]
    Io {
        /// `written` or `read`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No file for this batch.
    #[error("batch {id} is not in the catalog {}; import its source again", folder.display())]
    NotFound {
        /// The batch.
        id: BatchId,
        /// The folder searched.
        folder: PathBuf,
    },
    /// The file is not what was written.
    #[error("{}: the file is damaged ({what}); delete it and import its source again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: &'static str,
        /// What the reader says.
        source: Option<parquet::errors::ParquetError>,
    },
    /// The batch could not be encoded.
    #[error("{}: the file cannot be written: {source}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// Names for more or fewer instruments.
    #[error("{names} names were given for a batch of {width} instruments")]
    Names {
        /// Names given.
        names: usize,
        /// Instruments of the batch.
        width: usize,
    },
}

/// The folder `catalog` of a home. Files are never changed in place, so any number of processes may read and write.
#[derive(Clone, Debug)]
pub struct Catalog {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
}

/// The specification as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    id: String,
    /// 0 for sessions.
    period_ns: i64,
    basis: String,
    has_open: bool,
    has_volume: bool,
    /// Files of version 1 have none.
    #[serde(default)]
    has_marks: bool,
    rows: usize,
    width: usize,
    from_ns: i64,
    to_ns: i64,
    #[serde(flatten)]
    meta: BatchMeta,
}

/// Version 2 may have a column of quality marks.
const VERSION: u32 = 2;
const SPEC_KEY: &str = "tradegraph.batch";
const SUM_KEY: &str = "tradegraph.batch.blake3";
/// Cells of a row group: about 10 MB of columns in memory.
const GROUP_CELLS: usize = 1 << 18;

impl Catalog {
    /// The catalog of a home; makes the folder if it is missing.
    ///
    /// # Errors
    /// `CatalogError::Io` if the folder cannot be made.
    pub fn open(home: &Path) -> Result<Catalog, CatalogError> {
        Catalog::open_on(home, Arc::new(FileSystem))
    }

    /// As `open`, on a disk of one's own.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_on(home: &Path, disk: Arc<dyn Disk>) -> Result<Catalog, CatalogError> {
        let folder = home.join("catalog");
        disk.make_folders(&folder).map_err(|source| CatalogError::Io {
            doing: "written",
            path: folder.clone(),
            source,
        })?;
        Ok(Catalog { folder, disk })
    }

    /// The data sets beside the batches.
    #[must_use]
    pub fn datasets(&self) -> crate::dataset::Datasets {
        crate::dataset::Datasets::of(&self.folder, self.disk.clone())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// The file of a batch.
    #[must_use]
    pub fn path(&self, id: BatchId) -> PathBuf {
        self.folder.join(format!("{id}.parquet"))
    }

    /// Stores a batch. A good file with the same names is left as it is; with other names, or damaged, it is replaced.
    ///
    /// # Errors
    /// `CatalogError` if it cannot be written; an earlier file is then unchanged.
    pub fn put(&self, batch: &Batch, meta: &BatchMeta) -> Result<BatchId, CatalogError> {
        if meta.symbols.len() != batch.width() {
            return Err(CatalogError::Names { names: meta.symbols.len(), width: batch.width() });
        }
        let path = self.path(batch.id());
        if self.get(batch.id()).is_ok_and(|(_, stored)| stored == *meta) {
            return Ok(batch.id());
        }
        let io = |source| CatalogError::Io { doing: "written", path: path.clone(), source };
        replace(self.disk(), &path, io, |file| {
            write(batch, meta, file).map_err(|source| CatalogError::Encode { path: path.clone(), source })
        })?;
        Ok(batch.id())
    }

    /// Reads a batch and checks its content against its name.
    ///
    /// # Errors
    /// `CatalogError::NotFound`, `Damaged` or `Io`, naming the file.
    pub fn get(&self, id: BatchId) -> Result<(Batch, BatchMeta), CatalogError> {
        let path = self.path(id);
        self.guarded(&path, id, |reader| {
            let stored = specification(reader, &path)?;
            let batch = read(reader, &stored, &path)?;
            if batch.id() != id || stored.id != id.to_string() {
                return Err(damaged(&path, "its content is not what its name says"));
            }
            Ok((batch, stored.meta))
        })
    }

    /// What is known of a batch without reading its bars.
    ///
    /// # Errors
    /// `CatalogError::NotFound`, `Damaged` or `Io`, naming the file.
    pub fn entry(&self, id: BatchId) -> Result<CatalogEntry, CatalogError> {
        let path = self.path(id);
        let bytes = fs::metadata(&path).map(|m| m.len()).unwrap_or_default();
        self.guarded(&path, id, |reader| {
            let stored = specification(reader, &path)?;
            let spec = stored.spec().ok_or_else(|| damaged(&path, "its specification"))?;
            let (from, to) = (Timestamp(stored.from_ns), Timestamp(stored.to_ns));
            Ok(CatalogEntry { id, meta: stored.meta, spec, rows: stored.rows, from, to, bytes })
        })
    }

    /// All batches, by id; a damaged file is an error in its place.
    ///
    /// # Errors
    /// `CatalogError::Io` if the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Result<CatalogEntry, CatalogError>>, CatalogError> {
        let io = |source| CatalogError::Io { doing: "read", path: self.folder.clone(), source };
        let mut ids = Vec::new();
        for file in fs::read_dir(&self.folder).map_err(io)? {
            let name = file.map_err(io)?.file_name();
            ids.extend(name.to_str().and_then(|n| n.strip_suffix(".parquet")).and_then(parse_id));
        }
        ids.sort_unstable();
        Ok(ids.into_iter().map(|id| self.entry(id)).collect())
    }

    fn guarded<T>(
        &self,
        path: &Path,
        id: BatchId,
        work: impl FnOnce(&SerializedFileReader<File>) -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        let file = File::open(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => CatalogError::NotFound { id, folder: self.folder.clone() },
            _ => CatalogError::Io { doing: "read", path: path.to_owned(), source },
        })?;
        // The decoder is not ours and its input may be anything: its panic is a damaged file, not the end of a run.
        let outcome = crate::guard::guarded(|| {
            let reader = SerializedFileReader::new(file).map_err(|e| unreadable(path, e))?;
            work(&reader)
        });
        outcome.unwrap_or_else(|| Err(damaged(path, "the decoder gave up")))
    }
}

/// The batch id that 64 hexadecimal digits name.
#[must_use]
pub fn parse_id(text: &str) -> Option<BatchId> {
    let mut id = [0_u8; 32];
    if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (byte, at) in id.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(BatchId(id))
}

fn damaged(path: &Path, what: &'static str) -> CatalogError {
    CatalogError::Damaged { path: path.to_owned(), what, source: None }
}

fn unreadable(path: &Path, source: parquet::errors::ParquetError) -> CatalogError {
    CatalogError::Damaged {
        path: path.to_owned(),
        what: "it is no Parquet file that can be read",
        source: Some(source),
    }
}

impl Stored {
    fn spec(&self) -> Option<BarSpec> {
        let basis = Basis::ALL.iter().find(|(_, name)| *name == self.basis)?.0;
        let period = match self.period_ns {
            0 => BarPeriod::Session,
            n => BarPeriod::Fixed(Nanos(n)),
        };
        Some(BarSpec { period, basis, has_open: self.has_open })
    }
}

fn properties(batch: &Batch, meta: &BatchMeta) -> parquet::errors::Result<WriterProperties> {
    let parts = batch.parts();
    let stored = Stored {
        version: VERSION,
        id: batch.id().to_string(),
        period_ns: match parts.spec.period {
            BarPeriod::Session => 0,
            BarPeriod::Fixed(n) => n.0,
        },
        basis: parts.spec.basis.name().to_owned(),
        has_open: parts.spec.has_open,
        has_volume: !parts.volume.is_empty(),
        has_marks: !batch.all_marks().is_empty(),
        rows: batch.rows(),
        width: batch.width(),
        from_ns: parts.starts.first().map_or(0, |t| t.0),
        to_ns: parts.ends.last().map_or(0, |t| t.0),
        meta: meta.clone(),
    };
    let json = serde_json::to_string(&stored).map_err(|e| parquet::errors::ParquetError::External(Box::new(e)))?;
    let sum = blake3::hash(json.as_bytes()).to_hex().to_string();
    let column = |name: &str| ColumnPath::from(name);
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_dictionary_enabled(false)
        .set_column_dictionary_enabled(column("symbol"), true)
        .set_column_encoding(column("start"), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding(column("end"), Encoding::DELTA_BINARY_PACKED)
        .set_key_value_metadata(Some(vec![
            KeyValue::new(SPEC_KEY.to_owned(), json),
            KeyValue::new(SUM_KEY.to_owned(), sum),
        ]))
        .build())
}

fn write(batch: &Batch, meta: &BatchMeta, to: &mut (impl Write + Send)) -> parquet::errors::Result<()> {
    let parts = batch.parts();
    // A decimal of 64 bits has at most 18 digits; a batch with a larger price stores plain integers.
    let wide = |column: &Vec<i64>| column.iter().any(|v| v.unsigned_abs() >= 1_000_000_000_000_000_000);
    let decimal = if [&parts.open, &parts.high, &parts.low, &parts.close].into_iter().any(wide) {
        ""
    } else {
        " (DECIMAL(18,9))"
    };
    let mut schema =
        "message bars { REQUIRED BYTE_ARRAY symbol (STRING); REQUIRED INT64 start (TIMESTAMP(NANOS,true)); \
        REQUIRED INT64 end (TIMESTAMP(NANOS,true)); "
            .to_owned();
    let prices: &[(&str, &[i64])] = if parts.spec.has_open {
        &[("open", &parts.open), ("high", &parts.high), ("low", &parts.low), ("close", &parts.close)]
    } else {
        &[("close", &parts.close)]
    };
    for (name, _) in prices {
        schema += &format!("OPTIONAL INT64 {name}{decimal}; ");
    }
    if !parts.volume.is_empty() {
        schema += "OPTIONAL DOUBLE volume; ";
    }
    schema += "REQUIRED INT32 status (INTEGER(8,false)); ";
    if !batch.all_marks().is_empty() {
        schema += "REQUIRED INT32 marks (INTEGER(32,false)); ";
    }
    schema += "}";
    let schema = Arc::new(parse_message_type(&schema)?);
    let mut writer = SerializedFileWriter::new(to, schema, Arc::new(properties(batch, meta)?))?;
    let width = batch.width();
    let names: Vec<ByteArray> = meta.symbols.iter().map(|s| ByteArray::from(s.as_str())).collect();
    let rows_of_group = (GROUP_CELLS / width).max(1);
    for from in (0..batch.rows()).step_by(rows_of_group) {
        let to = (from + rows_of_group).min(batch.rows());
        let cells = from * width..to * width;
        let status = &parts.status[cells.clone()];
        let levels: Vec<i16> = status.iter().map(|s| i16::from(*s == Status::Ok)).collect();
        let mut group = writer.next_row_group()?;
        let symbols: Vec<ByteArray> = (from..to).flat_map(|_| names.iter().cloned()).collect();
        column::<parquet::data_type::ByteArrayType>(&mut group, &symbols, None)?;
        for stamps in [&parts.starts, &parts.ends] {
            let repeated: Vec<i64> = stamps[from..to].iter().flat_map(|t| std::iter::repeat_n(t.0, width)).collect();
            column::<parquet::data_type::Int64Type>(&mut group, &repeated, None)?;
        }
        for (_, values) in prices {
            let present = present(&values[cells.clone()], status);
            column::<parquet::data_type::Int64Type>(&mut group, &present, Some(&levels))?;
        }
        if !parts.volume.is_empty() {
            let present = present(&parts.volume[cells.clone()], status);
            column::<parquet::data_type::DoubleType>(&mut group, &present, Some(&levels))?;
        }
        let bytes: Vec<i32> = status.iter().map(|s| i32::from(*s as u8)).collect();
        column::<parquet::data_type::Int32Type>(&mut group, &bytes, None)?;
        if let Some(marks) = batch.all_marks().get(cells) {
            let bits: Vec<i32> = marks.iter().map(|m| m.0.cast_signed()).collect();
            column::<parquet::data_type::Int32Type>(&mut group, &bits, None)?;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

fn present<T: Copy>(values: &[T], status: &[Status]) -> Vec<T> {
    values.iter().zip(status).filter(|(_, s)| **s == Status::Ok).map(|(v, _)| *v).collect()
}

fn column<D: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[D::T],
    levels: Option<&[i16]>,
) -> parquet::errors::Result<()> {
    if let Some(mut column) = group.next_column()? {
        column.typed::<D>().write_batch(values, levels, None)?;
        column.close()?;
    }
    Ok(())
}

fn specification(reader: &SerializedFileReader<File>, path: &Path) -> Result<Stored, CatalogError> {
    let pairs = reader.metadata().file_metadata().key_value_metadata();
    let find = |key: &str| pairs.and_then(|p| p.iter().find(|kv| kv.key == key)).and_then(|kv| kv.value.as_deref());
    let (Some(json), Some(sum)) = (find(SPEC_KEY), find(SUM_KEY)) else {
        return Err(damaged(path, "it has no specification; the catalog did not write it"));
    };
    if blake3::hash(json.as_bytes()).to_hex().as_str() != sum {
        return Err(damaged(path, "its specification was changed"));
    }
    let stored: Stored = serde_json::from_str(json).map_err(|_| damaged(path, "its specification cannot be read"))?;
    if stored.version > VERSION {
        return Err(damaged(path, "it was written by a newer version"));
    }
    if stored.width == 0 || stored.meta.symbols.len() != stored.width {
        return Err(damaged(path, "its names do not fit its width"));
    }
    Ok(stored)
}

fn read(reader: &SerializedFileReader<File>, stored: &Stored, path: &Path) -> Result<Batch, CatalogError> {
    let spec = stored.spec().ok_or_else(|| damaged(path, "its specification"))?;
    let cells = stored.rows.saturating_mul(stored.width);
    let found: i64 = reader.metadata().row_groups().iter().map(|g| g.num_rows()).sum();
    if usize::try_from(found) != Ok(cells) {
        return Err(damaged(path, "it has another number of rows"));
    }
    let mut starts = Vec::new();
    let mut ends = Vec::new();
    let mut prices: Vec<Vec<i64>> = vec![Vec::new(); if spec.has_open { 4 } else { 1 }];
    let mut volume = Vec::new();
    let mut status = Vec::new();
    let mut marks = Vec::new();
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(|e| unreadable(path, e))?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
        let group = &*group;
        starts.extend(int64(group, 1, rows, path)?);
        ends.extend(int64(group, 2, rows, path)?);
        for (at, values) in prices.iter_mut().enumerate() {
            values.extend(int64(group, 3 + at, rows, path)?);
        }
        let mut next = 3 + prices.len();
        if stored.has_volume {
            match group.get_column_reader(next).map_err(|e| unreadable(path, e))? {
                ColumnReader::DoubleColumnReader(reader) => volume.extend(spread(reader, rows, 0.0, path)?),
                _ => return Err(damaged(path, "a column has another type")),
            }
            next += 1;
        }
        match group.get_column_reader(next).map_err(|e| unreadable(path, e))? {
            ColumnReader::Int32ColumnReader(reader) => {
                for byte in spread(reader, rows, -1, path)? {
                    let known = u8::try_from(byte).ok().and_then(Status::from_byte);
                    status.push(known.ok_or_else(|| damaged(path, "a status is none that exists"))?);
                }
            }
            _ => return Err(damaged(path, "a column has another type")),
        }
        if stored.has_marks {
            match group.get_column_reader(next + 1).map_err(|e| unreadable(path, e))? {
                ColumnReader::Int32ColumnReader(reader) => {
                    marks.extend(spread(reader, rows, 0, path)?.into_iter().map(|bits| Marks(bits.cast_unsigned())));
                }
                _ => return Err(damaged(path, "a column has another type")),
            }
        }
    }
    let stamp = |v: Vec<i64>| v.into_iter().step_by(stored.width).map(Timestamp).collect();
    let close = prices.pop().unwrap_or_default();
    let mut prices = prices.into_iter();
    let mut next = || prices.next().unwrap_or_default();
    let parts = BatchParts {
        spec,
        width: stored.width,
        starts: stamp(starts),
        ends: stamp(ends),
        open: next(),
        high: next(),
        low: next(),
        close,
        volume,
        status,
    };
    let batch = Batch::new(parts);
    let batch = if stored.has_marks { batch.and_then(|b| b.with_marks(marks)) } else { batch };
    batch.map_err(|_| damaged(path, "its rows do not make a batch"))
}

fn int64(group: &dyn RowGroupReader, at: usize, rows: usize, path: &Path) -> Result<Vec<i64>, CatalogError> {
    match group.get_column_reader(at).map_err(|e| unreadable(path, e))? {
        ColumnReader::Int64ColumnReader(reader) => spread(reader, rows, 0, path),
        _ => Err(damaged(path, "a column has another type")),
    }
}

/// The values of a column with `missing` where there is none.
fn spread<D: DataType>(
    mut reader: ColumnReaderImpl<D>,
    rows: usize,
    missing: D::T,
    path: &Path,
) -> Result<Vec<D::T>, CatalogError> {
    let mut values = Vec::new();
    let mut levels = Vec::new();
    let mut read = 0;
    while read < rows {
        let (n, _, _) =
            reader.read_records(rows - read, Some(&mut levels), None, &mut values).map_err(|e| unreadable(path, e))?;
        if n == 0 {
            break;
        }
        read += n;
    }
    let short = || damaged(path, "a column is too short");
    if levels.is_empty() {
        return if values.len() == rows { Ok(values) } else { Err(short()) };
    }
    let mut present = values.into_iter();
    let all: Option<Vec<D::T>> =
        levels.iter().map(|l| if *l == 0 { Some(missing.clone()) } else { present.next() }).collect();
    all.filter(|v| v.len() == rows).ok_or_else(short)
}
