//! The square-root law of market impact and its fit.

use super::{ExecutionError, above_zero, at_least_zero, length, within};

/// The exponent of the square-root law.
pub const SQUARE_ROOT: f64 = 0.5;

/// Impact as a power of participation: `cost = factor · volatility · participation^exponent`.
///
/// Sources: Torre and Ferrari, BARRA Market Impact Model Handbook (1997), the square root; Almgren, Thum, Hauptmann and Li,
/// Risk 18 (2005) 58, another exponent; Bouchaud, Bonart, Donier and Gould, Trades, Quotes and Prices (2018), chapter 12.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impact {
    /// Y, about 0.5 to 1 when volatility and volume are those of a day.
    pub factor: f64,
    /// δ, about one half.
    pub exponent: f64,
}

impl Impact {
    /// What an order costs, as a fraction of its price.
    ///
    /// - Units: `volatility` a fraction of the price over a time (a day, say), 0 or more; `participation` the order over
    ///   the market's volume of the same time, 0 or more.
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn cost(&self, volatility: f64, participation: f64) -> Result<f64, ExecutionError> {
        at_least_zero("volatility", volatility)?;
        at_least_zero("participation", participation)?;
        Ok(self.factor * volatility * libm::pow(participation, self.exponent))
    }
}

/// A fitted law with the standard errors of its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImpactFit {
    /// The law.
    pub impact: Impact,
    /// Standard error of the factor.
    pub factor_error: f64,
    /// Standard error of the exponent; 0 if it was given.
    pub exponent_error: f64,
    /// Standard deviation of the residuals, in volatilities.
    pub residual: f64,
    /// Orders that were fitted.
    pub n: usize,
}

/// Steps of the fit; usually ten are enough.
const MOST_STEPS: usize = 200;
/// Exponents that are looked for.
const EXPONENTS: (f64, f64) = (0.01, 3.0);

/// Costs in volatilities, `cost / volatility`, and participations, checked.
struct Orders<'a> {
    costs: &'a [f64],
    volatilities: &'a [f64],
    participations: &'a [f64],
}

impl Orders<'_> {
    fn check(&self, least: usize) -> Result<usize, ExecutionError> {
        let n = self.costs.len();
        length("volatilities", self.volatilities.len(), n)?;
        length("participations", self.participations.len(), n)?;
        if n < least {
            return Err(ExecutionError::TooFew { name: "orders", found: n, least });
        }
        for (y, p) in self.costs.iter().zip(self.participations) {
            within("cost", *y, "finite", true)?;
            above_zero("participation", *p)?;
        }
        for v in self.volatilities {
            above_zero("volatility", *v)?;
        }
        Ok(n)
    }

    fn each(&self) -> impl Iterator<Item = (f64, f64)> {
        self.costs.iter().zip(self.volatilities).zip(self.participations).map(|((c, v), p)| (c / v, *p))
    }

    /// The best factor at an exponent, and the sum of squared residuals.
    fn factor(&self, exponent: f64) -> (f64, f64) {
        let (mut xy, mut xx) = (0.0, 0.0);
        for (y, p) in self.each() {
            let x = libm::pow(p, exponent);
            xy += x * y;
            xx += x * x;
        }
        let factor = xy / xx;
        (factor, self.squares(factor, exponent))
    }

    fn squares(&self, factor: f64, exponent: f64) -> f64 {
        self.each().fold(0.0, |sum, (y, p)| {
            let e = y - factor * libm::pow(p, exponent);
            sum + e * e
        })
    }

    /// `JᵀJ` and `Jᵀe` of factor and exponent.
    fn normal(&self, factor: f64, exponent: f64) -> ([f64; 3], [f64; 2]) {
        let (mut a, mut b, mut c, mut f, mut g) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (y, p) in self.each() {
            let x = libm::pow(p, exponent);
            let slope = factor * x * libm::log(p);
            let e = y - factor * x;
            a += x * x;
            b += x * slope;
            c += slope * slope;
            f += x * e;
            g += slope * e;
        }
        ([a, b, c], [f, g])
    }
}

