//! How often each agent's opinion had the sign of the next move, and how well its size went with the move's.

use pulp::{Arch, Simd, WithSimd};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::AgentId;
use tradegraph_quant::calibration::{correlation_of_sums, reliability, shrunk_hit_rate, shrunk_ic};

/// Pairs of opinion and move from which a correlation across instruments is taken.
const FEWEST: f64 = 5.0;
/// Moves count for at most so many times the mean move of their moment: one jump must not be the whole correlation.
const MOST_MEAN_MOVES: f64 = 6.0;
/// Opinions that the prior of a hit rate weighs.
const PRIOR_OPINIONS: f64 = 500.0;
/// Decisions that the prior of an information coefficient weighs.
const PRIOR_DECISIONS: f64 = 60.0;

/// What an agent's opinions were worth so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Opinions whose sign was the sign of the price's move to the next decision.
    pub hits: u64,
    /// Opinions whose sign was the opposite.
    pub misses: u64,
    /// Opinions that the price should rise, and how many of them were followed by a fall.
    pub long: (u64, u64),
    /// Opinions that the price should fall, and how many of them were followed by a rise.
    pub short: (u64, u64),
    /// Decisions with a correlation across instruments, its sum and its sum of squares.
    ic: (u64, f64, f64),
    /// All pairs as one sample: their number and the sums of x, y, x², y², xy.
    pooled: [f64; 6],
}

impl Score {
    /// Hits / (hits + misses); none without either.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        let n = self.hits + self.misses;
        (n > 0).then(|| self.hits as f64 / n as f64)
    }

    /// Information coefficient with its standard error: the mean over the decisions of Pearson's correlation across
    /// instruments between opinion and next move (moves beyond six times the mean move count as six times). In universes of
    /// fewer than five instruments the correlation of all pairs as one sample, with the error 1/√n.
    ///
    /// Source: Grinold and Kahn, Active Portfolio Management, 2nd ed. (1999), chapter 6.
    #[must_use]
    pub fn information_coefficient(&self) -> Option<(f64, f64)> {
        let (n, sum, squares) = (self.ic.0 as f64, self.ic.1, self.ic.2);
        if n >= 2.0 {
            let mean = sum / n;
            let variance = ((squares - n * mean * mean) / (n - 1.0)).max(0.0);
            return Some((mean, (variance / n).sqrt()));
        }
        let [n, x, y, xx, yy, xy] = self.pooled;
        correlation_of_sums(n, x, y, xx, yy, xy).map(|ic| (ic, 1.0 / n.sqrt()))
    }

    /// Decisions that the information coefficient rests on.
    #[must_use]
    pub fn n_decisions(&self) -> u64 {
        if self.ic.0 >= 2 { self.ic.0 } else { self.pooled[0] as u64 }
    }

    /// What the record makes of the agent's confidence, at 1e-9: see `quant::calibration`.
    #[must_use]
    pub fn reliability_nano(&self) -> i64 {
        let hit_rate = shrunk_hit_rate(self.hits, self.misses, PRIOR_OPINIONS);
        let ic = self.information_coefficient().map_or(0.0, |(ic, _)| ic);
        let ic = shrunk_ic(ic, self.n_decisions() as f64, PRIOR_DECISIONS);
        (reliability(hit_rate, ic) * 1e9).round_ties_even() as i64
    }
}

/// Scores of all agents. An opinion is judged when the next price is known, never before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scoreboard {
    scores: Vec<Score>,
}

impl Scoreboard {
    /// No opinions yet.
    #[must_use]
    pub fn new(n_agents: usize) -> Self {
        Scoreboard { scores: vec![Score::default(); n_agents] }
    }

    /// Scores by agent id.
    #[must_use]
    pub fn scores(&self) -> &[Score] {
        &self.scores
    }

