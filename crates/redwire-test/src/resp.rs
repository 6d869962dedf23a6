use std::future::Future;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::pin::Pin;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// What Redis answered, in RESP2, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `+OK`.
    Simple(String),
    /// `-ERR …`, with its code and without the dash.
    Error(String),
    /// `:42`.
    Integer(i64),
    /// A string of any bytes; `None` is the null reply.
    Bulk(Option<Vec<u8>>),
    /// A list; `None` is the null list.
    Array(Option<Vec<Self>>),
}

impl Reply {
    /// A bulk reply of these bytes, to compare with.
    pub fn bulk(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bulk(Some(bytes.as_ref().to_vec()))
    }

    /// The integer in it, if it is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The bytes in it, if it is a string.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bulk(bytes) => bytes.as_deref(),
            Self::Simple(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// The replies in it, if it is a list.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => items.as_deref(),
            _ => None,
        }
    }

    /// Its RESP2 bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Simple(text) => format!("+{text}\r\n").into_bytes(),
            Self::Error(text) => format!("-{text}\r\n").into_bytes(),
            Self::Integer(number) => format!(":{number}\r\n").into_bytes(),
            Self::Bulk(None) => b"$-1\r\n".to_vec(),
            Self::Bulk(Some(bytes)) => {
                [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
            }
            Self::Array(None) => b"*-1\r\n".to_vec(),
            Self::Array(Some(items)) => {
                let head = format!("*{}\r\n", items.len()).into_bytes();
                std::iter::once(head).chain(items.iter().map(Self::encode)).flatten().collect()
            }
        }
    }
}

/// An ACL user who may do everything, with any password.
pub(crate) const FIXTURE_USER: &str = "redwire-test";

/// Sends one command over a connection of its own and reads the one reply.
pub(crate) async fn call<A: AsRef<[u8]>>(socket: &Path, args: &[A]) -> Result<Reply> {
    let mut stream = BufReader::new(UnixStream::connect(socket).await?);
    let command = encode(args);
    stream.write_all(&command).await?;
    let reply = read(&mut stream).await?;
    match &reply {
        Reply::Error(text) if text.starts_with("NOAUTH") => {
            stream.write_all(&encode(&["AUTH", FIXTURE_USER, ""])).await?;
            read(&mut stream).await?;
            stream.write_all(&command).await?;
            read(&mut stream).await
        }
        _ => Ok(reply),
    }
}

fn encode<A: AsRef<[u8]>>(args: &[A]) -> Vec<u8> {
    Reply::Array(Some(args.iter().map(Reply::bulk).collect())).encode()
}

type Reading<'a> = Pin<Box<dyn Future<Output = Result<Reply>> + Send + 'a>>;

fn read(stream: &mut BufReader<UnixStream>) -> Reading<'_> {
    Box::pin(async move {
        let line = read_line(stream).await?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(|| malformed(&line))?;
        match kind {
            "+" => Ok(Reply::Simple(rest.to_owned())),
            "-" => Ok(Reply::Error(rest.to_owned())),
            ":" => rest.parse().map(Reply::Integer).map_err(|_| malformed(&line)),
            "$" => read_bulk(stream, rest).await,
            "*" => read_array(stream, rest).await,
            _ => Err(malformed(&line)),
        }
    })
}

async fn read_line(stream: &mut BufReader<UnixStream>) -> Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

async fn read_bulk(stream: &mut BufReader<UnixStream>, length: &str) -> Result<Reply> {
    let Ok(length) = length.parse::<usize>() else { return Ok(Reply::Bulk(None)) };
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    stream.read_exact(&mut [0; 2]).await?;
    Ok(Reply::Bulk(Some(bytes)))
}

async fn read_array(stream: &mut BufReader<UnixStream>, length: &str) -> Result<Reply> {
    let Ok(length) = length.parse::<usize>() else { return Ok(Reply::Array(None)) };
    let mut items = Vec::new();
    for _ in 0..length {
        items.push(read(stream).await?);
    }
    Ok(Reply::Array(Some(items)))
}

fn malformed(line: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("not a RESP2 reply: {line:?}"))
}
