//! What is wrong in a mandate, with file, line, column and key.

use crate::failure::{Failure, Kind};

/// Something wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file as the user named it.
    pub file: String,
    /// Line and column from 1.
    pub at: (usize, usize),
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub next: Option<String>,
}

impl Fault {
    /// What is wrong at a byte of a text.
    pub fn at(file: &str, text: &str, byte: usize, what: impl Into<String>) -> Fault {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(1, |l| l.chars().count() + 1);
        Fault { file: file.to_owned(), at: (line, column), what: what.into(), next: None }
    }

    /// What is wrong, without its place.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Adds what to do.
    pub fn next(mut self, next: impl Into<String>) -> Fault {
        self.next = Some(next.into());
        self
    }
}

impl From<Fault> for Failure {
    fn from(f: Fault) -> Failure {
        let (line, column) = f.at;
        let failure = Failure::new(Kind::Input, format!("{}:{line}:{column}: {}", f.file, f.what));
        match f.next {
            Some(next) => failure.next(next),
            None => {
                failure.next("every key is described in docs/mandate.md; `tradegraph init` writes a commented example")
            }
        }
    }
}

/// The name most like the one found, if it is like it at all.
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_lowercase();
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&found, &k.to_lowercase()), k))
        .min()
        .filter(|(distance, k)| *distance <= 1.max(k.chars().count().max(found.chars().count()) / 2))
        .map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_close() {
        let known = ["max_weight", "gross", "band", "allow_short"];
        assert_eq!(nearest("max_wieght", known), Some("max_weight"));
        assert_eq!(nearest("Gros", known), Some("gross"));
        assert_eq!(nearest("zzzzzzzz", known), None);
    }

    #[test]
    fn places_count_from_one_and_in_characters() {
        let fault = |byte| Fault::at("m", "äb\ncd", byte, "x").at;
        assert_eq!((fault(0), fault(2), fault(4), fault(99)), ((1, 1), (1, 2), (2, 1), (2, 3)));
    }
}
