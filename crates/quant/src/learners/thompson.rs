//! Thompson sampling: choose each arm as often as it is probably the best.

use super::{LearnerError, above_zero, arm, finite, first_largest, memory, within};
use crate::performance::{Random, normal};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Arms that succeed or fail, with a Beta posterior each.
///
/// Sources: Thompson, Biometrika 25 (1933) 285; Russo and others, A Tutorial on Thompson Sampling (2018), section 3.1, and 6.3
/// for the memory; draws: Marsaglia and Tsang, ACM Transactions on Mathematical Software 26 (2000) 363.
#[derive(Clone, Debug, PartialEq)]
pub struct BetaThompson {
    prior: (f64, f64),
    memory: f64,
    /// Successes and failures that are remembered.
    arms: Vec<(f64, f64)>,
    random: Random,
}

impl BetaThompson {
    /// `arms` arms (1 or more) with the prior `Beta(successes, failures)`, both above 0 ((1, 1) knows nothing). What an arm did
    /// fades by `memory` with each outcome of any arm (above 0, at most 1; 1 forgets nothing).
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn new(arms: usize, prior: (f64, f64), memory: f64, seed: u64) -> Result<Self, LearnerError> {
        above_zero("number of arms", arms as f64)?;
        above_zero("successes of the prior", prior.0)?;
        above_zero("failures of the prior", prior.1)?;
        self::memory(memory)?;
        Ok(BetaThompson { prior, memory, arms: vec![(0.0, 0.0); arms], random: Random::new(seed) })
    }

    /// The arm to try now: one draw an arm, the largest wins.
    pub fn choose(&mut self) -> usize {
        let Self { prior: (a, b), arms, random, .. } = self;
        first_largest(arms.iter().map(|(s, f)| beta(random, *a + s, *b + f)))
    }

    /// Takes the outcome of an arm.
    ///
    /// # Errors
    /// `OutOfRange` for an arm that does not exist.
    pub fn update(&mut self, arm: usize, success: bool) -> Result<(), LearnerError> {
        self::arm(arm, self.arms.len())?;
        for (k, (s, f)) in self.arms.iter_mut().enumerate() {
            (*s, *f) = (self.memory * *s, self.memory * *f);
            if k == arm {
                *(if success { s } else { f }) += 1.0;
            }
        }
        Ok(())
    }

    /// The two numbers of an arm's Beta distribution; `None` if there is no such arm.
    #[must_use]
    pub fn posterior(&self, arm: usize) -> Option<(f64, f64)> {
        self.arms.get(arm).map(|(s, f)| (self.prior.0 + s, self.prior.1 + f))
    }

    /// Writes the state canonically.
    pub fn save(&self, to: &mut Encoder) {
        save(&self.arms, &self.random, to);
    }

    /// Reads what `save` wrote, into arms of the same parameters.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged or of another number of arms.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        load(&mut self.arms, &mut self.random, from, |n| n >= 0.0)
    }
}

/// Arms with a reward of a normal distribution whose variance is known, with a normal posterior of the mean each.
///
/// Sources: as [`BetaThompson`]; the posterior: Gelman et al., Bayesian Data Analysis, 3rd ed. (2013), eq. 2.12.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianThompson {
    prior: (f64, f64),
    noise: f64,
    memory: f64,
    /// Outcomes that are remembered and their sum.
    arms: Vec<(f64, f64)>,
    random: Random,
}

impl GaussianThompson {
    /// `arms` arms (1 or more) with the prior `(mean, variance)`, the variance above 0, and rewards of variance `noise` (above 0).
    /// The memory is that of [`BetaThompson::new`].
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn new(arms: usize, prior: (f64, f64), noise: f64, memory: f64, seed: u64) -> Result<Self, LearnerError> {
        above_zero("number of arms", arms as f64)?;
        finite("mean of the prior", prior.0)?;
        above_zero("variance of the prior", prior.1)?;
        above_zero("variance of the noise", noise)?;
        within("ratio of the variances", prior.1 / noise, "finite and above 0", prior.1 / noise > 0.0)?;
        self::memory(memory)?;
        Ok(GaussianThompson { prior, noise, memory, arms: vec![(0.0, 0.0); arms], random: Random::new(seed) })
    }

