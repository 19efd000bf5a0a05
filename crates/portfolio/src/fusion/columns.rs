//! The allocator's stages for many instruments at once, without a branch, so that the compiler makes the widest
//! instructions of the processor of them (`pulp` picks them at run time). Everything is a whole number, or a float that is
//! rounded once: the bits do not depend on the width, and they are those of `FusionAllocator::fuse`.
//!
//! Products stay below 2^62 here. Where they might not, `Sides::add` and `size` say so and the caller takes `fuse`.

use crate::conflict::Role;
use pulp::{Arch, Simd, WithSimd};
use tradegraph_columns::{ColRef, Status};
use tradegraph_domain::{NANO, Regime};

/// Instruments whose opinions are added up before the next ones are looked at: their sums stay in the nearest cache.
pub(super) const TOGETHER: usize = 128;

/// 1.5 · 2⁵²: floats of this size are whole, so an addition rounds to a whole number, ties to even.
const WHOLE: f64 = 6_755_399_441_055_744.0;

/// The whole number nearest to `x`, ties to even, for |x| < 2⁵¹.
#[inline(always)]
fn nearest(x: f64) -> i64 {
    ((x + WHOLE).to_bits() as i64).wrapping_sub(WHOLE.to_bits() as i64)
}

/// `tradegraph_domain::mul_nano` for |a × b| < 2⁶². The float is the quotient to within 2⁻¹⁹, so what it rounds to is off by
/// at most one, and the exact remainder says by how much.
#[inline(always)]
pub(super) fn mul(a: i64, b: i64) -> i64 {
    let product = a.wrapping_mul(b);
    let near = nearest(product as f64 * 1e-9);
    let rest = product.wrapping_sub(near.wrapping_mul(NANO));
    let odd = near & 1;
    let (more, less) = (rest.wrapping_add(odd) > NANO / 2, rest.wrapping_sub(odd) < -(NANO / 2));
    near.wrapping_add(i64::from(more)).wrapping_sub(i64::from(less))
}

/// `a × b / 1e9` toward zero for |a × b| < 2⁶² and b ≥ 0.
#[inline(always)]
fn down(a: i64, b: i64) -> i64 {
    let size = a.wrapping_abs().wrapping_mul(b);
    let near = nearest(size as f64 * 1e-9);
    let rest = size.wrapping_sub(near.wrapping_mul(NANO));
    let whole = near.wrapping_sub(i64::from(rest < 0));
    if a < 0 { whole.wrapping_neg() } else { whole }
}

/// A confidence at 1e-9 within [0, 1]; none for what is no number or beyond all numbers of 64 bits.
#[inline(always)]
fn confidence_nano(confidence: f64) -> i64 {
    let nano = confidence * 1e9;
    let known = nano > 0.0 && nano < 9_223_372_036_854_775_808.0;
    nearest(if known { nano.min(1e9) } else { 0.0 })
}

/// Bits that differ from the sign in any of the numbers: all lie within ± (bits + 1).
#[inline(always)]
fn bits(numbers: &[i64]) -> i64 {
    numbers.iter().fold(0, |bits, x| bits | (x ^ (x >> 63)))
}

/// True if all numbers are so small that their products with a factor of at most 1 at 1e-9 are below 2⁶².
#[inline(always)]
pub(super) fn are_narrow(numbers: &[i64]) -> bool {
    bits(numbers) < (1 << 32) - 1
}

/// Both sides of the opinions about `TOGETHER` instruments, and what two kinds of experts want.
#[derive(Clone, Debug)]
pub(super) struct Sides {
    up: [i64; TOGETHER],
    down: [i64; TOGETHER],
    trend: [i64; TOGETHER],
    reversion: [i64; TOGETHER],
    others: [i64; TOGETHER],
    /// Whether anybody has an opinion.
    pub(super) any: [bool; TOGETHER],
}

/// How sides become one value.
pub(super) struct Rules {
    pub(super) conflicts: bool,
    pub(super) regime: Regime,
    pub(super) max_weight: i64,
    pub(super) allow_short: bool,
    /// Volatility above which positions are smaller.
    pub(super) reference: Option<f64>,
}

impl Rules {
    /// True if the columns can work by them.
    pub(super) fn are_usual(&self) -> bool {
        (0..1 << 32).contains(&self.max_weight) && self.reference.is_none_or(|r| r > 0.0 && r.is_finite())
    }
}

impl Sides {
    pub(super) const NONE: Sides = Sides {
        up: [0; TOGETHER],
        down: [0; TOGETHER],
        trend: [0; TOGETHER],
        reversion: [0; TOGETHER],
        others: [0; TOGETHER],
        any: [false; TOGETHER],
    };

    /// Forgets the first `m`.
    #[inline(always)]
    pub(super) fn clear(&mut self, m: usize) {
        for column in [&mut self.up, &mut self.down, &mut self.trend, &mut self.reversion] {
            column[..m].fill(0);
        }
        self.any[..m].fill(false);
    }

