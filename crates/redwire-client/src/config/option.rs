use std::borrow::Cow;
use std::time::Duration;

use super::url::{NOT_ENCODED, bad, database, decoded, digits, split};
use super::{Config, LinkConfig, MIN_KEEPALIVE, NOT_A_CLIENT_NAME, is_client_name};
use crate::Error;

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
