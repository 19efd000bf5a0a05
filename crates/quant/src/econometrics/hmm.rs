//! Regimes that the data name: a hidden Markov model with normal emissions, fitted by expectation and maximisation.
//!
//! [`crate::regime`] follows regimes whose parameters are constants. This one learns them from a history; live it must
//! be filtered ([`HmmFilter`]), because smoothed probabilities know what comes.

use super::{EconometricsError, finite};

/// A hidden Markov model of `n` states that emit rows of `d` independent normal numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Hmm {
    n: usize,
    d: usize,
    start: Vec<f64>,
    transition: Vec<f64>,
    means: Vec<f64>,
    variances: Vec<f64>,
}

/// How [`Hmm::fit`] goes on and when it stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HmmSearch {
    /// Steps at most.
    pub steps: usize,
    /// Stops when a step raises the log-likelihood by less.
    pub least_gain: f64,
    /// Added to each state's sum of squares, in squared units of the data: keeps a state from shrinking onto one row. 0.01
    /// is hmmlearn's, made for numbers near 1.
    pub variance_prior: f64,
}

/// A fitted model.
#[derive(Clone, Debug, PartialEq)]
pub struct HmmFit {
    /// The model after the last step.
    pub model: Hmm,
    /// Log-likelihood before each step. It does not fall, but for the prior.
    pub log_likelihoods: Vec<f64>,
    /// True if the last gain was below the least.
    pub settled: bool,
}

/// Probabilities of the states, a row of `n` for each row of data.
#[derive(Clone, Debug, PartialEq)]
pub struct HmmProbabilities {
    /// Given the rows so far.
    pub filtered: Vec<f64>,
    /// Given all rows. For study only: it knows the future.
    pub smoothed: Vec<f64>,
    /// Logarithm of the likelihood.
    pub log_likelihood: f64,
}

const LN_2_PI: f64 = 1.837_877_066_409_345_3;

impl Hmm {
    /// A model from its parameters: `start` of `n`, `transition[from · n + to]`, `means` and `variances` of `n × d` by rows.
    ///
    /// Errors: `Shape`, `NotFinite`; `OutOfRange` for a probability below 0, rows that do not sum to 1 (within 1e-9), or a
    /// variance not above 0.
    pub fn new(
        d: usize,
        start: &[f64],
        transition: &[f64],
        means: &[f64],
        variances: &[f64],
    ) -> Result<Hmm, EconometricsError> {
        let n = start.len();
        let shapes = [
            ("transitions of a regime model", transition, n * n),
            ("means of a regime model", means, n * d),
            ("variances of a regime model", variances, n * d),
        ];
        for (what, given, expected) in shapes {
            if given.len() != expected || expected == 0 {
                return Err(EconometricsError::Shape { what, got: given.len(), expected });
            }
            finite(what, given)?;
        }
        for row in std::iter::once(start).chain(transition.chunks_exact(n)) {
            let sum: f64 = row.iter().sum();
            let least = row.iter().fold(f64::INFINITY, |m, p| m.min(*p));
            if (sum - 1.0).abs() > 1e-9 || !(least >= 0.0 && sum.is_finite()) {
                let got = if least >= 0.0 { sum } else { least };
                return Err(EconometricsError::OutOfRange {
                    what: "probabilities of a regime model",
                    got,
                    least: 0.0,
                    most: 1.0,
                });
            }
        }
        if let Some(v) = variances.iter().find(|v| **v <= 0.0) {
            let most = f64::INFINITY;
            return Err(EconometricsError::OutOfRange { what: "variance of a regime", got: *v, least: 0.0, most });
        }
        let own = |x: &[f64]| x.to_vec();
        Ok(Hmm { n, d, start: own(start), transition: own(transition), means: own(means), variances: own(variances) })
    }

