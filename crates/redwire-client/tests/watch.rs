//! Transactions that are carried out only if nobody was quicker.

use std::time::Duration;

use redwire_client::redis::{AsyncCommands, Cmd, Value, cmd, pipe};
use redwire_client::{Config, Error, Outcome, Redis, Watched};
use redwire_test::{Answer, FakeServer, Generation, RedisServer, Reply, eventually};

async fn connected() -> (RedisServer, Redis) {
    let server = RedisServer::start().await;
    let redis = Redis::connect(&server.url()).await.expect("a connection");
    (server, redis)
}

async fn set(watched: Watched, value: i64) -> Result<Vec<Result<Value, Error>>, Error> {
    let mut transaction = watched.multi()?;
    transaction.command(&Cmd::set("ctr", value));
    transaction.execute().await
}

/// All but those of the fixture, which go over its socket.
async fn tcp_connections(server: &RedisServer) -> usize {
    let list = server.command(&["CLIENT", "LIST"]).await;
    let Reply::Bulk(Some(list)) = list else { panic!("{list:?}") };
    let list = String::from_utf8_lossy(&list);
    list.lines().filter(|line| line.contains(" addr=127.0.0.1:")).count()
}

fn problem_of<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    let Err(Error::Invalid { problem, .. }) = outcome else { panic!("{outcome:?}") };
    problem.into_owned()
}

// S231
#[tokio::test]
async fn an_unchanged_key_lets_the_transaction_through() {
    for generation in [Generation::Redis, Generation::Valkey] {
        let server = RedisServer::start_on(generation).await;
        let redis = Redis::connect(&server.url()).await.unwrap();
        let mut watched = redis.watch("ctr").await.unwrap();
        assert_eq!(watched.command(&Cmd::get("ctr")).await.unwrap(), Value::Nil);
        let replies = set(watched, 1).await.unwrap();
        assert_eq!(replies[0].as_ref().unwrap(), &Value::Okay);
        assert_eq!(server.command(&["GET", "ctr"]).await, Reply::bulk("1"));
    }
}

// S232, S294
#[tokio::test]
async fn a_changed_key_is_a_conflict_and_the_next_watch_works() {
    let server = RedisServer::start().await;
    let config = Config::from_url(&server.url()).unwrap().pool_size(1);
    let redis = Redis::connect_with(config).await.unwrap();
    let mut watched = redis.watch("ctr").await.unwrap();
    assert_eq!(watched.get::<_, Option<i64>>("ctr").await.unwrap(), None);
    server.command(&["SET", "ctr", "99"]).await;
    let mut transaction = watched.multi().unwrap();
    let queued = transaction.command(&Cmd::set("ctr", 1));
    for error in [transaction.execute().await.unwrap_err(), queued.await.unwrap_err()] {
        assert!(matches!(error, Error::Conflict { .. }), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotSent);
    }
    assert_eq!(server.command(&["GET", "ctr"]).await, Reply::bulk("99"));

    let mut watched = redis.watch(&["ctr", "other"]).await.unwrap();
    assert_eq!(watched.query::<i64>(&Cmd::get("ctr")).await.unwrap(), 99);
    set(watched, 100).await.unwrap();
    assert_eq!(server.command(&["GET", "ctr"]).await, Reply::bulk("100"));
}

// S233. A second `multi` the compiler refuses: the first takes the watched connection.
#[tokio::test]
async fn a_watch_without_keys_or_reads_is_told() {
    let (_server, redis) = connected().await;
    assert_eq!(problem_of(redis.watch(&[] as &[&str]).await), "No keys set to watch");
    let watched = redis.watch("ctr").await.unwrap();
    let problem = "Please run some commands between watch and multi phase";
    assert_eq!(problem_of(watched.multi()), problem);
}

