//! Servers that do not speak as they should.

use redwire_client::redis::{Cmd, Value};
use redwire_client::{Error, Outcome, Redis};
use redwire_test::{Answer, FakeServer, eventually};

fn command(words: &str) -> Cmd {
    let mut command = Cmd::new();
    words.split(' ').for_each(|word| {
        command.arg(word);
    });
    command
}

/// Answers GET with this, and all else with OK.
async fn speaking(garbage: impl Into<Vec<u8>>) -> (FakeServer, Redis) {
    let garbage = garbage.into();
    let fake = FakeServer::start(move |command| match command {
        [name, ..] if name == b"GET" => Answer::bytes(&garbage),
        _ => Answer::ok(),
    })
    .await;
    let url = format!("{}?command_timeout=0.3", fake.url());
    let redis = Redis::connect(&url).await.expect("a handle");
    (fake, redis)
}

async fn recovers(redis: &Redis) {
    let works = async || redis.command(&command("SET a b")).await.is_ok();
    eventually("a connection that works", works).await;
    for _ in 0..10 {
        let reply = redis.command(&command("SET a b")).await;
        assert_eq!(reply.expect("a reply"), Value::Okay);
    }
}

#[tokio::test]
async fn garbage_is_an_error_without_the_arguments_and_the_next_command_gets_its_own_reply() {
    let deep = "*1\r\n".repeat(10_000);
    for garbage in [
        "\0garbage\r\n",
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        ":twelve\r\n",
        "*x\r\n",
        "$3\r\nabcdef\r\n",
        "#maybe\r\n",
        ",\r\n",
        &*deep,
    ] {
        let (fake, redis) = speaking(garbage).await;
        let error = redis.command(&command("GET secret")).await.unwrap_err();
        let shown: String = garbage.chars().take(30).collect();
        assert!(error.to_string().contains(&fake.port().to_string()), "{shown:?}: {error}");
        assert!(error.to_string().contains("GET"), "{shown:?}: {error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        assert_ne!(error.outcome(), Outcome::NotSent, "{shown:?}: {error:?}");
        recovers(&redis).await;
        assert!(fake.attempts() > 1, "{shown:?}");
    }
}

#[tokio::test]
async fn a_reply_that_never_ends_is_late() {
    for beginning in ["$9999\r\nabc", "*2147483647\r\n:1\r\n", "%1000000000\r\n", "+OK"] {
        let (fake, redis) = speaking(beginning).await;
        let error = redis.command(&command("GET secret")).await.unwrap_err();
        assert!(
            matches!(&error, Error::Timeout { command, .. } if command == "GET"),
            "{beginning:?}: {error:?}"
        );
        assert_eq!(error.outcome(), Outcome::Unknown);
        recovers(&redis).await;
        assert!(fake.attempts() > 1, "{beginning:?}");
    }
}

#[tokio::test]
async fn a_reply_that_is_cut_off_is_lost() {
    let (fake, redis) = speaking("").await;
    fake.answer_with(|command| match command[0].as_slice() {
        b"INCR" => Answer::Close,
        _ => Answer::ok(),
    });
    let error = redis.command(&command("INCR secret")).await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
    recovers(&redis).await;
    assert_eq!(fake.commands().iter().filter(|command| command.is("INCR")).count(), 1);
}

// The second attempt was not sent, but the first one may have been carried out.
#[tokio::test]
async fn a_repeated_command_that_finds_no_server_again_may_have_been_carried_out() {
    let (fake, redis) = speaking("").await;
    fake.script_handshakes();
    fake.answer_with(|_| Answer::Close);
    let error = redis.idempotent().command(&command("SET secret x")).await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(fake.attempts() > 1);
}

// S254
#[tokio::test]
async fn a_reply_that_comes_byte_by_byte_is_whole() {
    let fake = FakeServer::start(|_| {
        Answer::OneByteAtATime(b"*2\r\n*2\r\n$2\r\n\r\n\r\n:-7\r\n%1\r\n+a\r\n_\r\n".to_vec())
    })
    .await;
    let redis = Redis::connect(&fake.url()).await.unwrap();
    let pair = Value::Array(vec![Value::BulkString(b"\r\n".to_vec()), Value::Int(-7)]);
    let map = Value::Map(vec![(Value::SimpleString("a".into()), Value::Nil)]);
    let reply = redis.command(&command("GET a")).await.unwrap();
    assert_eq!(reply, Value::Array(vec![pair, map]));
}

// What nobody asked for must not become somebody's reply.
#[tokio::test]
async fn replies_that_nobody_asked_for_end_the_connection() {
    let (fake, redis) = speaking("+first\r\n+second\r\n").await;
    let _ = redis.command(&command("GET a")).await;
    recovers(&redis).await;
    let replies = redis.send(command("SET a b"));
    assert_eq!(replies.await.unwrap(), Value::Okay);
    drop(fake);
}