    /// A start for one column of returns: state `k` takes the rows between two quantiles of the distance from the mean, so
    /// that states come calm first; states last twenty bars on average.
    ///
    /// Errors: `TooFew` below ten rows a state, `NotFinite`, `NoVariance`, `OutOfRange` for fewer than two states.
    pub fn of_volatility(returns: &[f64], n: usize) -> Result<Hmm, EconometricsError> {
        if n < 2 {
            return Err(EconometricsError::OutOfRange {
                what: "states of a regime model",
                got: n as f64,
                least: 2.0,
                most: f64::INFINITY,
            });
        }
        super::varied("returns of a regime model", returns, 10 * n)?;
        let mean = super::dense::mean(returns);
        let mut squares: Vec<f64> = returns.iter().map(|r| (r - mean) * (r - mean)).collect();
        let whole = super::dense::mean(&squares);
        squares.sort_by(f64::total_cmp);
        let part = squares.len() / n;
        // Within a part of the distribution the spread is smaller than that of the state it stands for, in the calm one.
        let variances: Vec<f64> =
            squares.chunks(part).take(n).map(|part| super::dense::mean(part).max(1e-3 * whole)).collect();
        let stay = 0.95;
        let other = (1.0 - stay) / (n - 1) as f64;
        let transition: Vec<f64> = (0..n * n).map(|at| if at / n == at % n { stay } else { other }).collect();
        Hmm::new(1, &vec![1.0 / n as f64; n], &transition, &vec![mean; n], &variances)
    }

    /// Number of states.
    #[must_use]
    pub fn states(&self) -> usize {
        self.n
    }

    /// Probabilities of the states at the first row.
    #[must_use]
    pub fn start(&self) -> &[f64] {
        &self.start
    }

    /// Chances of a change, `[from · n + to]`.
    #[must_use]
    pub fn transition(&self) -> &[f64] {
        &self.transition
    }

    /// Means, `n × d` by rows.
    #[must_use]
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// Variances, `n × d` by rows.
    #[must_use]
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    fn check(&self, x: &[f64]) -> Result<usize, EconometricsError> {
        let rows = x.len() / self.d;
        if rows * self.d != x.len() {
            return Err(EconometricsError::Shape {
                what: "data of a regime model",
                got: x.len(),
                expected: (rows + 1) * self.d,
            });
        }
        if rows < 2 {
            return Err(EconometricsError::TooFew { what: "data of a regime model", got: rows, need: 2 });
        }
        finite("data of a regime model", x)?;
        Ok(rows)
    }

    /// Densities of a row over their largest, and the logarithm of that.
    fn densities(&self, row: &[f64], out: &mut [f64]) -> f64 {
        let mut most = f64::NEG_INFINITY;
        let parameters = self.means.chunks_exact(self.d).zip(self.variances.chunks_exact(self.d));
        for (to, (means, variances)) in out.iter_mut().zip(parameters) {
            let log = row
                .iter()
                .zip(means)
                .zip(variances)
                .fold(0.0, |sum, ((x, m), v)| sum - 0.5 * (LN_2_PI + libm::log(*v) + (x - m) * (x - m) / v));
            *to = log;
            most = most.max(log);
        }
        out.iter_mut().for_each(|o| *o = libm::exp(*o - most));
        most
    }

    /// Probabilities of the states given the rows so far and given all.
    ///
    /// - Shape: rows of `d` numbers, one after the other. Errors: `Shape`, `TooFew` below two rows, `NotFinite`.
    /// - Source: Rabiner, Proceedings of the IEEE 77 (1989) 257, III.A and V.A (scaled); Hamilton (1989).
    pub fn probabilities(&self, x: &[f64]) -> Result<HmmProbabilities, EconometricsError> {
        let rows = self.check(x)?;
        let mut work = Work::new(self.n, rows);
        let log_likelihood = work.forward(self, x);
        work.backward(self);
        Ok(HmmProbabilities { filtered: work.filtered, smoothed: work.smoothed, log_likelihood })
    }

