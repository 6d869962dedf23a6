use std::borrow::Cow;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::endpoint::{Endpoint, PORT};
use super::option::UrlOption;
use super::tls::Tls;
use super::{Config, Topology};
use crate::Error;

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
    let tls = scheme.tls.then(Tls::of_url).transpose()?;
    let config = Config { tls, ..config };
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

pub(super) fn split(text: &str, separator: char) -> (&str, &str) {
    text.split_once(separator).unwrap_or((text, ""))
}

struct Scheme {
    tls: bool,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Single,
    Cluster,
    Sentinel,
    Unix,
}

impl Scheme {
    fn parse(text: &str) -> Result<Self, Error> {
        let may_hold = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if text.is_empty() || !text.bytes().all(may_hold) {
            return Err(bad("scheme", "is missing"));
        }
        let (tls, place) = match text.to_ascii_lowercase().as_str() {
            "redis" | "valkey" => (false, Place::Single),
            "rediss" | "valkeys" | "ssl" => (true, Place::Single),
            "redis+cluster" | "valkey+cluster" => (false, Place::Cluster),
            "rediss+cluster" | "valkeys+cluster" => (true, Place::Cluster),
            "redis+sentinel" | "valkey+sentinel" => (false, Place::Sentinel),
            "rediss+sentinel" | "valkeys+sentinel" => (true, Place::Sentinel),
            "redis+unix" | "valkey+unix" | "unix" | "redis-socket" => (false, Place::Unix),
            _ => {
                let known = "redis, rediss, redis+unix, redis+cluster or redis+sentinel";
                return Err(bad("scheme", format!("`{text}` is not {known}")));
            }
        };
        Ok(Self { tls, place })
    }
}

