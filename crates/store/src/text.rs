//! The nearest of some words, for messages.

/// The word of `known` that is most like `asked`, if half of its letters are right.
pub(crate) fn nearest<'a>(asked: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = known.map(|k| (distance(&k.to_uppercase(), &asked.to_uppercase()), k)).min()?;
    (near.0 <= asked.chars().count().div_ceil(2)).then(|| near.1.to_owned())
}

/// Insertions, deletions and replacements between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replace = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
