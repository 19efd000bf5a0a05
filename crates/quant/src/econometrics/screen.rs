//! Engle–Granger tests of every pair of many series at once.
//!
//! A spread `e = y − b x` never becomes a series: the sums of its Dickey–Fuller regression are quadratic in `b`, with
//! coefficients from the cross products of levels and of differences some rows apart. Those are computed for eight by
//! eight pairs at a time, so that a pair costs `lags + 2` products of rows for both directions, not a regression.

mod lanes;
mod spread;

use super::adf::{largest, penalty};
use super::cointegration::SAME;
use super::dense::{dot, mean, sum_of};
use super::mackinnon::SURFACES;
use super::{EconometricsError, Lags, Ols, Trend, varied};
use crate::vmath::{self, widest};
use lanes::Lanes;
use pulp::{Simd, WithSimd};
use spread::{Normal, Spread};

/// Series of a tile.
const TILE: usize = 8;
type Row = [f64; TILE];

/// The test of one pair in one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairTest {
    /// Index of the explained series.
    pub y: usize,
    /// Index of the other one.
    pub x: usize,
    /// Hedge ratio: units of `x` against one of `y`.
    pub hedge: f64,
    /// Dickey–Fuller t-statistic of the spread.
    pub statistic: f64,
    /// MacKinnon's approximate p-value for two series.
    pub p: f64,
    /// Lagged differences used.
    pub lags: usize,
}

/// A screen of pairs and its memory: about 16 bytes a value of the series, and what sixteen of them need.
pub struct PairScreen {
    n: usize,
    rows: usize,
    trend: Trend,
    lags: Lags,
    most: usize,
    /// Levels without the trend and differences, by tiles of eight series, then by rows.
    levels: Vec<Row>,
    steps: Vec<Row>,
    /// Tiles that meet the others together, so that those are read once: two, or one if the lags are many.
    abreast: usize,
    /// Differences `k` rows before plus those `k` rows after, by tile abreast, then by `k`.
    around: Vec<Vec<Row>>,
    /// By series: `Σ z²`, `Σ y²` about the mean, what is taken off the levels, products of differences by lag.
    squares: Vec<f64>,
    total: Vec<f64>,
    centre: Vec<f64>,
    products: Vec<f64>,
    /// Products of levels, of differences, and of differences with those around, by tile abreast.
    cross: Vec<[Row; TILE]>,
    work: Work,
}

struct Work {
    spread: Spread<TILE>,
    normal: Normal<TILE>,
    one_spread: Spread<1>,
    one: Normal<1>,
}

impl PairScreen {
    /// A screen of `n` series of `rows` rows.
    ///
    /// Errors: `TooFew` below two series, or if the rows do not determine the regression with the largest number of lags.
    pub fn new(n: usize, rows: usize, trend: Trend, lags: Lags) -> Result<PairScreen, EconometricsError> {
        if n < 2 {
            return Err(EconometricsError::TooFew { what: "series of a screen of pairs", got: n, need: 2 });
        }
        let most = largest(lags, rows, Trend::None)?;
        let tiles = n.div_ceil(TILE);
        let abreast = if most <= 4 { 2 } else { 1 };
        Ok(PairScreen {
            n,
            rows,
            trend,
            lags,
            most,
            levels: vec![[0.0; TILE]; tiles * rows],
            steps: vec![[0.0; TILE]; tiles * (rows - 1)],
            abreast,
            around: vec![vec![[0.0; TILE]; rows - 1]; most * abreast],
            squares: vec![0.0; tiles * TILE],
            total: vec![0.0; tiles * TILE],
            centre: vec![0.0; tiles * TILE],
            products: vec![0.0; (most + 1) * tiles * TILE],
            cross: vec![[[0.0; TILE]; TILE]; (most + 2) * abreast],
            work: Work {
                spread: Spread::new(most),
                normal: Normal::new(most),
                one_spread: Spread::new(most),
                one: Normal::new(most),
            },
        })
    }

