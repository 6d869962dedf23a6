//! Scripts, and watching what a server is asked.

use redwire_client::redis::{AsyncCommands, Cmd, Script, Value, cmd};
use redwire_client::{Error, Monitor, Redis};
use redwire_test::{Answer, FakeServer, Generation, RedisServer};

async fn connected() -> (RedisServer, Redis) {
    let server = RedisServer::start().await;
    let redis = Redis::connect(&server.url()).await.expect("a connection");
    (server, redis)
}

/// The names of the commands up to `PING end`, without those that greet or run inside of scripts.
async fn names_until_end(redis: &Redis, monitor: &mut Monitor) -> Vec<String> {
    redis.command(cmd("PING").arg("end")).await.unwrap();
    let mut names = Vec::new();
    loop {
        let line = monitor.next().await.expect("a line");
        let name = line.split('"').nth(1).unwrap_or_default().to_owned();
        match name.as_str() {
            "PING" if line.contains("\"end\"") => return names,
            "HELLO" | "CLIENT" | "PING" => {}
            _ => names.push(name),
        }
    }
}

fn code_of(reply: Result<Value, Error>) -> String {
    let Err(Error::Server { code, .. }) = reply else { panic!("{reply:?}") };
    code
}

// S239
#[tokio::test]
async fn the_text_of_a_script_is_sent_once() {
    for generation in [Generation::Redis, Generation::Valkey] {
        let server = RedisServer::start_on(generation).await;
        let redis = Redis::connect(&server.url()).await.unwrap();
        let mut monitor = redis.monitor().await.unwrap();
        let script = cmd("EVAL").arg("return ARGV[1]").arg(0).arg("z").to_owned();
        for _ in 0..3 {
            assert_eq!(redis.query::<String>(&script).await.unwrap(), "z");
        }
        let names = names_until_end(&redis, &mut monitor).await;
        assert_eq!(names, ["EVAL", "EVALSHA", "EVALSHA"]);

        server.command(&["SCRIPT", "FLUSH"]).await;
        assert_eq!(redis.query::<String>(&script).await.unwrap(), "z");
        assert_eq!(redis.query::<String>(&script).await.unwrap(), "z");
        let names = names_until_end(&redis, &mut monitor).await;
        assert_eq!(names, ["SCRIPT", "EVALSHA", "EVAL", "EVALSHA"]);
    }
}

// S239
#[tokio::test]
async fn a_read_only_script_stays_one() {
    let (_server, redis) = connected().await;
    let mut monitor = redis.monitor().await.unwrap();
    let script =
        cmd("EVAL_RO").arg("return redis.call('SET', KEYS[1], 1)").arg(1).arg("a").to_owned();
    let harmless = cmd("EVAL_RO").arg("return KEYS[1]").arg(1).arg("a").to_owned();
    for _ in 0..2 {
        assert_eq!(redis.query::<String>(&harmless).await.unwrap(), "a");
        assert_eq!(code_of(redis.command(&script).await), "ERR");
    }
    let names = names_until_end(&redis, &mut monitor).await;
    assert_eq!(names, ["EVAL_RO", "EVAL_RO", "EVALSHA_RO", "EVAL_RO"]);
}

// S239
#[tokio::test]
async fn a_script_survives_a_new_server() {
    let (mut server, redis) = connected().await;
    let script = cmd("EVAL").arg("return KEYS[1] .. ARGV[1]").arg(1).arg("a").arg("b").to_owned();
    assert_eq!(redis.query::<String>(&script).await.unwrap(), "ab");
    server.restart().await;
    // While the connection is made anew the command is refused, and was not sent.
    let answer = loop {
        match redis.query::<String>(&script).await {
            Err(Error::Unavailable { .. } | Error::Lost { .. }) => tokio::task::yield_now().await,
            answer => break answer,
        }
    };
    assert_eq!(answer.unwrap(), "ab");
}

// S239
#[tokio::test]
async fn a_script_that_may_have_run_is_not_sent_again() {
    let fake = FakeServer::start(|command| match command {
        [name, ..] if name == b"EVAL" => Answer::bytes(":1\r\n"),
        _ => Answer::Close,
    })
    .await;
    let redis = Redis::connect(&fake.url()).await.unwrap();
    let script = cmd("EVAL").arg("return redis.call('INCR', 'a')").arg(0).to_owned();
    assert_eq!(redis.query::<i64>(&script).await.unwrap(), 1);
    let error = redis.command(&script).await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
    let names: Vec<_> = fake.commands().into_iter().map(|it| it.args[0].clone()).collect();
    assert_eq!(names, [b"EVAL".to_vec(), b"EVALSHA".to_vec()]);
}

