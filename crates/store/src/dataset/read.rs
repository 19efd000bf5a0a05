//! Reading a data set: row group by row group, the columns asked for, all rows or those known at a moment.

use tradegraph_domain::Timestamp;

use super::Dataset;
use super::column::{Column, ColumnHash};
use super::error::DatasetError;
use super::manifest::{ColumnInfo, Role, content_id};

/// Some rows of a data set.
#[derive(Clone, Debug)]
pub struct Chunk {
    rows: usize,
    columns: Vec<Column>,
}

impl Chunk {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, in the order asked for.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of a name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| &*c.name == name)
    }

    /// The columns themselves.
    #[must_use]
    pub fn into_columns(self) -> Vec<Column> {
        self.columns
    }
}

/// Chunks of a data set in the order of its source.
#[derive(Debug)]
pub struct Chunks<'a> {
    dataset: &'a Dataset,
    columns: Vec<(usize, &'a ColumnInfo)>,
    /// Rows known later are left out; the column of that time is the last one and not handed over unless asked for.
    until: Option<(Timestamp, bool)>,
    next: usize,
}

impl Iterator for Chunks<'_> {
    type Item = Result<Chunk, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.dataset.table.groups() {
            return None;
        }
        let columns = self.dataset.table.group(self.next, &self.columns);
        self.next += 1;
        Some(columns.map(|mut columns| {
            if let Some((until, keep)) = self.until {
                let later: Vec<bool> = match columns.last() {
                    Some(known) => (0..known.len()).map(|row| known.time(row).is_none_or(|t| t > until)).collect(),
                    None => Vec::new(),
                };
                columns.iter_mut().for_each(|c| c.retain(0, &later));
                if !keep {
                    columns.pop();
                    let rows = later.iter().filter(|l| !**l).count();
                    return Chunk { rows, columns };
                }
            }
            Chunk { rows: columns.first().map_or(0, Column::len), columns }
        }))
    }
}

impl Dataset {
    /// Reads columns of all rows; an empty list asks for all columns.
    ///
    /// # Errors
    /// `DatasetError::NoColumn`; chunks that cannot be read are `Damaged`.
    pub fn read(&self, columns: &[&str]) -> Result<Chunks<'_>, DatasetError> {
        Ok(Chunks { dataset: self, columns: self.pick(columns)?, until: None, next: 0 })
    }

    /// Reads columns of the rows that were known at `ts`: none whose `known_at` is later. An empty list asks for all
    /// columns.
    ///
    /// # Errors
    /// `DatasetError::Undated` if the rows say nothing about time, else as `read`.
    pub fn read_known_by(&self, ts: Timestamp, columns: &[&str]) -> Result<Chunks<'_>, DatasetError> {
        let place = self.manifest.columns.iter().enumerate().find(|(_, c)| c.name == "known_at");
        let Some(known) = place else {
            return Err(DatasetError::Undated { name: self.manifest.name.clone(), kind: self.manifest.kind.name() });
        };
        let mut columns = self.pick(columns)?;
        let keep = columns.last() == Some(&known);
        if !keep {
            columns.push(known);
        }
        Ok(Chunks { dataset: self, columns, until: Some((ts, keep)), next: 0 })
    }

    fn pick(&self, names: &[&str]) -> Result<Vec<(usize, &ColumnInfo)>, DatasetError> {
        let all = || self.manifest.columns.iter().enumerate();
        if names.is_empty() {
            return Ok(all().collect());
        }
        let find = |name: &&str| {
            all().find(|(_, c)| c.name == **name).ok_or_else(|| DatasetError::NoColumn {
                name: self.manifest.name.clone(),
                column: (*name).to_owned(),
                columns: self.manifest.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", "),
            })
        };
        names.iter().map(find).collect()
    }

    /// Reads everything and compares it with the manifest: each column with its hash, the number of rows, the id.
    ///
    /// # Errors
    /// `DatasetError::Damaged` naming what does not fit.
    pub fn verify(&self) -> Result<(), DatasetError> {
        let damaged = |what: String| super::file::damaged(&self.path, what);
        let mut hashes: Vec<ColumnHash> = self.manifest.columns.iter().map(|_| ColumnHash::new()).collect();
        let mut rows = 0;
        for chunk in self.read(&[])? {
            let chunk = chunk?;
            rows += chunk.rows() as u64;
            hashes.iter_mut().zip(chunk.columns()).for_each(|(hash, column)| hash.update(column));
        }
        if rows != self.manifest.rows.kept {
            return Err(damaged(format!("it has {rows} rows, its manifest says {}", self.manifest.rows.kept)));
        }
        for (hash, column) in hashes.iter().zip(&self.manifest.columns) {
            if blake3::Hash::from_bytes(hash.finish()).to_hex().as_str() != column.blake3 {
                return Err(damaged(format!("the values of column '{}' were changed", column.name)));
            }
        }
        let m = &self.manifest;
        let known = m.columns.iter().filter(|c| c.role != Role::Derived).count();
        let id = content_id(m.kind, m.shape.wide, &m.facts, &m.columns);
        if known == 0 || m.id != id.to_string() || self.id != id {
            return Err(damaged("its content is not what its name says".to_owned()));
        }
        Ok(())
    }
}
