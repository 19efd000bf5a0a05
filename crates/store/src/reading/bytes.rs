//! Bytes of a file, plain or gzip, in blocks; what the file is by its first bytes, not by its name.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

/// Why a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No such file.
    #[error("{}: there is no such file", path.display())]
    Missing {
        /// The path asked for.
        path: PathBuf,
    },
    /// A folder, a pipe, a device.
    #[error("{}: this is {what}; name one file", path.display())]
    NoFile {
        /// The path asked for.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The system refused.
    #[error("{}: the file cannot be read: {source}", path.display())]
    Read {
        /// The path asked for.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing in it.
    #[error("{}: the file is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A format that is not read.
    #[error("{}: this is {what}; {remedy}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Another encoding.
    #[error("{}:{line}: byte {column} of the line is not UTF-8 ({guess}); save the file as UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Byte of the line, from 1.
        column: u64,
        /// What it may be.
        guess: String,
    },
    /// Lines that end in CR.
    #[error("{}:1: lines end in CR alone; save the file with LF or CRLF", path.display())]
    BareCr {
        /// The file.
        path: PathBuf,
    },
    /// A line that is no line.
    #[error("{}:{line}: the line is longer than {limit} bytes; is this a text file?", path.display())]
    LongLine {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The limit.
        limit: usize,
    },
    /// A gzip file without its end.
    #[error("{}: the gzip file is cut off after {rows} whole rows; nothing was imported; fetch it again", path.display())]
    CutOff {
        /// The file.
        path: PathBuf,
        /// Whole rows before the cut.
        rows: u64,
    },
    /// A gzip file with wrong bytes.
    #[error("{}: the gzip file is damaged after {rows} whole rows ({what}); nothing was imported; fetch it again", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// Whole rows before the damage.
        rows: u64,
        /// What the decoder says.
        what: String,
    },
    /// A Parquet file that cannot be decoded.
    #[error("{}: the Parquet file cannot be read: {what}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        what: String,
    },
    /// A Parquet column of a type that is no column of a table.
    #[error("{}: column '{column}' is {what}; leave it out (ignore) or write it as plain columns", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        what: String,
    },
    /// The file was written to meanwhile.
    #[error("{}: the file changed while it was read; import it again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

/// What a file is by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Text,
    Gzip,
    Parquet,
}

/// A file that can be read: what it is and how long.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    pub path: PathBuf,
    pub size: u64,
    pub content: Content,
}

const PAGE: &str = "HTML or XML, perhaps the error page of a download";
const LOOK: &str = "look at it in an editor and fetch the data again";
const UNPACK: &str = "unpack it and import the file inside";

/// Formats that are told by their first bytes, and what to do with them.
const FOREIGN: [(&[u8], &str, &str); 15] = [
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV"),
    (b"\xD0\xCF\x11\xE0", "an old Excel workbook", "save the sheet as CSV"),
    (b"\x28\xB5\x2F\xFD", "compressed with zstd", UNPACK),
    (b"BZh", "compressed with bzip2", UNPACK),
    (b"\xFD7zXZ", "compressed with xz", UNPACK),
    (b"ARROW1", "an Arrow file", "write it as Parquet"),
    (b"SQLite format 3", "an SQLite database", "export its table as CSV"),
    (b"\x89HDF", "an HDF5 file", "write it as Parquet"),
    (b"%PDF", "a PDF document", "find the data as CSV"),
    (b"<!", PAGE, LOOK),
    (b"<?", PAGE, LOOK),
    (b"<html", PAGE, LOOK),
    (b"<HTML", PAGE, LOOK),
    (b"[{", "a JSON array", "write one JSON object a line"),
    (b"[\n", "a JSON array", "write one JSON object a line"),
];

