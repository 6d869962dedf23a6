//! Parity with redis-websocket-api 0.4.4, scenario by scenario (S001 to S058). Each scenario runs over
//! a real socket on both backends where it does not itself need Redis. Where the original closed the
//! connection or kept silent, the scenario runs under `compat` and a sibling shows the default.
//!
//! S048 and S049 (Redis away) are in `faults.rs`; S051 to S054 are the tests of the examples; S055, S057
//! and S058 are those of the program.

mod connection;
mod errors;
mod get;
mod subscribe;
