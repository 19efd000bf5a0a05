//! `docs/econometrics.md`, written from these lists and from what the comparison with other libraries found.

use super::super::*;
use super::oracle::{Compared, Inputs, compare};
use std::fmt::Write;

const HEAD: &str = include_str!("page_head.md");
const TAIL: &str = include_str!("page_tail.md");

/// A family: its title, its functions (name, what, source), what is compared within which bound.
struct Family {
    title: &'static str,
    functions: &'static [[&'static str; 3]],
    compared: &'static [(&'static str, &'static str, f64)],
    plot: fn(&Inputs) -> String,
}

const FAMILIES: &[Family] = &[
    Family {
        title: "Regression",
        functions: &[
            ["`Ols::fit`", "least squares by Householder's QR; trend none, constant, line, square", "Greene 2018"],
            [
                "`Ols::inference`",
                "classic, White HC0 to HC3, Newey–West errors; robust p-values are normal",
                "White 1980; MacKinnon and White 1985; Newey and West 1987",
            ],
            [
                "`chi_squared_above`, `student_two_sided`, `f_above`",
                "tails of distributions",
                "Abramowitz and Stegun 1964",
            ],
        ],
        compared: &[
            ("ols coefficient", "statsmodels", 1e-10),
            ("ols rss", "statsmodels", 1e-12),
            ("ols r_squared", "statsmodels", 1e-12),
            ("ols error", "statsmodels", 1e-9),
            ("ols p", "statsmodels", 1e-10),
            ("tails chi_squared", "scipy", 1e-12),
            ("tails student", "scipy", 1e-12),
            ("tails f", "scipy", 1e-12),
        ],
        plot: |inputs| {
            let (y, x) = (inputs.get("xom"), inputs.get("cvx"));
            let ols = Ols::fit(&y, &[&x], Trend::Constant).unwrap();
            let nw = |lags| Covariance::NeweyWest { lags, small_sample: false };
            let errors: Vec<f64> = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50]
                .map(|lags| ols.inference(nw(lags)).unwrap().errors[1])
                .to_vec();
            line("error of XOM's hedge ratio in CVX by lags of Newey–West, 0 to 50", &errors)
        },
    },
    Family {
        title: "Unit roots and cointegration",
        functions: &[
            [
                "`adf`",
                "augmented Dickey–Fuller; lags fixed, by AIC or BIC; trend none to square",
                "Dickey and Fuller 1979; Said and Dickey 1984",
            ],
            ["`p_value`, `critical_values`", "response surfaces", "MacKinnon 1994, 2010"],
            [
                "`kpss`",
                "level or trend stationarity; lags fixed, Schwert's or from the data",
                "Kwiatkowski et al. 1992; Hobijn et al. 2004",
            ],
            [
                "`engle_granger`",
                "residuals of a regression tested for a unit root; p-values for two to six series",
                "Engle and Granger 1987",
            ],
            ["`PairScreen`", "the same for every ordered pair of many series at once", "as `engle_granger`"],
            [
                "`johansen`",
                "trace and largest-eigenvalue tests, combinations, rank",
                "Johansen 1988; MacKinnon, Haug and Michelis 1999",
            ],
        ],
        compared: &[
            ("adf statistic", "statsmodels", 1e-9),
            ("adf statistic", "mpmath", 1e-10),
            ("adf p", "statsmodels", 1e-9),
            ("adf lags", "statsmodels", 0.0),
            ("adf rows", "statsmodels", 0.0),
            ("adf critical", "statsmodels", 1e-14),
            ("kpss statistic", "statsmodels", 1e-11),
            ("kpss p", "statsmodels", 1e-11),
            ("kpss lags", "statsmodels", 0.0),
            ("engle_granger statistic", "statsmodels", 1e-8),
            ("engle_granger statistic", "mpmath", 1e-10),
            ("engle_granger p", "statsmodels", 1e-8),
            ("engle_granger critical", "statsmodels", 1e-14),
            ("engle_granger screen.statistic", "statsmodels", 1e-8),
            ("engle_granger screen.statistic", "mpmath", 1e-10),
            ("engle_granger screen.p", "statsmodels", 1e-8),
            ("johansen eigenvalue", "statsmodels", 1e-7),
            ("johansen eigenvalue", "mpmath", 1e-8),
            ("johansen trace", "statsmodels", 1e-6),
            ("johansen trace", "mpmath", 1e-8),
            ("johansen largest", "statsmodels", 1e-6),
            ("johansen combination", "statsmodels", 1e-6),
            ("johansen trace_critical", "statsmodels", 0.0),
            ("johansen largest_critical", "statsmodels", 0.0),
        ],
        plot: |inputs| {
            let (y, x) = (inputs.get("cointegrated"), inputs.get("walk"));
            let test = engle_granger(&y, &[&x], Trend::Constant, Lags::Aic { most: None }).unwrap();
            format!(
                "{}{}{}",
                line("y = 0.5 + 1.7 x + AR(0.9)", &y),
                line("x, a random walk", &x),
                line(&format!("the spread, p = {:.0e}", test.p), &test.residuals)
            )
        },
    },
    Family {
        title: "Reversion and serial dependence",
        functions: &[
            ["`half_life`", "of a deviation, by the regression of changes on levels", "Uhlenbeck and Ornstein 1930"],
            [
                "`variance_ratio`",
                "overlapping, unbiased; errors robust to changing variance or not",
                "Lo and MacKinlay 1988",
            ],
            [
                "`rescaled_range`",
                "Hurst exponent with the correction for short runs",
                "Hurst 1951; Anis and Lloyd 1976",
            ],
            ["`detrended_fluctuation`", "scaling exponent", "Peng et al. 1994"],
            [
                "`partial_autocorrelations`",
                "Yule–Walker by Levinson's recursion (`autocorrelations`: docs/statistics.md)",
                "Durbin 1960",
            ],
            ["`ljung_box`", "no autocorrelation up to a lag", "Ljung and Box 1978"],
            ["`jarque_bera`", "normality", "Jarque and Bera 1980"],
        ],
        compared: &[
            ("half_life half_life", "statsmodels", 1e-12),
            ("half_life reversion", "statsmodels", 1e-12),
            ("half_life error", "statsmodels", 1e-12),
            ("half_life mean", "statsmodels", 1e-12),
            ("half_life residual", "statsmodels", 1e-12),
            ("variance_ratio ratio", "arch", 1e-12),
            ("variance_ratio statistic", "arch", 1e-11),
            ("variance_ratio p", "arch", 1e-12),
            ("rescaled_range exponent", "nolds", 1e-12),
            ("hurst dfa", "nolds", 1e-12),
            ("serial acf", "statsmodels", 1e-13),
            ("serial pacf", "statsmodels", 1e-13),
            ("serial ljung_box", "statsmodels", 1e-12),
            ("serial ljung_box_p", "statsmodels", 1e-12),
            ("serial jarque_bera", "statsmodels", 1e-12),
            ("serial jarque_bera_p", "statsmodels", 1e-12),
        ],
        plot: |inputs| {
            let ratios = |name: &str| -> Vec<f64> {
                let x = inputs.get(name);
                (2..=33).map(|q| variance_ratio(&x, q, true).unwrap().ratio).collect()
            };
            format!(
                "{}{}",
                line("variance ratio of AR(0.9), over 2 to 33 bars", &ratios("ar")),
                line("variance ratio of a random walk, over 2 to 33 bars", &ratios("walk"))
            )
        },
    },
    Family {
        title: "Volatility",
        functions: &[
            [
                "`garch`",
                "GARCH(1,1) and GJR by maximum likelihood; mean zero or constant; normal or Student's shocks",
                "Bollerslev 1986, 1987; Glosten, Jagannathan and Runkle 1993",
            ],
            ["`garch_log_likelihood`", "variances and likelihood at given parameters", "–"],
            ["`GarchParameters::next`, `forecast`", "the next variances, live", "–"],
            ["`ewma_variances`", "exponential weights", "RiskMetrics 1996"],
        ],
        compared: &[
            ("garch_at log_likelihood", "arch", 1e-13),
            ("garch_at variance", "arch", 1e-13),
            ("garch log_likelihood", "arch", 1e-7),
            ("garch parameter", "arch", 1e-4),
            ("garch degrees", "arch", 1e-4),
            ("garch next", "arch", 1e-3),
            ("ewma variance", "arch", 1e-13),
        ],
        plot: |inputs| {
            let r = inputs.get("sp500_2008");
            let model = GarchModel { asymmetric: true, mean: true, shocks: Shocks::Student };
            let volatility: Vec<f64> = garch(&r, model).unwrap().variances.iter().map(|v| v.sqrt()).collect();
            let size: Vec<f64> = r.iter().map(|r| r.abs()).collect();
            format!(
                "{}{}",
                line("S&P 500 around 2008, size of daily returns, %", &size),
                line("its GJR volatility, %", &volatility)
            )
        },
    },
    Family {
        title: "Regimes",
        functions: &[
            ["`Hmm::fit`", "normal regimes by expectation and maximisation", "Baum et al. 1970; Rabiner 1989"],
            [
                "`HmmFilter`, `Hmm::probabilities`",
                "filtered probabilities, live and for a history; smoothed ones for study",
                "Hamilton 1989; Kim 1994",
            ],
            ["`Hmm::likeliest_path`", "for study", "Viterbi 1967"],
        ],
        compared: &[
            ("hmm start", "hmmlearn", 1e-10),
            ("hmm transition", "hmmlearn", 1e-10),
            ("hmm mean", "hmmlearn", 1e-10),
            ("hmm variance", "hmmlearn", 1e-10),
            ("hmm log_likelihood", "hmmlearn", 1e-11),
            ("hmm history", "hmmlearn", 1e-11),
            ("hmm filtered", "hmmlearn", 1e-10),
            ("hmm smoothed", "hmmlearn", 1e-10),
            ("hmm path", "hmmlearn", 0.0),
        ],
        plot: |inputs| {
            let r = inputs.get("sp500_2008");
            let search = HmmSearch { steps: 200, least_gain: 1e-4, variance_prior: 0.01 };
            let model = Hmm::of_volatility(&r, 2).unwrap().fit(&r, search).unwrap().model;
            let p = model.probabilities(&r).unwrap();
            let second = |x: &[f64]| -> Vec<f64> { x.chunks_exact(2).map(|p| p[1]).collect() };
            format!(
                "{}{}",
                line("probability of the volatile regime around 2008, filtered", &second(&p.filtered)),
                line("the same, smoothed: it knows the future", &second(&p.smoothed))
            )
        },
    },
    Family {
        title: "Drifting hedge ratios",
        functions: &[[
            "`KalmanHedge`",
            "intercept and hedge ratio as random walks; the innovation is the spread",
            "Kalman 1960; Chan 2013",
        ]],
        compared: &[
            ("kalman log_likelihood", "statsmodels", 1e-8),
            ("kalman hedge", "statsmodels", 1e-6),
            ("kalman hedge", "mpmath", 1e-6),
            ("kalman intercept", "statsmodels", 1e-5),
            ("kalman intercept", "mpmath", 1e-6),
            ("kalman innovation", "statsmodels", 1e-6),
            ("kalman innovation", "mpmath", 1e-7),
            ("kalman variance", "statsmodels", 1e-7),
            ("kalman error", "statsmodels", 1e-7),
        ],
        plot: |inputs| {
            let (y, x) = (inputs.get("xom"), inputs.get("cvx"));
            let mut k = KalmanHedge::new([1.0; 2], [1e-5; 2], 1e-3).unwrap();
            let hedge: Vec<f64> = x
                .iter()
                .zip(&y)
                .map(|(x, y)| {
                    k.update(*x, *y).unwrap();
                    k.hedge
                })
                .collect();
            line("XOM's hedge ratio in CVX, from the 20th day on", &hedge[20..])
        },
    },
    Family {
        title: "Changes of level",
        functions: &[
            ["`level_changes`", "the changes of the mean that cost least (PELT)", "Killick, Fearnhead and Eckley 2012"],
            ["`Cusum`", "cumulative sums, live; hand-worked against the NIST e-Handbook, 6.3.2.3", "Page 1954"],
        ],
        compared: &[
            ("level_changes count", "ruptures", 0.0),
            ("level_changes at", "ruptures", 0.0),
            ("level_changes count", "ruptures Dynp", 0.0),
            ("level_changes at", "ruptures Dynp", 0.0),
        ],
        plot: |inputs| {
            let x = inputs.get("steps");
            let cuts = level_changes(&x, 6.0, 5).unwrap();
            let mut level = Vec::new();
            for piece in [&[0], &cuts[..], &[x.len()]].concat().windows(2) {
                let piece = &x[piece[0]..piece[1]];
                level.extend(std::iter::repeat_n(piece.iter().sum::<f64>() / piece.len() as f64, piece.len()));
            }
            format!(
                "{}{}",
                line("four levels and noise, changes at 120, 240, 360", &x),
                line(&format!("levels found, changes at {cuts:?}"), &level)
            )
        },
    },
    Family {
        title: "Principal components",
        functions: &[[
            "`Pca::fit`, `scores`",
            "of covariances or correlations, by Jacobi's eigenvalues",
            "Jolliffe 2002",
        ]],
        compared: &[
            ("pca variance", "scikit-learn", 1e-11),
            ("pca share", "scikit-learn", 1e-11),
            ("pca component", "scikit-learn", 1e-9),
        ],
        plot: |inputs| {
            let moves: Vec<Vec<f64>> = ["xom", "cvx", "ko", "pep", "jpm", "bac", "unh", "jnj"]
                .iter()
                .map(|n| inputs.get(n).windows(2).map(|w| w[1] - w[0]).collect())
                .collect();
            let moves: Vec<&[f64]> = moves.iter().map(Vec::as_slice).collect();
            let p = Pca::fit(&moves, true).unwrap();
            line("shares of eight components of eight shares' returns", &p.shares)
        },
    },
];

