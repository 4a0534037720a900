//! Work for several threads whose results come in the order of the work.
//!
//! Jobs are dealt in turn, and results are taken in turn: nothing is put aside, so that what is under way is bounded by
//! the number of threads and not by how unequal the work is.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How many jobs wait for each thread, and how many results.
const WAITING: usize = 4;

/// Somebody has gone: a thread ended before its work did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone;

/// Who takes a job on.
pub(super) type Dealer<'a, J> = &'a mut dyn FnMut(J) -> Result<(), Gone>;

/// Deals what `feed` hands over to `threads` workers, each of its own `make`, and takes their results in order.
pub(super) fn deal<J, R, W, T>(
    threads: usize,
    make: impl Fn() -> W + Sync,
    feed: impl FnOnce(Dealer<'_, J>) -> T,
    take: impl FnMut(R) + Send,
) -> T
where
    J: Send,
    R: Send,
    W: FnMut(J) -> R,
{
    let make = &make;
    std::thread::scope(|scope| {
        let (mut jobs, mut results) = (Vec::new(), Vec::new());
        for _ in 0..threads.max(1) {
            let (job, of_jobs) = sync_channel::<J>(WAITING);
            let (result, of_results) = sync_channel::<R>(WAITING);
            scope.spawn(move || work(make(), &of_jobs, &result));
            jobs.push(job);
            results.push(of_results);
        }
        scope.spawn(move || collect(&results, take));
        let mut turns = (0..jobs.len()).cycle();
        feed(&mut |job| {
            let to = turns.next().and_then(|turn| jobs.get(turn)).ok_or(Gone)?;
            to.send(job).map_err(|_| Gone)
        })
    })
}

fn work<J, R>(mut work: impl FnMut(J) -> R, jobs: &Receiver<J>, results: &SyncSender<R>) {
    for job in jobs {
        if results.send(work(job)).is_err() {
            return;
        }
    }
}

/// The first thread that has nothing more in its turn was dealt nothing more, and so was none after it.
fn collect<R>(results: &[Receiver<R>], mut take: impl FnMut(R)) {
    for results in results.iter().cycle() {
        match results.recv() {
            Ok(result) => take(result),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_work_however_unequal_it_is() {
        for threads in [0, 1, 3, 8] {
            let mut taken = Vec::new();
            let slow = || {
                |job: u64| {
                    // Every seventh is a thousand times as much.
                    let turns = if job.is_multiple_of(7) { 200_000 } else { 200 };
                    (job, (0..turns).fold(job, |sum, turn: u64| sum.wrapping_mul(31).wrapping_add(turn)))
                }
            };
            let fed = deal(threads, slow, |dealer| (0..500).try_for_each(dealer), |(job, _)| taken.push(job));
            assert_eq!(fed, Ok(()));
            assert_eq!(taken, (0..500).collect::<Vec<_>>(), "{threads}");
        }
    }
}
