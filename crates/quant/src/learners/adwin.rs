//! ADWIN: a window of the newest observations that is cut wherever its two parts have different means.

use super::{LearnerError, finite, within};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Buckets of a size before the two oldest become one of twice the size.
const BUCKETS: usize = 5;
/// Sizes of buckets: up to 2⁴⁷ observations each.
const SIZES: usize = 48;

/// Sum of the observations of a bucket and of their squared distances from their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bucket {
    sum: f64,
    squares: f64,
}

/// Buckets of one size, the oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Row {
    buckets: [Bucket; BUCKETS + 1],
    n: usize,
}

impl Row {
    fn push(&mut self, bucket: Bucket) {
        self.buckets[self.n] = bucket;
        self.n += 1;
    }

    fn pop_oldest(&mut self) -> Bucket {
        let oldest = self.buckets[0];
        self.buckets.copy_within(1.., 0);
        self.buckets[BUCKETS] = Bucket::default();
        self.n -= 1;
        oldest
    }
}

/// Adaptive windowing: an exponential histogram of the observations since the last change, `O(log n)` in space and time. It
/// looks for a change with every `clock`-th observation: as long as some older part of the window has a mean that differs by
/// more than `ε = √(2 m σ² ln(2 ln n / δ)) + ⅔ m ln(2 ln n / δ)` from the newer one's, the oldest bucket is dropped. In ε, `m` is
/// the sum of the reciprocals of the two lengths, each less the shortest length that is looked at, plus one.
///
/// The window goes on after a change with what is left of it; [`Adwin::reset`] empties it instead.
///
/// Source: Bifet and Gavaldà, SIAM International Conference on Data Mining (2007) 443, ADWIN2, eq. 3.1; the shortest length and
/// the clock are those of the authors' program.
#[derive(Clone, Debug, PartialEq)]
pub struct Adwin {
    delta: f64,
    clock: u64,
    shortest: u64,
    grace: u64,
    rows: [Row; SIZES],
    sizes: usize,
    width: u64,
    ticks: u64,
    sum: f64,
    squares: f64,
}

impl Adwin {
    /// An empty window. `delta` is the chance of a false alarm a look, above 0 and below 1 (0.002 is usual); `clock` 1 or more
    /// (32), `shortest` 1 or more (5), `grace` observations before the first look (10).
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn new(delta: f64, clock: u64, shortest: u64, grace: u64) -> Result<Self, LearnerError> {
        within("delta", delta, "above 0 and below 1", delta > 0.0 && delta < 1.0)?;
        within("clock", clock as f64, "1 or more", clock > 0)?;
        within("shortest length", shortest as f64, "1 or more", shortest > 0)?;
        let rows = [Row::default(); SIZES];
        Ok(Adwin { delta, clock, shortest, grace, rows, sizes: 1, width: 0, ticks: 0, sum: 0.0, squares: 0.0 })
    }

    /// Empties the window.
    pub fn reset(&mut self) {
        self.rows = [Row::default(); SIZES];
        (self.sizes, self.width, self.ticks, self.sum, self.squares) = (1, 0, 0, 0.0, 0.0);
    }

    /// Takes the next observation, of any scale near one; true if the window was cut.
    ///
    /// # Errors
    /// `OutOfRange` for one that is not finite.
    pub fn update(&mut self, x: f64) -> Result<bool, LearnerError> {
        finite("observation", x)?;
        let n = self.width as f64;
        if self.width > 0 {
            let away = x - self.sum / n;
            self.squares += n * away * away / (n + 1.0);
        }
        self.width += 1;
        self.sum += x;
        self.rows[0].push(Bucket { sum: x, squares: 0.0 });
        self.compress();
        self.ticks += 1;
        let mut cut = false;
        if self.ticks.is_multiple_of(self.clock) && self.width > self.grace {
            while self.differs() {
                self.drop_oldest();
                cut = true;
            }
        }
        Ok(cut)
    }