/// A plot of a line: blocks of eight heights between the least and the largest value, means of what falls on one.
fn line(title: &str, x: &[f64]) -> String {
    let width = x.len().min(96);
    let at = |k: usize| k * x.len() / width;
    let means: Vec<f64> =
        (0..width).map(|k| x[at(k)..at(k + 1)].iter().sum::<f64>() / (at(k + 1) - at(k)) as f64).collect();
    let least = means.iter().fold(f64::INFINITY, |m, v| m.min(*v));
    let most = means.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
    let block =
        |v: &f64| ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][((v - least) / (most - least) * 7.0).round() as usize];
    format!("{title}: {least:.3} to {most:.3}\n{}\n", means.iter().map(block).collect::<String>())
}

fn rounded(x: f64) -> String {
    if x == 0.0 { "exact".to_owned() } else { format!("{x:.0e}") }
}

/// `UPDATE_GOLDEN=1` writes the page anew.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads and writes the docs")]
fn the_page_says_what_the_comparison_found() {
    let (compared, inputs) = (compare(), Inputs::read());
    let listed =
        |c: &Compared| FAMILIES.iter().any(|f| f.compared.iter().any(|(w, s, _)| *w == c.what && *s == c.source));
    for c in &compared {
        assert!(listed(c), "{} against {} is not on the page", c.what, c.source);
    }
    let mut page = HEAD.to_owned();
    for family in FAMILIES {
        write!(page, "\n## {}\n\n| function | what it does | source |\n|---|---|---|\n", family.title).unwrap();
        for [name, what, source] in family.functions {
            writeln!(page, "| {name} | {what} | {source} |").unwrap();
        }
        page.push_str("\n| what | compared with | rows | worst |\n|---|---|---|---|\n");
        for (what, source, bound) in family.compared {
            let c = compared.iter().find(|c| c.what == *what && c.source == *source);
            let c = c.unwrap_or_else(|| panic!("{what} against {source}: nothing compared"));
            assert!(c.error <= *bound, "{what} against {source}: {:e} above {bound:e} at {}", c.error, c.at);
            writeln!(page, "| {what} | {source} | {} | {} |", c.rows, rounded(c.error)).unwrap();
        }
        write!(page, "\n```text\n{}```\n", (family.plot)(&inputs)).unwrap();
    }
    page.push_str(TAIL);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/econometrics.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(std::fs::read_to_string(path).is_ok_and(|t| t == page), "run with UPDATE_GOLDEN=1 to write {path}");
}
