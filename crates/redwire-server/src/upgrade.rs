use axum::extract::FromRequestParts;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use redwire_protocol::Limits;

/// Smallest read buffer that takes a typical command in one read; the library's default of
/// 128 KiB a connection is what makes idle connections expensive.
const READ_BUFFER: usize = 4 * 1024;
/// Frames that are ready at the same time leave in writes of about this size.
const WRITE_BUFFER: usize = 32 * 1024;

/// An extractor: a request to upgrade to WebSocket, for
/// [`WebsocketApi::upgrade`](crate::WebsocketApi::upgrade).
///
/// Unlike axum's own it remembers the handshake's headers, because the API checks the origin.
#[derive(Debug)]
pub struct Upgrade {
    socket: WebSocketUpgrade,
    headers: HeaderMap,
}

impl Upgrade {
    /// The handshake's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn accept<F>(
        self,
        limits: &Limits,
        serve: impl FnOnce(WebSocket) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.socket
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(limits.message_bytes)
            .max_frame_size(limits.message_bytes)
            .on_upgrade(serve)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = WebSocketUpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let socket = WebSocketUpgrade::from_request_parts(parts, state).await?;
        Ok(Self { socket, headers: parts.headers.clone() })
    }
}
