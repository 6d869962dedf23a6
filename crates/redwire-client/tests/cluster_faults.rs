//! A Redis Cluster that changes while it is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use redwire_client::redis::{AsyncCommands, Cmd, FromRedisValue, Value, from_redis_value};
use redwire_client::{Config, Endpoint, Error, Outcome, Redis, Topology};
use redwire_test::{RedisCluster, eventually};
use tokio::task::JoinSet;

/// The slot of `foo`, which node 2 of three owns, and of all other keys with this tag.
const FOO: u16 = 12182;

async fn connected(cluster: &RedisCluster) -> Redis {
    let url = cluster.url().replace("redis://", "redis+cluster://");
    Redis::connect(&url).await.expect("a cluster")
}

fn read<T: FromRedisValue>(reply: Result<Value, Error>) -> T {
    from_redis_value(reply.expect("a reply")).expect("the type that was written")
}

/// Waits until a key of the slot can be written again.
async fn until_writable(redis: &Redis, key: &str) {
    eventually("writes to succeed", async || redis.command(&Cmd::set(key, "new")).await.is_ok())
        .await;
}

/// Whoever has taken the slot over knows it first.
async fn until_owned(cluster: &RedisCluster, slot: u16, node: usize) {
    let is_known = async || cluster.owner_of(slot).await == node;
    eventually("others to hear of the new owner", is_known).await;
}

// S261
#[tokio::test(flavor = "multi_thread")]
async fn slots_move_in_a_loop_and_nobody_notices() {
    let cluster = RedisCluster::start(3, 0).await;
    let redis = connected(&cluster).await;
    let moving = Arc::new(AtomicBool::new(true));
    let mut tasks = JoinSet::new();
    for task in 0..16 {
        let (redis, moving) = (redis.clone(), moving.clone());
        tasks.spawn(async move {
            let mut rounds = 0_u64;
            while moving.load(Ordering::Relaxed) || rounds == 0 {
                // Half of the keys are in the slot that moves.
                let key = match task % 2 {
                    0 => format!("{{foo}}{task}"),
                    _ => format!("key{task}"),
                };
                let value = format!("{task}:{rounds}");
                let set: String = read(redis.command(&Cmd::set(&key, &value)).await);
                assert_eq!(set, "OK");
                let got: String = read(redis.command(&Cmd::get(&key)).await);
                assert_eq!(got, value);
                let sent: String = read(redis.send(Cmd::get(&key)).await);
                assert_eq!(sent, value);
                let count: u64 = read(redis.command(&Cmd::incr(format!("{key}:count"), 1)).await);
                rounds += 1;
                assert_eq!(count, rounds);
            }
            rounds
        });
    }
    let mut owner = 2;
    for _ in 0..10 {
        let next = (owner + 1) % 3;
        cluster.begin_move(FOO, owner, next).await;
        cluster.move_keys(FOO, owner, next).await;
        cluster.finish_move(FOO, owner, next).await;
        cluster.until_agreed().await;
        owner = next;
    }
    moving.store(false, Ordering::Relaxed);
    while let Some(rounds) = tasks.join_next().await {
        assert!(rounds.unwrap() > 0);
    }
}

// S268
#[tokio::test]
async fn writes_go_to_the_replica_of_a_master_that_was_killed() {
    let mut cluster = RedisCluster::start(3, 1).await;
    let redis = connected(&cluster).await;
    for key in ["foo", "bar"] {
        let _: String = read(redis.command(&Cmd::set(key, "old")).await);
    }
    let (host, port) = cluster.endpoints()[2].clone();
    cluster.kill(2).await;
    let _: String = read(redis.command(&Cmd::set("bar", "others are well")).await);
    until_writable(&redis, "foo").await;
    until_owned(&cluster, FOO, 5).await;
    eventually("the dead master to be forgotten", async || {
        let _: String = read(redis.command(&Cmd::get("foo")).await);
        !redis.endpoints().contains(&Endpoint::tcp(&host, port))
    })
    .await;
}

