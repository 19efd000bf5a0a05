//! The CSV splitter: a block of bytes to rows of cells, eight bytes at a time.
//!
//! A cell is a place in the block; nothing is copied. Blank lines are no rows. A quotation mark opens a quoted field
//! only at the start of a field, as in RFC 4180; a mark that is never closed costs its own line and no other.

/// Where a field is in its block. The top bit of `end` says that quotation marks inside it are doubled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Cell {
    start: u32,
    end: u32,
}

const DOUBLED: u32 = 1 << 31;
/// A quoted field that is longer is taken for a mark that is not closed.
const LONGEST_QUOTED: usize = 1 << 20;

impl Cell {
    pub(crate) fn new(start: usize, end: usize) -> Cell {
        // Blocks are far shorter than 2 GB.
        Cell { start: start as u32, end: end as u32 }
    }

    #[inline]
    pub(crate) fn of(self, block: &[u8]) -> &[u8] {
        block.get(self.start as usize..(self.end & !DOUBLED) as usize).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn is_doubled(self) -> bool {
        self.end & DOUBLED != 0
    }
}

/// What is wrong with the shape of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// More or fewer fields than the header.
    Fields(usize),
    /// A mark that is not closed, or text after the closing one.
    Quotes,
}

/// A row that has no cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Misshapen {
    pub line: u64,
    pub row: Cell,
    pub wrong: Wrong,
}

/// Rows of one block, reused from block to block.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub cells: Vec<Cell>,
    /// First line of each row.
    pub lines: Vec<u64>,
    /// Each row with all of its text.
    pub texts: Vec<Cell>,
    pub misshapen: Vec<Misshapen>,
}

impl Rows {
    pub(crate) fn clear(&mut self) {
        self.cells.clear();
        self.lines.clear();
        self.texts.clear();
        self.misshapen.clear();
    }
}

/// The state between blocks.
#[derive(Clone, Debug)]
pub(crate) struct Splitter {
    pub delimiter: u8,
    /// Cells of a row; 0 takes rows of any width (for headers, one at a time).
    pub width: usize,
    /// True if quoted fields may span lines.
    pub free_text: bool,
    /// True if fields keep blanks at their ends.
    pub keep_blanks: bool,
    /// Line of the next record, from 1.
    pub line: u64,
}

const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// A set top bit in every byte of `word` that equals the byte that `splat` repeats.
#[inline]
fn equal(word: u64, splat: u64) -> u64 {
    let x = word ^ splat;
    !(((x & LOW) + LOW) | x | LOW)
}

#[inline]
fn trimmed(block: &[u8], start: usize, end: usize) -> Cell {
    let field = block.get(start..end).unwrap_or_default();
    match field {
        [first, .., last] if *first > b' ' && *last > b' ' => Cell::new(start, end),
        _ => {
            let start = start + (field.len() - field.trim_ascii_start().len());
            Cell::new(start, start + field.trim_ascii().len())
        }
    }
}

enum Quoted {
    /// The field, and the place of the delimiter, line feed or end that follows it.
    Field(Cell, usize),
    /// The block ends before the field does.
    More,
    Wrong,
}

