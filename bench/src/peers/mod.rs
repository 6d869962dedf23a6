//! redwire, as users run it, beside the servers that they would pick instead, and beside a loop that does
//! nothing but write ready frames.

mod accounts;
mod bout;
mod contenders;
mod dialect;
pub(crate) mod floor;
mod load;
mod modes;
mod options;
mod plots;
mod scores;
mod server;

use std::io::Write as _;
use std::process::Command;
use std::time::Instant;

use clap::Parser as _;
use tokio::runtime::Builder;

use crate::Result;
use crate::table::Table;
use contenders::FLOOR;
use options::Options;
use scores::Scores;
use server::Site;

/// Lets the contenders take turns, and says on standard error how far it is.
pub(crate) fn run(words: &[&str]) -> Result<Table> {
    let options = Options::parse_from([&["redwire-bench peers"], words].concat());
    build()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (extent, modes) = (options.extent(), options.modes());
    let mut contenders = options.contenders();
    let site = Site::new(0)?;
    let mut log = std::io::stderr();
    contenders.retain(|contender| {
        let missing = contender.missing(&site);
        missing.iter().for_each(|missing| {
            writeln!(log, "{} is left out: there is no {}", contender.name, missing.display()).ok();
        });
        missing.is_none()
    });
    let names: Vec<_> = contenders.iter().map(|contender| contender.name).collect();
    let (began, mut scores, mut failures) = (Instant::now(), Scores::default(), Vec::new());
    for mode in &modes {
        for round in 0..extent.rounds.min(mode.rounds) {
            for contender in contenders.iter().filter(|contender| mode.suits(contender)) {
                let seconds = began.elapsed().as_secs();
                writeln!(log, "{seconds} s: {}, round {round}: {}", mode.name, contender.name)?;
                match mode.turn(&runtime, contender, extent) {
                    Ok(figures) => scores.add(contender.name, round, figures),
                    Err(error) => {
                        failures.push(format!("{}: {}: {error}", mode.name, contender.name))
                    }
                }
            }
            contenders.rotate_left(1);
        }
    }
    for failure in failures {
        writeln!(log, "failed: {failure}")?;
    }
    if let Some(into) = &options.plots {
        plots::draw(&scores, &names, into)?;
    }
    Ok(scores.table(&names, FLOOR))
}

/// Builds the programs that are measured, where cargo runs this one.
fn build() -> Result<()> {
    let Some(cargo) = std::env::var_os("CARGO") else { return Ok(()) };
    let words = ["build", "--release", "-p", "redwire-cli", "-p", "redwire-bench-peers"];
    let status = Command::new(cargo).args(words).arg("--quiet").status()?;
    if status.success() { Ok(()) } else { Err("the servers could not be built".into()) }
}
