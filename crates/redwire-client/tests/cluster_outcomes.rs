//! What is said of a command that a cluster's client tried more than once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redwire_client::redis::{Cmd, pipe};
use redwire_client::{Config, Error, Outcome, Redis};
use redwire_test::{Answer, FakeServer, Reply};

/// What becomes of connections after the first loss. The one ends the attempts at once, the other when
/// their time is over.
fn ends() -> [Answer; 2] {
    [Answer::error("NOAUTH Authentication required."), Answer::Close]
}

/// The only node of a cluster. It reads a `SET`, hangs up, and lets nobody in again: whatever is tried
/// after that is not sent.
async fn cut_off_at_a_write(end: Answer) -> (FakeServer, Redis) {
    let fake = FakeServer::start(|_| Answer::Usual).await;
    let (port, is_over) = (fake.port(), AtomicBool::new(false));
    fake.answer_with(move |command| match command {
        [name, ..] if name == b"CLUSTER" => slots_of(port).into(),
        [name, ..] if name == b"SET" => {
            is_over.store(true, Ordering::Relaxed);
            Answer::Close
        }
        _ if is_over.load(Ordering::Relaxed) => end.clone(),
        _ => Answer::Usual,
    });
    fake.script_handshakes();
    let config = Config::from_url(&fake.url().replace("redis://", "redis+cluster://"));
    // Else the same node is asked again before the cluster is.
    let config = config.expect("a url").retries(0).command_timeout(Duration::from_secs(1));
    let redis = Redis::connect_with(config).await.expect("a cluster");
    // What may be sent again although it may have been carried out.
    (fake, redis.idempotent())
}

/// All of them.
fn slots_of(port: u16) -> Reply {
    let array = |items: [Reply; 3]| Reply::Array(Some(items.into()));
    let node = array([Reply::bulk("127.0.0.1"), Reply::Integer(port.into()), Reply::bulk("id")]);
    Reply::Array(Some(vec![array([Reply::Integer(0), Reply::Integer(16_383), node])]))
}

/// It was sent, once; another attempt was made and came to nothing; and its error tells of the first.
fn assert_told(error: &Error, fake: &FakeServer) {
    assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
    let writes = fake.commands().into_iter().filter(|command| command.is("SET"));
    assert_eq!(writes.collect::<Vec<_>>(), ["SET foo bar"]);
    assert!(fake.attempts() > 1, "no other attempt");
}

#[tokio::test]
async fn a_later_attempt_that_was_not_sent_does_not_take_back_a_command() {
    for end in ends() {
        let (fake, redis) = cut_off_at_a_write(end).await;
        let error = redis.command(&Cmd::set("foo", "bar")).await.unwrap_err();
        assert_told(&error, &fake);
    }
}

#[tokio::test]
async fn a_later_attempt_that_was_not_sent_does_not_take_back_a_pipeline() {
    for end in ends() {
        let (fake, redis) = cut_off_at_a_write(end).await;
        let error = redis.pipeline(pipe().set("foo", "bar")).await.unwrap_err();
        assert_told(&error, &fake);
    }
}

#[tokio::test]
async fn a_later_attempt_that_was_not_sent_does_not_take_back_what_nobody_awaited() {
    for end in ends() {
        let (fake, redis) = cut_off_at_a_write(end).await;
        let error = redis.send(Cmd::set("foo", "bar")).await.unwrap_err();
        assert_told(&error, &fake);
    }
}
