//! Redis over TLS: whom both sides trust.
#![cfg(feature = "tls")]

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use redwire_client::{Config, Endpoint, Error, Link, Standing, Tls};
use redwire_test::{RedisServer, Reply};
use tempfile::TempDir;

/// Signs certificates for `localhost`.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("parameters");
        // Of its own name, or what it signs would seem to be signed by itself.
        params.distinguished_name.push(DnType::CommonName, "an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("an authority") }
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Certificate and key.
    fn identity(&self) -> (String, String) {
        let params = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// Makes a server speak TLS on its port, and nothing else.
    async fn secure(&self, redis: &RedisServer, clients_need_certificates: &str) {
        let directory = TempDir::with_prefix("redwire-").expect("a temporary directory");
        let (certificate, key) = self.identity();
        let file = |name: &str, text: &str| write(directory.path(), name, text);
        let (authority, certificate, key) =
            (file("ca", &self.pem()), file("cert", &certificate), file("key", &key));
        let port = redis.port().to_string();
        let ok = Reply::Simple("OK".to_owned());
        assert_eq!(redis.command(&["CONFIG", "SET", "port", "0"]).await, ok);
        let files =
            ["tls-ca-cert-file", &authority, "tls-cert-file", &certificate, "tls-key-file", &key];
        let set = [&["CONFIG", "SET", "tls-auth-clients", clients_need_certificates], &files[..]];
        assert_eq!(redis.command(&set.concat()).await, ok);
        assert_eq!(redis.command(&["CONFIG", "SET", "tls-port", &port]).await, ok);
    }
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("a file in the temporary directory");
    path.display().to_string()
}

/// A server with TLS, its authority, and how to reach it.
async fn secured(clients_need_certificates: &str) -> (RedisServer, Authority, Config) {
    let (redis, authority) = (RedisServer::start().await, Authority::new());
    authority.secure(&redis, clients_need_certificates).await;
    let url = format!("rediss://localhost:{}", redis.port());
    (redis, authority, Config::from_url(&url).expect("a URL"))
}

async fn disagrees(config: Config) {
    let error = Link::open(config).await.expect_err("no way in");
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn tls_with_a_private_authority_works() {
    let (redis, authority, config) = secured("no").await;
    let link = Link::open(config.tls(Tls::default().roots_pem(authority.pem()))).await.unwrap();
    assert!(link.hset("key", "field", "value").await.unwrap());
    link.subscribe("channel");
    assert_eq!(link.confirmed("channel").await, Standing::Confirmed);
    assert_eq!(redis.subscribers("channel").await, 1);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_an_error_of_its_own() {
    let (redis, authority, config) = secured("no").await;
    disagrees(config.clone()).await;
    disagrees(config.clone().tls(Tls::default().roots_pem(Authority::new().pem()))).await;
    let elsewhere = Endpoint::tcp("127.0.0.1", redis.port());
    let trusting = config.tls(Tls::default().roots_pem(authority.pem()));
    disagrees(trusting.endpoints([elsewhere])).await;
}

#[tokio::test]
async fn redis_may_ask_for_a_certificate() {
    let (_redis, authority, config) = secured("yes").await;
    let trusting = Tls::default().roots_pem(authority.pem());
    disagrees(config.clone().tls(trusting.clone())).await;
    let (certificate, key) = authority.identity();
    let known = trusting.client_certificate_pem(certificate, key);
    assert!(Link::open(config.tls(known)).await.unwrap().is_live());
}

#[tokio::test]
async fn certificates_and_keys_that_are_none_are_named() {
    let (certificate, key) = Authority::new().identity();
    let (_, other_key) = Authority::new().identity();
    let tls = Tls::default;
    for (tls, option) in [
        (tls().roots_pem("nonsense"), "roots_pem holds no certificate"),
        (tls().roots_pem(key.clone()), "roots_pem holds no certificate"),
        (
            tls().client_certificate_pem("", key.clone()),
            "client_certificate_pem holds no certificate",
        ),
        (
            tls().client_certificate_pem(certificate.clone(), ""),
            "client_certificate_pem has an unreadable key",
        ),
        (
            tls().client_certificate_pem(certificate, other_key),
            "client_certificate_pem cannot be used",
        ),
    ] {
        let error = Link::open(Config::default().tls(tls)).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("bad redis configuration: {option}")), "{error}");
    }
    let socket = Config::from_url("unix:///run/redis.sock").unwrap().tls(tls());
    let error = Link::open(socket).await.unwrap_err().to_string();
    assert_eq!(error, "bad redis configuration: tls is not for unix sockets");
}
