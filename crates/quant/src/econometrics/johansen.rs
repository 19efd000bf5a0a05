//! Johansen's test: how many combinations of several series are stationary.

use super::dense::{Qr, cholesky, dot, lower_solve, mean, symmetric_eigen};
use super::{EconometricsError, Trend, finite, varied};

/// Johansen's test of `n` series. Row `r` tests at most `r` cointegrating combinations.
#[derive(Clone, Debug, PartialEq)]
pub struct Johansen {
    /// Squared canonical correlations, largest first.
    pub eigenvalues: Vec<f64>,
    /// Combinations of the series, one a row, the most stationary first; `v' S v = 1` with the second moments of the
    /// levels, the largest weight above 0.
    pub combinations: Vec<Vec<f64>>,
    /// Trace statistics.
    pub trace: Vec<f64>,
    /// Largest-eigenvalue statistics.
    pub largest: Vec<f64>,
    /// Critical values of the trace statistics at 10, 5 and 1 per cent.
    pub trace_critical: Vec<[f64; 3]>,
    /// Critical values of the largest-eigenvalue statistics at 10, 5 and 1 per cent.
    pub largest_critical: Vec<[f64; 3]>,
}

impl Johansen {
    /// Number of cointegrating combinations by the trace statistics at 5 per cent: the first row that is not refused.
    #[must_use]
    pub fn rank(&self) -> usize {
        let refused = self.trace.iter().zip(&self.trace_critical).take_while(|(t, c)| **t > c[1]);
        refused.count()
    }
}

/// Johansen's trace and largest-eigenvalue tests with `lags` lagged differences.
///
/// The trend is that of the levels: none, a constant, or a line; taken out before, as in statsmodels' `coint_johansen`
/// (`det_order` −1, 0, 1), to which results are equal.
///
/// - Shape: 1 to 12 series of one length.
/// - Errors: `OutOfRange` for another number of series or `Trend::Quadratic`, `Shape`, `TooFew`, `NotFinite`,
///   `NoVariance`, `Collinear` for a series that is a combination of others.
/// - Sources: Johansen, Journal of Economic Dynamics and Control 12 (1988) 231; critical values: MacKinnon, Haug and
///   Michelis, Journal of Applied Econometrics 14 (1999) 563, by MacKinnon's program johdist.
pub fn johansen(series: &[&[f64]], trend: Trend, lags: usize) -> Result<Johansen, EconometricsError> {
    const WHAT: &str = "Johansen test";
    let n = series.len();
    if n == 0 || n > 12 {
        return Err(EconometricsError::OutOfRange {
            what: "series of a Johansen test",
            got: n as f64,
            least: 1.0,
            most: 12.0,
        });
    }
    if trend == Trend::Quadratic {
        return Err(EconometricsError::OutOfRange {
            what: "trend columns of a Johansen test",
            got: 3.0,
            least: 0.0,
            most: 2.0,
        });
    }
    let rows = series[0].len();
    let need = lags.saturating_mul(n + 1) + 2 * n + 3;
    if rows < need {
        return Err(EconometricsError::TooFew { what: WHAT, got: rows, need });
    }
    let mut levels = Vec::with_capacity(n);
    for x in series {
        if x.len() != rows {
            return Err(EconometricsError::Shape { what: "series of a Johansen test", got: x.len(), expected: rows });
        }
        varied(WHAT, x, need)?;
        levels.push(without(trend, x)?);
    }
    let steps: Vec<Vec<f64>> = levels.iter().map(|x| x.windows(2).map(|w| w[1] - w[0]).collect()).collect();
    // After the first step only a mean is taken out.
    let centre = |x: &[f64]| -> Vec<f64> {
        let mean = if trend == Trend::None { 0.0 } else { mean(x) };
        x.iter().map(|v| v - mean).collect()
    };
    let left = rows - 1 - lags;
    let mut qr = Qr::default();
    qr.reset(left, n * lags);
    for k in 1..=lags {
        for (j, d) in steps.iter().enumerate() {
            qr.column_mut((k - 1) * n + j).copy_from_slice(&centre(&d[lags - k..lags - k + left]));
        }
    }
    let collinear = |column| EconometricsError::Collinear { what: WHAT, column };
    qr.factor().map_err(collinear)?;
    let residual = |x: &[f64]| {
        let mut x = centre(x);
        qr.rotate(&mut x);
        x[..n * lags].fill(0.0);
        x
    };
    let r0: Vec<Vec<f64>> = steps.iter().map(|d| residual(&d[lags..])).collect();
    let rk: Vec<Vec<f64>> = levels.iter().map(|x| residual(&x[1..1 + left])).collect();
    let size = left as f64;
    let moments = |a: &[Vec<f64>], b: &[Vec<f64>]| -> Vec<f64> {
        a.iter().flat_map(|a| b.iter().map(move |b| dot(a, b) / size)).collect()
    };
    let (mut s00, mut skk) = (moments(&r0, &r0), moments(&rk, &rk));
    cholesky(&mut s00, n).map_err(collinear)?;
    cholesky(&mut skk, n).map_err(collinear)?;
    // With S00 = AA' and Skk = BB' the eigenvalues are those of CC', C = B⁻¹ Sk0 A'⁻¹.
    let mut c = moments(&rk, &r0);
    c.chunks_exact_mut(n).for_each(|row| lower_solve(&s00, n, row));
    let mut by_columns: Vec<Vec<f64>> = (0..n).map(|j| (0..n).map(|i| c[i * n + j]).collect()).collect();
    by_columns.iter_mut().for_each(|column| lower_solve(&skk, n, column));
    let mut square = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            square[i * n + j] = by_columns.iter().fold(0.0, |sum, column| sum + column[i] * column[j]);
        }
    }
    let (eigenvalues, vectors) = symmetric_eigen(&mut square, n);
    let largest: Vec<f64> = eigenvalues.iter().map(|e| -size * libm::log1p(-e)).collect();
    finite("eigenvalue statistics of a Johansen test", &largest)?;
    let trace = (0..n).map(|r| largest[r..].iter().fold(0.0, |sum, l| sum + l)).collect();
    let combinations = vectors.chunks_exact(n).map(|v| weights(&skk, n, v)).collect();
    let order = trend.columns();
    Ok(Johansen {
        eigenvalues,
        combinations,
        trace,
        largest,
        trace_critical: (0..n).map(|r| TRACE[order][n - r - 1]).collect(),
        largest_critical: (0..n).map(|r| LARGEST[order][n - r - 1]).collect(),
    })
}

