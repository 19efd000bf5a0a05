//! Which CSV a text is: what separates its fields, and whether numbers have a decimal comma.

use super::split::{Rows, Splitter};

/// Separators in order of preference.
pub(crate) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Rows of the head that are looked at.
const SAMPLE: usize = 200;

/// The separator with which most of the first rows have as many fields as the header, more than one; the comma if
/// there is none: a table of one column.
pub(crate) fn delimiter(head: &[u8], last: bool) -> u8 {
    let score = |delimiter: &u8| {
        let first = head.iter().position(|b| *b == b'\n').unwrap_or(head.len());
        let width = super::split::record(head.get(..first).unwrap_or_default(), *delimiter).map_or(0, |f| f.len());
        if width < 2 {
            return (0, 0);
        }
        let mut rows = Rows::default();
        let mut end = 0;
        for _ in 0..SAMPLE {
            match head.get(end..).unwrap_or_default().iter().position(|b| *b == b'\n') {
                Some(feed) => end += feed + 1,
                None if last => end = head.len(),
                None => break,
            }
        }
        let splitter = &mut Splitter { delimiter: *delimiter, width, free_text: true, keep_blanks: false, line: 1 };
        splitter.split(head.get(..end).unwrap_or_default(), true, &mut rows);
        (rows.lines.len(), width)
    };
    let best = DELIMITERS.iter().map(|d| (score(d), *d)).reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.filter(|(score, _)| score.0 > 0).map_or(b',', |(_, delimiter)| delimiter)
}

/// What commas in the numbers of a file mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decimal {
    Dot,
    Comma,
    /// Every comma has exactly three digits after it: `1,234` may be a thousand or one and a bit.
    Unclear,
}

/// Looks at the cells of the first rows. A file whose fields are separated by commas has decimal dots.
pub(crate) fn decimal<'a>(delimiter: u8, cells: impl Iterator<Item = &'a [u8]>) -> Decimal {
    if delimiter == b',' {
        return Decimal::Dot;
    }
    let (mut commas, mut thousands, mut dots) = (0_usize, 0_usize, 0_usize);
    for cell in cells {
        let digits = cell.strip_prefix(b"-").unwrap_or(cell);
        let number = |b: &u8| b.is_ascii_digit() || matches!(b, b',' | b'.');
        if !digits.first().is_some_and(u8::is_ascii_digit) || !digits.iter().all(number) {
            continue;
        }
        let last = digits.iter().rposition(|b| !b.is_ascii_digit());
        match last.and_then(|at| digits.get(at).map(|b| (*b, digits.len() - at - 1))) {
            Some((b',', after)) => {
                commas += 1;
                thousands += usize::from(after == 3);
            }
            Some(_) => dots += 1,
            None => {}
        }
    }
    match commas {
        0 => Decimal::Dot,
        n if dots > n => Decimal::Dot,
        n if n == thousands => Decimal::Unclear,
        _ => Decimal::Comma,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators() {
        for (text, expected) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n", b';'),
            ("a\tb\n1\t2\n", b'\t'),
            ("a|b\n1|2,3\n", b'|'),
            ("date\n2024-01-01\n", b','),
            ("id,text\n1,\"a;b;c\"\n2,\"d\ne\"\n", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter(text.as_bytes(), true), expected, "{text}");
        }
    }

    #[test]
    fn decimals() {
        let read = |cells: &[&str]| decimal(b';', cells.iter().map(|c| c.as_bytes()));
        assert_eq!(read(&["2024-01-01", "1,5", "-2,25"]), Decimal::Comma);
        assert_eq!(read(&["1.5", "x,y"]), Decimal::Dot);
        assert_eq!(read(&["1,234", "5,678"]), Decimal::Unclear);
        assert_eq!(read(&["1.234,5"]), Decimal::Comma);
        assert_eq!(read(&["1,234.5", "7.5"]), Decimal::Dot);
        assert_eq!(decimal(b',', std::iter::once(&b"1,5"[..])), Decimal::Dot);
    }
}