    /// The arm to try now: one draw an arm, the largest wins.
    pub fn choose(&mut self) -> usize {
        let Self { prior, noise, arms, random, .. } = self;
        first_largest(arms.iter().map(|a| {
            let (mean, variance) = posterior(*prior, *noise, *a);
            mean + variance.sqrt() * standard(random)
        }))
    }

    /// Takes the reward of an arm.
    ///
    /// # Errors
    /// `OutOfRange` for an arm that does not exist or a reward that is not finite.
    pub fn update(&mut self, arm: usize, reward: f64) -> Result<(), LearnerError> {
        self::arm(arm, self.arms.len())?;
        finite("reward", reward)?;
        for (k, (n, sum)) in self.arms.iter_mut().enumerate() {
            (*n, *sum) = (self.memory * *n, self.memory * *sum);
            if k == arm {
                (*n, *sum) = (*n + 1.0, *sum + reward);
            }
        }
        Ok(())
    }

    /// Mean and variance of what an arm's mean may be; `None` if there is no such arm.
    #[must_use]
    pub fn posterior(&self, arm: usize) -> Option<(f64, f64)> {
        self.arms.get(arm).map(|a| posterior(self.prior, self.noise, *a))
    }

    /// Writes the state canonically.
    pub fn save(&self, to: &mut Encoder) {
        save(&self.arms, &self.random, to);
    }

    /// Reads what `save` wrote, into arms of the same parameters.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged or of another number of arms.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        load(&mut self.arms, &mut self.random, from, |_| true)
    }
}

fn posterior((mean, variance): (f64, f64), noise: f64, (n, sum): (f64, f64)) -> (f64, f64) {
    let weight = variance / noise;
    ((mean + weight * sum) / (1.0 + weight * n), variance / (1.0 + weight * n))
}

/// A standard normal, by the inverse of its distribution at the middle of a cell of 2⁻⁵³.
fn standard(random: &mut Random) -> f64 {
    normal::inverse(open(random))
}

/// Uniform on 0 to 1, both excluded.
fn open(random: &mut Random) -> f64 {
    // 52 bits and a half: one more bit would round the last cell to 1.
    ((random.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

/// A draw of Beta(a, b).
fn beta(random: &mut Random, a: f64, b: f64) -> f64 {
    let (x, y) = (ln_gamma_draw(random, a), ln_gamma_draw(random, b));
    super::logistic(x - y)
}

/// The logarithm of a draw of Gamma(shape, 1); in logarithms, because draws of a tiny shape underflow.
fn ln_gamma_draw(random: &mut Random, shape: f64) -> f64 {
    let boost = if shape < 1.0 { libm::log(open(random)) / shape } else { 0.0 };
    let d = if shape < 1.0 { shape + 1.0 } else { shape } - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let z = standard(random);
        let root = 1.0 + c * z;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        if libm::log(open(random)) < 0.5 * z * z + d * (1.0 - v + libm::log(v)) {
            return libm::log(d * v) + boost;
        }
    }
}

fn save(arms: &[(f64, f64)], random: &Random, to: &mut Encoder) {
    to.len(arms.len());
    for (a, b) in arms {
        to.f64(*a);
        to.f64(*b);
    }
    random.save(to);
}

fn load(
    arms: &mut [(f64, f64)],
    random: &mut Random,
    from: &mut Decoder<'_>,
    second: fn(f64) -> bool,
) -> Result<(), DecodeError> {
    let n = from.u64("arms")?;
    if n != arms.len() as u64 {
        return Err(DecodeError::Mismatch { what: "arms", found: n, expected: arms.len() as u64 });
    }
    for (a, b) in arms {
        (*a, *b) = (from.f64("arm")?, from.f64("arm")?);
        if !(a.is_finite() && *a >= 0.0 && b.is_finite() && second(*b)) {
            return Err(super::damaged("arm", *a));
        }
    }
    random.load(from)
}
