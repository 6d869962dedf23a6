//! Independent servers behind a ring.

use redwire_client::redis::{AsyncCommands, Cmd, Pipeline, Value, cmd, pipe};
use redwire_client::ring::{CompatRing, WeightedRing};
use redwire_client::{Config, Error, Outcome, Redis, Sharded};
use redwire_test::{Answer, FakeServer, RedisServer, Reply};

/// Two servers behind txredisapi's ring, under names whose keys are known.
async fn two() -> ([RedisServer; 2], Sharded) {
    let servers = [RedisServer::start().await, RedisServer::start().await];
    let sharded = behind(&servers.each_ref().map(RedisServer::url)).await;
    (servers, sharded)
}

const NAMES: [&str; 2] = ["server1:6379", "server2:6379"];

async fn behind(urls: &[String; 2]) -> Sharded {
    let mut nodes = Vec::new();
    for (name, url) in NAMES.iter().zip(urls) {
        nodes.push((*name, Redis::connect(url).await.expect("a handle")));
    }
    Sharded::new(CompatRing::new(NAMES), nodes).expect("all nodes of the ring")
}

/// `foo00` to `foo99`, and where they belong.
fn keys() -> Vec<String> {
    (0..100).map(|number| format!("foo{number:02}")).collect()
}

fn place(key: &str) -> usize {
    let ring = CompatRing::new(NAMES);
    NAMES.iter().position(|name| ring.node(key) == Some(name)).expect("a node")
}

/// A key on each node.
fn one_each() -> [String; 2] {
    [0, 1].map(|node| keys().into_iter().find(|key| place(key) == node).expect("a key"))
}

fn command(words: &str) -> Cmd {
    let mut command = Cmd::new();
    words.split(' ').for_each(|word| {
        command.arg(word);
    });
    command
}

async fn problem(sharded: &Sharded, command: &Cmd) -> String {
    match sharded.command(command).await.unwrap_err() {
        Error::Invalid { problem, .. } => problem.into_owned(),
        error => panic!("{error:?}"),
    }
}

// S306, T-50
#[tokio::test]
async fn each_key_is_on_the_server_that_the_ring_says() {
    let (servers, mut sharded) = two().await;
    for (number, key) in keys().iter().enumerate() {
        let () = sharded.set(key, format!("bar{number:02}")).await.unwrap();
    }
    for (number, key) in keys().iter().enumerate() {
        let value: String = sharded.get(key).await.unwrap();
        assert_eq!(value, format!("bar{number:02}"));
        for (node, server) in servers.iter().enumerate() {
            let here = server.command(&["EXISTS", key]).await.as_integer();
            assert_eq!(here, Some(i64::from(node == place(key))), "{key} on node {node}");
        }
    }
    for server in &servers {
        assert!(server.command(&["DBSIZE"]).await.as_integer() > Some(0));
    }
}

// S307, T-56
#[tokio::test]
async fn mget_returns_values_in_the_order_of_the_keys_and_honours_tags() {
    let (_servers, mut sharded) = two().await;
    let mut all = keys();
    all.extend((0..20).map(|number| format!("test{{lero}}:{number}")));
    let pairs: Vec<_> = all.iter().map(|key| (key.clone(), format!("value of {key}"))).collect();
    let () = sharded.mset(&pairs).await.unwrap();
    fastrand::Rng::with_seed(7).shuffle(&mut all);
    all.insert(5, "missing".to_owned());
    all.push(all[0].clone());
    let values: Vec<Option<String>> = sharded.mget(&all).await.unwrap();
    let expected = |key: &String| (key != "missing").then(|| format!("value of {key}"));
    assert_eq!(values, all.iter().map(expected).collect::<Vec<_>>());
    let owner = sharded.node_of("lero").unwrap();
    let mut tags = cmd("EXISTS");
    (0..20).for_each(|number| {
        tags.arg(format!("test{{lero}}:{number}"));
    });
    assert_eq!(owner.query::<i64>(&tags).await.unwrap(), 20);
}

