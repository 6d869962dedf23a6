//! A handler that forgot to decide what a visitor may see.

use redwire_protocol::HandlerBase;

struct Public;

impl HandlerBase for Public {}

fn main() {}
