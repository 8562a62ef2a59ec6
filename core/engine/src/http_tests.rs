use super::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivateKeyDer;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

/// A CA, a certificate for `localhost` that it signed, and that one's key.
struct Signed {
    ca: CertificateDer<'static>,
    leaf: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

fn signed(name: &str) -> Signed {
    let mut ca = CertificateParams::new(vec![]).expect("no names");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().expect("a key");
    let certificate = ca.self_signed(&ca_key).expect("signs").der().clone();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let leaf = leaf.signed_by(&key, &issuer).expect("signs").der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    Signed {
        ca: certificate,
        leaf,
        key,
    }
}

/// Answers one request over TLS, or sees the client turn away; the answer is
/// `status` and the request's head as it came.
fn serve_tls(
    signed: &Signed,
    chain: Vec<CertificateDer<'static>>,
) -> (String, thread::JoinHandle<()>) {
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, signed.key.clone_key())
        .expect("a certificate");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let thread = thread::spawn(move || {
        let (socket, _) = listener.accept().expect("a client");
        let session = ServerConnection::new(Arc::new(config)).expect("a session");
        let mut stream = StreamOwned::new(session, socket);
        let mut head = [0; 4096];
        // A client that distrusts hangs up here.
        if stream.read(&mut head).is_ok_and(|read| read > 0) {
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
            let _ = stream.flush();
        }
    });
    (format!("https://localhost:{port}"), thread)
}

fn hello() -> Request {
    Request {
        method: Method::Post,
        path: "/v1/hello".into(),
        headers: vec![("authorization".into(), "Bearer secret".into())],
        body: b"{}".to_vec(),
    }
}

fn call(url: String, ca: Option<Sha256>) -> std::result::Result<Response, TransportError> {
    let server = ServerAddress { url, ca };
    HttpTransport::new(&server).expect("sets up").send(&hello())
}

#[test]
fn a_pinned_ca_is_trusted_for_what_it_signed_and_nothing_else() {
    let good = signed("localhost");
    let other = signed("localhost");
    let elsewhere = signed("elsewhere.example");
    let chain = |signed: &Signed| vec![signed.leaf.clone(), signed.ca.clone()];
    let pin = |signed: &Signed| Some(Sha256::of(&signed.ca));
    let cases = [
        ("its own", &good, chain(&good), pin(&good), true),
        ("no pin: not a public CA", &good, chain(&good), None, false),
        ("another CA", &other, chain(&other), pin(&good), false),
        (
            "the right CA beside a leaf that it did not sign",
            &other,
            vec![other.leaf.clone(), good.ca.clone()],
            pin(&good),
            false,
        ),
        (
            "another name",
            &elsewhere,
            chain(&elsewhere),
            pin(&elsewhere),
            false,
        ),
        (
            "the CA is not sent along",
            &good,
            vec![good.leaf.clone()],
            pin(&good),
            false,
        ),
    ];
    for (what, signed, chain, pin, trusted) in cases {
        let (url, thread) = serve_tls(signed, chain);
        let answer = call(url, pin);
        match answer {
            Ok(response) => assert!(trusted && response.status == 204, "{what}"),
            Err(error) => {
                assert!(!trusted, "{what}: {error}");
                assert!(
                    matches!(error, TransportError::Untrusted { .. }),
                    "{what}: {error}"
                );
            }
        }
        thread.join().expect("no panic");
    }
}

/// Answers one plain request; gives its text.
fn serve(answer: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let thread = thread::spawn(move || {
        let (socket, _) = listener.accept().expect("a client");
        let mut reader = BufReader::new(socket);
        let (mut text, mut length) = (String::new(), 0);
        loop {
            let start = text.len();
            reader.read_line(&mut text).expect("reads");
            let line = text[start..].to_ascii_lowercase();
            if let Some(n) = line.strip_prefix("content-length:") {
                length = n.trim().parse().expect("a number");
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("reads");
        text.push_str(&String::from_utf8(body).expect("text"));
        reader
            .get_mut()
            .write_all(answer.as_bytes())
            .expect("writes");
        text
    });
    (url, thread)
}

#[test]
fn a_redirect_is_an_answer_and_the_token_goes_nowhere_else() {
    let (url, thread) =
        serve("HTTP/1.1 307 T\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
    let response = call(url, None).expect("an answer");
    assert_eq!(response.status, 307);
    assert!(thread.join().expect("no panic").contains("Bearer secret"));
}

#[test]
fn bytes_are_counted_as_they_go_over_the_wire() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\ncontent-length: 3\r\n\r\nabc";
    let (url, thread) = serve(answer);
    let transport = HttpTransport::new(&ServerAddress { url, ca: None }).expect("sets up");
    let response = transport.send(&hello()).expect("an answer");
    assert_eq!(response.body, b"abc", "undoing a coding is the engine's");
    assert_eq!(response.wire_bytes(), answer.len() as u64);
    let sent = thread.join().expect("no panic").len() as u64;
    let counted = hello().wire_bytes(&transport.host());
    // reqwest adds `accept: */*` of its own.
    assert_eq!(sent - "accept: */*\r\n".len() as u64, counted);
}

#[test]
fn nobody_there_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    assert!(matches!(
        call(url, None),
        Err(TransportError::Unreachable { .. })
    ));
    let (url, thread) = serve("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort");
    assert!(matches!(
        call(url, None),
        Err(TransportError::Interrupted { .. })
    ));
    thread.join().expect("no panic");
}
