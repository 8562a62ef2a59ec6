//! The page's files, part of the program.

use std::borrow::Cow;

use crate::http::{Body, Request, Response};

#[cfg(page_built)]
#[derive(rust_embed::RustEmbed)]
#[folder = "../web/dist/"]
struct Page;

#[cfg(page_built)]
fn file(path: &str) -> Option<Cow<'static, [u8]>> {
    Page::get(path).map(|file| file.data)
}

#[cfg(not(page_built))]
fn file(path: &str) -> Option<Cow<'static, [u8]>> {
    let unbuilt = include_bytes!("../../resources/unbuilt.html");
    (path == "index.html").then_some(Cow::Borrowed(unbuilt))
}

/// By the endings that the build makes.
fn mime(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "map") => "application/json",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Answers with a file of the page. A path without an ending is a view of the
/// page, which finds its own way.
pub(super) fn answer(request: &Request) -> Response {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Response::empty(405);
    }
    let path = request.path.trim_start_matches('/');
    let named = path
        .rsplit('/')
        .next()
        .is_some_and(|name| name.contains('.'));
    let path = if named { path } else { "index.html" };
    let Some(bytes) = file(path) else {
        return Response::empty(404);
    };
    // What the build names by its content never changes.
    let hashed = path.starts_with("assets/");
    let kept = if hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = Response::empty(200)
        .with("content-type", mime(path))
        .with("cache-control", kept);
    response.body = Body::Bytes(bytes.into_owned());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Response {
        answer(&Request {
            method: "GET".into(),
            path: path.into(),
            ..Request::default()
        })
    }

    #[test]
    fn views_lead_to_the_page_and_files_to_themselves() {
        for path in ["/", "/index.html", "/login", "/patrols/1"] {
            let response = get(path);
            assert_eq!(response.status, 200, "{path}");
            assert_eq!(
                response.header("content-type"),
                Some("text/html; charset=utf-8")
            );
            assert_eq!(response.header("cache-control"), Some("no-cache"));
        }
        for path in ["/assets/none.js", "/../Cargo.toml", "/.env"] {
            assert_eq!(get(path).status, 404, "{path}");
        }
    }
}
