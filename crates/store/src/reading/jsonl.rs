//! Messages, one a line: `<receive time> <JSON>`, or a JSON object with its time inside. Split into two cells: the
//! time and the JSON as it is.

use super::split::{Cell, Misshapen, Rows, Wrong};

/// Names of the time inside a JSON object, best first.
const TIMES: [&str; 6] = ["recv_ns", "ts", "timestamp", "time", "recv_ts", "received"];

/// Which shape the first line has.
pub(crate) fn is_jsonl(head: &[u8]) -> bool {
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default().trim_ascii();
    match line.first() {
        Some(b'{') => true,
        Some(b) if b.is_ascii_digit() => {
            let after = line.iter().skip_while(|b| b.is_ascii_digit());
            let mut rest = after.skip_while(|b| **b == b' ' || **b == b'\t');
            matches!(rest.next(), Some(b'{' | b'['))
        }
        _ => false,
    }
}

/// Splits whole lines (with `last`, the rest too) and returns how many bytes they take. `line` is the next line.
pub(crate) fn split(block: &[u8], last: bool, line: &mut u64, rows: &mut Rows) -> usize {
    rows.clear();
    let mut from = 0;
    while from < block.len() {
        let rest = block.get(from..).unwrap_or_default();
        let end = match rest.iter().position(|b| *b == b'\n') {
            Some(feed) => from + feed,
            None if last => block.len(),
            None => break,
        };
        let text = block.get(from..end).unwrap_or_default();
        if !text.trim_ascii().is_empty() {
            match cells(text, from) {
                Some(cells) => {
                    rows.cells.extend(cells);
                    rows.lines.push(*line);
                    rows.texts.push(Cell::new(from, end));
                }
                None => {
                    let row = Cell::new(from, end);
                    rows.misshapen.push(Misshapen { line: *line, row, wrong: Wrong::Fields(1) });
                }
            }
        }
        *line += 1;
        from = end + 1;
    }
    from.min(block.len())
}

fn cells(text: &[u8], offset: usize) -> Option<[Cell; 2]> {
    let start = text.len() - text.trim_ascii_start().len();
    let end = text.trim_ascii_end().len();
    let cell = |from: usize, to: usize| Cell::new(offset + from, offset + to);
    if text.get(start) == Some(&b'{') {
        let time = time_inside(text).map_or(cell(start, start), |(from, to)| cell(from, to));
        return Some([time, cell(start, end)]);
    }
    let blank = text.get(start..)?.iter().position(|b| *b == b' ' || *b == b'\t')? + start;
    let json = blank + text.get(blank..)?.iter().position(|b| *b != b' ' && *b != b'\t')?;
    Some([cell(start, blank), cell(json, end)])
}

/// Where the value of the best-known time is: a number, or a text without its marks. Only names of the object itself
/// count: what is deeper may be the time of something else.
fn time_inside(text: &[u8]) -> Option<(usize, usize)> {
    let mut best: Option<(usize, (usize, usize))> = None;
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = string_end(text, at)?;
                let name = text.get(at + 1..end)?;
                let colon = skip_blanks(text, end + 1);
                let rank = TIMES.iter().position(|t| t.as_bytes() == name);
                if let (1, Some(b':'), Some(rank)) = (depth, text.get(colon), rank)
                    && best.is_none_or(|(r, _)| rank < r)
                {
                    let from = skip_blanks(text, colon + 1);
                    let value = match text.get(from) {
                        Some(b'"') => (from + 1, string_end(text, from)?),
                        _ => {
                            let ends = |b: &u8| matches!(b, b',' | b'}') || b.is_ascii_whitespace();
                            (from, from + text.get(from..)?.iter().position(ends)?)
                        }
                    };
                    best = Some((rank, value));
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    best.map(|(_, value)| value)
}

fn skip_blanks(text: &[u8], from: usize) -> usize {
    from + text.iter().skip(from).take_while(|b| b.is_ascii_whitespace()).count()
}

/// The mark that closes the string which opens at `mark`.
fn string_end(text: &[u8], mark: usize) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate().skip(mark + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes() {
        let text =
            b"17 {\"a\":1}\r\n\nx\n{\"b\":2,\"ts\": \"2024-01-01T00:00:00Z\"}\n{\"d\":{\"ts\":7},\"recv_ns\":5}\n9 [1]";
        assert!(is_jsonl(text) && is_jsonl(b"{\"a\":1}\n") && !is_jsonl(b"date,close\n") && !is_jsonl(b"12,{}\n"));
        let mut rows = Rows::default();
        let mut line = 1;
        let taken = split(text, false, &mut line, &mut rows);
        assert_eq!((taken, line), (text.len() - 5, 6));
        let cells: Vec<&str> = rows.cells.iter().map(|c| std::str::from_utf8(c.of(text)).unwrap()).collect();
        assert_eq!(
            cells,
            [
                "17",
                "{\"a\":1}",
                "2024-01-01T00:00:00Z",
                "{\"b\":2,\"ts\": \"2024-01-01T00:00:00Z\"}",
                "5",
                "{\"d\":{\"ts\":7},\"recv_ns\":5}"
            ]
        );
        assert_eq!((rows.lines.as_slice(), rows.misshapen[0].line), (&[1, 4, 5][..], 3));
        assert_eq!(split(b"9 [1]", true, &mut line, &mut rows), 5);
        assert_eq!(rows.lines, [6]);
    }
}
