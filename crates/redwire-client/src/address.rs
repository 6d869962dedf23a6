use redis::io::tcp::TcpSettings;
use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

use crate::Error;

/// Parses a Redis URL. An empty host means localhost, as in `redis:///`, the default of the Python
/// package redis-websocket-api.
pub(crate) fn connection_info(url: &str) -> Result<ConnectionInfo, Error> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("scheme", "is missing"))?;
    let url = match scheme {
        "redis" | "valkey" => format!("{scheme}://{}", with_host(rest)?),
        "redis+unix" | "valkey+unix" | "unix" => url.to_owned(),
        "rediss" | "valkeys" => return Err(bad("scheme", "asks for tls, which is not built in")),
        _ => return Err(bad("scheme", "is not redis, valkey, redis+unix, valkey+unix or unix")),
    };
    let url = redis::parse_redis_url(&url).ok_or_else(|| bad("host", "is malformed"))?;
    let info = url.into_connection_info().map_err(|error| name_the_part(&error))?;
    if info.redis_settings().db() < 0 {
        return Err(bad("database", NOT_A_DATABASE));
    }
    // RESP3 for pushes beside replies. NODELAY, because redis-rs 1.x leaves it off.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let settings = settings.set_skip_set_lib_name();
    let tcp = TcpSettings::default().set_nodelay(true);
    Ok(info.set_redis_settings(settings).set_tcp_settings(tcp))
}

const NOT_A_DATABASE: &str = "is not a number from 0 up";

fn bad(part: &'static str, problem: &'static str) -> Error {
    Error::Url { part, problem }
}

/// What follows the scheme, with the host filled in, and its port checked: the URL parser below
/// reports neither.
fn with_host(rest: &str) -> Result<String, Error> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (login, address) = match authority.rsplit_once('@') {
        Some((login, address)) => (format!("{login}@"), address),
        None => (String::new(), authority),
    };
    let (host, port) = split_port(address);
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(bad("port", "is not a number up to 65535"));
    }
    let host = if host.is_empty() { "localhost" } else { host };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{login}{host}{port}{path}"))
}

/// Splits `host:port`, but not within the brackets of an IPv6 address.
fn split_port(address: &str) -> (&str, Option<&str>) {
    match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (address, None),
    }
}

/// Redis-rs tells these apart only by their texts (redis 1.8.1, `connection.rs`).
fn name_the_part(error: &redis::RedisError) -> Error {
    let text = error.to_string();
    let part_of = |(needle, ..): &&(&str, _, _)| text.contains(needle);
    let parts = [
        ("database number", "database", NOT_A_DATABASE),
        ("wildcard address", "host", "is a wildcard address"),
        ("hostname", "host", "is missing"),
        ("Username", "user", "is not valid utf-8"),
        ("Password", "password", "is not valid utf-8"),
        ("Missing path", "path", "is missing"),
        ("protocol", "query", "asks for an unknown protocol"),
    ];
    match parts.iter().find(part_of) {
        Some((_, part, problem)) => bad(part, problem),
        None => bad("url", "is malformed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> String {
        connection_info(url).unwrap().addr().to_string()
    }

    fn bad_part(url: &str) -> &'static str {
        match connection_info(url) {
            Err(Error::Url { part, .. }) => part,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn an_empty_host_means_localhost() {
        assert_eq!(endpoint("redis:///"), "localhost:6379");
        assert_eq!(endpoint("redis://"), "localhost:6379");
        assert_eq!(endpoint("redis://:7000/2"), "localhost:7000");
        assert_eq!(endpoint("redis://:secret@/2"), "localhost:6379");
    }

    #[test]
    fn user_password_and_database_are_read() {
        let info = connection_info("redis://ann:p%40ss@example.org:7000/3").unwrap();
        assert_eq!(info.addr().to_string(), "example.org:7000");
        assert_eq!(info.redis_settings().username(), Some("ann"));
        assert_eq!(info.redis_settings().password(), Some("p@ss"));
        assert_eq!(info.redis_settings().db(), 3);
    }

    #[test]
    fn sockets_are_paths() {
        assert_eq!(endpoint("unix:///run/redis.sock"), "/run/redis.sock");
        assert_eq!(endpoint("redis+unix:///run/redis.sock?db=2"), "/run/redis.sock");
    }

    #[test]
    fn an_ipv6_address_keeps_its_colons() {
        assert_eq!(endpoint("redis://[::1]"), "::1:6379");
        assert_eq!(endpoint("redis://[::1]:7000"), "::1:7000");
    }

    #[test]
    fn the_bad_part_is_named() {
        assert_eq!(bad_part("localhost:6379"), "scheme");
        assert_eq!(bad_part("http://localhost"), "scheme");
        assert_eq!(bad_part("rediss://localhost"), "scheme");
        assert_eq!(bad_part("redis://localhost:99999"), "port");
        assert_eq!(bad_part("redis://localhost:port"), "port");
        assert_eq!(bad_part("redis://local host"), "host");
        assert_eq!(bad_part("redis://0.0.0.0"), "host");
        assert_eq!(bad_part("redis://localhost/zero"), "database");
        assert_eq!(bad_part("redis://localhost/-1"), "database");
        assert_eq!(bad_part("unix:///run/redis.sock?db=x"), "database");
        assert_eq!(bad_part("redis://:%ff@localhost"), "password");
        assert_eq!(bad_part("redis://localhost?protocol=9"), "query");
    }

    #[test]
    fn no_error_prints_the_password() {
        for url in ["redis://:hunter2@host:port", "redis://:hunter2@host/x", "x://:hunter2@host"] {
            let error = connection_info(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
