use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

/// The page's own files and nobody else's; its WebSocket goes to where it came from.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The demo's page: files that are a part of the program.
#[derive(Debug)]
pub(crate) struct Assets(Vec<Asset>);

#[derive(Debug)]
struct Asset {
    path: &'static str,
    content_type: &'static str,
    body: &'static [u8],
    /// Made when somebody first asks for it.
    gzip: OnceLock<Bytes>,
}

macro_rules! assets {
    ($($path:literal: $file:literal,)*) => {
        vec![$(Asset::new($path, include_bytes!($file))),*]
    };
}

impl Assets {
    pub(crate) fn new() -> Self {
        Self(assets! {
            "/": "page/index.html",
            "/demo/style.css": "page/style.css",
            "/demo/main.js": "page/main.js",
            "/demo/background.js": "page/background.js",
            "/demo/box.js": "page/box.js",
            "/demo/console.js": "page/console.js",
            "/demo/feed.js": "page/feed.js",
            "/demo/gestures.js": "page/gestures.js",
            "/demo/hud.js": "page/hud.js",
            "/demo/lines.js": "page/lines.js",
            "/demo/projections.js": "page/projections.js",
            "/demo/vehicles.js": "page/vehicles.js",
            "/demo/view.js": "page/view.js",
            "/demo/world.json": "data/world.json",
            "/demo/europe.json": "data/europe.json",
            "/demo/alps.json": "data/alps.json",
            "/demo/lakes.json": "data/lakes.json",
            "/demo/places.json": "data/places.json",
        })
    }

    /// The file at this path, compressed if the browser takes that, or 304 if it has it already.
    pub(crate) fn serve(&self, path: &str, request: &HeaderMap) -> Option<Response> {
        let asset = self.0.iter().find(|asset| asset.path == path)?;
        let is_compressed = accepts_gzip(request);
        let tag = asset.tag(is_compressed);
        let headers = [
            (header::ETAG, tag.as_str()),
            (header::CACHE_CONTROL, "no-cache"),
            (header::VARY, "accept-encoding"),
        ];
        let known = request.get_all(header::IF_NONE_MATCH).iter();
        if known.filter_map(|tags| tags.to_str().ok()).any(|tags| tags.contains(&tag)) {
            return Some((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        let about = [
            (header::CONTENT_TYPE, asset.content_type),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        Some(if is_compressed {
            let encoding = [(header::CONTENT_ENCODING, "gzip")];
            (headers, about, encoding, asset.gzip()).into_response()
        } else {
            (headers, about, asset.body).into_response()
        })
    }
}

impl Asset {
    fn new(path: &'static str, body: &'static [u8]) -> Self {
        let content_type = match path.rsplit_once('.') {
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "json")) => "application/json",
            _ => "text/html; charset=utf-8",
        };
        Self { path, content_type, body, gzip: OnceLock::new() }
    }

    /// The tag of the bytes that are sent, hence one of its own for the compressed file.
    fn tag(&self, is_compressed: bool) -> String {
        let mut hasher = DefaultHasher::new();
        (self.body, is_compressed).hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }

    fn gzip(&self) -> Bytes {
        let compress = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            // Writing to memory cannot fail.
            let _ = encoder.write_all(self.body);
            encoder.finish().unwrap_or_default().into()
        };
        self.gzip.get_or_init(compress).clone()
    }
}

/// RFC 9110, 12.5.3: a coding is taken if it is named without a weight of zero.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let weight = |parameters: &str| {
        parameters
            .split(';')
            .find_map(|parameter| parameter.trim().strip_prefix("q=")?.parse().ok())
    };
    let accepted = request.get_all(header::ACCEPT_ENCODING).iter();
    accepted.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).any(|coding| {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && weight(parameters).unwrap_or(1.0_f32) > 0.0
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn gzip_is_taken_when_it_is_named_and_not_forbidden() {
        for (accepted, expected) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000, br", false),
            ("identity", false),
            ("x-gzip-like", false),
            ("", false),
        ] {
            let value = HeaderValue::from_static(accepted);
            let request = HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)]);
            assert_eq!(accepts_gzip(&request), expected, "{accepted}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn the_map_takes_about_fifty_kibibytes_compressed() {
        let assets = Assets::new();
        let maps = ["/demo/world.json", "/demo/europe.json", "/demo/alps.json", "/demo/lakes.json"];
        let size: usize =
            assets.0.iter().filter(|a| maps.contains(&a.path)).map(|a| a.gzip().len()).sum();
        assert!((20_000..54_000).contains(&size), "{size}");
    }
}