#[tokio::test]
async fn what_would_end_the_watch_unnoticed_is_refused() {
    let (_server, redis) = connected().await;
    let mut watched = redis.watch("ctr").await.unwrap();
    for name in ["UNWATCH", "MULTI", "EXEC", "SELECT", "RESET"] {
        assert!(!problem_of(watched.command(&cmd(name)).await).is_empty());
    }
    let atomic = pipe().atomic().set("ctr", 1).query_async::<()>(&mut watched).await;
    let error = Error::from(atomic.unwrap_err());
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    let (one,): (i64,) = pipe().cmd("INCR").arg("n").query_async(&mut watched).await.unwrap();
    assert_eq!(one, 1);
}

// S234
#[tokio::test]
async fn reads_go_over_the_connection_that_watches() {
    let (_server, redis) = connected().await;
    let mut monitor = redis.monitor().await.unwrap();
    let mut watched = redis.watch("ctr").await.unwrap();
    watched.get::<_, Option<i64>>("ctr").await.unwrap();
    set(watched, 1).await.unwrap();
    let mut seen = Vec::new();
    while !seen.iter().any(|(_, command)| command == "\"EXEC\"") {
        let line = monitor.next().await.unwrap();
        let (client, command) = line.split_once("] ").unwrap();
        let client = client.rsplit_once(' ').unwrap().1.to_owned();
        if !command.contains("CLIENT") && !command.contains("HELLO") {
            seen.push((client, command.to_owned()));
        }
    }
    let first = seen[0].0.clone();
    let commands = ["WATCH\" \"ctr", "GET\" \"ctr", "MULTI", "SET\" \"ctr\" \"1", "EXEC"];
    let expected = commands.map(|command| (first.clone(), format!("\"{command}\"")));
    assert_eq!(seen, expected);
}

// S295
#[tokio::test]
async fn an_ended_watch_gives_its_connection_back() {
    let server = RedisServer::start().await;
    let config = Config::from_url(&server.url()).unwrap().pool_size(1);
    let redis = Redis::connect_with(config).await.unwrap();
    let id = cmd("CLIENT").arg("ID").to_owned();
    let mut watched = redis.watch("a").await.unwrap();
    let () = watched.set("a", 1).await.unwrap();
    let first: i64 = watched.query(&id).await.unwrap();
    watched.unwatch().await.unwrap();

    let mut watched = redis.watch("b").await.unwrap();
    assert_eq!(watched.query::<i64>(&id).await.unwrap(), first, "another connection");
    server.command(&["SET", "a", "2"]).await;
    let mut transaction = watched.multi().unwrap();
    transaction.command(&Cmd::set("b", 1));
    transaction.execute().await.unwrap().remove(0).unwrap();
    let mut watched = redis.watch("c").await.unwrap();
    assert_eq!(watched.query::<i64>(&id).await.unwrap(), first, "another connection");
}

// S295
#[tokio::test]
async fn a_dropped_watch_or_transaction_leaves_no_watch_behind() {
    let (server, redis) = connected().await;
    let mut watched = redis.watch("ctr").await.unwrap();
    let _: Option<i64> = watched.get("ctr").await.unwrap();
    let mut transaction = watched.multi().unwrap();
    transaction.command(&Cmd::set("ctr", 1));
    drop(transaction);
    drop(redis.watch("ctr").await.unwrap());
    let connections = async || tcp_connections(&server).await;
    eventually("only the shared connection to be left", async || connections().await == 1).await;
    assert_eq!(server.command(&["EXISTS", "ctr"]).await, Reply::Integer(0));
}

// T-42
#[tokio::test]
async fn a_watch_waits_for_a_connection_as_long_as_it_may() {
    let server = RedisServer::start().await;
    let config = Config::from_url(&server.url()).unwrap().pool_size(1);
    let redis = Redis::connect_with(config.pool_wait(Duration::from_millis(50))).await.unwrap();
    let mut first = redis.watch("ctr").await.unwrap();
    let error = redis.watch("ctr").await.unwrap_err();
    assert!(matches!(error, Error::PoolTimeout { .. }), "{error:?}");
    // The commands of others are not in its way, nor it in theirs.
    redis.command(&Cmd::get("ctr")).await.unwrap();
    let _: Option<i64> = first.get("ctr").await.unwrap();
    set(first, 1).await.unwrap();
    drop(redis.watch("ctr").await.unwrap());
}