    /// The likeliest sequence of states. Errors: as [`Hmm::probabilities`]. Source: Viterbi, IEEE Transactions on
    /// Information Theory 13 (1967) 260. For study only: it knows the future.
    pub fn likeliest_path(&self, x: &[f64]) -> Result<Vec<usize>, EconometricsError> {
        let rows = self.check(x)?;
        let n = self.n;
        let mut from = vec![0_usize; rows * n];
        let mut best: Vec<f64> = self.start.iter().map(|p| libm::log(*p)).collect();
        let (mut density, mut next) = (vec![0.0; n], vec![0.0; n]);
        for (t, row) in x.chunks_exact(self.d).enumerate() {
            self.densities(row, &mut density);
            if t > 0 {
                for to in 0..n {
                    let reach = |s: usize| best[s] + libm::log(self.transition[s * n + to]);
                    let source = (1..n).fold(0, |b, s| if reach(s) > reach(b) { s } else { b });
                    from[t * n + to] = source;
                    next[to] = reach(source);
                }
                best.copy_from_slice(&next);
            }
            best.iter_mut().zip(&density).for_each(|(b, d)| *b += libm::log(*d));
        }
        let mut path = vec![0; rows];
        let mut state = (1..n).fold(0, |b, s| if best[s] > best[b] { s } else { b });
        for t in (0..rows).rev() {
            path[t] = state;
            state = from[t * n + state];
        }
        Ok(path)
    }

    /// Fits the model from itself as the start. Equal to hmmlearn's `GaussianHMM(covariance_type="diag")` with the same
    /// start and `covars_prior`.
    ///
    /// - Errors: as [`Hmm::probabilities`]; `OutOfRange` for a prior below 0; `NoVariance` if a state shrinks onto one value.
    /// - Source: Baum, Petrie, Soules and Weiss, Annals of Mathematical Statistics 41 (1970) 164; Rabiner (1989), III.C.
    pub fn fit(&self, x: &[f64], search: HmmSearch) -> Result<HmmFit, EconometricsError> {
        let rows = self.check(x)?;
        if search.variance_prior.is_nan() || search.variance_prior < 0.0 {
            let (got, most) = (search.variance_prior, f64::INFINITY);
            return Err(EconometricsError::OutOfRange { what: "variance prior", got, least: 0.0, most });
        }
        let mut model = self.clone();
        let mut work = Work::new(self.n, rows);
        let mut log_likelihoods: Vec<f64> = Vec::with_capacity(search.steps);
        let mut settled = false;
        for _ in 0..search.steps {
            let now = work.forward(&model, x);
            work.backward(&model);
            let gain = log_likelihoods.last().map(|before| now - before);
            log_likelihoods.push(now);
            work.maximise(&mut model, x, search.variance_prior)?;
            if gain.is_some_and(|g| g < search.least_gain) {
                settled = true;
                break;
            }
        }
        Ok(HmmFit { model, log_likelihoods, settled })
    }
}

/// Buffers of a pass over the data.
struct Work {
    n: usize,
    density: Vec<f64>,
    filtered: Vec<f64>,
    smoothed: Vec<f64>,
    predicted: Vec<f64>,
    /// Expected numbers of changes.
    changes: Vec<f64>,
}

impl Work {
    fn new(n: usize, rows: usize) -> Work {
        let zeros = |len| vec![0.0; len];
        Work {
            n,
            density: zeros(n * rows),
            filtered: zeros(n * rows),
            smoothed: zeros(n * rows),
            predicted: zeros(n * rows),
            changes: zeros(n * n),
        }
    }

    fn forward(&mut self, model: &Hmm, x: &[f64]) -> f64 {
        let n = self.n;
        let mut total = 0.0;
        for (t, row) in x.chunks_exact(model.d).enumerate() {
            let density = &mut self.density[t * n..(t + 1) * n];
            total += model.densities(row, density);
            let predicted = &mut self.predicted[t * n..(t + 1) * n];
            match t.checked_sub(1) {
                None => predicted.copy_from_slice(&model.start),
                Some(before) => predict(&self.filtered[before * n..t * n], &model.transition, predicted),
            }
            total += condition(predicted, density, &mut self.filtered[t * n..(t + 1) * n]);
        }
        total
    }

    /// Smoothed probabilities and expected changes, from the last row back. Source: Kim, Journal of Econometrics 60 (1994) 1.
    fn backward(&mut self, model: &Hmm) {
        let n = self.n;
        let rows = self.filtered.len() / n;
        self.changes.fill(0.0);
        self.smoothed.copy_from_slice(&self.filtered);
        for t in (0..rows - 1).rev() {
            let (now, later) = self.smoothed.split_at_mut((t + 1) * n);
            let (now, later) = (&mut now[t * n..], &later[..n]);
            let predicted = &self.predicted[(t + 1) * n..(t + 2) * n];
            for (from, p) in now.iter_mut().enumerate() {
                let before = *p;
                let mut sum = 0.0;
                for to in 0..n {
                    // A state that cannot be reached is not there either.
                    let ratio = if predicted[to] > 0.0 { later[to] / predicted[to] } else { 0.0 };
                    let change = before * model.transition[from * n + to] * ratio;
                    self.changes[from * n + to] += change;
                    sum += change;
                }
                *p = sum;
            }
        }
    }

