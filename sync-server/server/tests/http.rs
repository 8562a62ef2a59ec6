//! Over a real socket: limits, headers, attachments, restarts.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{Answer, Line, chunk, walk};
use common::socket::Socket;
use common::{BASE, MORNING, Phone, TestClock, TestRng, World, filled};
use gridwalk_domain::{Clock as _, Sha256};
use gridwalk_server::admin::EnrolFor;
use gridwalk_server::{Config, RunningServer, Server, TlsFiles};
use gridwalk_store::Role;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn start(folder: &Path, clock: &Arc<TestClock>, seed: u64) -> RunningServer {
    let config = Config::new(
        folder.to_owned(),
        "127.0.0.1:0".parse().expect("an address"),
    );
    Server::start(&config, clock.clone(), TestRng::new(seed)).expect("starts")
}

struct Running {
    server: RunningServer,
    world: World,
    socket: Socket,
    folder: tempfile::TempDir,
}

fn running() -> Running {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = TestClock::new(201);
    let server = start(folder.path(), &clock, 5);
    let world = filled(server.service().clone(), common::parts(&clock), clock);
    let socket = Socket::new(server.url());
    Running {
        server,
        world,
        socket,
        folder,
    }
}

impl Running {
    fn phone(&self, name: &str) -> Phone {
        let whom = EnrolFor {
            worker: name,
            grid: Some(BASE[0]),
        };
        let code = self.world.service.admin().enrol(whom).expect("a code");
        let line = Line::Socket(self.socket.clone());
        let mut phone = Phone::new(line, self.world.clock.clone(), self.world.grid(BASE[0]));
        phone.enrol(&code.code);
        phone
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.socket.send("GET", path, headers, b"")
    }
}

