use crate::resp::Reply;

/// What a [`FakeServer`](crate::FakeServer) does about one command.
///
/// Answers of one connection leave in the order of its commands, so one that is held holds the later ones.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// These bytes, at once: RESP or garbage.
    Bytes(Vec<u8>),
    /// These bytes, each in a packet of its own.
    OneByteAtATime(Vec<u8>),
    /// These bytes, after [`FakeServer::release`](crate::FakeServer::release).
    Hold(Vec<u8>),
    /// Nothing.
    Silence,
    /// The connection is closed.
    Close,
    /// What the server answers by itself; to a command that it does not know, an error that says so.
    Usual,
}

impl Answer {
    /// [`Answer::Bytes`] of a text or of any bytes: `Answer::bytes("+OK\r\n")`.
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bytes(bytes.as_ref().to_vec())
    }

    /// `+OK`.
    pub fn ok() -> Self {
        Self::bytes("+OK\r\n")
    }

    /// An error; `text` begins with its code: `Answer::error("MOVED 7 127.0.0.1:7001")`.
    pub fn error(text: &str) -> Self {
        Reply::Error(text.to_owned()).into()
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self::Bytes(reply.encode())
    }
}

/// What a Redis of RESP3 without a password says to the commands that every test's client sends.
pub(super) fn usual(command: &[Vec<u8>]) -> Option<Vec<u8>> {
    let name = command.first()?.to_ascii_uppercase();
    let hello = "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n\
        $5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n\
        $4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
    match (name.as_slice(), command.get(1)) {
        (b"HELLO", _) => Some(hello.into()),
        (b"CLIENT", Some(sub)) if sub.eq_ignore_ascii_case(b"ID") => Some(b":1\r\n".to_vec()),
        (b"AUTH" | b"SELECT" | b"CLIENT", _) => Some(b"+OK\r\n".to_vec()),
        (b"PING", None) => Some(b"+PONG\r\n".to_vec()),
        (b"PING", Some(text)) => Some(Reply::bulk(text).encode()),
        _ => None,
    }
}

pub(super) fn unknown(command: &[Vec<u8>]) -> Vec<u8> {
    let name = String::from_utf8_lossy(command.first().map_or(b"", Vec::as_slice));
    let safe = name.replace(['\r', '\n'], " ");
    Reply::Error(format!("ERR unknown command '{safe}'")).encode()
}
