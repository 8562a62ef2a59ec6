//! Where the server is, and the code that makes a phone known to it.

use gridwalk_domain::Sha256;
use std::fmt;

use crate::EngineError;

/// The server's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    /// `https://host[:port]`, or `http://` for a server on the same machine.
    pub url: String,
    /// The SHA-256 of the DER of the private CA that signed its certificate,
    /// where it has one.
    pub ca: Option<Sha256>,
}

/// What a supervisor hands to a worker, mostly as a QR code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Where to enrol.
    pub server: ServerAddress,
    /// The one-time code.
    pub code: String,
}

const SCHEME: &str = "gridwalk://enrol?";

impl ServerAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// [`EngineError::BadInvitation`] where it is not one.
    pub fn parse(url: &str) -> Result<Self, EngineError> {
        let url = url.trim().trim_end_matches('/');
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let fits = rest.is_some_and(|rest| {
            !rest.is_empty()
                && !rest
                    .contains(|c: char| c.is_whitespace() || c.is_control() || "?#@".contains(c))
        });
        if !fits {
            return Err(bad(
                "the server's address must begin with https:// or http://",
            ));
        }
        Ok(Self {
            url: url.to_owned(),
            ca: None,
        })
    }
}

impl Invitation {
    /// Reads `gridwalk://enrol?server=…&code=…[&ca=…]`, or a bare code for a
    /// server that is named apart. A server that is named apart goes before the
    /// one in the invitation, which keeps its pin.
    ///
    /// # Errors
    /// [`EngineError::BadInvitation`] says what is wrong.
    pub fn parse(text: &str, server: Option<&str>) -> Result<Self, EngineError> {
        let text = text.trim();
        let (mut found, mut code, mut ca) = (None, None, None);
        if let Some(query) = text.strip_prefix(SCHEME) {
            for (name, value) in form_urlencoded::parse(query.as_bytes()) {
                match &*name {
                    "server" => found = Some(value.into_owned()),
                    "code" => code = Some(value.into_owned()),
                    "ca" => {
                        let pin = value.parse().map_err(|_| bad("ca must be 64 hex digits"))?;
                        ca = Some(pin);
                    }
                    _ => {}
                }
            }
        } else if text.contains("://") {
            return Err(bad("it must begin with gridwalk://enrol?"));
        } else {
            code = Some(text.to_owned());
        }
        let code = code.filter(|code| {
            !code.is_empty() && code.len() <= 128 && !code.contains(char::is_whitespace)
        });
        let code = code.ok_or_else(|| bad("it has no code"))?;
        let url = server
            .map(str::to_owned)
            .or(found)
            .ok_or_else(|| bad("it names no server"))?;
        let server = ServerAddress {
            ca,
            ..ServerAddress::parse(&url)?
        };
        Ok(Self { server, code })
    }
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("server", &self.server.url)
            .append_pair("code", &self.code);
        if let Some(ca) = &self.server.ca {
            query.append_pair("ca", &ca.to_string());
        }
        write!(f, "{SCHEME}{}", query.finish())
    }
}

fn bad(why: &str) -> EngineError {
    EngineError::BadInvitation {
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_writes_and_bare_codes() {
        let invitation = Invitation {
            server: ServerAddress {
                url: "https://gw.example:8443".into(),
                ca: Some(Sha256::of(b"ca")),
            },
            code: "ABCD-1234".into(),
        };
        assert_eq!(
            Invitation::parse(&invitation.to_string(), None),
            Ok(invitation.clone())
        );
        let bare =
            Invitation::parse(" ABCD-1234 ", Some("https://gw.example:8443/")).expect("reads");
        assert_eq!(
            (bare.code, bare.server.url, bare.server.ca),
            ("ABCD-1234".into(), invitation.server.url, None)
        );
    }

    #[test]
    fn what_is_none_says_why() {
        for (text, server) in [
            ("ABCD", None),
            ("", Some("https://a")),
            ("https://gw.example/enrol?code=1", None),
            ("gridwalk://enrol?server=https%3A%2F%2Fa", None),
            ("gridwalk://enrol?server=https%3A%2F%2Fa&code=1&ca=12", None),
            ("ABCD", Some("ftp://a")),
            ("ABCD", Some("https://user@a")),
        ] {
            assert!(
                matches!(
                    Invitation::parse(text, server),
                    Err(EngineError::BadInvitation { .. })
                ),
                "{text} {server:?}"
            );
        }
    }
}
