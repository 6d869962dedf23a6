//! What a URL says.

mod login;
mod option;
mod scheme;

use std::str::FromStr;

use super::endpoint::{Endpoint, PORT};
use super::tls::Tls;
use super::{Config, Topology};
use crate::Error;
use login::{decode, with_login};
use option::UrlOption;
use scheme::{Place, Scheme};

const SENTINEL_PORT: u16 = 26379;

pub(super) fn bad(part: &'static str, problem: impl Into<String>) -> Error {
    Error::Url { part, problem: problem.into() }
}

/// Replaces in the config what the URL speaks of.
///
/// Problems quote what was written, but nothing of a login, and nothing that may belong to a login whose
/// `@ / ? #` were not encoded.
pub(super) fn apply(config: Config, url: &str) -> Result<Config, Error> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let scheme = Scheme::parse(scheme)?;
    if rest.contains('#') {
        return Err(bad("url", "has a fragment; in a login, # is written %23"));
    }
    let (address, query) = split(rest, '?');
    let (authority, path) = address.split_at(address.find('/').unwrap_or(address.len()));
    if query.contains('@') || (path.contains('@') && scheme.place != Place::Unix) {
        let hint = "in a login, @ / ? are written %40 %2F %3F";
        return Err(bad("url", format!("has an @ after the host; {hint}")));
    }
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let config = with_login(config, login)?;
    let config = with_tls(config, scheme.tls)?;
    let below_root = path.strip_prefix('/').unwrap_or(path);
    let (config, database) = match scheme.place {
        Place::Unix => (at_socket(config, hosts, path)?, ""),
        Place::Single => (at_hosts(config, hosts, PORT)?.topology(Topology::Single), below_root),
        Place::Cluster => (at_hosts(config, hosts, PORT)?.topology(Topology::Cluster), below_root),
        Place::Sentinel => {
            let (master, database) = split(below_root, '/');
            let config = at_hosts(config, hosts, SENTINEL_PORT)?;
            (config.topology(sentinel(master)?), database)
        }
    };
    let config = in_database(config, database)?;
    with_options(config, query, login, database)
}

fn split(text: &str, separator: char) -> (&str, &str) {
    text.split_once(separator).unwrap_or((text, ""))
}

/// A choice of whom to trust is not given up for a URL.
fn with_tls(config: Config, asks: bool) -> Result<Config, Error> {
    match (&config.tls, asks) {
        (Some(_), true) | (None, false) => Ok(config),
        (Some(_), false) => Err(bad("scheme", "is one without tls, which was asked for before")),
        (None, true) => Ok(Config { tls: Some(Tls::of_url()?), ..config }),
    }
}

fn at_hosts(config: Config, hosts: &str, default_port: u16) -> Result<Config, Error> {
    let several = hosts.contains(',');
    let parse = |host: &str| {
        if several && host.is_empty() {
            return Err(bad("host", "is missing beside a comma"));
        }
        Endpoint::parse_tcp(host, default_port)
    };
    let endpoints = hosts.split(',').map(parse).collect::<Result<Vec<_>, _>>()?;
    Ok(config.endpoints(endpoints))
}

fn at_socket(config: Config, host: &str, path: &str) -> Result<Config, Error> {
    if !host.is_empty() {
        return Err(bad("path", "does not start with a slash"));
    }
    if path.is_empty() {
        return Err(bad("path", "is missing"));
    }
    Ok(config.endpoints([Endpoint::unix(&*decode("path", path)?)]).topology(Topology::Single))
}

fn sentinel(master: &str) -> Result<Topology, Error> {
    if master.is_empty() {
        return Err(bad("path", "does not name the master, such as /mymaster"));
    }
    Ok(Topology::Sentinel { master: decode("path", master)?.into_owned() })
}

fn in_database(config: Config, text: &str) -> Result<Config, Error> {
    if text.is_empty() { Ok(config) } else { Ok(config.database(database(text)?)) }
}

fn database(text: &str) -> Result<u32, Error> {
    let problem = || format!("`{}` is not a number from 0 up", text.escape_debug());
    digits(text).ok_or_else(|| bad("database", problem()))
}

fn with_options(config: Config, query: &str, login: &str, database: &str) -> Result<Config, Error> {
    let mut seen = Vec::new();
    if !login.is_empty() {
        seen.extend(["username", "password"]);
    }
    if !database.is_empty() {
        seen.push("database");
    }
    let mut config = config;
    for option in query.split('&').filter(|option| !option.is_empty()) {
        let option = UrlOption::parse(option)?;
        if seen.contains(&option.name) {
            return Err(bad("option", format!("`{}` is given twice", option.name.escape_debug())));
        }
        seen.push(option.name);
        config = option.apply(config)?;
    }
    match (&config.username, &config.password) {
        (Some(_), None) => Err(bad("password", "is missing beside the user")),
        _ => Ok(config),
    }
}