/// Looks at a file without reading it.
pub(crate) fn probe(path: &Path) -> Result<Probe, SourceError> {
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => SourceError::Missing { path: path.to_owned() },
        _ => SourceError::Read { path: path.to_owned(), source },
    };
    let about = std::fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        let what = if about.is_dir() { "a folder" } else { "no regular file" };
        return Err(SourceError::NoFile { path: path.to_owned(), what });
    }
    let mut head = Vec::new();
    File::open(path).and_then(|f| f.take(16).read_to_end(&mut head)).map_err(failed)?;
    let content = match head.as_slice() {
        [] => return Err(SourceError::Empty { path: path.to_owned() }),
        [b'P', b'A', b'R', b'1', ..] => Content::Parquet,
        [0x1F, 0x8B, ..] => Content::Gzip,
        _ => Content::Text,
    };
    if content == Content::Text {
        known_text(path, &head)?;
    }
    Ok(Probe { path: path.to_owned(), size: about.len(), content })
}

/// Refuses what is no text of ours by its first bytes.
pub(crate) fn known_text(path: &Path, head: &[u8]) -> Result<(), SourceError> {
    if let Some((_, what, remedy)) = FOREIGN.iter().find(|(magic, _, _)| head.starts_with(magic)) {
        return Err(SourceError::Format { path: path.to_owned(), what, remedy });
    }
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
    let wide = head.len() >= 8 && (zeros(0) * 2 == head.len() || zeros(1) * 2 == head.len());
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") || wide {
        let guess = "it looks like UTF-16".to_owned();
        return Err(SourceError::NotUtf8 { path: path.to_owned(), line: 1, column: 1, guess });
    }
    Ok(())
}

/// A file that counts and hashes what is read of it.
#[derive(Debug)]
pub(crate) struct Counted {
    file: File,
    pub read: u64,
    hash: blake3::Hasher,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(into)?;
        self.read += n as u64;
        self.hash.update(into.get(..n).unwrap_or_default());
        Ok(n)
    }
}

enum Stream {
    Plain(Box<Counted>),
    Gzip(Box<MultiGzDecoder<BufReader<Counted>>>),
}

/// The text of a file in a window that slides over it.
pub(crate) struct Window {
    path: PathBuf,
    stream: Stream,
    buffer: Vec<u8>,
    filled: usize,
    limit: usize,
    end: bool,
    failure: Option<std::io::Error>,
}

/// Bytes of a window that is not held open by a long line. Larger blocks do not fit the cache of a core.
const BLOCK: usize = 1 << 18;

