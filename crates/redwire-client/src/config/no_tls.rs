//! Stands in for `tls` without the feature of that name: there can be no value of it.

use redis::{Client, ConnectionAddr, ConnectionInfo};

use super::url;
use crate::Error;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tls {}

impl Tls {
    pub(super) fn of_url() -> Result<Self, Error> {
        Err(url::bad("scheme", "asks for tls, which is not built in"))
    }

    pub(super) fn address(host: &str, port: u16) -> ConnectionAddr {
        ConnectionAddr::Tcp(host.to_owned(), port)
    }

    pub(super) fn client(&self, _info: ConnectionInfo) -> Result<Client, Error> {
        match *self {}
    }
}

pub(crate) fn is_disagreement(_error: &redis::RedisError) -> bool {
    false
}