    /// Adds what an agent asks for times its confidence and its weight. What is not said is asked as 0. False, and nothing is
    /// added but who spoke, if a product might not fit.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        role: Role,
        asked: &[i64],
        confidence: &[f64],
        status: &[Status],
        weight: i64,
    ) -> bool {
        for (any, s) in self.any.iter_mut().zip(status) {
            *any |= *s == Status::Ok;
        }
        let most = i128::from(bits(asked)) + 1;
        if most >= 1 << 32 || most * i128::from(weight).abs() >= 1 << 62 {
            return false;
        }
        let expert = match role {
            Role::Trend => &mut self.trend,
            Role::Reversion => &mut self.reversion,
            Role::Core | Role::Other => &mut self.others,
        };
        let sums = self.up.iter_mut().zip(&mut self.down).zip(expert);
        for ((a, c), ((up, down), expert)) in asked.iter().zip(confidence).zip(sums) {
            let value = mul(mul(*a, confidence_nano(*c)), weight);
            *up += value.max(0);
            *down += value.min(0);
            *expert += value;
        }
        true
    }

    /// One value of both sides, as `conflict::Sides::resolve` has it.
    #[inline(always)]
    pub(super) fn resolve(&self, rules: &Rules, out: &mut [i64]) {
        let expert = match rules.regime {
            Regime::TrendCalm | Regime::TrendVolatile => &self.trend,
            Regime::RangeCalm | Regime::RangeVolatile => &self.reversion,
            Regime::Unknown | Regime::Crisis => &[0; TOGETHER],
        };
        let caution = rules.regime == Regime::Crisis;
        // Without rules nothing is a contradiction.
        let least = if rules.conflicts { rules.max_weight / 100 } else { i64::MAX };
        for (((value, up), down), expert) in out.iter_mut().zip(&self.up).zip(&self.down).zip(expert) {
            let (u, d, sum) = (*up, -*down, *up + *down);
            let (side, other) = if *expert >= 0 { (u, d) } else { (-d, u) };
            let backed = (*expert != 0) & (expert.abs() >= other / 2);
            let stronger = if d >= 2 * u { -d } else { sum };
            let stronger = if u >= 2 * d { u } else { stronger };
            let resolved = if backed { side } else { stronger };
            let resolved = if caution { 0 } else { resolved };
            *value = if u.min(d) < least { sum } else { resolved };
        }
    }
}

/// Values within the largest position, long only where shorts are forbidden, smaller where the instrument moves more.
#[inline(always)]
pub(super) fn size(rules: &Rules, volatility: Option<ColRef<'_, f64>>, values: &mut [i64]) {
    let least = if rules.allow_short { -rules.max_weight } else { 0 };
    for v in &mut *values {
        *v = (*v).clamp(least, rules.max_weight);
    }
    let (Some(reference), Some(volatility)) = (rules.reference, volatility) else { return };
    let (known, unknown) = values.split_at_mut(volatility.len().min(values.len()));
    unknown.iter_mut().for_each(|value| *value = mul(*value, NANO / 2));
    for (value, volatility) in known.iter_mut().zip(volatility.iter()) {
        // Unknown risk is not small risk.
        let factor = volatility.map_or(0.5, |v| if v <= reference { 1.0 } else { (reference / v).min(1.0) });
        *value = mul(*value, nearest(factor * 1e9));
    }
}

/// Every value times a factor of at most 1 at 1e-9, toward the same sign.
#[inline(always)]
pub(super) fn shrink(values: &[i64], factor: i64, out: &mut [i64]) {
    if factor >= NANO {
        out.copy_from_slice(values);
    } else if factor >= 0 && are_narrow(values) {
        out.iter_mut().zip(values).for_each(|(o, v)| *o = mul(*v, factor));
    } else {
        out.iter_mut().zip(values).for_each(|(o, v)| *o = crate::sizing::shrink(*v, factor));
    }
}

/// What is wanted of an instrument and what is there.
pub(super) struct Wishes<'a> {
    pub(super) calmed: &'a [i64],
    pub(super) kept: &'a [bool],
    pub(super) has_opinion: &'a [bool],
    pub(super) current: &'a [i64],
}

/// Marks the changes that may be worth making: all that are, and few others.
#[inline(always)]
pub(super) fn mark_changes(wishes: &Wishes<'_>, fit: i64, least: u64, marks: &mut [bool]) {
    if fit < 0 || !are_narrow(wishes.calmed) {
        marks.fill(true);
        return;
    }
    let (targets, present) = (wishes.calmed.iter().zip(wishes.kept), wishes.current.iter().zip(wishes.has_opinion));
    for (mark, ((calmed, kept), (current, has_opinion))) in marks.iter_mut().zip(targets.zip(present)) {
        let target = if *kept { *calmed } else { 0 };
        let target = if fit >= NANO { target } else { down(target, fit) };
        let far = (target == 0) | (target.abs_diff(*current) >= least);
        *mark = *has_opinion & (target != *current) & far;
    }
}

/// What a factor asks for, halves to even. Factors lie on [−1, 1]; one that does not (or is no number) asks for nothing.
#[inline(always)]
pub(super) fn amount(x: f64, full: f64) -> i64 {
    const MOST: f64 = 8.0 * NANO as f64 + 0.5;
    let product = x * full;
    let rounded = nearest(product);
    if product.abs() <= MOST { rounded } else { 0 }
}

