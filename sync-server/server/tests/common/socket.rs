//! A real socket, by reqwest.

use super::phone::Answer;

#[derive(Clone)]
pub struct Socket {
    url: String,
    client: reqwest::blocking::Client,
}

impl Socket {
    pub fn new(url: &str) -> Self {
        // Another test of the same process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::blocking::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self {
            url: url.to_owned(),
            client,
        }
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let answer = self.try_send(method, path, headers, body);
        answer.expect("an answer")
    }

    /// None where the line breaks.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        let method = method.parse().expect("a method");
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body.to_vec()).send().ok()?;
        let text = |value: &reqwest::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value)));
        let headers = headers.collect();
        let body = response.bytes().ok()?.to_vec();
        Some(Answer {
            status,
            headers,
            body,
        })
    }
}
