//! `docs/statistics.md`, written from this list and from what the comparison with other libraries found.

use super::oracle::{Compared, compare};
use std::fmt::Write;

/// One line of the page.
struct Line {
    /// Functions of `tradegraph_quant::performance`.
    functions: &'static str,
    /// Metrics of the oracle tables that belong to it.
    metrics: &'static [&'static str],
    convention: &'static str,
    source: &'static str,
}

const fn line(
    functions: &'static str,
    metrics: &'static [&'static str],
    convention: &'static str,
    source: &'static str,
) -> Line {
    Line { functions, metrics, convention, source }
}

const RETURNS: &[Line] = &[
    line("`total_return`", &["total_return"], "last over first equity, less 1", "–"),
    line("`cagr`", &["cagr"], "compound; years = bars / periods a year", "GIPS 2020"),
    line("`volatility`", &["volatility"], "divisor n − 1, times √periods a year", "–"),
    line(
        "`downside_deviation`",
        &["downside_deviation"],
        "all n bars in the divisor, times √periods a year",
        "Sortino and Price 1994",
    ),
    line(
        "`skewness`, `excess_kurtosis`",
        &["skewness", "kurtosis"],
        "population moments (divisor n); a normal has 0",
        "Joanes and Gill 1998",
    ),
    line(
        "`sharpe`",
        &["sharpe_annual"],
        "mean over deviation (n − 1) of the excess returns, times √periods a year",
        "Sharpe 1994",
    ),
    line("`sortino`", &["sortino"], "mean over downside deviation, times √periods a year", "Sortino and Price 1994"),
    line("`calmar`", &["calmar"], "CAGR over maximum drawdown, both of the whole curve", "Young 1991"),
    line(
        "`omega`",
        &["omega"],
        "gains over shortfalls against a rate a bar, or a compounded yearly one",
        "Keating and Shadwick 2002",
    ),
    line("`rolling_sharpe`", &["rolling_sharpe"], "as `sharpe`, a window's last bar", "–"),
    line(
        "`max_drawdown`, `drawdowns`",
        &["drawdown_depth", "drawdown_start", "drawdown_trough", "drawdown_recovery"],
        "depth is positive, a fraction of the peak; from the last row at the peak to the first back at it",
        "Magdon-Ismail and Atiya 2004",
    ),
    line("`longest_drawdown`", &["longest_drawdown"], "days from peak to recovery, or to the end", "–"),
    line(
        "`ulcer_index`",
        &["quantstats ulcer index"],
        "divisor: rows after the first; a fraction",
        "Martin and McCann 1989",
    ),
    line("`quantile`", &["quantile"], "linear, position (n − 1) p", "Hyndman and Fan 1996, type 7"),
    line("`tail_ratio`", &["tail_ratio"], "95 % over 5 % quantile, magnitudes", "–"),
    line(
        "`value_at_risk`",
        &["value_at_risk"],
        "historical quantile; a loss is positive",
        "McNeil, Frey and Embrechts 2015",
    ),
    line(
        "`expected_shortfall`",
        &["expected_shortfall"],
        "mean of the worst ⌊(n − 1) tail⌋ + 1 bars; a loss is positive",
        "Acerbi and Tasche 2002",
    ),
    line("`hit_rate`", &["hit_rate"], "share of returns above 0 among those other than 0", "–"),
    line("`payoff`", &["payoff"], "mean win over mean loss", "–"),
    line("`profit_factor`", &["profit_factor"], "sum of wins over sum of losses", "–"),
    line("`kelly_bet`", &["kelly_bet"], "two outcomes: w − (1 − w) / payoff", "Kelly 1956"),
    line("`kelly_leverage`", &["kelly_leverage"], "mean over variance (n − 1) of the excess returns", "Thorp 2006"),
    line("`calendar_returns`", &["month", "year"], "last row of the period over the last before it", "–"),
    line(
        "`regression`",
        &[
            "beta",
            "regression alpha",
            "regression beta",
            "regression alpha_error",
            "regression beta_error",
            "regression r_squared",
        ],
        "least squares, divisor n − 2; alpha a year = alpha a bar × periods",
        "Jensen 1968",
    ),
    line("`tracking_error`", &["tracking_error"], "divisor n − 1, times √periods a year", "Grinold and Kahn 2000"),
    line("`information_ratio`", &["information_ratio"], "`sharpe` against the benchmark", "Goodwin 1998"),
    line(
        "`capture`",
        &["up_capture", "down_capture"],
        "compound annual returns over the bars on which the benchmark rose or fell",
        "–",
    ),
];

