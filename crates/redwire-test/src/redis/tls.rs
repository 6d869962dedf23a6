use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// The name of the authority's certificate in a server's directory.
const AUTHORITY: &str = "ca.pem";

/// Writes an authority's certificate and, signed by it, one for `localhost` and `127.0.0.1`.
/// Returns the arguments that make a server use them.
pub(super) fn certify(directory: &Path) -> Vec<OsString> {
    let mut params = CertificateParams::new([]).expect("parameters");
    // A name of its own, or what it signs would seem to be signed by itself.
    params.distinguished_name.push(DnType::CommonName, "redwire-test");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let params = CertificateParams::new(names).expect("parameters");
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let files = [
        ("--tls-ca-cert-file", AUTHORITY, authority.pem()),
        ("--tls-cert-file", "certificate.pem", certificate.pem()),
        ("--tls-key-file", "key.pem", key.serialize_pem()),
    ];
    let mut args = vec![OsString::from("--tls-auth-clients"), "no".into()];
    for (option, name, pem) in files {
        let file = directory.join(name);
        fs::write(&file, pem).expect("to write into the temporary directory");
        args.extend([option.into(), file.into_os_string()]);
    }
    args
}

pub(super) fn authority(directory: &Path) -> PathBuf {
    directory.join(AUTHORITY)
}
