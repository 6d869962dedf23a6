use std::error::Error as StdError;
use std::sync::Arc;
use std::{fmt, io};

use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, RedisError, TlsCertificates};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::check::bad;
use crate::Error;

/// TLS, 1.2 or 1.3, by rustls.
///
/// By default the server's certificate must come from an authority that this system trusts; which those
/// are, the variables `SSL_CERT_FILE` and `SSL_CERT_DIR` may say. The name in it must be the endpoint's
/// host.
///
/// Needs the feature `tls`, which is on by default. A process that has chosen no cryptography for rustls
/// gets `ring` when the first configuration with TLS is used.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    roots: Option<Vec<u8>>,
    identity: Option<Identity>,
}

/// Certificate and key, PEM both.
#[derive(Clone, PartialEq, Eq)]
struct Identity {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Tls {
    /// Trusts these authorities, one or more certificates in PEM, and no others.
    pub fn roots_pem(mut self, certificates: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(certificates.into());
        self
    }

    /// Shows Redis this certificate, with those between it and the authority after it, and its private
    /// key, in PEM both.
    pub fn client_certificate_pem(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.identity = Some(Identity { certificate: certificate.into(), key: key.into() });
        self
    }

    pub(super) fn of_url() -> Result<Self, Error> {
        Ok(Self::default())
    }

    pub(super) fn address(host: &str, port: u16) -> ConnectionAddr {
        let host = host.to_owned();
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    }

    pub(super) fn client(&self, info: ConnectionInfo) -> Result<Client, Error> {
        // Redis-rs leaves the choice to the process, and rustls panics if nobody has chosen and more
        // than one is built in. Installing fails only if somebody was faster.
        if CryptoProvider::get_default().is_none() {
            let _ = ring::default_provider().install_default();
        }
        self.check()?;
        let client_tls = self.identity.clone().map(|identity| ClientTlsConfig {
            client_cert: identity.certificate,
            client_key: identity.key,
        });
        let certificates = TlsCertificates { client_tls, root_cert: self.roots.clone() };
        Client::build_with_tls(info, certificates).map_err(|error| bad("tls", error.to_string()))
    }

    /// What redis-rs would take in silence, or report at each attempt to connect.
    fn check(&self) -> Result<(), Error> {
        let mut roots = RootCertStore::empty();
        if let Some(pem) = &self.roots {
            for root in certificates("roots_pem", pem)? {
                roots
                    .add(root)
                    .map_err(|error| bad("roots_pem", format!("cannot be used: {error}")))?;
            }
        }
        let Some(Identity { certificate, key }) = &self.identity else { return Ok(()) };
        let option = "client_certificate_pem";
        let chain = certificates(option, certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| bad(option, format!("has an unreadable key: {error}")))?;
        let config = ClientConfig::builder().with_root_certificates(roots);
        match config.with_client_auth_cert(chain, key) {
            Ok(_) => Ok(()),
            Err(error) => Err(bad(option, format!("cannot be used: {error}"))),
        }
    }
}

fn certificates(option: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match parsed {
        Ok(certificates) if certificates.is_empty() => Err(bad(option, "holds no certificate")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(bad(option, format!("is not pem: {error}"))),
    }
}

/// Whether both sides could not agree: a certificate that one of them does not trust, or no TLS at all.
pub(crate) fn is_disagreement(error: &RedisError) -> bool {
    // Redis-rs hands out the `Arc` around its cause as the cause (redis 1.8.1, `redis_error.rs`).
    let cause =
        error.source().and_then(<dyn StdError>::downcast_ref::<Arc<dyn StdError + Send + Sync>>);
    let io = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
    io.and_then(io::Error::get_ref).is_some_and(|cause| cause.is::<rustls::Error>())
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("roots", &self.roots.as_ref().map(|_| "…"))
            .field("client_certificate", &self.identity.as_ref().map(|_| "…"))
            .finish()
    }
}
