use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// CPU time of the whole process so far, the kernel's part included.
pub(crate) fn of_process() -> Duration {
    spent(ClockId::ProcessCPUTime)
}

/// CPU time of this thread so far.
pub(crate) fn of_thread() -> Duration {
    spent(ClockId::ThreadCPUTime)
}

/// CPU time that each contestant needs: the least of `rounds`, in which they take turns, so that
/// whatever else the machine does meets all of them.
pub(crate) fn least<const N: usize>(
    rounds: usize,
    mut contestants: [&mut dyn FnMut(); N],
) -> [Duration; N] {
    let mut least = [Duration::MAX; N];
    for _ in 0..rounds {
        for (contestant, least) in contestants.iter_mut().zip(&mut least) {
            let before = of_thread();
            contestant();
            *least = of_thread().saturating_sub(before).min(*least);
        }
    }
    least
}

/// Nanoseconds for each of `count`.
pub(crate) fn nanoseconds(total: Duration, count: f64) -> f64 {
    total.as_secs_f64() * 1e9 / count
}

fn spent(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
