//! Mean reversion.
//!
//! **What it trades**: instruments that have gone far from their recent mean, against the move: below it long, above it
//! short (where the mandate allows it).
//!
//! **Why it should pay**: who trades at once pays who waits. Short-horizon returns of single stocks reverse (Lehmann
//! 1990; Jegadeesh 1990), partly since prices lead and lag each other (Lo and MacKinlay 1990), partly as the price of
//! liquidity (Nagel 2012); spreads from a fair value revert more reliably than plain prices (Avellaneda and Lee 2010).
//!
//! **Inputs**: closes of one feed, through a z-score, the return and the volatility of a longer window; highs and lows,
//! through the Fibonacci extensions of the last leg. A series without highs and lows, or without a complete leg yet, has
//! no extension exits; mean and time remain.
//!
//! **Formula and source**: z = (close − m) / σ over `window` closes; the Bollinger bands are m ± width × σ (Bollinger
//! 2001), so the close is outside of them where |z| ≥ width. Per instrument one opinion side ∈ {−1, 0, 1}, of its own
//! and never of the account: it begins at z ≤ −width (long) or z ≥ width (short) and ends
//! (a) at the mean, side × z ≥ −`exit` (Avellaneda and Lee leave between 0.5 and 0.75 of their score);
//! (b) where the close reaches the `extension` of the last leg beyond its end or its start: with the opinion the move
//! is done, against it the reversion has failed (levels of the Fibonacci page, as of each bar, so splits move them);
//! (c) after `hold` bars of the feed. After (b) and (c) it rests until (a) would have ended it. No opinion begins beyond
//! an extension. While it holds: bollinger = 0.5 × side; zscore = 0.5 × min(1, |z| / width) × side; trend = −(bollinger +
//! zscore) × min(1, max(0, −side × T) / 2) where T is the return over `trend` bars in deviations of such a return,
//! r / (σ_bar √trend): what is faded counts less the more the long drift goes on with it, and nothing at two deviations.
//! The value is the sum of the three in this order, hence on [−1, 1]; without an opinion it is 0. Confidence is
//! |sum| / Σ|factor|. The drift correction follows the thought of Avellaneda and Lee (2010, section 4.3), who find it of
//! little effect; its shape is ours, and Zhu and Yung (2016) find reversal strongest among past losers. `trend = "off"`
//! leaves it out.
//!
//! **Parameters (unit, default, range)**: `window` (bars, 20, 5–500), `width` (deviations, 2, 0.5–5), `exit`
//! (deviations, 0, 0–4, below `width`), `hold` (bars, 20, 1–1000), `trend` (bars, 100, 10–1000, or off), `extension`
//! (of the leg, 161.8 %, one of 127.2, 141.4, 161.8 and 261.8 %, or off), `swing` (average true ranges of 14 bars that a
//! price must come back to end a leg, 3, 0.5–20).
//!
//! **Fails when**: the move is news and goes on, volatility rises while it holds (2008, 2020), and when costs exceed a
//! reversal of a few per cent: it trades often.

use crate::Agent;
use crate::parts::{SWING, TILE, ZEROS, agreement, at_least, at_most, none, swing_features, whole};
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_columns::{ColRef, Status, wide};
use tradegraph_domain::{AgentId, FeedId, ModelVersion, SignalColumn};
use tradegraph_market::{Bindings, FeatureId, FeatureKind, FeatureSpec, View};

/// Parameters; `_pct` are hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeanReversionParameters {
    /// Bars of the mean and its bands.
    pub window: u16,
    /// Deviations at which an opinion begins.
    pub width_pct: u16,
    /// Deviations from the mean at which it ends.
    pub exit_pct: u16,
    /// Bars that it lasts at most.
    pub hold: u16,
    /// Bars of the drift that is not faded; 0 for none.
    pub trend: u16,
    /// Thousandths of the last leg at which it ends: 1272, 1414, 1618 or 2618; 0 for no such exit.
    pub extension_pm: u16,
    /// Hundredths of an average true range that end a leg.
    pub swing_pct: u16,
}

impl Default for MeanReversionParameters {
    fn default() -> Self {
        MeanReversionParameters {
            window: 20,
            width_pct: 200,
            exit_pct: 0,
            hold: 20,
            trend: 100,
            extension_pm: 1618,
            swing_pct: 300,
        }
    }
}

/// Thousandths of a leg that its extensions are.
const EXTENSIONS: [u16; 4] = [1272, 1414, 1618, 2618];

