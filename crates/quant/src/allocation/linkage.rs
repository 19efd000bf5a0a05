//! Trees of what is alike.

/// How far two clusters lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// Their nearest members.
    Single,
    /// Their farthest members.
    Complete,
    /// The mean over all pairs.
    Average,
    /// The growth of the squared deviations.
    Ward,
}

/// Leaves from left to right of the tree that joins the nearest clusters first; of a pair the cluster that is older is
/// left, as scipy's `linkage` numbers them. `distances` is `n × n`, row by row.
///
/// Of equal distances, the pair with the smallest numbers is joined first.
pub(super) fn leaves(distances: &[f64], n: usize, linkage: Linkage) -> Vec<usize> {
    let mut d: Vec<f64> = distances.to_vec();
    let mut clusters: Vec<Option<(usize, Vec<usize>)>> = (0..n).map(|i| Some((i, vec![i]))).collect();
    // The nearest later neighbour of each row.
    let nearest_of = |d: &[f64], clusters: &[Option<(usize, Vec<usize>)>], i: usize| {
        let mut best = (f64::INFINITY, usize::MAX);
        for j in i + 1..n {
            if clusters[j].is_some() && d[i * n + j] < best.0 {
                best = (d[i * n + j], j);
            }
        }
        best
    };
    let mut nearest: Vec<(f64, usize)> = (0..n).map(|i| nearest_of(&d, &clusters, i)).collect();
    for number in n..2 * n - 1 {
        let mut pair = (f64::INFINITY, usize::MAX);
        for (i, near) in nearest.iter().enumerate() {
            if clusters[i].is_some() && near.0 < pair.0 {
                pair = (near.0, i);
            }
        }
        let a = if pair.1 == usize::MAX { 0 } else { pair.1 };
        let b = nearest[a].1;
        let (Some(left), Some(right)) = (clusters[a].take(), clusters.get_mut(b).and_then(Option::take)) else { break };
        let (sa, sb) = (left.1.len() as f64, right.1.len() as f64);
        for k in (0..n).filter(|k| clusters[*k].is_some()) {
            let (x, y, xy) = (d[a * n + k], d[b * n + k], d[a * n + b]);
            let joined = match linkage {
                Linkage::Single => x.min(y),
                Linkage::Complete => x.max(y),
                Linkage::Average => (sa * x + sb * y) / (sa + sb),
                Linkage::Ward => {
                    let sk = clusters[k].as_ref().map_or(0.0, |c| c.1.len() as f64);
                    (((sa + sk) * x * x + (sb + sk) * y * y - sk * xy * xy) / (sa + sb + sk)).sqrt()
                }
            };
            (d[a * n + k], d[k * n + a]) = (joined, joined);
        }
        let (first, second) = if left.0 < right.0 { (left.1, right.1) } else { (right.1, left.1) };
        clusters[a] = Some((number, [first, second].concat()));
        for i in 0..n {
            if clusters[i].is_none() {
                continue;
            }
            let (near, at) = nearest[i];
            let moved = i < a && d[i * n + a] < near;
            if i == a || at == a || at == b {
                nearest[i] = nearest_of(&d, &clusters, i);
            } else if moved || (i < a && a < at && d[i * n + a] <= near) {
                nearest[i] = (d[i * n + a], a);
            }
        }
    }
    clusters.into_iter().flatten().next().map(|c| c.1).unwrap_or_default()
}
