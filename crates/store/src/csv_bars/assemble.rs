//! Rows in the order of the file to rows in the order of time, several symbols to one grid, and the batch.

use tradegraph_columns::Status;
use tradegraph_domain::{BarPeriod, BarSpec, Date, Nanos, Timestamp};
use tradegraph_market::{Batch, BatchParts};

use super::header::{Header, Shape, Time};
use super::read::Table;
use super::{BarLabel, CsvRequest, ImportError, Imported, Reason};
use crate::steps::Steps;

pub(crate) fn batch(
    request: &CsvRequest<'_>,
    file: &str,
    header: &Header,
    mut table: Table,
    session: &dyn Fn(Date) -> Option<(Timestamp, Timestamp)>,
) -> Result<Imported, ImportError> {
    // Rows × symbols of a long table is a product that its size does not bound.
    let bound = table.keys.len().saturating_mul(table.width);
    if bound > MOST_CELLS && distinct(&table.keys).saturating_mul(table.width) > MOST_CELLS {
        return Err(ImportError::TooSparse { file: file.to_owned(), symbols: table.width });
    }
    let long = matches!(header.shape, Shape::Long { .. });
    let mut steps = Steps::default();
    let mut grid = if long { scatter(&mut table, header, &mut steps) } else { gather(&mut table, header, &mut steps) };
    let mut period = BarPeriod::Session;
    let mut starts = Vec::with_capacity(grid.keys.len());
    let mut ends = Vec::with_capacity(grid.keys.len());
    if !grid.keys.is_empty() {
        match header.time {
            Time::Date(_) => {
                for key in &grid.keys {
                    // Rows without a session were left out when they were read.
                    let (open, close) = i32::try_from(*key).ok().and_then(|d| session(Date(d))).unwrap_or_default();
                    starts.push(open);
                    ends.push(close);
                }
            }
            Time::Stamp(column) => {
                let length = match (request.period, steps.usual()) {
                    (Some(given), _) if given.0 <= 0 || given.0 > 366 * Nanos::DAY.0 => {
                        return Err(ImportError::BadPeriod { file: file.to_owned(), period: given });
                    }
                    (Some(given), _) => given,
                    (None, Some(step)) => Nanos(step),
                    (None, None) => return Err(ImportError::Period { file: file.to_owned() }),
                };
                period = BarPeriod::Fixed(length);
                let shift = if request.label == BarLabel::End { length.0 } else { 0 };
                keep_bars_in_sessions(request, &mut table, &mut grid, column, shift, length);
                starts.extend(grid.keys.iter().map(|k| Timestamp(k - shift)));
                ends.extend(grid.keys.iter().map(|k| Timestamp(k - shift + length.0)));
            }
        }
    }
    let mut quarantine = table.notes.problems;
    quarantine.sort_by_key(|p| p.line);
    let cells_kept = grid.status.iter().filter(|s| **s == Status::Ok).count() as u64;
    if cells_kept == 0 {
        let first = quarantine.into_iter().next().map(Box::new);
        return Err(ImportError::NoRows { file: file.to_owned(), rows_read: table.rows_read, first });
    }
    let batch = Batch::new(BatchParts {
        spec: BarSpec { period, basis: request.basis, has_open: !grid.open.is_empty() },
        width: table.width,
        starts,
        ends,
        open: grid.open,
        high: grid.high,
        low: grid.low,
        close: grid.close,
        volume: grid.volume,
        status: grid.status,
    })
    .map_err(|source| ImportError::Batch { file: file.to_owned(), source })?;
    Ok(Imported {
        batch,
        symbols: table.symbols,
        rows_read: table.rows_read,
        cells_kept,
        ignored_columns: header.ignored.clone(),
        quarantine,
    })
}

/// About 5 GB of columns.
const MOST_CELLS: usize = 1 << 27;

fn distinct(keys: &[i64]) -> usize {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    keys.len()
}

/// Rows of the batch before they have their intervals.
struct Grid {
    keys: Vec<i64>,
    /// A line of the file that has the row's key.
    lines: Vec<u32>,
    open: Vec<i64>,
    high: Vec<i64>,
    low: Vec<i64>,
    close: Vec<i64>,
    volume: Vec<f64>,
    status: Vec<Status>,
}

