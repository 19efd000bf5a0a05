//! Returns of calendar months and years.

use super::finite;

/// Returns of one calendar year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct YearReturns {
    /// Year of the Gregorian calendar.
    pub year: i32,
    /// January to December; `None` for months without a row.
    pub months: [Option<f64>; 12],
    /// The year's own return: its months compounded.
    pub total: f64,
}

/// The table of monthly and yearly returns of an equity curve, one line a year that has rows, oldest first.
///
/// `days` has the day of each row, as days since 1970-01-01 in the calendar that the reader means, never decreasing;
/// several rows a day are allowed. A period's return is its last row over the last row before it, less 1; the first
/// row is what the first period starts from, so the first and the last month may be parts of one.
///
/// `None` for fewer than two rows, lengths that differ, days that decrease, or a row that is divided by and not above 0,
/// or any that is not finite. Equal to empyrical's `aggregate_returns` and quantstats' `monthly_returns` (which puts 0
/// where we have none).
#[must_use]
pub fn calendar_returns(days: &[i32], equity: &[f64]) -> Option<Vec<YearReturns>> {
    if days.len() != equity.len() || equity.len() < 2 || !days.is_sorted() || equity.iter().any(|e| !e.is_finite()) {
        return None;
    }
    let growth = |from: f64, to: f64| if from > 0.0 { finite(to / from - 1.0) } else { None };
    let mut table: Vec<YearReturns> = Vec::new();
    // Equity before the current year and before the current month.
    let (mut year_base, mut month_base) = (equity[0], equity[0]);
    let mut last = (0, 0);
    for ((day, e), before) in days.iter().zip(equity).skip(1).zip(equity) {
        let (year, month) = year_and_month(*day);
        if table.is_empty() || last.0 != year {
            year_base = *before;
            table.push(YearReturns { year, months: [None; 12], total: 0.0 });
        }
        if table.is_empty() || last != (year, month) {
            month_base = *before;
        }
        last = (year, month);
        let line = table.last_mut()?;
        *line.months.get_mut(month)? = Some(growth(month_base, *e)?);
        line.total = growth(year_base, *e)?;
    }
    Some(table)
}

/// Year and month (0 for January) of a day since 1970-01-01. Source: Howard Hinnant, `civil_from_days`.
fn year_and_month(day: i32) -> (i32, usize) {
    let day = i64::from(day) + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Years here start in March.
    let from_march = (5 * of_year + 2) / 153;
    let month = (from_march + 2) % 12;
    let year = year_of_era + era * 400 + i64::from(month < 2);
    (year as i32, month as usize)
}
