use super::bad;
use crate::Error;

/// What a URL begins with.
pub(super) struct Scheme {
    pub(super) tls: bool,
    pub(super) place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Single,
    Cluster,
    Sentinel,
    Unix,
}

impl Scheme {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
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

#[cfg(test)]
mod tests {
    use super::super::tests::{config, problem};
    #[cfg(feature = "tls")]
    use crate::{Config, Tls};
    use crate::{Endpoint, Topology};

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

    #[cfg(feature = "tls")]
    #[test]
    fn whom_to_trust_is_not_forgotten_for_a_url() {
        let pinned = Config::default().tls(Tls::default().roots_pem("pem"));
        let at_host = pinned.clone().url("rediss://h").unwrap();
        assert_eq!(at_host, pinned.clone().endpoints([Endpoint::tcp("h", 6379)]));
        for url in ["redis://h", "redis+cluster://h", "unix:///r.sock"] {
            let error = pinned.clone().url(url).unwrap_err().to_string();
            assert!(error.ends_with("is one without tls, which was asked for before"), "{error}");
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn without_the_feature_a_scheme_with_tls_is_refused() {
        assert_eq!(problem("rediss://h"), "scheme asks for tls, which is not built in");
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
}
