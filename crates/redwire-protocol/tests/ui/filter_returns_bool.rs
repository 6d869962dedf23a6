//! A filter that returns a bool.

use redwire_protocol::{CommandSet, Commands, HandlerBase, Outgoing};

#[derive(Clone)]
struct Near;

impl<H: HandlerBase> CommandSet<H> for Near {
    fn commands(_: &mut Commands<Self, H>) {}
    fn filter(&self, message: &mut Outgoing<'_>) -> bool {
        message.json().is_object()
    }
}

fn main() {}
