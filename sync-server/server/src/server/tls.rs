//! TLS by rustls, on ring.

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

use super::{StartError, TlsFiles};

/// Reads certificate and key.
pub(super) fn load(files: &TlsFiles) -> Result<TlsAcceptor, StartError> {
    let bad = |file: &std::path::Path, why: &dyn std::fmt::Display| {
        StartError::Tls(format!("{}: {why}", file.display()))
    };
    let certs = CertificateDer::pem_file_iter(&files.cert).map_err(|why| bad(&files.cert, &why))?;
    let certs: Vec<_> = certs
        .collect::<Result<_, _>>()
        .map_err(|why| bad(&files.cert, &why))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|why| bad(&files.key, &why))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| StartError::Tls(why.to_string()))?
        .with_no_client_auth()
        .with_single_cert(certs, key)
        .map_err(|why| bad(&files.cert, &why))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
