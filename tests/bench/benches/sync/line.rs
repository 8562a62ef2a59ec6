//! HTTP/1.1 over one connection that stays open, as thin as can be: what the
//! client costs is taken from the server's two cores.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result, bail};

/// A connection to the server.
pub(crate) struct Line {
    stream: BufReader<TcpStream>,
}

/// A request, whole: it is made before the clock runs.
pub(crate) struct Sealed(Vec<u8>);

/// `POST path` with a body, in the name of whoever has the token.
pub(crate) fn post(path: &str, token: &str, kind: &str, body: &[u8]) -> Sealed {
    let mut bytes = format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\
         content-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Sealed(bytes)
}

impl Line {
    pub(crate) fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::with_capacity(64 * 1024, stream),
        })
    }

    /// The body of the answer, which must be a good one.
    pub(crate) fn send(&mut self, request: &Sealed) -> Result<Vec<u8>> {
        self.stream.get_mut().write_all(&request.0)?;
        let (mut status, mut length, mut head) = (String::new(), None, String::new());
        self.stream.read_line(&mut status)?;
        loop {
            head.clear();
            self.stream.read_line(&mut head)?;
            let line = head.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse::<usize>()?);
            }
        }
        let mut body = vec![0; length.context("the answer says its length")?];
        self.stream.read_exact(&mut body)?;
        if !status.starts_with("HTTP/1.1 200") {
            bail!("{}: {}", status.trim_end(), String::from_utf8_lossy(&body));
        }
        Ok(body)
    }
}
