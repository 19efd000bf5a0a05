//! The downhill simplex of Nelder and Mead (1965), with their coefficients: for a few parameters, without derivatives.

/// Minimises `f` from `start` with first steps of `size`; stops after `most` evaluations, or when the simplex's values
/// differ by less than 1e-15 of the best.
pub(super) fn minimise<const N: usize>(
    start: [f64; N],
    size: [f64; N],
    most: usize,
    mut f: impl FnMut(&[f64; N]) -> f64,
) -> [f64; N] {
    let mut value = |x: [f64; N]| {
        let y = f(&x);
        (if y.is_nan() { f64::INFINITY } else { y }, x)
    };
    let mut corners = vec![value(start)];
    for i in 0..N {
        let mut x = start;
        x[i] += size[i];
        corners.push(value(x));
    }
    let mut used = N + 1;
    while used < most {
        corners.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (best, worst) = (corners[0].0, corners[N]);
        if worst.0 - best <= 1e-15 * best.abs() + 1e-30 {
            break;
        }
        let centre: [f64; N] = std::array::from_fn(|i| corners[..N].iter().map(|c| c.1[i]).sum::<f64>() / N as f64);
        let along = |t: f64| std::array::from_fn(|i| centre[i] + t * (worst.1[i] - centre[i]));
        let reflected = value(along(-1.0));
        used += 1;
        let new = if reflected.0 < best {
            used += 1;
            let further = value(along(-2.0));
            if further.0 < reflected.0 { further } else { reflected }
        } else if reflected.0 < corners[N - 1].0 {
            reflected
        } else {
            used += 1;
            let nearer = value(along(if reflected.0 < worst.0 { -0.5 } else { 0.5 }));
            if nearer.0 < worst.0.min(reflected.0) {
                nearer
            } else {
                used += N;
                let origin = corners[0].1;
                for c in &mut corners[1..] {
                    *c = value(std::array::from_fn(|i| 0.5 * (origin[i] + c.1[i])));
                }
                continue;
            }
        };
        corners[N] = new;
    }
    corners.sort_by(|a, b| a.0.total_cmp(&b.0));
    corners[0].1
}
