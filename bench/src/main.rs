//! What boxes, projections, fan-out and Redis clients cost. Each command prints one table; `docs/benchmarks.md`
//! says what it means.

mod client;
mod cpu;
mod crowd;
mod crs;
mod documents;
mod matching;
mod peers;
mod rewriting;
mod scene;
mod structures;
mod table;

use std::error::Error;
use std::io::Write as _;

use client::Extent;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

const USAGE: &str = "\
redwire-bench matching   find the viewers whose boxes a message touches
redwire-bench rewriting  locate and project features, against a serde_json round trip
redwire-bench crowd      one publication to 10,000 viewers in three projections
redwire-bench client [--quick]  redwire-client against redis-rs, deadpool-redis, fred and rustis
redwire-bench peers [--help]    redwire beside other servers, and beside bare writes
";

fn main() -> Result<()> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let table = match words.as_slice() {
        ["matching"] => matching::run(),
        ["rewriting"] => rewriting::run()?,
        ["crowd"] => crowd::run()?,
        ["client"] => client::run(Extent::FULL)?,
        ["client", "--quick"] => client::run(Extent::QUICK)?,
        ["peers", words @ ..] => peers::run(words)?,
        // What `peers` starts beside itself.
        ["floor", port] => return peers::floor::run(port.parse()?, false),
        ["floor", port, "--coalesced"] => return peers::floor::run(port.parse()?, true),
        // What `crowd` starts beside itself, so that only the server's CPU time is measured.
        ["viewers", address] => return crowd::viewers::run(address),
        _ => return Err(USAGE.into()),
    };
    write!(std::io::stdout(), "{table}")?;
    Ok(())
}
