//! Places of boxes and ways of lines, in whole pixels.

use super::HEIGHT;
use std::fmt::Write;

/// Between boxes of a layer, between layers, and around everything.
const GAP: i64 = 26;
const FALL: i64 = 46;
const MARGIN: i64 = 20;
/// What a long line takes up in the layers that it passes.
const LANE: i64 = 14;
/// Times that the layers are ordered, down and up.
const SWEEPS: usize = 8;

/// A line as it is drawn.
pub(super) struct Drawn {
    pub(super) path: String,
    pub(super) tip: (i64, i64),
    /// The tip points to the left, of a line that leads back up.
    pub(super) sideways: bool,
    pub(super) label: (i64, i64),
}

pub(super) struct Layout {
    pub(super) width: i64,
    pub(super) height: i64,
    /// The middle of each box.
    pub(super) places: Vec<(i64, i64)>,
    pub(super) lines: Vec<Drawn>,
}

impl Layout {
    /// Places boxes of these widths; the last two are START, on top, and END, at the bottom.
    pub(super) fn new(widths: &[i64], lines: &[(usize, usize)]) -> Layout {
        let n = widths.len();
        let forward = forward(n, lines);
        let mut layer = layers(n, lines, &forward);
        // Bends of long lines are boxes too.
        let mut widths = widths.to_vec();
        let mut chains: Vec<Vec<usize>> = Vec::with_capacity(lines.len());
        for ((from, to), is_forward) in lines.iter().zip(&forward) {
            let mut chain = vec![*from];
            if *is_forward {
                for between in layer[*from] + 1..layer[*to] {
                    chain.push(widths.len());
                    widths.push(LANE);
                    layer.push(between);
                }
            }
            chain.push(*to);
            chains.push(chain);
        }
        let links: Vec<(usize, usize)> = chains
            .iter()
            .zip(&forward)
            .filter(|(_, is_forward)| **is_forward)
            .flat_map(|(chain, _)| chain.windows(2).map(|w| (w[0], w[1])))
            .collect();
        let rows = ordered(&layer, &links);
        let (x, back) = across(&rows, &widths, &links);
        let places: Vec<(i64, i64)> = x
            .iter()
            .zip(&layer)
            .map(|(x, layer)| (*x, MARGIN + HEIGHT / 2 + *layer as i64 * (HEIGHT + FALL)))
            .collect();
        let n_back = forward.iter().filter(|f| !**f).count() as i64;
        let width = back + MARGIN + n_back * 2 * LANE;
        let height = 2 * MARGIN + HEIGHT + (rows.len() as i64 - 1) * (HEIGHT + FALL);
        let mut n_led = 0;
        let lines = chains
            .iter()
            .zip(&forward)
            .map(|(chain, is_forward)| {
                if *is_forward {
                    return led_down(chain, &places);
                }
                n_led += 1;
                led_back(chain, &places, &widths, back + n_led * 2 * LANE - LANE)
            })
            .collect();
        Layout { width, height, places: places[..n].to_vec(), lines }
    }
}

/// Lines that lead on; without the others there is no circle. Found by walking in depth from START in the order of the
/// lines: a line to a box that is still being walked leads back.
fn forward(n: usize, lines: &[(usize, usize)]) -> Vec<bool> {
    let mut out = vec![true; lines.len()];
    // 0 not seen, 1 on the way, 2 done.
    let mut seen = vec![0_u8; n];
    for root in std::iter::once(n - 2).chain(0..n) {
        let mut way = if seen[root] == 0 { vec![(root, 0)] } else { Vec::new() };
        seen[root] = seen[root].max(1);
        while let Some((at, next)) = way.pop() {
            let line = (next..lines.len()).find(|l| lines[*l].0 == at);
            let Some(line) = line else {
                seen[at] = 2;
                continue;
            };
            way.push((at, line + 1));
            let to = lines[line].1;
            match seen[to] {
                0 => {
                    seen[to] = 1;
                    way.push((to, 0));
                }
                1 => out[line] = false,
                _ => {}
            }
        }
    }
    out
}

/// The longest way from the top to each box; END is below everything.
fn layers(n: usize, lines: &[(usize, usize)], forward: &[bool]) -> Vec<usize> {
    let mut layer = vec![1_usize; n];
    layer[n - 2] = 0;
    // Ways have at most n lines.
    for _ in 0..n {
        let mut still = true;
        for ((from, to), _) in lines.iter().zip(forward).filter(|(_, f)| **f) {
            if layer[*to] <= layer[*from] {
                layer[*to] = layer[*from] + 1;
                still = false;
            }
        }
        if still {
            break;
        }
    }
    let deepest = layer[..n - 1].iter().copied().max().unwrap_or(0);
    layer[n - 1] = layer[n - 1].max(deepest + 1);
    layer
}

