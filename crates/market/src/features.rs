//! Features: columns that depend on the market alone. An agent names a `FeatureSpec`; equal specs are one column.
//! The formulas live in `quant`; here they are bound to a feed and computed for a block of slices in one pass.

mod indicator;
mod kernels;

pub use indicator::{IndicatorError, IndicatorSpec};
pub(crate) use kernels::{Kernels, Rows, chunk_widths};

use tradegraph_domain::FeedId;
use tradegraph_quant::indicators::{
    Atr, AverageVolume, Bollinger, Correlation, Inputs, Kernel as Formula, Macd, Momentum, RealisedVol, RollingHigh,
    RollingLow, Rsi, Scale, Seed, Sma, ZScore,
};

/// Lines of a kernel at most.
const MOST_LINES: usize = 8;

/// What a feature computes from the bars of its feed. Prices and volumes are those of the row's own units: corporate
/// actions of the past are taken out, those of the future are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeatureKind {
    /// The close itself, as it was traded.
    Close,
    /// Exponential moving average of the close over `n` bars.
    Ema {
        /// Bars.
        n: u16,
        /// Start value.
        seed: EmaSeed,
    },
    /// Simple moving average of the close over `n` bars.
    Sma {
        /// Bars.
        n: u16,
    },
    /// Relative strength index over `n` bars, on [0, 100].
    Rsi {
        /// Bars.
        n: u16,
    },
    /// A line of the moving average convergence/divergence.
    Macd {
        /// Bars of the fast average.
        fast: u16,
        /// Bars of the slow average.
        slow: u16,
        /// Bars of the signal line.
        signal: u16,
        /// Start value of all three averages.
        seed: EmaSeed,
        /// Which line.
        line: MacdLine,
    },
    /// A line of the Bollinger bands: mean and population deviation of the last `n` closes.
    Bollinger {
        /// Bars.
        n: u16,
        /// Distance of the outer bands in hundredths of a deviation: 200 is two.
        width_pct: u16,
        /// Which line.
        line: Band,
    },
    /// Deviations by which the close is away from the mean of the last `n`.
    ZScore {
        /// Bars.
        n: u16,
    },
    /// Wilder's average true range over `n` bars. `NotApplicable` for series of closes.
    Atr {
        /// Bars.
        n: u16,
    },
    /// The highest of the last `n` highs. `NotApplicable` for series of closes.
    RollingHigh {
        /// Bars.
        n: u16,
    },
    /// The lowest of the last `n` lows. `NotApplicable` for series of closes.
    RollingLow {
        /// Bars.
        n: u16,
    },
    /// The close `skip` bars ago over the close `n` bars ago, less 1: "12-1" of daily bars is 252 and 21.
    Momentum {
        /// Bars to the base.
        n: u16,
        /// Latest bars that are left out, fewer than `n`.
        skip: u16,
    },
    /// Standard deviation of the last `n` log returns, per bar.
    RealisedVol {
        /// Bars.
        n: u16,
    },
    /// Mean of the last `n` volumes. `NotApplicable` for series without volume.
    AverageVolume {
        /// Bars.
        n: u16,
    },
    /// Correlation of the last `n` log returns with those of the market: in every row the mean, with equal weights, of
    /// the log returns of all instruments that have a bar in it and one before.
    MarketCorrelation {
        /// Bars.
        n: u16,
    },
    /// A line of any indicator that has a name in the registry of `quant`. Of a measure of two series the first is the
    /// instrument's log return and the second the market's.
    Indicator(IndicatorSpec),
}

/// Start value of an exponential average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EmaSeed {
    /// The mean of the first n closes (TA-Lib's).
    Sma,
    /// The first close.
    First,
}

/// Lines of a MACD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MacdLine {
    /// Fast average less slow average.
    Macd = 0,
    /// Average of the MACD line.
    Signal = 1,
    /// MACD line less signal line.
    Histogram = 2,
}

/// Lines of Bollinger bands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// Mean plus the deviations.
    Upper = 0,
    /// Mean.
    Middle = 1,
    /// Mean less the deviations.
    Lower = 2,
}

/// A feature of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeatureSpec {
    /// What it computes.
    pub kind: FeatureKind,
    /// From which bars.
    pub feed: FeedId,
}