/// One row of the file is one row of the batch.
fn gather(table: &mut Table, header: &Header, steps: &mut Steps) -> Grid {
    let all: Vec<u32> = (0..table.keys.len() as u32).collect();
    let order = in_order(table, header, all, steps);
    let width = table.width;
    let grid = Grid {
        keys: std::mem::take(&mut table.keys),
        lines: table.lines.clone(),
        open: std::mem::take(&mut table.open),
        high: std::mem::take(&mut table.high),
        low: std::mem::take(&mut table.low),
        close: std::mem::take(&mut table.close),
        volume: std::mem::take(&mut table.volume),
        status: std::mem::take(&mut table.status),
    };
    match order {
        None => grid,
        Some(order) => grid.pick(&order, width),
    }
}

/// Every row of the file is one cell of the batch.
fn scatter(table: &mut Table, header: &Header, steps: &mut Steps) -> Grid {
    let mut of_symbol: Vec<Vec<u32>> = vec![Vec::new(); table.width];
    for (row, symbol) in table.symbol.iter().enumerate() {
        of_symbol[*symbol as usize].push(row as u32);
    }
    for rows in &mut of_symbol {
        let all = std::mem::take(rows);
        let kept = in_order(table, header, all.clone(), steps);
        *rows = kept.unwrap_or(all);
    }
    let mut keys: Vec<i64> = of_symbol.iter().flatten().map(|r| table.keys[*r as usize]).collect();
    keys.sort(); // finds the ascending runs
    keys.dedup();
    let cells = keys.len() * table.width;
    let sized = |used: bool| if used { vec![0_i64; cells] } else { Vec::new() };
    let mut grid = Grid {
        lines: vec![0; keys.len()],
        open: sized(!table.open.is_empty()),
        high: sized(!table.high.is_empty()),
        low: sized(!table.low.is_empty()),
        close: sized(true),
        volume: if table.volume.is_empty() { Vec::new() } else { vec![0.0; cells] },
        status: vec![Status::NoData; cells],
        keys,
    };
    for (symbol, rows) in of_symbol.iter().enumerate() {
        let mut at = 0;
        for row in rows {
            let row = *row as usize;
            // The symbol's keys ascend and all of them are in the grid.
            while grid.keys[at] < table.keys[row] {
                at += 1;
            }
            let cell = at * table.width + symbol;
            grid.lines[at] = table.lines[row];
            grid.close[cell] = table.close[row];
            grid.status[cell] = table.status[row];
            if !grid.open.is_empty() {
                grid.open[cell] = table.open[row];
                grid.high[cell] = table.high[row];
                grid.low[cell] = table.low[row];
            }
            if !grid.volume.is_empty() {
                grid.volume[cell] = table.volume[row];
            }
        }
    }
    grid
}

impl Grid {
    /// The rows named, in the order named.
    fn pick(self, rows: &[u32], width: usize) -> Grid {
        fn pick<T: Copy>(from: &[T], rows: &[u32], width: usize) -> Vec<T> {
            if from.is_empty() {
                return Vec::new();
            }
            rows.iter().flat_map(|r| &from[*r as usize * width..(*r as usize + 1) * width]).copied().collect()
        }
        Grid {
            keys: pick(&self.keys, rows, 1),
            lines: pick(&self.lines, rows, 1),
            open: pick(&self.open, rows, width),
            high: pick(&self.high, rows, width),
            low: pick(&self.low, rows, width),
            close: pick(&self.close, rows, width),
            volume: pick(&self.volume, rows, width),
            status: pick(&self.status, rows, width),
        }
    }
}

/// Leaves out bars that overlap the one before them and bars with prices that begin while the market is shut.
fn keep_bars_in_sessions(
    request: &CsvRequest<'_>,
    table: &mut Table,
    grid: &mut Grid,
    column: usize,
    shift: i64,
    length: Nanos,
) {
    let width = table.width;
    let mut kept: Vec<u32> = Vec::with_capacity(grid.keys.len());
    for (row, key) in grid.keys.iter().enumerate() {
        let start = Timestamp(key - shift);
        let line = grid.lines[row];
        let overlapped = kept.last().filter(|last| grid.keys[**last as usize] + length.0 > *key);
        let reason = match overlapped {
            Some(last) => Reason::Overlap { line: u64::from(grid.lines[*last as usize]), period: length },
            None if !request.calendar.is_open(start) => {
                let (first, last) = request.calendar.range();
                if request.calendar.covers(start.date()) {
                    Reason::NotASession { calendar: request.calendar }
                } else {
                    Reason::OutsideCalendar { calendar: request.calendar, first, last }
                }
            }
            None => {
                kept.push(row as u32);
                continue;
            }
        };
        if grid.status[row * width..(row + 1) * width].contains(&Status::Ok) {
            table.notes.add(line, column, Timestamp(*key).to_string().as_bytes(), reason, false);
        }
    }
    if kept.len() < grid.keys.len() {
        let all = Grid {
            keys: std::mem::take(&mut grid.keys),
            lines: std::mem::take(&mut grid.lines),
            open: std::mem::take(&mut grid.open),
            high: std::mem::take(&mut grid.high),
            low: std::mem::take(&mut grid.low),
            close: std::mem::take(&mut grid.close),
            volume: std::mem::take(&mut grid.volume),
            status: std::mem::take(&mut grid.status),
        };
        *grid = all.pick(&kept, width);
    }
}

