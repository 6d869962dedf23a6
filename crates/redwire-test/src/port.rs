use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A loopback port that stays ours, whether or not a server is listening on it.
///
/// The socket is bound and never listens. Linux then refuses connections to the port, hands it to
/// nobody as an ephemeral port, and still lets a server bind it that also sets `SO_REUSEADDR`,
/// as Redis does. So a server can die and come back with no other process in between.
#[derive(Debug)]
pub(crate) struct ReservedPort {
    number: u16,
    _bound: TcpSocket,
}

impl ReservedPort {
    pub(crate) fn any() -> Self {
        let bound = TcpSocket::new_v4().expect("a socket");
        bound.set_reuseaddr(true).expect("SO_REUSEADDR");
        bound.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free loopback port");
        let number = bound.local_addr().expect("the address of a bound socket").port();
        Self { number, _bound: bound }
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}
