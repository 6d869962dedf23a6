//! A session for something that is no handler.

use redwire_protocol::{Ping, Protocol};

struct Public;

fn main() {
    let _ = Protocol::<Public>::new().with(Ping);
}
