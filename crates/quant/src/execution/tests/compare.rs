//! Comparison with tables that other libraries made, and pages that state what it found.

use std::fmt::Write;

/// What was compared, with whom, and the worst distance in its measure.
#[derive(Debug)]
pub(crate) struct Compared {
    what: String,
    source: String,
    rows: usize,
    error: f64,
    bound: f64,
}

/// The worst distances so far, in the order in which they were first noted.
#[derive(Debug, Default)]
pub(crate) struct Worst(Vec<Compared>);

impl Worst {
    /// Takes one distance; above `bound`, or NaN, the test fails at `at`.
    pub(crate) fn note(&mut self, what: &str, source: &str, error: f64, bound: f64, at: &str) {
        assert!(error <= bound, "{what} against {source}: {error:e} above {bound:e} at {at:.200}");
        match self.0.iter_mut().find(|c| c.what == what && c.source == source) {
            Some(c) => {
                c.rows += 1;
                c.error = c.error.max(error);
            }
            None => self.0.push(Compared { what: what.into(), source: source.into(), rows: 1, error, bound }),
        }
    }

    /// The distance relative to the size of what is expected, at least `floor`.
    pub(crate) fn relative(
        &mut self,
        what: &str,
        source: &str,
        (ours, theirs): (f64, f64),
        floor: f64,
        bound: f64,
        at: &str,
    ) {
        self.note(what, source, (ours - theirs).abs() / theirs.abs().max(floor), bound, at);
    }

    /// A table of all of them.
    pub(crate) fn table(&self) -> String {
        let mut page = String::from("| what | compared with | rows | worst | refused above |\n|---|---|---|---|---|\n");
        for c in &self.0 {
            let worst = if c.error == 0.0 { "exact".to_owned() } else { format!("{:.0e}", c.error) };
            let bound = if c.bound == 0.0 { "–".to_owned() } else { format!("{:.0e}", c.bound) };
            writeln!(page, "| {} | {} | {} | {worst} | {bound} |", c.what, c.source, c.rows).unwrap();
        }
        page
    }
}

/// The cells of a table without its head, a row a line.
pub(crate) fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().skip(1).map(|l| l.split(',').collect())
}

pub(crate) fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("'{text}' is no number"))
}

/// Numbers between semicolons.
pub(crate) fn numbers(text: &str) -> Vec<f64> {
    if text.is_empty() { Vec::new() } else { text.split(';').map(number).collect() }
}

/// Compares a file of the docs with what it should be; `UPDATE_GOLDEN=1` writes it.
#[allow(clippy::disallowed_methods, reason = "a test reads and writes the docs")]
pub(crate) fn golden(name: &str, text: &str) {
    let path = format!("{}/../../docs/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert!(std::fs::read_to_string(&path).is_ok_and(|t| t == text), "run with UPDATE_GOLDEN=1 to write {path}");
}
