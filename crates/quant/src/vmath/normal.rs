//! The normal distribution: density, probability, quantile.

use super::erfc::{exp_square, scaled};
use super::{ln, polynomial};
use std::f64::consts::FRAC_1_SQRT_2;

/// `1 / √(2π)`.
const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// `φ(z)`, the density of the standard normal.
#[inline(always)]
#[must_use]
pub fn normal_density(z: f64) -> f64 {
    FRAC_1_SQRT_2PI * exp_square(z.abs(), 0.5)
}

/// `Φ(z)`, the probability that a standard normal is below `z`; at most 7 units in the last place away.
///
/// `½ e^(−z²/2) erfcx(−z / √2)` with the square taken exactly, so that the lower tail keeps its digits.
#[inline(always)]
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    let size = z.abs();
    let tail = 0.5 * exp_square(size, 0.5) * scaled(size * FRAC_1_SQRT_2);
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// `Φ⁻¹(p)`: the `z` with `Φ(z) = p`; −∞ at 0, ∞ at 1, NaN outside `[0, 1]`; relative error below 1e-15.
///
/// Source: Wichura, Applied Statistics 37 (1988) 477, algorithm AS 241, PPND16, all three of its zones computed.
#[inline(always)]
#[must_use]
pub fn normal_inverse(p: f64) -> f64 {
    let q = p - 0.5;
    let squared = 0.180_625 - q * q;
    let centre = q * polynomial(&CENTRE.0, squared) / polynomial(&CENTRE.1, squared);
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let root = (-ln(tail)).sqrt();
    let far = root > 5.0;
    let r = if far { root - 5.0 } else { root - 1.6 };
    // At 0 and 1 the root is infinite, and so is the quotient's limit; a finite stand-in avoids ∞ / ∞.
    let r = if r > 1e3 { 1e3 } else { r };
    let near = polynomial(&SHOULDER.0, r) / polynomial(&SHOULDER.1, r);
    let size = if far { polynomial(&TAIL.0, r) / polynomial(&TAIL.1, r) } else { near };
    let size = if tail == 0.0 { f64::INFINITY } else { size };
    let z = if q.abs() <= 0.425 { centre } else { size.copysign(q) };
    if p >= 0.0 && p <= 1.0 { z } else { f64::NAN }
}

type Rational = ([f64; 8], [f64; 8]);

const CENTRE: Rational = (
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_66e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
);

const SHOULDER: Rational = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

const TAIL: Rational = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_049e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);
