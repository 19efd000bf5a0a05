//! Each execution posts exactly once, also when it is redelivered, replayed or seen by two channels.

use std::collections::BTreeSet;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::ExecId;

/// The execution ids that were booked: all up to a mark, and those beyond it. A venue that counts costs one number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenExecs {
    through: u64,
    beyond: BTreeSet<u64>,
}

impl SeenExecs {
    /// True if the id was booked.
    #[inline]
    #[must_use]
    pub fn contains(&self, id: ExecId) -> bool {
        id.0 <= self.through || (!self.beyond.is_empty() && self.beyond.contains(&id.0))
    }

    /// Notes that the id was booked.
    #[inline]
    pub fn insert(&mut self, id: ExecId) {
        if id.0 == self.through.saturating_add(1) {
            self.through = id.0;
            while self.beyond.first() == Some(&self.through.saturating_add(1)) {
                self.through = self.through.saturating_add(1);
                self.beyond.pop_first();
            }
        } else if id.0 > self.through {
            self.beyond.insert(id.0);
        }
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        to.u64(self.through);
        to.len(self.beyond.len());
        self.beyond.iter().for_each(|id| to.u64(*id));
    }

    pub(crate) fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let through = from.u64("execution mark")?;
        let n = from.len("executions")?;
        let beyond = (0..n).map(|_| from.u64("execution")).collect::<Result<_, _>>()?;
        Ok(SeenExecs { through, beyond })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(ids in prop::collection::vec(1_u64..40, 0..80)) {
            let mut seen = SeenExecs::default();
            let mut naive = BTreeSet::new();
            for id in ids {
                prop_assert_eq!(seen.contains(ExecId(id)), naive.contains(&id));
                seen.insert(ExecId(id));
                naive.insert(id);
            }
            for id in 1..40 {
                prop_assert_eq!(seen.contains(ExecId(id)), naive.contains(&id));
            }
        }
    }
}
