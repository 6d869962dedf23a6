//! Commands in a Redis Cluster of three masters.

use redwire_client::redis::{AsyncCommands, Cmd, Value, cmd, from_redis_value, pipe};
use redwire_client::{Config, Endpoint, Error, Event, Outcome, Redis, Topic, slot};
use redwire_test::{Generation, RedisCluster, RedisServer, Reply, eventually};

/// The slot of `foo`, which node 2 of three owns.
const FOO: u16 = 12182;

fn url_of(cluster: &RedisCluster) -> String {
    cluster.url().replace("redis://", "redis+cluster://")
}

async fn connected(cluster: &RedisCluster) -> Redis {
    Redis::connect(&url_of(cluster)).await.expect("a cluster")
}

fn bulk(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

/// How often a node was asked for the slots.
async fn asked_for_slots(cluster: &RedisCluster) -> u64 {
    let mut asked = 0;
    for number in 0..cluster.size() {
        let stats = cluster.node(number).command(&["INFO", "commandstats"]).await;
        let stats = String::from_utf8_lossy(stats.as_bytes().expect("text")).into_owned();
        let calls =
            stats.lines().find_map(|line| line.strip_prefix("cmdstat_cluster|slots:calls="));
        let calls = calls.and_then(|calls| calls.split(',').next());
        asked += calls.map_or(0, |calls| calls.parse::<u64>().expect("a number"));
    }
    asked
}

// S259, S260, S267
#[tokio::test]
async fn one_seed_is_enough_for_every_key() {
    let cluster = RedisCluster::start(3, 0).await;
    let mut redis = connected(&cluster).await;
    for key in ["aa", "bb", "cc", "{a}b", "{06S}x", "06S"] {
        assert_eq!(redis.set::<_, _, String>(key, key).await.unwrap(), "OK");
        assert_eq!(redis.get::<_, String>(key).await.unwrap(), key);
    }
    let endpoints = cluster.endpoints();
    let mut expected: Vec<Endpoint> =
        endpoints.iter().map(|(host, port)| Endpoint::tcp(host, *port)).collect();
    expected.sort();
    let mut masters = redis.endpoints();
    masters.sort();
    assert_eq!(masters, expected);
}

#[tokio::test]
async fn a_cluster_of_valkey_is_one_too() {
    let cluster = RedisCluster::start_on(Generation::Valkey, 3, 0).await;
    let mut redis = connected(&cluster).await;
    let mut subscriber = redis.subscriber().await.unwrap();
    subscriber.subscribe([Topic::sharded("foo")]).await.unwrap();
    let () = redis.set("foo", "before").await.unwrap();
    cluster.move_slot(FOO, 2, 0).await;
    assert_eq!(redis.get::<_, String>("foo").await.unwrap(), "before");
    let heard = async || {
        let mut publish = cmd("SPUBLISH");
        redis.query::<i64>(publish.arg("foo").arg("after")).await.unwrap() == 1
    };
    eventually("the subscriber to follow", heard).await;
    while !matches!(subscriber.next().await.unwrap(), Event::Message { .. }) {}
}

// S263
#[tokio::test]
async fn there_is_no_database_but_0() {
    let cluster = RedisCluster::start(1, 0).await;
    let error = Redis::connect(&format!("{}/1", url_of(&cluster))).await.unwrap_err();
    assert!(matches!(error, Error::Config { option: "database", .. }), "{error:?}");
    let other = connected(&cluster).await.database(1);
    let mut refused = vec![other.command(&Cmd::get("aa")).await.unwrap_err()];
    refused.push(other.send(Cmd::get("aa")).await.unwrap_err());
    refused.push(other.pipeline(pipe().get("aa")).await.unwrap_err());
    for error in refused {
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    }
}

// S264
#[tokio::test]
async fn all_masters_answer_one_by_one() {
    let cluster = RedisCluster::start(3, 0).await;
    let mut redis = connected(&cluster).await;
    for key in ["aa", "bb", "cc"] {
        let () = redis.set(key, key).await.unwrap();
    }
    let replies = redis.on_all_masters(cmd("KEYS").arg("*")).await.unwrap();
    assert_eq!(replies.len(), 3);
    let mut keys: Vec<String> = Vec::new();
    for reply in replies.into_values() {
        keys.extend(from_redis_value::<Vec<String>>(reply.unwrap()).unwrap());
    }
    keys.sort();
    assert_eq!(keys, ["aa", "bb", "cc"]);

    let replies = redis.on_all_masters(&Cmd::get("aa")).await.unwrap();
    assert_eq!(replies.len(), 3);
    assert!(replies.into_values().all(|reply| reply.unwrap() == bulk("aa")));

    let replies = redis.on_all_masters(&cmd("NOSUCH")).await.unwrap();
    for (master, reply) in replies {
        let Err(Error::Server { endpoint, code, .. }) = reply else { panic!("{reply:?}") };
        assert_eq!((&*endpoint, &*code), (&*master.to_string(), "ERR"));
    }
}

// S264
#[tokio::test]
async fn a_single_server_has_no_masters() {
    let server = RedisServer::start().await;
    let redis = Redis::connect(&server.url()).await.unwrap();
    let error = redis.on_all_masters(&cmd("PING")).await.unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_in_no_cluster_is_told() {
    let server = RedisServer::start().await;
    let url = server.url().replace("redis://", "redis+cluster://");
    let error = Redis::connect(&url).await.unwrap_err();
    assert!(error.to_string().contains("cluster support disabled"), "{error}");
}

#[tokio::test]
async fn a_cluster_that_is_down_may_come_later() {
    let server = RedisServer::reserved().await;
    let url = server.url().replace("redis://", "redis+cluster://");
    let redis = Redis::connect(&url).await.unwrap();
    let error = redis.command(&Cmd::get("aa")).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let once = Config::from_url(&url).unwrap().reconnect(false);
    assert!(Redis::connect_with(once).await.is_err());
}

// S265
#[tokio::test]
async fn keys_of_two_slots_are_refused_by_redis() {
    let cluster = RedisCluster::start(3, 0).await;
    let redis = connected(&cluster).await;
    let error = redis.command(cmd("MGET").arg("aa").arg("bb")).await.unwrap_err();
    let Error::Server { code, .. } = &error else { panic!("{error:?}") };
    assert_eq!(code, "CROSSSLOT");
}

#[tokio::test]
async fn a_scan_of_one_node_is_not_taken_for_one_of_all() {
    let cluster = RedisCluster::start(1, 0).await;
    let error = connected(&cluster).await.command(cmd("SCAN").arg(0)).await.unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
}

// S266
#[tokio::test]
async fn an_atomic_pipeline_runs_where_its_keys_are() {
    let cluster = RedisCluster::start(3, 0).await;
    let mut redis = connected(&cluster).await;
    let both: (String, String) =
        pipe().atomic().set("{t}1", "a").get("{t}1").query_async(&mut redis).await.unwrap();
    assert_eq!(both, ("OK".into(), "a".into()));

    let apart: Result<(), _> =
        pipe().atomic().set("aa", 1).set("bb", 1).exec_async(&mut redis).await;
    let error = Error::from(apart.unwrap_err());
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    assert_eq!(redis.exists::<_, i64>("aa").await.unwrap(), 0);
}

// S266
#[tokio::test]
async fn a_transaction_and_a_watch_follow_their_slot() {
    let cluster = RedisCluster::start(3, 0).await;
    let redis = connected(&cluster).await;
    redis.command(&Cmd::get("foo")).await.unwrap();
    cluster.move_slot(FOO, 2, 0).await;
    let mut watched = redis.watch("foo").await.unwrap();
    assert_eq!(watched.command(&Cmd::get("foo")).await.unwrap(), Value::Nil);
    let mut transaction = watched.multi().unwrap();
    transaction.command(&Cmd::set("foo", "a"));
    transaction.execute().await.unwrap();
    cluster.move_slot(FOO, 0, 1).await;
    let mut transaction = redis.multi();
    transaction.command(&Cmd::get("foo"));
    let replies = transaction.execute().await.unwrap();
    assert_eq!(replies[0].clone().unwrap(), bulk("a"));
}

#[tokio::test]
async fn an_atomic_pipeline_follows_its_slot_as_a_whole() {
    let cluster = RedisCluster::start(3, 0).await;
    let mut redis = connected(&cluster).await;
    let mut transaction = pipe();
    transaction.atomic().incr("foo", 1).incr("foo", 1);
    let mut of_two_keys = pipe();
    of_two_keys.atomic().incr("{foo}1", 1).incr("{foo}2", 1);

    cluster.begin_move(FOO, 2, 0).await; // the key is not there, so Redis says ASK
    let counts: (i64, i64) = transaction.query_async(&mut redis).await.unwrap();
    assert_eq!(counts, (1, 2));
    let mut other = redis.clone();
    let waiting = tokio::spawn(async move { of_two_keys.query_async(&mut other).await });
    cluster.finish_move(FOO, 2, 0).await; // and MOVED from here on; before it, TRYAGAIN for two keys
    let counts: (i64, i64) = waiting.await.unwrap().unwrap();
    assert_eq!(counts, (1, 1));
    let counts: (i64, i64) = transaction.query_async(&mut redis).await.unwrap();
    assert_eq!(counts, (3, 4));
    assert_eq!(cluster.keys_in(FOO, 0).await, 3);
}

#[tokio::test]
async fn a_pipeline_of_many_slots_is_answered_in_order() {
    let cluster = RedisCluster::start(3, 0).await;
    let mut redis = connected(&cluster).await;
    let mut pipeline = pipe();
    for number in 0..200 {
        pipeline.set(format!("key{number}"), number).get(format!("key{number}")).ping();
    }
    let owner = cluster.owner_of(slot("key7")).await;
    cluster.move_slot(slot("key7"), owner, (owner + 1) % 3).await;
    let replies: Vec<String> = pipeline.query_async(&mut redis).await.unwrap();
    let expected = (0..200).flat_map(|number| ["OK".into(), number.to_string(), "PONG".into()]);
    assert_eq!(replies, expected.collect::<Vec<String>>());
}

#[tokio::test]
async fn of_a_pipeline_only_what_was_refused_is_sent_again() {
    let cluster = RedisCluster::start(3, 0).await;
    let redis = connected(&cluster).await;
    redis.command(&Cmd::incr("aa", 1)).await.unwrap();
    cluster.move_slot(FOO, 2, 0).await;
    let mut pipeline = pipe();
    pipeline.incr("aa", 1).incr("foo", 1).incr("bb", 1).incr("foo", 1).incr("aa", 1);
    pipeline.cmd("HGET").arg("aa").arg("field");
    let replies = redis.pipeline(&pipeline).await.unwrap();
    let numbers: Vec<_> = replies.iter().take(5).map(|reply| reply.clone().unwrap()).collect();
    assert_eq!(numbers, [2, 1, 1, 2, 3].map(Value::Int));
    assert!(matches!(replies[5], Err(Error::WrongType { .. })), "{:?}", replies[5]);
}

// S262
#[tokio::test]
async fn a_key_that_has_moved_before_its_slot_is_found() {
    let cluster = RedisCluster::start(3, 0).await;
    let redis = connected(&cluster).await;
    for key in ["foo", "{foo}2"] {
        redis.command(&Cmd::set(key, key)).await.unwrap();
    }
    cluster.begin_move(FOO, 2, 0).await;
    cluster.move_key("foo", 2, 0).await;
    let before = asked_for_slots(&cluster).await;
    assert_eq!(redis.command(&Cmd::get("foo")).await.unwrap(), bulk("foo"));
    assert_eq!(redis.command(&Cmd::get("{foo}2")).await.unwrap(), bulk("{foo}2"));
    assert_eq!(redis.send(Cmd::get("foo")).await.unwrap(), bulk("foo"));
    let replies = redis.pipeline(pipe().get("foo").get("{foo}2").incr("{foo}3", 1)).await.unwrap();
    let replies: Vec<_> = replies.into_iter().map(Result::unwrap).collect();
    assert_eq!(replies, [bulk("foo"), bulk("{foo}2"), Value::Int(1)]);
    assert_eq!(asked_for_slots(&cluster).await, before);

    // One of the two is here and one is there: Redis says TRYAGAIN until both are in one place.
    let both = cmd("MGET").arg("foo").arg("{foo}2").to_owned();
    let reading = tokio::spawn(async move { redis.command(&both).await });
    cluster.move_keys(FOO, 2, 0).await;
    let both = reading.await.unwrap().unwrap();
    assert_eq!(both, Value::Array(vec![bulk("foo"), bulk("{foo}2")]));
}

#[tokio::test]
async fn what_waits_in_a_slot_goes_along_with_it() {
    let cluster = RedisCluster::start(3, 0).await;
    let mut redis = connected(&cluster).await;
    let waiting = tokio::spawn({
        let mut redis = redis.clone();
        async move { redis.blpop::<_, (String, String)>("foo", 0.0).await }
    });
    eventually("somebody to wait", async || {
        let info = cluster.node(2).command(&["INFO", "clients"]).await;
        String::from_utf8_lossy(info.as_bytes().unwrap()).contains("blocked_clients:1")
    })
    .await;
    cluster.move_slot(FOO, 2, 1).await;
    let () = redis.rpush("foo", "bar").await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), ("foo".into(), "bar".into()));
}

