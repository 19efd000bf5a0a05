//! Attempts at a task, one task after the other or many beside each other on a pool that was passed in.

use super::task::{Env, Status, Task};
use crate::compile::Plan;
use crate::error::NodeError;
use crate::io::{Access, Board, Channels, Desk, Io, Parcel};
use crate::node::SharedNode;
use crate::policy::Retry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A shared node's task with what it needs.
pub(crate) struct Job<'a, C> {
    pub(crate) node: &'a dyn SharedNode<C>,
    pub(crate) task: &'a mut Task,
    pub(crate) retry: &'a [Retry],
    pub(crate) access: &'a Access,
    pub(crate) writer: u32,
}

/// What all jobs of a step read.
pub(crate) struct Around<'a> {
    pub(crate) channels: &'a Channels,
    pub(crate) env: &'a Env,
    pub(crate) plan: &'a Plan,
    pub(crate) pool: Option<&'a rayon::ThreadPool>,
    /// Jobs at once.
    pub(crate) at_once: usize,
}

pub(crate) type Jobs<C> = fn(&Around<'_>, &C, Vec<Job<'_, C>>);

/// Runs all jobs, on the pool if there is one and more than one job. Whoever finishes first, each fills its own task.
pub(crate) fn run<C: Sync>(around: &Around<'_>, ctx: &C, mut jobs: Vec<Job<'_, C>>) {
    let Some(pool) = around.pool.filter(|_| jobs.len() > 1 && around.at_once > 1) else {
        jobs.iter_mut().for_each(|job| one(around, ctx, job));
        return;
    };
    let workers = around.at_once.min(pool.current_num_threads()).min(jobs.len());
    let jobs: Vec<Mutex<Job<'_, C>>> = jobs.into_iter().map(Mutex::new).collect();
    let next = AtomicUsize::new(0);
    pool.scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|_| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Ok(mut job) = job.lock() {
                        one(around, ctx, &mut job);
                    }
                }
            });
        }
    });
}

fn one<C>(around: &Around<'_>, ctx: &C, job: &mut Job<'_, C>) {
    let Job { node, task, retry, access, writer } = job;
    let mut parcels: Vec<Parcel> = std::mem::take(&mut task.parcels);
    attempts(
        task,
        around.env,
        retry,
        &mut parcels,
        |task, parcels| {
            let desk = Desk { task, env: around.env, plan: around.plan };
            let mut io = Io::on(Board::Apart(around.channels, parcels, desk), *writer, access);
            node.run(ctx, &mut io)
        },
        |_, parcels| around.channels.drop_parcels(*writer, parcels),
    );
    task.parcels = parcels;
}

/// Runs a task until it is done, has asked, has failed for good. `with` is what the two closures share.
pub(crate) fn attempts<W>(
    task: &mut Task,
    env: &Env,
    retry: &[Retry],
    with: &mut W,
    mut run: impl FnMut(&mut Task, &mut W) -> Result<(), NodeError>,
    mut undo: impl FnMut(&mut Task, &mut W),
) {
    loop {
        if task.attempt > 0 {
            task.clear_attempt();
        }
        task.attempt += 1;
        task.started_ns = if env.clock.counts_work() { 0 } else { env.clock.now_ns() };
        let error = match catch_unwind(AssertUnwindSafe(|| run(task, with))) {
            Ok(result) if !task.asks.is_empty() || matches!(result, Err(NodeError::Interrupted)) => {
                undo(task, with);
                task.status = Status::Asked;
                return;
            }
            Ok(Ok(())) => match was_late(task, env) {
                None => {
                    task.status = Status::Done;
                    return;
                }
                Some(late) => late,
            },
            Ok(Err(NodeError::ToParent(command))) => {
                undo(task, with);
                task.status = Status::Up(command);
                return;
            }
            Ok(Err(error)) => error,
            Err(cause) => {
                task.half_way = true;
                NodeError::Panicked { message: message_of(cause.as_ref()) }
            }
        };
        undo(task, with);
        // A node that was interrupted in its own work holds a state that nobody knows: it is not tried again.
        task.half_way |= *task.stopped.get_mut();
        let half_way = task.half_way;
        let rule = retry.iter().find(|rule| !half_way && (rule.retry_on)(&error));
        match rule {
            Some(rule) if task.attempt < rule.attempts => env.clock.sleep_ns(rule.delay_ns(task.attempt, task.id)),
            _ => {
                task.status = Status::Failed(error);
                return;
            }
        }
    }
}

fn was_late(task: &mut Task, env: &Env) -> Option<NodeError> {
    let deadline_ns = task.deadline_ns?;
    let late = if env.replays { task.attempt <= task.late_before } else { task.elapsed_ns(env) > deadline_ns };
    task.late += u32::from(late);
    late.then_some(NodeError::Late { deadline_ns })
}

fn message_of(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
