//! The indicators by name: what a user may ask for, with parameters, lines and units. One line each.

use super::candles::{many, one, three, two};
use super::form::series_of;
use super::{
    AccelerationBands, Accumulation, Adx, Adxr, Aroon, Atr, AverageDeviation, AverageVolume, Awesome, BalanceOfPower,
    Bars, Beta, Bollinger, Candle, Cci, ChaikinMoneyFlow, ChaikinOscillator, ChaikinVolatility, Cmo, Coppock,
    Correlation, CycleAverage, Dema, Deviation, Directional, Donchian, Dpo, EfficiencyRatio, ElderRay, Ema, ForceIndex,
    HeikinAshi, HilbertPeriod, HilbertPhase, HilbertPhasor, HilbertSine, HilbertTrendMode, HilbertTrendline, Hma,
    Hurst, Ichimoku, IntradayMomentum, Kama, Kdj, Keltner, Kernel, LinearRegression, Macd, Mama, MassIndex, Midpoint,
    Momentum, MoneyFlowIndex, Natr, OnBalanceVolume, Pace, ParabolicSar, ParabolicSarExtended, PercentRank, Pivots,
    Ppo, PriceVolumeTrend, Prices, Pvo, QStick, RateOfChange, RealisedVol, RelativeVigor, RelativeVolume, Rma,
    RollingHigh, RollingLow, Rsi, Seed, Sma, Stochastic, StochasticFast, StochasticMomentum, StochasticRsi, SuperTrend,
    T3, Tema, Trima, Trix, TrueRange, TrueStrength, Ultimate, Vhf, VolumeIndex, Vortex, Vwap, Vwma,
    WilliamsAccumulation, WilliamsR, Wma, ZScore, Zlema,
};
use crate::fibonacci::{Confluence, Extensions, Retracements, Reversal, Side, Supports, Swings, Zone};

/// How a line follows the units of prices and volumes: as their product with these powers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Power of the prices.
    pub price: i8,
    /// Power of the volumes.
    pub volume: i8,
}

impl Scale {
    /// Not at all: a ratio or a count.
    pub const FREE: Scale = Scale { price: 0, volume: 0 };
    /// As the prices.
    pub const PRICE: Scale = Scale { price: 1, volume: 0 };
    /// As the volumes.
    pub const VOLUME: Scale = Scale { price: 0, volume: 1 };
}

/// A line of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Name; empty for the only line.
    pub name: &'static str,
    /// How it scales.
    pub scale: Scale,
}

/// A parameter of an indicator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Name.
    pub name: &'static str,
    /// Least value.
    pub least: f64,
    /// Most.
    pub most: f64,
    /// The field's usual value.
    pub default: f64,
    /// True for counts of bars and choices.
    pub whole: bool,
}

/// An indicator that can be asked for by name.
#[derive(Clone, Copy, Debug)]
pub struct Indicator {
    /// Name.
    pub name: &'static str,
    /// Parameters, in order.
    pub parameters: &'static [Parameter],
    /// Lines, in order.
    pub lines: &'static [Line],
    /// Makes a kernel for so many instruments of the parameters, in order and within their ranges.
    pub kernel: fn(n_instruments: usize, parameters: &[f64]) -> Box<dyn Kernel>,
}

impl Indicator {
    /// The indicator of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Indicator> {
        INDICATORS.iter().find(|i| i.name == name)
    }

    /// The batch form: one value a bar for each line, oldest first, NaN where there is none. A bar of which a field that
    /// is read is not finite is a bar without datum.
    #[must_use]
    pub fn series(&self, parameters: &[f64], bars: &Bars<'_>) -> Vec<Vec<f64>> {
        let mut kernel = (self.kernel)(1, parameters);
        series_of(bars, kernel.inputs(), kernel.lines(), |bars, present, out| {
            kernel.update_block(bars, present, present.len(), out);
        })
    }
}