    /// Tests every ordered pair of the series and hands each test to `visit`, in a fixed order by tiles. Pairs that
    /// [`engle_granger`](super::engle_granger) refuses as multiples of each other are handed over as `None`, with
    /// their indices.
    ///
    /// Statistics are those of single tests up to about `1e-16 / (1 − R²)`, relatively. Nothing is allocated, except
    /// with a trend with a slope.
    ///
    /// - Shape: as many series as the screen has, each of its number of rows.
    /// - Errors: `Shape`; `Series` with `NotFinite` or `NoVariance` of a series.
    /// - Source: as [`engle_granger`](super::engle_granger).
    pub fn run(
        &mut self,
        series: &[&[f64]],
        mut visit: impl FnMut(usize, usize, Option<PairTest>),
    ) -> Result<(), EconometricsError> {
        if series.len() != self.n {
            let (got, expected) = (series.len(), self.n);
            return Err(EconometricsError::Shape { what: "series of a screen of pairs", got, expected });
        }
        for (at, x) in series.iter().enumerate() {
            let refuse = |cause| EconometricsError::Series { at, cause: Box::new(cause) };
            if x.len() != self.rows {
                let (got, expected) = (x.len(), self.rows);
                return Err(refuse(EconometricsError::Shape { what: "a series of the screen", got, expected }));
            }
            self.take(at, x).map_err(refuse)?;
        }
        let tiles = self.n.div_ceil(TILE);
        let mut found = [Found::EMPTY; 2 * TILE * TILE];
        for tile in 0..tiles {
            if matches!(self.trend, Trend::None | Trend::Constant) {
                widest(Lay { screen: self, tile, series });
            }
            widest(Own { screen: self, tile });
        }
        for from in (0..tiles).step_by(self.abreast) {
            let upto = tiles.min(from + self.abreast);
            for j in from..upto {
                widest(Surround { screen: self, tile: j, place: j - from });
            }
            for i in 0..upto {
                widest(Cross { screen: self, i, from, upto });
                for j in from.max(i)..upto {
                    let n = widest(Tile { screen: self, i, j, place: j - from, found: &mut found });
                    for f in &found[..n] {
                        visit(f.test.y, f.test.x, (!f.same).then_some(f.test));
                    }
                }
            }
        }
        Ok(())
    }

    /// Checks a series and notes its mean and its sum of squares; one with a slope is laid into its tile at once.
    fn take(&mut self, at: usize, x: &[f64]) -> Result<(), EconometricsError> {
        let (tile, lane) = (at / TILE, at % TILE);
        // A sum that is not finite has a value that is not, or values that no price has.
        let centre = mean(x);
        let total = sum_of(x, |v| (v - centre) * (v - centre));
        if !(total > 1e-20 * x.len() as f64 * centre * centre && total.is_finite()) {
            varied("series", x, 4)?;
        }
        self.centre[at] = if self.trend == Trend::None { 0.0 } else { centre };
        self.total[at] = if self.trend == Trend::None { dot(x, x) } else { total };
        let levels = &mut self.levels[tile * self.rows..(tile + 1) * self.rows];
        match self.trend {
            Trend::None | Trend::Constant => {}
            Trend::Linear | Trend::Quadratic => {
                let ols = Ols::fit(x, &[], self.trend)?;
                if ols.rss <= 1e-24 * dot(x, x) {
                    return Err(EconometricsError::NoVariance { what: "series about its trend" });
                }
                levels.iter_mut().zip(ols.residuals).for_each(|(to, v)| to[lane] = v);
            }
        }
        Ok(())
    }
}

/// Levels less what is taken off them, eight series beside each other.
struct Lay<'a> {
    screen: &'a mut PairScreen,
    tile: usize,
    series: &'a [&'a [f64]],
}

impl WithSimd for Lay<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Lay { screen: s, tile, series } = self;
        let levels = &mut s.levels[tile * s.rows..(tile + 1) * s.rows];
        let centre = &s.centre[tile * TILE..(tile + 1) * TILE];
        let own = &series[tile * TILE..s.n.min((tile + 1) * TILE)];
        let Some(own): Option<&[&[f64]; TILE]> = own.first_chunk() else {
            for (lane, x) in own.iter().enumerate() {
                levels.iter_mut().zip(*x).for_each(|(to, v)| to[lane] = v - centre[lane]);
            }
            return;
        };
        let own = own.map(|x| &x[..s.rows]);
        let centre = Lanes::<TILE>(load(centre));
        for (t, to) in levels.iter_mut().enumerate() {
            let mut row = Lanes::all(0.0);
            row.0.iter_mut().zip(own).for_each(|(v, x)| *v = x[t]);
            *to = (row - centre).0;
        }
    }
}