#[test]
fn a_sync_over_the_wire_and_a_restart_that_keeps_all() {
    let running = running();
    let mut phone = running.phone("王");
    let hello = phone.hello();
    let patrol = phone.patrol();
    let op = phone.incident("楼道");
    let outcome = phone.push_one(&op);
    phone.tracks(&[chunk(patrol, 7, 0, &walk(MORNING, 120))]);
    let photo = phone.upload(&[0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
    let stream = phone.records();
    let before = phone.pull(None, &[(stream, None)]);
    let holdings = running
        .world
        .service
        .admin()
        .holdings(None)
        .expect("holdings");
    assert_eq!(holdings.attachments, [photo]);
    let cookie = running.world.login("督导", Role::Administrator, "371302");

    let Running {
        server,
        world,
        folder,
        ..
    } = running;
    drop(world.service);
    server.stop();
    let server = start(folder.path(), &world.clock, 6);
    phone.line = Line::Socket(Socket::new(server.url()));
    assert_eq!(
        server.service().admin().holdings(None).expect("holdings"),
        holdings
    );
    assert_eq!(phone.hello().epoch, hello.epoch, "the time line goes on");
    let again = phone.pull(None, &[(stream, None)]);
    assert_eq!(again, before);
    let cursor = before.streams[&stream].cursor;
    let rest = phone.pull(before.receipts.cursor, &[(stream, cursor)]);
    assert!(rest.receipts.items.is_empty() && rest.streams[&stream].entities.is_empty());
    assert!(!rest.streams[&stream].reset);
    let repeated = phone.push_one(&op);
    let first = Box::new(outcome);
    assert_eq!(
        repeated,
        gridwalk_domain::wire::Outcome::Duplicate { first }
    );
    let socket = Socket::new(server.url());
    let answer = socket.send("GET", "/api/holdings", &[("cookie", &cookie)], b"");
    let over_http: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(over_http, serde_json::to_value(&holdings).expect("JSON"));
}

#[test]
fn an_attachment_goes_on_where_it_was_cut() {
    let running = running();
    let phone = running.phone("王");
    let bytes: Vec<u8> = [0xff, 0xd8, 0xff, 0xe0]
        .into_iter()
        .chain((0..=250_u8).cycle().take(900_000))
        .collect();
    let hash = Sha256::of(&bytes);
    let begun = phone.begin_upload(hash, bytes.len());
    assert_eq!((begun.status, begun.offset()), (201, 0));
    let path = begun.header("location").expect("a location").to_owned();
    let part = phone.patch(&path, 0, &bytes[..100_000]);
    assert_eq!((part.status, part.offset()), (204, 100_000));

    // The line breaks in the middle of a body: what came is kept.
    let mut raw = TcpStream::connect(running.server.addr()).expect("connects");
    write!(
        raw,
        "PATCH {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ntus-resumable: 1.0.0\r\n\
         content-type: application/offset+octet-stream\r\nupload-offset: 100000\r\ncontent-length: 500000\r\n\r\n",
        phone.token
    )
    .expect("writes");
    raw.write_all(&bytes[100_000..400_000]).expect("writes");
    raw.shutdown(std::net::Shutdown::Write).expect("cuts");
    // The server closes when it has dealt with the cut.
    let _ = raw.read_to_end(&mut Vec::new());
    let state = phone.tus("HEAD", &path, &[], b"");
    assert_eq!(state.status, 200);
    assert_eq!(
        state.header("upload-length"),
        Some(bytes.len().to_string().as_str())
    );
    assert_eq!(state.header("cache-control"), Some("no-store"));
    let offset = state.offset();
    assert_eq!(offset, 400_000, "resumed by the byte");

    let wrong = phone.patch(&path, 7, &bytes[7..]);
    assert_eq!((wrong.status, wrong.code().as_str()), (409, "wrong_offset"));
    let again = phone.begin_upload(hash, bytes.len());
    assert_eq!(
        again.header("location"),
        Some(path.as_str()),
        "a phone that forgot it finds it"
    );
    assert_eq!(again.offset(), offset);
    let more = phone.patch(&path, offset, &[&bytes[400_000..], b"and more"].concat());
    assert_eq!(more.status, 400, "more than was announced");
    let offset = phone.tus("HEAD", &path, &[], b"").offset();
    let rest = usize::try_from(offset).expect("small");
    let done = phone.patch(&path, offset, &bytes[rest..]);
    assert_eq!((done.status, done.offset()), (204, bytes.len() as u64));
    let receipts = phone.pull(None, &[]).receipts.items;
    assert!(
        matches!(receipts[0].of, gridwalk_domain::wire::ReceiptOf::Blob { sha256, purged: false } if sha256 == hash)
    );
    // A second phone of the district need not send it.
    let other = running.phone("李");
    let there = other.begin_upload(hash, bytes.len());
    assert_eq!((there.status, there.offset()), (201, bytes.len() as u64));
    let file = running
        .folder
        .path()
        .join("blobs")
        .join(&hash.to_string()[..2])
        .join(hash.to_string());
    assert_eq!(std::fs::read(file).expect("is there"), bytes);
}

#[test]
fn of_a_cut_body_with_a_checksum_nothing_is_kept() {
    let running = running();
    let phone = running.phone("王");
    let bytes = vec![7; 900_000];
    let begun = phone.begin_upload(Sha256::of(&bytes), bytes.len());
    let path = begun.header("location").expect("a location").to_owned();
    assert_eq!(phone.patch(&path, 0, &bytes[..1000]).offset(), 1000);
    let mut raw = TcpStream::connect(running.server.addr()).expect("connects");
    write!(
        raw,
        "PATCH {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ntus-resumable: 1.0.0\r\n\
         content-type: application/offset+octet-stream\r\nupload-offset: 1000\r\ncontent-length: 899000\r\n\
         upload-checksum: sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=\r\n\r\n",
        phone.token
    )
    .expect("writes");
    raw.write_all(&bytes[..600_000]).expect("writes");
    raw.shutdown(std::net::Shutdown::Write).expect("cuts");
    let _ = raw.read_to_end(&mut Vec::new());
    assert_eq!(phone.tus("HEAD", &path, &[], b"").offset(), 1000);
    assert_eq!(phone.patch(&path, 1000, &bytes[1000..]).status, 204);
}

#[test]
fn a_post_may_stand_for_what_a_proxy_lets_not_through() {
    let running = running();
    let phone = running.phone("王");
    let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let begun = phone.begin_upload(Sha256::of(&bytes), bytes.len());
    let path = begun.header("location").expect("a location").to_owned();
    let patch = [
        ("x-http-method-override", "PATCH"),
        ("content-type", "application/offset+octet-stream"),
        ("upload-offset", "0"),
    ];
    let part = phone.tus("POST", &path, &patch, &bytes[..2_000_000]);
    assert_eq!((part.status, part.offset()), (204, 2_000_000));
    let head = [("x-http-method-override", "HEAD")];
    let stands = phone.tus("POST", &path, &head, b"");
    assert_eq!((stands.status, stands.offset()), (200, 2_000_000));
    assert_eq!(phone.tus("POST", &path, &[], b"").status, 404);
    let done = phone.patch(&path, 2_000_000, &bytes[2_000_000..]);
    assert_eq!((done.status, done.offset()), (204, bytes.len() as u64));
}

#[test]
fn what_is_read_by_range_is_not_packed() {
    let running = running();
    let mut phone = running.phone("王");
    let bytes = vec![b'a'; 100_000];
    let op = phone.incident("楼道");
    let file = phone.upload(&bytes);
    let entry = json!({"sha256": file, "mime": "application/pdf", "bytes": bytes.len()});
    let entry = phone.append(op.entity, "media", entry);
    phone.push(&[op, entry]);
    let path = format!("/v1/blobs/{file}");
    let headers = [("accept-encoding", "gzip")];
    let whole = phone.send("GET", &path, &headers, b"");
    assert_eq!(
        (whole.status, whole.header("content-encoding")),
        (200, None)
    );
    assert_eq!(whole.header("content-length"), Some("100000"));
    assert!(whole.body == bytes);
    let headers = [("accept-encoding", "gzip"), ("range", "bytes=99990-")];
    let part = phone.send("GET", &path, &headers, b"");
    assert_eq!((part.status, part.body), (206, vec![b'a'; 10]));
}

#[test]
fn downloads_that_nobody_takes_hold_up_nobody() {
    let running = running();
    let mut phone = running.phone("王");
    // More than two sockets take into their buffers.
    let bytes = vec![b'a'; 24 * 1024 * 1024];
    let op = phone.incident("楼道");
    let film = phone.upload(&bytes);
    let entry = json!({"sha256": film, "mime": "video/mp4", "bytes": bytes.len()});
    let entry = phone.append(op.entity, "media", entry);
    phone.push(&[op, entry]);
    let address = running.server.url().trim_start_matches("http://");
    // More than the server has threads for requests.
    let stalled: Vec<TcpStream> = (0..80)
        .map(|n| {
            let mut line = TcpStream::connect(address).expect("connects");
            let wait = Some(Duration::from_secs(60));
            line.set_read_timeout(wait).expect("is set");
            let token = &phone.token;
            let head = format!(
                "GET /v1/blobs/{film} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
            );
            line.write_all(head.as_bytes()).expect("sends");
            let mut begun = [0; 12];
            let read = line.read_exact(&mut begun);
            read.unwrap_or_else(|why| panic!("download {n}: {why}"));
            assert_eq!(&begun, b"HTTP/1.1 200");
            line
        })
        .collect();
    let other = phone.incident("meanwhile");
    phone.push_one(&other);
    drop(stalled);
}

#[test]
fn tus_says_what_it_wants() {
    let running = running();
    let phone = running.phone("王");
    let bytes = b"not what was announced";
    let begun = phone.begin_upload(Sha256::of(b"something else!!!!!!!!"), bytes.len());
    let path = begun.header("location").expect("a location").to_owned();
    let bad = phone.patch(&path, 0, bytes);
    assert_eq!((bad.status, bad.code().as_str()), (460, "hash_mismatch"));
    assert_eq!(
        phone.tus("HEAD", &path, &[], b"").status,
        404,
        "the upload is gone"
    );
    assert_eq!(phone.patch(&path, 0, bytes).status, 404);

    let options = running.socket.send("OPTIONS", "/v1/blobs", &[], b"");
    assert_eq!(options.status, 204);
    assert_eq!(options.header("tus-version"), Some("1.0.0"));
    assert_eq!(
        options.header("tus-extension"),
        Some("creation,checksum,expiration")
    );
    assert_eq!(
        options.header("tus-checksum-algorithm"),
        Some("sha1,sha256")
    );
    assert_eq!(options.header("tus-max-size"), Some("100000000"));
    let token = format!("Bearer {}", phone.token);
    let old = [
        ("authorization", token.as_str()),
        ("tus-resumable", "0.2.2"),
    ];
    let answer = running.socket.send("POST", "/v1/blobs", &old, b"");
    assert_eq!(
        (answer.status, answer.header("tus-version")),
        (412, Some("1.0.0"))
    );
    assert_eq!(phone.begin_upload(Sha256::of(b""), 0).status, 400);
    assert_eq!(phone.begin_upload(Sha256::of(b"x"), 300 << 20).status, 413);
    assert_eq!(
        phone
            .tus("POST", "/v1/blobs", &[("upload-length", "5")], b"")
            .status,
        400
    );
    let stranger = Phone {
        token: "0".repeat(64),
        ..phone.clone()
    };
    assert_eq!(stranger.begin_upload(Sha256::of(b"x"), 1).status, 401);

    let begun = phone.begin_upload(Sha256::of(b"x"), 1);
    let path = begun.header("location").expect("a location").to_owned();
    let other = running.phone("李");
    assert_eq!(
        other.tus("HEAD", &path, &[], b"").status,
        404,
        "another phone's"
    );
    assert_eq!(other.patch(&path, 0, b"x").status, 404);
    let typed = phone.tus(
        "PATCH",
        &path,
        &[("upload-offset", "0"), ("content-type", "text/plain")],
        b"x",
    );
    assert_eq!(typed.status, 415);
    for strange in ["/v1/blobs/..%2f..%2fetc", "/v1/blobs/%00", "/v1/blobs/x/y"] {
        assert_eq!(
            phone.tus("HEAD", strange, &[], b"").status,
            404,
            "{strange}"
        );
    }
}

#[test]
fn large_bodies_and_bombs_are_refused_and_others_go_on() {
    let running = running();
    let mut phone = running.phone("王");
    let token = format!("Bearer {}", phone.token);
    let send = |headers: &[(&str, &str)], body: &[u8]| {
        let mut all = vec![
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
        ];
        all.extend_from_slice(headers);
        running.socket.send("POST", "/v1/push", &all, body)
    };
    let large = send(&[], &vec![b' '; 600 * 1024]);
    assert_eq!((large.status, large.code().as_str()), (413, "too_large"));
    let bomb = zstd::stream::encode_all(std::io::repeat(b' ').take(200 << 20), 3).expect("packs");
    assert!(bomb.len() < 100_000);
    let refused = send(&[("content-encoding", "zstd")], &bomb);
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (413, "too_large")
    );
    assert_eq!(send(&[("content-encoding", "gzip")], b"x").status, 415);

    // A packed one is taken, and answered packed where that is worth it.
    let ops: Vec<_> = (0..50)
        .map(|n| phone.incident(&format!("事件 {n}")))
        .collect();
    let sealed: Vec<_> = ops.iter().map(|op| phone.seal(op)).collect();
    let body = json!({"v": 1, "ops": sealed}).to_string();
    let packed = zstd::stream::encode_all(body.as_bytes(), 3).expect("packs");
    assert!(packed.len() * 2 < body.len());
    let answer = send(
        &[("content-encoding", "zstd"), ("accept-encoding", "zstd")],
        &packed,
    );
    assert_eq!(
        (answer.status, answer.header("content-encoding")),
        (200, Some("zstd"))
    );
    let plain = zstd::stream::decode_all(&answer.body[..]).expect("unpacks");
    let answer: gridwalk_domain::wire::PushResponse =
        serde_json::from_slice(&plain).expect("reads");
    assert_eq!(answer.outcomes.len(), 50);
}

#[test]
fn a_body_beyond_every_limit_is_cut_off() {
    let running = running();
    let mut raw = TcpStream::connect(running.server.addr()).expect("connects");
    write!(
        raw,
        "POST /v1/push HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n"
    )
    .expect("writes");
    // The server may close as soon as it has seen enough.
    for _ in 0..64 {
        if raw.write_all(&[b' '; 64 * 1024]).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = raw.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    assert!(
        text.is_empty() || text.starts_with("HTTP/1.1 413"),
        "{text}"
    );
    assert_eq!(running.get("/healthz", &[]).status, 200);
}

#[test]
fn the_page_is_served_with_its_headers() {
    let running = running();
    let page = running.get("/", &[("accept-encoding", "gzip")]);
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    let policy = page.header("content-security-policy").expect("a policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert!(page.header("referrer-policy").is_some());
    assert_eq!(running.get("/patrols/some-view", &[]).status, 200);
    assert_eq!(running.get("/assets/none.js", &[]).status, 404);
    for (path, expected) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let answer = running.get(path, &[]);
        assert_eq!(
            (answer.status, answer.body),
            (200, expected.as_bytes().to_vec())
        );
    }
    assert_eq!(running.get("/v1/nothing", &[]).status, 404);
    assert_eq!(running.get("/v1/push", &[]).status, 405);

    let cookie = running.world.login("督导", Role::District, "371302");
    let path = format!("/api/grids/{}/map", running.world.grid("371302"));
    let map = running.get(&path, &[("cookie", &cookie), ("accept-encoding", "gzip")]);
    assert_eq!(
        (map.status, map.header("content-encoding")),
        (200, Some("gzip"))
    );
    assert_eq!(
        map.header("content-security-policy"),
        Some(policy),
        "on every answer"
    );
    let tag = map.header("etag").expect("a tag").to_owned();
    let again = running.get(&path, &[("cookie", &cookie), ("if-none-match", &tag)]);
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[test]
fn logins_over_the_socket() {
    let running = running();
    let admin = running.world.service.admin();
    let user = admin
        .add_user("督导", Role::Town, "371302001")
        .expect("a user");
    let login = |password: &str, header: &[(&str, &str)]| {
        let body = json!({"name": "督导", "password": password}).to_string();
        running
            .socket
            .send("POST", "/api/login", header, body.as_bytes())
    };
    let ours = [("x-gridwalk", "1")];
    assert_eq!(
        login(&user.password, &[]).status,
        403,
        "a foreign page cannot log in"
    );
    let answer = login(&user.password, &ours);
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(!cookie.contains("Secure"), "plain HTTP: {cookie}");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    assert_eq!(running.get("/api/me", &[("cookie", &cookie)]).status, 200);
    let statuses: Vec<u16> = (0..6).map(|_| login("wrong", &ours).status).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
}

#[test]
fn tls_is_spoken_where_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, made.cert.pem()).expect("writes");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("writes");
    let clock = TestClock::new(9);
    let mut config = Config::new(
        folder.path().join("data"),
        "127.0.0.1:0".parse().expect("an address"),
    );
    config.tls = Some(TlsFiles {
        cert: key.clone(),
        key: key.clone(),
    });
    let refused = Server::start(&config, clock.clone(), TestRng::new(1));
    assert!(refused.is_err_and(|error| error.to_string().contains("--tls-cert")));
    config.tls = Some(TlsFiles { cert, key });
    let server = Server::start(&config, clock, TestRng::new(1)).expect("starts");
    assert!(server.url().starts_with("https://"));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let trusted = reqwest::Certificate::from_der(made.cert.der()).expect("a certificate");
    let client = reqwest::blocking::Client::builder()
        .no_proxy()
        .tls_certs_only([trusted])
        .build()
        .expect("a client");
    let answer = client
        .get(format!("{}/healthz", server.url()))
        .send()
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("strict-transport-security"));
}

#[test]
fn two_servers_cannot_take_one_address() {
    let running = running();
    let other = tempfile::tempdir().expect("a folder");
    let config = Config::new(other.path().to_owned(), running.server.addr());
    let error = Server::start(&config, running.world.clock.clone(), TestRng::new(2));
    let error = error.err().expect("refused").to_string();
    assert!(error.contains("--listen"), "{error}");
    assert!(running.world.clock.now().wall_ms > 0);
}