/// Bars that a parameter may count at most.
const MOST_BARS: f64 = 10_000.0;

const fn bars(name: &'static str, least: u16, default: u16) -> Parameter {
    Parameter { name, least: least as f64, most: MOST_BARS, default: default as f64, whole: true }
}

const fn number(name: &'static str, least: f64, default: f64, most: f64) -> Parameter {
    Parameter { name, least, most, default, whole: false }
}

/// How deep a close must be in a body, as a part of it.
const fn penetration(default: f64) -> Parameter {
    number("penetration", 0.0, default, 1.0)
}

/// 0 starts at the mean of the first n, 1 at the first close.
const SEED: Parameter = Parameter { name: "seed", least: 0.0, most: 1.0, default: 0.0, whole: true };

const fn line(name: &'static str, scale: Scale) -> Line {
    Line { name, scale }
}

const PRICE: &[Line] = &[line("", Scale::PRICE)];
const VOLUME: &[Line] = &[line("", Scale::VOLUME)];
const FREE: &[Line] = &[line("", Scale::FREE)];

/// Parameter `at` as a count.
fn n(parameters: &[f64], at: usize) -> usize {
    parameters.get(at).map_or(0, |x| *x as usize)
}

/// Parameter `at`.
fn x(parameters: &[f64], at: usize) -> f64 {
    parameters.get(at).copied().unwrap_or_default()
}

fn seed(parameters: &[f64], at: usize) -> Seed {
    if x(parameters, at) == 0.0 { Seed::Sma } else { Seed::First }
}

macro_rules! indicators {
    ($($name:literal $parameters:expr, $lines:expr, |$w:pat_param, $p:pat_param| $kernel:expr;)*) => {
        /// Every indicator.
        pub const INDICATORS: &[Indicator] = &[$(Indicator {
            name: $name,
            parameters: &$parameters,
            lines: $lines,
            kernel: |$w, $p| Box::new($kernel),
        }),*];
    };
}

/// The reversal that ends a swing: per cent of the price, or average true ranges over `range` bars if that is not 0.
const WIDTH: Parameter = number("width", 0.01, 5.0, 100.0);
const RANGE: Parameter = bars("range", 0, 0);
/// Turning points that supports and confluence remember.
const MEMORY: usize = 20;
/// Per cent of a level.
const TOLERANCE: Parameter = number("tolerance", 0.0, 0.5, 100.0);
const HALF_LIFE: Parameter = bars("half_life", 1, 60);

fn reversal(parameters: &[f64]) -> Reversal {
    match n(parameters, 1) {
        0 => Reversal::Percent(x(parameters, 0)),
        n => Reversal::Ranges { n, width: x(parameters, 0) },
    }
}

fn zone(parameters: &[f64]) -> Zone {
    Zone { memory: MEMORY, tolerance: x(parameters, 2) / 100.0, half_life: x(parameters, 3) }
}

fn pace(step: f64, most: f64) -> Pace {
    Pace { first: step, step, most }
}

const ZONE: &[Line] = &[line("level", Scale::PRICE), line("touches", Scale::FREE), line("strength", Scale::FREE)];
const RETRACEMENTS: &[Line] = &[
    line("from", Scale::PRICE),
    line("to", Scale::PRICE),
    line("back_236", Scale::PRICE),
    line("back_382", Scale::PRICE),
    line("back_500", Scale::PRICE),
    line("back_618", Scale::PRICE),
    line("back_786", Scale::PRICE),
];
const EXTENSIONS: &[Line] = &[
    line("on_1272", Scale::PRICE),
    line("on_1414", Scale::PRICE),
    line("on_1618", Scale::PRICE),
    line("on_2618", Scale::PRICE),
    line("beyond_1272", Scale::PRICE),
    line("beyond_1414", Scale::PRICE),
    line("beyond_1618", Scale::PRICE),
    line("beyond_2618", Scale::PRICE),
];
const STOCHASTIC: &[Line] = &[line("k", Scale::FREE), line("d", Scale::FREE)];
const BANDS: &[Line] = &[line("upper", Scale::PRICE), line("middle", Scale::PRICE), line("lower", Scale::PRICE)];
const MACD: &[Line] = &[line("macd", Scale::PRICE), line("signal", Scale::PRICE), line("histogram", Scale::PRICE)];

