use std::borrow::Cow;
use std::time::Duration;

use super::login::{NOT_ENCODED, decoded};
use super::{bad, database, digits, split};
use crate::config::check::{MIN_KEEPALIVE, NOT_A_CLIENT_NAME, is_client_name};
use crate::{Config, Error, LinkConfig};

/// One `name=value` after the question mark.
pub(super) struct UrlOption<'a> {
    pub(super) name: &'a str,
    value: Cow<'a, str>,
}

impl<'a> UrlOption<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Error> {
        let (name, value) = split(text, '=');
        let name = match name {
            "user" => "username",
            "pass" => "password",
            "db" => "database",
            name => name,
        };
        let problem = |problem| bad("option", format!("`{}` {problem}", name.escape_debug()));
        match decoded(value) {
            Some(value) if value.is_empty() => Err(problem("has no value")),
            Some(value) => Ok(Self { name, value }),
            None => Err(problem(NOT_ENCODED)),
        }
    }

    pub(super) fn apply(self, config: Config) -> Result<Config, Error> {
        Ok(match self.name {
            "username" => config.username(self.value),
            "password" => config.password(self.value),
            "sentinel_username" => config.sentinel_username(self.value),
            "sentinel_password" => config.sentinel_password(self.value),
            "min_other_sentinels" => config.min_other_sentinels(self.count()?),
            "database" => config.database(database(&self.value)?),
            "client_name" if is_client_name(&self.value) => config.client_name(self.value),
            "client_name" => return Err(self.is(NOT_A_CLIENT_NAME)),
            "connect_timeout" => config.connect_timeout(self.timeout()?),
            "command_timeout" => config.command_timeout(self.timeout()?),
            "heartbeat" => {
                let link = LinkConfig { heartbeat: self.timeout()?, ..config.link.clone() };
                config.link(link)
            }
            "keepalive" => config.keepalive(self.keepalive()?),
            "pool_wait" => config.pool_wait(self.pool_wait()?),
            "pool_size" => config.pool_size(self.pool_size()?),
            "retries" => config.retries(self.retries()?),
            "nodelay" => config.nodelay(self.flag()?),
            "eager" => config.eager(self.flag()?),
            "reconnect" => config.reconnect(self.flag()?),
            "protocol" if matches!(&*self.value, "3" | "resp3") => config,
            "protocol" => return Err(self.is("is not 3, the only one that is spoken")),
            unknown => {
                return Err(bad("option", format!("`{}` is unknown", unknown.escape_debug())));
            }
        })
    }

    fn timeout(&self) -> Result<Duration, Error> {
        let seconds = self.seconds().filter(|seconds| !seconds.is_zero());
        seconds.ok_or_else(|| self.is("is not a number of seconds above 0"))
    }

    fn keepalive(&self) -> Result<Duration, Error> {
        let seconds = self.seconds().filter(|seconds| *seconds >= MIN_KEEPALIVE);
        seconds.ok_or_else(|| self.is("is not a number of seconds from 1 up"))
    }

    fn pool_wait(&self) -> Result<Duration, Error> {
        self.seconds().ok_or_else(|| self.is("is not a number of seconds from 0 up"))
    }

    fn seconds(&self) -> Option<Duration> {
        // A float also parses from `inf`, `NaN` and `1e3`.
        let plain = self.value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let seconds = self.value.parse().ok().filter(|_| plain)?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    fn pool_size(&self) -> Result<usize, Error> {
        let size = digits(&self.value).filter(|size| *size > 0);
        size.ok_or_else(|| self.is("is not a number from 1 up"))
    }

    fn count(&self) -> Result<usize, Error> {
        digits(&self.value).ok_or_else(|| self.is("is not a number from 0 up"))
    }

    fn retries(&self) -> Result<u32, Error> {
        digits(&self.value).ok_or_else(|| self.is("is not a number from 0 up"))
    }

    fn flag(&self) -> Result<bool, Error> {
        match &*self.value {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err(self.is("is neither true nor false")),
        }
    }

    /// Only for options that are no part of a login.
    fn is(&self, problem: &str) -> Error {
        bad("option", format!("`{}={}` {problem}", self.name, self.value.escape_debug()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, problem};
    use super::*;
    use crate::Endpoint;

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
}
