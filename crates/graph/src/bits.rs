//! Sets of small numbers in words of 64 bits: frontiers, successor masks, barrier members.

/// Words that a set of `n` numbers takes; never none, so that an empty graph has a frontier too.
pub(crate) fn words_for(n: usize) -> usize {
    n.div_ceil(64).max(1)
}

/// The set of the given numbers, all below `n`.
pub(crate) fn set_of(n: usize, members: impl IntoIterator<Item = u16>) -> Vec<u64> {
    let mut words = vec![0; words_for(n)];
    for m in members {
        insert(&mut words, m);
    }
    words
}

#[inline]
pub(crate) fn insert(words: &mut [u64], i: u16) {
    if let Some(w) = words.get_mut(usize::from(i >> 6)) {
        *w |= 1 << (i & 63);
    }
}

#[inline]
pub(crate) fn has(words: &[u64], i: u16) -> bool {
    words.get(usize::from(i >> 6)).is_some_and(|w| w >> (i & 63) & 1 == 1)
}

/// Empties the set. One word, the usual case, is spared the call that `fill` becomes.
#[inline]
pub(crate) fn clear(words: &mut [u64]) {
    match words {
        [word] => *word = 0,
        _ => words.fill(0),
    }
}

#[inline]
pub(crate) fn add(to: &mut [u64], from: &[u64]) {
    if let ([to], [from]) = (&mut *to, from) {
        *to |= from;
        return;
    }
    for (t, f) in to.iter_mut().zip(from) {
        *t |= f;
    }
}

#[inline]
pub(crate) fn covers(whole: &[u64], part: &[u64]) -> bool {
    if let ([whole], [part]) = (whole, part) {
        return whole & part == *part;
    }
    whole.iter().zip(part).all(|(w, p)| w & p == *p)
}

#[inline]
pub(crate) fn is_empty(words: &[u64]) -> bool {
    if let [word] = words {
        return *word == 0;
    }
    words.iter().all(|w| *w == 0)
}

pub(crate) fn count(words: &[u64]) -> u32 {
    words.iter().map(|w| w.count_ones()).sum()
}

pub(crate) fn both(a: &[u64], b: &[u64]) -> Vec<u64> {
    a.iter().zip(b).map(|(x, y)| x & y).collect()
}

/// The members in rising order.
#[inline]
pub(crate) fn members(words: &[u64]) -> Members<'_> {
    let (first, rest) = words.split_first().unwrap_or((&0, &[]));
    Members { word: *first, base: 0, rest }
}

pub(crate) struct Members<'a> {
    word: u64,
    base: u16,
    rest: &'a [u64],
}

impl Iterator for Members<'_> {
    type Item = u16;

    #[inline]
    fn next(&mut self) -> Option<u16> {
        while self.word == 0 {
            let (first, rest) = self.rest.split_first()?;
            (self.word, self.rest) = (*first, rest);
            self.base += 64;
        }
        let bit = self.word.trailing_zeros() as u16;
        self.word &= self.word - 1;
        Some(self.base + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_back_in_rising_order_across_words() {
        let set = set_of(200, [199, 0, 64, 63, 3]);
        assert_eq!(set.len(), 4);
        assert_eq!(members(&set).collect::<Vec<_>>(), [0, 3, 63, 64, 199]);
        assert_eq!(count(&set), 5);
        assert!(has(&set, 64) && !has(&set, 65));
        assert!(covers(&set, &set_of(200, [3, 199])) && !covers(&set, &set_of(200, [3, 4])));
        assert!(!is_empty(&set) && is_empty(&both(&set, &set_of(200, [1]))));
    }
}
