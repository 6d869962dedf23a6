//! The clients' side: everything that comes is checked, with little work for each frame and no allocation.

pub(crate) mod client;
pub(crate) mod clients;
pub(crate) mod flow;
pub(crate) mod frames;
pub(crate) mod inflater;
pub(crate) mod ledger;
pub(crate) mod order;
pub(crate) mod payload;
pub(crate) mod publisher;
pub(crate) mod script;
pub(crate) mod stamp;