impl Splitter {
    /// Splits all whole records of a block (with `last`, the rest too) and returns how many bytes they take.
    pub(crate) fn split(&mut self, block: &[u8], last: bool, rows: &mut Rows) -> usize {
        rows.clear();
        let delimiters = u64::from(self.delimiter) * 0x0101_0101_0101_0101;
        const FEEDS: u64 = 0x0101_0101_0101_0101 * b'\n' as u64;
        const MARKS: u64 = 0x0101_0101_0101_0101 * b'"' as u64;
        let mut record = 0; // first byte of the record
        let mut first = 0; // its first cell
        let mut start = 0; // first byte of the field
        let mut feeds = 0; // line feeds inside it
        let mut quoted: Option<Cell> = None;
        let mut at = 0;
        'words: loop {
            if at >= block.len() {
                if !last || record >= block.len() {
                    rows.cells.truncate(first);
                    return record;
                }
                rows.cells.push(quoted.take().unwrap_or_else(|| self.field(block, start, block.len())));
                match self.finish(block, record, block.len(), first, feeds, rows) {
                    Some(next) => (record, start, first, feeds, at) = (next, next, rows.cells.len(), 0, next),
                    None => return block.len(),
                }
                continue;
            }
            let word = match block.get(at..at + 8).and_then(|b| b.try_into().ok()) {
                Some(bytes) => u64::from_le_bytes(bytes),
                None => {
                    let mut bytes = [0; 8];
                    for (to, from) in bytes.iter_mut().zip(block.get(at..).unwrap_or_default()) {
                        *to = *from;
                    }
                    u64::from_le_bytes(bytes)
                }
            };
            let mut hits = equal(word, delimiters) | equal(word, FEEDS) | equal(word, MARKS);
            while hits != 0 {
                let hit = at + (hits.trailing_zeros() / 8) as usize;
                hits &= hits - 1;
                match block.get(hit) {
                    Some(b'\n') => {
                        rows.cells.push(quoted.take().unwrap_or_else(|| self.field(block, start, hit)));
                        match self.finish(block, record, hit, first, feeds, rows) {
                            Some(next) => {
                                (record, start, first, feeds, at) = (next, next, rows.cells.len(), 0, next);
                                continue 'words;
                            }
                            None => (record, start, first, feeds) = (hit + 1, hit + 1, rows.cells.len(), 0),
                        }
                    }
                    Some(b'"') => {
                        if block.get(start..hit).is_some_and(|b| !b.trim_ascii().is_empty()) {
                            continue; // a mark inside a field is a character
                        }
                        match self.quoted(block, hit, record, last) {
                            Quoted::Field(cell, next) => {
                                feeds += cell.of(block).iter().filter(|b| **b == b'\n').count() as u64;
                                if block.get(next) == Some(&self.delimiter) {
                                    rows.cells.push(cell);
                                    (start, at) = (next + 1, next + 1);
                                } else {
                                    (quoted, start, at) = (Some(cell), next, next);
                                }
                                continue 'words;
                            }
                            Quoted::Wrong if last || block.get(record..).is_some_and(|r| r.contains(&b'\n')) => {
                                let next = self.misquoted(block, record, first, rows);
                                (record, start, first, feeds, at) = (next, next, rows.cells.len(), 0, next);
                                continue 'words;
                            }
                            // Its line is not whole yet.
                            Quoted::More | Quoted::Wrong => {
                                rows.cells.truncate(first);
                                return record;
                            }
                        }
                    }
                    Some(_) => {
                        rows.cells.push(self.field(block, start, hit));
                        start = hit + 1;
                    }
                    None => {}
                }
            }
            at += 8;
        }
    }

    /// The field between two separators. A carriage return before the line feed is no part of it.
    #[inline]
    fn field(&self, block: &[u8], start: usize, end: usize) -> Cell {
        if !self.keep_blanks {
            return trimmed(block, start, end);
        }
        let ends_line = block.get(end).is_none_or(|b| *b == b'\n');
        let feed = ends_line && end > start && block.get(end - 1) == Some(&b'\r');
        Cell::new(start, end - usize::from(feed))
    }

    /// Ends a record at the line feed `end`. A record of several lines and the wrong width was a stray mark: then only
    /// its first line is lost and the place after it is returned.
    #[inline]
    fn finish(
        &mut self,
        block: &[u8],
        record: usize,
        end: usize,
        first: usize,
        feeds: u64,
        rows: &mut Rows,
    ) -> Option<usize> {
        let found = rows.cells.len() - first;
        let blank = found == 1 && block.get(record..end).unwrap_or_default().trim_ascii().is_empty();
        if blank {
            rows.cells.truncate(first);
        } else if found == self.width || self.width == 0 {
            rows.lines.push(self.line);
            rows.texts.push(Cell::new(record, end));
        } else if feeds > 0 {
            return Some(self.misquoted(block, record, first, rows));
        } else {
            rows.cells.truncate(first);
            let wrong = Wrong::Fields(found);
            rows.misshapen.push(Misshapen { line: self.line, row: Cell::new(record, end), wrong });
        }
        self.line += 1 + feeds;
        None
    }

    /// Notes the first line of a record as misshapen and returns the place after it.
    fn misquoted(&mut self, block: &[u8], record: usize, first: usize, rows: &mut Rows) -> usize {
        rows.cells.truncate(first);
        let rest = block.get(record..).unwrap_or_default();
        let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        let row = Cell::new(record, record + length);
        rows.misshapen.push(Misshapen { line: self.line, row, wrong: Wrong::Quotes });
        self.line += 1;
        (record + length + 1).min(block.len())
    }

    /// The quoted field that opens at `mark`.
    fn quoted(&self, block: &[u8], mark: usize, record: usize, last: bool) -> Quoted {
        let mut doubled = false;
        let mut from = mark + 1;
        let unfinished = || {
            let long = self.free_text && block.len() - record >= LONGEST_QUOTED;
            if last || long { Quoted::Wrong } else { Quoted::More }
        };
        loop {
            let rest = block.get(from..).unwrap_or_default();
            let stop = |b: &u8| *b == b'"' || (*b == b'\n' && !self.free_text);
            let Some(found) = rest.iter().position(stop) else { return unfinished() };
            let close = from + found;
            if rest.get(found) == Some(&b'\n') {
                return Quoted::Wrong;
            }
            match block.get(close + 1) {
                Some(b'"') => {
                    doubled = true;
                    from = close + 2;
                    continue;
                }
                None if !last => return Quoted::More,
                _ => {}
            }
            let mut next = close + 1;
            while block.get(next).is_some_and(|b| matches!(b, b' ' | b'\r' | b'\t') && *b != self.delimiter) {
                next += 1;
            }
            let mut cell = if self.keep_blanks { Cell::new(mark + 1, close) } else { trimmed(block, mark + 1, close) };
            if doubled {
                cell.end |= DOUBLED;
            }
            return match block.get(next) {
                None if !last => Quoted::More,
                None | Some(b'\n') => Quoted::Field(cell, next),
                Some(b) if *b == self.delimiter => Quoted::Field(cell, next),
                Some(_) => Quoted::Wrong,
            };
        }
    }
}

