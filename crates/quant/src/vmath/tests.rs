use super::*;
use proptest::prelude::*;

type Scalar = fn(f64) -> f64;
type Column = fn(&[f64], &mut [f64]);

/// Name, the function on one number and on a column, and the error in units in the last place that it may have.
pub(crate) const FUNCTIONS: [(&str, Scalar, Column, f64); 6] = [
    ("exp", exp, columns::exp, 0.8),
    ("ln", ln, columns::ln, 1.8),
    ("erfc", erfc, columns::erfc, 7.0),
    ("erfcx", erfcx, columns::erfcx, 7.0),
    ("normal_cdf", normal_cdf, columns::normal_cdf, 7.0),
    ("normal_inverse", normal_inverse, columns::normal_inverse, 8.0),
];

/// Distance from `high + low` in units in the last place of `high`.
pub(crate) fn ulps(x: f64, high: f64, low: f64) -> f64 {
    let size = high.abs().max(f64::MIN_POSITIVE);
    let unit = f64::from_bits(size.to_bits() + 1) - size;
    (((x - high) - low) / unit).abs()
}

/// Rows of the table of one function: argument and expected value in two parts.
fn rows(function: &str) -> Vec<[f64; 3]> {
    let table = include_str!("../../oracles/options_vmath.csv");
    let rows = table.lines().skip(1).map(|l| l.split(',').collect::<Vec<_>>()).filter(|r| r[0] == function);
    rows.map(|r| [1, 2, 3].map(|i| r[i].parse().unwrap())).collect()
}

/// Worst error of each function in units in the last place, with the number of its rows.
pub(crate) fn worst_ulps() -> Vec<(&'static str, usize, f64)> {
    let mut worst: Vec<_> = FUNCTIONS
        .iter()
        .map(|(name, f, _, _)| {
            let rows = rows(name);
            let worst = rows.iter().map(|[x, high, low]| ulps(f(*x), *high, *low)).fold(0.0, f64::max);
            (*name, rows.len(), worst)
        })
        .collect();
    let table = include_str!("../../oracles/options_ratio.csv");
    let errors: Vec<f64> = table
        .lines()
        .skip(1)
        .map(|l| {
            let r: Vec<f64> = l.split(',').map(|v| v.parse().unwrap()).collect();
            ulps(ln_ratio(r[0], r[1]), r[2], r[3])
        })
        .collect();
    worst.push(("ln_ratio", errors.len(), errors.iter().copied().fold(0.0, f64::max)));
    worst
}

#[test]
fn as_near_as_stated() {
    for ((name, n, worst), bound) in worst_ulps().into_iter().zip(FUNCTIONS.map(|f| f.3).into_iter().chain([2.5])) {
        assert!(n >= 400 && worst <= bound, "{name}: {worst} ulp of {n} rows, stated {bound}");
    }
}

/// What kernels use instead of [`exp`] and [`ln_ratio`], on the same tables.
#[test]
fn kernel_forms_as_near_as_stated() {
    let (mut exponentials, mut logarithms) = ((0, 0.0_f64), (0, 0.0_f64));
    for [x, high, low] in rows("exp").into_iter().filter(|r| r[0] >= -708.0 && r[0] <= 709.4) {
        exponentials = (exponentials.0 + 1, exponentials.1.max(ulps(exp_normal(x), high, low)));
    }
    for line in include_str!("../../oracles/options_ratio.csv").lines().skip(1) {
        let r: Vec<f64> = line.split(',').map(|v| v.parse().unwrap()).collect();
        let [y] = ln_ratios_usual([r[0]], [r[1]]);
        logarithms = (logarithms.0 + 1, logarithms.1.max(ulps(y, r[2], r[3])));
    }
    assert!(exponentials.0 >= 400 && exponentials.1 <= 1.2, "{exponentials:?}");
    assert!(logarithms.0 >= 400 && logarithms.1 <= 3.0, "{logarithms:?}");
    assert_eq!(
        (exp_normal(-708.1), exp_normal(709.5), exp_normal(0.0), exp_normal(-0.0)),
        (0.0, f64::INFINITY, 1.0, 1.0)
    );
    assert_eq!((exp_normal(f64::NEG_INFINITY), exp_normal(f64::INFINITY)), (0.0, f64::INFINITY));
    assert!(exp_normal(f64::NAN).is_nan() && exp_normal(f64::from_bits(0x7ff8_0000_0000_0fff)).is_nan());
    assert_eq!(ln_ratios_usual([3.0, 1.0, 0.75], [3.0, 1.0, 0.75]), [0.0; 3]);
}

