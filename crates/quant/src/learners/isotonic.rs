//! Isotonic calibration: the non-decreasing function that is nearest to what was seen.

use super::{LearnerError, above_zero, finite, length};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// A fitted non-decreasing function: straight between its points, level outside them.
///
/// Sources: Ayer and others, Annals of Mathematical Statistics 26 (1955) 641, pooling adjacent violators; Zadrozny and Elkan,
/// KDD (2002) 694, for probabilities.
#[derive(Clone, Debug, PartialEq)]
pub struct Isotonic {
    scores: Vec<f64>,
    values: Vec<f64>,
}

/// Observations with one value: the sums of their weights and weighted outcomes, and how many scores they span.
struct Pool {
    weight: f64,
    sum: f64,
    scores: usize,
}

impl Pool {
    fn value(&self) -> f64 {
        self.sum / self.weight
    }
}

impl Isotonic {
    /// Fits by weighted least squares; outcomes of equal scores are averaged first.
    ///
    /// - Shape: a cell an observation in each slice, one or more, in any order. Range: scores and outcomes finite (0 and 1 give
    ///   a probability), weights above 0.
    /// - Cost: `O(n log n)`.
    ///
    /// # Errors
    /// `Empty`, `Length`, `OutOfRange`.
    pub fn fit(scores: &[f64], outcomes: &[f64], weights: &[f64]) -> Result<Self, LearnerError> {
        if scores.is_empty() {
            return Err(LearnerError::Empty { name: "observations" });
        }
        length("outcomes", outcomes.len(), scores.len())?;
        length("weights", weights.len(), scores.len())?;
        let mut rows = Vec::with_capacity(scores.len());
        for ((x, y), w) in scores.iter().zip(outcomes).zip(weights) {
            // -0 and 0 are one score.
            rows.push((finite("score", *x)? + 0.0, finite("outcome", *y)?, above_zero("weight", *w)?));
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut unique, mut pools): (Vec<f64>, Vec<Pool>) = (Vec::new(), Vec::new());
        for (x, y, w) in rows {
            match pools.last_mut() {
                Some(p) if unique.last() == Some(&x) => (p.weight, p.sum) = (p.weight + w, p.sum + w * y),
                _ => {
                    unique.push(x);
                    pools.push(Pool { weight: w, sum: w * y, scores: 1 });
                }
            }
        }
        let mut merged: Vec<Pool> = Vec::with_capacity(pools.len());
        for mut next in pools {
            while let Some(before) = merged.pop_if(|before| before.value() >= next.value()) {
                next = Pool {
                    weight: before.weight + next.weight,
                    sum: before.sum + next.sum,
                    scores: before.scores + next.scores,
                };
            }
            merged.push(next);
        }
        // The ends of each level are all that a straight line between needs.
        let (mut points, mut values, mut at) = (Vec::new(), Vec::new(), 0);
        for pool in &merged {
            for k in [at, at + pool.scores - 1] {
                if points.last() != Some(&unique[k]) {
                    points.push(unique[k]);
                    values.push(pool.value());
                }
            }
            at += pool.scores;
        }
        Ok(Isotonic { scores: points, values })
    }

    /// The value at a score; NaN for NaN.
    #[must_use]
    pub fn value(&self, score: f64) -> f64 {
        let above = self.scores.partition_point(|x| *x <= score);
        match (self.scores.get(above.wrapping_sub(1)), self.scores.get(above)) {
            _ if score.is_nan() => f64::NAN,
            (Some(low), Some(high)) => {
                let (from, to) = (self.values[above - 1], self.values[above]);
                // Halves, because the ends may be as far apart as floats can be.
                from + (to - from) * ((0.5 * score - 0.5 * low) / (0.5 * high - 0.5 * low))
            }
            (None, Some(_)) => self.values[0],
            _ => self.values[self.values.len() - 1],
        }
    }

    /// Scores at which the function bends and its values there.
    #[must_use]
    pub fn points(&self) -> (&[f64], &[f64]) {
        (&self.scores, &self.values)
    }

    /// Writes the function canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.f64s(&self.scores);
        to.f64s(&self.values);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged.
    pub fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let n = from.len("points of an isotonic function")?;
        if n == 0 {
            return Err(DecodeError::Mismatch { what: "points of an isotonic function", found: 0, expected: 1 });
        }
        let mut scores = Vec::with_capacity(n);
        for _ in 0..n {
            scores.push(from.f64("score")?);
        }
        let mut values = vec![0.0; n];
        from.f64s_into(&mut values)?;
        let rises = scores.iter().chain(&values).all(|x| x.is_finite())
            && scores.windows(2).all(|w| w[0] < w[1])
            && values.windows(2).all(|w| w[0] <= w[1]);
        if rises { Ok(Isotonic { scores, values }) } else { Err(super::damaged("isotonic function", scores[0])) }
    }
}