/// Differences of the series of a tile, and the sums that need no other tile.
struct Own<'a> {
    screen: &'a mut PairScreen,
    tile: usize,
}

impl WithSimd for Own<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Own { screen: s, tile } = self;
        let width = s.squares.len();
        let levels = &s.levels[tile * s.rows..(tile + 1) * s.rows];
        let steps = &mut s.steps[tile * (s.rows - 1)..(tile + 1) * (s.rows - 1)];
        steps.iter_mut().zip(levels.windows(2)).for_each(|(to, w)| *to = (Lanes(w[1]) - Lanes(w[0])).0);
        let sum =
            |a: &[Row], b: &[Row]| a.iter().zip(b).fold(Lanes::all(0.0), |sum, (a, b)| sum + Lanes(*a) * Lanes(*b));
        s.squares[tile * TILE..][..TILE].copy_from_slice(&sum(levels, levels).0);
        for k in 0..=s.most {
            s.products[k * width + tile * TILE..][..TILE].copy_from_slice(&sum(&steps[k..], steps).0);
        }
    }
}

/// Differences `k` rows before plus those `k` rows after, of a tile.
struct Surround<'a> {
    screen: &'a mut PairScreen,
    tile: usize,
    place: usize,
}

impl WithSimd for Surround<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Surround { screen: s, tile, place } = self;
        let n = s.rows - 1;
        let steps = &s.steps[tile * n..(tile + 1) * n];
        for (k, around) in (1..).zip(&mut s.around[place * s.most..(place + 1) * s.most]) {
            // The first and the last `k` rows have one side only; of few rows some have none.
            for (t, to) in around.iter_mut().enumerate().filter(|(t, _)| *t < k || t + k >= n) {
                let before = t.checked_sub(k).and_then(|t| steps.get(t));
                *to = before.or(steps.get(t + k)).copied().unwrap_or_default();
            }
            if 2 * k < n {
                let sides = steps.iter().zip(&steps[2 * k..]);
                around[k..n - k].iter_mut().zip(sides).for_each(|(to, (a, b))| *to = (Lanes(*a) + Lanes(*b)).0);
            }
        }
    }
}

/// Sums of products of the columns of a tile with those of the tiles abreast.
struct Cross<'a> {
    screen: &'a mut PairScreen,
    i: usize,
    from: usize,
    upto: usize,
}

