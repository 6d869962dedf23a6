//! Attempts to connect that failed.

use std::sync::Arc;

use redis::ErrorKind;

use super::Error;
use crate::config::is_disagreement;

impl Error {
    /// For a first attempt to connect that failed, and is the last.
    pub(crate) fn connecting(
        endpoint: &Arc<str>,
        database: u32,
        source: redis::RedisError,
    ) -> Self {
        let endpoint = endpoint.clone();
        match is_refusal(&source) {
            true => Self::refused(endpoint, database, source),
            false => Self::Unreachable { endpoint, source },
        }
    }

    /// For a command while the last attempt to connect has failed.
    pub(crate) fn down(
        endpoint: &Arc<str>,
        database: u32,
        command: String,
        source: &redis::RedisError,
    ) -> Self {
        let (endpoint, source) = (endpoint.clone(), source.clone());
        match is_refusal(&source) {
            true => Self::refused(endpoint, database, source),
            false => Self::Unavailable { endpoint, command, source: Some(source) },
        }
    }

    fn refused(endpoint: Arc<str>, database: u32, source: redis::RedisError) -> Self {
        match is_disagreement(&source) {
            true => Self::Tls { endpoint, source },
            false => Self::Refused { endpoint, problem: refusal(database, &source), source },
        }
    }
}

/// Whether it is a mistake in the configuration rather than a Redis that is away or busy.
pub(crate) fn is_refusal(error: &redis::RedisError) -> bool {
    let kinds = [ErrorKind::AuthenticationFailed, ErrorKind::RESP3NotSupported];
    kinds.contains(&error.kind())
        || matches!(error.code(), Some("WRONGPASS" | "NOAUTH" | "NOPERM"))
        || is_about_database(error)
        || is_disagreement(error)
}

/// Redis-rs has no kind for it (redis 1.8.1, `check_db_select`).
fn is_about_database(error: &redis::RedisError) -> bool {
    error.to_string().contains("refused to switch database")
}

fn refusal(database: u32, error: &redis::RedisError) -> String {
    let code = error.code().map(|code| format!("{code} ")).unwrap_or_default();
    let detail = error.detail().map_or_else(|| error.to_string(), str::to_owned);
    match is_about_database(error) {
        true => format!("could not set dbid={database}: {detail}"),
        false => format!("could not auth: {code}{detail}"),
    }
}