    fn maximise(&self, model: &mut Hmm, x: &[f64], prior: f64) -> Result<(), EconometricsError> {
        let (n, d) = (self.n, model.d);
        model.start.copy_from_slice(&self.smoothed[..n]);
        scale(&mut model.start);
        for (row, changes) in model.transition.chunks_exact_mut(n).zip(self.changes.chunks_exact(n)) {
            // A state without any change keeps its row.
            if changes.iter().sum::<f64>() > 0.0 {
                row.copy_from_slice(changes);
                scale(row);
            }
        }
        for state in 0..n {
            let weights = || self.smoothed.iter().skip(state).step_by(n);
            let weight = weights().fold(0.0, |sum, w| sum + w);
            for j in 0..d {
                let values = || x.iter().skip(j).step_by(d).zip(weights());
                let mean = values().fold(0.0, |sum, (x, w)| sum + w * x) / weight;
                let squares = values().fold(0.0, |sum, (x, w)| sum + w * (x - mean) * (x - mean));
                let variance = (prior + squares) / weight;
                if !(mean.is_finite() && variance.is_finite() && variance > 0.0) {
                    return Err(EconometricsError::NoVariance { what: "a regime" });
                }
                model.means[state * d + j] = mean;
                model.variances[state * d + j] = variance;
            }
        }
        Ok(())
    }
}

fn scale(row: &mut [f64]) {
    let sum = row.iter().fold(0.0, |sum, p| sum + p);
    row.iter_mut().for_each(|p| *p /= sum);
}

fn predict(before: &[f64], transition: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    for (p, row) in before.iter().zip(transition.chunks_exact(out.len())) {
        for (to, chance) in out.iter_mut().zip(row) {
            *to += p * chance;
        }
    }
}

/// Bayes: the logarithm of how likely the row was. If no state explains it, the prediction is kept.
fn condition(predicted: &[f64], density: &[f64], out: &mut [f64]) -> f64 {
    let mut sum = 0.0;
    for ((o, p), d) in out.iter_mut().zip(predicted).zip(density) {
        *o = p * d;
        sum += *o;
    }
    if !(sum.is_finite() && sum > 0.0) {
        out.copy_from_slice(predicted);
        return f64::NEG_INFINITY;
    }
    out.iter_mut().for_each(|o| *o /= sum);
    libm::log(sum)
}

/// Probabilities of the states after each row, as they come: what may be traded. Nothing is allocated after the start.
#[derive(Clone, Debug, PartialEq)]
pub struct HmmFilter {
    model: Hmm,
    begun: bool,
    probabilities: Vec<f64>,
    predicted: Vec<f64>,
    density: Vec<f64>,
}

impl HmmFilter {
    /// A filter before any row.
    #[must_use]
    pub fn new(model: Hmm) -> HmmFilter {
        let zeros = || vec![0.0; model.n];
        HmmFilter { begun: false, probabilities: model.start.clone(), predicted: zeros(), density: zeros(), model }
    }

    /// Takes a row of `d` numbers and gives the probabilities after it.
    ///
    /// Errors, without a change of the filter: `Shape`, `NotFinite`.
    pub fn update(&mut self, row: &[f64]) -> Result<&[f64], EconometricsError> {
        if row.len() != self.model.d {
            return Err(EconometricsError::Shape {
                what: "row of a regime model",
                got: row.len(),
                expected: self.model.d,
            });
        }
        finite("row of a regime model", row)?;
        self.model.densities(row, &mut self.density);
        if std::mem::replace(&mut self.begun, true) {
            predict(&self.probabilities, &self.model.transition, &mut self.predicted);
        } else {
            self.predicted.copy_from_slice(&self.model.start);
        }
        condition(&self.predicted, &self.density, &mut self.probabilities);
        Ok(&self.probabilities)
    }
}