    /// Judges what an agent asked for at the last decision (0: it had no opinion) by the returns since, both by instrument.
    pub fn judge(&mut self, agent: AgentId, asked: &[i64], returns_nano: &[i64]) {
        let Some(score) = self.scores.get_mut(usize::from(agent.0)) else { return };
        let Signs { n, moves, hits, misses } = Arch::new().dispatch(Pairs { asked, returns: returns_nano });
        if n == 0 || moves == 0 {
            return;
        }
        score.hits += hits[0] + hits[1];
        score.misses += misses[0] + misses[1];
        let [long, short] = [(hits[0] + misses[0], misses[0]), (hits[1] + misses[1], misses[1])];
        score.long = (score.long.0 + long.0, score.long.1 + long.1);
        score.short = (score.short.0 + short.0, score.short.1 + short.1);
        let most = MOST_MEAN_MOVES * moves as f64 / n as f64;
        let [x1, y1, xx, yy, xy] = Arch::new().dispatch(
            #[inline(always)]
            || sums(asked, returns_nano, most),
        );
        let pairs = n as f64;
        if pairs >= FEWEST {
            if let Some(ic) = correlation_of_sums(pairs, x1, y1, xx, yy, xy) {
                score.ic = (score.ic.0 + 1, score.ic.1 + ic, score.ic.2 + ic * ic);
            }
        } else {
            for (sum, x) in score.pooled.iter_mut().zip([pairs, x1, y1, xx, yy, xy]) {
                *sum += x;
            }
        }
    }

    /// Writes the scores canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.len(self.scores.len());
        for s in &self.scores {
            for n in [s.hits, s.misses, s.long.0, s.long.1, s.short.0, s.short.1, s.ic.0] {
                to.u64(n);
            }
            [s.ic.1, s.ic.2].into_iter().chain(s.pooled).for_each(|x| to.f64(x));
        }
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
            let mut n = || from.u64("score");
            let (hits, misses, long, short, ics) = (n()?, n()?, (n()?, n()?), (n()?, n()?), n()?);
            let mut x = || from.f64("score");
            let ic = (ics, x()?, x()?);
            let pooled = [x()?, x()?, x()?, x()?, x()?, x()?];
            *s = Score { hits, misses, long, short, ic, pooled };
        }
        Ok(())
    }
}

/// Pairs that are looked at together: without a branch, since signs of opinions and moves cannot be foretold.
const TOGETHER: usize = 64;

/// How signs of opinions and moves agree; first those that a price should rise.
#[derive(Default)]
struct Signs {
    /// Opinions, and the sum of the moves' sizes where there is one.
    n: u64,
    moves: i128,
    hits: [u64; 2],
    misses: [u64; 2],
}

/// What an agent asked for and what prices did then.
struct Pairs<'a> {
    asked: &'a [i64],
    returns: &'a [i64],
}

impl WithSimd for Pairs<'_> {
    type Output = Signs;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Signs {
        let Pairs { asked, returns } = self;
        let mut all = Signs::default();
        for (asked, returns) in asked.chunks(TOGETHER).zip(returns.chunks(TOGETHER)) {
            let (mut hits, mut misses, mut n, mut moves, mut bits) = ([0_u64; 2], [0_u64; 2], 0, 0_u64, 0);
            for (a, r) in asked.iter().zip(returns) {
                let (long, short, up, down) = (*a > 0, *a < 0, *r > 0, *r < 0);
                let size = if *a != 0 { r.unsigned_abs() } else { 0 };
                n += u64::from(*a != 0);
                moves = moves.wrapping_add(size);
                bits |= size;
                hits[0] += u64::from(long & up);
                hits[1] += u64::from(short & down);
                misses[0] += u64::from(long & down);
                misses[1] += u64::from(short & up);
            }
            all.n += n;
            all.moves += if bits < 1 << 57 {
                i128::from(moves)
            } else {
                asked.iter().zip(returns).filter(|(a, _)| **a != 0).map(|(_, r)| i128::from(r.unsigned_abs())).sum()
            };
            for k in 0..2 {
                all.hits[k] += hits[k];
                all.misses[k] += misses[k];
            }
        }
        all
    }
}