// S268
#[tokio::test]
async fn writes_go_to_the_replica_of_a_master_that_hangs() {
    let cluster = RedisCluster::start(3, 1).await;
    let redis = connected(&cluster).await;
    let _: String = read(redis.command(&Cmd::set("foo", "old")).await);
    cluster.freeze(2);
    until_writable(&redis, "foo").await;
    until_owned(&cluster, FOO, 5).await;

    let endpoints = cluster.endpoints();
    let seeds =
        [2, 0].map(|number: usize| Endpoint::tcp(&endpoints[number].0, endpoints[number].1));
    let config = Config::default().topology(Topology::Cluster).endpoints(seeds);
    let other = Redis::connect_with(config).await.expect("the seed that does not hang to be asked");
    assert_eq!(read::<String>(other.command(&Cmd::get("foo")).await), "new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_failover_fails_nothing() {
    let cluster = RedisCluster::start(3, 1).await;
    let redis = connected(&cluster).await;
    let going = Arc::new(AtomicBool::new(true));
    let writing = tokio::spawn({
        let (redis, going) = (redis.clone(), going.clone());
        async move {
            let mut count = 0_i64;
            while going.load(Ordering::Relaxed) {
                count += 1;
                assert_eq!(read::<i64>(redis.command(&Cmd::incr("foo", 1)).await), count);
            }
            count
        }
    });
    cluster.failover(5).await;
    cluster.failover(2).await;
    going.store(false, Ordering::Relaxed);
    assert!(writing.await.unwrap() > 0);
}

#[tokio::test]
async fn what_waits_in_a_master_that_steps_down_waits_in_the_next() {
    let cluster = RedisCluster::start(3, 1).await;
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
    cluster.failover(5).await;
    let () = redis.rpush("foo", "bar").await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), ("foo".into(), "bar".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_is_never_doubled_while_nodes_die_and_slots_move() {
    let mut cluster = RedisCluster::start(3, 1).await;
    let redis = connected(&cluster).await;
    let going = Arc::new(AtomicBool::new(true));
    let (issued, acknowledged) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (redis, going) = (redis.clone(), going.clone());
        let (issued, acknowledged) = (issued.clone(), acknowledged.clone());
        tasks.spawn(async move {
            while going.load(Ordering::Relaxed) {
                match redis.command(&Cmd::incr("foo", 1)).await {
                    Ok(_) => {
                        issued.fetch_add(1, Ordering::Relaxed);
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) if error.outcome() == Outcome::NotSent => {}
                    Err(error) if error.outcome() == Outcome::Unknown => {
                        issued.fetch_add(1, Ordering::Relaxed);
                    }
                    // Nobody has the slot, for longer than a command may take.
                    Err(Error::Server { code, .. }) if code == "CLUSTERDOWN" => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
    }
    cluster.move_slot(FOO, 2, 0).await;
    cluster.failover(3).await;
    cluster.node(3).command(&["CLIENT", "KILL", "TYPE", "normal"]).await;
    // What was acknowledged in the last moment may be lost with a master; so it is another's that dies.
    cluster.kill(1).await;
    cluster.until_agreed().await;
    cluster.move_slot(FOO, 3, 4).await;
    cluster.node(4).command(&["CLIENT", "KILL", "TYPE", "normal"]).await;
    going.store(false, Ordering::Relaxed);
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let count: i64 = read(redis.command(&Cmd::get("foo")).await);
    let (issued, acknowledged) =
        (issued.load(Ordering::Relaxed), acknowledged.load(Ordering::Relaxed));
    assert!(acknowledged > 0);
    assert!((acknowledged..=issued).contains(&count), "{acknowledged} <= {count} <= {issued}");
}

#[tokio::test]
async fn a_master_that_became_a_replica_is_not_asked_to_write() {
    let cluster = RedisCluster::start(3, 1).await;
    let redis = connected(&cluster).await;
    let _: String = read(redis.command(&Cmd::set("foo", "old")).await);
    cluster.failover(5).await;
    let _: String = read(redis.send(Cmd::set("foo", "new")).await);
    assert_eq!(read::<String>(redis.command(&Cmd::get("foo")).await), "new");
}

#[tokio::test]
async fn a_node_that_left_is_let_go() {
    let cluster = RedisCluster::start(3, 0).await;
    let redis = connected(&cluster).await;
    for key in ["foo", "bb", "aa"] {
        let _: String = read(redis.command(&Cmd::set(key, key)).await);
    }
    let others = cluster.node(1);
    let clients = async || {
        let clients = others.command(&["CLIENT", "LIST", "TYPE", "normal"]).await;
        String::from_utf8_lossy(clients.as_bytes().unwrap()).lines().count()
    };
    assert!(clients().await > 1, "the client is connected to it");
    let id = others.command(&["CLUSTER", "MYID"]).await;
    let id = String::from_utf8_lossy(id.as_bytes().unwrap()).into_owned();
    for node in [0, 2] {
        cluster.node(node).command(&["CLUSTER", "FORGET", &id]).await;
    }
    eventually("the client to leave", async || {
        // Redis is down while somebody's slots are missing, and that makes us look for them.
        let _ = redis.command(&Cmd::set("aa", "aa")).await;
        clients().await == 1
    })
    .await;
}