impl MeanReversionParameters {
    /// Says which parameter is out of its range.
    ///
    /// # Errors
    /// The parameter's name and its range.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let within = |n: u16, low: u16, high: u16| (low..=high).contains(&n);
        let extension = self.extension_pm == 0 || EXTENSIONS.contains(&self.extension_pm);
        match () {
            () if !within(self.window, 5, 500) => Err(("window", "5 to 500 bars")),
            () if !within(self.width_pct, 50, 500) => Err(("width", "0.5 to 5 deviations")),
            () if !within(self.exit_pct, 0, 400) => Err(("exit", "0 to 4 deviations")),
            () if self.exit_pct >= self.width_pct => Err(("exit", "below `width`")),
            () if !within(self.hold, 1, 1_000) => Err(("hold", "1 to 1000 bars")),
            () if self.trend != 0 && !within(self.trend, 10, 1_000) => Err(("trend", "10 to 1000 bars, or off")),
            () if !extension => Err(("extension", "127.2%, 141.4%, 161.8% or 261.8%, or off")),
            () if !SWING.contains(&self.swing_pct) => Err(("swing", "0.5 to 20")),
            () => Ok(()),
        }
    }
}

/// The opinion about one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Opinion {
    /// 1 long, −1 short; 2 and −2 for one that ended away from the mean and rests; 0 for none.
    side: f64,
    /// Known rows of the feed when it began.
    since: f64,
}

/// Where and when opinions begin and end.
#[derive(Clone, Copy, Debug)]
struct Turns {
    width: f64,
    exit: f64,
    hold: f64,
}

impl Turns {
    /// The opinion after a bar: `left` is true where the close is beyond an extension, `row` counts bars.
    #[inline(always)]
    fn next(&self, Opinion { side, since }: Opinion, z: f64, left: bool, row: f64) -> Opinion {
        let sign = if side < 0.0 { -1.0 } else { side };
        let sign = if side > 0.0 { 1.0 } else { sign };
        let side = if sign * z >= -self.exit { 0.0 } else { side };
        let rests = (side.abs() == 1.0) & (left | (row - since >= self.hold));
        let side = if rests { 2.0 * side } else { side };
        let begins = (side == 0.0) & !left & (z.abs() >= self.width);
        let begun = if z < 0.0 { 1.0 } else { -1.0 };
        Opinion { side: if begins { begun } else { side }, since: if begins { row } else { since } }
    }
}

/// What all instruments have in common at a decision.
#[derive(Clone, Copy, Debug)]
struct Rules {
    turns: Turns,
    /// Multiple of the last leg at which an opinion ends; none without a leg.
    extension: Option<f64>,
    /// √ of the bars of the drift.
    root: f64,
    /// Known rows of the feed.
    row: f64,
}

impl Rules {
    /// The opinion after a bar, its factors and its confidence; z-score and close, drift and volatility of the long window (0
    /// where it is not looked at), start and end of the last leg.
    #[inline(always)]
    fn next(&self, opinion: Opinion, cells: [f64; 6]) -> (Opinion, [f64; 3], f64) {
        let [z, close, drift, vol, from, to] = cells;
        let left = match self.extension {
            Some(extension) => {
                let [low, high] = extensions(extension, from, to);
                (close <= low) | (close >= high)
            }
            None => false,
        };
        let opinion = self.turns.next(opinion, z, left, self.row);
        let factors = factors(opinion.side, z, self.turns.width, deviations(drift, vol, self.root));
        let confidence = agreement(&factors);
        let is_held = opinion.side.abs() == 1.0;
        (opinion, factors.map(|f| if is_held { f } else { 0.0 }), if is_held { confidence } else { 0.0 })
    }
}

/// The extensions of a leg beyond its two ends, the lower one first.
#[inline(always)]
fn extensions(multiple: f64, from: f64, to: f64) -> [f64; 2] {
    let reach = multiple * (to - from);
    let (on, beyond) = (from + reach, to - reach);
    [if on < beyond { on } else { beyond }, if on < beyond { beyond } else { on }]
}

/// How many deviations the drift of a long window is; `root` is that of its bars.
#[inline(always)]
fn deviations(drift: f64, vol: f64, root: f64) -> f64 {
    drift / at_least(vol * root, f64::MIN_POSITIVE)
}