impl Window {
    /// Opens a text or gzip file. `limit` is the longest line.
    pub(crate) fn open(probe: &Probe, limit: usize) -> Result<Window, SourceError> {
        let file = File::open(&probe.path).map_err(|source| SourceError::Read { path: probe.path.clone(), source })?;
        let counted = Counted { file, read: 0, hash: blake3::Hasher::new() };
        let stream = match probe.content {
            Content::Gzip => Stream::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, counted)))),
            Content::Text | Content::Parquet => Stream::Plain(Box::new(counted)),
        };
        let mut window = Window {
            path: probe.path.clone(),
            stream,
            buffer: vec![0; BLOCK],
            filled: 0,
            limit,
            end: false,
            failure: None,
        };
        window.fill(1, 0)?;
        if let Stream::Gzip(_) = window.stream {
            known_text(&probe.path, window.bytes().get(..16).unwrap_or(window.bytes()))?;
            if window.bytes().starts_with(b"PAR1") {
                let (what, remedy) = ("a Parquet file inside gzip", UNPACK);
                return Err(SourceError::Format { path: probe.path.clone(), what, remedy });
            }
        }
        if window.bytes().starts_with(b"\xEF\xBB\xBF") {
            window.take(3);
        }
        if window.bytes().is_empty() && window.is_last() {
            return Err(SourceError::Empty { path: probe.path.clone() });
        }
        Ok(window)
    }

    /// What is in the window.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// True if nothing follows.
    pub(crate) fn is_last(&self) -> bool {
        self.end
    }

    /// Bytes of the file that were read.
    pub(crate) fn done(&self) -> u64 {
        match &self.stream {
            Stream::Plain(f) => f.read,
            Stream::Gzip(f) => f.get_ref().get_ref().read,
        }
    }

    /// blake3 of the file, once all of it was read.
    pub(crate) fn hash(&mut self) -> Result<[u8; 32], SourceError> {
        let counted = match &mut self.stream {
            Stream::Plain(f) => f,
            Stream::Gzip(f) => f.get_mut().get_mut(),
        };
        // Bytes that a gzip decoder left belong to the file too.
        std::io::copy(counted, &mut std::io::sink())
            .map_err(|source| SourceError::Read { path: self.path.clone(), source })?;
        Ok(*counted.hash.finalize().as_bytes())
    }

    /// Drops the first `n` bytes.
    pub(crate) fn take(&mut self, n: usize) {
        self.buffer.copy_within(n.min(self.filled)..self.filled, 0);
        self.filled = self.filled.saturating_sub(n);
    }

    /// Reads until the window is full or the file ends. A full window grows: no record ends in it. `line` and `rows`
    /// are for messages.
    pub(crate) fn fill(&mut self, line: u64, rows: u64) -> Result<(), SourceError> {
        if let Some(source) = self.failure.take() {
            return Err(self.failed(source, rows));
        }
        if self.filled == self.buffer.len() {
            if self.filled >= self.limit {
                return Err(SourceError::LongLine { path: self.path.clone(), line, limit: self.limit });
            }
            self.buffer.resize((self.filled * 2).min(self.limit), 0);
        } else if self.buffer.len() > BLOCK && self.filled < BLOCK {
            self.buffer.resize(BLOCK, 0);
        }
        while !self.end && self.filled < self.buffer.len() {
            let into = self.buffer.get_mut(self.filled..).unwrap_or_default();
            let got = match &mut self.stream {
                Stream::Plain(f) => f.read(into),
                Stream::Gzip(f) => f.read(into),
            };
            match got {
                Ok(0) => self.end = true,
                Ok(n) => self.filled += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                // What came before is handed over first, so that the message can count it.
                Err(e) if self.filled > 0 => {
                    self.failure = Some(e);
                    break;
                }
                Err(e) => return Err(self.failed(e, rows)),
            }
        }
        Ok(())
    }

    fn failed(&self, source: std::io::Error, rows: u64) -> SourceError {
        let path = self.path.clone();
        match (&self.stream, source.kind()) {
            (Stream::Gzip(_), std::io::ErrorKind::UnexpectedEof) => SourceError::CutOff { path, rows },
            (Stream::Gzip(_), std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData) => {
                SourceError::Gzip { path, rows, what: source.to_string() }
            }
            _ => SourceError::Read { path, source },
        }
    }
}

/// Checks that whole lines are UTF-8; `line` is the number of the first.
pub(crate) fn check_utf8(path: &Path, bytes: &[u8], line: u64) -> Result<(), SourceError> {
    let Err(e) = std::str::from_utf8(bytes) else { return Ok(()) };
    let (line, column) = place(bytes, e.valid_up_to(), line);
    let byte = bytes.get(e.valid_up_to()).copied().unwrap_or_default();
    let guess = match char::from_u32(u32::from(byte)) {
        Some(c) if byte >= 0xA0 => format!("0x{byte:02X}, which is '{c}' in Latin-1"),
        _ => format!("0x{byte:02X}"),
    };
    Err(SourceError::NotUtf8 { path: path.to_owned(), line, column, guess })
}

/// Line and byte of the line, from 1, of a place in bytes that start at `line`.
pub(crate) fn place(bytes: &[u8], at: usize, line: u64) -> (u64, u64) {
    let before = bytes.get(..at).unwrap_or_default();
    let line = line + before.iter().filter(|b| **b == b'\n').count() as u64;
    (line, before.iter().rev().take_while(|b| **b != b'\n').count() as u64 + 1)
}

/// blake3 of a whole file, with what was done so far.
pub(crate) fn hash_file(path: &Path) -> Result<[u8; 32], SourceError> {
    let failed = |source| SourceError::Read { path: path.to_owned(), source };
    let mut hash = blake3::Hasher::new();
    hash.update_reader(File::open(path).map_err(failed)?).map_err(failed)?;
    Ok(*hash.finalize().as_bytes())
}
