use std::fs;
use std::time::Duration;

use crate::Result;

/// The processes of a group, which is all that a server has started, as the operating system counts what
/// they use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accounts {
    pub(crate) group: u32,
}

/// KiB of main memory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Resident.
    pub(crate) rss: f64,
    /// The same with a share of what others have as well.
    pub(crate) pss: f64,
}

impl Accounts {
    fn processes(self) -> Result<Vec<u32>> {
        let mut processes = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse().ok())
            else {
                continue;
            };
            if group_of(process) == Some(self.group) {
                processes.push(process);
            }
        }
        if processes.is_empty() { Err("the server has ended".into()) } else { Ok(processes) }
    }

    /// CPU time of all threads so far, the kernel's part included: the scheduler's own count, in
    /// nanoseconds, where `/proc/PID/stat` has hundredths of a second.
    pub(crate) fn cpu(self) -> Result<Duration> {
        let mut total = 0;
        for process in self.processes()? {
            for thread in fs::read_dir(format!("/proc/{process}/task"))? {
                // Threads come and go.
                let Ok(spent) = fs::read_to_string(thread?.path().join("schedstat")) else {
                    continue;
                };
                total += spent.split(' ').next().ok_or("no CPU time")?.parse::<u64>()?;
            }
        }
        Ok(Duration::from_nanos(total))
    }

    pub(crate) fn memory(self) -> Result<Memory> {
        let mut memory = Memory::default();
        for process in self.processes()? {
            let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
            let field = |name: &str| {
                let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
                line.split_whitespace().next()?.parse::<f64>().ok()
            };
            memory.rss += field("Rss:").ok_or("no RSS")?;
            memory.pss += field("Pss:").ok_or("no PSS")?;
        }
        Ok(memory)
    }
}

fn group_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(2)?.parse().ok()
}
