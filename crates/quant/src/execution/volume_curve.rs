//! How a session's volume spreads over its buckets, from the sessions before it.

use super::{ExecutionError, above_zero, at_least_zero, length};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// How the shares of a bucket in several sessions become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Centre {
    /// Their mean.
    Mean,
    /// Their median, brought back to a sum of 1: one session with a block trade does not move it.
    Median,
}

/// Sessions of one length in the order in which they ended, the last `window` of them.
#[derive(Clone, Debug, PartialEq)]
struct Ring {
    shares: Vec<f64>,
    lengths: Vec<usize>,
    next: usize,
}

/// Shares of volume by bucket of the session, of the last `window` full and the last `window` short sessions.
///
/// A session is pushed when it is over, so a curve never knows the session that it is used in. A session counts by its shares,
/// not by its volume: a busy day weighs no more than a quiet one. Short sessions (half days) are kept apart: their close
/// comes early, and among full days they would empty the afternoon.
///
/// Source: the mean of shares is Berkowitz, Logue and Noser, Journal of Finance 43 (1988) 97, and Kissell and Glantz, Optimal
/// Trading Strategies (2003), chapter 9; the median and the rule for half days are this library's choice.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumeCurves {
    buckets: usize,
    window: usize,
    full: Ring,
    short: Ring,
    scratch: Vec<f64>,
}

/// Short sessions of a length from which their own curve is used.
const LEAST_SHORT: usize = 3;

impl Ring {
    fn new(buckets: usize, window: usize) -> Self {
        Ring { shares: vec![0.0; buckets * window], lengths: Vec::with_capacity(window), next: 0 }
    }

    fn push(&mut self, volumes: &[f64], sum: f64, buckets: usize, window: usize) {
        let row = &mut self.shares[self.next * buckets..(self.next + 1) * buckets];
        row.fill(0.0);
        for (share, v) in row.iter_mut().zip(volumes) {
            *share = v / sum;
        }
        match self.lengths.get_mut(self.next) {
            Some(n) => *n = volumes.len(),
            None => self.lengths.push(volumes.len()),
        }
        self.next = (self.next + 1) % window;
    }

    /// Sessions of this many buckets.
    fn count(&self, buckets: usize) -> usize {
        self.lengths.iter().filter(|n| **n == buckets).count()
    }

    /// The centre of one bucket over the sessions of `length` buckets, oldest first, so that a sum depends on the history
    /// alone.
    fn centre(&self, (bucket, stride): (usize, usize), length: usize, centre: Centre, scratch: &mut Vec<f64>) -> f64 {
        let rows = self.lengths.len();
        let oldest = if rows * stride == self.shares.len() { self.next } else { 0 };
        scratch.clear();
        let in_order = (oldest..rows).chain(0..oldest).filter(|row| self.lengths[*row] == length);
        scratch.extend(in_order.map(|row| self.shares[row * stride + bucket]));
        match centre {
            Centre::Mean => scratch.iter().fold(0.0, |sum, x| sum + x) / scratch.len() as f64,
            Centre::Median => median(scratch),
        }
    }

    fn save(&self, to: &mut Encoder) {
        to.f64s(&self.shares);
        to.len(self.lengths.len());
        self.lengths.iter().for_each(|n| to.u64(*n as u64));
        to.u64(self.next as u64);
    }

    fn load(&mut self, from: &mut Decoder<'_>, buckets: usize, window: usize) -> Result<(), DecodeError> {
        from.f64s_into(&mut self.shares)?;
        let n = index(from, "sessions of a volume curve", window)?;
        self.lengths.clear();
        for _ in 0..n {
            self.lengths.push(index(from, "buckets of a session", buckets)?);
        }
        self.next = index(from, "next session of a volume curve", window - 1)?;
        Ok(())
    }
}

/// A number up to `most`.
fn index(from: &mut Decoder<'_>, what: &'static str, most: usize) -> Result<usize, DecodeError> {
    let found = from.u64(what)?;
    match usize::try_from(found) {
        Ok(n) if n <= most => Ok(n),
        _ => Err(DecodeError::Mismatch { what, found, expected: most as u64 }),
    }
}

/// The middle value, the mean of the two middle ones of an even number.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    match values.get(n / 2) {
        Some(upper) if n.is_multiple_of(2) => 0.5 * (values[n / 2 - 1] + upper),
        Some(middle) => *middle,
        None => f64::NAN,
    }
}

impl VolumeCurves {
    /// No history yet: `buckets` (1 or more) of a full session, curves over the last `window` sessions (1 or more).
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn new(buckets: usize, window: usize) -> Result<Self, ExecutionError> {
        above_zero("buckets of a session", buckets as f64)?;
        above_zero("sessions of a curve", window as f64)?;
        let ring = || Ring::new(buckets, window);
        Ok(VolumeCurves { buckets, window, full: ring(), short: ring(), scratch: Vec::with_capacity(window) })
    }

    /// Takes a session that is over: its volume by bucket, in any unit; fewer cells than a full session has are a half day.
    ///
    /// # Errors
    /// `Length` for no cell or too many; `OutOfRange` for a volume below 0 or not finite; `NoVolume` if all are 0. Nothing is
    /// changed then.
    pub fn push(&mut self, volumes: &[f64]) -> Result<(), ExecutionError> {
        if volumes.is_empty() || volumes.len() > self.buckets {
            length("volumes of a session", volumes.len(), self.buckets)?;
        }
        let mut sum = 0.0;
        for v in volumes {
            sum += at_least_zero("volume", *v)?;
        }
        above_zero("volume of a session", sum).map_err(|e| if sum == 0.0 { ExecutionError::NoVolume } else { e })?;
        let ring = if volumes.len() == self.buckets { &mut self.full } else { &mut self.short };
        ring.push(volumes, sum, self.buckets, self.window);
        Ok(())
    }

    /// The curve of a coming session of `out.len()` buckets: shares that sum to 1.
    ///
    /// A half day has the curve of the half days of its length, if there were three or more; before that the curve of
    /// full days, its last bucket (the close) moved to the early close and what falls away left out.
    ///
    /// # Errors
    /// `Length` for no cell or too many; `TooFew` without a full session; `NoVolume` if the median of every bucket is 0.
    pub fn curve(&mut self, centre: Centre, out: &mut [f64]) -> Result<(), ExecutionError> {
        let n = out.len();
        if n == 0 || n > self.buckets {
            length("curve", n, self.buckets)?;
        }
        let Self { buckets, full, short, scratch, .. } = self;
        let of_its_own = n < *buckets && short.count(n) >= LEAST_SHORT;
        if !of_its_own && full.lengths.is_empty() {
            return Err(ExecutionError::TooFew { name: "full sessions", found: 0, least: 1 });
        }
        for (b, share) in out.iter_mut().enumerate() {
            *share = if of_its_own {
                short.centre((b, *buckets), n, centre, scratch)
            } else {
                let bucket = if b == n - 1 { *buckets - 1 } else { b };
                full.centre((bucket, *buckets), *buckets, centre, scratch)
            };
        }
        let sum = out.iter().fold(0.0, |sum, x| sum + x);
        if sum <= 0.0 {
            return Err(ExecutionError::NoVolume);
        }
        out.iter_mut().for_each(|x| *x /= sum);
        Ok(())
    }

    /// Writes the state canonically.
    pub fn save(&self, to: &mut Encoder) {
        self.full.save(to);
        self.short.save(to);
    }

    /// Reads what `save` wrote, into curves of the same shape.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged or of another shape.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.full.load(from, self.buckets, self.window)?;
        self.short.load(from, self.buckets, self.window)
    }
}
