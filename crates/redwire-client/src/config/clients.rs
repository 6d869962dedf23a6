//! What redis-rs needs to connect.

use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{
    Client, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion, RedisConnectionInfo,
    RedisError,
};

use super::check::{MIN_KEEPALIVE, bad};
use super::tls::Tls;
use super::{Config, Endpoint, Topology};
use crate::Error;

impl Config {
    /// What redis-rs needs to reach each of the endpoints, in order. For sentinels with their login.
    pub(crate) fn clients(&self) -> Result<Vec<(Endpoint, Client)>, Error> {
        self.check()?;
        let login = match self.topology {
            Topology::Sentinel { .. } => {
                login(self.sentinel_username.as_deref(), self.sentinel_password.as_deref())
            }
            Topology::Single | Topology::Cluster => self.login(),
        };
        let client = |endpoint: &Endpoint| {
            Ok((endpoint.clone(), self.client_with(endpoint, login.clone())?))
        };
        self.endpoints.iter().map(client).collect()
    }

    /// What redis-rs needs to reach a server: RESP3, for pushes beside replies, and the login. Neither
    /// the database nor the name: redis-rs would rewrite or ignore what Redis says to them.
    pub(crate) fn client(&self, endpoint: &Endpoint) -> Result<Client, Error> {
        self.client_with(endpoint, self.login())
    }

    fn client_with(
        &self,
        endpoint: &Endpoint,
        login: RedisConnectionInfo,
    ) -> Result<Client, Error> {
        let (address, tls) = match (endpoint, &self.tls) {
            (Endpoint::Tcp { host, port }, Some(tls)) => (Tls::address(host, *port), Some(tls)),
            (Endpoint::Tcp { host, port }, None) => {
                (ConnectionAddr::Tcp(host.to_string(), *port), None)
            }
            (Endpoint::Unix(_), Some(_)) => return Err(bad("tls", "is not for unix sockets")),
            (Endpoint::Unix(path), None) => (ConnectionAddr::Unix(path.to_path_buf()), None),
        };
        let unusable = |error: RedisError| bad("endpoint", error.to_string());
        let info = address.into_connection_info().map_err(unusable)?;
        let info = info.set_redis_settings(login).set_tcp_settings(self.tcp());
        match tls {
            Some(tls) => tls.client(info),
            None => Client::open(info).map_err(unusable),
        }
    }

    fn login(&self) -> RedisConnectionInfo {
        login(self.username.as_deref(), self.password.as_deref())
    }

    fn tcp(&self) -> TcpSettings {
        // Said outright, because redis-rs 1.x leaves NODELAY off.
        let settings = TcpSettings::default().set_nodelay(self.nodelay);
        let Some(idle) = self.keepalive else { return settings };
        let interval = (idle / 3).max(MIN_KEEPALIVE);
        let probes = TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(3);
        settings.set_keepalive(probes)
    }
}

fn login(username: Option<&str>, password: Option<&str>) -> RedisConnectionInfo {
    let mut login =
        RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3).set_skip_set_lib_name();
    if let Some(password) = password {
        login = login.set_password(password);
    }
    if let Some(username) = username {
        login = login.set_username(username);
    }
    login
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn connections_speak_resp3_without_delay_and_choose_no_database() {
        let config = Config::default().username("ann").password("secret").database(3);
        let client = config.client(&Endpoint::tcp("::1", 7000)).unwrap();
        let info = client.get_connection_info();
        assert_eq!(info.addr(), &ConnectionAddr::Tcp("::1".to_owned(), 7000));
        assert!(info.tcp_settings().nodelay());
        assert!(info.tcp_settings().keepalive().is_none());
        let redis = info.redis_settings();
        assert_eq!((redis.username(), redis.password()), (Some("ann"), Some("secret")));
        assert_eq!((redis.protocol(), redis.db()), (ProtocolVersion::RESP3, 0));
        assert!(redis.skip_set_lib_name());
    }

    #[test]
    fn keepalive_probes_three_times_a_third_apart() {
        let probes = |idle, interval| {
            let seconds = Duration::from_secs;
            TcpKeepalive::new()
                .with_time(seconds(idle))
                .with_interval(seconds(interval))
                .with_retries(3)
        };
        for (idle, interval) in [(60, 20), (1, 1)] {
            let config = Config::default().keepalive(Duration::from_secs(idle));
            let tcp = config.tcp();
            let expected = probes(idle, interval);
            assert_eq!(format!("{:?}", tcp.keepalive().unwrap()), format!("{expected:?}"));
        }
    }

    #[test]
    fn sentinels_are_not_told_the_password_of_redis() {
        let config = Config::default()
            .topology(Topology::Sentinel { master: "mymaster".to_owned() })
            .password("redis")
            .sentinel_username("guard")
            .sentinel_password("sentinel");
        let clients = config.clients().unwrap();
        let login = |client: &Client| {
            let redis = client.get_connection_info().redis_settings().clone();
            (redis.username().map(str::to_owned), redis.password().map(str::to_owned))
        };
        let (guard, sentinel) = (Some("guard".to_owned()), Some("sentinel".to_owned()));
        assert_eq!(login(&clients[0].1), (guard, sentinel));
        let master = config.client(&Endpoint::tcp("master", 6379)).unwrap();
        assert_eq!(login(&master), (None, Some("redis".to_owned())));
    }
}