/// The mean-reversion agent.
#[derive(Clone, Debug)]
pub struct MeanReversion {
    id: AgentId,
    feed: FeedId,
    parameters: MeanReversionParameters,
    turns: Turns,
    needs: Vec<FeatureSpec>,
    /// Z-score and close.
    columns: Option<[FeatureId; 2]>,
    /// Return and volatility of the long window.
    trend: Option<[FeatureId; 2]>,
    /// Start and end of the last leg.
    levels: Option<[FeatureId; 2]>,
    /// Sides of the opinions, and since when.
    sides: Vec<f64>,
    since: Vec<f64>,
}

impl MeanReversion {
    /// The agent over one feed.
    #[must_use]
    pub fn new(id: AgentId, feed: FeedId, n_instruments: usize, parameters: MeanReversionParameters) -> Self {
        let p = parameters;
        let mut kinds = vec![FeatureKind::ZScore { n: p.window }, FeatureKind::Close];
        if p.trend > 0 {
            kinds.extend([FeatureKind::Momentum { n: p.trend, skip: 0 }, FeatureKind::RealisedVol { n: p.trend }]);
        }
        let mut needs: Vec<FeatureSpec> = kinds.into_iter().map(|kind| FeatureSpec { kind, feed }).collect();
        if p.extension_pm > 0 {
            needs.extend(swing_features(feed, p.swing_pct, &["from", "to"]));
        }
        MeanReversion {
            id,
            feed,
            parameters,
            turns: Turns {
                width: f64::from(p.width_pct) / 100.0,
                exit: f64::from(p.exit_pct) / 100.0,
                hold: f64::from(p.hold),
            },
            needs,
            columns: None,
            trend: None,
            levels: None,
            sides: vec![0.0; n_instruments],
            since: vec![0.0; n_instruments],
        }
    }

    /// The multiple of a leg that its extension is.
    fn extension(&self) -> f64 {
        f64::from(self.parameters.extension_pm) / 1_000.0
    }

    /// √ of the bars of the drift.
    fn root(&self) -> f64 {
        f64::from(self.parameters.trend).sqrt()
    }

    /// Places of the long window and of the leg among `needs`.
    fn places(&self) -> [usize; 2] {
        [2, if self.parameters.trend > 0 { 4 } else { 2 }]
    }

