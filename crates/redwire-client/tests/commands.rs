//! Reads and writes over the link, and what they fail with.

mod reader;

use reader::Reader;
use redwire_client::redis::{Value, cmd};
use redwire_client::{Error, Link, Standing};
use redwire_test::{RedisServer, Reply};

async fn linked() -> (RedisServer, Link) {
    let redis = RedisServer::start().await;
    let link = Link::connect(&redis.url()).await.expect("a link");
    (redis, link)
}

#[tokio::test]
async fn hashes_are_read_as_bytes() {
    let (redis, link) = linked().await;
    redis.hset("key", "field", b"\xff\0\r\n").await;
    assert_eq!(link.hget("key", "field").await.unwrap().unwrap(), b"\xff\0\r\n".as_slice());
    assert_eq!(link.hget("key", "other").await.unwrap(), None);
    assert_eq!(link.hvals("key").await.unwrap(), [b"\xff\0\r\n".as_slice()]);
    assert!(link.hvals("nothing").await.unwrap().is_empty());
}

#[tokio::test]
async fn keys_may_hold_nul_and_line_ends() {
    let (redis, link) = linked().await;
    let (key, field) = ("a\0b\r\nDEL key\r\n", "\r\n\0ü");
    redis.hset(key, field, "value").await;
    assert_eq!(link.hget(key, field).await.unwrap().unwrap(), "value");
    assert!(!link.hset(key, field, "newer").await.unwrap());
    let reply = redis.command(&["HGET", key, field]).await;
    assert_eq!(reply, Reply::bulk("newer"));
}

#[tokio::test]
async fn another_type_of_key_is_an_error_of_its_own_and_of_that_command_only() {
    let (redis, link) = linked().await;
    redis.command(&["SET", "text", "value"]).await;
    for error in
        [link.hget("text", "field").await.unwrap_err(), link.hvals("text").await.unwrap_err()]
    {
        assert!(matches!(error, Error::WrongType { .. }), "{error:?}");
    }
    assert!(link.is_live());
    assert!(link.hset("hash", "field", "value").await.unwrap());
}

#[tokio::test]
async fn an_error_reply_is_told_without_the_arguments() {
    let (_redis, link) = linked().await;
    let error = link.command(cmd("NOSUCH").arg("secret")).await.unwrap_err();
    let Error::Server { code, command, .. } = &error else { panic!("{error:?}") };
    assert_eq!((code.as_str(), command.as_str()), ("ERR", "NOSUCH"));
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn publishing_says_how_many_received_it() {
    let (_redis, link) = linked().await;
    let mut reader = Reader::new(&link);
    assert_eq!(link.publish("channel", "nobody").await.unwrap(), 0);
    link.subscribe("channel");
    assert_eq!(link.confirmed("channel").await, Standing::Confirmed);
    assert_eq!(link.publish("channel", "me").await.unwrap(), 1);
    reader.expect("channel", "me").await;
}

#[tokio::test]
async fn what_was_published_before_a_reply_is_in_the_feed_before_it() {
    let (redis, link) = linked().await;
    let mut feed = link.feed();
    link.subscribe("channel");
    assert_eq!(link.confirmed("channel").await, Standing::Confirmed);
    for number in 0..100 {
        redis.publish("channel", number.to_string()).await;
        link.hget("key", "field").await.unwrap();
        let mut events = Vec::new();
        tokio::select! {
            biased;
            more = feed.recv(&mut events) => assert!(more),
            () = std::future::ready(()) => panic!("message {number} is not there"),
        }
        assert_eq!(events.len(), 1);
    }
}

#[tokio::test]
async fn commands_that_need_a_connection_of_their_own_are_not_sent() {
    let (_redis, link) = linked().await;
    let read = cmd("XREAD").arg("block").arg(0).arg("STREAMS").arg("s").arg("$").clone();
    for command in [cmd("subscribe"), cmd("BLPOP"), cmd("MULTI"), cmd("SELECT"), read] {
        let error = link.command(&command).await.unwrap_err();
        assert!(matches!(error, Error::NotShareable { .. }), "{error:?}");
    }
    let pong = link.command(&cmd("PING")).await.unwrap();
    assert_eq!(pong, Value::SimpleString("PONG".into()));
}

#[tokio::test]
async fn replies_never_cross_when_calls_are_dropped() {
    let (redis, link) = linked().await;
    for number in 0..50 {
        redis.hset("key", number.to_string(), number.to_string()).await;
    }
    for round in 0..2_000 {
        let field = (round % 50).to_string();
        tokio::select! {
            biased;
            value = link.hget("key", &field) => assert_eq!(value.unwrap().unwrap(), field),
            () = give_up_after(round % 7) => {}
        }
    }
    assert_eq!(link.hget("key", "7").await.unwrap().unwrap(), "7");
}

/// Gives the other tasks this many turns.
async fn give_up_after(turns: usize) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_an_error_and_the_right_one_is_not() {
    let redis = RedisServer::start().await;
    redis.command(&["CONFIG", "SET", "requirepass", "right"]).await;
    for wrong in ["redis://:hunter2@", "redis://"] {
        let error = Link::connect(&redis.url().replace("redis://", wrong)).await.unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
    let link = Link::connect(&redis.url().replace("redis://", "redis://:right@")).await.unwrap();
    assert!(link.is_live());
}

#[tokio::test]
async fn a_database_is_selected_and_one_too_far_is_refused() {
    let redis = RedisServer::start().await;
    let link = Link::connect(&format!("{}/3", redis.url())).await.unwrap();
    link.hset("key", "field", "value").await.unwrap();
    assert_eq!(redis.command(&["EXISTS", "key"]).await, Reply::Integer(0));
    let error = Link::connect(&format!("{}/99", redis.url())).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_bad_url_names_its_part() {
    let error = Link::connect("redis://localhost:port").await.unwrap_err();
    assert_eq!(error.to_string(), "bad redis url: the port is not a number from 1 to 65535");
}
