//! Who has been sent a message gets by a later `GET` nothing older than what was written before it.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use redwire_test::{Client, RedisServer};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::scene::{CHANNEL, Scene};

const ROUNDS: u64 = 3_000;
const VIEWERS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_get_after_a_message_is_never_older_than_what_was_written_before_it() {
    let spent =
        play(|round| (format!("HSET hash field {round}\r\nPUBLISH {CHANNEL} {round}\r\n"), 2));
    spent.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_if_both_were_written_in_one_transaction() {
    let spent = play(|round| {
        let transaction =
            format!("MULTI\r\nHSET hash field {round}\r\nPUBLISH {CHANNEL} {round}\r\nEXEC\r\n");
        // Of these, the last is an array of two.
        (transaction, 6)
    });
    spent.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_if_the_key_was_deleted_and_written_anew() {
    let spent = play(|round| {
        let commands =
            format!("DEL hash\r\nHSET hash other 0 field {round}\r\nPUBLISH {CHANNEL} {round}\r\n");
        (commands, 3)
    });
    spent.await;
}

/// Writes round after round; every viewer asks twice at each message.
async fn play(round: impl Fn(u64) -> (String, usize)) {
    let scene = Scene::start().await;
    let mut viewers = JoinSet::new();
    for _ in 0..VIEWERS {
        viewers.spawn(watch(scene.subscriber().await));
    }
    let mut writer = connect(&scene.redis).await;
    let before = scene.reads().await;
    for number in 1..=ROUNDS {
        let (commands, lines) = round(number);
        write(&mut writer, &commands, lines).await;
    }
    let answers: u64 = viewers.join_all().await.into_iter().sum();
    let reads = scene.reads().await - before;
    // Otherwise this would be about nothing.
    assert!(reads < answers, "{reads} reads for {answers} answers");
    println!("{reads} reads for {answers} answers");
}

/// Asks at each message, to the last one. Returns how many answers came, none of which was too old.
async fn watch(mut viewer: Client) -> u64 {
    let (mut newest, mut answers) = (0, 0);
    // For each question on its way, the last message before it.
    let mut asked = VecDeque::new();
    while newest < ROUNDS || !asked.is_empty() {
        let envelope = viewer.next().await;
        if envelope.get("source") == Some(&json!(CHANNEL)) {
            newest = number(&envelope);
            for _ in 0..2 {
                viewer.send("GET hash field").await;
                asked.push_back(newest);
            }
        } else {
            let floor = asked.pop_front().expect("a question");
            let value = number(&envelope);
            assert!(value >= floor, "{value} after the message {floor}");
            answers += 1;
        }
    }
    answers
}

fn number(envelope: &Value) -> u64 {
    envelope.get("content").and_then(Value::as_u64).unwrap_or_else(|| panic!("{envelope}"))
}

async fn connect(redis: &RedisServer) -> BufReader<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, redis.port())).await;
    BufReader::new(stream.expect("a connection to redis"))
}

/// Writes commands in one piece, and reads so many lines of replies.
async fn write(writer: &mut BufReader<TcpStream>, commands: &str, lines: usize) {
    writer.write_all(commands.as_bytes()).await.expect("to be sent");
    for _ in 0..lines {
        let mut reply = String::new();
        writer.read_line(&mut reply).await.expect("a reply");
        assert!(!reply.is_empty() && !reply.starts_with('-'), "{reply:?} to {commands:?}");
    }
}
