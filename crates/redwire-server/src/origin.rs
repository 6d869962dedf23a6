use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HOST, ORIGIN};

/// Which web pages may open a connection.
///
/// Browsers send the page's origin with the handshake and do not stop a page of another site from
/// connecting with the visitor's cookies; the server has to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins(Option<Vec<Box<str>>>);

impl Origins {
    pub(crate) fn listed<S: AsRef<str>>(origins: impl IntoIterator<Item = S>) -> Self {
        let listed = |origin: S| origin.as_ref().trim_end_matches('/').to_lowercase().into();
        Self(Some(origins.into_iter().map(listed).collect()))
    }

    /// Without a list, any page may connect, unless the handshake carries cookies: then it must
    /// come from the server's own host. Programs that are not browsers send no origin and pass.
    pub(crate) fn allow(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else { return true };
        let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
        match &self.0 {
            Some(listed) => listed.iter().any(|l| &**l == "*" || l.eq_ignore_ascii_case(origin)),
            None => !headers.contains_key(COOKIE) || is_own_host(origin, headers),
        }
    }
}

fn is_own_host(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = origin.split_once("://").map(|(_, host)| host);
    matches!((host, origin), (Some(host), Some(origin)) if host.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(axum::http::HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_list_is_compared_as_a_whole_and_without_case() {
        let origins = Origins::listed(["https://Map.example", "http://localhost:3000/"]);
        for good in ["https://map.example", "https://MAP.example", "http://localhost:3000"] {
            assert!(origins.allow(&headers(&[(ORIGIN, good)])), "{good}");
        }
        for bad in [
            "https://map.example.evil",
            "http://map.example",
            "https://map.example:8443",
            "null",
            "",
        ] {
            assert!(!origins.allow(&headers(&[(ORIGIN, bad)])), "{bad}");
        }
    }

    #[test]
    fn a_program_without_an_origin_passes() {
        assert!(Origins::listed(["https://map.example"]).allow(&HeaderMap::new()));
    }

    #[test]
    fn two_origins_are_refused() {
        let twice = headers(&[(ORIGIN, "https://map.example"), (ORIGIN, "https://map.example")]);
        assert!(!Origins::listed(["https://map.example"]).allow(&twice));
    }

    #[test]
    fn without_a_list_cookies_are_only_taken_from_the_own_host() {
        let origins = Origins::default();
        let page = |origin, host| headers(&[(ORIGIN, origin), (HOST, host), (COOKIE, "session=1")]);
        assert!(origins.allow(&page("https://map.example", "map.example")));
        assert!(!origins.allow(&page("https://evil.example", "map.example")));
        assert!(!origins.allow(&page("null", "map.example")));
        assert!(
            origins.allow(&headers(&[(ORIGIN, "https://evil.example"), (HOST, "map.example")]))
        );
    }
}