    /// Observations in the window.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.width
    }

    /// Mean of the window; 0 of an empty one.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.width == 0 { 0.0 } else { self.sum / self.width as f64 }
    }

    /// Variance of the window (divided by its width); 0 of an empty one.
    #[must_use]
    pub fn variance(&self) -> f64 {
        if self.width == 0 { 0.0 } else { (self.squares / self.width as f64).max(0.0) }
    }

    fn compress(&mut self) {
        for k in 0..SIZES - 1 {
            if self.rows[k].n <= BUCKETS {
                return;
            }
            let size = size(k);
            let (a, b) = (self.rows[k].pop_oldest(), self.rows[k].pop_oldest());
            let apart = a.sum / size - b.sum / size;
            let squares = a.squares + b.squares + 0.5 * size * apart * apart;
            self.rows[k + 1].push(Bucket { sum: a.sum + b.sum, squares });
            self.sizes = self.sizes.max(k + 2);
        }
    }

    /// Whether some cut between two buckets parts the window into means that differ.
    fn differs(&self) -> bool {
        let n = self.width as f64;
        let certainty = libm::log(2.0 * libm::log(n) / self.delta);
        let variance = self.variance();
        let (mut older, mut older_sum) = (0, 0.0);
        for k in (0..self.sizes).rev() {
            for bucket in &self.rows[k].buckets[..self.rows[k].n] {
                older += 1_u64 << k;
                older_sum += bucket.sum;
                let newer = self.width - older;
                if newer < self.shortest {
                    return false;
                }
                if older < self.shortest {
                    continue;
                }
                let m = 1.0 / (older - self.shortest + 1) as f64 + 1.0 / (newer - self.shortest + 1) as f64;
                let epsilon = (2.0 * m * variance * certainty).sqrt() + 2.0 / 3.0 * certainty * m;
                let apart = older_sum / older as f64 - (self.sum - older_sum) / newer as f64;
                if apart.abs() > epsilon {
                    return true;
                }
            }
        }
        false
    }

    fn drop_oldest(&mut self) {
        let k = self.sizes - 1;
        let size = size(k);
        let bucket = self.rows[k].pop_oldest();
        self.width -= 1 << k;
        self.sum -= bucket.sum;
        let left = self.width as f64;
        let apart = bucket.sum / size - self.sum / left;
        self.squares -= bucket.squares + size * left * apart * apart / (size + left);
        while self.sizes > 1 && self.rows[self.sizes - 1].n == 0 {
            self.sizes -= 1;
        }
    }

    /// Writes the state canonically.
    pub fn save(&self, to: &mut Encoder) {
        [self.ticks, self.sizes as u64].into_iter().for_each(|n| to.u64(n));
        to.f64(self.sum);
        to.f64(self.squares);
        for row in &self.rows[..self.sizes] {
            to.u64(row.n as u64);
            for b in &row.buckets[..row.n] {
                to.f64(b.sum);
                to.f64(b.squares);
            }
        }
    }

    /// Reads what `save` wrote, into a window of the same parameters.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let small = |found: u64, what: &'static str, most: usize| match usize::try_from(found) {
            Ok(n) if n <= most => Ok(n),
            _ => Err(DecodeError::Mismatch { what, found, expected: most as u64 }),
        };
        self.reset();
        self.ticks = from.u64("observations of a window")?;
        self.sizes = small(from.u64("sizes of buckets")?.max(1), "sizes of buckets", SIZES)?;
        self.sum = from.f64("sum of a window")?;
        self.squares = from.f64("squares of a window")?;
        for (k, row) in self.rows[..self.sizes].iter_mut().enumerate() {
            row.n = small(from.u64("buckets of a size")?, "buckets of a size", BUCKETS)?;
            self.width += (row.n as u64) << k;
            for b in &mut row.buckets[..row.n] {
                *b = Bucket { sum: from.f64("bucket")?, squares: from.f64("bucket")? };
            }
        }
        Ok(())
    }
}

fn size(k: usize) -> f64 {
    (1_u64 << k) as f64
}