/// The boxes of each layer from left to right: each by the middle of its neighbours, down and up by turns.
fn ordered(layer: &[usize], links: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let depth = layer.iter().copied().max().map_or(0, |d| d + 1);
    let mut rows: Vec<Vec<usize>> = (0..depth).map(|d| (0..layer.len()).filter(|b| layer[*b] == d).collect()).collect();
    let mut best = (crossings(&rows, layer, links), rows.clone());
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let order: Vec<usize> = if down { (1..depth).collect() } else { (0..depth.saturating_sub(1)).rev().collect() };
        for d in order {
            let beside = if down { d - 1 } else { d + 1 };
            let place = |b: usize| rows[beside].iter().position(|x| *x == b);
            let mut keyed: Vec<(i64, usize, usize)> = Vec::with_capacity(rows[d].len());
            for (at, b) in rows[d].iter().enumerate() {
                let near = links.iter().filter_map(|(from, to)| match down {
                    true if to == b => place(*from),
                    false if from == b => place(*to),
                    _ => None,
                });
                let (sum, count) = near.fold((0, 0), |(s, n), p| (s + p as i64 * 1_000, n + 1));
                keyed.push((if count > 0 { sum / count } else { at as i64 * 1_000 }, at, *b));
            }
            keyed.sort_unstable();
            rows[d] = keyed.into_iter().map(|(_, _, b)| b).collect();
        }
        let now = crossings(&rows, layer, links);
        if now < best.0 {
            best = (now, rows.clone());
        }
    }
    best.1
}

fn crossings(rows: &[Vec<usize>], layer: &[usize], links: &[(usize, usize)]) -> usize {
    let mut place = vec![0_usize; layer.len()];
    rows.iter().for_each(|row| row.iter().enumerate().for_each(|(at, b)| place[*b] = at));
    let mut n = 0;
    for (k, (a, b)) in links.iter().enumerate() {
        for (c, d) in &links[k + 1..] {
            let crossed = (place[*a] < place[*c]) != (place[*b] < place[*d]);
            n += usize::from(layer[*a] == layer[*c] && place[*a] != place[*c] && place[*b] != place[*d] && crossed);
        }
    }
    n
}

/// Middles from left to right, and the right edge: layers side by side, then boxes pulled towards their neighbours as
/// far as the layer allows.
fn across(rows: &[Vec<usize>], widths: &[i64], links: &[(usize, usize)]) -> (Vec<i64>, i64) {
    let span = |row: &Vec<usize>| row.iter().map(|b| widths[*b] + GAP).sum::<i64>() - GAP;
    let widest = rows.iter().map(span).max().unwrap_or(0).max(0);
    let mut x = vec![0_i64; widths.len()];
    for row in rows {
        let mut left = (widest - span(row)) / 2;
        for b in row {
            x[*b] = left + widths[*b] / 2;
            left += widths[*b] + GAP;
        }
    }
    for round in 0..SWEEPS {
        let order: Vec<usize> =
            if round % 2 == 0 { (0..rows.len()).collect() } else { (0..rows.len()).rev().collect() };
        for d in order {
            let row = &rows[d];
            for (at, b) in row.iter().enumerate() {
                let near: Vec<i64> = links
                    .iter()
                    .filter_map(|(from, to)| if to == b { Some(x[*from]) } else { (from == b).then(|| x[*to]) })
                    .collect();
                if near.is_empty() {
                    continue;
                }
                let wish = near.iter().sum::<i64>() / near.len() as i64;
                let apart = |o: usize| (widths[*b] + widths[o]) / 2 + GAP;
                let least = at.checked_sub(1).map_or(widths[*b] / 2, |l| x[row[l]] + apart(row[l]));
                let most = row.get(at + 1).map_or(widest - widths[*b] / 2, |r| x[*r] - apart(*r));
                x[*b] = wish.min(most).max(least.min(most));
            }
        }
    }
    let least = x.iter().zip(widths).map(|(x, w)| x - w / 2).min().unwrap_or(0);
    x.iter_mut().for_each(|x| *x += MARGIN - least);
    let right = x.iter().zip(widths).map(|(x, w)| x + w / 2).max().unwrap_or(0);
    (x, right)
}

/// A curve through the bends, vertical at each.
fn led_down(chain: &[usize], places: &[(i64, i64)]) -> Drawn {
    let mut points: Vec<(i64, i64)> = chain.iter().map(|b| places[*b]).collect();
    let last = points.len() - 1;
    points[0].1 += HEIGHT / 2;
    points[last].1 -= HEIGHT / 2;
    let tip = points[last];
    points[last].1 -= 7;
    let mut path = format!("M{} {}", points[0].0, points[0].1);
    for w in points.windows(2) {
        let ((ax, ay), (bx, by)) = (w[0], w[1]);
        let half = (by - ay) / 2;
        let _ = write!(path, "C{ax} {} {bx} {} {bx} {by}", ay + half, by - half);
    }
    // At the first bend a long line is away from the others that begin with it.
    let label = match points.len() {
        2 => ((points[0].0 + points[1].0) / 2, (points[0].1 + points[1].1) / 2),
        _ => points[1],
    };
    Drawn { path, tip, sideways: false, label }
}

/// Out to the right, up, and in from the right.
fn led_back(chain: &[usize], places: &[(i64, i64)], widths: &[i64], lane: i64) -> Drawn {
    let (from, to) = (chain[0], chain[chain.len() - 1]);
    let start = (places[from].0 + widths[from] / 2, places[from].1 + 6);
    let tip = (places[to].0 + widths[to] / 2, places[to].1 - 6);
    let path = format!(
        "M{} {}C{lane} {} {lane} {} {lane} {}S{lane} {} {} {}",
        start.0,
        start.1,
        start.1,
        start.1,
        (start.1 + tip.1) / 2,
        tip.1,
        tip.0 + 8,
        tip.1
    );
    Drawn { path, tip, sideways: true, label: (lane, (start.1 + tip.1) / 2) }
}