/// Handle of a feature's column in a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeatureId(pub(crate) u16);

impl FeatureKind {
    /// The kind that stands for all lines of its kernel.
    fn family(self) -> FeatureKind {
        match self {
            FeatureKind::Macd { fast, slow, signal, seed, .. } => {
                FeatureKind::Macd { fast, slow, signal, seed, line: MacdLine::Macd }
            }
            FeatureKind::Bollinger { n, width_pct, .. } => FeatureKind::Bollinger { n, width_pct, line: Band::Upper },
            FeatureKind::Indicator(spec) => FeatureKind::Indicator(spec.first_line()),
            other => other,
        }
    }

    /// Which line of its kernel it is.
    fn line(self) -> usize {
        match self {
            FeatureKind::Macd { line, .. } => line as usize,
            FeatureKind::Bollinger { line, .. } => line as usize,
            FeatureKind::Indicator(spec) => spec.line(),
            _ => 0,
        }
    }

    /// How its values follow the units of prices and volumes.
    pub(crate) fn scale(self) -> Scale {
        match self {
            FeatureKind::Ema { .. }
            | FeatureKind::Sma { .. }
            | FeatureKind::Macd { .. }
            | FeatureKind::Bollinger { .. }
            | FeatureKind::Atr { .. }
            | FeatureKind::RollingHigh { .. }
            | FeatureKind::RollingLow { .. } => Scale::PRICE,
            FeatureKind::AverageVolume { .. } => Scale::VOLUME,
            FeatureKind::Indicator(spec) => spec.indicator().lines[spec.line()].scale,
            // The close is not adjusted in the first place.
            FeatureKind::Close
            | FeatureKind::Rsi { .. }
            | FeatureKind::ZScore { .. }
            | FeatureKind::Momentum { .. }
            | FeatureKind::RealisedVol { .. }
            | FeatureKind::MarketCorrelation { .. } => Scale::FREE,
        }
    }

    /// The kernel for `w` instruments; none for what needs none or shares a bank.
    fn kernel(self, w: usize) -> Option<Box<dyn Formula>> {
        let n = usize::from;
        Some(match self {
            FeatureKind::Close | FeatureKind::Ema { .. } => return None,
            FeatureKind::Sma { n: bars } => Box::new(Sma::columns(w, n(bars))),
            FeatureKind::Rsi { n: bars } => Box::new(Rsi::new(w, n(bars))),
            FeatureKind::Macd { fast, slow, signal, seed, .. } => {
                Box::new(Macd::new(w, n(fast), n(slow), n(signal), seed.into()))
            }
            FeatureKind::Bollinger { n: bars, width_pct, .. } => {
                Box::new(Bollinger::columns(w, n(bars), f64::from(width_pct) / 100.0))
            }
            FeatureKind::ZScore { n: bars } => Box::new(ZScore::columns(w, n(bars))),
            FeatureKind::Atr { n: bars } => Box::new(Atr::columns(w, n(bars))),
            FeatureKind::RollingHigh { n: bars } => Box::new(RollingHigh::columns(w, n(bars))),
            FeatureKind::RollingLow { n: bars } => Box::new(RollingLow::columns(w, n(bars))),
            FeatureKind::Momentum { n: bars, skip } => Box::new(Momentum::columns(w, n(bars), n(skip))),
            FeatureKind::RealisedVol { n: bars } => Box::new(RealisedVol::columns(w, n(bars))),
            FeatureKind::AverageVolume { n: bars } => Box::new(AverageVolume::columns(w, n(bars))),
            FeatureKind::Indicator(spec) => (spec.indicator().kernel)(w, &spec.parameters()),
            FeatureKind::MarketCorrelation { n: bars } => Box::new(Correlation::columns(w, n(bars))),
        })
    }

    /// What it reads. The second series is the market's return, and the close beside it the instrument's.
    pub(crate) fn inputs(self) -> Inputs {
        self.kernel(0).map_or(Inputs::CLOSE, |k| k.inputs())
    }
}

impl From<EmaSeed> for Seed {
    fn from(seed: EmaSeed) -> Seed {
        match seed {
            EmaSeed::Sma => Seed::Sma,
            EmaSeed::First => Seed::First,
        }
    }
}
