//! `docs/options.md`, written from this list and from what the comparison with other libraries found.

use super::oracle::{Compared, compare};
use crate::vmath::tests::worst_ulps;
use std::fmt::Write;

const HEAD: &str = include_str!("page_head.md");
const TAIL: &str = include_str!("page_tail.md");

fn rounded(x: f64) -> String {
    if x == 0.0 { "exact".to_owned() } else { format!("{x:.0e}") }
}

fn table(page: &mut String, compared: &[Compared], bounds: &[(&str, &str, f64)]) {
    page.push_str("| what | compared with | rows | worst |\n|---|---|---|---|\n");
    for (what, source, bound) in bounds {
        let c = compared.iter().find(|c| c.what == *what && c.source == *source);
        let c = c.unwrap_or_else(|| panic!("{what}: nothing compared"));
        assert!(c.error <= *bound, "{what} against {source}: {:e} above {bound:e} at {}", c.error, c.at);
        writeln!(page, "| {what} | {source} | {} | {} |", c.rows, rounded(c.error)).unwrap();
    }
}

/// Usual options: relative, near a zero of the Greek against a thousandth of its size at the money.
const USUAL: &[(&str, &str, f64)] = &[
    ("price", "mpmath", 2e-14),
    ("delta", "mpmath", 2e-14),
    ("gamma", "mpmath", 1e-14),
    ("vega", "mpmath", 1e-14),
    ("theta", "mpmath", 5e-14),
    ("rho", "mpmath", 1e-14),
    ("carry_rho", "mpmath", 1e-14),
    ("discount_rho", "mpmath", 1e-14),
    ("vanna", "mpmath", 5e-14),
    ("volga", "mpmath", 1e-13),
    ("charm", "mpmath", 5e-14),
    ("speed", "mpmath", 5e-14),
    ("zomma", "mpmath", 3e-13),
    ("color", "mpmath", 1e-13),
    ("gamma", "QuantLib", 1e-13),
    ("vega", "QuantLib", 1e-13),
    ("theta", "QuantLib", 5e-13),
    ("rho", "QuantLib", 1e-13),
    ("price, wing", "mpmath", 5e-13),
    ("price, strike", "mpmath", 2e-13),
    ("price, edge", "mpmath", 5e-12),
    ("Bachelier, price", "mpmath", 5e-13),
    ("Bachelier, delta", "mpmath", 5e-13),
    ("Bachelier, gamma", "mpmath", 5e-13),
    ("Bachelier, vega", "mpmath", 5e-13),
];

const IMPLIED: &[(&str, &str, f64)] = &[
    ("implied_vol, usual", "mpmath", 2e-13),
    ("(lets_be_rational itself, usual)", "mpmath", 1e-9),
    ("implied_vol, atm", "mpmath", 5e-15),
    ("(lets_be_rational itself, atm)", "mpmath", 1e-9),
    ("implied_vol, wing", "mpmath", 3e-15),
    ("(lets_be_rational itself, wing)", "mpmath", 1e-9),
    ("implied_vol, high", "mpmath", 1e-9),
    ("(lets_be_rational itself, high)", "mpmath", 1e-8),
    ("implied_vol, usual, in roundings of the premium", "mpmath", 6.0),
    ("implied_vol, atm, in roundings of the premium", "mpmath", 6.0),
    ("implied_vol, wing, in roundings of the premium", "mpmath", 6.0),
    ("implied_vol, high, in roundings of the premium", "mpmath", 6.0),
    ("implied_normal_vol, in roundings of the premium", "mpmath", 6.0),
];

/// Of the strike.
const AMERICAN: &[(&str, &str, f64)] = &[
    ("American, fast", "QuantLib", 4e-5),
    ("(QuantLib's own fast scheme)", "QuantLib", 2e-5),
    ("American, accurate", "QuantLib", 5e-7),
    ("American, Grid 800 × 400", "QuantLib", 3e-5),
    ("cash dividends, Grid 800 × 400", "QuantLib", 1e-5),
];

/// `UPDATE_GOLDEN=1` writes the page anew.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads and writes the docs")]
fn the_page_says_what_the_comparison_found() {
    let compared = compare();
    let mut page = HEAD.to_owned();
    page.push_str("\n## Vector mathematics\n\nUnits in the last place, against 60 digits.\n\n| function | rows | worst |\n|---|---|---|\n");
    for (name, rows, worst) in worst_ulps() {
        writeln!(page, "| `{name}` | {rows} | {worst:.1} |").unwrap();
    }
    page.push_str("\n## European options\n\nRelative; near a zero of a Greek against a thousandth of its size at the money. `wing`: 2 to 30 standard deviations\nout; `strike`: 1e-12 to 1e12; `edge`: no time, no or endless volatility, negative rates, where the premium of an option\nin the money can lose what its intrinsic value rounds off.\n\n");
    table(&mut page, &compared, USUAL);
    page.push_str("\n## Implied volatility\n\nRelative; then in roundings: the error over what one unit in the last place of the premium, of the intrinsic value and\nof the answer moves the answer by, which is all that a double determines.\n\n");
    table(&mut page, &compared, IMPLIED);
    page.push_str("\n## American options and cash dividends\n\nOf the strike, against QuantLib's scheme of highest precision (dividends: its finite differences, 1,000 × 1,500).\n\n");
    table(&mut page, &compared, AMERICAN);
    page.push_str(TAIL);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/options.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(std::fs::read_to_string(path).is_ok_and(|t| t == page), "run with UPDATE_GOLDEN=1 to write {path}");
}