#[tokio::test]
async fn what_is_sent_without_waiting_follows_its_slot_too() {
    let cluster = RedisCluster::start(3, 0).await;
    let redis = connected(&cluster).await;
    redis.command(&Cmd::set("foo", 0)).await.unwrap();
    cluster.move_slot(FOO, 2, 0).await;
    drop(redis.send(Cmd::incr("foo", 1)));
    eventually("the command to arrive", async || {
        cluster.node(0).command(&["GET", "foo"]).await == Reply::bulk("1")
    })
    .await;
    assert_eq!(redis.send(Cmd::incr("foo", 1)).await.unwrap(), Value::Int(2));
}

#[tokio::test]
async fn a_slot_that_nobody_has_is_an_error_in_time() {
    let cluster = RedisCluster::start(3, 0).await;
    let redis = connected(&cluster).await;
    for number in 0..3 {
        cluster.node(number).command(&["CLUSTER", "DELSLOTS", &FOO.to_string()]).await;
    }
    let error = redis.command(&Cmd::get("foo")).await.unwrap_err();
    let Error::Server { code, .. } = &error else { panic!("{error:?}") };
    assert_eq!((code.as_str(), error.outcome()), ("CLUSTERDOWN", Outcome::Answered));
}

#[tokio::test]
async fn closing_closes_every_node() {
    let cluster = RedisCluster::start(3, 0).await;
    let redis = connected(&cluster).await;
    redis.on_all_masters(&cmd("PING")).await.unwrap();
    redis.close();
    redis.close();
    let error = redis.command(&Cmd::get("aa")).await.unwrap_err();
    assert!(matches!(error, Error::Closed { .. }), "{error:?}");
    for number in 0..3 {
        eventually("no client to be left", async || {
            let clients = cluster.node(number).command(&["CLIENT", "LIST", "TYPE", "normal"]).await;
            String::from_utf8_lossy(clients.as_bytes().unwrap()).lines().count() == 1
        })
        .await;
    }
}