/// Fits the factor with a given exponent ([`SQUARE_ROOT`]) by least squares of `cost / volatility`, through the origin: what an
/// order pays beyond its impact is the market's own movement, as large as the volatility.
///
/// - Shape: a cell an order in each slice, two orders or more. Units as in [`Impact::cost`]; costs may be negative.
/// - The standard error is that of ordinary least squares with `n − 1` degrees of freedom.
///
/// # Errors
/// `Length`, `TooFew`, `OutOfRange`.
pub fn fit_impact(
    costs: &[f64],
    volatilities: &[f64],
    participations: &[f64],
    exponent: f64,
) -> Result<ImpactFit, ExecutionError> {
    let orders = Orders { costs, volatilities, participations };
    let n = orders.check(2)?;
    let (least, most) = EXPONENTS;
    within("exponent", exponent, "0.01 to 3", (least..=most).contains(&exponent))?;
    let (factor, squares) = orders.factor(exponent);
    let variance = squares / (n - 1) as f64;
    let ([xx, ..], _) = orders.normal(factor, exponent);
    Ok(ImpactFit {
        impact: Impact { factor, exponent },
        factor_error: (variance / xx).sqrt(),
        exponent_error: 0.0,
        residual: variance.sqrt(),
        n,
    })
}

/// Fits factor and exponent by least squares of `cost / volatility`: the best of the exponents 0.05, 0.10 … 1.5, then
/// Gauss–Newton with halved steps.
///
/// - Shape and units as [`fit_impact`]; three orders or more, of different participation.
/// - Standard errors: `s² (JᵀJ)⁻¹` with `n − 2` degrees of freedom. Source: Seber and Wild, Nonlinear Regression (1989),
///   section 2.1.2.
///
/// # Errors
/// As [`fit_impact`]; `NoExponent` if the data determine none on 0.01 to 3.
pub fn fit_exponent(costs: &[f64], volatilities: &[f64], participations: &[f64]) -> Result<ImpactFit, ExecutionError> {
    let orders = Orders { costs, volatilities, participations };
    let n = orders.check(3)?;
    let mut best = (f64::INFINITY, 0.0, 0.0);
    for k in 1..=30 {
        let exponent = 0.05 * f64::from(k);
        let (factor, squares) = orders.factor(exponent);
        if squares < best.0 {
            best = (squares, factor, exponent);
        }
    }
    let (mut squares, mut factor, mut exponent) = best;
    for _ in 0..MOST_STEPS {
        let (df, de) = solve(orders.normal(factor, exponent)).ok_or(ExecutionError::NoExponent)?;
        let mut scale = 1.0;
        let next = loop {
            let (f, e) = (factor + scale * df, exponent + scale * de);
            let s = orders.squares(f, e);
            if s < squares {
                break Some((s, f, e));
            }
            scale *= 0.5;
            if scale < 1e-6 {
                break None;
            }
        };
        // Squares that no longer fall do not see a last step of the size of their rounding; the normal equations do.
        let small = df.abs() <= 1e-7 * factor.abs() && de.abs() <= 1e-7;
        match next {
            Some(next) => (squares, factor, exponent) = next,
            None if small => {
                (factor, exponent) = (factor + df, exponent + de);
                break;
            }
            None => return Err(ExecutionError::NoExponent),
        }
    }
    let (least, most) = EXPONENTS;
    if !(least..=most).contains(&exponent) || factor <= 0.0 {
        return Err(ExecutionError::NoExponent);
    }
    let variance = orders.squares(factor, exponent) / (n - 2) as f64;
    let ([a, b, c], _) = orders.normal(factor, exponent);
    let det = a * c - b * b;
    Ok(ImpactFit {
        impact: Impact { factor, exponent },
        factor_error: (variance * c / det).sqrt(),
        exponent_error: (variance * a / det).sqrt(),
        residual: variance.sqrt(),
        n,
    })
}

/// The step of Gauss and Newton; `None` if the equations do not determine it.
fn solve(([a, b, c], [f, g]): ([f64; 3], [f64; 2])) -> Option<(f64, f64)> {
    let det = a * c - b * b;
    (det > 1e-12 * a * c).then(|| ((c * f - b * g) / det, (a * g - b * f) / det))
}
