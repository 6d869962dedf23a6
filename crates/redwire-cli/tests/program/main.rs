//! The program `redwire` itself, as a process: its options, pages, log, demo, start and end.

mod demo;
mod log;
mod options;
mod pages;
mod policy;
mod shutdown;
mod start;

use redwire_test::{Program, RedisServer};

const REDWIRE: &str = env!("CARGO_BIN_EXE_redwire");

/// `redwire serve` on this Redis, with these arguments.
async fn serve(args: &[&str], redis: &RedisServer) -> Program {
    Program::start_with(REDWIRE, &[&["serve"], args].concat(), Some(redis)).await
}

/// A `redwire serve` that ends by itself: its exit code, and what it wrote to stderr.
fn refuses(args: &[&str]) -> (i32, String) {
    Program::fails(REDWIRE, &[&["serve"], args].concat())
}
