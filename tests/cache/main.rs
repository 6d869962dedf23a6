//! A cache that Redis keeps true: it spares reads, and nobody sees by it what is older than a message
//! that they got.

mod changes;
mod faults;
mod order;
mod scene;
mod spared;
mod starting;