/// Solves `B'x = v`, largest weight above 0.
fn weights(b: &[f64], n: usize, v: &[f64]) -> Vec<f64> {
    let mut x = v.to_vec();
    for i in (0..n).rev() {
        let rest = (i + 1..n).fold(0.0, |sum, j| sum + b[j * n + i] * x[j]);
        x[i] = (x[i] - rest) / b[i * n + i];
    }
    let most = x.iter().fold(0.0_f64, |m, w| if w.abs() > m.abs() { *w } else { m });
    if most < 0.0 {
        x.iter_mut().for_each(|w| *w = -*w);
    }
    x
}

/// A series less its trend.
fn without(trend: Trend, x: &[f64]) -> Result<Vec<f64>, EconometricsError> {
    match trend {
        Trend::None => Ok(x.to_vec()),
        _ => Ok(super::Ols::fit(x, &[], trend)?.residuals),
    }
}

/// By trend columns, then number of series less those found; at 10, 5 and 1 per cent.
#[rustfmt::skip]
static TRACE: [[[f64; 3]; 12]; 3] = [
    [
        [2.9762, 4.1296, 6.9406],
        [10.4741, 12.3212, 16.364],
        [21.7781, 24.2761, 29.5147],
        [37.0339, 40.1749, 46.5716],
        [56.2839, 60.0627, 67.6367],
        [79.5329, 83.9383, 92.7136],
        [106.7351, 111.7797, 121.7375],
        [137.9954, 143.6691, 154.7977],
        [173.2292, 179.5199, 191.8122],
        [212.4721, 219.4051, 232.8291],
        [255.6732, 263.2603, 277.9962],
        [302.9054, 311.1288, 326.9716],
    ],
    [
        [2.7055, 3.8415, 6.6349],
        [13.4294, 15.4943, 19.9349],
        [27.0669, 29.7961, 35.4628],
        [44.4929, 47.8545, 54.6815],
        [65.8202, 69.8189, 77.8202],
        [91.109, 95.7542, 104.9637],
        [120.3673, 125.6185, 135.9825],
        [153.6341, 159.529, 171.0905],
        [190.8714, 197.3772, 210.0366],
        [232.103, 239.2468, 253.2526],
        [277.374, 285.1402, 300.2821],
        [326.5354, 334.9795, 351.215],
    ],
    [
        [2.7055, 3.8415, 6.6349],
        [16.1619, 18.3985, 23.1485],
        [32.0645, 35.0116, 41.0815],
        [51.6492, 55.2459, 62.5202],
        [75.1027, 79.3422, 87.7748],
        [102.4674, 107.3429, 116.9829],
        [133.7852, 139.278, 150.0778],
        [169.0618, 175.1584, 187.1891],
        [208.3582, 215.1268, 228.2226],
        [251.6293, 259.0267, 273.3838],
        [298.8836, 306.8988, 322.4264],
        [350.1125, 358.719, 375.3203],
    ],
];

/// By trend columns, then number of series less those found; at 10, 5 and 1 per cent.
#[rustfmt::skip]
static LARGEST: [[[f64; 3]; 12]; 3] = [
    [
        [2.9762, 4.1296, 6.9406],
        [9.4748, 11.2246, 15.0923],
        [15.7175, 17.7961, 22.2519],
        [21.837, 24.1592, 29.0609],
        [27.916, 30.4428, 35.7359],
        [33.9271, 36.6301, 42.2333],
        [39.9085, 42.7679, 48.6606],
        [45.893, 48.8795, 55.0335],
        [51.8528, 54.9629, 61.3449],
        [57.7954, 61.0404, 67.6415],
        [63.7248, 67.0756, 73.8856],
        [69.6513, 73.0946, 80.0937],
    ],
    [
        [2.7055, 3.8415, 6.6349],
        [12.2971, 14.2639, 18.52],
        [18.8928, 21.1314, 25.865],
        [25.1236, 27.5858, 32.7172],
        [31.2379, 33.8777, 39.3693],
        [37.2786, 40.0763, 45.8662],
        [43.2947, 46.2299, 52.3069],
        [49.2855, 52.3622, 58.6634],
        [55.2412, 58.4332, 64.996],
        [61.2041, 64.504, 71.2525],
        [67.1307, 70.5392, 77.4877],
        [73.0563, 76.5734, 83.7105],
    ],
    [
        [2.7055, 3.8415, 6.6349],
        [15.0006, 17.1481, 21.7465],
        [21.8731, 24.2522, 29.2631],
        [28.2398, 30.8151, 36.193],
        [34.4202, 37.1646, 42.8612],
        [40.5244, 43.4183, 49.4095],
        [46.5583, 49.5875, 55.8171],
        [52.5858, 55.7302, 62.1741],
        [58.5316, 61.8051, 68.503],
        [64.5292, 67.904, 74.7434],
        [70.463, 73.9355, 81.0678],
        [76.4081, 79.9878, 87.2395],
    ],
];
