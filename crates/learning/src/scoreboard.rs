//! How often each agent's opinion had the sign of the next move.

use tradegraph_columns::Status;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// What an agent's opinions were worth so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Opinions whose sign was the sign of the price's move to the next decision.
    pub hits: u64,
    /// Opinions whose sign was the opposite.
    pub misses: u64,
}

impl Score {
    /// Hits / (hits + misses); none without either.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        let n = self.hits + self.misses;
        (n > 0).then(|| self.hits as f64 / n as f64)
    }
}

/// Scores of all agents. An opinion is judged when the next price is known, never before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scoreboard {
    scores: Vec<Score>,
    /// Sign of each opinion at the last decision: agent after agent.
    signs: Vec<i8>,
    prices: Vec<i64>,
}

impl Scoreboard {
    /// No opinions yet.
    #[must_use]
    pub fn new(n_agents: usize, n_instruments: usize) -> Self {
        Scoreboard {
            scores: vec![Score::default(); n_agents],
            signs: vec![0; n_agents * n_instruments],
            prices: vec![0; n_instruments],
        }
    }

    /// Scores by agent id.
    #[must_use]
    pub fn scores(&self) -> &[Score] {
        &self.scores
    }

    /// Judges the last opinions by the prices that are known now (at 1e-9, 0 for none). Call it before `note`.
    pub fn judge(&mut self, price_of: impl Fn(usize) -> i64) {
        let n = self.prices.len();
        for i in 0..n {
            let (before, now) = (self.prices[i], price_of(i));
            self.prices[i] = now;
            if before == 0 || now == 0 || now == before {
                continue;
            }
            let moved = if now > before { 1 } else { -1 };
            for (score, signs) in self.scores.iter_mut().zip(self.signs.chunks_exact(n)) {
                match signs[i] * moved {
                    1 => score.hits += 1,
                    -1 => score.misses += 1,
                    _ => {}
                }
            }
        }
    }

    /// A corporate action changes what the noted price of an instrument is to be compared with (0: with nothing).
    pub fn reprice(&mut self, instrument: usize, now: impl FnOnce(i64) -> i64) {
        if let Some(price) = self.prices.get_mut(instrument) {
            *price = now(*price);
        }
    }

    /// Notes an agent's opinions: values and where there is one.
    pub fn note(&mut self, agent: usize, value_of: impl Fn(usize) -> f64, status: &[Status]) {
        let n = self.prices.len();
        let Some(signs) = self.signs.get_mut(agent * n..(agent + 1) * n) else { return };
        for (i, (sign, s)) in signs.iter_mut().zip(status).enumerate() {
            let v = if *s == Status::Ok { value_of(i) } else { 0.0 };
            *sign = i8::from(v > 0.0) - i8::from(v < 0.0);
        }
    }

    /// Writes the scores canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.len(self.scores.len());
        for s in &self.scores {
            to.u64(s.hits);
            to.u64(s.misses);
        }
        self.signs.iter().for_each(|s| to.u8(s.to_le_bytes()[0]));
        to.i64s(&self.prices);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes do not fit this council.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let (found, expected) = (from.len("scores")? as u64, self.scores.len() as u64);
        if found != expected {
            return Err(DecodeError::Mismatch { what: "scores", found, expected });
        }
        for s in &mut self.scores {
            *s = Score { hits: from.u64("hits")?, misses: from.u64("misses")? };
        }
        for s in &mut self.signs {
            *s = i8::from_le_bytes([from.u8("sign")?]);
        }
        from.i64s_into(&mut self.prices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_is_no_miss() {
        let mut b = Scoreboard::new(1, 1);
        b.judge(|_| 100);
        b.note(0, |_| 1.0, &[Status::Ok]);
        b.reprice(0, |p| p / 2);
        b.reprice(7, |p| p / 2);
        b.judge(|_| 51);
        assert_eq!(b.scores(), &[Score { hits: 1, misses: 0 }]);
    }

    #[test]
    fn an_opinion_is_judged_by_the_next_move_only() {
        let mut b = Scoreboard::new(2, 2);
        let ok = [Status::Ok, Status::Ok];
        let prices = [[100, 50], [101, 49], [101, 48], [100, 0]];
        let said = [[1.0, 1.0], [0.5, -0.1], [1.0, -1.0], [0.0, 0.0]];
        for (p, v) in prices.iter().zip(said) {
            b.judge(|i| p[i]);
            b.note(0, |i| v[i], &ok);
            b.note(1, |i| v[i], &[Status::NoData, Status::NoData]);
        }
        // 1 → 101 hit, 1 → 49 miss, 0.5 → unchanged, −0.1 → 48 hit, 1 → 100 miss, −1 → no price.
        assert_eq!(b.scores(), &[Score { hits: 2, misses: 2 }, Score::default()]);
        assert_eq!(b.scores()[0].hit_rate(), Some(0.5));
        assert_eq!(b.scores()[1].hit_rate(), None);
    }
}
