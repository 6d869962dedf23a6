use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::patience::within;

/// 4 KiB, which Linux doubles: a slow reader is full after a few frames.
const SLOW_BUFFER: u32 = 4096;

/// A WebSocket client that says what it expects.
///
/// The library under it answers WebSocket pings by itself; everything else is read only when the
/// test asks for it, so a client that isn't asked is a slow reader.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    /// Connects to a `ws://` URL and reads nothing.
    ///
    /// # Panics
    ///
    /// If the server cannot be reached or refuses the upgrade.
    pub async fn connect(url: &str) -> Self {
        match Self::connect_with(url).await {
            Ok(client) => client,
            Err(error) => panic!("no WebSocket at {url}: {error}"),
        }
    }

    /// Connects and expects redwire's greeting, the frame whose content is `{"status": "open"}`.
    ///
    /// # Panics
    ///
    /// If there is no WebSocket, or its first frame is another one.
    pub async fn open(url: &str) -> Self {
        let mut client = Self::connect(url).await;
        client.expect("websocket", serde_json::json!({"status": "open"})).await;
        client
    }

    /// Connects with a request of the test's own: headers, a subprotocol, cookies.
    ///
    /// # Errors
    ///
    /// What the handshake fails with; [`Error::Http`] is a server that answered something else than 101.
    ///
    /// # Panics
    ///
    /// If the handshake takes longer than [`PATIENCE`](crate::PATIENCE).
    pub async fn connect_with(request: impl IntoClientRequest) -> Result<Self, Error> {
        Self::handshake(request.into_client_request()?, None).await
    }

    /// The HTTP status of a server that refuses the upgrade.
    ///
    /// # Panics
    ///
    /// If it accepts it, or does not answer with HTTP.
    pub async fn refused(request: impl IntoClientRequest) -> StatusCode {
        match Self::connect_with(request).await {
            Err(Error::Http(response)) => response.status(),
            Err(error) => panic!("expected an HTTP status, got {error}"),
            Ok(_) => panic!("expected the upgrade to be refused; it was accepted"),
        }
    }

    /// Connects with a receive buffer of a few KiB, so that a client that reads nothing soon
    /// makes the server's writes wait.
    ///
    /// # Panics
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_slow(url: &str) -> Self {
        let request = url.into_client_request();
        let connected = async { Self::handshake(request?, Some(SLOW_BUFFER)).await };
        match connected.await {
            Ok(client) => client,
            Err(error) => panic!("no WebSocket at {url}: {error}"),
        }
    }

    /// Sends a text frame.
    ///
    /// # Panics
    ///
    /// If the connection is gone.
    pub async fn send(&mut self, text: impl Into<String>) {
        self.send_frame(Message::text(text.into())).await;
    }

    /// Sends a binary frame.
    ///
    /// # Panics
    ///
    /// If the connection is gone.
    pub async fn send_binary(&mut self, bytes: impl Into<Vec<u8>>) {
        self.send_frame(Message::binary(bytes.into())).await;
    }

    /// Sends any message; [`Message::Frame`] goes out as it is, also a malformed one.
    ///
    /// # Panics
    ///
    /// If the connection is gone.
    pub async fn send_frame(&mut self, message: Message) {
        if let Err(error) = within("a frame to be sent", self.socket.send(message)).await {
            panic!("cannot send: {error}");
        }
    }

    /// Sends so many text frames at once, without reading in between.
    ///
    /// # Panics
    ///
    /// If the connection is gone.
    pub async fn send_all(&mut self, texts: impl IntoIterator<Item = String>) {
        let feeding = async {
            for text in texts {
                self.socket.feed(Message::text(text)).await?;
            }
            self.socket.flush().await
        };
        if let Err(error) = within("frames to be sent", feeding).await {
            panic!("cannot send: {error}");
        }
    }

    /// Sends bytes on the TCP connection itself, past the WebSocket library: anything that it
    /// would not send.
    ///
    /// # Panics
    ///
    /// If the connection is gone.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        if let Err(error) = within("bytes to be sent", self.socket.get_mut().write_all(bytes)).await
        {
            panic!("cannot send: {error}");
        }
    }

    /// Sends bytes on the TCP connection over and over, until the server has hung up.
    ///
    /// # Panics
    ///
    /// If it does not within [`PATIENCE`](crate::PATIENCE).
    pub async fn send_until_hung_up(&mut self, bytes: &[u8]) {
        let sending = async { while self.socket.get_mut().write_all(bytes).await.is_ok() {} };
        within("the server to hang up", sending).await;
    }

    /// Reads so many bytes off the TCP connection itself; the WebSocket library is then out of step.
    ///
    /// # Panics
    ///
    /// If the connection ends before, or they do not come within [`PATIENCE`](crate::PATIENCE).
    pub async fn read_raw(&mut self, bytes: usize) {
        let mut buffer = vec![0; bytes];
        let read = self.socket.get_mut().read_exact(&mut buffer);
        if let Err(error) = within("bytes to come", read).await {
            panic!("cannot read: {error}");
        }
    }

    /// Ends the TCP connection with a reset, as a crashed machine or an angry middlebox does.
    ///
    /// # Panics
    ///
    /// If the socket option cannot be set.
    pub fn reset(self) {
        self.socket.get_ref().set_zero_linger().expect("SO_LINGER");
    }

    /// The text of the next frame. Pings and pongs are passed over.
    ///
    /// # Panics
    ///
    /// If it isn't a text frame, or none comes within [`PATIENCE`](crate::PATIENCE).
    pub async fn next_text(&mut self) -> String {
        self.text_of("a text frame").await
    }

    /// The JSON of the next frame.
    ///
    /// # Panics
    ///
    /// As [`next_text`](Self::next_text), and if it isn't JSON.
    pub async fn next(&mut self) -> Value {
        let text = self.text_of("a JSON frame").await;
        match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(error) => panic!("expected JSON ({error}), got {text}"),
        }
    }

    /// Reads to the end: the texts that still come, and the reason in the close frame with this code.
    ///
    /// # Panics
    ///
    /// If the connection ends in another way, or if nothing comes within [`PATIENCE`](crate::PATIENCE).
    pub async fn texts_until_close(&mut self, code: u16) -> (Vec<String>, String) {
        let mut texts = Vec::new();
        loop {
            match within("a text or close frame", self.received()).await {
                Ok(Message::Text(text)) => texts.push(text.as_str().to_owned()),
                Ok(Message::Close(Some(frame))) if u16::from(frame.code) == code => {
                    return (texts, frame.reason.as_str().to_owned());
                }
                other => panic!("expected a close frame with code {code}, got {other:?}"),
            }
        }
    }

    /// Reads until so many WebSocket pings have come; the library under it answers each.
    ///
    /// # Panics
    ///
    /// If one of them does not come within [`PATIENCE`](crate::PATIENCE), or anything but a ping comes.
    pub async fn answer_pings(&mut self, count: usize) {
        for _ in 0..count {
            match within("a ping", self.socket.next()).await {
                Some(Ok(Message::Ping(_))) => {}
                other => panic!("expected a ping, got {other:?}"),
            }
        }
    }

    /// Says goodbye and waits until the server has closed too; frames on the way are discarded.
    ///
    /// # Panics
    ///
    /// If the server does not close within [`PATIENCE`](crate::PATIENCE).
    pub async fn close(mut self) {
        // An error here means that the connection has ended already.
        let _ = within("the close frame to be sent", self.socket.close(None)).await;
        within("the server to close", async { while self.received().await.is_ok() {} }).await;
    }

    /// The next data or close frame; an error text when there is no more.
    pub(crate) async fn received(&mut self) -> Result<Message, String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Ok(message),
                Some(Err(error)) => return Err(error.to_string()),
                None => return Err("the end of the stream".to_owned()),
            }
        }
    }

    pub(crate) async fn text_of(&mut self, awaited: &str) -> String {
        match within(awaited, self.received()).await {
            Ok(Message::Text(text)) => text.as_str().to_owned(),
            other => panic!("expected {awaited}, got {other:?}"),
        }
    }

    async fn handshake(request: Request, receive_buffer: Option<u32>) -> Result<Self, Error> {
        within("a WebSocket handshake", async {
            let stream = dial(&request, receive_buffer).await?;
            // A browser takes messages of any size.
            let any_size = WebSocketConfig::default().max_frame_size(None).max_message_size(None);
            let (socket, _response) =
                client_async_with_config(request, stream, Some(any_size)).await?;
            Ok(Self { socket })
        })
        .await
    }
}

async fn dial(request: &Request, receive_buffer: Option<u32>) -> Result<TcpStream, Error> {
    let host = request.uri().host().unwrap_or("localhost").trim_matches(['[', ']']);
    let port = request.uri().port_u16().unwrap_or(80);
    let address = lookup_host((host, port)).await?.next();
    let address = address.unwrap_or_else(|| panic!("{host} has no address"));
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
