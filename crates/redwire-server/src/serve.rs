use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONNECTION, HeaderValue};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use redwire_protocol::Limits;
use tokio::net::{TcpListener, TcpStream};
use tower::util::ServiceExt;

use crate::websocket::{Answering, Lingering, Wait};

/// How long accepting pauses when the process has no file descriptor left.
const OUT_OF_FILES_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` until `shutdown` resolves; then stops accepting and returns. Upgraded connections
/// go on: follow with [`WebsocketApi::drain`](crate::WebsocketApi::drain).
///
/// `axum::serve` works as well. This one also closes sockets that do not complete a request head
/// within [`Limits::handshake`], sets `TCP_NODELAY`, and closes gently: a close frame arrives also
/// when the client was still sending. It speaks HTTP/1.1 only, as WebSocket needs.
///
/// # Errors
///
/// If the listener's address cannot be read.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    limits: &Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "listening");
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(serve_one(stream, app.clone(), limits.clone()));
            }
            // The client gave up first.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            // No file descriptor is left: no reason to stop.
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(OUT_OF_FILES_PAUSE).await;
            }
        }
    }
}

async fn serve_one(stream: TcpStream, app: Router, limits: Limits) {
    // Without it small frames wait for acknowledgements of earlier ones.
    let _ = stream.set_nodelay(true);
    let wait = Wait::default();
    let stream = Answering::new(Lingering::new(stream, limits.close), wait.clone());
    let stream = TokioIo::new(stream);
    let of_request = wait.clone();
    let app = app.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(of_request.clone());
        request.map(Body::new)
    });
    let app = app.map_response(move |response: Response| {
        wait.answered(response.status());
        without_keep_alive(response)
    });
    let app = TowerToHyperService::new(app.map_err(|error: Infallible| error));
    let mut http = Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.handshake);
    if let Err(error) = http.serve_connection(stream, app).with_upgrades().await {
        tracing::debug!(%error, "a connection ended with an error");
    }
}

/// One request a connection, so that a client that pipelines requests and reads no answers costs
/// nothing. (hyper's own switch for it would refuse upgrades.)
fn without_keep_alive(mut response: Response) -> Response {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
