//! Tails of the χ², Student and F distributions, by the incomplete gamma and beta functions.

const STEPS: usize = 10_000;
const TINY: f64 = 1e-300;

/// Probability that a χ² variable with `df` degrees of freedom is above `x`; NaN for `df` not above 0 or NaN.
///
/// Relative error below 1e-12 for `df` up to 1,000 (the logarithm of the gamma function rounds). Source: Abramowitz and
/// Stegun (1964), 26.4.19 with 6.5.29 and 6.5.31.
#[must_use]
pub fn chi_squared_above(x: f64, df: f64) -> f64 {
    if df.is_nan() || df <= 0.0 || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 { 1.0 } else { gamma_above(0.5 * df, 0.5 * x) }
}

/// Probability that a Student variable with `df` degrees of freedom is further from 0 than `t`; NaN for `df` not above 0.
///
/// Relative error below 1e-12 for `df` up to 10,000. Source: Abramowitz and Stegun (1964), 26.7.1 with 26.5.8.
#[must_use]
pub fn student_two_sided(t: f64, df: f64) -> f64 {
    if df.is_nan() || df <= 0.0 || t.is_nan() {
        return f64::NAN;
    }
    if t.is_infinite() {
        return 0.0;
    }
    let square = t * t;
    beta_below(0.5 * df, 0.5, df / (df + square), square / (df + square))
}

/// Probability that an F variable with `df1` and `df2` degrees of freedom is above `x`; NaN for degrees not above 0.
///
/// Source: Abramowitz and Stegun (1964), 26.6.2 with 26.5.8.
#[must_use]
pub fn f_above(x: f64, df1: f64, df2: f64) -> f64 {
    if !(df1 > 0.0 && df2 > 0.0) || x.is_nan() {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    let all = df2 + df1 * x;
    if all.is_infinite() { 0.0 } else { beta_below(0.5 * df2, 0.5 * df1, df2 / all, df1 * x / all) }
}

/// `Q(a, x)`, the upper incomplete gamma function over Γ(a).
fn gamma_above(a: f64, x: f64) -> f64 {
    if x.is_infinite() {
        return 0.0;
    }
    let head = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for k in 1..STEPS {
            term *= x / (a + k as f64);
            sum += term;
            if term <= sum * 1e-17 {
                break;
            }
        }
        return 1.0 - head * sum;
    }
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / TINY, 1.0 / b);
    let mut fraction = d;
    for k in 1..STEPS {
        let k = k as f64;
        let numerator = -k * (k - a);
        b += 2.0;
        d = 1.0 / away_from_zero(numerator * d + b);
        c = away_from_zero(b + numerator / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    head * fraction
}

/// `I_x(a, b)`, the lower incomplete beta function over B(a, b); `y` is 1 − x, given because it may be tiny.
fn beta_below(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    let head = libm::exp(libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log(y));
    if x < (a + 1.0) / (a + b + 2.0) {
        head * beta_fraction(a, b, x) / a
    } else {
        1.0 - head * beta_fraction(b, a, y) / b
    }
}

/// Abramowitz and Stegun 26.5.8 by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let (mut c, mut d) = (1.0, 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..STEPS {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

fn away_from_zero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}
