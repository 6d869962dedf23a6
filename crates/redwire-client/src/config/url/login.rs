use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::bad;
use crate::{Config, Error};

/// `user:password` or `password`.
pub(super) fn with_login(config: Config, login: &str) -> Result<Config, Error> {
    if login.contains('@') {
        // It could also be a second login, in a list of hosts.
        return Err(bad("password", "holds an @, which is written %40"));
    }
    let (user, password) = login.split_once(':').unwrap_or(("", login));
    let user = decode("user", user)?;
    let password = decode("password", password)?;
    Ok(match (user.is_empty(), password.is_empty()) {
        (true, true) => config,
        (true, false) => config.password(password),
        // A user of Redis' may have no password: `nopass`.
        (false, _) => config.username(user).password(password),
    })
}

pub(super) const NOT_ENCODED: &str = "is not percent-encoded utf-8";

pub(super) fn decode<'a>(part: &'static str, text: &'a str) -> Result<Cow<'a, str>, Error> {
    decoded(text).ok_or_else(|| bad(part, NOT_ENCODED))
}

pub(super) fn decoded(text: &str) -> Option<Cow<'_, str>> {
    // The crate leaves a `%` alone that stands before anything but two digits.
    let mut after_percents = text.split('%').skip(1).map(str::as_bytes);
    let encodes = |after: &[u8]| {
        after.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    after_percents.all(encodes).then(|| percent_decode_str(text).decode_utf8().ok())?
}

#[cfg(test)]
mod tests {
    use super::super::tests::{login, problem, user};
    use crate::Config;

    fn password(password: &str) -> (Option<String>, Option<String>) {
        (None, Some(password.to_owned()))
    }

    // S270
    #[test]
    fn a_lone_word_is_the_password() {
        assert_eq!(login("redis://pw@h"), password("pw"));
        assert_eq!(login("redis://:pw@h"), password("pw"));
        assert_eq!(login("redis://u:p@h"), user("u", "p"));
        assert_eq!(login("redis://u:@h"), user("u", ""));
        assert_eq!(login("redis://u:p:q@h"), user("u", "p:q"));
        for nobody in ["redis://h", "redis://@h", "redis://:@h"] {
            assert_eq!(login(nobody), (None, None), "{nobody}");
        }
    }

    #[test]
    fn logins_paths_and_values_are_percent_encoded() {
        assert_eq!(login("redis://a%3An:p%40%2F%3F%23%25@h"), user("a:n", "p@/?#%"));
        assert_eq!(login("redis://h?password=%26%C3%A9"), password("&é"));
    }

    #[test]
    fn a_bad_login_is_named_and_not_quoted() {
        assert_eq!(problem("redis://%ff:p@h"), "user is not percent-encoded utf-8");
        assert_eq!(problem("redis://:%f@h"), "password is not percent-encoded utf-8");
        assert_eq!(problem("redis://u:p@h1,u:p@h2"), "password holds an @, which is written %40");
        let fragment = "url has a fragment; in a login, # is written %23";
        assert_eq!(problem("redis://:p#w@h"), fragment);
        assert_eq!(problem("redis://h/1#insecure"), fragment);
        let at = "url has an @ after the host; in a login, @ / ? are written %40 %2F %3F";
        assert_eq!(problem("redis://:p/w@h"), at);
        assert_eq!(problem("redis://:p?w@h"), at);
        assert_eq!(problem("redis://h?user=u"), "password is missing beside the user");
    }

    #[test]
    fn no_error_prints_a_password() {
        for url in [
            "redis://:hunter2",
            "redis://ann:hunter2",
            "redis://:hunter2@host:port",
            "redis://:hunter2@host/x",
            "redis://:hun/hunter2@host",
            "redis://:hun?hunter2=1@host",
            "redis://:hun#hunter2@host",
            "redis://:hunter2@host@host",
            "redis://hunter2 host",
            "redis://h?password=hunter2&password=hunter2",
            "redis://h?sentinel_password=hunter2%zz",
            "unix://:hunter2/r.sock",
            "x://:hunter2@host",
            ":hunter2://@host",
        ] {
            let error = Config::from_url(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error:?}");
        }
    }
}
