//! What Redis said, without the arguments that it quotes.

use std::sync::Arc;

use super::Error;

impl Error {
    /// From what redis-rs reports for a command that was sent.
    pub(crate) fn from_reply(
        endpoint: Arc<str>,
        command: String,
        error: &redis::RedisError,
    ) -> Self {
        match error.code() {
            Some("WRONGTYPE") => Self::WrongType { endpoint, command },
            Some(code) => {
                let detail = without_arguments(error.detail().unwrap_or_default());
                Self::Server { endpoint, code: code.to_owned(), detail, command }
            }
            None => Self::Lost { endpoint, command },
        }
    }

    /// From what redis-rs reports for a transaction that Redis discarded.
    pub(crate) fn aborted(endpoint: Arc<str>, source: redis::RedisError) -> Self {
        let refused = source.clone().into_server_errors().unwrap_or_default();
        Self::discarded(endpoint, refused.iter().cloned(), source)
    }

    /// For a transaction of which these commands were refused.
    pub(crate) fn discarded(
        endpoint: Arc<str>,
        refused: impl Iterator<Item = (usize, redis::ServerError)>,
        source: redis::RedisError,
    ) -> Self {
        let words = |(place, error): (usize, redis::ServerError)| {
            let detail = without_arguments(error.details().unwrap_or_default());
            (place, format!("{} {detail}", error.code()))
        };
        Self::Aborted { endpoint, refused: refused.map(words).collect(), source }
    }
}

/// The words for the commands that were refused, by their place in the transaction.
pub(super) fn reasons(refused: &[(usize, String)], source: &redis::RedisError) -> String {
    if refused.is_empty() {
        return source.detail().unwrap_or_default().to_owned();
    }
    let reason =
        |(place, words): &(usize, String)| format!("command {}: {words}", place.saturating_add(1));
    refused.iter().map(reason).collect::<Vec<_>>().join("; ")
}

/// Redis quotes what was sent: `unknown command 'x', with args beginning with: …`, `Error in ACL SETUSER
/// modifier '…'`. Only the name of a command stays.
fn without_arguments(detail: &str) -> String {
    let detail = detail.split(", with args").next().unwrap_or_default();
    let parts: Vec<&str> = detail.split('\'').collect();
    let is_argument = |place: usize| {
        let before = place.checked_sub(1).and_then(|before| parts.get(before));
        let after = parts.get(place + 1);
        place % 2 == 1
            && !before.is_some_and(|before| before.ends_with("unknown command "))
            && !after.is_some_and(|after| after.starts_with(" command"))
    };
    let parts = parts.iter().enumerate();
    let shown = parts.map(|(place, part)| if is_argument(place) { "…" } else { part });
    shown.collect::<Vec<_>>().join("'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_redis_quotes_are_left_out() {
        let detail = "unknown command 'FOO', with args beginning with: 'secret' ";
        assert_eq!(without_arguments(detail), "unknown command 'FOO'");
        assert_eq!(without_arguments("value is not an integer"), "value is not an integer");
        let detail = "Error in ACL SETUSER modifier 'secret': Syntax error";
        assert_eq!(without_arguments(detail), "Error in ACL SETUSER modifier '…': Syntax error");
    }
}
