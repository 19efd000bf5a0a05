//! The complementary error function and its scaled form `erfcx(x) = e^(x²) erfc(x)`.

use super::exp::exp_sum;
use super::polynomial;

/// The variable is `τ = 1 − SPAN r` with `r = 1 / (x + OFFSET)`; it is −1 at `x = −½` and 1 at ∞.
pub(crate) const OFFSET: f64 = 4.0;
pub(crate) const SPAN: f64 = 7.0;

/// `(x + 4) erfcx(x)` as a polynomial in `τ`, for `x ≥ −½`.
pub(crate) const SCALED: [f64; 26] = [
    1.253_008_058_269_729_6,
    -1.411_232_682_081_741,
    1.372_865_885_402_654_8,
    -1.149_810_114_389_643_8,
    0.821_242_796_725_923_2,
    -0.490_900_734_280_579_73,
    0.236_785_736_101_553_87,
    -0.084_997_821_579_452_21,
    0.017_377_689_215_370_105,
    0.001_875_246_363_097_171_6,
    -0.002_738_465_898_506_686_4,
    0.000_647_531_777_618_273_8,
    0.000_186_812_271_282_528_27,
    -0.000_135_908_695_323_864_42,
    -8.365_112_940_813_493e-07,
    2.126_016_683_893_993e-05,
    -2.582_494_379_955_139e-06,
    -3.316_184_799_831_515_4e-06,
    6.622_153_018_153_722e-07,
    5.588_321_291_956_475e-07,
    -1.235_794_780_009_448_5e-07,
    -9.764_874_686_055_597e-08,
    1.754_396_449_414_627_3e-08,
    1.471_664_990_111_781_2e-08,
    -1.418_768_533_670_467_9e-09,
    -1.291_643_008_132_738_7e-09,
];

/// The same with an error of 1e-7, for steps that a later one corrects.
pub(crate) const SCALED_ROUGHLY: [f64; 12] = [
    1.253_007_973_980_361_5,
    -1.411_232_424_261_272_6,
    1.372_871_973_767_140_9,
    -1.149_817_440_946_735_9,
    0.821_171_454_940_552_2,
    -0.490_840_886_253_792_3,
    0.237_092_042_577_384_5,
    -0.085_209_587_025_472_25,
    0.016_781_169_379_803_205,
    0.002_247_333_212_143_728,
    -0.002_199_049_485_527_919_7,
    0.000_316_959_283_569_093_1,
];

/// `erfcx(x)` for `x ≥ −½`.
#[inline(always)]
pub(super) fn scaled(x: f64) -> f64 {
    let r = 1.0 / (x + OFFSET);
    r * polynomial(&SCALED, 1.0 - SPAN * r)
}

/// `e^(−scale · x²)` with the square taken exactly: its upper half has 26 bits. `scale` is 1, −1, ½ or −½.
#[inline(always)]
pub(super) fn exp_square(x: f64, scale: f64) -> f64 {
    // Beyond 40 the result is 0 or infinite; the bound keeps the halves finite.
    let x = if x > 40.0 { 40.0 } else { x };
    let upper = f64::from_bits(x.to_bits() & 0xffff_ffff_f800_0000);
    exp_sum(-scale * (upper * upper), -scale * ((x - upper) * (x + upper)))
}

/// `e^(x²) erfc(x)`, at most 7 units in the last place away; ∞ below −26.7.
///
/// A polynomial of degree 25 in `(x − 3) / (x + 4)` for `x ≥ −½`, after Shepherd and Laframboise, Mathematics of
/// Computation 36 (1981) 249; below, `2 e^(x²) − erfcx(−x)`.
#[inline(always)]
#[must_use]
pub fn erfcx(x: f64) -> f64 {
    let reflected = x < -0.5;
    let y = scaled(if reflected { -x } else { x });
    let grown = 2.0 * exp_square(x.abs(), -1.0);
    if reflected { grown - y } else { y }
}

/// `1 − erf(x)`, at most 7 units in the last place away; subnormal results to half the smallest number more.
#[inline(always)]
#[must_use]
pub fn erfc(x: f64) -> f64 {
    let size = x.abs();
    let tail = exp_square(size, 1.0) * scaled(size);
    if x < 0.0 { 2.0 - tail } else { tail }
}