// S240, S300
#[tokio::test]
async fn an_unknown_hash_of_ones_own_is_an_error() {
    let (_server, redis) = connected().await;
    let unknown = cmd("EVALSHA").arg("0".repeat(40)).arg(0).to_owned();
    let error = redis.command(&unknown).await.unwrap_err();
    let Error::Server { code, detail, .. } = &error else { panic!("{error:?}") };
    let words = "No matching script. Please use EVAL.";
    assert_eq!((code.as_str(), detail.as_str()), ("NOSCRIPT", words));
}

// S300
#[tokio::test]
async fn keys_and_arguments_reach_a_script() {
    let (_server, redis) = connected().await;
    let mut eval = cmd("EVAL");
    eval.arg("return {KEYS[1], KEYS[2], ARGV[1], ARGV[2]}").arg(2);
    eval.arg(&["k1", "k2"]).arg("first").arg(b"\xff\0\r\n");
    for _ in 0..2 {
        let reply: Vec<Vec<u8>> = redis.query(&eval).await.unwrap();
        assert_eq!(reply, [&b"k1"[..], b"k2", b"first", b"\xff\0\r\n"]);
    }
}

// S300
#[tokio::test]
async fn scripts_are_asked_for_and_killed() {
    let (_server, mut redis) = connected().await;
    let absent = "0".repeat(40);
    let one = cmd("SCRIPT").arg("EXISTS").arg(&absent).to_owned();
    assert_eq!(redis.query::<Vec<bool>>(&one).await.unwrap(), [false]);
    let loaded: String = redis.load_script(&Script::new("return 1")).await.unwrap();
    let both = cmd("SCRIPT").arg("EXISTS").arg(&absent).arg(&absent).arg(loaded).to_owned();
    assert_eq!(redis.query::<Vec<bool>>(&both).await.unwrap(), [false, false, true]);
    assert_eq!(code_of(redis.command(cmd("SCRIPT").arg("KILL")).await), "NOTBUSY");
}

// S300
#[tokio::test]
async fn a_script_of_redis_rs_loads_itself() {
    let (server, mut redis) = connected().await;
    let script = Script::new("return tonumber(ARGV[1]) + redis.call('INCR', KEYS[1])");
    for sum in [11, 12] {
        let reply: i64 = script.key("a").arg(10).invoke_async(&mut redis).await.unwrap();
        assert_eq!(reply, sum);
        server.command(&["SCRIPT", "FLUSH"]).await;
    }
}

#[tokio::test]
async fn texts_without_end_do_not_fill_memory_or_fail() {
    let (_server, redis) = connected().await;
    for number in 0..1_100 {
        let text = format!("return {number}");
        let reply: i64 = redis.query(cmd("EVAL").arg(text).arg(0)).await.unwrap();
        assert_eq!(reply, number);
    }
    assert_eq!(redis.query::<i64>(cmd("EVAL").arg("return 1").arg(0)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_monitor_sees_what_others_ask_and_ends_with_the_server() {
    let (mut server, mut redis) = connected().await;
    let mut monitor = redis.monitor().await.unwrap();
    let () = redis.set("key", "some value").await.unwrap();
    let mut line = monitor.next().await.unwrap();
    while !line.contains("SET") {
        line = monitor.next().await.unwrap();
    }
    assert!(line.ends_with(r#"] "SET" "key" "some value""#), "{line}");
    server.kill().await;
    while monitor.next().await.is_some() {}
}

#[tokio::test]
async fn a_dropped_monitor_leaves_no_connection_behind() {
    let (server, redis) = connected().await;
    let monitors = async || {
        let list: String = redis.query(cmd("CLIENT").arg("LIST")).await.unwrap();
        list.lines().filter(|line| line.contains("cmd=monitor")).count()
    };
    let monitor = redis.monitor().await.unwrap();
    assert_eq!(monitors().await, 1);
    drop(monitor);
    redwire_test::eventually("the connection to end", async || monitors().await == 0).await;
    drop(server);
}

// S292
#[tokio::test]
async fn bits_are_combined_in_any_case() {
    let (server, redis) = connected().await;
    server.command(&[b"SET".as_slice(), b"x", b"\x0f\x0f\x0f\x0f"]).await;
    server.command(&[b"SET".as_slice(), b"y", b"\xf0\xf0\xf0\xf0"]).await;
    for (operation, keys, bits) in [
        ("AND", &["x", "y"][..], b"\0\0\0\0"),
        ("or", &["x", "y"], b"\xff\xff\xff\xff"),
        ("Xor", &["x", "y"], b"\xff\xff\xff\xff"),
        ("not", &["x"], b"\xf0\xf0\xf0\xf0"),
    ] {
        let combine = cmd("BITOP").arg(operation).arg("to").arg(keys).to_owned();
        assert_eq!(redis.query::<i64>(&combine).await.unwrap(), 4);
        assert_eq!(redis.query::<Vec<u8>>(&Cmd::get("to")).await.unwrap(), bits);
    }
}