/// `user:password` or `password`.
fn with_login(config: Config, login: &str) -> Result<Config, Error> {
    if login.contains('@') {
        // It could also be a second login, in a list of hosts.
        return Err(bad("password", "holds an @, which is written %40"));
    }
    let (user, password) = login.split_once(':').unwrap_or(("", login));
    let user = decode("user", user)?;
    let password = decode("password", password)?;
    Ok(match (user.is_empty(), password.is_empty()) {
        (true, true) => config,
        (true, false) => config.password(password),
        // A user of Redis' may have no password: `nopass`.
        (false, _) => config.username(user).password(password),
    })
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

pub(super) fn database(text: &str) -> Result<u32, Error> {
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
pub(super) fn digits<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(super) const NOT_ENCODED: &str = "is not percent-encoded utf-8";

fn decode<'a>(part: &'static str, text: &'a str) -> Result<Cow<'a, str>, Error> {
    decoded(text).ok_or_else(|| bad(part, NOT_ENCODED))
}

pub(super) fn decoded(text: &str) -> Option<Cow<'_, str>> {
    // The crate leaves a `%` alone that stands before anything but two digits.
    let mut after_percents = text.split('%').skip(1).map(str::as_bytes);
    let encodes = |after: &[u8]| {
        after.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    after_percents.all(encodes).then(|| percent_decode_str(text).decode_utf8().ok())?
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::LinkConfig;
    use super::*;

    fn config(url: &str) -> Config {
        Config::from_url(url).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    fn endpoints(url: &str) -> Vec<String> {
        config(url).endpoints.iter().map(ToString::to_string).collect()
    }

    fn login(url: &str) -> (Option<String>, Option<String>) {
        let config = config(url);
        (config.username, config.password)
    }

    fn password(password: &str) -> (Option<String>, Option<String>) {
        (None, Some(password.to_owned()))
    }

    fn user(user: &str, password: &str) -> (Option<String>, Option<String>) {
        (Some(user.to_owned()), Some(password.to_owned()))
    }

    fn problem(url: &str) -> String {
        let error = Config::from_url(url).expect_err(url);
        assert!(matches!(error, Error::Url { .. }), "{url}: {error:?}");
        error.to_string().strip_prefix("bad redis url: the ").unwrap().to_owned()
    }

    // S270
    #[test]
    fn a_lone_word_is_the_password() {
        assert_eq!(login("redis://pw@h"), password("pw"));
        assert_eq!(login("redis://:pw@h"), password("pw"));
        assert_eq!(login("redis://u:p@h"), user("u", "p"));
        assert_eq!(login("redis://u:@h"), user("u", ""));
        assert_eq!(login("redis://u:p:q@h"), user("u", "p:q"));
        for nobody in ["redis://h", "redis://@h", "redis://:@h"] {
            assert_eq!(login(nobody), (None, None), "{nobody}");
        }
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
    fn the_scheme_says_what_the_hosts_are() {
        assert_eq!(config("redis://a,b").topology, Topology::Single);
        assert_eq!(config("REDIS+cluster://a,b/1").topology, Topology::Cluster);
        let sentinel = config("redis+sentinel://a,b:1/my%20master/4?sentinel_password=s");
        let master = "my master".to_owned();
        assert_eq!(sentinel.topology, Topology::Sentinel { master });
        assert_eq!(sentinel.endpoints, [Endpoint::tcp("a", 26379), Endpoint::tcp("b", 1)]);
        assert_eq!(sentinel.database, 4);
        assert_eq!(sentinel.sentinel_password.as_deref(), Some("s"));
        assert_eq!(config("redis+sentinel://a/mymaster?db=4").database, 4);
    }

    #[cfg(feature = "tls")]
    #[test]
    fn the_scheme_says_whether_the_connections_are_encrypted() {
        for scheme in ["rediss", "valkeys", "ssl", "rediss+cluster", "valkeys+sentinel"] {
            assert!(config(&format!("{scheme}://h/1")).tls.is_some(), "{scheme}");
        }
        for scheme in ["redis", "redis+cluster", "valkey+sentinel", "unix"] {
            assert!(config(&format!("{scheme}:///1")).tls.is_none(), "{scheme}");
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn without_the_feature_a_scheme_with_tls_is_refused() {
        assert_eq!(problem("rediss://h"), "scheme asks for tls, which is not built in");
    }

    #[test]
    fn logins_paths_and_values_are_percent_encoded() {
        assert_eq!(login("redis://a%3An:p%40%2F%3F%23%25@h"), user("a:n", "p@/?#%"));
        assert_eq!(login("redis://h?password=%26%C3%A9"), password("&é"));
    }

    #[test]
    fn every_option_is_read() {
        let url = "redis://h?user=u&pass=p&db=9&client_name=shop&connect_timeout=0.25\
            &command_timeout=1.5&heartbeat=3&keepalive=60&pool_wait=0&pool_size=3&retries=0&nodelay=no\
            &eager=1&reconnect=off&sentinel_username=g&sentinel_password=s&protocol=resp3";
        let seconds = Duration::from_secs_f64;
        let expected = Config::default()
            .link(LinkConfig { heartbeat: seconds(3.0), ..LinkConfig::default() })
            .endpoints([Endpoint::tcp("h", 6379)])
            .username("u")
            .password("p")
            .database(9)
            .client_name("shop")
            .connect_timeout(seconds(0.25))
            .command_timeout(seconds(1.5))
            .keepalive(seconds(60.0))
            .pool_wait(seconds(0.0))
            .pool_size(3)
            .retries(0)
            .nodelay(false)
            .eager(true)
            .reconnect(false)
            .sentinel_username("g")
            .sentinel_password("s");
        assert_eq!(config(url), expected);
    }

    // S270
    #[test]
    fn a_bad_scheme_is_named() {
        let known = "is not redis, rediss, redis+unix, redis+cluster or redis+sentinel";
        assert_eq!(problem("http://x"), format!("scheme `http` {known}"));
        for missing in ["", "localhost:6379", "://h", ":pw://@h"] {
            assert_eq!(problem(missing), "scheme is missing", "{missing}");
        }
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
    fn a_bad_login_is_named_and_not_quoted() {
        assert_eq!(problem("redis://%ff:p@h"), "user is not percent-encoded utf-8");
        assert_eq!(problem("redis://:%f@h"), "password is not percent-encoded utf-8");
        assert_eq!(problem("redis://u:p@h1,u:p@h2"), "password holds an @, which is written %40");
        let fragment = "url has a fragment; in a login, # is written %23";
        assert_eq!(problem("redis://:p#w@h"), fragment);
        assert_eq!(problem("redis://h/1#insecure"), fragment);
        let at = "url has an @ after the host; in a login, @ / ? are written %40 %2F %3F";
        assert_eq!(problem("redis://:p/w@h"), at);
        assert_eq!(problem("redis://:p?w@h"), at);
        assert_eq!(problem("redis://h?user=u"), "password is missing beside the user");
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

    #[test]
    fn a_bad_option_is_named() {
        for (option, problem_of_it) in [
            ("colour=red", "`colour` is unknown"),
            ("a\nb=1", "`a\\nb` is unknown"),
            ("db", "`database` has no value"),
            ("client_name=", "`client_name` has no value"),
            ("client_name=%zz", "`client_name` is not percent-encoded utf-8"),
            ("client_name=a%20b", "`client_name=a b` is not printable ascii without spaces"),
            ("retries=1&retries=2", "`retries` is given twice"),
            ("connect_timeout=x", "`connect_timeout=x` is not a number of seconds above 0"),
            ("connect_timeout=0", "`connect_timeout=0` is not a number of seconds above 0"),
            ("command_timeout=-1", "`command_timeout=-1` is not a number of seconds above 0"),
            ("heartbeat=inf", "`heartbeat=inf` is not a number of seconds above 0"),
            ("keepalive=0.9", "`keepalive=0.9` is not a number of seconds from 1 up"),
            ("pool_wait=1e400", "`pool_wait=1e400` is not a number of seconds from 0 up"),
            ("pool_size=0", "`pool_size=0` is not a number from 1 up"),
            ("retries=+1", "`retries=+1` is not a number from 0 up"),
            ("eager=perhaps", "`eager=perhaps` is neither true nor false"),
            ("protocol=2", "`protocol=2` is not 3, the only one that is spoken"),
        ] {
            assert_eq!(problem(&format!("redis://h?{option}")), format!("option {problem_of_it}"));
        }
        assert_eq!(problem("redis://h/1?db=2"), "option `database` is given twice");
        assert_eq!(problem("redis://pw@h?pass=pw"), "option `password` is given twice");
    }

    #[test]
    fn no_error_prints_a_password() {
        for url in [
            "redis://:hunter2",
            "redis://ann:hunter2",
            "redis://:hunter2@host:port",
            "redis://:hunter2@host/x",
            "redis://:hun/hunter2@host",
            "redis://:hun?hunter2=1@host",
            "redis://:hun#hunter2@host",
            "redis://:hunter2@host@host",
            "redis://hunter2 host",
            "redis://h?password=hunter2&password=hunter2",
            "redis://h?sentinel_password=hunter2%zz",
            "unix://:hunter2/r.sock",
            "x://:hunter2@host",
            ":hunter2://@host",
        ] {
            let error = Config::from_url(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error:?}");
        }
    }
}
