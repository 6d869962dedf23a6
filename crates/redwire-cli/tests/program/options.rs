use redwire_test::{Client, Program, RedisServer, eventually};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{REDWIRE, refuses, serve};

#[test]
fn s055_nothing_to_subscribe_to_is_a_mistake() {
    let (code, error) = refuses(&["--channels", ""]);
    assert_eq!(code, 2);
    assert!(error.contains("nothing to subscribe"), "{error}");
}

/// [`Program`] gives all three in the environment, and nothing else.
#[tokio::test]
async fn s057_redis_host_and_port_are_read_from_the_environment() {
    let redis = RedisServer::start().await;
    redis.hset("trains", "42", "7").await;
    let program = serve(&[], &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    client.send("GET trains 42").await;
    client.expect("trains 42", json!(7)).await;
}

#[tokio::test]
async fn s057_a_flag_wins_over_the_environment() {
    let (redis, other) = (RedisServer::start().await, RedisServer::start().await);
    redis.hset("trains", "42", "7").await;
    other.hset("trains", "42", "8").await;
    let program = serve(&["--redis", &other.url()], &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    client.send("GET trains 42").await;
    client.expect("trains 42", json!(8)).await;
}

#[tokio::test]
async fn s057_the_host_may_be_localhost() {
    let redis = RedisServer::start().await;
    let args = ["HOST=localhost", REDWIRE, "serve"];
    let program = Program::start_with("env", &args, Some(&redis)).await;
    let url = format!("ws://localhost:{}/", program.port());
    Client::open(&url).await.expect_silence().await;
}

#[tokio::test]
async fn a_unix_socket_is_a_redis_too() {
    let redis = RedisServer::start().await;
    let program = serve(&["--redis", &redis.unix_url()], &redis).await;
    assert_eq!(program.http("/readyz").await.0, 200);
}

#[tokio::test]
async fn positions_may_be_stored_in_epsg_3857() {
    let redis = RedisServer::start().await;
    let bern = r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[828064,5934093]}}"#;
    redis.hset("trains", "1", bern).await;
    let program = serve(&["--stored-crs", "3857"], &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    client.send("BBOX 800000 5900000 900000 6000000").await;
    client.send("PGET trains projection=epsg:4326").await;
    let longitude = client.next().await["content"]["geometry"]["coordinates"][0].as_f64();
    assert!(longitude.is_some_and(|longitude| (longitude - 7.4386).abs() < 1e-3), "{longitude:?}");

    let (code, error) = refuses(&["--stored-crs", "2056"]);
    assert_eq!(code, 2);
    assert!(error.contains("4326, 3857"), "{error}");
}

#[tokio::test]
async fn s046_a_maximum_age_closes_with_1001() {
    let redis = RedisServer::start().await;
    let program = serve(&["--max-age", "1"], &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    client.expect_silence().await;
    assert_eq!(client.expect_close(1001).await, "connection reached its maximum age");
}

#[tokio::test]
async fn compression_is_agreed_upon_if_it_is_switched_on() {
    let redis = RedisServer::start().await;
    for (args, is_on) in [(&["--compression"][..], true), (&[], false)] {
        let program = serve(args, &redis).await;
        let head = upgraded(&program, "permessage-deflate; client_max_window_bits").await;
        assert_eq!(
            head.contains("permessage-deflate; server_no_context_takeover"),
            is_on,
            "{head}"
        );
    }
}

#[tokio::test]
async fn with_a_cache_what_was_read_is_not_read_again() {
    let redis = RedisServer::start().await;
    let program = serve(&["--cache", "8"], &redis).await;
    let mut client = Client::open(&program.websocket("/")).await;
    redis.hset("trains", "42", "7").await;
    eventually("a read to be spared", async || {
        let before = reads(&redis).await;
        client.send("GET trains 42").await;
        client.expect("trains 42", json!(7)).await;
        reads(&redis).await == before
    })
    .await;
}

async fn reads(redis: &RedisServer) -> String {
    let statistics = redis.command(&["INFO", "commandstats"]).await;
    let statistics = String::from_utf8_lossy(statistics.as_bytes().expect("a text")).into_owned();
    let line = statistics.lines().find(|line| line.starts_with("cmdstat_hget:"));
    line.and_then(|line| line.split(',').next()).unwrap_or_default().to_owned()
}

/// The head of the answer to a handshake that offers an extension.
async fn upgraded(program: &Program, extension: &str) -> String {
    let request = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-extensions: {extension}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(("127.0.0.1", program.port())).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("to be sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    String::from_utf8(head).expect("a head")
}

#[tokio::test]
async fn every_option_may_be_in_a_file() {
    let redis = RedisServer::start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "redis = {:?}\nchannels = [\"public.*\"]\ndeny = [\"*.secret\"]\nmax-age = 3600\n\
         origin = [\"https://map.example\"]\nmax-connections = 1\nmax-commands = 50\n\
         shutdown = 1\ncompat = true\ncompression = true\ncache = 8\nlog = \"json\"\n",
        redis.url()
    );
    std::fs::write(file.path(), text).unwrap();
    let args = ["serve", "--config", file.path().to_str().unwrap()];
    let program = Program::start_with(REDWIRE, &args, None).await;
    assert_eq!(program.http("/readyz").await.0, 200);

    let mut client = Client::open(&program.websocket("/")).await;
    for channel in ["public.trains", "public.secret", "trains"] {
        client.subscribe(channel).await;
    }
    assert_eq!(redis.publish("public.secret", "1").await, 0);
    assert_eq!(redis.publish("trains", "2").await, 0);
    assert_eq!(redis.publish("public.trains", "3").await, 1);
    client.expect("public.trains", json!(3)).await;
    assert_eq!(Client::refused(program.websocket("/")).await, 503);
    client.send("SUB").await;
    client.expect_close(1011).await;
}

#[test]
fn an_unknown_key_in_the_file_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "chanels = [\"public.*\"]\n").unwrap();
    let (code, error) = refuses(&["--config", file.path().to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(error.contains("`chanels`"), "{error}");
}

#[test]
fn a_file_that_is_missing_is_named() {
    let (code, error) = refuses(&["--config", "/nowhere/redwire.toml"]);
    assert_eq!(code, 2);
    assert!(error.contains("/nowhere/redwire.toml"), "{error}");
}

#[test]
fn a_bad_url_is_told_by_its_part_and_without_its_password() {
    for (url, part) in [
        ("redis://ann:hunter2@localhost:port", "port"),
        ("redis://ann:hunter2@localhost/zero", "database"),
        ("http://ann:hunter2@localhost", "scheme"),
        ("redis://ann:hunter2@local host", "host"),
    ] {
        let (code, error) = refuses(&["--port", "0", "--redis", url]);
        assert_eq!(code, 1, "{error}");
        assert!(error.starts_with(&format!("redwire: bad redis url: the {part}")), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_with_redis_reason_and_without_itself() {
    let redis = RedisServer::start().await;
    let url = format!("redis://ann:hunter2@127.0.0.1:{}", redis.port());
    let (code, error) = refuses(&["--port", "0", "--redis", &url]);
    assert_eq!(code, 1, "{error}");
    // The other of the two connections may have the last word in the log.
    let told = format!("redwire: redis at 127.0.0.1:{} refused the connection: ", redis.port());
    let line = error.lines().find(|line| line.starts_with(&told));
    assert!(line.is_some_and(|line| line.contains("WRONGPASS")), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_port_in_use_is_told_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, error) = refuses(&["--port", &port]);
    assert_eq!(code, 1, "{error}");
    assert!(error.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}