#[tokio::test]
async fn an_empty_transaction_ends_the_watch() {
    let (server, redis) = connected().await;
    let mut watched = redis.watch("ctr").await.unwrap();
    let _: Option<i64> = watched.get("ctr").await.unwrap();
    server.command(&["SET", "ctr", "99"]).await;
    assert!(watched.multi().unwrap().execute().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_connection_that_is_killed_before_the_end_is_an_error() {
    let (server, redis) = connected().await;
    let mut watched = redis.watch("ctr").await.unwrap();
    let id: i64 = watched.query(cmd("CLIENT").arg("ID")).await.unwrap();
    let mut transaction = watched.multi().unwrap();
    let queued = transaction.command(&Cmd::set("ctr", 1));
    let killed = server.command(&["CLIENT", "KILL", "ID", &id.to_string()]).await;
    assert_eq!(killed, Reply::Integer(1));
    for error in [transaction.execute().await.unwrap_err(), queued.await.unwrap_err()] {
        assert!(matches!(error, Error::Lost { .. }), "{error:?}");
    }
    assert_eq!(server.command(&["EXISTS", "ctr"]).await, Reply::Integer(0));
    let mut watched = redis.watch("ctr").await.unwrap();
    let _: Option<i64> = watched.get("ctr").await.unwrap();
    set(watched, 1).await.unwrap();
}

#[tokio::test]
async fn a_reply_that_is_lost_at_the_end_leaves_open_what_happened() {
    let fake = FakeServer::start(|command| match command {
        [name] if name == b"EXEC" => Answer::Close,
        _ => Answer::ok(),
    })
    .await;
    let redis = Redis::connect(&fake.url()).await.unwrap();
    let mut watched = redis.watch("ctr").await.unwrap();
    watched.command(&Cmd::get("ctr")).await.unwrap();
    let watched = set(watched, 1).await.unwrap_err();
    let mut transaction = redis.multi();
    transaction.command(&Cmd::set("ctr", 1));
    for error in [watched, transaction.execute().await.unwrap_err()] {
        assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
    }
    let executed = fake.commands().iter().filter(|command| command.is("EXEC")).count();
    assert_eq!(executed, 2, "neither was sent again");
}

#[tokio::test]
async fn thirty_two_tasks_count_to_an_exact_end() {
    let (_server, redis) = connected().await;
    let tasks = (0..32).map(|_| {
        let redis = redis.clone();
        tokio::spawn(async move {
            let (mut done, mut times) = (0, 0);
            while times < 10 {
                let counted = redis.transaction("ctr", async |mut watched| {
                    let before: Option<i64> = watched.get("ctr").await?;
                    let after = before.unwrap_or_default() + 1;
                    set(watched, after).await?;
                    Ok(after)
                });
                match counted.await {
                    Ok(after) => {
                        assert!(after > done, "a counter never falls");
                        done = after;
                        times += 1;
                    }
                    // The others were quicker sixteen times.
                    Err(Error::Conflict { .. }) => {}
                    error => panic!("{error:?}"),
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(redis.query::<i64>(&Cmd::get("ctr")).await.unwrap(), 320);
}

#[tokio::test]
async fn a_conflict_that_never_ends_is_told_in_the_end() {
    let (server, redis) = connected().await;
    let mut attempts = 0;
    let outcome: Result<(), Error> = redis
        .transaction("ctr", async |mut watched| {
            attempts += 1;
            let _: Option<i64> = watched.get("ctr").await?;
            server.command(&["INCR", "ctr"]).await;
            set(watched, -1).await.map(drop)
        })
        .await;
    assert!(matches!(outcome, Err(Error::Conflict { .. })), "{outcome:?}");
    assert_eq!(attempts, 16);
    assert_eq!(server.command(&["GET", "ctr"]).await, Reply::bulk("16"));
}
