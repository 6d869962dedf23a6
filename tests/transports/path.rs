use std::io::ErrorKind::UnexpectedEof;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Version};
use axum::routing::MethodRouter;
use futures_util::{SinkExt, StreamExt};
use hyper::client::conn::http2;
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use redwire_test::PATIENCE;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// What is between a visitor and the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path {
    /// `axum::serve`.
    Axum,
    /// TLS, with HTTP/1.1 in it.
    Tls,
    /// A stream of HTTP/2, without TLS (RFC 8441).
    Http2,
}

/// A byte stream of any kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A WebSocket client that reads only when it is asked to.
pub(crate) struct Visitor(WebSocketStream<Box<dyn Stream>>);

impl Path {
    pub(crate) const ALL: [Self; 3] = [Self::Axum, Self::Tls, Self::Http2];

    /// Serves `route` to one visitor.
    pub(crate) async fn visit(self, route: MethodRouter) -> Visitor {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let app = Router::new().route("/ws", route);
        let client = async { TcpStream::connect(address).await.expect("a connection") };
        within("WebSocket", async {
            match self {
                Self::Axum => {
                    tokio::spawn(async { axum::serve(listener, app).await });
                    upgrade(Box::new(client.await)).await
                }
                Self::Tls => {
                    let (acceptor, connector) = tls();
                    tokio::spawn(async move {
                        let (stream, _) = listener.accept().await.expect("a client");
                        serve(acceptor.accept(stream).await.expect("TLS"), app).await;
                    });
                    let name = ServerName::try_from("localhost").expect("a name");
                    let stream = connector.connect(name, client.await).await.expect("TLS");
                    upgrade(Box::new(stream)).await
                }
                Self::Http2 => {
                    tokio::spawn(async move {
                        serve(listener.accept().await.expect("a client").0, app).await;
                    });
                    connect(client.await).await
                }
            }
        })
        .await
    }
}

async fn within<F: Future>(what: &str, future: F) -> F::Output {
    let result = timeout(PATIENCE, future).await;
    result.unwrap_or_else(|_| panic!("no {what} within {PATIENCE:?}"))
}

async fn serve(stream: impl Stream + 'static, app: Router) {
    let mut http = Builder::new(TokioExecutor::new());
    http.http2().enable_connect_protocol();
    let app = TowerToHyperService::new(app);
    // How it ends is the visitor's business.
    let _ = http.serve_connection_with_upgrades(TokioIo::new(stream), app).await;
}

async fn upgrade(stream: Box<dyn Stream>) -> Visitor {
    let (socket, _) = client_async("ws://localhost/ws", stream).await.expect("an upgrade");
    Visitor(socket)
}

async fn connect(stream: TcpStream) -> Visitor {
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut requests, connection) = handshake.await.expect("HTTP/2");
    tokio::spawn(connection);
    // Once it has answered anything, the client knows what the server's settings allow.
    let any = Request::get("http://localhost/").body(Body::empty()).expect("a request");
    requests.send_request(any).await.expect("a response");
    let request = Request::builder()
        .method(Method::CONNECT)
        .version(Version::HTTP_2)
        .uri("http://localhost/ws")
        .header("sec-websocket-version", "13")
        // Of HTTP/1.1, and without a meaning here; proxies may leave it in.
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .extension(Protocol::from_static("websocket"))
        .body(Body::empty());
    let response = requests.send_request(request.expect("a request")).await.expect("a response");
    assert_eq!(response.status(), 200);
    let stream = TokioIo::new(hyper::upgrade::on(response).await.expect("a stream"));
    let stream: Box<dyn Stream> = Box::new(stream);
    Visitor(WebSocketStream::from_raw_socket(stream, Role::Client, None).await)
}

/// The two ends of TLS, of which the client's trusts the server's.
fn tls() -> (TlsAcceptor, TlsConnector) {
    let names = vec!["localhost".to_owned()];
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(names).expect("a certificate");
    let mut trusted = RootCertStore::empty();
    trusted.add(cert.der().clone()).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let provider = || Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a key that fits");
    let client = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the default versions")
        .with_root_certificates(trusted)
        .with_no_client_auth();
    (TlsAcceptor::from(Arc::new(server)), TlsConnector::from(Arc::new(client)))
}

impl Visitor {
    pub(crate) async fn send(&mut self, line: &str) {
        self.0.send(Message::text(line)).await.expect("a connection");
    }

    /// The content of the next frame.
    pub(crate) async fn content(&mut self) -> Value {
        match self.next().await {
            Some(Ok(Message::Text(text))) => {
                let mut frame: Value = serde_json::from_str(&text).expect("JSON");
                frame.get_mut("content").map(Value::take).expect("content")
            }
            other => panic!("expected a text, got {other:?}"),
        }
    }

    /// The code with which the server closes. Answers it, and reads to the end.
    pub(crate) async fn closed(&mut self) -> u16 {
        let code = match self.next().await {
            Some(Ok(Message::Close(Some(close)))) => close.code.into(),
            other => panic!("expected a close frame, got {other:?}"),
        };
        while let Some(rest) = self.next().await {
            // What TLS makes of an end without its goodbye.
            let is_cut =
                |error: &Error| matches!(error, Error::Io(error) if error.kind() == UnexpectedEof);
            assert!(!rest.is_err_and(|error| is_cut(&error)), "cut off after the close frame");
        }
        code
    }

    async fn next(&mut self) -> Option<Result<Message, Error>> {
        within("frame", self.0.next()).await
    }
}