/// Sums of x, y, x², y², xy over opinions x and moves y of at most `most`, one after the other. In units in which neither
/// squares nor sums lose digits; without an opinion nothing is added.
#[inline(always)]
fn sums(asked: &[i64], returns: &[i64], most: f64) -> [f64; 5] {
    let mut all = [0.0_f64; 5];
    let (mut x, mut y) = ([0.0_f64; TOGETHER], [0.0_f64; TOGETHER]);
    for (asked, returns) in asked.chunks(TOGETHER).zip(returns.chunks(TOGETHER)) {
        for ((x, y), (a, r)) in x.iter_mut().zip(&mut y).zip(asked.iter().zip(returns)) {
            let capped = (*r as f64).max(-most).min(most) / 1e9;
            (*x, *y) = (*a as f64 / 1e9, if *a != 0 { capped } else { 0.0 });
        }
        let m = asked.len().min(returns.len());
        for (x, y) in x.iter().zip(&y).take(m) {
            for (sum, term) in all.iter_mut().zip([*x, *y, x * x, y * y, x * y]) {
                *sum += term;
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: AgentId = AgentId(0);

    #[test]
    fn an_opinion_is_judged_by_the_next_move_only() {
        let mut b = Scoreboard::new(2);
        for (asked, returns) in [([5, 5], [10, -20]), ([3, -1], [0, -20]), ([5, -5], [-10, 0]), ([0, 0], [7, 7])] {
            b.judge(A, &asked, &returns);
        }
        b.judge(AgentId(7), &[1], &[1]);
        let s = b.scores()[0];
        // +: hit, miss, (no move), miss; −: hit, (no move).
        assert_eq!((s.hits, s.misses, s.long, s.short), (2, 2, (3, 2), (1, 0)));
        assert_eq!(s.hit_rate(), Some(0.5));
        assert_eq!(b.scores()[1].hit_rate(), None);
        assert_eq!(b.scores()[1].reliability_nano(), 1_000_000_000);
    }

    /// numpy.corrcoef of each row, then mean and standard error of the two.
    #[test]
    fn the_information_coefficient_is_the_mean_correlation() {
        let mut b = Scoreboard::new(1);
        b.judge(A, &[1, 2, 3, 4, -5], &[10, 30, 20, 50, -10]);
        b.judge(A, &[1, 2, 3, 4, 5], &[50, 10, 30, 20, 10]);
        let (first, second) = (0.885_437_744_847_146_2, -0.661_437_827_766_147_6);
        let mean = (first + second) / 2.0;
        let (ic, error) = b.scores()[0].information_coefficient().unwrap();
        assert!((ic - mean).abs() < 1e-12, "{ic} {mean}");
        let s = f64::sqrt(f64::powi(first - mean, 2) + f64::powi(second - mean, 2));
        assert!((error - s / f64::sqrt(2.0)).abs() < 1e-12);
    }

    #[test]
    fn one_jump_is_not_the_whole_correlation() {
        let mut b = Scoreboard::new(1);
        // Without the cap the correlation would be above 0.99.
        let (mut asked, mut returns) = (vec![-1_i64; 20], vec![1_i64; 20]);
        (asked[0], returns[0]) = (10, 100_000);
        for k in 1..20 {
            returns[k] = if k % 2 == 0 { 500 } else { 1_500 };
            asked[k] = if k % 2 == 0 { 1 } else { -1 };
        }
        b.judge(A, &asked, &returns);
        b.judge(A, &asked, &returns);
        let (ic, _) = b.scores()[0].information_coefficient().unwrap();
        assert!(ic < 0.99 && ic > 0.8, "{ic}");
    }

    #[test]
    fn few_instruments_are_one_sample() {
        let mut b = Scoreboard::new(1);
        for (a, r) in [(1, 1), (2, 3), (3, 2), (4, 5)] {
            b.judge(A, &[a], &[r]);
        }
        let (ic, error) = b.scores()[0].information_coefficient().unwrap();
        assert!((ic - 0.831_521_840_620_299_9).abs() < 1e-12 && (error - 0.5).abs() < 1e-12, "{ic}");
        let mut e = Encoder::new();
        b.save(&mut e);
        let mut again = Scoreboard::new(1);
        again.load(&mut Decoder::new(e.as_bytes())).unwrap();
        assert_eq!(again, b);
        assert!(Scoreboard::new(2).load(&mut Decoder::new(e.as_bytes())).is_err());
    }

    #[test]
    fn a_record_moves_confidence_by_little_at_first() {
        let mut b = Scoreboard::new(1);
        let asked: Vec<i64> = (1..=10).collect();
        b.judge(A, &asked, &asked);
        let early = b.scores()[0].reliability_nano();
        assert!(early > 1_000_000_000 && early < 1_200_000_000, "{early}");
        for _ in 0..2_000 {
            b.judge(A, &asked, &asked);
        }
        assert_eq!(b.scores()[0].reliability_nano(), 1_500_000_000);
    }
}