// S308
#[tokio::test]
async fn a_dead_shard_is_an_error_that_names_it_and_never_a_shorter_list() {
    let ([_alive, mut dead], sharded) = two().await;
    let [here, gone] = one_each();
    dead.kill().await;
    let mut read = cmd("MGET");
    read.arg(&here).arg(&gone);
    let error = sharded.command(&read).await.unwrap_err();
    assert!(error.to_string().contains(&dead.port().to_string()), "{error}");
    assert!(
        matches!(error, Error::Lost { .. } | Error::Unavailable { .. }),
        "it may have broken before it was noticed: {error:?}"
    );
    assert_eq!(sharded.query::<Option<String>>(cmd("GET").arg(&here)).await.unwrap(), None);
    dead.restart().await;
    let values = async || sharded.query::<Vec<Option<String>>>(&read).await;
    redwire_test::eventually("the shard", async || values().await.is_ok()).await;
    assert_eq!(values().await.unwrap(), [None, None]);
}

#[tokio::test]
async fn a_write_of_which_a_part_was_carried_out_says_that_it_may_have_been() {
    let ([alive, dead], sharded) = two().await;
    let [here, gone] = one_each();
    dead.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let mut write = cmd("MSET");
    write.arg(&gone).arg("secret").arg(&here).arg("1");
    let error = sharded.command(&write).await.unwrap_err();
    assert!(matches!(error, Error::InPart { .. }), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    let text = error.to_string();
    assert!(text.contains(&dead.port().to_string()) && text.contains("OOM"), "{text}");
    assert!(!format!("{text} {error:?}").contains("secret"));
    assert_eq!(alive.command(&["GET", &here]).await, Reply::bulk("1"));

    alive.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let error = sharded.command(&write).await.unwrap_err();
    assert!(matches!(error, Error::Server { .. }), "nobody carried it out: {error:?}");
    assert_eq!(error.outcome(), Outcome::Answered);
}

// S309, T-54, T-61
#[tokio::test]
async fn what_cannot_be_sharded_is_refused_by_name() {
    let (_servers, sharded) = two().await;
    for (words, method) in [
        ("KEYS *", "keys"),
        ("EVAL return(1) 0", "eval"),
        ("MULTI", "multi"),
        ("SCAN 0", "scan"),
        ("SELECT 1", "select"),
        ("SUBSCRIBE channel", "subscribe"),
        ("PING", "ping"),
    ] {
        let expected = format!("Method '{method}' cannot be sharded");
        assert_eq!(problem(&sharded, &command(words)).await, expected);
    }
    let [here, there] = one_each();
    let mut across = Pipeline::new();
    across.get(&here).get(&there);
    let error = sharded.pipeline(&across).await.unwrap_err().to_string();
    assert_eq!(error, "GET was not sent: Pipelining is not supported across shards");
    across.atomic();
    let error = across.query_async::<()>(&mut sharded.clone()).await.unwrap_err();
    assert!(error.to_string().contains("Pipelining is not supported across shards"), "{error}");
}

// S309: by the server's own list of what has no keys.
#[tokio::test]
async fn no_command_without_keys_is_sent_anywhere() {
    let (servers, sharded) = two().await;
    let Reply::Array(Some(commands)) = servers[0].command(&["COMMAND"]).await else { panic!() };
    let mut refused = 0;
    for entry in commands {
        let Reply::Array(Some(entry)) = entry else { panic!("{entry:?}") };
        let (Reply::Bulk(Some(name)), Reply::Array(Some(flags)), first) =
            (&entry[0], &entry[2], entry[3].as_integer())
        else {
            panic!("{entry:?}")
        };
        let name = String::from_utf8_lossy(name).into_owned();
        // The keys of these are elsewhere, or in their subcommands; channels are shared out, too.
        let is_elsewhere = flags.contains(&Reply::Simple("movablekeys".into()))
            || ["object", "xgroup", "xinfo", "publish", "spublish"].contains(&&*name);
        if first == Some(0) && !is_elsewhere {
            let expected = format!("Method '{name}' cannot be sharded");
            assert_eq!(problem(&sharded, cmd(&name).arg("x")).await, expected);
            refused += 1;
        }
    }
    assert!(refused > 50, "{refused} commands");
}

// T-54, T-61: with a common tag.
#[tokio::test]
async fn pipelines_and_transactions_of_one_node_go_through() {
    let (_servers, mut sharded) = two().await;
    let mut together = pipe();
    together.set("x{tag}a", 1).incr("x{tag}b", 5).get("x{tag}a");
    let replies = sharded.pipeline(&together).await.unwrap();
    let replies: Vec<_> = replies.into_iter().map(Result::unwrap).collect();
    assert_eq!(replies, [Value::Okay, Value::Int(5), Value::BulkString(b"1".into())]);
    let sum: (i64, i64) = pipe()
        .atomic()
        .incr("x{tag}a", 1)
        .incr("x{tag}b", 1)
        .query_async(&mut sharded)
        .await
        .unwrap();
    assert_eq!(sum, (2, 6));
    assert!(sharded.pipeline(&pipe()).await.unwrap().is_empty());
}

// S310, T-55
#[tokio::test]
async fn a_command_without_its_key_is_refused() {
    let (_servers, sharded) = two().await;
    let expected = "Method 'set' requires a key as the first argument";
    assert_eq!(problem(&sharded, &cmd("SET")).await, expected);
    let expected = "Method 'mget' requires a key as the first argument";
    assert_eq!(problem(&sharded, &cmd("MGET")).await, expected);
    let [here, there] = one_each();
    let lacking = command(&format!("MSET {here} 1 {there}"));
    assert_eq!(problem(&sharded, &lacking).await, "a key has no value");
    let error = sharded.command(&Cmd::new()).await.unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
}

// S311, T-57
#[tokio::test]
async fn deletes_are_counted_over_all_shards_and_renames_across_them_refused() {
    let ([one, two], mut sharded) = two().await;
    let [here, there] = one_each();
    let pairs: Vec<_> = keys().into_iter().map(|key| (key, 1)).collect();
    let () = sharded.mset(&pairs).await.unwrap();
    assert_eq!(sharded.exists::<_, i64>(keys()).await.unwrap(), 100);
    assert_eq!(sharded.query::<i64>(cmd("TOUCH").arg(&here).arg(&there)).await.unwrap(), 2);
    assert_eq!(sharded.unlink::<_, i64>(&[&here, &there]).await.unwrap(), 2);
    assert_eq!(sharded.del::<_, i64>(keys()).await.unwrap(), 98);
    for server in [&one, &two] {
        assert_eq!(server.command(&["DBSIZE"]).await.as_integer(), Some(0));
    }

    let () = sharded.set(&here, 1).await.unwrap();
    for name in ["RENAME", "RENAMENX", "RPOPLPUSH", "SINTER", "PFCOUNT", "COPY"] {
        let refused = problem(&sharded, cmd(name).arg(&here).arg(&there)).await;
        assert_eq!(refused, "its keys are on different nodes", "{name}");
    }
    let mut all_or_none = cmd("MSETNX");
    all_or_none.arg(&here).arg(1).arg(&there).arg(1);
    assert_eq!(problem(&sharded, &all_or_none).await, "its keys are on different nodes");
    let () = sharded.rename(&here, format!("x{{{here}}}")).await.unwrap();
    assert_eq!(sharded.exists::<_, i64>(&here).await.unwrap(), 0);
}

// T-54: each of txredisapi's methods has one key, the first argument.
#[tokio::test]
async fn typed_commands_of_one_key_work_as_on_one_server() {
    let (_servers, mut sharded) = two().await;
    for key in one_each() {
        let () = sharded.hset(&key, "field", "value").await.unwrap();
        assert_eq!(sharded.hget::<_, _, String>(&key, "field").await.unwrap(), "value");
        let error = sharded.incr::<_, _, i64>(&key, 1).await.unwrap_err();
        assert_eq!(error.code(), Some("WRONGTYPE"));
        let () = sharded.del(&key).await.unwrap();
        let () = sharded.zadd(&key, "one", 1).await.unwrap();
        assert_eq!(sharded.zrank::<_, _, Option<i64>>(&key, "one").await.unwrap(), Some(0));
        assert_eq!(sharded.key_type::<_, String>(&key).await.unwrap(), "zset");
        let () = sharded.rpush(format!("{key}l"), "a").await.unwrap();
        let popped: (String, String) = sharded.blpop(format!("{key}l"), 1.0).await.unwrap();
        assert_eq!(popped.1, "a");
    }
}

// T-58
#[tokio::test]
async fn what_is_published_arrives_at_the_node_of_its_channel() {
    let (servers, mut sharded) = two().await;
    for channel in one_each() {
        let node = sharded.node_of(&channel).unwrap().endpoints();
        let server = servers.iter().find(|server| node[0].to_string() == server.url()[8..]);
        let link = redwire_client::Link::connect(&server.unwrap().url()).await.unwrap();
        link.subscribe(&channel);
        link.confirmed(&channel).await;
        assert_eq!(sharded.publish::<_, _, i64>(&channel, "hi").await.unwrap(), 1);
    }
}

// T-59
#[tokio::test]
async fn a_node_that_is_removed_leaves_its_keys_to_the_others() {
    let (servers, mut sharded) = two().await;
    let other = sharded.clone();
    let [_, moved] = one_each();
    assert!(sharded.remove_node("server3:6379").is_err());
    let removed = sharded.remove_node(NAMES[1]).unwrap();
    assert_eq!(removed.endpoints()[0].to_string(), servers[1].url()[8..]);
    let () = sharded.set(&moved, 1).await.unwrap();
    assert_eq!(servers[0].command(&["EXISTS", &moved]).await.as_integer(), Some(1));
    assert_eq!(sharded.endpoints().len(), 1);
    assert_eq!(other.endpoints().len(), 2, "clones decide by themselves");
    let error = sharded.remove_node(NAMES[0]).unwrap_err().to_string();
    assert_eq!(error, "bad redis configuration: nodes would be none");
}

// T-60
#[tokio::test]
async fn hosts_that_are_none_are_named() {
    let ring = CompatRing::new(["127.0.0.1:6379", "server2"]);
    let error = Sharded::connect(ring, Config::default()).await.unwrap_err().to_string();
    let expected = "bad redis configuration: nodes must be a list of host:port for sharded \
        connections, and `server2` is none";
    assert_eq!(error, expected);
    let none: [(&str, Redis); 0] = [];
    let error = Sharded::new(CompatRing::default(), none.clone()).unwrap_err().to_string();
    assert_eq!(error, "bad redis configuration: nodes are none");
    let error = Sharded::new(CompatRing::new(NAMES), none).unwrap_err().to_string();
    assert_eq!(error, "bad redis configuration: nodes lack `server1:6379` of the ring");
}

#[tokio::test]
async fn a_ring_of_hosts_connects_to_them_with_one_login_and_database() {
    let servers = [RedisServer::start().await, RedisServer::start().await];
    let hosts = servers.each_ref().map(|server| (format!("127.0.0.1:{}", server.port()), 1.0));
    for server in &servers {
        server.command(&["CONFIG", "SET", "requirepass", "secret"]).await;
    }
    let config = Config::default().password("secret").database(3);
    let mut sharded = Sharded::connect(WeightedRing::new(hosts), config).await.unwrap();
    let pairs: Vec<_> = keys().into_iter().map(|key| (key, 1)).collect();
    let () = sharded.mset(&pairs).await.unwrap();
    let mut sizes = 0;
    for (_, node) in sharded.nodes() {
        let size: i64 = node.query(&cmd("DBSIZE")).await.unwrap();
        assert!(size > 0);
        sizes += size;
    }
    assert_eq!(sizes, 100);
    for server in &servers {
        assert_eq!(server.command(&["DBSIZE"]).await.as_integer(), Some(0), "of database 0");
    }
    sharded.close();
    let error = sharded.command(cmd("GET").arg("a")).await.unwrap_err();
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
}

#[tokio::test]
async fn parts_are_sent_at_once_and_a_part_that_does_not_fit_is_an_error() {
    let hold = |_: &[Vec<u8>]| Answer::Hold(b"*1\r\n$1\r\nx\r\n".to_vec());
    let fakes = [FakeServer::start(hold).await, FakeServer::start(hold).await];
    let sharded = behind(&fakes.each_ref().map(FakeServer::url)).await;
    let [here, there] = one_each();
    let mut read = cmd("MGET");
    read.arg(&here).arg(&there);
    let reply = tokio::spawn({
        let (sharded, read) = (sharded.clone(), read.clone());
        async move { sharded.command(&read).await }
    });
    for fake in &fakes {
        fake.until_received("MGET", 1).await;
    }
    fakes.iter().for_each(FakeServer::release);
    let x = Value::BulkString(b"x".into());
    assert_eq!(reply.await.unwrap().unwrap(), Value::Array(vec![x.clone(), x]));
    assert_eq!(fakes[0].commands(), [&*format!("MGET {here}")]);

    fakes[1].answer_with(|_| Answer::bytes("*2\r\n$1\r\nx\r\n$1\r\ny\r\n"));
    fakes[0].answer_with(|_| Answer::bytes("*1\r\n$1\r\nx\r\n"));
    let error = sharded.command(&read).await.unwrap_err();
    let Error::Reply { endpoint, .. } = &error else { panic!("{error:?}") };
    assert!(endpoint.contains(&fakes[1].port().to_string()));
}
