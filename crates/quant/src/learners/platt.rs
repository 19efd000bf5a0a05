//! Platt's calibration: a logistic curve from scores to probabilities.

use super::{LearnerError, finite, length, logistic};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Newton steps; ten are usual.
const MOST_STEPS: usize = 200;
/// Size of a step, beside its parameter, from which on the loss is not looked at.
const NEAR: f64 = 1e-5;
/// Steps that are taken from there.
const LAST_STEPS: u32 = 3;
/// Added to the second derivatives, so that equal scores have an answer.
const RIDGE: f64 = 1e-12;

/// `probability = 1 / (1 + e^{−(slope · score + offset)})`.
///
/// Sources: Platt, Advances in Large Margin Classifiers (1999) 61, with his targets instead of 0 and 1; Lin, Lin and Weng, Machine
/// Learning 68 (2007) 267, the fit. Their A and B are our slope and offset with the sign turned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Platt {
    /// How fast the probability rises with the score.
    pub slope: f64,
    /// The logit at a score of 0.
    pub offset: f64,
}

impl Platt {
    /// Fits by maximum likelihood with the targets `(n₊ + 1) / (n₊ + 2)` and `1 / (n₋ + 2)`, which keep probabilities away from
    /// 0 and 1: one class alone, or perfect separation, still has a finite answer.
    ///
    /// - Shape: an outcome a score, one or more.
    ///
    /// # Errors
    /// `Empty`, `Length`, `OutOfRange`, `NotConverged`.
    pub fn fit(scores: &[f64], outcomes: &[bool]) -> Result<Self, LearnerError> {
        if scores.is_empty() {
            return Err(LearnerError::Empty { name: "observations" });
        }
        length("outcomes", outcomes.len(), scores.len())?;
        let mut size = 0.0_f64;
        for x in scores {
            size = size.max(finite("score", *x)?.abs());
        }
        // In scores of size one the two parameters are alike.
        let size = if size > 0.0 { size } else { 1.0 };
        let happened = outcomes.iter().filter(|o| **o).count() as f64;
        let missed = scores.len() as f64 - happened;
        let targets = ((happened + 1.0) / (happened + 2.0), 1.0 / (missed + 2.0));
        let rows = || scores.iter().zip(outcomes).map(|(x, o)| (x / size, if *o { targets.0 } else { targets.1 }));
        let loss = |a: f64, b: f64| {
            rows().fold(0.0, |sum, (x, t)| {
                let z = a * x + b;
                // ln(1 + e^z) − t z without overflow.
                sum + libm::log1p(libm::exp(-z.abs())) + if z > 0.0 { (1.0 - t) * z } else { -t * z }
            })
        };
        let (mut a, mut b) = (0.0, libm::log((happened + 1.0) / (missed + 1.0)));
        let (mut now, mut last) = (loss(a, b), LAST_STEPS);
        for _ in 0..MOST_STEPS {
            let (mut g, mut h, mut aa, mut ab, mut bb) = (0.0, 0.0, RIDGE, 0.0, RIDGE);
            for (x, t) in rows() {
                let p = logistic(a * x + b);
                let d = p * (1.0 - p);
                g += (p - t) * x;
                h += p - t;
                aa += d * x * x;
                ab += d * x;
                bb += d;
            }
            let det = aa * bb - ab * ab;
            let (da, db) = ((ab * h - bb * g) / det, (ab * g - aa * h) / det);
            if da.abs() <= NEAR * (1.0 + a.abs()) && db.abs() <= NEAR * (1.0 + b.abs()) {
                // The loss is flat to its last digits here, the gradient is not: whole steps, each squaring the error.
                (a, b, last) = (a + da, b + db, last - 1);
                if last == 0 {
                    return Ok(Platt { slope: a / size, offset: b });
                }
                now = loss(a, b);
                continue;
            }
            let mut scale = 1.0;
            loop {
                let next = loss(a + scale * da, b + scale * db);
                if next < now + 1e-4 * scale * (g * da + h * db) {
                    (a, b, now) = (a + scale * da, b + scale * db, next);
                    break;
                }
                scale *= 0.5;
                if scale < 1e-10 {
                    let least = 1e-7 * scores.len() as f64;
                    let done = g.abs() <= least && h.abs() <= least;
                    let found = Platt { slope: a / size, offset: b };
                    return if done { Ok(found) } else { Err(LearnerError::NotConverged) };
                }
            }
        }
        Err(LearnerError::NotConverged)
    }

    /// The probability at a score, 0 to 1; NaN for NaN.
    #[must_use]
    pub fn probability(&self, score: f64) -> f64 {
        logistic(self.slope * score + self.offset)
    }

    /// Writes the curve canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.f64(self.slope);
        to.f64(self.offset);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged.
    pub fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (slope, offset) = (from.f64("slope")?, from.f64("offset")?);
        if slope.is_finite() && offset.is_finite() {
            Ok(Platt { slope, offset })
        } else {
            Err(super::damaged("slope of a calibration", slope))
        }
    }
}