/// A number without a sign, which `parse` would take.
fn digits<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    pub(super) fn config(url: &str) -> Config {
        Config::from_url(url).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    fn endpoints(url: &str) -> Vec<String> {
        config(url).endpoints.iter().map(ToString::to_string).collect()
    }

    pub(super) fn login(url: &str) -> (Option<String>, Option<String>) {
        let config = config(url);
        (config.username, config.password)
    }

    pub(super) fn user(user: &str, password: &str) -> (Option<String>, Option<String>) {
        (Some(user.to_owned()), Some(password.to_owned()))
    }

    pub(super) fn problem(url: &str) -> String {
        let error = Config::from_url(url).expect_err(url);
        assert!(matches!(error, Error::Url { .. }), "{url}: {error:?}");
        error.to_string().strip_prefix("bad redis url: the ").unwrap().to_owned()
    }

    // S270
    #[test]
    fn all_parts_are_read_at_once() {
        let url = "redis://u:p@h1:1,h2:2/3?connect_timeout=5";
        let expected = Config::default()
            .endpoints([Endpoint::tcp("h1", 1), Endpoint::tcp("h2", 2)])
            .username("u")
            .password("p")
            .database(3)
            .connect_timeout(Duration::from_secs(5));
        assert_eq!(config(url), expected);
    }

    #[test]
    fn what_a_url_does_not_name_stays_as_it_was() {
        let seconds = Duration::from_secs;
        let config = Config::default()
            .username("ann")
            .password("secret")
            .database(3)
            .connect_timeout(seconds(5))
            .command_timeout(seconds(5));
        let expected = config.clone().endpoints([Endpoint::tcp("h", 6379)]);
        let expected = expected.command_timeout(seconds(7)).database(4);
        assert_eq!(config.url("redis://h/4?command_timeout=7").unwrap(), expected);
    }

    #[test]
    fn an_empty_host_means_localhost() {
        for url in ["redis:///", "redis://", "valkey://?db=1", "redis://:secret@/2"] {
            assert_eq!(endpoints(url), ["localhost:6379"], "{url}");
        }
        assert_eq!(endpoints("redis://:7000/2"), ["localhost:7000"]);
    }

    // S270
    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        assert_eq!(endpoints("redis://[::1]"), ["[::1]:6379"]);
        assert_eq!(endpoints("redis://[::1]:6379/1"), ["[::1]:6379"]);
        assert_eq!(config("redis://[::1]:6379/1").database, 1);
        assert_eq!(endpoints("redis://:pw@[::1]:1,[::2],h"), ["[::1]:1", "[::2]:6379", "h:6379"]);
    }

    // S270
    #[test]
    fn sockets_are_paths() {
        for scheme in ["unix", "redis+unix", "valkey+unix", "redis-socket"] {
            let url = format!("{scheme}:///tmp/r.sock?database=2");
            assert_eq!(endpoints(&url), ["/tmp/r.sock"]);
            assert_eq!(config(&url).database, 2);
        }
        assert_eq!(endpoints("unix:///tmp/my%20r@.sock"), ["/tmp/my r@.sock"]);
        assert_eq!(login("unix://u:p@/r.sock"), user("u", "p"));
        assert_eq!(login("unix:///r.sock?user=u&pass=p"), user("u", "p"));
    }

    #[test]
    fn a_bad_address_is_named() {
        assert_eq!(problem("redis://h:99999"), "port is not a number from 1 to 65535");
        assert_eq!(problem("redis://h,h2:port"), "port is not a number from 1 to 65535");
        assert_eq!(problem("redis://local host"), "host is neither a name nor an address");
        assert_eq!(problem("redis://h%41"), "host is neither a name nor an address");
        assert_eq!(problem("redis://0.0.0.0"), "host is a wildcard address");
        for comma in ["redis://,", "redis://h,", "redis://,h", "redis://h,,i"] {
            assert_eq!(problem(comma), "host is missing beside a comma", "{comma}");
        }
        assert_eq!(problem("unix://tmp/r.sock"), "path does not start with a slash");
        assert_eq!(problem("unix://"), "path is missing");
        assert_eq!(problem("unix:///%zz"), "path is not percent-encoded utf-8");
        assert_eq!(
            problem("redis+sentinel://h"),
            "path does not name the master, such as /mymaster"
        );
    }

    #[test]
    fn a_bad_database_is_named() {
        for bad in ["zero", "-1", "+1", "1/", "4294967296"] {
            let expected = format!("database `{bad}` is not a number from 0 up");
            assert_eq!(problem(&format!("redis://h/{bad}")), expected);
            assert_eq!(problem(&format!("unix:///r.sock?db={bad}")), expected);
            assert_eq!(problem(&format!("redis+sentinel://h/m/{bad}")), expected);
        }
    }
}
