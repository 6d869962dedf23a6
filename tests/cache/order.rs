//! Who has been sent a message gets by a later `GET` nothing older than what was written before it.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

use redwire::client::LinkConfig;
use redwire::prelude::*;
use redwire_test::{Client, Generation, RedisServer, Reply};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::scene::{CHANNEL, Scene};

const ROUNDS: u64 = 3_000;
const VIEWERS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_get_after_a_message_is_never_older_than_what_was_written_before_it() {
    play(Scene::start().await, one_by_one).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_with_valkey() {
    play(Scene::start_on(Generation::Valkey).await, one_by_one).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_if_both_were_written_in_one_transaction() {
    for generation in [Generation::Redis, Generation::Valkey] {
        let transaction = |round| {
            let commands = format!("HSET hash field {round}\r\nPUBLISH {CHANNEL} {round}");
            // The last of the replies is an array of two.
            (format!("MULTI\r\n{commands}\r\nEXEC\r\n"), 6)
        };
        play(Scene::start_on(generation).await, transaction).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_if_the_key_was_deleted_and_written_anew() {
    let anew = |round| {
        let commands = format!("DEL hash\r\nHSET hash other 0 field {round}");
        (format!("{commands}\r\nPUBLISH {CHANNEL} {round}\r\n"), 3)
    };
    play(Scene::start().await, anew).await;
}

/// Redis closes that connection, writes and publishes in one go: the end of the connection and the message are
/// here in either order.
#[tokio::test(flavor = "multi_thread")]
async fn nor_if_the_connection_for_commands_has_just_been_cut() {
    let soon = Duration::from_millis(1);
    let config = LinkConfig { backoff_min: soon, backoff_max: soon, ..LinkConfig::default() };
    let scene = Scene::start_with(RedisServer::start().await, config).await;
    let link = scene.backend.link().clone();
    let cutting = |round: u64| {
        let (commands, lines) = one_by_one(round);
        // Once it is back, and something was kept.
        let is_due = round.is_multiple_of(20) && link.is_live();
        if is_due {
            (format!("CLIENT KILL TYPE normal\r\n{commands}"), lines + 1)
        } else {
            (commands, lines)
        }
    };
    play(scene, cutting).await;
    assert!(link.stats().reconnects > 10, "{:?}", link.stats());
}

/// It forgets the oldest of what it tracks, and says so, while others are read.
#[tokio::test(flavor = "multi_thread")]
async fn nor_if_redis_remembers_few_keys() {
    let scene = Scene::start().await;
    scene.redis.command(&["CONFIG", "SET", "tracking-table-max-keys", "1"]).await;
    let backend = scene.backend.clone();
    tokio::spawn(async move {
        // Each is another key, so each is read, as long as there is Redis.
        let mut number = 0_u64;
        while backend.hget(&format!("other {number}"), "field").await.is_ok() {
            number += 1;
        }
    });
    play(scene, one_by_one).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_in_another_database_by_a_user_who_may_see_only_some_keys() {
    let redis = RedisServer::start().await;
    let user = ["ACL", "SETUSER", "ann", "on", ">pw", "~hash", "~probe", "&*", "+@all"];
    assert_eq!(redis.command(&user).await, Reply::Simple("OK".to_owned()));
    let url = format!("redis://ann:pw@127.0.0.1:{}/5", redis.port());
    let backend = RedisBackend::connect(&url).await.expect("a URL").cached(8 << 20);
    let scene = Scene::on(redis, backend).await;
    scene.until_kept().await;
    let there = |round| {
        let (commands, lines) = one_by_one(round);
        (format!("SELECT 5\r\n{commands}"), lines + 1)
    };
    play(scene, there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_if_a_script_wrote_and_published() {
    let script = |round| {
        let set = format!("redis.call('HSET', 'hash', 'field', {round})");
        let publish = format!("redis.call('PUBLISH', '{CHANNEL}', {round})");
        (format!("EVAL \"{set} {publish}\" 0\r\n"), 1)
    };
    play(Scene::start().await, script).await;
}

/// The commands of a round, and how many lines their replies are.
fn one_by_one(round: u64) -> (String, usize) {
    (format!("HSET hash field {round}\r\nPUBLISH {CHANNEL} {round}\r\n"), 2)
}

/// Writes round after round; every viewer asks twice at each message.
async fn play(scene: Scene, round: impl Fn(u64) -> (String, usize)) {
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
            // That there is no connection is an answer, too.
            if envelope.pointer("/content/status").is_none() {
                let value = number(&envelope);
                assert!(value >= floor, "{value} after the message {floor}");
                answers += 1;
            }
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
