//! The Autobahn suite's word on the layer: an echo server on it, and `tests/oracles/autobahn.py`.

use std::future::poll_fn;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use redwire_protocol::{HandlerBase, Limits, Protocol};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use super::deflate::deflate;
use super::{Frame, Message, Socket, Upgrade};
use crate::hub::Member;
use crate::line::{End, Line};
use crate::outbox::Outbox;
use crate::serve;

/// The largest message of the suite.
const LARGEST: usize = 16 * 1024 * 1024;

/// Of these the suite only notes what a server does: 256 KiB between two closing handshakes, and
/// close codes that nobody has defined.
const NOTED: [&str; 3] = ["7.1.6", "7.13.1", "7.13.2"];

#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_autobahn_passes_without_compression() {
    let is_about_compression = |case: &str| case.starts_with("12.") || case.starts_with("13.");
    let verdicts = verdicts(false, &[]).await;
    assert_eq!(verdicts.len(), 517);
    for ([case, behaviour, close], expected) in verdicts {
        let expected = if is_about_compression(&case) { ["UNIMPLEMENTED", "OK"] } else { expected };
        assert_eq!([&behaviour[..], &close], expected, "{case}");
    }
}

/// A thousand messages each of 4 KiB at most, and of 8 KiB in small frames. `scripts/autobahn` runs the
/// others, too.
#[tokio::test(flavor = "multi_thread")]
async fn every_case_of_autobahn_passes_with_compression() {
    let is_all = std::env::var_os("REDWIRE_AUTOBAHN").is_some();
    let large = [6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18];
    let large = large.iter().flat_map(|size| [format!("12.*.{size}"), format!("13.*.{size}")]);
    let excluded: Vec<_> = large.filter(|_| !is_all).collect();
    let verdicts = verdicts(true, &excluded).await;
    assert_eq!(verdicts.len(), if is_all { 517 } else { 517 - 12 * 12 });
    for ([case, behaviour, close], expected) in verdicts {
        assert_eq!([&behaviour[..], &close], expected, "{case}");
    }
}

/// No handler is asked anything.
struct Nobody;

impl HandlerBase for Nobody {
    fn channel_is_allowed(&self, _channel: &str) -> bool {
        false
    }
}

/// Case, behaviour and close behaviour of the cases, each with what they have to be.
async fn verdicts(compression: bool, excluded: &[String]) -> Vec<([String; 3], [&'static str; 2])> {
    let address = echo_server(compression).await;
    let own = std::env::current_exe().unwrap();
    let python = own.ancestors().nth(3).unwrap().join("oracles/bin/python");
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracles/autobahn.py");
    let mut command = Command::new(&python);
    command.arg(script).arg(address).args(excluded);
    let output = spawn_blocking(move || command.output()).await.unwrap();
    let output = output.unwrap_or_else(|error| panic!("{python:?}: {error}; run scripts/setup"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    let lines = String::from_utf8(output.stdout).unwrap();
    let verdict = |line| {
        let verdict: [String; 3] = serde_json::from_str(line).unwrap();
        let is_noted = NOTED.contains(&&verdict[0][..]);
        (verdict, if is_noted { ["INFORMATIONAL"; 2] } else { ["OK"; 2] })
    };
    lines.lines().map(verdict).collect()
}

async fn echo_server(compression: bool) -> String {
    // A ping is more than the suite expects.
    let ping = Duration::from_secs(3600);
    let limits = Arc::new(Limits {
        message_bytes: LARGEST,
        outbox_bytes: usize::MAX,
        outbox_messages: usize::MAX,
        ping,
        ..Limits::default()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("ws://{}", listener.local_addr().unwrap());
    let of_sockets = Arc::clone(&limits);
    let app = Router::new().fallback(any(async move |upgrade: Upgrade| {
        let limits = Arc::clone(&of_sockets);
        let serve = async move |socket| echo(socket, &limits).await;
        upgrade.accept(&of_sockets, compression, serve)
    }));
    tokio::spawn(async move { serve(listener, app, &limits, std::future::pending()).await });
    address
}

/// Says what the client says, as a connection would say its replies.
async fn echo(socket: Socket, limits: &Arc<Limits>) {
    let window_bits = socket.deflate.map(|deflate| deflate.window_bits);
    let filters = Protocol::<Nobody>::new().filters().clone();
    let outbox = Outbox::new(limits, socket.stream.direct(), None);
    outbox.begin_with(socket.answer.clone());
    let mut line = Line::new(socket, Arc::new(Member::new(0, outbox, filters)), limits);
    loop {
        let message = poll_fn(|context| {
            if let Some(message) = line.received()? {
                return Poll::Ready(Ok(message));
            }
            match line.poll_tend(context, None) {
                Poll::Ready(end) => Poll::Ready(Err(end)),
                Poll::Pending => line.poll_receive(context),
            }
        });
        let compressed = |payload: &[u8]| Some(compressed(payload, window_bits?).into());
        let echo = match message.await {
            Ok(Message::Text(text)) => {
                let deflated = compressed(text.as_bytes());
                Frame::deflated(text.into(), deflated)
            }
            Ok(Message::Binary(bytes)) => {
                let deflated = compressed(&bytes);
                Frame::binary(bytes.into(), deflated)
            }
            Ok(Message::Ping(payload)) => {
                line.pong(payload);
                continue;
            }
            Ok(Message::Pong) => continue,
            Ok(Message::Close(code)) => return line.leave(code).await,
            Err(End::Closing(close)) => return line.close(close).await,
            Err(_) => return,
        };
        assert!(line.member.outbox.offer(echo).is_ok(), "there is room for everything");
    }
}

/// Compressed even if that gains nothing: the suite takes a message that is not for a failure as
/// soon as compression was agreed upon.
fn compressed(payload: &[u8], window_bits: u8) -> Vec<u8> {
    let stored = || {
        let mut blocks = Vec::new();
        for part in payload.chunks(usize::from(u16::MAX)) {
            let len = part.len() as u16;
            blocks.push(0);
            blocks.extend([len.to_le_bytes(), (!len).to_le_bytes()].concat());
            blocks.extend(part);
        }
        [blocks, vec![0]].concat()
    };
    deflate(payload, window_bits).unwrap_or_else(stored)
}
