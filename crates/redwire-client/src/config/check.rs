//! What a configuration must not say.

use std::time::Duration;

use super::Config;
use crate::Error;

/// The kernel counts in seconds.
pub(super) const MIN_KEEPALIVE: Duration = Duration::from_secs(1);

pub(super) const NOT_A_CLIENT_NAME: &str = "is not printable ascii without spaces";

/// Redis refuses any other (`validateClientName` in its `networking.c`).
pub(super) fn is_client_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Config {
    /// What the setters take without looking.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.endpoints.is_empty() {
            return Err(bad("endpoints", "are none"));
        }
        if self.pool_size == 0 {
            return Err(bad("pool_size", "is 0, and must be at least 1"));
        }
        if self.keepalive.is_some_and(|idle| idle < MIN_KEEPALIVE) {
            return Err(bad("keepalive", "is below one second"));
        }
        if self.client_name.as_deref().is_some_and(|name| !is_client_name(name)) {
            return Err(bad("client_name", NOT_A_CLIENT_NAME));
        }
        if self.username.is_some() && self.password.is_none() {
            return Err(bad("username", "has no password"));
        }
        if self.sentinel_username.is_some() && self.sentinel_password.is_none() {
            return Err(bad("sentinel_username", "has no password"));
        }
        Ok(())
    }
}

pub(super) fn bad(option: &'static str, problem: impl Into<String>) -> Error {
    Error::Config { option, problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(config: &Config) -> String {
        config.clients().unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_work_is_named() {
        let config = Config::default;
        let is = |option: &str| format!("bad redis configuration: {option}");
        assert_eq!(problem(&config().endpoints([])), is("endpoints are none"));
        assert_eq!(problem(&config().pool_size(0)), is("pool_size is 0, and must be at least 1"));
        let short = config().keepalive(Duration::from_millis(999));
        assert_eq!(problem(&short), is("keepalive is below one second"));
        let name = is("client_name is not printable ascii without spaces");
        assert_eq!(problem(&config().client_name("my shop")), name);
        assert_eq!(problem(&config().client_name("")), name);
        assert_eq!(problem(&config().username("ann")), is("username has no password"));
    }
}