#[test]
fn edges() {
    let inf = f64::INFINITY;
    assert_eq!((exp(-inf), exp(inf), exp(0.0), exp(-746.0), exp(710.0)), (0.0, inf, 1.0, 0.0, inf));
    assert_eq!((ln(0.0), ln(-0.0), ln(1.0), ln(inf)), (-inf, -inf, 0.0, inf));
    assert_eq!((erfc(0.0), erfc(-inf), erfc(inf), erfc(-7.0), erfc(28.0)), (1.0, 2.0, 0.0, 2.0, 0.0));
    assert_eq!((erfcx(0.0), erfcx(inf), erfcx(-27.0), erfcx(-inf)), (1.0, 0.0, inf, inf));
    assert_eq!((normal_cdf(0.0), normal_cdf(-inf), normal_cdf(inf), normal_cdf(-39.0)), (0.5, 0.0, 1.0, 0.0));
    assert_eq!((normal_inverse(0.5), normal_inverse(0.0), normal_inverse(1.0)), (0.0, -inf, inf));
    assert_eq!((ln_ratio(5e-324, 1e300), ln_ratio(3.0, 3.0)), (ln(0.0), 0.0));
    for x in [-0.1, 1.1, inf, -inf] {
        assert!(normal_inverse(x).is_nan(), "{x}");
    }
    assert!(ln(-1.0).is_nan() && ln(-inf).is_nan());
    for (name, f, _, _) in FUNCTIONS {
        assert!(f(f64::NAN).is_nan(), "{name}");
    }
}

#[test]
fn a_column_has_the_bits_of_its_numbers() {
    let special = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, 5e-324, -5e-324, f64::MAX, f64::MIN, 0.5, 1.0];
    for (name, f, column, _) in FUNCTIONS {
        let x: Vec<f64> = rows(name).iter().map(|r| r[0]).chain(special).collect();
        let mut out = vec![0.0; x.len()];
        column(&x, &mut out);
        for (x, y) in x.iter().zip(&out) {
            assert!(f(*x).to_bits() == y.to_bits() || y.is_nan() && f(*x).is_nan(), "{name} {x}: {y}, {}", f(*x));
        }
    }
}

proptest! {
    #[test]
    fn same_bits_for_any_number(bits in prop::collection::vec(any::<u64>(), 1..40), plain in prop::collection::vec(-40.0..40.0, 0..40)) {
        let x: Vec<f64> = bits.into_iter().map(f64::from_bits).chain(plain).collect();
        for (name, f, column, _) in FUNCTIONS {
            let mut out = vec![0.0; x.len()];
            column(&x, &mut out);
            for (x, y) in x.iter().zip(&out) {
                prop_assert!(f(*x).to_bits() == y.to_bits() || y.is_nan() && f(*x).is_nan(), "{} {}", name, x);
            }
        }
    }

    #[test]
    fn identities(x in -5.0..5.0_f64, y in 0.1..10.0_f64) {
        prop_assert!((ln(exp(x)) - x).abs() <= 1e-15 * (1.0 + x.abs()));
        prop_assert!((erfc(x) + erfc(-x) - 2.0).abs() <= 1e-15);
        prop_assert!((normal_cdf(x) + normal_cdf(-x) - 1.0).abs() <= 4e-16);
        prop_assert!((erfcx(x) - exp(x * x) * erfc(x)).abs() <= 1e-13 * erfcx(x));
        prop_assert!((ln_ratio(y, 3.0) - (ln(y) - ln(3.0))).abs() <= 1e-15);
    }
}
