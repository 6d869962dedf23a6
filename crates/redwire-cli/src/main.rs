//! The program `redwire`: a gateway from Redis to browsers, and a demo that needs no Redis.

/// Messages are made by one thread and freed by another, which costs glibc's allocator locks: docs/decisions.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod demo;
mod gateway;
mod glob;
mod options;
mod pages;
mod run;

use std::error::Error;
use std::io::{IsTerminal, stderr};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, fmt, registry};

use options::{Cli, Command, Log};

/// Exit codes: 0 after a clean shutdown, 1 if the server cannot run, 2 if the options make no sense.
fn main() -> ExitCode {
    let (given, vehicles) = match Cli::parse().command {
        Command::Serve(given) => (given, None),
        Command::Demo(demo) => (demo.given, Some(demo.vehicles)),
    };
    let options = match given.complete() {
        Ok(options) => options,
        Err(message) => return fail(2, &message),
    };
    log(options.log);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &error.to_string()),
    };
    let result = runtime.block_on(async {
        match vehicles {
            Some(vehicles) => run::demo(options, vehicles).await,
            None => run::serve(options).await,
        }
    });
    // A client that does not answer, or a command in flight, must not hold the process.
    runtime.shutdown_background();
    result.map_or_else(|error| fail(1, &with_causes(&*error)), |()| ExitCode::SUCCESS)
}

fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[expect(clippy::print_stderr, reason = "the one line that says why the program ends")]
fn fail(code: u8, message: &str) -> ExitCode {
    eprintln!("redwire: {message}");
    ExitCode::from(code)
}

/// Writes what redwire itself says, and nothing else: the libraries under it print whole frames at
/// `RUST_LOG=trace`, and what visitors read is not for the log.
fn log(format: Log) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let own = filter_fn(|metadata| metadata.target().starts_with("redwire"));
    let lines = fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal());
    let lines = match format {
        Log::Text => lines.boxed(),
        Log::Json => lines.json().boxed(),
    };
    registry().with(filter).with(own).with(lines).init();
}
