use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use crate::Error;
use crate::config::url::bad;

/// Redis' port.
pub(super) const PORT: u16 = 6379;

/// Where a Redis listens.
///
/// As text it is `host:port`, `[::1]:6379` or the path of a socket, and it is parsed from the same; no
/// port means 6379, and what has a slash is a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// A TCP port.
    Tcp {
        /// A name or an address; IPv6 without brackets.
        host: Arc<str>,
        /// 1 and up.
        port: u16,
    },
    /// A unix socket.
    Unix(Arc<Path>),
}

impl Endpoint {
    /// A TCP port of a host: a name or an address, IPv6 without brackets.
    pub fn tcp(host: &str, port: u16) -> Self {
        Self::Tcp { host: host.into(), port }
    }

    /// A unix socket.
    pub fn unix(path: impl AsRef<Path>) -> Self {
        Self::Unix(path.as_ref().into())
    }

    /// `host`, `host:port` or `:port`, where no host means localhost.
    pub(super) fn parse_tcp(text: &str, default_port: u16) -> Result<Self, Error> {
        let (host, port) = split_port(text);
        let port = port.map_or(Ok(default_port), parse_port)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => bracketed(address)?,
            None if host.is_empty() => "localhost",
            None => host_name(host)?,
        };
        if host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified()) {
            return Err(bad("host", "is a wildcard address"));
        }
        Ok(Self::tcp(host, port))
    }
}

/// Splits `host:port`, but not within the brackets of an IPv6 address.
fn split_port(address: &str) -> (&str, Option<&str>) {
    match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (address, None),
    }
}

// None of these quotes what was written: in a URL whose host was forgotten it is the password.

fn parse_port(text: &str) -> Result<u16, Error> {
    match text.parse() {
        Ok(port @ 1..) if !text.starts_with('+') => Ok(port),
        _ => Err(bad("port", "is not a number from 1 to 65535")),
    }
}

fn bracketed(address: &str) -> Result<&str, Error> {
    let parsed = address.parse::<Ipv6Addr>();
    parsed.map(|_| address).map_err(|_| bad("host", "has brackets and is not an ipv6 address"))
}

fn host_name(host: &str) -> Result<&str, Error> {
    let may_hold = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.bytes().all(may_hold) {
        return Ok(host);
    }
    let colon = host.contains(':');
    let hint = if colon { "; an ipv6 address stands in brackets" } else { "" };
    Err(bad("host", format!("is neither a name nor an address{hint}")))
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.contains('/') { Ok(Self::unix(text)) } else { Self::parse_tcp(text, PORT) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_read_as_it_is_written() {
        for (text, written) in [
            ("example.org", "example.org:6379"),
            ("my_redis-1:7000", "my_redis-1:7000"),
            ("127.0.0.1:7000", "127.0.0.1:7000"),
            (":7000", "localhost:7000"),
            ("[::1]", "[::1]:6379"),
            ("[fe80::1]:7000", "[fe80::1]:7000"),
            ("/run/redis.sock", "/run/redis.sock"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), written);
            assert_eq!(written.parse::<Endpoint>().unwrap(), endpoint);
        }
    }

    #[test]
    fn what_is_no_endpoint_is_named() {
        let in_brackets =
            "host is neither a name nor an address; an ipv6 address stands in brackets";
        for (text, problem) in [
            ("host:", "port is not a number from 1 to 65535"),
            ("host:0", "port is not a number from 1 to 65535"),
            ("host:+1", "port is not a number from 1 to 65535"),
            ("host:65536", "port is not a number from 1 to 65535"),
            ("local host", "host is neither a name nor an address"),
            ("a\nb", "host is neither a name nor an address"),
            ("::1:1", in_brackets),
            ("[::1]x", in_brackets),
            ("[::g]", "host has brackets and is not an ipv6 address"),
            ("0.0.0.0", "host is a wildcard address"),
            ("[::]", "host is a wildcard address"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert_eq!(error, format!("bad redis url: the {problem}"), "{text}");
        }
    }
}