impl WithSimd for Cross<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Cross { screen: s, i, from, upto } = self;
        let (rows, steps, kinds) = (s.rows, s.rows - 1, s.most + 2);
        let own_levels = &s.levels[i * rows..(i + 1) * rows];
        let own_steps = &s.steps[i * steps..(i + 1) * steps];
        for kind in 0..kinds {
            let own = if kind == 0 { own_levels } else { own_steps };
            let other = |j: usize| match kind {
                0 => &s.levels[j * rows..(j + 1) * rows],
                1 => &s.steps[j * steps..(j + 1) * steps],
                _ => &s.around[(j - from) * s.most + kind - 2][..],
            };
            // Below the diagonal there is nothing to know.
            let first = from.max(i);
            if upto - first == 2 {
                let (one, two) = s.cross.split_at_mut(kinds);
                multiply(simd, own, [other(first), other(first + 1)], [&mut one[kind], &mut two[kind]]);
            } else {
                multiply(simd, own, [other(first)], [&mut s.cross[(first - from) * kinds + kind]]);
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Found {
    test: PairTest,
    same: bool,
}

impl Found {
    const EMPTY: Found =
        Found { test: PairTest { y: 0, x: 0, hedge: 0.0, statistic: 0.0, p: 0.0, lags: 0 }, same: false };
}

/// One series with those of a tile, in one direction.
#[derive(Clone, Copy)]
struct Fit {
    hedge: Lanes<TILE>,
    statistic: Lanes<TILE>,
    /// Share of the variance that is not explained.
    left: Lanes<TILE>,
    p: Lanes<TILE>,
    lags: [usize; TILE],
}

impl Fit {
    const EMPTY: Fit = {
        let zeros = Lanes([0.0; TILE]);
        Fit { hedge: zeros, statistic: zeros, left: zeros, p: zeros, lags: [0; TILE] }
    };
}

/// The pairs of two tiles, in both directions.
struct Tile<'a> {
    screen: &'a mut PairScreen,
    i: usize,
    j: usize,
    place: usize,
    found: &'a mut [Found; 2 * TILE * TILE],
}

impl WithSimd for Tile<'_> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        let Tile { screen: s, i, j, place, found } = self;
        let (rows, steps) = (s.rows, s.rows - 1);
        let width = s.squares.len();
        let cross = &s.cross[place * (s.most + 2)..(place + 1) * (s.most + 2)];
        let mut fits = [Fit::EMPTY; 2 * TILE];
        for r in 0..TILE.min(s.n - i * TILE) {
            let one = i * TILE + r;
            for up in [true, false] {
                // Up: the series of tile i is explained by those of tile j; else the other way.
                let lane_squares = Lanes::<TILE>(load(&s.squares[j * TILE..]));
                let mine = Lanes::all(s.squares[one]);
                let g = Lanes(cross[0][r]);
                let (y, x) = if up { (mine, lane_squares) } else { (lane_squares, mine) };
                let mut b = g;
                b.0.iter_mut().zip(x.0).for_each(|(b, x)| *b /= x);
                let work = &mut s.work;
                work.spread.squares = quadratic(b, y, g + g, x);
                for k in 0..=s.most {
                    let c = Lanes(cross[k + 1][r]);
                    let base = k * width;
                    let theirs = Lanes(load(&s.products[base + j * TILE..]));
                    let (yy, xx) = order(up, Lanes::all(s.products[base + one]), theirs);
                    work.spread.products[k] = quadratic(b, yy, if k == 0 { c + c } else { c }, xx);
                    let (mine, theirs) = (&s.levels[i * rows..][..rows], &s.levels[j * rows..][..rows]);
                    work.spread.head[k] = spread(b, up, mine[k][r], theirs[k]);
                    work.spread.tail[k] = spread(b, up, mine[rows - 1 - k][r], theirs[rows - 1 - k]);
                    let (mine, theirs) = (&s.steps[i * steps..][..steps], &s.steps[j * steps..][..steps]);
                    work.spread.head_steps[k] = spread(b, up, mine[k][r], theirs[k]);
                    work.spread.tail_steps[k] = spread(b, up, mine[steps - 1 - k][r], theirs[steps - 1 - k]);
                }
                let (statistic, lags) = match penalty(s.lags, steps - s.most) {
                    None if s.most == 1 => (work.spread.one_lag(steps - 1), [1; TILE]),
                    None => {
                        work.normal.sum(&work.spread, s.most);
                        (work.normal.statistic(s.most, steps - s.most), [s.most; TILE])
                    }
                    Some(penalty) => {
                        work.normal.sum(&work.spread, s.most);
                        let best = work.normal.best(s.most, steps - s.most, penalty);
                        let mut statistic = [0.0; TILE];
                        for (lane, (to, lag)) in statistic.iter_mut().zip(best).enumerate() {
                            work.spread.lane(lane, &mut work.one_spread);
                            work.one.sum(&work.one_spread, lag);
                            *to = work.one.statistic(lag, steps - lag).0[0];
                        }
                        (Lanes(statistic), best)
                    }
                };
                let totals = if up { Lanes::all(s.total[one]) } else { Lanes(load(&s.total[j * TILE..])) };
                let mut left = work.spread.squares;
                left.0.iter_mut().zip(totals.0).for_each(|(l, t)| *l /= t);
                fits[2 * r + usize::from(!up)] = Fit { hedge: b, statistic, left, p: statistic, lags };
            }
        }
        // After each other, because one waits for itself: a polynomial of a high degree.
        for fit in &mut fits {
            fit.p = p_of_two(fit.statistic, s.trend);
        }
        let mut n = 0;
        for (k, fit) in fits.iter().enumerate().take(2 * (s.n - i * TILE)) {
            let (one, up) = (i * TILE + k / 2, k % 2 == 0);
            // A tile on the diagonal has every pair twice.
            let first = if i == j { k / 2 + 1 } else { 0 };
            for lane in first..TILE.min(s.n - j * TILE) {
                let other = j * TILE + lane;
                let (y, x) = if up { (one, other) } else { (other, one) };
                let (statistic, p) = (fit.statistic.0[lane], fit.p.0[lane]);
                let same = !(1.0 - fit.left.0[lane] < SAME && statistic.is_finite());
                let test = PairTest { y, x, hedge: fit.hedge.0[lane], statistic, p, lags: fit.lags[lane] };
                found[n] = Found { test, same };
                n += 1;
            }
        }
        n
    }
}

