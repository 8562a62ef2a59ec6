//! The transport over HTTP: rustls on ring, the public roots or one pinned
//! private CA, no redirects, time limits.

use gridwalk_domain::Sha256;
use reqwest::blocking::Client;
use reqwest::redirect::Policy;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{EngineError, Result};
use crate::{Method, Request, Response, ServerAddress, Transport, TransportError};

const CONNECT: Duration = Duration::from_secs(15);
/// For a whole request: a piece of 64 KiB passes at 2 KB a second.
const WHOLE: Duration = Duration::from_secs(60);

/// The way to one server over HTTP.
pub struct HttpTransport {
    client: Client,
    base: String,
    host: String,
}

impl HttpTransport {
    /// Gets ready to call a server; nothing is sent yet.
    ///
    /// # Errors
    /// `BadInvitation` for an address that is none, `Untrusted` where TLS
    /// cannot be set up.
    pub fn new(server: &ServerAddress) -> Result<Self> {
        let address = ServerAddress::parse(&server.url)?;
        let tls = tls(server.ca).map_err(|error| EngineError::Untrusted {
            message: error.to_string(),
        })?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .build()
            .map_err(|error| EngineError::Unreachable {
                message: told(&error),
            })?;
        let host = address.url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default().to_owned();
        Ok(Self {
            client,
            base: address.url,
            host,
        })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: &Request) -> std::result::Result<Response, TransportError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Head => reqwest::Method::HEAD,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut call = self
            .client
            .request(method, format!("{}{}", self.base, request.path));
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        if !matches!(request.method, Method::Get | Method::Head) {
            call = call.body(request.body.clone());
        }
        let answer = call.send().map_err(|error| failed(&error))?;
        let status = answer.status().as_u16();
        let text =
            |value: &reqwest::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)));
        let headers = headers.collect();
        let body = answer.bytes().map_err(|error| failed(&error))?.to_vec();
        Ok(Response {
            status,
            headers,
            body,
        })
    }

    fn leads_to(&self, server: &ServerAddress) -> bool {
        ServerAddress::parse(&server.url).is_ok_and(|server| server.url == self.base)
    }

    fn host(&self) -> String {
        self.host.clone()
    }
}

fn failed(error: &reqwest::Error) -> TransportError {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return TransportError::Untrusted {
                message: tls.to_string(),
            };
        }
        let wrapped = inner
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
            None => inner.source(),
        };
    }
    if error.is_timeout() {
        TransportError::TimedOut
    } else if error.is_connect() {
        TransportError::Unreachable {
            message: told(error),
        }
    } else {
        TransportError::Interrupted {
            message: told(error),
        }
    }
}

/// The innermost cause: the outer ones repeat the address.
fn told(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn tls(ca: Option<Sha256>) -> std::result::Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    Ok(match ca {
        None => {
            let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
            config.with_root_certificates(roots).with_no_client_auth()
        }
        Some(pin) => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned { pin, provider }))
            .with_no_client_auth(),
    })
}

/// Trusts one private CA, known by the hash of its certificate. The server
/// sends that certificate along; what it signed is then checked as ever: the
/// chain, the name, the dates.
#[derive(Debug)]
struct Pinned {
    pin: Sha256,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let unknown = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let ca = intermediates
            .iter()
            .find(|certificate| Sha256::of(certificate) == self.pin);
        let mut roots = RootCertStore::empty();
        roots.add(ca.ok_or_else(unknown)?.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
