//! Something stacked that is no command set.

use redwire_protocol::{HandlerBase, Protocol};

struct Public;

impl HandlerBase for Public {
    fn channel_is_allowed(&self, _: &str) -> bool {
        true
    }
}

#[derive(Clone)]
struct Near;

fn main() {
    let _ = Protocol::<Public>::new().with(Near);
}