/// `yy − 2 b xy + b² xx`.
#[inline(always)]
fn quadratic(b: Lanes<TILE>, yy: Lanes<TILE>, twice: Lanes<TILE>, xx: Lanes<TILE>) -> Lanes<TILE> {
    yy - b * (twice - b * xx)
}

/// The explained one first.
#[inline(always)]
fn order(up: bool, mine: Lanes<TILE>, theirs: Lanes<TILE>) -> (Lanes<TILE>, Lanes<TILE>) {
    if up { (mine, theirs) } else { (theirs, mine) }
}

/// `y − b x` of a row.
#[inline(always)]
fn spread(b: Lanes<TILE>, up: bool, mine: f64, theirs: Row) -> Lanes<TILE> {
    let (y, x) = order(up, Lanes::all(mine), Lanes(theirs));
    y - b * x
}

#[inline(always)]
fn load(x: &[f64]) -> Row {
    x.first_chunk::<TILE>().copied().unwrap_or_default()
}

/// Sums of products of every column of `a` with every column of the others; each sum runs down the rows.
#[inline(always)]
fn multiply<S: Simd, const N: usize>(simd: S, a: &[Row], others: [&[Row]; N], out: [&mut [Row; TILE]; N]) {
    match S::F64_LANES {
        8 => multiply_rows::<S, N, 8>(simd, a, others, out),
        _ => multiply_rows::<S, N, 4>(simd, a, others, out),
    }
}

/// `ROWS` columns of `a` with a vector of each other tile at a time: as many sums as registers hold.
#[inline(always)]
fn multiply_rows<S: Simd, const N: usize, const ROWS: usize>(
    simd: S,
    a: &[Row],
    others: [&[Row]; N],
    mut out: [&mut [Row; TILE]; N],
) {
    let lanes = S::F64_LANES;
    let others = others.map(|o| &o[..a.len()]);
    for first in (0..TILE).step_by(ROWS) {
        for lane in (0..TILE).step_by(lanes) {
            let mut sums = [[simd.splat_f64s(0.0); N]; ROWS];
            for (t, a) in a.iter().enumerate() {
                let mut columns = [simd.splat_f64s(0.0); N];
                for (column, other) in columns.iter_mut().zip(others) {
                    *column = S::as_simd_f64s(&other[t][lane..lane + lanes]).0[0];
                }
                for (row, x) in sums.iter_mut().zip(&a[first..first + ROWS]) {
                    let x = simd.splat_f64s(*x);
                    for (sum, column) in row.iter_mut().zip(columns) {
                        *sum = simd.add_f64s(*sum, simd.mul_f64s(x, column));
                    }
                }
            }
            for (r, row) in sums.iter().enumerate() {
                for (out, sum) in out.iter_mut().zip(row) {
                    S::as_mut_simd_f64s(&mut out[first + r][lane..lane + lanes]).0[0] = *sum;
                }
            }
        }
    }
}

/// [`p_value`](super::p_value) for two series.
#[inline(always)]
fn p_of_two(statistic: Lanes<TILE>, trend: Trend) -> Lanes<TILE> {
    let surface = &SURFACES[trend as usize][1];
    let mut p = statistic;
    for x in &mut p.0 {
        *x = surface.score(*x);
    }
    for x in &mut p.0 {
        *x = vmath::normal_cdf(*x);
    }
    for (p, t) in p.0.iter_mut().zip(statistic.0) {
        *p = if t > surface.most { 1.0 } else { *p };
        *p = if t < surface.least { 0.0 } else { *p };
    }
    p
}
