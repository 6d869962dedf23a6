//! What becomes of visitors when Redis fails: S048, S049, and every fault that Redis can be given.
//!
//! Nobody is disconnected, everything heals, and no loss is silent.

mod cuts;
mod ledger;
mod outages;
mod publisher;
mod scene;
mod start;