/// Of the rows of one series, those whose keys ascend; `None` if that is all of them as they are. Notes the others and
/// counts the steps between the keys kept.
fn in_order(table: &mut Table, header: &Header, mut rows: Vec<u32>, steps: &mut Steps) -> Option<Vec<u32>> {
    let key = |row: &u32| table.keys[*row as usize];
    let mut measure = |rows: &[u32]| rows.array_windows().for_each(|[a, b]| steps.add(key(b) - key(a)));
    if rows.is_sorted_by(|a, b| key(a) < key(b)) {
        measure(&rows);
        return None;
    }
    let falls = rows.array_windows().filter(|[a, b]| key(b) < key(a)).count();
    let backwards = falls * 2 > rows.len();
    if backwards {
        rows.reverse();
    }
    let keys: Vec<i64> = rows.iter().map(key).collect();
    let kept = longest_ascent(&keys);
    let order: Vec<u32> = kept.iter().map(|at| rows[*at]).collect();
    measure(&order);
    let column = header.time.column();
    let mut next = 0;
    for (at, row) in rows.iter().enumerate() {
        if kept.get(next) == Some(&at) {
            next += 1;
            continue;
        }
        let line = |row: u32| u64::from(table.lines[row as usize]);
        let same = kept.binary_search_by_key(&keys[at], |k| keys[*k]).ok();
        let reason = match same {
            Some(same) => Reason::Duplicate { line: line(order[same]) },
            None => Reason::OutOfOrder { line: line(order[next.saturating_sub(1).min(order.len() - 1)]) },
        };
        let shown = match header.time {
            Time::Date(_) => Date(i32::try_from(keys[at]).unwrap_or_default()).to_string(),
            Time::Stamp(_) => Timestamp(keys[at]).to_string(),
        };
        table.notes.add(table.lines[*row as usize], column, shown.as_bytes(), reason, false);
    }
    Some(order)
}

/// Places of a longest strictly ascending subsequence, the earliest of equal keys (patience sorting, Schensted 1961):
/// what is left over is the smallest set of rows that breaks the order.
fn longest_ascent(keys: &[i64]) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let mut tails: Vec<usize> = Vec::new();
    let mut before = vec![NONE; keys.len()];
    for (at, key) in keys.iter().enumerate() {
        let place = tails.partition_point(|t| keys[*t] < *key);
        if tails.get(place).is_some_and(|t| keys[*t] == *key) {
            continue;
        }
        before[at] = place.checked_sub(1).map_or(NONE, |p| tails[p]);
        match tails.get_mut(place) {
            Some(tail) => *tail = at,
            None => tails.push(at),
        }
    }
    let mut chain = Vec::with_capacity(tails.len());
    let mut at = tails.last().copied().unwrap_or(NONE);
    while at != NONE {
        chain.push(at);
        at = before[at];
    }
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::longest_ascent;
    use proptest::prelude::*;

    #[test]
    fn one_wrong_row_costs_one_row() {
        assert_eq!(longest_ascent(&[1, 2, 99, 3, 4]), [0, 1, 3, 4]);
        assert_eq!(longest_ascent(&[5, 6, 1, 7]), [0, 1, 3]);
        assert_eq!(longest_ascent(&[1, 1, 2, 2]), [0, 2]);
        assert_eq!(longest_ascent(&[]), [0_usize; 0]);
    }

    proptest! {
        #[test]
        fn is_ascending_and_longest(keys in proptest::collection::vec(0_i64..12, 0..10)) {
            let found = longest_ascent(&keys);
            prop_assert!(found.windows(2).all(|w| w[0] < w[1] && keys[w[0]] < keys[w[1]]));
            let best = (0_u32..1 << keys.len())
                .filter(|set| {
                    let chosen: Vec<i64> = (0..keys.len()).filter(|i| set >> i & 1 == 1).map(|i| keys[i]).collect();
                    chosen.windows(2).all(|w| w[0] < w[1])
                })
                .map(u32::count_ones)
                .max();
            prop_assert_eq!(Some(found.len() as u32), best);
        }
    }
}