/// The text of a quoted field: doubled marks become single ones.
pub(crate) fn undoubled(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut skip = false;
    for b in bytes {
        skip = *b == b'"' && !skip;
        if !skip {
            out.push(*b);
        }
    }
    out
}

/// The fields of one record, as text; `None` if a mark in it is not closed.
pub(crate) fn record(line: &[u8], delimiter: u8) -> Option<Vec<String>> {
    let mut rows = Rows::default();
    Splitter { delimiter, width: 0, free_text: false, keep_blanks: false, line: 1 }.split(line, true, &mut rows);
    let text = |c: &Cell| {
        let bytes = c.of(line);
        String::from_utf8_lossy(&if c.is_doubled() { undoubled(bytes) } else { bytes.to_vec() }).into_owned()
    };
    rows.misshapen.is_empty().then(|| rows.cells.iter().map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn splitter(width: usize, free_text: bool) -> Splitter {
        Splitter { delimiter: b',', width, free_text, keep_blanks: true, line: 1 }
    }

    /// (line, fields) of each row, and (line, wrong) of each misshapen one, over blocks of `size` bytes.
    type Split = (Vec<(u64, Vec<String>)>, Vec<(u64, Wrong)>);
    fn split(text: &str, width: usize, free_text: bool, size: usize) -> Split {
        let bytes = text.as_bytes();
        let mut splitter = splitter(width, free_text);
        let mut rows = Rows::default();
        let (mut found, mut wrong) = (Vec::new(), Vec::new());
        let (mut from, mut length) = (0, size);
        loop {
            let to = (from + length).min(bytes.len());
            let block = &bytes[from..to];
            let taken = splitter.split(block, to == bytes.len(), &mut rows);
            for (i, line) in rows.lines.iter().enumerate() {
                let text = |c: &Cell| {
                    let b = c.of(block);
                    String::from_utf8(if c.is_doubled() { undoubled(b) } else { b.to_vec() }).unwrap()
                };
                found.push((*line, rows.cells[i * width..(i + 1) * width].iter().map(text).collect()));
            }
            wrong.extend(rows.misshapen.iter().map(|m| (m.line, m.wrong)));
            if to == bytes.len() {
                return (found, wrong);
            }
            length = if taken == 0 { length + size } else { size };
            from += taken;
        }
    }

    #[test]
    fn fields_quotes_and_lines() {
        let text = "a, b ,c\r\n\n\"1,1\",\"say \"\"so\"\"\",\"two\nlines\"\n x\"y ,,\"\"\n1,2\n";
        for size in 1..60 {
            let (rows, wrong) = split(text, 3, true, size);
            let expected: [(u64, [&str; 3]); 3] =
                [(1, ["a", " b ", "c"]), (3, ["1,1", "say \"so\"", "two\nlines"]), (5, [" x\"y ", "", ""])];
            assert_eq!(rows.len(), 3, "{size}");
            for (got, want) in rows.iter().zip(&expected) {
                assert_eq!((got.0, got.1.iter().map(String::as_str).collect::<Vec<_>>()), (want.0, want.1.to_vec()));
            }
            assert_eq!(wrong, [(6, Wrong::Fields(2))]);
        }
    }

    #[test]
    fn a_stray_mark_costs_one_line() {
        for free_text in [true, false] {
            let (rows, wrong) = split("a,b\n\"c,d\ne,f\n\"g\",h\n\"i\" j,k\nl,m", 2, free_text, 1_000);
            let lines: Vec<u64> = rows.iter().map(|r| r.0).collect();
            assert_eq!(lines, [1, 3, 4, 6], "{free_text}");
            assert_eq!(wrong, [(2, Wrong::Quotes), (5, Wrong::Quotes)], "{free_text}");
        }
        assert_eq!(split("\"a\nb\nc", 1, true, 2).0.len(), 2);
    }

    proptest! {
        #[test]
        fn block_borders_change_nothing(text in "[ab,\"\n\r ]{0,60}", width in 1_usize..4, free in any::<bool>(), size in 1_usize..20) {
            prop_assert_eq!(split(&text, width, free, size), split(&text, width, free, 1_000));
        }

        /// What the csv crate writes is read back.
        #[test]
        fn reads_what_a_csv_writer_writes(table in proptest::collection::vec(proptest::collection::vec("[a-c,\"\n é]{0,6}", 3), 1..8)) {
            let mut text = String::new();
            for row in &table {
                let quoted: Vec<String> = row.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
                text += &quoted.join(",");
                text += "\r\n";
            }
            let (rows, wrong) = split(&text, 3, true, 1_000);
            prop_assert!(wrong.is_empty());
            prop_assert_eq!(rows.into_iter().map(|r| r.1).collect::<Vec<_>>(), table);
        }
    }
}
