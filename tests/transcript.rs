//! `docs/protocol.md` and `docs/live.md` are what the server does: their conversations are played, and
//! the former's tables are compared with the code.

use std::time::Duration;

use redwire::prelude::*;
use redwire_suites::{Gateway, Parity, Store};
use redwire_test::Client;

const PAGE: &str = include_str!("../docs/protocol.md");
const LIVE: &str = include_str!("../docs/live.md");

/// The lines of a page's only block of that language.
fn block(page: &'static str, language: &str) -> impl Iterator<Item = &'static str> {
    let (_, block) = page.split_once(&format!("```{language}\n")).expect("such a block");
    block.split_once("```").expect("the block's end").0.lines()
}

/// The frame with all its bytes but the digits of its timestamps.
fn without_time(frame: &str) -> String {
    let mut parts = frame.split(r#","timestamp":"#);
    let mut without = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, after) = part.split_once(',').expect("a member after the timestamp");
        assert!(digits.len() == 13 && digits.bytes().all(|b| b.is_ascii_digit()), "{frame}");
        without = without + "," + after;
    }
    without
}

/// `HSET key field value` or `PUBLISH channel payload`, where the last word goes to the line's end.
async fn do_at_redis(store: &Store, line: &str) {
    let (command, rest) = line.split_once(' ').expect("a command");
    let (name, rest) = rest.split_once(' ').expect("a name");
    match (command, rest.split_once(' ')) {
        ("PUBLISH", _) => store.publish(name, rest).await,
        ("HSET", Some((field, value))) => store.hset(name, field, value).await,
        _ => panic!("nobody knows how to {line}"),
    }
}

#[tokio::test]
async fn the_protocols_conversation_takes_place() {
    let protocol = || Protocol::new().with(Keys).with(Subscriptions).with(Ping);
    take_place(PAGE, protocol).await;
}

#[tokio::test]
async fn the_live_maps_conversation_takes_place() {
    let live = || Live::mobility(Geo::default());
    take_place(LIVE, || Protocol::new().with(Keys).with(live()).with(Ping)).await;
}

async fn take_place(page: &'static str, protocol: impl Fn() -> Protocol<Parity>) {
    for store in Store::both().await {
        let gateway = Gateway::serving(protocol(), &store, Limits::default(), |api| api).await;
        let mut client: Option<Client> = None;
        for line in block(page, "transcript") {
            let (who, text) = line.split_at_checked(2).expect("a mark and a text");
            match (who, &mut client) {
                ("! ", _) => do_at_redis(&store, text).await,
                ("> ", Some(client)) => client.send(text).await,
                ("< ", Some(client)) => {
                    assert_eq!(without_time(&client.next_text().await), without_time(text));
                }
                // The first thing that is heard is the greeting.
                ("< ", client) => {
                    let mut new = Client::connect(&gateway.url()).await;
                    assert_eq!(without_time(&new.next_text().await), without_time(text));
                    *client = Some(new);
                }
                _ => panic!("who says {line}?"),
            }
        }
        client.expect("a conversation").expect_silence().await;
    }
}

/// The cells of the rows of the table whose header row has these words, without back quotes.
fn table(header: &str) -> Vec<Vec<String>> {
    let (_, rows) = PAGE.split_once(&format!("\n| {header} |\n")).expect("such a table");
    let rows = rows.lines().skip(1).take_while(|line| line.starts_with('|'));
    let cell = |cell: &str| cell.trim().trim_matches('`').to_owned();
    rows.map(|row| row.trim_matches('|').split(" | ").map(cell).collect()).collect()
}

#[test]
fn the_pages_limits_are_the_defaults() {
    // A new limit does not compile here, before it has a row on the page.
    let Limits {
        message_bytes,
        name_bytes,
        reply_bytes,
        subscriptions,
        commands_per_second,
        outbox_bytes,
        outbox_messages,
        outbox_subjects,
        buffer_bytes,
        replay_interval,
        connections,
        handshake,
        ping,
        pong,
        max_age,
        close,
    } = Limits::default();
    let bytes = |bytes: usize| format!("{bytes} bytes");
    let time = |time: Duration| format!("{} s", time.as_secs_f64());
    let frame = || "an error frame".to_owned();
    let code = |close: Close| format!("close {}", close.code());
    let defaults = [
        ("message_bytes", bytes(message_bytes), code(Close::TooLarge)),
        ("name_bytes", bytes(name_bytes), frame()),
        ("subscriptions", subscriptions.to_string(), frame()),
        ("commands_per_second", commands_per_second.to_string(), code(Close::Flood)),
        ("outbox_bytes", bytes(outbox_bytes), code(Close::TooSlow)),
        ("outbox_messages", outbox_messages.to_string(), code(Close::TooSlow)),
        ("outbox_subjects", outbox_subjects.to_string(), code(Close::TooSlow)),
        ("buffer_bytes", bytes(buffer_bytes), "another frame".to_owned()),
        ("replay_interval", time(replay_interval), "put off; the last one counts".to_owned()),
        ("reply_bytes", bytes(reply_bytes), frame()),
        ("connections", connections.to_string(), "HTTP 503".to_owned()),
        ("handshake", time(handshake), "the socket is closed".to_owned()),
        ("ping", time(ping), "a ping".to_owned()),
        ("pong", time(pong), code(Close::NoPong)),
        ("max_age", max_age.map_or("none".to_owned(), time), code(Close::TooOld)),
        ("close", time(close), "the socket is dropped".to_owned()),
    ];
    let rows = table("limit | default | what is bounded | beyond it");
    let rows: Vec<_> = rows.iter().map(|row| (&*row[0], row[1].clone(), row[3].clone())).collect();
    assert_eq!(rows, defaults);
}

#[test]
fn the_pages_close_codes_are_the_servers() {
    let codes = Close::ALL.map(|close| {
        let come_back = if close.may_come_back() { "yes" } else { "no" };
        (close.code().to_string(), close.reason().to_owned(), come_back.to_owned())
    });
    let rows = table("code | reason | why | come back?");
    let rows: Vec<_> =
        rows.iter().map(|row| (row[0].clone(), row[1].clone(), row[3].clone())).collect();
    assert_eq!(rows, codes);
}

#[test]
fn the_page_has_every_command_of_the_original() {
    let original = Protocol::<Parity>::new().with(Keys).with(Subscriptions).with(Ping);
    let on_page = PAGE.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    let mut on_page: Vec<_> = on_page.collect();
    let mut commands: Vec<_> = original.usage_lines().collect();
    on_page.sort_unstable();
    commands.sort_unstable();
    assert_eq!(on_page, commands);
}

/// Lines that the original's commands refuse, and the messages on the page that they lead to.
#[tokio::test]
async fn the_pages_messages_are_the_sessions() {
    let rows = table("message | why | what to do");
    let on_page: Vec<_> = rows.iter().map(|row| row[0].trim()).collect();
    let protocol = Protocol::new().with(Keys).with(Subscriptions).with(Ping);
    let mut session = protocol.session(Parity, MemoryBackend::new());
    for channel in 0..128 {
        session.receive(&format!("SUB channel{channel}")).await.expect("room for it");
    }
    for line in
        ["", "HELLO", "SUB", "SUB a b", "SUB x=y", "GET a ref=b b", "SUB secret", "SUB trains"]
    {
        let message = session.receive(line).await.expect_err(line).to_string();
        assert!(on_page.contains(&message.as_str()), "{message} is not among {on_page:?}");
    }
}
