//! Reductions whose result does not depend on the processor or on the number of threads.

/// Instruments in one chunk of a parallel loop. It is a constant, never derived from the number of cores.
pub const CHUNK: usize = 8_192;

/// Lanes of every reduction, whatever the processor offers.
pub const LANES: usize = 8;

/// Sum in eight fixed lanes that are folded pairwise at the end. The order of additions depends on the length alone.
#[must_use]
pub fn sum8(values: &[f64]) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane += v;
        }
    }
    for (lane, v) in lanes.iter_mut().zip(rest) {
        *lane += v;
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_agree_with_exact_integers() {
        for n in [0_usize, 1, 7, 8, 9, 1_000] {
            let values: Vec<f64> = (0..n).map(|i| i as f64).collect();
            assert_eq!(sum8(&values), (n * n.saturating_sub(1) / 2) as f64);
        }
    }
}
