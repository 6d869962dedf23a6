/// The key of every handshake; its answer is always the same.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What a client says before it only listens.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// The HTTP head.
    pub(crate) upgrade: Vec<u8>,
    pub(crate) steps: Vec<Step>,
    pub(crate) offers_deflate: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A text frame, masked.
    Send(Vec<u8>),
    /// So many frames have to come, whatever is in them.
    Await(u32),
}

impl Script {
    /// A handshake at this path, and nothing else.
    pub(crate) fn open(path: &str) -> Self {
        let upgrade = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {KEY}\r\n\r\n"
        );
        Self { upgrade: upgrade.into_bytes(), steps: Vec::new(), offers_deflate: false }
    }

    /// The same with an offer of compression, each message by itself.
    pub(crate) fn offer_deflate(mut self) -> Self {
        const OFFER: &[u8] =
            b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n";
        // Before the empty line.
        self.upgrade.truncate(self.upgrade.len() - 2);
        self.upgrade.extend_from_slice(OFFER);
        self.offers_deflate = true;
        self
    }

    pub(crate) fn send(mut self, text: &str) -> Self {
        self.steps.push(Step::Send(masked(text)));
        self
    }

    pub(crate) fn wait(mut self, frames: u32) -> Self {
        self.steps.push(Step::Await(frames));
        self
    }
}

/// A client's text frame.
pub(crate) fn masked(text: &str) -> Vec<u8> {
    const MASK: [u8; 4] = [0x5a, 0x17, 0xc3, 0x88];
    let payload = text.bytes().zip(MASK.into_iter().cycle()).map(|(byte, mask)| byte ^ mask);
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(length @ 0..126) => frame.push(0x80 | length),
        // No command here is longer than that.
        _ => {
            frame.push(0xfe);
            frame.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload);
    frame
}
