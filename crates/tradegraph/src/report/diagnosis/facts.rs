//! The numbers that the diagnosis reads, apart from where they come from.

/// What is known of a run. Fractions, not per cent; money in the account's currency; absent where it is not known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Years on the curve.
    pub years: Option<f64>,
    /// Annualised Sharpe ratio in excess of the risk-free rate.
    pub sharpe: Option<f64>,
    /// Its standard error.
    pub sharpe_error: Option<f64>,
    /// Probability that the true ratio is above zero.
    pub probabilistic: Option<f64>,
    /// Different mandates on these data.
    pub trials: usize,
    /// Probability that the true ratio is above that of the luckiest of the trials.
    pub deflated: Option<f64>,
    /// Years that such a ratio needs to be above zero with 95 %.
    pub minimum_years: Option<f64>,
    /// Growth a year, or in all for less than a year.
    pub growth: Option<f64>,
    /// The same of equal weight.
    pub benchmark_growth: Option<f64>,
    /// Sharpe ratio of equal weight.
    pub benchmark_sharpe: Option<f64>,
    /// Alpha against equal weight a year.
    pub alpha: Option<f64>,
    /// Its standard error.
    pub alpha_error: Option<f64>,
    /// Slope against equal weight.
    pub beta: Option<f64>,
    /// Share of the variance that equal weight explains.
    pub r_squared: Option<f64>,
    /// Log returns of the months, oldest first.
    pub months: Vec<f64>,
    /// Sharpe ratios of the first and the second half.
    pub halves: Option<(f64, f64)>,
    /// Name, share of the time and log return of each regime of the market.
    pub regimes: Vec<(String, f64, f64)>,
    /// Skewness of the days' returns.
    pub skewness: Option<f64>,
    /// Their excess kurtosis.
    pub kurtosis: Option<f64>,
    /// Correlation of the side of a fill with the move until the end of its bar, or of the next one for series of closes.
    pub fill_correlation: Option<f64>,
    /// Fills behind it.
    pub fill_pairs: usize,
    /// Numbers that the mandate sets for agents, allocator and risk manager.
    pub parameters: usize,
    /// Result of the account after all costs.
    pub result: f64,
    /// What trading and nights cost.
    pub costs: f64,
    /// Notional traded a year over the account.
    pub turnover: Option<f64>,
    /// Closed round trips; absent if the fills are too many.
    pub closed: Option<usize>,
    /// Fills.
    pub fills: u64,
    /// Result of each round trip.
    pub trips: Vec<f64>,
    /// Mean favourable excursion of losing trips, a fraction.
    pub favourable_of_losers: Option<f64>,
    /// Mean loss of a losing trip, a fraction, above 0.
    pub loss: Option<f64>,
    /// Name and result of each instrument.
    pub names: Vec<(String, f64)>,
    /// Account at which impact takes half of the return; absent if it is not known.
    pub capacity: Option<f64>,
    /// Why it is not known.
    pub capacity_says: String,
    /// Average NAV.
    pub account: f64,
    /// Some series are closes only.
    pub close_only: bool,
    /// Orders sent.
    pub orders: u64,
    /// Orders that the venue ended before they were filled.
    pub cancelled: u64,
    /// Orders that the gate refused.
    pub refused: u64,
    /// The rule that refused most, and how many.
    pub refused_most: Option<(String, u64)>,
    /// Breakers that tripped.
    pub breakers: usize,
    /// Agents that panicked: which, when and what they said.
    pub stopped: Vec<String>,
    /// Agents whose work earned less than its costs, and what it came to.
    pub losing_agents: Vec<(String, f64)>,
    /// Agents that worked.
    pub agents: usize,
    /// Fills at or one bar after a bar that failed a quality check.
    pub suspect_fills: u64,
    /// Caveats of the data: survivorship and the like.
    pub survivorship: bool,
    /// Days of the longest time below a peak, and days in all.
    pub underwater: Option<(f64, f64)>,
    /// Deepest fall.
    pub drawdown: Option<f64>,
    /// The fall at which a breaker trips.
    pub drawdown_limit: Option<f64>,
    /// Average and largest Σ |position| over NAV.
    pub gross: Option<(f64, f64)>,
    /// Average Σ position over NAV.
    pub net: Option<f64>,
    /// Largest position over NAV at any day's end.
    pub largest: Option<f64>,
    /// Instruments.
    pub instruments: usize,
}