/// What an agent asks for with all its factors, where it has an opinion. Returns the sum of the squares, one after the other,
/// and how often it asked for anything.
pub(super) fn ask(factors: &[f64], status: &[Status], full: f64, asked: &mut [i64]) -> (f64, u64) {
    Arch::new().dispatch(Ask { factors, status, full, asked })
}

struct Ask<'a> {
    factors: &'a [f64],
    status: &'a [Status],
    full: f64,
    asked: &'a mut [i64],
}

impl WithSimd for Ask<'_> {
    type Output = (f64, u64);
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> (f64, u64) {
        let Ask { factors, status, full, asked } = self;
        let mut factors = factors.chunks_exact(asked.len().max(1));
        match factors.next() {
            Some(first) => asked.iter_mut().zip(first).for_each(|(a, x)| *a = amount(*x, full)),
            None => asked.fill(0),
        }
        for factor in factors {
            asked.iter_mut().zip(factor).for_each(|(a, x)| *a += amount(*x, full));
        }
        for (a, s) in asked.iter_mut().zip(status) {
            *a = if *s == Status::Ok { *a } else { 0 };
        }
        let (mut sum, mut spoken, mut squares) = (0.0, 0_u64, [0.0; TOGETHER]);
        for asked in asked.chunks(TOGETHER) {
            for (square, a) in squares.iter_mut().zip(asked) {
                *square = *a as f64 * *a as f64;
                spoken += u64::from(*a != 0);
            }
            squares.iter().take(asked.len()).for_each(|square| sum += square);
        }
        (sum, spoken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conflict;
    use proptest::prelude::*;
    use tradegraph_domain::mul_nano;

    /// Numbers of every size up to 2^bits, with halves of 1e9 among them.
    fn sized(bits: u32) -> impl Strategy<Value = i64> {
        (any::<i64>(), 0..bits, any::<bool>()).prop_map(move |(x, drop, half)| {
            let x = x >> (63 - bits + drop);
            if half { x / (NANO / 2) * (NANO / 2) } else { x }
        })
    }

    proptest! {
        #[test]
        fn products_are_those_of_one_cell(a in sized(32), b in sized(30), k in sized(31)) {
            prop_assert_eq!(mul(a, b), mul_nano(a, b));
            prop_assert_eq!(mul(k, NANO / 2), mul_nano(k, NANO / 2));
            let b = b.abs();
            prop_assert_eq!(i128::from(down(a, b)), i128::from(a) * i128::from(b) / i128::from(NANO));
        }

        #[test]
        fn contradictions_are_resolved_as_one_by_one(
            opinions in prop::collection::vec((0_u8..4, prop_oneof![sized(32), -300_i64..300]), 0..6),
            regime in 0_u8..6,
            conflicts in any::<bool>(),
        ) {
            let regime = Regime::from_byte(regime).unwrap();
            let rules = Rules { conflicts, regime, max_weight: 10_000, allow_short: true, reference: None };
            let (mut all, mut one) = (Sides::NONE, conflict::Sides::default());
            for (role, value) in &opinions {
                let role = [Role::Trend, Role::Reversion, Role::Core, Role::Other][usize::from(*role)];
                let fits = all.add(role, &[*value], &[1.0], &[Status::Ok], NANO);
                prop_assert!(fits);
                one.add(role, *value);
            }
            let mut out = [0];
            all.resolve(&rules, &mut out);
            let expected = if conflicts { one.resolve(regime, 100).0 } else { one.up + one.down };
            prop_assert_eq!(out[0], expected);
        }
    }

    #[test]
    fn confidence_is_within_nothing_and_certainty() {
        let table = [
            (0.0, 0),
            (-1.0, 0),
            (0.5, NANO / 2),
            (1.0, NANO),
            (2.0, NANO),
            (1e-9, 1),
            (f64::NAN, 0),
            (f64::INFINITY, 0),
            (f64::NEG_INFINITY, 0),
            (1e300, 0),
        ];
        for (x, nano) in table {
            assert_eq!(confidence_nano(x), nano, "{x}");
            let one_by_one = tradegraph_quant::attribution::quantise(x, 1e9).unwrap_or_default().clamp(0, NANO);
            assert_eq!(nano, one_by_one, "{x}");
        }
    }

    #[test]
    fn what_may_not_fit_is_left_to_the_one_by_one_path() {
        let mut s = Sides::NONE;
        let add = |s: &mut Sides, asked: i64, weight| s.add(Role::Core, &[asked], &[1.0], &[Status::Ok], weight);
        assert!(!add(&mut s, 1 << 32, NANO));
        assert!(!add(&mut s, 1 << 31, 1 << 31));
        assert!(!add(&mut s, 1, i64::MIN));
        assert!(add(&mut s, (1 << 32) - 2, NANO));
        assert!(s.any[0] && !s.any[1]);
        assert_eq!(s.up[0], (1 << 32) - 2);
    }
}
