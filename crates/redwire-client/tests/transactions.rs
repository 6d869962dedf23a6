//! Commands that are carried out together, and commands that are sent together.

use redwire_client::redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value, cmd, pipe};
use redwire_client::{Error, Outcome, Redis};
use redwire_test::{Answer, FakeServer, Generation, RedisServer, Reply};

async fn connected() -> (RedisServer, Redis) {
    let server = RedisServer::start().await;
    let redis = Redis::connect(&server.url()).await.expect("a connection");
    (server, redis)
}

fn text(value: &str) -> Value {
    Value::BulkString(value.into())
}

fn problem_of(error: &Error) -> &str {
    let Error::Invalid { problem, .. } = error else { panic!("{error:?}") };
    problem
}

/// A server that answers `+QUEUED` to whatever is no transaction's beginning or end.
async fn that_queues() -> (FakeServer, Redis) {
    let fake = FakeServer::start(|command| match command {
        [name] if name == b"MULTI" => Answer::ok(),
        [name] if name == b"EXEC" => Answer::bytes("*3\r\n+OK\r\n:2\r\n$1\r\n2\r\n"),
        _ => Answer::bytes("+QUEUED\r\n"),
    })
    .await;
    let redis = Redis::connect(&fake.url()).await.expect("a connection");
    (fake, redis)
}

// S224
#[tokio::test]
async fn commands_of_a_transaction_are_answered_in_order() {
    for generation in [Generation::Redis, Generation::Valkey] {
        let server = RedisServer::start_on(generation).await;
        let redis = Redis::connect(&server.url()).await.unwrap();
        let mut transaction = redis.multi();
        transaction.command(&Cmd::set("a", 1));
        let sum = transaction.command(&Cmd::incr("a", 1));
        transaction.command(cmd("GET").arg("a"));
        let replies: Vec<_> =
            transaction.execute().await.unwrap().into_iter().map(Result::unwrap).collect();
        assert_eq!(replies, [Value::Okay, Value::Int(2), text("2")]);
        assert_eq!(sum.await.unwrap(), Value::Int(2));
    }
}

// S224
#[tokio::test]
async fn a_transaction_is_one_write_on_one_connection() {
    let (fake, redis) = that_queues().await;
    let mut transaction = redis.multi();
    transaction.pipeline(pipe().set("a", 1).incr("a", 1).get("a"));
    transaction.execute().await.unwrap();
    let commands = fake.commands();
    assert_eq!(commands, ["MULTI", "SET a 1", "INCRBY a 1", "GET a", "EXEC"]);
    let places: Vec<_> = commands.iter().map(|it| (it.connection, it.read)).collect();
    assert!(places.windows(2).all(|pair| pair[0] == pair[1]), "{commands:?}");
}