const CHANCE: &[Line] = &[
    line(
        "error of `sharpe`",
        &["sharpe_error"],
        "skewness and kurtosis in it, divisor n − 1",
        "Lo 2002; Bailey and López de Prado 2012",
    ),
    line(
        "`probabilistic_sharpe`",
        &["probabilistic_sharpe"],
        "ratios a bar; skewness and kurtosis of the population",
        "Bailey and López de Prado 2012",
    ),
    line(
        "`Sharpe::minimum_track_record`",
        &["minimum_track_record"],
        "bars, not rounded",
        "Bailey and López de Prado 2012",
    ),
    line(
        "`expected_maximum_sharpe`, `Sharpe::deflated`",
        &["deflated"],
        "trials independent; the caller names the variance of their ratios",
        "Bailey and López de Prado 2014",
    ),
    line("`autocorrelations`", &["autocorrelation"], "mean and divisor of the whole series", "Box and Jenkins 1970"),
    line(
        "`serial_sharpe`",
        &["serial"],
        "η(q) · SR; error by the method of moments with Newey–West weights",
        "Lo 2002",
    ),
    line(
        "`backtest_overfitting`",
        &["overfitting"],
        "Sharpe ratio a bar; equal ratios share their mean rank; logit ≤ 0 is overfit",
        "Bailey, Borwein, López de Prado and Zhu 2017",
    ),
    line("`PurgedSplits`", &["splits"], "purge on both sides of a test run, embargo after it", "López de Prado 2018"),
    line(
        "`Scheme::draw`",
        &["draws"],
        "stationary, circular and moving blocks",
        "Politis and Romano 1994, 1992; Künsch 1989",
    ),
    line(
        "`optimal_block_length`",
        &["block_length"],
        "flat-top kernel, not rounded",
        "Politis and White 2004; Patton, Politis and White 2009",
    ),
    line(
        "`interval`",
        &["interval"],
        "percentile, basic, BCa; two-sided",
        "Efron and Tibshirani 1993; Davison and Hinkley 1997; Efron 1987",
    ),
    line(
        "`superior_ability`, `reality_check`",
        &["superior"],
        "p = share of samples above; mean (White) or studentised (Hansen) statistic",
        "White 2000; Hansen 2005",
    ),
    line("`normal::cdf`", &["cdf"], "relative error, down to −37.5", "Abramowitz and Stegun 1964"),
    line("`normal::inverse`", &["inverse"], "relative error, from 1e-300 to 1 − 2⁻⁵³", "Wichura 1988, AS 241"),
];

/// Same word, other number: what the library says, computed from what ours say.
const DIFFERENCES: &[Line] = &[
    line("`regression`", &["empyrical alpha"], "empyrical compounds alpha: (1 + alpha a bar)^periods − 1", ""),
    line(
        "`regression`",
        &["quantstats alpha"],
        "quantstats' `greeks` subtracts no rate: equal after subtracting it from both",
        "",
    ),
    line(
        "`skewness`",
        &["quantstats skew"],
        "quantstats (pandas) corrects for the sample: · √(n(n − 1)) / (n − 2)",
        "",
    ),
    line(
        "`excess_kurtosis`",
        &["quantstats kurtosis"],
        "quantstats: ((n + 1) g + 6)(n − 1) / ((n − 2)(n − 3)); its `probabilistic_ratio` uses these moments",
        "",
    ),
    line(
        "`value_at_risk`",
        &["quantstats value at risk"],
        "quantstats: mean + Φ⁻¹(tail) · deviation of a normal, a gain is positive",
        "",
    ),
    line(
        "`expected_shortfall`",
        &["quantstats expected shortfall"],
        "quantstats (historical): every bar at or below the quantile, so more of them where returns are equal",
        "",
    ),
    line("`ulcer_index`", &["quantstats ulcer index"], "quantstats divides by one row less: · √(n / (n − 1))", ""),
    line(
        "`longest_drawdown`",
        &["quantstats drawdown days"],
        "quantstats counts the days below the peak, first and last included, and none if the curve starts below",
        "",
    ),
];

