//! A quasi-Newton search for the least cost of a few coordinates.

/// Most coordinates: mean, constant, three shares, degrees of freedom.
pub(super) const MOST: usize = 6;
pub(super) type Point = [f64; MOST];

/// Goes down from `x` until it settles and gives the steps taken; `None` if it does not settle. `cost` writes the
/// gradient; coordinates that are not used have none. Source: Broyden, Fletcher, Goldfarb and Shanno (1970) with the
/// line search of Nocedal and Wright, Numerical Optimization (2006), 3.1 and 6.1.
pub(super) fn descend(x: &mut Point, most: usize, cost: &mut dyn FnMut(&Point, &mut Point) -> f64) -> Option<usize> {
    let mut gradient = [0.0; MOST];
    let mut value = cost(x, &mut gradient);
    let mut inverse = identity(1.0);
    let mut fresh = true;
    for step in 0..most {
        let steepest = gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
        if steepest <= 1e-11 {
            return Some(step);
        }
        let mut direction = [0.0; MOST];
        for (d, row) in direction.iter_mut().zip(&inverse) {
            *d = -product(row, &gradient);
        }
        let mut slope = product(&direction, &gradient);
        if slope >= 0.0 {
            inverse = identity(1.0);
            fresh = true;
            direction = gradient.map(|g| -g);
            slope = -product(&gradient, &gradient);
        }
        // Coordinates are logarithms: a step of more than 2 leaves the region that the gradient describes.
        let longest = direction.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
        let mut length = if longest > 2.0 { 2.0 / longest } else { 1.0 };
        let mut next = *x;
        let mut next_gradient = gradient;
        let mut next_value = f64::INFINITY;
        for _ in 0..60 {
            for ((n, x), d) in next.iter_mut().zip(&*x).zip(&direction) {
                *n = x + length * d;
            }
            next_value = cost(&next, &mut next_gradient);
            if next_value <= value + 1e-4 * length * slope {
                break;
            }
            length *= 0.4;
        }
        if next_value.is_nan() || next_value > value || next == *x {
            // Nothing lower within the rounding of the cost.
            return if !fresh {
                inverse = identity(1.0);
                fresh = true;
                if steepest <= 1e-7 { Some(step) } else { continue }
            } else if steepest <= 1e-5 {
                Some(step)
            } else {
                None
            };
        }
        let mut moved = [0.0; MOST];
        let mut bent = [0.0; MOST];
        for k in 0..MOST {
            moved[k] = next[k] - x[k];
            bent[k] = next_gradient[k] - gradient[k];
        }
        let curvature = product(&moved, &bent);
        if curvature > 1e-300 {
            if fresh {
                inverse = identity(curvature / product(&bent, &bent));
                fresh = false;
            }
            update(&mut inverse, &moved, &bent, curvature);
        }
        let gain = value - next_value;
        (*x, gradient) = (next, next_gradient);
        let settled = gain <= 1e-16 * (1.0 + value.abs());
        value = next_value;
        if settled && gradient.iter().all(|g| g.abs() <= 1e-7) {
            return Some(step + 1);
        }
    }
    None
}

fn update(inverse: &mut [Point; MOST], s: &Point, y: &Point, curvature: f64) {
    let mut hy = [0.0; MOST];
    for (to, row) in hy.iter_mut().zip(&*inverse) {
        *to = product(row, y);
    }
    let scale = (1.0 + product(y, &hy) / curvature) / curvature;
    for i in 0..MOST {
        for j in 0..MOST {
            inverse[i][j] += scale * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / curvature;
        }
    }
}

fn identity(scale: f64) -> [Point; MOST] {
    let mut m = [[0.0; MOST]; MOST];
    for (k, row) in m.iter_mut().enumerate() {
        row[k] = scale;
    }
    m
}

fn product(a: &Point, b: &Point) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}
