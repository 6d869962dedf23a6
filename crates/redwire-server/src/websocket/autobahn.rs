//! The Autobahn suite's word on the layer: an echo server on it, and `tests/oracles/autobahn.py`.

use std::future::poll_fn;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::routing::any;
use redwire_protocol::{HandlerBase, Limits, Protocol};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

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
    let verdicts = verdicts(&[]).await;
    assert_eq!(verdicts.len(), 517);
    for [case, behaviour, close] in &verdicts {
        let expected = match case.as_str() {
            noted if NOTED.contains(&noted) => ["INFORMATIONAL"; 2],
            other if is_about_compression(other) => ["UNIMPLEMENTED", "OK"],
            _ => ["OK"; 2],
        };
        assert_eq!([behaviour, close], expected, "{case}");
    }
}

/// No handler is asked anything.
struct Nobody;

impl HandlerBase for Nobody {
    fn channel_is_allowed(&self, _channel: &str) -> bool {
        false
    }
}

/// Case, behaviour, close behaviour.
async fn verdicts(excluded: &[&str]) -> Vec<[String; 3]> {
    let address = echo_server().await;
    let own = std::env::current_exe().unwrap();
    let python = own.ancestors().nth(3).unwrap().join("oracles/bin/python");
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracles/autobahn.py");
    let mut command = Command::new(&python);
    command.arg(script).arg(address).args(excluded);
    let output = spawn_blocking(move || command.output()).await.unwrap();
    let output = output.unwrap_or_else(|error| panic!("{python:?}: {error}; run scripts/setup"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn echo_server() -> String {
    let limits = Limits { message_bytes: LARGEST, ..Limits::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("ws://{}", listener.local_addr().unwrap());
    let of_sockets = limits.clone();
    let app = Router::new().fallback(any(async move |upgrade: Upgrade| {
        let limits = of_sockets.clone();
        upgrade.accept(&of_sockets, async move |socket| echo(socket, &limits).await)
    }));
    tokio::spawn(async move { serve(listener, app, &limits, std::future::pending()).await });
    address
}

/// Says what the client says, as a connection would say its replies.
async fn echo(socket: Socket, limits: &Limits) {
    let filters = Protocol::<Nobody>::new().filters().clone();
    let outbox = Outbox::new(limits, socket.stream.direct());
    let member = Arc::new(Member::new(0, outbox, filters));
    let mut line = Line::new(socket, member, limits);
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
        let echo = match message.await {
            Ok(Message::Text(text)) => Frame::text(text.into()),
            Ok(Message::Binary(bytes)) => Frame::binary(bytes.into()),
            Ok(Message::Ping(payload)) => {
                line.pong(payload);
                continue;
            }
            Ok(Message::Pong) => continue,
            Ok(Message::Close(code)) => return line.leave(code).await,
            Err(End::Closing(close)) => return line.close(close).await,
            Err(_) => return,
        };
        line.member.outbox.finish(echo);
    }
}