const HEAD: &str = "# Statistics

What `tradegraph_quant::performance` computes, by which convention and after whom, and the worst distance from other
libraries' values on real returns (AAPL, BTC-USD) and on constructed ones: relative, where a value is near 0 against 0.001.
`exact` says bit for bit. A test computes this page; the tables are made by `scripts/oracles/performance.py` and
`performance_overfitting.py`, which name the versions.

Rows are bars, returns are simple and per bar, and the number of bars a year and the risk-free rate are always named by the
caller. What is undefined (too few bars, no variance, no loss to divide by) has no value; a NaN is refused.
";

const TRIALS: &str = "
## How much of it is chance

Sharpe ratios are **per bar** here. Random numbers come from xoshiro256** seeded by splitmix64; the libraries were given the
same numbers, so samples and p-values are compared exactly and not within a Monte Carlo error.
";

const OTHERS: &str = "
## Same name, other convention

Each line is tested: the library's value follows from ours as said here.
";

const TAIL: &str = "
Also different, and not compared:

- quantstats says 0 or infinity where a ratio has no denominator; we say there is none.
- arch's `SPA` has an option `studentize` that version 8.0.0 does not use: its statistic is the mean. `Superiority::Mean` is
  that; `Superiority::Studentised` is Hansen's, compared with his formulas. Its standard errors need many blocks: with ten
  independent trials without skill, 20 blocks of 10 rows reject 12 % at the 5 % level and 100 blocks 5 %; the mean rejects 6 %
  in both.
- phacker gives equal ratios the lowest of their ranks, we their mean; risklabai takes the variance of the trials' ratios with
  divisor n, we take what the caller names.
- skfolio wants two test folds or more; `PurgedSplits` takes one, which is purged k-fold.
- Sharpe ratios of fewer than a few dozen bars, deflated ones of trials that resemble each other, and the overfitting of trials
  that are not all listed are computed as asked and mean little.
";

fn table(page: &mut String, lines: &[Line], compared: &[Compared], heads: &[&str]) {
    writeln!(page, "\n| {} |\n|{}", heads.join(" | "), "---|".repeat(heads.len())).unwrap();
    for l in lines {
        let ours = || compared.iter().filter(|c| l.metrics.contains(&c.metric.as_str()));
        let mut libraries: Vec<&str> = ours().map(|c| c.source.as_str()).collect();
        libraries.sort_unstable();
        libraries.dedup();
        assert!(!libraries.is_empty(), "{}: nothing compared", l.functions);
        let worst = ours().map(|c| c.error).fold(0.0, f64::max);
        let worst = if worst == 0.0 { "exact".to_owned() } else { format!("{worst:.0e}") };
        let cells = [l.functions, l.convention, l.source, &libraries.join(", "), &worst];
        let cells: Vec<&str> = cells.into_iter().filter(|c| !c.is_empty()).collect();
        assert_eq!(cells.len(), heads.len(), "{}", l.functions);
        writeln!(page, "| {} |", cells.join(" | ")).unwrap();
    }
}

/// `UPDATE_GOLDEN=1` writes the page anew.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads and writes the docs")]
fn the_page_says_what_the_comparison_found() {
    let compared = compare();
    for c in &compared {
        let listed =
            [RETURNS, CHANCE, DIFFERENCES].into_iter().flatten().any(|l| l.metrics.contains(&c.metric.as_str()));
        assert!(listed, "{} is not on the page", c.metric);
    }
    let heads = ["function", "convention", "source", "compared with", "worst error"];
    let mut page = HEAD.to_owned();
    table(&mut page, RETURNS, &compared, &heads);
    page.push_str(TRIALS);
    table(&mut page, CHANCE, &compared, &heads);
    page.push_str(OTHERS);
    table(&mut page, DIFFERENCES, &compared, &["function", "the other's number", "compared with", "worst error"]);
    page.push_str(TAIL);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/statistics.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(std::fs::read_to_string(path).is_ok_and(|t| t == page), "run with UPDATE_GOLDEN=1 to write {path}");
}