    /// The opinion about one instrument, or why there is none.
    fn decide_cell(
        &mut self,
        rules: Rules,
        [z, close]: [ColRef<'_, f64>; 2],
        trend: Option<[ColRef<'_, f64>; 2]>,
        levels: Option<[ColRef<'_, f64>; 2]>,
        i: usize,
        out: &mut SignalColumn<'_>,
    ) {
        let drift = |i| trend.map_or(Ok((0.0, 0.0)), |[drift, vol]| Ok((drift.get(i)?, vol.get(i)?)));
        let (z, close, (drift, vol)) = match (|| Ok((z.get(i)?, close.get(i)?, drift(i)?)))() {
            Ok(cells) => cells,
            Err(why) => return out.set_none(i, why),
        };
        let (rules, [from, to]) = match levels.map(|[from, to]| (from.get(i), to.get(i))) {
            Some((Ok(from), Ok(to))) => (rules, [from, to]),
            _ => (Rules { extension: None, ..rules }, [0.0; 2]),
        };
        let (Some(side), Some(since)) = (self.sides.get_mut(i), self.since.get_mut(i)) else { return };
        let (opinion, factors, confidence) =
            rules.next(Opinion { side: *side, since: *since }, [z, close, drift, vol, from, to]);
        (*side, *since) = (opinion.side, opinion.since);
        out.set(i, &factors, confidence);
    }

    /// Opinions of instruments that have all features, and a leg or none of them. False, and nothing done, if the column has
    /// other factors.
    fn decide_tile(
        &mut self,
        rules: Rules,
        cells: [&[f64]; 6],
        from: usize,
        to: usize,
        out: &mut SignalColumn<'_>,
    ) -> bool {
        let n = out.len();
        let (factors, confidence, status) = out.parts();
        let mut rows = factors.chunks_exact_mut(n).filter_map(|row| row.get_mut(from..to));
        let (Some(bollinger), Some(z_score), Some(trend), None) = (rows.next(), rows.next(), rows.next(), rows.next())
        else {
            return false;
        };
        let (Some(confidence), Some(status)) = (confidence.get_mut(from..to), status.get_mut(from..to)) else {
            return false;
        };
        let (Some(sides), Some(since)) = (self.sides.get_mut(from..to), self.since.get_mut(from..to)) else {
            return false;
        };
        let [z, close, drift, vol, start, end] = cells;
        next_row(rules, z, close, drift, vol, start, end, sides, since, bollinger, z_score, trend, confidence);
        status.fill(Status::Ok);
        true
    }
}

wide! {
    /// [`Rules::next`] for a column of instruments.
    fn next_row<'a>(
        rules: Rules,
        z: &'a [f64],
        close: &'a [f64],
        drift: &'a [f64],
        vol: &'a [f64],
        from: &'a [f64],
        to: &'a [f64],
        sides: &'a mut [f64],
        since: &'a mut [f64],
        bollinger: &'a mut [f64],
        z_score: &'a mut [f64],
        trend: &'a mut [f64],
        confidence: &'a mut [f64],
    ) {
        let cells = z.iter().zip(close).zip(drift.iter().zip(vol)).zip(from.iter().zip(to));
        let out = bollinger.iter_mut().zip(z_score).zip(trend.iter_mut().zip(confidence));
        let state = sides.iter_mut().zip(since);
        for (((((z, close), (drift, vol)), (from, to)), (side, since)), ((bollinger, z_score), (trend, confidence))) in
            cells.zip(state).zip(out)
        {
            let cells = [*z, *close, *drift, *vol, *from, *to];
            let (opinion, factors, sure) = rules.next(Opinion { side: *side, since: *since }, cells);
            (*side, *since) = (opinion.side, opinion.since);
            [*bollinger, *z_score, *trend] = factors;
            *confidence = sure;
        }
    }
}

/// What an opinion of `side` says at `z`, with a drift of `t` deviations.
#[inline(always)]
fn factors(side: f64, z: f64, width: f64, t: f64) -> [f64; 3] {
    let bollinger = 0.5 * side;
    let z_score = 0.5 * at_most(z.abs() / width, 1.0) * side;
    let against = at_most(at_least(-side * t, 0.0) / 2.0, 1.0);
    [bollinger, z_score, -(bollinger + z_score) * against]
}

impl Agent for MeanReversion {
    fn id(&self) -> AgentId {
        self.id
    }

    fn version(&self) -> ModelVersion {
        ModelVersion(1)
    }

    fn needs(&self) -> &[FeatureSpec] {
        &self.needs
    }

    fn factors(&self) -> &[&'static str] {
        &["bollinger reversion", "z-score", "trend"]
    }

    fn bind(&mut self, bindings: &Bindings) {
        let [trend, levels] = self.places();
        let find = |at: usize| self.needs.get(at).and_then(|spec| bindings.find(spec));
        let pair = |at: usize| find(at).zip(find(at + 1)).map(<[FeatureId; 2]>::from);
        let bound = [pair(0), if trend < levels { pair(trend) } else { None }, pair(levels)];
        [self.columns, self.trend, self.levels] = bound;
    }

    fn decide(&mut self, view: &View<'_>, out: &mut SignalColumn<'_>) {
        let (Some(columns), true) = (self.columns, self.trend.is_some() == (self.parameters.trend > 0)) else {
            return out.clear(Status::NoData);
        };
        let column = |ids: [FeatureId; 2]| ids.map(|id| view.feature(id));
        let (cells, trend, levels) = (column(columns), self.trend.map(column), self.levels.map(column));
        let row = u32::try_from(view.known(self.feed)).unwrap_or(u32::MAX);
        let rules =
            Rules { turns: self.turns, extension: Some(self.extension()), root: self.root(), row: f64::from(row) };
        let n = out.len();
        for from in (0..n).step_by(TILE) {
            let to = n.min(from + TILE);
            let trends = trend.map_or(Some([ZEROS; 2]), |trend| whole(trend, from, to));
            let legs = match levels.and_then(|levels| whole(levels, from, to)) {
                Some(legs) => Some((rules, legs)),
                None => none(levels, from, to).then_some((Rules { extension: None, ..rules }, [ZEROS; 2])),
            };
            let is_done = match (whole(cells, from, to), trends, legs) {
                (Some([z, close]), Some([drift, vol]), Some((rules, [start, end]))) => {
                    self.decide_tile(rules, [z, close, drift, vol, start, end], from, to, out)
                }
                _ => false,
            };
            if !is_done {
                (from..to).for_each(|i| self.decide_cell(rules, cells, trend, levels, i, out));
            }
        }
    }

    fn explain(&self, factor: usize, data: &[Option<f64>]) -> String {
        let p = self.parameters;
        let cell = |at: usize| data.get(at).copied().flatten();
        let show = |at: usize| cell(at).map_or("?".into(), |v| format!("{v:.4}"));
        let [trend, levels] = self.places();
        match factor {
            0 => {
                let ends = match (p.extension_pm, cell(levels), cell(levels + 1)) {
                    (0, ..) => String::new(),
                    (pm, Some(from), Some(to)) => {
                        let [low, high] = extensions(self.extension(), from, to);
                        let per_cent = f64::from(pm) / 10.0;
                        format!(", at {low:.4} or {high:.4} ({per_cent} % of the last leg)")
                    }
                    _ => ", at no extension (the series has no highs and lows, or no complete leg yet)".into(),
                };
                format!(
                    "the close {} went outside its {}-bar Bollinger bands of {} deviations and is not back; it is left at \
                     the mean{ends}, or after {} bars",
                    show(1),
                    p.window,
                    self.turns.width,
                    p.hold
                )
            }
            1 => format!("the close is {} deviations from its mean of {} bars", show(0), p.window),
            _ if p.trend == 0 => "the long drift is not looked at".into(),
            _ => match cell(trend).zip(cell(trend + 1)) {
                Some((drift, vol)) => format!(
                    "the return over {} bars is {:.2} %, {:.2} deviations: a move that goes with the drift is faded less",
                    p.trend,
                    100.0 * drift,
                    deviations(drift, vol, self.root())
                ),
                None => format!("the return over {} bars is not known", p.trend),
            },
        }
    }

    fn save(&self, to: &mut Encoder) {
        to.len(self.sides.len());
        for (side, since) in self.sides.iter().zip(&self.since) {
            to.u8((*side as i8).to_le_bytes()[0]);
            to.u32(*since as u32);
        }
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let found = from.len("opinions of mean reversion")?;
        if found != self.sides.len() {
            let (found, expected) = (found as u64, self.sides.len() as u64);
            return Err(DecodeError::Mismatch { what: "opinions of mean reversion", found, expected });
        }
        for (at, (to, since)) in self.sides.iter_mut().zip(&mut self.since).enumerate() {
            let byte = from.u8("side of an opinion")?;
            let side = i8::from_le_bytes([byte]);
            if !(-2..=2).contains(&side) {
                return Err(DecodeError::Invalid { what: "side of an opinion", at, found: u64::from(byte) });
            }
            *to = f64::from(side);
            *since = f64::from(from.u32("start of an opinion")?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_checked_and_named() {
        let p = MeanReversionParameters::default();
        assert_eq!(p.check(), Ok(()));
        assert_eq!(MeanReversionParameters { exit_pct: 200, ..p }.check(), Err(("exit", "below `width`")));
        assert_eq!(MeanReversionParameters { extension_pm: 1300, ..p }.check().unwrap_err().0, "extension");
        assert_eq!(MeanReversionParameters { trend: 0, extension_pm: 0, ..p }.check(), Ok(()));
        assert_eq!(MeanReversionParameters { trend: 9, ..p }.check().unwrap_err().0, "trend");
    }

    /// Sides after each bar, worked by hand: width 2, exit at the mean, three bars at most.
    #[test]
    fn opinions_begin_and_end_as_said() {
        let turns = Turns { width: 2.0, exit: 0.0, hold: 3.0 };
        let check = |zs: &[f64], left: &[usize], expected: &[i8]| {
            let mut o = Opinion::default();
            let sides: Vec<i8> = (zs.iter().enumerate())
                .map(|(k, z)| {
                    o = turns.next(o, *z, left.contains(&k), k as f64);
                    o.side as i8
                })
                .collect();
            assert_eq!(sides, expected, "{zs:?}");
        };
        check(&[-1.9, -2.0, -1.0, 0.0, 1.0], &[], &[0, 1, 1, 0, 0]);
        // From one band through the mean to the other in one bar.
        check(&[2.1, -2.2, 0.1], &[], &[-1, 1, 0]);
        // Three bars at most; then it rests until the mean, whatever the bands say.
        check(&[-2.5, -2.5, -2.5, -2.5, -2.5, 0.3, -2.0], &[], &[1, 1, 1, 2, 2, 0, 1]);
        // An extension ends it, and lets none begin.
        check(&[-2.5, -1.0, -2.5, 0.1], &[1], &[1, 2, 2, 0]);
        check(&[-2.5, -2.5, -1.0], &[0], &[0, 1, 1]);
        // A short that rests does not keep a long away.
        check(&[2.5, 2.5, -2.5], &[1], &[-1, -2, 1]);
    }

    /// Half a deviation before the mean.
    #[test]
    fn an_opinion_may_end_before_the_mean() {
        let turns = Turns { width: 1.25, exit: 0.5, hold: 50.0 };
        let o = turns.next(Opinion::default(), 1.3, false, 1.0);
        assert_eq!(
            [o, turns.next(o, 0.51, false, 2.0), turns.next(o, 0.5, false, 2.0)].map(|o| o.side as i8),
            [-1, -1, 0]
        );
    }

    #[test]
    fn factors_worked_by_hand() {
        let check = |actual: [f64; 3], expected: [f64; 3]| {
            assert!(actual.iter().zip(expected).all(|(a, e)| (a - e).abs() < 1e-15), "{actual:?}");
        };
        check(factors(1.0, -1.0, 2.0, 0.0), [0.5, 0.25, 0.0]);
        check(factors(-1.0, 3.0, 2.0, -1.0), [-0.5, -0.5, 0.0]);
        // The drift goes on with what is faded, by one deviation, and by three.
        check(factors(1.0, -1.0, 2.0, -1.0), [0.5, 0.25, -0.375]);
        check(factors(-1.0, 3.0, 2.0, 3.0), [-0.5, -0.5, 1.0]);
    }

    proptest! {
        /// A column and each of its cells have the same bits over several bars, whatever is left over by vectors.
        #[test]
        fn columns_equal_cells(
            bars in prop::collection::vec(
                prop::collection::vec(
                    [-4.0_f64..4.0, 1.0_f64..9.0, -0.5_f64..0.5, 0.0_f64..0.1, 1.0_f64..9.0, 1.0_f64..9.0],
                    21,
                ),
                1..12,
            ),
            has_leg in prop::bool::ANY,
        ) {
            let turns = Turns { width: 1.5, exit: 0.25, hold: 3.0 };
            let (mut sides, mut since, mut opinions) = (vec![0.0; 21], vec![0.0; 21], [Opinion::default(); 21]);
            for (t, bar) in (1..).zip(&bars) {
                let rules = Rules { turns, extension: has_leg.then_some(1.272), root: 10.0, row: f64::from(t) };
                let column = |at: usize| bar.iter().map(|c| c[at]).collect::<Vec<f64>>();
                let mut out = vec![vec![7.0; 21]; 4];
                let [a, b, c, confidence] = &mut out[..] else { unreachable!() };
                next_row(
                    rules, &column(0), &column(1), &column(2), &column(3), &column(4), &column(5), &mut sides, &mut since,
                    a, b, c, confidence,
                );
                for (i, cells) in bar.iter().enumerate() {
                    let (opinion, factors, sure) = rules.next(opinions[i], *cells);
                    opinions[i] = opinion;
                    prop_assert_eq!([sides[i], since[i]].map(f64::to_bits), [opinion.side, opinion.since].map(f64::to_bits));
                    prop_assert_eq!([out[0][i], out[1][i], out[2][i]].map(f64::to_bits), factors.map(f64::to_bits));
                    prop_assert_eq!(out[3][i].to_bits(), sure.to_bits());
                }
            }
        }

        /// Whatever came before, two opinions agree from the first crossing of the mean on.
        #[test]
        fn the_mean_makes_it_forget(
            zs in prop::collection::vec((-3.0_f64..3.0, prop::bool::weighted(0.1)), 1..60),
            (a, b) in (-2_i8..3, -2_i8..3),
            hold in 1_u32..9,
        ) {
            let turns = Turns { width: 1.5, exit: 0.25, hold: f64::from(hold) };
            let (mut a, mut b) = (Opinion { side: f64::from(a), since: 0.0 }, Opinion { side: f64::from(b), since: 1.0 });
            let (mut below, mut above) = (false, false);
            for (k, (z, left)) in (2..).zip(zs) {
                a = turns.next(a, z, left, f64::from(k));
                b = turns.next(b, z, left, f64::from(k));
                below |= z <= 0.25;
                above |= z >= -0.25;
                if below && above {
                    prop_assert_eq!(a.side as i8, b.side as i8);
                }
            }
        }
    }
}
