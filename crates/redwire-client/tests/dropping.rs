//! Callers that give up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redwire_client::Redis;
use redwire_client::redis::{Cmd, cmd, from_redis_value};
use redwire_test::{Answer, FakeServer, RedisServer, Reply};

fn echo(text: &str) -> Cmd {
    cmd("ECHO").arg(text).clone()
}

// S255
#[tokio::test]
async fn the_commands_after_one_that_was_dropped_get_their_own_replies() {
    let fake = FakeServer::start(|command| {
        let reply = Reply::bulk(&command[1]);
        if command[1] == b"slow" { hold(&command[1]) } else { reply.into() }
    })
    .await;
    let redis = Redis::connect(&fake.url()).await.unwrap();
    let slow = echo("slow");
    tokio::select! {
        reply = redis.command(&slow) => panic!("{reply:?}"),
        () = fake.until_received("ECHO", 1) => {}
    }
    let sent: Vec<_> = (0..10).map(|number| redis.send(echo(&number.to_string()))).collect();
    fake.release();
    for (number, reply) in sent.into_iter().enumerate() {
        let reply = from_redis_value::<String>(reply.await.unwrap());
        assert_eq!(reply.unwrap(), number.to_string());
    }
}

fn hold(text: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(text);
    Answer::Hold(format!("${}\r\n{text}\r\n", text.len()).into_bytes())
}

const TASKS: usize = 50;
const DROPS: usize = 100_000 / TASKS;

// S255
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_dropped_commands_shift_no_reply_and_leave_no_place_taken() {
    let server = RedisServer::start().await;
    // So that only a reply that never comes is late, however busy the machine is.
    let redis = Redis::connect(&format!("{}?command_timeout=30", server.url())).await.unwrap();
    let dropped = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (redis, dropped) = (redis.clone(), dropped.clone());
            tokio::spawn(async move {
                let mut mine = 0;
                for round in 0.. {
                    let text = format!("{task}:{round}");
                    let command = echo(&text);
                    tokio::select! {
                        biased;
                        reply = redis.query::<String>(&command) => assert_eq!(reply.unwrap(), text),
                        () = give_up_after(round % 5) => {
                            mine += 1;
                            dropped.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    if round % 100 == 0 {
                        assert_eq!(redis.query::<String>(&command).await.unwrap(), text);
                    }
                    if mine == DROPS {
                        break;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 100_000);

    // More than may be in flight: a place that was never given back would be missed.
    let all = (0..5_000).map(|number| {
        let redis = redis.clone();
        tokio::spawn(async move {
            let text = number.to_string();
            assert_eq!(redis.query::<String>(&echo(&text)).await.unwrap(), text);
        })
    });
    for task in all.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    // As many as may be: each of these takes its place at once, or is refused.
    let places = 4_096;
    let sent: Vec<_> =
        (0..places).map(|number: i32| redis.send(echo(&number.to_string()))).collect();
    for (number, reply) in sent.into_iter().enumerate() {
        let reply = from_redis_value::<String>(reply.await.unwrap());
        assert_eq!(reply.unwrap(), number.to_string());
    }
}

/// Gives the other tasks this many turns.
async fn give_up_after(turns: usize) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}