#[rustfmt::skip]
indicators! {
    "acceleration_bands" [bars("n", 1, 20)], BANDS, |w, p| AccelerationBands::columns(w, n(p, 0));
    "accumulation" [], VOLUME, |w, _| Accumulation::columns(w);
    "adx" [bars("n", 2, 14)], FREE, |w, p| Adx::columns(w, n(p, 0));
    "adxr" [bars("n", 2, 14)], &[line("adx", Scale::FREE), line("adxr", Scale::FREE)], |w, p| Adxr::columns(w, n(p, 0));
    "aroon" [bars("n", 1, 14)], &[line("up", Scale::FREE), line("down", Scale::FREE), line("oscillator", Scale::FREE)], |w, p| Aroon::columns(w, n(p, 0));
    "atr" [bars("n", 1, 14)], PRICE, |w, p| Atr::columns(w, n(p, 0));
    "average_deviation" [bars("n", 2, 14)], PRICE, |w, p| AverageDeviation::columns(w, n(p, 0));
    "average_volume" [bars("n", 1, 20)], VOLUME, |w, p| AverageVolume::columns(w, n(p, 0));
    "awesome" [bars("fast", 1, 5), bars("slow", 1, 34)], PRICE, |w, p| Awesome::columns(w, n(p, 0), n(p, 1));
    "balance_of_power" [], FREE, |w, _| BalanceOfPower::columns(w);
    "beta" [bars("n", 2, 60)], FREE, |w, p| Beta::columns(w, n(p, 0));
    "bollinger" [bars("n", 2, 20), number("width", 0.0, 2.0, 100.0)], BANDS, |w, p| Bollinger::columns(w, n(p, 0), x(p, 1));
    "candle_abandoned_baby" [penetration(0.3)], FREE, |w, p| Candle::columns(w, 12, x(p, 0), three::abandoned_baby);
    "candle_advance_block" [], FREE, |w, _| Candle::columns(w, 12, 0.0, three::advance_block);
    "candle_belt_hold" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::belt_hold);
    "candle_breakaway" [], FREE, |w, _| Candle::columns(w, 14, 0.0, many::breakaway);
    "candle_closing_marubozu" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::closing_marubozu);
    "candle_concealing_baby_swallow" [], FREE, |w, _| Candle::columns(w, 13, 0.0, many::concealing_baby_swallow);
    "candle_counterattack" [], FREE, |w, _| Candle::columns(w, 11, 0.0, two::counterattack);
    "candle_dark_cloud_cover" [penetration(0.5)], FREE, |w, p| Candle::columns(w, 11, x(p, 0), two::dark_cloud_cover);
    "candle_doji" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::doji);
    "candle_doji_star" [], FREE, |w, _| Candle::columns(w, 11, 0.0, two::doji_star);
    "candle_dragonfly_doji" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::dragonfly_doji);
    "candle_engulfing" [], FREE, |w, _| Candle::columns(w, 2, 0.0, two::engulfing);
    "candle_evening_doji_star" [penetration(0.3)], FREE, |w, p| Candle::columns(w, 12, x(p, 0), three::evening_doji_star);
    "candle_evening_star" [penetration(0.3)], FREE, |w, p| Candle::columns(w, 12, x(p, 0), three::evening_star);
    "candle_gap_side_side_white" [], FREE, |w, _| Candle::columns(w, 7, 0.0, three::gap_side_side_white);
    "candle_gap_three_methods" [], FREE, |w, _| Candle::columns(w, 2, 0.0, three::gap_three_methods);
    "candle_gravestone_doji" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::gravestone_doji);
    "candle_hammer" [], FREE, |w, _| Candle::columns(w, 11, 0.0, one::hammer);
    "candle_hanging_man" [], FREE, |w, _| Candle::columns(w, 11, 0.0, one::hanging_man);
    "candle_harami" [], FREE, |w, _| Candle::columns(w, 11, 0.0, two::harami);
    "candle_harami_cross" [], FREE, |w, _| Candle::columns(w, 11, 0.0, two::harami_cross);
    "candle_high_wave" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::high_wave);
    "candle_hikkake" [], FREE, |w, _| Candle::columns(w, 5, 0.0, many::hikkake);
    "candle_hikkake_modified" [], FREE, |w, _| Candle::columns(w, 10, 0.0, many::hikkake_modified);
    "candle_homing_pigeon" [], FREE, |w, _| Candle::columns(w, 11, 0.0, two::homing_pigeon);
    "candle_identical_three_crows" [], FREE, |w, _| Candle::columns(w, 12, 0.0, three::identical_three_crows);
    "candle_in_neck" [], FREE, |w, _| Candle::columns(w, 11, 0.0, two::in_neck);
    "candle_inverted_hammer" [], FREE, |w, _| Candle::columns(w, 11, 0.0, one::inverted_hammer);
    "candle_kicking" [], FREE, |w, _| Candle::columns(w, 11, 0.0, two::kicking);
    "candle_kicking_by_length" [], FREE, |w, _| Candle::columns(w, 11, 0.0, two::kicking_by_length);
    "candle_ladder_bottom" [], FREE, |w, _| Candle::columns(w, 14, 0.0, many::ladder_bottom);
    "candle_long_legged_doji" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::long_legged_doji);
    "candle_long_line" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::long_line);
    "candle_marubozu" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::marubozu);
    "candle_mat_hold" [penetration(0.5)], FREE, |w, p| Candle::columns(w, 14, x(p, 0), many::mat_hold);
    "candle_matching_low" [], FREE, |w, _| Candle::columns(w, 6, 0.0, two::matching_low);
    "candle_morning_doji_star" [penetration(0.3)], FREE, |w, p| Candle::columns(w, 12, x(p, 0), three::morning_doji_star);
    "candle_morning_star" [penetration(0.3)], FREE, |w, p| Candle::columns(w, 12, x(p, 0), three::morning_star);
    "candle_on_neck" [], FREE, |w, _| Candle::columns(w, 11, 0.0, two::on_neck);
    "candle_piercing" [], FREE, |w, _| Candle::columns(w, 11, 0.0, two::piercing);
    "candle_rickshaw_man" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::rickshaw_man);
    "candle_rise_fall_three_methods" [], FREE, |w, _| Candle::columns(w, 14, 0.0, many::rise_fall_three_methods);
    "candle_separating_lines" [], FREE, |w, _| Candle::columns(w, 11, 0.0, two::separating_lines);
    "candle_shooting_star" [], FREE, |w, _| Candle::columns(w, 11, 0.0, one::shooting_star);
    "candle_short_line" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::short_line);
    "candle_spinning_top" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::spinning_top);
    "candle_stalled_pattern" [], FREE, |w, _| Candle::columns(w, 12, 0.0, three::stalled_pattern);
    "candle_stick_sandwich" [], FREE, |w, _| Candle::columns(w, 7, 0.0, three::stick_sandwich);
    "candle_takuri" [], FREE, |w, _| Candle::columns(w, 10, 0.0, one::takuri);
    "candle_tasuki_gap" [], FREE, |w, _| Candle::columns(w, 7, 0.0, three::tasuki_gap);
    "candle_three_black_crows" [], FREE, |w, _| Candle::columns(w, 13, 0.0, three::three_black_crows);
    "candle_three_inside" [], FREE, |w, _| Candle::columns(w, 12, 0.0, three::three_inside);
    "candle_three_line_strike" [], FREE, |w, _| Candle::columns(w, 8, 0.0, many::three_line_strike);
    "candle_three_outside" [], FREE, |w, _| Candle::columns(w, 3, 0.0, three::three_outside);
    "candle_three_stars_in_south" [], FREE, |w, _| Candle::columns(w, 12, 0.0, three::three_stars_in_south);
    "candle_three_white_soldiers" [], FREE, |w, _| Candle::columns(w, 12, 0.0, three::three_white_soldiers);
    "candle_thrusting" [], FREE, |w, _| Candle::columns(w, 11, 0.0, two::thrusting);
    "candle_tristar" [], FREE, |w, _| Candle::columns(w, 12, 0.0, three::tristar);
    "candle_two_crows" [], FREE, |w, _| Candle::columns(w, 12, 0.0, three::two_crows);
    "candle_unique_three_river" [], FREE, |w, _| Candle::columns(w, 12, 0.0, three::unique_three_river);
    "candle_upside_gap_two_crows" [], FREE, |w, _| Candle::columns(w, 12, 0.0, three::upside_gap_two_crows);
    "cci" [bars("n", 2, 20)], FREE, |w, p| Cci::columns(w, n(p, 0));
    "chaikin_money_flow" [bars("n", 1, 20)], FREE, |w, p| ChaikinMoneyFlow::columns(w, n(p, 0));
    "chaikin_oscillator" [bars("fast", 1, 3), bars("slow", 1, 10)], VOLUME, |w, p| ChaikinOscillator::columns(w, n(p, 0), n(p, 1));
    "chaikin_volatility" [bars("n", 1, 10), bars("change", 1, 10)], FREE, |w, p| ChaikinVolatility::columns(w, n(p, 0), n(p, 1));
    "cmo" [bars("n", 1, 14)], FREE, |w, p| Cmo::columns(w, n(p, 0));
    "confluence" [WIDTH, RANGE, TOLERANCE, HALF_LIFE], &[line("boost", Scale::FREE), line("score", Scale::FREE), line("level", Scale::PRICE), line("from", Scale::PRICE), line("to", Scale::PRICE)], |w, p| Confluence::columns(w, reversal(p), zone(p));
    "coppock" [bars("n", 1, 10), bars("short", 1, 11), bars("long", 1, 14)], FREE, |w, p| Coppock::columns(w, n(p, 0), n(p, 1), n(p, 2));
    "correlation" [bars("n", 2, 60)], FREE, |w, p| Correlation::columns(w, n(p, 0));
    "cycle_average" [bars("least", 1, 2), bars("most", 1, 30)], PRICE, |w, p| CycleAverage::columns(w, n(p, 0), n(p, 1));
    "dema" [bars("n", 1, 20)], PRICE, |w, p| Dema::columns(w, n(p, 0));
    "deviation" [bars("n", 2, 20)], &[line("deviation", Scale::PRICE), line("variance", Scale { price: 2, volume: 0 })], |w, p| Deviation::columns(w, n(p, 0));
    "directional" [bars("n", 2, 14)], &[line("plus", Scale::FREE), line("minus", Scale::FREE), line("dx", Scale::FREE)], |w, p| Directional::columns(w, n(p, 0));
    "donchian" [bars("n", 1, 20)], BANDS, |w, p| Donchian::columns(w, n(p, 0));
    "dpo" [bars("n", 2, 20)], PRICE, |w, p| Dpo::columns(w, n(p, 0));
    "efficiency_ratio" [bars("n", 1, 10)], FREE, |w, p| EfficiencyRatio::columns(w, n(p, 0));
    "elder_ray" [bars("n", 1, 13)], &[line("bull", Scale::PRICE), line("bear", Scale::PRICE)], |w, p| ElderRay::columns(w, n(p, 0));
    "ema" [bars("n", 1, 20), SEED], PRICE, |w, p| Ema::new(w, n(p, 0), seed(p, 1));
    "fibonacci_extensions" [WIDTH, RANGE], EXTENSIONS, |w, p| Extensions::columns(w, reversal(p));
    "fibonacci_retracements" [WIDTH, RANGE], RETRACEMENTS, |w, p| Retracements::columns(w, reversal(p));
    "force_index" [bars("n", 1, 13)], &[line("", Scale { price: 1, volume: 1 })], |w, p| ForceIndex::columns(w, n(p, 0));
    "heikin_ashi" [], &[line("open", Scale::PRICE), line("high", Scale::PRICE), line("low", Scale::PRICE), line("close", Scale::PRICE)], |w, _| HeikinAshi::columns(w);
    "hilbert_period" [], FREE, |w, _| HilbertPeriod::columns(w);
    "hilbert_phase" [], FREE, |w, _| HilbertPhase::columns(w);
    "hilbert_phasor" [], &[line("in_phase", Scale::PRICE), line("quadrature", Scale::PRICE)], |w, _| HilbertPhasor::columns(w);
    "hilbert_sine" [], &[line("sine", Scale::FREE), line("lead", Scale::FREE)], |w, _| HilbertSine::columns(w);
    "hilbert_trend_mode" [], FREE, |w, _| HilbertTrendMode::columns(w);
    "hilbert_trendline" [], PRICE, |w, _| HilbertTrendline::columns(w);
    "hma" [bars("n", 2, 20)], PRICE, |w, p| Hma::columns(w, n(p, 0));
    "hurst" [bars("n", 16, 128)], &[line("corrected", Scale::FREE), line("plain", Scale::FREE)], |w, p| Hurst::columns(w, n(p, 0));
    "ichimoku" [bars("short", 1, 9), bars("middle", 1, 26), bars("long", 1, 52)], &[line("conversion", Scale::PRICE), line("base", Scale::PRICE), line("span_a", Scale::PRICE), line("span_b", Scale::PRICE)], |w, p| Ichimoku::columns(w, n(p, 0), n(p, 1), n(p, 2));
    "intraday_momentum" [bars("n", 1, 14)], FREE, |w, p| IntradayMomentum::columns(w, n(p, 0));
    "kama" [bars("n", 2, 30)], PRICE, |w, p| Kama::columns(w, n(p, 0));
    "kdj" [bars("n", 1, 9), bars("slow", 1, 3), bars("d", 1, 3)], &[line("k", Scale::FREE), line("d", Scale::FREE), line("j", Scale::FREE)], |w, p| Kdj::columns(w, n(p, 0), n(p, 1), n(p, 2));
    "keltner" [bars("n", 1, 20), bars("range", 1, 10), number("width", 0.0, 2.0, 100.0)], BANDS, |w, p| Keltner::columns(w, n(p, 0), n(p, 1), x(p, 2));
    "linear_regression" [bars("n", 2, 14)], &[line("value", Scale::PRICE), line("slope", Scale::PRICE), line("intercept", Scale::PRICE), line("forecast", Scale::PRICE)], |w, p| LinearRegression::columns(w, n(p, 0));
    "macd" [bars("fast", 1, 12), bars("slow", 1, 26), bars("signal", 1, 9), SEED], MACD, |w, p| Macd::new(w, n(p, 0), n(p, 1), n(p, 2), seed(p, 3));
    "mama" [number("fast", 0.01, 0.5, 0.99), number("slow", 0.01, 0.05, 0.99)], &[line("mama", Scale::PRICE), line("fama", Scale::PRICE)], |w, p| Mama::columns(w, x(p, 0), x(p, 1));
    "mass_index" [bars("fast", 1, 9), bars("n", 1, 25)], FREE, |w, p| MassIndex::columns(w, n(p, 0), n(p, 1));
    "midpoint" [bars("n", 1, 14)], PRICE, |w, p| Midpoint::columns(w, n(p, 0));
    "momentum" [bars("n", 1, 252), bars("skip", 0, 21)], FREE, |w, p| Momentum::columns(w, n(p, 0), n(p, 1));
    "money_flow_index" [bars("n", 1, 14)], FREE, |w, p| MoneyFlowIndex::columns(w, n(p, 0));
    "natr" [bars("n", 1, 14)], FREE, |w, p| Natr::columns(w, n(p, 0));
    "negative_volume_index" [], FREE, |w, _| VolumeIndex::negative(w);
    "on_balance_volume" [], VOLUME, |w, _| OnBalanceVolume::columns(w);
    "parabolic_sar" [number("step", 0.001, 0.02, 1.0), number("most", 0.001, 0.2, 1.0)], PRICE, |w, p| ParabolicSar::columns(w, x(p, 0), x(p, 1));
    "parabolic_sar_extended" [number("up", 0.001, 0.02, 1.0), number("down", 0.001, 0.02, 1.0), number("most", 0.001, 0.2, 1.0), number("offset", 0.0, 0.0, 1.0)], &[line("stop", Scale::PRICE), line("trend", Scale::FREE)], |w, p| ParabolicSarExtended::columns(w, 0.0, x(p, 3), pace(x(p, 0), x(p, 2)), pace(x(p, 1), x(p, 2)));
    "percent_rank" [bars("n", 1, 100)], FREE, |w, p| PercentRank::columns(w, n(p, 0));
    "pivots" [], &[line("pivot", Scale::PRICE), line("r1", Scale::PRICE), line("s1", Scale::PRICE), line("r2", Scale::PRICE), line("s2", Scale::PRICE)], |w, _| Pivots::columns(w);
    "positive_volume_index" [], FREE, |w, _| VolumeIndex::positive(w);
    "ppo" [bars("fast", 1, 12), bars("slow", 1, 26)], FREE, |w, p| Ppo::columns(w, n(p, 0), n(p, 1));
    "price_volume_trend" [], VOLUME, |w, _| PriceVolumeTrend::columns(w);
    "prices" [], &[line("average", Scale::PRICE), line("median", Scale::PRICE), line("typical", Scale::PRICE), line("weighted", Scale::PRICE)], |w, _| Prices::columns(w);
    "pvo" [bars("fast", 1, 12), bars("slow", 1, 26)], FREE, |w, p| Pvo::columns(w, n(p, 0), n(p, 1));
    "qstick" [bars("n", 1, 10)], PRICE, |w, p| QStick::columns(w, n(p, 0));
    "rate_of_change" [bars("n", 1, 10)], &[line("change", Scale::PRICE), line("percent", Scale::FREE)], |w, p| RateOfChange::columns(w, n(p, 0));
    "realised_vol" [bars("n", 2, 20)], FREE, |w, p| RealisedVol::columns(w, n(p, 0));
    "relative_vigor" [bars("n", 1, 10)], &[line("value", Scale::FREE), line("signal", Scale::FREE)], |w, p| RelativeVigor::columns(w, n(p, 0));
    "relative_volume" [bars("n", 1, 20)], FREE, |w, p| RelativeVolume::columns(w, n(p, 0));
    "resistance" [WIDTH, RANGE, TOLERANCE, HALF_LIFE], ZONE, |w, p| Supports::columns(w, reversal(p), Side::Resistance, zone(p));
    "rma" [bars("n", 1, 14)], PRICE, |w, p| Rma::columns(w, n(p, 0));
    "rolling_high" [bars("n", 1, 20)], PRICE, |w, p| RollingHigh::columns(w, n(p, 0));
    "rolling_low" [bars("n", 1, 20)], PRICE, |w, p| RollingLow::columns(w, n(p, 0));
    "rsi" [bars("n", 1, 14)], FREE, |w, p| Rsi::new(w, n(p, 0));
    "sma" [bars("n", 1, 20)], PRICE, |w, p| Sma::columns(w, n(p, 0));
    "stochastic" [bars("k", 1, 5), bars("slow", 1, 3), bars("d", 1, 3)], STOCHASTIC, |w, p| Stochastic::columns(w, n(p, 0), n(p, 1), n(p, 2));
    "stochastic_fast" [bars("k", 1, 5), bars("d", 1, 3)], STOCHASTIC, |w, p| StochasticFast::columns(w, n(p, 0), n(p, 1));
    "stochastic_momentum" [bars("n", 1, 13), bars("slow", 1, 25), bars("fast", 1, 2), bars("signal", 1, 9)], &[line("value", Scale::FREE), line("signal", Scale::FREE)], |w, p| StochasticMomentum::columns(w, n(p, 0), n(p, 1), n(p, 2), n(p, 3));
    "stochastic_rsi" [bars("n", 1, 14), bars("k", 1, 5), bars("d", 1, 3)], STOCHASTIC, |w, p| StochasticRsi::columns(w, n(p, 0), n(p, 1), n(p, 2));
    "super_trend" [bars("n", 1, 10), number("width", 0.0, 3.0, 100.0)], &[line("stop", Scale::PRICE), line("trend", Scale::FREE)], |w, p| SuperTrend::columns(w, n(p, 0), x(p, 1));
    "support" [WIDTH, RANGE, TOLERANCE, HALF_LIFE], ZONE, |w, p| Supports::columns(w, reversal(p), Side::Support, zone(p));
    "swings" [WIDTH, RANGE], &[line("pivot", Scale::PRICE), line("side", Scale::FREE), line("age", Scale::FREE), line("confirmed", Scale::FREE), line("extreme", Scale::PRICE)], |w, p| Swings::columns(w, reversal(p), 2);
    "t3" [bars("n", 1, 5), number("factor", 0.0, 0.7, 1.0)], PRICE, |w, p| T3::columns(w, n(p, 0), x(p, 1));
    "tema" [bars("n", 1, 20)], PRICE, |w, p| Tema::columns(w, n(p, 0));
    "trima" [bars("n", 1, 20)], PRICE, |w, p| Trima::columns(w, n(p, 0));
    "trix" [bars("n", 1, 30)], FREE, |w, p| Trix::columns(w, n(p, 0));
    "true_range" [], PRICE, |w, _| TrueRange::columns(w);
    "true_strength" [bars("first", 1, 25), bars("second", 1, 13)], FREE, |w, p| TrueStrength::columns(w, n(p, 0), n(p, 1));
    "ultimate" [bars("a", 1, 7), bars("b", 1, 14), bars("c", 1, 28)], FREE, |w, p| Ultimate::columns(w, n(p, 0), n(p, 1), n(p, 2));
    "vhf" [bars("n", 2, 28)], FREE, |w, p| Vhf::columns(w, n(p, 0));
    "vortex" [bars("n", 1, 14)], &[line("plus", Scale::FREE), line("minus", Scale::FREE)], |w, p| Vortex::columns(w, n(p, 0));
    "vwap" [], PRICE, |w, _| Vwap::columns(w);
    "vwma" [bars("n", 1, 20)], PRICE, |w, p| Vwma::columns(w, n(p, 0));
    "williams_accumulation" [], PRICE, |w, _| WilliamsAccumulation::columns(w);
    "williams_r" [bars("n", 1, 14)], FREE, |w, p| WilliamsR::columns(w, n(p, 0));
    "wma" [bars("n", 1, 20)], PRICE, |w, p| Wma::columns(w, n(p, 0));
    "z_score" [bars("n", 2, 20)], FREE, |w, p| ZScore::columns(w, n(p, 0));
    "zlema" [bars("n", 3, 20)], PRICE, |w, p| Zlema::columns(w, n(p, 0));
}
