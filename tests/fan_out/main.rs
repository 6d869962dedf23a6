//! Fan-out: one publication, many viewers, each with filters in a state of its own. What is shared is
//! done once, and nobody notices anybody else.

mod bursts;
mod coming_and_going;
mod crowd;
mod neighbours;
mod only;
mod released;
mod screens;
mod shared_work;
mod turns;
