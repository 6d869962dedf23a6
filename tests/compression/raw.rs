//! A client that sees what is on the wire: the library under `redwire_test::Client` has no compression.

use std::io;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use redwire_suites::Gateway;
use redwire_test::PATIENCE;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What a flush ends with, and what is left out on the wire (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

pub(crate) struct Raw {
    stream: TcpStream,
    /// `Sec-WebSocket-Extensions` of the answer.
    pub(crate) answer: Option<String>,
}

/// A text that has come.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) is_compressed: bool,
    pub(crate) wire_len: usize,
    pub(crate) content: Value,
}

impl Raw {
    /// A client that offers this, and has been greeted.
    pub(crate) async fn offering(gateway: &Gateway, offer: &str) -> Self {
        let mut stream = TcpStream::connect(gateway.address()).await.expect("a connection");
        let request = format!(
            "GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-extensions: {offer}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("to be sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("an answer"));
        }
        let head = String::from_utf8(head).expect("a head");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let answer = head.lines().find_map(|line| line.strip_prefix("sec-websocket-extensions: "));
        let mut client = Self { answer: answer.map(str::to_owned), stream };
        assert_eq!(client.text().await.content, json!({"status": "open"}));
        client
    }

    /// A client that has agreed upon compression and gets what is published on the channel.
    pub(crate) async fn viewer(gateway: &Gateway, offer: &str, channel: &str) -> Self {
        let mut client = Self::offering(gateway, offer).await;
        client.send(0x81, format!("SUB {channel}").as_bytes()).await;
        client.expect_pong().await;
        client
    }

    /// Sends a frame with this first byte.
    pub(crate) async fn send(&mut self, first: u8, payload: &[u8]) {
        // A mask of zeros changes nothing.
        let mut frame = vec![first, 0xff];
        frame.extend((payload.len() as u64).to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(payload);
        self.stream.write_all(&frame).await.expect("to be sent");
    }

    pub(crate) async fn text(&mut self) -> Text {
        let (first, payload) = self.frame().await;
        let is_compressed = first == 0xc1;
        assert!(is_compressed || first == 0x81, "expected a text, got {first:x} {payload:x?}");
        let text = if is_compressed { inflate(&payload) } else { payload.clone() };
        let json: Value = serde_json::from_slice(&text).expect("JSON");
        let content = json.get("content").expect("a content").clone();
        Text { is_compressed, wire_len: payload.len(), content }
    }

    /// All that was sent before has been carried out, and nothing else has come.
    pub(crate) async fn expect_pong(&mut self) {
        self.send(0x81, b"PING").await;
        assert_eq!(self.text().await.content, "PONG");
    }

    /// The code and the reason of a close frame.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let (first, payload) = self.frame().await;
        assert_eq!(first, 0x88, "expected a close frame, got {payload:x?}");
        let (code, reason) = payload.split_first_chunk().expect("a code");
        (u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).expect("UTF-8"))
    }

    /// The first byte and the payload of the next frame. Pings are passed over.
    async fn frame(&mut self) -> (u8, Vec<u8>) {
        loop {
            let (first, payload) = self.any_frame().await;
            if first != 0x89 {
                return (first, payload);
            }
        }
    }

    async fn any_frame(&mut self) -> (u8, Vec<u8>) {
        let stream = &mut self.stream;
        let reading = async {
            let first = stream.read_u8().await?;
            let len = match stream.read_u8().await? {
                126 => stream.read_u16().await?.into(),
                127 => stream.read_u64().await?,
                len => len.into(),
            };
            let mut payload = vec![0; len as usize];
            stream.read_exact(&mut payload).await?;
            Ok::<_, io::Error>((first, payload))
        };
        timeout(PATIENCE, reading).await.expect("a frame in time").expect("a frame")
    }
}

/// As a client compresses a message.
pub(crate) fn deflate(payload: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::with_capacity(payload.len() + 100);
    let mut deflater = Compress::new(Compression::default(), false);
    deflater.compress_vec(payload, &mut compressed, FlushCompress::Sync).expect("room");
    compressed.strip_suffix(&TAIL).expect("a flush").to_vec()
}

fn inflate(compressed: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(1 << 20);
    let whole = [compressed, &TAIL].concat();
    Decompress::new(false)
        .decompress_vec(&whole, &mut payload, FlushDecompress::Sync)
        .expect("deflate");
    payload
}
