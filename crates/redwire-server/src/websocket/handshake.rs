use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version};
use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use redwire_protocol::Limits;
use tungstenite::handshake::derive_accept_key;

use super::extension::negotiate;
use super::{Socket, Wait};

/// An extractor: a request to upgrade to WebSocket, for
/// [`WebsocketApi::upgrade`](crate::WebsocketApi::upgrade).
///
/// It takes and refuses the same requests as axum's own.
#[derive(Debug)]
pub struct Upgrade {
    socket: OnUpgrade,
    /// HTTP/2 has none, whatever its headers say.
    key: Option<HeaderValue>,
    headers: HeaderMap,
    /// There under [`serve`](crate::serve()) only.
    wait: Option<Wait>,
}

impl Upgrade {
    /// The handshake's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The answer to the handshake, compression included if it is wanted and offered; `serve` runs
    /// once it is decided, and writes what the socket says is to be written first.
    pub(crate) fn accept<F>(
        self,
        limits: &Limits,
        compression: bool,
        serve: impl FnOnce(Socket) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let close = limits.close;
        let mut response = switching(self.key.as_ref());
        let deflate = if compression { negotiate(&self.headers) } else { None };
        if let Some(deflate) = deflate {
            response.headers_mut().insert(SEC_WEBSOCKET_EXTENSIONS, deflate.answer());
        }
        if let Some(wait) = self.wait {
            wait.for_first_frame();
        }
        tokio::spawn(async move {
            match self.socket.await {
                Ok(upgraded) => {
                    if let Some(socket) = Socket::new(upgraded, deflate, close) {
                        serve(socket).await;
                    }
                }
                Err(error) => tracing::debug!(%error, "a connection went before its upgrade"),
            }
        });
        response
    }
}

/// Without a key there is no other protocol to switch to: HTTP/2 (RFC 8441, section 5).
fn switching(key: Option<&HeaderValue>) -> Response {
    let mut response = Response::new(Body::empty());
    let accept = key.map(|key| HeaderValue::try_from(derive_accept_key(key.as_bytes())));
    if let Some(Ok(accept)) = accept {
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = WebSocketUpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let socket = parts.extensions.get::<OnUpgrade>().cloned();
        let _judged = WebSocketUpgrade::from_request_parts(parts, state).await?;
        // Axum has refused a request without one.
        let socket = socket.unwrap_or_else(|| hyper::upgrade::on(axum::http::Request::new(())));
        let wait = parts.extensions.get::<Wait>().cloned();
        let headers = parts.headers.clone();
        let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| parts.version <= Version::HTTP_11);
        Ok(Self { socket, key: key.cloned(), headers, wait })
    }
}