// S224
#[tokio::test]
async fn transactions_of_many_tasks_do_not_mix() {
    let (_server, redis) = connected().await;
    let tasks = (0..64).map(|_| {
        let redis = redis.clone();
        tokio::spawn(async move {
            let mut transaction = redis.multi();
            transaction.pipeline(pipe().incr("odd", 1).incr("odd", 1));
            let other = Cmd::incr("other", 1);
            let single = redis.query::<i64>(&other);
            let (replies, single) = tokio::join!(transaction.execute(), single);
            assert!((1..=64).contains(&single.unwrap()));
            let replies = replies.unwrap();
            let [Ok(Value::Int(first)), Ok(Value::Int(second))] = &replies[..] else {
                panic!("{replies:?}")
            };
            assert_eq!((first % 2, *second), (1, first + 1));
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

// S225
#[tokio::test]
async fn an_error_while_it_runs_is_that_commands_only() {
    let (_server, redis) = connected().await;
    let mut transaction = redis.multi();
    transaction.pipeline(pipe().set("a", 1));
    let push = transaction.command(&Cmd::lpush("a", "x"));
    let get = transaction.command(&Cmd::get("a"));
    let replies = transaction.execute().await.unwrap();
    assert_eq!(replies[0].as_ref().unwrap(), &Value::Okay);
    let Err(Error::WrongType { command, .. }) = push.await else { panic!("{replies:?}") };
    assert_eq!(command, "LPUSH");
    assert_eq!(get.await.unwrap(), text("1"));
}

// S226
#[tokio::test]
async fn a_command_that_is_refused_when_it_is_queued_discards_them_all_and_is_named() {
    for generation in [Generation::Redis, Generation::Valkey] {
        let server = RedisServer::start_on(generation).await;
        let redis = Redis::connect(&server.url()).await.unwrap();
        server.command(&["SET", "a", "before"]).await;
        let mut transaction = redis.multi();
        let set = transaction.command(&Cmd::set("a", 1));
        let unknown = transaction.command(cmd("NOSUCH").arg("secret"));
        let error = transaction.execute().await.unwrap_err();
        for error in [error, set.await.unwrap_err(), unknown.await.unwrap_err()] {
            let Error::Aborted { refused, source, .. } = &error else { panic!("{error:?}") };
            assert_eq!(refused, &[(1, "ERR unknown command 'NOSUCH'".to_owned())]);
            assert_eq!(source.code(), Some("EXECABORT"));
            let words = "Transaction discarded because of previous errors.";
            assert_eq!(source.detail(), Some(words));
            let end =
                "discarded the transaction (EXECABORT): command 2: ERR unknown command 'NOSUCH'";
            assert!(error.to_string().ends_with(end), "{error}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
        assert_eq!(server.command(&["GET", "a"]).await, Reply::bulk("before"));
    }
}

#[tokio::test]
async fn a_refused_multi_is_not_taken_for_a_discarded_transaction() {
    let (server, _) = connected().await;
    server.command(&["ACL", "SETUSER", "ann", "on", ">p", "~*", "+@all", "-multi"]).await;
    let url = server.url().replace("redis://", "redis://ann:p@");
    let redis = Redis::connect(&url).await.unwrap();
    let mut transaction = redis.multi();
    transaction.command(&Cmd::set("a", 1));
    let error = transaction.execute().await.unwrap_err();
    let Error::InPart { source, .. } = &error else { panic!("{error:?}") };
    let Error::Server { code, command, .. } = &**source else { panic!("{error:?}") };
    assert_eq!((code.as_str(), command.as_str()), ("NOPERM", "MULTI"));
    // Redis has carried the commands out, one by one.
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(server.command(&["GET", "a"]).await, Reply::bulk("1"));
}

// S227
#[tokio::test]
async fn a_command_has_no_reply_before_the_transaction_is_executed() {
    let (_server, redis) = connected().await;
    let mut transaction = redis.multi();
    let set = transaction.command(&Cmd::set("a", 1));
    let error = set.clone().await.unwrap_err();
    assert_eq!(problem_of(&error), "Command is not finalized yet");
    transaction.execute().await.unwrap();
    assert_eq!(set.await.unwrap(), Value::Okay);
}

// S228
#[tokio::test]
async fn an_empty_transaction_sends_nothing() {
    let (fake, redis) = that_queues().await;
    assert!(redis.multi().execute().await.unwrap().is_empty());
    assert!(fake.commands().is_empty(), "{:?}", fake.commands());
}

// S229, S295. That it cannot be executed a second time, or be used after, the compiler says: `execute`
// takes it.
#[tokio::test]
async fn a_dropped_transaction_sends_nothing_and_its_commands_fail() {
    let (fake, redis) = that_queues().await;
    let mut transaction = redis.multi();
    let set = transaction.command(&Cmd::set("a", 1));
    drop(transaction);
    let error = set.await.unwrap_err();
    assert_eq!(problem_of(&error), "Multiple command aborted");
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(fake.commands().is_empty(), "{:?}", fake.commands());
}

#[tokio::test]
async fn what_may_not_be_sent_fails_the_transaction_before_a_byte_is_written() {
    let (fake, redis) = that_queues().await;
    for refused in ["SELECT", "MULTI", "EXEC", "WATCH", "DISCARD", "SUBSCRIBE"] {
        let mut transaction = redis.multi();
        let set = transaction.command(&Cmd::set("a", 1));
        transaction.command(&cmd(refused));
        let error = transaction.execute().await.unwrap_err();
        let Error::Invalid { command, .. } = &error else { panic!("{error:?}") };
        assert_eq!(command, refused);
        assert!(matches!(set.await, Err(Error::Invalid { .. })));
    }
    assert!(fake.commands().is_empty(), "{:?}", fake.commands());
}

#[tokio::test]
async fn what_blocks_does_not_block_in_a_transaction() {
    let (_server, redis) = connected().await;
    let mut transaction = redis.multi();
    transaction.command(cmd("BLPOP").arg("queue").arg(0));
    assert_eq!(transaction.execute().await.unwrap()[0].as_ref().unwrap(), &Value::Nil);
}

// S230
#[tokio::test]
async fn transactions_on_two_databases_are_independent() {
    let (_server, redis) = connected().await;
    let (second, third) = (redis.database(2), redis.database(3));
    let mut outer = second.multi();
    outer.command(&Cmd::set("a", "b"));
    let mut inner = third.multi();
    inner.pipeline(pipe().set("a1", "c").get("a"));
    let replies = inner.execute().await.unwrap();
    assert_eq!(replies[1].as_ref().unwrap(), &Value::Nil);
    outer.command(&Cmd::mget(&["a", "a1"]));
    let replies = outer.execute().await.unwrap();
    assert_eq!(replies[1].as_ref().unwrap(), &Value::Array(vec![text("b"), Value::Nil]));
}

// S293
#[tokio::test]
async fn a_hash_is_a_map_in_a_transaction_too() {
    let (server, redis) = connected().await;
    server.hset("h", "field", "value").await;
    let replies = redis.pipeline(pipe().atomic().set("a1", 1).get("a1").hgetall("h")).await;
    let replies: Vec<_> = replies.unwrap().into_iter().map(Result::unwrap).collect();
    let map = Value::Map(vec![(text("field"), text("value"))]);
    assert_eq!(replies, [Value::Okay, text("1"), map]);
}

// S293
#[tokio::test]
async fn atomic_pipelines_of_redis_rs_are_transactions() {
    let (_server, mut redis) = connected().await;
    let (sum, value): (i64, String) = pipe()
        .atomic()
        .set("a", 1)
        .ignore()
        .incr("a", 1)
        .get("a")
        .query_async(&mut redis)
        .await
        .unwrap();
    assert_eq!((sum, value.as_str()), (2, "2"));
    let discarded: Result<(), RedisError> =
        pipe().atomic().set("a", 5).cmd("NOSUCH").query_async(&mut redis).await;
    let error = discarded.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server(ServerErrorKind::ExecAbort));
    assert_eq!(redis.query::<i64>(&Cmd::get("a")).await.unwrap(), 2);
}

// S296
#[tokio::test]
async fn a_pipeline_is_answered_in_order() {
    let (_server, redis) = connected().await;
    let replies =
        redis.pipeline(pipe().set("foo", 123).set("bar", 987).get("foo").get("bar")).await;
    let replies: Vec<_> = replies.unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(replies, [Value::Okay, Value::Okay, text("123"), text("987")]);
}

// S296. That a pipeline is not executed without being one (S298), the compiler says.
#[tokio::test]
async fn a_pipeline_is_one_write() {
    let fake = FakeServer::start(|_| Answer::ok()).await;
    let redis = Redis::connect(&fake.url()).await.unwrap();
    redis.pipeline(pipe().set("foo", 123).set("bar", 987).get("foo").get("bar")).await.unwrap();
    let commands = fake.commands();
    assert_eq!(commands, ["SET foo 123", "SET bar 987", "GET foo", "GET bar"]);
    assert!(commands.iter().all(|it| it.read == commands[0].read), "{commands:?}");
}

// S297
#[tokio::test]
async fn an_error_in_a_pipeline_stands_in_its_place() {
    let (_server, redis) = connected().await;
    let replies = redis.pipeline(pipe().set("foo", "x").incr("foo", 1).get("foo")).await.unwrap();
    assert_eq!(replies[0].as_ref().unwrap(), &Value::Okay);
    let Err(Error::Server { code, detail, .. }) = &replies[1] else { panic!("{replies:?}") };
    assert_eq!(
        (code.as_str(), detail.as_str()),
        ("ERR", "value is not an integer or out of range")
    );
    assert_eq!(replies[2].as_ref().unwrap(), &text("x"));
}

#[tokio::test]
async fn dropped_transactions_never_shift_the_replies_of_others() {
    let (_server, redis) = connected().await;
    for round in 0..1_000 {
        let mut transaction = redis.multi();
        transaction.pipeline(pipe().set("lost", round).cmd("ECHO").arg("lost"));
        tokio::select! {
            biased;
            replies = transaction.execute() => assert_eq!(replies.unwrap().len(), 2),
            () = give_up_after(round % 7) => {}
        }
        let echo = format!("mine {round}");
        assert_eq!(redis.query::<String>(cmd("ECHO").arg(&echo)).await.unwrap(), echo);
    }
}

#[tokio::test]
async fn a_transaction_whose_future_was_dropped_may_have_been_carried_out() {
    let fake = FakeServer::start(|command| match command {
        [name] if name == b"EXEC" => Answer::Silence,
        _ => Answer::ok(),
    })
    .await;
    let redis = Redis::connect(&fake.url()).await.unwrap();
    let mut transaction = redis.multi();
    let set = transaction.command(&Cmd::set("a", 1));
    tokio::select! {
        replies = transaction.execute() => panic!("{replies:?}"),
        () = fake.until_received("EXEC", 1) => {}
    }
    assert_eq!(set.await.unwrap_err().outcome(), Outcome::Unknown);
}

/// Gives the other tasks this many turns.
async fn give_up_after(turns: usize) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
}
