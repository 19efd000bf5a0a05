//! `tradegraph bench crash`: a run whose power goes at every operation on its disk, and again while it recovers.
//!
//! The scenario runs once and its operations are recorded. A point is a number: it chooses the operation at which the power
//! goes and what of the unsynced operations survives; the seed chooses which. The program is started on what is then on the
//! disk and must come to the result of the undisturbed run. While it does, a second crash is made in the same way.

mod scenario;
#[cfg(test)]
mod tests;

use crate::cli::Context;
use crate::failure::{Failure, Kind};
use crate::home::cannot;
use scenario::{Scenario, acknowledged};
use serde_json::json;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tradegraph_simulation::{Image, Op, Random, Survival};

/// Failures that are described; the others are counted.
const DESCRIBED: usize = 10;

/// A folder that goes away with its owner.
struct Folder(PathBuf);

impl Folder {
    /// A new one in memory where the system has that, else among the temporary files.
    fn new(name: &str) -> Result<Folder, String> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let shm = Path::new("/dev/shm");
        let above = if shm.is_dir() { shm.to_owned() } else { std::env::temp_dir() };
        let n = MADE.fetch_add(1, Ordering::Relaxed);
        let path = above.join(format!("tradegraph-crash-{}-{n}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|e| cannot("made", &path, &e).what)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Leftovers of a bench do no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where and how the power goes.
#[derive(Clone, Copy, Debug)]
struct Crash {
    at: usize,
    survival: Survival,
}

impl Crash {
    /// Point `n` of `ops`: each operation in turn with nothing, everything, a torn write and some parts surviving, then again
    /// with other parts.
    fn point(n: u64, ops: &[Op]) -> Crash {
        let places = ops.len() as u64 + 1;
        let survival = match (n / (4 * places), n % 4) {
            (0, 0) => Survival::Nothing,
            (0, 1) => Survival::Everything,
            (_, 2) => Survival::Torn,
            _ => Survival::Some,
        };
        Crash { at: usize::try_from(n / 4 % places).unwrap_or_default(), survival }
    }

    fn any(ops: &[Op], random: &mut Random) -> Crash {
        let survival = match random.below(4) {
            0 => Survival::Nothing,
            1 => Survival::Everything,
            2 => Survival::Torn,
            _ => Survival::Some,
        };
        Crash { at: random.below(ops.len() + 1), survival }
    }

    fn describe(&self, ops: &[Op]) -> String {
        let op = match ops.get(self.at) {
            None => "the last operation is over".to_owned(),
            Some(Op::Write(file, offset, bytes)) => {
                format!("{} bytes are written to file {file} at {offset}", bytes.len())
            }
            Some(op) => format!("{op:?} is under way"),
        };
        format!("operation {} of {}: {op}; {}", self.at, ops.len(), self.survival.name())
    }
}

/// What a sweep found.
#[derive(Debug, Default)]
struct Found {
    points: u64,
    during_recovery: u64,
    recovery_ops: u64,
    failed: u64,
    failures: Vec<(u64, String)>,
}

/// One point: a crash, the start after it, a crash during that start, and the start after that.
fn point(scenario: &Scenario, seed: u64, n: u64) -> Result<usize, String> {
    let mut random = Random::new(seed, n);
    let crash = Crash::point(n, &scenario.ops);
    let image = Image::default().after(&scenario.ops, crash.at, crash.survival, &mut random);
    let left = acknowledged(&scenario.ops, crash.at);
    let at = |e: String| format!("{}: {e}", crash.describe(&scenario.ops));
    let ops = start(scenario, &image, left).map_err(at)?;
    let again = Crash::any(&ops, &mut random);
    let second = image.after(&ops, again.at, again.survival, &mut random);
    let left = left_after(left, acknowledged(&ops, again.at));
    start(scenario, &second, left).map_err(|e| at(format!("then, during recovery, {}: {e}", again.describe(&ops))))?;
    Ok(ops.len())
}

/// What is acknowledged after a start: a run that had no record yet begins anew, and then only the new one counts.
fn left_after(before: u64, new: u64) -> u64 {
    if new == 0 { before } else { before.max(new) }
}

/// Starts the program on an image; gives the operations of the start.
fn start(scenario: &Scenario, image: &Image, left: u64) -> Result<Vec<Op>, String> {
    let folder = Folder::new("point")?;
    image.write(&folder.0).map_err(|e| cannot("written", &folder.0, &e).what)?;
    let disk = scenario.disk(&folder.0, image)?;
    let recovered = catch_unwind(AssertUnwindSafe(|| scenario.recover(&disk, left)));
    recovered.unwrap_or_else(|_| Err("the program panicked".to_owned()))?;
    Ok(disk.take())
}

/// Calls `work` for each number, on two threads a core: each of them waits for SQLite's most of the time.
fn each(numbers: Range<u64>, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(numbers.start);
    let threads = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= numbers.end {
                        return;
                    }
                    work(n);
                }
            });
        }
    });
}

/// All these points.
fn sweep(scenario: &Scenario, seed: u64, points: Range<u64>, progress: &(dyn Fn(u64) + Sync)) -> Found {
    let found = Mutex::new(Found::default());
    each(points, |n| {
        let outcome = point(scenario, seed, n);
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.points += 1;
        match outcome {
            Ok(ops) => {
                found.during_recovery += 1;
                found.recovery_ops += ops as u64;
            }
            Err(what) => {
                found.failed += 1;
                found.failures.push((n, what));
            }
        }
        progress(found.points);
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.failures.sort();
    found.failures.truncate(DESCRIBED);
    found
}

/// Runs the command: `points` of them, or one.
pub fn run(context: &Context, seed: u64, points: Option<u64>, only: Option<u64>) -> Result<(), Failure> {
    let out = context.out;
    let failed = |what: String| Failure::new(Kind::Failed, what);
    let clock = Instant::now();
    let folder = Folder::new("scenario").map_err(failed)?;
    let scenario = Scenario::new(&folder.0).map_err(failed)?;
    // Before, during and after every operation, once with each kind of survival.
    let whole = 4 * (scenario.ops.len() as u64 + 1);
    let range = only.map_or(0..points.unwrap_or(whole), |n| n..n.saturating_add(1));
    let (groups, orders) = scenario.size();
    out.stage(&format!("scenario  {} operations, {groups} commit groups, {orders} orders", scenario.ops.len()));
    let bar = out.bar(range.end - range.start);
    let found = sweep(&scenario, seed, range, &|done| bar.set_position(done));
    bar.finish_and_clear();
    let seconds = clock.elapsed().as_secs_f64();
    let repeat = |n: u64| format!("tradegraph bench crash --seed {seed} --point {n}");
    out.say(&format!(
        "crashes   {} and {} during recovery, {} recoveries differ from the undisturbed run, {seconds:.1} s",
        found.points, found.during_recovery, found.failed
    ));
    out.result(&json!({
        "bench": "crash", "seed": seed, "operations": scenario.ops.len(), "groups": groups, "orders": orders,
        "points": found.points, "during_recovery": found.during_recovery,
        "operations_of_recoveries": found.recovery_ops, "failed": found.failed, "seconds": seconds,
        "failures": found.failures.iter().map(|(n, what)| json!({ "point": n, "what": what, "repeat": repeat(*n) }))
            .collect::<Vec<_>>(),
    }));
    match found.failures.first() {
        None => Ok(()),
        Some((n, what)) => {
            let what = format!("{} of {} points failed; point {n}: {what}", found.failed, found.points);
            Err(Failure::new(Kind::Differs, what).next(format!("repeat it: {}", repeat(*n))))
        }
    }
}
